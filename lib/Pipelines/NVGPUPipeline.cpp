//===- NVGPUPipeline.cpp - From linalg to kernels and host code -----------===//
#include "TorchLite/Pipelines/NVGPUPipeline.h"

#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace torchlite {

/// Simplifies, merges elementwise operations, and gives results their place.
static void prepare(OpPassManager &manager) {
  manager.addNestedPass<func::FuncOp>(createShareBoxes({/*refuse=*/true}));
  manager.addPass(createCanonicalizer());
  manager.addPass(createCSEPass());
  manager.addNestedPass<func::FuncOp>(createFoldConstantLayout());
  manager.addNestedPass<func::FuncOp>(nvgpu::createGeneralizeTranspositions());
  manager.addNestedPass<func::FuncOp>(createFuseElementwise());
  manager.addPass(createCSEPass());
  manager.addNestedPass<func::FuncOp>(createBindFrame());
}

/// The architecture of functions that there is one version of.
static std::string onlyArch(const NVGPUPipelineOptions &options) {
  return options.archs.empty() ? "sm_80" : options.archs.front();
}

/// Structured operations become kernels, still on tensors. What follows depends on the
/// architecture.
static void formKernels(OpPassManager &manager, const NVGPUPipelineOptions &options) {
  if (options.archs.size() > 1) {
    nvgpu::VersionFunctionsOptions version;
    version.archs.assign(options.archs.begin(), options.archs.end());
    manager.addPass(nvgpu::createVersionFunctions(version));
  }
  nvgpu::SplitReductionsOptions split;
  split.arch = onlyArch(options);
  manager.addNestedPass<func::FuncOp>(nvgpu::createSplitReductions(split));
  manager.addNestedPass<func::FuncOp>(nvgpu::createDeferChecks());
  manager.addNestedPass<func::FuncOp>(nvgpu::createOutlineLoops());
  manager.addNestedPass<func::FuncOp>(nvgpu::createFormKernels());
  manager.addPass(createCSEPass());
}

/// Tensors become the device's buffers, each with its place.
static void bufferize(OpPassManager &manager) {
  manager.addPass(createBufferize());
  manager.addNestedPass<func::FuncOp>(createVerifyBuffers());
  manager.addNestedPass<func::FuncOp>(createResolveReshapes());
  manager.addPass(createCanonicalizer());
  manager.addPass(createCSEPass());
  manager.addPass(memref::createFoldMemRefAliasOpsPass());
  // The device has no constants of the code: all of them are uploaded.
  PackConstantsOptions pack;
  pack.minBytes = 0;
  manager.addPass(createPackConstants(pack));
  manager.addPass(createPlanMemory());
  manager.addNestedPass<func::FuncOp>(nvgpu::createBindDevice());
}

/// Kernels become launches.
static void emitKernels(OpPassManager &manager, const NVGPUPipelineOptions &options) {
  nvgpu::EmitKernelsOptions emit;
  emit.arch = onlyArch(options);
  emit.precision = options.precision;
  emit.only = options.strategy;
  emit.report = options.report;
  manager.addNestedPass<func::FuncOp>(nvgpu::createEmitKernels(emit));
  manager.addPass(createCanonicalizer());
  manager.addPass(createCSEPass());
}

/// Launches become calls of kernels; architectures with equal kernels share them. What is left of
/// dynamic buffers is freed after its last use.
static void outlineKernels(OpPassManager &manager, const NVGPUPipelineOptions &options) {
  manager.addPass(nvgpu::createOutlineKernels());
  manager.addPass(createCanonicalizer());
  if (options.archs.size() > 1)
    manager.addPass(nvgpu::createMergeVersions());
  manager.addNestedPass<func::FuncOp>(nvgpu::createFreeBuffers());
}

/// Loops, branches and calls of the runtime on the host.
static void lowerHost(OpPassManager &manager) {
  auto &functions = manager.nest<func::FuncOp>();
  functions.addPass(createExpandMath());
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(createLowerAffinePass());
  functions.addPass(arith::createArithExpandOpsPass());
  functions.addPass(createSCFToControlFlowPass());
  LowerRuntimeOptions runtime;
  runtime.device = true;
  manager.addPass(createLowerRuntime(runtime));
  manager.addPass(createLowerToLLVM());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void buildNVGPUPipeline(OpPassManager &manager, const NVGPUPipelineOptions &options) {
  prepare(manager);
  formKernels(manager, options);
  if (options.stage == "kernels")
    return;
  bufferize(manager);
  if (options.stage == "buffers")
    return;
  emitKernels(manager, options);
  if (options.stage == "launches")
    return;
  outlineKernels(manager, options);
  if (options.stage == "gpu")
    return;
  manager.addNestedPass<gpu::GPUModuleOp>(nvgpu::createLowerKernels());
  lowerHost(manager);
}

void registerNVGPUPipeline() {
  static PassPipelineRegistration<NVGPUPipelineOptions> registration(
      "tl-nvgpu-pipeline", "From linalg on tensors to kernels for NVIDIA GPUs and their host code",
      [](OpPassManager &manager, const NVGPUPipelineOptions &options) {
        buildNVGPUPipeline(manager, options);
      });
}

} // namespace torchlite
