//===- Sorting.cpp - Rules of sorting and order statistics ----------------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "TensorExpr.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

/// Values and indices, as operators return them.
using Pair = FailureOr<SmallVector<Value>>;

/// Sorts along a dimension; a tensor of rank 0 is sorted.
static Pair sortAlong(RuleContext &ctx, Value self, int64_t dim, bool descending) {
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  if (!rankOf(self))
    return SmallVector<Value>{self, ctx.constantTensor(0, ctx.b.getI64Type())};
  auto op = checkedCreate<SortOp>(ctx, self, static_cast<uint64_t>(dim), descending);
  if (!op)
    return failure();
  return SmallVector<Value>{op.getValues(), op.getIndices()};
}

/// sort(self, dim, descending).
static Pair sort(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(1, rankOf(self));
  bool descending = ctx.constantBool(2);
  return sortAlong(ctx, self, dim, descending);
}
/// sort.stable(self, stable?, dim, descending).
static Pair sortStable(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(2, rankOf(self));
  bool descending = ctx.constantBool(3);
  return sortAlong(ctx, self, dim, descending);
}

static FailureOr<Value> pick(Pair pair, unsigned i) {
  if (failed(pair))
    return failure();
  return (*pair)[i];
}
/// argsort(self, dim, descending).
static FailureOr<Value> argsort(RuleContext &ctx) { return pick(sort(ctx), 1); }
/// argsort.stable(self, stable, dim, descending).
static FailureOr<Value> argsortStable(RuleContext &ctx) { return pick(sortStable(ctx), 1); }
/// msort(self): along dimension 0.
static FailureOr<Value> msort(RuleContext &ctx) {
  return pick(sortAlong(ctx, ctx.tensor(0), 0, false), 0);
}

/// topk(self, k, dim, largest, sorted): the head of the sorted tensor.
static Pair topk(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult k = ctx.index(1);
  int64_t rank = rankOf(self), dim = ctx.dim(2, rank);
  bool largest = ctx.constantBool(3);
  if (ctx.failed())
    return failure();
  Pair sorted = sortAlong(ctx, self, dim, largest);
  if (failed(sorted))
    return failure();
  if (!rank)
    return sorted;
  OpFoldResult size = ctx.size(self, dim);
  std::optional<int64_t> wanted = getConstantIntValue(k), known = getConstantIntValue(size);
  if (wanted && known) {
    if (*wanted < 0 || *wanted > *known)
      return ctx.raise("selected index k out of range");
  } else {
    Value fits = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::ule, ctx.indexValue(k),
                                       ctx.indexValue(size));
    ctx.check(fits, "selected index k out of range");
  }
  for (Value &part : *sorted)
    part = ctx.slice(part, dim, ctx.fold(0), k);
  if (ctx.failed())
    return failure();
  return sorted;
}

/// Element `position` of the sorted dimension: (values, indices).
static Pair atPosition(RuleContext &ctx, Pair sorted, int64_t dim, OpFoldResult position,
                       bool keepdim) {
  if (failed(sorted) || ctx.failed())
    return failure();
  for (Value &part : *sorted) {
    if (!rankOf(part))
      continue;
    part = ctx.slice(part, dim, position, ctx.fold(1));
    if (!keepdim)
      part = ctx.squeeze(part, dim);
  }
  if (ctx.failed())
    return failure();
  return sorted;
}

/// Checks that a size or position is one of 1 to `most`, now or at run time. False after a failure.
static bool requirePosition(RuleContext &ctx, OpFoldResult position, OpFoldResult most,
                            const Twine &message) {
  OpFoldResult below = ctx.sub(position, ctx.fold(1));
  std::optional<int64_t> known = getConstantIntValue(below), limit = getConstantIntValue(most);
  if (known && limit) {
    if (*known < 0 || *known >= *limit)
      (void)ctx.raise(message);
  } else {
    ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::ult,
                                    ctx.indexValue(below), ctx.indexValue(most)),
              message);
  }
  return !ctx.failed();
}

