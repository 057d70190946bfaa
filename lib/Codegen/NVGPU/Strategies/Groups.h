//===- Groups.h - Reductions by several threads together --------*- C++ -*-===//
//
// Threads that reduce the same elements each make a partial result; these are put together by
// shuffles within a warp (a butterfly: every lane gets the total) and by one exchange through
// shared memory between warps. The order is fixed, so that a result is the same in every run.
//
// Source: M. Harris, "Optimizing Parallel Reduction in CUDA"; CUDA C++ Programming Guide, "Warp
// Shuffle Functions".
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_STRATEGIES_GROUPS_H
#define TORCHLITE_CODEGEN_NVGPU_STRATEGIES_GROUPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <functional>
#include <string>

namespace torchlite::nvgpu {

/// How partial results of a reduction are put together, in any order.
struct Combination {
  using Combine = std::function<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::Location,
                                                               mlir::ValueRange, mlir::ValueRange)>;
  /// What no element changes: one per result of the operation.
  llvm::SmallVector<mlir::TypedAttr> neutral;
  /// The result of two sets of elements from the results of each.
  Combine combine;
  /// The result from the initial values and the result of all elements.
  Combine finish;

  llvm::SmallVector<mlir::Value> neutralValues(mlir::OpBuilder &builder, mlir::Location loc) const;
};

/// The combination of `op`'s results, if partial results may be put together in any order: each
/// result is combined with the elements by one operation that is commutative and associative (but
/// for rounding); or the results are the greatest or least element and where it is first. On
/// failure `reason` says what was expected.
mlir::FailureOr<Combination> matchCombination(mlir::linalg::LinalgOp op, std::string &reason);

/// The total of `values` over `lanes` neighbouring lanes (a power of two, at most 32), in each of
/// them. All lanes of the warp must take part.
llvm::SmallVector<mlir::Value> combineLanes(mlir::OpBuilder &builder, mlir::Location loc,
                                            const Combination &combination, mlir::ValueRange values,
                                            int64_t lanes);

/// Bytes of shared memory that an exchange of `count` partial results takes.
int64_t exchangeBytes(const Combination &combination, int64_t count);

/// The total of `values` over a block of `warps` warps, in each thread, given the total of its warp
/// in each lane. `thread` is the number in the block; the exchange uses shared memory from `offset`
/// on, which nothing else may use. All threads of the block must take part.
llvm::SmallVector<mlir::Value> combineWarps(mlir::OpBuilder &builder, mlir::Location loc,
                                            const Combination &combination, mlir::ValueRange values,
                                            mlir::Value thread, int64_t warps, int64_t offset);

/// The total of `values` over the threads of a block with the same number modulo `columns`; the
/// block has `columns` times `count` (a power of two) threads. Only the threads below `columns` get
/// it: `enter` is called before the last step, and must leave `builder` where no others are.
llvm::SmallVector<mlir::Value> combineColumns(mlir::OpBuilder &builder, mlir::Location loc,
                                              const Combination &combination,
                                              mlir::ValueRange values, mlir::Value thread,
                                              int64_t columns, int64_t count, int64_t offset,
                                              llvm::function_ref<void()> enter);

/// Moves what only `branch` needs into it: loads, and what is computed of them. A result may be
/// written over something that it is computed of, which no thread may read that does not write it.
void sinkReads(mlir::scf::IfOp branch);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_STRATEGIES_GROUPS_H
