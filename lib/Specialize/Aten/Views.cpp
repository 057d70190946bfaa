//===- Views.cpp - Rules of views: reshaping, permuting, expanding --------===//
//
// Each rule says by which steps the view follows from operand 0, so that writes through it reach
// the base. `<name>_copy` operators take the same steps and return a fresh tensor.

#include "../Interpreter/Strides.h"
#include "../Interpreter/SymbolicStrides.h"
#include "Families.h"
#include "ViewHelpers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Reshaping
//===----------------------------------------------------------------------===//

/// Whether two lists of sizes differ by ones only, so that a reshape between them is always a view.
static bool differByOnes(RuleContext &ctx, ArrayRef<OpFoldResult> a, ArrayRef<OpFoldResult> b) {
  auto others = [](ArrayRef<OpFoldResult> sizes) {
    return llvm::to_vector(llvm::make_filter_range(
        sizes, [](OpFoldResult size) { return !isConstantIntValue(size, 1); }));
  };
  SmallVector<OpFoldResult> x = others(a), y = others(b);
  return x.size() == y.size() && llvm::all_of(llvm::zip(x, y), [&](auto pair) {
           return ctx.equal(std::get<0>(pair), std::get<1>(pair)) == Known::Yes;
         });
}

/// Whether a tensor can be viewed in other sizes, as far as its strides are known.
static Known canView(RuleContext &ctx, Value self, ArrayRef<OpFoldResult> sizes) {
  if (differByOnes(ctx, ctx.sizes(self), sizes) || ctx.contiguous(0) == Known::Yes)
    return Known::Yes;
  SmallVector<int64_t> shape = staticShape(ctx.sizes(self)), viewShape = staticShape(sizes);
  std::optional<Strides> strides = stridesOf(ctx.operand(0).getTensor());
  if (!strides || ShapedType::isDynamicShape(shape) || ShapedType::isDynamicShape(viewShape))
    return Known::Maybe;
  return stridesOfReshape(shape, *strides, viewShape) ? Known::Yes : Known::No;
}

/// What `reshape` to sizes that are known to fit answers.
static ViewAnswer reshapeAnswer(RuleContext &ctx, Value self, ArrayRef<OpFoldResult> sizes) {
  ViewStep step = viewReshape(sizes);
  Known isView = canView(ctx, self, sizes);
  if (differByOnes(ctx, ctx.sizes(self), sizes))
    return answer({step});
  if (isView == Known::Maybe)
    return answer({step}, Known::Maybe, Known::Maybe);
  step.ifContiguous = true;
  if (isView == Known::Yes)
    return answer({step});
  return answer({step}, Known::No, Known::Yes);
}

/// Whether a reshape puts dimensions together, so that it is a view for some strides only.
static bool mergesDims(RuleContext &ctx, Value self, ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> before = ctx.sizes(self);
  if (differByOnes(ctx, before, sizes))
    return false;
  SmallVector<int64_t> shape = staticShape(before), viewShape = staticShape(sizes);
  if (ShapedType::isDynamicShape(shape) || ShapedType::isDynamicShape(viewShape))
    return viewShape.size() < shape.size();
  // Strides for which no two dimensions lie in memory as one.
  Strides apart(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0; stride = stride * (shape[i] + 1) + 1)
    apart[i] = stride;
  return !stridesOfReshape(shape, apart, viewShape);
}

