//===- NormalizationOps.cpp - Softmax, normalisation, attention -----------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

using namespace mlir;
using namespace torchlite::tl;

/// Reifies a result that has the shape of `input`.
static LogicalResult reifyLike(Operation *op, Value input, OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(inference::matchSizes(builder, op->getLoc(),
                                         tensor::getMixedSizes(builder, op->getLoc(), input),
                                         op->getResult(0).getType()));
  return success();
}

static LogicalResult inferSoftmax(std::optional<Location> location, Value operand, int64_t dim,
                                  SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(operand.getType());
  if (dim < 0 || dim >= input.getRank())
    return emitOptionalError(location, "expected a dimension of ", input, ", but got ", dim);
  types.push_back(RankedTensorType::get(input.getShape(), input.getElementType()));
  return success();
}

LogicalResult SoftmaxOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                          Adaptor adaptor, SmallVectorImpl<Type> &types) {
  return inferSoftmax(location, adaptor.getInput(), adaptor.getDim(), types);
}

LogicalResult SoftmaxOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, getInput(), builder, shapes);
}

LogicalResult LogSoftmaxOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                             Adaptor adaptor, SmallVectorImpl<Type> &types) {
  return inferSoftmax(location, adaptor.getInput(), adaptor.getDim(), types);
}

LogicalResult LogSoftmaxOp::reifyResultShapes(OpBuilder &builder,
                                              ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, getInput(), builder, shapes);
}

/// Checks that `operand`, where there is one, is a tensor of `element` with a shape that may be
/// `shape`.
static LogicalResult checkParameter(std::optional<Location> location, StringRef name, Value operand,
                                    ArrayRef<int64_t> shape, Type element) {
  if (!operand)
    return success();
  auto type = cast<RankedTensorType>(operand.getType());
  auto expected = RankedTensorType::get(shape, element);
  if (type.getElementType() != element || failed(verifyCompatibleShape(type, expected)))
    return emitOptionalError(location, "expected ", name, " of type ", expected, ", but got ",
                             type);
  return success();
}

LogicalResult LayerNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                            Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  int64_t count = adaptor.getNumDims();
  if (count < 1 || count > input.getRank())
    return emitOptionalError(location, "expected 1 to ", input.getRank(),
                             " normalised dimensions, but got ", count);
  ArrayRef<int64_t> shape = input.getShape().take_back(count);
  if (failed(
          checkParameter(location, "weight", adaptor.getWeight(), shape, input.getElementType())) ||
      failed(checkParameter(location, "bias", adaptor.getBias(), shape, input.getElementType())))
    return failure();
  types.push_back(RankedTensorType::get(input.getShape(), input.getElementType()));
  return success();
}

LogicalResult LayerNormOp::reifyResultShapes(OpBuilder &builder,
                                             ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, getInput(), builder, shapes);
}

LogicalResult BatchNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                            Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  if (input.getRank() < 2)
    return emitOptionalError(location, "expected an input of rank 2 or more, but got ", input);
  std::pair<StringRef, Value> parameters[] = {{"mean", adaptor.getMean()},
                                              {"variance", adaptor.getVariance()},
                                              {"weight", adaptor.getWeight()},
                                              {"bias", adaptor.getBias()}};
  for (auto [name, operand] : parameters)
    if (failed(
            checkParameter(location, name, operand, input.getDimSize(1), input.getElementType())))
      return failure();
  types.push_back(RankedTensorType::get(input.getShape(), input.getElementType()));
  return success();
}

LogicalResult BatchNormOp::reifyResultShapes(OpBuilder &builder,
                                             ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, getInput(), builder, shapes);
}

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                            Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto query = cast<RankedTensorType>(adaptor.getQuery().getType());
  auto key = cast<RankedTensorType>(adaptor.getKey().getType());
  auto value = cast<RankedTensorType>(adaptor.getValue().getType());
  int64_t rank = query.getRank();
  Type element = query.getElementType();
  if (rank < 3 || rank > 4)
    return emitOptionalError(location, "expected a query of rank 3 or 4, but got ", query);
  for (auto [name, type] :
       {std::make_pair(StringRef("key"), key), std::make_pair(StringRef("value"), value)})
    if (type.getRank() != rank || type.getElementType() != element)
      return emitOptionalError(location, "expected a ", name,
                               " of the query's rank and element type (", query, "), but got ",
                               type);
  SmallVector<int64_t> shape;
  for (int64_t i = 0; i < rank - 2; ++i) {
    if (!inference::mayBeEqual(query.getDimSize(i), key.getDimSize(i)) ||
        !inference::mayBeEqual(query.getDimSize(i), value.getDimSize(i)))
      return emitOptionalError(location, "expected equal batch dimensions, but got ", query, ", ",
                               key, " and ", value);
    shape.push_back(query.getDimSize(i));
  }
  if (!inference::mayBeEqual(query.getDimSize(rank - 1), key.getDimSize(rank - 1)))
    return emitOptionalError(location,
                             "expected query and key with equal last dimensions, but got ", query,
                             " and ", key);
  if (!inference::mayBeEqual(key.getDimSize(rank - 2), value.getDimSize(rank - 2)))
    return emitOptionalError(location, "expected as many keys as values, but got ",
                             key.getDimSize(rank - 2), " and ", value.getDimSize(rank - 2));
  if (adaptor.getMask()) {
    auto mask = cast<RankedTensorType>(adaptor.getMask().getType());
    if (adaptor.getIsCausal())
      return emitOptionalError(location, "expected no mask together with is_causal");
    if (mask.getElementType() != element && !mask.getElementType().isInteger(1))
      return emitOptionalError(location, "expected a mask of i1 or ", element, ", but got ", mask);
    if (mask.getRank() > rank)
      return emitOptionalError(location, "expected a mask of rank ", rank, " or less, but got ",
                               mask);
    SmallVector<int64_t> scores(shape);
    scores.push_back(query.getDimSize(rank - 2));
    scores.push_back(key.getDimSize(rank - 2));
    for (int64_t i = 0; i < mask.getRank(); ++i) {
      int64_t size = mask.getDimSize(i), wanted = scores[rank - mask.getRank() + i];
      if (size != 1 && !inference::mayBeEqual(size, wanted))
        return emitOptionalError(location, "expected a mask that broadcasts to ",
                                 RankedTensorType::get(scores, mask.getElementType()), ", but got ",
                                 mask);
    }
  }
  shape.push_back(query.getDimSize(rank - 2));
  shape.push_back(value.getDimSize(rank - 1));
  types.push_back(RankedTensorType::get(shape, element));
  return success();
}

LogicalResult AttentionOp::reifyResultShapes(OpBuilder &builder,
                                             ReifiedRankedShapedTypeDims &shapes) {
  auto sizes = tensor::getMixedSizes(builder, getLoc(), getQuery());
  sizes.back() = tensor::getMixedSize(builder, getLoc(), getValue(), sizes.size() - 1);
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getType()));
  return success();
}
