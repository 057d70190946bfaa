//===- Gamma.cpp - Rules of the gamma function and its relatives ----------===//

#include "Families.h"
#include "SpecialHelpers.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

constexpr double pi = 3.14159265358979323846;

/// The coefficients of the power series of log(gamma(1 + z)) / z: +-zeta(k) / k, the highest first.
static SmallVector<double> logGammaCoefficients() {
  constexpr int terms = 2000;
  SmallVector<double> coefficients;
  for (int k = 30; k >= 2; --k) {
    // What the sum leaves out, by Euler and Maclaurin.
    double zeta = std::pow(terms, 1 - k) / (k - 1) - 0.5 * std::pow(terms, -k) +
                  k * std::pow(terms, -k - 1) / 12;
    for (int n = terms; n >= 1; --n)
      zeta += std::pow(n, -k);
    coefficients.push_back((k % 2 ? -1 : 1) * zeta / k);
  }
  coefficients.push_back(-0.577215664901532860606512); // Euler's constant
  return coefficients;
}

/// log(gamma(1 + z)) of |z| <= 0.3.
static Expr logGammaNearOne(const Expr &z) {
  static const SmallVector<double> coefficients = logGammaCoefficients();
  return z * polynomial(z, coefficients);
}

/// log |gamma(x)| in f64: Lanczos' sum from 0.5 on, the power series around its zeros 1 and 2,
/// reflection below.
static Expr logGamma(const Expr &x) {
  Expr isLow = x < x.constant(0.5), y = where(isLow, 1.0 - x, x) - 1.0;
  constexpr double lanczos[] = {676.5203681218851,     -1259.1392167224028,  771.32342877765313,
                                -176.61502916214059,   12.507343278686905,   -0.13857109526572012,
                                9.9843695780195716e-6, 1.5056327351493116e-7};
  Expr series = y.constant(0.99999999999980993);
  for (auto [i, coefficient] : llvm::enumerate(ArrayRef(lanczos)))
    series = series + y.constant(coefficient) / (y + (i + 1.0));
  Expr t = y + 7.5;
  Expr general = (y + 0.5) * log(t) - t + log(series * 2.5066282746310005024);
  Expr nearOne = logGammaNearOne(y), z = y - 1.0;
  Expr nearTwo = logGammaNearOne(z) + log1p(z);
  Expr high = where(abs(y) <= 0.3, nearOne, where(abs(z) <= 0.3, nearTwo, general));
  // sin(pi x) without the rounding of pi x.
  Expr reflected = log(pi / abs(sin((x - round(x)) * pi))) - high;
  Expr result = where(isLow, reflected, high);
  return where(isinf(x), kInfinity, result);
}

static FailureOr<Value> logGammaRule(RuleContext &ctx) { return wideFormula(ctx, logGamma); }

/// mvlgamma(self, p): the sum of p logarithms and a constant. PyTorch computes each of them in the
/// result's type.
static FailureOr<Value> mvlgamma(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  int64_t p = ctx.constantInt(1);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (p < 1)
    return ctx.raise("p has to be greater than or equal to 1");
  if (p > 64)
    return ctx.fail("mvlgamma: p above 64 is not supported");
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(ctx.b.getF64Type());
  Expr result = x.constant(static_cast<double>(p * (p - 1)) * std::log(pi) / 4);
  for (int64_t i = 0; i < p; ++i)
    result = result + logGamma(x - 0.5 * static_cast<double>(i));
  return done(ctx, result.cast(type));
}

/// The derivative of log(gamma(x)), in f64.
static Expr digammaOf(const Expr &x) {
  Expr isLow = x < 0.0, y = where(isLow, 1.0 - x, x);
  Expr result = y.constant(0.0);
  for (int i = 0; i < 10; ++i)
    result = result - 1.0 / (y + static_cast<double>(i));
  y = y + 10.0;
  Expr z = 1.0 / (y * y);
  Expr tail = z * polynomial(z, {8.33333333333333333333E-2, -2.10927960927960927961E-2,
                                 7.57575757575757575758E-3, -4.16666666666666666667E-3,
                                 3.96825396825396825397E-3, -8.33333333333333333333E-3,
                                 8.33333333333333333333E-2});
  result = result + log(y) - 0.5 / y - tail;
  Expr fraction = x - trunc(x);
  result = where(isLow, result - pi / tan(fraction * pi), result);
  result = where(isLow && fraction == 0.0, kNaN, result);
  // Minus infinity has no fraction but is whole.
  result = where(x == -kInfinity, kNaN, result);
  return where(x == 0.0, copysign(x.constant(kInfinity), -x), result);
}

static FailureOr<Value> digamma(RuleContext &ctx) { return wideFormula(ctx, digammaOf); }

/// The derivative of digamma. At whole numbers up to 0 PyTorch gives the square of what its type
/// makes of 1 / sin(pi x).
static Expr trigamma(const Expr &x) {
  Expr isLow = x < x.constant(0.5), y = where(isLow, 1.0 - x, x), result = y.constant(0.0);
  Expr sine = sin(x * pi), reflected = x.constant(pi) * pi / (sine * sine);
  for (int i = 0; i < 6; ++i) {
    result = result + 1.0 / (y * y);
    y = y + 1.0;
  }
  Expr square = 1.0 / (y * y);
  Expr tail = 1.0 + 0.5 / y + square * (1.0 / 6 - square * (1.0 / 30 - square * (1.0 / 42)));
  result = result + tail / y;
  return where(isLow, reflected - result, result);
}

