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

/// Operations in the longest body that is made. What a longer one would save, one more pass over
/// memory, is little beside its work; and each step of a merge copies the whole body, so that a
/// chain without limit takes time with its square, here and in all that comes after.
constexpr size_t longestBody = 128;

/// The number of operations in a body, or a larger number than `longestBody`.
size_t bodySize(Operation *op) {
  size_t size = 0;
  for (Operation &inner : op->getRegion(0).front())
    if (++size; size > longestBody || isa<linalg::YieldOp>(inner))
      break;
  return size;
}

/// Whether the producer of `operand` may move into its reader.
bool mayFuse(OpOperand *operand) {
  auto reader = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  if (!reader || reader.getNumReductionLoops() || !operand->get().hasOneUse())
    return false;
  auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
  return producer && bodySize(producer) + bodySize(reader) <= longestBody;
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
    GreedyRewriteConfig config;
    // Bodies have one block each: there is nothing to simplify, and each round would visit them
    // all.
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    config.setMaxIterations(GreedyRewriteConfig::kNoLimit); // each merge leaves one operation less
    if (failed(applyPatternsGreedily(function, std::move(patterns), config)))
      return signalPassFailure();
    numMerged += before - countLinalgOps(function);
  }
};

} // namespace
} // namespace torchlite
