//===- Sampling.cpp - Rules of sampling at positions of a grid ------------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {
enum class Interpolation : int64_t { Linear = 0, Nearest = 1, Cubic = 2 };
enum class Padding : int64_t { Zeros = 0, Border = 1, Reflection = 2 };

/// What all axes of one sampling share.
struct Sampler {
  Interpolation interpolation;
  Padding padding;
  bool alignCorners;
};

/// One axis: its size as a number, and where the grid points to, in elements.
struct Axis {
  Expr size;
  Expr position;
};

/// An element's index along an axis, whether there is one, and its weight.
struct AxisTap {
  Expr index, isInside, weight;
};
} // namespace

/// Mirrors positions between the outer elements' centres (or edges).
static Expr reflect(const Sampler &s, const Expr &x, const Expr &size) {
  double low = s.alignCorners ? 0 : -0.5;
  Expr span = s.alignCorners ? size - 1.0 : size;
  Expr distance = abs(x - low);
  Expr flips = floor(distance / span), extra = applyBinary<FmodOp>(distance, span);
  Expr isEven = flips - floor(flips * 0.5) * 2.0 == 0.0;
  Expr result = where(isEven, extra + low, span - extra + low);
  return where(span == 0.0, 0.0, result);
}

/// Positions brought into the tensor as the padding says.
static Expr padded(const Sampler &s, const Expr &x, const Expr &size) {
  if (s.padding == Padding::Zeros)
    return x;
  Expr inside = s.padding == Padding::Reflection ? reflect(s, x, size) : x;
  return minimum(maximum(inside, 0.0), size - 1.0);
}

/// The element at a whole position; those far away or not a number are outside.
static AxisTap tapAt(RuleContext &ctx, const Expr &whole, const Expr &size, const Expr &weight) {
  Expr isInside = whole >= 0.0 && whole < size;
  return {where(isInside, whole, 0.0).cast(ctx.b.getI64Type()), isInside, weight};
}

