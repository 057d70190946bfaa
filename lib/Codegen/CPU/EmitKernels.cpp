//===- EmitKernels.cpp - Structured operations become vectorised loops ----===//
#include "TorchLite/Codegen/CPU/KernelEmitter.h"
#include "TorchLite/Codegen/CPU/Passes.h"
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
      SmallVector<Operation *> roots;
      getOperation().walk([&](linalg::LinalgOp op) {
        if ((op.getNumReductionLoops() > 0) == reductions)
          roots.push_back(op);
      });
      for (Operation *root : roots)
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
    if (root->use_empty())
      return;
    std::string reason;
    FailureOr<KernelGroup> group = matchKernelGroup(root, reason);
    FailureOr<KernelPlan> plan = failure();
    if (succeeded(group))
      plan = planKernel(*group, *info, reason);
    if (failed(plan)) {
      ++numLeft;
      if (report)
        root.emitRemark() << "left to the general path: " << reason;
      return;
    }
    if (!parallel)
      plan->parallel = false;
    Operation *last = group->last().op;
    OpBuilder builder(last);
    Value result = emitKernel(builder, *group, *plan);
    last->getResult(0).replaceAllUsesWith(result);
    last->erase();
    if (group->epilogue)
      root->erase();
    ++numKernels;
    numParallel += plan->parallel;
  }

  const TargetInfo *info = nullptr;
};

} // namespace
} // namespace torchlite::cpu
