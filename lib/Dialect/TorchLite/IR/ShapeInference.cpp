//===- ShapeInference.cpp - Shape inference shared by core operations -------===//
#include "ShapeInference.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;

bool inference::areCompatibleResults(TypeRange inferred, TypeRange actual) {
  return inferred.size() == actual.size() &&
         llvm::all_of(llvm::zip_equal(inferred, actual), [](auto pair) {
           auto lhs = dyn_cast<RankedTensorType>(std::get<0>(pair));
           auto rhs = dyn_cast<RankedTensorType>(std::get<1>(pair));
           return lhs && rhs && lhs.getElementType() == rhs.getElementType() &&
                  succeeded(verifyCompatibleShape(lhs, rhs));
         });
}

/// Broadcasts `shape` into `result`. Fails where two static sizes differ and neither is 1.
static LogicalResult broadcastInto(SmallVectorImpl<int64_t> &result, ArrayRef<int64_t> shape) {
  if (shape.size() > result.size())
    result.insert(result.begin(), shape.size() - result.size(), 1);
  MutableArrayRef<int64_t> last = MutableArrayRef(result).take_back(shape.size());
  for (auto [size, other] : llvm::zip_equal(last, shape)) {
    if (size == other || other == 1)
      continue;
    if (size == 1 || ShapedType::isDynamic(size))
      size = other;
    else if (!ShapedType::isDynamic(other))
      return failure();
  }
  return success();
}

LogicalResult inference::inferBroadcastShapes(std::optional<Location> loc, ValueRange operands,
                                              Type elementType, SmallVectorImpl<Type> &types) {
  SmallVector<int64_t> shape;
  for (Value operand : operands)
    if (failed(broadcastInto(shape, cast<RankedTensorType>(operand.getType()).getShape())))
      return emitOptionalError(loc, "expected operands that broadcast, but got ",
                               operands.getTypes());
  types.push_back(RankedTensorType::get(shape, elementType));
  return success();
}

LogicalResult inference::inferBroadcast(std::optional<Location> loc, ValueRange operands,
                                        Type elementType, SmallVectorImpl<Type> &types) {
  Type operandType = getElementTypeOrSelf(operands.front());
  for (Type type : operands.getTypes())
    if (getElementTypeOrSelf(type) != operandType)
      return emitOptionalError(loc, "expected operands of the same element type, but got ",
                               operandType, " and ", getElementTypeOrSelf(type));
  return inferBroadcastShapes(loc, operands, elementType ? elementType : operandType, types);
}

OpFoldResult inference::getSize(OpBuilder &builder, Location loc, Value value, int64_t dim) {
  return tensor::getMixedSize(builder, loc, value, dim);
}

LogicalResult inference::reifyBroadcast(Operation *op, OpBuilder &builder,
                                        ReifiedRankedShapedTypeDims &shapes) {
  auto resultType = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<OpFoldResult> sizes(resultType.getRank());
  for (int64_t dim = 0; dim < resultType.getRank(); ++dim) {
    if (!resultType.isDynamicDim(dim)) {
      sizes[dim] = builder.getIndexAttr(resultType.getDimSize(dim));
      continue;
    }
    // A static size 1 says nothing; of the others, a static one is the best to know.
    for (Value operand : op->getOperands()) {
      auto type = cast<RankedTensorType>(operand.getType());
      int64_t operandDim = dim - (resultType.getRank() - type.getRank());
      if (operandDim < 0 || type.getDimSize(operandDim) == 1)
        continue;
      if (!sizes[dim] || !type.isDynamicDim(operandDim))
        sizes[dim] = getSize(builder, op->getLoc(), operand, operandDim);
    }
    if (!sizes[dim])
      sizes[dim] = builder.getIndexAttr(1);
  }
  shapes.push_back(std::move(sizes));
  return success();
}

LogicalResult inference::checkDim(std::optional<Location> loc, int64_t dim, int64_t rank) {
  if (dim < 0 || dim >= rank)
    return emitOptionalError(loc, "expected a dimension from 0 to ", rank - 1, ", but got ", dim);
  return success();
}

LogicalResult inference::checkDims(std::optional<Location> loc, ArrayRef<int64_t> dims,
                                   int64_t rank) {
  llvm::SmallBitVector seen(rank);
  for (int64_t dim : dims) {
    if (failed(checkDim(loc, dim, rank)))
      return failure();
    if (seen.test(dim))
      return emitOptionalError(loc, "expected distinct dimensions, but got ", dim, " twice");
    seen.set(dim);
  }
  return success();
}

RankedTensorType inference::getSizedType(ArrayRef<OpFoldResult> sizes, Type elementType,
                                         SmallVectorImpl<Value> &dynamicSizes) {
  SmallVector<int64_t> shape;
  dispatchIndexOpFoldResults(sizes, dynamicSizes, shape);
  return RankedTensorType::get(shape, elementType);
}
