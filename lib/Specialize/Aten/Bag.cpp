//===- Bag.cpp - Rules of groups of rows: bags and repetitions ------------===//

#include "../Interpreter/Walker.h"
#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

/// Raises unless a condition, i1 of any rank, holds everywhere.
static bool requireAll(RuleContext &ctx, const Expr &condition, const Twine &message) {
  if (condition.isNull())
    return false;
  Expr all = reduce(ReduceKind::And, condition, allDims(rankOf(condition)), false);
  if (!all.isNull())
    ctx.check(ctx.toScalar(all.value()), message);
  return !ctx.failed();
}

/// For each number below `count` how many of `positions`, i64 from 0 to count, are not above it.
static Expr countUpTo(RuleContext &ctx, const Expr &positions, OpFoldResult count) {
  Type i64 = ctx.b.getI64Type();
  Value zeros = ctx.full({ctx.add(count, ctx.fold(1))}, 0.0, i64);
  if (positions.isNull())
    return positions;
  Value ones = ctx.full(ctx.sizes(positions.value()), 1.0, i64);
  Expr marks(ctx, checkedValue<PutOp>(ctx, zeros, positions.value(), ones, uint64_t(0), true));
  Expr counts = cumulative(marks, ReduceKind::Sum, 0);
  if (counts.isNull())
    return counts;
  return Expr(ctx, ctx.slice(counts.value(), 0, ctx.fold(0), count));
}

//===----------------------------------------------------------------------===//
// Repetition
//===----------------------------------------------------------------------===//

/// Which element stands at each place when element i comes repeats[i] times; `outputSize` is the
/// operand that may say how many places there are.
static Expr repeatedIndices(RuleContext &ctx, Value repeats, unsigned outputSize) {
  Type type = getElementTypeOrSelf(repeats), i64 = ctx.b.getI64Type();
  Expr null(ctx, {});
  if (ctx.failed())
    return null;
  if (rankOf(repeats) != 1 || !(type.isSignlessInteger(64) || type.isSignlessInteger(32))) {
    (void)ctx.raise("repeat_interleave: repeats must be 1-dim, of Long or Int");
    return null;
  }
  Expr counts = Expr(ctx, repeats).cast(i64);
  if (!requireAll(ctx, counts >= 0.0, "repeats can not be negative"))
    return null;
  Expr total = sum(counts, {0}, false);
  OpFoldResult size = ctx.indexValue(OpFoldResult(ctx.toScalar(total.value())));
  if (!ctx.isNone(outputSize)) {
    OpFoldResult given = ctx.index(outputSize);
    if (!ctx.requireEqual(given, size, "allocated size does not match required size"))
      return null;
    size = given;
  }
  if (!ctx.requireSizes({size}))
    return null;
  return countUpTo(ctx, cumulative(counts, ReduceKind::Sum, 0), size);
}

/// repeat_interleave.Tensor(repeats, output_size?).
static FailureOr<Value> repeatIndices(RuleContext &ctx) {
  Value repeats = ctx.tensor(0);
  Expr index = repeatedIndices(ctx, repeats, 1);
  if (ctx.failed())
    return failure();
  return done(ctx, index.cast(getElementTypeOrSelf(repeats)));
}

/// `count` numbers of repeats for `size` elements: if it is one at run time, the same for all.
static Value oneForAll(RuleContext &ctx, Value repeats, OpFoldResult count, OpFoldResult size) {
  Type i64 = ctx.b.getI64Type(), i1 = ctx.b.getI1Type();
  Expr have = sizeTensor(ctx, count, i64), want = sizeTensor(ctx, size, i64);
  Expr fits = (have == want).cast(i1) || (have == 1.0).cast(i1);
  ctx.check(ctx.toScalar(fits.value()), "repeats must have the same size as input along dim");
  if (ctx.failed())
    return {};
  Expr position(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{size}, 0));
  return checkedValue<TakeOp>(ctx, repeats, minimum(position, have - 1.0).value(), uint64_t(0));
}

