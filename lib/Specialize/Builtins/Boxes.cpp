//===- Boxes.cpp - Operators of lists that live at run time ---------------===//
#include "../Interpreter/RunTimeLists.h"
#include "BoxUse.h"

using namespace mlir;
namespace tl = torchlite::tl;
namespace rt = torchlite::rt;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

using Results = SmallVectorImpl<SpecValue>;
using Predicate = arith::CmpIPredicate;

namespace {

LogicalResult append(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box();
  Value item = list ? use.boxer.item(ctx.operand(1), use.element()) : Value();
  if (!item)
    return failure();
  rt::BoxAppendOp::create(ctx.b, ctx.loc, list, item);
  results.push_back(ctx.operand(0));
  return success();
}

LogicalResult length(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value count = use.size(use.box());
  if (ctx.operand(0).is(ValueKind::Dict))
    count = arith::ShRUIOp::create(ctx.b, ctx.loc, count, use.integer(1));
  results.push_back(SpecValue::scalar(count));
  return success();
}

LogicalResult getItem(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box();
  Value at = list ? use.position(1, list) : Value();
  std::optional<SpecValue> item;
  if (at)
    item = use.boxer.get(list, at, use.element());
  if (!item)
    return failure();
  results.push_back(*item);
  return success();
}

LogicalResult setItem(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box();
  Value at = list ? use.position(1, list) : Value();
  Value item = at ? use.boxer.item(ctx.operand(2), use.element()) : Value();
  if (!item)
    return failure();
  rt::BoxSetOp::create(ctx.b, ctx.loc, list, at, item);
  results.push_back(ctx.operand(0));
  return success();
}

LogicalResult clear(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box();
  use.splice(list, use.integer(0), use.size(list), use.none());
  return success();
}

LogicalResult copy(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  results.push_back(use.boxer.container(use.copy(use.box()), use.form()));
  return success();
}

/// A bound of a slice with a step above 0, between 0 and the length.
Value upwardBound(BoxUse &use, unsigned i, Value count, int64_t otherwise) {
  RuleContext &ctx = use.ctx;
  if (ctx.isNone(i))
    return otherwise ? count : use.integer(0);
  Value at = ctx.scalar(i), zero = use.integer(0);
  Value isFromEnd = use.compare(Predicate::slt, at, zero);
  Value fromEnd = arith::AddIOp::create(ctx.b, ctx.loc, at, count);
  at = arith::SelectOp::create(ctx.b, ctx.loc, isFromEnd, fromEnd, at);
  at = arith::MaxSIOp::create(ctx.b, ctx.loc, at, zero);
  return arith::MinSIOp::create(ctx.b, ctx.loc, at, count);
}

/// slice.t(l, start, end, step).
LogicalResult slice(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  int64_t step = ctx.constantInt(3, 1);
  if (ctx.failed())
    return failure();
  if (step <= 0)
    return ctx.fail("a slice of a list with a step of " + Twine(step) + " is not supported");
  Value list = use.box(), count = use.size(list), zero = use.integer(0);
  Value start = upwardBound(use, 1, count, 0), end = upwardBound(use, 2, count, 1);
  if (ctx.failed())
    return failure();
  Value size = arith::SubIOp::create(ctx.b, ctx.loc, end, start);
  size = arith::MaxSIOp::create(ctx.b, ctx.loc, size, zero);
  if (step != 1) {
    size = arith::AddIOp::create(ctx.b, ctx.loc, size, use.integer(step - 1));
    size = arith::DivUIOp::create(ctx.b, ctx.loc, size, use.integer(step));
  }
  Value part = rt::BoxSliceOp::create(ctx.b, ctx.loc, list, start, size, use.integer(step));
  results.push_back(use.boxer.container(part, use.form()));
  return success();
}

/// extend.t, add_.t.
LogicalResult extend(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box(), more = list ? use.box(1) : Value();
  if (!more)
    return failure();
  joinForms(use.w, use.form(0), use.form(1));
  use.splice(list, use.size(list), use.integer(0), more);
  results.push_back(ctx.operand(0));
  return success();
}

/// A copy of a list that stays what it is.
SpecValue copyOf(BoxUse &use, unsigned i) {
  Cell cell = use.w.cell(use.ctx.operand(i).getCell());
  cell.places.clear();
  CellId id = use.w.allocate(std::move(cell));
  use.w.boxes.madeAt[id] = use.w.current;
  return SpecValue::cell(ValueKind::List, id);
}

/// A box with the items of a list that may stay what it is; null after a failure.
Value itemsOf(BoxUse &use, unsigned i, Form *form) {
  const SpecValue &list = use.ctx.operand(i);
  if (isBoxed(use.w, list)) {
    joinForms(use.w, form, use.form(i));
    return use.box(i);
  }
  if (!list.is(ValueKind::List))
    return (void)use.ctx.fail("expected a list, but got " + list.kindName()), Value();
  SpecValue copied = copyOf(use, i);
  Value box = use.boxer.boxOf(copied);
  if (box)
    joinForms(use.w, form, use.boxer.formOf(copied));
  return box;
}

/// add.t(a, b).
LogicalResult concat(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Form *form = use.form(isBoxed(use.w, ctx.operand(0)) ? 0 : 1);
  Value x = itemsOf(use, 0, form), y = x ? itemsOf(use, 1, form) : Value();
  if (!y)
    return failure();
  Value both = use.copy(x);
  use.splice(both, use.size(both), use.integer(0), y);
  results.push_back(use.boxer.container(both, form));
  return success();
}

LogicalResult insert(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box();
  Value at = upwardBound(use, 1, use.size(list), 0);
  Value item = ctx.failed() ? Value() : use.boxer.item(ctx.operand(2), use.element());
  if (!item)
    return failure();
  Value one = rt::BoxCreateOp::create(ctx.b, ctx.loc, 0);
  rt::BoxAppendOp::create(ctx.b, ctx.loc, one, item);
  use.splice(list, at, use.integer(0), one);
  return success();
}

LogicalResult pop(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box(), count = use.size(list);
  if (ctx.size() < 2 || ctx.knownInt(1) == -1)
    if (!requireSome(ctx, count, "pop from empty list"))
      return failure();
  Value at = ctx.size() > 1 ? use.position(1, list)
                            : Value(arith::SubIOp::create(ctx.b, ctx.loc, count, use.integer(1)));
  std::optional<SpecValue> item;
  if (at)
    item = use.boxer.get(list, at, use.element());
  if (!item)
    return failure();
  use.splice(list, at, use.integer(1), use.none());
  results.push_back(*item);
  return success();
}

LogicalResult deleteItem(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box(), at = use.position(1, list);
  if (!at)
    return failure();
  use.splice(list, at, use.integer(1), use.none());
  return success();
}

LogicalResult reverse(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = use.box(), count = use.size(list);
  Value last = arith::SubIOp::create(ctx.b, ctx.loc, count, use.integer(1));
  Value turned = rt::BoxSliceOp::create(ctx.b, ctx.loc, list, last, count, use.integer(-1));
  use.splice(list, use.integer(0), count, turned);
  return success();
}

/// list * n, n * list.
LogicalResult repeat(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  unsigned at = ctx.operand(0).is(ValueKind::List) ? 0 : 1;
  Value list = use.box(at), count = ctx.scalar(1 - at);
  if (!list || ctx.failed())
    return failure();
  Value many = rt::BoxRepeatOp::create(ctx.b, ctx.loc, list, count);
  results.push_back(use.boxer.container(many, use.form(at)));
  return success();
}

/// list.sort() of numbers.
LogicalResult sort(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  std::optional<SpecValue> numbers = unboxedList(ctx, ctx.operand(0));
  if (!numbers)
    return failure();
  SmallVector<SpecValue> operands = {*numbers};
  for (unsigned i = 1; i < ctx.size(); ++i)
    operands.push_back(ctx.operand(i));
  RuleContext inner(use.w, ctx.b, ctx.loc, ctx.name(), operands, ctx.resultTypes());
  if (failed(RuleRegistry::get().lookup(ctx.name())->runTimeList(inner, results)))
    return failure();
  Value list = use.box(), sorted = use.boxer.boxOf(*numbers);
  if (!sorted)
    return failure();
  use.splice(list, use.integer(0), use.size(list), sorted);
  return success();
}

//===----------------------------------------------------------------------===//
// Search and comparison
//===----------------------------------------------------------------------===//

/// Where an equal item is, or -1; null after a failure.
Value find(RuleContext &ctx) {
  BoxUse use(ctx);
  SpecValue operand = ctx.operand(0);
  if (!isBoxed(use.w, operand))
    operand = copyOf(use, 0);
  Value list = use.boxer.boxOf(operand);
  Value item = list ? use.boxer.item(ctx.operand(1), use.boxer.formOf(operand)->parts[0]) : list;
  return item ? Value(rt::BoxFindOp::create(ctx.b, ctx.loc, list, use.integer(0), item)) : item;
}

LogicalResult contains(RuleContext &ctx, Results &results) {
  Value at = find(ctx);
  if (!at)
    return failure();
  BoxUse use(ctx);
  results.push_back(SpecValue::scalar(use.compare(Predicate::sge, at, use.integer(0))));
  return success();
}

LogicalResult indexOf(RuleContext &ctx, Results &results) {
  Value at = find(ctx);
  if (!at)
    return failure();
  BoxUse use(ctx);
  ctx.check(use.compare(Predicate::sge, at, use.integer(0)), "the value is not in the list");
  results.push_back(SpecValue::scalar(at));
  return success();
}

/// list.remove(x).
LogicalResult removeItem(RuleContext &ctx, Results &results) {
  Value at = find(ctx);
  if (!at)
    return failure();
  BoxUse use(ctx);
  ctx.check(use.compare(Predicate::sge, at, use.integer(0)), "list.remove(x): x not in list");
  Value list = use.box();
  if (!list)
    return failure();
  use.splice(list, at, use.integer(1), use.none());
  return success();
}

template <bool negated> LogicalResult equal(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Form *form = use.form(isBoxed(use.w, ctx.operand(0)) ? 0 : 1);
  Value x = itemsOf(use, 0, form), y = x ? itemsOf(use, 1, form) : Value();
  if (!y)
    return failure();
  Value same = rt::BoxEqualOp::create(ctx.b, ctx.loc, x, y);
  if (negated)
    same = arith::XOrIOp::create(ctx.b, ctx.loc, same, use.w.constant(ctx.b.getBoolAttr(true)));
  results.push_back(SpecValue::scalar(same));
  return success();
}

//===----------------------------------------------------------------------===//
// Tensors of lists
//===----------------------------------------------------------------------===//

/// The tensor type of a list's elements, if the list is not empty, which is checked; null after a
/// failure.
RankedTensorType someTensors(BoxUse &use, const Twine &message) {
  Value list = use.box();
  if (!requireSome(use.ctx, use.size(list), message))
    return {};
  Form *element = rootOf(use.element());
  if (!isa<tl::TensorType>(element->type))
    return (void)use.ctx.fail("expected a list of tensors"), RankedTensorType();
  if (!element->isMixed && !element->tensor)
    return (void)use.ctx.raise(message), RankedTensorType();
  return use.boxer.tensorType(element);
}

LogicalResult stack(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  RankedTensorType type = someTensors(use, "stack expects a non-empty TensorList");
  if (!type)
    return failure();
  Value together =
      rt::BoxTogetherOp::create(ctx.b, ctx.loc, use.box(), TypeAttr::get(type), IntegerAttr());
  SmallVector<int64_t> shape = {ShapedType::kDynamic};
  llvm::append_range(shape, type.getShape());
  auto all = RankedTensorType::get(shape, type.getElementType());
  FailureOr<Value> stacked =
      stackTogether(ctx, rt::BoxUnpackOp::create(ctx.b, ctx.loc, all, together), 1);
  if (failed(stacked))
    return failure();
  results.push_back(ctx.makeTensor(*stacked));
  return success();
}

LogicalResult cat(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  RankedTensorType type = someTensors(use, "torch.cat(): expected a non-empty list of Tensors");
  if (!type)
    return failure();
  if (type.getRank() == 0)
    return ctx.raise("zero-dimensional tensor (at position 0) cannot be concatenated");
  int64_t along = ctx.dim(1, type.getRank());
  if (ctx.failed())
    return failure();
  Value together = rt::BoxTogetherOp::create(ctx.b, ctx.loc, use.box(), TypeAttr::get(type),
                                             ctx.b.getI64IntegerAttr(along));
  SmallVector<int64_t> shape(type.getShape());
  shape[along] = ShapedType::kDynamic;
  auto all = RankedTensorType::get(shape, type.getElementType());
  results.push_back(ctx.makeTensor(rt::BoxUnpackOp::create(ctx.b, ctx.loc, all, together)));
  return success();
}

} // namespace

