//===- Passes.h - Passes on the tl dialect ----------------------*- C++ -*-===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_PASSES_H
#define TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace torchlite::tl {
#define GEN_PASS_DECL
#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h.inc"
} // namespace torchlite::tl

#endif // TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_PASSES_H
