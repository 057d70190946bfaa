//===- Resampling.cpp - Rules of interpolation ----------------------------===//
//
// All of them are separable: along each spatial dimension the result is a weighted sum of elements
// at positions that are constants where the sizes are, and computed at run time where they are not.

#include "CheckedBuild.h"
#include "Families.h"
#include "TensorExpr.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

namespace {
/// One tap along a dimension: the positions read, and their weights (empty: 1).
struct Tap {
  SmallVector<int64_t> positions;
  SmallVector<double> weights;
};
enum class Interpolation { Nearest, NearestExact, Linear, Cubic };

/// What the positions along a dimension depend on, but for its sizes.
struct Sampling {
  Interpolation kind;
  bool alignCorners;
  /// How many dimensions are resampled.
  int64_t spatial;

  bool isNearest() const {
    return kind == Interpolation::Nearest || kind == Interpolation::NearestExact;
  }
  /// Positions and weights of f64 are computed in f64, except for the nearest element of planes.
  Type coordinates(Type element) const {
    bool isDouble = element.isF64() && !(isNearest() && spatial == 2);
    return isDouble ? element : Float32Type::get(element.getContext());
  }
  /// Where a size stays, or is doubled, PyTorch copies or doubles elements whatever the factor;
  /// with lines and volumes only when it interpolates.
  bool copies() const {
    return kind == Interpolation::Linear || (kind == Interpolation::Nearest && spatial == 2);
  }
  bool doubles() const { return kind == Interpolation::Nearest && spatial == 2; }
};
} // namespace