/// What `view` to sizes that are known to fit answers: always a view, or it raises. Strides that
/// are not known, and do not follow from sizes either, are taken to allow it.
static FailureOr<ViewAnswer> viewAnswer(RuleContext &ctx, Value self,
                                        ArrayRef<OpFoldResult> sizes) {
  const TensorRef &tensor = ctx.operand(0).getTensor();
  Known isView = canView(ctx, self, sizes);
  // What is said here of an argument holds where it is contiguous.
  Walker &w = ctx.getWalker();
  bool isArgument =
      llvm::is_contained(w.externalCells, tensor.storage) && !w.stateCells.count(tensor.storage);
  Value fits = isView == Known::Maybe ? canViewAs(ctx, tensor, sizes) : Value();
  bool isChecked = isView == Known::No || (fits && !matchPattern(fits, m_One()));
  if (isChecked || (isArgument && mergesDims(ctx, self, sizes)))
    w.reliesOnContiguity |= tensor.given;
  const char *message =
      "view size is not compatible with input tensor's size and stride (at least one "
      "dimension spans across two contiguous subspaces). Use .reshape(...) instead.";
  if (isView == Known::No)
    return ctx.raise(message);
  if (isChecked)
    ctx.check(fits, message);
  return answer({viewReshape(sizes)});
}

/// view(self, size).
static FailureOr<ViewAnswer> view(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> sizes = ctx.indexList(1);
  if (ctx.failed())
    return failure();
  sizes = ctx.inferReshape(self, sizes);
  if (ctx.failed())
    return failure();
  return viewAnswer(ctx, self, sizes);
}

/// reshape(self, shape): a view where strides allow.
static FailureOr<ViewAnswer> reshape(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> sizes = ctx.indexList(1);
  if (ctx.failed())
    return failure();
  sizes = ctx.inferReshape(self, sizes);
  if (ctx.failed())
    return failure();
  return reshapeAnswer(ctx, self, sizes);
}

/// view_as, reshape_as (self, other).
template <bool isView> static FailureOr<ViewAnswer> reshapeAs(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.inferReshape(self, ctx.sizes(other));
  if (ctx.failed())
    return failure();
  if (isView)
    return viewAnswer(ctx, self, sizes);
  return reshapeAnswer(ctx, self, sizes);
}

/// flatten.using_ints(self, start_dim, end_dim).
static FailureOr<ViewAnswer> flatten(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self), start = ctx.dim(1, rank), end = ctx.dim(2, rank);
  if (ctx.failed())
    return failure();
  if (start > end)
    return ctx.raise("flatten() has invalid args: start_dim cannot come after end_dim");
  if (rank == 0)
    return answer({viewReshape({ctx.fold(1)})});
  if (start == end)
    return ViewAnswer{};
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  OpFoldResult merged = ctx.product(ArrayRef(sizes).slice(start, end - start + 1));
  sizes.erase(sizes.begin() + start, sizes.begin() + end + 1);
  sizes.insert(sizes.begin() + start, merged);
  return reshapeAnswer(ctx, self, sizes);
}

/// ravel(self): reshape to one dimension, of a contiguous tensor.
static FailureOr<ViewAnswer> ravel(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  Known contiguous = ctx.contiguous(0);
  return answer({viewReshape({ctx.product(ctx.sizes(self))})}, contiguous);
}

/// unflatten.int(self, dim, sizes).
static FailureOr<ViewAnswer> unflatten(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  SmallVector<OpFoldResult> parts = ctx.indexList(2), sizes = ctx.sizes(self);
  if (ctx.failed())
    return failure();
  if (rank == 0 || parts.empty())
    return ctx.raise("unflatten: expected a tensor with dimensions and sizes that are not empty");
  OpFoldResult whole = sizes[dim];
  // What is -1 at run time only is inferred as by `view`.
  if (llvm::none_of(parts, [](OpFoldResult part) { return isConstantIntValue(part, -1); }) &&
      llvm::any_of(parts, [](OpFoldResult part) { return !getConstantIntValue(part); })) {
    sizes.erase(sizes.begin() + dim);
    sizes.insert(sizes.begin() + dim, parts.begin(), parts.end());
    sizes = ctx.inferReshape(self, sizes);
    if (ctx.failed())
      return failure();
    return answer({viewReshape(sizes)});
  }
  int64_t inferred = -1;
  OpFoldResult known = ctx.fold(1);
  for (auto [i, part] : llvm::enumerate(parts)) {
    if (!isConstantIntValue(part, -1)) {
      known = ctx.mul(known, part);
      continue;
    }
    if (inferred >= 0)
      return ctx.raise("unflatten: only one dimension can be inferred");
    inferred = i;
  }
  SmallVector<OpFoldResult> given(parts);
  if (inferred >= 0)
    given[inferred] = ctx.fold(1);
  if (!ctx.requireSizes(given))
    return failure();
  if (inferred >= 0) {
    if (isConstantIntValue(known, 0))
      return ctx.raise("unflatten: cannot infer a size from no elements");
    parts[inferred] = ctx.floorDiv(whole, known);
  }
  if (!ctx.requireEqual(ctx.product(parts), whole,
                        "unflatten: Provided sizes don't multiply up to the size "
                        "of dim " +
                            Twine(dim)))
    return failure();
  sizes.erase(sizes.begin() + dim);
  sizes.insert(sizes.begin() + dim, parts.begin(), parts.end());
  // One dimension split in several is a view whatever the strides.
  return answer({viewReshape(sizes)});
}

