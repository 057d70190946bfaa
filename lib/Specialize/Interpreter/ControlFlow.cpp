//===- ControlFlow.cpp - Conditionals, outcomes and tails -----------------===//
//
// A conditional that is decided at compile time is the arm it takes. Otherwise both arms are walked
// on forks of the state. Where the arms agree in structure they are joined at once (Join.cpp);
// where they do not, the conditional stays open and what follows is walked in both, up to the end
// of the block, then of the block around it, and so on.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

OutcomePtr Walker::makeLeaf(SmallVector<SpecValue> yields) {
  auto leaf = std::make_unique<Outcome>();
  leaf->kind = Outcome::Kind::Leaf;
  leaf->state = std::move(state);
  state = State();
  leaf->block = b.getInsertionBlock();
  leaf->yields = std::move(yields);
  return leaf;
}

void Walker::enter(Outcome &leaf) {
  state = std::move(leaf.state);
  b.setInsertionPointToEnd(leaf.block);
}

void Walker::forEachLeaf(OutcomePtr &outcome, llvm::function_ref<OutcomePtr(OutcomePtr)> next) {
  switch (outcome->kind) {
  case Outcome::Kind::Dead:
    return;
  case Outcome::Kind::Leaf:
    outcome = next(std::move(outcome));
    return;
  case Outcome::Kind::Branch: {
    ++undecided;
    CellId outerFirst = std::exchange(firstOfUndecided, outcome->watermark);
    forEachLeaf(outcome->thenOutcome, next);
    forEachLeaf(outcome->elseOutcome, next);
    firstOfUndecided = outerFirst;
    --undecided;
    return;
  }
  }
}

OutcomePtr Walker::walkIf(IfOp op) {
  SpecValue condition = get(op.getCondition());
  auto walkArm = [&](bool taken) {
    Block &arm = (taken ? op.getThenRegion() : op.getElseRegion()).front();
    return walkFrom(arm, arm.begin());
  };
  if (std::optional<bool> known = condition.getBool())
    return walkArm(*known);

  if (!condition.is(ValueKind::Bool)) {
    // Not known because of an error that is reported already: walk both arms for theirs.
    if (!condition.is(ValueKind::Unknown))
      (void)error("expected a bool as condition, but got " + condition.kindName());
    State entry = state;
    Block *block = b.getInsertionBlock();
    ++undecided;
    (void)walkArm(true);
    state = entry;
    b.setInsertionPointToEnd(block);
    (void)walkArm(false);
    --undecided;
    state = std::move(entry);
    b.setInsertionPointToEnd(block);
    current = op;
    return makeLeaf(SmallVector<SpecValue>(op.getNumResults(), SpecValue::unknown()));
  }

  return walkArms(condition.getScalar(), walkArm);
}

OutcomePtr Walker::walkArms(Value condition, llvm::function_ref<OutcomePtr(bool)> walkArm) {
  Operation *op = current;
  auto branch = std::make_unique<Outcome>();
  branch->kind = Outcome::Kind::Branch;
  branch->watermark = nextCell;
  branch->branch = IfOp::create(b, locOf(op), TypeRange(), condition);
  Block *thenBlock = &branch->branch.getThenRegion().emplaceBlock();
  Block *elseBlock = &branch->branch.getElseRegion().emplaceBlock();
  State entry = state;
  ++undecided;
  CellId outerFirst = std::exchange(firstOfUndecided, branch->watermark);
  b.setInsertionPointToEnd(thenBlock);
  assume(condition, true);
  branch->thenOutcome = walkArm(true);
  state = std::move(entry);
  b.setInsertionPointToEnd(elseBlock);
  assume(condition, false);
  branch->elseOutcome = walkArm(false);
  firstOfUndecided = outerFirst;
  --undecided;
  current = op;
  collapse(branch);
  return branch;
}

/// The arm that always raises goes in front of the conditional, the other one takes its place.
static void replaceByLiveArm(Walker &w, Outcome &branch, bool thenIsDead) {
  IfOp op = branch.branch;
  Block *parent = op->getBlock();
  Block &deadArm = (thenIsDead ? op.getThenRegion() : op.getElseRegion()).front();
  Block &liveArm = (thenIsDead ? op.getElseRegion() : op.getThenRegion()).front();
  OpBuilder::InsertionGuard guard(w.b);
  w.b.setInsertionPoint(op);

  bool hoist = false;
  if (!deadArm.empty())
    if (auto check = dyn_cast<CheckOp>(deadArm.back())) {
      hoist = true;
      for (Operation &inner : deadArm)
        hoist &= &inner == check.getOperation() || isPure(&inner);
    }
  if (hoist) {
    auto check = cast<CheckOp>(deadArm.back());
    Value condition = op.getCondition();
    if (thenIsDead) {
      Value yes = w.constant(w.b.getBoolAttr(true));
      condition = arith::XOrIOp::create(w.b, op.getLoc(), condition, yes);
    }
    CheckOp::create(w.b, check.getLoc(), condition, check.getMessage(), check.getValues());
    CheckOp moved = cast<CheckOp>(op->getPrevNode());
    check->erase();
    parent->getOperations().splice(moved->getIterator(), deadArm.getOperations());
  } else {
    auto rest = IfOp::create(w.b, op.getLoc(), TypeRange(), op.getCondition());
    Region &deadRegion = thenIsDead ? rest.getThenRegion() : rest.getElseRegion();
    Region &emptyRegion = thenIsDead ? rest.getElseRegion() : rest.getThenRegion();
    deadRegion.takeBody(thenIsDead ? op.getThenRegion() : op.getElseRegion());
    w.b.setInsertionPointToEnd(&deadRegion.front());
    YieldOp::create(w.b, op.getLoc(), ValueRange());
    w.b.setInsertionPointToEnd(&emptyRegion.emplaceBlock());
    YieldOp::create(w.b, op.getLoc(), ValueRange());
  }
  parent->getOperations().splice(op->getIterator(), liveArm.getOperations());
  Outcome &live = thenIsDead ? *branch.elseOutcome : *branch.thenOutcome;
  if (live.kind == Outcome::Kind::Leaf && live.block == &liveArm)
    live.block = parent;
  op->erase();
}

void Walker::collapse(OutcomePtr &outcome) {
  if (outcome->kind != Outcome::Kind::Branch)
    return;
  collapse(outcome->thenOutcome);
  collapse(outcome->elseOutcome);
  bool thenIsDead = outcome->thenOutcome->kind == Outcome::Kind::Dead;
  bool elseIsDead = outcome->elseOutcome->kind == Outcome::Kind::Dead;
  if (thenIsDead && elseIsDead) {
    OpBuilder::InsertionGuard guard(b);
    for (Region *region : {&outcome->branch.getThenRegion(), &outcome->branch.getElseRegion()}) {
      b.setInsertionPointToEnd(&region->front());
      YieldOp::create(b, outcome->branch.getLoc(), ValueRange());
    }
    outcome = makeDead();
    return;
  }
  if (thenIsDead || elseIsDead) {
    replaceByLiveArm(*this, *outcome, thenIsDead);
    outcome = std::move(thenIsDead ? outcome->elseOutcome : outcome->thenOutcome);
    return;
  }
  if (outcome->thenOutcome->kind == Outcome::Kind::Leaf &&
      outcome->elseOutcome->kind == Outcome::Kind::Leaf)
    if (OutcomePtr joined = join(*outcome))
      outcome = std::move(joined);
}
