//===- CPUPipeline.cpp - From linalg to the LLVM dialect on CPUs ----------===//
#include "TorchLite/Pipelines/CPUPipeline.h"

#include "TorchLite/Codegen/CPU/KernelPipeline.h"
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace torchlite {

/// Simplifies, merges elementwise operations, and gives results their place.
static void prepare(OpPassManager &manager) {
  manager.addNestedPass<func::FuncOp>(createExpandRowsPass());
  manager.addPass(createCanonicalizer());
  manager.addPass(createCSEPass());
  manager.addNestedPass<func::FuncOp>(createFuseElementwise());
  manager.addPass(createCSEPass());
  manager.addNestedPass<func::FuncOp>(createBindFrame());
}

/// Tensors become buffers.
static void bufferize(OpPassManager &manager) {
  manager.addNestedPass<func::FuncOp>(createShareBoxes());
  manager.addPass(createBufferize());
  manager.addNestedPass<func::FuncOp>(createVerifyBuffers());
  manager.addNestedPass<func::FuncOp>(createResolveReshapes());
  manager.addPass(createCanonicalizer());
  manager.addPass(createCSEPass());
  manager.addPass(memref::createFoldMemRefAliasOpsPass());
  manager.addPass(createPackConstants());
}

/// Buffers of known size get their place in the arena.
static void planMemory(OpPassManager &manager) { manager.addPass(createPlanMemory()); }

/// What is left of dynamic buffers is freed after its last use.
static void freeMemory(OpPassManager &manager, bool separateBuffers) {
  manager.addPass(bufferization::createOwnershipBasedBufferDeallocationPass());
  manager.addPass(createCanonicalizer());
  manager.addPass(bufferization::createBufferDeallocationSimplificationPass());
  manager.addPass(bufferization::createLowerDeallocationsPass());
  manager.addPass(createConvertBufferizationToMemRefPass());
  if (!separateBuffers)
    manager.addNestedPass<func::FuncOp>(cpu::createStackBuffers());
}

/// Large work is cut into pieces; parallel loops become calls of the runtime.
static void parallelize(OpPassManager &manager, StringRef target) {
  cpu::ExpandMatricesOptions matrices;
  matrices.target = target.str();
  manager.addNestedPass<func::FuncOp>(cpu::createExpandMatrices(matrices));
  manager.addNestedPass<func::FuncOp>(cpu::createExpandCopies());
  manager.addNestedPass<func::FuncOp>(cpu::createParallelize());
  manager.addPass(cpu::createOutlineParallel());
}

/// Loops, branches, LLVM.
static void lower(OpPassManager &manager, const cpu::TargetSpec &target) {
  auto &loops = manager.nest<func::FuncOp>();
  loops.addPass(cpu::createExpandCopies()); // of the clones that deallocation may have made
  loops.addPass(cpu::createLowerStructured());
  loops.addPass(createForallToForLoopPass());
  loops.addPass(createConvertVectorToSCFPass());
  manager.addPass(cpu::createShareMath());
  auto &functions = manager.nest<func::FuncOp>();
  cpu::ExpandFloatsOptions floats;
  // x86-64 has had the conversions since F16C, AArch64 always.
  bool converts = StringRef(target.triple).starts_with("aarch64");
  floats.integerConversions = !converts;
  functions.addPass(cpu::createExpandFloats(floats));
  functions.addPass(createExpandMath());
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(createLowerAffinePass());
  // After affine: its floordiv becomes arith.floordivsi, which has to be expanded.
  functions.addPass(arith::createArithExpandOpsPass());
  functions.addPass(createSCFToControlFlowPass());
  manager.addPass(createCanonicalizer());
  manager.addPass(createCSEPass());
  manager.addPass(createLowerRuntime());
  manager.addPass(createLowerToLLVM());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void buildCPUPipeline(OpPassManager &manager, const cpu::TargetSpec &target,
                      const cpu::TargetInfo &info, bool kernels, bool separateBuffers) {
  prepare(manager);
  if (kernels)
    cpu::buildKernelPipeline(manager, info.name);
  bufferize(manager);
  if (!separateBuffers)
    planMemory(manager);
  parallelize(manager, info.name);
  freeMemory(manager, separateBuffers);
  lower(manager, target);
}

void registerCPUPipeline() {
  // Not a PassPipelineRegistration: that has no way to refuse a target.
  registerPassPipeline(
      "tl-cpu-pipeline", "From linalg on tensors to the LLVM dialect for a CPU",
      [](OpPassManager &manager, StringRef text, function_ref<LogicalResult(const Twine &)> fail) {
        CPUPipelineOptions options;
        if (failed(options.parseFromString(text)))
          return failure();
        MLIRContext context;
        std::string message = "unknown target";
        ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
          message = diagnostic.str();
          return success();
        });
        Location loc = UnknownLoc::get(&context);
        FailureOr<cpu::TargetSpec> target =
            cpu::resolveTarget({options.triple, options.cpu, options.features}, loc);
        FailureOr<const cpu::TargetInfo *> info = failure();
        if (succeeded(target))
          info = cpu::getTargetInfo(*target, loc);
        if (failed(info))
          return fail("tl-cpu-pipeline: " + message);
        buildCPUPipeline(manager, *target, **info, options.kernels, options.separateBuffers);
        return success();
      },
      [](function_ref<void(const detail::PassOptions &)> callback) {
        callback(CPUPipelineOptions());
      });
}

} // namespace torchlite
