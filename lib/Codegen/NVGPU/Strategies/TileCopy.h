//===- TileCopy.h - Tiles of operands to shared memory ----------*- C++ -*-===//
//
// The operand layer of products in shared memory: which thread copies which elements of a tile, in
// what width, and by what. It knows nothing of the instructions that multiply.
//
// Elements outside of the operand or its padding arrive as zeros: they add nothing to a product.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TILECOPY_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TILECOPY_H

#include "Contraction.h"
#include "TensorCore.h"
#include <functional>

namespace torchlite::nvgpu {

/// Where a tile's elements go in shared memory. A tile is made of lines: of rows, or where
/// neighbouring elements in global memory belong to different rows (`isTransposed`), of elements
/// with the same k.
struct TileLayout {
  int64_t rows, depth; ///< elements of the tile
  int64_t elementBytes;
  bool isTransposed;
  int64_t unit; ///< elements of a line that are neighbours in shared memory too
  /// How many elements of a line neighbouring threads copy before they go on to the next line;
  /// divides the length of a line.
  int64_t run;
  /// The place of element `column` of `line` in the tile, all indices.
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::Value line,
                            mlir::Value column)>
      position;

  /// The layout that fragments of tensor cores are read from.
  static TileLayout of(const SharedTile &tile);

  int64_t lines() const { return isTransposed ? depth : rows; }
  int64_t lineLength() const { return isTransposed ? rows : depth; }
  int64_t elements() const { return rows * depth; }
};

/// How the threads of a block copy the tiles of one operand. cp.async writes to shared memory while
/// the threads compute; it moves 4, 8 or 16 bytes. What is not aligned to 4 bytes (f16 in rows of
/// odd length) goes through registers, as does everything on targets without cp.async: loaded
/// before the computation of a stage, stored after it.
class TileCopier {
public:
  /// `threads` of a block copy tiles of operand `side` to the places of `tile`.
  TileCopier(const Contraction &form, Contraction::Side side, TileLayout tile,
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
  /// Begins to copy the tile from `firstK` (a number) on to element `start` of `shared`. Returns
  /// what `finish` stores; cp.async leaves nothing to do.
  llvm::SmallVector<mlir::Value> begin(mlir::OpBuilder &builder, mlir::Value shared,
                                       mlir::Value start, mlir::Value firstK) const;
  void finish(mlir::OpBuilder &builder, mlir::Value shared, mlir::Value start,
              mlir::ValueRange elements) const;

private:
  /// One access of the thread in each tile.
  struct Copy {
    Place row;                ///< with what does not depend on k
    mlir::Value rowGuard;     ///< null: always inside
    mlir::Value rowNumber, k; ///< k: within the tile
    mlir::Value position;     ///< within the tile in shared memory
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
  TileLayout tile;
  int64_t threads, width;
  bool async, beyondLast;
  /// The size of the contiguous axis is no multiple of the width: the last copy is a part.
  bool endsWithin;
  mlir::Value source;
  llvm::SmallVector<Copy> copies;
};

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TILECOPY_H
