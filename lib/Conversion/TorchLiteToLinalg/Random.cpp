//===- Random.cpp - tl.random to the runtime dialect ----------------------===//
#include "PopulatePatterns.h"

#include "TorchLite/Dialect/Runtime/IR/RandomOps.h"
#include "TorchLite/Dialect/TorchLite/IR/OperatorText.h"
#include "TorchLite/Dialect/TorchLite/IR/RandomOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace torchlite;

namespace {

struct RandomOpConversion : OpConversionPattern<tl::RandomOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(tl::RandomOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    Value empty = tensor::EmptyOp::create(rewriter, op.getLoc(), type, adaptor.getSizes());
    int64_t dtype = tl::scalarTypeNumber(op.getType().getElementType());
    auto random = rt::RandomOp::create(rewriter, op.getLoc(), TypeRange(type), op.getKindAttr(),
                                       rewriter.getI64IntegerAttr(dtype), adaptor.getParameters(),
                                       adaptor.getEach(), empty);
    rewriter.replaceOp(op, random.getResult());
    return success();
  }
};

} // namespace

void torchlite::populateRandomPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  patterns.add<RandomOpConversion>(converter, patterns.getContext());
}
