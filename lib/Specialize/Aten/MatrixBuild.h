//===- MatrixBuild.h - Batches of matrices in rules -------------*- C++ -*-===//
//
// Core operations on matrices take `[batch, rows, columns]`; PyTorch's operators any number of
// batch dimensions. Rules flatten them first and restore them last. All functions give null after a
// failure.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_MATRIXBUILD_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_MATRIXBUILD_H

#include "ReductionHelpers.h"

namespace torchlite::tl::specialize {

using Sizes = llvm::SmallVector<mlir::OpFoldResult>;
using Tensors = llvm::FailureOr<llvm::SmallVector<mlir::Value>>;

inline int64_t rankOf(mlir::Value tensor) {
  return mlir::cast<mlir::RankedTensorType>(tensor.getType()).getRank();
}

/// "linalg.inv" for `linalg_inv_ex`: as messages name an operator.
std::string apiName(RuleContext &ctx);

/// Raises unless a tensor operand holds matrices of f32 or f64 (complex ones are refused).
mlir::Value matrixOperand(RuleContext &ctx, unsigned i);
/// The same, for square ones.
mlir::Value squareOperand(RuleContext &ctx, unsigned i);

/// The sizes before the last two.
Sizes batchOf(RuleContext &ctx, mlir::Value matrices);
/// `[batch, ...]` with the dimensions before the last `inner` ones as one.
mlir::Value flatten(RuleContext &ctx, mlir::Value tensor, int64_t inner = 2);
/// The tensor with its first dimension split into `batch` again.
mlir::Value restore(RuleContext &ctx, mlir::Value tensor, llvm::ArrayRef<mlir::OpFoldResult> batch);
/// Broadcasts the batches of two operands to the sizes that are returned.
Sizes broadcastBatches(RuleContext &ctx, mlir::Value &a, mlir::Value &b);
/// Broadcasts the dimensions before the last `inner` ones.
mlir::Value broadcastBatch(RuleContext &ctx, mlir::Value tensor,
                           llvm::ArrayRef<mlir::OpFoldResult> batch, int64_t inner);

// On `[batch, rows, columns]`.
mlir::Value transposed(RuleContext &ctx, mlir::Value matrices);
mlir::Value product(RuleContext &ctx, mlir::Value a, mlir::Value b, bool transposeA = false,
                    bool transposeB = false);
/// `rows` rows and `columns` columns of the identity, for each matrix of `like`'s batch.
mlir::Value identity(RuleContext &ctx, mlir::Value like, mlir::OpFoldResult rows,
                     mlir::OpFoldResult columns);
/// Where the column less the row is compared with `diagonal` as `predicate` says, an i1 of
/// `[1, rows, columns]`.
Expr onDiagonals(RuleContext &ctx, ComparePredicate predicate, int64_t diagonal,
                 mlir::OpFoldResult rows, mlir::OpFoldResult columns);
/// The elements there, 0 elsewhere.
Expr triangle(const Expr &matrices, ComparePredicate predicate, int64_t diagonal);
/// `[batch, rows]`, of square matrices.
Expr diagonalOf(const Expr &matrices);
/// X of A X = B for triangular A.
mlir::Value solveTriangular(RuleContext &ctx, mlir::Value a, mlir::Value b, bool upper, bool unit);

/// Raises unless all of `info` (i32, one for each matrix) are 0: " The diagonal element {} is zero"
/// after the operator's name and, where `isBatch`, which matrix it is; {} is the number in `info`,
/// `count` times.
void checkInfo(RuleContext &ctx, mlir::Value info, bool isBatch, const llvm::Twine &message,
               unsigned count = 1);
/// Raises unless all elements are finite.
void requireFinite(RuleContext &ctx, mlir::Value matrices);

/// A tensor without elements, for a result that was not asked for.
mlir::Value noTensor(RuleContext &ctx, mlir::Type type);

struct LU {
  mlir::Value factors, pivots, info;
};
LU factorLU(RuleContext &ctx, mlir::Value matrices);
/// X of A X = B, or of A^T X = B.
mlir::Value solveLU(RuleContext &ctx, const LU &lu, mlir::Value b, bool isTransposed = false);
/// The inverse of square matrices, and `info`.
std::pair<mlir::Value, mlir::Value> invert(RuleContext &ctx, mlir::Value matrices);

struct SVD {
  mlir::Value u, s, v; ///< v is not transposed; u and v null where not asked for
};
SVD decompose(RuleContext &ctx, mlir::Value matrices, bool full, bool vectors);
/// Eigenvalues, rising, and eigenvectors, as columns, of the matrices of one triangle.
std::pair<mlir::Value, mlir::Value> eigen(RuleContext &ctx, mlir::Value matrices, bool upper,
                                          bool vectors);

/// The norm of operand 0 along two dimensions, its order in operand 1 and a dtype in operand 4.
mlir::FailureOr<mlir::Value> matrixNormOf(RuleContext &ctx, llvm::ArrayRef<int64_t> dims,
                                          bool keepdim);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_MATRIXBUILD_H
