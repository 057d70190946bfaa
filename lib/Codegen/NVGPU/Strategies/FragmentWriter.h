//===- FragmentWriter.h - Sums in registers to results ----------*- C++ -*-===//
//
// The result layer of the strategy `mma`: the initial value, the epilogue, and stores, for sums
// that lie in the registers of a warp as C does in TensorCore.h.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_FRAGMENTWRITER_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_FRAGMENTWRITER_H

#include "Contraction.h"
#include "TorchLite/Codegen/NVGPU/TargetInfo.h"

namespace torchlite::nvgpu {

/// Writes the tile of one warp. Two neighbouring columns are one store where they are in or out of
/// the result together; of 16-bit elements four, so that each store fills sectors of 32 bytes: the
/// lanes 2i and 2i + 1 have two columns each of two fragments, and exchange them for four columns
/// of one.
class FragmentWriter {
public:
  FragmentWriter(mlir::OpBuilder &builder, const Contraction &form, const TileShape &shape,
                 mlir::Value lane, mlir::Value batch);

  /// `row` and `column` are the numbers of the first ones of the warp's tile (`shape.warpM` by
  /// `shape.warpN`); `sums` four for each 16x8 fragment, row by row. All lanes get here together.
  /// Fails, with code emitted, where the epilogue has what the evaluator does not know.
  llvm::LogicalResult write(mlir::Value row, mlir::Value column, mlir::ValueRange sums,
                            std::string &reason);

private:
  /// One row of the fragments of a lane: coordinates, address, and whether it is in the result.
  struct Row {
    llvm::SmallVector<mlir::Value> iteration;
    Place place;
    mlir::Value inside;
  };

  mlir::Location loc() const { return form.kernel->getLoc(); }
  mlir::Value index(int64_t value);
  mlir::Value number(int64_t value) { return form.number(builder, value); }
  mlir::Value add(mlir::Value left, mlir::Value right);
  mlir::Value isInside(Axis axis, int64_t tile, mlir::Value at);
  mlir::Value both(mlir::Value left, mlir::Value right);
  /// The elements of the result for `sums`, which are in neighbouring columns from `n` on.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> evaluate(const Row &row, mlir::Value n,
                                                           mlir::ValueRange sums);
  llvm::LogicalResult writePair(const Row &row, mlir::Value n, mlir::ValueRange sums);
  llvm::LogicalResult writeExchanged(const Row &row, mlir::Value column, int64_t fragment,
                                     mlir::ValueRange sums);
  /// Stores neighbours as one value (a vector or a scalar) where `inside` holds.
  void store(const Row &row, mlir::Value n, mlir::Value elements);

  mlir::OpBuilder &builder;
  const Contraction &form;
  TileShape shape;
  std::string error;
  mlir::Value batch, output, group, place; ///< group, place: g and t
  int64_t width;                           ///< columns of one store
};

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_FRAGMENTWRITER_H
