//===- Convolution.cpp - Rules of convolutions ----------------------------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "TensorExpr.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {
/// The operands of a convolution, whatever overload they come from.
struct Convolution {
  Value input, weight, bias;
  SmallVector<int64_t> stride, padding, dilation, outputPadding;
  int64_t groups = 1;
  bool transposed = false;
};
} // namespace

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

/// The number of spatial dimensions, from the weight; reports what cannot be.
static unsigned spatialRank(RuleContext &ctx) {
  int64_t rank = rankOf(ctx.tensor(1)) - 2;
  if (!ctx.failed() && (rank < 1 || rank > 3))
    (void)ctx.fail(Twine(ctx.name()) + ": expected a weight of rank 3 to 5, but got rank " +
                   Twine(rank + 2));
  return rank;
}

static FailureOr<Value> build(RuleContext &ctx, Convolution conv) {
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(conv.input);
  if (!requireNumber(ctx, type))
    return failure();
  if (getElementTypeOrSelf(conv.weight) != type ||
      (conv.bias && getElementTypeOrSelf(conv.bias) != type))
    return ctx.raise("Input type (" + dtypeName(type) + ") and weight type (" +
                     dtypeName(getElementTypeOrSelf(conv.weight)) +
                     ") or bias type should be the same");
  bool isBatched = rankOf(conv.input) == rankOf(conv.weight);
  if (!isBatched && rankOf(conv.input) != rankOf(conv.weight) - 1)
    return ctx.raise(ctx.name() + ": expected an input of rank " + Twine(rankOf(conv.weight) - 1) +
                     " or " + Twine(rankOf(conv.weight)) + ", but got rank " +
                     Twine(rankOf(conv.input)));
  for (int64_t padding : conv.padding)
    if (padding < 0)
      return ctx.raise("negative padding is not supported");
  for (int64_t number : llvm::concat<int64_t>(conv.stride, conv.dilation))
    if (number <= 0)
      return ctx.raise("non-positive stride or dilation is not supported");
  if (conv.groups <= 0)
    return ctx.raise("non-positive groups is not supported");
  Value input = isBatched ? conv.input : ctx.unsqueeze(conv.input, 0);
  OpFoldResult channels = ctx.size(conv.weight, conv.transposed ? 0 : 1);
  if (!conv.transposed)
    channels = ctx.mul(channels, ctx.fold(conv.groups));
  if (!ctx.requireEqual(ctx.size(input, 1), channels,
                        Twine(ctx.name()) +
                            ": the input's channels differ from what the weight takes"))
    return failure();
  ArrayRef<int64_t> kernel = cast<RankedTensorType>(conv.weight.getType()).getShape().drop_front(2);
  if (conv.transposed && llvm::any_of(kernel, ShapedType::isDynamic))
    return ctx.fail(ctx.name() + ": a kernel of unknown size is not supported");
  requireNonEmpty(ctx, conv.weight, 0);
  requireNonEmpty(ctx, input, 1);
  if (ctx.failed())
    return failure();
  Value result = checkedValue<ConvOp>(ctx, input, conv.weight, conv.bias, conv.stride, conv.padding,
                                      conv.dilation, static_cast<uint64_t>(conv.groups),
                                      conv.transposed, conv.outputPadding);
  if (!result)
    return failure();
  return done(ctx, isBatched ? result : ctx.squeeze(result, 0));
}

/// conv1d, conv2d, conv3d (input, weight, bias?, stride, padding, dilation, groups).
static FailureOr<Value> conv(RuleContext &ctx) {
  unsigned rank = spatialRank(ctx);
  Convolution conv;
  conv.input = ctx.tensor(0);
  conv.weight = ctx.tensor(1);
  conv.bias = ctx.optionalTensor(2);
  if (ctx.failed())
    return failure();
  conv.stride = ctx.constantIntList(3, rank);
  conv.padding = ctx.constantIntList(4, rank);
  conv.dilation = ctx.constantIntList(5, rank);
  conv.groups = ctx.constantInt(6);
  conv.outputPadding.assign(rank, 0);
  return build(ctx, conv);
}

