//===- Indexing.cpp - Rules of reading and writing by index ---------------===//

#include "../Builtins/Numbers.h"
#include "CheckedBuild.h"
#include "Families.h"
#include "TensorExpr.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

/// An index tensor as i64; fails for anything but integers.
static Value indexTensor(RuleContext &ctx, Value index) {
  if (ctx.failed())
    return {};
  Type type = getElementTypeOrSelf(index);
  if (!isInt(type)) {
    (void)ctx.raise(Twine(ctx.name()) + ": expected an index of integers, but got " +
                    dtypeName(type));
    return {};
  }
  return ctx.cast(index, ctx.b.getI64Type());
}

/// Negative indices counted from the end of a dimension.
static Value wrapIndices(RuleContext &ctx, Value index, OpFoldResult size) {
  Expr i(ctx, index);
  Expr length(ctx, ctx.fromScalar(ctx.intValue(size)));
  return where(i < 0.0, i + length, i).value();
}

/// Raises unless 0 <= index < size for all.
static void requireIndices(RuleContext &ctx, Value index, OpFoldResult size, int64_t dim) {
  Expr i(ctx, index);
  Expr length(ctx, ctx.fromScalar(ctx.intValue(size)));
  Expr all = reduce(ReduceKind::And, i >= 0.0 && i < length,
                    llvm::to_vector(llvm::seq<int64_t>(0, rankOf(index))), false);
  if (!all.isNull())
    ctx.check(ctx.toScalar(all.value()),
              "index out of bounds for dimension " + Twine(dim) + " with size {}",
              ctx.intValue(size));
}

static Value take(RuleContext &ctx, Value input, Value index, int64_t dim) {
  return checkedValue<TakeOp>(ctx, input, index, static_cast<uint64_t>(dim));
}

/// A tensor of rank 0 as one of rank 1.
static Value atLeast1d(RuleContext &ctx, Value tensor) {
  return rankOf(tensor) ? tensor : ctx.reshape(tensor, {ctx.fold(1)});
}

static Value flat(RuleContext &ctx, Value tensor) {
  return rankOf(tensor) == 1 ? tensor : ctx.reshape(tensor, {ctx.product(ctx.sizes(tensor))});
}

/// embedding(weight, indices, padding_idx, scale_grad_by_freq, sparse).
static FailureOr<Value> embedding(RuleContext &ctx) {
  Value weight = ctx.tensor(0), indices = indexTensor(ctx, ctx.tensor(1));
  if (ctx.failed())
    return failure();
  if (rankOf(weight) != 2)
    return ctx.raise("'weight' must be 2-D");
  return done(ctx, take(ctx, weight, indices, 0));
}

/// index_select(self, dim, index).
static FailureOr<Value> indexSelect(RuleContext &ctx) {
  Value self = ctx.tensor(0), index = indexTensor(ctx, ctx.tensor(2));
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  if (ctx.failed())
    return failure();
  if (rankOf(index) > 1)
    return ctx.raise("index_select(): Index is supposed to be a vector");
  Value result = take(ctx, atLeast1d(ctx, self), atLeast1d(ctx, index), dim);
  if (!result)
    return failure();
  return done(ctx, rank ? result : ctx.reshape(result, {}));
}

//===----------------------------------------------------------------------===//
// Advanced indexing
//===----------------------------------------------------------------------===//

namespace {
/// `self[indices]`: the indexed dimensions first and folded into one, and the position in it.
struct Indexed {
  Value base;                           ///< [product of indexed sizes, rest...]
  Value position;                       ///< i64, of the indices' common sizes
  SmallVector<int64_t> order;           ///< dimensions of self: indexed, then the rest
  SmallVector<OpFoldResult> permuted;   ///< sizes of self in that order
  SmallVector<OpFoldResult> indexSizes; ///< of the position
  SmallVector<OpFoldResult> restSizes;
  int64_t insertAt = 0; ///< where the index dimensions stand in the result
};
} // namespace

/// The positions of what is not zero, a row for each.
static Value positions(RuleContext &ctx, Value mask) {
  if (llvm::is_contained(cast<RankedTensorType>(mask.getType()).getShape(), 0))
    return ctx.full({ctx.fold(0), ctx.fold(rankOf(mask))}, 0, ctx.b.getI64Type());
  return checkedValue<NonzeroOp>(ctx, mask);
}

/// The columns of `nonzero(mask)`.
static SmallVector<Value> maskIndices(RuleContext &ctx, Value mask) {
  Value rows = positions(ctx, mask);
  SmallVector<Value> columns;
  if (!rows)
    return columns;
  OpFoldResult count = ctx.size(rows, 0);
  for (int64_t i = 0; i < rankOf(mask); ++i)
    columns.push_back(ctx.reshape(ctx.slice(rows, 1, ctx.fold(i), ctx.fold(1)), {count}));
  return columns;
}

