//===- Scan.cpp - Rules of running extrema, running sums and integrals ----===//

#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// 0, 1, ... along one dimension of `rank`.
static Expr positionsAlong(RuleContext &ctx, OpFoldResult size, int64_t dim, int64_t rank) {
  SmallVector<OpFoldResult> sizes(rank, ctx.fold(1));
  sizes[dim] = size;
  return Expr(ctx, IotaOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), sizes, dim));
}

/// cummax, cummin (self, dim) -> (values, indices): of equal elements the last one counts, and NaN
/// stays once it has come.
template <ReduceKind kind> static FailureOr<SmallVector<Value>> runningExtremum(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self), i64 = ctx.b.getI64Type();
  int64_t rank = cast<RankedTensorType>(self.getType()).getRank(), dim = ctx.dim(1, rank);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (!rank)
    return SmallVector<Value>{self, ctx.constantTensor(0, i64)};
  Expr x = Expr(ctx, self).cast(isBool(type) ? i64 : type), values = cumulative(x, kind, dim);
  Expr isNew = values == x;
  if (isFloat(type))
    isNew = isNew || isnan(x);
  Expr index = where(isNew, positionsAlong(ctx, ctx.size(self, dim), dim, rank), -1.0);
  index = cumulative(index, ReduceKind::Max, dim);
  if (index.isNull())
    return failure();
  return SmallVector<Value>{values.cast(type).value(), index.value()};
}

//===----------------------------------------------------------------------===//
// Integrals
//===----------------------------------------------------------------------===//

namespace {
/// The samples of a function, and what they stand apart: a number, or a tensor of one element less.
struct Samples {
  Expr y, step;
  int64_t dim;
};
} // namespace

/// All but the last element along a dimension, or all but the first.
static Expr neighbours(RuleContext &ctx, const Expr &x, int64_t dim, bool later) {
  if (x.isNull())
    return x;
  OpFoldResult size = ctx.size(x.value(), dim),
               rest = ctx.maximum(ctx.sub(size, ctx.fold(1)), ctx.fold(0));
  return Expr(ctx, ctx.slice(x.value(), dim, later ? ctx.sub(size, rest) : ctx.fold(0), rest));
}

/// The operands of trapezoid.x(y, x, dim) and trapezoid.dx(y, dx, dim), in the result's type.
static FailureOr<Samples> samples(RuleContext &ctx, bool hasPoints) {
  Type type = hasPoints ? ctx.floatResultType({0, 1}) : ctx.floatResultType({0});
  int64_t rank = ctx.tensorType(0).getRank(), dim = ctx.dim(2, rank);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (!rank || isBool(ctx.tensorType(0).getElementType()))
    return ctx.raise(ctx.name() + ": received a bool tensor or one without dimensions");
  // The integral of no integers is an integer.
  std::optional<int64_t> known = getConstantIntValue(ctx.size(ctx.tensor(0), dim));
  if (!isFloat(ctx.tensorType(0).getElementType()) && (!known || *known == 0))
    return ctx.fail(ctx.name() + ": integers are supported only where their number is known");
  Expr y = Expr(ctx, ctx.operandAs(0, type)).cast(computeType(type));
  if (!hasPoints)
    return Samples{y, Expr(ctx, ctx.operandAs(1, y.elementType())), dim};
  Value points = ctx.tensor(1);
  int64_t pointRank = cast<RankedTensorType>(points.getType()).getRank();
  if (isBool(getElementTypeOrSelf(points)) || (pointRank != 1 && pointRank != rank))
    return ctx.fail(ctx.name() + ": expected points that are a vector, or of the rank of y");
  Expr x = Expr(ctx, points).cast(type).cast(computeType(type));
  if (pointRank == 1) {
    if (!ctx.requireEqual(ctx.size(points, 0), ctx.size(y.value(), dim),
                          ctx.name() + ": There must be one `x` value for each sample point"))
      return failure();
    SmallVector<OpFoldResult> sizes(rank, ctx.fold(1));
    sizes[dim] = ctx.size(points, 0);
    x = Expr(ctx, ctx.reshape(x.value(), sizes));
  }
  return Samples{y, neighbours(ctx, x, dim, true) - neighbours(ctx, x, dim, false), dim};
}

