//===- Utils.h - What the patterns of convert-tl-to-linalg share -*- C++ -*-===//
#ifndef TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_UTILS_H
#define TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_UTILS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace torchlite {

/// Computes one element from the elements of the operands.
using ElementBuilder =
    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// The sizes of `type`, whose dynamic ones come from `operands`, broadcast as by numpy.
llvm::SmallVector<mlir::OpFoldResult> getBroadcastSizes(mlir::OpBuilder &builder,
                                                        mlir::Location loc,
                                                        mlir::RankedTensorType type,
                                                        mlir::ValueRange operands);

/// The map from the indices of a result to those of an operand that is broadcast to it: leading
/// dimensions are dropped, a static size 1 is read at 0.
mlir::AffineMap getBroadcastMap(mlir::RankedTensorType operand, mlir::RankedTensorType result);

/// A linalg.generic, parallel in all dimensions, that computes a tensor of `type` element by
/// element from operands that are broadcast to it. `sizes` are those of the result.
mlir::Value createElementwise(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::RankedTensorType type, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                              mlir::ValueRange operands, ElementBuilder build);

/// The same with the sizes that follow from the operands.
mlir::Value createElementwise(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::RankedTensorType type, mlir::ValueRange operands,
                              ElementBuilder build);

/// tensor.empty of `sizes`, with a tensor.cast where `type` says more or less about them.
mlir::Value createEmpty(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// A tensor of `type` and `sizes` with every element `value`.
mlir::Value createFilled(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                         llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Value value);

/// Whether size `source` of a reshape's operand and size `result` of its result are proved equal.
using SameSizePredicate = llvm::function_ref<bool(int64_t source, int64_t result)>;

/// `operand` with its elements in row-major order under the shape of `type` and `sizes`, by
/// tensor.collapse_shape and tensor.expand_shape. Dimensions that can be told apart stay apart:
/// static ones by their products from both ends, dynamic ones where `isSameSize` holds; the rest
/// goes through one dimension, or through tensor.reshape if it has several dynamic sizes.
mlir::Value createReshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value operand,
                          mlir::RankedTensorType type, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                          SameSizePredicate isSameSize = {});

/// `sizes` without those at `dims`.
llvm::SmallVector<mlir::OpFoldResult> dropSizes(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                                                llvm::ArrayRef<int64_t> dims);

} // namespace torchlite

#endif // TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_UTILS_H
