//===- Elementwise.cpp - Rules of elementwise functions of one tensor -----===//

#include "Families.h"
#include "TensorExpr.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// exp, sqrt, tanh, ...: integers and bool are computed in f32.
template <typename OpTy> static FailureOr<Value> floatUnary(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  return done(ctx, applyUnary<OpTy>(Expr(ctx, ctx.operandAs(0, type))));
}

/// ceil, floor, trunc: integers are whole already; bool is refused by PyTorch.
template <typename OpTy> static FailureOr<Value> rounding(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  if (isInt(type))
    return self;
  return done(ctx, applyUnary<OpTy>(Expr(ctx, self)));
}

/// abs, neg: every number.
template <typename OpTy> static FailureOr<Value> numberUnary(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(self)))
    return failure();
  return done(ctx, applyUnary<OpTy>(Expr(ctx, self)));
}

/// sign, sgn: a bool is its own sign.
static FailureOr<Value> signRule(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (isBool(type))
    return self;
  return done(ctx, sign(Expr(ctx, self)));
}

/// conj_physical(self) of real tensors: the values themselves.
static FailureOr<Value> sameValue(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  return self;
}

/// round.decimals(self, decimals): round(self * 10^decimals) / 10^decimals.
static FailureOr<Value> roundDecimals(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t decimals = ctx.constantInt(1);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  if (isInt(type))
    return ctx.fail("round: integers with decimals are not supported");
  Expr x(ctx, self);
  if (decimals == 0)
    return done(ctx, round(x));
  double scale = std::pow(10.0, std::abs(static_cast<double>(decimals)));
  Expr wide = x.cast(computeType(type));
  // PyTorch multiplies by, or divides by, the positive power, in this order.
  Expr result = decimals > 0 ? round(wide * scale) / scale : round(wide / scale) * scale;
  return done(ctx, result.cast(type));
}

/// reciprocal(self): 1 / self.
static FailureOr<Value> reciprocal(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  return done(ctx, 1.0 / Expr(ctx, ctx.operandAs(0, type)));
}

/// square(self): self to the power of 2, so that bool gives int64.
static FailureOr<Value> square(RuleContext &ctx) {
  Type type = ctx.tensorType(0).getElementType();
  if (!requireReal(ctx, type))
    return failure();
  if (isBool(type))
    type = ctx.b.getI64Type();
  Expr x(ctx, ctx.operandAs(0, type));
  return done(ctx, x * x);
}

/// frac(self): self - trunc(self).
static FailureOr<Value> frac(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  if (!isFloat(getElementTypeOrSelf(self)))
    return ctx.fail("frac: expected a floating-point tensor");
  Expr x(ctx, self);
  return done(ctx, x - trunc(x));
}

/// signbit(self): true for negative numbers, -0.0 and NaN with the sign set.
static FailureOr<Value> signbit(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  Expr x(ctx, self);
  if (isBool(type))
    return done(ctx, ctx.full(ctx.sizes(self), 0.0, type));
  if (isFloat(type))
    x = copysign(1.0, x);
  return done(ctx, x < 0.0);
}

/// isnan and the like: `ofFloat` for floats, the same answer for everything else.
static FailureOr<Value> predicate(RuleContext &ctx, bool others,
                                  llvm::function_ref<Expr(const Expr &)> ofFloat) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (!isFloat(type))
    return done(ctx, ctx.full(ctx.sizes(self), others, ctx.b.getI1Type()));
  return done(ctx, ofFloat(Expr(ctx, self)));
}

static FailureOr<Value> isnanRule(RuleContext &ctx) {
  return predicate(ctx, false, [](const Expr &x) { return isnan(x); });
}
static FailureOr<Value> isinfRule(RuleContext &ctx) {
  return predicate(ctx, false, [](const Expr &x) { return isinf(x); });
}
static FailureOr<Value> isfinite(RuleContext &ctx) {
  return predicate(ctx, true, [](const Expr &x) { return !(isnan(x) || isinf(x)); });
}
static FailureOr<Value> isposinf(RuleContext &ctx) {
  return predicate(ctx, false,
                   [](const Expr &x) { return x == std::numeric_limits<double>::infinity(); });
}
static FailureOr<Value> isneginf(RuleContext &ctx) {
  return predicate(ctx, false,
                   [](const Expr &x) { return x == -std::numeric_limits<double>::infinity(); });
}
static FailureOr<Value> isreal(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  return done(ctx, ctx.full(ctx.sizes(self), 1.0, ctx.b.getI1Type()));
}

