//===- GeneralizeTranspositions.cpp - So that they merge with others ------===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_GENERALIZETRANSPOSITIONS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

struct GeneralizeTranspositions : impl::GeneralizeTranspositionsBase<GeneralizeTranspositions> {
  void runOnOperation() override {
    SmallVector<linalg::TransposeOp> ops;
    getOperation().walk([&](linalg::TransposeOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::TransposeOp op : ops) {
      rewriter.setInsertionPoint(op);
      if (failed(linalg::generalizeNamedOp(rewriter, op)))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace torchlite::nvgpu
