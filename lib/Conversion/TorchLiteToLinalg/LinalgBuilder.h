//===- LinalgBuilder.h - Shorthand for linalg on tensors --------*- C++ -*-===//
//
// What the patterns of convert-tl-to-linalg build again and again. Private to this library.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_LINALGBUILDER_H
#define TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_LINALGBUILDER_H

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace torchlite::tl {

using Sizes = llvm::SmallVector<mlir::OpFoldResult>;

/// The body of a linalg.generic: from the scalars of inputs and outputs to the results.
using ScalarBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;
/// The same with a single result.
using SingleScalarBody =
    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// The element type that sums of `element` are computed in: f32 for f16 and bf16, else itself.
mlir::Type getAccumulatorType(mlir::Type element);

/// Converts a float to another float type.
mlir::Value convertFloat(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                         mlir::Type type);

/// Builds linalg on tensors at one place.
class LinalgBuilder {
public:
  LinalgBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : b(builder), loc(loc), math(builder, loc) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  ShapeMath math;

  mlir::OpFoldResult size(mlir::Value tensor, int64_t dim) {
    return mlir::tensor::getMixedSize(b, loc, tensor, dim);
  }
  Sizes sizes(mlir::Value tensor) { return mlir::tensor::getMixedSizes(b, loc, tensor); }

  /// A scalar constant of a signless integer, float, complex or index type.
  mlir::Value constant(mlir::Type type, double value);
  /// The smallest value: -inf, or of a (possibly `isUnsigned`) integer.
  mlir::Value lowest(mlir::Type type, bool isUnsigned = false);
  /// A tensor filled with a scalar.
  mlir::Value filled(mlir::Value scalar, llvm::ArrayRef<mlir::OpFoldResult> sizes);
  mlir::Value zeros(mlir::Type element, llvm::ArrayRef<mlir::OpFoldResult> sizes) {
    return filled(constant(element, 0), sizes);
  }
  mlir::Value empty(mlir::Type element, llvm::ArrayRef<mlir::OpFoldResult> sizes) {
    return mlir::tensor::EmptyOp::create(b, loc, sizes, element);
  }

  /// An elementwise operation: one loop for each of `sizes`, the result indexed by the loops, the
  /// inputs by `maps`.
  mlir::Value elementwise(mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps,
                          llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element,
                          SingleScalarBody body);
  /// The same with all inputs indexed by the loops and of the first one's shape.
  mlir::Value elementwise(mlir::ValueRange inputs, mlir::Type element, SingleScalarBody body);

  /// A reduction into `init`. Loops that the result's map does not use are reductions. The body
  /// gets the inputs' elements and, last, what is accumulated.
  mlir::Value reduce(mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps,
                     mlir::Value init, mlir::AffineMap resultMap, SingleScalarBody body);

  /// Result dimension i is dimension `permutation[i]` of the input.
  mlir::Value transpose(mlir::Value tensor, llvm::ArrayRef<int64_t> permutation);
  /// Converts float elements; the tensor itself where they already are of that type.
  mlir::Value convertElements(mlir::Value tensor, mlir::Type element);
  /// A tensor.cast, where one is needed.
  mlir::Value castTo(mlir::Value tensor, mlir::Type type);
  /// Splits and merges dimensions. `sizes` are those of the result.
  mlir::Value expand(mlir::Value tensor, llvm::ArrayRef<mlir::ReassociationIndices> groups,
                     llvm::ArrayRef<mlir::OpFoldResult> sizes);
  mlir::Value collapse(mlir::Value tensor, llvm::ArrayRef<mlir::ReassociationIndices> groups);
  /// The product of sizes as a float.
  mlir::Value countAsFloat(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type type);
  /// Surrounds a tensor with a scalar.
  mlir::Value pad(mlir::Value tensor, llvm::ArrayRef<mlir::OpFoldResult> low,
                  llvm::ArrayRef<mlir::OpFoldResult> high, mlir::Value scalar);
  /// The product of two matrices or of two batches of them, stored transposed or not, with sums of
  /// type `accumulator`.
  mlir::Value matmul(mlir::Value lhs, mlir::Value rhs, bool transposeA, bool transposeB,
                     mlir::Type accumulator);
  /// Raises an error unless the i1 holds.
  void check(mlir::Value condition, const llvm::Twine &message);
  /// Raises an error unless every size, where it is not known, is at least 1.
  void checkNotEmpty(llvm::ArrayRef<mlir::OpFoldResult> sizes, const llvm::Twine &message);

  mlir::AffineMap identity(unsigned rank) { return b.getMultiDimIdentityMap(rank); }
  /// The map from `loops` loops to these loops.
  mlir::AffineMap project(unsigned loops, llvm::ArrayRef<int64_t> dims);
};

/// [0, 2, ..., 1]: moves the channel dimension of `[N, C, spatial...]` to the end.
llvm::SmallVector<int64_t> getChannelsLast(int64_t rank);
/// [0, rank - 1, 1, ...]: moves it back.
llvm::SmallVector<int64_t> getChannelsFirst(int64_t rank);

} // namespace torchlite::tl

#endif // TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_LINALGBUILDER_H
