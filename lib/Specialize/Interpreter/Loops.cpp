//===- Loops.cpp - tl.loop ------------------------------------------------===//
//
// A loop is walked to a fixpoint: the first walk of the body takes everything as it is at the
// entry; what is different at the end of the body becomes a value that the loop carries, and the
// body is walked again. A static size that changes becomes dynamic. If a change is one of structure
// (a list that grows, a type that changes, an index into a list that must be known), the loop is
// unrolled, provided that its trip count is known.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// More trips than this are not unrolled.
static constexpr int64_t maxUnroll = 2048;

namespace {

class LoopAttempt {
public:
  LoopAttempt(Walker &walker, LoopOp written, SmallVector<SpecValue> initial, SpecValue trip,
              SpecValue condition)
      : w(walker), written(written), carried(std::move(initial)), trip(std::move(trip)),
        condition(std::move(condition)), whereLost(walker.locOf(written)) {}

  /// The leaf behind the loop, or null with `why` set: structure would be lost.
  OutcomePtr run();
  const std::string &getReason() const { return why; }
  Location getPlace() const { return whereLost; }
  /// The list or dict whose structure changes, if that was it.
  std::optional<CellId> getChangedCell() const { return changedCell; }

private:
  /// One value that the loop carries.
  struct Carried {
    Value argument, initial, next;
    /// Dimensions whose size differs from trip to trip.
    SmallVector<bool> varies;
  };

  bool fail(const Twine &reason) {
    if (why.empty()) {
      why = reason.str();
      whereLost = w.locOf(written);
    }
    return false;
  }
  std::optional<SpecValue> join(const SpecValue &head, const SpecValue &end);
  std::optional<Value> merge(Value head, Value end);
  bool joinCell(CellId id);
  bool joinAll(ArrayRef<SpecValue> head, ArrayRef<SpecValue> end, std::vector<SpecValue> &joined);
  Value readAtEntry(const SpecValue &tensor);
  SpecValue substitute(const SpecValue &value);
  Value substitute(Value value) {
    for (auto [index, c] : llvm::enumerate(values))
      if (c.argument == value)
        return loop.getResult(index);
    return value;
  }
  Carried *find(Value argument) {
    for (Carried &c : values)
      if (c.argument == argument)
        return &c;
    return nullptr;
  }
  void setSizes(Carried &c);

  Walker &w;
  LoopOp written;
  SmallVector<SpecValue> carried;
  SpecValue trip, condition;
  std::string why;
  Location whereLost;
  std::optional<CellId> changedCell;

  LoopOp loop;
  Block *body = nullptr;
  /// The state at the entry; at the head of the body; at its end.
  State entry, head, end;
  CellId watermark = 0;
  SmallVector<Carried> values;
  /// Storages and lists that stand for a tensor or list that is carried by name.
  llvm::DenseMap<CellId, Value> tensorCells;
  llvm::DenseSet<CellId> listCells;
  llvm::DenseSet<CellId> joinedCells;
  /// Storages that may share memory.
  SmallVector<std::pair<CellId, CellId>> partners;
  llvm::MapVector<Value, Type> newTypes;
  bool changed = false;
};

} // namespace

Value LoopAttempt::readAtEntry(const SpecValue &tensor) {
  OpBuilder::InsertionGuard guard(w.b);
  w.b.setInsertionPoint(loop);
  std::swap(w.state, entry);
  Value value = w.readTensor(tensor);
  std::swap(w.state, entry);
  return value;
}

