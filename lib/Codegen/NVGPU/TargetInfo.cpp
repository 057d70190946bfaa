//===- TargetInfo.cpp - The target table ----------------------------------===//
#include "TorchLite/Codegen/NVGPU/TargetInfo.h"
#include "llvm/ADT/STLExtras.h"

namespace torchlite::nvgpu {

// Ordinary cores: a thread's 8x8 tile needs 64 accumulators and 16 operands; with addresses that is
// under 128 registers, so that two blocks of 256 threads share a multiprocessor. Small tiles, for
// results that are too small to fill the device otherwise, have threads that share the reduction.
static constexpr TileShape f32Tiles[] = {{128, 128, 8, 8, 8, 2},
                                         {64, 64, 16, 8, 4, 2},
                                         {32, 32, 32, 4, 4, 2, 4},
                                         {16, 32, 64, 4, 4, 2, 8},
                                         {16, 16, 64, 4, 2, 2, 8}};
// Asynchronous copies need no registers on their way: two steps are under way while one is
// multiplied.
static constexpr TileShape asyncF32Tiles[] = {{128, 128, 8, 8, 8, 3},
                                              {64, 64, 16, 8, 4, 3},
                                              {32, 32, 32, 4, 4, 3, 4},
                                              {16, 32, 64, 4, 4, 3, 8},
                                              {16, 16, 64, 4, 2, 3, 8}};
// Tensor cores: a warp's 64x64 tile of f32 accumulators takes 128 registers, and shared memory is
// read for three quarters of the time that its products take (for a 64x32 tile it is all of it).
// Two stages ahead last longer than an access to global memory; two blocks fit on each
// multiprocessor.
static constexpr TileShape tensorTiles[] = {{128, 128, 32, 64, 64, 3},
                                            {128, 64, 32, 64, 32, 3},
                                            {64, 64, 32, 32, 32, 4},
                                            {32, 32, 32, 16, 16, 4}};
static constexpr TileShape tf32Tiles[] = {{128, 128, 16, 64, 64, 3},
                                          {128, 64, 16, 64, 32, 3},
                                          {64, 64, 16, 32, 32, 4},
                                          {32, 32, 16, 16, 16, 4}};
// Without asynchronous copies a second stage is all that registers can prefetch.
static constexpr TileShape turingTiles[] = {
    {128, 128, 32, 64, 32, 2}, {64, 64, 32, 32, 32, 2}, {32, 32, 32, 16, 16, 2}};

static constexpr int64_t kb = 1024;

/// From Ampere on the instructions are the same but for wgmma.
static constexpr TargetInfo modern(llvm::StringRef name, int64_t arch, int64_t processors,
                                   int64_t sharedPerBlock, int64_t sharedPerProcessor,
                                   int64_t threads, bool hasWgmma = false) {
  return {name, arch,  true,     true,          true,           true,
          true, true,  hasWgmma, processors,    sharedPerBlock, sharedPerProcessor,
          255,  65536, threads,  asyncF32Tiles, tensorTiles,    tf32Tiles};
}

static constexpr TargetInfo table[] = {
    // name, arch, f16, f16k16, bf16, tf32, ldmatrix, async, wgmma,
    //   processors, shared/block, shared/processor, registers, registers/processor, threads
    // Machine code runs on all newer GPUs of its generation, too, so shared/block is the least
    // among these: sm_70 itself has 96 KB, sm_80 and sm_87 163 KB.
    {"sm_70",
     70,
     false,
     false,
     false,
     false,
     false,
     false,
     false,
     80,
     64 * kb,
     96 * kb,
     255,
     65536,
     2048,
     f32Tiles,
     {},
     {}},
    {"sm_75",
     75,
     true,
     false,
     false,
     false,
     true,
     false,
     false,
     40,
     64 * kb,
     64 * kb,
     255,
     65536,
     1024,
     f32Tiles,
     turingTiles,
     {}},
    // name, arch, processors, shared/block, shared/processor, threads. A variant `a` is the very
    // architecture, `f` its family: they have more instructions, of which strategies use wgmma
    // only.
    modern("sm_80", 80, 108, 99 * kb, 164 * kb, 2048),
    modern("sm_86", 86, 84, 99 * kb, 100 * kb, 1536),
    modern("sm_87", 87, 16, 99 * kb, 164 * kb, 1536),
    modern("sm_88", 88, 12, 99 * kb, 100 * kb, 1536), // of no published board: sizes of sm_86
    modern("sm_89", 89, 128, 99 * kb, 100 * kb, 1536),
    modern("sm_90", 90, 132, 227 * kb, 228 * kb, 2048),
    modern("sm_90a", 90, 132, 227 * kb, 228 * kb, 2048, /*hasWgmma=*/true),
    modern("sm_100", 100, 148, 227 * kb, 228 * kb, 2048),
    modern("sm_100a", 100, 148, 227 * kb, 228 * kb, 2048),
    modern("sm_100f", 100, 148, 227 * kb, 228 * kb, 2048),
    modern("sm_103", 103, 148, 227 * kb, 228 * kb, 2048),
    modern("sm_103a", 103, 148, 227 * kb, 228 * kb, 2048),
    modern("sm_103f", 103, 148, 227 * kb, 228 * kb, 2048),
    modern("sm_110", 110, 20, 227 * kb, 228 * kb, 1536),
    modern("sm_110a", 110, 20, 227 * kb, 228 * kb, 1536),
    modern("sm_110f", 110, 20, 227 * kb, 228 * kb, 1536),
    modern("sm_120", 120, 170, 99 * kb, 100 * kb, 1536),
    modern("sm_120a", 120, 170, 99 * kb, 100 * kb, 1536),
    modern("sm_120f", 120, 170, 99 * kb, 100 * kb, 1536),
    modern("sm_121", 121, 48, 99 * kb, 100 * kb, 1536),
    modern("sm_121a", 121, 48, 99 * kb, 100 * kb, 1536),
    modern("sm_121f", 121, 48, 99 * kb, 100 * kb, 1536),
};

const TargetInfo *lookupTargetInfo(llvm::StringRef name) {
  const TargetInfo *row =
      llvm::find_if(table, [&](const TargetInfo &info) { return info.name == name; });
  return row == std::end(table) ? nullptr : row;
}

llvm::ArrayRef<llvm::StringRef> targetNames() {
  static const llvm::SmallVector<llvm::StringRef> names = [] {
    llvm::SmallVector<llvm::StringRef> all;
    for (const TargetInfo &info : table)
      all.push_back(info.name);
    return all;
  }();
  return names;
}

} // namespace torchlite::nvgpu
