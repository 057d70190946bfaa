//===- Slices.cpp - Rules of views: slices, pieces, diagonals -------------===//
//
// Each rule says by which steps the view follows from operand 0, so that writes through it reach
// the base. `<name>_copy` operators take the same steps and return a fresh tensor.

#include "../Interpreter/Pieces.h"
#include "CheckedBuild.h"
#include "Families.h"
#include "ViewHelpers.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Indices and bounds
//===----------------------------------------------------------------------===//

/// A Python index that may count from the end, as an index from the start.
static OpFoldResult wrap(RuleContext &ctx, OpFoldResult index, OpFoldResult size) {
  if (std::optional<int64_t> constant = getConstantIntValue(index))
    return *constant < 0 ? ctx.add(size, index) : index;
  if (isNonNegative(index))
    return index;
  Value value = ctx.indexValue(index), zero = ctx.indexValue(ctx.fold(0));
  Value isNegative = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::slt, value, zero);
  Value fromEnd = ctx.indexValue(ctx.add(size, index));
  return Value(arith::SelectOp::create(ctx.b, ctx.loc, isNegative, fromEnd, value));
}

/// Checks low <= index < high (high included with `closed`).
static bool requireInRange(RuleContext &ctx, OpFoldResult index, OpFoldResult low,
                           OpFoldResult high, bool closed, const Twine &message) {
  auto atMost = [&](OpFoldResult a, OpFoldResult b, bool orEqual) {
    std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
    if (x && y) {
      if (orEqual ? *x <= *y : *x < *y)
        return true;
      (void)ctx.raise(message);
      return false;
    }
    Value holds = arith::CmpIOp::create(
        ctx.b, ctx.loc, orEqual ? arith::CmpIPredicate::sle : arith::CmpIPredicate::slt,
        ctx.indexValue(a), ctx.indexValue(b));
    ctx.check(holds, message);
    return !ctx.failed();
  };
  bool isAboveLow = isConstantIntValue(low, 0) && isNonNegative(index);
  return (isAboveLow || atMost(low, index, true)) && atMost(index, high, closed);
}

/// A bound of a slice: counted from the end if negative, limited to 0 .. size.
static OpFoldResult clampBound(RuleContext &ctx, OpFoldResult bound, OpFoldResult size) {
  if (ctx.equal(bound, size) == Known::Yes)
    return size;
  OpFoldResult wrapped = wrap(ctx, bound, size);
  if (!isNonNegative(wrapped))
    wrapped = ctx.maximum(wrapped, ctx.fold(0));
  return isConstantIntValue(wrapped, 0) ? wrapped : ctx.minimum(wrapped, size);
}

//===----------------------------------------------------------------------===//
// Slicing
//===----------------------------------------------------------------------===//

/// The steps of a select: a slice of one element whose dimension is dropped.
static FailureOr<ViewChain> selectSteps(RuleContext &ctx, Value self, int64_t dim,
                                        OpFoldResult index) {
  if (ctx.failed())
    return failure();
  if (!rankOf(self))
    return ctx.raise("select() cannot be applied to a 0-dim tensor.");
  OpFoldResult size = ctx.size(self, dim);
  OpFoldResult at = wrap(ctx, index, size);
  if (!requireInRange(ctx, at, ctx.fold(0), size, false,
                      "select(): index out of range for tensor at dimension " + Twine(dim)))
    return failure();
  SmallVector<OpFoldResult> kept = ctx.sizes(self);
  kept.erase(kept.begin() + dim);
  return ViewChain{viewSliceDim(ctx, self, dim, at, ctx.fold(1), ctx.fold(1)), viewReshape(kept)};
}

/// select.int(self, dim, index).
static FailureOr<ViewAnswer> selectInt(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(1, rankOf(self));
  FailureOr<ViewChain> steps = selectSteps(ctx, self, dim, ctx.index(2));
  if (failed(steps) || ctx.failed())
    return failure();
  return answer(*steps);
}

