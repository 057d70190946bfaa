//===- JoinArms.cpp - What two arms of a conditional make together --------===//
//
// The join runs twice: first to find out whether it is possible and which values are to be yielded,
// then, with the results of the finished operation, to build the state behind it.
//
//===----------------------------------------------------------------------===//
#include "Join.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

class ArmsJoin : public Join {
public:
  ArmsJoin(Walker &walker, Outcome &branch)
      : Join(walker, branch.thenOutcome->state, branch.elseOutcome->state, behind),
        thenLeaf(*branch.thenOutcome), elseLeaf(*branch.elseOutcome), ifOp(branch.branch),
        watermark(branch.watermark) {}

  /// Joins states and yields; false, with the reason in `why`, if they do not agree.
  bool run();
  /// Gives the operation its results.
  void finish();
  OutcomePtr makeLeaf();

  using Join::why;

private:
  std::optional<Value> merge(Value a, Value b) override;
  Value read(State &side, const SpecValue &tensor) override;
  bool isCommon(CellId id) const override { return id < watermark || w.pristine.count(id); }
  bool isVisible(const TensorRef &ref) const override;
  std::optional<SpecValue> known(const SpecValue &a, const SpecValue &b) override;
  void remember(const SpecValue &a, const SpecValue &b, const SpecValue &joined) override {
    if (result)
      pairs.push_back({a, b, joined});
  }
  std::optional<CellId> addCell(Cell cell) override;
  std::optional<SpecValue> mergeFlags(bool onThen, bool onElse) override;
  std::string differ(const Twine &a, const Twine &b) const override {
    return ("the arms give " + a + " and " + b).str();
  }
  Operation *joinedBy() const override { return w.current; }
  bool isReachable(CellId id);
  bool joinCell(CellId id);
  bool joinHeap();
  bool joinEpochs();
  void joinKnowledge();
  void setSizes(Value merged, Value onThen, Value onElse);
  bool outside(Value value) const;
  bool outside(ArrayRef<OpFoldResult> values) const {
    return llvm::all_of(values, [&](OpFoldResult v) {
      auto value = dyn_cast<Value>(v);
      return !value || outside(value);
    });
  }

  State behind;
  Outcome &thenLeaf, &elseLeaf;
  IfOp ifOp;
  CellId watermark;
  /// Null in the first run.
  IfOp result;
  SmallVector<SpecValue> yields;

  struct Yield {
    Value onThen, onElse;
    Type type;
  };
  SmallVector<Yield> values;
  DenseMap<std::pair<Value, Value>, unsigned> numbers;
  /// Two values and what stands for them.
  SmallVector<std::tuple<SpecValue, SpecValue, SpecValue>> pairs;
};

} // namespace

bool ArmsJoin::outside(Value value) const {
  Operation *owner = value.getDefiningOp() ? value.getDefiningOp()
                                           : cast<BlockArgument>(value).getOwner()->getParentOp();
  return !ifOp->isProperAncestor(owner) && (!result || !result->isProperAncestor(owner));
}

bool ArmsJoin::isVisible(const TensorRef &ref) const {
  return !ref.chain || llvm::all_of(*ref.chain, [&](const ViewStep &step) {
    return step.kind != ViewStep::Kind::Custom && outside(step.sizes) && outside(step.offsets) &&
           outside(step.steps);
  });
}

std::optional<SpecValue> ArmsJoin::known(const SpecValue &a, const SpecValue &b) {
  auto same = [](const SpecValue &x, const SpecValue &y) {
    if (x.isTensor() && y.isTensor())
      return sameView(x.getTensor(), y.getTensor());
    return x.same(y);
  };
  for (auto &[x, y, joined] : pairs)
    if (same(a, x) && same(b, y))
      return joined;
  return std::nullopt;
}

std::optional<CellId> ArmsJoin::addCell(Cell cell) {
  if (!result)
    return std::nullopt;
  CellId id = w.nextCell++;
  behind.heap.set(id, std::move(cell));
  w.joinedAt.insert({id, {w.current, ifOp.getLoc()}});
  return id;
}

