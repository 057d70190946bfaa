//===- Loops.cpp - tl.loop ------------------------------------------------===//
//
// A loop is walked to a fixpoint: the first walk of the body takes everything as it is at the
// entry; what is different at the end of the body becomes a value that the loop carries, and the
// body is walked again. A static size that changes becomes dynamic. If a change is one of structure
// (a list that grows, a type that changes, an index into a list that must be known), the loop is
// unrolled (Unroll.cpp), provided that its trip count is known; otherwise lists become those of a
// length known at run time, or the first trip is walked apart (Peel.cpp).
//
//===----------------------------------------------------------------------===//
#include "Loops.h"
#include "Boxes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

LoopAttempt::LoopAttempt(Walker &walker, const LoopEntry &loop, bool canUnroll)
    : Join(walker, head, end, head), written(loop.op), headValues(loop.carried), trip(loop.trip),
      condition(loop.condition), first(loop.first), whereLost(walker.locOf(loop.op)),
      canUnroll(canUnroll) {}

//===----------------------------------------------------------------------===//
// The join of the entry and the end of the body
//===----------------------------------------------------------------------===//

Value LoopAttempt::read(State &side, const SpecValue &tensor) {
  if (&side == &end)
    return inState(end, [&] { return w.readTensor(tensor); });
  // In front of the loop: what is joined of the left side is as it was there.
  OpBuilder::InsertionGuard guard(w.b);
  w.b.setInsertionPoint(loop);
  return inState(entry, [&] { return w.readTensor(tensor); });
}

bool LoopAttempt::isVisible(const TensorRef &ref) const {
  auto outside = [&](ArrayRef<OpFoldResult> values) {
    return llvm::all_of(values, [&](OpFoldResult v) {
      auto value = dyn_cast<Value>(v);
      return !value || !loop->isAncestor(value.getParentRegion()->getParentOp());
    });
  };
  return !ref.chain || llvm::all_of(*ref.chain, [&](const ViewStep &step) {
    return outside(step.sizes) && outside(step.offsets) && outside(step.steps);
  });
}

std::optional<CellId> LoopAttempt::addCell(Cell cell) {
  CellId id = w.nextCell++;
  own.insert(id);
  changed = true;
  head.heap.set(id, std::move(cell));
  w.joinedAt.insert({id, {written, w.locOf(written)}});
  return id;
}

LoopAttempt::Carried *LoopAttempt::find(Value argument) {
  for (Carried &c : values)
    if (c.argument == argument)
      return &c;
  return nullptr;
}

/// What a value that is carried already is after a trip: sizes that differ from trip to trip are
/// dynamic.
std::optional<Value> LoopAttempt::mergeCarried(Carried &c, Value next) {
  if (c.next && c.next != next)
    return (void)fail("one value is carried under two names"), std::nullopt;
  c.next = next;
  auto type = dyn_cast<RankedTensorType>(c.argument.getType());
  if (!type)
    return c.argument;
  auto other = cast<RankedTensorType>(next.getType());
  if (type.getRank() != other.getRank() || type.getElementType() != other.getElementType()) {
    std::string text;
    llvm::raw_string_ostream(text) << "a value is of type " << type
                                   << " before a trip of the loop and " << other << " after it";
    return (void)fail(text), std::nullopt;
  }
  SmallVector<int64_t> shape(type.getShape());
  for (int64_t dim : llvm::seq<int64_t>(0, type.getRank())) {
    if (c.varies[dim])
      continue;
    bool equal = inState(end, [&] {
      OpFoldResult before = w.sizeOf(c.argument, dim), after = w.sizeOf(next, dim);
      return w.equalSizes(before, after) == Known::Yes;
    });
    if (!equal) {
      c.varies[dim] = true;
      shape[dim] = ShapedType::kDynamic;
      changed = true;
    }
  }
  newTypes[c.argument] = RankedTensorType::get(shape, type.getElementType());
  return c.argument;
}

std::optional<Value> LoopAttempt::merge(Value before, Value after) {
  if (!after || before == after)
    if (Carried *c = before ? find(before) : nullptr; !c || !after)
      return before;
  if (Carried *c = before ? find(before) : nullptr)
    return mergeCarried(*c, after);
  // A value that is not carried yet.
  Type type = before ? before.getType() : after.getType();
  if (before && before.getType() != after.getType()) {
    auto x = dyn_cast<RankedTensorType>(before.getType());
    auto y = dyn_cast<RankedTensorType>(after.getType());
    if (!x || !y || x.getRank() != y.getRank() || x.getElementType() != y.getElementType()) {
      std::string text;
      llvm::raw_string_ostream(text)
          << "a value is of type " << before.getType() << " before the loop and " << after.getType()
          << " after a trip";
      return (void)fail(text), std::nullopt;
    }
  }
  Carried c;
  c.initial = before;
  c.argument = body->addArgument(type, w.locOf(written));
  if (auto tensorType = dyn_cast<RankedTensorType>(type))
    c.varies.assign(tensorType.getRank(), false);
  values.push_back(c);
  changed = true;
  return c.argument;
}

