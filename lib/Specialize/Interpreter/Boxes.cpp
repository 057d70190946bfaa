//===- Boxes.cpp - Values whose structure lives at run time ---------------===//
#include "Boxes.h"
#include "Methods.h"
#include "RunTimeLists.h"

using namespace mlir;
namespace tl = torchlite::tl;
using namespace torchlite;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

bool specialize::isBoxed(const Walker &w, const SpecValue &value) {
  return (value.is(ValueKind::List) || value.is(ValueKind::Dict)) && w.cell(value.getCell()).box;
}

bool specialize::canBeBoxed(Type type) {
  if (!type)
    return false;
  if (auto list = dyn_cast<ListType>(type))
    return canBeBoxed(list.getElementType());
  if (auto dict = dyn_cast<DictType>(type))
    return canBeBoxed(dict.getKeyType()) && canBeBoxed(dict.getValueType());
  if (auto optional = dyn_cast<OptionalType>(type))
    return canBeBoxed(optional.getElementType());
  if (auto tuple = dyn_cast<tl::TupleType>(type))
    return llvm::all_of(tuple.getTypes(), canBeBoxed);
  return isa<tl::TensorType, StringType>(type) || type.isInteger(64) || type.isF64() ||
         type.isInteger(1);
}

void specialize::suggestSite(Walker &w, Operation *site) {
  if (site && !isa<GetAttrOp>(site) && !w.boxes.sites.contains(site))
    w.boxes.newSites.insert(site);
}

void specialize::suggestBox(Walker &w, CellId id) {
  if (CellRef cell = w.state.heap.lookup(id); cell && !cell->places.empty())
    return suggestBox(w, *cell);
  suggestSite(w, w.boxes.madeAt.lookup(id));
}

void specialize::suggestBox(Walker &w, const Cell &cell) {
  for (CellId place : cell.places)
    suggestSite(w, w.boxes.madeAt.lookup(place));
  if (cell.places.empty())
    suggestSite(w, cell.site);
}

unsigned specialize::countBoxed(const Walker &w, const Heap &heap,
                                llvm::function_ref<bool(CellId)> isOfHead) {
  unsigned count = 0;
  for (CellId id = 0; id < heap.size(); ++id)
    if (heap.lookup(id) && isOfHead(id))
      count += llvm::any_of(heap.places(id),
                            [&](CellId place) { return w.boxes.places.contains(place); });
  return count;
}

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

Form *specialize::rootOf(Form *form) {
  while (form && form->joined)
    form = form->joined;
  return form;
}

bool specialize::isEmptyForm(Form *form) {
  form = rootOf(form);
  if (isa<tl::TensorType>(form->type))
    return !form->tensor && !form->isMixed;
  return isa<tl::TupleType>(form->type) && llvm::any_of(form->parts, isEmptyForm);
}

static void noteTensor(Walker &w, Form *form, RankedTensorType type) {
  RankedTensorType wide = type;
  if (form->tensor) {
    if (form->tensor.getRank() != type.getRank() ||
        form->tensor.getElementType() != type.getElementType()) {
      w.boxes.changes += !form->isMixed;
      form->isMixed = true;
      return;
    }
    SmallVector<int64_t> shape(type.getShape());
    for (auto [size, other] : llvm::zip_equal(shape, form->tensor.getShape()))
      if (size != other)
        size = ShapedType::kDynamic;
    wide = RankedTensorType::get(shape, type.getElementType());
  }
  w.boxes.changes += wide != form->tensor;
  form->tensor = wide;
}

static void noteLayout(Walker &w, Form *form, Known contiguous, bool given) {
  Known both = form->contiguous == contiguous ? contiguous : Known::Maybe;
  w.boxes.changes += both != form->contiguous || (given && !form->given);
  form->contiguous = both;
  form->given |= given;
}