//===----------------------------------------------------------------------===//
// Which rule
//===----------------------------------------------------------------------===//

/// Whether an operator of strings needs to know all characters, those of numbers in it too.
static bool looksAtText(StringRef name) {
  return name != "add.str" && (name.ends_with(".str") || name == "mul.str_int");
}

static bool isBox(const Walker &w, const SpecValue &value) {
  return isBoxed(w, value) || value.is(ValueKind::Text) ||
         (value.is(ValueKind::Tuple) &&
          llvm::any_of(value.getElements(), [&](const SpecValue &v) { return isBox(w, v); }));
}

bool specialize::takesBox(RuleContext &ctx) {
  static const StringRef passing[] = {"__is__", "__isnot__",     "_unwrap_optional", "str",
                                      "format", "percentFormat", "prim::str",        "join"};
  if (llvm::is_contained(passing, ctx.name()))
    return false;
  if (looksAtText(ctx.name()) && llvm::any_of(llvm::seq<unsigned>(0, ctx.size()), [&](unsigned i) {
        const SpecValue &operand = ctx.operand(i);
        return operand.is(ValueKind::String) && !operand.getElements().empty();
      }))
    return true;
  for (unsigned i = 0; i < ctx.size(); ++i)
    if (isBox(ctx.getWalker(), ctx.operand(i)))
      return true;
  return false;
}

