//===- RowsOps.h - tlrt.argsort, tlrt.scan, tlrt.nonzero --------*- C++ -*-===//
//
// Declares the operations on rows of tensors that linalg lacks.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_ROWSOPS_H
#define TORCHLITE_DIALECT_RUNTIME_IR_ROWSOPS_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/RowsOps.h.inc"

#endif // TORCHLITE_DIALECT_RUNTIME_IR_ROWSOPS_H
