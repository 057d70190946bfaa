//===- ContractionOps.cpp - Matrix multiplication, convolution ------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

using namespace mlir;
using namespace torchlite::tl;

//===----------------------------------------------------------------------===//
// MatmulOp
//===----------------------------------------------------------------------===//

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                         Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto lhs = cast<RankedTensorType>(adaptor.getLhs().getType());
  auto rhs = cast<RankedTensorType>(adaptor.getRhs().getType());
  if (lhs.getElementType() != rhs.getElementType())
    return emitOptionalError(location, "expected operands of one element type, but got ",
                             lhs.getElementType(), " and ", rhs.getElementType());
  int64_t rank = lhs.getRank();
  if (rank != rhs.getRank() || rank < 2 || rank > 3)
    return emitOptionalError(location, "expected two operands of rank 2 or two of rank 3, but got ",
                             lhs, " and ", rhs);
  if (rank == 3 && !inference::mayBeEqual(lhs.getDimSize(0), rhs.getDimSize(0)))
    return emitOptionalError(location, "expected equal batches, but got ", lhs.getDimSize(0),
                             " and ", rhs.getDimSize(0));
  int64_t rows = rank - 2, columns = rank - 1;
  bool transposeA = adaptor.getTransposeA(), transposeB = adaptor.getTransposeB();
  int64_t left = lhs.getDimSize(transposeA ? rows : columns);
  int64_t right = rhs.getDimSize(transposeB ? columns : rows);
  if (!inference::mayBeEqual(left, right))
    return emitOptionalError(location, "expected equal contracted dimensions, but got ", left,
                             " and ", right);
  SmallVector<int64_t> shape;
  if (rank == 3)
    shape.push_back(lhs.isDynamicDim(0) ? rhs.getDimSize(0) : lhs.getDimSize(0));
  shape.push_back(lhs.getDimSize(transposeA ? columns : rows));
  shape.push_back(rhs.getDimSize(transposeB ? rows : columns));
  Type element = lhs.getElementType();
  if (adaptor.getToF32()) {
    if (!element.isF16() && !element.isBF16())
      return emitOptionalError(location, "expected f16 or bf16 operands with to_f32, but got ",
                               element);
    element = Float32Type::get(element.getContext());
  }
  types.push_back(RankedTensorType::get(shape, element));
  return success();
}

LogicalResult MatmulOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  int64_t rank = getLhs().getType().getRank();
  SmallVector<OpFoldResult> sizes;
  if (rank == 3)
    sizes.push_back(tensor::getMixedSize(builder, loc, getLhs(), 0));
  sizes.push_back(tensor::getMixedSize(builder, loc, getLhs(), rank - (getTransposeA() ? 1 : 2)));
  sizes.push_back(tensor::getMixedSize(builder, loc, getRhs(), rank - (getTransposeB() ? 2 : 1)));
  shapes.push_back(inference::matchSizes(builder, loc, sizes, getType()));
  return success();
}

//===----------------------------------------------------------------------===//
// ConvOp
//===----------------------------------------------------------------------===//