/// A bound of a slice before it was counted from the end and clamped to the size.
static Value boundAsWritten(Value bound) {
  while (Operation *op = bound.getDefiningOp()) {
    if (auto most = dyn_cast<arith::MaxSIOp>(op); most && matchPattern(most.getRhs(), m_Zero()))
      bound = most.getLhs();
    else if (isa<arith::MinSIOp, arith::IndexCastOp>(op))
      bound = op->getOperand(0);
    else if (auto wrapped = dyn_cast<arith::SelectOp>(op))
      bound = wrapped.getFalseValue();
    else
      break;
  }
  return bound;
}

/// Whether a size is that of `x[a:a + 1]` or of `x[-1:]`.
static bool isOneStep(arith::SubIOp size) {
  Value start = boundAsWritten(size.getRhs());
  auto isNext = [](Operation *sum, Value of, int64_t by) {
    IntegerAttr step;
    return isa_and_nonnull<arith::AddIOp>(sum) && sum->getOperand(0) == of &&
           matchPattern(sum->getOperand(1), m_Constant(&step)) && step.getInt() == by;
  };
  auto back = start.getDefiningOp<arith::SubIOp>();
  Operation *end = boundAsWritten(size.getLhs()).getDefiningOp();
  return (isa_and_nonnull<arith::AddIOp>(end) && isNext(end, end->getOperand(0), 1) &&
          boundAsWritten(end->getOperand(0)) == start) ||
         isNext(start.getDefiningOp(), size.getLhs(), -1) ||
         (back && back.getLhs() == size.getLhs() && matchPattern(back.getRhs(), m_One()));
}

/// Whether a size looks as if it were 1 unless there is nothing: the lesser of 1 and something,
/// what broadcasting gives of such, a slice of one element.
static bool isAtMostOne(OpFoldResult size) {
  if (isConstantIntValue(size, 1))
    return true;
  auto value = dyn_cast<Value>(size);
  Operation *op = value ? value.getDefiningOp() : nullptr;
  if (auto least = dyn_cast_or_null<arith::MinSIOp>(op))
    return isConstantIntValue(OpFoldResult(least.getLhs()), 1) ||
           isConstantIntValue(OpFoldResult(least.getRhs()), 1);
  if (auto either = dyn_cast_or_null<arith::SelectOp>(op))
    return isAtMostOne(either.getTrueValue()) && isAtMostOne(either.getFalseValue());
  if (auto some = dyn_cast_or_null<arith::MaxSIOp>(op);
      some && matchPattern(some.getRhs(), m_Zero()))
    return isAtMostOne(some.getLhs());
  auto difference = dyn_cast_or_null<arith::SubIOp>(op);
  return difference && isOneStep(difference);
}

