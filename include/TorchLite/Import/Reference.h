//===- Reference.h - Running archives with LibTorch -------------*- C++ -*-===//
//
// What tl-run --check compares with. This header needs no LibTorch; the library behind it does.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_IMPORT_REFERENCE_H
#define TORCHLITE_IMPORT_REFERENCE_H

#include "TorchLite/Driver/Reference.h"

namespace torchlite {

/// Loads an archive to be run by LibTorch, in evaluation without gradients. Errors: it cannot be
/// read.
llvm::Expected<std::unique_ptr<driver::Reference>> loadTorchReference(llvm::StringRef path);

} // namespace torchlite

#endif // TORCHLITE_IMPORT_REFERENCE_H
