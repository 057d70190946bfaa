//===- Strategy.h - How kernels are mapped to a GPU -------------*- C++ -*-===//
//
// A strategy takes kernels of a certain form (`tlrt.kernel` on buffers) and emits a `gpu.launch`
// for each: which thread computes what, what goes through shared memory, which instructions. The
// table of strategies is ordered from the most special to the most general; the first that takes a
// kernel emits it. The last, `generic`, takes everything that the evaluator can compute.
//
// To add one: a file in lib/Codegen/NVGPU/Strategies, its line in the table there, an example in
// test/Codegen/NVGPU. docs/GPU.md shows how.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_STRATEGY_H
#define TORCHLITE_CODEGEN_NVGPU_STRATEGY_H

#include "TorchLite/Codegen/NVGPU/TargetInfo.h"
#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include <optional>
#include <string>

namespace torchlite::nvgpu {

/// What products of f32 matrices may be computed in. Sums are f32 always.
enum class Precision {
  F32,  ///< exact products, on ordinary cores
  TF32, ///< operands rounded to 10 bits of mantissa, on tensor cores
  F16,  ///< operands rounded to f16, on tensor cores
  BF16, ///< operands rounded to bf16, on tensor cores
};

std::optional<Precision> parsePrecision(llvm::StringRef name);

struct EmitOptions {
  const TargetInfo &target;
  Precision precision = Precision::F32;
};

struct Strategy {
  llvm::StringLiteral name;
  /// Emits launches at `builder`, which stands before `kernel`; the caller erases the kernel.
  /// Fails, with nothing emitted, where the kernel does not have the form that the strategy is for;
  /// `reason` then says what was expected.
  llvm::LogicalResult (*emit)(mlir::OpBuilder &builder, rt::KernelOp kernel,
                              const EmitOptions &options, std::string &reason);
};

/// All strategies, in the order in which they are tried.
llvm::ArrayRef<Strategy> strategies();

//===----------------------------------------------------------------------===//
// Parts of launches
//===----------------------------------------------------------------------===//

/// A launch being built. Host code (sizes) goes before `launch`, device code into its body.
struct Launch {
  mlir::gpu::LaunchOp launch;

  /// `grid` and `block` are index values (one to three each); `sharedBytes` of shared memory. The
  /// builder is left in the body. The kernel gets `name`, and where it comes from the strategy's.
  static Launch create(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
                       llvm::ArrayRef<mlir::Value> grid, llvm::ArrayRef<int64_t> block,
                       int64_t sharedBytes = 0);

  mlir::Value blockId(unsigned dim) const; ///< dim 0 is x
  mlir::Value threadId(unsigned dim) const;
};

/// Whether an operation of the body has reduction loops.
bool hasReductionLoops(rt::KernelOp kernel);

/// Erases what stands between `before` (null: the beginning of the block) and the kernel: what a
/// strategy has emitted before it found that it cannot.
void eraseEmitted(rt::KernelOp kernel, mlir::Operation *before);

/// `ceil(value / divisor)` on the host or in a kernel; folds constants.
mlir::Value ceilDiv(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                    int64_t divisor);

/// The product of the sizes of a buffer, and its coordinates from a row-major number.
mlir::Value elementCount(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer);
llvm::SmallVector<mlir::Value> delinearize(mlir::OpBuilder &builder, mlir::Location loc,
                                           mlir::Value number, mlir::Value buffer);

//===----------------------------------------------------------------------===//
// The strategies
//===----------------------------------------------------------------------===//

/// Parallel loops only, with operands that lie in memory in another order than the result: tiles of
/// them through shared memory.
llvm::LogicalResult emitTranspose(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                  const EmitOptions &options, std::string &reason);

/// Parallel loops only: a few neighbouring elements per thread, accesses of 128 bits.
llvm::LogicalResult emitElementwise(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                    const EmitOptions &options, std::string &reason);

/// Reductions of the last dimension and what is around them on the same rows: softmax,
/// normalisations.
llvm::LogicalResult emitRows(mlir::OpBuilder &builder, rt::KernelOp kernel,
                             const EmitOptions &options, std::string &reason);

/// Products of a few rows with a matrix, at the speed of memory.
llvm::LogicalResult emitMatvec(mlir::OpBuilder &builder, rt::KernelOp kernel,
                               const EmitOptions &options, std::string &reason);

/// Products of matrices on ordinary cores, also batched and of transposed operands.
llvm::LogicalResult emitMatmul(mlir::OpBuilder &builder, rt::KernelOp kernel,
                               const EmitOptions &options, std::string &reason);

/// Convolutions on ordinary cores, as products of matrices that exist only as addresses.
llvm::LogicalResult emitConvolution(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                    const EmitOptions &options, std::string &reason);

/// Pooling, depthwise convolution, small reductions: a vector of channels per thread.
llvm::LogicalResult emitWindows(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                const EmitOptions &options, std::string &reason);

/// Contractions of f16 and bf16, and of f32 where the precision says so, on tensor cores
/// (mma.sync).
llvm::LogicalResult emitMmaSync(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                const EmitOptions &options, std::string &reason);

/// One operation with reduction loops, over any dimensions, and what is around it.
llvm::LogicalResult emitReduction(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                  const EmitOptions &options, std::string &reason);

/// The order of the elements of rows: `tlrt.argsort`.
llvm::LogicalResult emitSort(mlir::OpBuilder &builder, rt::KernelOp kernel,
                             const EmitOptions &options, std::string &reason);
/// Whether a row of `sort` fits into shared memory; otherwise its kernel needs a second output of
/// the first one's type to work in.
bool sortsInSharedMemory(rt::ArgsortOp sort);

/// Running sums and the like: `tlrt.scan`.
llvm::LogicalResult emitScan(mlir::OpBuilder &builder, rt::KernelOp kernel,
                             const EmitOptions &options, std::string &reason);

/// The indices of elements that are not zero: `tlrt.nonzero`.
llvm::LogicalResult emitNonzero(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                const EmitOptions &options, std::string &reason);

/// Factorisations of matrices: `tlrt.matrices`.
llvm::LogicalResult emitMatrices(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                 const EmitOptions &options, std::string &reason);

/// Loops whose bodies read and write single elements.
llvm::LogicalResult emitLoops(mlir::OpBuilder &builder, rt::KernelOp kernel,
                              const EmitOptions &options, std::string &reason);

/// One thread for each element of the outputs, reductions one after the other in it.
llvm::LogicalResult emitGeneric(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                const EmitOptions &options, std::string &reason);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_STRATEGY_H