/// q^-x, in f64.
using InversePower = llvm::function_ref<Expr(const Expr &q)>;

/// Hurwitz' zeta function of x > 1 and q > 0, the sum of (q + k)^-x over all k >= 0: ten terms, and
/// the rest by Euler and Maclaurin.
static Expr zetaAbove(const Expr &x, const Expr &q, InversePower inversePower) {
  Expr total = inversePower(q), w = q, b = total;
  for (int i = 1; i <= 9; ++i) {
    w = w + 1.0;
    b = inversePower(w);
    total = total + b;
  }
  Expr isDone = b < total * 1.11022302462515654042E-16;
  Expr rest = b * w / (x - 1.0) - b * 0.5, factor = x.constant(1.0);
  // (2j)! over the Bernoulli number of 2j
  constexpr double divisors[] = {12.0,
                                 -720.0,
                                 30240.0,
                                 -1209600.0,
                                 47900160.0,
                                 -1.8924375803183791606e9,
                                 7.47242496e10,
                                 -2.950130727918164224e12,
                                 1.1646782814350067249e14,
                                 -4.5979787224074726105e15,
                                 1.8152105401943546773e17,
                                 -7.1661652561756670113e18};
  double k = 0;
  for (double divisor : divisors) {
    factor = factor * (x + k);
    b = b / w;
    rest = rest + factor * b / divisor;
    factor = factor * (x + (k + 1));
    b = b / w;
    k += 2;
  }
  return total + where(isDone, 0.0, rest);
}

/// As `zetaAbove` for every x and q. Where q is below 0 and x whole, the terms at numbers below 0
/// are, but for their sign, what two of its values differ by.
static Expr hurwitzZeta(const Expr &x, const Expr &q, InversePower inversePower) {
  Expr isBelow = q < 0.0, shifted = q + ceil(-q); // in [0, 1)
  Expr above = zetaAbove(x, where(isBelow, shifted, q), inversePower);
  Expr mirrored = zetaAbove(x, 1.0 - shifted, inversePower) -
                  zetaAbove(x, where(isBelow, 1.0 - q, 1.0), inversePower);
  Expr isOdd = x - floor(x * 0.5) * 2.0 == 1.0;
  Expr below = above + where(isOdd, -mirrored, mirrored);
  Expr result = where(isBelow, below, above);
  result = where(isBelow && x != floor(x), kNaN, result);
  result = where(q <= q.constant(0.0) && q == floor(q), kInfinity, result);
  return where(x == 1.0, kInfinity, where(x < 1.0, kNaN, result));
}

/// special_zeta(x, q), and with a number for either.
static FailureOr<Value> zeta(RuleContext &ctx) {
  Type type = ctx.floatResultType({0, 1}), f64 = ctx.b.getF64Type();
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(f64),
       q = Expr(ctx, ctx.operandAs(1, type)).cast(f64);
  if (x.isNull() || q.isNull())
    return failure();
  return done(ctx, hurwitzZeta(x, q, [&](const Expr &at) { return power(at, -x); }).cast(type));
}

/// The n-th derivative of digamma, n >= 2, by Hurwitz' zeta function.
static Expr polygammaOf(const Expr &x, int64_t n) {
  Expr order = x.constant(static_cast<double>(n + 1));
  Expr zeta = hurwitzZeta(order, x, [&](const Expr &q) {
    Expr power = q;
    for (int64_t i = 0; i < n; ++i)
      power = power * q;
    return 1.0 / power;
  });
  double factorial = std::exp(std::lgamma(static_cast<double>(n + 1)));
  return zeta * (n % 2 ? factorial : -factorial);
}

/// polygamma(n, self), polygamma_(self, n).
static FailureOr<Value> polygamma(RuleContext &ctx) {
  unsigned self = ctx.isTensor(0) ? 0 : 1;
  int64_t n = ctx.constantInt(1 - self);
  Type type = ctx.floatResultType({self});
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (n < 0)
    return ctx.raise("polygamma(n, x) does not support negative n.");
  if (n > 30)
    return ctx.fail("polygamma: n above 30 is not supported");
  Expr x = Expr(ctx, ctx.operandAs(self, type)).cast(computeType(type));
  if (x.isNull())
    return failure();
  if (n == 1)
    return done(ctx, trigamma(x).cast(type));
  x = x.cast(ctx.b.getF64Type());
  return done(ctx, (n == 0 ? digammaOf(x) : polygammaOf(x, n)).cast(type));
}

void specialize::registerGammaRules(RuleRegistry &registry) {
  for (const char *name : {"lgamma", "special_gammaln"})
    registry.value(name, logGammaRule);
  for (const char *name : {"mvlgamma", "special_multigammaln"})
    registry.value(name, mvlgamma);
  for (const char *name : {"digamma", "special_digamma", "special_psi"})
    registry.value(name, digamma);
  for (const char *name : {"polygamma", "special_polygamma"})
    registry.value(name, polygamma);
  for (const char *name : {"special_zeta", "special_zeta.other_scalar", "special_zeta.self_scalar"})
    registry.value(name, zeta);
}
