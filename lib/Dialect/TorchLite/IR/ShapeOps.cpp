//===- ShapeOps.cpp - Operations that move elements ------------------------===//
#include "ShapeInference.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;

/// The dynamic sizes of `op` must be as many as its result's dynamic dimensions.
template <typename OpTy> static LogicalResult verifySizes(OpTy op) {
  int64_t expected = op.getType().getNumDynamicDims();
  if (static_cast<int64_t>(op.getSizes().size()) != expected)
    return op.emitOpError("expected ") << expected << " sizes for the dynamic dimensions of "
                                       << op.getType() << ", but got " << op.getSizes().size();
  return success();
}

template <typename OpTy> static LogicalResult verifySameElementType(OpTy op) {
  Type expected = op.getOperand().getType().getElementType();
  if (op.getType().getElementType() != expected)
    return op.emitOpError("expected the operand's element type ")
           << expected << ", but got " << op.getType().getElementType();
  return success();
}

//===----------------------------------------------------------------------===//
// ReshapeOp
//===----------------------------------------------------------------------===//

void ReshapeOp::build(OpBuilder &builder, OperationState &state, Value operand,
                      ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> dynamicSizes;
  Type type = inference::getSizedType(sizes, getElementTypeOrSelf(operand), dynamicSizes);
  build(builder, state, type, operand, dynamicSizes);
}

LogicalResult ReshapeOp::verify() {
  if (failed(verifySizes(*this)) || failed(verifySameElementType(*this)))
    return failure();
  RankedTensorType from = getOperand().getType(), to = getType();
  if (from.hasStaticShape() && to.hasStaticShape() && from.getNumElements() != to.getNumElements())
    return emitOpError("expected a result of ")
           << from.getNumElements() << " elements, but got " << to.getNumElements();
  return success();
}

//===----------------------------------------------------------------------===//
// BroadcastToOp
//===----------------------------------------------------------------------===//

void BroadcastToOp::build(OpBuilder &builder, OperationState &state, Value operand,
                          ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> dynamicSizes;
  Type type = inference::getSizedType(sizes, getElementTypeOrSelf(operand), dynamicSizes);
  build(builder, state, type, operand, dynamicSizes);
}

LogicalResult BroadcastToOp::verify() {
  if (failed(verifySizes(*this)) || failed(verifySameElementType(*this)))
    return failure();
  ArrayRef<int64_t> from = getOperand().getType().getShape(), to = getType().getShape();
  if (from.size() > to.size())
    return emitOpError("expected a result of rank ")
           << from.size() << " or more, but got " << to.size();
  for (auto [size, result] : llvm::zip_equal(from, to.take_back(from.size())))
    if (size != 1 && failed(verifyCompatibleShape({size}, {result})))
      return emitOpError("expected a size of 1 or ") << result << ", but got " << size;
  return success();
}

//===----------------------------------------------------------------------===//
// IotaOp
//===----------------------------------------------------------------------===//

void IotaOp::build(OpBuilder &builder, OperationState &state, Type elementType,
                   ArrayRef<OpFoldResult> sizes, int64_t dim) {
  SmallVector<Value> dynamicSizes;
  Type type = inference::getSizedType(sizes, elementType, dynamicSizes);
  build(builder, state, type, dynamicSizes, dim);
}

LogicalResult IotaOp::verify() {
  if (failed(verifySizes(*this)))
    return failure();
  return inference::checkDim(getLoc(), getDim(), getType().getRank());
}

//===----------------------------------------------------------------------===//
// PermuteOp
//===----------------------------------------------------------------------===//

LogicalResult PermuteOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                          ValueRange operands, DictionaryAttr attributes,
                                          OpaqueProperties properties, RegionRange regions,
                                          SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto type = cast<RankedTensorType>(adaptor.getOperand().getType());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  if (static_cast<int64_t>(permutation.size()) != type.getRank())
    return emitOptionalError(loc, "expected a permutation of ", type.getRank(),
                             " dimensions, but got ", permutation.size());
  if (failed(inference::checkDims(loc, permutation, type.getRank())))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(type.getDimSize(dim));
  types.push_back(type.clone(shape));
  return success();
}

LogicalResult PermuteOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> &sizes = shapes.emplace_back();
  for (int64_t dim : getPermutation())
    sizes.push_back(inference::getSize(builder, getLoc(), getOperand(), dim));
  return success();
}

//===----------------------------------------------------------------------===//
// ConcatOp
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                         ValueRange operands, DictionaryAttr attributes,
                                         OpaqueProperties properties, RegionRange regions,
                                         SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  if (operands.empty())
    return emitOptionalError(loc, "expected at least one operand");
  auto first = cast<RankedTensorType>(operands.front().getType());
  int64_t concatDim = adaptor.getDim();
  if (failed(inference::checkDim(loc, concatDim, first.getRank())))
    return failure();
  SmallVector<int64_t> shape(first.getShape());
  for (Value operand : operands.drop_front()) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (type.getRank() != first.getRank() || type.getElementType() != first.getElementType())
      return emitOptionalError(loc, "expected operands of the same rank and element type, but got ",
                               first, " and ", type);
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      int64_t size = type.getDimSize(dim);
      if (dim == concatDim) {
        bool known = !ShapedType::isDynamic(size) && !ShapedType::isDynamic(shape[dim]);
        shape[dim] = known ? shape[dim] + size : ShapedType::kDynamic;
      } else if (ShapedType::isDynamic(shape[dim])) {
        shape[dim] = size;
      } else if (!ShapedType::isDynamic(size) && size != shape[dim]) {
        return emitOptionalError(loc, "expected size ", shape[dim], " in dimension ", dim,
                                 ", but got ", size);
      }
    }
  }
  types.push_back(first.clone(shape));
  return success();
}

