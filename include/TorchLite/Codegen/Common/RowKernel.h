//===- RowKernel.h - Reductions of rows and what belongs to them -*- C++ -*-===//
//
// A row kernel is a set of `linalg` operations around reductions of the last dimension: softmax,
// layer normalisation, sums and maxima of rows. A target loads each row from memory once and works
// on it in the cache (lib/Codegen/CPU/RowKernelEmitter.cpp) or in registers
// (NVGPU/Strategies/Rows.cpp).
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_ROWKERNEL_H
#define TORCHLITE_CODEGEN_COMMON_ROWKERNEL_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace torchlite {

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

} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_ROWKERNEL_H
