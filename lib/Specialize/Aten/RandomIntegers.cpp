//===- RandomIntegers.cpp - Rules of random integers and permutations -----===//
#include "Families.h"
#include "RandomBuild.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {
/// Which integers an element type holds: of floats those up to which all are exact.
struct Bounds {
  int64_t least, most;
};
} // namespace

static Bounds boundsOf(Type type) {
  if (auto floating = dyn_cast<FloatType>(type)) {
    int64_t most = int64_t(1) << floating.getFPMantissaWidth();
    return {-most, most};
  }
  if (type.isInteger(1))
    return {0, 1};
  unsigned width = type.getIntOrFloatBitWidth();
  if (type.isUnsignedInteger())
    return {0, (int64_t(1) << width) - 1};
  return {llvm::minIntN(width), llvm::maxIntN(width)};
}

/// Raises unless `low` <= value <= `high`. What always holds needs no check.
static void requireWithin(RuleContext &ctx, Value value, const Bounds &bounds,
                          const Twine &message) {
  auto check = [&](arith::CmpIPredicate predicate, int64_t limit) {
    Value bound = ctx.intValue(ctx.fold(limit));
    ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, predicate, value, bound), message, value);
  };
  if (bounds.least != INT64_MIN)
    check(arith::CmpIPredicate::sge, bounds.least);
  if (bounds.most != INT64_MAX)
    check(arith::CmpIPredicate::sle, bounds.most);
}

/// The integers from operand `low` (0 where there is none) up to operand `high` (excluded).
static RandomNumbers integersBetween(RuleContext &ctx, std::optional<unsigned> low, unsigned high,
                                     Type type) {
  Type i64 = ctx.b.getI64Type();
  bool isKnown = (!low || ctx.knownInt(*low)) && ctx.knownInt(high);
  Value from = low ? ctx.scalarAs(*low, i64) : ctx.intValue(ctx.fold(0));
  Value to = ctx.scalarAs(high, i64);
  if (ctx.failed())
    return {};
  Bounds bounds = boundsOf(type);
  if (isFloat(type)) {
    // PyTorch moves limits that the type does not hold.
    int64_t first = isKnown && low ? *ctx.knownInt(*low) : 0;
    if (!isKnown || first < bounds.least || *ctx.knownInt(high) > bounds.most) {
      (void)ctx.fail(ctx.name() + ": floats from limits that are not known, or that are not exact "
                                  "in the element type, are not supported");
      return {};
    }
  }
  ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::slt, from, to),
            "random_ expects 'from' to be less than 'to', but got from={} >= to={}", {from, to});
  requireWithin(ctx, from, bounds, "from = {} is out of bounds for " + dtypeName(type));
  Value last = arith::SubIOp::create(ctx.b, ctx.loc, to, ctx.intValue(ctx.fold(1)));
  requireWithin(ctx, last, bounds, "to - 1 = {} is out of bounds for " + dtypeName(type));
  Value range = arith::SubIOp::create(ctx.b, ctx.loc, to, from);
  return {"integers", {from, range}};
}

/// randint(high, size), randint.low(low, high, size), with a generator behind or without; then
/// dtype?, ...: i64 by default.
template <bool hasLow, bool hasGenerator> static FailureOr<Value> randint(RuleContext &ctx) {
  unsigned size = 1 + hasLow;
  SmallVector<OpFoldResult> sizes = ctx.indexList(size);
  if (hasGenerator && !requireDefaultGenerator(ctx, size + 1))
    return failure();
  Type type = ctx.dtype(size + 1 + hasGenerator, ctx.b.getI64Type());
  if (ctx.failed())
    return failure();
  RandomNumbers numbers =
      integersBetween(ctx, hasLow ? std::optional<unsigned>(0) : std::nullopt, hasLow, type);
  if (ctx.failed())
    return failure();
  return done(ctx, drawNumbers(ctx, numbers, type, sizes));
}