/// Removes dimensions of size 1 among `dims`; of a size that is not known it is taken that it
/// differs from 1, or is 1 where it looks so, and checked.
static FailureOr<ViewAnswer> squeezeDims(RuleContext &ctx, ArrayRef<int64_t> dims) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  SmallVector<OpFoldResult> kept;
  for (auto [i, size] : llvm::enumerate(ctx.sizes(self))) {
    if (!llvm::is_contained(dims, static_cast<int64_t>(i))) {
      kept.push_back(size);
      continue;
    }
    Known isOne = ctx.equal(size, ctx.fold(1));
    if (isOne == Known::Yes)
      continue;
    if (isOne == Known::Maybe) {
      bool isUsual = isAtMostOne(size);
      Value holds = arith::CmpIOp::create(
          ctx.b, ctx.loc, isUsual ? arith::CmpIPredicate::eq : arith::CmpIPredicate::ne,
          ctx.indexValue(size), ctx.indexValue(ctx.fold(1)));
      ctx.check(holds, "squeeze: dimension " + Twine(i) + " was compiled for " +
                           (isUsual ? "size 1, and without it" : "sizes other than 1") +
                           ", for which the rank would differ");
      if (isUsual)
        continue;
    }
    kept.push_back(size);
  }
  if (ctx.failed())
    return failure();
  if (static_cast<int64_t>(kept.size()) == rankOf(self))
    return ViewAnswer{};
  return answer({viewReshape(kept)});
}

/// squeeze(self).
static FailureOr<ViewAnswer> squeezeAll(RuleContext &ctx) {
  return squeezeDims(ctx, llvm::to_vector(llvm::seq<int64_t>(0, rankOf(ctx.tensor(0)))));
}
/// squeeze.dim(self, dim).
static FailureOr<ViewAnswer> squeezeDim(RuleContext &ctx) {
  int64_t rank = rankOf(ctx.tensor(0)), dim = ctx.dim(1, rank);
  if (rank == 0)
    return identity(ctx);
  return squeezeDims(ctx, {dim});
}
/// squeeze.dims(self, dims).
static FailureOr<ViewAnswer> squeezeList(RuleContext &ctx) {
  if (ctx.constantIntList(1).empty())
    return identity(ctx);
  return squeezeDims(ctx, ctx.dimList(1, rankOf(ctx.tensor(0))));
}

/// unsqueeze(self, dim).
static FailureOr<ViewAnswer> unsqueeze(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t dim = ctx.dim(1, rankOf(self) + 1);
  if (ctx.failed())
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  sizes.insert(sizes.begin() + dim, ctx.fold(1));
  return answer({viewReshape(sizes)});
}

/// atleast_1d, 2d, 3d (self): sizes of 1 before (and for 3d behind) the others.
ViewAnswer specialize::atLeastAnswer(RuleContext &ctx, Value self, int64_t minRank) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  if (static_cast<int64_t>(sizes.size()) >= minRank)
    return {};
  while (static_cast<int64_t>(sizes.size()) < minRank)
    sizes.insert(sizes.size() == 2 ? sizes.end() : sizes.begin(), ctx.fold(1));
  return answer({viewReshape(sizes)});
}
template <int64_t minRank> static FailureOr<ViewAnswer> atLeast(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  return atLeastAnswer(ctx, self, minRank);
}

//===----------------------------------------------------------------------===//
// Permuting
//===----------------------------------------------------------------------===//

/// A permutation, or nothing where it changes nothing.
static ViewAnswer permuteAnswer(ArrayRef<int64_t> permutation) {
  for (auto [i, dim] : llvm::enumerate(permutation))
    if (static_cast<int64_t>(i) != dim)
      return answer({viewPermute(permutation)});
  return {};
}

static ViewAnswer swapAnswer(int64_t rank, int64_t dim0, int64_t dim1) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (rank)
    std::swap(permutation[dim0], permutation[dim1]);
  return permuteAnswer(permutation);
}

/// transpose.int, swapaxes, swapdims (self, dim0, dim1).
static FailureOr<ViewAnswer> transpose(RuleContext &ctx) {
  int64_t rank = rankOf(ctx.tensor(0)), dim0 = ctx.dim(1, rank), dim1 = ctx.dim(2, rank);
  if (ctx.failed())
    return failure();
  return swapAnswer(rank, dim0, dim1);
}

