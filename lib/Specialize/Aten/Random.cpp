//===- Random.cpp - Rules of operators that draw random numbers -----------===//
#include "Families.h"
#include "RandomBuild.h"
#include "ReductionHelpers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

static Value number(RuleContext &ctx, unsigned i) { return ctx.scalarAs(i, ctx.b.getF64Type()); }

static Value numberOf(RuleContext &ctx, double value) {
  return ctx.constantScalar(value, ctx.b.getF64Type());
}

/// Raises where the comparison of two numbers does not hold; of NaN none does.
static void require(RuleContext &ctx, Value a, arith::CmpFPredicate predicate, Value b,
                    const Twine &message) {
  ctx.check(arith::CmpFOp::create(ctx.b, ctx.loc, predicate, a, b), message);
}

static void requireDeviation(RuleContext &ctx, Value deviation) {
  require(ctx, deviation, arith::CmpFPredicate::OGE, numberOf(ctx, 0),
          "normal expects std >= 0.0, but found another one");
}

/// Kind and checked parameters of uniform_, normal_, ... from operand `first` on.
static RandomNumbers uniformNumbers(RuleContext &ctx, unsigned first) {
  Value from = number(ctx, first), to = number(ctx, first + 1);
  require(ctx, from, arith::CmpFPredicate::OLE, to,
          "uniform_ expects to return a [from, to) range, but found from > to");
  return {"uniform", {from, to}};
}
static RandomNumbers normalNumbers(RuleContext &ctx, unsigned first) {
  Value mean = number(ctx, first), deviation = number(ctx, first + 1);
  requireDeviation(ctx, deviation);
  return {"normal", {mean, deviation}};
}
static RandomNumbers exponentialNumbers(RuleContext &ctx, unsigned first) {
  Value rate = number(ctx, first);
  require(ctx, rate, arith::CmpFPredicate::OGT, numberOf(ctx, 0),
          "exponential_ expects lambda > 0.0, but found another one");
  return {"exponential", {rate}};
}
static RandomNumbers cauchyNumbers(RuleContext &ctx, unsigned first) {
  Value median = number(ctx, first), sigma = number(ctx, first + 1);
  require(ctx, sigma, arith::CmpFPredicate::OGT, numberOf(ctx, 0),
          "cauchy_ expects sigma > 0.0, but found another one");
  return {"cauchy", {median, sigma}};
}
static RandomNumbers logNormalNumbers(RuleContext &ctx, unsigned first) {
  Value mean = number(ctx, first), deviation = number(ctx, first + 1);
  require(ctx, deviation, arith::CmpFPredicate::OGT, numberOf(ctx, 0),
          "log_normal_ expects std > 0.0, but found another one");
  return {"log_normal", {mean, deviation}};
}
static RandomNumbers geometricNumbers(RuleContext &ctx, unsigned first) {
  Value p = number(ctx, first);
  require(ctx, p, arith::CmpFPredicate::OGT, numberOf(ctx, 0),
          "geometric_ expects p to be in (0, 1)");
  require(ctx, p, arith::CmpFPredicate::OLT, numberOf(ctx, 1),
          "geometric_ expects p to be in (0, 1)");
  return {"geometric", {p}};
}
static RandomNumbers bernoulliNumbers(RuleContext &ctx, unsigned first) {
  Value p = number(ctx, first);
  const char *message = "bernoulli_ expects p to be in [0, 1]";
  require(ctx, p, arith::CmpFPredicate::OGE, numberOf(ctx, 0), message);
  require(ctx, p, arith::CmpFPredicate::OLE, numberOf(ctx, 1), message);
  return {"bernoulli", {p}};
}

//===----------------------------------------------------------------------===//
// Operators that fill
//===----------------------------------------------------------------------===//

static bool isInPlace(RuleContext &ctx) { return ctx.name().split('.').first.ends_with("_"); }

using Numbers = RandomNumbers (*)(RuleContext &, unsigned);

/// What fills a tensor: (self, parameters..., generator). `elements`: 'f' floats, 'n' numbers,
/// 'a' any.
template <Numbers numbers, unsigned parameters, char elements>
static FailureOr<Value> fills(RuleContext &ctx) {
  if (!requireDefaultGenerator(ctx, 1 + parameters))
    return failure();
  Value self = ctx.tensor(0);
  RandomNumbers drawn = numbers(ctx, 1);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(self);
  if ((elements == 'f' && !isFloat(type)) || (elements == 'n' && isBool(type)))
    return isComplex(type)
               ? ctx.fail(ctx.name() + ": complex random numbers are not supported")
               : ctx.raise(ctx.name() + ": not implemented for '" + dtypeName(type) + "'");
  return done(ctx, drawLike(ctx, 0, drawn, type, isInPlace(ctx)));
}

