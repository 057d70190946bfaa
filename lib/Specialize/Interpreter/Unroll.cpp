//===- Unroll.cpp - Whether a loop stays a loop, and unrolling ------------===//
#include "Loops.h"
#include "RunTimeLists.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// More trips than this are not unrolled.
static constexpr int64_t maxUnroll = 2048;
/// Where lists could be boxes, no more trips than these are unrolled in the arms of conditionals,
/// of one loop and of all: each arm that goes on doubles the code.
static constexpr unsigned maxTripsInArms = 2048, maxAllTripsInArms = 8192;
/// The same where it turned out that there is no other way.
static constexpr unsigned lastTripsInArms = 8192;

bool Walker::goesOnInTooManyArms(const LoopEntry &loop) {
  if (!loop.tripsInArms)
    return false;
  unsigned inLoop = ++*loop.tripsInArms;
  ++tripsInArms;
  bool isMany = boxes.areLastResort ? tripsInArms > lastTripsInArms
                                    : inLoop > maxTripsInArms || tripsInArms > maxAllTripsInArms;
  if (!isMany || boxes.newSites.empty())
    return false;
  (void)error("the loop must be unrolled, but goes on in too many arms of conditionals");
  boxes.stoppedUnrolling = true;
  return unrollStopped = true;
}

OutcomePtr Walker::unroll(LoopEntry loop) {
  LoopOp op = loop.op;
  auto unknown = [&] {
    return makeLeaf(SmallVector<SpecValue>(loop.carried.size(), SpecValue::unknown()));
  };
  for (;; ++loop.first) {
    if (loop.isOver())
      return makeLeaf(std::move(loop.carried));
    if (!loop.condition.getBool()) {
      if (!loop.condition.is(ValueKind::Unknown)) {
        (void)error("the loop must be unrolled, but whether it goes on is known only at run time");
        unrollStopped = true;
      }
      return unknown();
    }
    if (goesOnInTooManyArms(loop))
      return unknown();
    if (loop.first >= maxUnroll) {
      (void)error("the loop must be unrolled, but has more than " + Twine(maxUnroll) + " trips");
      return unknown();
    }
    OutcomePtr outcome = walkTrip(loop);
    if (outcome->kind == Outcome::Kind::Dead)
      return outcome;
    if (outcome->kind == Outcome::Kind::Leaf) {
      goOn(loop, *outcome);
      continue;
    }
    if (!loop.tripsInArms)
      loop.tripsInArms = std::make_shared<unsigned>(0);
    forEachLeaf(outcome, [&](OutcomePtr leaf) {
      LoopEntry rest = loop;
      goOn(rest, *leaf);
      ++rest.first;
      return unroll(std::move(rest));
    });
    current = op;
    collapse(outcome);
    return outcome;
  }
}

OutcomePtr Walker::walkTrip(const LoopEntry &loop) {
  LoopOp op = loop.op;
  Block &body = op.getBody().front();
  bind(body.getArgument(0), SpecValue::integer(b.getContext(), loop.first));
  for (auto [argument, value] : llvm::zip_equal(body.getArguments().drop_front(), loop.carried))
    bind(argument, value);
  OutcomePtr outcome = walkFrom(body, body.begin());
  current = op;
  return outcome;
}

void Walker::goOn(LoopEntry &loop, Outcome &leaf) {
  loop.condition = leaf.yields.front();
  loop.carried.assign(leaf.yields.begin() + 1, leaf.yields.end());
  enter(leaf);
}

