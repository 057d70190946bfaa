//===- ArchiveCheck.h - What archives of strangers may hold -----*- C++ -*-===//
//
// The checks that come before LibTorch reads an archive. Their code needs nothing but LLVM's
// support library and zlib, so that it can be fuzzed by itself. The limits are below.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_IMPORT_TORCHSCRIPT_ARCHIVECHECK_H
#define TORCHLITE_LIB_IMPORT_TORCHSCRIPT_ARCHIVECHECK_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>

namespace torchlite::import {

/// Records of an archive.
inline constexpr uint64_t kMaxRecords = 1 << 20;
/// Bytes of all compressed records once they are inflated. `torch.jit.save` compresses code alone.
inline constexpr uint64_t kMaxInflated = uint64_t(1) << 30;
/// Values within values: two for each module, list or dictionary on the way.
inline constexpr unsigned kMaxValueDepth = 1000;
/// Values, where one that is reached in several ways counts for each; and as many as bytes.
inline constexpr uint64_t kMaxValues = 1 << 24;
/// Blocks within blocks.
inline constexpr unsigned kMaxBlocks = 200;
/// Tokens on the way into an expression.
inline constexpr unsigned kMaxExpression = 1000;

/// Whether `data` is a TorchScript archive, whole and undamaged, within the limits and without
/// tensors beyond their storages: a zip file (64-bit extensions included) with the records of a
/// TorchScript archive, where every record that is not compressed has its checksum. LibTorch checks
/// none of this. The error says what is wrong, without the file's name.
llvm::Error checkArchive(llvm::StringRef data);

/// Bytes of the record of a storage's key; nothing: there is no such record.
using RecordSize = llvm::function_ref<std::optional<uint64_t>(llvm::StringRef key)>;

/// Checks the values that a pickle makes: their depth, that none holds itself, and tensors against
/// storages and storages against records. `name` is the record's; messages say the path of the
/// attribute.
llvm::Error checkPickle(llvm::StringRef pickle, llvm::StringRef name, RecordSize recordSize);

/// Checks how deeply code is nested.
llvm::Error checkCode(llvm::StringRef code, llvm::StringRef name);

} // namespace torchlite::import

#endif // TORCHLITE_LIB_IMPORT_TORCHSCRIPT_ARCHIVECHECK_H
