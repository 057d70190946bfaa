//===- Compiler.h - From an archive or MLIR to native code ------*- C++ -*-===//
//
// The whole way, as tl-compile and tl-run take it: read a model, run the passes from the stage that
// it is at, write what was asked for.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DRIVER_COMPILER_H
#define TORCHLITE_DRIVER_COMPILER_H

#include "TorchLite/Codegen/CPU/ObjectEmitter.h"
#include "TorchLite/Dialect/TorchLite/Transforms/OperatorOracle.h"
#include "TorchLite/Driver/ModelDescription.h"
#include "mlir/IR/OwningOpRef.h"
#include <functional>
#include <memory>

namespace mlir {
class PassManager;
}

namespace torchlite::driver {

/// The stages of docs/Architecture.md.
enum class Stage {
  AsWritten, ///< what the importer makes
  Core,      ///< specialized: core operations on builtin tensors
  Linalg,    ///< linalg, tensor, scf, arith, math
  GPU,       ///< kernels in the gpu dialect, launched by host code on buffers; for GPUs alone
  NVVM,      ///< kernels in the LLVM dialect with NVVM, launched by host code in the LLVM dialect
  LLVM,      ///< the LLVM dialect, and the tables that describe the model
};

/// Reads a TorchScript archive (see importTorchScript). Passed in, so that this library needs no
/// LibTorch.
using Importer =
    std::function<mlir::OwningOpRef<mlir::ModuleOp>(llvm::StringRef path, mlir::MLIRContext *)>;

/// What a library can run its methods on: one or more.
struct Targets {
  bool cpu = true;
  bool cuda = false;     ///< NVIDIA GPUs
  bool emulated = false; ///< the kernels of the GPU, executed by this machine's processor
  bool hasGPU() const { return cuda || emulated; }
};

/// How the kernels of GPUs are made.
struct GPUOptions {
  /// Rows of the target table (nvgpu::targetNames()), oldest first. Empty: sm_80 and sm_90; for the
  /// emulator alone sm_80.
  std::vector<std::string> archs;
  /// What products of f32 are computed in: "f32", "tf32", "f16", "bf16".
  std::string precision = "f32";
  /// Where the CUDA Toolkit is; empty: it is looked for.
  std::string toolkit;
  /// A remark for each kernel and architecture: registers, shared memory, spills.
  bool report = false;
};

struct CompileOptions {
  /// A C identifier; `<name>_model` is the model's function.
  std::string name = "model";
  /// `method(type, ...)`, one for each variant. Empty where the module has been specialized.
  std::vector<std::string> signatures;
  Targets targets;
  /// The processor, as the command line has it; resolved by `compile`. Without triple and
  /// processor: this machine. Libraries for GPUs have code for it as well: what launches the
  /// kernels.
  cpu::TargetSpec target;
  GPUOptions gpu;
  /// Default number of threads of one call; 0: as many as there are.
  int32_t threads = 0;
  /// Code for the processor checks its accesses to memory (AddressSanitizer).
  bool sanitizeAddress = false;
  /// The context holds this module alone, which is written once: constants are freed as soon as
  /// nothing reads them any more.
  bool ownsContext = false;
  /// Tells what operators give that are not compiled; null: they are refused.
  tl::OperatorOracle oracle;
  /// What the model loads to call these: the fallback library's path or nothing, users' libraries.
  std::vector<std::string> operatorLibraries;
  /// Applied to every pass manager: timing, IR printing, reproducers.
  std::function<llvm::LogicalResult(mlir::PassManager &)> configure;
  /// Told what happens next ("specializing"), for progress.
  std::function<void(llvm::StringRef)> progress;
};

/// A context with all dialects that the stages use.
std::unique_ptr<mlir::MLIRContext> createContext();

/// Reads `path`: MLIR as text or bytecode by the name's end (.mlir, .mlirbc) and otherwise an
/// archive. Errors, reported through the context: the file cannot be read or is neither.
mlir::OwningOpRef<mlir::ModuleOp> loadModel(llvm::StringRef path, mlir::MLIRContext *context,
                                            const Importer &importer);

/// The stage that a module is at.
Stage getStage(mlir::ModuleOp module);

/// Runs the passes that lead to `goal`; resolves `options.target`. Errors are reported through the
/// context. At Stage::LLVM, `description` (where not null) says what the model offers.
llvm::LogicalResult compile(mlir::ModuleOp module, Stage goal, CompileOptions &options,
                            ModelDescription *description = nullptr);

/// Writes a module at Stage::LLVM; `weightsPrefix` as in cpu::EmitOptions.
llvm::LogicalResult emit(mlir::ModuleOp module, const CompileOptions &options, cpu::OutputKind kind,
                         llvm::StringRef weightsPrefix, llvm::raw_pwrite_stream &os);

/// Writes the kernels of a module at Stage::NVVM, as PTX for the oldest of the architectures or as
/// machine code for it. Errors are reported through the context: no kernels, no ptxas.
llvm::LogicalResult emitKernels(mlir::ModuleOp module, const CompileOptions &options, bool isCubin,
                                llvm::raw_ostream &os);

/// A C identifier for a file: `a/b-c.so` gives `b_c`.
std::string modelName(llvm::StringRef path);

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_COMPILER_H