/// Checks that a step is positive, and limits it to the size: one step beyond it leads out as well,
/// and sums with it do not overflow. False after a failure.
static bool requireStep(RuleContext &ctx, OpFoldResult &step, OpFoldResult size,
                        const Twine &message) {
  std::optional<int64_t> known = getConstantIntValue(step);
  if (known && *known <= 0) {
    (void)ctx.raise(message);
    return false;
  }
  if (!known) {
    Value positive = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt,
                                           ctx.intValue(step), ctx.intValue(ctx.fold(0)));
    ctx.check(positive, message);
  }
  if (!known || *known > INT32_MAX)
    step = ctx.minimum(step, ctx.add(size, ctx.fold(1)));
  return !ctx.failed();
}

/// The steps of a slice; none where it is the whole tensor.
static FailureOr<ViewChain> sliceSteps(RuleContext &ctx, Value self, int64_t dim,
                                       std::optional<OpFoldResult> start,
                                       std::optional<OpFoldResult> end, OpFoldResult step) {
  if (ctx.failed())
    return failure();
  if (!rankOf(self))
    return ctx.raise("slice() cannot be applied to a 0-dim tensor.");
  OpFoldResult size = ctx.size(self, dim);
  if (!requireStep(ctx, step, size, "slice step must be positive"))
    return failure();
  OpFoldResult low = start ? clampBound(ctx, *start, size) : ctx.fold(0);
  // Everything beyond any size stands for the end.
  std::optional<int64_t> last = end ? getConstantIntValue(*end) : std::nullopt;
  OpFoldResult high = !end || (last && *last == INT64_MAX) ? size : clampBound(ctx, *end, size);
  OpFoldResult length = ctx.sub(high, low);
  if (!isConstantIntValue(low, 0))
    length = ctx.maximum(length, ctx.fold(0));
  bool isDense = isConstantIntValue(step, 1);
  if (!isDense)
    length = ctx.floorDiv(ctx.add(length, ctx.sub(step, ctx.fold(1))), step);
  if (isDense && isConstantIntValue(low, 0) && ctx.equal(length, size) == Known::Yes)
    return ViewChain{};
  return ViewChain{viewSliceDim(ctx, self, dim, low, length, step)};
}

/// An optional bound operand.
static std::optional<OpFoldResult> bound(RuleContext &ctx, unsigned i) {
  if (ctx.isNone(i))
    return std::nullopt;
  return ctx.index(i);
}

/// slice.Tensor(self, dim, start?, end?, step).
static FailureOr<ViewAnswer> slice(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(1, rankOf(self));
  FailureOr<ViewChain> steps =
      sliceSteps(ctx, self, dim, bound(ctx, 2), bound(ctx, 3), ctx.index(4));
  if (failed(steps) || ctx.failed())
    return failure();
  return answer(*steps);
}

/// narrow(self, dim, start, length): checked, not limited.
static FailureOr<ViewAnswer> narrow(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(1, rankOf(self));
  OpFoldResult start = ctx.isTensor(2) ? ctx.fold(0) : ctx.index(2), length = ctx.index(3);
  if (ctx.isTensor(2)) {
    // narrow.Tensor: a 0-dim integer tensor.
    if (ctx.tensorType(2).getRank() || !isInt(ctx.tensorType(2).getElementType()))
      return ctx.raise("start must be an 0-dim integral Tensor.");
    Value index = ctx.toScalar(ctx.cast(ctx.tensor(2), ctx.b.getI64Type()));
    start = Value(arith::IndexCastOp::create(ctx.b, ctx.loc, ctx.b.getIndexType(), index));
  }
  if (ctx.failed())
    return failure();
  if (!rankOf(self))
    return ctx.raise("narrow() cannot be applied to a 0-dim tensor.");
  OpFoldResult size = ctx.size(self, dim);
  OpFoldResult at = wrap(ctx, start, size);
  if (!requireInRange(ctx, at, ctx.fold(0), size, true, "narrow(): start out of range") ||
      !requireInRange(ctx, length, ctx.fold(0), ctx.sub(size, at), true,
                      "narrow(): start + length exceeds dimension size"))
    return failure();
  return answer({viewSliceDim(ctx, self, dim, at, length, ctx.fold(1))});
}

