//===- SymbolicStrides.h - Strides that depend on sizes ---------*- C++ -*-===//
//
// Of tensors whose sizes are known only at run time, strides are products of sizes. They are asked
// for where `view` is to raise as PyTorch does: what can be proved of the products needs no code,
// and the rest is compared at run time.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_SYMBOLICSTRIDES_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_SYMBOLICSTRIDES_H

#include "TorchLite/Specialize/Rules.h"

namespace torchlite::tl::specialize {

/// Whether a tensor can be viewed in other sizes, of as many elements (at::detail::computeStride):
/// a constant `i1` where that can be proved, else one that the sizes decide at run time. Null if
/// the strides of the tensor are not known even so.
mlir::Value canViewAs(RuleContext &ctx, const TensorRef &tensor,
                      llvm::ArrayRef<mlir::OpFoldResult> viewSizes);

/// Whether two tensors of one storage overlap in part, as at::get_overlap_status says: an `i1` that
/// sizes and offsets decide at run time. Null if they do not for sure, or if it is not known how
/// they lie in memory.
mlir::Value overlapPartly(RuleContext &ctx, const TensorRef &a, const TensorRef &b);

/// The dimensions of a tensor from the outermost one in memory to the innermost.
using DimOrder = llvm::SmallVector<int64_t, 4>;

/// The order in which the dimensions of a tensor lie in memory, if that is known: an operator that
/// preserves the format gives its result in the same.
std::optional<DimOrder> orderOf(RuleContext &ctx, const TensorRef &tensor);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_SYMBOLICSTRIDES_H
