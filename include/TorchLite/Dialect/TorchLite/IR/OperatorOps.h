//===- OperatorOps.h - Calls of LibTorch's operators, core level -*- C++ -*-===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_OPERATOROPS_H
#define TORCHLITE_DIALECT_TORCHLITE_IR_OPERATOROPS_H

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

namespace torchlite::tl {
/// What operators of LibTorch may read and write beside their operands: random generators, files,
/// whatever a user's operator does.
struct OperatorResource : mlir::SideEffects::Resource::Base<OperatorResource> {
  llvm::StringRef getName() final { return "tl.operator"; }
};
} // namespace torchlite::tl

#define GET_OP_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/OperatorOps.h.inc"

#endif // TORCHLITE_DIALECT_TORCHLITE_IR_OPERATOROPS_H
