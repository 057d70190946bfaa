//===- IndexingOps.cpp - Reading and writing by index, sorting ------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

using namespace mlir;
using namespace torchlite::tl;

static LogicalResult checkDim(std::optional<Location> location, RankedTensorType input,
                              int64_t dim) {
  if (dim < 0 || dim >= input.getRank())
    return emitOptionalError(location, "expected a dimension of ", input, ", but got ", dim);
  return success();
}

/// The shape of `input` with `dim` replaced by the shape of `indices`.
static SmallVector<int64_t> getTakenShape(RankedTensorType input, RankedTensorType indices,
                                          int64_t dim) {
  SmallVector<int64_t> shape(input.getShape().take_front(dim));
  llvm::append_range(shape, indices.getShape());
  llvm::append_range(shape, input.getShape().drop_front(dim + 1));
  return shape;
}

LogicalResult TakeOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                       Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  auto indices = cast<RankedTensorType>(adaptor.getIndices().getType());
  int64_t dim = adaptor.getDim();
  if (failed(checkDim(location, input, dim)))
    return failure();
  types.push_back(
      RankedTensorType::get(getTakenShape(input, indices, dim), input.getElementType()));
  return success();
}

LogicalResult TakeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  auto sizes = tensor::getMixedSizes(builder, getLoc(), getInput());
  auto indices = tensor::getMixedSizes(builder, getLoc(), getIndices());
  sizes.erase(sizes.begin() + getDim());
  sizes.insert(sizes.begin() + getDim(), indices.begin(), indices.end());
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getType()));
  return success();
}

/// Checks that `indices` has the rank of `other` and is not larger, but for `dim`; a `dim` of -1
/// exempts nothing. No index at all always fits.
static LogicalResult checkNotLarger(std::optional<Location> location, RankedTensorType indices,
                                    StringRef name, RankedTensorType other, int64_t dim) {
  if (indices.getRank() != other.getRank())
    return emitOptionalError(location, "expected indices of the ", name, "'s rank ",
                             other.getRank(), ", but got ", indices);
  if (llvm::is_contained(indices.getShape(), 0))
    return success();
  for (int64_t i = 0; i < other.getRank(); ++i)
    if (i != dim && !indices.isDynamicDim(i) && !other.isDynamicDim(i) &&
        indices.getDimSize(i) > other.getDimSize(i))
      return emitOptionalError(location, "expected at most ", other.getDimSize(i),
                               " indices in dimension ", i, ", as in the ", name, ", but got ",
                               indices.getDimSize(i));
  return success();
}

LogicalResult GatherOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                         Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  auto indices = cast<RankedTensorType>(adaptor.getIndices().getType());
  if (failed(checkDim(location, input, adaptor.getDim())) ||
      failed(checkNotLarger(location, indices, "input", input, adaptor.getDim())))
    return failure();
  types.push_back(RankedTensorType::get(indices.getShape(), input.getElementType()));
  return success();
}

LogicalResult GatherOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(inference::matchSizes(
      builder, getLoc(), tensor::getMixedSizes(builder, getLoc(), getIndices()), getType()));
  return success();
}

LogicalResult PutOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                      Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  auto indices = cast<RankedTensorType>(adaptor.getIndices().getType());
  auto source = cast<RankedTensorType>(adaptor.getSource().getType());
  int64_t dim = adaptor.getDim();
  if (failed(checkDim(location, input, dim)))
    return failure();
  auto expected = RankedTensorType::get(getTakenShape(input, indices, dim), input.getElementType());
  if (source.getElementType() != input.getElementType() ||
      failed(verifyCompatibleShape(source, expected)))
    return emitOptionalError(location, "expected a source of type ", expected, ", but got ",
                             source);
  types.push_back(RankedTensorType::get(input.getShape(), input.getElementType()));
  return success();
}

LogicalResult PutOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(inference::matchSizes(
      builder, getLoc(), tensor::getMixedSizes(builder, getLoc(), getInput()), getType()));
  return success();
}

LogicalResult ScatterOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                          Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  auto indices = cast<RankedTensorType>(adaptor.getIndices().getType());
  auto source = cast<RankedTensorType>(adaptor.getSource().getType());
  int64_t dim = adaptor.getDim();
  if (failed(checkDim(location, input, dim)) ||
      failed(checkNotLarger(location, indices, "input", input, dim)) ||
      failed(checkNotLarger(location, indices, "source", source, /*dim=*/-1)))
    return failure();
  Type element = input.getElementType();
  if (source.getElementType() != element)
    return emitOptionalError(location, "expected a source of ", element, ", but got ", source);
  ScatterReduction reduction = adaptor.getReduction();
  bool isExtremum = reduction == ScatterReduction::Amax || reduction == ScatterReduction::Amin;
  if (isExtremum && isa<ComplexType>(element))
    return emitOptionalError(location, "expected an ordered element type for ",
                             stringifyScatterReduction(reduction), ", but got ", element);
  types.push_back(RankedTensorType::get(input.getShape(), element));
  return success();
}

LogicalResult ScatterOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(inference::matchSizes(
      builder, getLoc(), tensor::getMixedSizes(builder, getLoc(), getInput()), getType()));
  return success();
}

LogicalResult SortOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                       Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  if (failed(checkDim(location, input, adaptor.getDim())))
    return failure();
  types.push_back(RankedTensorType::get(input.getShape(), input.getElementType()));
  types.push_back(RankedTensorType::get(input.getShape(), IntegerType::get(context, 64)));
  return success();
}

LogicalResult SortOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  auto sizes = tensor::getMixedSizes(builder, getLoc(), getInput());
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getValues().getType()));
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getIndices().getType()));
  return success();
}

LogicalResult NonzeroOp::inferReturnTypes(MLIRContext *context, std::optional<Location>,
                                          Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  types.push_back(RankedTensorType::get({ShapedType::kDynamic, input.getRank()},
                                        IntegerType::get(context, 64)));
  return success();
}

LogicalResult NonzeroOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  // How many there are is known from the result alone.
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getResult()));
  return success();
}