Form *specialize::joinForms(Walker &w, Form *a, Form *b) {
  a = rootOf(a);
  b = rootOf(b);
  if (a == b || !a || !b)
    return a ? a : b;
  b->joined = a;
  ++w.boxes.changes;
  if (b->tensor) {
    noteTensor(w, a, b->tensor);
    noteLayout(w, a, b->contiguous, b->given);
  }
  a->isMixed |= b->isMixed;
  a->places = unite(a->places, b->places);
  a->places = unite(a->places, CellId(b->place));
  for (auto [x, y] : llvm::zip(a->parts, b->parts))
    joinForms(w, x, y);
  return a;
}

Form *Boxer::newForm(Type type) {
  Form &form = w.boxes.forms.emplace_back();
  form.type = type;
  form.place = w.nextCell++;
  w.boxes.places.insert(form.place);
  if (auto list = dyn_cast<ListType>(type))
    form.parts = {newForm(list.getElementType())};
  else if (auto dict = dyn_cast<DictType>(type))
    form.parts = {newForm(dict.getKeyType()), newForm(dict.getValueType())};
  else if (auto optional = dyn_cast<OptionalType>(type))
    form.parts = {newForm(optional.getElementType())};
  else if (auto tuple = dyn_cast<tl::TupleType>(type))
    for (Type element : tuple.getTypes())
      form.parts.push_back(newForm(element));
  return &form;
}

Form *Boxer::listForm(Type element, ArrayRef<Form *> parts) {
  Type type = ListType::get(b.getContext(), element);
  Form *&form = w.boxes.bySite[{w.current, type.getAsOpaquePointer()}];
  if (!form)
    form = newForm(type);
  Form *list = rootOf(form), *inner = rootOf(list->parts[0]);
  if (parts.size() == 1)
    joinForms(w, inner, parts.front());
  else
    for (auto [x, y] : llvm::zip_equal(inner->parts, parts))
      joinForms(w, x, y);
  return list;
}

Form *Boxer::formFor(CellId id, Type type) {
  Operation *site = w.boxes.madeAt.lookup(id);
  Form *&form = w.boxes.bySite[{site ? site : w.current, type.getAsOpaquePointer()}];
  if (!form)
    form = newForm(type);
  return rootOf(form);
}

//===----------------------------------------------------------------------===//
// Into boxes
//===----------------------------------------------------------------------===//

/// A container's type, as written: lists' cells have that of their elements.
static Type containerType(ValueKind kind, Type type) {
  return kind == ValueKind::List && type ? Type(ListType::get(type.getContext(), type)) : type;
}

bool Boxer::fill(Value box, ArrayRef<SpecValue> elements, Form *form) {
  bool isDict = isa<DictType>(form->type);
  for (size_t i = 0; i < elements.size(); i += 1 + isDict) {
    Value first = item(elements[i], form->parts[0]);
    Value second = first && isDict ? item(elements[i + 1], form->parts[1]) : first;
    if (!second)
      return false;
    if (isDict)
      rt::BoxInsertOp::create(b, loc, box, first, second);
    else
      rt::BoxAppendOp::create(b, loc, box, first);
  }
  return true;
}

std::optional<SpecValue> Boxer::newContainer(ValueKind kind, ArrayRef<SpecValue> elements,
                                             Type type) {
  Type whole = containerType(kind, type);
  if (!canBeBoxed(whole) || isa<OptionalType>(whole)) {
    (void)fail("a container whose structure is known only at run time cannot hold all values of "
               "this type");
    return std::nullopt;
  }
  Cell cell;
  cell.kind = kind == ValueKind::List ? Cell::Kind::List : Cell::Kind::Dict;
  cell.type = type;
  cell.site = w.current;
  CellId id = w.allocate(std::move(cell));
  w.boxes.madeAt[id] = w.current;
  Form *form = formFor(id, whole);
  Value box = rt::BoxCreateOp::create(b, loc, kind == ValueKind::List ? 0 : 2);
  Cell &made = w.change(id);
  made.box = box;
  made.form = form;
  if (!fill(box, elements, form))
    return std::nullopt;
  return SpecValue::cell(kind, id);
}

