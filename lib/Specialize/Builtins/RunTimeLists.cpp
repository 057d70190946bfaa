//===- RunTimeLists.cpp - Operators of lists whose length is not known ----===//
#include "../Interpreter/RunTimeLists.h"
#include "../Interpreter/Pieces.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

using Results = SmallVectorImpl<SpecValue>;

static RunTimeList listOf(RuleContext &ctx, unsigned i = 0) {
  return RunTimeList(ctx, ctx.operand(i).getCell());
}

/// Whether the list may be changed.
static bool mayChange(RuleContext &ctx) { return ctx.getWalker().mayChange(ctx.operand(0)); }

static LogicalResult append(RuleContext &ctx, Results &results) {
  if (!mayChange(ctx) || !listOf(ctx).append(ctx.operand(1)))
    return failure();
  results.push_back(ctx.operand(0));
  return success();
}

static LogicalResult length(RuleContext &ctx, Results &results) {
  results.push_back(SpecValue::scalar(listOf(ctx).count()));
  return success();
}

static LogicalResult getItem(RuleContext &ctx, Results &results) {
  RunTimeList list = listOf(ctx);
  if (list.isEmpty())
    return ctx.raise("list index out of range");
  Value at = list.position(1);
  std::optional<SpecValue> element = at ? list.get(at) : std::nullopt;
  if (!element)
    return failure();
  results.push_back(*element);
  return success();
}

static LogicalResult setItem(RuleContext &ctx, Results &results) {
  RunTimeList list = listOf(ctx);
  if (list.isEmpty())
    return ctx.raise("list index out of range");
  Value at = list.position(1);
  if (!at || !mayChange(ctx) || !list.set(at, ctx.operand(2)))
    return failure();
  results.push_back(ctx.operand(0));
  return success();
}

static LogicalResult clear(RuleContext &ctx, Results &results) {
  if (!mayChange(ctx))
    return failure();
  listOf(ctx).setCount(ctx.getWalker().constant(ctx.b.getI64IntegerAttr(0)));
  return success();
}

static LogicalResult copy(RuleContext &ctx, Results &results) {
  RunTimeList list = listOf(ctx);
  results.push_back(list.part(ctx.fold(0), ctx.indexValue(OpFoldResult(list.count()))));
  return success();
}

/// slice.t(l, start, end, step), with a step of 1.
static LogicalResult slice(RuleContext &ctx, Results &results) {
  if (ctx.constantInt(3, 1) != 1 && !ctx.failed())
    return ctx.fail("a slice with a step, of a list whose length is known only at run time, is not "
                    "supported");
  RunTimeList list = listOf(ctx);
  OpBuilder &b = ctx.b;
  Location loc = ctx.loc;
  Value count = list.count(), zero = ctx.getWalker().constant(b.getI64IntegerAttr(0));
  auto bound = [&](unsigned i, Value otherwise) -> Value {
    if (ctx.isNone(i))
      return otherwise;
    Value at = ctx.scalar(i);
    if (ctx.failed())
      return otherwise;
    Value isFromEnd = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at, zero);
    Value fromEnd = arith::AddIOp::create(b, loc, at, count);
    at = arith::SelectOp::create(b, loc, isFromEnd, fromEnd, at);
    at = arith::MaxSIOp::create(b, loc, at, zero);
    return arith::MinSIOp::create(b, loc, at, count);
  };
  Value start = bound(1, zero), end = bound(2, count);
  if (ctx.failed())
    return failure();
  Value size = arith::SubIOp::create(b, loc, end, start);
  size = arith::MaxSIOp::create(b, loc, size, zero);
  results.push_back(
      list.part(ctx.indexValue(OpFoldResult(start)), ctx.indexValue(OpFoldResult(size))));
  return success();
}

static bool appendAll(RuleContext &ctx, RunTimeList list, const SpecValue &more) {
  if (isRunTimeList(ctx.getWalker(), more))
    return list.appendAll(RunTimeList(ctx, more.getCell()));
  return llvm::all_of(std::vector<SpecValue>(ctx.elements(more)),
                      [&](const SpecValue &element) { return list.append(element); });
}

/// extend.t(l, other): a list of known length, too, if that of the other one is not.
static LogicalResult extend(RuleContext &ctx, Results &results) {
  Walker &w = ctx.getWalker();
  if (!mayChange(ctx))
    return failure();
  if (!isRunTimeList(w, ctx.operand(0)) && !makeRunTimeList(w, ctx.operand(0).getCell()))
    return ctx.fail("a list of elements of several forms cannot be extended by one whose length is "
                    "known only at run time");
  if (!appendAll(ctx, listOf(ctx), ctx.operand(1)))
    return failure();
  results.push_back(ctx.operand(0));
  return success();
}

/// add.t(a, b).
static LogicalResult concat(RuleContext &ctx, Results &results) {
  std::optional<SpecValue> made = ctx.operand(0);
  if (isRunTimeList(ctx.getWalker(), *made)) {
    if (failed(copy(ctx, results)))
      return failure();
    made = results.front();
  } else if ((made = runTimeCopy(ctx.getWalker(), *made))) {
    results.push_back(*made);
  } else {
    return ctx.failed() ? failure()
                        : ctx.fail("a list of elements of several forms cannot be extended by one "
                                   "whose length is known only at run time");
  }
  return success(appendAll(ctx, RunTimeList(ctx, made->getCell()), ctx.operand(1)));
}

