//===- KernelPipeline.h - From linalg to kernels ----------------*- C++ -*-===//
#ifndef TORCHLITE_CODEGEN_CPU_KERNELPIPELINE_H
#define TORCHLITE_CODEGEN_CPU_KERNELPIPELINE_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class OpPassManager;
}

namespace torchlite::cpu {

struct KernelPipelineOptions : mlir::PassPipelineOptions<KernelPipelineOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("Row of the target table (avx512)"),
                             llvm::cl::init("avx512")};
};

/// Adds the passes that turn structured operations on tensors into vectorised kernels, for a module
/// of functions on builtin types. What they do not cover stays as it is.
void buildKernelPipeline(mlir::OpPassManager &manager, llvm::StringRef target);

/// Registers `--tl-cpu-kernels`.
void registerKernelPipeline();

} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_KERNELPIPELINE_H