std::optional<SpecValue> Boxer::constantList(const SpecValue &list) {
  const Cell cell = w.cell(list.getCell());
  bool isConstant = w.archiveContainers.count(list.getCell()) &&
                    !w.stateCells.count(list.getCell()) && !cell.elements.empty() &&
                    llvm::all_of(cell.elements, [](const SpecValue &v) { return v.isConstant(); });
  if (!isConstant || !canBeBoxed(cell.type))
    return std::nullopt;
  auto [known, isNew] = w.constantBoxes.try_emplace(list.getCell());
  if (isNew)
    known->second = w.buildOnce([&]() -> Value {
      Value box = rt::BoxCreateOp::create(b, loc, 0);
      Form *form = formFor(list.getCell(), ListType::get(b.getContext(), cell.type));
      return fill(box, cell.elements, form) ? box : Value();
    });
  if (!known->second)
    return std::nullopt;
  return container(known->second,
                   formFor(list.getCell(), ListType::get(b.getContext(), cell.type)));
}

SpecValue Boxer::container(Value box, Form *form) {
  form = rootOf(form);
  bool isList = isa<ListType>(form->type);
  Cell cell;
  cell.kind = isList ? Cell::Kind::List : Cell::Kind::Dict;
  cell.type = isList ? cast<ListType>(form->type).getElementType() : form->type;
  cell.box = box;
  cell.form = form;
  CellId id = w.allocate(std::move(cell));
  return SpecValue::cell(isList ? ValueKind::List : ValueKind::Dict, id);
}

Value Boxer::boxRunTimeList(CellId id, Form *form) {
  RuleContext ctx(w, b, loc, "box", {}, {});
  RunTimeList list(ctx, id);
  Value count = list.count();
  if (list.isEmpty())
    return rt::BoxCreateOp::create(b, loc, 0);
  (void)count;
  const SpecValue any = list.anyElement();
  Form *element = rootOf(form->parts[0]);
  Value all = list.together();
  auto type = cast<RankedTensorType>(all.getType());
  TypeAttr number;
  if (any.isTensor()) {
    noteTensor(w, element,
               RankedTensorType::get(type.getShape().drop_front(), type.getElementType()));
    noteLayout(w, element, any.getTensor().contiguous, any.getTensor().given);
    Places places = w.state.heap.places(any.getTensor().storage);
    element->places = unite(element->places, places);
    w.boxes.places.insert_range(places);
  } else {
    number = TypeAttr::get(type.getElementType());
  }
  Value box = packed(b, loc, all);
  return rt::BoxRowsOp::create(b, loc, box, number);
}

Value Boxer::boxOf(const SpecValue &value) {
  CellId id = value.getCell();
  const Cell before = w.cell(id);
  if (before.box)
    return before.box;
  Type type = containerType(value.kind(), before.type);
  if (!canBeBoxed(type))
    return fail("a container whose structure is known only at run time cannot hold all values of "
                "this type");
  // What the caller or the state holds would have to change with it.
  if (w.stateCells.count(id) || w.archiveContainers.count(id) || !before.places.empty() ||
      w.argumentContainers.contains(id)) {
    suggestBox(w, before);
    return fail("a list or dict of the model's attributes or arguments, or one that is another one "
                "in each arm of a conditional, in a container whose structure is known only at run "
                "time is not supported");
  }
  Form *form = formFor(id, type);
  Value box = before.count
                  ? boxRunTimeList(id, form)
                  : Value(rt::BoxCreateOp::create(b, loc, value.is(ValueKind::List) ? 0 : 2));
  Cell &cell = w.change(id);
  cell.elements.clear();
  cell.count = cell.value = nullptr;
  cell.box = box;
  cell.form = form;
  if (!before.count && !fill(box, before.elements, form))
    return nullptr;
  return box;
}

Value specialize::packed(OpBuilder &b, Location loc, Value tensor) {
  bool isUnsigned = cast<RankedTensorType>(tensor.getType()).getElementType().isUnsignedInteger();
  return rt::BoxPackOp::create(b, loc, tensor, isUnsigned);
}

