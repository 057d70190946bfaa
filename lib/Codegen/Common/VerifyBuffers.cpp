//===- VerifyBuffers.cpp - Every result in its own buffer -----------------===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace torchlite {
#define GEN_PASS_DEF_VERIFYBUFFERS
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

/// Adds what `use` hands on: other names of the same buffer.
void addNames(OpOperand &use, function_ref<void(Value)> add) {
  Operation *user = use.getOwner();
  unsigned number = use.getOperandNumber();
  if (auto loop = dyn_cast<scf::ForOp>(user)) {
    add(loop.getTiedLoopResult(&use));
    add(loop.getTiedLoopRegionIterArg(&use));
  } else if (auto loop = dyn_cast<scf::WhileOp>(user)) {
    add(loop.getBeforeArguments()[number]);
  } else if (auto condition = dyn_cast<scf::ConditionOp>(user)) {
    auto loop = cast<scf::WhileOp>(condition->getParentOp());
    if (number) {
      add(loop.getResult(number - 1));
      add(loop.getAfterArguments()[number - 1]);
    }
  } else if (auto yield = dyn_cast<scf::YieldOp>(user)) {
    Operation *parent = yield->getParentOp();
    if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
      add(loop.getBeforeArguments()[number]);
      return;
    }
    add(parent->getResult(number));
    if (auto loop = dyn_cast<scf::ForOp>(parent))
      add(loop.getRegionIterArg(number));
  } else {
    // A view; whoever is not known may hand on what it gets.
    for (Value result : user->getResults())
      add(result);
  }
}

/// All names of `buffer`.
DenseSet<Value> namesOf(Value buffer) {
  DenseSet<Value> names;
  SmallVector<Value> pending;
  auto add = [&](Value value) {
    if (isa<BaseMemRefType>(value.getType()) && names.insert(value).second)
      pending.push_back(value);
  };
  add(buffer);
  while (!pending.empty())
    for (OpOperand &use : pending.pop_back_val().getUses())
      addNames(use, add);
  return names;
}

/// Whether the operation looks at, or changes, what is in a buffer that it gets.
bool touches(Operation *op) {
  return !isa<ViewLikeOpInterface, LoopLikeOpInterface, memref::DimOp>(op) &&
         !op->hasTrait<OpTrait::IsTerminator>();
}

struct VerifyBuffers : impl::VerifyBuffersBase<VerifyBuffers> {
  void runOnOperation() override {
    for (auto output : getOperation().getOps<rt::OutputOp>())
      if (failed(verify(output)))
        return signalPassFailure();
  }

  LogicalResult verify(rt::OutputOp output) {
    DenseSet<Value> names = namesOf(output.getResult());
    // A copy of the whole buffer puts another buffer's value there; of itself, it changes nothing.
    memref::CopyOp final;
    bool written = false;
    for (Operation *user : output->getUsers())
      if (auto copy = dyn_cast<memref::CopyOp>(user);
          copy && copy.getTarget() == output.getResult() && !names.contains(copy.getSource()) &&
          copy->getBlock() == output->getBlock())
        if (!final || final->isBeforeInBlock(copy))
          final = copy;
    for (Value name : names)
      for (Operation *user : name.getUsers()) {
        if (!touches(user))
          continue;
        written |= !onlyReads(user, names);
        Operation *above = output->getBlock()->findAncestorOpInBlock(*user);
        if (final && above && final->isBeforeInBlock(above) && !isCopyOfItself(user, names)) {
          auto error = output.emitOpError("holds result ")
                       << output.getIndex() << " and, before, another value that is still used";
          error.attachNote(user->getLoc()) << "used here";
          error.attachNote(final.getLoc()) << "the result is copied here";
          return error;
        }
      }
    if (!written && !isEmpty(output))
      return output.emitOpError("expected result ") << output.getIndex() << " to be written";
    return success();
  }

  static bool isEmpty(rt::OutputOp output) {
    auto type = dyn_cast<MemRefType>(output.getResult().getType());
    return type && llvm::is_contained(type.getShape(), 0);
  }

  /// Bufferization leaves such copies where a value was made in its result's buffer.
  static bool isCopyOfItself(Operation *op, const DenseSet<Value> &names) {
    auto copy = dyn_cast<memref::CopyOp>(op);
    return copy && names.contains(copy.getSource()) && names.contains(copy.getTarget());
  }

  /// Whether the operation certainly does not write to one of the buffer's names.
  static bool onlyReads(Operation *op, const DenseSet<Value> &names) {
    if (auto copy = dyn_cast<memref::CopyOp>(op))
      return !names.contains(copy.getTarget()) || names.contains(copy.getSource());
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
      return llvm::none_of(destination.getDpsInits(),
                           [&](Value init) { return names.contains(init); });
    return isa<memref::LoadOp>(op);
  }
};

} // namespace
} // namespace torchlite
