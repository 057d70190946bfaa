//===- Passes.h - Passes that all code generators share ---------*- C++ -*-===//
//
// On linalg on tensors, before the ways of CPU and GPU part. Each pass is described in Passes.td.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_PASSES_H
#define TORCHLITE_CODEGEN_COMMON_PASSES_H

#include "mlir/Pass/Pass.h"

namespace torchlite {
#define GEN_PASS_DECL_PROPAGATELAYOUTPASS
#define GEN_PASS_REGISTRATION
#include "TorchLite/Codegen/Common/Passes.h.inc"
} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_PASSES_H
