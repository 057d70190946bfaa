//===- KernelCompiler.h - From kernels in the LLVM dialect to images -*- C++ -*-===//
//
// Takes a `gpu.module` that went through `tl-nvgpu-lower-kernels` to optimised LLVM IR, from there
// to PTX, and to machine code (a "cubin"). The module is not changed.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_KERNELCOMPILER_H
#define TORCHLITE_CODEGEN_NVGPU_KERNELCOMPILER_H

#include "TorchLite/Codegen/NVGPU/Toolkit.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/IR/Module.h"
#include <memory>

namespace torchlite::nvgpu {

/// What a kernel takes of the GPU, as `ptxas -v` tells it. Sizes in bytes, per thread but for
/// shared memory.
struct KernelResources {
  std::string name;
  int64_t registers = 0;
  int64_t sharedBytes = 0; ///< per block; without dynamic shared memory
  int64_t stackBytes = 0;
  int64_t spillStoreBytes = 0;
  int64_t spillLoadBytes = 0;
};

/// Machine code for one architecture.
struct Cubin {
  std::string data; ///< an ELF file
  llvm::SmallVector<KernelResources> kernels;
};

/// The kernels of a lowered module: a kernel's number is its position.
llvm::SmallVector<mlir::LLVM::LLVMFuncOp> getKernels(mlir::gpu::GPUModuleOp module);

/// What translates the dialects of lowered kernels to LLVM IR. Passes that compile kernels register
/// it as a dependent dialect is: in the middle of a pipeline it would be too late.
void registerKernelTranslation(mlir::DialectRegistry &registry);

class KernelCompiler {
public:
  explicit KernelCompiler(Toolkit toolkit) : toolkit(std::move(toolkit)) {}

  /// LLVM IR for the architecture, with what it needs of libdevice (internal functions), optimised.
  /// Errors at the module's location: a function of libdevice is needed and not there; code of
  /// other dialects is left.
  llvm::FailureOr<std::unique_ptr<llvm::Module>> optimize(mlir::gpu::GPUModuleOp module,
                                                          const Architecture &architecture,
                                                          llvm::LLVMContext &context) const;

  /// PTX, text. Errors as above.
  llvm::FailureOr<std::string> emitPTX(mlir::gpu::GPUModuleOp module,
                                       const Architecture &architecture) const;

  /// Machine code for PTX of the same architecture. Errors at `loc`: no ptxas that has the
  /// architecture; what ptxas says.
  llvm::FailureOr<Cubin> assemble(llvm::StringRef ptx, const Architecture &architecture,
                                  mlir::Location loc) const;

  const Toolkit &getToolkit() const { return toolkit; }

private:
  Toolkit toolkit;
};

/// A remark for each kernel, at its location: what it takes of the GPU.
void reportResources(mlir::gpu::GPUModuleOp module, const Architecture &architecture,
                     const Cubin &cubin);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_KERNELCOMPILER_H
