//===- OperatorOracle.h - What LibTorch says of its operators ---*- C++ -*-===//
//
// `tl-specialize` calls operators that have no rule through LibTorch (docs/Fallback.md), if it is
// told what they give: by the module's attribute `tl.operators`, or by who made the pass. This
// header needs no LibTorch.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_OPERATORORACLE_H
#define TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_OPERATORORACLE_H

#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include <functional>
#include <string>

namespace torchlite::tl {

/// Asked for a call: the operator's name with its namespace and overload, and its arguments as in
/// `takes` of `tl.call_operator`, with the type of each operand in its place (`{number = type}` for
/// a tensor that counts as a number). Answers with
///   gives    as in `tl.call_operator`, with the type of each result in its place,
///   writes   the operands that the operator writes,
///   aliases  (unit) results may share memory with operands,
/// or with null, and why.
using OperatorOracle = std::function<mlir::DictionaryAttr(
    llvm::StringRef name, mlir::ArrayAttr arguments, std::string &why)>;

/// The name of an operator as `tl.aten` has it, with its namespace.
inline std::string qualifiedOperatorName(llvm::StringRef name) {
  return name.contains("::") ? name.str() : "aten::" + name.str();
}

/// tl-specialize with an oracle; a null one is none.
std::unique_ptr<mlir::Pass> createSpecializePass(SpecializePassOptions options,
                                                 OperatorOracle oracle);

} // namespace torchlite::tl

#endif // TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_OPERATORORACLE_H
