//===- Passes.h - Optimisations of core tl operations -----------*- C++ -*-===//
//
// From core tl operations to fewer or cheaper ones. Each pass is described in Passes.td.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_OPTIMIZE_PASSES_H
#define TORCHLITE_DIALECT_TORCHLITE_OPTIMIZE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace torchlite::tl {
#define GEN_PASS_DECL_FOLDBATCHNORMPASS
#define GEN_PASS_REGISTRATION
#include "TorchLite/Dialect/TorchLite/Optimize/Passes.h.inc"
} // namespace torchlite::tl

#endif // TORCHLITE_DIALECT_TORCHLITE_OPTIMIZE_PASSES_H
