//===- Operators.h - Operators that LibTorch computes -----------*- C++ -*-===//
//
// `--fallback=libtorch` and `--load-library` (docs/Fallback.md).
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DRIVER_OPERATORS_H
#define TORCHLITE_DRIVER_OPERATORS_H

#include "TorchLite/Driver/Compiler.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"

namespace torchlite::driver {

/// What LibTorch does for the tools. Passed in, so that the driver needs no LibTorch; null where
/// there is none.
struct OperatorSupport {
  tl::OperatorOracle oracle;
  /// Loads a library of operators into the process.
  std::function<llvm::Error(llvm::StringRef path)> load;
};

/// The options.
struct OperatorCommandLine {
  OperatorCommandLine(llvm::cl::OptionCategory &category);

  /// Loads the libraries, which has to be done before a model is read. Errors are reported.
  llvm::LogicalResult load(mlir::MLIRContext *context, const OperatorSupport &support) const;
  /// Errors are reported.
  llvm::LogicalResult apply(mlir::MLIRContext *context, const OperatorSupport &support,
                            CompileOptions &options) const;
  /// The first option given that is about compiling alone; empty: none.
  llvm::StringRef givenOption() const;

  llvm::cl::opt<std::string> fallback, fallbackLibrary;
  llvm::cl::list<std::string> libraries;
};

/// A remark that says which operators of a module, just specialized, LibTorch computes.
void reportCalls(mlir::ModuleOp module);

/// Fails, with an error, where code for a device would call LibTorch.
llvm::LogicalResult refuseCallsOnDevice(mlir::ModuleOp module);

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_OPERATORS_H