std::optional<Value> LoopAttempt::merge(Value headValue, Value endValue) {
  if (Carried *c = find(headValue)) {
    if (c->next && c->next != endValue)
      return (void)fail("one value is carried under two names"), std::nullopt;
    c->next = endValue;
    auto type = dyn_cast<RankedTensorType>(headValue.getType());
    if (!type)
      return headValue;
    auto other = cast<RankedTensorType>(endValue.getType());
    if (type.getRank() != other.getRank() || type.getElementType() != other.getElementType()) {
      std::string text;
      llvm::raw_string_ostream(text) << "a value is of type " << type
                                     << " before a trip of the loop and " << other << " after it";
      return (void)fail(text), std::nullopt;
    }
    SmallVector<int64_t> shape(type.getShape());
    for (int64_t dim : llvm::seq<int64_t>(0, type.getRank())) {
      if (c->varies[dim])
        continue;
      std::swap(w.state, end);
      OpFoldResult before = w.sizeOf(headValue, dim), after = w.sizeOf(endValue, dim);
      bool equal = w.equalSizes(before, after) == Known::Yes;
      std::swap(w.state, end);
      if (!equal) {
        c->varies[dim] = true;
        shape[dim] = ShapedType::kDynamic;
        changed = true;
      }
    }
    newTypes[headValue] = RankedTensorType::get(shape, type.getElementType());
    return headValue;
  }
  if (headValue == endValue)
    return headValue;
  // A value that is not carried yet.
  Type type = headValue ? headValue.getType() : endValue.getType();
  if (headValue && headValue.getType() != endValue.getType()) {
    auto x = dyn_cast<RankedTensorType>(headValue.getType());
    auto y = dyn_cast<RankedTensorType>(endValue.getType());
    if (!x || !y || x.getRank() != y.getRank() || x.getElementType() != y.getElementType()) {
      std::string text;
      llvm::raw_string_ostream(text)
          << "a value is of type " << headValue.getType() << " before the loop and "
          << endValue.getType() << " after a trip";
      return (void)fail(text), std::nullopt;
    }
  }
  Carried c;
  c.initial = headValue;
  c.argument = body->addArgument(type, w.locOf(written));
  if (auto tensorType = dyn_cast<RankedTensorType>(type))
    c.varies.assign(tensorType.getRank(), false);
  values.push_back(c);
  changed = true;
  return c.argument;
}

bool LoopAttempt::joinAll(ArrayRef<SpecValue> headValues, ArrayRef<SpecValue> endValues,
                          std::vector<SpecValue> &joined) {
  for (auto [x, y] : llvm::zip_equal(headValues, endValues)) {
    std::optional<SpecValue> value = join(x, y);
    if (!value)
      return false;
    joined.push_back(*value);
  }
  return true;
}