LogicalResult ConcatOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> &sizes = shapes.emplace_back();
  for (int64_t dim = 0; dim < getType().getRank(); ++dim) {
    if (!getType().isDynamicDim(dim)) {
      sizes.push_back(builder.getIndexAttr(getType().getDimSize(dim)));
      continue;
    }
    OpFoldResult size = inference::getSize(builder, getLoc(), getOperands().front(), dim);
    if (static_cast<uint64_t>(dim) == getDim()) {
      AffineExpr lhs, rhs;
      bindSymbols(builder.getContext(), lhs, rhs);
      for (Value operand : getOperands().drop_front())
        size = affine::makeComposedFoldedAffineApply(
            builder, getLoc(), lhs + rhs,
            {size, inference::getSize(builder, getLoc(), operand, dim)});
    }
    sizes.push_back(size);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// PadOp
//===----------------------------------------------------------------------===//

void PadOp::build(OpBuilder &builder, OperationState &state, Value operand,
                  ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high, PadMode mode,
                  Value value) {
  SmallVector<Value> dynamicLow, dynamicHigh;
  SmallVector<int64_t> staticLow, staticHigh;
  dispatchIndexOpFoldResults(low, dynamicLow, staticLow);
  dispatchIndexOpFoldResults(high, dynamicHigh, staticHigh);
  build(builder, state, operand, value, dynamicLow, dynamicHigh, staticLow, staticHigh, mode);
}

SmallVector<OpFoldResult> PadOp::getMixedLow() {
  Builder builder(getContext());
  return getMixedValues(getStaticLow(), getLow(), builder);
}

SmallVector<OpFoldResult> PadOp::getMixedHigh() {
  Builder builder(getContext());
  return getMixedValues(getStaticHigh(), getHigh(), builder);
}

static LogicalResult checkAmounts(std::optional<Location> loc, size_t rank, ArrayRef<int64_t> low,
                                  ArrayRef<int64_t> high) {
  if (low.size() != rank || high.size() != rank)
    return emitOptionalError(loc, "expected ", rank, " amounts at each end, but got ", low.size(),
                             " and ", high.size());
  return success();
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                      ValueRange operands, DictionaryAttr attributes,
                                      OpaqueProperties properties, RegionRange regions,
                                      SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto type = cast<RankedTensorType>(adaptor.getOperand().getType());
  ArrayRef<int64_t> low = adaptor.getStaticLow(), high = adaptor.getStaticHigh();
  if (failed(checkAmounts(loc, type.getRank(), low, high)))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [size, before, after] : llvm::zip_equal(type.getShape(), low, high)) {
    bool known = !ShapedType::isDynamic(size) && !ShapedType::isDynamic(before) &&
                 !ShapedType::isDynamic(after);
    shape.push_back(known ? size + before + after : ShapedType::kDynamic);
    if (known && shape.back() < 0)
      return emitOptionalError(loc, "expected to crop no more than the size ", size,
                               ", but got amounts ", before, " and ", after);
  }
  types.push_back(type.clone(shape));
  return success();
}

LogicalResult PadOp::verify() {
  Type elementType = getOperand().getType().getElementType();
  // Verifiers run before types are inferred.
  if (failed(checkAmounts(getLoc(), getOperand().getType().getRank(), getStaticLow(),
                          getStaticHigh())))
    return failure();
  if (getMode() == PadMode::Constant) {
    Type expected = elementType.isInteger()
                        ? IntegerType::get(getContext(), elementType.getIntOrFloatBitWidth())
                        : elementType;
    if (!getValue())
      return emitOpError("expected a value to pad with");
    if (getValue().getType() != expected)
      return emitOpError("expected a value of type ")
             << expected << ", but got " << getValue().getType();
    return success();
  }
  if (getValue())
    return emitOpError("expected no value in mode ") << stringifyPadMode(getMode());
  for (auto [size, low, high] :
       llvm::zip_equal(getOperand().getType().getShape(), getStaticLow(), getStaticHigh())) {
    for (int64_t amount : {low, high}) {
      if (ShapedType::isDynamic(amount) || amount == 0)
        continue;
      if (amount < 0 && getMode() == PadMode::Circular)
        return emitOpError("expected amounts that are not negative in mode ")
               << stringifyPadMode(getMode()) << ", but got " << amount;
      if (ShapedType::isDynamic(size) || amount < 0)
        continue;
      if ((getMode() == PadMode::Reflect && amount >= size) ||
          (getMode() == PadMode::Circular && amount > size) || size == 0)
        return emitOpError("expected an amount that mode ")
               << stringifyPadMode(getMode()) << " can take from size " << size << ", but got "
               << amount;
    }
  }
  return success();
}

LogicalResult PadOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  AffineExpr size, low, high;
  bindSymbols(getContext(), size, low, high);
  SmallVector<OpFoldResult> &sizes = shapes.emplace_back();
  SmallVector<OpFoldResult> lows = getMixedLow(), highs = getMixedHigh();
  for (int64_t dim = 0; dim < getType().getRank(); ++dim)
    sizes.push_back(affine::makeComposedFoldedAffineApply(
        builder, getLoc(), size + low + high,
        {inference::getSize(builder, getLoc(), getOperand(), dim), lows[dim], highs[dim]}));
  return success();
}

//===----------------------------------------------------------------------===//
// FlipOp
//===----------------------------------------------------------------------===//

LogicalResult FlipOp::verify() {
  return inference::checkDims(getLoc(), getDims(), getType().getRank());
}
