// Passes that all code generators share.
#ifndef TORCHLITE_CODEGEN_COMMON_PASSES_TD
#define TORCHLITE_CODEGEN_COMMON_PASSES_TD

include "mlir/Pass/PassBase.td"

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

#endif