/// Whether a rule puts an element into a container.
static bool puts(StringRef name) {
  return llvm::is_contained({"append", "_set_item", "insert"}, name.split('.').first);
}

/// Whether a rule only reads the lists that it is given.
static bool onlyReads(StringRef name) {
  return llvm::is_contained(
      {"tensor", "as_tensor", "sum", "prim::min", "prim::max", "any", "all", "sorted"},
      name.split('.').first);
}

LogicalResult specialize::applyBoxed(RuleContext &ctx, const Rule &rule, Results &results) {
  Walker &w = ctx.getWalker();
  // What is put into a container is not looked at.
  const SpecValue &first = ctx.operand(0);
  bool isOther = (first.is(ValueKind::List) || first.is(ValueKind::Dict)) && !isBoxed(w, first);
  if (isOther && puts(ctx.name()) && (isRunTimeList(w, first) ? rule.runTimeList : rule.special))
    return (isRunTimeList(w, first) ? rule.runTimeList : rule.special)(ctx, results);
  if (rule.boxed)
    return rule.boxed(ctx, results);
  if (isBoxed(w, first) && rule.runTimeList && onlyReads(ctx.name())) {
    std::optional<SpecValue> list = unboxedList(ctx, first);
    if (!list)
      return failure();
    SmallVector<SpecValue> operands = {*list};
    for (unsigned i = 1; i < ctx.size(); ++i)
      operands.push_back(ctx.operand(i));
    RuleContext inner(w, ctx.b, ctx.loc, ctx.name(), operands, ctx.resultTypes());
    return (isRunTimeList(w, *list) ? rule.runTimeList : rule.special)(inner, results);
  }
  return ctx.fail("a list, dict or str that is known only at run time is not supported here");
}