/// repeat_interleave.self_Tensor(self, repeats, dim?, output_size?): without dim of the flattened
/// tensor.
static FailureOr<Value> repeatInterleave(RuleContext &ctx) {
  Value self = ctx.tensor(0), repeats = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  bool isFlat = ctx.isNone(2);
  int64_t dim = isFlat ? 0 : ctx.dim(2, rankOf(self));
  if (isFlat || !rankOf(self))
    self = ctx.reshape(self, {ctx.product(ctx.sizes(self))});
  if (rankOf(repeats) > 1)
    return ctx.raise("repeats must be 0-dim or 1-dim tensor");
  OpFoldResult size = ctx.size(self, dim);
  OpFoldResult count = rankOf(repeats) ? ctx.size(repeats, 0) : ctx.fold(1);
  if (isConstantIntValue(count, 1))
    repeats = ctx.broadcastTo(ctx.reshape(repeats, {ctx.fold(1)}), {size});
  else if (ctx.equal(count, size) != Known::Yes)
    repeats = oneForAll(ctx, repeats, count, size);
  if (ctx.failed())
    return failure();
  Expr index = repeatedIndices(ctx, repeats, 3);
  if (index.isNull())
    return failure();
  return done(ctx, checkedValue<TakeOp>(ctx, self, index.value(), static_cast<uint64_t>(dim)));
}

//===----------------------------------------------------------------------===//
// Bags of embeddings
//===----------------------------------------------------------------------===//

namespace {
/// The rows of an embedding that are looked up, and the bag that each of them is in.
struct Bags {
  Expr rows, bag; ///< [n, columns] in the type in which PyTorch computes, and [n]
  Expr counts;    ///< i1, [n]: not the padding
  OpFoldResult number;
  Type type;
};
} // namespace

/// The operands of embedding_bag(weight, indices, offsets, .., include_last_offset #7, padding_idx?
/// #8), checked.
static FailureOr<Bags> bags(RuleContext &ctx) {
  Value weight = ctx.tensor(0), indices = ctx.tensor(1), offsets = ctx.tensor(2);
  bool includeLast = ctx.constantBool(7, false);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(weight), i64 = ctx.b.getI64Type();
  if (!isFloat(type) || rankOf(weight) != 2 || rankOf(indices) != 1 || rankOf(offsets) != 1 ||
      !isInt(getElementTypeOrSelf(indices)) || !isInt(getElementTypeOrSelf(offsets)))
    return ctx.raise("embedding_bag: expected a matrix of floats, and vectors of indices and "
                     "offsets");
  OpFoldResult count = ctx.size(indices, 0), number = ctx.size(offsets, 0);
  Expr index = Expr(ctx, indices).cast(i64), starts = Expr(ctx, offsets).cast(i64);
  if (includeLast)
    number = ctx.sub(number, ctx.fold(1));
  if (std::optional<int64_t> known = getConstantIntValue(number); !known || *known < 1)
    if (known || !requireNotEmpty(ctx, offsets, {0}))
      return ctx.fail("embedding_bag: expected an offset");
  number = ctx.maximum(number, ctx.fold(0));
  auto offsetAt = [&](OpFoldResult at) {
    return Expr(ctx, ctx.slice(starts.value(), 0, at, ctx.fold(1)));
  };
  Expr limit = sizeTensor(ctx, count, i64);
  if (!requireAll(ctx, offsetAt(ctx.fold(0)) == 0.0,
                  "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start "
                  "from position 0.") ||
      !requireAll(ctx, starts >= 0.0 && starts <= limit,
                  "offsets can not be greater than input's length"))
    return failure();
  if (includeLast &&
      !requireAll(
          ctx, offsetAt(number) == limit,
          "embedding_bag: a last offset that is not the number of indices is not supported"))
    return failure();
  if (includeLast)
    starts = Expr(ctx, ctx.slice(starts.value(), 0, ctx.fold(0), number));
  Expr bag = countUpTo(ctx, starts, count) - 1.0;
  Value rows = checkedValue<TakeOp>(ctx, weight, index.value(), uint64_t(0));
  if (bag.isNull() || !rows)
    return failure();
  Expr counts = index == index;
  if (!ctx.isNone(8)) {
    int64_t padding = ctx.constantInt(8);
    Expr size = sizeTensor(ctx, ctx.size(weight, 0), i64);
    counts = index != (padding < 0 ? size + static_cast<double>(padding)
                                   : index.constant(static_cast<double>(padding)));
  }
  return Bags{Expr(ctx, rows).cast(computeType(type)), bag, counts, number, type};
}