static FailureOr<Indexed> indexed(RuleContext &ctx, Value self, ArrayRef<Value> indices) {
  Indexed result;
  SmallVector<int64_t> dims;
  SmallVector<Value> positions;
  int64_t rank = rankOf(self), dim = 0;
  for (Value index : indices) {
    if (!index) {
      ++dim;
      continue;
    }
    Type type = getElementTypeOrSelf(index);
    if (isBool(type) || type.isUnsignedInteger(8)) {
      int64_t count = rankOf(index);
      if (count == 0)
        return ctx.fail("index: a mask of rank 0 is not supported");
      if (dim + count > rank)
        return ctx.raise("too many indices for tensor of dimension " + Twine(rank));
      for (int64_t i = 0; i < count; ++i)
        if (!ctx.requireEqual(
                ctx.size(index, i), ctx.size(self, dim + i),
                "The shape of the mask does not match the shape of the indexed tensor"))
          return failure();
      for (Value column : maskIndices(ctx, ctx.cast(index, ctx.b.getI1Type()))) {
        positions.push_back(column);
        dims.push_back(dim++);
      }
      continue;
    }
    Value wide = indexTensor(ctx, index);
    if (!wide)
      return failure();
    if (dim >= rank)
      return ctx.raise("too many indices for tensor of dimension " + Twine(rank));
    OpFoldResult size = ctx.size(self, dim);
    wide = wrapIndices(ctx, wide, size);
    if (ctx.failed())
      return failure();
    // One index is checked where it is used; of several only their combination is.
    if (llvm::count_if(indices, [](Value other) { return !!other; }) > 1)
      requireIndices(ctx, wide, size, dim);
    positions.push_back(wide);
    dims.push_back(dim++);
  }
  if (ctx.failed())
    return failure();
  if (dims.empty())
    return ctx.raise("at least one index must be provided");
  result.indexSizes = ctx.broadcastSizes(positions);
  if (ctx.failed())
    return failure();
  // The place of the index dimensions: that of the first where they are neighbours, else the front.
  bool areNeighbours = dims.back() - dims.front() + 1 == static_cast<int64_t>(dims.size());
  result.insertAt = areNeighbours ? dims.front() : 0;
  result.order = dims;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(dims, i)) {
      result.order.push_back(i);
      result.restSizes.push_back(ctx.size(self, i));
    }
  Value permuted = ctx.permute(self, result.order);
  result.permuted = ctx.sizes(permuted);
  SmallVector<OpFoldResult> folded = {
      ctx.product(ArrayRef(result.permuted).take_front(dims.size()))};
  folded.append(result.restSizes);
  result.base = dims.size() == 1 ? permuted : ctx.reshape(permuted, folded);
  Expr position(ctx, positions.front());
  for (size_t i = 1; i < dims.size(); ++i) {
    Expr size(ctx, ctx.fromScalar(ctx.intValue(ctx.size(self, dims[i]))));
    position = position * size + Expr(ctx, positions[i]);
  }
  if (position.isNull())
    return failure();
  result.position = ctx.broadcastTo(position.value(), result.indexSizes);
  if (ctx.failed())
    return failure();
  return result;
}

/// The permutation that moves the leading `count` dimensions to position `at` of `rank`.
static SmallVector<int64_t> moveFront(int64_t rank, int64_t count, int64_t at) {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < at; ++i)
    order.push_back(count + i);
  for (int64_t i = 0; i < count; ++i)
    order.push_back(i);
  for (int64_t i = count + at; i < rank; ++i)
    order.push_back(i);
  return order;
}

/// index.Tensor(self, indices).
static FailureOr<Value> indexRule(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<Value> indices = ctx.optionalTensorList(1);
  if (ctx.failed())
    return failure();
  FailureOr<Indexed> parts = indexed(ctx, self, indices);
  if (failed(parts))
    return failure();
  Value result = take(ctx, parts->base, parts->position, 0);
  if (!result)
    return failure();
  int64_t count = parts->indexSizes.size();
  return done(ctx, ctx.permute(result, moveFront(rankOf(result), count, parts->insertAt)));
}

