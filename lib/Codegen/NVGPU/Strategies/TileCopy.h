//===- TileCopy.h - Tiles of operands to shared memory ----------*- C++ -*-===//
//
// The operand layer of the strategy `mma`: which thread copies which elements of a tile, in what
// width, and by what. It knows nothing of the instruction that multiplies.
//
// Elements outside of the operand or its padding arrive as zeros: they add nothing to a product.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TILECOPY_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TILECOPY_H

#include "Contraction.h"
#include "TensorCore.h"

namespace torchlite::nvgpu {

/// How the threads of a block copy the tiles of one operand. cp.async writes to shared memory while
/// the threads compute; it moves 4, 8 or 16 bytes. What is not aligned to 4 bytes (f16 in rows of odd
/// length) goes through registers, as does everything on targets without cp.async: loaded before the
/// computation of a stage, stored after it.
class TileCopier {
public:
  /// `threads` of a block copy tiles of the form `tile` of operand `side`.
  TileCopier(const Contraction &form, Contraction::Side side, const SharedTile &tile,
             const TargetInfo &target, int64_t threads);

  bool isAsync() const { return async; }
  /// Whether each thread has the same number of copies; no other tiles are supported.
  bool isEven() const { return tile.elements() % (width * threads) == 0; }
  /// Tiles beyond the last will be begun, too: nothing is read for them.
  void allowBeyondLast() { beyondLast = true; }

  /// Emits what all tiles have in common: `thread` is the thread's number and `firstRow` the tile's
  /// first row (numbers of the contraction), `batch` the operand's place along the batch.
  void prepare(mlir::OpBuilder &builder, mlir::Value thread, mlir::Value firstRow,
               const Place &batch);
  /// Begins to copy the tile from `firstK` (a number) on to element `start` of `shared`. Returns what
  /// `finish` stores; cp.async leaves nothing to do.
  llvm::SmallVector<mlir::Value> begin(mlir::OpBuilder &builder, mlir::Value shared,
                                       mlir::Value start, mlir::Value firstK) const;
  void finish(mlir::OpBuilder &builder, mlir::Value shared, mlir::Value start,
              mlir::ValueRange elements) const;

private:
  /// One access of the thread in each tile.
  struct Copy {
    Place row;            ///< with what does not depend on k
    mlir::Value rowGuard; ///< null: always inside
    mlir::Value rowNumber, k; ///< k: within the tile
    mlir::Value position; ///< within the tile in shared memory
  };

  mlir::Value guard(mlir::OpBuilder &builder, const Copy &copy, mlir::Value k, const Place &place,
                    bool checksWindows) const;
  mlir::Value sourceElements(mlir::OpBuilder &builder, const Copy &copy, mlir::Value k,
                             mlir::Value guard) const;
  mlir::Location loc() const { return form.kernel->getLoc(); }
  Axis rowAxis() const { return side == Contraction::Rows ? Axis::M : Axis::N; }
  Axis lineAxis() const { return tile.isTransposed ? rowAxis() : Axis::K; }

  const Contraction &form;
  Contraction::Side side;
  SharedTile tile;
  int64_t threads, width;
  bool async, beyondLast;
  /// The size of the contiguous axis is no multiple of the width: the last copy is a part.
  bool endsWithin;
  mlir::Value source;
  llvm::SmallVector<Copy> copies;
};

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TILECOPY_H
