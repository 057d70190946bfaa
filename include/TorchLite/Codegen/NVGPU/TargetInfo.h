//===- TargetInfo.h - What code generation knows about a GPU ----*- C++ -*-===//
//
// Targets are data: instructions, memory sizes and tiles, one row of a table per architecture.
// Strategies ask the row, never the architecture's number.
//
// Sources: CUDA C++ Programming Guide, "Compute Capabilities" (sizes, limits); PTX ISA, "Target ISA
// Notes" of each instruction (what an architecture has).
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_TARGETINFO_H
#define TORCHLITE_CODEGEN_NVGPU_TARGETINFO_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace torchlite::nvgpu {

/// What one block, one warp and one step of the reduction compute of a matrix product.
struct TileShape {
  int64_t blockM, blockN,
      blockK;           ///< elements of the result and of the reduction per block and step
  int64_t warpM, warpN; ///< elements of the result per warp; per thread on ordinary cores
  int64_t stages;       ///< steps in flight, the one being computed included
  int64_t slices = 1;   ///< groups of threads that share a step and are summed at last
};

/// One row of the target table.
struct TargetInfo {
  llvm::StringRef name; ///< as `--cuda-arch` takes it: "sm_80"
  int64_t arch;         ///< 80: ten times the major plus the minor compute capability

  // Instructions.
  bool hasMmaF16;    ///< mma.sync m16n8k8 on f16 (the m16n8k16 form and the others: below)
  bool hasMmaF16K16; ///< mma.sync m16n8k16 on f16
  bool hasMmaBF16;   ///< mma.sync m16n8k16 on bf16
  bool hasMmaTF32;   ///< mma.sync m16n8k8 on tf32
  bool hasLdmatrix;  ///< ldmatrix
  bool hasAsyncCopy; ///< cp.async
  bool hasWgmma;     ///< wgmma and the tensor memory accelerator; needs the `a` variant

  // Sizes.
  int64_t multiprocessors; ///< of the usual board: how many blocks keep the device busy
  int64_t sharedPerBlock;  ///< bytes of shared memory that one block may ask for, on all GPUs that
                           ///< run this architecture's machine code
  int64_t sharedPerProcessor; ///< bytes of shared memory of a multiprocessor
  int64_t registersPerThread; ///< at most
  int64_t registersPerProcessor;
  int64_t threadsPerProcessor;

  // Tiles, largest first; a strategy takes the first that fills the device.
  llvm::ArrayRef<TileShape> f32Tiles;    ///< multiply-add on ordinary cores; stages: with cp.async
  llvm::ArrayRef<TileShape> tensorTiles; ///< f16 and bf16 on tensor cores
  llvm::ArrayRef<TileShape> tf32Tiles;   ///< tf32 on tensor cores
};

constexpr int64_t warpSize = 32;
constexpr int64_t maxThreadsPerBlock = 1024;
/// Shared memory that a block gets without asking the driver for more.
constexpr int64_t defaultSharedPerBlock = 48 * 1024;

/// The row with the given name, or null.
const TargetInfo *lookupTargetInfo(llvm::StringRef name);

/// All rows' names, oldest first, for diagnostics.
llvm::ArrayRef<llvm::StringRef> targetNames();

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_TARGETINFO_H
