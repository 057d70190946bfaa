//===- Reduction.cpp - Rules of sums, means, extrema and norms ------------===//

#include "ComplexExpr.h"
#include "Families.h"
#include "MatrixBuild.h"
#include "ReductionHelpers.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

bool specialize::requireNotEmpty(RuleContext &ctx, Value tensor, ArrayRef<int64_t> dims) {
  for (int64_t dim : dims) {
    OpFoldResult size = ctx.size(tensor, dim);
    if (std::optional<int64_t> constant = getConstantIntValue(size)) {
      if (*constant == 0) {
        (void)ctx.raise(Twine(ctx.name()) + ": Expected reduction dim " + Twine(dim) +
                        " to have non-zero size.");
        return false;
      }
      continue;
    }
    Value zero = ctx.constantScalar(0, ctx.b.getI64Type());
    Value positive =
        arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt, ctx.intValue(size), zero);
    ctx.check(positive, Twine(ctx.name()) + ": Expected reduction dim " + Twine(dim) +
                            " to have non-zero size.");
  }
  return !ctx.failed();
}

/// The type of a sum or product: dtype if given, int64 for integers and bool.
static Type sumType(RuleContext &ctx, Type type, unsigned dtypeOperand) {
  return ctx.dtype(dtypeOperand,
                   isFloat(type) || isComplex(type) ? type : Type(ctx.b.getI64Type()));
}

/// Sum, product and the like of `kind` in `type`; bool sums are refused by the core.
static FailureOr<Value> reduceIn(RuleContext &ctx, ReduceKind kind, Type type,
                                 ArrayRef<int64_t> dims, bool keepdim) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireReal(ctx, type) || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  if (isBool(type)) {
    // The sum of bools as bool is whether any holds, their product whether all hold.
    kind = kind == ReduceKind::Sum ? ReduceKind::Or : ReduceKind::And;
  }
  return done(ctx, reduce(kind, Expr(ctx, self).cast(type), dims, keepdim));
}

/// sum(self, dtype?), prod(self, dtype?).
template <ReduceKind kind> static FailureOr<Value> reduceAll(RuleContext &ctx) {
  RankedTensorType type = ctx.tensorType(0);
  return reduceIn(ctx, kind, sumType(ctx, type.getElementType(), 1), allDims(type.getRank()),
                  false);
}

/// sum.dim_IntList(self, dim?, keepdim, dtype?).
static FailureOr<Value> sumDims(RuleContext &ctx) {
  RankedTensorType type = ctx.tensorType(0);
  SmallVector<int64_t> dims = ctx.dimList(1, type.getRank());
  bool keepdim = ctx.constantBool(2);
  return reduceIn(ctx, ReduceKind::Sum, sumType(ctx, type.getElementType(), 3), dims, keepdim);
}

/// prod.dim_int(self, dim, keepdim, dtype?).
static FailureOr<Value> prodDim(RuleContext &ctx) {
  RankedTensorType type = ctx.tensorType(0);
  SmallVector<int64_t> dims;
  int64_t dim = ctx.dim(1, type.getRank());
  if (type.getRank())
    dims.push_back(dim);
  bool keepdim = ctx.constantBool(2);
  return reduceIn(ctx, ReduceKind::Prod, sumType(ctx, type.getElementType(), 3), dims, keepdim);
}

