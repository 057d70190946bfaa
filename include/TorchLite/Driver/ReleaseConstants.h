//===- ReleaseConstants.h - Less memory for large models --------*- C++ -*-===//
//
// The data of `dense_resource` constants lives in the context until that ends. A model's weights go
// through several layouts on their way, each of them as large as the model.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DRIVER_RELEASECONSTANTS_H
#define TORCHLITE_DRIVER_RELEASECONSTANTS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassInstrumentation.h"

namespace torchlite::driver {

/// Frees the data of all constants of the context that none of the modules refers to. For a context
/// in which there is nothing else.
void releaseConstants(llvm::ArrayRef<mlir::ModuleOp> modules);

/// Does so after each pass on a module.
class ReleaseConstants : public mlir::PassInstrumentation {
public:
  explicit ReleaseConstants(llvm::ArrayRef<mlir::ModuleOp> modules)
      : modules(modules.begin(), modules.end()) {}
  void runAfterPass(mlir::Pass *pass, mlir::Operation *op) override;

private:
  llvm::SmallVector<mlir::ModuleOp> modules;
};

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_RELEASECONSTANTS_H
