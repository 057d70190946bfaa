//===- Convolution.cpp - tl.conv to linalg --------------------------------===//
//
// Channels go last: input and result are transposed around a convolution in NHWC form, which
// `tl-propagate-layout` then cancels between neighbours. A transposed convolution is one of stride
// 1 over the input with zeros in between, with the kernel flipped.
//
//===----------------------------------------------------------------------===//
#include "Convolution.h"

#include "LinalgBuilder.h"
#include "mlir/Dialect/Complex/IR/Complex.h"

using namespace mlir;
using namespace torchlite::tl;

namespace {

/// What is convolved, channels last, once padding and transposition are resolved.
struct Window {
  /// [N, spatial..., C], padded.
  Value input;
  /// [F, C / groups, spatial...], as for a convolution that is not transposed.
  Value weight;
  SmallVector<int64_t> strides, dilations;
  int64_t groups;
  /// [N, spatial..., F] in the accumulator's type.
  Value init;
};

/// Calls the builder of a linalg convolution for 1, 2 or 3 spatial dimensions.
template <typename Op1D, typename Op2D, typename Op3D>
Value buildConv(LinalgBuilder &build, Value input, Value weight, Value init,
                ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations) {
  Attribute stridesAttr = build.b.getI64TensorAttr(strides);
  Attribute dilationsAttr = build.b.getI64TensorAttr(dilations);
  SmallVector<Value> inputs = {input, weight};
  Type type = init.getType();
  switch (strides.size()) {
  case 1:
    return Op1D::create(build.b, build.loc, type, inputs, init, stridesAttr, dilationsAttr)
        ->getResult(0);
  case 2:
    return Op2D::create(build.b, build.loc, type, inputs, init, stridesAttr, dilationsAttr)
        ->getResult(0);
  default:
    return Op3D::create(build.b, build.loc, type, inputs, init, stridesAttr, dilationsAttr)
        ->getResult(0);
  }
}

/// Multiplies two scalars of one type and adds a third.
Value multiplyAdd(OpBuilder &builder, Location loc, Value x, Value y, Value sum) {
  Type type = sum.getType();
  if (isa<ComplexType>(type))
    return complex::AddOp::create(builder, loc, sum, complex::MulOp::create(builder, loc, x, y));
  if (isa<FloatType>(type)) {
    Value product = arith::MulFOp::create(builder, loc, convertFloat(builder, loc, x, type),
                                          convertFloat(builder, loc, y, type));
    return arith::AddFOp::create(builder, loc, sum, product);
  }
  return arith::AddIOp::create(builder, loc, sum, arith::MulIOp::create(builder, loc, x, y));
}

/// One group: the named convolution.
Value buildPlain(LinalgBuilder &build, const Window &window) {
  // [F, C, spatial...] to [spatial..., C, F].
  int64_t rank = window.strides.size() + 2;
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(2, rank));
  llvm::append_values(permutation, 1, 0);
  return buildConv<linalg::Conv1DNwcWcfOp, linalg::Conv2DNhwcHwcfOp, linalg::Conv3DNdhwcDhwcfOp>(
      build, window.input, build.transpose(window.weight, permutation), window.init, window.strides,
      window.dilations);
}

/// One input channel a group and one output channel for it.
Value buildDepthwise(LinalgBuilder &build, const Window &window) {
  // [C, 1, spatial...] to [spatial..., C].
  int64_t rank = window.strides.size() + 2;
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  for (int64_t i = 2; i < rank; ++i)
    groups.push_back({i});
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(1, rank - 1));
  permutation.push_back(0);
  Value weight = build.transpose(build.collapse(window.weight, groups), permutation);
  return buildConv<linalg::DepthwiseConv1DNwcWcOp, linalg::DepthwiseConv2DNhwcHwcOp,
                   linalg::DepthwiseConv3DNdhwcDhwcOp>(build, window.input, weight, window.init,
                                                       window.strides, window.dilations);
}

/// Splits a dimension of size `size` into groups and the rest.
Value splitGroups(LinalgBuilder &build, Value tensor, int64_t dim, int64_t groups) {
  Sizes sizes = build.sizes(tensor);
  SmallVector<ReassociationIndices> reassociation;
  for (int64_t i = 0, e = sizes.size(); i < e; ++i) {
    if (i == dim)
      reassociation.push_back({i, i + 1});
    else
      reassociation.push_back({i < dim ? i : i + 1});
  }
  OpFoldResult rest = build.math.div(sizes[dim], groups);
  sizes[dim] = build.math.constant(groups);
  sizes.insert(sizes.begin() + dim + 1, rest);
  return build.expand(tensor, reassociation, sizes);
}

