// Contractions: matrix multiplication and convolution.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_CONTRACTIONOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_CONTRACTIONOPS_TD

include "TorchLite/Dialect/TorchLite/IR/StructuredBase.td"

def TL_Arithmetic : AnyTypeOf<[TL_Number, TL_Complex], "a number">;
def TL_ArithmeticTensor : RankedTensorOf<[TL_Arithmetic]>;

def TL_MatmulOp : TL_StructuredOp<"matmul"> {
  let summary = "Matrix product, or one per batch";
  let description = [{
    Both operands are matrices, or both are batches (rank 3) of equally many matrices.
    `transpose_a` and `transpose_b` say that the operand is stored with its last two dimensions
    exchanged. f16 and bf16 accumulate in f32; with `to_f32` the result stays in f32, so that an
    operator that goes on (`addmm`) rounds once. Integers wrap around.

    Example:
    ```mlir
    %0 = tl.matmul %a, %b : tensor<2x3xf32>, tensor<3x?xf32> -> tensor<2x?xf32>
    // A linear layer: x * transpose(w).
    %1 = tl.matmul %x, %w transpose_b : tensor<8x64xf32>, tensor<10x64xf32> -> tensor<8x10xf32>
    %2 = tl.matmul %h, %v to_f32 : tensor<2x3xf16>, tensor<3x4xf16> -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins TL_ArithmeticTensor:$lhs, TL_ArithmeticTensor:$rhs,
                       UnitAttr:$transpose_a, UnitAttr:$transpose_b, UnitAttr:$to_f32);
  let results = (outs TL_ArithmeticTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)? (`to_f32` $to_f32^)?
    attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
}

def TL_ConvOp : TL_StructuredOp<"conv"> {
  let summary = "Convolution over one to three spatial dimensions, as in PyTorch";
  let description = [{
    The input is `[N, C, spatial...]`, the weight `[F, C / groups, spatial...]`, the bias `[F]`, the
    result `[N, F, spatial...]`. A `transposed` convolution takes the weight as
    `[C, F / groups, spatial...]`, and `output_padding` rows more on the far side; it is zero
    otherwise. All lists have one number for each spatial dimension. f16 and bf16 accumulate in f32.

    Sizes are `floor((in + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1`, and
    `(in - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1` for a
    transposed convolution.

    Example:
    ```mlir
    %0 = tl.conv %x, %w bias %b stride [2, 2] padding [3, 3] dilation [1, 1] groups 1
           output_padding [0, 0]
       : tensor<1x3x224x224xf32>, tensor<64x3x7x7xf32>, tensor<64xf32> -> tensor<1x64x112x112xf32>
    ```
  }];
  let arguments = (ins TL_ArithmeticTensor:$input, TL_ArithmeticTensor:$weight,
                       Optional<TL_ArithmeticTensor>:$bias, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilation, I64Attr:$groups,
                       UnitAttr:$transposed, DenseI64ArrayAttr:$output_padding);
  let results = (outs TL_ArithmeticTensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? `stride` $stride `padding` $padding `dilation` $dilation
    `groups` $groups (`transposed` $transposed^)? `output_padding` $output_padding attr-dict
    `:` type($input) `,` type($weight) (`,` type($bias)^)? `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The number of spatial dimensions.
    int64_t getSpatialRank() { return getInput().getType().getRank() - 2; }
  }];
}

#endif
