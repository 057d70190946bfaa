//===- MatrixVector.h - Contractions of a few rows --------------*- C++ -*-===//
//
// With at most eight rows, as in a linear layer on one sample, every element of the columns'
// operand is read for a handful of multiply-adds: only the speed of memory counts. So threads go
// through that operand in the order in which it lies, with accesses of up to 16 bytes, several in
// flight, and sum at last.
//
//   neighbours along K   a warp takes one to four columns, its lanes go along K; shuffles add
//   neighbours along N   lanes take columns, warps of a block go along K; shared memory adds
//
// Source: cuBLAS and CUTLASS call it gemv; Harris, "Optimizing Parallel Reduction in CUDA" (sums).
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_MATRIXVECTOR_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_MATRIXVECTOR_H

#include "Contraction.h"

namespace torchlite::nvgpu {

/// How many rows a thread has sums for.
constexpr int64_t maxVectorRows = 8;

/// Emits one launch that computes all of `form` (prepared) for at most `maxVectorRows` rows; where
/// M is not known, the launch must not be reached with more. Fails with nothing left of the launch
/// where the evaluator does not know a part of the epilogue.
mlir::LogicalResult emitMatrixVector(mlir::OpBuilder &builder, const Contraction &form,
                                     const TargetInfo &target, std::string &reason);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_MATRIXVECTOR_H
