//===- LoopBuilder.h - Loops that carry tensors and vectors -----*- C++ -*-===//
#ifndef TORCHLITE_CODEGEN_CPU_LOOPBUILDER_H
#define TORCHLITE_CODEGEN_CPU_LOOPBUILDER_H

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"

namespace torchlite::cpu {

using Values = llvm::SmallVector<mlir::Value>;

/// Index arithmetic that folds constants.
mlir::OpFoldResult add(mlir::OpBuilder &b, mlir::Location loc, mlir::OpFoldResult x,
                       mlir::OpFoldResult y);
mlir::OpFoldResult sub(mlir::OpBuilder &b, mlir::Location loc, mlir::OpFoldResult x,
                       mlir::OpFoldResult y);
mlir::OpFoldResult mul(mlir::OpBuilder &b, mlir::Location loc, mlir::OpFoldResult x, int64_t y);
mlir::OpFoldResult floorDiv(mlir::OpBuilder &b, mlir::Location loc, mlir::OpFoldResult x,
                            int64_t y);
mlir::OpFoldResult mod(mlir::OpBuilder &b, mlir::Location loc, mlir::OpFoldResult x, int64_t y);

/// The size of dimension `dim` of a tensor.
mlir::OpFoldResult sizeOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Value tensor, int64_t dim);

/// for (iv = lower; iv < upper; iv += step) carried = body(iv, carried); returns carried. No loop
/// is made for one or no iteration, nor with `unroll` where the bounds are constants.
Values forLoop(mlir::OpBuilder &b, mlir::Location loc, mlir::OpFoldResult lower,
               mlir::OpFoldResult upper, int64_t step, mlir::ValueRange carried, bool unroll,
               llvm::function_ref<Values(mlir::OpFoldResult, mlir::ValueRange)> body);

} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_LOOPBUILDER_H
