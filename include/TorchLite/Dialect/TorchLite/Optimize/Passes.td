// Optimisations of core tl operations.
#ifndef TORCHLITE_DIALECT_TORCHLITE_OPTIMIZE_PASSES_TD
#define TORCHLITE_DIALECT_TORCHLITE_OPTIMIZE_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldBatchNormPass : Pass<"tl-fold-batch-norm", "::mlir::ModuleOp"> {
  let summary = "Folds tl.batch_norm of constants into convolutions, or into a product and a sum";
  let description = [{
    With `scale = weight / sqrt(variance + eps)`, the normalisation of a convolution that nothing else
    reads is the convolution with its kernel times `scale` and the bias
    `(bias - mean) * scale + normBias`. Any other normalisation becomes `x * scale + shift`. All of it
    is computed in double at compile time; only f32 and f64 are folded, since products rounded to 16
    bits would differ too much. Equal kernels folded alike in several functions stay shared.

    Example:
    ```mlir
    %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 1 output_padding [0]
       : tensor<1x3x9xf32>, tensor<8x3x3xf32> -> tensor<1x8x7xf32>
    %1 = tl.batch_norm %0 mean %m variance %v eps 1.0e-5
       : tensor<1x8x7xf32>, tensor<8xf32>, tensor<8xf32> -> tensor<1x8x7xf32>
    ```
    becomes, where `%w`, `%m` and `%v` are constants,
    ```mlir
    %1 = tl.conv %x, %w2 bias %b2 stride [1] padding [0] dilation [1] groups 1 output_padding [0]
       : tensor<1x3x9xf32>, tensor<8x3x3xf32>, tensor<8xf32> -> tensor<1x8x7xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::torchlite::tl::TorchLiteDialect"];
}

#endif
