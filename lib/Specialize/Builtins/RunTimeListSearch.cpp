//===- RunTimeListSearch.cpp - Lists of unknown length: search and order --===//
//
// The elements are one tensor, so a search is a comparison of all of them.
//
//===----------------------------------------------------------------------===//
#include "../Aten/TensorExpr.h"
#include "../Interpreter/Pieces.h"
#include "../Interpreter/RunTimeLists.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

using Results = SmallVectorImpl<SpecValue>;

/// The list at operand i; a list of known length as a copy.
static std::optional<RunTimeList> listOf(RuleContext &ctx, unsigned i = 0) {
  const SpecValue &list = ctx.operand(i);
  if (isRunTimeList(ctx.getWalker(), list))
    return RunTimeList(ctx, list.getCell());
  std::optional<SpecValue> copy =
      list.is(ValueKind::List) ? runTimeCopy(ctx.getWalker(), list) : std::nullopt;
  if (!copy) {
    if (!ctx.failed())
      (void)ctx.fail("expected a list of numbers of one kind, or of tensors of one form");
    return std::nullopt;
  }
  return RunTimeList(ctx, copy->getCell());
}

/// The elements of a list of numbers that is not known to be empty, [count].
static Expr numbers(RuleContext &ctx, RunTimeList list) {
  if (list.anyElement().isTensor()) {
    (void)ctx.fail("a search in a list of tensors whose length is known only at run time");
    return Expr(ctx, {});
  }
  return Expr(ctx, list.together());
}

/// For each element whether it is operand 1, [count] of i1.
static Expr matches(RuleContext &ctx, RunTimeList list) {
  Expr all = numbers(ctx, list);
  if (all.isNull())
    return all;
  return all == Expr(ctx, ctx.fromScalar(ctx.scalarAs(1, all.elementType())));
}

static Value asInt(RuleContext &ctx, const Expr &number) { return ctx.toScalar(number.value()); }

static Value compareInts(RuleContext &ctx, arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(ctx.b, ctx.loc, predicate, a, b);
}

static Value integer(RuleContext &ctx, int64_t value) {
  return ctx.getWalker().constant(ctx.b.getI64IntegerAttr(value));
}

/// count.int(l, el) and so on.
static LogicalResult countOf(RuleContext &ctx, Results &results) {
  RunTimeList list = *listOf(ctx);
  if (list.isEmpty())
    return results.push_back(ctx.makeInt(int64_t(0))), success();
  Expr found = matches(ctx, list);
  if (found.isNull() || ctx.failed())
    return failure();
  results.push_back(SpecValue::scalar(asInt(ctx, sum(found.cast(ctx.b.getI64Type()), {0}, false))));
  return success();
}

/// __contains__.int_list(l, item) and so on.
static LogicalResult contains(RuleContext &ctx, Results &results) {
  if (failed(countOf(ctx, results)))
    return failure();
  Value count = ctx.getWalker().scalarValue(results.front());
  results.front() =
      SpecValue::scalar(compareInts(ctx, arith::CmpIPredicate::sgt, count, integer(ctx, 0)));
  return success();
}

/// Where operand 1 first stands, checked with a message; null after a failure.
static Value firstMatch(RuleContext &ctx, RunTimeList list, const Twine &message) {
  if (list.isEmpty())
    return (void)ctx.raise(message), Value();
  Expr found = matches(ctx, list);
  if (found.isNull() || ctx.failed())
    return {};
  Type i64 = ctx.b.getI64Type();
  Value count = list.count();
  Expr places(ctx, IotaOp::create(ctx.b, ctx.loc, i64,
                                  ArrayRef<OpFoldResult>{ctx.size(found.value(), 0)}, 0));
  Expr past(ctx, ctx.fromScalar(count));
  Expr first = reduce(ReduceKind::Min, where(found, places, past), {0}, false);
  if (!requireSome(ctx, count, message) || first.isNull())
    return {};
  Value at = asInt(ctx, first);
  ctx.check(compareInts(ctx, arith::CmpIPredicate::slt, at, count), message);
  return ctx.failed() ? Value() : at;
}

