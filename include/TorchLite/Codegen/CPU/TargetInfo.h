//===- TargetInfo.h - What code generation knows about a CPU ----*- C++ -*-===//
//
// Targets are data: vector width, register tile and cache figures, one row of a table per family of
// instruction sets. Nothing else in lib/Codegen/CPU asks which processor it compiles for.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_CPU_TARGETINFO_H
#define TORCHLITE_CODEGEN_CPU_TARGETINFO_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace llvm {
class MCSubtargetInfo;
class Triple;
} // namespace llvm

namespace torchlite::cpu {

/// One row of the target table.
struct TargetInfo {
  /// The row's name, as pass options take it: "avx512", "avx2", "sse", "neon", "scalar".
  llvm::StringRef name;
  /// Bits of a vector register; 64 where there are none (one f64 at a time).
  int64_t vectorBits;
  /// Vector registers that accumulators and operands share.
  int64_t vectorRegisters;
  /// Rows of a matrix multiplication's register tile.
  int64_t matmulRows;
  /// The same where the rows are pixels of a convolution.
  int64_t convolutionRows;
  /// Vectors of output channels (columns) in a register tile.
  int64_t columnVectors;
  /// Independent accumulators that hide the latency of a multiply-add.
  int64_t accumulatorChains;
  /// Rows whose addresses differ by a multiple of a large power of two share few ways of the
  /// first-level cache: from this row stride in bytes on (and if it is a multiple of it), no more
  /// than `conflictRows` rows are worked on at once.
  int64_t conflictStride;
  int64_t conflictRows;

  /// Vector lanes for elements of `bits` bits (at least 1).
  int64_t lanes(int64_t bits) const { return bits >= vectorBits ? 1 : vectorBits / bits; }
  /// Columns of the register tile for f32, which is also the panel width of packed weights.
  int64_t panelWidth() const { return columnVectors * lanes(32); }
};

/// The row with the given name, or null.
const TargetInfo *lookupTargetInfo(llvm::StringRef name);

/// The row for a processor, from the features that its subtarget has.
const TargetInfo &chooseTargetInfo(const llvm::Triple &triple,
                                   const llvm::MCSubtargetInfo &subtarget);

} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_TARGETINFO_H