std::optional<SpecValue> LoopAttempt::join(const SpecValue &x, const SpecValue &y) {
  if (x.is(ValueKind::Unknown) || y.is(ValueKind::Unknown))
    return SpecValue::unknown();
  if (y.is(ValueKind::Uninitialized))
    return x;
  if (x.is(ValueKind::Uninitialized)) {
    // Set in the loop, not read before: a scalar or tensor of that type.
    if (y.isNumber()) {
      std::optional<Value> value = merge(Value(), w.scalarValue(y));
      return value ? std::optional(SpecValue::scalar(*value)) : std::nullopt;
    }
    if (y.isTensor()) {
      std::swap(w.state, end);
      Value endValue = w.readTensor(y);
      std::swap(w.state, end);
      std::optional<Value> value = merge(Value(), endValue);
      if (!value)
        return std::nullopt;
      Cell cell;
      cell.kind = Cell::Kind::Storage;
      cell.value = *value;
      CellId id = w.nextCell++;
      head.heap.resize(std::max<size_t>(head.heap.size(), id + 1));
      head.heap[id] = std::make_shared<const Cell>(std::move(cell));
      tensorCells[id] = *value;
      return SpecValue::tensor(
          {id, nullptr, cast<RankedTensorType>(value->getType()), Known::Maybe});
    }
    if (y.is(ValueKind::None) || y.isConstant())
      return y;
    fail("a value is not initialized before the loop");
    return std::nullopt;
  }
  if (x.kind() != y.kind()) {
    fail("a value is " + x.kindName() + " before a trip of the loop and " + y.kindName() +
         " after it");
    return std::nullopt;
  }
  switch (x.kind()) {
  case ValueKind::Int:
  case ValueKind::Float:
  case ValueKind::Bool: {
    if (x.isConstant() && y.isConstant() && x.same(y))
      return x;
    std::optional<Value> value = merge(w.scalarValue(x), w.scalarValue(y));
    return value ? std::optional(SpecValue::scalar(*value)) : std::nullopt;
  }
  case ValueKind::Tensor: {
    auto carriedCell = tensorCells.find(x.getTensor().storage);
    if (carriedCell == tensorCells.end() && x.same(y))
      return x;
    std::swap(w.state, end);
    Value endValue = w.readTensor(y);
    std::swap(w.state, end);
    // A name that stands for another tensor from trip to trip.
    if (carriedCell != tensorCells.end()) {
      std::optional<Value> value = merge(carriedCell->second, endValue);
      if (!value)
        return std::nullopt;
      if (y.getTensor().storage != x.getTensor().storage)
        partners.push_back({x.getTensor().storage, y.getTensor().storage});
      TensorRef ref = x.getTensor();
      if (ref.contiguous != y.getTensor().contiguous && ref.contiguous != Known::Maybe) {
        ref.contiguous = Known::Maybe;
        changed = true;
      }
      return SpecValue::tensor(ref);
    }
    if (x.getTensor().type.getRank() != y.getTensor().type.getRank() ||
        x.getTensor().type.getElementType() != y.getTensor().type.getElementType()) {
      std::string text;
      llvm::raw_string_ostream(text)
          << "a tensor is " << x.getTensor().type << " before the loop and " << y.getTensor().type
          << " after a trip";
      fail(text);
      return std::nullopt;
    }
    Value initial = readAtEntry(x);
    Carried c;
    c.initial = initial;
    c.argument = body->addArgument(initial.getType(), w.locOf(written));
    c.varies.assign(x.getTensor().type.getRank(), false);
    values.push_back(c);
    changed = true;
    Cell cell;
    cell.kind = Cell::Kind::Storage;
    cell.value = c.argument;
    CellId id = w.nextCell++;
    head.heap.resize(std::max<size_t>(head.heap.size(), id + 1));
    head.heap[id] = std::make_shared<const Cell>(std::move(cell));
    tensorCells[id] = c.argument;
    partners.push_back({id, x.getTensor().storage});
    return SpecValue::tensor({id, nullptr, x.getTensor().type,
                              x.getTensor().contiguous == y.getTensor().contiguous
                                  ? x.getTensor().contiguous
                                  : Known::Maybe});
  }
  case ValueKind::String:
  case ValueKind::Tuple: {
    if (x.getConstant() != y.getConstant() || x.getElements().size() != y.getElements().size()) {
      fail("a tuple or string changes in the loop");
      return std::nullopt;
    }
    std::vector<SpecValue> elements;
    if (!joinAll(x.getElements(), y.getElements(), elements))
      return std::nullopt;
    if (x.is(ValueKind::Tuple))
      return SpecValue::tuple(std::move(elements));
    return SpecValue::formatted(w.b.getContext(), cast<StringAttr>(x.getConstant()).getValue(),
                                elements);
  }
  case ValueKind::List: {
    if (x.getCell() == y.getCell() && !listCells.contains(x.getCell()))
      return x;
    // A name that stands for another list from trip to trip.
    Cell cell = *head.heap[x.getCell()];
    const Cell &other = *end.heap[y.getCell()];
    if (cell.elements.size() != other.elements.size()) {
      fail("a list has " + Twine(cell.elements.size()) +
           " elements before a trip of the loop and " + Twine(other.elements.size()) + " after it");
      return std::nullopt;
    }
    std::vector<SpecValue> elements;
    if (!joinAll(cell.elements, other.elements, elements))
      return std::nullopt;
    cell.elements = std::move(elements);
    CellId id = x.getCell();
    if (!listCells.contains(id)) {
      id = w.nextCell++;
      head.heap.resize(std::max<size_t>(head.heap.size(), id + 1));
      listCells.insert(id);
      cell.frozen = true;
      changed = true;
    }
    head.heap[id] = std::make_shared<const Cell>(std::move(cell));
    return SpecValue::cell(ValueKind::List, id);
  }
  default:
    if (x.same(y))
      return x;
    fail("a value of kind " + x.kindName() + " changes in the loop");
    return std::nullopt;
  }
}

