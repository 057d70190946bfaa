//===- KernelEmulation.h - Shared by the parts of EmulateKernels -*- C++ -*-===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_KERNELEMULATION_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_KERNELEMULATION_H

#include "TorchLite/Codegen/NVGPU/EmulateKernels.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

namespace torchlite::nvgpu {

/// The address spaces of NVPTX ("NVPTX Usage", Address Spaces).
enum AddressSpace : unsigned { sharedSpace = 3, constantSpace = 4, localSpace = 5 };

/// A function of the module while it is rewritten.
class EmulatedFunction {
public:
  EmulatedFunction(llvm::Function &function, bool isKernel);

  llvm::Function &function;
  const bool isKernel;
  /// What the kernel tells the emulator about itself; see tl_emu_kernel.
  bool hasCollectives = false;
  unsigned granule = 4;
  uint64_t localBytes = 0;

  /// The tl_emu_thread of the thread that runs, and its block; loaded on entry.
  llvm::Value *thread();
  llvm::Value *block();
  /// A field of the thread or the block, which does not change while the thread runs.
  llvm::Value *threadField(llvm::IRBuilderBase &builder, llvm::Type *type, uint64_t offset);
  llvm::Value *blockField(llvm::IRBuilderBase &builder, llvm::Type *type, uint64_t offset);
  /// The block's shared memory as a pointer of the given type.
  llvm::Value *sharedMemory(llvm::Type *pointer);
  /// A stack slot, made on entry.
  llvm::Value *stackSlot(llvm::Type *type, const llvm::Twine &name);
  /// The number of the range that accesses through `pointer` are checked against; see tl_emu_block.
  unsigned rangeSlot(const llvm::Value *pointer) const;

private:
  llvm::IRBuilder<> entryBuilder();
  llvm::Value *loadField(llvm::IRBuilderBase &builder, llvm::Type *type, llvm::Value *base,
                         uint64_t offset);

  llvm::Value *threadValue = nullptr, *blockValue = nullptr, *sharedValue = nullptr;
};

/// A function of the emulator. They do not touch memory that a kernel can address, except where
/// `touchesMemory`; all may end the launch instead of returning.
llvm::FunctionCallee emulatorFunction(llvm::Module &module, llvm::StringRef name,
                                      llvm::Type *result, llvm::ArrayRef<llvm::Type *> parameters,
                                      bool touchesMemory);

/// The pointers among a kernel's parameters that have a range of their own, in the order of slots.
llvm::SmallVector<int32_t> parametersWithRange(const llvm::Function &kernel);

llvm::Error unsupported(const llvm::Function &function, const llvm::Twine &what);

/// Puts a check before every access to global and shared memory. Runs first, while the address
/// spaces and underlying objects can be seen.
void insertChecks(EmulatedFunction &function);

/// Numbers of instructions, over the module.
struct Sites {
  unsigned collectives = 0;
  /// Barriers and waits, which tests leave out one at a time: function and instruction.
  llvm::SmallVector<std::string> mutations;
};

/// Replaces NVVM intrinsics and inline PTX.
llvm::Error replaceIntrinsics(EmulatedFunction &function, Sites &sites);

/// Conversions to bfloat16 as integer instructions.
void expandBFloats(llvm::Function &function);

/// A scalar intrinsic or assembly as ordinary instructions: the value, or null where it is none.
/// Approximations are computed in full precision; denormals are not flushed.
llvm::Value *expandScalarIntrinsic(llvm::IRBuilderBase &builder, llvm::StringRef name,
                                   llvm::CallBase &call);
llvm::Value *expandAssembly(llvm::IRBuilderBase &builder, llvm::StringRef text,
                            llvm::CallBase &call);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_KERNELEMULATION_H
