//===- Compile.h - From an archive to code in this process ------*- C++ -*-===//
#ifndef TORCHLITE_TEST_CONFORMANCE_COMPILE_H
#define TORCHLITE_TEST_CONFORMANCE_COMPILE_H

#include "TorchLite.h"
#include "TorchLite/Codegen/CPU/ObjectEmitter.h"
#include <memory>
#include <string>

namespace llvm::orc {
class LLJIT;
}

namespace conformance {

/// Why a case was not compiled: the stage, and the first error with its location.
struct Refusal {
  std::string stage, reason;
  /// Operators without a rule, where that was the reason.
  std::vector<std::string> missing;
};

/// Compiles archives for this machine, by the stages that tl-compile has.
class Compiler {
public:
  Compiler();
  ~Compiler();

  /// Compiles `forward` for a signature ("forward(2x3xf32)"). On success the model, which lives until
  /// the next call. On failure null and the reason.
  const tl_model *compile(llvm::StringRef path, llvm::StringRef signature, Refusal &refusal);

private:
  torchlite::cpu::TargetSpec target;
  const torchlite::cpu::TargetInfo *info = nullptr;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace conformance

#endif // TORCHLITE_TEST_CONFORMANCE_COMPILE_H