/// logical_not(self): self == 0, as bool.
static FailureOr<Value> logicalNot(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  return done(ctx, !Expr(ctx, self).cast(ctx.b.getI1Type()));
}

/// bitwise_not(self): integers and bool.
static FailureOr<Value> bitwiseNot(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed())
    return failure();
  if (!isa<IntegerType>(type))
    return ctx.raise("bitwise_not: expected an integer or bool tensor");
  return done(ctx, !Expr(ctx, self));
}

/// deg2rad, rad2deg: a multiplication, integers in f32.
template <bool toRadians> static FailureOr<Value> degrees(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  constexpr double pi = 3.14159265358979323846;
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(computeType(type));
  return done(ctx, (x * (toRadians ? pi / 180.0 : 180.0 / pi)).cast(type));
}

/// The largest finite number of a float type.
static double largestFinite(Type type) {
  return APFloat::getLargest(cast<FloatType>(type).getFloatSemantics()).convertToDouble();
}

/// nan_to_num(self, nan?, posinf?, neginf?): 0, the largest and the least finite number by default.
static FailureOr<Value> nanToNum(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (!isFloat(type))
    return self;
  double infinity = std::numeric_limits<double>::infinity();
  double nan = ctx.constantFloat(1, 0.0);
  double above = ctx.constantFloat(2, largestFinite(type));
  double below = ctx.constantFloat(3, -largestFinite(type));
  if (ctx.failed())
    return failure();
  Expr x(ctx, self);
  Expr infinite = where(x == infinity, above, where(x == -infinity, below, x));
  return done(ctx, where(isnan(x), nan, infinite));
}

/// sinc(self): sin(pi x) / (pi x), 1 at 0.
static FailureOr<Value> sinc(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  Expr x(ctx, ctx.operandAs(0, type));
  Expr scaled = x.cast(computeType(type)) * 3.14159265358979323846;
  return done(ctx, where(scaled == 0.0, 1.0, sin(scaled) / scaled).cast(type));
}

/// logit(self, eps?): log(x / (1 - x)), x limited to [eps, 1 - eps] where eps is given.
static FailureOr<Value> logit(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(computeType(type));
  if (!ctx.isNone(1)) {
    double eps = ctx.constantFloat(1);
    // As PyTorch does: the upper limit is computed in the tensor's own type.
    Expr low = x.constant(eps), high = x.constant(1.0) - eps;
    x = where(x < low, low, where(x > high, high, x));
  }
  return done(ctx, log(x / (1.0 - x)).cast(type));
}

