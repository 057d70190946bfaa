//===- EmitImage.cpp - Write PTX or machine code from tl-opt --------------===//
#include "TorchLite/Codegen/NVGPU/KernelCompiler.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_EMITIMAGE
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

struct EmitImage : impl::EmitImageBase<EmitImage> {
  using Base::Base;

  void getDependentDialects(DialectRegistry &registry) const override {
    Base::getDependentDialects(registry);
    registerKernelTranslation(registry);
  }

  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (failed(emit(getOperation())))
      signalPassFailure();
  }

private:
  LogicalResult emit(gpu::GPUModuleOp module) {
    Location loc = module.getLoc();
    FailureOr<const Architecture *> architecture = lookupArchitecture(arch, loc);
    if (failed(architecture))
      return failure();
    FailureOr<Toolkit> toolkit = findToolkit(cudaPath, loc);
    if (failed(toolkit))
      return failure();
    KernelCompiler compiler(*toolkit);
    bool isLLVM = StringRef(output).ends_with(".ll");
    bool isCubin = StringRef(output).ends_with(".cubin");

    std::error_code error;
    llvm::ToolOutputFile file(output, error, llvm::sys::fs::OF_None);
    if (error)
      return emitError(loc, "cannot write '") << output << "': " << error.message();
    if (isLLVM) {
      llvm::LLVMContext context;
      auto optimized = compiler.optimize(module, **architecture, context);
      if (failed(optimized))
        return failure();
      (*optimized)->print(file.os(), nullptr);
      file.keep();
      return success();
    }
    FailureOr<std::string> ptx = compiler.emitPTX(module, **architecture);
    if (failed(ptx))
      return failure();
    if (!isCubin && !report) {
      file.os() << *ptx;
    } else {
      FailureOr<Cubin> cubin = compiler.assemble(*ptx, **architecture, loc);
      if (failed(cubin))
        return failure();
      if (report)
        reportResources(module, **architecture, *cubin);
      file.os() << (isCubin ? cubin->data : *ptx);
    }
    file.keep();
    return success();
  }
};

} // namespace
} // namespace torchlite::nvgpu
