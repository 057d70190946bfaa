//===- Unroll.cpp - Whether a loop stays a loop, and unrolling ------------===//
#include "Loops.h"
#include "RunTimeLists.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// More trips than this are not unrolled.
static constexpr int64_t maxUnroll = 2048;

OutcomePtr Walker::unroll(LoopOp op, int64_t trip, std::optional<int64_t> count,
                          SmallVector<SpecValue> carried, SpecValue condition) {
  Block &body = op.getBody().front();
  for (;; ++trip) {
    if (count && trip >= *count)
      return makeLeaf(std::move(carried));
    std::optional<bool> goesOn = condition.getBool();
    if (!goesOn) {
      if (!condition.is(ValueKind::Unknown)) {
        (void)error("the loop must be unrolled, but whether it goes on is known only at run time");
        unrollStopped = true;
      }
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

/// Checks that there are as many pieces as is usual, for which a loop over them is unrolled.
void Walker::requireUsual(Value number, int64_t usual) {
  Value count = constant(b.getI64IntegerAttr(usual));
  Value holds = arith::CmpIOp::create(b, locOf(current), arith::CmpIPredicate::eq, number, count);
  CheckOp::create(b, locOf(current), holds,
                  "the loop was compiled for " + Twine(usual) + " pieces, but there are {}",
                  number);
  assume(holds, true);
}

/// A loop that can neither be kept nor unrolled may be kept with lists of unknown length. False if
/// there is none to be made one.
bool Walker::makeListsRunTime(ArrayRef<CellId> touched) {
  bool any = false;
  for (CellId id : touched)
    for (CellId place : state.heap.places(id))
      if (CellRef list = state.heap.lookup(place);
          list && list->kind == Cell::Kind::List && !list->count)
        any |= makeRunTimeList(*this, place);
  return any;
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
  auto takeBack = [&] {
    eraseBehind(block, last);
    problems.resize(knownProblems, Problem{op.getLoc(), "", ""});
    state = entry;
    b.setInsertionPointToEnd(block);
    current = op;
  };
  bool hasUsualCount = !canUnroll && condition.getBool() && usualCounts.count(trip.getScalar());
  if (!canUnroll && !hasUsualCount)
    return keepLoop(op, initial, trip, condition);
  LoopAttempt attempt(*this, op, initial, trip, condition, canUnroll);
  if (OutcomePtr outcome = attempt.run()) {
    // Errors that come from what is not known in a loop (an index, a size) are gone when it is
    // unrolled.
    bool otherErrors = llvm::any_of(ArrayRef<Problem>(problems).drop_front(knownProblems),
                                    [](const Problem &problem) { return problem.missing.empty(); });
    if (!otherErrors || !canUnroll)
      return outcome;
  }
  takeBack();
  if (hasUsualCount) {
    count = usualCounts.lookup(trip.getScalar());
    requireUsual(trip.getScalar(), *count);
  }
  bool outerStopped = std::exchange(unrollStopped, false);
  OutcomePtr unrolled = unroll(op, 0, count, initial, condition);
  if (!std::exchange(unrollStopped, outerStopped))
    return unrolled;
  takeBack();
  return keepLoop(op, initial, trip, condition);
}

/// A loop that cannot be unrolled: kept as it is, or with lists of unknown length.
OutcomePtr Walker::keepLoop(LoopOp op, ArrayRef<SpecValue> initial, SpecValue trip,
                            SpecValue condition) {
  size_t knownProblems = problems.size();
  State entry = state;
  Block *block = b.getInsertionBlock();
  std::optional<LoopAttempt> attempt;
  do {
    attempt.emplace(*this, op, SmallVector<SpecValue>(initial), trip, condition,
                    /*canUnroll=*/false);
    if (OutcomePtr outcome = attempt->run())
      return outcome;
  } while (makeListsRunTime(attempt->getTouchedLists()));
  problems.resize(knownProblems, Problem{op.getLoc(), "", ""});
  std::string reason = "the loop cannot be kept as a loop, and its trip count is not known at "
                       "compile time: " +
                       attempt->getReason();
  state = std::move(entry);
  b.setInsertionPointToEnd(block);
  if (inLoopAttempt()) {
    structureLostAt = attempt->getPlace();
    structureLost = reason;
    return makeDead();
  }
  (void)error(attempt->getPlace(), reason);
  // What it holds from here on is not known: no errors that only follow from this one.
  if (std::optional<CellId> id = attempt->getChangedCell()) {
    Cell &lost = change(*id);
    lost.count = nullptr;
    lost.elements.assign(1, SpecValue::unknown());
  }
  return makeLeaf(SmallVector<SpecValue>(op.getNumResults(), SpecValue::unknown()));
}
