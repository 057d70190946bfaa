//===- RowKernel.h - Reductions of rows and what belongs to them -*- C++ -*-===//
//
// A row kernel is a set of `linalg` operations around reductions of the last dimension: softmax,
// layer normalisation, sums and maxima of rows. Each row is loaded from memory once and then worked
// on in the cache; what is known once per row stays in scalars.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_CPU_ROWKERNEL_H
#define TORCHLITE_CODEGEN_CPU_ROWKERNEL_H

#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace torchlite::cpu {

struct RowKernel {
  /// In order; the last one's result is the only one with readers outside.
  llvm::SmallVector<mlir::linalg::LinalgOp> ops;
  /// Dimensions that name a row; each operation has as many loops, or one more for the elements.
  int64_t rowRank = 0;

  mlir::linalg::LinalgOp last() { return ops.back(); }
  /// The operand that is the tensor whose elements the kernel replaces.
  mlir::OpOperand *destination();
};

/// The largest row kernel around the reduction `seed`. On failure `reason` says what was expected.
mlir::FailureOr<RowKernel> matchRowKernel(mlir::linalg::LinalgOp seed, std::string &reason);

/// Emits loops at the builder's insertion point and returns the result.
mlir::Value emitRowKernel(mlir::OpBuilder &builder, RowKernel &kernel, const TargetInfo &target,
                          bool parallel);

} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_ROWKERNEL_H
