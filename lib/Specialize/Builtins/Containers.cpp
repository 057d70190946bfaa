//===- Containers.cpp - Lists and dicts -----------------------------------===//
//
// Lists and dicts are known exactly: their elements are abstract values. In a loop that is walked
// to a fixpoint, an index that is known only at run time asks for unrolling.
//
//===----------------------------------------------------------------------===//
#include "../Interpreter/Boxes.h"
#include "../Interpreter/Pieces.h"
#include "../Interpreter/RunTimeLists.h"
#include "../Interpreter/Walker.h"
#include "TorchLite/Specialize/Rules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
namespace rt = torchlite::rt;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

using Results = SmallVectorImpl<SpecValue>;

bool isList(RuleContext &ctx, unsigned i) {
  if (ctx.operand(i).is(ValueKind::List))
    return true;
  (void)ctx.fail("expected a list as operand #" + Twine(i) + ", but got " +
                 ctx.operand(i).kindName());
  return false;
}

/// False, after a failure, for a list whose length is known only at run time.
bool knowsElements(RuleContext &ctx, unsigned i) {
  if (ctx.operand(i).is(ValueKind::List))
    (void)ctx.elements(ctx.operand(i));
  return !ctx.failed();
}

const std::vector<SpecValue> &items(RuleContext &ctx, unsigned i) {
  static const std::vector<SpecValue> none;
  return knowsElements(ctx, i) ? ctx.getWalker().cell(ctx.operand(i).getCell()).elements : none;
}

/// The elements of a list that is about to be changed; null after a failure.
std::vector<SpecValue> *change(RuleContext &ctx, unsigned i) {
  Walker &w = ctx.getWalker();
  if (!knowsElements(ctx, i) || !w.mayChange(ctx.operand(i)))
    return nullptr;
  return &w.change(ctx.operand(i).getCell()).elements;
}

Type elementType(RuleContext &ctx, unsigned i) {
  return ctx.getWalker().cell(ctx.operand(i).getCell()).type;
}

/// A constant index into `size` elements, wrapped; nothing after a failure.
std::optional<int64_t> position(RuleContext &ctx, unsigned i, int64_t size) {
  std::optional<int64_t> index = ctx.knownInt(i);
  if (!index) {
    suggestBox(ctx.getWalker(), ctx.operand(0).getCell());
    ctx.getWalker().touchedLists.insert(ctx.operand(0).getCell());
    if (!ctx.getWalker().loseStructure("a list is indexed with a value known only at run time"))
      (void)ctx.fail("a list is indexed with a value known only at run time");
    return std::nullopt;
  }
  if (*index < -size || *index >= size) {
    (void)ctx.raise("list index out of range");
    return std::nullopt;
  }
  return *index < 0 ? *index + size : *index;
}

/// Changes a list at an index that is known only at run time: it becomes one of unknown length,
/// here or, if a loop carries it, in front of the loop.
LogicalResult changeAtRunTime(RuleContext &ctx, Results &results) {
  const char *reason = "a list is changed at an index known only at run time";
  Walker &w = ctx.getWalker();
  CellId list = ctx.operand(0).getCell();
  w.touchedLists.insert(list);
  suggestBox(w, list);
  if (!w.isMadeInLoop(list) && w.loseStructure(reason))
    return failure();
  if (!w.mayChange(ctx.operand(0)))
    return failure();
  if (!makeRunTimeList(w, list))
    return ctx.failed() ? failure() : ctx.fail(reason);
  return RuleRegistry::get().lookup(ctx.name())->runTimeList(ctx, results);
}

/// Whether operand 1, an index, is there and known only at run time.
bool isIndexUnknown(RuleContext &ctx) { return ctx.size() > 1 && !ctx.knownInt(1); }

//===----------------------------------------------------------------------===//
// Equality
//===----------------------------------------------------------------------===//