std::optional<SpecValue> ArmsJoin::mergeFlags(bool onThen, bool onElse) {
  // True in one arm, false in the other: the condition itself.
  if (onThen || !result)
    return SpecValue::scalar(ifOp.getCondition());
  OpBuilder::InsertionGuard guard(w.b);
  w.b.setInsertionPointAfter(result);
  Value yes = w.constant(w.b.getBoolAttr(true));
  return SpecValue::scalar(arith::XOrIOp::create(w.b, result.getLoc(), result.getCondition(), yes));
}

//===----------------------------------------------------------------------===//
// SSA values
//===----------------------------------------------------------------------===//

/// The type of a value that is of one of two types; null if there is none.
static Type commonType(Type a, Type b) {
  if (a == b)
    return a;
  auto x = dyn_cast<RankedTensorType>(a), y = dyn_cast<RankedTensorType>(b);
  if (!x || !y || x.getElementType() != y.getElementType() || x.getRank() != y.getRank())
    return {};
  SmallVector<int64_t> shape(x.getShape());
  for (auto [size, other] : llvm::zip_equal(shape, y.getShape()))
    if (size != other)
      size = ShapedType::kDynamic;
  return RankedTensorType::get(shape, x.getElementType());
}

std::optional<Value> ArmsJoin::merge(Value a, Value b) {
  if (a && a == b)
    return a;
  if ((!a || !b) && outside(a ? a : b))
    return a ? a : b;
  auto [it, isNew] = numbers.try_emplace({a, b}, values.size());
  if (isNew) {
    Type type = a && b ? commonType(a.getType(), b.getType()) : a ? a.getType() : b.getType();
    if (!type) {
      std::string text;
      llvm::raw_string_ostream(text) << "the arms give " << a.getType() << " and " << b.getType();
      return (void)fail(text), std::nullopt;
    }
    values.push_back({a, b, type});
  }
  if (!result)
    return Value();
  Value merged = result.getResult(it->second);
  if (a && b)
    setSizes(merged, a, b);
  return merged;
}

/// Sizes that agree and are known outside stay known.
void ArmsJoin::setSizes(Value merged, Value onThen, Value onElse) {
  auto type = dyn_cast<RankedTensorType>(merged.getType());
  if (!type || type.hasStaticShape() || behind.sizes.count(merged))
    return;
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim : llvm::seq<int64_t>(0, type.getRank())) {
    if (!type.isDynamicDim(dim)) {
      sizes.push_back(w.b.getIndexAttr(type.getDimSize(dim)));
      continue;
    }
    OpFoldResult x = inState(left, [&] { return w.sizeOf(onThen, dim); });
    OpFoldResult y = inState(right, [&] { return w.sizeOf(onElse, dim); });
    auto xv = dyn_cast<Value>(x), yv = dyn_cast<Value>(y);
    if (xv && yv && outside(xv) && sameComputation(xv, yv))
      sizes.push_back(x);
    else
      sizes.push_back(w.dimOf(merged, dim));
  }
  behind.sizes[merged] = sizes;
}