/// The weights of four neighbours at distance `t` from the second, with a = -0.75.
static SmallVector<Expr> cubicWeights(const Expr &t) {
  constexpr double a = -0.75;
  auto inner = [&](const Expr &x) { return (x * (a + 2) - (a + 3)) * x * x + 1.0; };
  auto outer = [&](const Expr &x) { return ((x * a - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {outer(t + 1.0), inner(t), inner(1.0 - t), outer(2.0 - t)};
}

/// The elements that count along one axis.
static SmallVector<AxisTap> axisTaps(RuleContext &ctx, const Sampler &s, const Axis &axis) {
  if (s.interpolation == Interpolation::Nearest) {
    Expr x = round(padded(s, axis.position, axis.size));
    return {tapAt(ctx, x, axis.size, x.constant(1.0))};
  }
  if (s.interpolation == Interpolation::Linear) {
    Expr x = padded(s, axis.position, axis.size), first = floor(x), part = x - first;
    return {tapAt(ctx, first, axis.size, 1.0 - part), tapAt(ctx, first + 1.0, axis.size, part)};
  }
  // Neighbours are padded one by one.
  Expr first = floor(axis.position);
  SmallVector<AxisTap> taps;
  for (auto [i, weight] : llvm::enumerate(cubicWeights(axis.position - first))) {
    Expr x = padded(s, first + (static_cast<double>(i) - 1), axis.size);
    taps.push_back(tapAt(ctx, trunc(x), axis.size, weight));
  }
  return taps;
}

/// The weighted elements of `input`, [N, C, elements], at all combinations of the axes' taps.
static Expr combine(RuleContext &ctx, const Expr &input, ArrayRef<SmallVector<AxisTap>> taps,
                    ArrayRef<Expr> sizes, const AxisTap &outer, unsigned axis) {
  if (axis == taps.size()) {
    Expr index(ctx, ctx.unsqueeze(outer.index.value(), 1));
    SmallVector<OpFoldResult> shape = ctx.sizes(index.value());
    shape[1] = ctx.size(input.value(), 1);
    Expr picked(ctx, checkedValue<GatherOp>(ctx, input.value(),
                                            ctx.broadcastTo(index.value(), shape), uint64_t(2)));
    if (picked.isNull() || outer.weight.isNull() || outer.isInside.isNull())
      return Expr(ctx, {});
    Expr isInside(ctx, ctx.unsqueeze(outer.isInside.value(), 1)), weight = outer.weight;
    if (rankOf(weight)) // the nearest element's is a number
      weight = Expr(ctx, ctx.unsqueeze(weight.value(), 1));
    return where(isInside, picked * weight, 0.0);
  }
  Expr total(ctx, {});
  for (const AxisTap &tap : taps[axis]) {
    AxisTap both = tap;
    if (axis) {
      Expr size = sizes[axis].cast(ctx.b.getI64Type());
      both = {outer.index * size + tap.index, outer.isInside && tap.isInside,
              outer.weight * tap.weight};
    }
    if (both.index.isNull())
      return both.index;
    Expr part = combine(ctx, input, taps, sizes, both, axis + 1);
    total = total.value() ? total + part : part;
  }
  return total;
}

/// Checks input `[N, C, spatial...]` and grid `[N, spatial..., number of axes]`.
static bool checkSampling(RuleContext &ctx, Value input, Value grid, unsigned spatialRank) {
  auto inputType = cast<RankedTensorType>(input.getType()),
       gridType = cast<RankedTensorType>(grid.getType());
  if (inputType.getRank() != spatialRank + 2 || gridType.getRank() != spatialRank + 2) {
    (void)ctx.raise(ctx.name() + ": expected input and grid of rank " + Twine(spatialRank + 2));
    return false;
  }
  if (inputType.getElementType() != gridType.getElementType() ||
      !isFloat(inputType.getElementType())) {
    (void)ctx.raise("grid_sampler(): expected input and grid to have same floating-point dtype");
    return false;
  }
  if (!ctx.requireEqual(ctx.size(input, 0), ctx.size(grid, 0),
                        "grid_sampler(): expected grid and input to have same batch size") ||
      !ctx.requireEqual(ctx.size(grid, spatialRank + 1), ctx.fold(spatialRank),
                        "grid_sampler(): expected grid to have a number for each dimension in its "
                        "last dimension"))
    return false;
  requireNonEmpty(ctx, input, 2);
  return !ctx.failed();
}

/// grid_sampler, grid_sampler_2d, 3d (input, grid, interpolation_mode, padding_mode,
/// align_corners).
static FailureOr<Value> gridSampler(RuleContext &ctx) {
  Value input = ctx.tensor(0), grid = ctx.tensor(1);
  int64_t interpolation = ctx.constantInt(2), padding = ctx.constantInt(3);
  bool alignCorners = ctx.constantBool(4);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(input), wide = computeType(type);
  unsigned spatialRank = cast<RankedTensorType>(input.getType()).getRank() - 2;
  if (spatialRank != 2 && spatialRank != 3)
    return ctx.raise("grid_sampler(): expected 4D or 5D input");
  if (interpolation < 0 || interpolation > 2 || padding < 0 || padding > 2)
    return ctx.fail(ctx.name() + ": unknown mode");
  if (interpolation == 2 && spatialRank == 3)
    return ctx.raise("grid_sampler(): bicubic interpolation only supports 4D input");
  if (!checkSampling(ctx, input, grid, spatialRank))
    return failure();
  Sampler sampler{Interpolation(interpolation), Padding(padding), alignCorners};
  SmallVector<OpFoldResult> sizes = ctx.sizes(input), gridSizes = ctx.sizes(grid);
  OpFoldResult count = ctx.product(ArrayRef(gridSizes).drop_front().drop_back());
  Value points = ctx.reshape(grid, {gridSizes[0], count, ctx.fold(spatialRank)});
  Value flat = ctx.reshape(input, {sizes[0], sizes[1], ctx.product(ArrayRef(sizes).drop_front(2))});
  SmallVector<SmallVector<AxisTap>> taps;
  SmallVector<Expr> axisSizes;
  for (unsigned i = 0; i < spatialRank; ++i) {
    // The grid's last dimension names the axes from the last to the first.
    Value coordinate =
        ctx.squeeze(ctx.slice(points, 2, ctx.fold(spatialRank - 1 - i), ctx.fold(1)), 2);
    Expr x = Expr(ctx, coordinate).cast(wide), size = sizeTensor(ctx, sizes[2 + i], wide);
    x = alignCorners ? (x + 1.0) / 2.0 * (size - 1.0) : ((x + 1.0) * size - 1.0) / 2.0;
    if (x.isNull())
      return failure();
    taps.push_back(axisTaps(ctx, sampler, {size, x}));
    axisSizes.push_back(size);
  }
  Expr result = combine(ctx, Expr(ctx, flat).cast(wide), taps, axisSizes,
                        {axisSizes[0], axisSizes[0], axisSizes[0]}, 0);
  if (result.isNull())
    return failure();
  SmallVector<OpFoldResult> resultSizes = {sizes[0], sizes[1]};
  resultSizes.append(gridSizes.begin() + 1, gridSizes.end() - 1);
  return done(ctx, ctx.reshape(result.cast(type).value(), resultSizes));
}

/// The coordinates of `size` elements from -1 to 1: of the outer elements' centres, or edges.
static Expr baseCoordinates(RuleContext &ctx, OpFoldResult size, bool alignCorners, Type type) {
  Expr index(ctx, IotaOp::create(ctx.b, ctx.loc, type, ArrayRef<OpFoldResult>{size}, 0));
  Expr count = sizeTensor(ctx, size, type), last = count - 1.0;
  Expr step = 2.0 / maximum(last, 1.0);
  // As linspace does, from the nearer end.
  Expr half = floor(count * 0.5);
  Expr spaced = where(index < half, index * step - 1.0, 1.0 - (last - index) * step);
  spaced = where(last > 0.0, spaced, 0.0);
  return alignCorners ? spaced : spaced * last / count;
}

/// affine_grid_generator(theta, size, align_corners): theta times the coordinates and 1.
static FailureOr<Value> affineGrid(RuleContext &ctx) {
  Value theta = ctx.tensor(0);
  SmallVector<OpFoldResult> sizes = ctx.indexList(1);
  bool alignCorners = ctx.constantBool(2);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(theta), wide = computeType(type);
  if (sizes.size() != 4 && sizes.size() != 5)
    return ctx.raise("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.");
  int64_t axes = sizes.size() - 2;
  if (!isFloat(type) || rankOf(Expr(ctx, theta)) != 3)
    return ctx.raise("affine_grid_generator: expected a batch of floating-point matrices");
  const SmallVector<OpFoldResult> expected = {sizes[0], ctx.fold(axes), ctx.fold(axes + 1)};
  for (auto [i, size] : llvm::enumerate(expected))
    if (!ctx.requireEqual(ctx.size(theta, i), size,
                          "Expected a batch of affine matrices of the shape that the size needs"))
      return failure();
  if (!ctx.requireSizes(sizes))
    return failure();
  // theta as [N, 1..., axes, axes + 1]; coordinate j stands in its own dimension.
  SmallVector<OpFoldResult> thetaSizes(axes + 3, ctx.fold(1));
  thetaSizes[0] = sizes[0];
  thetaSizes[axes + 1] = ctx.fold(axes);
  thetaSizes[axes + 2] = ctx.fold(axes + 1);
  Value matrix = ctx.reshape(ctx.cast(theta, wide), thetaSizes);
  auto column = [&](int64_t j) {
    return Expr(ctx, ctx.squeeze(ctx.slice(matrix, axes + 2, ctx.fold(j), ctx.fold(1)), axes + 2));
  };
  if (ctx.failed())
    return failure();
  Expr total = column(axes);
  for (int64_t j = 0; j < axes; ++j) {
    Expr coordinate = baseCoordinates(ctx, sizes[sizes.size() - 1 - j], alignCorners, wide);
    if (coordinate.isNull())
      return failure();
    SmallVector<OpFoldResult> shape(axes + 2, ctx.fold(1));
    shape[axes - j] = sizes[sizes.size() - 1 - j];
    total = total + column(j) * Expr(ctx, ctx.reshape(coordinate.value(), shape));
  }
  if (total.isNull())
    return failure();
  SmallVector<OpFoldResult> resultSizes = {sizes[0]};
  resultSizes.append(sizes.begin() + 2, sizes.end());
  resultSizes.push_back(ctx.fold(axes));
  return done(ctx, ctx.broadcastTo(total.cast(type).value(), resultSizes));
}

void specialize::registerSamplingRules(RuleRegistry &registry) {
  for (const char *name : {"grid_sampler", "grid_sampler_2d", "grid_sampler_3d"})
    registry.value(name, gridSampler);
  registry.value("affine_grid_generator", affineGrid);
}
