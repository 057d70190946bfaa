//===- Passes.td - Passes that all code generators share ---*- tablegen -*-===//
#ifndef TORCHLITE_CODEGEN_COMMON_PASSES_TD
#define TORCHLITE_CODEGEN_COMMON_PASSES_TD

include "mlir/Pass/PassBase.td"
include "TorchLite/Codegen/Common/LoweringPasses.td"

def PropagateLayoutPass : Pass<"tl-propagate-layout", "::mlir::func::FuncOp"> {
  let summary = "Moves linalg.transpose towards the results, where transpositions meet and cancel";
  let description = [{
    Convolutions and poolings are lowered with channels last, between two transpositions. Here each
    transposition moves down through what it does not matter to: elementwise `linalg.generic` (whose
    loops are permuted), reductions (which absorb it), `tensor.pad`, slices, casts and
    concatenations. Two that meet become one or none; one that moves only dimensions of size 1
    becomes a reshape. What remains of a convolutional network is one transposition of its input.

    An operation with several inputs of full rank is passed only if all of them are transposed alike:
    otherwise there would be more transpositions than before.

    Example:
    ```mlir
    %0 = linalg.transpose ins(%x : tensor<1x4x4x8xf32>) outs(%e : tensor<1x8x4x4xf32>) permutation = [0, 3, 1, 2]
    %1 = linalg.generic /* relu */ ins(%0 : tensor<1x8x4x4xf32>) ... -> tensor<1x8x4x4xf32>
    %2 = linalg.transpose ins(%1 : tensor<1x8x4x4xf32>) outs(%f : tensor<1x4x4x8xf32>) permutation = [0, 2, 3, 1]
    ```
    becomes
    ```mlir
    %2 = linalg.generic /* relu */ ins(%x : tensor<1x4x4x8xf32>) ... -> tensor<1x4x4x8xf32>
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def FoldConstantLayout : Pass<"tl-fold-constant-layout", "mlir::func::FuncOp"> {
  let summary = "Transpose and reshape constants at compile time";
  let description = [{
    `linalg.transpose`, `tensor.expand_shape` and `tensor.collapse_shape` of a constant become a
    constant. Unlike upstream's folds this moves the bytes of `dense_resource` blobs, whatever their
    size, and makes no attribute per element.

    Example: the weights of a convolution, `[Co, Ci, kh, kw]` as PyTorch stores them, transposed to
    `[kh, kw, Ci, Co]`.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect"];
}

def FuseElementwise : Pass<"tl-fuse-elementwise", "mlir::func::FuncOp"> {
  let summary = "Merge chains of elementwise operations";
  let description = [{
    An elementwise `linalg` operation whose result has one reader is merged into that reader, if the
    reader is elementwise too, so that what is between them never reaches memory. A producer is not
    merged into a reduction: it would be computed once per element of the reduction's window, and a
    reduction without a body of its own is what later passes recognise.

    Example: `relu(add(x, y))`, two `linalg.generic`, becomes one with the body

    ```mlir
    ^bb0(%x: f32, %y: f32, %out: f32):
      %sum = arith.addf %x, %y : f32
      %relu = arith.maximumf %sum, %zero : f32
      linalg.yield %relu : f32
    ```
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect", "mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numMerged", "num-merged", "Elementwise operations merged into their reader">
  ];
}

def ExpandRowsPass : Pass<"tl-expand-rows", "::mlir::func::FuncOp"> {
  let summary = "Turns tlrt.argsort, tlrt.scan and tlrt.nonzero into loops, for CPUs";
  let description = [{
    A sort becomes a merge sort of each row's positions, bottom up, which is stable. A scan becomes a
    loop along its dimension that carries the running values of all rows. Where elements are not zero
    is a loop over all of them that counts rows.

    Example:
    ```mlir
    %sums = tlrt.scan addf dim 1 in f32 ins(%x : tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>)
    ```
    becomes
    ```mlir
    %r:2 = scf.for %i = %c0 to %c8 step %c1 iter_args(%running = %zeros, %sums = %empty) -> (tensor<4xf32>, tensor<4x8xf32>) {
      %slice = tensor.extract_slice %x[0, %i] [4, 1] [1, 1] : tensor<4x8xf32> to tensor<4xf32>
      %next = linalg.generic {...} ins(%slice : tensor<4xf32>) outs(%running : tensor<4xf32>) { ... }
      %written = tensor.insert_slice %next into %sums[0, %i] [4, 1] [1, 1] : tensor<4xf32> into tensor<4x8xf32>
      scf.yield %next, %written : tensor<4xf32>, tensor<4x8xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

#endif // TORCHLITE_CODEGEN_COMMON_PASSES_TD
