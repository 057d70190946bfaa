//===- Contraction.cpp - tl.matmul to linalg ------------------------------===//
#include "Convolution.h"
#include "LinalgBuilder.h"
#include "PopulatePatterns.h"

using namespace mlir;
using namespace torchlite::tl;

namespace {
/// tl.matmul becomes linalg.matmul or linalg.batch_matmul; transposed operands are read through
/// indexing maps.
struct MatmulOpConversion : OpConversionPattern<MatmulOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(MatmulOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    Value result = build.matmul(adaptor.getLhs(), adaptor.getRhs(), op.getTransposeA(),
                                op.getTransposeB(), getAccumulatorType(type.getElementType()));
    result = build.convertElements(result, type.getElementType());
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }
};

/// A pure operation whose results are empty by type becomes tensor.empty, so that no other pattern
/// meets static sizes of 0, which slices and paddings do not take.
struct EmptyResultConversion : ConversionPattern {
  EmptyResultConversion(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/10, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value>,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isa<TorchLiteDialect>(op->getDialect()) || op->getNumResults() == 0 || !isPure(op))
      return rewriter.notifyMatchFailure(op, "expected a pure tl operation");
    LinalgBuilder build(rewriter, op->getLoc());
    SmallVector<Value> results;
    for (Type result : op->getResultTypes()) {
      auto type = dyn_cast<RankedTensorType>(getTypeConverter()->convertType(result));
      if (!type || !type.hasStaticShape() || type.getNumElements() != 0)
        return rewriter.notifyMatchFailure(op, "expected only results of static empty shapes");
      results.push_back(build.empty(type.getElementType(),
                                    getAsIndexOpFoldResult(op->getContext(), type.getShape())));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

void torchlite::populateContractionToLinalgPatterns(const TypeConverter &converter,
                                                    RewritePatternSet &patterns) {
  patterns.add<EmptyResultConversion, MatmulOpConversion>(converter, patterns.getContext());
  populateConvolutionPatterns(converter, patterns);
}
