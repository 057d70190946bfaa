//===- Archive.h - Checking and loading TorchScript archives ----*- C++ -*-===//
#ifndef TORCHLITE_LIB_IMPORT_TORCHSCRIPT_ARCHIVE_H
#define TORCHLITE_LIB_IMPORT_TORCHSCRIPT_ARCHIVE_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <string>

namespace torch::jit {
struct Module;
}

namespace torchlite::import {

/// Loads the archive with all tensors on the CPU, whatever device they were saved from. LibTorch's
/// errors become the result's error, without C++ stack traces.
llvm::Expected<torch::jit::Module> loadArchive(llvm::StringRef data);

/// The first line of a LibTorch message and those that tell the place in the source, without what
/// is for LibTorch's own developers.
std::string shortenMessage(llvm::StringRef message);

} // namespace torchlite::import

#endif // TORCHLITE_LIB_IMPORT_TORCHSCRIPT_ARCHIVE_H
