//===- Passes.h - What a module needs to become a library -------*- C++ -*-===//
#ifndef TORCHLITE_DRIVER_PASSES_H
#define TORCHLITE_DRIVER_PASSES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"

namespace torchlite::driver {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "TorchLite/Driver/Passes.h.inc"
} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_PASSES_H
