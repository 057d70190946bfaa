//===- HalfFloats.h - Compute f16 and bf16 in f32 ---------------*- C++ -*-===//
//
// PyTorch computes f16 and bf16 in f32 and rounds after each operation. So do all our targets.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_HALFFLOATS_H
#define TORCHLITE_CODEGEN_COMMON_HALFFLOATS_H

#include "mlir/IR/Operation.h"

namespace torchlite {

/// Rewrites the arithmetic and mathematical operations below `root` that compute with f16 or bf16,
/// scalars or vectors: operands are extended to f32, results truncated. Conversions from and to
/// integers and f64 go through f32. What only moves values stays, and so do conversions between
/// f32 and the two types.
void computeHalfFloatsInF32(mlir::Operation *root);

} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_HALFFLOATS_H