Value Boxer::packTensor(const SpecValue &tensor, Form *form) {
  const TensorRef ref = tensor.getTensor();
  Value value = w.readTensor(tensor);
  if (!value)
    return nullptr;
  noteTensor(w, form, cast<RankedTensorType>(value.getType()));
  noteLayout(w, form, ref.strides ? Known::Maybe : ref.contiguous, ref.given);
  Places places = w.state.heap.places(ref.storage);
  form->places = unite(form->places, places);
  w.boxes.places.insert_range(places);
  return packed(b, loc, value);
}

/// All lists and dicts in a value that `form` says become boxes here; false after an error.
bool Boxer::boxContainersIn(const SpecValue &value, Form *form) {
  form = rootOf(form);
  if (value.is(ValueKind::List) || value.is(ValueKind::Dict))
    return bool(item(value, form));
  if (value.is(ValueKind::Optional))
    return boxContainersIn(value.getPayload(),
                           isa<OptionalType>(form->type) ? form->parts[0] : form);
  if (!value.is(ValueKind::Tuple) || value.getElements().size() != form->parts.size())
    return true;
  return llvm::all_of(llvm::zip_equal(value.getElements(), form->parts), [&](auto pair) {
    return boxContainersIn(std::get<0>(pair), std::get<1>(pair));
  });
}

/// Either None or what the payload is.
Value Boxer::boxOptional(const SpecValue &value, Form *form) {
  // What becomes a box is one behind the arms, too.
  if (!boxContainersIn(value.getPayload(), form))
    return nullptr;
  auto either =
      tl::IfOp::create(b, loc, TypeRange(rt::BoxType::get(b.getContext())), value.getPresent());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&either.getThenRegion().emplaceBlock());
  Value inner = boxed(value.getPayload(), form);
  if (!inner)
    inner = rt::BoxNoneOp::create(b, loc);
  tl::YieldOp::create(b, loc, inner);
  b.setInsertionPointToEnd(&either.getElseRegion().emplaceBlock());
  tl::YieldOp::create(b, loc, Value(rt::BoxNoneOp::create(b, loc)));
  return either.getResult(0);
}

/// The type, as written, of a value; null if it has none.
static Type writtenType(Walker &w, const SpecValue &value) {
  MLIRContext *context = w.b.getContext();
  auto typesOf = [&](ArrayRef<SpecValue> values) {
    return llvm::map_to_vector(values, [&](const SpecValue &v) { return writtenType(w, v); });
  };
  switch (value.kind()) {
  case ValueKind::Tensor:
    return tl::TensorType::get(context);
  case ValueKind::Int:
    return w.b.getI64Type();
  case ValueKind::Float:
    return w.b.getF64Type();
  case ValueKind::Bool:
    return w.b.getI1Type();
  case ValueKind::String:
  case ValueKind::Text:
    return StringType::get(context);
  case ValueKind::List:
    return ListType::get(context, w.cell(value.getCell()).type);
  case ValueKind::Dict:
    return w.cell(value.getCell()).type;
  case ValueKind::Tuple: {
    SmallVector<Type> types = typesOf(value.getElements());
    return llvm::is_contained(types, Type()) ? Type() : tl::TupleType::get(context, types);
  }
  case ValueKind::Optional: {
    Type payload = writtenType(w, value.getPayload());
    return payload ? OptionalType::get(context, payload) : Type();
  }
  default:
    return {};
  }
}

std::pair<Value, Form *> Boxer::optionalBox(const SpecValue &value) {
  Type type = writtenType(w, value);
  if (!type || !canBeBoxed(type)) {
    (void)fail("a value of type " + value.getPayload().kindName() +
               " that may be None is not supported here");
    return {};
  }
  Form *form = newForm(type);
  return {boxed(value, form), form};
}

Value Boxer::boxed(const SpecValue &value, Form *form) {
  Value made = item(value, form);
  if (!made || isa<rt::BoxType>(made.getType()))
    return made;
  return rt::BoxNumberOp::create(b, loc, made);
}

