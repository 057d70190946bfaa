//===- Passes.h - Registers TorchLite's conversions -------------*- C++ -*-===//
#ifndef TORCHLITE_CONVERSION_PASSES_H
#define TORCHLITE_CONVERSION_PASSES_H

#include "TorchLite/Conversion/TorchLiteToLinalg.h"

namespace torchlite {
#define GEN_PASS_REGISTRATION
#include "TorchLite/Conversion/Passes.h.inc"
} // namespace torchlite

#endif // TORCHLITE_CONVERSION_PASSES_H
