//===- Toolkit.h - Where the CUDA Toolkit is --------------------*- C++ -*-===//
//
// Two files of the CUDA Toolkit are needed: the assembler `ptxas` (PTX to machine code) and the
// library of mathematical functions, `libdevice.10.bc` (LLVM bitcode). This file finds them, in an
// installed toolkit or in NVIDIA's Python packages, and knows which version has which architecture.
//
// Sources: PTX ISA, "PTX ISA Release History"; release notes of the CUDA Toolkit (dropped
// architectures).
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_TOOLKIT_H
#define TORCHLITE_CODEGEN_NVGPU_TOOLKIT_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/VersionTuple.h"
#include <string>

namespace torchlite::nvgpu {

/// What the assembler knows of an architecture.
struct Architecture {
  llvm::StringRef name; ///< "sm_80"
  int64_t number;       ///< 80
  /// Where its code runs, machine code always within one generation only.
  enum class Scope {
    Newer,  ///< PTX on all newer architectures
    Family, ///< the `f` variants: on newer ones of the generation
    Exact,  ///< the `a` variants: on this very one
  } scope;
  int64_t ptx;             ///< version of PTX that is written, 74 for 7.4: what kernels may need,
                           ///< no more, so that older drivers read it
  llvm::VersionTuple from; ///< first toolkit that reads that version and has the architecture
  llvm::VersionTuple to;   ///< first toolkit without the architecture; empty: none

  /// Whether PTX that says so runs on newer GPUs too.
  bool isPortable() const { return scope == Scope::Newer; }
};

/// The architecture of the given name. Error at `loc`: none, with the names that there are.
llvm::FailureOr<const Architecture *> lookupArchitecture(llvm::StringRef name, mlir::Location loc);

struct Toolkit {
  std::string ptxas;          ///< path; empty: not found
  std::string libdevice;      ///< path; empty: not found
  llvm::VersionTuple version; ///< of ptxas

  /// Fails, with an error at `loc`, where ptxas is missing or has no such architecture.
  llvm::LogicalResult supports(const Architecture &architecture, mlir::Location loc) const;
};

/// What to do about a missing part, for messages.
inline constexpr llvm::StringLiteral toolkitHint =
    "install the CUDA Toolkit or the Python package nvidia-cuda-nvcc, or name its folder with "
    "--cuda-path or TORCHLITE_CUDA_PATH";

/// Looks for the toolkit, part by part. A folder that is named, by `cudaPath` or else by
/// TORCHLITE_CUDA_PATH, is the only one that is looked in: a toolkit's or a Python environment's.
/// Otherwise: CUDA_HOME, CUDA_PATH, beside the `ptxas` on PATH, /usr/local/cuda, /usr/lib/cuda, and
/// the Python packages of VIRTUAL_ENV, of the `python3` on PATH and of the one that TorchLite was
/// built with. What is not found stays empty. Errors at `loc`: the named folder holds no part; a
/// ptxas that does not tell its version.
llvm::FailureOr<Toolkit> findToolkit(llvm::StringRef cudaPath, mlir::Location loc);

/// Runs a program, at most ten minutes. Gives what it printed on both streams and its exit status
/// (negative: it did not start or was killed; then `error` says why).
struct ProgramResult {
  int status;
  std::string output;
  std::string error;
};
ProgramResult runProgram(llvm::StringRef path, llvm::ArrayRef<llvm::StringRef> arguments);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_TOOLKIT_H