/// t(self): a matrix transposed, a vector as it is.
static FailureOr<ViewAnswer> tRule(RuleContext &ctx) {
  int64_t rank = rankOf(ctx.tensor(0));
  if (ctx.failed())
    return failure();
  if (rank > 2)
    return ctx.raise("t() expects a tensor with <= 2 dimensions, but self is " + Twine(rank) + "D");
  return rank == 2 ? swapAnswer(2, 0, 1) : ViewAnswer{};
}

/// mT, and of real tensors mH, adjoint, matrix_H (self): the last two dimensions exchanged.
static FailureOr<ViewAnswer> matrixTranspose(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self);
  if (ctx.failed() || (ctx.name() != "mT" && !requireReal(ctx, getElementTypeOrSelf(self))))
    return failure();
  if (rank < 2) {
    if (rank == 0)
      return ViewAnswer{};
    return ctx.raise(ctx.name() + ": expected a tensor of rank 2 or more, but got rank " +
                     Twine(rank));
  }
  return swapAnswer(rank, rank - 2, rank - 1);
}

/// numpy_T(self): all dimensions reversed.
static FailureOr<ViewAnswer> numpyT(RuleContext &ctx) {
  int64_t rank = rankOf(ctx.tensor(0));
  if (ctx.failed())
    return failure();
  return permuteAnswer(llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank))));
}

/// permute(self, dims).
static FailureOr<ViewAnswer> permute(RuleContext &ctx) {
  int64_t rank = rankOf(ctx.tensor(0));
  SmallVector<int64_t> dims = ctx.constantIntList(1);
  if (ctx.failed())
    return failure();
  if (static_cast<int64_t>(dims.size()) != rank)
    return ctx.raise("permute: number of dimensions in the tensor input does not match the length "
                     "of the desired "
                     "ordering of dimensions");
  SmallVector<bool> seen(rank, false);
  for (int64_t &dim : dims) {
    if (dim < -rank || dim >= rank)
      return ctx.raise("Dimension out of range: " + Twine(dim));
    if (dim < 0)
      dim += rank;
    if (std::exchange(seen[dim], true))
      return ctx.raise("permute(): duplicate dims are not allowed.");
  }
  return permuteAnswer(dims);
}

/// movedim.int, movedim.intlist (self, source, destination).
static FailureOr<ViewAnswer> movedim(RuleContext &ctx) {
  int64_t rank = rankOf(ctx.tensor(0));
  SmallVector<int64_t> source = ctx.constantIntList(1), destination = ctx.constantIntList(2);
  if (ctx.failed())
    return failure();
  if (source.size() != destination.size())
    return ctx.raise("movedim: Invalid source or destination dims");
  SmallVector<int64_t> order(rank, -1);
  SmallVector<bool> used(rank, false);
  if (rank == 0)
    return ViewAnswer{};
  for (auto [from, to] : llvm::zip(source, destination)) {
    if (from < -rank || from >= rank || to < -rank || to >= rank)
      return ctx.raise("movedim: Dimension out of range");
    from += from < 0 ? rank : 0;
    to += to < 0 ? rank : 0;
    if (used[from] || order[to] >= 0)
      return ctx.raise("movedim: repeated dim");
    order[to] = from;
    used[from] = true;
  }
  int64_t next = 0;
  for (int64_t &dim : order) {
    if (dim >= 0)
      continue;
    while (used[next])
      ++next;
    dim = next++;
  }
  return permuteAnswer(order);
}

//===----------------------------------------------------------------------===//
// Expanding
//===----------------------------------------------------------------------===//

