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

/// Whether `data` is a TorchScript archive, whole and undamaged: a zip file (64-bit extensions
/// included) with the records of a TorchScript archive, where every record that is not compressed
/// has its checksum. LibTorch checks none of the sums, so that a flipped bit in a weight would be a
/// wrong number. The error says what is wrong, without the file's name.
llvm::Error checkArchive(llvm::StringRef data);

/// Loads the archive with all tensors on the CPU, whatever device they were saved from. LibTorch's
/// errors become the result's error, without C++ stack traces.
llvm::Expected<torch::jit::Module> loadArchive(llvm::StringRef data);

/// The first line of a LibTorch message and those that tell the place in the source, without what
/// is for LibTorch's own developers.
std::string shortenMessage(llvm::StringRef message);

} // namespace torchlite::import

#endif // TORCHLITE_LIB_IMPORT_TORCHSCRIPT_ARCHIVE_H