bool LoopAttempt::joinCell(CellId id) {
  CellRef a = head.heap.lookup(id), b = end.heap.lookup(id);
  if (!a || !b || own.contains(id))
    return true;
  if (a == b && !joinedCells.contains(id))
    return true;
  joinedCells.insert(id);
  Cell cell = *a;
  if (joinContents(id, cell, *b)) {
    head.heap.set(id, std::move(cell));
    return true;
  }
  if (a->kind == Cell::Kind::Object || inState(end, [&] { return w.isLive(id); })) {
    changedCell = id;
    return false;
  }
  why.clear();
  return true;
}

/// Which of the loop's own cells may be one, or may be one that was there before.
std::set<std::pair<CellId, CellId>> LoopAttempt::aliases() const {
  std::set<std::pair<CellId, CellId>> all;
  // So do the elements of lists whose length is not known.
  llvm::SetVector<CellId> ids = own;
  for (CellId id : head.heap.joinedCells())
    if (head.heap.lookup(id)->kind == Cell::Kind::Storage && !head.heap.lookup(id)->value)
      ids.insert(id);
  for (CellId id : ids)
    for (CellId other : head.heap.partners(id))
      if (other < watermark || own.contains(other))
        all.insert({id, other});
  return all;
}

bool LoopAttempt::joinStates(ArrayRef<SpecValue> yielded) {
  for (CellId id = 0, n = head.heap.size(); id < n; ++id)
    if (!joinCell(id))
      return false;
  for (auto [value, next] : llvm::zip_equal(headValues, yielded)) {
    std::optional<SpecValue> joined = join(value, next);
    if (!joined)
      return false;
    value = *joined;
  }
  std::set<std::pair<CellId, CellId>> now = aliases();
  changed |= now != knownAliases;
  knownAliases = std::move(now);
  return true;
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

/// The sizes of a carried tensor, as an argument of the body or as a result of the loop: those of
/// the initial value, where they do not vary.
void LoopAttempt::setSizes(Carried &c, Value value) {
  auto type = dyn_cast<RankedTensorType>(c.argument.getType());
  if (!type || type.hasStaticShape())
    return;
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim : llvm::seq<int64_t>(0, type.getRank())) {
    if (!type.isDynamicDim(dim))
      sizes.push_back(w.b.getIndexAttr(type.getDimSize(dim)));
    else if (c.varies[dim] || !c.initial)
      sizes.push_back(w.dimOf(value, dim));
    else
      sizes.push_back(w.sizeOf(c.initial, dim));
  }
  w.state.sizes[value] = sizes;
}

void LoopAttempt::begin() {
  Location loc = w.locOf(written);
  entry = w.state;
  head = entry;
  watermark = w.nextCell;
  knownProblems = w.problems.size();
  tripValue = w.scalarValue(trip);
  if (first)
    tripValue =
        arith::SubIOp::create(w.b, loc, tripValue, w.constant(w.b.getI64IntegerAttr(first)));
  conditionValue = w.scalarValue(condition);
  parent = w.b.getInsertionBlock();
  loop = LoopOp::create(w.b, loc, TypeRange(), tripValue, conditionValue, ValueRange());
  body = &loop.getBody().emplaceBlock();
  body->addArgument(w.b.getI64Type(), loc);
  if (w.tracksIdentities)
    beginEpochs();
}

/// The count of all trips is carried.
void LoopAttempt::beginEpochs() {
  Carried c;
  c.initial = entry.epoch ? entry.epoch : w.constant(w.b.getI64IntegerAttr(0));
  c.argument = epoch = body->addArgument(w.b.getI64Type(), w.locOf(written));
  values.push_back(c);
}

OutcomePtr LoopAttempt::abandon() {
  loop->erase();
  w.state = std::move(entry);
  w.b.setInsertionPointToEnd(parent);
  w.current = written;
  return nullptr;
}