/// Slices of the given lengths one behind the other.
static std::vector<ViewAnswer> consecutive(RuleContext &ctx, Value self, int64_t dim,
                                           ArrayRef<OpFoldResult> lengths) {
  std::vector<ViewAnswer> answers;
  OpFoldResult offset = ctx.fold(0);
  for (OpFoldResult length : lengths) {
    answers.push_back(answer({viewSliceDim(ctx, self, dim, offset, length, ctx.fold(1))}));
    offset = ctx.add(offset, length);
  }
  return answers;
}

/// The size of a dimension, which must be known: it decides the length of the list.
static std::optional<int64_t> knownSize(RuleContext &ctx, Value self, int64_t dim) {
  if (ctx.failed())
    return std::nullopt;
  if (!rankOf(self)) {
    (void)ctx.raise(Twine(ctx.name()) + ": expects at least a 1-dimensional tensor");
    return std::nullopt;
  }
  std::optional<int64_t> size = getConstantIntValue(ctx.size(self, dim));
  if (!size)
    (void)ctx.fail(Twine(ctx.name()) + ": the size of dimension " + Twine(dim) +
                   " must be known, it decides the number of results");
  return size;
}

static std::vector<ViewAnswer> pieces(RuleContext &ctx, Value self, int64_t dim, int64_t size,
                                      int64_t length, int64_t count) {
  SmallVector<OpFoldResult> lengths;
  for (int64_t i = 0; i < count; ++i)
    lengths.push_back(ctx.fold(std::max<int64_t>(0, std::min(length, size - i * length))));
  return consecutive(ctx, self, dim, lengths);
}

/// `count` pieces of a dimension whose size is not known; at run time there must be as many.
static ViewAnswers unknownPieces(RuleContext &ctx, Value self, int64_t dim, OpFoldResult length,
                                 int64_t count) {
  OpFoldResult size = ctx.size(self, dim);
  // Of nothing there is one piece for `split`, `chunk` gives as many as are asked for.
  OpFoldResult before = ctx.mul(length, ctx.fold(count - 1)), all = ctx.add(before, length);
  auto compare = [&](arith::CmpIPredicate predicate, OpFoldResult x, OpFoldResult y) -> Value {
    return arith::CmpIOp::create(ctx.b, ctx.loc, predicate, ctx.intValue(x), ctx.intValue(y));
  };
  Value isEmpty = compare(arith::CmpIPredicate::eq, all, before);
  Value hasLast = compare(arith::CmpIPredicate::slt, before, size);
  ctx.check(arith::OrIOp::create(ctx.b, ctx.loc, hasLast, isEmpty),
            ctx.name() + " was compiled for " + Twine(count) +
                " pieces, which a dimension of size {} does not give",
            ctx.intValue(size));
  ctx.check(compare(arith::CmpIPredicate::sge, all, size),
            ctx.name() + " was compiled for " + Twine(count) +
                " pieces, but a dimension of size {} gives more",
            ctx.intValue(size));
  if (ctx.failed())
    return failure();
  SmallVector<OpFoldResult> lengths(count - 1, length);
  lengths.push_back(ctx.sub(size, before));
  return consecutive(ctx, self, dim, lengths);
}

static bool requireSplitSize(RuleContext &ctx, OpFoldResult length, OpFoldResult size) {
  auto compare = [&](arith::CmpIPredicate predicate, OpFoldResult x) -> Value {
    return arith::CmpIOp::create(ctx.b, ctx.loc, predicate, ctx.intValue(x),
                                 ctx.intValue(ctx.fold(0)));
  };
  ctx.check(compare(arith::CmpIPredicate::sge, length),
            "split expects split_size be non-negative, but got split_size={}",
            ctx.intValue(length));
  if (std::optional<int64_t> known = getConstantIntValue(length); known && *known > 0)
    return !ctx.failed();
  Value isCut = compare(arith::CmpIPredicate::sgt, length),
        isEmpty = compare(arith::CmpIPredicate::eq, size);
  ctx.check(arith::OrIOp::create(ctx.b, ctx.loc, isCut, isEmpty),
            "split_size can only be 0 if dimension size is 0, but got dimension size of {}",
            ctx.intValue(size));
  return !ctx.failed();
}

