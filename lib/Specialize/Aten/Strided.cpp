//===- Strided.cpp - Rules of sizes and strides that the program names ----===//

#include "../Interpreter/Strides.h"
#include "../Interpreter/Walker.h"
#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {
/// Where the elements of a strided tensor stand in the storage of another one.
struct Layout {
  SmallVector<OpFoldResult> sizes, strides;
  Value index;   ///< i64, of those sizes
  Value storage; ///< [elements]
};
} // namespace

/// The storage that operand 0 is all of, row by row. What holds of an argument holds where it is
/// contiguous.
static Value storageOf(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return {};
  const TensorRef &tensor = ctx.operand(0).getTensor();
  if ((tensor.chain && !tensor.chain->empty()) || ctx.contiguous(0) != Known::Yes) {
    (void)ctx.fail(Twine(ctx.name()) + ": a tensor that is not known to be all of its memory, in "
                                       "order, is not supported");
    return {};
  }
  ctx.getWalker().reliesOnContiguity |= tensor.given;
  return ctx.reshape(self, {ctx.product(ctx.sizes(self))});
}

/// The size, stride and storage_offset operands from `first` on.
static FailureOr<Layout> layout(RuleContext &ctx, unsigned first) {
  Layout result;
  result.storage = storageOf(ctx);
  result.sizes = ctx.indexList(first);
  result.strides = ctx.indexList(first + 1);
  OpFoldResult offset = ctx.isNone(first + 2) ? ctx.fold(0) : ctx.index(first + 2);
  if (ctx.failed())
    return failure();
  size_t rank = result.sizes.size();
  if (result.strides.size() != rank)
    return ctx.raise("mismatch in length of strides and shape");
  if (!ctx.requireSizes(result.sizes))
    return failure();
  Type i64 = ctx.b.getI64Type();
  Expr index = sizeTensor(ctx, offset, i64), last = index, isEmpty = index != index;
  Expr count = sizeTensor(ctx, ctx.size(result.storage, 0), i64);
  Expr fits = index >= 0.0 && index < count;
  for (size_t i = 0; i < rank; ++i) {
    SmallVector<OpFoldResult> shape(rank, ctx.fold(1));
    shape[i] = result.sizes[i];
    Expr position(ctx, IotaOp::create(ctx.b, ctx.loc, i64, shape, i));
    Expr stride = sizeTensor(ctx, result.strides[i], i64),
         size = sizeTensor(ctx, result.sizes[i], i64);
    index = index + position * stride;
    last = last + (size - 1.0) * stride;
    isEmpty = isEmpty || size == 0.0;
    std::optional<int64_t> known = getConstantIntValue(result.strides[i]);
    if (!known || *known < 0)
      return ctx.fail(ctx.name() + ": expected strides that are known and not negative");
    // In each dimension alone, so that the sum does not overflow.
    if (*known)
      fits = fits && size - 1.0 <= floorDivide(count - 1.0, stride);
  }
  fits = isEmpty || (fits && last < count);
  if (fits.isNull())
    return failure();
  ctx.check(ctx.toScalar(fits.value()),
            ctx.name() + ": sizes, strides and storage offset are out of bounds for the storage");
  result.index = index.isNull() ? Value() : ctx.broadcastTo(index.value(), result.sizes);
  if (ctx.failed() || !result.index)
    return failure();
  return result;
}

/// Whether no two elements of a layout are one place, for sure.
static bool isApart(RuleContext &ctx, const Layout &layout) {
  SmallVector<int64_t> sizes = ctx.staticSizes(layout.sizes),
                       strides = ctx.staticSizes(layout.strides);
  if (ShapedType::isDynamicShape(sizes) || ShapedType::isDynamicShape(strides))
    return false;
  SmallVector<std::pair<int64_t, int64_t>> dims;
  for (auto [size, stride] : llvm::zip_equal(sizes, strides))
    if (size != 1)
      dims.push_back({stride, size});
  llvm::sort(dims);
  int64_t last = 0; // how far the dimensions so far reach
  for (auto [stride, size] : dims) {
    if (stride <= last)
      return false;
    last += (size - 1) * stride;
  }
  return true;
}