/// index_put(self, indices, values, accumulate).
static FailureOr<Value> indexPut(RuleContext &ctx) {
  Value self = ctx.tensor(0), values = ctx.tensor(2);
  SmallVector<Value> indices = ctx.optionalTensorList(1);
  bool accumulate = ctx.constantBool(3);
  if (ctx.failed())
    return failure();
  if (getElementTypeOrSelf(values) != getElementTypeOrSelf(self))
    return ctx.raise("Index put requires the source and destination dtypes match, got " +
                     dtypeName(getElementTypeOrSelf(self)) + " for the destination and " +
                     dtypeName(getElementTypeOrSelf(values)) + " for the source.");
  FailureOr<Indexed> parts = indexed(ctx, self, indices);
  if (failed(parts))
    return failure();
  // The values broadcast to the sizes that index() would give; then index dimensions to the front.
  SmallVector<OpFoldResult> sizes(parts->restSizes);
  sizes.insert(sizes.begin() + parts->insertAt, parts->indexSizes.begin(), parts->indexSizes.end());
  int64_t count = parts->indexSizes.size(), rank = sizes.size();
  Value source = ctx.broadcastTo(values, sizes);
  if (ctx.failed())
    return failure();
  SmallVector<int64_t> forward = moveFront(rank, count, parts->insertAt), back(rank);
  for (auto [i, dim] : llvm::enumerate(forward))
    back[dim] = i;
  source = ctx.permute(source, back);
  SmallVector<OpFoldResult> folded = {ctx.product(parts->indexSizes)};
  folded.append(parts->restSizes);
  Value written = checkedValue<PutOp>(ctx, parts->base, flat(ctx, parts->position),
                                      ctx.reshape(source, folded), uint64_t(0), accumulate);
  if (!written)
    return failure();
  Value unfolded = ctx.reshape(written, parts->permuted);
  SmallVector<int64_t> inverse(parts->order.size());
  for (auto [i, dim] : llvm::enumerate(parts->order))
    inverse[dim] = i;
  return done(ctx, ctx.permute(unfolded, inverse));
}

//===----------------------------------------------------------------------===//
// Gather, scatter
//===----------------------------------------------------------------------===//

/// Checks that an index without elements, or in all dimensions but `dim`, is no larger than a
/// tensor of its rank. Sizes that are known are checked with the operation.
static void requireNotLarger(RuleContext &ctx, Value index, Value tensor, int64_t dim,
                             StringRef name) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(index);
  Value isEmpty;
  for (int64_t i = 0; i < rankOf(tensor); ++i) {
    OpFoldResult size = ctx.size(tensor, i);
    if (i == dim || size == sizes[i] ||
        (getConstantIntValue(size) && getConstantIntValue(sizes[i])))
      continue;
    if (!isEmpty)
      isEmpty =
          arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq,
                                ctx.indexValue(ctx.product(sizes)), ctx.indexValue(ctx.fold(0)));
    Value fits = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::ule,
                                       ctx.indexValue(sizes[i]), ctx.indexValue(size));
    ctx.check(arith::OrIOp::create(ctx.b, ctx.loc, isEmpty, fits),
              "Expected index to be no larger than " + name + " in dimension " + Twine(i));
  }
}

/// gather(self, dim, index, sparse_grad).
static FailureOr<Value> gather(RuleContext &ctx) {
  Value self = ctx.tensor(0), index = indexTensor(ctx, ctx.tensor(2));
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  if (ctx.failed())
    return failure();
  if (rankOf(index) > 0 && rank > 0 && rankOf(index) != rank)
    return ctx.raise("Index tensor must have the same number of dimensions as input tensor");
  SmallVector<OpFoldResult> sizes = ctx.sizes(index);
  if (rankOf(index) == rank)
    requireNotLarger(ctx, index, self, dim, "self");
  Value result = checkedValue<GatherOp>(ctx, atLeast1d(ctx, self), atLeast1d(ctx, index),
                                        static_cast<uint64_t>(dim));
  if (!result)
    return failure();
  return done(ctx, sizes.empty() ? ctx.reshape(result, {}) : result);
}

static Value scatterOp(RuleContext &ctx, ScatterReduction reduction, Value self, Value index,
                       Value source, int64_t dim) {
  return checkedValue<ScatterOp>(ctx, reduction, self, index, source, static_cast<uint64_t>(dim));
}

/// The operands of a scatter, ranks 0 raised to 1.
namespace {
struct Scatter {
  Value self, index, source;
  int64_t dim = 0;
  bool isScalar = false;

  Value restore(RuleContext &ctx, Value result) const {
    return isScalar && result ? ctx.reshape(result, {}) : result;
  }
};
} // namespace

