//===- TorchLiteToLinalg.h - convert-tl-to-linalg ---------------*- C++ -*-===//
#ifndef TORCHLITE_CONVERSION_TORCHLITETOLINALG_H
#define TORCHLITE_CONVERSION_TORCHLITETOLINALG_H

#include "mlir/Pass/Pass.h"

#include <memory>

namespace torchlite {
#define GEN_PASS_DECL_CONVERTTORCHLITETOLINALGPASS
#include "TorchLite/Conversion/Passes.h.inc"
} // namespace torchlite

#endif // TORCHLITE_CONVERSION_TORCHLITETOLINALG_H