/// rand, randn (size, dtype?, ...), with a generator behind the size or without.
template <bool isNormal, bool hasGenerator> static FailureOr<Value> randOf(RuleContext &ctx) {
  SmallVector<OpFoldResult> sizes = ctx.indexList(0);
  Type type = ctx.dtype(1 + hasGenerator, ctx.b.getF32Type());
  if (ctx.failed() || (hasGenerator && !requireDefaultGenerator(ctx, 1)))
    return failure();
  if (!isFloat(type) && !isComplex(type))
    return ctx.raise(Twine("\"") + (isNormal ? "normal" : "uniform") +
                     "_kernel_cpu\" not implemented for '" + dtypeName(type) + "'");
  return done(
      ctx, drawNumbers(ctx, {isNormal ? "normal" : "uniform", {numberOf(ctx, 0), numberOf(ctx, 1)}},
                       type, sizes));
}

/// rand_like, randn_like (self, dtype?, ...).
template <bool isNormal, bool hasGenerator> static FailureOr<Value> randLike(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = ctx.dtype(1 + hasGenerator, getElementTypeOrSelf(self));
  if (ctx.failed() || (hasGenerator && !requireDefaultGenerator(ctx, 1)))
    return failure();
  if (!isFloat(type) && !isComplex(type))
    return ctx.raise(Twine("\"") + (isNormal ? "normal" : "uniform") +
                     "_kernel_cpu\" not implemented for '" + dtypeName(type) + "'");
  return done(ctx, drawLike(ctx, 0,
                            {isNormal ? "normal" : "uniform", {numberOf(ctx, 0), numberOf(ctx, 1)}},
                            type, /*isInPlace=*/false));
}

//===----------------------------------------------------------------------===//
// Bernoulli, Poisson
//===----------------------------------------------------------------------===//

/// Raises unless all elements are at least 0, and at most `limit`.
static void requireRange(const Expr &x, std::optional<double> limit, const Twine &message) {
  if (x.isNull())
    return;
  Expr fits = x >= 0.0;
  if (limit)
    fits = fits && x <= *limit;
  Expr all = reduce(ReduceKind::And, fits, allDims(rankOf(x)), /*keepdim=*/false);
  if (!all.isNull())
    x.ctx().check(x.ctx().toScalar(all.value()), message);
}

/// Zeros and ones for each probability of tensor operand `p`, as many as operand 0 has elements.
static FailureOr<Value> bernoulliOf(RuleContext &ctx, unsigned p, unsigned generator) {
  if (!requireDefaultGenerator(ctx, generator))
    return failure();
  Value self = ctx.tensor(0), probability = ctx.tensor(p);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(probability);
  if (!isFloat(type))
    return ctx.raise("bernoulli: expected probabilities that are floats, but got '" +
                     dtypeName(type) + "'");
  Type wide = computeType(type);
  requireRange(Expr(ctx, probability), 1.0, "Expected p_in >= 0 && p_in <= 1 to be true");
  if (p)
    probability = ctx.broadcastTo(probability, ctx.sizes(self));
  if (ctx.failed())
    return failure();
  RandomNumbers numbers{"bernoulli_each", {}, ctx.cast(probability, wide)};
  return done(ctx, drawLike(ctx, 0, numbers, getElementTypeOrSelf(self), isInPlace(ctx)));
}
/// bernoulli(self, generator).
static FailureOr<Value> bernoulli(RuleContext &ctx) { return bernoulliOf(ctx, 0, 1); }
/// bernoulli.Tensor(self, p, generator).
static FailureOr<Value> bernoulliTensor(RuleContext &ctx) { return bernoulliOf(ctx, 1, 2); }

/// poisson(self, generator): contiguous, whatever self is.
static FailureOr<Value> poisson(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireDefaultGenerator(ctx, 1))
    return failure();
  Type type = getElementTypeOrSelf(self);
  if (!isFloat(type))
    return ctx.raise("\"poisson_cpu\" not implemented for '" + dtypeName(type) + "'");
  requireRange(Expr(ctx, self), std::nullopt,
               "invalid Poisson rate, expected rate to be non-negative");
  RandomNumbers numbers{"poisson", {}, ctx.cast(self, ctx.b.getF64Type())};
  return done(ctx, drawLike(ctx, 0, numbers, type, /*isInPlace=*/false));
}

//===----------------------------------------------------------------------===//
// normal with tensors
//===----------------------------------------------------------------------===//

