//===- IrregularStrategies.h - Strategies beyond linalg ---------*- C++ -*-===//
//
// For kernels whose bodies are no structured operations: operations on rows (RowsOps.h), and loops.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_IRREGULARSTRATEGIES_H
#define TORCHLITE_CODEGEN_NVGPU_IRREGULARSTRATEGIES_H

#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"

namespace torchlite::nvgpu {

/// The order of the elements of rows: `tlrt.argsort`.
llvm::LogicalResult emitSort(mlir::OpBuilder &builder, rt::KernelOp kernel,
                             const EmitOptions &options, std::string &reason);
/// Whether a row of `sort` fits into shared memory; otherwise its kernel needs a second output of the
/// first one's type to work in.
bool sortsInSharedMemory(rt::ArgsortOp sort);

/// Running sums and the like: `tlrt.scan`.
llvm::LogicalResult emitScan(mlir::OpBuilder &builder, rt::KernelOp kernel,
                             const EmitOptions &options, std::string &reason);

/// The indices of elements that are not zero: `tlrt.nonzero`.
llvm::LogicalResult emitNonzero(mlir::OpBuilder &builder, rt::KernelOp kernel,
                                const EmitOptions &options, std::string &reason);

/// Loops whose bodies read and write single elements.
llvm::LogicalResult emitLoops(mlir::OpBuilder &builder, rt::KernelOp kernel,
                              const EmitOptions &options, std::string &reason);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_IRREGULARSTRATEGIES_H
