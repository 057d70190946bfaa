//===- MatrixOps.h - tlrt.matrices ------------------------------*- C++ -*-===//
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_MATRIXOPS_H
#define TORCHLITE_DIALECT_RUNTIME_IR_MATRIXOPS_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"

#include "TorchLite/Dialect/Runtime/IR/MatrixEnums.h.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/MatrixOps.h.inc"

#endif // TORCHLITE_DIALECT_RUNTIME_IR_MATRIXOPS_H