bool LoopAttempt::joinCell(CellId id) {
  CellRef a = head.heap[id], b = id < end.heap.size() ? end.heap[id] : nullptr;
  if (!a || !b || tensorCells.count(id) || listCells.contains(id))
    return true;
  if (a == b && !joinedCells.contains(id))
    return true;
  joinedCells.insert(id);
  Cell cell = *a;
  bool fine = true;
  switch (a->kind) {
  case Cell::Kind::Storage: {
    if (!a->value && !b->value)
      break;
    std::swap(w.state, head);
    Value before = w.storageValue(id);
    std::swap(w.state, head);
    std::optional<Value> value = merge(before, b->value);
    fine = value.has_value();
    if (fine)
      cell.value = *value;
    break;
  }
  case Cell::Kind::List:
  case Cell::Kind::Dict:
    if (a->elements.size() != b->elements.size()) {
      fine = fail("a list or dict has " + Twine(a->elements.size()) +
                  " elements before a trip of the loop and " + Twine(b->elements.size()) +
                  " after it");
      break;
    }
    cell.elements.clear();
    fine = joinAll(a->elements, b->elements, cell.elements);
    break;
  case Cell::Kind::Object:
    for (auto &[name, value] : b->attributes) {
      auto before = cell.attributes.find(name);
      if (before == cell.attributes.end())
        continue;
      std::optional<SpecValue> joined = join(before->second, value);
      if (!joined) {
        fine = false;
        break;
      }
      before->second = *joined;
    }
    break;
  }
  if (!fine) {
    std::swap(w.state, end);
    bool live = a->kind == Cell::Kind::Object || w.isLive(id);
    std::swap(w.state, end);
    if (live) {
      changedCell = id;
      return false;
    }
    why.clear();
    return true;
  }
  head.heap[id] = std::make_shared<const Cell>(std::move(cell));
  return true;
}

void LoopAttempt::setSizes(Carried &c) {
  auto type = dyn_cast<RankedTensorType>(c.argument.getType());
  if (!type || type.hasStaticShape())
    return;
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim : llvm::seq<int64_t>(0, type.getRank())) {
    if (!type.isDynamicDim(dim))
      sizes.push_back(w.b.getIndexAttr(type.getDimSize(dim)));
    else if (c.varies[dim] || !c.initial)
      sizes.push_back(w.dimOf(c.argument, dim));
    else
      sizes.push_back(w.sizeOf(c.initial, dim));
  }
  w.state.sizes[c.argument] = sizes;
}

SpecValue LoopAttempt::substitute(const SpecValue &value) {
  if (value.getScalar())
    return SpecValue::scalar(substitute(value.getScalar()));
  if (value.getElements().empty())
    return value;
  std::vector<SpecValue> elements;
  for (const SpecValue &element : value.getElements())
    elements.push_back(substitute(element));
  if (value.is(ValueKind::Tuple))
    return SpecValue::tuple(std::move(elements));
  return SpecValue::formatted(w.b.getContext(), cast<StringAttr>(value.getConstant()).getValue(),
                              elements);
}