/// normal.Tensor_float, float_Tensor, Tensor_Tensor (mean, std, generator).
static FailureOr<Value> normalOfTensors(RuleContext &ctx) {
  if (!requireDefaultGenerator(ctx, 2))
    return failure();
  bool hasMean = ctx.isTensor(0), hasDeviation = ctx.isTensor(1);
  Type type = ctx.tensorType(hasMean ? 0 : 1).getElementType();
  SmallVector<Value> tensors;
  for (unsigned i : {0u, 1u})
    if (ctx.isTensor(i))
      tensors.push_back(ctx.tensor(i));
  SmallVector<OpFoldResult> sizes = ctx.broadcastSizes(tensors);
  if (ctx.failed())
    return failure();
  if (!isFloat(type) || (hasDeviation && !isFloat(getElementTypeOrSelf(tensors.back()))))
    return ctx.fail(ctx.name() + ": expected floats");
  Value deviation = numberOf(ctx, 1);
  if (!hasDeviation) {
    deviation = number(ctx, 1);
    requireDeviation(ctx, deviation);
  } else {
    requireRange(Expr(ctx, tensors.back()), std::nullopt,
                 "normal expects all elements of std >= 0.0");
  }
  Expr drawn(ctx, drawNumbers(ctx, {"normal", {numberOf(ctx, 0), deviation}}, type, sizes));
  // Each step is rounded.
  Type wide = computeType(type);
  if (hasDeviation)
    drawn = (drawn.cast(wide) * Expr(ctx, ctx.operandAs(1, wide))).cast(type);
  return done(ctx, (drawn.cast(wide) + Expr(ctx, ctx.operandAs(0, wide))).cast(type));
}

/// normal.float_float(mean, std, size, generator, dtype?, ...).
static FailureOr<Value> normalOfSize(RuleContext &ctx) {
  if (!requireDefaultGenerator(ctx, 3))
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.indexList(2);
  Type type = ctx.dtype(4, ctx.b.getF32Type());
  RandomNumbers numbers = normalNumbers(ctx, 0);
  if (ctx.failed())
    return failure();
  if (!isFloat(type))
    return ctx.fail("normal: expected floats");
  return done(ctx, drawNumbers(ctx, numbers, type, sizes));
}

//===----------------------------------------------------------------------===//
// multinomial
//===----------------------------------------------------------------------===//

/// `samples` different places a row: those of the largest quotients by exponential numbers.
static Value drawDifferent(RuleContext &ctx, const Expr &weights, OpFoldResult samples) {
  Type type = weights.elementType();
  int64_t rank = rankOf(weights), last = rank - 1;
  OpFoldResult categories = ctx.size(weights.value(), last);
  Value fits = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sle,
                                     ctx.intValue(samples), ctx.intValue(categories));
  ctx.check(fits, "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  Value drawn =
      drawNumbers(ctx, {"exponential", {numberOf(ctx, 1)}}, type, ctx.sizes(weights.value()));
  Expr quotient = weights / Expr(ctx, drawn);
  if (quotient.isNull())
    return {};
  auto sorted = SortOp::create(ctx.b, ctx.loc, quotient.value(), static_cast<uint64_t>(last),
                               /*descending=*/true);
  return ctx.slice(sorted.getIndices(), last, ctx.fold(0), samples);
}

/// `samples` places a row, each where the running sum of the weights reaches a uniform number.
static Value drawAny(RuleContext &ctx, const Expr &weights, OpFoldResult samples) {
  Type f64 = ctx.b.getF64Type();
  int64_t last = rankOf(weights) - 1;
  OpFoldResult categories = ctx.size(weights.value(), last);
  Expr running =
      cumulative(weights.cast(computeType(weights.elementType())), ReduceKind::Sum, last);
  if (running.isNull())
    return {};
  Value total = ctx.slice(running.value(), last, ctx.sub(categories, ctx.fold(1)), ctx.fold(1));
  Expr reached = (running / Expr(ctx, total)).cast(f64);
  SmallVector<OpFoldResult> sizes = ctx.sizes(weights.value());
  sizes[last] = samples;
  Value drawn = drawNumbers(ctx, {"uniform", {numberOf(ctx, 0), numberOf(ctx, 1)}}, f64, sizes);
  if (!drawn || reached.isNull())
    return {};
  // The last category is reached always.
  Value but = ctx.slice(reached.value(), last, ctx.fold(0), ctx.sub(categories, ctx.fold(1)));
  Expr before = Expr(ctx, ctx.unsqueeze(but, last)) < Expr(ctx, ctx.unsqueeze(drawn, last + 1));
  return sum(before.cast(ctx.b.getI64Type()), {last + 1}, /*keepdim=*/false).value();
}