/// The storage of a layout where its elements are others.
static Value putElements(RuleContext &ctx, const Layout &layout, Value elements) {
  OpFoldResult count = ctx.product(layout.sizes);
  if (isConstantIntValue(count, 0))
    return layout.storage;
  return checkedValue<PutOp>(ctx, layout.storage, ctx.reshape(layout.index, {count}),
                             ctx.reshape(elements, {count}), uint64_t(0), false);
}

/// The elements of a layout; none where a size is known to be 0, whatever the storage.
static Value elementsOf(RuleContext &ctx, const Layout &layout) {
  if (isConstantIntValue(ctx.product(layout.sizes), 0))
    return ctx.full(layout.sizes, 0.0, getElementTypeOrSelf(layout.storage));
  return checkedValue<TakeOp>(ctx, layout.storage, layout.index, uint64_t(0));
}

/// A tensor that lies in memory as strides say.
static SpecValue withLayout(RuleContext &ctx, const SpecValue &tensor,
                            ArrayRef<OpFoldResult> strides) {
  TensorRef ref = tensor.getTensor();
  SmallVector<int64_t> known = ctx.staticSizes(strides);
  if (ref.type.hasStaticShape() && !ShapedType::isDynamicShape(known)) {
    ref.contiguous = areContiguous(ref.type.getShape(), known) ? Known::Yes : Known::No;
    ref.strides = Strides(known.begin(), known.end());
  }
  return SpecValue::tensor(std::move(ref));
}

/// as_strided(self, size, stride, storage_offset?): a view of the storage, which can be written
/// unless its elements may overlap.
static LogicalResult asStrided(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  FailureOr<Layout> place = layout(ctx, 1);
  if (failed(place))
    return failure();
  ViewStep step;
  step.kind = ViewStep::Kind::Custom;
  auto on = [place = *place](RuleContext &ctx, Value base) {
    Layout layout = place;
    layout.storage = ctx.reshape(base, {ctx.product(ctx.sizes(base))});
    return layout;
  };
  step.read = [on](RuleContext &ctx, Value base) { return elementsOf(ctx, on(ctx, base)); };
  if (isApart(ctx, *place))
    step.write = [on](RuleContext &ctx, Value base, Value view) -> Value {
      Value storage = putElements(ctx, on(ctx, base), view);
      return storage ? ctx.reshape(storage, ctx.sizes(base)) : storage;
    };
  SpecValue view = ctx.getWalker().viewOf(ctx.operand(0), {step}, Known::Maybe);
  if (!view.isTensor())
    return failure();
  results.push_back(withLayout(ctx, view, place->strides));
  return success();
}

/// as_strided_copy(self, size, stride, storage_offset?).
static FailureOr<Value> asStridedCopy(RuleContext &ctx) {
  FailureOr<Layout> place = layout(ctx, 1);
  if (failed(place))
    return failure();
  return done(ctx, elementsOf(ctx, *place));
}

/// as_strided_scatter(self, src, size, stride, storage_offset?): self with src in place of the
/// view.
static FailureOr<Value> asStridedScatter(RuleContext &ctx) {
  Value self = ctx.tensor(0), source = ctx.tensor(1);
  FailureOr<Layout> place = layout(ctx, 2);
  if (failed(place))
    return failure();
  if (getElementTypeOrSelf(source) != getElementTypeOrSelf(self) ||
      cast<RankedTensorType>(source.getType()).getRank() !=
          static_cast<int64_t>(place->sizes.size()))
    return ctx.raise("as_strided_scatter: expected src to have a shape equal to the slice of self");
  for (auto [i, size] : llvm::enumerate(place->sizes))
    if (!ctx.requireEqual(ctx.size(source, i), size,
                          "as_strided_scatter: expected src to have a shape equal to the slice of "
                          "self"))
      return failure();
  Value put = putElements(ctx, *place, source);
  return done(ctx, put ? ctx.reshape(put, ctx.sizes(self)) : put);
}

