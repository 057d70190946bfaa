//===- KernelEmitter.h - Vectorised loops for a kernel group ----*- C++ -*-===//
#ifndef TORCHLITE_CODEGEN_CPU_KERNELEMITTER_H
#define TORCHLITE_CODEGEN_CPU_KERNELEMITTER_H

#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "TorchLite/Codegen/Common/KernelGroup.h"

namespace torchlite::cpu {

/// How a group's output is cut into register tiles and parallel tasks.
struct KernelPlan {
  /// The coordinate whose neighbours fill a register tile's rows, or -1 for one row.
  int64_t rowCoordinate = -1;
  /// Rows of a tile; what is left over makes a smaller tile, or single rows if the number of rows
  /// is unknown.
  int64_t tileRows = 1;
  /// Lanes of a vector, and vectors side by side in a tile.
  int64_t lanes = 1;
  int64_t columnVectors = 1;
  /// The coordinate that is cut into tasks beside the column panels, or -1; and its piece, in
  /// elements, or in row tiles if it is the row coordinate.
  int64_t taskCoordinate = -1;
  int64_t taskSize = 1;
  bool parallel = false;
  /// Copies of the accumulators that take turns in the innermost reduction.
  int64_t chains = 1;
  /// All reduction loops are unrolled (small windows).
  bool unrollWindow = false;

  int64_t panelWidth() const { return lanes * columnVectors; }
};

/// Decides how to compute `group`. On failure `reason` says what was expected.
mlir::FailureOr<KernelPlan> planKernel(KernelGroup &group, const TargetInfo &target,
                                       std::string &reason);

struct PlannedGroup {
  KernelGroup group;
  KernelPlan plan;
};

/// The group of `root` and how to compute it. A reader that stands in the way (the transpose after
/// a convolution, whose columns are not the convolution's) stays outside.
mlir::FailureOr<PlannedGroup> planGroup(mlir::linalg::LinalgOp root, const TargetInfo &target,
                                        std::string &reason);

/// Emits the group at the builder's insertion point and returns its result. Cannot fail for a group
/// and a plan that the functions above returned.
mlir::Value emitKernel(mlir::OpBuilder &builder, KernelGroup &group, const KernelPlan &plan);

} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_KERNELEMITTER_H
