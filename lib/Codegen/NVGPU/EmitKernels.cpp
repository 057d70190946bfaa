//===- EmitKernels.cpp - Kernels on buffers become launches ---------------===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "llvm/ADT/StringExtras.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_EMITKERNELS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

struct EmitKernels : impl::EmitKernelsBase<EmitKernels> {
  using EmitKernelsBase::EmitKernelsBase;

  LogicalResult initialize(MLIRContext *context) override {
    info = lookupTargetInfo(arch);
    if (!info)
      return emitError(UnknownLoc::get(context))
             << "unknown architecture '" << arch << "': expected "
             << llvm::join(targetNames(), ", ");
    std::optional<Precision> parsed = parsePrecision(precision);
    if (!parsed)
      return emitError(UnknownLoc::get(context))
             << "unknown precision '" << precision << "': expected f32, tf32, f16 or bf16";
    chosen = *parsed;
    return success();
  }

  void runOnOperation() override {
    SmallVector<rt::KernelOp> kernels;
    getOperation().walk([&](rt::KernelOp kernel) { kernels.push_back(kernel); });
    for (rt::KernelOp kernel : kernels)
      if (failed(emit(kernel)))
        return signalPassFailure();
  }

private:
  LogicalResult emit(rt::KernelOp kernel) {
    EmitOptions options{getTargetInfo(getOperation(), *info), chosen};
    std::string reasons;
    for (const Strategy &strategy : strategies()) {
      if (!only.empty() && strategy.name != only)
        continue;
      OpBuilder builder(kernel);
      std::string reason;
      if (succeeded(strategy.emit(builder, kernel, options, reason))) {
        if (report)
          kernel.emitRemark() << "kernel '" << kernel.getName() << "' by strategy '"
                              << strategy.name << "'" << (reasons.empty() ? "" : "; ") << reasons;
        kernel->erase();
        ++numKernels;
        return success();
      }
      reasons += (reasons.empty() ? "" : "; ") + strategy.name.str() + ": " + reason;
    }
    return kernel.emitError("no strategy for kernel '") << kernel.getName() << "': " << reasons;
  }

  const TargetInfo *info = nullptr;
  Precision chosen = Precision::F32;
};

} // namespace
} // namespace torchlite::nvgpu
