//===- RowKernelMatch.cpp - Which operations work on rows together --------===//
#include "TorchLite/Codegen/Common/KernelGroup.h"
#include "TorchLite/Codegen/Common/RowKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace torchlite {

OpOperand *RowKernel::destination() {
  OpOperand *operand = last().getDpsInitOperand(0);
  auto inside = [&](Operation *op) {
    return op && llvm::any_of(ops, [&](linalg::LinalgOp member) { return member == op; });
  };
  while (inside(operand->get().getDefiningOp()))
    operand = cast<linalg::LinalgOp>(operand->get().getDefiningOp()).getDpsInitOperand(0);
  return operand;
}

namespace {

/// So many operations around a reduction are looked at, the nearest ones.
constexpr size_t maxMembers = 64;

/// Finds the operations around one reduction.
class Matcher {
public:
  explicit Matcher(linalg::LinalgOp seed)
      : seed(seed), rank(seed.getNumLoops() - 1), ranges(seed.getStaticLoopRanges()) {}

  FailureOr<RowKernel> match(std::string &reason) {
    if (!fits(seed) || !isReduction(seed)) {
      reason = "expected a reduction of the last dimension of its operands";
      return failure();
    }
    collect();
    // The latest operation behind which everything else disappears.
    SmallVector<linalg::LinalgOp> ordered;
    for (Operation *op : members)
      ordered.push_back(cast<linalg::LinalgOp>(op));
    llvm::sort(ordered,
               [](linalg::LinalgOp a, linalg::LinalgOp b) { return a->isBeforeInBlock(b); });
    for (linalg::LinalgOp last : llvm::reverse(ordered)) {
      RowKernel kernel;
      kernel.rowRank = rank;
      if (select(last, ordered, kernel.ops))
        return kernel;
    }
    reason = "expected one result with readers outside";
    return failure();
  }

private:
  bool isReduction(linalg::LinalgOp op) const { return op.getNumReductionLoops() == 1; }

  /// The loops `0 .. count - 1` in order.
  static bool isPrefix(AffineMap map, int64_t count) {
    if (int64_t(map.getNumResults()) != count)
      return false;
    for (auto [position, expr] : llvm::enumerate(map.getResults()))
      if (expr != getAffineDimExpr(position, map.getContext()))
        return false;
    return true;
  }

  /// Whether `op` works on the seed's rows: elementwise on rows or on their elements, or a
  /// reduction of the elements.
  bool fits(linalg::LinalgOp op) const {
    if (op->getBlock() != seed->getBlock() || !op.hasPureTensorSemantics() ||
        op.getNumDpsInits() != 1 || op->getNumResults() != 1 || !isVectorizableBody(op))
      return false;
    int64_t loops = op.getNumLoops();
    if (loops != rank && loops != rank + 1)
      return false;
    SmallVector<int64_t> own = op.getStaticLoopRanges();
    for (int64_t loop = 0; loop < loops; ++loop)
      if (own[loop] != ranges[loop])
        return false;
    SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
    for (int64_t loop = 0; loop < loops; ++loop)
      if (kinds[loop] != utils::IteratorType::parallel && loop != rank)
        return false;
    OpOperand *init = op.getDpsInitOperand(0);
    bool reduces = loops == rank + 1 && kinds[rank] == utils::IteratorType::reduction;
    if (!isPrefix(op.getMatchingIndexingMap(init), reduces ? rank : loops))
      return false;
    if (!reduces)
      return !op.payloadUsesValueFromOperand(init);
    return isSupportedReduction(op);
  }

