//===- TorchLiteDialect.h - The tl dialect ----------------------*- C++ -*-===//
//
// Declares the `tl` dialect, its types, attributes and operations. See docs/Dialect.md.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEDIALECT_H
#define TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "TorchLite/Dialect/TorchLite/IR/ShapeMath.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteTypes.h.inc"

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteAttributes.h.inc"

namespace torchlite::tl {
/// What operations write that may raise an error: keeps them in program order.
struct ErrorResource : mlir::SideEffects::Resource::Base<ErrorResource> {
  llvm::StringRef getName() final { return "tl.error"; }
};
} // namespace torchlite::tl

#define GET_OP_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteOps.h.inc"

#endif // TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEDIALECT_H
