//===- Indexing.h - What indexing and sorting share -------------*- C++ -*-===//
#ifndef TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_INDEXING_H
#define TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_INDEXING_H

#include "LinalgBuilder.h"

#include "mlir/Transforms/DialectConversion.h"

namespace torchlite::tl {

/// `input` read along `dim` at `indices` (i64), which are within its size.
mlir::Value createGather(LinalgBuilder &build, mlir::Value input, mlir::Value indices, int64_t dim);

using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange indices, mlir::ValueRange carried)>;

/// Nested scf.for loops from 0 to `sizes` that carry values. Returns the first carried value after
/// the last trip, and all of them in `results`.
mlir::Value createLoops(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange sizes,
                        mlir::ValueRange carried, LoopBody body,
                        llvm::SmallVectorImpl<mlir::Value> *results = nullptr);

void populateSortPatterns(const mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace torchlite::tl

#endif // TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_INDEXING_H
