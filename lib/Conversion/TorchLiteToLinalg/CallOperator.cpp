//===- CallOperator.cpp - tl.call_operator to the runtime dialect ---------===//
#include "PopulatePatterns.h"

#include "TorchLite/Dialect/Runtime/IR/OperatorOps.h"
#include "TorchLite/Dialect/TorchLite/IR/OperatorOps.h"
#include "TorchLite/Dialect/TorchLite/IR/OperatorText.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace torchlite;

namespace {

/// The call, then a copy of each tensor to where it is wanted.
struct CallOperatorOpConversion : OpConversionPattern<tl::CallOperatorOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(tl::CallOperatorOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    TypeRange given = TypeRange(op.getResultTypes()).drop_back(op.getWrites().size());
    SmallVector<Type> numbers;
    for (Type type : given) {
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        numbers.append(tensor.getNumDynamicDims(), rewriter.getI64Type());
      else
        numbers.push_back(type);
    }
    auto call =
        rt::CallOperatorOp::create(rewriter, loc, rewriter.getI64Type(), numbers,
                                   rewriter.getStringAttr(tl::callText(op)), adaptor.getOperands());
    SmallVector<Value> results;
    ValueRange rest = call.getNumbers();
    auto next = [&] {
      Value number = rest.front();
      rest = rest.drop_front();
      return number;
    };
    int64_t index = 0;
    auto fetch = [&](Type type, function_ref<Value(int64_t)> sizeOf) {
      auto tensor = cast<RankedTensorType>(getTypeConverter()->convertType(type));
      SmallVector<Value> sizes;
      for (int64_t dim = 0; dim < tensor.getRank(); ++dim)
        if (tensor.isDynamicDim(dim))
          sizes.push_back(sizeOf(dim));
      Value empty = tensor::EmptyOp::create(rewriter, loc, tensor, sizes);
      results.push_back(rt::OperatorResultOp::create(rewriter, loc, TypeRange(tensor), index++,
                                                     call.getGiven(), empty)
                            ->getResult(0));
    };
    for (Type type : given) {
      if (!isa<RankedTensorType>(type))
        results.push_back(next());
      else
        fetch(type, [&](int64_t) -> Value {
          return arith::IndexCastOp::create(rewriter, loc, rewriter.getIndexType(), next());
        });
    }
    // What is written keeps its sizes.
    for (auto [operand, type] : llvm::zip_equal(
             op.getWrites(), TypeRange(op.getResultTypes()).take_back(op.getWrites().size())))
      fetch(type, [&, operand = operand](int64_t dim) -> Value {
        return tensor::DimOp::create(rewriter, loc, adaptor.getOperands()[operand], dim);
      });
    rt::OperatorReleaseOp::create(rewriter, loc, call.getGiven());
    rewriter.replaceOp(op, results);
    return success();
  }
};

} // namespace

void torchlite::populateCallOperatorPatterns(const TypeConverter &converter,
                                             RewritePatternSet &patterns) {
  patterns.add<CallOperatorOpConversion>(converter, patterns.getContext());
}