//===----------------------------------------------------------------------===//
// All elements as one tensor
//===----------------------------------------------------------------------===//

/// [count, sizes...] of tensors; null after a failure. PyTorch raises for a list without elements.
static Value tensorsTogether(RuleContext &ctx, const Twine &message) {
  RunTimeList list = listOf(ctx);
  if (list.isEmpty())
    return (void)ctx.raise(message), Value();
  if (!list.anyElement().isTensor())
    return (void)ctx.fail("expected a list of tensors"), Value();
  return requireSome(ctx, list.count(), message) ? list.together() : Value();
}

static LogicalResult stack(RuleContext &ctx, Results &results) {
  Value all = tensorsTogether(ctx, "stack expects a non-empty TensorList");
  if (!all)
    return failure();
  FailureOr<Value> stacked = stackTogether(ctx, all, 1);
  if (failed(stacked))
    return failure();
  results.push_back(ctx.makeTensor(*stacked));
  return success();
}

static LogicalResult cat(RuleContext &ctx, Results &results) {
  Value all = tensorsTogether(ctx, "torch.cat(): expected a non-empty list of Tensors");
  if (!all)
    return failure();
  int64_t rank = cast<RankedTensorType>(all.getType()).getRank() - 1;
  if (rank == 0)
    return ctx.raise("zero-dimensional tensor (at position 0) cannot be concatenated");
  int64_t at = ctx.dim(1, rank);
  if (ctx.failed())
    return failure();
  results.push_back(ctx.makeTensor(catTogether(ctx, all, at)));
  return success();
}

/// tensor(t[] data, dtype, device, requires_grad) of numbers.
static LogicalResult tensorOf(RuleContext &ctx, Results &results) {
  RunTimeList list = listOf(ctx);
  if (list.isEmpty() || list.anyElement().isTensor())
    return ctx.fail("expected a list of numbers");
  Type own = cast<RankedTensorType>(list.buffer().getType()).getElementType();
  Type type = ctx.dtype(1, own.isF64() ? Type(ctx.b.getF32Type()) : own);
  if (ctx.failed())
    return failure();
  results.push_back(ctx.makeTensor(ctx.cast(list.together(), type)));
  return success();
}

/// reverse.t(l).
static LogicalResult reverse(RuleContext &ctx, Results &results) {
  if (!mayChange(ctx))
    return failure();
  RunTimeList list = listOf(ctx);
  if (!list.isEmpty())
    list.setBuffer(FlipOp::create(ctx.b, ctx.loc, list.together(), ArrayRef<int64_t>{0}));
  return success();
}

/// The only number that a reduction of a list of ints gives; null after a failure. Of floats, the
/// order counts, and NaN.
static Value reduceInts(RuleContext &ctx, ReduceKind kind) {
  RunTimeList list = listOf(ctx);
  if (list.isEmpty() || !list.anyElement().is(ValueKind::Int))
    return (void)ctx.fail("expected ints, of a list whose length is known only at run time"),
           Value();
  Value reduced = ReduceOp::create(ctx.b, ctx.loc, kind, list.together(), ArrayRef<int64_t>{0},
                                   /*keepdim=*/false);
  return ctx.toScalar(reduced);
}

/// `min(list)` and `max(list)` of ints.
template <ReduceKind kind> static LogicalResult extremum(RuleContext &ctx, Results &results) {
  bool some = requireSome(ctx, listOf(ctx).count(), "min() or max() arg is an empty sequence");
  Value best = some ? reduceInts(ctx, kind) : Value();
  if (!best)
    return failure();
  results.push_back(SpecValue::scalar(best));
  return success();
}

/// `sum(list)` of ints, in the 32 bits of LibTorch's sum.
static LogicalResult sum(RuleContext &ctx, Results &results) {
  Value total = reduceInts(ctx, ReduceKind::Sum);
  if (!total)
    return failure();
  total = arith::TruncIOp::create(ctx.b, ctx.loc, ctx.b.getI32Type(), total);
  results.push_back(
      SpecValue::scalar(arith::ExtSIOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), total)));
  return success();
}

void specialize::registerRunTimeListRules(RuleRegistry &registry) {
  registry.runTimeList("append.t", append);
  registry.runTimeList("len.t", length);
  registry.runTimeList("__getitem__.t", getItem);
  registry.runTimeList("select.t", getItem);
  registry.runTimeList("_set_item.t", setItem);
  registry.runTimeList("clear.t", clear);
  registry.runTimeList("reverse.t", reverse);
  registry.runTimeList("sum.int", sum);
  for (const char *name : {"self_int", "int_list"}) {
    registry.runTimeList(std::string("prim::min.") + name, extremum<ReduceKind::Min>);
    registry.runTimeList(std::string("prim::max.") + name, extremum<ReduceKind::Max>);
  }
  registry.runTimeList("copy.t", copy);
  registry.runTimeList("list.t", copy);
  registry.runTimeList("slice.t", slice);
  registry.runTimeList("extend.t", extend);
  registry.runTimeList("add_.t", extend);
  registry.runTimeList("add.t", concat);
  registry.runTimeList("stack", stack);
  registry.runTimeList("cat", cat);
  registry.runTimeList("tensor", tensorOf);
  registry.runTimeList("as_tensor.list", tensorOf);
}
