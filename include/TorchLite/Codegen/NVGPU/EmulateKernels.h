//===- EmulateKernels.h - Kernels as host code ------------------*- C++ -*-===//
//
// Turns kernels made for an NVIDIA GPU into code for the processor, which libTorchLiteEmulator.a
// runs (runtime/emulator). It starts from the LLVM IR that NVPTX code generation starts from, so
// that everything before it is tested: strategies, lowering to NVVM, and libdevice.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_EMULATEKERNELS_H
#define TORCHLITE_CODEGEN_NVGPU_EMULATEKERNELS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace torchlite::nvgpu {

/// An attribute of kernels as LLVM functions: the memory that parameters stand for, as far as it is
/// known. `0:48,1:4*2*3`: parameter 0 is a pointer to 48 bytes, parameter 1 to 4 times the 64-bit
/// parameters 2 and 3. Code generation for GPUs ignores it.
constexpr llvm::StringLiteral extentsAttribute = "tl-extents";

/// The name of the function that `emulateKernels` makes of a kernel.
std::string emulatedName(llvm::StringRef kernel);

/// Rewrites a module of kernels, after libdevice has been linked and optimised, for `host`. Each
/// kernel becomes `void <name>_emulated(void **params)`, one thread of the grid (see
/// runtime/include/TorchLite/Runtime/Emulator.h); everything else is internal. Shared memory is the
/// block's; every access to global and shared memory is checked; NVVM intrinsics and inline PTX
/// become calls of the emulator or ordinary instructions.
///
/// Errors, which name the kernel: an intrinsic, assembly or external function that the emulator
/// does not know; static shared memory; parameters by value. The module is unusable then.
llvm::Error emulateKernels(llvm::Module &module, const llvm::TargetMachine &host);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_EMULATEKERNELS_H