/// The dimension that pieces are cut along; nothing after a failure.
static std::optional<int64_t> cutDim(RuleContext &ctx, unsigned operand) {
  int64_t rank = rankOf(ctx.tensor(0)), dim = ctx.dim(operand, rank);
  if (ctx.failed())
    return std::nullopt;
  if (rank)
    return dim;
  (void)ctx.fail(ctx.name() + ": expects at least a 1-dimensional tensor");
  return std::nullopt;
}

/// Pieces of split.Tensor(self, split_size, dim), whose length or whose dimension is not known.
static std::optional<SpecValue> splitPieces(RuleContext &ctx) {
  std::optional<int64_t> dim = cutDim(ctx, 2);
  OpFoldResult length = ctx.index(1);
  if (!dim || ctx.failed())
    return std::nullopt;
  OpFoldResult size = ctx.size(ctx.tensor(0), *dim);
  if (!requireSplitSize(ctx, length, size) ||
      (getConstantIntValue(length) && getConstantIntValue(size)))
    return std::nullopt;
  length = ctx.minimum(length, size);
  OpFoldResult count = ctx.floorDiv(ctx.add(size, ctx.sub(length, ctx.fold(1))), length);
  return slicesOf(ctx, *dim, length, ctx.maximum(count, ctx.fold(1)));
}

/// split.Tensor(self, split_size, dim) of sizes that are known.
static ViewAnswers split(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t length = ctx.constantInt(1), dim = ctx.dim(2, rankOf(self));
  std::optional<int64_t> size = knownSize(ctx, self, dim);
  if (!size)
    return failure();
  int64_t count = length == 0 ? 1 : std::max<int64_t>((*size + length - 1) / length, 1);
  return pieces(ctx, self, dim, *size, length, count);
}

/// split_with_sizes, split.sizes (self, split_sizes, dim).
static ViewAnswers splitSizes(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> lengths = ctx.indexList(1);
  int64_t dim = ctx.dim(2, rankOf(self));
  if (ctx.failed())
    return failure();
  if (!rankOf(self))
    return ctx.raise("split_with_sizes expects at least a 1-dimensional tensor");
  OpFoldResult total = ctx.fold(0);
  for (OpFoldResult length : lengths) {
    if (!requireInRange(ctx, length, ctx.fold(0), ctx.size(self, dim), true,
                        "split_with_sizes expects split_sizes have only non-negative entries that "
                        "sum exactly to "
                        "the size of dimension " +
                            Twine(dim)))
      return failure();
    total = ctx.add(total, length);
  }
  if (!ctx.requireEqual(total, ctx.size(self, dim),
                        "split_with_sizes expects split_sizes to sum exactly to the "
                        "size of dimension " +
                            Twine(dim)))
    return failure();
  return consecutive(ctx, self, dim, lengths);
}

/// Whether a list is only unpacked or iterated over, so that pieces do for it.
static bool isIterated(Operation *op) {
  return llvm::all_of(op->getUsers(), [](Operation *user) {
    if (isa<ListUnpackOp>(user))
      return true;
    auto aten = dyn_cast<AtenOp>(user);
    StringRef name = aten ? aten.getName() : "";
    name.consume_front("aten::");
    return name == "len.t" || name == "__getitem__.t" || name == "cat" || name == "stack";
  });
}

/// Pieces of chunk(self, chunks, dim), whose number or whose dimension is not known.
static std::optional<SpecValue> chunkPieces(RuleContext &ctx) {
  std::optional<int64_t> dim = cutDim(ctx, 2), known = ctx.knownInt(1);
  OpFoldResult chunks = ctx.index(1);
  if (!dim || ctx.failed())
    return std::nullopt;
  OpFoldResult size = ctx.size(ctx.tensor(0), *dim), one = ctx.fold(1);
  ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt, ctx.intValue(chunks),
                                  ctx.intValue(ctx.fold(0))),
            "chunk expects `chunks` to be greater than 0, got: {}", ctx.intValue(chunks));
  if (ctx.failed() ||
      (known && (getConstantIntValue(size) || !isIterated(ctx.getWalker().current))))
    return std::nullopt;
  // More chunks than there are elements are as many as there are; of nothing, as many as asked for.
  OpFoldResult limited =
      known && *known < INT32_MAX ? chunks : ctx.minimum(chunks, ctx.maximum(size, one));
  OpFoldResult length = ctx.floorDiv(ctx.add(size, ctx.sub(limited, one)), limited);
  OpFoldResult count = ctx.floorDiv(ctx.add(size, ctx.sub(length, one)), length);
  if (std::optional<int64_t> constant = getConstantIntValue(size)) {
    count = *constant ? count : chunks;
  } else {
    Value isEmpty = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq,
                                          ctx.intValue(size), ctx.intValue(ctx.fold(0)));
    count = Value(arith::SelectOp::create(ctx.b, ctx.loc, isEmpty, ctx.indexValue(chunks),
                                          ctx.indexValue(count)));
  }
  return slicesOf(ctx, *dim, length, count, known);
}

