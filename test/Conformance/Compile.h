//===- Compile.h - From an archive to code in this process ------*- C++ -*-===//
#ifndef TORCHLITE_TEST_CONFORMANCE_COMPILE_H
#define TORCHLITE_TEST_CONFORMANCE_COMPILE_H

#include "TorchLite/Driver/JIT.h"
#include <memory>
#include <string>

namespace conformance {

/// Why a case was not compiled: the stage, and the first error with its location.
struct Refusal {
  std::string stage, reason;
  /// Operators without a rule, where that was the reason.
  std::vector<std::string> missing;
};

/// Compiles archives for this machine, as tl-run does.
class Compiler {
public:
  /// `fallback`: LibTorch computes what is not compiled.
  Compiler(torchlite::driver::Targets targets, bool fallback);
  ~Compiler();

  /// Compiles `forward` for a signature ("forward(2x3xf32)"). On success the model, which lives
  /// until the next call. On failure null and the reason.
  const tl_model *compile(llvm::StringRef path, llvm::StringRef signature, Refusal &refusal);

private:
  torchlite::driver::CompileOptions options;
  std::unique_ptr<torchlite::driver::JITModel> model;
};

} // namespace conformance

#endif // TORCHLITE_TEST_CONFORMANCE_COMPILE_H
