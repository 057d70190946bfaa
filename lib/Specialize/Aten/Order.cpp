//===- Order.cpp - Rules of quantiles, modes, counts and unique elements --===//

#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static constexpr double infinity = std::numeric_limits<double>::infinity();
static constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

static Value flatten(RuleContext &ctx, Value tensor) {
  return ctx.reshape(tensor, {ctx.product(ctx.sizes(tensor))});
}

static Expr gather(const Expr &x, const Expr &index, int64_t dim) {
  if (x.isNull() || index.isNull())
    return Expr(x.ctx(), {});
  return Expr(x.ctx(), checkedValue<GatherOp>(x.ctx(), x.value(), index.value(),
                                              static_cast<uint64_t>(dim)));
}

/// 0, 1, ... along one dimension of `rank`.
static Expr positionsAlong(RuleContext &ctx, OpFoldResult size, int64_t dim, int64_t rank) {
  SmallVector<OpFoldResult> sizes(rank, ctx.fold(1));
  sizes[dim] = size;
  return Expr(ctx, IotaOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), sizes, dim));
}

/// Results without, or with, a dimension of size 1.
static FailureOr<SmallVector<Value>> squeezed(RuleContext &ctx, ArrayRef<Expr> results, int64_t dim,
                                              bool keepdim) {
  SmallVector<Value> values;
  for (const Expr &result : results) {
    if (result.isNull())
      return failure();
    values.push_back(keepdim ? result.value() : ctx.squeeze(result.value(), dim));
  }
  if (ctx.failed())
    return failure();
  return values;
}

//===----------------------------------------------------------------------===//
// Modes and medians
//===----------------------------------------------------------------------===//

/// mode(self, dim, keepdim) -> (values, indices): the least of the most frequent elements, and
/// where it stands last. Each element is counted among all others.
static FailureOr<SmallVector<Value>> mode(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self), i64 = ctx.b.getI64Type();
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  bool keepdim = ctx.constantBool(2);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (!rank)
    return SmallVector<Value>{self, ctx.constantTensor(0, i64)};
  if (!requireNotEmpty(ctx, self, {dim}))
    return failure();
  Expr x(ctx, ctx.unsqueeze(self, dim)), others(ctx, ctx.unsqueeze(self, dim + 1));
  // [.., other, element, ..]
  Expr count = sum((others == x).cast(i64), {dim}, false);
  Expr isMost = count == reduce(ReduceKind::Max, count, {dim}, true), elements(ctx, self);
  // What is not a candidate: as large as the first candidate can be for any type.
  Expr largest = reduce(ReduceKind::Max, elements, {dim}, true);
  if (isFloat(type))
    largest = largest.constant(infinity);
  Expr value = reduce(ReduceKind::Min, where(isMost, elements, largest), {dim}, true);
  Expr index = where(elements == value, positionsAlong(ctx, ctx.size(self, dim), dim, rank), 0.0);
  index = reduce(ReduceKind::Max, index, {dim}, true);
  return squeezed(ctx, {value, index}, dim, keepdim);
}

/// The median along a dimension of what is not NaN, the lower one of two, and where it stands.
static std::pair<Expr, Expr> nanmedianAlong(RuleContext &ctx, Value self, int64_t dim) {
  Expr null(ctx, {});
  if (ctx.failed() || !requireNotEmpty(ctx, self, {dim}))
    return {null, null};
  auto sorted = checkedCreate<SortOp>(ctx, self, static_cast<uint64_t>(dim), false);
  if (!sorted)
    return {null, null};
  Type i64 = ctx.b.getI64Type();
  Expr count = sizeTensor(ctx, ctx.size(self, dim), i64);
  if (isFloat(getElementTypeOrSelf(self)))
    count = sum((!isnan(Expr(ctx, self))).cast(i64), {dim}, true);
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  sizes[dim] = ctx.fold(1);
  Expr middle = floorDivide(maximum(count - 1.0, 0.0), 2.0);
  if (middle.isNull())
    return {null, null};
  middle = Expr(ctx, ctx.broadcastTo(middle.value(), sizes));
  return {gather(Expr(ctx, sorted.getValues()), middle, dim),
          gather(Expr(ctx, sorted.getIndices()), middle, dim)};
}

/// nanmedian.dim(self, dim, keepdim) -> (values, indices).
static FailureOr<SmallVector<Value>> nanmedianDim(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  bool keepdim = ctx.constantBool(2);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(self)))
    return failure();
  if (!rank)
    return SmallVector<Value>{self, ctx.constantTensor(0, ctx.b.getI64Type())};
  auto [values, indices] = nanmedianAlong(ctx, self, dim);
  return squeezed(ctx, {values, indices}, dim, keepdim);
}

