//===- BlockProduct.h - Contractions on ordinary cores ----------*- C++ -*-===//
//
// A block of threads computes a tile of the result: step by step along K, a slice of both operands
// is copied to shared memory, where each thread reads what it multiplies. The next slices are
// already under way while one is multiplied, and go to other stages of the shared memory, so that
// one barrier per step suffices: by cp.async where the target has it and the operand allows it, two
// slices ahead, else through registers, one ahead.
//
//   shared memory   rows [stages][blockK][blockM + padding], columns [stages][blockK][blockN +
//   padding] a thread        warpM x warpN sums, in groups of four rows and columns: accesses of 16
//   bytes a warp          4 x 8 threads, so that its reads of shared memory are few and without
//   conflicts
//
// A small result has few tiles of that kind, and a multiprocessor with few threads waits. So small
// tiles have several groups of threads, each of which takes some of the numbers of every step along
// K; their sums are added through shared memory at last, always in the same order.
//
// Slices are stored with K outermost whichever way the operand lies in memory; the padding keeps
// the transposing writes apart. Edges: rows and columns beyond the result are computed and not
// stored (they repeat the last one, or are zeros where cp.async fills them), steps beyond K and
// padded elements are zeros.
//
// Sources: NVIDIA CUTLASS, "Efficient GEMM in CUDA" (tiles, double buffering); Volkov and Demmel,
// "Benchmarking GPUs to Tune Dense Linear Algebra", 2008 (sums in registers).
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_BLOCKPRODUCT_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_BLOCKPRODUCT_H

#include "Contraction.h"

namespace torchlite::nvgpu {

/// The tile of the target's table that finishes `form` first, by a simple model: waves of blocks
/// times the time of one. Sizes that are not known count as 512.
TileShape chooseTile(const Contraction &form, const TargetInfo &target);

/// Emits one launch that computes all of `form` (prepared), with tiles of the given shape. Fails
/// with nothing left of the launch where the evaluator does not know a part of the epilogue.
mlir::LogicalResult emitBlockProduct(mlir::OpBuilder &builder, const Contraction &form,
                                     const TileShape &tile, const TargetInfo &target,
                                     std::string &reason);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_BLOCKPRODUCT_H
