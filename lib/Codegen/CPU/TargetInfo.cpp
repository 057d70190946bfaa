//===- TargetInfo.cpp - The target table ----------------------------------===//
#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/TargetParser/Triple.h"

namespace torchlite::cpu {

// AVX-512: 28 accumulators of a 14x32 tile, 2 weights and one broadcast use 31 of 32 registers;
// matrix multiplications reach the peak with 8 rows. AVX2: 6x16 uses 15 of 16. SSE has no
// three-operand multiply-add and needs one more temporary: 4x8. NEON: 8x8 uses 19 of 32.
// A 32 KB, 8-way first-level cache repeats its sets every 4 KB.
static constexpr TargetInfo table[] = {
    {"avx512", 512, 32, 8, 14, 2, 8, 4096, 8}, {"avx2", 256, 16, 6, 6, 2, 8, 4096, 6},
    {"sse", 128, 16, 4, 4, 2, 8, 4096, 4},     {"neon", 128, 32, 8, 8, 2, 8, 4096, 8},
    {"scalar", 64, 16, 4, 4, 2, 4, 4096, 4},
};

const TargetInfo *lookupTargetInfo(llvm::StringRef name) {
  const TargetInfo *row =
      llvm::find_if(table, [&](const TargetInfo &info) { return info.name == name; });
  return row == std::end(table) ? nullptr : row;
}

const TargetInfo &chooseTargetInfo(const llvm::Triple &triple,
                                   const llvm::MCSubtargetInfo &subtarget) {
  llvm::StringRef name = "scalar";
  if (triple.isX86()) {
    // Masks and 256-bit forms (VL), byte and quadword instructions come with every processor that
    // has AVX-512 at all, but for the first Xeon Phi: there AVX2 code is safe.
    if (subtarget.checkFeatures("+avx512f,+avx512vl,+avx512dq,+avx512bw"))
      name = "avx512";
    else if (subtarget.checkFeatures("+avx2,+fma"))
      name = "avx2";
    else if (subtarget.checkFeatures("+sse2"))
      name = "sse";
  } else if (triple.isAArch64() && subtarget.checkFeatures("+neon")) {
    name = "neon";
  }
  return *lookupTargetInfo(name);
}

} // namespace torchlite::cpu