FailureOr<ViewAnswer> specialize::expandTo(RuleContext &ctx, Value self,
                                           SmallVector<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> own = ctx.sizes(self);
  if (sizes.size() < own.size())
    return ctx.raise("expand: the number of sizes provided (" + Twine(sizes.size()) +
                     ") must be greater or equal to the number of dimensions in the tensor (" +
                     Twine(own.size()) + ")");
  size_t lead = sizes.size() - own.size();
  bool isSame = lead == 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (i < lead) {
      if (isConstantIntValue(sizes[i], -1))
        return ctx.raise("The expanded size of the tensor (-1) isn't allowed in a leading, "
                         "non-existing dimension " +
                         Twine(i));
      continue;
    }
    sizes[i] = ctx.sizeOrOwn(sizes[i], own[i - lead]);
    isSame &= ctx.equal(sizes[i], own[i - lead]) == Known::Yes;
  }
  if (isSame)
    return ViewAnswer{};
  // Checked here, and where it is read: as steps that depend on sizes at run time.
  bool isKnown = true;
  for (auto [i, size] : llvm::enumerate(own))
    isKnown &= getConstantIntValue(size) || ctx.equal(size, sizes[lead + i]) == Known::Yes;
  if (!ctx.broadcastTo(self, sizes) || ctx.failed())
    return failure();
  if (isKnown)
    return answer({viewBroadcast(sizes)});
  ViewStep step;
  step.kind = ViewStep::Kind::Custom;
  step.read = [sizes](RuleContext &ctx, Value base) { return ctx.broadcastTo(base, sizes); };
  return answer({step});
}

/// expand(self, size, implicit), broadcast_to(self, size).
static FailureOr<ViewAnswer> expand(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> sizes = ctx.indexList(1);
  if (ctx.failed())
    return failure();
  return expandTo(ctx, self, sizes);
}

/// expand_as(self, other).
static FailureOr<ViewAnswer> expandAs(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  return expandTo(ctx, self, ctx.sizes(other));
}

void specialize::registerViewRules(RuleRegistry &registry) {
  registry.view("view", view);
  registry.view("_unsafe_view", view);
  registry.view("view_as", reshapeAs<true>);
  registry.view("reshape", reshape);
  registry.view("reshape_as", reshapeAs<false>);
  registry.view("flatten.using_ints", flatten);
  registry.view("ravel", ravel);
  registry.view("unflatten.int", unflatten);
  registry.view("squeeze", squeezeAll);
  registry.view("squeeze.dim", squeezeDim);
  registry.view("squeeze.dims", squeezeList);
  registry.view("unsqueeze", unsqueeze);
  registry.view("atleast_1d", atLeast<1>);
  registry.view("atleast_2d", atLeast<2>);
  registry.view("atleast_3d", atLeast<3>);
  registry.view("transpose.int", transpose);
  registry.view("swapaxes", transpose);
  registry.view("swapdims", transpose);
  registry.view("t", tRule);
  for (StringRef name : {"mT", "mH", "adjoint", "matrix_H"})
    registry.view(name, matrixTranspose);
  registry.view("numpy_T", numpyT);
  registry.view("permute", permute);
  registry.view("movedim.int", movedim);
  registry.view("movedim.intlist", movedim);
  registry.view("expand", expand);
  registry.view("broadcast_to", expand);
  registry.view("expand_as", expandAs);
  registry.view("alias_copy", copyOf(ViewRule(identity)));
  registry.view("detach_copy", copyOf(ViewRule(identity)));
  registry.view("view_copy", copyOf(ViewRule(view)));
  registry.view("squeeze_copy", copyOf(ViewRule(squeezeAll)));
  registry.view("squeeze_copy.dim", copyOf(ViewRule(squeezeDim)));
  registry.view("squeeze_copy.dims", copyOf(ViewRule(squeezeList)));
  registry.view("unsqueeze_copy", copyOf(ViewRule(unsqueeze)));
  registry.view("transpose_copy.int", copyOf(ViewRule(transpose)));
  registry.view("t_copy", copyOf(ViewRule(tRule)));
  registry.view("permute_copy", copyOf(ViewRule(permute)));
  registry.view("expand_copy", copyOf(ViewRule(expand)));
}
