//===- ElementwiseOps.cpp - Elementwise operations -------------------------===//
#include "ShapeInference.h"

using namespace mlir;
using namespace torchlite::tl;

//===----------------------------------------------------------------------===//
// WhereOp
//===----------------------------------------------------------------------===//

LogicalResult WhereOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                        ValueRange operands, DictionaryAttr, OpaqueProperties,
                                        RegionRange, SmallVectorImpl<Type> &types) {
  // The condition takes part in broadcasting, but has another element type.
  SmallVector<Type> valueTypes;
  if (failed(inference::inferBroadcast(loc, operands.drop_front(), {}, valueTypes)))
    return failure();
  Type elementType = cast<RankedTensorType>(valueTypes.front()).getElementType();
  return inference::inferBroadcastShapes(loc, operands, elementType, types);
}

//===----------------------------------------------------------------------===//
// CastOp
//===----------------------------------------------------------------------===//

void CastOp::build(OpBuilder &builder, OperationState &state, Value operand, Type elementType) {
  build(builder, state, cast<RankedTensorType>(operand.getType()).clone(elementType), operand);
}
