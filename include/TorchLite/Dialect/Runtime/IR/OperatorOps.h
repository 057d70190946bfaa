//===- OperatorOps.h - Calls of LibTorch's operators -*- C++ -*-===//
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_OPERATOROPS_H
#define TORCHLITE_DIALECT_RUNTIME_IR_OPERATOROPS_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/OperatorOps.h.inc"

#endif // TORCHLITE_DIALECT_RUNTIME_IR_OPERATOROPS_H