/// conv1d.padding, ... and _convolution_mode (input, weight, bias?, stride, padding, dilation,
/// groups) with "valid" or "same".
static FailureOr<Value> convMode(RuleContext &ctx) {
  unsigned rank = spatialRank(ctx);
  Convolution conv;
  conv.input = ctx.tensor(0);
  conv.weight = ctx.tensor(1);
  conv.bias = ctx.optionalTensor(2);
  StringRef mode = ctx.constantString(4);
  if (ctx.failed())
    return failure();
  conv.stride = ctx.constantIntList(3, rank);
  conv.dilation = ctx.constantIntList(5, rank);
  conv.groups = ctx.constantInt(6);
  conv.padding.assign(rank, 0);
  conv.outputPadding.assign(rank, 0);
  if (ctx.failed())
    return failure();
  if (mode == "valid")
    return build(ctx, conv);
  if (mode != "same")
    return ctx.raise("Invalid padding string: '" + mode + "'");
  auto weightType = cast<RankedTensorType>(conv.weight.getType());
  int64_t inputRank = rankOf(conv.input);
  SmallVector<OpFoldResult> low(inputRank, ctx.fold(0)), high(inputRank, ctx.fold(0));
  bool isUneven = false;
  for (unsigned i = 0; i < rank; ++i) {
    if (conv.stride[i] != 1)
      return ctx.raise("padding='same' is not supported for strided convolutions");
    int64_t kernel = weightType.getDimSize(i + 2);
    if (ShapedType::isDynamic(kernel))
      return ctx.fail("padding='same' needs a weight of known size");
    int64_t total = conv.dilation[i] * (kernel - 1);
    conv.padding[i] = total / 2;
    isUneven |= total % 2;
    high[inputRank - rank + i] = ctx.fold(total % 2);
  }
  // What does not divide goes to the far end.
  if (isUneven) {
    Type type = getElementTypeOrSelf(conv.input);
    conv.input = checkedValue<PadOp>(ctx, conv.input, ctx.constantScalar(0, type), ValueRange(),
                                     ValueRange(), ctx.staticSizes(low), ctx.staticSizes(high),
                                     PadMode::Constant);
  }
  return build(ctx, conv);
}

/// conv_transpose1d, conv_transpose2d.input, conv_transpose3d.input
/// (input, weight, bias?, stride, padding, output_padding, groups, dilation).
static FailureOr<Value> convTranspose(RuleContext &ctx) {
  unsigned rank = spatialRank(ctx);
  Convolution conv;
  conv.input = ctx.tensor(0);
  conv.weight = ctx.tensor(1);
  conv.bias = ctx.optionalTensor(2);
  if (ctx.failed())
    return failure();
  conv.stride = ctx.constantIntList(3, rank);
  conv.padding = ctx.constantIntList(4, rank);
  conv.outputPadding = ctx.constantIntList(5, rank);
  conv.groups = ctx.constantInt(6);
  conv.dilation = ctx.constantIntList(7, rank);
  conv.transposed = true;
  return build(ctx, conv);
}

/// convolution, _convolution, _convolution.deprecated (input, weight, bias?, stride, padding,
/// dilation, transposed, output_padding, groups, ...): the flags that follow choose an
/// implementation.
static FailureOr<Value> convolution(RuleContext &ctx) {
  unsigned rank = spatialRank(ctx);
  Convolution conv;
  conv.input = ctx.tensor(0);
  conv.weight = ctx.tensor(1);
  conv.bias = ctx.optionalTensor(2);
  if (ctx.failed())
    return failure();
  conv.stride = ctx.constantIntList(3, rank);
  conv.padding = ctx.constantIntList(4, rank);
  conv.dilation = ctx.constantIntList(5, rank);
  conv.transposed = ctx.constantBool(6);
  conv.outputPadding = ctx.constantIntList(7, rank);
  if (!conv.transposed)
    conv.outputPadding.assign(rank, 0);
  conv.groups = ctx.constantInt(8);
  return build(ctx, conv);
}

void specialize::registerConvolutionRules(RuleRegistry &registry) {
  for (StringRef name : {"conv1d", "conv2d", "conv3d"}) {
    registry.value(name, conv);
    registry.value((name + ".padding").str(), convMode);
  }
  registry.value("_convolution_mode", convMode);
  registry.value("conv_transpose1d", convTranspose);
  registry.value("conv_transpose2d.input", convTranspose);
  registry.value("conv_transpose3d.input", convTranspose);
  registry.value("convolution", convolution);
  registry.value("_convolution", convolution);
  registry.value("_convolution.deprecated", convolution);
}
