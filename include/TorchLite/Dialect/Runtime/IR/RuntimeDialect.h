//===- RuntimeDialect.h - The tlrt dialect ----------------------*- C++ -*-===//
//
// Declares the `tlrt` dialect: access of compiled code to its call frame and to the runtime
// (runtime/include/TorchLite/Runtime/ABI.h).
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEDIALECT_H
#define TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h.inc"

namespace torchlite::rt {
/// What `tlrt.output` and `tlrt.result` write: the frame, never a buffer of the program.
struct FrameResource : mlir::SideEffects::Resource::Base<FrameResource> {
  llvm::StringRef getName() final { return "Frame"; }
};
} // namespace torchlite::rt

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/RuntimeOps.h.inc"

#endif // TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEDIALECT_H