LoopAttempt::Round LoopAttempt::walkOnce() {
  body->clear();
  w.problems.resize(knownProblems, Problem{whereLost, "", ""});
  changed = false;
  unsigned formChanges = w.boxes.changes;
  newTypes.clear();
  for (Carried &c : values)
    c.next = {};
  w.state = head;
  w.b.setInsertionPointToEnd(body);
  for (Carried &c : values)
    setSizes(c, c.argument);
  if (epoch)
    w.state.epoch =
        arith::AddIOp::create(w.b, w.locOf(written), epoch, w.constant(w.b.getI64IntegerAttr(1)));
  Block &writtenBody = written.getBody().front();
  Value number = body->getArgument(0);
  if (first)
    number = arith::AddIOp::create(w.b, w.locOf(written), number,
                                   w.constant(w.b.getI64IntegerAttr(first)));
  w.bind(writtenBody.getArgument(0), SpecValue::scalar(number));
  for (auto [argument, value] :
       llvm::zip_equal(writtenBody.getArguments().drop_front(), headValues))
    w.bind(argument, value);
  ++w.undecided;
  ++w.loopAttempts;
  w.unrollable += canUnroll;
  CellId outerFirst = std::exchange(w.firstOfLoop, watermark);
  CellId outerUndecided = std::exchange(w.firstOfUndecided, watermark);
  std::optional<std::string> outerLost = std::exchange(w.structureLost, std::nullopt);
  OutcomePtr outcome = w.walkFrom(writtenBody, writtenBody.begin());
  std::optional<std::string> lost = std::exchange(w.structureLost, outerLost);
  --w.loopAttempts;
  w.unrollable -= canUnroll;
  w.firstOfLoop = outerFirst;
  w.firstOfUndecided = outerUndecided;
  --w.undecided;
  // The end of the body, from which everything before the loop may be used again.
  w.current = writtenBody.getTerminator();
  if (lost) {
    why = *lost;
    whereLost = w.structureLostAt;
    return Round::Lost;
  }
  // What is known of boxes may let the next walk go on.
  if (outcome->kind == Outcome::Kind::Dead && w.boxes.changes != formChanges)
    return end = head, w.b.setInsertionPointToEnd(body), Round::Changed;
  if (outcome->kind == Outcome::Kind::Dead) {
    if (trip.isConstant())
      return (void)fail("every trip of the loop raises"), Round::Lost;
    // Behind it, there was no trip.
    next = SpecValue::boolean(w.b.getContext(), false);
    w.b.setInsertionPointToEnd(body);
    return Round::Settled;
  }
  if (outcome->kind == Outcome::Kind::Branch) {
    (void)fail("a conditional in the loop gives different structures: " + outcome->whyOpen);
    return Round::Lost;
  }
  end = std::move(outcome->state);
  next = outcome->yields.front();
  w.b.setInsertionPointToEnd(outcome->block);
  if (!joinStates(ArrayRef<SpecValue>(outcome->yields).drop_front()))
    return Round::Lost;
  if (epoch)
    find(epoch)->next = end.epoch;
  unsigned nowBoxed =
      countBoxed(w, head.heap, [&](CellId id) { return id < watermark || own.contains(id); });
  changed |= nowBoxed != boxed || w.boxes.changes != formChanges;
  boxed = nowBoxed;
  return changed ? Round::Changed : Round::Settled;
}

SpecValue LoopAttempt::refresh(const SpecValue &value) const {
  if (value.isTensor()) {
    TensorRef ref = value.getTensor();
    if (own.contains(ref.storage) && !ref.chain)
      ref.type = cast<RankedTensorType>(head.heap.lookup(ref.storage)->value.getType());
    return SpecValue::tensor(ref);
  }
  if (value.is(ValueKind::Optional))
    return SpecValue::optional(value.getPresent(), refresh(value.getPayload()));
  if (!value.is(ValueKind::Tuple) && !value.is(ValueKind::Pieces))
    return value;
  std::vector<SpecValue> elements;
  for (const SpecValue &element : value.getElements())
    elements.push_back(refresh(element));
  return value.withElements(std::move(elements));
}

void LoopAttempt::refreshTypes() {
  for (auto &[argument, type] : newTypes)
    if (argument.getType() != type)
      argument.setType(type);
  for (SpecValue &value : headValues)
    value = refresh(value);
  for (CellId id = 0, n = head.heap.size(); id < n; ++id) {
    CellRef ref = head.heap.lookup(id);
    if (!ref || ref->kind == Cell::Kind::Storage)
      continue;
    Cell cell = *ref;
    for (SpecValue &element : cell.elements)
      element = refresh(element);
    for (auto &entry : cell.attributes)
      entry.second = refresh(entry.second);
    head.heap.set(id, std::move(cell));
  }
  head.views = entry.views;
  end = State();
}

OutcomePtr LoopAttempt::run() {
  auto outerTouched = std::exchange(w.touchedLists, {});
  OutcomePtr outcome = runRounds();
  touched.assign(w.touchedLists.begin(), w.touchedLists.end());
  w.touchedLists.insert_range(outerTouched);
  return outcome;
}