/// chunk(self, chunks, dim): at most so many pieces of equal size, the last one smaller.
static ViewAnswers chunk(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t chunks = ctx.constantInt(1), dim = ctx.dim(2, rankOf(self));
  if (!ctx.failed() && rankOf(self) && chunks > 0 && !getConstantIntValue(ctx.size(self, dim))) {
    OpFoldResult whole = ctx.size(self, dim), count = ctx.fold(chunks);
    OpFoldResult length = ctx.floorDiv(ctx.add(whole, ctx.fold(chunks - 1)), count);
    return unknownPieces(ctx, self, dim, length, chunks);
  }
  std::optional<int64_t> size = knownSize(ctx, self, dim);
  if (!size)
    return failure();
  if (chunks <= 0)
    return ctx.raise("chunk expects `chunks` to be greater than 0, got: " + Twine(chunks));
  int64_t length = (*size + chunks - 1) / chunks;
  if (length == 0)
    return pieces(ctx, self, dim, 0, 0, chunks);
  return pieces(ctx, self, dim, *size, length, (*size + length - 1) / length);
}

/// Pieces of unbind.int(self, dim) along a dimension of a size that is not known.
static std::optional<SpecValue> unbindPieces(RuleContext &ctx) {
  std::optional<int64_t> dim = cutDim(ctx, 1);
  if (!dim || getConstantIntValue(ctx.size(ctx.tensor(0), *dim)))
    return std::nullopt;
  return elementsOf(ctx, *dim);
}

/// unbind.int(self, dim).
static ViewAnswers unbind(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(1, rankOf(self));
  std::optional<int64_t> size = knownSize(ctx, self, dim);
  if (!size)
    return failure();
  std::vector<ViewAnswer> answers;
  for (int64_t i = 0; i < *size; ++i) {
    FailureOr<ViewChain> steps = selectSteps(ctx, self, dim, ctx.fold(i));
    if (failed(steps))
      return failure();
    answers.push_back(answer(*steps));
  }
  return answers;
}

/// Pieces whose sizes differ by at most one, larger ones first.
static ViewAnswers tensorSplitSections(RuleContext &ctx, Value self, int64_t dim,
                                       int64_t sections) {
  if (ctx.failed())
    return failure();
  if (!rankOf(self))
    return ctx.fail(ctx.name() + ": expects at least a 1-dimensional tensor");
  if (sections <= 0)
    return ctx.raise(ctx.name() + ": number of sections must be larger than 0, got " +
                     Twine(sections));
  OpFoldResult size = ctx.size(self, dim), whole = ctx.floorDiv(size, ctx.fold(sections));
  OpFoldResult rest = ctx.sub(size, ctx.mul(whole, ctx.fold(sections)));
  SmallVector<OpFoldResult> lengths;
  for (int64_t i = 0; i < sections; ++i) {
    // One more for the first ones, as many as are left.
    OpFoldResult more = ctx.maximum(ctx.sub(rest, ctx.fold(i)), ctx.fold(0));
    lengths.push_back(ctx.add(whole, ctx.minimum(more, ctx.fold(1))));
  }
  return consecutive(ctx, self, dim, lengths);
}

