//===- InitAll.h - Registers all of TorchLite -------------------*- C++ -*-===//
//
// What every tool that reads or transforms TorchLite's IR registers, MLIR's own parts included.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_INITALL_H
#define TORCHLITE_INITALL_H

#include "TorchLite/Codegen/CPU/KernelPipeline.h"
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Conversion/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "TorchLite/Dialect/TorchLite/Optimize/Passes.h"
#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h"
#include "TorchLite/Driver/Passes.h"
#include "TorchLite/Pipelines/CPUPipeline.h"
#include "TorchLite/Pipelines/NVGPUPipeline.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

namespace torchlite {

inline void registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  nvgpu::registerLaunchEffects(registry);
  registry.insert<rt::RuntimeDialect>();
  registry.insert<tl::TorchLiteDialect>();
}

inline void registerAllPasses() {
  mlir::registerAllPasses();
  cpu::registerCPUCodegenPasses();
  cpu::registerKernelPipeline();
  registerCommonCodegenPasses();
  nvgpu::registerNVGPUCodegenPasses();
  registerConversionPasses();
  tl::registerOptimizePasses();
  driver::registerDriverPasses();
  registerCPUPipeline();
  registerNVGPUPipeline();
  tl::registerTransformsPasses();
}

} // namespace torchlite

#endif // TORCHLITE_INITALL_H
