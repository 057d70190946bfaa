//===- PoolingOps.cpp - Pooling over spatial dimensions -------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

using namespace mlir;
using namespace torchlite::tl;

/// Infers the shape of a pooling over `input` and checks what all poolings have in common. An empty
/// `dilation` means ones.
static FailureOr<SmallVector<int64_t>> inferPool(std::optional<Location> location,
                                                 RankedTensorType input, ArrayRef<int64_t> kernel,
                                                 ArrayRef<int64_t> stride,
                                                 ArrayRef<int64_t> padding,
                                                 ArrayRef<int64_t> dilation, bool ceilMode) {
  if (input.getRank() < 3 || input.getRank() > 5)
    return emitOptionalError(location, "expected an input of rank 3 to 5, but got ", input);
  size_t spatialRank = input.getRank() - 2;
  SmallVector<int64_t> ones(spatialRank, 1);
  if (dilation.empty())
    dilation = ones;
  std::pair<StringRef, ArrayRef<int64_t>> lists[] = {
      {"kernel", kernel}, {"stride", stride}, {"padding", padding}, {"dilation", dilation}};
  for (auto [name, list] : lists) {
    if (list.size() != spatialRank)
      return emitOptionalError(location, "expected ", spatialRank, " numbers for ", name,
                               ", but got ", list.size());
    int64_t smallest = name == "padding" ? 0 : 1;
    for (int64_t value : list)
      if (value < smallest)
        return emitOptionalError(location, "expected ", name, " of at least ", smallest,
                                 ", but got ", value);
  }
  SmallVector<int64_t> shape(input.getShape().take_front(2));
  for (size_t i = 0; i < spatialRank; ++i) {
    int64_t extent = dilation[i] * (kernel[i] - 1) + 1;
    if (padding[i] > extent / 2)
      return emitOptionalError(location, "expected padding of at most half the kernel (",
                               extent / 2, "), but got ", padding[i]);
    shape.push_back(getWindowedSize(input.getDimSize(i + 2), kernel[i], stride[i], padding[i],
                                    dilation[i], ceilMode));
    if (shape.back() == 0)
      return emitOptionalError(location, "expected a kernel that fits into the padded input of ",
                               input.getDimSize(i + 2) + 2 * padding[i], ", but got ", extent);
  }
  return shape;
}

/// The sizes of a pooling's result.
static SmallVector<OpFoldResult> reifyPool(OpBuilder &builder, Location loc, Value input,
                                           ArrayRef<int64_t> kernel, ArrayRef<int64_t> stride,
                                           ArrayRef<int64_t> padding, ArrayRef<int64_t> dilation,
                                           bool ceilMode) {
  ShapeMath math(builder, loc);
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(builder, loc, input, 0),
                                     tensor::getMixedSize(builder, loc, input, 1)};
  for (size_t i = 0; i < kernel.size(); ++i)
    sizes.push_back(getWindowedSize(math, tensor::getMixedSize(builder, loc, input, i + 2),
                                    math.constant(kernel[i]), stride[i], padding[i],
                                    dilation.empty() ? 1 : dilation[i], ceilMode));
  return sizes;
}

LogicalResult MaxPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                          Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  auto shape = inferPool(location, input, adaptor.getKernel(), adaptor.getStride(),
                         adaptor.getPadding(), adaptor.getDilation(), adaptor.getCeilMode());
  if (failed(shape))
    return failure();
  types.push_back(RankedTensorType::get(*shape, input.getElementType()));
  return success();
}

LogicalResult MaxPoolOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  auto sizes = reifyPool(builder, getLoc(), getInput(), getKernel(), getStride(), getPadding(),
                         getDilation(), getCeilMode());
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getType()));
  return success();
}

LogicalResult MaxPoolWithIndicesOp::inferReturnTypes(MLIRContext *context,
                                                     std::optional<Location> location,
                                                     Adaptor adaptor,
                                                     SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  auto shape = inferPool(location, input, adaptor.getKernel(), adaptor.getStride(),
                         adaptor.getPadding(), adaptor.getDilation(), adaptor.getCeilMode());
  if (failed(shape))
    return failure();
  types.push_back(RankedTensorType::get(*shape, input.getElementType()));
  types.push_back(RankedTensorType::get(*shape, IntegerType::get(context, 64)));
  return success();
}

LogicalResult MaxPoolWithIndicesOp::reifyResultShapes(OpBuilder &builder,
                                                      ReifiedRankedShapedTypeDims &shapes) {
  auto sizes = reifyPool(builder, getLoc(), getInput(), getKernel(), getStride(), getPadding(),
                         getDilation(), getCeilMode());
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getResult().getType()));
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getIndices().getType()));
  return success();
}

LogicalResult AvgPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                          Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  auto shape = inferPool(location, input, adaptor.getKernel(), adaptor.getStride(),
                         adaptor.getPadding(), /*dilation=*/{}, adaptor.getCeilMode());
  if (failed(shape))
    return failure();
  if (adaptor.getDivisorOverride() == 0)
    return emitOptionalError(location, "expected a divisor_override that is not 0");
  types.push_back(RankedTensorType::get(*shape, input.getElementType()));
  return success();
}

LogicalResult AvgPoolOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  auto sizes = reifyPool(builder, getLoc(), getInput(), getKernel(), getStride(), getPadding(),
                         /*dilation=*/{}, getCeilMode());
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getType()));
  return success();
}

LogicalResult AdaptiveAvgPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                                  Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  if (input.getRank() < 3 || input.getRank() > 5)
    return emitOptionalError(location, "expected an input of rank 3 to 5, but got ", input);
  ArrayRef<int64_t> outputSize = adaptor.getOutputSize();
  if (static_cast<int64_t>(outputSize.size()) != input.getRank() - 2)
    return emitOptionalError(location, "expected ", input.getRank() - 2,
                             " numbers for output_size, but got ", outputSize.size());
  for (int64_t size : outputSize)
    if (size < 0)
      return emitOptionalError(location, "expected output_size of at least 0, but got ", size);
  for (int64_t size : input.getShape().drop_front(2))
    if (size == 0)
      return emitOptionalError(location, "expected spatial dimensions that are not 0, but got ",
                               input);
  SmallVector<int64_t> shape(input.getShape().take_front(2));
  llvm::append_range(shape, outputSize);
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult AdaptiveAvgPoolOp::reifyResultShapes(OpBuilder &builder,
                                                   ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(builder, getLoc(), getInput(), 0),
                                     tensor::getMixedSize(builder, getLoc(), getInput(), 1)};
  for (int64_t size : getOutputSize())
    sizes.push_back(builder.getIndexAttr(size));
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getType()));
  return success();
}
