//===- Join.cpp - What two states make together ---------------------------===//
#include "Join.h"
#include "Boxes.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// Whether two lists of sizes or offsets are computed alike.
static bool sameNumbers(ArrayRef<OpFoldResult> a, ArrayRef<OpFoldResult> b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip_equal(a, b), [](auto pair) {
           auto [x, y] = pair;
           auto xv = dyn_cast<Value>(x), yv = dyn_cast<Value>(y);
           return x == y || (xv && yv && sameComputation(xv, yv));
         });
}

static bool sameStep(const ViewStep &a, const ViewStep &b, bool ifContiguous) {
  return a.kind == b.kind && a.kind != ViewStep::Kind::Custom && sameNumbers(a.sizes, b.sizes) &&
         sameNumbers(a.offsets, b.offsets) && sameNumbers(a.steps, b.steps) &&
         a.permutation == b.permutation && a.ifContiguous == b.ifContiguous &&
         (ifContiguous || a.decision == b.decision);
}

bool specialize::sameView(const TensorRef &a, const TensorRef &b, bool ifContiguous) {
  if (a.storage != b.storage || a.type != b.type || a.contiguous != b.contiguous ||
      a.given != b.given)
    return false;
  static const ViewChain none;
  const ViewChain &x = a.chain ? *a.chain : none, &y = b.chain ? *b.chain : none;
  return &x == &y || (x.size() == y.size() && llvm::all_of(llvm::zip_equal(x, y), [&](auto pair) {
                        return sameStep(std::get<0>(pair), std::get<1>(pair), ifContiguous);
                      }));
}