/// Whether two abstract values are equal as Python has it; a run-time bool if only that is known.
/// Null after a failure.
std::optional<SpecValue> equal(RuleContext &ctx, const SpecValue &a, const SpecValue &b) {
  if (a.isNumber() && b.isNumber()) {
    std::optional<double> x = a.getFloat(), y = b.getFloat();
    if (x && y)
      return ctx.makeBool(*x == *y);
    if (a.kind() == b.kind() && !a.is(ValueKind::Float)) {
      Value lhs = ctx.scalarValue(a), rhs = ctx.scalarValue(b);
      if (a.is(ValueKind::Int)) {
        Known known = ctx.equal(lhs, rhs);
        if (known != Known::Maybe)
          return ctx.makeBool(known == Known::Yes);
      }
      return SpecValue::scalar(
          arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, lhs, rhs));
    }
    if (a.is(ValueKind::Float) && b.is(ValueKind::Float))
      return SpecValue::scalar(arith::CmpFOp::create(ctx.b, ctx.loc, arith::CmpFPredicate::OEQ,
                                                     ctx.scalarValue(a), ctx.scalarValue(b)));
  }
  if (a.kind() != b.kind())
    return ctx.makeBool(false);
  switch (a.kind()) {
  case ValueKind::None:
    return ctx.makeBool(true);
  case ValueKind::String:
  case ValueKind::Device:
  case ValueKind::Enum:
    if (a.isConstant() && b.isConstant())
      return ctx.makeBool(a.getConstant() == b.getConstant());
    break;
  case ValueKind::List:
  case ValueKind::Tuple: {
    ArrayRef<SpecValue> x = ctx.elements(a), y = ctx.elements(b);
    if (x.size() != y.size())
      return ctx.makeBool(false);
    Value all;
    for (auto [p, q] : llvm::zip_equal(x, y)) {
      std::optional<SpecValue> same = equal(ctx, p, q);
      if (!same)
        return std::nullopt;
      if (std::optional<bool> known = same->getBool()) {
        if (!*known)
          return ctx.makeBool(false);
        continue;
      }
      Value next = same->getScalar();
      all = all ? arith::AndIOp::create(ctx.b, ctx.loc, all, next).getResult() : next;
    }
    return all ? SpecValue::scalar(all) : ctx.makeBool(true);
  }
  default:
    break;
  }
  (void)ctx.fail("whether two values of kind " + a.kindName() +
                 " are equal is not known at compile time");
  return std::nullopt;
}

template <bool negated> LogicalResult listEqual(RuleContext &ctx, Results &results) {
  std::optional<SpecValue> same = equal(ctx, ctx.operand(0), ctx.operand(1));
  if (!same)
    return failure();
  if (std::optional<bool> known = same->getBool())
    return results.push_back(ctx.makeBool(*known != negated)), success();
  Value value = same->getScalar();
  if (negated) {
    Value yes = ctx.getWalker().constant(ctx.b.getBoolAttr(true));
    value = arith::XOrIOp::create(ctx.b, ctx.loc, value, yes);
  }
  if (std::optional<bool> known = ctx.getWalker().knownCondition(value))
    return results.push_back(ctx.makeBool(*known)), success();
  results.push_back(SpecValue::scalar(value));
  return success();
}

