//===- Special.cpp - Rules of the normal distribution's functions ---------===//

#include "Families.h"
#include "SpecialHelpers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {
/// Rational approximations of the Cephes library, of numerator and denominator: about the middle,
/// below 8 and from 8 on of sqrt(-2 log(y)).
constexpr double ndtriP0[] = {-59.96335010141079, 98.00107541859997, -56.67628574690703,
                              13.931260938727968, -1.2391658386738125};
constexpr double ndtriQ0[] = {1.0,
                              1.9544885833814176,
                              4.676279128988815,
                              86.36024213908905,
                              -225.46268785411937,
                              200.26021238006066,
                              -82.03722561683334,
                              15.90562251262117,
                              -1.1833162112133};
constexpr double ndtriP1[] = {4.0554489230596245,  31.525109459989388,   57.16281922464213,
                              44.08050738932008,   14.684956192885803,   2.1866330685079025,
                              -0.1402560791713545, -0.03504246268278482, -0.0008574567851546854};
constexpr double ndtriQ1[] = {1.0,
                              15.779988325646675,
                              45.39076351288792,
                              41.3172038254672,
                              15.04253856929075,
                              2.504649462083094,
                              -0.14218292285478779,
                              -0.03808064076915783,
                              -0.0009332594808954574};
constexpr double ndtriP2[] = {
    3.2377489177694603,     6.915228890689842,      3.9388102529247444,
    1.3330346081580755,     0.20148538954917908,    0.012371663481782003,
    0.00030158155350823543, 2.6580697468673755e-06, 6.239745391849833e-09};
constexpr double ndtriQ2[] = {1.0,
                              6.02427039364742,
                              3.6798356385616087,
                              1.3770209948908132,
                              0.21623699359449663,
                              0.013420400608854318,
                              0.00032801446468212774,
                              2.8924786474538068e-06,
                              6.790194080099813e-09};
} // namespace

/// e^(x^2) erfc(x), in f64. The square is taken of what has half of the digits, exactly, so that
/// the exponential does not magnify its rounding.
static Expr erfcxOf(const Expr &x) {
  Expr near = where(x < x.constant(25.0), x, 25.0);
  Expr head = near.cast(x.ctx().b.getF32Type()).cast(x.elementType());
  Expr grown = exp(head * head) * exp((near - head) * (near + head));
  Expr z = x * x;
  Expr far = 0.56418958354775628694807945156 * (z * (z + 4.5) + 2.0) / (x * (z * (z + 5.0) + 3.75));
  far = where(x > x.constant(5e7), 0.56418958354775628694807945156 / x, far);
  Expr result = where(x < x.constant(25.0), grown * erfc(near), far);
  return where(isnan(x), x, where(x < x.constant(-26.7), kInfinity, result));
}

static FailureOr<Value> erfcx(RuleContext &ctx) { return wideFormula(ctx, erfcxOf); }

/// special_log_ndtr(self): the logarithm of the normal distribution function.
static FailureOr<Value> logNdtr(RuleContext &ctx) {
  return wideFormula(ctx, [](const Expr &x) {
    Expr t = x * 0.70710678118654752440;
    return where(x < x.constant(-1.0), log(erfcxOf(-t) * 0.5) - t * t, log1p(erfc(t) * -0.5));
  });
}

/// The inverse of the normal distribution function.
static Expr ndtriOf(const Expr &x) {
  constexpr double edge = 0.13533528323661269189; // e^-2
  Expr isHigh = x > x.constant(1.0) - edge, y = where(isHigh, 1.0 - x, x);
  Expr middle = y - 0.5, square = middle * middle;
  Expr central =
      middle + middle * (square * polynomial(square, ndtriP0) / polynomial(square, ndtriQ0));
  Expr root = sqrt(log(y) * -2.0), z = 1.0 / root;
  Expr near = z * polynomial(z, ndtriP1) / polynomial(z, ndtriQ1);
  Expr far = z * polynomial(z, ndtriP2) / polynomial(z, ndtriQ2);
  Expr tail = root - log(root) / root - where(root < root.constant(8.0), near, far);
  tail = where(isHigh, tail, -tail);
  Expr result = where(y > y.constant(edge), central * 2.50662827463100050242, tail);
  result = where(x < 0.0 || x > x.constant(1.0), kNaN, result);
  return where(x == 0.0, -kInfinity, where(x == 1.0, kInfinity, result));
}

static FailureOr<Value> ndtri(RuleContext &ctx) { return unaryFormula(ctx, ndtriOf); }

void specialize::registerSpecialRules(RuleRegistry &registry) {
  registry.value("special_erfcx", erfcx);
  registry.value("special_log_ndtr", logNdtr);
  registry.value("special_ndtri", ndtri);
}
