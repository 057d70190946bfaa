//===- Passes.h - Passes of the CPU code generator --------------*- C++ -*-===//
//
// From linalg on tensors to vectorised loops, buffers, parallel regions and the LLVM dialect. Each
// pass is described in Passes.td; the order is in lib/Pipelines.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_CPU_PASSES_H
#define TORCHLITE_CODEGEN_CPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace torchlite::cpu {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "TorchLite/Codegen/CPU/Passes.h.inc"
} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_PASSES_H