LogicalResult contains(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  Value any;
  for (const SpecValue &element : std::vector<SpecValue>(items(ctx, 0))) {
    std::optional<SpecValue> same = equal(ctx, element, ctx.operand(1));
    if (!same)
      return failure();
    if (std::optional<bool> known = same->getBool()) {
      if (*known)
        return results.push_back(ctx.makeBool(true)), success();
      continue;
    }
    any = any ? arith::OrIOp::create(ctx.b, ctx.loc, any, same->getScalar()).getResult()
              : same->getScalar();
  }
  results.push_back(any ? SpecValue::scalar(any) : ctx.makeBool(false));
  return success();
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

LogicalResult append(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  std::vector<SpecValue> *list = change(ctx, 0);
  if (!list)
    return failure();
  list->push_back(ctx.operand(1));
  results.push_back(ctx.operand(0));
  return success();
}

/// The element of a list of constants that the model holds, at an index known only at run time;
/// nothing, without an error or after one, if it is none.
std::optional<SpecValue> constantAt(RuleContext &ctx) {
  Walker &w = ctx.getWalker();
  Boxer boxer(w, ctx.loc);
  std::optional<SpecValue> list = boxer.constantList(ctx.operand(0));
  if (!list)
    return std::nullopt;
  Value box = boxer.boxOf(*list);
  Value at = wrappedPosition(ctx, ctx.scalar(1), rt::BoxSizeOp::create(ctx.b, ctx.loc, box));
  return at ? boxer.get(box, at, boxer.formOf(*list)->parts[0]) : std::nullopt;
}

LogicalResult getItem(RuleContext &ctx, Results &results) {
  if (ctx.operand(0).is(ValueKind::Pieces)) {
    std::optional<SpecValue> element = pieceAt(ctx, ctx.operand(0), ctx.index(1));
    if (!element)
      return failure();
    return results.push_back(*element), success();
  }
  if (!isList(ctx, 0))
    return failure();
  if (!ctx.knownInt(1) && !ctx.getWalker().unrollable)
    if (std::optional<SpecValue> element = elementAt(ctx, ctx.operand(0), 1))
      return results.push_back(*element), success();
  if (!ctx.knownInt(1) && !ctx.getWalker().unrollable)
    if (std::optional<SpecValue> element = constantAt(ctx))
      return results.push_back(*element), success();
  if (ctx.failed())
    return failure();
  std::optional<int64_t> at = position(ctx, 1, items(ctx, 0).size());
  if (!at)
    return failure();
  results.push_back(items(ctx, 0)[*at]);
  return success();
}

LogicalResult setItem(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  if (isIndexUnknown(ctx))
    return changeAtRunTime(ctx, results);
  std::optional<int64_t> at = position(ctx, 1, items(ctx, 0).size());
  if (!at)
    return failure();
  std::vector<SpecValue> *list = change(ctx, 0);
  if (!list)
    return failure();
  (*list)[*at] = ctx.operand(2);
  results.push_back(ctx.operand(0));
  return success();
}

LogicalResult length(RuleContext &ctx, Results &results) {
  if (ctx.operand(0).is(ValueKind::Dict))
    return results.push_back(ctx.makeInt(static_cast<int64_t>(items(ctx, 0).size() / 2))),
           success();
  if (ctx.operand(0).is(ValueKind::Pieces))
    return results.push_back(pieceCount(ctx.operand(0))), success();
  if (!isList(ctx, 0))
    return failure();
  results.push_back(ctx.makeInt(static_cast<int64_t>(items(ctx, 0).size())));
  return success();
}

/// A slice whose bounds are known only at run time; nothing, without an error, if there is none.
std::optional<LogicalResult> sliceAtRunTime(RuleContext &ctx, Results &results) {
  auto isOpen = [&](unsigned i) { return !ctx.isNone(i) && !ctx.knownInt(i); };
  if ((!isOpen(1) && !isOpen(2)) || ctx.getWalker().unrollable)
    return std::nullopt;
  std::optional<SpecValue> copy = runTimeCopy(ctx.getWalker(), ctx.operand(0));
  if (!copy)
    return std::nullopt;
  SmallVector<SpecValue> operands = {*copy};
  for (unsigned i = 1; i < ctx.size(); ++i)
    operands.push_back(ctx.operand(i));
  RuleContext inner(ctx.getWalker(), ctx.b, ctx.loc, ctx.name(), operands, ctx.resultTypes());
  return RuleRegistry::get().lookup("slice.t")->runTimeList(inner, results);
}

LogicalResult slice(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  if (std::optional<LogicalResult> done = sliceAtRunTime(ctx, results))
    return *done;
  std::vector<SpecValue> list = items(ctx, 0);
  int64_t size = list.size(), step = ctx.constantInt(3, 1);
  if (step == 0)
    return ctx.raise("slice step cannot be zero");
  // As Python's slice.indices.
  int64_t first = step > 0 ? 0 : -1, last = step > 0 ? size : size - 1;
  auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + size : at, first, last);
  };
  int64_t start = ctx.isNone(1) ? (step > 0 ? first : last) : clamp(ctx.constantInt(1));
  int64_t end = ctx.isNone(2) ? (step > 0 ? last : first) : clamp(ctx.constantInt(2));
  if (ctx.failed())
    return failure();
  std::vector<SpecValue> part;
  for (int64_t i = start; step > 0 ? i < end : i > end;) {
    part.push_back(list[i]);
    if (__builtin_add_overflow(i, step, &i))
      break;
  }
  results.push_back(ctx.makeList(std::move(part), elementType(ctx, 0)));
  return success();
}

LogicalResult concat(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0) || !isList(ctx, 1))
    return failure();
  std::vector<SpecValue> list = items(ctx, 0);
  llvm::append_range(list, items(ctx, 1));
  results.push_back(ctx.makeList(std::move(list), elementType(ctx, 0)));
  return success();
}