/// Several groups: a linalg.generic with a loop for them.
Value buildGrouped(LinalgBuilder &build, const Window &window) {
  int64_t spatial = window.strides.size(), rank = spatial + 2;
  // [N, spatial..., G, C], [spatial..., G, C, F], [N, spatial..., G, F].
  Value input = splitGroups(build, window.input, rank - 1, window.groups);
  Value weight = splitGroups(build, window.weight, 0, window.groups);
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(3, rank + 1));
  llvm::append_values(permutation, 0, 2, 1);
  weight = build.transpose(weight, permutation);
  Value init = splitGroups(build, window.init, rank - 1, window.groups);

  // Loops: n, out..., g, f, kernel..., c.
  unsigned loops = 2 * spatial + 4;
  auto loop = [&](int64_t i) { return build.b.getAffineDimExpr(i); };
  int64_t g = spatial + 1, f = spatial + 2, kernel = spatial + 3, c = loops - 1;
  SmallVector<AffineExpr> in = {loop(0)}, filter, out = {loop(0)};
  for (int64_t i = 0; i < spatial; ++i) {
    in.push_back(loop(1 + i) * window.strides[i] + loop(kernel + i) * window.dilations[i]);
    filter.push_back(loop(kernel + i));
    out.push_back(loop(1 + i));
  }
  llvm::append_values(in, loop(g), loop(c));
  llvm::append_values(filter, loop(g), loop(c), loop(f));
  llvm::append_values(out, loop(g), loop(f));
  MLIRContext *context = build.b.getContext();
  Value result = build.reduce(
      {input, weight},
      {AffineMap::get(loops, 0, in, context), AffineMap::get(loops, 0, filter, context)}, init,
      AffineMap::get(loops, 0, out, context),
      [](OpBuilder &builder, Location loc, ValueRange arguments) {
        return multiplyAdd(builder, loc, arguments[0], arguments[1], arguments[2]);
      });
  SmallVector<ReassociationIndices> merged;
  for (int64_t i = 0; i < rank - 1; ++i)
    merged.push_back({i});
  merged.push_back({rank - 1, rank});
  return build.collapse(result, merged);
}

/// The kernel of a transposed convolution, [C, F / groups, spatial...], as that of a convolution:
/// [F, C / groups, spatial...] with the spatial dimensions reversed.
Value turnKernel(LinalgBuilder &build, Value weight, int64_t groups) {
  auto type = cast<RankedTensorType>(weight.getType());
  int64_t rank = type.getRank();
  // [G, C / G, F / G, spatial...] to [G, F / G, C / G, reversed...].
  Value split = splitGroups(build, weight, 0, groups);
  SmallVector<AffineExpr> from = {build.b.getAffineDimExpr(0), build.b.getAffineDimExpr(2),
                                  build.b.getAffineDimExpr(1)};
  for (int64_t i = 2; i < rank; ++i)
    from.push_back(build.b.getAffineConstantExpr(type.getDimSize(i) - 1) -
                   build.b.getAffineDimExpr(i + 1));
  Sizes sizes = build.sizes(split);
  std::swap(sizes[1], sizes[2]);
  Value turned = build.elementwise(
      split, AffineMap::get(rank + 1, 0, from, build.b.getContext()), sizes, type.getElementType(),
      [](OpBuilder &, Location, ValueRange arguments) { return arguments[0]; });
  SmallVector<ReassociationIndices> merged = {{0, 1}};
  for (int64_t i = 2; i <= rank; ++i)
    merged.push_back({i});
  return build.collapse(turned, merged);
}