/// The sum of the rows of each bag.
static Expr sumBags(RuleContext &ctx, const Bags &in, const Expr &rows) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(rows.value());
  sizes[0] = in.number;
  Value zeros = ctx.full(sizes, 0.0, rows.elementType());
  if (ctx.failed())
    return Expr(ctx, {});
  return Expr(ctx,
              checkedValue<PutOp>(ctx, zeros, in.bag.value(), rows.value(), uint64_t(0), true));
}

/// The greatest elements of each bag's rows, 0 where it has none.
static Expr maxBags(RuleContext &ctx, const Bags &in, const Expr &rows, const Expr &number) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(rows.value());
  Value index = ctx.broadcastTo(ctx.unsqueeze(in.bag.value(), 1), sizes);
  sizes[0] = in.number;
  Value lowest = ctx.full(sizes, -std::numeric_limits<double>::infinity(), rows.elementType());
  if (ctx.failed())
    return Expr(ctx, {});
  Expr best(ctx, checkedValue<ScatterOp>(ctx, ScatterReduction::Amax, lowest, index, rows.value(),
                                         uint64_t(0)));
  return where(number > 0.0, best, 0.0);
}

/// embedding_bag(weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights?,
/// include_last_offset, padding_idx?): sums, means or maxima. What else it returns is for its
/// backward operator only, and not given.
static LogicalResult embeddingBag(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  int64_t mode = ctx.constantInt(4, 0);
  Value perSample = ctx.optionalTensor(6);
  FailureOr<Bags> in = bags(ctx);
  if (failed(in) || ctx.failed())
    return failure();
  Type wide = in->rows.elementType();
  Expr counts(ctx, ctx.unsqueeze(in->counts.value(), 1)), rows = in->rows;
  if (perSample) {
    if (mode != 0)
      return ctx.raise("embedding_bag: per_sample_weights only supported with mode='sum'");
    if (getElementTypeOrSelf(perSample) != in->type || rankOf(perSample) != 1 ||
        !ctx.requireEqual(ctx.size(perSample, 0), ctx.size(rows.value(), 0),
                          "expected per_sample_weights to have the same shape as input"))
      return ctx.raise("embedding_bag: expected per_sample_weights of the weight's dtype");
    rows = rows * Expr(ctx, ctx.unsqueeze(perSample, 1)).cast(wide);
  }
  Expr number = sumBags(ctx, *in, counts.cast(wide)), result(ctx, {});
  if (rows.isNull() || number.isNull())
    return failure();
  if (mode == 2)
    result =
        maxBags(ctx, *in, where(counts, rows, -std::numeric_limits<double>::infinity()), number);
  else
    result = sumBags(ctx, *in, where(counts, rows, 0.0));
  if (mode == 1)
    result = result / maximum(number, 1.0);
  if (result.isNull())
    return failure();
  results.push_back(ctx.makeTensor(result.cast(in->type).value()));
  for (int i = 0; i < 3; ++i)
    results.push_back(SpecValue::none());
  return success();
}

void specialize::registerBagRules(RuleRegistry &registry) {
  registry.value("repeat_interleave.Tensor", repeatIndices);
  registry.value("repeat_interleave.self_Tensor", repeatInterleave);
  registry.special("embedding_bag", embeddingBag);
  registry.special("embedding_bag.padding_idx", embeddingBag);
}