/// trapezoid, trapz, cumulative_trapezoid (y, x or dx, dim): the sum, or the running sums, of the
/// trapezoids between neighbours.
template <bool hasPoints, bool isRunning> static FailureOr<Value> trapezoid(RuleContext &ctx) {
  FailureOr<Samples> s = samples(ctx, hasPoints);
  if (failed(s))
    return failure();
  Type type = hasPoints ? ctx.floatResultType({0, 1}) : ctx.floatResultType({0});
  Expr areas =
      (neighbours(ctx, s->y, s->dim, true) + neighbours(ctx, s->y, s->dim, false)) * s->step;
  Expr total = isRunning ? cumulative(areas, ReduceKind::Sum, s->dim) : sum(areas, {s->dim}, false);
  return done(ctx, (total / 2.0).cast(type));
}

/// log(e^a + e^b) without overflow.
static Expr addExponentials(const Expr &a, const Expr &b) {
  Expr most = maximum(a, b), least = minimum(a, b);
  Expr isSettled = (most == least) && isinf(most);
  return where(isSettled, most, most + log1p(exp(least - most)));
}

/// logcumsumexp(self, dim): each trip adds to each element the sum of twice as many before it.
static FailureOr<Value> logCumulativeSum(RuleContext &ctx) {
  Expr x = floatOperand(ctx, 0);
  if (x.isNull())
    return failure();
  Type type = ctx.tensorType(0).getElementType(), i64 = ctx.b.getI64Type();
  int64_t rank = rankOf(x), dim = ctx.dim(1, rank);
  if (ctx.failed())
    return failure();
  if (!rank)
    return ctx.tensor(0);
  OpFoldResult size = ctx.size(x.value(), dim);
  Value length = ctx.intValue(size), one = ctx.intValue(ctx.fold(1));
  Expr position(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{size}, 0));
  auto isShorter = [&](Value distance) -> Value {
    return arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::slt, distance, length);
  };
  Type carried = x.value().getType();
  auto loop = LoopOp::create(ctx.b, ctx.loc, TypeRange(carried), ctx.intValue(ctx.fold(INT64_MAX)),
                             isShorter(one), x.value());
  OpBuilder::InsertionGuard guard(ctx.b);
  Type arguments[] = {i64, carried};
  Block *body = ctx.b.createBlock(&loop.getBody(), {}, TypeRange(arguments), {ctx.loc, ctx.loc});
  Value distance = arith::ShLIOp::create(ctx.b, ctx.loc, one, body->getArgument(0));
  Expr now(ctx, body->getArgument(1)), from = position - Expr(ctx, ctx.fromScalar(distance));
  Expr before(ctx, checkedValue<TakeOp>(ctx, now.value(), maximum(from, 0.0).value(),
                                        static_cast<uint64_t>(dim)));
  SmallVector<OpFoldResult> sizes(rank, ctx.fold(1));
  sizes[dim] = size;
  if (before.isNull() || from.isNull())
    return failure();
  Expr isThere(ctx, ctx.reshape((from >= 0.0).value(), sizes));
  Expr next = where(isThere, addExponentials(now, before), now);
  if (next.isNull())
    return failure();
  Value nextDistance = arith::AddIOp::create(ctx.b, ctx.loc, distance, distance);
  ContinueOp::create(ctx.b, ctx.loc, isShorter(nextDistance),
                     ctx.refine(next.value(), cast<RankedTensorType>(carried)));
  ctx.b.setInsertionPointAfter(loop);
  return done(ctx, ctx.cast(loop.getResult(0), type));
}

void specialize::registerScanRules(RuleRegistry &registry) {
  registry.values("cummax", runningExtremum<ReduceKind::Max>);
  registry.values("cummin", runningExtremum<ReduceKind::Min>);
  registry.value("logcumsumexp", logCumulativeSum);
  for (StringRef name : {"trapezoid", "trapz"})
    registry.value((name + ".x").str(), trapezoid<true, false>);
  registry.value("trapezoid.dx", trapezoid<false, false>);
  registry.value("trapz.dx", trapezoid<false, false>);
  registry.value("cumulative_trapezoid.x", trapezoid<true, true>);
  registry.value("cumulative_trapezoid.dx", trapezoid<false, true>);
}
