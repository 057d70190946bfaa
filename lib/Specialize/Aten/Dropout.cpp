//===- Dropout.cpp - Rules of dropout and its kind ------------------------===//
#include "Families.h"
#include "RandomBuild.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {
/// What kind of dropout an operator is.
struct Kind {
  /// One number for each channel, not for each element.
  bool features;
  /// What is dropped becomes the least value of SELU; mean and deviation stay.
  bool keepsMoments;
};
} // namespace

/// Zeros and ones: one for each element of operand 0, or for each of its channels.
static Value drawNoise(RuleContext &ctx, Kind kind, double p) {
  Value input = ctx.tensor(0);
  if (ctx.failed())
    return {};
  Type type = getElementTypeOrSelf(input);
  RandomNumbers numbers{"bernoulli", {ctx.constantScalar(1 - p, ctx.b.getF64Type())}};
  if (!kind.features)
    return drawLike(ctx, 0, numbers, type, /*isInPlace=*/false);
  SmallVector<OpFoldResult> sizes = ctx.sizes(input);
  if (sizes.size() < 2) {
    (void)ctx.raise("Feature dropout requires at least 2 dimensions in the input");
    return {};
  }
  for (size_t i = 2; i < sizes.size(); ++i)
    sizes[i] = ctx.fold(1);
  return drawNumbers(ctx, numbers, type, sizes);
}

/// The result of an operator (input, p, train) in training. Each step is rounded to the element
/// type.
static Value dropped(RuleContext &ctx, Kind kind, double p) {
  Expr x(ctx, ctx.tensor(0));
  if (p == 1)
    return (x * 0.0).value();
  Value drawn = drawNoise(ctx, kind, p);
  if (!drawn)
    return {};
  Type type = getElementTypeOrSelf(drawn), wide = computeType(type);
  Expr noise(ctx, drawn);
  if (!kind.keepsMoments)
    return (x * (noise.cast(wide) / (1 - p)).cast(type)).value();
  const double alpha = 1.7580993408473766;
  double a = 1 / std::sqrt((alpha * alpha * p + 1) * (1 - p));
  auto rounded = [&](const Expr &e) { return e.cast(type).cast(wide); };
  Expr shift = rounded(noise.cast(wide) - 1.0);
  shift = rounded(shift * (alpha * a));
  shift = (shift + alpha * a * p).cast(type);
  return (x * (noise.cast(wide) * a).cast(type) + shift).value();
}

/// dropout, ... (input, p, train): outside of training input itself. In place as well.
template <bool features, bool keepsMoments>
static LogicalResult dropout(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  if (!ctx.isTensor(0))
    return ctx.fail("expected a tensor as operand #0");
  bool train = ctx.constantBool(2);
  double p = train ? ctx.constantFloat(1) : ctx.knownFloat(1).value_or(0);
  if (ctx.failed())
    return failure();
  if (!(p >= 0 && p <= 1))
    return ctx.raise("dropout probability has to be between 0 and 1, but got " +
                     Twine(std::to_string(p)));
  if (!train || p == 0) {
    results.push_back(ctx.operand(0));
    return success();
  }
  Type type = ctx.tensorType(0).getElementType();
  if (!isFloat(type))
    return isComplex(type) ? ctx.fail(ctx.name() + ": complex tensors are not supported")
                           : ctx.raise("result type Float can't be cast to " + dtypeName(type));
  bool isInPlace = ctx.name().ends_with("_");
  Value value = dropped(ctx, {features, keepsMoments}, p);
  if (!value || ctx.failed())
    return failure();
  if (!isInPlace) {
    Known contiguous = ctx.contiguous(0) == Known::Yes ? Known::Yes : Known::Maybe;
    results.push_back(ctx.makeTensor(value, contiguous));
    return success();
  }
  if (!ctx.writeTensor(ctx.operand(0), value))
    return failure();
  results.push_back(ctx.operand(0));
  return success();
}

/// native_dropout(input, p, train?) -> (output, mask): in training unless it is False.
static FailureOr<SmallVector<Value>> nativeDropout(RuleContext &ctx) {
  Value input = ctx.tensor(0);
  double p = ctx.constantFloat(1);
  bool train = ctx.constantBool(2, true);
  if (ctx.failed())
    return failure();
  Type i1 = ctx.b.getI1Type();
  if (!train) {
    Value mask = ctx.full(ctx.sizes(input), 1.0, i1);
    return SmallVector<Value>{input, mask};
  }
  if (!isFloat(getElementTypeOrSelf(input)))
    return ctx.fail("native_dropout: expected floats");
  RandomNumbers numbers{"bernoulli", {ctx.constantScalar(1 - p, ctx.b.getF64Type())}};
  Value mask = drawLike(ctx, 0, numbers, i1, /*isInPlace=*/false);
  if (!mask || ctx.failed())
    return failure();
  Expr x(ctx, input);
  Expr output = x * Expr(ctx, mask).cast(x.elementType()) * (p == 1 ? 0 : 1 / (1 - p));
  if (output.isNull())
    return failure();
  return SmallVector<Value>{output.value(), mask};
}

void specialize::registerDropoutRules(RuleRegistry &registry) {
  for (StringRef suffix : {"", "_"}) {
    registry.special(("dropout" + suffix).str(), dropout<false, false>);
    registry.special(("feature_dropout" + suffix).str(), dropout<true, false>);
    registry.special(("alpha_dropout" + suffix).str(), dropout<false, true>);
    registry.special(("feature_alpha_dropout" + suffix).str(), dropout<true, true>);
  }
  registry.values("native_dropout", nativeDropout);
}