/// randint_like(self, high), randint_like.low_dtype(self, low, high), with a generator behind or
/// without; then dtype?, ...
template <bool hasLow, bool hasGenerator> static FailureOr<Value> randintLike(RuleContext &ctx) {
  unsigned next = 2 + hasLow;
  Value self = ctx.tensor(0);
  if (ctx.failed() || (hasGenerator && !requireDefaultGenerator(ctx, next)))
    return failure();
  Type type = ctx.dtype(next + hasGenerator, getElementTypeOrSelf(self));
  RandomNumbers numbers =
      integersBetween(ctx, hasLow ? std::optional<unsigned>(1) : std::nullopt, 1 + hasLow, type);
  if (ctx.failed())
    return failure();
  return done(ctx, drawLike(ctx, 0, numbers, type, /*isInPlace=*/false));
}

/// random(self, generator): all integers of the element type that are not negative.
static FailureOr<Value> randomBits(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireDefaultGenerator(ctx, 1))
    return failure();
  return done(ctx, drawLike(ctx, 0, {"bits", {}}, getElementTypeOrSelf(self), true));
}

/// random.to(self, to, generator).
static FailureOr<Value> randomTo(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireDefaultGenerator(ctx, 2))
    return failure();
  Type type = getElementTypeOrSelf(self);
  RandomNumbers numbers = integersBetween(ctx, std::nullopt, 1, type);
  if (ctx.failed())
    return failure();
  return done(ctx, drawLike(ctx, 0, numbers, type, true));
}

/// random.from(self, from, to?, generator): without `to` up to the most that the type holds.
static FailureOr<Value> randomFrom(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireDefaultGenerator(ctx, 3))
    return failure();
  Type type = getElementTypeOrSelf(self);
  RandomNumbers numbers;
  if (!ctx.isNone(2)) {
    numbers = integersBetween(ctx, 1, 2, type);
  } else {
    if (isFloat(type))
      return ctx.fail("random_: floats without an upper limit are not supported");
    Value from = ctx.scalarAs(1, ctx.b.getI64Type());
    if (ctx.failed())
      return failure();
    Bounds bounds = boundsOf(type);
    requireWithin(ctx, from, bounds, "from = {} is out of bounds for " + dtypeName(type));
    // Of all 64 bits there are none left: 0.
    Value most = ctx.intValue(ctx.fold(bounds.most));
    Value range = arith::SubIOp::create(ctx.b, ctx.loc, most, from);
    range = arith::AddIOp::create(ctx.b, ctx.loc, range, ctx.intValue(ctx.fold(1)));
    numbers = {"integers", {from, range}};
  }
  if (ctx.failed())
    return failure();
  return done(ctx, drawLike(ctx, 0, numbers, type, true));
}

/// randperm(n, dtype?, ...), with a generator behind n or without.
template <bool hasGenerator> static FailureOr<Value> randperm(RuleContext &ctx) {
  OpFoldResult n = ctx.index(0);
  if (ctx.failed() || (hasGenerator && !requireDefaultGenerator(ctx, 1)))
    return failure();
  Type type = ctx.dtype(1 + hasGenerator, ctx.b.getI64Type());
  if (isBool(type))
    return ctx.fail("randperm: bool is not supported");
  Bounds bounds = boundsOf(type);
  std::optional<int64_t> known = getConstantIntValue(n);
  if (known && *known < 0)
    return ctx.raise("n must be non-negative, got " + Twine(*known));
  if (bounds.most < (int64_t(1) << 31) - 1)
    requireWithin(ctx, ctx.intValue(n), {INT64_MIN, bounds.most},
                  "n = {} is too large for result tensor type: '" + dtypeName(type) + "'");
  return done(ctx, drawNumbers(ctx, {"permutation", {}}, type, {n}));
}

void specialize::registerRandomIntegerRules(RuleRegistry &registry) {
  registry.value("randint", randint<false, false>);
  registry.value("randint.generator", randint<false, true>);
  registry.value("randint.low", randint<true, false>);
  registry.value("randint.low_generator", randint<true, true>);
  registry.value("randint_like", randintLike<false, false>);
  registry.value("randint_like.generator", randintLike<false, true>);
  registry.value("randint_like.low_dtype", randintLike<true, false>);
  registry.value("randint_like.low_generator_dtype", randintLike<true, true>);
  registry.value("random", randomBits);
  registry.value("random.from", randomFrom);
  registry.value("random.to", randomTo);
  registry.value("randperm", randperm<false>);
  registry.value("randperm.generator", randperm<true>);
}
