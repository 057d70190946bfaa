//===- KernelPipeline.cpp - From linalg to kernels ------------------------===//
#include "TorchLite/Codegen/CPU/KernelPipeline.h"
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace torchlite::cpu {

void buildKernelPipeline(OpPassManager &manager, StringRef target) {
  // Constants first, so that weights are constants when it comes to packing.
  manager.addNestedPass<func::FuncOp>(createFoldConstantLayout());
  manager.addNestedPass<func::FuncOp>(createFuseElementwise());
  PackPanelsOptions pack;
  pack.target = target.str();
  manager.addNestedPass<func::FuncOp>(createPackPanels(pack));
  manager.addNestedPass<func::FuncOp>(createTransposeOperands());
  // No canonicalization between padding and outlining: it would look through the padded buffer to
  // what was written there, and two values would fight for one buffer.
  manager.addPass(createPadInPlace());
  OutlineGroupsOptions outline;
  outline.target = target.str();
  manager.addPass(createOutlineGroups(outline));
  EmitKernelsOptions emit;
  emit.target = target.str();
  manager.addNestedPass<func::FuncOp>(createEmitKernels(emit));
  manager.addPass(createCanonicalizer());
  manager.addPass(createCSEPass());
}

void registerKernelPipeline() {
  static PassPipelineRegistration<KernelPipelineOptions> registration(
      "tl-cpu-kernels", "Turn linalg on tensors into vectorised kernels",
      [](OpPassManager &manager, const KernelPipelineOptions &options) {
        buildKernelPipeline(manager, options.target);
      });
}

} // namespace torchlite::cpu