static FailureOr<Value> meanIn(RuleContext &ctx, unsigned dtypeOperand, ArrayRef<int64_t> dims,
                               bool keepdim) {
  Value self = ctx.tensor(0);
  Type type = ctx.dtype(dtypeOperand, getElementTypeOrSelf(self));
  if (ctx.failed() || !requireReal(ctx, type) || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  if (!isFloat(type))
    return ctx.raise("mean(): could not infer output dtype. Input dtype must be either a floating "
                     "point or complex dtype. Got: " +
                     dtypeName(type));
  return done(ctx,
              meanOf(Expr(ctx, self).cast(type).cast(computeType(type)), dims, keepdim).cast(type));
}

/// mean(self, dtype?).
static FailureOr<Value> mean(RuleContext &ctx) {
  return meanIn(ctx, 1, allDims(ctx.tensorType(0).getRank()), false);
}

/// mean.dim(self, dim?, keepdim, dtype?).
static FailureOr<Value> meanDim(RuleContext &ctx) {
  SmallVector<int64_t> dims = ctx.dimList(1, ctx.tensorType(0).getRank());
  bool keepdim = ctx.constantBool(2);
  return meanIn(ctx, 3, dims, keepdim);
}

/// nansum(self, dim?, keepdim, dtype?): NaN counts as 0.
static FailureOr<Value> nansum(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto selfType = cast<RankedTensorType>(self.getType());
  SmallVector<int64_t> dims = ctx.dimList(1, selfType.getRank());
  bool keepdim = ctx.constantBool(2);
  Type type = sumType(ctx, selfType.getElementType(), 3);
  if (ctx.failed() || !requireReal(ctx, type) || !requireReal(ctx, selfType.getElementType()))
    return failure();
  if (!isFloat(selfType.getElementType()))
    return reduceIn(ctx, ReduceKind::Sum, type, dims, keepdim);
  Expr x(ctx, self);
  return done(ctx, sum(where(isnan(x), 0.0, x).cast(type), dims, keepdim));
}

/// nanmean(self, dim?, keepdim, dtype?): the mean of what is not NaN.
static FailureOr<Value> nanmean(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto selfType = cast<RankedTensorType>(self.getType());
  SmallVector<int64_t> dims = ctx.dimList(1, selfType.getRank());
  bool keepdim = ctx.constantBool(2);
  Type type = ctx.dtype(3, selfType.getElementType());
  if (ctx.failed())
    return failure();
  if (!isFloat(selfType.getElementType()) || !isFloat(type))
    return ctx.raise("nanmean(): expected input to have floating point or complex dtype but got " +
                     dtypeName(selfType.getElementType()));
  Expr x(ctx, self);
  Type wide = computeType(type);
  Expr total = sum(where(isnan(x), 0.0, x).cast(wide), dims, keepdim);
  return done(ctx, (total / sum((!isnan(x)).cast(wide), dims, keepdim)).cast(type));
}

/// amax, amin (self, dim, keepdim): without dims over all.
template <ReduceKind kind> static FailureOr<Value> amax(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto type = cast<RankedTensorType>(self.getType());
  SmallVector<int64_t> dims = ctx.dimList(1, type.getRank());
  bool keepdim = ctx.constantBool(2);
  if (ctx.failed() || !requireReal(ctx, type.getElementType()) || !requireNotEmpty(ctx, self, dims))
    return failure();
  return done(ctx, reduce(kind, Expr(ctx, self), dims, keepdim));
}

/// max(self), min(self).
template <ReduceKind kind> static FailureOr<Value> extremumAll(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto type = cast<RankedTensorType>(self.getType());
  SmallVector<int64_t> dims = allDims(type.getRank());
  if (ctx.failed() || !requireReal(ctx, type.getElementType()) || !requireNotEmpty(ctx, self, dims))
    return failure();
  return done(ctx, reduce(kind, Expr(ctx, self), dims, false));
}

/// Index of the extremum along one dimension; the operand of rank 0 has index 0.
static Value argReduce(RuleContext &ctx, ReduceKind kind, Value self, int64_t dim, bool keepdim) {
  if (!cast<RankedTensorType>(self.getType()).getRank())
    return ctx.constantTensor(0, ctx.b.getI64Type());
  return ArgReduceOp::create(ctx.b, ctx.loc, kind, self, dim, keepdim);
}

/// max.dim, min.dim (self, dim, keepdim) -> (values, indices).
template <ReduceKind kind> static FailureOr<SmallVector<Value>> extremumDim(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto type = cast<RankedTensorType>(self.getType());
  int64_t dim = ctx.dim(1, type.getRank());
  bool keepdim = ctx.constantBool(2);
  if (ctx.failed() || !requireReal(ctx, type.getElementType()))
    return failure();
  SmallVector<int64_t> dims;
  if (type.getRank())
    dims.push_back(dim);
  if (!requireNotEmpty(ctx, self, dims))
    return failure();
  Expr values = reduce(kind, Expr(ctx, self), dims, keepdim);
  Value indices = argReduce(ctx, kind, self, dim, keepdim);
  if (ctx.failed())
    return failure();
  return SmallVector<Value>{values.value(), indices};
}

/// argmax, argmin (self, dim?, keepdim): without dim, in the flattened tensor.
template <ReduceKind kind> static FailureOr<Value> argExtremum(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto type = cast<RankedTensorType>(self.getType());
  bool keepdim = ctx.constantBool(2);
  if (ctx.failed() || !requireNumber(ctx, type.getElementType()))
    return failure();
  if (!ctx.isNone(1)) {
    int64_t dim = ctx.dim(1, type.getRank());
    SmallVector<int64_t> dims;
    if (type.getRank())
      dims.push_back(dim);
    if (ctx.failed() || !requireNotEmpty(ctx, self, dims))
      return failure();
    return done(ctx, argReduce(ctx, kind, self, dim, keepdim));
  }
  if (!requireNotEmpty(ctx, self, allDims(type.getRank())))
    return failure();
  Value flat = ctx.reshape(self, {ctx.product(ctx.sizes(self))});
  Value index = argReduce(ctx, kind, flat, 0, false);
  if (keepdim)
    index = ctx.reshape(index, SmallVector<OpFoldResult>(type.getRank(), ctx.fold(1)));
  return done(ctx, index);
}

/// aminmax(self, dim?, keepdim) -> (min, max).
static FailureOr<SmallVector<Value>> aminmax(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto type = cast<RankedTensorType>(self.getType());
  bool keepdim = ctx.constantBool(2);
  SmallVector<int64_t> dims = allDims(type.getRank());
  if (!ctx.isNone(1) && type.getRank())
    dims = {ctx.dim(1, type.getRank())};
  if (ctx.failed() || !requireReal(ctx, type.getElementType()) || !requireNotEmpty(ctx, self, dims))
    return failure();
  Expr x(ctx, self);
  // Without dim the result keeps its dimensions all the same, if it is asked to.
  Value low = reduce(ReduceKind::Min, x, dims, keepdim).value();
  Value high = reduce(ReduceKind::Max, x, dims, keepdim).value();
  if (ctx.failed())
    return failure();
  return SmallVector<Value>{low, high};
}

/// any, all along dims: bool, but uint8 for uint8.
static FailureOr<Value> logicalReduce(RuleContext &ctx, ReduceKind kind, ArrayRef<int64_t> dims,
                                      bool keepdim) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  Expr result = reduce(kind, Expr(ctx, self).cast(ctx.b.getI1Type()), dims, keepdim);
  return done(ctx, type.isUnsignedInteger(8) ? result.cast(type) : result);
}
/// any(self), all(self).
template <ReduceKind kind> static FailureOr<Value> logicalAll(RuleContext &ctx) {
  return logicalReduce(ctx, kind, allDims(ctx.tensorType(0).getRank()), false);
}
/// any.dim, all.dim (self, dim, keepdim).
template <ReduceKind kind> static FailureOr<Value> logicalDim(RuleContext &ctx) {
  int64_t rank = ctx.tensorType(0).getRank(), dim = ctx.dim(1, rank);
  bool keepdim = ctx.constantBool(2);
  return logicalReduce(ctx, kind, rank ? SmallVector<int64_t>{dim} : SmallVector<int64_t>{},
                       keepdim);
}
/// any.dims, all.dims (self, dim?, keepdim): an empty list reduces nothing.
template <ReduceKind kind> static FailureOr<Value> logicalDims(RuleContext &ctx) {
  int64_t rank = ctx.tensorType(0).getRank();
  bool keepdim = ctx.constantBool(2);
  SmallVector<int64_t> dims;
  if (ctx.isNone(1))
    dims = allDims(rank);
  else if (!ctx.constantIntList(1).empty())
    dims = ctx.dimList(1, rank);
  return logicalReduce(ctx, kind, dims, keepdim);
}

