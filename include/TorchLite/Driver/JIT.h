//===- JIT.h - Compiled models in this process ------------------*- C++ -*-===//
//
// Loads a compiled module into this process and gives its model, to be called through TorchLite.h.
// Needs no linker and writes no library.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DRIVER_JIT_H
#define TORCHLITE_DRIVER_JIT_H

#include "TorchLite.h"
#include "TorchLite/Driver/Compiler.h"
#include <memory>

namespace llvm::orc {
class LLJIT;
}

namespace torchlite::driver {

/// A model whose code lives in this process. Instances must be destroyed, and results cleared,
/// before it is.
class JITModel {
public:
  /// Compiles a module from the stage that it is at; the module is at Stage::LLVM afterwards. Null
  /// on failure, which is reported through the module's context.
  static std::unique_ptr<JITModel> create(mlir::ModuleOp module, CompileOptions options);
  ~JITModel();

  const tl_model *model() const { return descriptor; }

private:
  JITModel();
  std::unique_ptr<llvm::orc::LLJIT> jit;
  const tl_model *descriptor = nullptr;
};

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_JIT_H
