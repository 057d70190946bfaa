//===- Divisors.cpp - Rules of common divisors and multiples --------------===//
#include "Families.h"
#include "ReductionHelpers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// Whether any element is not 0, as i1.
static Value anyLeft(const Expr &x) {
  if (x.isNull())
    return {};
  Expr any = reduce(ReduceKind::Or, x != 0.0, allDims(rankOf(x)), /*keepdim=*/false);
  return any.isNull() ? Value() : x.ctx().toScalar(any.value());
}

/// Euclid's algorithm on all elements at once: (a, b) becomes (b, a mod b) while any b is not 0.
static Expr commonDivisor(const Expr &first, const Expr &second) {
  RuleContext &ctx = first.ctx();
  Value initial = anyLeft(second);
  if (first.isNull() || !initial)
    return Expr(ctx, {});
  Type types[] = {first.value().getType(), second.value().getType()};
  Value trips = ctx.intValue(ctx.fold(INT64_MAX));
  Value carried[] = {first.value(), second.value()};
  auto loop = LoopOp::create(ctx.b, ctx.loc, TypeRange(types), trips, initial, carried);
  OpBuilder::InsertionGuard guard(ctx.b);
  Type arguments[] = {ctx.b.getI64Type(), types[0], types[1]};
  Block *body = ctx.b.createBlock(&loop.getBody(), {}, TypeRange(arguments),
                                  SmallVector<Location>(3, ctx.loc));
  Expr a(ctx, body->getArgument(1)), b(ctx, body->getArgument(2));
  Expr isDone = b == 0.0;
  Expr rest = where(isDone, b, remainder(a, where(isDone, 1.0, b)));
  Expr next = where(isDone, a, b);
  Value left = anyLeft(rest);
  if (!left || next.isNull())
    return Expr(ctx, {});
  Value values[] = {ctx.refine(next.value(), cast<RankedTensorType>(types[0])),
                    ctx.refine(rest.value(), cast<RankedTensorType>(types[1]))};
  ContinueOp::create(ctx.b, ctx.loc, left, values);
  return Expr(ctx, loop.getResult(0));
}

/// gcd, lcm (self, other).
template <bool isMultiple> static FailureOr<Value> divisor(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (ctx.failed())
    return failure();
  if (!isInt(type))
    return ctx.raise(Twine("\"") + (isMultiple ? "lcm" : "gcd") + "_cpu\" not implemented for '" +
                     dtypeName(type) + "'");
  Value self = ctx.operandAs(0, type), other = ctx.operandAs(1, type);
  SmallVector<OpFoldResult> sizes = ctx.broadcastSizes({self, other});
  if (ctx.failed())
    return failure();
  if (isConstantIntValue(ctx.product(sizes), 0))
    return done(ctx, ctx.broadcastTo(self, sizes));
  RankedTensorType wide = ctx.makeType(sizes, type);
  auto widened = [&](Value value) {
    Expr size = type.isUnsignedInteger() ? Expr(ctx, value) : abs(Expr(ctx, value));
    return Expr(ctx,
                size.isNull() ? Value() : ctx.refine(ctx.broadcastTo(size.value(), sizes), wide));
  };
  Expr a = widened(self), b = widened(other);
  Expr common = commonDivisor(a, b);
  if (!isMultiple)
    return done(ctx, common);
  Expr isNone = common == 0.0;
  Expr multiple = floorDivide(a, where(isNone, 1.0, common)) * b;
  if (!type.isUnsignedInteger())
    multiple = abs(multiple);
  return done(ctx, where(isNone, 0.0, multiple));
}

void specialize::registerDivisorRules(RuleRegistry &registry) {
  registry.value("gcd", divisor<false>);
  registry.value("lcm", divisor<true>);
}