LogicalResult extend(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0) || !isList(ctx, 1))
    return failure();
  std::vector<SpecValue> more = items(ctx, 1);
  std::vector<SpecValue> *list = change(ctx, 0);
  if (!list)
    return failure();
  llvm::append_range(*list, more);
  results.push_back(ctx.operand(0));
  return success();
}

LogicalResult insert(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  if (isIndexUnknown(ctx))
    return changeAtRunTime(ctx, results);
  int64_t at = ctx.constantInt(1), size = items(ctx, 0).size();
  std::vector<SpecValue> *list = ctx.failed() ? nullptr : change(ctx, 0);
  if (!list)
    return failure();
  at = std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  list->insert(list->begin() + at, ctx.operand(2));
  return success();
}

LogicalResult pop(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  if (isIndexUnknown(ctx))
    return changeAtRunTime(ctx, results);
  int64_t size = items(ctx, 0).size();
  if (size == 0)
    return ctx.raise("pop from empty list");
  std::optional<int64_t> at = ctx.size() > 1 ? position(ctx, 1, size) : size - 1;
  std::vector<SpecValue> *list = at ? change(ctx, 0) : nullptr;
  if (!list)
    return failure();
  results.push_back((*list)[*at]);
  list->erase(list->begin() + *at);
  return success();
}

LogicalResult deleteItem(RuleContext &ctx, Results &results) {
  SmallVector<SpecValue> popped;
  return pop(ctx, popped);
}

LogicalResult clear(RuleContext &ctx, Results &results) {
  std::vector<SpecValue> *list = change(ctx, 0);
  if (!list)
    return failure();
  list->clear();
  return success();
}

LogicalResult reverse(RuleContext &ctx, Results &results) {
  std::vector<SpecValue> *list = isList(ctx, 0) ? change(ctx, 0) : nullptr;
  if (!list)
    return failure();
  std::reverse(list->begin(), list->end());
  return success();
}

LogicalResult copy(RuleContext &ctx, Results &results) {
  Walker &w = ctx.getWalker();
  if (ctx.operand(0).is(ValueKind::Dict)) {
    results.push_back(w.newDict(items(ctx, 0), elementType(ctx, 0)));
    return success();
  }
  if (!isList(ctx, 0))
    return failure();
  results.push_back(ctx.makeList(items(ctx, 0), elementType(ctx, 0)));
  return success();
}

/// `list * n`.
LogicalResult repeat(RuleContext &ctx, Results &results) {
  unsigned at = ctx.operand(0).is(ValueKind::List) ? 0 : 1;
  if (!isList(ctx, at))
    return failure();
  std::optional<int64_t> count = ctx.knownInt(1 - at);
  if (!count) {
    suggestBox(ctx.getWalker(), ctx.operand(at).getCell());
    suggestSite(ctx.getWalker(), ctx.getWalker().current);
    if (ctx.getWalker().loseStructure("the length of a list is known only at run time"))
      return failure();
    return ctx.fail("the length of a list is known only at run time");
  }
  std::vector<SpecValue> list;
  for (int64_t i = 0; i < *count; ++i)
    llvm::append_range(list, items(ctx, at));
  results.push_back(ctx.makeList(std::move(list), elementType(ctx, at)));
  return success();
}

/// Whether all elements are numbers of one kind, as a list of the language has them.
bool isNumbers(RuleContext &ctx, ArrayRef<SpecValue> list) {
  if (llvm::all_of(list, [&](const SpecValue &element) {
        return element.is(list.front().kind()) &&
               (element.is(ValueKind::Int) || element.is(ValueKind::Float) ||
                element.is(ValueKind::Bool));
      }))
    return true;
  (void)ctx.fail("expected a list of numbers");
  return false;
}

