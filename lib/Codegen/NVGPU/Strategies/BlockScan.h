//===- BlockScan.h - Running values over the threads of a block -*- C++ -*-===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_BLOCKSCAN_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_BLOCKSCAN_H

#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include <functional>

namespace torchlite::nvgpu {

/// Combines the values of a block's threads in their order: shuffles within each warp, shared
/// memory for the totals of the warps.
class BlockScan {
public:
  /// Combines two values, the earlier first.
  using Combine = std::function<mlir::Value(mlir::Value, mlir::Value)>;

  /// Threads that suit `size` elements: whole warps, `limit` at most.
  static int64_t chooseBlock(int64_t size, int64_t limit);
  /// Bytes of shared memory, from its begin on, that values of `type` take.
  static int64_t sharedBytes(int64_t block, mlir::Type type);

  /// To be called at the beginning of the kernel. `thread` is the number in the block.
  BlockScan(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value thread, int64_t block,
            mlir::Type type, Combine combine);

  /// The combination of `carried` and the values up to this thread's, and of `carried` and all.
  /// All threads of the block must take part.
  std::pair<mlir::Value, mlir::Value> scan(mlir::Value value, mlir::Value carried);

private:
  mlir::Value index(int64_t value);
  mlir::Value shuffle(mlir::Value value, int64_t lane, mlir::gpu::ShuffleMode mode);

  mlir::OpBuilder &b;
  mlir::Location loc;
  int64_t warps;
  mlir::Type type, kept; ///< of values, and in shared memory
  Combine combine;
  mlir::Value lane, warp, totals;
};

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_BLOCKSCAN_H
