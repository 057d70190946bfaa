//===- Table.cpp - The strategies, in the order in which they are tried ---===//
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "llvm/ADT/StringSwitch.h"

namespace torchlite::nvgpu {

llvm::ArrayRef<Strategy> strategies() {
  static constexpr Strategy table[] = {
      {"matvec", emitMatvec},       {"mma", emitMmaSync},
      {"matmul", emitMatmul},       {"convolution", emitConvolution},
      {"transpose", emitTranspose}, {"elementwise", emitElementwise},
      {"windows", emitWindows},     {"rows", emitRows},
      {"reduction", emitReduction}, {"sort", emitSort},
      {"scan", emitScan},           {"nonzero", emitNonzero},
      {"matrices", emitMatrices},   {"loops", emitLoops},
      {"generic", emitGeneric},
  };
  return table;
}

std::optional<Precision> parsePrecision(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<Precision>>(name)
      .Case("f32", Precision::F32)
      .Case("tf32", Precision::TF32)
      .Case("f16", Precision::F16)
      .Case("bf16", Precision::BF16)
      .Default(std::nullopt);
}

} // namespace torchlite::nvgpu