/// count_nonzero(self, dim?), count_nonzero.dim_IntList(self, dim).
static FailureOr<Value> countNonzero(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = ctx.tensorType(0).getRank();
  SmallVector<int64_t> dims = ctx.dimList(1, rank);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  return done(ctx,
              sum(Expr(ctx, self).cast(ctx.b.getI1Type()).cast(ctx.b.getI64Type()), dims, false));
}

//===----------------------------------------------------------------------===//
// Variance
//===----------------------------------------------------------------------===//

/// Mean and variance along dims: the sum of squared distances over max(0, n - correction).
static std::pair<Expr, Expr> varMean(const Expr &x, ArrayRef<int64_t> dims, double correction,
                                     bool keepdim) {
  if (x.isNull())
    return {x, x};
  RuleContext &ctx = x.ctx();
  Expr kept = meanOf(x, dims, true), distance = x - kept;
  Expr count = sizeTensor(ctx, countOf(ctx, x.value(), dims), x.elementType());
  Expr variance = sum(distance * distance, dims, keepdim) / maximum(count - correction, 0.0);
  return {keepdim ? kept : meanOf(x, dims, false), variance};
}

namespace {
struct VarianceArguments {
  SmallVector<int64_t> dims;
  double correction = 1;
  bool keepdim = false;
};
} // namespace

