//===- CoreFolds.h - Folding of core operations -----------------*- C++ -*-===//
//
// What the generated `fold` methods call. A fold gives exactly what the operation computes, NaN,
// infinities and signed zeros included. Constants are folded where the result is a splat or small.
// Private to this library.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_DIALECT_TORCHLITE_IR_COREFOLDS_H
#define TORCHLITE_LIB_DIALECT_TORCHLITE_IR_COREFOLDS_H

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

namespace torchlite::tl::folds {

/// Folds a unary operation whose result has the type of its operand.
mlir::OpFoldResult foldUnary(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands);

/// Folds a binary operation whose result has the element type of its operands.
mlir::OpFoldResult foldBinary(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands);

} // namespace torchlite::tl::folds

#endif // TORCHLITE_LIB_DIALECT_TORCHLITE_IR_COREFOLDS_H