/// self, dim, index, and the source operand: a tensor, or a number that is repeated.
static FailureOr<Scatter> scatterOperands(RuleContext &ctx, unsigned source) {
  Scatter s;
  s.self = ctx.tensor(0);
  s.index = indexTensor(ctx, ctx.tensor(2));
  Type type = getElementTypeOrSelf(s.self);
  s.dim = ctx.dim(1, rankOf(s.self));
  if (ctx.failed())
    return failure();
  s.isScalar = rankOf(s.self) == 0;
  if (ctx.isTensor(source) && ctx.tensorType(source).getElementType() != type)
    return ctx.raise(ctx.name() + "(): Expected self.dtype to be equal to src.dtype");
  if (ctx.isTensor(source)) {
    s.source = atLeast1d(ctx, ctx.tensor(source));
  } else {
    Value value = ctx.operandAs(source, type);
    if (ctx.failed())
      return failure();
    s.source = ctx.broadcastTo(value, ctx.sizes(atLeast1d(ctx, s.index)));
  }
  s.self = atLeast1d(ctx, s.self);
  s.index = atLeast1d(ctx, s.index);
  if (ctx.failed())
    return failure();
  if (rankOf(s.index) != rankOf(s.self) || rankOf(s.source) != rankOf(s.self))
    return ctx.raise(ctx.name() +
                     "(): Index tensor must have the same number of dimensions as self tensor");
  requireNotLarger(ctx, s.index, s.self, s.dim, "self");
  if (ctx.isTensor(source))
    requireNotLarger(ctx, s.index, s.source, /*dim=*/-1, "src");
  return s;
}

/// scatter.src, scatter.value (self, dim, index, src or value).
static FailureOr<Value> scatter(RuleContext &ctx) {
  FailureOr<Scatter> s = scatterOperands(ctx, 3);
  if (failed(s))
    return failure();
  return done(ctx, s->restore(ctx, scatterOp(ctx, ScatterReduction::None, s->self, s->index,
                                             s->source, s->dim)));
}

/// scatter_add(self, dim, index, src).
static FailureOr<Value> scatterAdd(RuleContext &ctx) {
  FailureOr<Scatter> s = scatterOperands(ctx, 3);
  if (failed(s))
    return failure();
  if (!requireReal(ctx, getElementTypeOrSelf(s->self)))
    return failure();
  auto kind =
      isBool(getElementTypeOrSelf(s->self)) ? ScatterReduction::Amax : ScatterReduction::Sum;
  return done(ctx, s->restore(ctx, scatterOp(ctx, kind, s->self, s->index, s->source, s->dim)));
}

/// scatter.reduce, scatter.value_reduce (self, dim, index, src or value, reduce): "add" or
/// "multiply".
static FailureOr<Value> scatterOldReduce(RuleContext &ctx) {
  FailureOr<Scatter> s = scatterOperands(ctx, 3);
  StringRef reduce = ctx.constantString(4);
  if (failed(s) || ctx.failed())
    return failure();
  if (!requireNumber(ctx, getElementTypeOrSelf(s->self)))
    return failure();
  if (reduce != "add" && reduce != "multiply")
    return ctx.raise("reduce argument must be either add or multiply.");
  auto kind = reduce == "add" ? ScatterReduction::Sum : ScatterReduction::Prod;
  return done(ctx, s->restore(ctx, scatterOp(ctx, kind, s->self, s->index, s->source, s->dim)));
}

/// The least or greatest value of a type.
static double limitOf(Type type, bool greatest) {
  if (isFloat(type))
    return greatest ? std::numeric_limits<double>::infinity()
                    : -std::numeric_limits<double>::infinity();
  if (isBool(type))
    return greatest;
  return 0;
}

/// A 0-dim tensor of the least or greatest value of a type.
static Value limitTensor(RuleContext &ctx, Type type, bool greatest) {
  if (!isInt(type))
    return ctx.constantTensor(limitOf(type, greatest), type);
  unsigned width = type.getIntOrFloatBitWidth();
  if (type.isUnsignedInteger())
    return ctx.constantTensor(
        greatest ? int64_t(APInt::getMaxValue(width).getZExtValue()) : int64_t(0), type);
  APInt value = greatest ? APInt::getSignedMaxValue(width) : APInt::getSignedMinValue(width);
  return ctx.constantTensor(value.getSExtValue(), type);
}

