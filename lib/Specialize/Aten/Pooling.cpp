//===- Pooling.cpp - Rules of pooling -------------------------------------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "TensorExpr.h"
#include "WindowBuild.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

namespace {
/// A pooling's operand 0 as `[N, C, spatial...]`, and what its result must lose again.
struct PoolInput {
  Value tensor;
  bool isBatched = true;

  Value restore(RuleContext &ctx, Value result) const {
    return isBatched || !result ? result : ctx.squeeze(result, 0);
  }
};
} // namespace

/// `first`: the first dimension of `[N, C, spatial...]` that may not be empty.
static PoolInput poolInput(RuleContext &ctx, int64_t spatialRank, int64_t first = 1) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(self)))
    return {};
  int64_t rank = rankOf(self);
  if (rank != spatialRank + 1 && rank != spatialRank + 2) {
    (void)ctx.raise(Twine(ctx.name()) + ": expected a tensor of rank " + Twine(spatialRank + 1) +
                    " or " + Twine(spatialRank + 2) + ", but got rank " + Twine(rank));
    return {};
  }
  bool isBatched = rank == spatialRank + 2;
  PoolInput input{isBatched ? self : ctx.unsqueeze(self, 0), isBatched};
  requireNonEmpty(ctx, input.tensor, first);
  return input;
}

namespace {
struct Window {
  SmallVector<int64_t> kernel, stride, padding, dilation;
};
} // namespace

/// kernel_size, stride (empty: the kernel) and padding from operands 1 to 3.
static Window window(RuleContext &ctx, unsigned rank) {
  Window window;
  window.kernel = ctx.constantIntList(1, rank);
  window.stride = ctx.constantIntList(2).empty() ? window.kernel : ctx.constantIntList(2, rank);
  window.padding = ctx.constantIntList(3, rank);
  window.dilation.assign(rank, 1);
  if (ctx.failed())
    return window;
  for (unsigned i = 0; i < rank; ++i) {
    if (window.kernel[i] <= 0 || window.stride[i] <= 0)
      (void)ctx.raise(Twine(ctx.name()) + ": kernel size and stride should be greater than zero");
    else if (window.padding[i] < 0 || window.padding[i] > window.kernel[i] / 2)
      (void)ctx.raise(Twine(ctx.name()) +
                      ": pad should be at most half of effective kernel size, and not " +
                      "negative");
  }
  return window;
}

/// max_pool1d, 2d, 3d (self, kernel_size, stride, padding, dilation, ceil_mode).
template <unsigned rank> static FailureOr<Value> maxPool(RuleContext &ctx) {
  PoolInput input = poolInput(ctx, rank);
  Window w = window(ctx, rank);
  w.dilation = ctx.constantIntList(4, rank);
  bool ceilMode = ctx.constantBool(5);
  if (ctx.failed())
    return failure();
  Value result = checkedValue<MaxPoolOp>(ctx, input.tensor, w.kernel, w.stride, w.padding,
                                         w.dilation, ceilMode);
  return done(ctx, input.restore(ctx, result));
}

static FailureOr<SmallVector<Value>> maxPoolIndices(RuleContext &ctx, const PoolInput &input,
                                                    const Window &w, bool ceilMode) {
  if (ctx.failed())
    return failure();
  auto op = checkedCreate<MaxPoolWithIndicesOp>(ctx, input.tensor, w.kernel, w.stride, w.padding,
                                                w.dilation, ceilMode);
  if (!op)
    return failure();
  Value values = input.restore(ctx, op.getResult()), indices = input.restore(ctx, op.getIndices());
  if (ctx.failed())
    return failure();
  return SmallVector<Value>{values, indices};
}

/// max_pool1d_with_indices, ... (as max_pool) -> (values, indices).
template <unsigned rank> static FailureOr<SmallVector<Value>> maxPoolWithIndices(RuleContext &ctx) {
  PoolInput input = poolInput(ctx, rank);
  Window w = window(ctx, rank);
  w.dilation = ctx.constantIntList(4, rank);
  bool ceilMode = ctx.constantBool(5);
  return maxPoolIndices(ctx, input, w, ceilMode);
}