Value ArmsJoin::read(State &side, const SpecValue &tensor) {
  OpBuilder::InsertionGuard guard(w.b);
  if (!result)
    w.b.setInsertionPointToEnd(&side == &left ? thenLeaf.block : elseLeaf.block);
  return inState(side, [&] { return w.readTensor(tensor); });
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

/// Whether the program still uses a cell, or one of the arms gives it.
bool ArmsJoin::isReachable(CellId id) {
  auto given = [&](State &side, ArrayRef<SpecValue> yields) {
    llvm::DenseSet<CellId> seen;
    return inState(side, [&] {
      return llvm::any_of(yields,
                          [&](const SpecValue &value) { return w.reaches(value, id, seen); });
    });
  };
  return given(left, thenLeaf.yields) || given(right, elseLeaf.yields) ||
         inState(left, [&] { return w.isLive(id); });
}

bool ArmsJoin::joinCell(CellId id) {
  CellRef a = inState(left, [&] { return w.cellRef(id); });
  CellRef b = inState(right, [&] { return w.cellRef(id); });
  if (a == b || !a || !b) {
    behind.heap.set(id, a && b ? a : nullptr);
    return true;
  }
  Cell cell = *a;
  if (!joinContents(id, cell, *b)) {
    // What nobody can reach any more need not agree.
    if (cell.kind == Cell::Kind::Object || isReachable(id))
      return false;
    why.clear();
    cell = *a;
    cell.count = cell.box = nullptr;
    cell.elements.assign(1, SpecValue::unknown());
  }
  behind.heap.set(id, std::move(cell));
  return true;
}

bool ArmsJoin::joinHeap() {
  for (CellId id = 0; id < watermark; ++id)
    if (!joinCell(id))
      return false;
  // Of the archive, first seen in an arm.
  for (auto &entry : w.pristine)
    if (entry.first >= watermark &&
        (left.heap.lookup(entry.first) || right.heap.lookup(entry.first)))
      if (!joinCell(entry.first))
        return false;
  return true;
}

/// Loops in the arms have had trips.
bool ArmsJoin::joinEpochs() {
  if (!left.epoch && !right.epoch)
    return true;
  Value zero = w.constant(w.b.getI64IntegerAttr(0));
  std::optional<Value> epoch =
      merge(left.epoch ? left.epoch : zero, right.epoch ? right.epoch : zero);
  if (epoch)
    behind.epoch = *epoch;
  return epoch.has_value();
}

/// Names, and what is known of sizes and conditions on both sides.
void ArmsJoin::joinKnowledge() {
  for (auto &[written, value] : left.env) {
    auto other = right.env.find(written);
    if (other != right.env.end() && value.same(other->second))
      behind.env[written] = value;
  }
  for (auto &[key, view] : left.views) {
    auto other = right.views.find(key);
    if (other != right.views.end() && other->second.view == view.view &&
        other->second.base == view.base)
      behind.views[key] = view;
  }
  for (auto &[tensor, sizes] : left.sizes)
    if (outside(tensor) && outside(sizes))
      behind.sizes.try_emplace(tensor, sizes);
  for (auto &fact : left.conditions)
    if (llvm::is_contained(right.conditions, fact))
      behind.conditions.push_back(fact);
  for (auto &fact : left.equalities)
    if (llvm::is_contained(right.equalities, fact))
      behind.equalities.push_back(fact);
}

bool ArmsJoin::run() {
  pairs.clear();
  yields.clear();
  behind = State();
  if (!joinHeap())
    return false;
  for (auto [x, y] : llvm::zip_equal(thenLeaf.yields, elseLeaf.yields)) {
    std::optional<SpecValue> value = join(x, y);
    if (!value)
      return false;
    yields.push_back(*value);
  }
  if (!joinEpochs())
    return false;
  if (result)
    joinKnowledge();
  return true;
}

void ArmsJoin::finish() {
  OpBuilder::InsertionGuard guard(w.b);
  w.b.setInsertionPoint(ifOp);
  SmallVector<Type> types;
  for (Yield &yield : values)
    types.push_back(yield.type);
  Location loc = ifOp.getLoc();
  result = IfOp::create(w.b, loc, types, ifOp.getCondition());
  for (bool isThen : {true, false}) {
    w.b.setInsertionPointToEnd(isThen ? thenLeaf.block : elseLeaf.block);
    SmallVector<Value> operands;
    for (Yield &yield : values) {
      Value value = isThen ? yield.onThen : yield.onElse;
      operands.push_back(w.converted(value ? value : w.anyValue(yield.type), yield.type));
    }
    YieldOp::create(w.b, loc, operands);
  }
  result.getThenRegion().takeBody(ifOp.getThenRegion());
  result.getElseRegion().takeBody(ifOp.getElseRegion());
}

OutcomePtr ArmsJoin::makeLeaf() {
  auto leaf = std::make_unique<Outcome>();
  leaf->kind = Outcome::Kind::Leaf;
  leaf->block = result->getBlock();
  leaf->state = std::move(behind);
  leaf->yields = std::move(yields);
  w.b.setInsertionPointToEnd(leaf->block);
  ifOp->erase();
  return leaf;
}

OutcomePtr Walker::join(Outcome &branch) {
  if (keepOpen.contains(current)) {
    branch.whyOpen = "a tensor or container is written that is another one in each arm";
    return nullptr;
  }
  ArmsJoin joiner(*this, branch);
  if (!joiner.run()) {
    branch.whyOpen = joiner.why;
    return nullptr;
  }
  joiner.finish();
  [[maybe_unused]] bool again = joiner.run();
  assert(again && "the second run sees what the first one saw");
  return joiner.makeLeaf();
}
