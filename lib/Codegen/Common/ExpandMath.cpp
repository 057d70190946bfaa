//===- ExpandMath.cpp - Mathematical functions ----------------------------===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringSet.h"

namespace torchlite {
#define GEN_PASS_DEF_EXPANDMATH
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

/// Functions whose upstream polynomials are accurate for every f32 (test/Integration/CPU).
bool isPolynomial(StringRef name) {
  static const llvm::StringSet<> names = {"expm1", "log", "log2", "log1p", "tanh", "erf"};
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

/// A constant of an f32 or i32 type, or of vectors of it.
Value splat(OpBuilder &builder, Location loc, Type type, TypedAttr value) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    value = DenseElementsAttr::get(shaped, value);
  return arith::ConstantOp::create(builder, loc, value);
}

/// e^x of f32 as e^r 2^k, x = r + k ln 2, by the polynomial of Cephes. Upstream's has no denormal
/// results; here 2^k is the product of two powers, either of which is a normal number.
struct ExpandExp : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "computed by the library");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto f32 = [&](float value) -> Value {
      return splat(b, op.getLoc(), type, b.getF32FloatAttr(value));
    };
    auto fma = [&](Value x, Value y, Value z) -> Value { return math::FmaOp::create(b, x, y, z); };
    // Below, the result is 0 (by powers that are 0: no arithmetic on denormals), above infinite.
    Value x = select(b, arith::CmpFPredicate::OLT, op.getOperand(), f32(-176.2f));
    x = select(b, arith::CmpFPredicate::OGT, x, f32(89.0f));
    // The sum has the nearest integer to x / ln 2, plus 254, in its last bits.
    constexpr float bias = 12582912.0f + 254.0f;
    Value sum = fma(x, f32(1.44269502f), f32(bias));
    Value k = arith::SubFOp::create(b, sum, f32(bias));
    Value r = fma(k, f32(2.12194442e-4f), fma(k, f32(-0.693359375f), x));
    Value q = f32(1.98756912e-4f);
    for (float coefficient : {1.39819994e-3f, 8.33345205e-3f, 4.16657962e-2f, 0.166666657f, 0.5f})
      q = fma(q, r, f32(coefficient));
    Value y = fma(q, arith::MulFOp::create(b, r, r), r);
    y = arith::AddFOp::create(b, y, f32(1.0f));
    auto [first, second] = powers(b, type, sum);
    y = arith::MulFOp::create(b, y, first);
    rewriter.replaceOpWithNewOp<arith::MulFOp>(op, y, second);
    return success();
  }

private:
  static Value select(ImplicitLocOpBuilder &b, arith::CmpFPredicate beyond, Value x, Value limit) {
    return arith::SelectOp::create(b, arith::CmpFOp::create(b, beyond, x, limit), limit, x);
  }

  /// Powers of two whose product is 2^k; the last nine bits of the sum are k + 254, which are the
  /// exponents of both, as f32 has them, together.
  static std::pair<Value, Value> powers(ImplicitLocOpBuilder &b, Type type, Value sum) {
    Type bits = b.getI32Type();
    if (auto shaped = dyn_cast<ShapedType>(type))
      bits = shaped.clone(bits);
    auto i32 = [&](int32_t value) {
      return splat(b, b.getLoc(), bits, b.getI32IntegerAttr(value));
    };
    Value number = arith::BitcastOp::create(b, bits, sum);
    Value half =
        arith::AndIOp::create(b, arith::ShLIOp::create(b, number, i32(22)), i32(0x7f800000));
    Value rest = arith::SubIOp::create(b, arith::ShLIOp::create(b, number, i32(23)), half);
    return {arith::BitcastOp::create(b, type, half), arith::BitcastOp::create(b, type, rest)};
  }
};

/// The polynomials of logarithms take a denormal for the smallest normal number: scale it up by
/// 2^24 before, and take that off the result.
void scaleDenormals(Operation *log) {
  OpBuilder builder(log);
  Location loc = log->getLoc();
  Type type = log->getResult(0).getType();
  auto constant = [&](float value) {
    return splat(builder, loc, type, builder.getF32FloatAttr(value));
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
    patterns.add<ExpandCopySign, ExpandExp>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace torchlite