OutcomePtr LoopAttempt::runRounds() {
  begin();
  for (int round = 0;; ++round) {
    if (round > 32) {
      (void)fail("the loop's values do not settle");
      return abandon();
    }
    switch (walkOnce()) {
    case Round::Lost:
      return abandon();
    case Round::Settled:
      return finish();
    case Round::Changed:
      refreshTypes();
    }
  }
}

//===----------------------------------------------------------------------===//
// The finished loop
//===----------------------------------------------------------------------===//

Value LoopAttempt::substitute(Value value) {
  for (auto [index, c] : llvm::enumerate(values))
    if (c.argument == value)
      return loop.getResult(index);
  return value;
}

SpecValue LoopAttempt::substitute(const SpecValue &value) {
  if (value.getScalar())
    return SpecValue::scalar(substitute(value.getScalar()));
  if (value.is(ValueKind::Text))
    return SpecValue::text(substitute(value.getBox()));
  if (value.is(ValueKind::Optional))
    return SpecValue::optional(substitute(value.getPresent()), substitute(value.getPayload()));
  if (value.getElements().empty())
    return value;
  std::vector<SpecValue> elements;
  for (const SpecValue &element : value.getElements())
    elements.push_back(substitute(element));
  return value.withElements(std::move(elements));
}

/// What a trip made and does not hand on is freed.
void LoopAttempt::keepBoxes() {
  bool makesBoxes = false;
  body->walk([&](Operation *op) { makesBoxes |= rt::isBoxOp(op) && !isa<rt::BoxPrintOp>(op); });
  if (!makesBoxes)
    return;
  Location loc = w.locOf(written);
  SmallVector<Value> kept;
  for (Carried &c : values)
    if (isa<rt::BoxType>(c.argument.getType()))
      kept.push_back(c.next ? c.next : c.argument);
  Value mark;
  {
    OpBuilder::InsertionGuard guard(w.b);
    w.b.setInsertionPoint(loop);
    mark = rt::BoxMarkOp::create(w.b, loc);
  }
  rt::BoxKeepOp::create(w.b, loc, mark, kept);
}

/// The loop for good, with its results.
void LoopAttempt::buildLoop() {
  Location loc = w.locOf(written);
  if (next.is(ValueKind::Unknown))
    next = SpecValue::boolean(w.b.getContext(), false);
  SmallVector<Value> nexts, initials;
  SmallVector<Type> types;
  for (Carried &c : values) {
    types.push_back(c.argument.getType());
    nexts.push_back(w.converted(c.next ? c.next : c.argument, types.back()));
  }
  keepBoxes();
  ContinueOp::create(w.b, loc, w.scalarValue(next), nexts);
  w.b.setInsertionPoint(loop);
  for (auto [c, type] : llvm::zip_equal(values, types))
    initials.push_back(w.converted(c.initial ? c.initial : w.anyValue(type), type));
  auto finished = LoopOp::create(w.b, loc, types, tripValue, conditionValue, initials);
  finished.getBody().takeBody(loop.getBody());
  loop->erase();
  loop = finished;
}

OutcomePtr LoopAttempt::finish() {
  w.current = written;
  buildLoop();
  // The state behind it: that of the head, with results for the arguments.
  w.state = std::move(head);
  w.state.env = entry.env;
  w.state.views = entry.views;
  w.state.sizes = entry.sizes;
  w.state.conditions = entry.conditions;
  w.state.equalities = entry.equalities;
  if (epoch)
    w.state.epoch = substitute(epoch);
  w.b.setInsertionPointToEnd(parent);
  for (CellId id = 0, n = w.state.heap.size(); id < n; ++id) {
    CellRef ref = w.state.heap.lookup(id);
    if (!ref || (!own.contains(id) && !joinedCells.contains(id)))
      continue;
    Cell cell = *ref;
    if (cell.value)
      cell.value = substitute(cell.value);
    if (cell.identity)
      cell.identity = substitute(cell.identity);
    if (cell.count)
      cell.count = substitute(cell.count);
    if (cell.box)
      cell.box = substitute(cell.box);
    for (SpecValue &element : cell.elements)
      element = substitute(element);
    for (auto &entry : cell.attributes)
      entry.second = substitute(entry.second);
    w.state.heap.set(id, std::move(cell));
  }
  SmallVector<SpecValue> results;
  for (const SpecValue &value : headValues)
    results.push_back(substitute(value));
  for (auto [index, c] : llvm::enumerate(values))
    setSizes(c, loop.getResult(index));
  return w.makeLeaf(std::move(results));
}