OutcomePtr LoopAttempt::run() {
  Location loc = w.locOf(written);
  entry = w.state;
  head = entry;
  watermark = w.nextCell;
  Value tripValue = w.scalarValue(trip), conditionValue = w.scalarValue(condition);
  Block *parent = w.b.getInsertionBlock();
  loop = LoopOp::create(w.b, loc, TypeRange(), tripValue, conditionValue, ValueRange());
  body = &loop.getBody().emplaceBlock();
  body->addArgument(w.b.getI64Type(), loc);
  Block &writtenBody = written.getBody().front();
  SmallVector<SpecValue> headValues = carried;
  SpecValue next;

  size_t knownProblems = w.problems.size();
  auto abandon = [&]() -> OutcomePtr {
    loop->erase();
    w.state = std::move(entry);
    w.b.setInsertionPointToEnd(parent);
    w.current = written;
    return nullptr;
  };
  for (int round = 0;; ++round) {
    if (round > 32) {
      fail("the loop's values do not settle");
      return abandon();
    }
    body->clear();
    w.problems.resize(knownProblems, Problem{loc, "", ""});
    changed = false;
    partners.clear();
    newTypes.clear();
    for (Carried &c : values)
      c.next = {};
    w.state = head;
    w.b.setInsertionPointToEnd(body);
    for (Carried &c : values)
      setSizes(c);
    w.bind(writtenBody.getArgument(0), SpecValue::scalar(body->getArgument(0)));
    for (auto [argument, value] :
         llvm::zip_equal(writtenBody.getArguments().drop_front(), headValues))
      w.bind(argument, value);
    ++w.undecided;
    ++w.loopAttempts;
    std::optional<std::string> outerLost = std::exchange(w.structureLost, std::nullopt);
    OutcomePtr outcome = w.walkFrom(writtenBody, writtenBody.begin());
    std::optional<std::string> lost = std::exchange(w.structureLost, outerLost);
    --w.loopAttempts;
    --w.undecided;
    // The end of the body, from which everything before the loop may be used again.
    w.current = writtenBody.getTerminator();
    if (lost) {
      why = *lost;
      whereLost = w.structureLostAt;
      return abandon();
    }
    if (outcome->kind == Outcome::Kind::Branch) {
      fail("a conditional in the loop gives different structures: " + outcome->whyOpen);
      return abandon();
    }
    if (outcome->kind == Outcome::Kind::Dead) {
      fail("every trip of the loop raises");
      return abandon();
    }
    end = std::move(outcome->state);
    next = outcome->yields.front();
    w.b.setInsertionPointToEnd(outcome->block);
    for (CellId id = 0, n = head.heap.size(); id < n; ++id)
      if (head.heap[id] && !joinCell(id))
        return abandon();
    for (auto [value, yielded] :
         llvm::zip_equal(headValues, ArrayRef<SpecValue>(outcome->yields).drop_front())) {
      std::optional<SpecValue> joined = join(value, yielded);
      if (!joined)
        return abandon();
      value = *joined;
    }
    // Two names of one tensor.
    for (size_t i = 0, n = partners.size(); i < n; ++i)
      for (size_t k = 0; k < i; ++k)
        if (partners[i].second == partners[k].second && partners[i].first != partners[k].first)
          partners.push_back({partners[i].first, partners[k].first});
    std::swap(w.state, head);
    for (auto [a, c] : partners)
      if (c < watermark || tensorCells.count(c))
        if (a < w.state.heap.size() && w.state.heap[a] && c < w.state.heap.size() &&
            w.state.heap[c] && !llvm::is_contained(w.cell(a).maybeAlias, c)) {
          w.markMaybeAlias(a, c);
          changed = true;
        }
    std::swap(w.state, head);
    if (!changed)
      break;
    for (auto &[argument, type] : newTypes)
      if (argument.getType() != type)
        argument.setType(type);
    // Types of tensors that are carried by name follow.
    auto refresh = [&](auto &self, const SpecValue &value) -> SpecValue {
      if (value.isTensor()) {
        TensorRef ref = value.getTensor();
        auto it = tensorCells.find(ref.storage);
        if (it != tensorCells.end() && !ref.chain)
          ref.type = cast<RankedTensorType>(it->second.getType());
        return SpecValue::tensor(ref);
      }
      if (value.is(ValueKind::Tuple)) {
        std::vector<SpecValue> elements;
        for (const SpecValue &element : value.getElements())
          elements.push_back(self(self, element));
        return SpecValue::tuple(std::move(elements));
      }
      return value;
    };
    for (SpecValue &value : headValues)
      value = refresh(refresh, value);
    for (CellRef &ref : head.heap) {
      if (!ref || ref->kind == Cell::Kind::Storage)
        continue;
      Cell cell = *ref;
      for (SpecValue &element : cell.elements)
        element = refresh(refresh, element);
      for (auto &entry : cell.attributes)
        entry.second = refresh(refresh, entry.second);
      ref = std::make_shared<const Cell>(std::move(cell));
    }
    head.views = entry.views;
    end = State();
  }

  // The loop for good, with its results.
  w.current = written;
  if (next.is(ValueKind::Unknown))
    next = SpecValue::boolean(w.b.getContext(), false);
  SmallVector<Value> nexts, initials;
  SmallVector<Type> types;
  {
    std::swap(w.state, end);
    for (Carried &c : values) {
      Type type = c.argument.getType();
      types.push_back(type);
      Value value = c.next ? c.next : c.argument;
      if (value.getType() != type)
        value = tensor::CastOp::create(w.b, loc, type, value);
      nexts.push_back(value);
    }
    ContinueOp::create(w.b, loc, w.scalarValue(next), nexts);
    std::swap(w.state, end);
  }
  w.b.setInsertionPoint(loop);
  for (Carried &c : values) {
    Type type = c.argument.getType();
    Value value = c.initial;
    if (!value) {
      if (auto tensorType = dyn_cast<RankedTensorType>(type)) {
        SmallVector<Value> sizes(tensorType.getNumDynamicDims(), w.constant(w.b.getIndexAttr(0)));
        value = tensor::EmptyOp::create(w.b, loc, tensorType, sizes);
      } else {
        value = w.constant(cast<TypedAttr>(w.b.getZeroAttr(type)));
      }
    }
    if (value.getType() != type)
      value = tensor::CastOp::create(w.b, loc, type, value);
    initials.push_back(value);
  }
  auto finished = LoopOp::create(w.b, loc, types, tripValue, conditionValue, initials);
  finished.getBody().takeBody(loop.getBody());
  loop->erase();
  loop = finished;

  // The state behind it: that of the head, with results for the arguments.
  w.state = std::move(head);
  w.state.env = entry.env;
  w.state.views = entry.views;
  w.state.sizes = entry.sizes;
  w.state.conditions = entry.conditions;
  w.state.equalities = entry.equalities;
  w.b.setInsertionPointToEnd(parent);
  for (CellRef &ref : w.state.heap) {
    if (!ref)
      continue;
    Cell cell = *ref;
    if (cell.value)
      cell.value = substitute(cell.value);
    for (SpecValue &element : cell.elements)
      element = substitute(element);
    for (auto &entry : cell.attributes)
      entry.second = substitute(entry.second);
    ref = std::make_shared<const Cell>(std::move(cell));
  }
  SmallVector<SpecValue> results;
  for (const SpecValue &value : headValues)
    results.push_back(substitute(value));
  for (auto [index, c] : llvm::enumerate(values)) {
    auto type = dyn_cast<RankedTensorType>(c.argument.getType());
    if (!type || type.hasStaticShape())
      continue;
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim : llvm::seq<int64_t>(0, type.getRank())) {
      if (!type.isDynamicDim(dim))
        sizes.push_back(w.b.getIndexAttr(type.getDimSize(dim)));
      else if (c.varies[dim] || !c.initial)
        sizes.push_back(w.dimOf(loop.getResult(index), dim));
      else
        sizes.push_back(w.sizeOf(c.initial, dim));
    }
    w.state.sizes[loop.getResult(index)] = sizes;
  }
  return w.makeLeaf(std::move(results));
}

