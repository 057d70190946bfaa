//===- Resampling.cpp - Rules of interpolation ----------------------------===//
//
// All of them are separable: along each spatial dimension the result is a weighted sum of elements
// at positions that are known at compile time.

#include "CheckedBuild.h"
#include "Families.h"
#include "TensorExpr.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

namespace {
/// One tap along a dimension: the positions read, and their weights (empty: 1).
struct Tap {
  SmallVector<int64_t> positions;
  SmallVector<float> weights;
};
enum class Interpolation { Nearest, NearestExact, Linear, Cubic };
} // namespace

/// Source positions per element as PyTorch computes them, in f32. A positive `given` is the scale
/// factor that the program named.
static SmallVector<Tap> taps(Interpolation kind, int64_t in, int64_t out, bool alignCorners,
                             double given) {
  float scale;
  if (alignCorners)
    scale = out > 1 ? static_cast<float>(in - 1) / (out - 1) : 0.0f;
  else
    scale = given > 0 ? static_cast<float>(1.0 / given) : static_cast<float>(in) / out;
  auto limited = [in](int64_t position) {
    return std::min(std::max<int64_t>(position, 0), in - 1);
  };
  SmallVector<Tap> result(kind == Interpolation::Linear ? 2 : kind == Interpolation::Cubic ? 4 : 1);
  for (int64_t i = 0; i < out; ++i) {
    switch (kind) {
    case Interpolation::Nearest:
      result[0].positions.push_back(std::min(static_cast<int64_t>(std::floor(i * scale)), in - 1));
      break;
    case Interpolation::NearestExact:
      result[0].positions.push_back(std::min(
          static_cast<int64_t>(std::floor((static_cast<float>(i) + 0.5f) * scale)), in - 1));
      break;
    case Interpolation::Linear: {
      float at = alignCorners ? scale * i : std::max(0.0f, scale * (i + 0.5f) - 0.5f);
      int64_t first = std::min(static_cast<int64_t>(at), in - 1);
      float weight = std::min(std::max(at - first, 0.0f), 1.0f);
      result[0].positions.push_back(first);
      result[1].positions.push_back(first + (first < in - 1 ? 1 : 0));
      result[0].weights.push_back(1.0f - weight);
      result[1].weights.push_back(weight);
      break;
    }
    case Interpolation::Cubic: {
      float a = -0.75f;
      float at = alignCorners ? scale * i : scale * (i + 0.5f) - 0.5f;
      float whole = std::floor(at), t = at - whole;
      auto near = [=](float x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
      auto far = [=](float x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
      float weights[4] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
      for (int64_t k = 0; k < 4; ++k) {
        result[k].positions.push_back(limited(static_cast<int64_t>(whole) - 1 + k));
        result[k].weights.push_back(weights[k]);
      }
      break;
    }
    }
  }
  return result;
}

/// Applies the taps along one dimension.
static Expr resampleDim(const Expr &x, int64_t dim, ArrayRef<Tap> taps) {
  RuleContext &ctx = x.ctx();
  if (x.isNull())
    return x;
  Expr total(ctx, {});
  for (const Tap &tap : taps) {
    int64_t count = tap.positions.size();
    auto indexType = RankedTensorType::get({count}, ctx.b.getI64Type());
    Value index = arith::ConstantOp::create(
        ctx.b, ctx.loc, DenseElementsAttr::get(indexType, ArrayRef(tap.positions)));
    Expr part(ctx, checkedValue<TakeOp>(ctx, x.value(), index, static_cast<uint64_t>(dim)));
    if (part.isNull())
      return part;
    if (!tap.weights.empty()) {
      SmallVector<int64_t> shape(rankOf(x.value()) - dim, 1);
      shape.front() = count;
      auto weightType = RankedTensorType::get(shape, ctx.b.getF32Type());
      Expr weights(ctx,
                   arith::ConstantOp::create(
                       ctx.b, ctx.loc, DenseElementsAttr::get(weightType, ArrayRef(tap.weights))));
      part = part * weights.cast(x.elementType());
    }
    total = total.value() ? total + part : part;
  }
  return total;
}

/// Resamples the last `spatial` dimensions to the sizes.
static FailureOr<Value> resample(RuleContext &ctx, Interpolation kind, int64_t spatial,
                                 ArrayRef<int64_t> outputSizes, bool alignCorners,
                                 ArrayRef<double> scales) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  auto type = cast<RankedTensorType>(self.getType());
  if (type.getRank() != spatial + 2)
    return ctx.raise(ctx.name() + ": expected an input of rank " + Twine(spatial + 2) +
                     ", but got rank " + Twine(type.getRank()));
  bool isNearest = kind == Interpolation::Nearest || kind == Interpolation::NearestExact;
  if (!isNearest && !isFloat(type.getElementType()))
    return ctx.fail(ctx.name() + ": not implemented for '" + dtypeName(type.getElementType()) +
                    "'");
  Expr x(ctx, self);
  if (!isNearest)
    x = x.cast(computeType(type.getElementType()));
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t in = type.getDimSize(i + 2);
    if (ShapedType::isDynamic(in))
      return ctx.fail(ctx.name() + ": unknown spatial sizes are not supported");
    if (in <= 0 || outputSizes[i] <= 0)
      return ctx.raise(ctx.name() + ": Input and output sizes should be greater than 0");
    x = resampleDim(x, i + 2, taps(kind, in, outputSizes[i], alignCorners, scales[i]));
  }
  return done(ctx, x.cast(type.getElementType()));
}