/// self with what the source holds at the indices combined by `reduce`, self's own elements counted
/// only with `includeSelf`. For scatter_reduce and index_reduce.
static FailureOr<Value> scatterReduced(RuleContext &ctx, const Scatter &s, StringRef reduce,
                                       bool includeSelf) {
  Type type = getElementTypeOrSelf(s.self);
  if (!requireReal(ctx, type))
    return failure();
  ScatterReduction kind = llvm::StringSwitch<ScatterReduction>(reduce)
                              .Cases({"sum", "mean"}, ScatterReduction::Sum)
                              .Case("prod", ScatterReduction::Prod)
                              .Case("amax", ScatterReduction::Amax)
                              .Case("amin", ScatterReduction::Amin)
                              .Default(ScatterReduction::None);
  if (kind == ScatterReduction::None)
    return ctx.raise("reduce argument must be either sum, prod, mean, amax or amin, got " + reduce);
  if (isBool(type) && (kind == ScatterReduction::Sum || kind == ScatterReduction::Prod))
    return ctx.fail(ctx.name() + ": sums and products of bool are not supported");
  Value start = s.self;
  if (!includeSelf) {
    // Elements that are hit start from what changes nothing.
    Value neutral = kind == ScatterReduction::Sum ? ctx.constantTensor(0, type)
                    : kind == ScatterReduction::Prod
                        ? ctx.constantTensor(1, type)
                        : limitTensor(ctx, type, kind == ScatterReduction::Amin);
    Value fill = ctx.broadcastTo(neutral, ctx.sizes(s.index));
    start = scatterOp(ctx, ScatterReduction::None, start, s.index, fill, s.dim);
  }
  if (!start)
    return failure();
  Value result = scatterOp(ctx, kind, start, s.index, s.source, s.dim);
  if (!result)
    return failure();
  if (reduce == "mean") {
    Value counts = ctx.full(ctx.sizes(s.self), includeSelf ? 1.0 : 0.0, type);
    Value ones = ctx.full(ctx.sizes(s.index), 1.0, type);
    counts = scatterOp(ctx, ScatterReduction::Sum, counts, s.index, ones, s.dim);
    if (!counts)
      return failure();
    Expr count = maximum(Expr(ctx, counts), 1.0), total(ctx, result);
    result = (isFloat(type) ? total / count : floorDivide(total, count)).value();
  }
  return done(ctx, s.restore(ctx, result));
}

/// scatter_reduce.two(self, dim, index, src, reduce, include_self).
static FailureOr<Value> scatterReduce(RuleContext &ctx) {
  FailureOr<Scatter> s = scatterOperands(ctx, 3);
  StringRef reduce = ctx.constantString(4);
  bool includeSelf = ctx.constantBool(5);
  if (failed(s) || ctx.failed())
    return failure();
  return scatterReduced(ctx, *s, reduce, includeSelf);
}

/// index_reduce(self, dim, index, source, reduce, include_self): the index is repeated over the
/// others.
static FailureOr<Value> indexReduce(RuleContext &ctx) {
  Scatter s;
  s.self = ctx.tensor(0);
  s.index = indexTensor(ctx, ctx.tensor(2));
  s.source = ctx.tensor(3);
  StringRef reduce = ctx.constantString(4);
  bool includeSelf = ctx.constantBool(5);
  s.dim = ctx.dim(1, rankOf(s.self));
  if (ctx.failed())
    return failure();
  s.isScalar = rankOf(s.self) == 0;
  if (getElementTypeOrSelf(s.source) != getElementTypeOrSelf(s.self))
    return ctx.raise("index_reduce(): self and source expected to have the same dtype");
  s.self = atLeast1d(ctx, s.self);
  s.index = atLeast1d(ctx, s.index);
  s.source = atLeast1d(ctx, s.source);
  if (rankOf(s.index) != 1 || rankOf(s.source) != rankOf(s.self))
    return ctx.raise(
        "index_reduce(): Index is supposed to be a vector, source of the rank of self");
  SmallVector<OpFoldResult> column(rankOf(s.source), ctx.fold(1));
  column[s.dim] = ctx.size(s.index, 0);
  s.index = ctx.broadcastTo(ctx.reshape(s.index, column), ctx.sizes(s.source));
  if (ctx.failed())
    return failure();
  return scatterReduced(ctx, s, reduce, includeSelf);
}

/// tl.put along a dimension of self, rank 0 raised to 1.
static FailureOr<Value> putAlong(RuleContext &ctx, Value self, Value index, Value source,
                                 int64_t dim, bool accumulate) {
  if (ctx.failed())
    return failure();
  bool isScalar = rankOf(self) == 0;
  index = atLeast1d(ctx, index);
  Value wide = atLeast1d(ctx, self);
  source = atLeast1d(ctx, source);
  if (rankOf(index) == 1 && rankOf(source) == rankOf(wide))
    for (int64_t i = 0; i < rankOf(wide); ++i)
      if (!ctx.requireEqual(ctx.size(source, i), i == dim ? ctx.size(index, 0) : ctx.size(wide, i),
                            ctx.name() + "(): the source's size in dimension " + Twine(i) +
                                " does not match"))
        return failure();
  Value result =
      checkedValue<PutOp>(ctx, wide, index, source, static_cast<uint64_t>(dim), accumulate);
  if (!result)
    return failure();
  return done(ctx, isScalar ? ctx.reshape(result, {}) : result);
}

