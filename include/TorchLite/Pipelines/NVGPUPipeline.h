//===- NVGPUPipeline.h - From linalg to kernels and host code ---*- C++ -*-===//
#ifndef TORCHLITE_PIPELINES_NVGPUPIPELINE_H
#define TORCHLITE_PIPELINES_NVGPUPIPELINE_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class OpPassManager;
}

namespace torchlite {

struct NVGPUPipelineOptions : public mlir::PassPipelineOptions<NVGPUPipelineOptions> {
  ListOption<std::string> archs{
      *this, "arch",
      llvm::cl::desc(
          "Architectures that kernels are made for: those that they come out the same for "
          "share them; default: sm_80")};
  Option<std::string> precision{
      *this, "precision",
      llvm::cl::desc("What products of f32 matrices are computed in: f32, tf32, f16, bf16"),
      llvm::cl::init("f32")};
  Option<std::string> strategy{*this, "strategy", llvm::cl::desc("Try this strategy only")};
  Option<std::string> stage{
      *this, "stage",
      llvm::cl::desc(
          "Where to stop: kernels (tlrt.kernel on tensors), buffers (on buffers), launches "
          "(gpu.launch), gpu (gpu.module and host code on buffers), llvm (default)"),
      llvm::cl::init("llvm")};
  Option<bool> report{*this, "report", llvm::cl::desc("A remark for each kernel"),
                      llvm::cl::init(false)};
};

/// From functions on linalg, tensor, scf, arith, math (with the attribute `tl.method` on entry
/// functions) to host code in the LLVM dialect and `gpu.module @tl_kernels` in the LLVM dialect
/// with NVVM.
void buildNVGPUPipeline(mlir::OpPassManager &manager, const NVGPUPipelineOptions &options);

/// Registers `--tl-nvgpu-pipeline`.
void registerNVGPUPipeline();

} // namespace torchlite

#endif // TORCHLITE_PIPELINES_NVGPUPIPELINE_H