/// Pieces between indices, which count and are limited as in Python.
static ViewAnswers tensorSplitIndices(RuleContext &ctx, Value self, int64_t dim,
                                      ArrayRef<OpFoldResult> indices) {
  std::vector<ViewAnswer> answers;
  if (ctx.failed())
    return failure();
  std::optional<OpFoldResult> start;
  for (size_t i = 0; i <= indices.size(); ++i) {
    std::optional<OpFoldResult> end;
    if (i < indices.size())
      end = indices[i];
    FailureOr<ViewChain> steps = sliceSteps(ctx, self, dim, start, end, ctx.fold(1));
    if (failed(steps))
      return failure();
    answers.push_back(answer(*steps));
    start = end;
  }
  return answers;
}

/// tensor_split.sections(self, sections, dim), tensor_split.indices(self, indices, dim).
static ViewAnswers tensorSplit(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(2, rankOf(self));
  if (ctx.name().ends_with("sections"))
    return tensorSplitSections(ctx, self, dim, ctx.constantInt(1));
  return tensorSplitIndices(ctx, self, dim, ctx.indexList(1));
}

/// hsplit, vsplit, dsplit (.int: sections that divide the size, .array: indices).
template <int64_t wanted> static ViewAnswers splitAlong(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self), dim = wanted == 1 && rank == 1 ? 0 : wanted;
  if (ctx.failed())
    return failure();
  if (rank < (wanted == 1 ? 1 : wanted == 0 ? 2 : 3))
    return ctx.raise(ctx.name() + ": the tensor has too few dimensions");
  if (ctx.name().ends_with("array"))
    return tensorSplitIndices(ctx, self, dim, ctx.indexList(1));
  int64_t sections = ctx.constantInt(1);
  std::optional<int64_t> size = knownSize(ctx, self, dim);
  if (!size)
    return failure();
  if (sections <= 0 || *size % sections)
    return ctx.raise(ctx.name() + ": the size of dimension " + Twine(dim) +
                     " is not divisible by the split size");
  return tensorSplitSections(ctx, self, dim, sections);
}

/// The steps of a diagonal: the two dimensions last and merged, then every (columns + 1)-th
/// element.
static FailureOr<ViewChain> diagonalSteps(RuleContext &ctx, Value self, OpFoldResult offset,
                                          int64_t dim1, int64_t dim2) {
  int64_t rank = rankOf(self);
  if (ctx.failed())
    return failure();
  if (rank < 2 || dim1 == dim2)
    return ctx.raise("diagonal: expected two different dimensions");
  OpFoldResult rows = ctx.size(self, dim1), columns = ctx.size(self, dim2);
  SmallVector<int64_t> order;
  SmallVector<OpFoldResult> merged;
  for (int64_t i = 0; i < rank; ++i)
    if (i != dim1 && i != dim2) {
      order.push_back(i);
      merged.push_back(ctx.size(self, i));
    }
  order.append({dim1, dim2});
  // Beyond any size there is nothing, wherever it starts.
  OpFoldResult far = ctx.fold(int64_t(1) << 40), near = ctx.fold(-(int64_t(1) << 40));
  offset = ctx.maximum(ctx.minimum(offset, far), near);
  OpFoldResult right = ctx.maximum(offset, ctx.fold(0)),
               down = ctx.maximum(ctx.sub(ctx.fold(0), offset), ctx.fold(0));
  OpFoldResult length = ctx.minimum(ctx.sub(rows, down), ctx.sub(columns, right));
  if (!isNonNegative(length))
    length = ctx.maximum(length, ctx.fold(0));
  OpFoldResult start = ctx.fold(0);
  if (!isConstantIntValue(length, 0)) {
    start = ctx.add(right, ctx.mul(down, columns));
    // Where a diagonal of nothing starts is no place of the tensor.
    if (!getConstantIntValue(offset))
      start = ctx.minimum(start, ctx.mul(rows, columns));
  }
  merged.push_back(ctx.mul(rows, columns));
  SmallVector<OpFoldResult> offsets(merged.size(), ctx.fold(0)), steps(merged.size(), ctx.fold(1));
  SmallVector<OpFoldResult> sizes(merged);
  offsets.back() = start;
  sizes.back() = length;
  steps.back() = ctx.add(columns, ctx.fold(1));
  return ViewChain{viewPermute(order), viewReshape(merged), viewSlice(offsets, sizes, steps)};
}

