//===- KernelGroup.h - Structured operations that become one kernel -*- C++ -*-===//
//
// A kernel group is a `linalg` operation (the root) with the elementwise operation that computes
// its initial value and the elementwise operation that reads its result. The group computes every
// element of one output tensor exactly once, so that the output's coordinates name the work.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_KERNELGROUP_H
#define TORCHLITE_CODEGEN_COMMON_KERNELGROUP_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <optional>
#include <string>

namespace torchlite {

/// One operation of a group. `coordinates[d]` is the coordinate of the group's output that loop `d`
/// of the operation runs over, or -1 if the loop is a reduction.
struct KernelOp {
  mlir::linalg::LinalgOp op;
  llvm::SmallVector<int64_t> coordinates;

  /// Whether operand `operand` is read at different places for different values of `coordinate`.
  bool dependsOn(mlir::OpOperand *operand, int64_t coordinate);
  /// Whether a step of `coordinate` is a step to the neighbouring element of `operand`: it occurs
  /// in the last index only, with factor one (or `mod p` there and `floordiv p` elsewhere for a
  /// `p` that `panel` divides, which is the same within an aligned panel).
  bool isContiguous(mlir::OpOperand *operand, int64_t coordinate, int64_t panel);
};

/// A root with what is computed in registers around it.
struct KernelGroup {
  KernelOp root;
  std::optional<KernelOp> init;
  std::optional<KernelOp> epilogue;
  /// The epilogue's operand that is the root's result.
  mlir::OpOperand *epilogueInput = nullptr;

  KernelOp &last() { return epilogue ? *epilogue : root; }
  /// The tensor whose elements the group replaces.
  mlir::Value destination();
  /// Rank of the output; its last coordinate is `rank() - 1`.
  int64_t rank() {
    return last().op.getMatchingIndexingMap(last().op.getDpsInitOperand(0)).getNumResults();
  }
  mlir::RankedTensorType type();
};

/// Whether the body of `op` can be evaluated on vectors: elementwise operations, constants and
/// `linalg.index` on integers and floats.
bool isVectorizableBody(mlir::linalg::LinalgOp op);

/// An input of `op` and the dimension of it that is as long as loop `loop`.
std::optional<std::pair<mlir::Value, int64_t>> findLoopSize(mlir::linalg::LinalgOp op,
                                                            unsigned loop);

/// The group of `root`, without an epilogue if none is wanted. On failure `reason` says what was
/// expected.
mlir::FailureOr<KernelGroup> matchKernelGroup(mlir::linalg::LinalgOp root, std::string &reason,
                                              bool wantEpilogue = true);

} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_KERNELGROUP_H
