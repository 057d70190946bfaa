//===- BoxOps.h - Values whose structure lives at run time ------*- C++ -*-===//
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_BOXOPS_H
#define TORCHLITE_DIALECT_RUNTIME_IR_BOXOPS_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

namespace torchlite::rt {
/// What boxes hold: never a buffer of the program.
struct BoxResource : mlir::SideEffects::Resource::Base<BoxResource> {
  llvm::StringRef getName() final { return "Boxes"; }
};
/// What the program prints.
struct PrintResource : mlir::SideEffects::Resource::Base<PrintResource> {
  llvm::StringRef getName() final { return "Print"; }
};
} // namespace torchlite::rt

#define GET_TYPEDEF_CLASSES
#include "TorchLite/Dialect/Runtime/IR/BoxTypes.h.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/BoxOps.h.inc"

namespace torchlite::rt {
/// Whether an operation is of the family `tlrt.box`.
bool isBoxOp(mlir::Operation *op);
} // namespace torchlite::rt

#endif // TORCHLITE_DIALECT_RUNTIME_IR_BOXOPS_H