/// `min(list)` and `max(list)` of numbers: of equal ones the first; NaN is neither less nor
/// greater.
template <bool isMax> LogicalResult extremum(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  std::vector<SpecValue> list(items(ctx, 0));
  if (list.empty())
    return ctx.raise("min() or max() arg is an empty sequence");
  if (!isNumbers(ctx, list))
    return failure();
  OpBuilder &b = ctx.b;
  SpecValue best = list.front();
  for (const SpecValue &element : ArrayRef(list).drop_front()) {
    if (best.is(ValueKind::Float) && best.getFloat() && element.getFloat()) {
      if (isMax ? *element.getFloat() > *best.getFloat() : *element.getFloat() < *best.getFloat())
        best = element;
      continue;
    }
    if (best.getInt() && element.getInt()) {
      if (isMax ? *element.getInt() > *best.getInt() : *element.getInt() < *best.getInt())
        best = element;
      continue;
    }
    Value lhs = ctx.scalarValue(best), rhs = ctx.scalarValue(element), better;
    if (best.is(ValueKind::Float))
      better = arith::CmpFOp::create(
          b, ctx.loc, isMax ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, rhs, lhs);
    else if (best.is(ValueKind::Int))
      better = arith::CmpIOp::create(
          b, ctx.loc, isMax ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt, rhs, lhs);
    else
      better = arith::CmpIOp::create(
          b, ctx.loc, isMax ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::ult, rhs, lhs);
    best = SpecValue::scalar(arith::SelectOp::create(b, ctx.loc, better, rhs, lhs).getResult());
  }
  results.push_back(best);
  return success();
}

/// `sum(list)`: floats in f64, ints and bools in the 32 bits of LibTorch's sum.
LogicalResult sumOfList(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  std::vector<SpecValue> list(items(ctx, 0));
  if (!isNumbers(ctx, list))
    return failure();
  OpBuilder &b = ctx.b;
  bool isFloat = ctx.name().ends_with("float");
  Type type = isFloat ? Type(b.getF64Type()) : Type(b.getI64Type());
  Value total =
      isFloat ? ctx.constantScalar(0, type) : ctx.getWalker().constant(b.getI64IntegerAttr(0));
  for (const SpecValue &element : list) {
    Value value = ctx.scalarValue(element);
    if (value.getType().isInteger(1))
      value = b.createOrFold<arith::ExtUIOp>(ctx.loc, type, value);
    total = isFloat ? b.createOrFold<arith::AddFOp>(ctx.loc, total, value)
                    : b.createOrFold<arith::AddIOp>(ctx.loc, total, value);
  }
  if (!isFloat)
    total = b.createOrFold<arith::ExtSIOp>(
        ctx.loc, type, b.createOrFold<arith::TruncIOp>(ctx.loc, b.getI32Type(), total));
  results.push_back(SpecValue::scalar(total));
  return success();
}

template <bool isAny> LogicalResult anyOrAll(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  Value value;
  for (const SpecValue &element : std::vector<SpecValue>(items(ctx, 0))) {
    if (std::optional<double> known = element.getFloat()) {
      if ((*known != 0) == isAny)
        return results.push_back(ctx.makeBool(isAny)), success();
      continue;
    }
    if (!element.is(ValueKind::Bool))
      return ctx.fail("expected a list of bools");
    Value next = element.getScalar();
    if (!value)
      value = next;
    else
      value = isAny ? arith::OrIOp::create(ctx.b, ctx.loc, value, next).getResult()
                    : arith::AndIOp::create(ctx.b, ctx.loc, value, next).getResult();
  }
  results.push_back(value ? SpecValue::scalar(value) : ctx.makeBool(!isAny));
  return success();
}

LogicalResult sortInPlace(RuleContext &ctx, Results &results) {
  if (!isList(ctx, 0))
    return failure();
  bool descending = ctx.constantBool(1, false);
  if (!llvm::all_of(items(ctx, 0), [](const SpecValue &element) { return element.getFloat(); }))
    return changeAtRunTime(ctx, results);
  std::vector<SpecValue> *list = ctx.failed() ? nullptr : change(ctx, 0);
  if (!list)
    return failure();
  std::stable_sort(list->begin(), list->end(), [&](const SpecValue &a, const SpecValue &b) {
    return descending ? *b.getFloat() < *a.getFloat() : *a.getFloat() < *b.getFloat();
  });
  return success();
}

/// Which elements of the list at operand 0 are operand 1, each a bool that may be known only at run
/// time; nothing after a failure.
std::optional<std::vector<SpecValue>> matches(RuleContext &ctx) {
  std::vector<SpecValue> found;
  if (!isList(ctx, 0))
    return std::nullopt;
  for (const SpecValue &element : std::vector<SpecValue>(items(ctx, 0))) {
    std::optional<SpecValue> same = equal(ctx, element, ctx.operand(1));
    if (!same)
      return std::nullopt;
    found.push_back(*same);
  }
  return ctx.failed() ? std::nullopt : std::optional(found);
}

const char *notInList = "the value is not in the list";