/// kthvalue(self, k, dim, keepdim): the k-th smallest, counted from 1.
static Pair kthvalue(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult k = ctx.index(1);
  int64_t rank = rankOf(self), dim = ctx.dim(2, rank);
  bool keepdim = ctx.constantBool(3);
  if (ctx.failed())
    return failure();
  OpFoldResult size = rank ? ctx.size(self, dim) : ctx.fold(1);
  if (!requirePosition(ctx, k, size,
                       "kthvalue(): selected number k out of range for dimension " + Twine(dim)))
    return failure();
  return atPosition(ctx, sortAlong(ctx, self, dim, false), dim, ctx.sub(k, ctx.fold(1)), keepdim);
}

/// The position of the lower one of two middle elements.
static OpFoldResult middleOf(RuleContext &ctx, OpFoldResult size) {
  return ctx.floorDiv(ctx.sub(size, ctx.fold(1)), ctx.fold(2));
}

/// median.dim(self, dim, keepdim): the lower one of two; the first NaN where there is one.
static Pair medianDim(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  bool keepdim = ctx.constantBool(2);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(self)))
    return failure();
  if (!rank)
    return sortAlong(ctx, self, dim, false);
  OpFoldResult size = ctx.size(self, dim);
  if (!requirePosition(ctx, size, size,
                       "median(): Expected reduction dim " + Twine(dim) +
                           " to have non-zero size."))
    return failure();
  Pair middle =
      atPosition(ctx, sortAlong(ctx, self, dim, false), dim, middleOf(ctx, size), keepdim);
  if (failed(middle) || !isFloat(getElementTypeOrSelf(self)))
    return middle;
  // NaN is sorted last, and wins wherever there is one.
  Expr isNan = isnan(Expr(ctx, self));
  if (isNan.isNull())
    return failure();
  Expr any = reduce(ReduceKind::Or, isNan, {dim}, keepdim);
  Expr first(ctx,
             ArgReduceOp::create(ctx.b, ctx.loc, ReduceKind::Max, isNan.value(), dim, keepdim));
  Expr values = where(any, std::numeric_limits<double>::quiet_NaN(), Expr(ctx, (*middle)[0]));
  Expr indices = where(any, first, Expr(ctx, (*middle)[1]));
  if (values.isNull() || indices.isNull())
    return failure();
  return SmallVector<Value>{values.value(), indices.value()};
}

/// median(self): of all elements.
static FailureOr<Value> median(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(self)))
    return failure();
  Value flat = ctx.reshape(self, {ctx.product(ctx.sizes(self))});
  OpFoldResult size = ctx.size(flat, 0), position = middleOf(ctx, size);
  if (isConstantIntValue(size, 0))
    return ctx.fail("median: a tensor without elements is not supported");
  if (!getConstantIntValue(size)) {
    // Of no elements it is NaN, which is sorted behind all others. No integer is that.
    if (!isFloat(getElementTypeOrSelf(self))) {
      if (!requirePosition(ctx, size, size, "median: no integers to take one of"))
        return failure();
    } else {
      Value none = ctx.full({ctx.fold(1)}, std::numeric_limits<double>::quiet_NaN(),
                            getElementTypeOrSelf(self));
      flat = ConcatOp::create(ctx.b, ctx.loc, ValueRange{flat, none}, 0);
      position = ctx.maximum(position, ctx.fold(0));
    }
  }
  Pair middle = atPosition(ctx, sortAlong(ctx, flat, 0, false), 0, position, false);
  if (failed(middle))
    return failure();
  Expr value(ctx, middle->front());
  if (!isFloat(getElementTypeOrSelf(self)))
    return done(ctx, value);
  Expr any = reduce(ReduceKind::Or, isnan(Expr(ctx, ctx.reshape(self, {size}))), {0}, false);
  return done(ctx, where(any, std::numeric_limits<double>::quiet_NaN(), value));
}

void specialize::registerSortingRules(RuleRegistry &registry) {
  registry.values("sort", sort);
  registry.values("sort.stable", sortStable);
  registry.value("argsort", argsort);
  registry.value("argsort.stable", argsortStable);
  registry.value("msort", msort);
  registry.values("topk", topk);
  registry.values("kthvalue", kthvalue);
  registry.values("median.dim", medianDim);
  registry.value("median", median);
}
