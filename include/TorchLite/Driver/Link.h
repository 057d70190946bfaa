//===- Link.h - Objects become libraries and programs -----------*- C++ -*-===//
//
// Puts compiled objects and the runtime together. Shared libraries and executables need a C
// compiler on the machine, which finds the C library: clang-22, clang, cc or gcc, in this order;
// archives need nothing.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DRIVER_LINK_H
#define TORCHLITE_DRIVER_LINK_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <string>

namespace torchlite::driver {

/// The folder of libTorchLiteRuntime.a: beside the running tool in a build tree or an installation,
/// or the environment's TORCHLITE_RUNTIME_DIR. `mainAddress` is any address in the tool.
llvm::Expected<std::string> findRuntime(const char *argv0, void *mainAddress);

/// The archives that go into a library or program.
struct Runtime {
  std::string folder;
  /// What runs the kernels of GPUs, where there are any: "TorchLiteCuda", "TorchLiteEmulator".
  llvm::SmallVector<llvm::StringRef, 2> backends;
  /// They check their accesses to memory. Programs are linked with AddressSanitizer's runtime;
  /// libraries are not, as it has to be the process's first.
  bool sanitizeAddress = false;

  /// The path of an archive, such as libTorchLiteRuntime.a.
  std::string archive(llvm::StringRef name) const {
    return folder + (sanitizeAddress ? "/asan" : "") + "/lib" + name.str() + ".a";
  }
};

/// Links a shared library that offers the C interface of TorchLite.h and `<name>_model`.
llvm::Error linkSharedLibrary(llvm::StringRef object, const Runtime &runtime, llvm::StringRef name,
                              llvm::StringRef output);

/// Links a program with the runtime's main().
llvm::Error linkExecutable(llvm::StringRef object, const Runtime &runtime, llvm::StringRef output);

/// Writes an archive of the object and the runtime.
llvm::Error writeStaticLibrary(llvm::StringRef object, const Runtime &runtime,
                               llvm::StringRef output);

/// A file of the work's own, removed at the end, or when the program is interrupted.
class TemporaryFile {
public:
  explicit TemporaryFile(llvm::StringRef path);
  TemporaryFile(const TemporaryFile &) = delete;
  ~TemporaryFile();

private:
  std::string path;
};

/// A file that appears under its name only when it is complete: what is written goes to a temporary
/// file beside it, which is removed unless `keep` succeeds. A device or pipe is not replaced: what
/// was written is copied to it then. `-` is standard output.
class OutputFile {
public:
  static llvm::Expected<OutputFile> create(llvm::StringRef path);
  OutputFile(OutputFile &&other);
  OutputFile(const OutputFile &) = delete;
  ~OutputFile();
  llvm::StringRef temporaryPath() const { return temporary; }
  bool isSpecial() const { return special; }
  /// Gives the file its name.
  llvm::Error keep(bool executable = false);

private:
  OutputFile(std::string path, std::string temporary, bool special)
      : path(std::move(path)), temporary(std::move(temporary)), special(special) {}
  std::string path, temporary;
  bool special;
};

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_LINK_H