/// avg_pool1d, 2d, 3d (self, kernel_size, stride, padding, ceil_mode, count_include_pad,
/// divisor_override?).
template <unsigned rank> static FailureOr<Value> avgPool(RuleContext &ctx) {
  PoolInput input = poolInput(ctx, rank);
  Window w = window(ctx, rank);
  bool ceilMode = ctx.constantBool(4), includePad = ctx.constantBool(5);
  IntegerAttr divisor;
  if (!ctx.isNone(6)) {
    divisor = ctx.b.getI64IntegerAttr(ctx.constantInt(6));
    if (!ctx.failed() && divisor.getInt() == 0)
      return ctx.raise("divisor must be not zero");
  }
  if (ctx.failed())
    return failure();
  Value result = checkedValue<AvgPoolOp>(ctx, input.tensor, w.kernel, w.stride, w.padding, ceilMode,
                                         includePad, divisor);
  return done(ctx, input.restore(ctx, result));
}

/// adaptive_avg_pool1d, 2d, 3d (self, output_size).
template <unsigned rank> static FailureOr<Value> adaptiveAvgPool(RuleContext &ctx) {
  PoolInput input = poolInput(ctx, rank, /*first=*/2);
  SmallVector<OpFoldResult> sizes = ctx.indexList(1);
  if (ctx.failed())
    return failure();
  if (!isFloat(getElementTypeOrSelf(input.tensor)))
    return ctx.fail(ctx.name() + ": expected a floating-point tensor");
  if (sizes.size() == 1)
    sizes.resize(rank, sizes.front());
  if (sizes.size() != rank)
    return ctx.raise(ctx.name() + ": expected an output size for each spatial dimension");
  if (std::optional<SmallVector<int64_t>> known = getConstantIntValues(sizes)) {
    Value result = checkedValue<AdaptiveAvgPoolOp>(ctx, input.tensor, *known);
    return done(ctx, input.restore(ctx, result));
  }
  if (!ctx.requireSizes(sizes))
    return failure();
  FailureOr<Value> result = adaptiveAvgPoolByWindows(ctx, input.tensor, sizes);
  return failed(result) ? result : done(ctx, input.restore(ctx, *result));
}

/// adaptive_max_pool1d, 2d, 3d (self, output_size) -> (values, indices): a pooling where all
/// windows are known to be equal.
template <unsigned rank> static FailureOr<SmallVector<Value>> adaptiveMaxPool(RuleContext &ctx) {
  PoolInput input = poolInput(ctx, rank);
  SmallVector<int64_t> sizes = ctx.constantIntList(1, rank);
  if (ctx.failed())
    return failure();
  Window w;
  auto type = cast<RankedTensorType>(input.tensor.getType());
  for (unsigned i = 0; i < rank; ++i) {
    int64_t size = type.getDimSize(i + 2);
    if (ShapedType::isDynamic(size) || size == 0 || sizes[i] <= 0 || size % sizes[i])
      return adaptiveMaxPoolByWindows(ctx, rank);
    w.kernel.push_back(size / sizes[i]);
  }
  w.stride = w.kernel;
  w.padding.assign(rank, 0);
  w.dilation.assign(rank, 1);
  return maxPoolIndices(ctx, input, w, /*ceilMode=*/false);
}

void specialize::registerPoolingRules(RuleRegistry &registry) {
  registry.value("max_pool1d", maxPool<1>);
  registry.value("max_pool2d", maxPool<2>);
  registry.value("max_pool3d", maxPool<3>);
  registry.values("max_pool1d_with_indices", maxPoolWithIndices<1>);
  registry.values("max_pool2d_with_indices", maxPoolWithIndices<2>);
  registry.values("max_pool3d_with_indices", maxPoolWithIndices<3>);
  registry.value("avg_pool1d", avgPool<1>);
  registry.value("avg_pool2d", avgPool<2>);
  registry.value("avg_pool3d", avgPool<3>);
  registry.value("adaptive_avg_pool1d", adaptiveAvgPool<1>);
  registry.value("adaptive_avg_pool2d", adaptiveAvgPool<2>);
  registry.value("adaptive_avg_pool3d", adaptiveAvgPool<3>);
  registry.values("adaptive_max_pool1d", adaptiveMaxPool<1>);
  registry.values("adaptive_max_pool2d", adaptiveMaxPool<2>);
  registry.values("adaptive_max_pool3d", adaptiveMaxPool<3>);
}