/// index.list_int(l, el) and so on.
static LogicalResult indexOf(RuleContext &ctx, Results &results) {
  Value at = firstMatch(ctx, *listOf(ctx), "ValueError: the element is not in list");
  if (!at)
    return failure();
  results.push_back(SpecValue::scalar(at));
  return success();
}

/// eq.int_list(a, b) and so on, or ne.
template <bool negated> static LogicalResult equal(RuleContext &ctx, Results &results) {
  std::optional<RunTimeList> a = listOf(ctx, 0), b = listOf(ctx, 1);
  if (!a || !b)
    return failure();
  Value same = compareInts(ctx, arith::CmpIPredicate::eq, a->count(), b->count());
  if (!a->isEmpty() && !b->isEmpty()) {
    Expr x = numbers(ctx, *a), y = numbers(ctx, *b);
    if (x.isNull() || y.isNull() || x.elementType() != y.elementType())
      return failure();
    // As many as both have.
    OpFoldResult both = ctx.indexValue(
        OpFoldResult(arith::MinSIOp::create(ctx.b, ctx.loc, a->count(), b->count()).getResult()));
    x = Expr(ctx, ctx.slice(x.value(), 0, ctx.fold(0), both));
    y = Expr(ctx, ctx.slice(y.value(), 0, ctx.fold(0), both));
    Value different = asInt(ctx, sum((x != y).cast(ctx.b.getI64Type()), {0}, false));
    Value none = compareInts(ctx, arith::CmpIPredicate::eq, different, integer(ctx, 0));
    same = arith::AndIOp::create(ctx.b, ctx.loc, same, none);
  }
  if (negated)
    same = arith::XOrIOp::create(ctx.b, ctx.loc, same,
                                 ctx.getWalker().constant(ctx.b.getBoolAttr(true)));
  results.push_back(SpecValue::scalar(same));
  return success();
}

/// any.int(l), all.int(l) and so on.
template <bool isAny> static LogicalResult anyOrAll(RuleContext &ctx, Results &results) {
  RunTimeList list = *listOf(ctx);
  if (list.isEmpty())
    return results.push_back(ctx.makeBool(!isAny)), success();
  Expr all = numbers(ctx, list);
  if (all.isNull())
    return failure();
  Expr wanted = all.cast(ctx.b.getI1Type());
  Value count = asInt(ctx, sum((isAny ? wanted : !wanted).cast(ctx.b.getI64Type()), {0}, false));
  results.push_back(SpecValue::scalar(compareInts(
      ctx, isAny ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::eq, count, integer(ctx, 0))));
  return success();
}

/// sort.int(l, reverse) and so on, of numbers but bool. Where NaN would stand is not defined.
static LogicalResult sort(RuleContext &ctx, Results &) {
  RunTimeList list = *listOf(ctx);
  bool reverse = ctx.size() > 1 && ctx.constantBool(1);
  if (ctx.failed() || !ctx.getWalker().mayChange(ctx.operand(0)))
    return failure();
  if (list.isEmpty())
    return success();
  if (list.anyElement().isTensor() || list.anyElement().is(ValueKind::Bool))
    return ctx.fail("expected a list of ints or floats to sort");
  Value all = list.together();
  auto sorted = SortOp::create(ctx.b, ctx.loc, all, 0, reverse);
  list.setBuffer(sorted.getValues());
  return success();
}

/// sorted.int(l) and so on: a new list.
static LogicalResult sorted(RuleContext &ctx, Results &results) {
  std::optional<RunTimeList> list = listOf(ctx);
  if (!list)
    return failure();
  SpecValue made = list->part(ctx.fold(0), ctx.indexValue(OpFoldResult(list->count())));
  results.push_back(made);
  RunTimeList copy(ctx, made.getCell());
  if (copy.isEmpty())
    return success();
  if (copy.anyElement().isTensor() || copy.anyElement().is(ValueKind::Bool))
    return ctx.fail("expected a list of ints or floats to sort");
  copy.setBuffer(SortOp::create(ctx.b, ctx.loc, copy.together(), 0, false).getValues());
  return success();
}

//===----------------------------------------------------------------------===//
// Elements that move
//===----------------------------------------------------------------------===//