void specialize::registerBoxRules(RuleRegistry &registry) {
  registerBoxDictRules(registry);
  registerBoxTextRules(registry);
  registry.boxed("append.t", append);
  registry.boxed("len.t", length);
  registry.boxed("__getitem__.t", getItem);
  registry.boxed("select.t", getItem);
  registry.boxed("_set_item.t", setItem);
  registry.boxed("clear.t", clear);
  registry.boxed("copy.t", copy);
  registry.boxed("list.t", copy);
  registry.boxed("slice.t", slice);
  registry.boxed("extend.t", extend);
  registry.boxed("add_.t", extend);
  registry.boxed("add.t", concat);
  registry.boxed("insert.t", insert);
  registry.boxed("pop.t", pop);
  registry.boxed("Delete.t", deleteItem);
  registry.boxed("reverse.t", reverse);
  registry.boxed("mul.left_t", repeat);
  registry.boxed("mul.right_", repeat);
  registry.boxed("stack", stack);
  registry.boxed("cat", cat);
  for (const char *kind : {"int", "float", "bool", "str"}) {
    std::string list = std::string(".") + kind + "_list";
    registry.boxed("eq" + list, equal<false>);
    registry.boxed("ne" + list, equal<true>);
    registry.boxed("__contains__" + list, contains);
    registry.boxed(std::string("index.list_") + kind, indexOf);
    registry.boxed(std::string("index.") + kind, indexOf);
    registry.boxed(std::string("remove.") + kind, removeItem);
    if (kind != StringRef("str"))
      registry.boxed(std::string("sort.") + kind, sort);
  }
}