OutcomePtr Walker::unroll(LoopOp op, int64_t trip, std::optional<int64_t> count,
                          SmallVector<SpecValue> carried, SpecValue condition) {
  Block &body = op.getBody().front();
  for (;; ++trip) {
    if (count && trip >= *count)
      return makeLeaf(std::move(carried));
    std::optional<bool> goesOn = condition.getBool();
    if (!goesOn) {
      if (!condition.is(ValueKind::Unknown))
        (void)error("the loop must be unrolled, but whether it goes on is known only at run time");
      return makeLeaf(SmallVector<SpecValue>(carried.size(), SpecValue::unknown()));
    }
    if (!*goesOn)
      return makeLeaf(std::move(carried));
    if (trip >= maxUnroll) {
      (void)error("the loop must be unrolled, but has more than " + Twine(maxUnroll) + " trips");
      return makeLeaf(SmallVector<SpecValue>(carried.size(), SpecValue::unknown()));
    }
    bind(body.getArgument(0), SpecValue::integer(b.getContext(), trip));
    for (auto [argument, value] : llvm::zip_equal(body.getArguments().drop_front(), carried))
      bind(argument, value);
    OutcomePtr outcome = walkFrom(body, body.begin());
    current = op;
    auto goOn = [&](Outcome &leaf) {
      SmallVector<SpecValue> yields = std::move(leaf.yields);
      enter(leaf);
      condition = yields.front();
      carried.assign(yields.begin() + 1, yields.end());
    };
    if (outcome->kind == Outcome::Kind::Dead)
      return outcome;
    if (outcome->kind == Outcome::Kind::Leaf) {
      goOn(*outcome);
      continue;
    }
    forEachLeaf(outcome, [&](OutcomePtr leaf) {
      goOn(*leaf);
      return unroll(op, trip + 1, count, carried, condition);
    });
    current = op;
    collapse(outcome);
    return outcome;
  }
}