Value Boxer::item(const SpecValue &value, Form *form) {
  form = rootOf(form);
  Type type = form->type;
  auto mismatch = [&]() -> Value {
    return fail("expected a value of another type than " + value.kindName() +
                " for a container whose structure is known only at run time");
  };
  if (isa<OptionalType>(type)) {
    if (value.isNone())
      return rt::BoxNoneOp::create(b, loc);
    return value.is(ValueKind::Optional) ? boxOptional(value, form->parts[0])
                                         : item(value, form->parts[0]);
  }
  if (type.isInteger(64) || type.isF64() || type.isInteger(1)) {
    Value number = value.isNumber() ? w.scalarValue(value) : Value();
    return number && number.getType() == type ? number : mismatch();
  }
  if (isa<tl::TensorType>(type))
    return value.isTensor() ? packTensor(value, form) : mismatch();
  if (isa<StringType>(type)) {
    if (value.is(ValueKind::Text))
      return value.getBox();
    Value text = value.is(ValueKind::String) ? w.textBox(value) : Value();
    return text ? text : mismatch();
  }
  if (auto tuple = dyn_cast<tl::TupleType>(type)) {
    if (!value.is(ValueKind::Tuple) || value.getElements().size() != form->parts.size())
      return mismatch();
    Value box = rt::BoxCreateOp::create(b, loc, 1);
    for (auto [element, part] : llvm::zip_equal(value.getElements(), form->parts)) {
      Value one = item(element, part);
      if (!one)
        return nullptr;
      rt::BoxAppendOp::create(b, loc, box, one);
    }
    return box;
  }
  if (!value.is(ValueKind::List) && !value.is(ValueKind::Dict))
    return mismatch();
  Value box = boxOf(value);
  if (box)
    joinForms(w, form, w.cell(value.getCell()).form);
  return box;
}

//===----------------------------------------------------------------------===//
// Out of boxes
//===----------------------------------------------------------------------===//

RankedTensorType Boxer::tensorType(Form *form) {
  form = rootOf(form);
  if (form->isMixed)
    return (void)fail("tensors of different ranks or element types in a container whose structure "
                      "is known only at run time are not supported"),
           RankedTensorType();
  return form->tensor;
}

SpecValue Boxer::tensorOut(Value value, Form *form) {
  form = rootOf(form);
  SpecValue tensor = w.newTensor(value, form->contiguous, form->given);
  // It is any of those that were put in, and any that came out.
  Cell &cell = w.change(tensor.getTensor().storage);
  cell.places = unite(form->places, CellId(form->place));
  cell.isPart = true;
  cell.identity = nullptr;
  return tensor;
}

std::optional<SpecValue> Boxer::getTuple(Value box, Form *form, bool orNone) {
  std::vector<SpecValue> elements;
  for (auto [index, part] : llvm::enumerate(form->parts)) {
    std::optional<SpecValue> element = get(box, integer(index), part, orNone);
    if (!element)
      return std::nullopt;
    elements.push_back(*element);
  }
  return SpecValue::tuple(std::move(elements));
}

std::optional<SpecValue> Boxer::get(Value container, Value position, Form *form, bool orNone) {
  form = rootOf(form);
  Type type = form->type;
  if (type.isInteger(64) || type.isF64() || type.isInteger(1))
    return SpecValue::scalar(rt::BoxGetOp::create(b, loc, type, container, position));
  if (isa<OptionalType>(type)) {
    Value present = rt::BoxPresentOp::create(b, loc, container, position);
    std::optional<SpecValue> payload;
    Form *inner = rootOf(form->parts[0]);
    // Nothing but None was ever put there.
    if (isEmptyForm(inner))
      return SpecValue::none();
    payload = get(container, position, inner, /*orNone=*/true);
    if (!payload)
      return std::nullopt;
    w.hasOptionals = true;
    return SpecValue::optional(present, *payload);
  }
  auto boxType = rt::BoxType::get(b.getContext());
  Value box = rt::BoxGetOp::create(b, loc, boxType, container, position);
  if (isa<StringType>(type))
    return SpecValue::text(box);
  if (isa<tl::TupleType>(type))
    return getTuple(box, form, orNone);
  if (!isa<tl::TensorType>(type))
    return this->container(box, form);
  RankedTensorType tensor = tensorType(form);
  if (!tensor) {
    // Nothing was ever put there: there is nothing to come out.
    if (!form->isMixed)
      w.raise(loc, "list index out of range");
    return std::nullopt;
  }
  if (orNone)
    tensor = RankedTensorType::get(SmallVector<int64_t>(tensor.getRank(), ShapedType::kDynamic),
                                   tensor.getElementType());
  return tensorOut(rt::BoxUnpackOp::create(b, loc, tensor, box), form);
}