/// Source positions per element as PyTorch computes them, in T. A positive `given` is the scale
/// factor that the program named.
template <typename T>
static SmallVector<Tap> taps(const Sampling &sampling, int64_t in, int64_t out, double given) {
  bool alignCorners = sampling.alignCorners;
  T scale;
  if (alignCorners)
    scale = out > 1 ? static_cast<T>(in - 1) / (out - 1) : T(0);
  else
    scale = given > 0 ? static_cast<T>(1.0 / given) : static_cast<T>(in) / out;
  auto limited = [in](int64_t position) {
    return std::min(std::max<int64_t>(position, 0), in - 1);
  };
  if (out == in && sampling.copies())
    scale = 1;
  if (out == 2 * in && sampling.doubles())
    scale = T(0.5);
  Interpolation kind = sampling.kind;
  SmallVector<Tap> result(kind == Interpolation::Linear ? 2 : kind == Interpolation::Cubic ? 4 : 1);
  for (int64_t i = 0; i < out; ++i) {
    switch (kind) {
    case Interpolation::Nearest:
      // The floor is that of an f32, of f64 too.
      result[0].positions.push_back(
          std::min(static_cast<int64_t>(std::floor(static_cast<float>(i * scale))), in - 1));
      break;
    case Interpolation::NearestExact:
      result[0].positions.push_back(std::min(
          static_cast<int64_t>(std::floor(static_cast<float>((i + T(0.5)) * scale))), in - 1));
      break;
    case Interpolation::Linear: {
      T at = alignCorners ? scale * i : std::max(T(0), scale * (i + T(0.5)) - T(0.5));
      int64_t first = std::min(static_cast<int64_t>(at), in - 1);
      T weight = std::min(std::max(at - first, T(0)), T(1));
      result[0].positions.push_back(first);
      // Where the size stays, the element itself: 0 times its neighbour may be NaN.
      result[1].positions.push_back(first + (out != in && first < in - 1 ? 1 : 0));
      result[0].weights.push_back(T(1) - weight);
      result[1].weights.push_back(weight);
      break;
    }
    case Interpolation::Cubic: {
      T a = T(-0.75);
      T at = alignCorners ? scale * i : scale * (i + T(0.5)) - T(0.5);
      T whole = std::floor(at), t = at - whole;
      auto near = [=](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
      auto far = [=](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
      T weights[4] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
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

/// The same as tensors: i64, and of the coordinates' type or null.
static SmallVector<std::pair<Expr, Expr>> asTensors(RuleContext &ctx, ArrayRef<Tap> taps,
                                                    Type coordinates) {
  SmallVector<std::pair<Expr, Expr>> result;
  for (const Tap &tap : taps) {
    int64_t count = tap.positions.size();
    auto constant = [&](DenseElementsAttr elements) {
      return Expr(ctx, arith::ConstantOp::create(ctx.b, ctx.loc, elements));
    };
    Expr positions = constant(DenseElementsAttr::get(
        RankedTensorType::get({count}, ctx.b.getI64Type()), ArrayRef(tap.positions)));
    Expr weights(ctx, {});
    if (!tap.weights.empty()) {
      SmallVector<Attribute> values = llvm::map_to_vector(tap.weights, [&](double weight) {
        return Attribute(FloatAttr::get(coordinates, weight));
      });
      weights =
          constant(DenseElementsAttr::get(RankedTensorType::get({count}, coordinates), values));
    }
    result.push_back({positions, weights});
  }
  return result;
}

namespace {
/// One dimension to be resampled.
struct Axis {
  OpFoldResult in, out;
  /// The scale factor that the program named, if it did (f64).
  Value given;
};
} // namespace

/// How far it is from one element of the result to the next, in elements of the source.
static Expr pace(RuleContext &ctx, const Sampling &sampling, const Axis &axis, Type coordinates) {
  auto sizeAs = [&](OpFoldResult size) {
    return Expr(ctx, ctx.fromScalar(ctx.intValue(size))).cast(coordinates);
  };
  if (sampling.alignCorners) {
    Expr way = sizeAs(axis.in) - 1.0, steps = sizeAs(ctx.sub(axis.out, ctx.fold(1)));
    return where(steps > 0.0, way / maximum(steps, 1.0), 0.0);
  }
  if (axis.given) {
    Expr named = (1.0 / Expr(ctx, ctx.fromScalar(axis.given))).cast(coordinates);
    Expr in = sizeAs(axis.in), out = sizeAs(axis.out);
    if (sampling.doubles())
      named = where(out == in * 2.0, 0.5, named);
    return sampling.copies() ? where(out == in, 1.0, named) : named;
  }
  return sizeAs(axis.in) / sizeAs(axis.out);
}

/// As `taps`, computed at run time.
static SmallVector<std::pair<Expr, Expr>> tapsAtRunTime(RuleContext &ctx, const Sampling &sampling,
                                                        const Axis &axis, Type coordinates) {
  Type i64 = ctx.b.getI64Type(), f32 = ctx.b.getF32Type();
  Interpolation kind = sampling.kind;
  Expr i = Expr(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{axis.out}, 0))
               .cast(coordinates);
  Expr scale = pace(ctx, sampling, axis, coordinates),
       last(ctx, ctx.fromScalar(ctx.intValue(ctx.sub(axis.in, ctx.fold(1)))));
  auto limited = [&](const Expr &position) { return minimum(maximum(position, 0.0), last); };
  Expr at = i * scale;
  if (kind == Interpolation::NearestExact)
    at = (i + 0.5) * scale;
  else if (kind != Interpolation::Nearest && !sampling.alignCorners)
    at = (i + 0.5) * scale - 0.5;
  switch (kind) {
  case Interpolation::Nearest:
  case Interpolation::NearestExact:
    // The floor is that of an f32, of f64 too.
    return {{limited(floor(at.cast(f32)).cast(i64)), Expr(ctx, {})}};
  case Interpolation::Linear: {
    at = maximum(at, 0.0);
    Expr first = limited(at.cast(i64));
    Expr weight = minimum(maximum(at - first.cast(coordinates), 0.0), 1.0);
    // Where the size stays, the element itself: 0 times its neighbour may be NaN.
    Expr isResized(ctx, ctx.fromScalar(ctx.intValue(ctx.sub(axis.out, axis.in))));
    Expr next =
        first + where(isResized != 0.0, Expr(ctx, ctx.fromScalar(ctx.intValue(ctx.fold(1)))), 0.0);
    return {{first, 1.0 - weight}, {limited(next), weight}};
  }
  case Interpolation::Cubic: {
    double a = -0.75;
    Expr whole = floor(at), t = at - whole, first = whole.cast(i64);
    auto near = [=](const Expr &x) { return ((x * (a + 2)) - (a + 3)) * x * x + 1.0; };
    auto far = [=](const Expr &x) { return ((x * a - 5 * a) * x + 8 * a) * x - 4 * a; };
    return {{limited(first - 1.0), far(t + 1.0)},
            {limited(first), near(t)},
            {limited(first + 1.0), near(1.0 - t)},
            {limited(first + 2.0), far(2.0 - t)}};
  }
  }
  llvm_unreachable("all kinds covered");
}

/// Applies the taps along one dimension.
static Expr resampleDim(const Expr &x, int64_t dim, ArrayRef<std::pair<Expr, Expr>> taps) {
  RuleContext &ctx = x.ctx();
  if (x.isNull())
    return x;
  Expr total(ctx, {});
  for (auto [positions, weights] : taps) {
    if (positions.isNull())
      return positions;
    Expr part(ctx,
              checkedValue<TakeOp>(ctx, x.value(), positions.value(), static_cast<uint64_t>(dim)));
    if (part.isNull())
      return part;
    if (weights.value()) {
      SmallVector<OpFoldResult> shape(rankOf(x.value()) - dim, ctx.fold(1));
      shape.front() = ctx.size(weights.value(), 0);
      part = part * Expr(ctx, ctx.reshape(weights.value(), shape)).cast(x.elementType());
    }
    total = total.value() ? total + part : part;
  }
  return total;
}

/// Raises unless a size is above 0.
static void requireSome(RuleContext &ctx, OpFoldResult size) {
  if (std::optional<int64_t> known = getConstantIntValue(size); known && *known > 0)
    return;
  Value some = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt, ctx.intValue(size),
                                     ctx.intValue(ctx.fold(0)));
  ctx.check(some, ctx.name() + ": Input and output sizes should be greater than 0, but got {}",
            ctx.intValue(size));
}

/// Resamples the last dimensions.
static FailureOr<Value> resample(RuleContext &ctx, const Sampling &sampling, ArrayRef<Axis> axes) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  auto type = cast<RankedTensorType>(self.getType());
  if (!sampling.isNearest() && !isFloat(type.getElementType()))
    return ctx.fail(ctx.name() + ": not implemented for '" + dtypeName(type.getElementType()) +
                    "'");
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  requireSome(ctx, sizes[1]);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    requireSome(ctx, axis.in);
    requireSome(ctx, axis.out);
    sizes[i + 2] = axis.out;
  }
  if (ctx.failed() || !ctx.requireSizes(sizes))
    return failure();
  Expr x(ctx, self);
  if (!sampling.isNearest())
    x = x.cast(computeType(type.getElementType()));
  Type coordinates = sampling.coordinates(type.getElementType());
  for (auto [i, axis] : llvm::enumerate(axes)) {
    std::optional<int64_t> in = getConstantIntValue(axis.in), out = getConstantIntValue(axis.out);
    FloatAttr factor;
    bool isConstant = in && out && (!axis.given || matchPattern(axis.given, m_Constant(&factor)));
    double given = factor ? factor.getValueAsDouble() : 0;
    auto constant = [&] {
      return asTensors(ctx,
                       coordinates.isF64() ? taps<double>(sampling, *in, *out, given)
                                           : taps<float>(sampling, *in, *out, given),
                       coordinates);
    };
    x = resampleDim(x, i + 2,
                    isConstant ? constant() : tapsAtRunTime(ctx, sampling, axis, coordinates));
  }
  return done(ctx, x.cast(type.getElementType()));
}

/// A size times a factor, rounded down: at least 1, and no more than a tensor can have.
static OpFoldResult scaled(RuleContext &ctx, OpFoldResult size, Value factor) {
  FloatAttr known;
  std::optional<int64_t> in = getConstantIntValue(size);
  if (in && matchPattern(factor, m_Constant(&known)))
    return ctx.fold(static_cast<int64_t>(static_cast<double>(*in) * known.getValueAsDouble()));
  Type f64 = ctx.b.getF64Type();
  Value number = arith::SIToFPOp::create(ctx.b, ctx.loc, f64, ctx.intValue(size));
  Value product = arith::MulFOp::create(ctx.b, ctx.loc, number, factor);
  auto check = [&](arith::CmpFPredicate predicate, double bound, const char *message) {
    Value limit = ctx.constantScalar(bound, f64);
    ctx.check(arith::CmpFOp::create(ctx.b, ctx.loc, predicate, product, limit), message);
  };
  check(arith::CmpFPredicate::OGE, 1.0, "Input and output sizes should be greater than 0");
  check(arith::CmpFPredicate::OLE, 0x1p47, "interpolation to too many elements");
  // What a check that fails is behind may not be a number.
  Value most = ctx.constantScalar(0x1p47, f64), least = ctx.constantScalar(1.0, f64);
  product = arith::MinNumFOp::create(ctx.b, ctx.loc, product, most);
  product = arith::MaxNumFOp::create(ctx.b, ctx.loc, product, least);
  return ctx.indexValue(OpFoldResult(
      arith::FPToSIOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), product).getResult()));
}