/// nanmedian(self).
static FailureOr<Value> nanmedian(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(self)))
    return failure();
  Expr value = nanmedianAlong(ctx, flatten(ctx, self), 0).first;
  if (value.isNull())
    return failure();
  return done(ctx, ctx.reshape(value.value(), {}));
}

//===----------------------------------------------------------------------===//
// Quantiles
//===----------------------------------------------------------------------===//

/// The elements between which quantile `rank` (from 0 to n - 1) of the sorted last dimension lies,
/// interpolated.
static Expr interpolated(const Expr &sorted, const Expr &rank, int64_t dim, StringRef mode) {
  RuleContext &ctx = sorted.ctx();
  Type i64 = ctx.b.getI64Type();
  if (sorted.isNull() || rank.isNull())
    return Expr(ctx, {});
  auto at = [&](const Expr &position) { return gather(sorted, position.cast(i64), dim); };
  if (mode == "lower")
    return at(floor(rank));
  if (mode == "higher")
    return at(ceil(rank));
  if (mode == "nearest")
    return at(round(rank));
  Expr below = at(floor(rank)), above = at(ceil(rank));
  Expr weight = mode == "midpoint" ? rank.constant(0.5) : rank - floor(rank);
  // As lerp does, from the nearer end.
  return where(abs(weight) < weight.constant(0.5), below + weight * (above - below),
               above - (above - below) * (1.0 - weight));
}

/// quantile, nanquantile (self, q, dim?, keepdim, interpolation), q a tensor or a number.
template <bool ignoresNan> static FailureOr<Value> quantile(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  Value q = ctx.operandAs(1, ctx.isTensor(1) ? ctx.tensorType(1).getElementType() : type);
  bool keepdim = ctx.constantBool(3);
  StringRef mode = ctx.constantString(4);
  if (ctx.failed())
    return failure();
  int64_t rank = rankOf(self), qRank = rankOf(q);
  if (!type.isF32() && !type.isF64())
    return ctx.raise(ctx.name() + "() input tensor must be either float or double dtype");
  if (getElementTypeOrSelf(q) != type || qRank > 1)
    return ctx.raise(ctx.name() + "() q must be a scalar or 1D tensor of the input's dtype");
  if (!llvm::is_contained({"linear", "lower", "higher", "midpoint", "nearest"}, mode))
    return ctx.raise(ctx.name() +
                     "() interpolation must be one of linear, lower, higher, midpoint "
                     "or nearest, but got " +
                     mode);
  Expr inRange = Expr(ctx, q) >= 0.0 && Expr(ctx, q) <= 1.0;
  inRange = reduce(ReduceKind::And, inRange, allDims(qRank), false);
  if (inRange.isNull())
    return failure();
  ctx.check(ctx.toScalar(inRange.value()), ctx.name() + "() q values must be in the range [0, 1]");
  // The dimension that goes comes last: [rest..., n].
  SmallVector<OpFoldResult> kept;
  Value x;
  if (ctx.isNone(2) || !rank) {
    x = flatten(ctx, self);
    kept.assign(keepdim ? rank : 0, ctx.fold(1));
  } else {
    int64_t dim = ctx.dim(2, rank);
    SmallVector<int64_t> order = allDims(rank);
    order.erase(order.begin() + dim);
    order.push_back(dim);
    x = ctx.permute(self, order);
    kept = ctx.sizes(self);
    if (keepdim)
      kept[dim] = ctx.fold(1);
    else
      kept.erase(kept.begin() + dim);
  }
  int64_t last = rankOf(x) - 1;
  if (ctx.failed() || !requireNotEmpty(ctx, x, {last}))
    return failure();
  auto sort = checkedCreate<SortOp>(ctx, x, static_cast<uint64_t>(last), false);
  if (!sort)
    return failure();
  Expr most = sizeTensor(ctx, ctx.size(x, last), type) - 1.0, isNan = isnan(Expr(ctx, x));
  Expr hasNan = reduce(ReduceKind::Or, isNan, {last}, true);
  if (ignoresNan)
    most = maximum(sum((!isNan).cast(type), {last}, true) - 1.0, 0.0);
  Expr position = Expr(ctx, qRank ? q : ctx.reshape(q, {ctx.fold(1)})) * most;
  if (position.isNull())
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.sizes(x);
  sizes[last] = qRank ? ctx.size(q, 0) : ctx.fold(1);
  position = Expr(ctx, ctx.broadcastTo(position.value(), sizes));
  Expr result = interpolated(Expr(ctx, sort.getValues()), position, last, mode);
  if (!ignoresNan)
    result = where(hasNan, notANumber, result);
  if (result.isNull())
    return failure();
  // [rest..., q] to [q, rest...]
  SmallVector<int64_t> order = {last};
  for (int64_t i = 0; i < last; ++i)
    order.push_back(i);
  if (qRank)
    kept.insert(kept.begin(), sizes[last]);
  return done(ctx, ctx.reshape(ctx.permute(result.value(), order), kept));
}

