//===- Polynomial.cpp - Rules of orthogonal polynomials -------------------===//
//
// Each element has its own degree: the recurrence is a loop up to the greatest one, and an element
// keeps what it has when its own is reached.

#include "Families.h"
#include "ReductionHelpers.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {
enum class Family {
  ChebyshevT,
  ChebyshevU,
  ChebyshevV,
  ChebyshevW,
  HermiteH,
  HermiteHe,
  Laguerre,
  Legendre
};
} // namespace

/// The polynomial of degree 1.
static Expr firstDegree(Family family, const Expr &x) {
  switch (family) {
  case Family::ChebyshevT:
  case Family::HermiteHe:
  case Family::Legendre:
    return x;
  case Family::ChebyshevU:
  case Family::HermiteH:
    return x + x;
  case Family::ChebyshevV:
    return x + x - 1.0;
  case Family::ChebyshevW:
    return x + x + 1.0;
  case Family::Laguerre:
    return 1.0 - x;
  }
  llvm_unreachable("a family");
}

/// The polynomial of degree k + 1 from those of degrees k and k - 1; `k` is of the type of x.
static Expr nextDegree(Family family, const Expr &x, const Expr &now, const Expr &before,
                       const Expr &k) {
  switch (family) {
  case Family::HermiteH:
    return (x + x) * now - (k + k) * before;
  case Family::HermiteHe:
    return x * now - k * before;
  case Family::Laguerre:
    return (((k + k) + (1.0 - x)) * now - k * before) / (k + 1.0);
  case Family::Legendre:
    return ((k + k + 1.0) * x * now - k * before) / (k + 1.0);
  default:
    return (x + x) * now - before;
  }
}

/// What PyTorch computes by angles where |x| < 1 and the degree is above a limit.
static Expr byAngle(Family family, const Expr &x, const Expr &n) {
  Expr angle = applyUnary<AcosOp>(x), half = angle / 2.0;
  switch (family) {
  case Family::ChebyshevT:
    return cos(n * angle);
  case Family::ChebyshevU:
    return sin((n + 1.0) * angle) / sin(angle);
  case Family::ChebyshevV:
    return cos((n + 0.5) * angle) / cos(half);
  default:
    return sin((n + 0.5) * angle) / sin(half);
  }
}

/// The polynomials of degree `n` (i64, 2 and above) by their recurrence; others are left as they
/// are in `result`. All operands have the same sizes.
static Expr recurrence(RuleContext &ctx, Family family, const Expr &x, const Expr &n,
                       const Expr &result) {
  auto type = cast<RankedTensorType>(x.value().getType());
  Expr most = reduce(ReduceKind::Max, n, allDims(type.getRank()), false);
  Expr steps = maximum(most, 1.0) - 1.0;
  if (steps.isNull() || result.isNull())
    return Expr(ctx, {});
  Value count = ctx.toScalar(steps.value());
  Expr before(ctx, ctx.full(ctx.sizes(x.value()), 1.0, x.elementType())),
      now = firstDegree(family, x);
  auto same = [&](const Expr &value) { return ctx.refine(value.value(), type); };
  Value carried[] = {same(before), same(now), same(result)};
  Value always = arith::ConstantOp::create(ctx.b, ctx.loc, ctx.b.getBoolAttr(true));
  SmallVector<Type> types(3, type);
  auto loop = LoopOp::create(ctx.b, ctx.loc, types, count, always, carried);
  OpBuilder::InsertionGuard guard(ctx.b);
  SmallVector<Type> argumentTypes = {ctx.b.getI64Type(), type, type, type};
  Block *body = ctx.b.createBlock(&loop.getBody(), {}, argumentTypes,
                                  SmallVector<Location>(argumentTypes.size(), ctx.loc));
  Expr k = Expr(ctx, ctx.fromScalar(body->getArgument(0))) + 1.0;
  Expr last(ctx, body->getArgument(1)), current(ctx, body->getArgument(2)),
      kept(ctx, body->getArgument(3));
  Expr next = nextDegree(family, x, current, last, k.cast(x.elementType()));
  kept = where(k < n, next, kept);
  if (next.isNull() || kept.isNull())
    return Expr(ctx, {});
  ContinueOp::create(ctx.b, ctx.loc, always, ValueRange{current.value(), same(next), same(kept)});
  return Expr(ctx, loop.getResult(2));
}

