//===- Archive.cpp - What comes before LibTorch reads an archive ----------===//
//
// A target for libFuzzer. The first byte says what the others are: `p` a pickle, `c` code; what
// begins otherwise is a file. Archives whose checksums are 0 are read without comparing these, so
// that a changed byte is not the end of it.
//
//===----------------------------------------------------------------------===//
#include "ArchiveCheck.h"

using namespace llvm;
using namespace torchlite::import;

/// As if there were records of 0 to 1000 bytes, called so.
static std::optional<uint64_t> recordSize(StringRef key) {
  uint64_t bytes;
  return key.getAsInteger(10, bytes) || bytes > 1000 ? std::nullopt : std::optional(bytes);
}

static Error check(StringRef input) {
  StringRef rest = input.drop_front();
  switch (input.front()) {
  case 'p':
    return checkPickle(rest, "data.pkl", recordSize);
  case 'c':
    return checkCode(rest, "code/__torch__.py");
  default:
    return checkArchive(input);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size)
    consumeError(check(StringRef(reinterpret_cast<const char *>(data), size)));
  return 0;
}
