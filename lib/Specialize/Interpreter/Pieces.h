//===- Pieces.h - Lists of views whose number is not known ------*- C++ -*-===//
//
// What `split`, `chunk` and `unbind` answer where the number of pieces is known only at run time.
// It is no list of the heap: its elements are not values of their own until they are asked for, and
// it cannot be changed. Iterating over it, indexing, `len`, unpacking, `cat` and `stack` know it.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_PIECES_H
#define TORCHLITE_LIB_SPECIALIZE_PIECES_H

#include "TorchLite/Specialize/Rules.h"

namespace torchlite::tl::specialize {

/// `count` slices of `length` along a dimension of operand 0, the last one shorter. The length is
/// at most the dimension's size. `usual` is the number that there is for most sizes, or nothing.
SpecValue slicesOf(RuleContext &ctx, int64_t dim, mlir::OpFoldResult length,
                   mlir::OpFoldResult count, std::optional<int64_t> usual = {});
/// The elements of operand 0 along a dimension.
SpecValue elementsOf(RuleContext &ctx, int64_t dim);

SpecValue pieceCount(const SpecValue &pieces);
/// The piece at an index, which may count from the end; nothing after a failure.
std::optional<SpecValue> pieceAt(RuleContext &ctx, const SpecValue &pieces,
                                 mlir::OpFoldResult index);
/// As many pieces as a program unpacks, checked.
mlir::FailureOr<llvm::SmallVector<SpecValue>> unpackPieces(RuleContext &ctx,
                                                           const SpecValue &pieces, int64_t count);

/// An index into `count` elements, which may count from the end, checked; null after a failure.
mlir::Value wrappedPosition(RuleContext &ctx, mlir::Value index, mlir::Value count);
/// Checks that a number of elements is not 0. False after a failure.
bool requireSome(RuleContext &ctx, mlir::Value count, const llvm::Twine &message);
/// `stack` along the dimension that an operand names, and `cat` along `at`, of what is together in
/// one tensor [count, sizes of one...].
mlir::FailureOr<mlir::Value> stackTogether(RuleContext &ctx, mlir::Value all, unsigned dim);
mlir::Value catTogether(RuleContext &ctx, mlir::Value all, int64_t at);

/// `cat` and `stack` of pieces, along the dimension that an operand names.
mlir::FailureOr<mlir::Value> catPieces(RuleContext &ctx, const SpecValue &pieces, unsigned dim);
mlir::FailureOr<mlir::Value> stackPieces(RuleContext &ctx, const SpecValue &pieces, unsigned dim);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_PIECES_H