Places Join::placesOf(const TensorRef *x, const TensorRef *y) const {
  return unite(x ? left.heap.places(x->storage) : Places(),
               y ? right.heap.places(y->storage) : Places());
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

std::optional<std::vector<SpecValue>> Join::joinAll(ArrayRef<SpecValue> a, ArrayRef<SpecValue> b) {
  std::vector<SpecValue> joined;
  for (auto [x, y] : llvm::zip_equal(a, b)) {
    std::optional<SpecValue> value = join(x, y);
    if (!value)
      return std::nullopt;
    joined.push_back(*value);
  }
  return joined;
}

std::optional<SpecValue> Join::join(const SpecValue &a, const SpecValue &b) {
  if (a.is(ValueKind::Unknown) || b.is(ValueKind::Unknown))
    return SpecValue::unknown();
  bool onlyOne = a.is(ValueKind::Uninitialized) || b.is(ValueKind::Uninitialized);
  const SpecValue &one = a.is(ValueKind::Uninitialized) ? b : a;
  bool isOptional = a.is(ValueKind::Optional) || b.is(ValueKind::Optional);
  auto isText = [](const SpecValue &v) {
    return v.is(ValueKind::Text) || v.is(ValueKind::String) || v.is(ValueKind::Uninitialized);
  };
  if ((a.is(ValueKind::Text) || b.is(ValueKind::Text)) && isText(a) && isText(b))
    return joinTexts(a, b);
  if (isOptional || (!onlyOne && a.isNone() != b.isNone() && makesOptionals()))
    return joinOptional(a, b);
  if (!onlyOne && a.kind() != b.kind())
    return fail(differ(a.kindName(), b.kindName()));

  switch (one.kind()) {
  case ValueKind::Unknown:
  case ValueKind::Uninitialized:
  case ValueKind::None:
  case ValueKind::Optional:
  case ValueKind::Text:
    return one;
  case ValueKind::Int:
  case ValueKind::Float:
  case ValueKind::Bool:
    return joinNumber(a, b);
  case ValueKind::Device:
  case ValueKind::Enum:
  case ValueKind::Function:
    if (!onlyOne && a.getConstant() != b.getConstant())
      return fail(differ("one constant", "another"));
    return one;
  case ValueKind::String:
  case ValueKind::Tuple:
  case ValueKind::Pieces:
    return joinParts(a, b);
  case ValueKind::Tensor:
    return joinTensor(a, b);
  case ValueKind::List:
  case ValueKind::Dict:
    return joinContainer(a, b);
  case ValueKind::Object:
    if ((onlyOne || a.getCell() == b.getCell()) && isCommon(one.getCell()))
      return one;
    return fail(differ("one object", "another"));
  }
  llvm_unreachable("all kinds covered");
}

std::optional<SpecValue> Join::joinNumber(const SpecValue &a, const SpecValue &b) {
  bool onLeft = !a.is(ValueKind::Uninitialized), onRight = !b.is(ValueKind::Uninitialized);
  const SpecValue &one = onLeft ? a : b;
  if (one.isConstant() && (!onLeft || !onRight || (b.isConstant() && a.same(b))))
    return one;
  if (std::optional<bool> x = a.getBool(), y = b.getBool(); x && y)
    if (std::optional<SpecValue> flag = mergeFlags(*x, *y))
      return flag;
  std::optional<Value> value =
      merge(onLeft ? w.scalarValue(a) : Value(), onRight ? w.scalarValue(b) : Value());
  if (!value)
    return std::nullopt;
  return *value ? SpecValue::scalar(*value) : one;
}

/// None, or a value of one structure: whether it is there, and the value, one by one.
std::optional<SpecValue> Join::joinOptional(const SpecValue &a, const SpecValue &b) {
  MLIRContext *context = w.b.getContext();
  auto presence = [&](const SpecValue &side) {
    if (side.is(ValueKind::Optional))
      return SpecValue::scalar(side.getPresent());
    return side.is(ValueKind::Uninitialized) ? side : SpecValue::boolean(context, !side.isNone());
  };
  auto payload = [](const SpecValue &side) {
    if (side.is(ValueKind::Optional))
      return side.getPayload();
    return side.isNone() ? SpecValue::uninitialized() : side;
  };
  std::optional<SpecValue> joined = join(payload(a), payload(b));
  if (!joined)
    return std::nullopt;
  std::optional<SpecValue> present = join(presence(a), presence(b));
  if (!present)
    return std::nullopt;
  if (std::optional<bool> known = present->getBool())
    return *known ? *joined : SpecValue::none();
  w.hasOptionals = true;
  return SpecValue::optional(present->getScalar(), *joined);
}

/// Strings that are known only at run time.
std::optional<SpecValue> Join::joinTexts(const SpecValue &a, const SpecValue &b) {
  // A text is put together where it is made, not here.
  auto box = [&](const SpecValue &side) {
    return side.is(ValueKind::String) && !side.getElements().empty() ? Value() : w.textBox(side);
  };
  Value x = a.is(ValueKind::Uninitialized) ? Value() : box(a);
  Value y = b.is(ValueKind::Uninitialized) ? Value() : box(b);
  if ((!x && !a.is(ValueKind::Uninitialized)) || (!y && !b.is(ValueKind::Uninitialized)))
    return fail(differ("one str", "another"));
  std::optional<Value> value = merge(x, y);
  if (!value)
    return std::nullopt;
  return *value ? SpecValue::text(*value) : a;
}

/// Tuples, pieces, and strings with their holes.
std::optional<SpecValue> Join::joinParts(const SpecValue &a, const SpecValue &b) {
  bool onLeft = !a.is(ValueKind::Uninitialized), onRight = !b.is(ValueKind::Uninitialized);
  const SpecValue &one = onLeft ? a : b;
  if (onLeft && onRight) {
    if (a.getConstant() != b.getConstant() && one.is(ValueKind::String)) {
      if (w.boxes.sites.contains(joinedBy()))
        return joinTexts(a, b);
      w.boxes.newSites.insert(joinedBy());
    }
    if (a.getConstant() != b.getConstant())
      return fail(differ("one " + one.kindName(), "another"));
    if (a.getElements().size() != b.getElements().size())
      return fail(differ("a " + one.kindName() + " of length " + Twine(a.getElements().size()),
                         "one of length " + Twine(b.getElements().size())));
  } else if (one.isConstant()) {
    return one;
  }
  std::vector<SpecValue> missing(one.getElements().size());
  auto parts = joinAll(onLeft ? a.getElements() : ArrayRef<SpecValue>(missing),
                       onRight ? b.getElements() : ArrayRef<SpecValue>(missing));
  if (!parts)
    return std::nullopt;
  return one.withElements(std::move(*parts));
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// A name that this join made before stands for one tensor more.
std::optional<SpecValue> Join::takeIn(const SpecValue &own, const SpecValue &tensor) {
  if (!tensor.isTensor())
    return own;
  TensorRef ref = own.getTensor();
  const TensorRef &other = tensor.getTensor();
  std::optional<Value> value = merge(left.heap.lookup(ref.storage)->value, read(right, tensor));
  if (!value)
    return std::nullopt;
  Cell cell = *left.heap.lookup(ref.storage);
  cell.value = *value;
  cell.places = unite(cell.places, right.heap.places(other.storage));
  if (!takeInIdentity(cell, ref, other))
    return std::nullopt;
  out.heap.set(ref.storage, std::move(cell));
  bool layoutDiffers = ref.contiguous != other.contiguous || ref.strides != other.strides;
  if (layoutDiffers && (ref.contiguous != Known::Maybe || ref.strides)) {
    ref.contiguous = Known::Maybe;
    ref.strides.reset();
    noteChange();
  }
  return SpecValue::tensor(ref);
}

std::optional<SpecValue> Join::joinTensor(const SpecValue &a, const SpecValue &b) {
  const TensorRef *x = a.isTensor() ? &a.getTensor() : nullptr;
  const TensorRef *y = b.isTensor() ? &b.getTensor() : nullptr;
  const SpecValue &one = x ? a : b;
  const TensorRef &ref = one.getTensor();
  if (x && isOwn(x->storage))
    return takeIn(a, b);
  if ((!x || !y || sameView(*x, *y, /*ifContiguous=*/true)) && isCommon(ref.storage) &&
      isVisible(ref)) {
    w.reliesOnContiguity |= x && y && !sameView(*x, *y);
    return one;
  }
  if (x && y &&
      (x->type.getElementType() != y->type.getElementType() ||
       x->type.getRank() != y->type.getRank())) {
    std::string first, second;
    llvm::raw_string_ostream(first) << x->type;
    llvm::raw_string_ostream(second) << y->type;
    return fail(differ(first, second));
  }
  // The same object on both sides stays one object.
  if (std::optional<SpecValue> joined = known(a, b))
    return joined;
  std::optional<Value> value = merge(x ? read(left, a) : Value(), y ? read(right, b) : Value());
  if (!value)
    return std::nullopt;
  Cell cell;
  cell.isPart = isPart(left, x) || isPart(right, y);
  std::optional<Value> identity = cell.isPart ? Value() : joinIdentities(x, y);
  if (!identity)
    return std::nullopt;
  if (!*value)
    return one;
  cell.kind = Cell::Kind::Storage;
  cell.value = *value;
  cell.identity = *identity;
  cell.places = placesOf(x, y);
  std::optional<CellId> id = addCell(std::move(cell));
  if (!id)
    return one;
  Known contiguous = x && y && x->contiguous != y->contiguous ? Known::Maybe : ref.contiguous;
  TensorRef made{*id, nullptr, cast<RankedTensorType>(value->getType()), contiguous,
                 (x && x->given) || (y && y->given)};
  if (!x || !y || (x->strides == y->strides && x->type == y->type))
    made.strides = ref.strides;
  else if (x->strides || y->strides)
    made.contiguous =
        x->contiguous == Known::Yes && y->contiguous == Known::Yes ? Known::Yes : Known::Maybe;
  SpecValue joined = SpecValue::tensor(std::move(made));
  remember(a, b, joined);
  return joined;
}

//===----------------------------------------------------------------------===//
// Lists, dicts, cells
//===----------------------------------------------------------------------===//

std::optional<std::vector<SpecValue>> Join::joinElements(const Cell *x, const Cell *y) {
  const Cell &one = x ? *x : *y;
  if (x && y) {
    StringRef what = one.kind == Cell::Kind::List ? "a list" : "a dict";
    if (x->elements.size() != y->elements.size()) {
      unsigned width = one.kind == Cell::Kind::List ? 1 : 2;
      return fail(differ(what + " of length " + Twine(x->elements.size() / width),
                         "one of length " + Twine(y->elements.size() / width)));
    }
    if (one.kind == Cell::Kind::Dict)
      for (size_t i = 0; i < x->elements.size(); i += 2)
        if (!x->elements[i].same(y->elements[i]))
          return fail(differ("a dict with some keys", "with others"));
  }
  std::vector<SpecValue> missing(one.elements.size());
  return joinAll(x ? x->elements : missing, y ? y->elements : missing);
}

bool Join::joinRunTimeLists(const Cell *x, const Cell *y, Cell &cell) {
  const Cell &one = x ? *x : *y, &other = y ? *y : *x;
  if (!one.count || !other.count || one.elementStorage != other.elementStorage)
    return (void)fail(differ("a list of known length", "one of a length known only at run time")),
           false;
  const Cell &filled = one.elements.empty() ? other : one;
  if (!one.elements.empty() && !other.elements.empty()) {
    const SpecValue &a = one.elements.front(), &b = other.elements.front();
    if (a.kind() != b.kind() ||
        (a.isTensor() &&
         (a.getTensor().type.getRank() != b.getTensor().type.getRank() ||
          a.getTensor().type.getElementType() != b.getTensor().type.getElementType())))
      return (void)fail(differ("a list of some elements", "one of others")), false;
  }
  std::optional<Value> count = merge(x ? x->count : Value(), y ? y->count : Value());
  if (!count)
    return false;
  cell.elements = filled.elements;
  cell.count = *count;
  if (!filled.value)
    return true;
  std::optional<Value> buffer = merge(x ? x->value : Value(), y ? y->value : Value());
  cell.value = buffer.value_or(Value());
  return buffer.has_value();
}

/// Two containers that cannot be joined would have to be boxes. False.
static bool suggestBoxes(Walker &w, const Cell *x, const Cell *y) {
  if (x)
    suggestBox(w, *x);
  if (y)
    suggestBox(w, *y);
  return false;
}

bool Join::joinBoxes(const Cell *x, const Cell *y, Cell &cell) {
  if (x && y && (!x->box || !y->box)) {
    suggestBox(w, *x);
    suggestBox(w, *y);
    return (void)fail(differ("a container", "one whose structure is known only at run time")),
           false;
  }
  std::optional<Value> box = merge(x ? x->box : Value(), y ? y->box : Value());
  if (!box)
    return false;
  cell = x ? *x : *y;
  if (*box)
    cell.box = *box;
  cell.form = joinForms(w, x ? x->form : nullptr, y ? y->form : nullptr);
  return true;
}

bool Join::joinElementsInto(Cell &cell, const Cell *x, const Cell *y) {
  if ((x && x->box) || (y && y->box))
    return joinBoxes(x, y, cell);
  if ((x && x->count) || (y && y->count))
    return joinRunTimeLists(x, y, cell) || suggestBoxes(w, x, y);
  auto elements = joinElements(x, y);
  if (elements)
    cell.elements = std::move(*elements);
  return elements.has_value() || suggestBoxes(w, x, y);
}

/// A name that this join made before stands for one list or dict more.
std::optional<SpecValue> Join::takeInElements(const SpecValue &own, const SpecValue &container) {
  if (container.kind() != own.kind())
    return own;
  CellRef before = left.heap.lookup(own.getCell()), after = right.heap.lookup(container.getCell());
  Cell cell = *before;
  if (!joinElementsInto(cell, before.get(), after.get()))
    return std::nullopt;
  out.heap.set(own.getCell(), std::move(cell));
  out.heap.addPlaces(own.getCell(), right.heap.places(container.getCell()));
  return own;
}

std::optional<SpecValue> Join::joinContainer(const SpecValue &a, const SpecValue &b) {
  bool onLeft = !a.is(ValueKind::Uninitialized), onRight = !b.is(ValueKind::Uninitialized);
  const SpecValue &one = onLeft ? a : b;
  if (onLeft && isOwn(a.getCell()))
    return takeInElements(a, b);
  if ((!onLeft || !onRight || a.getCell() == b.getCell()) && isCommon(one.getCell()))
    return one; // its content is joined with the heap
  CellRef x = onLeft ? inState(left, [&] { return w.cellRef(a.getCell()); }) : nullptr;
  CellRef y = onRight ? inState(right, [&] { return w.cellRef(b.getCell()); }) : nullptr;
  if (std::optional<SpecValue> joined = known(a, b))
    return joined;
  Cell cell = x ? *x : *y;
  if (!joinElementsInto(cell, x.get(), y.get())) {
    for (const SpecValue &side : {a, b})
      if (!side.is(ValueKind::Uninitialized))
        w.touchedLists.insert(side.getCell());
    return std::nullopt;
  }
  cell.places = unite(x ? left.heap.places(a.getCell()) : Places(),
                      y ? right.heap.places(b.getCell()) : Places());
  std::optional<CellId> id = addCell(std::move(cell));
  if (!id)
    return one;
  SpecValue joined = SpecValue::cell(one.kind(), *id);
  remember(a, b, joined);
  return joined;
}

bool Join::joinContents(CellId id, Cell &cell, const Cell &other) {
  cell.places = unite(cell.places, other.places);
  switch (cell.kind) {
  case Cell::Kind::Storage: {
    if (!cell.value && !other.value)
      return true; // an archive's tensor that neither side wrote
    Value x = inState(left, [&] { return w.storageValue(id); });
    Value y = inState(right, [&] { return w.storageValue(id); });
    std::optional<Value> value = merge(x, y);
    if (value && *value)
      cell.value = *value;
    return value.has_value();
  }
  case Cell::Kind::List:
  case Cell::Kind::Dict: {
    Cell before = cell;
    return joinElementsInto(cell, &before, &other);
  }
  case Cell::Kind::Object: {
    // What only one side has set is not set behind the join.
    std::map<std::string, SpecValue> before = std::move(cell.attributes);
    cell.attributes.clear();
    for (auto &[name, value] : before) {
      auto after = other.attributes.find(name);
      if (after == other.attributes.end())
        continue;
      std::optional<SpecValue> joined = join(value, after->second);
      if (!joined)
        return false;
      cell.attributes[name] = *joined;
    }
    return true;
  }
  }
  llvm_unreachable("all kinds covered");
}
