//===- CommandLine.h - What the tools' command lines share ------*- C++ -*-===//
#ifndef TORCHLITE_DRIVER_COMMANDLINE_H
#define TORCHLITE_DRIVER_COMMANDLINE_H

#include "TorchLite/Driver/Compiler.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/CommandLine.h"

namespace torchlite::driver {

/// Prints diagnostics for people: `file.py:12:3: error: ...`, then where it was called from.
class DiagnosticPrinter : public mlir::ScopedDiagnosticHandler {
public:
  DiagnosticPrinter(mlir::MLIRContext *context, llvm::StringRef tool);
};

/// Options of every tool that compiles.
struct CompilerCommandLine {
  CompilerCommandLine(llvm::cl::OptionCategory &category);

  /// What they say of targets. Without --target those stay that `options` has. Errors are reported.
  llvm::LogicalResult applyTargets(mlir::MLIRContext *context, CompileOptions &options) const;

  /// What they say of the rest, for a module that is at a stage; reports errors. Without
  /// signatures, methods that take no arguments are compiled.
  llvm::LogicalResult apply(mlir::ModuleOp module, CompileOptions &options) const;

  /// The first option given that is about compiling alone; empty: none.
  llvm::StringRef givenOption() const;

  llvm::cl::list<std::string> inputTypes, signatures, targets, cudaArchs;
  llvm::cl::opt<std::string> targetTriple, targetCPU, targetFeatures, precision, cudaPath, name;
  llvm::cl::opt<bool> reportKernels;
  llvm::cl::opt<int32_t> threads;
};

/// libLLVM brings options of its own tools, some under names that ours have (`--threads`). Takes
/// those off the command line; to be called before an option is declared.
void dropClashingOptions();

/// Registers MLIR's options (timing, IR printing, reproducers), parses, and hides all options but
/// those of `category` and MLIR's most useful ones from --help.
void parseCommandLine(int argc, char **argv, llvm::cl::OptionCategory &category,
                      llvm::StringRef overview);

/// Shows what goes on, on a terminal.
class Progress {
public:
  Progress();
  ~Progress() { clear(); }
  void show(llvm::StringRef activity);
  void clear();

private:
  bool isTerminal;
};

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_COMMANDLINE_H