LogicalResult indexOf(RuleContext &ctx, Results &results) {
  std::optional<std::vector<SpecValue>> found = matches(ctx);
  if (!found)
    return failure();
  // Behind an element that is known to be equal, nothing counts.
  auto last = llvm::find_if(*found, [](const SpecValue &same) { return same.getBool() == true; });
  bool isThere = last != found->end();
  Walker &w = ctx.getWalker();
  Value position = isThere ? w.constant(ctx.b.getI64IntegerAttr(last - found->begin())) : Value();
  Value any;
  for (size_t i = last - found->begin(); i-- > 0;) {
    if ((*found)[i].getBool())
      continue;
    Value same = (*found)[i].getScalar(), here = w.constant(ctx.b.getI64IntegerAttr(i));
    position = position ? arith::SelectOp::create(ctx.b, ctx.loc, same, here, position) : here;
    any = any ? arith::OrIOp::create(ctx.b, ctx.loc, any, same).getResult() : same;
  }
  if (!position)
    return ctx.raise(notInList);
  if (!isThere)
    ctx.check(any, notInList);
  results.push_back(SpecValue::scalar(position));
  return success();
}

LogicalResult countOf(RuleContext &ctx, Results &results) {
  std::optional<std::vector<SpecValue>> found = matches(ctx);
  if (!found)
    return failure();
  OpBuilder &b = ctx.b;
  Value count = ctx.getWalker().constant(b.getI64IntegerAttr(0));
  for (const SpecValue &same : *found)
    count = b.createOrFold<arith::AddIOp>(
        ctx.loc, count,
        b.createOrFold<arith::ExtUIOp>(ctx.loc, b.getI64Type(), ctx.scalarValue(same)));
  results.push_back(SpecValue::scalar(count));
  return success();
}

LogicalResult removeItem(RuleContext &ctx, Results &results) {
  std::optional<std::vector<SpecValue>> found = matches(ctx);
  if (!found)
    return failure();
  for (auto [i, same] : llvm::enumerate(*found)) {
    std::optional<bool> known = same.getBool();
    if (!known)
      return changeAtRunTime(ctx, results);
    if (!*known)
      continue;
    std::vector<SpecValue> *list = change(ctx, 0);
    if (!list)
      return failure();
    list->erase(list->begin() + i);
    return success();
  }
  return ctx.raise(notInList);
}

/// `list(range(...))`-like: `prim::rangelist(n)`.
LogicalResult rangeList(RuleContext &ctx, Results &results) {
  int64_t count = ctx.constantInt(0);
  if (ctx.failed())
    return failure();
  std::vector<SpecValue> list;
  for (int64_t i = 0; i < count; ++i)
    list.push_back(ctx.makeInt(i));
  results.push_back(ctx.makeList(std::move(list), ctx.b.getI64Type()));
  return success();
}

//===----------------------------------------------------------------------===//
// Dicts
//===----------------------------------------------------------------------===//

bool isDict(RuleContext &ctx, unsigned i = 0) {
  if (ctx.operand(i).is(ValueKind::Dict))
    return true;
  (void)ctx.fail("expected a dict, but got " + ctx.operand(i).kindName());
  return false;
}

/// Where the value of a key stands in the cell; -1 if there is no such key, nothing after a
/// failure.
std::optional<int64_t> findKey(RuleContext &ctx, unsigned dict, const SpecValue &key) {
  if (!key.isConstant()) {
    suggestBox(ctx.getWalker(), ctx.operand(dict).getCell());
    if (!ctx.getWalker().loseStructure("a dict's key is known only at run time"))
      (void)ctx.fail("expected a key that is known at compile time");
    return std::nullopt;
  }
  const std::vector<SpecValue> &entries = items(ctx, dict);
  for (size_t i = 0; i + 1 < entries.size(); i += 2)
    if (entries[i].same(key))
      return i + 1;
  return -1;
}

Type valueType(RuleContext &ctx) {
  auto type = dyn_cast_if_present<DictType>(elementType(ctx, 0));
  return type ? type.getValueType() : Type(AnyType::get(ctx.context()));
}
Type keyType(RuleContext &ctx) {
  auto type = dyn_cast_if_present<DictType>(elementType(ctx, 0));
  return type ? type.getKeyType() : Type(AnyType::get(ctx.context()));
}

std::string keyName(const SpecValue &key) {
  if (std::optional<StringRef> text = key.getString())
    return text->str();
  if (std::optional<int64_t> number = key.getInt())
    return std::to_string(*number);
  return "?";
}