/// erfinv(self) by Giles' approximation refined by two steps of Newton's method, as PyTorch does
/// it.
static FailureOr<Value> erfinv(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  Expr y = Expr(ctx, ctx.operandAs(0, type)).cast(computeType(type));
  auto polynomial = [](const Expr &x, ArrayRef<double> coefficients) {
    Expr result = x.constant(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      result = result * x + coefficient;
    return result;
  };
  Expr z = y * y;
  Expr central = y * polynomial(z, {0.886226899, -1.645349621, 0.914624893, -0.140543331}) /
                 polynomial(z, {1.0, -2.118377725, 1.442710462, -0.329097515, 0.012229801});
  Expr w = sqrt(-log((1.0 - abs(y)) / 2.0));
  Expr tail = polynomial(w, {-1.970840454, -1.624906493, 3.429567803, 1.641345311}) /
              polynomial(w, {1.0, 3.543889200, 1.637067800});
  Expr x = where(abs(y) <= 0.7, central, copysign(tail, y));
  double factor = 2.0 / std::sqrt(3.14159265358979323846);
  for (int step = 0; step < 2; ++step)
    x = x - (erf(x) - y) / (factor * exp(-(x * x)));
  double infinity = std::numeric_limits<double>::infinity();
  Expr edge = where(abs(y) == 1.0, copysign(x.constant(infinity), y), x);
  return done(ctx, where(abs(y) > 1.0, std::numeric_limits<double>::quiet_NaN(), edge).cast(type));
}

/// special_entr(self): -x log(x) above 0, 0 at 0, -inf below.
static FailureOr<Value> entr(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(computeType(type));
  Expr positive = where(x > 0.0, -x * log(x), where(x == 0.0, 0.0, x.constant(-INFINITY)));
  return done(ctx, where(isnan(x), x, positive).cast(type));
}

/// special_ndtr(self): the normal distribution function, erfc(-x / sqrt(2)) / 2.
static FailureOr<Value> ndtr(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(computeType(type));
  return done(ctx, (erfc(x * -0.70710678118654752440) * 0.5).cast(type));
}

/// angle(self) of a real tensor: pi below 0, 0 elsewhere, NaN for NaN.
static FailureOr<Value> angle(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  if (!requireReal(ctx, type))
    return failure();
  Expr x(ctx, ctx.operandAs(0, type));
  return done(ctx, where(isnan(x), x, where(x < 0.0, x.constant(3.14159265358979323846), 0.0)));
}

void specialize::registerElementwiseRules(RuleRegistry &registry) {
  registry.value("acos", floatUnary<AcosOp>);
  registry.value("acosh", floatUnary<AcoshOp>);
  registry.value("asin", floatUnary<AsinOp>);
  registry.value("asinh", floatUnary<AsinhOp>);
  registry.value("atan", floatUnary<AtanOp>);
  registry.value("atanh", floatUnary<AtanhOp>);
  registry.value("cos", floatUnary<CosOp>);
  registry.value("cosh", floatUnary<CoshOp>);
  registry.value("erf", floatUnary<ErfOp>);
  registry.value("erfc", floatUnary<ErfcOp>);
  registry.value("exp", floatUnary<ExpOp>);
  registry.value("exp2", floatUnary<Exp2Op>);
  registry.value("expm1", floatUnary<Expm1Op>);
  registry.value("log", floatUnary<LogOp>);
  registry.value("log10", floatUnary<Log10Op>);
  registry.value("log1p", floatUnary<Log1pOp>);
  registry.value("log2", floatUnary<Log2Op>);
  registry.value("rsqrt", floatUnary<RsqrtOp>);
  registry.value("sigmoid", floatUnary<SigmoidOp>);
  registry.value("sin", floatUnary<SinOp>);
  registry.value("sinh", floatUnary<SinhOp>);
  registry.value("sqrt", floatUnary<SqrtOp>);
  registry.value("tan", floatUnary<TanOp>);
  registry.value("tanh", floatUnary<TanhOp>);

  registry.value("ceil", rounding<CeilOp>);
  registry.value("floor", rounding<FloorOp>);
  registry.value("round", rounding<RoundOp>);
  registry.value("round.decimals", roundDecimals);
  registry.value("trunc", rounding<TruncOp>);

  registry.value("abs", numberUnary<AbsOp>);
  registry.value("prim::abs", numberUnary<AbsOp>);
  registry.value("angle", angle);
  registry.value("bitwise_not", bitwiseNot);
  registry.value("deg2rad", degrees<true>);
  registry.value("erfinv", erfinv);
  registry.value("frac", frac);
  registry.value("isfinite", isfinite);
  registry.value("isinf", isinfRule);
  registry.value("isnan", isnanRule);
  registry.value("isneginf", isneginf);
  registry.value("isposinf", isposinf);
  registry.value("isreal", isreal);
  registry.value("logical_not", logicalNot);
  registry.value("logit", logit);
  registry.value("nan_to_num", nanToNum);
  registry.value("neg", numberUnary<NegOp>);
  registry.value("conj_physical", sameValue);
  registry.value("rad2deg", degrees<false>);
  registry.value("reciprocal", reciprocal);
  registry.value("sgn", signRule);
  registry.value("sign", signRule);
  registry.value("signbit", signbit);
  registry.value("sinc", sinc);
  registry.value("special_entr", entr);
  registry.value("special_ndtr", ndtr);
  registry.value("square", square);
}
