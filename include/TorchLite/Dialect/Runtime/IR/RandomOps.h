//===- RandomOps.h - Random numbers of the instance's generator -*- C++ -*-===//
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_RANDOMOPS_H
#define TORCHLITE_DIALECT_RUNTIME_IR_RANDOMOPS_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/RandomOps.h.inc"

#endif // TORCHLITE_DIALECT_RUNTIME_IR_RANDOMOPS_H