/// The arguments of an overload: "" (self, unbiased), "dim" (self, dim?, unbiased, keepdim),
/// "correction" (self, dim?, correction?, keepdim).
static VarianceArguments varianceArguments(RuleContext &ctx) {
  VarianceArguments result;
  int64_t rank = ctx.tensorType(0).getRank();
  StringRef overload = ctx.name().split('.').second;
  if (overload.empty()) {
    result.dims = allDims(rank);
    result.correction = ctx.constantBool(1);
    return result;
  }
  result.dims = ctx.dimList(1, rank);
  result.correction = overload == "dim" ? ctx.constantBool(2) : ctx.constantFloat(2, 1.0);
  result.keepdim = ctx.constantBool(3);
  return result;
}

/// The variance of complex numbers is the sum of those of their parts.
static FailureOr<SmallVector<Value>>
varianceOfComplex(RuleContext &ctx, const VarianceArguments &arguments, bool deviation) {
  Complex x = partsOf(ctx, ctx.tensor(0));
  if (x.isNull())
    return failure();
  auto [re, first] = varMean(x.re, arguments.dims, arguments.correction, arguments.keepdim);
  auto [im, second] = varMean(x.im, arguments.dims, arguments.correction, arguments.keepdim);
  Expr variance = first + second;
  Value mean = Complex{re, im}.value();
  Value result = (deviation ? sqrt(variance) : variance).value();
  if (ctx.failed() || !mean || !result)
    return failure();
  return SmallVector<Value>{result, mean};
}