/// index_add(self, dim, index, source, alpha).
static FailureOr<Value> indexAdd(RuleContext &ctx) {
  Value self = ctx.tensor(0), index = indexTensor(ctx, ctx.tensor(2));
  int64_t dim = ctx.dim(1, rankOf(self));
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  if (ctx.tensorType(3).getElementType() != type)
    return ctx.raise("index_add_(): self and source expected to have the same dtype");
  Expr source(ctx, ctx.tensor(3));
  if (ctx.knownFloat(4) != 1.0)
    source = source * Expr(ctx, ctx.operandAs(4, type));
  if (source.isNull())
    return failure();
  return putAlong(ctx, self, index, source.value(), dim, true);
}

/// index_copy(self, dim, index, source).
static FailureOr<Value> indexCopy(RuleContext &ctx) {
  Value self = ctx.tensor(0), index = indexTensor(ctx, ctx.tensor(2)), source = ctx.tensor(3);
  int64_t dim = ctx.dim(1, rankOf(self));
  if (ctx.failed())
    return failure();
  if (getElementTypeOrSelf(source) != getElementTypeOrSelf(self))
    return ctx.raise("index_copy_(): self and source expected to have the same dtype");
  return putAlong(ctx, self, index, source, dim, false);
}

/// index_fill.int_Scalar, index_fill.int_Tensor (self, dim, index, value): negative indices wrap.
static FailureOr<Value> indexFill(RuleContext &ctx) {
  Value self = ctx.tensor(0), index = indexTensor(ctx, ctx.tensor(2));
  int64_t dim = ctx.dim(1, rankOf(self));
  Value value = ctx.operandAs(3, getElementTypeOrSelf(self));
  if (ctx.failed() || !requireFits(ctx, 3, getElementTypeOrSelf(self)))
    return failure();
  Value wide = atLeast1d(ctx, self);
  index = wrapIndices(ctx, atLeast1d(ctx, index), ctx.size(wide, dim));
  SmallVector<OpFoldResult> sizes = ctx.sizes(wide);
  if (!index)
    return failure();
  sizes[dim] = ctx.size(index, 0);
  if (ctx.isTensor(3) && ctx.tensorType(3).getRank())
    return ctx.raise("index_fill_ only supports a 0-dimensional value tensor");
  return putAlong(ctx, self, index, ctx.broadcastTo(value, sizes), dim, false);
}

/// take(self, index): in the flattened tensor; negative indices wrap.
static FailureOr<Value> takeRule(RuleContext &ctx) {
  Value self = ctx.tensor(0), index = indexTensor(ctx, ctx.tensor(1));
  if (ctx.failed())
    return failure();
  Value all = flat(ctx, self);
  index = wrapIndices(ctx, index, ctx.size(all, 0));
  if (!index)
    return failure();
  return done(ctx, take(ctx, all, index, 0));
}

/// put(self, index, source, accumulate): into the flattened tensor; negative indices wrap.
static FailureOr<Value> put(RuleContext &ctx) {
  Value self = ctx.tensor(0), index = indexTensor(ctx, ctx.tensor(1)), source = ctx.tensor(2);
  bool accumulate = ctx.constantBool(3);
  if (ctx.failed())
    return failure();
  if (getElementTypeOrSelf(source) != getElementTypeOrSelf(self))
    return ctx.raise("put_(): self and source expected to have the same dtype");
  if (accumulate && !requireNumber(ctx, getElementTypeOrSelf(self)))
    return failure();
  Value all = flat(ctx, self);
  index = wrapIndices(ctx, flat(ctx, index), ctx.size(all, 0));
  if (!index)
    return failure();
  FailureOr<Value> result = putAlong(ctx, all, index, flat(ctx, source), 0, accumulate);
  if (failed(result))
    return failure();
  return done(ctx, ctx.reshape(*result, ctx.sizes(self)));
}

