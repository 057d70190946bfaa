//===- Header.h - A C header for a compiled model ---------------*- C++ -*-===//
#ifndef TORCHLITE_DRIVER_HEADER_H
#define TORCHLITE_DRIVER_HEADER_H

#include "TorchLite/Driver/ModelDescription.h"

namespace torchlite::driver {

/// Writes `<name>.h`: the function that gives the model, its methods with their types, and for each
/// method an inline function with typed arguments.
void writeHeader(const ModelDescription &model, llvm::StringRef name, llvm::raw_ostream &os);

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_HEADER_H