/// insert.t(l, index, el): an index beyond an end is that end.
static LogicalResult insert(RuleContext &ctx, Results &) {
  RunTimeList list = *listOf(ctx);
  Value at = ctx.scalar(1), count = list.count(), zero = integer(ctx, 0);
  if (ctx.failed() || !ctx.getWalker().mayChange(ctx.operand(0)))
    return failure();
  OpBuilder &b = ctx.b;
  Value isFromEnd = compareInts(ctx, arith::CmpIPredicate::slt, at, zero);
  Value fromEnd = arith::AddIOp::create(b, ctx.loc, at, count);
  at = arith::SelectOp::create(b, ctx.loc, isFromEnd, fromEnd, at);
  at = arith::MaxSIOp::create(b, ctx.loc, at, zero);
  at = arith::MinSIOp::create(b, ctx.loc, at, count);
  if (!list.append(ctx.operand(2)))
    return failure();
  list.move(at, arith::AddIOp::create(b, ctx.loc, at, integer(ctx, 1)), count);
  return success(list.set(at, ctx.operand(2)));
}

/// The list without the element at a position.
static void erase(RuleContext &ctx, RunTimeList list, Value at) {
  Value next = arith::AddIOp::create(ctx.b, ctx.loc, at, integer(ctx, 1)), count = list.count();
  list.move(next, at, count);
  list.setCount(arith::SubIOp::create(ctx.b, ctx.loc, count, integer(ctx, 1)));
}

/// Delete.t(l, index).
static LogicalResult deleteItem(RuleContext &ctx, Results &) {
  RunTimeList list = *listOf(ctx);
  if (list.isEmpty())
    return ctx.raise("list index out of range");
  Value at = list.position(1);
  if (!at || !ctx.getWalker().mayChange(ctx.operand(0)))
    return failure();
  erase(ctx, list, at);
  return success();
}

/// pop.t(l, index = -1).
static LogicalResult pop(RuleContext &ctx, Results &results) {
  RunTimeList list = *listOf(ctx);
  if (list.isEmpty())
    return ctx.raise("pop from empty list");
  if (!requireSome(ctx, list.count(), "pop from empty list"))
    return failure();
  bool isLast = ctx.size() == 1 || ctx.knownInt(1) == -1;
  Value at = isLast
                 ? arith::SubIOp::create(ctx.b, ctx.loc, list.count(), integer(ctx, 1)).getResult()
                 : list.position(1);
  if (!at || !ctx.getWalker().mayChange(ctx.operand(0)))
    return failure();
  std::optional<SpecValue> element = list.get(at);
  if (!element)
    return failure();
  // Behind the last one nothing moves, so the buffer is not written.
  if (isLast)
    list.setCount(at);
  else
    erase(ctx, list, at);
  results.push_back(*element);
  return success();
}

/// remove.int(l, el) and so on.
static LogicalResult removeItem(RuleContext &ctx, Results &) {
  RunTimeList list = *listOf(ctx);
  Value at = firstMatch(ctx, list, "list.remove(x): x not in list");
  if (!at || !ctx.getWalker().mayChange(ctx.operand(0)))
    return failure();
  erase(ctx, list, at);
  return success();
}

void specialize::registerRunTimeListSearchRules(RuleRegistry &registry) {
  for (std::string kind : {"int", "float", "bool"}) {
    registry.runTimeList("count." + kind, countOf);
    registry.runTimeList("__contains__." + kind + "_list", contains);
    registry.runTimeList("index.list_" + kind, indexOf);
    registry.runTimeList("eq." + kind + "_list", equal<false>);
    registry.runTimeList("ne." + kind + "_list", equal<true>);
    registry.runTimeList("any." + kind, anyOrAll<true>);
    registry.runTimeList("all." + kind, anyOrAll<false>);
    registry.runTimeList("sort." + kind, sort);
    registry.runTimeList("sorted." + kind, sorted);
    registry.special("sorted." + kind, sorted);
    registry.runTimeList("remove." + kind, removeItem);
  }
  registry.runTimeList("insert.t", insert);
  registry.runTimeList("Delete.t", deleteItem);
  registry.runTimeList("pop.t", pop);
}
