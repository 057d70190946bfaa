//===- PackedRows.h - Sequences of different lengths, packed ----*- C++ -*-===//
//
// PyTorch packs a batch of sequences, sorted by decreasing length, into rows: the first elements of
// all, then the second ones of those that have any, and so on. `batch_sizes` says how many there
// are each time.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_PACKEDROWS_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_PACKEDROWS_H

#include "TensorExpr.h"

namespace torchlite::tl::specialize {

/// Where the rows of a packed batch are.
struct PackedRows {
  mlir::OpFoldResult rows, time, batch;
  /// For each time and sequence (i64 and i1, [time, batch]): its row, 0 where there is none; and
  /// whether there is one.
  mlir::Value rowOf, isThere;
  /// For each row (i64, [rows]): time * batch + sequence.
  mlir::Value placeOf;
};

/// Finds the rows for `batchSizes` (i64, [time], checked or known to decrease).
std::optional<PackedRows> findRows(RuleContext &ctx, mlir::Value batchSizes,
                                   mlir::OpFoldResult batch, mlir::OpFoldResult rows);

/// As `findRows` for sizes that somebody gives: raises where they cannot be those of so many rows.
std::optional<PackedRows> checkRows(RuleContext &ctx, mlir::Value batchSizes,
                                    mlir::OpFoldResult batch, mlir::OpFoldResult rows);

/// [rows, ...] to [time, batch, ...], anything where there is no row; and back.
mlir::Value unpackRows(RuleContext &ctx, const PackedRows &packed, mlir::Value rows);
mlir::Value packRows(RuleContext &ctx, const PackedRows &packed, mlir::Value tensor);

/// A tensor [time, batch, ...] of the program: as it is, or with `batchFirst` a view of it that
/// begins with the batch.
SpecValue makeSequences(RuleContext &ctx, mlir::Value timeFirst, bool batchFirst);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_PACKEDROWS_H