/// multinomial(self, num_samples, replacement, generator).
static FailureOr<Value> multinomial(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult samples = ctx.index(1);
  bool replacement = ctx.constantBool(2);
  if (ctx.failed() || !requireDefaultGenerator(ctx, 3))
    return failure();
  Type type = getElementTypeOrSelf(self);
  Expr weights(ctx, self);
  if (!isFloat(type))
    return ctx.raise("multinomial only supports floating-point dtypes for input, got: " +
                     dtypeName(type));
  if (rankOf(weights) != 1 && rankOf(weights) != 2)
    return ctx.raise("prob_dist must be 1 or 2 dim");
  std::optional<int64_t> known = getConstantIntValue(samples);
  if (!known && replacement)
    return ctx.fail("multinomial: with replacement, a number of samples that is known only at run "
                    "time is not supported");
  if (known && *known <= 0)
    return ctx.raise("cannot sample n_sample <= 0 samples");
  if (!known)
    ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt,
                                    ctx.intValue(samples), ctx.intValue(ctx.fold(0))),
              "cannot sample n_sample <= 0 samples");
  int64_t last = rankOf(weights) - 1;
  requireRange(weights, std::numeric_limits<double>::max(),
               "probability tensor contains either `inf`, `nan` or element < 0");
  Expr total = sum(weights, {last}, /*keepdim=*/true);
  Expr some = reduce(ReduceKind::And, total > 0.0, allDims(last + 1), /*keepdim=*/false);
  if (some.isNull())
    return failure();
  ctx.check(ctx.toScalar(some.value()),
            "invalid multinomial distribution (sum of probabilities <= 0)");
  bool isAny = replacement && known != 1;
  return done(ctx, isAny ? drawAny(ctx, weights, samples) : drawDifferent(ctx, weights, samples));
}

//===----------------------------------------------------------------------===//
// rrelu
//===----------------------------------------------------------------------===//

/// The slopes of rrelu in training: drawn where x is not positive, else 1. `lower` and `upper` are
/// rounded to the type in which PyTorch computes.
static Expr drawSlopes(RuleContext &ctx, unsigned lower, unsigned upper) {
  Expr x = floatOperand(ctx, 0);
  if (x.isNull())
    return x;
  Type type = ctx.tensorType(0).getElementType();
  if (type.isF16()) {
    (void)ctx.raise("\"rrelu_with_noise_out_cpu\" not implemented for 'Half'");
    return Expr(ctx, {});
  }
  auto limit = [&](unsigned i) {
    return ctx.toScalar(ctx.cast(ctx.operandAs(i, computeType(type)), ctx.b.getF64Type()));
  };
  Value from = limit(lower), to = limit(upper);
  Expr draws = x <= 0.0;
  if (draws.isNull())
    return draws;
  return Expr(ctx,
              drawNumbers(ctx, {"rrelu", {from, to}, draws.value()}, type, ctx.sizes(x.value())));
}

/// rrelu(self, lower, upper, training, generator).
static FailureOr<Value> rrelu(RuleContext &ctx) {
  bool training = ctx.constantBool(3);
  if (ctx.failed() || !requireDefaultGenerator(ctx, 4))
    return failure();
  if (!training) {
    double slope = (ctx.constantFloat(1) + ctx.constantFloat(2)) / 2;
    Expr x = floatOperand(ctx, 0);
    if (x.isNull())
      return failure();
    return done(ctx, where(x > 0.0, x, x * slope).cast(ctx.tensorType(0).getElementType()));
  }
  Expr slopes = drawSlopes(ctx, 1, 2);
  return done(ctx, Expr(ctx, ctx.tensor(0)) * slopes);
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

void specialize::registerRandomRules(RuleRegistry &registry) {
  registry.value("bernoulli", bernoulli);
  registry.value("bernoulli.Tensor", bernoulliTensor);
  registry.value("bernoulli.float", fills<bernoulliNumbers, 1, 'a'>);
  registry.value("bernoulli.p", fills<bernoulliNumbers, 1, 'a'>);
  registry.value("cauchy", fills<cauchyNumbers, 2, 'f'>);
  registry.value("exponential", fills<exponentialNumbers, 1, 'f'>);
  registry.value("geometric", fills<geometricNumbers, 1, 'n'>);
  registry.value("log_normal", fills<logNormalNumbers, 2, 'f'>);
  registry.value("multinomial", multinomial);
  registry.value("normal", fills<normalNumbers, 2, 'f'>);
  registry.value("normal.Tensor_Tensor", normalOfTensors);
  registry.value("normal.Tensor_float", normalOfTensors);
  registry.value("normal.float_Tensor", normalOfTensors);
  registry.value("normal.float_float", normalOfSize);
  registry.value("normal_functional", fills<normalNumbers, 2, 'f'>);
  registry.value("poisson", poisson);
  registry.value("rand", randOf<false, false>);
  registry.value("rand.generator", randOf<false, true>);
  registry.value("rand_like", randLike<false, false>);
  registry.value("rand_like.generator", randLike<false, true>);
  registry.value("randn", randOf<true, false>);
  registry.value("randn.generator", randOf<true, true>);
  registry.value("randn_like", randLike<true, false>);
  registry.value("randn_like.generator", randLike<true, true>);
  registry.value("rrelu", rrelu);
  registry.value("uniform", fills<uniformNumbers, 2, 'f'>);
}