/// Takes back what was built in a block behind an operation, constants excepted.
static void eraseBehind(const Walker &w, Block *block, Operation *last) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block))) {
    if (&op == last)
      return;
    if (op.use_empty() && !isa<arith::ConstantOp>(op) && !w.builtOnce.contains(&op))
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

/// Walks the body for the errors that are in it.
OutcomePtr Walker::walkLoopOfUnknowns(LoopOp op) {
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

OutcomePtr Walker::walkLoop(LoopEntry loop) {
  LoopOp op = loop.op;
  if (loop.trip.is(ValueKind::Unknown) || loop.condition.is(ValueKind::Unknown))
    return walkLoopOfUnknowns(op);
  if (loop.isOver())
    return makeLeaf(std::move(loop.carried));
  std::optional<int64_t> count = loop.count();
  bool goesOn = loop.condition.getBool() == true;
  if (count && *count - loop.first == 1 && goesOn)
    return unroll(std::move(loop));
  if (keepOpen.contains(op) && loop.first == 0)
    return peel(loop);

  bool canUnroll =
      count && goesOn && (*count <= maxUnroll || *count == std::numeric_limits<int64_t>::max());
  size_t knownProblems = problems.size();
  State entry = state;
  Block *block = b.getInsertionBlock();
  Operation *last = block->empty() ? nullptr : &block->back();
  auto takeBack = [&] {
    eraseBehind(*this, block, last);
    problems.resize(knownProblems, Problem{op.getLoc(), "", ""});
    state = entry;
    b.setInsertionPointToEnd(block);
    current = op;
  };
  bool hasUsualCount = !canUnroll && goesOn && usualCounts.count(loop.trip.getScalar());
  if (!canUnroll && !hasUsualCount)
    return keepLoop(loop);
  LoopAttempt attempt(*this, loop, canUnroll);
  if (OutcomePtr outcome = attempt.run()) {
    // Errors that come from what is not known in a loop (an index, a size) are gone when it is
    // unrolled.
    bool otherErrors = llvm::any_of(ArrayRef<Problem>(problems).drop_front(knownProblems),
                                    [](const Problem &problem) { return problem.missing.empty(); });
    if (!otherErrors || !canUnroll)
      return outcome;
  }
  takeBack();
  LoopEntry unrollable = loop;
  if (hasUsualCount) {
    int64_t usual = usualCounts.lookup(loop.trip.getScalar());
    requireUsual(loop.trip.getScalar(), usual);
    unrollable.trip = SpecValue::integer(b.getContext(), usual);
  }
  bool outerStopped = std::exchange(unrollStopped, false);
  OutcomePtr unrolled = unroll(std::move(unrollable));
  if (!std::exchange(unrollStopped, outerStopped))
    return unrolled;
  takeBack();
  return keepLoop(loop);
}

/// A loop that cannot be unrolled: kept as it is, or with lists of unknown length, or with its
/// first trip in front of it.
OutcomePtr Walker::keepLoop(const LoopEntry &loop) {
  size_t knownProblems = problems.size();
  State entry = state;
  Block *block = b.getInsertionBlock();
  Operation *last = block->empty() ? nullptr : &block->back();
  std::optional<LoopAttempt> attempt;
  do {
    attempt.emplace(*this, loop, /*canUnroll=*/false);
    if (OutcomePtr outcome = attempt->run())
      return outcome;
  } while (makeListsRunTime(attempt->getTouchedLists()));
  auto takeBack = [&] {
    eraseBehind(*this, block, last);
    problems.resize(knownProblems, Problem{loop.op->getLoc(), "", ""});
    state = entry;
    b.setInsertionPointToEnd(block);
    current = loop.op;
  };
  takeBack();
  if (loop.first == 0) {
    OutcomePtr outcome = peel(loop);
    if (problems.size() == knownProblems && !structureLost)
      return outcome;
    structureLost.reset();
    takeBack();
  }
  return loseLoop(loop, *attempt);
}

/// Reports why a loop could not be kept.
OutcomePtr Walker::loseLoop(const LoopEntry &loop, const LoopAttempt &attempt) {
  std::string reason = "the loop cannot be kept as a loop, and its trip count is not known at "
                       "compile time: " +
                       attempt.getReason();
  if (inLoopAttempt()) {
    structureLostAt = attempt.getPlace();
    structureLost = reason;
    return makeDead();
  }
  (void)error(attempt.getPlace(), reason);
  // What it holds from here on is not known: no errors that only follow from this one.
  if (std::optional<CellId> id = attempt.getChangedCell()) {
    Cell &lost = change(*id);
    lost.count = nullptr;
    lost.elements.assign(1, SpecValue::unknown());
  }
  return makeLeaf(SmallVector<SpecValue>(loop.carried.size(), SpecValue::unknown()));
}
