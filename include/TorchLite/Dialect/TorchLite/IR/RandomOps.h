//===- RandomOps.h - Random numbers, core level -----------------*- C++ -*-===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_RANDOMOPS_H
#define TORCHLITE_DIALECT_TORCHLITE_IR_RANDOMOPS_H

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

namespace torchlite::tl {
/// The random generator of the instance.
struct RandomResource : mlir::SideEffects::Resource::Base<RandomResource> {
  llvm::StringRef getName() final { return "tl.random"; }
};
} // namespace torchlite::tl

#define GET_OP_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/RandomOps.h.inc"

#endif // TORCHLITE_DIALECT_TORCHLITE_IR_RANDOMOPS_H
