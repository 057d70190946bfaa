//===- ReductionHelpers.h - What rules of sums and means share --*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_REDUCTIONHELPERS_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_REDUCTIONHELPERS_H

#include "TensorExpr.h"

namespace torchlite::tl::specialize {

inline int64_t rankOf(const Expr &x) {
  return mlir::cast<mlir::RankedTensorType>(x.value().getType()).getRank();
}

inline llvm::SmallVector<int64_t> allDims(int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(0, rank));
}

/// The number of elements along dimensions.
inline mlir::OpFoldResult countOf(RuleContext &ctx, mlir::Value tensor,
                                  llvm::ArrayRef<int64_t> dims) {
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  for (int64_t dim : dims)
    sizes.push_back(ctx.size(tensor, dim));
  return ctx.product(sizes);
}

/// A size as a 0-dim tensor.
inline Expr sizeTensor(RuleContext &ctx, mlir::OpFoldResult size, mlir::Type type) {
  if (std::optional<int64_t> constant = mlir::getConstantIntValue(size))
    return Expr(ctx, ctx.constantTensor(static_cast<double>(*constant), type));
  return Expr(ctx, ctx.fromScalar(ctx.intValue(size))).cast(type);
}

/// The mean along dims, in the type in which PyTorch computes.
inline Expr meanOf(const Expr &x, llvm::ArrayRef<int64_t> dims, bool keepdim) {
  if (x.isNull())
    return x;
  RuleContext &ctx = x.ctx();
  return sum(x, dims, keepdim) / sizeTensor(ctx, countOf(ctx, x.value(), dims), x.elementType());
}

/// Fails, or emits a check, unless every reduced dimension has an element.
bool requireNotEmpty(RuleContext &ctx, mlir::Value tensor, llvm::ArrayRef<int64_t> dims);

/// The vector norm of order `ord` along dims.
Expr vectorNorm(const Expr &x, double ord, llvm::ArrayRef<int64_t> dims, bool keepdim);

/// A running sum, product, ... along a dimension; a tensor of rank 0 is its own.
Expr cumulative(const Expr &x, ReduceKind kind, int64_t dim);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_REDUCTIONHELPERS_H
