//===- TensorCore.h - Tiles and fragments of mma.sync -----------*- C++ -*-===//
//
// The instruction layer of the strategy `mma`: how the tiles of the operands lie in shared memory,
// how a warp reads fragments of them, and the multiplication itself. It knows nothing of where
// operands come from or where results go.
//
// Registers of a lane, with g = lane / 4 and t = lane % 4 (PTX ISA, "Matrix Fragments for
// mma.m16n8k16 with floating point type" and "for mma.m16n8k8"); rows are those of A and of the
// result, columns those of B and of the result, k runs along the reduction:
//
//            16-bit elements, k16                            tf32, k8
//   A  a0    row g,     k 2t, 2t + 1                         row g,     k t
//      a1    row g + 8, k 2t, 2t + 1                         row g + 8, k t
//      a2    row g,     k 2t + 8, 2t + 9                     row g,     k t + 4
//      a3    row g + 8, k 2t + 8, 2t + 9                     row g + 8, k t + 4
//   B  b0    column g,  k 2t, 2t + 1                         column g,  k t
//      b1    column g,  k 2t + 8, 2t + 9                     column g,  k t + 4
//   C  c0 c1 row g,     columns 2t, 2t + 1                   the same
//      c2 c3 row g + 8, columns 2t, 2t + 1
//
// Where there is no m16n8k16 (sm_75), two m16n8k8 take its place: a0 a1 b0, then a2 a3 b1.
//
// To both operands the same code applies: an operand has rows (of A; the columns of B), and
// elements of a row along the reduction.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TENSORCORE_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TENSORCORE_H

#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <array>

namespace torchlite::nvgpu {

/// What is multiplied, and as what.
struct MmaKind {
  mlir::Type memory;     ///< the operands' elements in memory: f16, bf16 or f32
  mlir::Type multiplied; ///< f16, bf16, or f32 for tf32
  int64_t depth;         ///< of one step: 16, for tf32 8
  bool hasK16;           ///< whether one instruction does the step of 16

  bool isTF32() const { return multiplied.isF32(); }
  /// Elements are rounded on the way from shared memory to registers.
  bool rounds() const { return memory.isF32(); }
  int64_t elementBytes() const { return memory.getIntOrFloatBitWidth() / 8; }

  /// The instruction for operands of `memory`, or a reason why the target has none.
  static std::optional<MmaKind> choose(mlir::Type memory, const EmitOptions &options,
                                       std::string &reason);
};

/// Where the elements of one operand's tile are in shared memory.
///
/// The tile is made of lines: of rows, or where neighbouring elements in memory belong to different
/// rows (`isTransposed`), of elements with the same k. To read a fragment, lanes read units of
/// neighbouring elements from eight lines (four where units have 32 bytes) at once. These must be
/// in different banks, so the units of a line are permuted: unit u of line l is at u xor (l /
/// divisor).
struct SharedTile {
  int64_t rows, depth; ///< elements of the tile
  int64_t elementBytes;
  bool isTransposed;
  bool usesLdmatrix;
  bool pairsLines; ///< a lane reads two neighbouring lines: pairs along k of a transposed tile

  static SharedTile create(const MmaKind &kind, int64_t rows, int64_t depth, bool isTransposed);

  int64_t lines() const { return isTransposed ? depth : rows; }
  int64_t lineLength() const { return isTransposed ? rows : depth; }
  int64_t elements() const { return rows * depth; }
  int64_t bytes() const { return elements() * elementBytes; }

  /// Elements that stay neighbours: 16 bytes for ldmatrix, else what the lanes of four lines read.
  int64_t unit() const { return usesLdmatrix ? 16 / elementBytes : 8; }
  /// What unit numbers of `line` are combined with by xor. `line` may lack multiples of 8.
  mlir::Value permutation(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value line) const;
  /// The place of element `column` of `line` in the tile.
  mlir::Value position(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value line,
                       mlir::Value column) const;
};

/// Registers of one fragment: four of A, two of B.
using Fragment = llvm::SmallVector<mlir::Value, 4>;

/// Reads the fragments of the rows of one warp from a tile.
class FragmentLoader {
public:
  /// Emits what does not change from step to step at `builder`. `lane` is that within the warp,
  /// `warpRow` the warp's first row in the tile: a multiple of `warpRows`, itself one of 16.
  FragmentLoader(mlir::OpBuilder &builder, mlir::Location loc, const MmaKind &kind,
                 const SharedTile &tile, bool isA, mlir::Value lane, mlir::Value warpRow,
                 int64_t warpRows);

  /// The fragments of step `step` (of `kind.depth`) of the tile at element `start` of `shared`, a
  /// one-dimensional buffer of the memory's elements: one per 16 rows of A, or per 8 of B.
  llvm::SmallVector<Fragment> load(mlir::OpBuilder &builder, mlir::Value shared, mlir::Value start,
                                   int64_t step) const;

private:
  void loadMatrices(mlir::OpBuilder &builder, mlir::Value shared, mlir::Value start, int64_t step,
                    int64_t block, llvm::MutableArrayRef<mlir::Value> registers) const;
  void loadElements(mlir::OpBuilder &builder, mlir::Value shared, mlir::Value start, int64_t step,
                    int64_t block, llvm::MutableArrayRef<mlir::Value> registers) const;

  mlir::Location loc;
  MmaKind kind;
  SharedTile tile;
  bool isA;
  int64_t warpRows;
  /// By unit of the warp's part of a line: the lane's first element.
  llvm::SmallVector<mlir::Value> positions;
};

/// `sums + a * b` for one fragment of each; four sums.
std::array<mlir::Value, 4> multiplyFragments(mlir::OpBuilder &builder, mlir::Location loc,
                                             const MmaKind &kind, const Fragment &a,
                                             const Fragment &b, mlir::ValueRange sums);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TENSORCORE_H