/// empty_strided(size, stride, dtype?, ...), new_empty_strided(self, size, stride, dtype?, ...):
/// what they hold is undefined, zeros.
template <bool hasSelf>
static LogicalResult emptyStrided(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  constexpr unsigned first = hasSelf ? 1 : 0;
  SmallVector<OpFoldResult> sizes = ctx.indexList(first), strides = ctx.indexList(first + 1);
  Type type =
      ctx.dtype(first + 2, hasSelf ? ctx.tensorType(0).getElementType() : Type(ctx.b.getF32Type()));
  if (ctx.failed())
    return failure();
  if (sizes.size() != strides.size())
    return ctx.raise(ctx.name() + ": dimensionality of sizes must match dimensionality of strides");
  for (OpFoldResult stride : strides)
    if (std::optional<int64_t> known = getConstantIntValue(stride); known && *known < 0)
      return ctx.raise(ctx.name() + ": negative strides are not supported");
  Value value = ctx.full(sizes, 0.0, type);
  if (ctx.failed() || !value)
    return failure();
  results.push_back(withLayout(ctx, ctx.makeTensor(value, Known::Maybe), strides));
  return success();
}

/// sum_to_size(self, size): the sum of what broadcasting from size would repeat.
static LogicalResult sumToSize(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> sizes = ctx.indexList(1), own = ctx.sizes(self);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(self);
  std::string message = "size is not expandable to the size of the input tensor";
  if (sizes.size() > own.size())
    return ctx.raise(message);
  size_t leading = own.size() - sizes.size();
  SmallVector<int64_t> dims = allDims(leading);
  for (size_t i = leading; i < own.size(); ++i) {
    OpFoldResult wanted = sizes[i - leading];
    if (isConstantIntValue(wanted, 1)) {
      if (isConstantIntValue(own[i], 1))
        continue;
      if (!isFloat(type) && !getConstantIntValue(own[i]))
        return ctx.fail("sum_to_size: integers of unknown sizes are not supported");
      dims.push_back(i);
    } else if (!ctx.requireEqual(wanted, own[i], message)) {
      return failure();
    }
  }
  if (dims.empty() && !sizes.empty()) { // self itself
    SpecValue same = ctx.makeTensor(self, ctx.contiguous(0));
    ctx.getWalker().noteMaybeCopy(same.getTensor().storage, ctx.operand(0).getTensor().storage);
    results.push_back(same);
    return success();
  }
  if (!requireReal(ctx, type))
    return failure();
  Expr total =
      sum(Expr(ctx, self).cast(isFloat(type) ? type : Type(ctx.b.getI64Type())), dims, true);
  if (total.isNull())
    return failure();
  Value result = ctx.reshape(total.value(), sizes);
  if (ctx.failed())
    return failure();
  results.push_back(ctx.makeTensor(result));
  return success();
}

/// nonzero_static(self, size, fill_value): the first positions of what is not zero, then the fill.
static FailureOr<Value> nonzeroStatic(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult size = ctx.index(1);
  Value fill = ctx.operandAs(2, ctx.b.getI64Type());
  if (ctx.failed())
    return failure();
  int64_t rank = cast<RankedTensorType>(self.getType()).getRank();
  if (std::optional<int64_t> known = getConstantIntValue(size); !known || *known < 0)
    return ctx.raise("nonzero_static: 'size' must be an non-negative integer");
  Value filled = ctx.broadcastTo(fill, {size, ctx.fold(rank)});
  if (!rank || isConstantIntValue(ctx.product(ctx.sizes(self)), 0))
    return done(ctx, filled);
  Value rows = checkedValue<NonzeroOp>(ctx, self);
  if (!rows)
    return failure();
  Value both = ConcatOp::create(ctx.b, ctx.loc, ValueRange{rows, filled}, 0);
  return done(ctx, ctx.slice(both, 0, ctx.fold(0), size));
}

void specialize::registerStridedRules(RuleRegistry &registry) {
  registry.special("as_strided", asStrided);
  registry.value("as_strided_copy", asStridedCopy);
  registry.value("as_strided_scatter", asStridedScatter);
  registry.special("empty_strided", emptyStrided<false>);
  registry.special("new_empty_strided", emptyStrided<true>);
  registry.special("sum_to_size", sumToSize);
  registry.value("nonzero_static", nonzeroStatic);
}