//===----------------------------------------------------------------------===//
// Counting
//===----------------------------------------------------------------------===//

/// histc(self, bins, min, max): how many elements fall into each of the equal parts of a range,
/// that of the elements where min and max are equal.
static FailureOr<Value> histc(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult bins = ctx.index(1);
  Type type = getElementTypeOrSelf(self), i64 = ctx.b.getI64Type();
  double low = ctx.constantFloat(2, 0), high = ctx.constantFloat(3, 0);
  if (ctx.failed())
    return failure();
  if (!isFloat(type))
    return ctx.fail("histc: expected a floating-point tensor");
  if (low > high)
    return ctx.raise("torch.histc: max must be larger than min");
  std::optional<int64_t> known = getConstantIntValue(bins);
  if (!known || *known < 1)
    return ctx.fail("histc: expected a number of bins that is known and above 0");
  Value flat = flatten(ctx, self);
  Expr x = Expr(ctx, flat).cast(computeType(type));
  if (x.isNull())
    return failure();
  Expr first = x.constant(low), last = x.constant(high);
  if (low == high) {
    if (!requireNotEmpty(ctx, flat, {0}))
      return failure();
    first = reduce(ReduceKind::Min, x, {0}, false);
    last = reduce(ReduceKind::Max, x, {0}, false);
    Expr finite = !(isnan(first) || isinf(first) || isnan(last) || isinf(last));
    if (finite.isNull())
      return failure();
    ctx.check(ctx.toScalar(finite.value()), "torch.histc: range of [min, max] is not finite");
    Expr isOne = first == last;
    first = where(isOne, first - 1.0, first);
    last = where(isOne, last + 1.0, last);
  }
  Expr counts = x >= first && x <= last, range = last - first;
  Expr bin = floor(where(counts, x - first, 0.0) * x.constant(static_cast<double>(*known)) / range);
  bin = minimum(bin, static_cast<double>(*known - 1)).cast(i64);
  Value zeros = ctx.full({bins}, 0.0, x.elementType());
  if (bin.isNull() || counts.isNull())
    return failure();
  Value sums = checkedValue<PutOp>(ctx, zeros, bin.value(), counts.cast(x.elementType()).value(),
                                   uint64_t(0), true);
  return done(ctx, sums ? ctx.cast(sums, type) : sums);
}

/// bincount(self, weights?, minlength): how often each number from 0 on comes, or the sum of its
/// weights.
static FailureOr<Value> bincount(RuleContext &ctx) {
  Value self = ctx.tensor(0), weights = ctx.optionalTensor(1);
  OpFoldResult least = ctx.index(2);
  Type i64 = ctx.b.getI64Type();
  if (ctx.failed())
    return failure();
  if (!isInt(getElementTypeOrSelf(self)) || rankOf(self) != 1)
    return ctx.raise("bincount only supports 1-d non-negative integral inputs.");
  std::optional<int64_t> known = getConstantIntValue(least);
  if (!known || *known < 0)
    return ctx.fail("bincount: expected a minlength that is known and not negative");
  Expr index = Expr(ctx, self).cast(i64);
  // Of no elements the greatest is taken to be -1.
  Value none = ctx.full({ctx.fold(1)}, -1.0, i64);
  if (index.isNull())
    return failure();
  Expr all(ctx, ConcatOp::create(ctx.b, ctx.loc, ValueRange{index.value(), none}, 0));
  Expr isFine = reduce(ReduceKind::And, index >= 0.0, {0}, false);
  if (all.isNull() || isFine.isNull())
    return failure();
  ctx.check(ctx.toScalar(isFine.value()),
            "bincount only supports 1-d non-negative integral inputs.");
  Value most = ctx.toScalar((reduce(ReduceKind::Max, all, {0}, false) + 1.0).value());
  OpFoldResult size = ctx.maximum(ctx.indexValue(OpFoldResult(most)), least);
  if (!ctx.requireSizes({size}))
    return failure();
  Type type = i64;
  Expr amount = index * 0.0 + 1.0;
  if (weights) {
    // Without elements it would be integers after all.
    if (!requireNotEmpty(ctx, self, {0}))
      return failure();
    type = getElementTypeOrSelf(weights);
    if (!ctx.requireEqual(ctx.size(weights, 0), ctx.size(self, 0),
                          "weights should be 1-d and have the same length as input"))
      return failure();
    if (!type.isF32())
      type = ctx.b.getF64Type();
    amount = Expr(ctx, weights).cast(type);
  }
  Value zeros = ctx.full({size}, 0.0, type);
  if (ctx.failed())
    return failure();
  return done(ctx,
              checkedValue<PutOp>(ctx, zeros, index.value(), amount.value(), uint64_t(0), true));
}

