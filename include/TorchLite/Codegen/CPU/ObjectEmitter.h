//===- ObjectEmitter.h - From the LLVM dialect to a file --------*- C++ -*-===//
//
// Optimises a module that went through the CPU pipeline and writes it as LLVM IR, assembly or an
// object file, with the weights in `.rodata`.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_CPU_OBJECTEMITTER_H
#define TORCHLITE_CODEGEN_CPU_OBJECTEMITTER_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>
#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
}

namespace torchlite::cpu {

struct TargetInfo;

/// A processor, as the command line names it.
struct TargetSpec {
  std::string triple;   ///< empty: this machine's
  std::string cpu;      ///< empty: the triple's baseline; "native": this machine's processor
  std::string features; ///< "+avx2,-fma"; added to those of the processor
};

/// A module's attribute: LLVM bitcode for the host (a string) that is linked into what is written.
/// The module declares what it calls of it; nothing of it is visible outside.
inline constexpr llvm::StringLiteral hostBitcodeAttrName = "tl.host_bitcode";

enum class OutputKind { LLVMIR, Assembly, Object };

/// Fills in what `spec` leaves open and resolves "native". Errors, reported at `loc`: an unknown
/// triple or processor, "native" for another architecture than this machine's.
llvm::FailureOr<TargetSpec> resolveTarget(TargetSpec spec, mlir::Location loc);

/// The code generator for a resolved target. Position-independent code. Errors as above.
llvm::FailureOr<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const TargetSpec &spec, mlir::Location loc,
                    OutputKind kind = OutputKind::Object);

/// The row of the target table for a resolved target. Errors as above.
llvm::FailureOr<const TargetInfo *> getTargetInfo(const TargetSpec &spec, mlir::Location loc);

struct EmitOptions {
  TargetSpec target;
  OutputKind kind = OutputKind::Object;
  /// Blobs of weights are written to `<prefix>.weights` and `<prefix>.gpu_weights`. Assembly and
  /// LLVM IR refer to these files by name and need them later. Empty: temporary files, which are
  /// gone afterwards; the weights of an object file are in the object file.
  std::string weightsPrefix;
  /// Accesses to memory are checked by LLVM's AddressSanitizer, whose runtime the program needs.
  bool sanitizeAddress = false;
  /// Called when the constants have been written and are not read any more. May be empty.
  std::function<void()> constantsWritten;
};

/// Writes `module`, which holds nothing but the LLVM dialect. The module is not changed. Errors are
/// reported through its context.
llvm::LogicalResult emitObject(mlir::ModuleOp module, const EmitOptions &options,
                               llvm::raw_pwrite_stream &os);

} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_OBJECTEMITTER_H