/// diagonal(self, offset, dim1, dim2), linalg_diagonal(A, offset, dim1, dim2).
static FailureOr<ViewAnswer> diagonal(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult offset = ctx.index(1);
  int64_t rank = rankOf(self), dim1 = ctx.dim(2, rank), dim2 = ctx.dim(3, rank);
  FailureOr<ViewChain> steps = diagonalSteps(ctx, self, offset, dim1, dim2);
  if (failed(steps))
    return failure();
  return answer(*steps, Known::Yes, Known::Maybe);
}

/// The indices i * by + j of windows and their elements.
static Value windowIndices(RuleContext &ctx, OpFoldResult count, OpFoldResult window,
                           OpFoldResult by) {
  std::optional<int64_t> rows = getConstantIntValue(count), columns = getConstantIntValue(window),
                         step = getConstantIntValue(by);
  Type i64 = ctx.b.getI64Type();
  if (rows && columns && step) {
    SmallVector<int64_t> indices;
    for (int64_t i = 0; i < *rows; ++i)
      for (int64_t j = 0; j < *columns; ++j)
        indices.push_back(i * *step + j);
    auto type = RankedTensorType::get({*rows, *columns}, i64);
    return arith::ConstantOp::create(ctx.b, ctx.loc,
                                     DenseElementsAttr::get(type, ArrayRef(indices)));
  }
  Expr row(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{count, ctx.fold(1)}, 0));
  Expr column(ctx,
              IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{ctx.fold(1), window}, 1));
  return (row * Expr(ctx, ctx.fromScalar(ctx.intValue(by))) + column).value();
}

/// The order of the dimensions of windows, whose elements come last.
static SmallVector<int64_t> windowOrder(int64_t rank, int64_t dim) {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i <= rank; ++i)
    if (i != dim + 1)
      order.push_back(i);
  order.push_back(dim + 1);
  return order;
}

/// What a tensor is when its windows, which do not overlap, have new elements.
static Value writeWindows(RuleContext &ctx, Value base, Value view, Value table, int64_t dim) {
  int64_t rank = rankOf(base);
  SmallVector<OpFoldResult> sizes = ctx.sizes(base);
  sizes[dim] = ctx.product(ctx.sizes(table));
  Value windows = ctx.permute(view, invertPermutationVector(windowOrder(rank, dim)));
  return checkedValue<PutOp>(ctx, base, ctx.reshape(table, {sizes[dim]}),
                             ctx.reshape(windows, sizes), static_cast<uint64_t>(dim), false);
}

/// unfold(self, dimension, size, step): windows along a dimension, their elements last. They can be
/// written unless they may overlap.
static FailureOr<ViewAnswer> unfold(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  OpFoldResult window = ctx.index(2), by = ctx.index(3);
  if (ctx.failed())
    return failure();
  OpFoldResult size = rank ? ctx.size(self, dim) : ctx.fold(1);
  if (!requireInRange(ctx, window, ctx.fold(0), size, true,
                      "unfold: maximum size for tensor at dimension " + Twine(dim) +
                          " is less than the size of a window") ||
      !requireStep(ctx, by, size, "unfold: step must be positive"))
    return failure();
  OpFoldResult count = ctx.add(ctx.floorDiv(ctx.sub(size, window), by), ctx.fold(1));
  ViewStep step;
  step.kind = ViewStep::Kind::Custom;
  step.read = [=](RuleContext &ctx, Value base) -> Value {
    if (!rank) // of no element, or of the only one
      return ctx.slice(ctx.reshape(base, {ctx.fold(1)}), 0, ctx.fold(0), window);
    Value table = windowIndices(ctx, count, window, by);
    if (!table)
      return {};
    Value windows = checkedValue<TakeOp>(ctx, base, table, static_cast<uint64_t>(dim));
    if (!windows)
      return {};
    return ctx.permute(windows, windowOrder(rank, dim));
  };
  std::optional<int64_t> length = getConstantIntValue(window), stride = getConstantIntValue(by);
  if (rank && length && stride && *length <= *stride)
    step.write = [=](RuleContext &ctx, Value base, Value view) -> Value {
      Value table = windowIndices(ctx, count, window, by);
      return table ? writeWindows(ctx, base, view, table, dim) : table;
    };
  return answer({step}, Known::Yes, Known::Maybe);
}