struct ConvOpConversion : OpConversionPattern<ConvOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ConvOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto weightType = cast<RankedTensorType>(adaptor.getWeight().getType());
    if (op.getTransposed() &&
        llvm::any_of(weightType.getShape().drop_front(2), ShapedType::isDynamic))
      return rewriter.notifyMatchFailure(op, "expected a transposed kernel of static size");
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    Type accumulator = getAccumulatorType(type.getElementType());

    Window window;
    window.groups = op.getGroups();
    window.dilations.assign(op.getDilation().begin(), op.getDilation().end());
    Value input = build.transpose(adaptor.getInput(), getChannelsLast(type.getRank()));
    if (op.getTransposed()) {
      window.strides.assign(op.getSpatialRank(), 1);
      window.weight = turnKernel(build, adaptor.getWeight(), op.getGroups());
      window.input = spread(build, op, input, weightType);
    } else {
      window.strides.assign(op.getStride().begin(), op.getStride().end());
      window.weight = adaptor.getWeight();
      Sizes padding = {build.math.constant(0)};
      for (int64_t value : op.getPadding())
        padding.push_back(build.math.constant(value));
      padding.push_back(build.math.constant(0));
      window.input = build.pad(input, padding, padding, build.constant(type.getElementType(), 0));
    }
    window.init = createInit(build, op, adaptor.getBias(), window, accumulator);

    // What a group has: one input channel and one output channel is depthwise.
    auto turnedType = cast<RankedTensorType>(window.weight.getType());
    Value result;
    if (window.groups == 1)
      result = buildPlain(build, window);
    else if (turnedType.getDimSize(0) == window.groups && turnedType.getDimSize(1) == 1)
      result = buildDepthwise(build, window);
    else
      result = buildGrouped(build, window);
    result = build.convertElements(result, type.getElementType());
    result = build.transpose(result, getChannelsFirst(type.getRank()));
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }

  /// The bias for every element of the result, or zeros.
  static Value createInit(LinalgBuilder &build, ConvOp op, Value bias, const Window &window,
                          Type accumulator) {
    Sizes sizes = {build.size(window.input, 0)};
    for (int64_t i = 0, e = op.getSpatialRank(); i < e; ++i)
      sizes.push_back(getWindowedSize(build.math, build.size(window.input, i + 1),
                                      build.size(window.weight, i + 2), window.strides[i],
                                      /*padding=*/0, window.dilations[i]));
    if (!op.getTransposed())
      build.checkNotEmpty(ArrayRef<OpFoldResult>(sizes).drop_front(),
                          "RuntimeError: the kernel does not fit into the padded input");
    sizes.push_back(build.size(window.weight, 0));
    if (!bias)
      return build.zeros(accumulator, sizes);
    SmallVector<int64_t> added = llvm::to_vector(llvm::seq<int64_t>(0, sizes.size() - 1));
    // The feature count is the weight's: a bias that knows less or more is brought to it.
    bias = build.castTo(
        bias, RankedTensorType::get(
                  cast<RankedTensorType>(window.weight.getType()).getShape().take_front(1),
                  getElementTypeOrSelf(bias)));
    return linalg::BroadcastOp::create(build.b, build.loc, build.convertElements(bias, accumulator),
                                       build.empty(accumulator, sizes), added)
        ->getResult(0);
  }

  /// The input of a transposed convolution: `stride - 1` zeros between neighbours, and as much
  /// around them as the kernel reaches beyond the padding. Where the padding is larger, elements go
  /// instead.
  static Value spread(LinalgBuilder &build, ConvOp op, Value input, RankedTensorType weight) {
    int64_t rank = weight.getRank();
    OpFoldResult zero = build.math.constant(0), one = build.math.constant(1);
    Sizes from = build.sizes(input), to = from;
    Sizes offsets(rank, zero), steps(rank, one);
    Sizes cropOffsets(rank, zero), cropSizes = from;
    bool isCropped = false, isSpread = false;
    for (int64_t i = 0; i < rank - 2; ++i) {
      int64_t stride = op.getStride()[i];
      int64_t reach = op.getDilation()[i] * (weight.getDimSize(i + 2) - 1);
      int64_t low = reach - op.getPadding()[i], high = low + op.getOutputPadding()[i];
      // (size - 1) * stride + 1, and nothing for nothing.
      OpFoldResult spaced = build.math.max(
          build.math.add(build.math.mul(build.math.sub(from[i + 1], 1), stride), 1), zero);
      to[i + 1] = build.math.add(spaced, std::max<int64_t>(low, 0) + std::max<int64_t>(high, 0));
      offsets[i + 1] = build.math.constant(std::max<int64_t>(low, 0));
      steps[i + 1] = build.math.constant(stride);
      cropOffsets[i + 1] = build.math.constant(std::max<int64_t>(-low, 0));
      cropSizes[i + 1] = build.math.max(
          build.math.sub(to[i + 1], std::max<int64_t>(-low, 0) + std::max<int64_t>(-high, 0)),
          zero);
      isCropped |= low < 0 || high < 0;
      isSpread |= stride != 1 || low > 0 || high > 0;
    }
    Value result = input;
    if (isSpread)
      result = tensor::InsertSliceOp::create(build.b, build.loc, input,
                                             build.zeros(weight.getElementType(), to), offsets,
                                             from, steps);
    if (isCropped)
      result = tensor::ExtractSliceOp::create(build.b, build.loc, result, cropOffsets, cropSizes,
                                              Sizes(rank, one));
    return result;
  }
};
} // namespace

void torchlite::tl::populateConvolutionPatterns(const TypeConverter &converter,
                                                RewritePatternSet &patterns) {
  patterns.add<ConvOpConversion>(converter, patterns.getContext());
}
