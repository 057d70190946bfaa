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
static constexpr TargetInfo table[] = {
    // name, arch, f16, f16k16, bf16, tf32, ldmatrix, async, wgmma,
    //   processors, shared/block, shared/processor, registers, registers/processor, threads
    // Machine code runs on all newer GPUs of its generation, too, so shared/block is the least
    // among
    // these: sm_70 itself has 96 KB, sm_80 163 KB.
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
    {"sm_80", 80, true, true, true, true, true, true, false, 108, 99 * kb, 164 * kb, 255, 65536,
     2048, asyncF32Tiles, tensorTiles, tf32Tiles},
    {"sm_86", 86, true, true, true, true, true, true, false, 84, 99 * kb, 100 * kb, 255, 65536,
     1536, asyncF32Tiles, tensorTiles, tf32Tiles},
    {"sm_89", 89, true, true, true, true, true, true, false, 128, 99 * kb, 100 * kb, 255, 65536,
     1536, asyncF32Tiles, tensorTiles, tf32Tiles},
    {"sm_90", 90, true, true, true, true, true, true, false, 132, 227 * kb, 228 * kb, 255, 65536,
     2048, asyncF32Tiles, tensorTiles, tf32Tiles},
    {"sm_90a", 90, true, true, true, true, true, true, true, 132, 227 * kb, 228 * kb, 255, 65536,
     2048, asyncF32Tiles, tensorTiles, tf32Tiles},
    {"sm_100", 100, true, true, true, true, true, true, false, 148, 227 * kb, 228 * kb, 255, 65536,
     2048, asyncF32Tiles, tensorTiles, tf32Tiles},
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