/// The elements of a list of floats, f64.
static SmallVector<Value> floatList(RuleContext &ctx, unsigned i) {
  SmallVector<Value> values;
  for (const SpecValue &element : ctx.elements(ctx.operand(i))) {
    if (!element.is(ValueKind::Float)) {
      (void)ctx.fail(ctx.name() + ": expected a list of floats as operand #" + Twine(i));
      return values;
    }
    values.push_back(ctx.scalarValue(element));
  }
  return values;
}

/// `<name>.vec` (input, output_size?, [align_corners,] scale_factors?) and
/// `<name>` (self, output_size, [align_corners,] scale?...).
template <Interpolation kind, int64_t spatial> static FailureOr<Value> upsample(RuleContext &ctx) {
  constexpr bool hasCorners = kind == Interpolation::Linear || kind == Interpolation::Cubic;
  unsigned next = 2;
  bool alignCorners = hasCorners && ctx.constantBool(next++);
  RankedTensorType type = ctx.tensorType(0);
  if (ctx.failed())
    return failure();
  if (type.getRank() != spatial + 2)
    return ctx.fail(ctx.name() + ": expected an input of rank " + Twine(spatial + 2) +
                    ", but got rank " + Twine(type.getRank()));
  bool isVector = ctx.name().ends_with(".vec"), byFactor = isVector && !ctx.isNone(next);
  SmallVector<OpFoldResult> sizes = byFactor ? SmallVector<OpFoldResult>() : ctx.indexList(1);
  SmallVector<Value> factors(spatial);
  if (byFactor) {
    factors = floatList(ctx, next);
  } else if (!isVector) {
    for (int64_t i = 0; i < spatial; ++i)
      if (!ctx.isNone(next + i))
        factors[i] = ctx.scalarAs(next + i, ctx.b.getF64Type());
  }
  if (sizes.size() == 1)
    sizes.append(spatial - 1, sizes.front());
  if (ctx.failed())
    return failure();
  if (factors.size() != spatial || (!byFactor && sizes.size() != spatial))
    return ctx.fail(ctx.name() + ": expected " + Twine(spatial) + " sizes or scale factors");
  SmallVector<Axis> axes;
  for (int64_t i = 0; i < spatial; ++i) {
    OpFoldResult in = ctx.size(ctx.tensor(0), i + 2);
    axes.push_back({in, byFactor ? scaled(ctx, in, factors[i]) : sizes[i], factors[i]});
  }
  return resample(ctx, Sampling{kind, alignCorners, spatial}, axes);
}

void specialize::registerResamplingRules(RuleRegistry &registry) {
  for (StringRef overload : {"", ".vec"}) {
    auto add = [&](StringRef name, ValueRule sampling) {
      registry.value((name + overload).str(), std::move(sampling));
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
