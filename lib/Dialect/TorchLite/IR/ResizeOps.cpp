//===- ResizeOps.cpp - Resampling of spatial dimensions -------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

using namespace mlir;
using namespace torchlite::tl;

void ResizeOp::build(OpBuilder &builder, OperationState &state, ResizeMode mode, Value input,
                     ArrayRef<OpFoldResult> spatialSizes, bool alignCorners,
                     ArrayRef<double> scales) {
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(builder, state.location, input, 0),
                                     tensor::getMixedSize(builder, state.location, input, 1)};
  llvm::append_range(sizes, spatialSizes);
  auto [shape, dynamicSizes] = decomposeMixedValues(sizes);
  auto type =
      RankedTensorType::get(shape, cast<RankedTensorType>(input.getType()).getElementType());
  build(builder, state, type, mode, input, dynamicSizes, alignCorners, scales);
}

LogicalResult ResizeOp::verify() {
  RankedTensorType input = getInput().getType(), result = getType();
  if (input.getRank() < 3 || input.getRank() > 5)
    return emitOpError("expected an input of rank 3 to 5, but got ") << input;
  if (result.getRank() != input.getRank() || result.getElementType() != input.getElementType())
    return emitOpError("expected a result of the input's rank and element type (")
           << input << "), but got " << result;
  for (int64_t i = 0; i < 2; ++i)
    if (!inference::mayBeEqual(input.getDimSize(i), result.getDimSize(i)))
      return emitOpError("expected ") << input.getDimSize(i) << " elements in dimension " << i
                                      << " as in the input, but got " << result.getDimSize(i);
  for (RankedTensorType type : {input, result})
    if (llvm::is_contained(type.getShape().drop_front(2), 0))
      return emitOpError("expected spatial dimensions that are not 0, but got ") << type;
  if (result.getNumDynamicDims() != static_cast<int64_t>(getSizes().size()))
    return emitOpError("expected ")
           << result.getNumDynamicDims() << " dynamic sizes, but got " << getSizes().size();
  if (!getScales().empty() && static_cast<int64_t>(getScales().size()) != getSpatialRank())
    return emitOpError("expected ")
           << getSpatialRank() << " scales or none, but got " << getScales().size();
  bool isNearest = getMode() == ResizeMode::Nearest || getMode() == ResizeMode::NearestExact;
  if (isNearest && getAlignCorners())
    return emitOpError("expected no align_corners for the nearest element");
  if (!isNearest && !isa<FloatType>(input.getElementType()))
    return emitOpError("expected float elements to interpolate, but got ") << input;
  if (getMode() == ResizeMode::Cubic && getSpatialRank() != 2)
    return emitOpError("expected two spatial dimensions for cubic, but got ") << getSpatialRank();
  return success();
}

LogicalResult ResizeOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getMixedValues(getType().getShape(), getSizes(), builder));
  return success();
}
