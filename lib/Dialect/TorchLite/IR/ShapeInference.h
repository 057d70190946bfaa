//===- ShapeInference.h - Shape inference shared by core operations ---------===//
//
// What the generated methods of several core operations call. Private to this library.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_DIALECT_TORCHLITE_IR_SHAPEINFERENCE_H
#define TORCHLITE_LIB_DIALECT_TORCHLITE_IR_SHAPEINFERENCE_H

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

namespace torchlite::tl::inference {

/// Whether types agree in number, element type and every dimension that both know.
bool areCompatibleResults(mlir::TypeRange inferred, mlir::TypeRange actual);

/// The type of `operands` broadcast against each other as by numpy. Without `elementType` it is the
/// operands' own, which must agree.
mlir::LogicalResult inferBroadcast(std::optional<mlir::Location> loc, mlir::ValueRange operands,
                                   mlir::Type elementType,
                                   llvm::SmallVectorImpl<mlir::Type> &types);

/// The same for operands of any element types.
mlir::LogicalResult inferBroadcastShapes(std::optional<mlir::Location> loc,
                                         mlir::ValueRange operands, mlir::Type elementType,
                                         llvm::SmallVectorImpl<mlir::Type> &types);

/// The sizes of the single result of an operation whose operands are broadcast.
mlir::LogicalResult reifyBroadcast(mlir::Operation *op, mlir::OpBuilder &builder,
                                   mlir::ReifiedRankedShapedTypeDims &shapes);

/// Size `dim` of `value`: an attribute if static, else a tensor.dim.
mlir::OpFoldResult getSize(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                           int64_t dim);

/// Fails with a message unless 0 <= dim < rank.
mlir::LogicalResult checkDim(std::optional<mlir::Location> loc, int64_t dim, int64_t rank);

/// Fails with a message unless `dims` are distinct and within `rank`.
mlir::LogicalResult checkDims(std::optional<mlir::Location> loc, llvm::ArrayRef<int64_t> dims,
                              int64_t rank);

/// The tensor type with these sizes; the dynamic ones are appended to `dynamicSizes`.
mlir::RankedTensorType getSizedType(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                                    mlir::Type elementType,
                                    llvm::SmallVectorImpl<mlir::Value> &dynamicSizes);

} // namespace torchlite::tl::inference

#endif // TORCHLITE_LIB_DIALECT_TORCHLITE_IR_SHAPEINFERENCE_H