LogicalResult dictGetItem(RuleContext &ctx, Results &results) {
  std::optional<int64_t> at =
      isDict(ctx) ? findKey(ctx, 0, ctx.operand(1)) : std::optional<int64_t>();
  if (!at)
    return failure();
  if (*at < 0)
    return ctx.raise("KeyError: " + keyName(ctx.operand(1)));
  results.push_back(items(ctx, 0)[*at]);
  return success();
}

LogicalResult dictGet(RuleContext &ctx, Results &results) {
  std::optional<int64_t> at =
      isDict(ctx) ? findKey(ctx, 0, ctx.operand(1)) : std::optional<int64_t>();
  if (!at)
    return failure();
  results.push_back(*at >= 0 ? items(ctx, 0)[*at] : ctx.operand(2));
  return success();
}

LogicalResult dictSetItem(RuleContext &ctx, Results &results) {
  std::optional<int64_t> at =
      isDict(ctx) ? findKey(ctx, 0, ctx.operand(1)) : std::optional<int64_t>();
  std::vector<SpecValue> *entries = at ? change(ctx, 0) : nullptr;
  if (!entries)
    return failure();
  if (*at >= 0) {
    (*entries)[*at] = ctx.operand(2);
  } else {
    entries->push_back(ctx.operand(1));
    entries->push_back(ctx.operand(2));
  }
  return success();
}

LogicalResult dictSetDefault(RuleContext &ctx, Results &results) {
  std::optional<int64_t> at =
      isDict(ctx) ? findKey(ctx, 0, ctx.operand(1)) : std::optional<int64_t>();
  if (!at)
    return failure();
  if (*at >= 0)
    return results.push_back(items(ctx, 0)[*at]), success();
  results.push_back(ctx.operand(2));
  return dictSetItem(ctx, results);
}

LogicalResult dictPop(RuleContext &ctx, Results &results) {
  std::optional<int64_t> at =
      isDict(ctx) ? findKey(ctx, 0, ctx.operand(1)) : std::optional<int64_t>();
  if (!at)
    return failure();
  if (*at < 0) {
    if (ctx.size() > 2)
      return results.push_back(ctx.operand(2)), success();
    return ctx.raise("KeyError: " + keyName(ctx.operand(1)));
  }
  std::vector<SpecValue> *entries = change(ctx, 0);
  if (!entries)
    return failure();
  results.push_back((*entries)[*at]);
  entries->erase(entries->begin() + *at - 1, entries->begin() + *at + 1);
  return success();
}

LogicalResult dictDelete(RuleContext &ctx, Results &results) {
  SmallVector<SpecValue> popped;
  return dictPop(ctx, popped);
}

LogicalResult dictContains(RuleContext &ctx, Results &results) {
  std::optional<int64_t> at =
      isDict(ctx) ? findKey(ctx, 0, ctx.operand(1)) : std::optional<int64_t>();
  if (!at)
    return failure();
  results.push_back(ctx.makeBool(*at >= 0));
  return success();
}

enum class Part { Keys, Values, Items };

template <Part part> LogicalResult dictParts(RuleContext &ctx, Results &results) {
  if (!isDict(ctx))
    return failure();
  std::vector<SpecValue> entries = items(ctx, 0), list;
  for (size_t i = 0; i + 1 < entries.size(); i += 2) {
    if (part == Part::Items)
      list.push_back(SpecValue::tuple({entries[i], entries[i + 1]}));
    else
      list.push_back(entries[part == Part::Keys ? i : i + 1]);
  }
  Type type =
      part == Part::Keys ? keyType(ctx)
      : part == Part::Values
          ? valueType(ctx)
          : Type(torchlite::tl::TupleType::get(ctx.context(), {keyType(ctx), valueType(ctx)}));
  results.push_back(ctx.makeList(std::move(list), type));
  return success();
}

LogicalResult dictUpdate(RuleContext &ctx, Results &results) {
  if (!isDict(ctx) || !isDict(ctx, 1))
    return failure();
  std::vector<SpecValue> more = items(ctx, 1);
  std::vector<SpecValue> *entries = change(ctx, 0);
  if (!entries)
    return failure();
  for (size_t i = 0; i + 1 < more.size(); i += 2) {
    bool found = false;
    for (size_t k = 0; k + 1 < entries->size() && !found; k += 2)
      if ((found = (*entries)[k].same(more[i])))
        (*entries)[k + 1] = more[i + 1];
    if (!found)
      entries->insert(entries->end(), {more[i], more[i + 1]});
  }
  return success();
}