//===----------------------------------------------------------------------===//
// Writing into a view of a copy
//===----------------------------------------------------------------------===//

/// A copy of self in which the view given by steps holds operand 1.
static LogicalResult scatterInto(RuleContext &ctx, const FailureOr<ViewChain> &steps,
                                 SmallVectorImpl<SpecValue> &results) {
  if (failed(steps) || ctx.failed())
    return failure();
  Value source = ctx.tensor(1);
  SpecValue copy = ctx.makeTensor(ctx.tensor(0));
  SpecValue view = ctx.getWalker().viewOf(copy, *steps, Known::Maybe);
  if (!view.isTensor())
    return failure();
  if (view.getTensor().type.getShape() != cast<RankedTensorType>(source.getType()).getShape())
    return ctx.raise(ctx.name() + ": expected src to have the sizes of the slice of self");
  if (!ctx.writeTensor(view, source))
    return failure();
  results.push_back(copy);
  return success();
}

/// select_scatter(self, src, dim, index).
static LogicalResult selectScatter(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(2, rankOf(self));
  return scatterInto(ctx, selectSteps(ctx, self, dim, ctx.index(3)), results);
}
/// slice_scatter(self, src, dim, start?, end?, step).
static LogicalResult sliceScatter(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(2, rankOf(self));
  return scatterInto(ctx, sliceSteps(ctx, self, dim, bound(ctx, 3), bound(ctx, 4), ctx.index(5)),
                     results);
}
/// diagonal_scatter(self, src, offset, dim1, dim2).
static LogicalResult diagonalScatter(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  Value self = ctx.tensor(0);
  OpFoldResult offset = ctx.index(2);
  int64_t rank = rankOf(self), dim1 = ctx.dim(3, rank), dim2 = ctx.dim(4, rank);
  return scatterInto(ctx, diagonalSteps(ctx, self, offset, dim1, dim2), results);
}

void specialize::registerSliceRules(RuleRegistry &registry) {
  registry.view("select.int", selectInt);
  registry.view("slice.Tensor", slice);
  registry.view("narrow", narrow);
  registry.view("narrow.Tensor", narrow);
  registry.viewList("split.Tensor", split);
  registry.pieces("split.Tensor", splitPieces);
  registry.pieces("chunk", chunkPieces);
  registry.pieces("unbind.int", unbindPieces);
  registry.viewList("split.sizes", splitSizes);
  registry.viewList("split_with_sizes", splitSizes);
  registry.viewList("chunk", chunk);
  registry.viewList("unbind.int", unbind);
  registry.viewList("tensor_split.sections", tensorSplit);
  registry.viewList("tensor_split.indices", tensorSplit);
  for (StringRef overload : {"int", "array"}) {
    registry.viewList(("hsplit." + overload).str(), splitAlong<1>);
    registry.viewList(("vsplit." + overload).str(), splitAlong<0>);
    registry.viewList(("dsplit." + overload).str(), splitAlong<2>);
  }
  registry.view("diagonal", diagonal);
  registry.view("linalg_diagonal", diagonal);
  registry.view("unfold", unfold);
  registry.special("select_scatter", selectScatter);
  registry.special("slice_scatter", sliceScatter);
  registry.special("diagonal_scatter", diagonalScatter);
  registry.view("select_copy.int", copyOf(ViewRule(selectInt)));
  registry.view("slice_copy.Tensor", copyOf(ViewRule(slice)));
  registry.view("narrow_copy", copyOf(ViewRule(narrow)));
  registry.view("diagonal_copy", copyOf(ViewRule(diagonal)));
  registry.view("unfold_copy", copyOf(ViewRule(unfold)));
  registry.viewList("unsafe_chunk", copyOf(ViewListRule(chunk)));
  registry.viewList("unsafe_split.Tensor", copyOf(ViewListRule(split)));
  registry.viewList("unsafe_split_with_sizes", copyOf(ViewListRule(splitSizes)));
  registry.viewList("split_copy.Tensor", copyOf(ViewListRule(split)));
  registry.viewList("split_with_sizes_copy", copyOf(ViewListRule(splitSizes)));
  registry.viewList("unbind_copy.int", copyOf(ViewListRule(unbind)));
}
