//===- Sort.cpp - tl.sort to the order of the elements and a gather -------===//
//
// Only positions are sorted: the sorted values are gathered by them.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"

#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"

using namespace mlir;
using namespace torchlite;
using namespace torchlite::tl;

namespace {

struct SortOpConversion : OpConversionPattern<SortOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(SortOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    Type written = op.getInput().getType().getElementType();
    Value input = adaptor.getInput();
    Value place = build.empty(rewriter.getI64Type(), build.sizes(input));
    Value indices = rt::ArgsortOp::create(
        rewriter, op.getLoc(), place.getType(), op.getDim(), op.getDescending(),
        written.isUnsignedInteger() || written.isInteger(1), input, place);
    Value values = createGather(build, input, indices, op.getDim());
    rewriter.replaceOp(
        op, {build.castTo(values, getTypeConverter()->convertType(op.getValues().getType())),
             build.castTo(indices, op.getIndices().getType())});
    return success();
  }
};
} // namespace

void torchlite::tl::populateSortPatterns(const TypeConverter &converter,
                                         RewritePatternSet &patterns) {
  patterns.add<SortOpConversion>(converter, patterns.getContext());
}
