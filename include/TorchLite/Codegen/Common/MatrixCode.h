//===- MatrixCode.h - Loops for algorithms on matrices ----------*- C++ -*-===//
//
// What `tlrt.matrices` computes, as loops over the elements of buffers, for one matrix of the
// batch.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_MATRIXCODE_H
#define TORCHLITE_CODEGEN_COMMON_MATRIXCODE_H

#include "TorchLite/Dialect/Runtime/IR/MatrixOps.h"

namespace torchlite {

/// Emits what `op` does with matrix `number` of its batch. `inputs` and `outputs` are the buffers
/// of its operands, and of those that are memory on the way matrix `slot` is used; `lanes`
/// neighbouring elements of a row are computed by one operation on vectors (1: by operations on
/// numbers).
void emitMatrixCode(mlir::OpBuilder &builder, rt::MatricesOp op, mlir::ValueRange inputs,
                    mlir::ValueRange outputs, mlir::Value number, mlir::Value slot, int64_t lanes);

} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_MATRIXCODE_H
