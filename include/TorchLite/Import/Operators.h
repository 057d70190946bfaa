//===- Operators.h - What LibTorch's operators give -------------*- C++ -*-===//
//
// For `--fallback=libtorch` (docs/Fallback.md). This header needs no LibTorch; the library behind
// it does.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_IMPORT_OPERATORS_H
#define TORCHLITE_IMPORT_OPERATORS_H

#include "TorchLite/Dialect/TorchLite/Transforms/OperatorOracle.h"
#include "llvm/Support/Error.h"

namespace torchlite {

/// Runs the operator on LibTorch's meta device, which knows types and sizes alone, or, where that
/// cannot tell, on small tensors.
mlir::DictionaryAttr askLibTorch(llvm::StringRef name, mlir::ArrayAttr arguments, std::string &why);

/// Loads a library that registers operators (`TORCH_LIBRARY`), for good: what is imported, compiled
/// and run in this process from then on may use them.
llvm::Error loadOperators(llvm::StringRef path);

} // namespace torchlite

#endif // TORCHLITE_IMPORT_OPERATORS_H