/// Takes back what was built in a block behind an operation, constants excepted.
static void eraseBehind(Block *block, Operation *last) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block))) {
    if (&op == last)
      return;
    if (op.use_empty() && !isa<arith::ConstantOp>(op))
      op.erase();
  }
}

OutcomePtr Walker::walkLoop(LoopOp op) {
  SpecValue trip = get(op.getMaxTripCount()), condition = get(op.getInitialCondition());
  SmallVector<SpecValue> initial = get(op.getInitialValues());
  if (trip.is(ValueKind::Unknown) || condition.is(ValueKind::Unknown)) {
    // For the errors that are in it.
    State entry = state;
    Block &body = op.getBody().front();
    bind(body.getArguments(), SmallVector<SpecValue>());
    Block *block = b.getInsertionBlock();
    ++undecided;
    (void)walkFrom(body, body.begin());
    --undecided;
    state = std::move(entry);
    b.setInsertionPointToEnd(block);
    current = op;
    return makeLeaf(SmallVector<SpecValue>(op.getNumResults(), SpecValue::unknown()));
  }
  std::optional<int64_t> count = trip.getInt();
  if ((count && *count <= 0) || condition.getBool() == false)
    return makeLeaf(std::move(initial));
  if (count == 1 && condition.getBool())
    return unroll(op, 0, count, std::move(initial), condition);

  bool canUnroll = count && condition.getBool() &&
                   (*count <= maxUnroll || *count == std::numeric_limits<int64_t>::max());
  size_t knownProblems = problems.size();
  State entry = state;
  Block *block = b.getInsertionBlock();
  Operation *last = block->empty() ? nullptr : &block->back();
  LoopAttempt attempt(*this, op, initial, trip, condition);
  OutcomePtr outcome = attempt.run();
  if (outcome) {
    // Errors that come from what is not known in a loop (an index, a size) are gone when it is
    // unrolled.
    bool otherErrors = llvm::any_of(ArrayRef<Problem>(problems).drop_front(knownProblems),
                                    [](const Problem &problem) { return problem.missing.empty(); });
    if (!otherErrors || !canUnroll)
      return outcome;
    eraseBehind(block, last);
  } else if (!canUnroll) {
    problems.resize(knownProblems, Problem{op.getLoc(), "", ""});
    std::string reason = "the loop cannot be kept as a loop, and its trip count is not known at "
                         "compile time: " +
                         attempt.getReason();
    if (inLoopAttempt()) {
      structureLostAt = attempt.getPlace();
      structureLost = reason;
      state = std::move(entry);
      b.setInsertionPointToEnd(block);
      return makeDead();
    }
    (void)error(attempt.getPlace(), reason);
    state = std::move(entry);
    // What it holds from here on is not known: no errors that only follow from this one.
    if (std::optional<CellId> id = attempt.getChangedCell())
      change(*id).elements.assign(1, SpecValue::unknown());
    b.setInsertionPointToEnd(block);
    return makeLeaf(SmallVector<SpecValue>(op.getNumResults(), SpecValue::unknown()));
  }
  problems.resize(knownProblems, Problem{op.getLoc(), "", ""});
  state = std::move(entry);
  b.setInsertionPointToEnd(block);
  return unroll(op, 0, count, std::move(initial), condition);
}