/// take_along_dim(self, indices, dim?): gather after broadcasting the other dimensions.
static FailureOr<Value> takeAlongDim(RuleContext &ctx) {
  Value self = ctx.tensor(0), index = indexTensor(ctx, ctx.tensor(1));
  if (ctx.failed())
    return failure();
  int64_t dim = 0;
  if (ctx.isNone(2)) {
    self = flat(ctx, self);
    index = flat(ctx, index);
  } else {
    dim = ctx.dim(2, rankOf(self));
    if (ctx.failed())
      return failure();
    if (rankOf(self) != rankOf(index) || !rankOf(self))
      return ctx.raise(
          "take_along_dim(): input and indices should have the same number of dimensions");
    SmallVector<OpFoldResult> selfSizes = ctx.sizes(self), indexSizes = ctx.sizes(index);
    for (int64_t i = 0; i < rankOf(self); ++i) {
      if (i == dim)
        continue;
      std::optional<OpFoldResult> size = ctx.broadcastSize(
          selfSizes[i], indexSizes[i], "take_along_dim(): sizes do not broadcast");
      if (!size)
        return failure();
      selfSizes[i] = indexSizes[i] = *size;
    }
    self = ctx.broadcastTo(self, selfSizes);
    index = ctx.broadcastTo(index, indexSizes);
  }
  if (ctx.failed())
    return failure();
  index = wrapIndices(ctx, index, ctx.size(self, dim));
  if (!index)
    return failure();
  return done(ctx, checkedValue<GatherOp>(ctx, self, index, static_cast<uint64_t>(dim)));
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// masked_select(self, mask): the elements where the mask holds, in order.
static FailureOr<Value> maskedSelect(RuleContext &ctx) {
  Value self = ctx.tensor(0), mask = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  if (!isBool(getElementTypeOrSelf(mask)))
    return ctx.raise("masked_select: expected BoolTensor for mask");
  SmallVector<OpFoldResult> sizes = ctx.broadcastSizes({self, mask});
  if (ctx.failed())
    return failure();
  Value elements = flat(ctx, ctx.broadcastTo(self, sizes));
  SmallVector<Value> position = maskIndices(ctx, flat(ctx, ctx.broadcastTo(mask, sizes)));
  if (position.empty())
    return failure();
  return done(ctx, take(ctx, elements, position.front(), 0));
}

/// masked_scatter(self, mask, source): the source's elements, in order, where the mask holds.
static FailureOr<Value> maskedScatter(RuleContext &ctx) {
  Value self = ctx.tensor(0), mask = ctx.tensor(1), source = ctx.tensor(2);
  if (ctx.failed())
    return failure();
  if (!isBool(getElementTypeOrSelf(mask)))
    return ctx.raise("masked_scatter_ only supports boolean masks");
  if (getElementTypeOrSelf(source) != getElementTypeOrSelf(self))
    return ctx.raise("masked_scatter: expected self and source to have same dtypes");
  SmallVector<OpFoldResult> sizes = ctx.broadcastSizes({self, mask});
  if (ctx.failed())
    return failure();
  if (isConstantIntValue(ctx.product(sizes), 0))
    return done(ctx, ctx.broadcastTo(self, sizes));
  Expr holds(ctx, flat(ctx, ctx.broadcastTo(mask, sizes)));
  Expr counted = holds.cast(ctx.b.getI64Type());
  if (counted.isNull())
    return failure();
  Expr running(ctx, CumulativeOp::create(ctx.b, ctx.loc, ReduceKind::Sum, counted.value(), 0));
  // Where the mask does not hold any element will do.
  Expr position = where(holds, running - 1.0, 0.0);
  if (position.isNull())
    return failure();
  Value chosen = take(ctx, flat(ctx, source), position.value(), 0);
  if (!chosen)
    return failure();
  Value wide = ctx.broadcastTo(self, sizes);
  return done(ctx, where(Expr(ctx, ctx.broadcastTo(mask, sizes)),
                         Expr(ctx, ctx.reshape(chosen, sizes)), Expr(ctx, wide)));
}

/// nonzero(self), argwhere(self).
static FailureOr<Value> nonzero(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  if (!rankOf(self)) { // one position without a number, or none
    Expr count = Expr(ctx, self).cast(ctx.b.getI1Type()).cast(ctx.b.getI64Type());
    OpFoldResult rows = ctx.indexValue(OpFoldResult(ctx.toScalar(count.value())));
    return done(ctx, ctx.full({rows, ctx.fold(0)}, 0.0, ctx.b.getI64Type()));
  }
  return done(ctx, positions(ctx, self));
}

/// nonzero_numpy(self): one index tensor for each dimension.
static FailureOr<SmallVector<Value>> nonzeroNumpy(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  SmallVector<Value> columns = maskIndices(ctx, atLeast1d(ctx, self));
  if (ctx.failed())
    return failure();
  return columns;
}

//===----------------------------------------------------------------------===//
// Searching
//===----------------------------------------------------------------------===//

/// How many of the sorted boundaries come before each value: not (boundary >= value), or with
/// `right` not (boundary > value), so that NaN comes behind all.
static FailureOr<Value> search(RuleContext &ctx, Value boundaries, Value values, bool outInt32,
                               bool right) {
  if (ctx.failed())
    return failure();
  Type type = promoteTypes(getElementTypeOrSelf(boundaries), getElementTypeOrSelf(values));
  if (!requireReal(ctx, type))
    return failure();
  int64_t rank = rankOf(boundaries);
  if (rank < 1)
    return ctx.fail(ctx.name() + ": boundaries must have a dimension");
  if (rank > 1 && rankOf(values) != rank)
    return ctx.raise(ctx.name() +
                     ": boundaries tensor should be 1 dimension or have the rank of the values");
  for (int64_t i = 0; i + 1 < rank; ++i)
    if (!ctx.requireEqual(ctx.size(boundaries, i), ctx.size(values, i),
                          Twine(ctx.name()) +
                              ": the first N-1 dimensions of boundaries and values must match"))
      return failure();
  Expr wanted(ctx, ctx.unsqueeze(values, rankOf(values)));
  Expr sorted(ctx, rank > 1 ? ctx.unsqueeze(boundaries, rank - 1) : boundaries);
  sorted = sorted.cast(type);
  wanted = wanted.cast(type);
  Expr isBefore = !(right ? sorted > wanted : sorted >= wanted);
  Expr count = sum(isBefore.cast(ctx.b.getI64Type()), {rankOf(values)}, false);
  return done(ctx, outInt32 ? count.cast(ctx.b.getI32Type()) : count);
}

/// bucketize.Tensor(self, boundaries, out_int32, right).
static FailureOr<Value> bucketize(RuleContext &ctx) {
  Value values = ctx.tensor(0), boundaries = ctx.tensor(1);
  bool outInt32 = ctx.constantBool(2), right = ctx.constantBool(3);
  return search(ctx, boundaries, values, outInt32, right);
}

/// searchsorted.Tensor(sorted_sequence, self, out_int32, right, side?, sorter?), and with a number.
static FailureOr<Value> searchsorted(RuleContext &ctx) {
  Value boundaries = ctx.tensor(0);
  Value values = ctx.isTensor(1) ? ctx.tensor(1) : ctx.operandAs(1, ctx.resultType({0, 1}));
  bool outInt32 = ctx.constantBool(2), right = ctx.constantBool(3);
  if (!ctx.isNone(4))
    right = ctx.constantString(4) == "right";
  if (ctx.failed())
    return failure();
  if (Value sorter = ctx.optionalTensor(5)) {
    Value order = indexTensor(ctx, sorter);
    boundaries = checkedValue<GatherOp>(ctx, boundaries, order,
                                        static_cast<uint64_t>(rankOf(boundaries) - 1));
    if (!boundaries)
      return failure();
  }
  return search(ctx, boundaries, values, outInt32, right);
}

void specialize::registerIndexingRules(RuleRegistry &registry) {
  registry.value("embedding", embedding);
  registry.value("index_select", indexSelect);
  // The hacked twins take lists without None, as scripts that name tensors write them.
  for (const char *name : {"index.Tensor", "index.Tensor_hacked_twin"})
    registry.value(name, indexRule);
  registry.value("_unsafe_index.Tensor", indexRule);
  for (const char *name : {"index_put", "index_put.hacked_twin"})
    registry.value(name, indexPut);
  registry.value("gather", gather);
  registry.value("scatter.src", scatter);
  registry.value("scatter.value", scatter);
  registry.value("scatter.reduce", scatterOldReduce);
  registry.value("scatter.value_reduce", scatterOldReduce);
  registry.value("scatter_add", scatterAdd);
  registry.value("scatter_reduce.two", scatterReduce);
  registry.value("index_reduce", indexReduce);
  registry.value("index_add", indexAdd);
  registry.value("index_copy", indexCopy);
  registry.value("index_fill.int_Scalar", indexFill);
  registry.value("index_fill.int_Tensor", indexFill);
  registry.value("take", takeRule);
  registry.value("put", put);
  registry.value("take_along_dim", takeAlongDim);
  registry.value("masked_select", maskedSelect);
  registry.value("masked_scatter", maskedScatter);
  registry.value("nonzero", nonzero);
  registry.value("argwhere", nonzero);
  registry.valueList("nonzero_numpy", nonzeroNumpy);
  registry.value("bucketize.Tensor", bucketize);
  registry.value("searchsorted.Scalar", searchsorted);
  registry.value("searchsorted.Tensor", searchsorted);
}