/// `<name>.vec` (input, output_size?, [align_corners,] scale_factors?) and
/// `<name>` (self, output_size, [align_corners,] scale?...).
template <Interpolation kind, int64_t spatial> static FailureOr<Value> upsample(RuleContext &ctx) {
  constexpr bool hasCorners = kind == Interpolation::Linear || kind == Interpolation::Cubic;
  unsigned next = 2;
  bool alignCorners = hasCorners && ctx.constantBool(next++);
  SmallVector<double> scales(spatial, 0.0);
  SmallVector<int64_t> sizes;
  if (ctx.name().ends_with(".vec")) {
    if (!ctx.isNone(next)) {
      scales = ctx.constantFloatList(next);
      if (ctx.failed())
        return failure();
      if (static_cast<int64_t>(scales.size()) != spatial)
        return ctx.fail(ctx.name() + ": expected " + Twine(spatial) + " scale factors");
      RankedTensorType type = ctx.tensorType(0);
      if (type.getRank() != spatial + 2)
        return ctx.fail(ctx.name() + ": expected an input of rank " + Twine(spatial + 2));
      for (int64_t i = 0; i < spatial; ++i) {
        if (type.isDynamicDim(i + 2))
          return ctx.fail(ctx.name() + ": unknown spatial sizes are not supported");
        sizes.push_back(
            static_cast<int64_t>(static_cast<double>(type.getDimSize(i + 2)) * scales[i]));
      }
    } else {
      sizes = ctx.constantIntList(1, spatial);
    }
  } else {
    sizes = ctx.constantIntList(1, spatial);
    for (int64_t i = 0; i < spatial; ++i)
      scales[i] = ctx.constantFloat(next + i, 0.0);
  }
  if (ctx.failed())
    return failure();
  return resample(ctx, kind, spatial, sizes, alignCorners, scales);
}

void specialize::registerResamplingRules(RuleRegistry &registry) {
  for (StringRef overload : {"", ".vec"}) {
    auto add = [&](StringRef name, ValueRule rule) {
      registry.value((name + overload).str(), std::move(rule));
    };
    add("upsample_nearest1d", upsample<Interpolation::Nearest, 1>);
    add("upsample_nearest2d", upsample<Interpolation::Nearest, 2>);
    add("upsample_nearest3d", upsample<Interpolation::Nearest, 3>);
    add("_upsample_nearest_exact1d", upsample<Interpolation::NearestExact, 1>);
    add("_upsample_nearest_exact2d", upsample<Interpolation::NearestExact, 2>);
    add("_upsample_nearest_exact3d", upsample<Interpolation::NearestExact, 3>);
    add("upsample_linear1d", upsample<Interpolation::Linear, 1>);
    add("upsample_bilinear2d", upsample<Interpolation::Linear, 2>);
    add("upsample_trilinear3d", upsample<Interpolation::Linear, 3>);
    add("upsample_bicubic2d", upsample<Interpolation::Cubic, 2>);
  }
}
