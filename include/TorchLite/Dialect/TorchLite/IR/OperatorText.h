//===- OperatorText.h - Calls of LibTorch's operators as text ---*- C++ -*-===//
//
// What a `tl.call_operator` says, in the form that the fallback library reads
// (runtime/include/TorchLite/Runtime/Fallback.h).
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_OPERATORTEXT_H
#define TORCHLITE_DIALECT_TORCHLITE_IR_OPERATORTEXT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/TypeRange.h"
#include <optional>
#include <string>

namespace torchlite::tl {

class CallOperatorOp;

/// The number of an element type in PyTorch (c10::ScalarType), or -1.
int64_t scalarTypeNumber(mlir::Type elementType);

/// The entry of `takes` for a 0-dim tensor that counts as a number.
mlir::Attribute numberOperand(mlir::MLIRContext *context);

/// The arguments; nothing if they cannot be written. `operands` are the types of the operands.
std::optional<std::string> argumentsText(mlir::ArrayAttr takes, mlir::TypeRange operands);

/// The whole call.
std::string callText(CallOperatorOp op);

} // namespace torchlite::tl

#endif // TORCHLITE_DIALECT_TORCHLITE_IR_OPERATORTEXT_H
