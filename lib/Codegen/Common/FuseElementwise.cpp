//===- FuseElementwise.cpp - Merge chains of elementwise operations -------===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace torchlite {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

/// Whether the producer of `operand` may move into its reader.
bool mayFuse(OpOperand *operand) {
  auto reader = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  return reader && reader.getNumReductionLoops() == 0 && operand->get().hasOneUse();
}

int64_t countLinalgOps(func::FuncOp function) {
  int64_t count = 0;
  function.walk([&](linalg::LinalgOp) { ++count; });
  return count;
}

struct FuseElementwise : impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    int64_t before = countLinalgOps(function);
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, mayFuse);
    if (failed(applyPatternsGreedily(function, std::move(patterns))))
      return signalPassFailure();
    numMerged += before - countLinalgOps(function);
  }
};

} // namespace
} // namespace torchlite
