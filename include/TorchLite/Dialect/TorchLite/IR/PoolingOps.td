// Pooling over one to three spatial dimensions of `[N, C, spatial...]`.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_POOLINGOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_POOLINGOPS_TD

include "TorchLite/Dialect/TorchLite/IR/StructuredBase.td"

class TL_PoolOp<string mnemonic> : TL_StructuredOp<mnemonic> {
  code sizes = [{
    Sizes are `floor((in + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1`; with
    `ceil_mode` the division rounds up, but no window starts beyond the input and its near padding.
    Padding is at most half the kernel.
  }];
  let extraClassDeclaration = [{
    /// The number of spatial dimensions.
    int64_t getSpatialRank() { return getInput().getType().getRank() - 2; }
  }];
}

def TL_MaxPoolOp : TL_PoolOp<"max_pool"> {
  let summary = "The maximum of each window; NaN wins";
  let description = sizes # [{
    Example:
    ```mlir
    %0 = tl.max_pool %x kernel [3, 3] stride [2, 2] padding [1, 1] dilation [1, 1]
       : tensor<1x64x112x112xf32> -> tensor<1x64x56x56xf32>
    ```
  }];
  let arguments = (ins TL_NumberTensor:$input, DenseI64ArrayAttr:$kernel,
                       DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding,
                       DenseI64ArrayAttr:$dilation, UnitAttr:$ceil_mode);
  let results = (outs TL_NumberTensor:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel `stride` $stride `padding` $padding `dilation` $dilation
    (`ceil_mode` $ceil_mode^)? attr-dict `:` type($input) `->` type($result)
  }];
}

def TL_MaxPoolWithIndicesOp : TL_PoolOp<"max_pool_with_indices"> {
  let summary = "The maximum of each window, and where it is";
  let description = sizes # [{
    The second result is the position in the flattened spatial dimensions of the input: of the first
    maximum, or of the last NaN, as in PyTorch.

    Example:
    ```mlir
    %0, %1 = tl.max_pool_with_indices %x kernel [2] stride [2] padding [0] dilation [1] ceil_mode
       : tensor<1x4x7xf32> -> tensor<1x4x4xf32>, tensor<1x4x4xi64>
    ```
  }];
  let arguments = (ins TL_NumberTensor:$input, DenseI64ArrayAttr:$kernel,
                       DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding,
                       DenseI64ArrayAttr:$dilation, UnitAttr:$ceil_mode);
  let results = (outs TL_NumberTensor:$result, TL_I64Tensor:$indices);
  let assemblyFormat = [{
    $input `kernel` $kernel `stride` $stride `padding` $padding `dilation` $dilation
    (`ceil_mode` $ceil_mode^)? attr-dict `:` type($input) `->` type($result) `,` type($indices)
  }];
}

def TL_AvgPoolTensor : RankedTensorOf<[F16, BF16, F32, F64, I64]>;

def TL_AvgPoolOp : TL_PoolOp<"avg_pool"> {
  let summary = "The mean of each window";
  let description = sizes # [{
    The divisor of a window is `divisor_override` where there is one; otherwise, with
    `count_include_pad`, the window's size within the padded input, and without it the window's
    size within the input.

    Example:
    ```mlir
    %0 = tl.avg_pool %x kernel [3, 3] stride [2, 2] padding [1, 1] ceil_mode count_include_pad
       : tensor<1x64x8x8xf32> -> tensor<1x64x5x5xf32>
    %1 = tl.avg_pool %x kernel [2, 2] stride [2, 2] padding [0, 0] divisor_override 3
       : tensor<1x64x8x8xf32> -> tensor<1x64x4x4xf32>
    ```
  }];
  let arguments = (ins TL_AvgPoolTensor:$input, DenseI64ArrayAttr:$kernel,
                       DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding, UnitAttr:$ceil_mode,
                       UnitAttr:$count_include_pad, OptionalAttr<I64Attr>:$divisor_override);
  let results = (outs TL_AvgPoolTensor:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel `stride` $stride `padding` $padding (`ceil_mode` $ceil_mode^)?
    (`count_include_pad` $count_include_pad^)? (`divisor_override` $divisor_override^)? attr-dict
    `:` type($input) `->` type($result)
  }];
}

def TL_AdaptiveAvgPoolOp : TL_PoolOp<"adaptive_avg_pool"> {
  let summary = "The mean of as many windows as asked for";
  let description = [{
    Window `i` of `n` over `size` elements goes from `floor(i * size / n)` to
    `ceil((i + 1) * size / n)`.

    Example:
    ```mlir
    %0 = tl.adaptive_avg_pool %x output_size [1, 1]
       : tensor<1x512x7x7xf32> -> tensor<1x512x1x1xf32>
    ```
  }];
  let arguments = (ins TL_FloatTensor:$input, DenseI64ArrayAttr:$output_size);
  let results = (outs TL_FloatTensor:$result);
  let assemblyFormat = [{
    $input `output_size` $output_size attr-dict `:` type($input) `->` type($result)
  }];
}

#endif