/// `dict()` and `dict(list of pairs)`.
LogicalResult makeDict(RuleContext &ctx, Results &results) {
  Type type = ctx.resultTypes().empty() ? Type(AnyType::get(ctx.context())) : ctx.resultTypes()[0];
  std::vector<SpecValue> entries;
  if (ctx.size() > 0) {
    if (ctx.operand(0).is(ValueKind::Dict))
      return copy(ctx, results);
    if (!isList(ctx, 0))
      return failure();
    for (const SpecValue &pair : items(ctx, 0)) {
      if (!pair.is(ValueKind::Tuple) || pair.getElements().size() != 2 ||
          !pair.getElements()[0].isConstant())
        return ctx.fail("expected pairs whose keys are known at compile time");
      entries.push_back(pair.getElements()[0]);
      entries.push_back(pair.getElements()[1]);
    }
  }
  results.push_back(ctx.getWalker().newDict(std::move(entries), type));
  return success();
}

} // namespace

void specialize::registerContainerRules(RuleRegistry &registry) {
  registry.special("append.t", append);
  registry.special("__getitem__.t", getItem);
  registry.special("select.t", getItem);
  registry.special("_set_item.t", setItem);
  registry.special("len.t", length);
  registry.special("slice.t", slice);
  registry.special("add.t", concat);
  registry.special("add_.t", extend);
  registry.special("extend.t", extend);
  registry.special("insert.t", insert);
  registry.special("pop.t", pop);
  registry.special("Delete.t", deleteItem);
  registry.special("clear.t", clear);
  registry.special("reverse.t", reverse);
  registry.special("copy.t", copy);
  registry.special("list.t", copy);
  registry.special("mul.left_t", repeat);
  registry.special("mul.right_", repeat);
  for (const char *kind : {"int", "float", "bool", "str"}) {
    std::string list = std::string(".") + kind + "_list";
    registry.special("eq" + list, listEqual<false>);
    registry.special("ne" + list, listEqual<true>);
    registry.special("__contains__" + list, contains);
    registry.special(std::string("index.list_") + kind, indexOf);
    registry.special(std::string("index.") + kind, indexOf);
    registry.special(std::string("count.") + kind, countOf);
    registry.special(std::string("remove.") + kind, removeItem);
    registry.special(std::string("sum.") + kind, sumOfList);
    registry.special(std::string("prim::min.") + kind + "_list", extremum<false>);
    registry.special(std::string("prim::max.") + kind + "_list", extremum<true>);
    registry.special(std::string("prim::min.self_") + kind, extremum<false>);
    registry.special(std::string("prim::max.self_") + kind, extremum<true>);
    registry.special(std::string("any.") + kind, anyOrAll<true>);
    registry.special(std::string("all.") + kind, anyOrAll<false>);
    registry.special(std::string("sort.") + kind, sortInPlace);
  }
  registry.special("eq.enum", listEqual<false>);
  registry.special("ne.enum", listEqual<true>);
  registry.special("prim::rangelist", rangeList);

  for (const char *key : {"str", "int", "bool", "float"}) {
    std::string suffix = std::string(".") + key, dict = std::string(".Dict_") + key;
    registry.special("__getitem__" + dict, dictGetItem);
    registry.special("get" + suffix, dictGet);
    registry.special("get.default_" + std::string(key), dictGet);
    registry.special("_set_item" + suffix, dictSetItem);
    registry.special("setdefault" + suffix, dictSetDefault);
    registry.special("pop" + dict, dictPop);
    registry.special("pop.Dict_default_" + std::string(key), dictPop);
    registry.special("Delete" + dict, dictDelete);
    registry.special("__contains__" + suffix, dictContains);
    registry.special("keys" + suffix, dictParts<Part::Keys>);
    registry.special("values" + suffix, dictParts<Part::Values>);
    registry.special("items" + suffix, dictParts<Part::Items>);
    registry.special("update" + suffix, dictUpdate);
    registry.special("copy" + dict, copy);
    registry.special("clear" + suffix, clear);
    registry.special("len" + dict, length);
    registry.special("dict" + suffix, makeDict);
    registry.special("dict.Dict_" + std::string(key), makeDict);
  }
  registry.special("dict", makeDict);
}
