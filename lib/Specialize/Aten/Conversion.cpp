//===- Conversion.cpp - Rules of copies, conversions, lists of views ------===//
//
// Whether a conversion returns its operand or a copy is decided here, by types and flags.

#include "Families.h"
#include "ViewHelpers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Copies, conversions
//===----------------------------------------------------------------------===//

/// clone(self, memory_format?).
static FailureOr<ViewAnswer> cloneRule(RuleContext &ctx) {
  (void)ctx.tensor(0);
  if (ctx.failed())
    return failure();
  // A clone keeps the order of its strides unless it is told to be contiguous.
  bool isContiguous = !ctx.isNone(1) && ctx.knownInt(1) == 0;
  return answer({}, Known::No, isContiguous ? Known::Yes : ctx.contiguous(0));
}

/// Self where it is contiguous, else a copy.
static ViewStep sameIfContiguous() {
  ViewStep step;
  step.kind = ViewStep::Kind::Same;
  step.ifContiguous = true;
  return step;
}

/// contiguous(self, memory_format): self where it is contiguous already.
static FailureOr<ViewAnswer> contiguous(RuleContext &ctx) {
  (void)ctx.tensor(0);
  int64_t format = ctx.constantInt(1, 0);
  if (ctx.failed())
    return failure();
  if (format != 0)
    return answer({}, Known::Maybe, Known::Maybe);
  return answer({sameIfContiguous()}, ctx.contiguous(0), Known::Yes);
}

/// What a conversion answers: self where nothing changes, else a copy.
static FailureOr<ViewAnswer> convert(RuleContext &ctx, Type type, bool copy, unsigned format) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  bool isContiguousFormat = !ctx.isNone(format) && ctx.knownInt(format) == 0;
  Known contiguous = isContiguousFormat ? Known::Yes : ctx.contiguous(0);
  if (type == getElementTypeOrSelf(self)) {
    if (copy)
      return answer({}, Known::No, contiguous);
    // preserve_format (1) is what None stands for.
    if (ctx.isNone(format) || ctx.knownInt(format) == 1)
      return ViewAnswer{};
    if (isContiguousFormat)
      return answer({sameIfContiguous()}, ctx.contiguous(0), contiguous);
    return answer({}, Known::Maybe, contiguous);
  }
  ViewStep step;
  step.kind = ViewStep::Kind::Custom;
  step.sizes = ctx.sizes(self);
  step.read = [type](RuleContext &ctx, Value base) { return ctx.cast(base, type); };
  return answer({step}, Known::No, contiguous);
}

/// The element type of self.
static Type ownType(RuleContext &ctx) { return getElementTypeOrSelf(ctx.tensor(0)); }

/// to.dtype(self, dtype, non_blocking, copy, memory_format?).
static FailureOr<ViewAnswer> toDtype(RuleContext &ctx) {
  Type type = ctx.dtype(1, ownType(ctx));
  return convert(ctx, type, ctx.constantBool(3), 4);
}
/// to.device(self, device, dtype, non_blocking, copy, memory_format?): the target decides the
/// device.
static FailureOr<ViewAnswer> toDevice(RuleContext &ctx) {
  Type type = ctx.dtype(2, ownType(ctx));
  return convert(ctx, type, ctx.constantBool(4), 5);
}
/// to.dtype_layout(self, dtype?, layout?, device?, pin_memory?, non_blocking, copy,
/// memory_format?).
static FailureOr<ViewAnswer> toLayout(RuleContext &ctx) {
  Type type = ctx.dtype(1, ownType(ctx));
  return convert(ctx, type, ctx.constantBool(6), 7);
}
/// to.other(self, other, non_blocking, copy, memory_format?).
static FailureOr<ViewAnswer> toOther(RuleContext &ctx) {
  Type type = getElementTypeOrSelf(ctx.tensor(1));
  return convert(ctx, type, ctx.constantBool(3), 4);
}
/// to.prim_Device(self, device?, dtype?, non_blocking, copy).
static FailureOr<ViewAnswer> toPrimDevice(RuleContext &ctx) {
  Type type = ctx.dtype(2, ownType(ctx));
  return convert(ctx, type, ctx.constantBool(4), 1000);
}
/// to.prim_dtype(self, dtype?, non_blocking, copy).
static FailureOr<ViewAnswer> toPrimDtype(RuleContext &ctx) {
  Type type = ctx.dtype(1, ownType(ctx));
  return convert(ctx, type, ctx.constantBool(3), 1000);
}
/// _to_copy(self, dtype?, layout?, device?, pin_memory?, non_blocking, memory_format?).
static FailureOr<ViewAnswer> toCopy(RuleContext &ctx) {
  Type type = ctx.dtype(1, ownType(ctx));
  return convert(ctx, type, true, 6);
}
/// type_as(self, other).
static FailureOr<ViewAnswer> typeAs(RuleContext &ctx) {
  return convert(ctx, getElementTypeOrSelf(ctx.tensor(1)), false, 1000);
}

