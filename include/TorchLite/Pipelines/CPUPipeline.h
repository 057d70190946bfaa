//===- CPUPipeline.h - From linalg to the LLVM dialect on CPUs --*- C++ -*-===//
#ifndef TORCHLITE_PIPELINES_CPUPIPELINE_H
#define TORCHLITE_PIPELINES_CPUPIPELINE_H

#include "TorchLite/Codegen/CPU/ObjectEmitter.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir {
class OpPassManager;
}

namespace torchlite {

struct CPUPipelineOptions : public mlir::PassPipelineOptions<CPUPipelineOptions> {
  Option<std::string> triple{*this, "target-triple",
                             llvm::cl::desc("What to compile for; default: this machine's")};
  Option<std::string> cpu{
      *this, "target-cpu",
      llvm::cl::desc("Processor; default: the triple's baseline; `native`: this machine's")};
  Option<std::string> features{*this, "target-features",
                               llvm::cl::desc("Features to add or remove, such as +avx2,-fma")};
  Option<bool> kernels{*this, "kernels",
                       llvm::cl::desc("Vectorised kernels; without, plain loops as a reference"),
                       llvm::cl::init(true)};
  Option<bool> separateBuffers{
      *this, "separate-buffers",
      llvm::cl::desc("Memory of its own for every buffer instead of one arena, for sanitizers")};
};

/// From functions on linalg, tensor, scf, arith, math (with the attribute `tl.method` on entry
/// functions) to the LLVM dialect. `target` is resolved (see resolveTarget). Without
/// `kernels` every operation becomes plain loops, for comparison. With `separateBuffers` every
/// buffer is allocated and freed, so that a sanitizer sees where it ends.
void buildCPUPipeline(mlir::OpPassManager &manager, const cpu::TargetSpec &target,
                      const cpu::TargetInfo &info, bool kernels = true,
                      bool separateBuffers = false);

/// Registers `--tl-cpu-pipeline`.
void registerCPUPipeline();

} // namespace torchlite

#endif // TORCHLITE_PIPELINES_CPUPIPELINE_H