/// A polynomial of x and a degree, tensors or numbers; a shifted one is that of 2 x - 1.
/// Chebyshev's of degrees above `limit` are computed by angles.
template <Family family, bool isShifted = false, int limit = 0>
static FailureOr<Value> orthogonal(RuleContext &ctx) {
  Type type = ctx.floatResultType({0, 1}), i64 = ctx.b.getI64Type();
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  Value operands[] = {ctx.cast(ctx.operandAs(0, type), computeType(type)),
                      ctx.cast(ctx.operandAs(1, type), computeType(type))};
  SmallVector<OpFoldResult> sizes = ctx.broadcastSizes(operands);
  if (ctx.failed())
    return failure();
  Expr x(ctx, ctx.broadcastTo(operands[0], sizes)),
      degree(ctx, ctx.broadcastTo(operands[1], sizes));
  if (isShifted)
    x = x + x - 1.0;
  Expr n = where(isnan(degree) || isinf(degree), -1.0, trunc(degree)).cast(i64);
  Expr result =
      where(n < 0.0, x.constant(0.0), where(n == 0.0, x.constant(1.0), firstDegree(family, x)));
  Expr loops = n;
  bool isHermite = family == Family::HermiteH || family == Family::HermiteHe;
  Expr tooHigh = n > n.constant(type.isF64() ? 512 : 128);
  if (isHermite)
    loops = where(tooHigh, 0.0, n);
  if (limit) {
    Expr isAngle = n > n.constant(limit) && abs(x) < x.constant(1.0);
    result = where(isAngle, byAngle(family, x, n.cast(x.elementType())), result);
    loops = where(isAngle, 0.0, n);
  }
  if (loops.isNull())
    return failure();
  loops = Expr(ctx, ctx.broadcastTo(loops.value(), sizes));
  result = recurrence(ctx, family, x, loops, result);
  if (isHermite)
    result = where(tooHigh, std::numeric_limits<double>::quiet_NaN(), result);
  if (family == Family::Laguerre)
    result = where(x == 0.0 && n >= 0.0, 1.0, result);
  return done(ctx, result.cast(type));
}

void specialize::registerPolynomialRules(RuleRegistry &registry) {
  auto add = [&](StringRef name, ValueRule rule) {
    for (StringRef overload : {"", ".x_scalar", ".n_scalar"})
      registry.value(("special_" + name + overload).str(), rule);
  };
  add("chebyshev_polynomial_t", orthogonal<Family::ChebyshevT, false, 6>);
  add("chebyshev_polynomial_u", orthogonal<Family::ChebyshevU, false, 8>);
  add("chebyshev_polynomial_v", orthogonal<Family::ChebyshevV, false, 8>);
  add("chebyshev_polynomial_w", orthogonal<Family::ChebyshevW, false, 8>);
  add("shifted_chebyshev_polynomial_t", orthogonal<Family::ChebyshevT, true, 6>);
  add("shifted_chebyshev_polynomial_u", orthogonal<Family::ChebyshevU, true, 6>);
  add("shifted_chebyshev_polynomial_v", orthogonal<Family::ChebyshevV, true, 6>);
  add("shifted_chebyshev_polynomial_w", orthogonal<Family::ChebyshevW, true, 4>);
  add("hermite_polynomial_h", orthogonal<Family::HermiteH>);
  add("hermite_polynomial_he", orthogonal<Family::HermiteHe>);
  add("laguerre_polynomial_l", orthogonal<Family::Laguerre>);
  add("legendre_polynomial_p", orthogonal<Family::Legendre>);
}
