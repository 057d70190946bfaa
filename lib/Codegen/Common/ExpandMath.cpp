//===- ExpandMath.cpp - Mathematical functions ----------------------------===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringSet.h"

namespace torchlite {
#define GEN_PASS_DEF_EXPANDMATH
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

/// Functions whose upstream polynomials are accurate for every f32 (test/Integration/CPU).
bool isPolynomial(StringRef name) {
  static const llvm::StringSet<> names = {"exp", "expm1", "log", "log2", "log1p", "tanh", "erf"};
  return names.contains(name.substr(name.find('.') + 1));
}

/// The sign bit of one number on the others of another. Upstream has no lowering for CPUs.
struct ExpandCopySign : OpRewritePattern<math::CopySignOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::CopySignOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
    Type bits = rewriter.getIntegerType(width);
    if (auto shaped = dyn_cast<ShapedType>(type))
      bits = shaped.clone(bits);
    auto mask = [&](const APInt &value) -> Value {
      TypedAttr attr = rewriter.getIntegerAttr(getElementTypeOrSelf(bits), value);
      if (auto shaped = dyn_cast<ShapedType>(bits))
        attr = DenseElementsAttr::get(shaped, value);
      return arith::ConstantOp::create(rewriter, op.getLoc(), attr);
    };
    Location loc = op.getLoc();
    Value magnitude = arith::AndIOp::create(
        rewriter, loc, arith::BitcastOp::create(rewriter, loc, bits, op.getLhs()),
        mask(APInt::getSignedMaxValue(width)));
    Value sign = arith::AndIOp::create(rewriter, loc,
                                       arith::BitcastOp::create(rewriter, loc, bits, op.getRhs()),
                                       mask(APInt::getSignMask(width)));
    Value both = arith::OrIOp::create(rewriter, loc, magnitude, sign);
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, both);
    return success();
  }
};

/// The polynomials of logarithms take a denormal for the smallest normal number: scale it up by
/// 2^24 before, and take that off the result.
void scaleDenormals(Operation *log) {
  OpBuilder builder(log);
  Location loc = log->getLoc();
  Type type = log->getResult(0).getType();
  auto constant = [&](float value) -> Value {
    TypedAttr attr = builder.getF32FloatAttr(value);
    if (auto shaped = dyn_cast<ShapedType>(type))
      attr = DenseElementsAttr::get(shaped, attr);
    return arith::ConstantOp::create(builder, loc, attr);
  };
  Value x = log->getOperand(0);
  Value isTiny = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, x,
                                       constant(std::numeric_limits<float>::min()));
  Value scaled = arith::MulFOp::create(builder, loc, x, constant(16777216.0f));
  log->setOperand(0, arith::SelectOp::create(builder, loc, isTiny, scaled, x));
  builder.setInsertionPointAfter(log);
  float excess = isa<math::LogOp>(log) ? 16.635532f : 24.0f;
  Value bias = arith::SelectOp::create(builder, loc, isTiny, constant(excess), constant(0.0f));
  auto result = arith::SubFOp::create(builder, loc, log->getResult(0), bias);
  log->getResult(0).replaceAllUsesExcept(result, result);
}

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (isa<math::LogOp, math::Log2Op>(op) &&
          getElementTypeOrSelf(op->getResult(0).getType()).isF32())
        scaleDenormals(op);
    });
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, isPolynomial);
    math::populateExpansionPatterns(patterns, {"rsqrt"}); // libm has none
    patterns.add<ExpandCopySign>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace torchlite