//===----------------------------------------------------------------------===//
// Unique elements
//===----------------------------------------------------------------------===//

/// The elements of `sorted`, [n], that differ from the one before; for each element which of them
/// it is; how often each of them comes.
static FailureOr<SmallVector<Value>> runsOf(RuleContext &ctx, Value sorted) {
  Type i64 = ctx.b.getI64Type();
  OpFoldResult count = ctx.size(sorted, 0);
  if (isConstantIntValue(count, 0))
    return ctx.fail(ctx.name() + ": a tensor without elements is not supported");
  OpFoldResult rest = ctx.maximum(ctx.sub(count, ctx.fold(1)), ctx.fold(0));
  OpFoldResult lead = ctx.sub(count, rest);
  Expr before(ctx, ctx.slice(sorted, 0, ctx.fold(0), rest)),
      after(ctx, ctx.slice(sorted, 0, lead, rest));
  Expr differs = before != after;
  Value first = ctx.full({lead}, 1.0, ctx.b.getI1Type());
  if (differs.isNull())
    return failure();
  Expr starts(ctx, ConcatOp::create(ctx.b, ctx.loc, ValueRange{first, differs.value()}, 0));
  Value rows = starts.isNull() ? Value() : checkedValue<NonzeroOp>(ctx, starts.value());
  if (!rows)
    return failure();
  OpFoldResult found = ctx.size(rows, 0);
  Value position = ctx.reshape(rows, {found});
  Value values = checkedValue<TakeOp>(ctx, sorted, position, uint64_t(0));
  Expr run = cumulative(starts.cast(i64), ReduceKind::Sum, 0) - 1.0;
  if (!values || run.isNull())
    return failure();
  Value zeros = ctx.full({found}, 0.0, i64), ones = ctx.full({count}, 1.0, i64);
  Value counts =
      checkedValue<PutOp>(ctx, zeros, run.value(), ones, uint64_t(0), /*accumulate=*/true);
  if (!counts)
    return failure();
  return SmallVector<Value>{values, run.value(), counts};
}

/// _unique2(self, sorted, return_inverse, return_counts) -> (values, inverse, counts). What was not
/// asked for is empty.
static FailureOr<SmallVector<Value>> unique(RuleContext &ctx, bool isSorted, bool inverse,
                                            bool counts) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  Type i64 = ctx.b.getI64Type();
  Value flat = flatten(ctx, self), order;
  if (isSorted) {
    auto sort = checkedCreate<SortOp>(ctx, flat, uint64_t(0), false);
    if (!sort)
      return failure();
    flat = sort.getValues();
    order = sort.getIndices();
  }
  FailureOr<SmallVector<Value>> runs = runsOf(ctx, flat);
  if (failed(runs))
    return failure();
  SmallVector<Value> results = *runs;
  if (inverse && order)
    results[1] = checkedValue<PutOp>(ctx, results[1], order, results[1], uint64_t(0), false);
  if (!results[1])
    return failure();
  results[1] =
      inverse ? ctx.reshape(results[1], ctx.sizes(self)) : ctx.full({ctx.fold(0)}, 0.0, i64);
  if (!counts)
    results[2] = ctx.full({ctx.fold(0)}, 0.0, i64);
  if (ctx.failed())
    return failure();
  return results;
}
static FailureOr<SmallVector<Value>> unique2(RuleContext &ctx) {
  bool inverse = ctx.constantBool(2), counts = ctx.constantBool(3);
  return unique(ctx, true, inverse, counts);
}
/// unique_consecutive(self, return_inverse, return_counts, dim?).
static FailureOr<SmallVector<Value>> uniqueConsecutive(RuleContext &ctx) {
  bool inverse = ctx.constantBool(1), counts = ctx.constantBool(2);
  if (!ctx.isNone(3) && ctx.tensorType(0).getRank() != 1)
    return ctx.fail("unique_consecutive: a dimension is not supported");
  return unique(ctx, false, inverse, counts);
}

void specialize::registerOrderRules(RuleRegistry &registry) {
  registry.values("mode", mode);
  registry.values("nanmedian.dim", nanmedianDim);
  registry.value("nanmedian", nanmedian);
  registry.value("quantile", quantile<false>);
  registry.value("quantile.scalar", quantile<false>);
  registry.value("nanquantile", quantile<true>);
  registry.value("nanquantile.scalar", quantile<true>);
  registry.value("histc", histc);
  registry.value("bincount", bincount);
  registry.values("_unique2", unique2);
  registry.values("unique_consecutive", uniqueConsecutive);
}