/// (variance or deviation, mean) of float operand 0, in its own type.
static FailureOr<SmallVector<Value>> varianceAndMean(RuleContext &ctx, bool deviation) {
  VarianceArguments arguments = varianceArguments(ctx);
  Type type = ctx.tensorType(0).getElementType();
  if (!ctx.failed() && isComplex(type))
    return varianceOfComplex(ctx, arguments, deviation);
  if (!ctx.failed() && !isFloat(type))
    return ctx.raise(ctx.name() + ": std and var only support floating point and complex dtypes");
  Expr x = floatOperand(ctx, 0);
  auto [mean, variance] = varMean(x, arguments.dims, arguments.correction, arguments.keepdim);
  if (deviation)
    variance = sqrt(variance);
  Value first = variance.cast(type).value(), second = mean.cast(type).value();
  if (ctx.failed() || !first || !second)
    return failure();
  return SmallVector<Value>{first, second};
}
/// var, std.
template <bool deviation> static FailureOr<Value> variance(RuleContext &ctx) {
  FailureOr<SmallVector<Value>> both = varianceAndMean(ctx, deviation);
  if (failed(both))
    return failure();
  return both->front();
}
/// var_mean, std_mean.
template <bool deviation> static FailureOr<SmallVector<Value>> varianceMean(RuleContext &ctx) {
  return varianceAndMean(ctx, deviation);
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

Expr specialize::vectorNorm(const Expr &x, double ord, ArrayRef<int64_t> dims, bool keepdim) {
  if (x.isNull())
    return x;
  RuleContext &ctx = x.ctx();
  if (std::isinf(ord)) {
    if (!requireNotEmpty(ctx, x.value(), dims))
      return Expr(ctx, {});
    return reduce(ord > 0 ? ReduceKind::Max : ReduceKind::Min, abs(x), dims, keepdim);
  }
  if (ord == 0)
    return sum((x != 0.0).cast(x.elementType()), dims, keepdim);
  if (ord == 1)
    return sum(abs(x), dims, keepdim);
  if (ord == 2)
    return sqrt(sum(x * x, dims, keepdim));
  return power(sum(power(abs(x), ord), dims, keepdim), 1.0 / ord);
}

static FailureOr<Value> normIn(RuleContext &ctx, double ord, ArrayRef<int64_t> dims, bool keepdim,
                               unsigned dtypeOperand) {
  Value self = ctx.tensor(0);
  Type type = ctx.dtype(dtypeOperand, getElementTypeOrSelf(self));
  if (ctx.failed())
    return failure();
  if (!isFloat(type) || !isFloat(getElementTypeOrSelf(self)))
    return ctx.raise(ctx.name() + ": Expected a floating point or complex tensor as input. Got " +
                     dtypeName(getElementTypeOrSelf(self)));
  Expr x = Expr(ctx, self).cast(type).cast(computeType(type));
  return done(ctx, vectorNorm(x, ord, dims, keepdim).cast(type));
}

/// linalg_vector_norm(self, ord, dim?, keepdim, dtype?).
static FailureOr<Value> linalgVectorNorm(RuleContext &ctx) {
  double ord = ctx.constantFloat(1);
  SmallVector<int64_t> dims = ctx.dimList(2, ctx.tensorType(0).getRank());
  bool keepdim = ctx.constantBool(3);
  return normIn(ctx, ord, dims, keepdim, 4);
}

/// norm.Scalar(self, p), norm.ScalarOpt_dtype(self, p?, dtype), norm.ScalarOpt_dim(self, p?, dim,
/// keepdim), norm.ScalarOpt_dim_dtype(self, p?, dim, keepdim, dtype).
static FailureOr<Value> norm(RuleContext &ctx) {
  double ord = ctx.constantFloat(1, 2.0);
  int64_t rank = ctx.tensorType(0).getRank();
  StringRef overload = ctx.name().split('.').second;
  if (overload == "Scalar" || overload == "ScalarOpt_dtype")
    return normIn(ctx, ord, allDims(rank), false, 2);
  SmallVector<int64_t> dims = ctx.dimList(2, rank);
  bool keepdim = ctx.constantBool(3);
  return normIn(ctx, ord, dims, keepdim, 4);
}

/// frobenius_norm.dim(self, dim, keepdim).
static FailureOr<Value> frobeniusNorm(RuleContext &ctx) {
  SmallVector<int64_t> dims = ctx.dimList(1, ctx.tensorType(0).getRank());
  bool keepdim = ctx.constantBool(2);
  return normIn(ctx, 2, dims, keepdim, 1000);
}

/// linalg_norm(self, ord?, dim?, keepdim, dtype?): without ord the 2-norm of the vector of all (or
/// of dim); with it a vector norm where there is one dimension, a matrix norm where there are two.
static FailureOr<Value> linalgNorm(RuleContext &ctx) {
  int64_t rank = ctx.tensorType(0).getRank();
  SmallVector<int64_t> dims = ctx.dimList(2, rank);
  bool keepdim = ctx.constantBool(3);
  bool hasOrder = !ctx.isNone(1);
  if (!ctx.failed() && hasOrder && (ctx.isNone(2) ? rank == 2 : dims.size() == 2))
    return matrixNormOf(ctx, dims, keepdim);
  if (!ctx.failed() && hasOrder && ctx.isNone(2) && rank != 1)
    return ctx.raise(
        "linalg_norm: If dim is not specified but ord is, the input must be 1D or 2D.");
  double ord = ctx.constantFloat(1, 2.0);
  return normIn(ctx, ord, dims, keepdim, 4);
}

/// dist(self, other, p): the norm of the difference.
static FailureOr<Value> dist(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  double p = ctx.constantFloat(2);
  if (ctx.failed())
    return failure();
  if (!isFloat(type))
    return ctx.fail("dist: expected floating-point tensors");
  Expr difference = computeOperand(ctx, 0, type) - computeOperand(ctx, 1, type);
  if (difference.isNull())
    return failure();
  SmallVector<int64_t> dims =
      allDims(cast<RankedTensorType>(difference.value().getType()).getRank());
  return done(ctx, vectorNorm(difference, p, dims, false).cast(type));
}

/// logsumexp(self, dim, keepdim): from the maximum, so that nothing overflows.
static FailureOr<Value> logsumexp(RuleContext &ctx) {
  Type type = ctx.floatResultType({0});
  SmallVector<int64_t> dims = ctx.dimList(1, ctx.tensorType(0).getRank());
  bool keepdim = ctx.constantBool(2);
  if (!requireReal(ctx, type))
    return failure();
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(computeType(type));
  // Where the maximum is infinite, from 0: infinity minus infinity would be NaN.
  Expr kept = reduce(ReduceKind::Max, x, dims, true);
  kept = where(isinf(kept), 0.0, kept);
  Expr offset = reduce(ReduceKind::Max, x, dims, keepdim);
  offset = where(isinf(offset), 0.0, offset);
  return done(ctx, (log(sum(exp(x - kept), dims, keepdim)) + offset).cast(type));
}

//===----------------------------------------------------------------------===//
// Running reductions
//===----------------------------------------------------------------------===//

Expr specialize::cumulative(const Expr &x, ReduceKind kind, int64_t dim) {
  if (x.isNull() || !cast<RankedTensorType>(x.value().getType()).getRank())
    return x;
  return Expr(x.ctx(), CumulativeOp::create(x.ctx().b, x.ctx().loc, kind, x.value(), dim));
}

/// cumsum, cumprod (self, dim, dtype?).
template <ReduceKind kind> static FailureOr<Value> cumulativeSum(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto selfType = cast<RankedTensorType>(self.getType());
  int64_t dim = ctx.dim(1, selfType.getRank());
  Type type = sumType(ctx, selfType.getElementType(), 2);
  if (ctx.failed() || !requireNumber(ctx, type) || !requireReal(ctx, selfType.getElementType()))
    return failure();
  return done(ctx, cumulative(Expr(ctx, self).cast(type), kind, dim));
}

/// diff(self, n, dim, prepend?, append?): n times the difference of neighbours.
static FailureOr<Value> diff(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto type = cast<RankedTensorType>(self.getType());
  int64_t n = ctx.constantInt(1), dim = ctx.dim(2, type.getRank());
  if (ctx.failed() || !requireReal(ctx, type.getElementType()))
    return failure();
  if (type.getRank() == 0)
    return ctx.raise("diff expects input to be at least one-dimensional");
  SmallVector<Value> parts;
  if (Value prepend = ctx.optionalTensor(3))
    parts.push_back(prepend);
  parts.push_back(self);
  if (Value append = ctx.optionalTensor(4))
    parts.push_back(append);
  for (Value part : parts)
    if (getElementTypeOrSelf(part) != type.getElementType() ||
        cast<RankedTensorType>(part.getType()).getRank() != type.getRank())
      return ctx.raise("diff: expected prepend and append of the dtype and rank of self");
  Value x = parts.size() == 1 ? self : Value(ConcatOp::create(ctx.b, ctx.loc, parts, dim));
  for (int64_t i = 0; i < n; ++i) {
    OpFoldResult size = ctx.size(x, dim), first = ctx.fold(1);
    if (isConstantIntValue(size, 0))
      break;
    OpFoldResult rest = ctx.sub(size, first);
    if (!getConstantIntValue(size)) { // nothing stays nothing
      rest = ctx.maximum(rest, ctx.fold(0));
      first = ctx.sub(size, rest);
    }
    Expr above(ctx, ctx.slice(x, dim, first, rest)),
        below(ctx, ctx.slice(x, dim, ctx.fold(0), rest));
    Expr result = isBool(type.getElementType()) ? applyBinary<XorOp>(above, below) : above - below;
    if (result.isNull())
      return failure();
    x = result.value();
  }
  return done(ctx, x);
}

void specialize::registerReductionRules(RuleRegistry &registry) {
  registry.value("sum", reduceAll<ReduceKind::Sum>);
  registry.value("sum.dim_IntList", sumDims);
  registry.value("prod", reduceAll<ReduceKind::Prod>);
  registry.value("prod.dim_int", prodDim);
  registry.value("mean", mean);
  registry.value("mean.dim", meanDim);
  registry.value("nansum", nansum);
  registry.value("nanmean", nanmean);
  registry.value("amax", amax<ReduceKind::Max>);
  registry.value("amin", amax<ReduceKind::Min>);
  registry.value("max", extremumAll<ReduceKind::Max>);
  registry.value("min", extremumAll<ReduceKind::Min>);
  registry.values("max.dim", extremumDim<ReduceKind::Max>);
  registry.values("min.dim", extremumDim<ReduceKind::Min>);
  registry.value("argmax", argExtremum<ReduceKind::Max>);
  registry.value("argmin", argExtremum<ReduceKind::Min>);
  registry.values("aminmax", aminmax);
  registry.value("any", logicalAll<ReduceKind::Or>);
  registry.value("any.dim", logicalDim<ReduceKind::Or>);
  registry.value("any.dims", logicalDims<ReduceKind::Or>);
  registry.value("all", logicalAll<ReduceKind::And>);
  registry.value("all.dim", logicalDim<ReduceKind::And>);
  registry.value("all.dims", logicalDims<ReduceKind::And>);
  registry.value("count_nonzero", countNonzero);
  registry.value("count_nonzero.dim_IntList", countNonzero);
  for (StringRef overload : {"", ".dim", ".correction"}) {
    registry.value(("var" + overload).str(), variance<false>);
    registry.value(("std" + overload).str(), variance<true>);
    registry.values(("var_mean" + overload).str(), varianceMean<false>);
    registry.values(("std_mean" + overload).str(), varianceMean<true>);
  }
  registry.value("linalg_vector_norm", linalgVectorNorm);
  registry.value("linalg_norm", linalgNorm);
  registry.value("linalg_norm.ord_str", linalgNorm);
  for (StringRef overload : {"Scalar", "ScalarOpt_dtype", "ScalarOpt_dim", "ScalarOpt_dim_dtype"})
    registry.value(("norm." + overload).str(), norm);
  registry.value("frobenius_norm.dim", frobeniusNorm);
  registry.value("dist", dist);
  registry.value("logsumexp", logsumexp);
  registry.value("cumsum", cumulativeSum<ReduceKind::Sum>);
  registry.value("cumprod", cumulativeSum<ReduceKind::Prod>);
  registry.value("diff", diff);
}