/// real, conj, resolve_conj, resolve_neg (self) of real tensors: self.
static FailureOr<ViewAnswer> realOnly(RuleContext &ctx) {
  if (!requireReal(ctx, ownType(ctx)))
    return failure();
  return identity(ctx);
}

//===----------------------------------------------------------------------===//
// Lists of tensors
//===----------------------------------------------------------------------===//

static LogicalResult appendView(RuleContext &ctx, std::vector<SpecValue> &views,
                                const SpecValue &tensor, const FailureOr<ViewAnswer> &answer) {
  if (failed(answer) || ctx.failed())
    return failure();
  Known contiguous = answer->steps.empty() ? tensor.getTensor().contiguous : Known::Maybe;
  views.push_back(ctx.getWalker().viewOf(tensor, answer->steps, contiguous));
  return success();
}

static void returnList(RuleContext &ctx, std::vector<SpecValue> views,
                       SmallVectorImpl<SpecValue> &results) {
  results.push_back(ctx.makeList(std::move(views), torchlite::tl::TensorType::get(ctx.context())));
}

/// broadcast_tensors(tensors): all of them expanded to the common sizes.
static LogicalResult broadcastTensors(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (ctx.failed())
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.broadcastSizes(tensors);
  if (ctx.failed())
    return failure();
  std::vector<SpecValue> views;
  for (auto [element, tensor] : llvm::zip(ctx.elements(ctx.operand(0)), tensors))
    if (failed(appendView(ctx, views, element, expandTo(ctx, tensor, sizes))))
      return failure();
  returnList(ctx, std::move(views), results);
  return success();
}

/// meshgrid, meshgrid.indexing (tensors, indexing): each along a dimension of its own.
static LogicalResult meshgrid(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  SmallVector<Value> tensors = ctx.tensorList(0);
  StringRef indexing = ctx.name() == "meshgrid" ? StringRef("ij") : ctx.constantString(1);
  if (ctx.failed())
    return failure();
  if (indexing != "ij" && indexing != "xy")
    return ctx.raise("torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: " +
                     indexing);
  if (tensors.empty())
    return ctx.raise("meshgrid expects a non-empty TensorList");
  int64_t rank = tensors.size();
  bool isSwapped = indexing == "xy" && rank >= 2;
  SmallVector<OpFoldResult> sizes;
  for (Value tensor : tensors) {
    if (rankOf(tensor) > 1)
      return ctx.raise("torch.meshgrid: Expected 0D or 1D tensor in the tensor list");
    if (getElementTypeOrSelf(tensor) != getElementTypeOrSelf(tensors.front()))
      return ctx.raise("torch.meshgrid expects all tensors to have the same dtype");
    sizes.push_back(rankOf(tensor) ? ctx.size(tensor, 0) : ctx.fold(1));
  }
  if (isSwapped)
    std::swap(sizes[0], sizes[1]);
  std::vector<SpecValue> views;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t dim = isSwapped && i < 2 ? 1 - i : i;
    SmallVector<OpFoldResult> alone(rank, ctx.fold(1));
    alone[dim] = sizes[dim];
    if (failed(appendView(ctx, views, ctx.elements(ctx.operand(0))[i],
                          answer({viewReshape(alone), viewBroadcast(sizes)}))))
      return failure();
  }
  returnList(ctx, std::move(views), results);
  return success();
}

/// atleast_1d.Sequence, ... (tensors).
template <int64_t minRank>
static LogicalResult atLeastList(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (ctx.failed())
    return failure();
  std::vector<SpecValue> views;
  for (auto [element, tensor] : llvm::zip(ctx.elements(ctx.operand(0)), tensors))
    if (failed(appendView(ctx, views, element, atLeastAnswer(ctx, tensor, minRank))))
      return failure();
  returnList(ctx, std::move(views), results);
  return success();
}

void specialize::registerConversionRules(RuleRegistry &registry) {
  for (StringRef name : {"alias", "cpu", "detach", "positive", "data", "prim::data", "lift",
                         "lift_fresh", "lift_fresh_copy"})
    registry.view(name, identity);
  for (StringRef name : {"real", "conj", "resolve_conj", "resolve_neg"})
    registry.view(name, realOnly);
  registry.view("clone", cloneRule);
  registry.view("contiguous", contiguous);
  registry.view("to.dtype", toDtype);
  registry.view("to.device", toDevice);
  registry.view("to.dtype_layout", toLayout);
  registry.view("to.other", toOther);
  registry.view("to.prim_Device", toPrimDevice);
  registry.view("to.prim_dtype", toPrimDtype);
  registry.view("to.prim_other", identity);
  registry.view("_to_copy", toCopy);
  registry.view("type_as", typeAs);
  registry.special("broadcast_tensors", broadcastTensors);
  registry.special("meshgrid", meshgrid);
  registry.special("meshgrid.indexing", meshgrid);
  registry.special("atleast_1d.Sequence", atLeastList<1>);
  registry.special("atleast_2d.Sequence", atLeastList<2>);
  registry.special("atleast_3d.Sequence", atLeastList<3>);
}