//===----------------------------------------------------------------------===//
// As lists of unknown length
//===----------------------------------------------------------------------===//

std::optional<SpecValue> specialize::unboxedList(RuleContext &ctx, const SpecValue &list) {
  Walker &w = ctx.getWalker();
  Boxer boxer(w, ctx.loc);
  Form *element = rootOf(boxer.formOf(list)->parts[0]);
  Type type = element->type;
  bool isTensor = isa<tl::TensorType>(type);
  if (!isTensor && !type.isInteger(64) && !type.isF64() && !type.isInteger(1)) {
    (void)ctx.fail("expected a list of numbers or tensors");
    return std::nullopt;
  }
  if (isTensor) {
    RankedTensorType tensor = boxer.tensorType(element);
    if (!tensor && element->isMixed)
      return std::nullopt;
    if (!tensor)
      return w.newList({}, type);
    type = tensor;
  }
  Value together = rt::BoxTogetherOp::create(ctx.b, ctx.loc, boxer.boxOf(list), TypeAttr::get(type),
                                             IntegerAttr());
  Value all = rt::BoxUnpackOp::create(ctx.b, ctx.loc, listOfType(TypeAttr::get(type)), together);
  return runTimeListOf(w, all, TypeAttr::get(type), w.cell(list.getCell()).type);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// The structure of what a form says; null if it cannot be said.
static Attribute describeForm(Builder &b, Form *form) {
  form = rootOf(form);
  SmallVector<Attribute> parts;
  for (Form *part : form->parts) {
    Attribute structure = describeForm(b, part);
    if (!structure)
      return {};
    parts.push_back(structure);
  }
  auto wrap = [&](StringRef name, ArrayRef<Attribute> elements) -> Attribute {
    return b.getDictionaryAttr(b.getNamedAttr(name, b.getArrayAttr(elements)));
  };
  if (isa<tl::TensorType>(form->type)) {
    if (form->isMixed)
      return {};
    return form->tensor ? Attribute(TypeAttr::get(form->tensor))
                        : Attribute(NoneAttr::get(b.getContext()));
  }
  if (isa<ListType>(form->type))
    return wrap("items", parts);
  if (isa<DictType>(form->type))
    return wrap("entries", b.getArrayAttr(parts));
  if (isa<tl::TupleType>(form->type))
    return wrap("tuple", parts);
  if (isa<OptionalType>(form->type))
    return wrap("optional", parts);
  return TypeAttr::get(form->type);
}

Attribute specialize::describeBox(Walker &w, const SpecValue &value, const std::string &path,
                                  SmallVectorImpl<std::pair<std::string, Value>> &leaves) {
  Location loc = w.function.getLoc();
  Value box;
  Attribute structure;
  if (value.is(ValueKind::Text)) {
    box = value.getBox();
    structure = TypeAttr::get(StringType::get(w.b.getContext()));
  } else if (value.is(ValueKind::Optional)) {
    auto [made, form] = Boxer(w, loc).optionalBox(value);
    box = made;
    structure = made ? describeForm(w.b, form) : Attribute();
  } else {
    const Cell &cell = w.cell(value.getCell());
    box = cell.box;
    structure = describeForm(w.b, cell.form);
  }
  if (structure)
    leaves.push_back({path, rt::BoxAddressOp::create(w.b, loc, box)});
  return structure;
}