  /// A reduction by one commutative operation, of at least one operand with a place for each
  /// element, read in order.
  bool isSupportedReduction(linalg::LinalgOp op) const {
    Operation *combiner = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
    BlockArgument accumulator = op.getRegionOutputArgs()[0];
    if (!combiner || combiner->getBlock() != op.getBlock() || !accumulator.hasOneUse() ||
        *accumulator.getUsers().begin() != combiner || combiner->getNumOperands() != 2 ||
        !isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
             arith::MinNumFOp, arith::AddIOp, arith::MulIOp, arith::MaxSIOp, arith::MinSIOp,
             arith::MaxUIOp, arith::MinUIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>(combiner))
      return false;
    return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
      return isPrefix(op.getMatchingIndexingMap(operand), rank + 1);
    });
  }

  /// With a row length known only at run time: whether `op` has the members' row length because it
  /// reads, element by element, what a member makes or reads in the same way.
  bool hasRowsOfKnownLength(linalg::LinalgOp op) const {
    if (int64_t(op.getNumLoops()) == rank || !ShapedType::isDynamic(ranges[rank]))
      return true;
    auto isElementwise = [&](linalg::LinalgOp reader, OpOperand *operand) {
      return isPrefix(reader.getMatchingIndexingMap(operand), rank + 1);
    };
    for (OpOperand *operand : op.getDpsInputOperands()) {
      if (!isElementwise(op, operand))
        continue;
      if (members.contains(operand->get().getDefiningOp()))
        return true;
      for (OpOperand &other : operand->get().getUses())
        if (members.contains(other.getOwner()) &&
            isElementwise(cast<linalg::LinalgOp>(other.getOwner()), &other))
          return true;
    }
    // A producer: its result is read by a member.
    for (OpOperand &use : op->getResult(0).getUses())
      if (members.contains(use.getOwner()) &&
          isElementwise(cast<linalg::LinalgOp>(use.getOwner()), &use))
        return true;
    return false;
  }

  /// Whether `op` reads every value of `members` at its own row or element.
  bool readsInPlace(linalg::LinalgOp op) const {
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *producer = operand.get().getDefiningOp();
      if (!producer || !members.contains(producer))
        continue;
      int64_t rank = cast<RankedTensorType>(operand.get().getType()).getRank();
      if (!isPrefix(op.getMatchingIndexingMap(&operand), rank))
        return false;
    }
    return true;
  }

  /// Whether somebody who cannot become a member reads `op`: then it is the last of its kernel or
  /// in none, and what lies behind it is not looked at. Else each reduction of a deep network would
  /// look at the whole of it.
  bool hasReaderOutside(Operation *op) const {
    return llvm::any_of(op->getUsers(), [&](Operation *user) {
      auto reader = dyn_cast<linalg::LinalgOp>(user);
      return !reader || (!members.contains(reader) && !fits(reader));
    });
  }

  void collect() {
    members.insert(seed);
    for (bool changed = true; changed;) {
      changed = false;
      for (unsigned next = 0; next < members.size(); ++next) {
        if (members.size() > maxMembers)
          return;
        Operation *member = members[next];
        if (!hasReaderOutside(member))
          for (Operation *user : member->getUsers())
            if (auto op = cast<linalg::LinalgOp>(user);
                !members.contains(op) && readsInPlace(op) && hasRowsOfKnownLength(op))
              changed |= members.insert(op);
        for (Value operand : member->getOperands()) {
          auto op = operand.getDefiningOp<linalg::LinalgOp>();
          if (!op || members.contains(op) || !fits(op) || isReduction(op) ||
              !hasRowsOfKnownLength(op))
            continue;
          members.insert(op);
          // Producers need not be computed for anybody else, and must be read in place.
          bool useful = llvm::all_of(op->getUsers(), [&](Operation *user) {
            return members.contains(user) && readsInPlace(cast<linalg::LinalgOp>(user));
          });
          if (useful)
            changed = true;
          else
            members.remove(op);
        }
      }
    }
  }

  /// The members that `last` needs, if nobody else needs them.
  bool select(linalg::LinalgOp last, ArrayRef<linalg::LinalgOp> ordered,
              SmallVectorImpl<linalg::LinalgOp> &selected) const {
    llvm::SetVector<Operation *> needed;
    needed.insert(last);
    for (unsigned next = 0; next < needed.size(); ++next)
      for (Value operand : needed[next]->getOperands())
        if (Operation *producer = operand.getDefiningOp())
          if (members.contains(producer))
            needed.insert(producer);
    bool reduces = false;
    for (Operation *op : needed) {
      reduces |= isReduction(cast<linalg::LinalgOp>(op));
      if (op != last &&
          !llvm::all_of(op->getUsers(), [&](Operation *user) { return needed.contains(user); }))
        return false;
    }
    if (!reduces)
      return false;
    for (linalg::LinalgOp op : ordered)
      if (needed.contains(op))
        selected.push_back(op);
    return true;
  }

  linalg::LinalgOp seed;
  int64_t rank;
  SmallVector<int64_t> ranges;
  llvm::SetVector<Operation *> members;
};

} // namespace

FailureOr<RowKernel> matchRowKernel(linalg::LinalgOp seed, std::string &reason) {
  if (seed.getNumReductionLoops() != 1 || !seed.hasPureTensorSemantics()) {
    reason = "expected one reduction loop";
    return failure();
  }
  return Matcher(seed).match(reason);
}

} // namespace torchlite
