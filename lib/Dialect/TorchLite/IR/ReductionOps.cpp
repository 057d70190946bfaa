//===- ReductionOps.cpp - Reductions along dimensions ----------------------===//
#include "ShapeInference.h"

using namespace mlir;
using namespace torchlite::tl;

/// `type` without `dims`, or with size 1 there.
static LogicalResult inferReduced(std::optional<Location> loc, RankedTensorType type,
                                  ArrayRef<int64_t> dims, bool keepdim, Type elementType,
                                  SmallVectorImpl<Type> &types) {
  if (failed(inference::checkDims(loc, dims, type.getRank())))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    if (!llvm::is_contained(dims, static_cast<int64_t>(dim)))
      shape.push_back(size);
    else if (keepdim)
      shape.push_back(1);
  }
  types.push_back(RankedTensorType::get(shape, elementType));
  return success();
}

static LogicalResult reifyReduced(OpBuilder &builder, Value operand, ArrayRef<int64_t> dims,
                                  bool keepdim, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> &sizes = shapes.emplace_back();
  for (int64_t dim = 0; dim < cast<RankedTensorType>(operand.getType()).getRank(); ++dim) {
    if (!llvm::is_contained(dims, dim))
      sizes.push_back(inference::getSize(builder, operand.getLoc(), operand, dim));
    else if (keepdim)
      sizes.push_back(builder.getIndexAttr(1));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// ReduceOp
//===----------------------------------------------------------------------===//

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                         ValueRange operands, DictionaryAttr attributes,
                                         OpaqueProperties properties, RegionRange regions,
                                         SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto type = cast<RankedTensorType>(adaptor.getOperand().getType());
  return inferReduced(loc, type, adaptor.getDims(), adaptor.getKeepdim(), type.getElementType(),
                      types);
}

LogicalResult ReduceOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyReduced(builder, getOperand(), getDims(), getKeepdim(), shapes);
}

LogicalResult ReduceOp::verify() {
  Type type = getType().getElementType();
  bool needsNumber = getKind() == ReduceKind::Sum || getKind() == ReduceKind::Prod;
  bool needsBits = getKind() == ReduceKind::And || getKind() == ReduceKind::Or;
  if ((needsNumber && type.isInteger(1)) || (needsBits && isa<FloatType>(type)))
    return emitOpError("expected ") << (needsNumber ? "numbers" : "integers or i1") << " for "
                                    << stringifyReduceKind(getKind()) << ", but got " << type;
  return success();
}

//===----------------------------------------------------------------------===//
// ArgReduceOp
//===----------------------------------------------------------------------===//

LogicalResult ArgReduceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                            ValueRange operands, DictionaryAttr attributes,
                                            OpaqueProperties properties, RegionRange regions,
                                            SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto type = cast<RankedTensorType>(adaptor.getOperand().getType());
  return inferReduced(loc, type, {static_cast<int64_t>(adaptor.getDim())}, adaptor.getKeepdim(),
                      IntegerType::get(context, 64), types);
}

LogicalResult ArgReduceOp::reifyResultShapes(OpBuilder &builder,
                                             ReifiedRankedShapedTypeDims &shapes) {
  return reifyReduced(builder, getOperand(), {static_cast<int64_t>(getDim())}, getKeepdim(),
                      shapes);
}

LogicalResult ArgReduceOp::verify() {
  if (getKind() != ReduceKind::Max && getKind() != ReduceKind::Min)
    return emitOpError("expected kind max or min, but got ") << stringifyReduceKind(getKind());
  // Verifiers run before types are inferred.
  if (failed(inference::checkDim(getLoc(), getDim(), getOperand().getType().getRank())))
    return failure();
  if (getOperand().getType().getDimSize(getDim()) == 0)
    return emitOpError("expected a dimension with elements, but got size 0");
  return success();
}

//===----------------------------------------------------------------------===//
// CumulativeOp
//===----------------------------------------------------------------------===//

LogicalResult CumulativeOp::verify() {
  if (failed(inference::checkDim(getLoc(), getDim(), getType().getRank())))
    return failure();
  if (getKind() == ReduceKind::And || getKind() == ReduceKind::Or)
    return emitOpError("expected kind sum, prod, max or min, but got ")
           << stringifyReduceKind(getKind());
  if (getType().getElementType().isInteger(1))
    return emitOpError("expected numbers, but got i1");
  return success();
}
