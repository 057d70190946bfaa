//===- EmitKernels.cpp - Structured operations become vectorised loops ----===//
#include "TorchLite/Codegen/CPU/KernelEmitter.h"
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/CPU/RowKernelEmitter.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_EMITKERNELS
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

struct EmitKernels : impl::EmitKernelsBase<EmitKernels> {
  using EmitKernelsBase::EmitKernelsBase;

  LogicalResult initialize(MLIRContext *context) override {
    info = lookupTargetInfo(target);
    if (info)
      return success();
    return emitError(UnknownLoc::get(context))
           << "expected target avx512, avx2, sse, neon or scalar, got '" << target << "'";
  }

  void runOnOperation() override {
    // Reductions first: they take the elementwise operations around them along.
    for (bool reductions : {true, false}) {
      erased.clear();
      SmallVector<Operation *> roots;
      getOperation().walk([&](linalg::LinalgOp op) {
        if ((op.getNumReductionLoops() > 0) == reductions)
          roots.push_back(op);
      });
      for (Operation *root : roots)
        if (!erased.contains(root) && !root->use_empty())
          emit(cast<linalg::LinalgOp>(root));
    }
    // What the kernels computed for themselves has no reader left.
    bool changed = true;
    while (changed) {
      changed = false;
      getOperation().walk([&](linalg::LinalgOp op) {
        if (op.hasPureTensorSemantics() && op->use_empty()) {
          op->erase();
          changed = true;
        }
      });
    }
  }

private:
  void emit(linalg::LinalgOp root) {
    std::string reason;
    if (FailureOr<PlannedGroup> planned = planGroup(root, *info, reason); succeeded(planned)) {
      auto &[group, plan] = *planned;
      if (!parallel)
        plan.parallel = false;
      OpBuilder builder(group.last().op);
      Value result = emitKernel(builder, group, plan);
      SmallVector<Operation *> ops{root};
      if (group.epilogue)
        ops.push_back(group.epilogue->op);
      return replace(ops, result);
    }
    std::string rowReason;
    FailureOr<RowKernel> rows = matchRowKernel(root, rowReason);
    if (succeeded(rows)) {
      OpBuilder builder(rows->last());
      Value result = emitRowKernel(builder, *rows, *info, parallel);
      SmallVector<Operation *> ops(rows->ops.begin(), rows->ops.end());
      return replace(ops, result);
    }
    ++numLeft;
    if (report)
      root.emitRemark() << "left to the general path: " << reason << ", or " << rowReason;
  }

  /// `ops`, in order, are what `result` replaces.
  void replace(ArrayRef<Operation *> ops, Value result) {
    ops.back()->getResult(0).replaceAllUsesWith(result);
    for (Operation *op : llvm::reverse(ops)) {
      erased.insert(op);
      op->erase();
    }
    ++numKernels;
    numParallel += result.getDefiningOp<scf::ForallOp>() != nullptr;
  }

  DenseSet<Operation *> erased;
  const TargetInfo *info = nullptr;
};

} // namespace
} // namespace torchlite::cpu
