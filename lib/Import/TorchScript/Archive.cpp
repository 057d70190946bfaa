//===- Archive.cpp - Loading with LibTorch --------------------------------===//
#include "Archive.h"

#include "torch/csrc/jit/serialization/import.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace torchlite::import;

namespace {
/// Lets LibTorch read an archive from memory.
class MemoryAdapter final : public caffe2::serialize::ReadAdapterInterface {
public:
  explicit MemoryAdapter(StringRef data) : data(data) {}
  size_t size() const override { return data.size(); }
  size_t read(uint64_t position, void *buffer, size_t n, const char *) const override {
    StringRef part = data.substr(position, n);
    memcpy(buffer, part.data(), part.size());
    return part.size();
  }

private:
  StringRef data;
};
} // namespace

std::string torchlite::import::shortenMessage(StringRef message) {
  // LibTorch appends hints for its developers after these marks.
  for (StringRef mark : {"\nException raised from", "\nDebug info for handle"})
    message = message.take_front(message.find(mark));
  StringRef hint = message.contains("Unknown builtin op")
                       ? "\n--load-library=FILE loads a library that defines operators"
                       : "";
  return (message.trim() + hint).str();
}

Expected<torch::jit::Module> torchlite::import::loadArchive(StringRef data) {
  std::string message;
  try {
    return torch::jit::load(std::make_shared<MemoryAdapter>(data), at::Device(at::kCPU));
  } catch (const c10::Error &error) {
    message = error.what_without_backtrace();
  } catch (const std::exception &error) {
    message = error.what();
  }
  return createStringError(inconvertibleErrorCode(),
                           "LibTorch cannot load it: " + shortenMessage(message));
}