LogicalResult ConvOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                       Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  auto weight = cast<RankedTensorType>(adaptor.getWeight().getType());
  Type element = input.getElementType();
  if (input.getRank() < 3 || input.getRank() > 5)
    return emitOptionalError(location, "expected an input of rank 3 to 5, but got ", input);
  if (weight.getRank() != input.getRank() || weight.getElementType() != element)
    return emitOptionalError(location, "expected a weight of the input's rank and element type ",
                             "(", input, "), but got ", weight);
  size_t spatialRank = input.getRank() - 2;
  std::pair<StringRef, ArrayRef<int64_t>> lists[] = {
      {"stride", adaptor.getStride()},
      {"padding", adaptor.getPadding()},
      {"dilation", adaptor.getDilation()},
      {"output_padding", adaptor.getOutputPadding()}};
  for (auto [name, list] : lists) {
    if (list.size() != spatialRank)
      return emitOptionalError(location, "expected ", spatialRank, " numbers for ", name,
                               ", but got ", list.size());
    int64_t smallest = name == "stride" || name == "dilation" ? 1 : 0;
    for (int64_t value : list)
      if (value < smallest)
        return emitOptionalError(location, "expected ", name, " of at least ", smallest,
                                 ", but got ", value);
  }
  int64_t groups = adaptor.getGroups();
  bool transposed = adaptor.getTransposed();
  for (auto [padding, stride, dilation] :
       llvm::zip_equal(adaptor.getOutputPadding(), adaptor.getStride(), adaptor.getDilation())) {
    if (padding && !transposed)
      return emitOptionalError(location, "expected no output_padding without transposed, but got ",
                               padding);
    if (padding && padding >= std::max(stride, dilation))
      return emitOptionalError(location, "expected output_padding smaller than stride (", stride,
                               ") or dilation (", dilation, "), but got ", padding);
  }
  if (groups < 1)
    return emitOptionalError(location, "expected at least one group, but got ", groups);

  // What the weight says: [F, C/groups, ...], or [C, F/groups, ...] when transposed.
  int64_t channels = input.getDimSize(1), first = weight.getDimSize(0),
          second = weight.getDimSize(1);
  int64_t inPerGroup = transposed ? first : second;
  if (transposed && !ShapedType::isDynamic(first) && first % groups != 0)
    return emitOptionalError(location, "expected input channels divisible by ", groups,
                             " groups, but got ", first);
  int64_t wanted = ShapedType::isDynamic(inPerGroup) ? inPerGroup
                   : transposed                      ? inPerGroup
                                                     : inPerGroup * groups;
  if (!inference::mayBeEqual(channels, wanted))
    return emitOptionalError(location, "expected ", wanted, " input channels, but got ", channels);
  if (!transposed && !ShapedType::isDynamic(first) && first % groups != 0)
    return emitOptionalError(location, "expected output channels divisible by ", groups,
                             " groups, but got ", first);
  int64_t features = transposed ? second : first;
  if (transposed && !ShapedType::isDynamic(features))
    features *= groups;
  if (adaptor.getBias()) {
    auto bias = cast<RankedTensorType>(adaptor.getBias().getType());
    if (bias.getRank() != 1 || bias.getElementType() != element ||
        !inference::mayBeEqual(bias.getDimSize(0), features))
      return emitOptionalError(location, "expected a bias of shape ", features, "x", element,
                               ", but got ", bias);
    if (ShapedType::isDynamic(features))
      features = bias.getDimSize(0);
  }

  SmallVector<int64_t> shape = {input.getDimSize(0), features};
  for (size_t i = 0; i < spatialRank; ++i) {
    int64_t size = input.getDimSize(i + 2), kernel = weight.getDimSize(i + 2);
    int64_t stride = adaptor.getStride()[i], padding = adaptor.getPadding()[i],
            dilation = adaptor.getDilation()[i];
    shape.push_back(transposed ? getTransposedConvSize(size, kernel, stride, padding, dilation,
                                                       adaptor.getOutputPadding()[i])
                               : getWindowedSize(size, kernel, stride, padding, dilation));
    if (transposed && !ShapedType::isDynamic(shape.back()) && shape.back() < 0)
      return emitOptionalError(location,
                               "expected a result that is not smaller than empty, but got ",
                               shape.back(), " elements in spatial dimension ", i);
    if (!transposed && shape.back() == 0)
      return emitOptionalError(location, "expected a kernel that fits into the padded input of ",
                               size + 2 * padding, ", but got ", dilation * (kernel - 1) + 1);
  }
  types.push_back(RankedTensorType::get(shape, element));
  return success();
}

LogicalResult ConvOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  ShapeMath math(builder, loc);
  bool transposed = getTransposed();
  OpFoldResult features = tensor::getMixedSize(builder, loc, getWeight(), transposed ? 1 : 0);
  if (transposed)
    features = math.mul(features, getGroups());
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(builder, loc, getInput(), 0), features};
  for (int64_t i = 0, e = getSpatialRank(); i < e; ++i) {
    OpFoldResult size = tensor::getMixedSize(builder, loc, getInput(), i + 2);
    OpFoldResult kernel = tensor::getMixedSize(builder, loc, getWeight(), i + 2);
    sizes.push_back(transposed
                        ? getTransposedConvSize(math, size, kernel, getStride()[i], getPadding()[i],
                                                getDilation()[i], getOutputPadding()[i])
                        : getWindowedSize(math, size, kernel, getStride()[i], getPadding()[i],
                                          getDilation()[i]));
  }
  shapes.push_back(inference::matchSizes(builder, loc, sizes, getType()));
  return success();
}
