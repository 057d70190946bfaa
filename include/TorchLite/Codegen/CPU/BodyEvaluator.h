//===- BodyEvaluator.h - linalg bodies on vectors ---------------*- C++ -*-===//
#ifndef TORCHLITE_CODEGEN_CPU_BODYEVALUATOR_H
#define TORCHLITE_CODEGEN_CPU_BODYEVALUATOR_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace torchlite::cpu {

/// `value` with `width` equal lanes; itself if `width` is 0, which means "no vector", or if it has
/// lanes already.
mlir::Value broadcastTo(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                        int64_t width);

/// The values that `op` yields for the block arguments `arguments`, on `width` lanes at once.
/// Arguments may be scalars, which stand for equal lanes. `indexOf` gives the value of a
/// `linalg.index`. With `fuseMultiplyAdd` a product that is added becomes one `vector.fma`, which
/// rounds once where the target can.
mlir::SmallVector<mlir::Value> evaluateBody(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op,
                                            mlir::ArrayRef<mlir::Value> arguments, int64_t width,
                                            llvm::function_ref<mlir::Value(int64_t)> indexOf,
                                            bool fuseMultiplyAdd);

} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_BODYEVALUATOR_H
