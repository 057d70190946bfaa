// Softmax, normalisation, attention.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_NORMALIZATIONOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_NORMALIZATIONOPS_TD

include "TorchLite/Dialect/TorchLite/IR/StructuredBase.td"

def TL_SoftmaxOp : TL_StructuredOp<"softmax"> {
  let summary = "exp(x) over its sum along one dimension";
  let description = [{
    Computed from x less its maximum. A row of -inf gives NaN. f16 and bf16 are computed in f32.

    Example:
    ```mlir
    %0 = tl.softmax %x dim 1 : tensor<4x?xf32> -> tensor<4x?xf32>
    ```
  }];
  let arguments = (ins TL_FloatTensor:$input, I64Attr:$dim);
  let results = (outs TL_FloatTensor:$result);
  let assemblyFormat = "$input `dim` $dim attr-dict `:` type($input) `->` type($result)";
}

def TL_LogSoftmaxOp : TL_StructuredOp<"log_softmax"> {
  let summary = "The logarithm of softmax, exact where softmax underflows";
  let description = [{
    Example:
    ```mlir
    %0 = tl.log_softmax %x dim 1 : tensor<4x10xf32> -> tensor<4x10xf32>
    ```
  }];
  let arguments = (ins TL_FloatTensor:$input, I64Attr:$dim);
  let results = (outs TL_FloatTensor:$result);
  let assemblyFormat = "$input `dim` $dim attr-dict `:` type($input) `->` type($result)";
}

def TL_LayerNormOp : TL_StructuredOp<"layer_norm", [AttrSizedOperandSegments]> {
  let summary = "(x - mean) / sqrt(variance + eps) over the last dimensions, times weight, plus bias";
  let description = [{
    Mean and (biased) variance are taken over the last `num_dims` dimensions; weight and bias have
    exactly these. f16 and bf16 are computed in f32.

    Example:
    ```mlir
    %0 = tl.layer_norm %x weight %w bias %b num_dims 1 eps 1.0e-5
       : tensor<8x64xf32>, tensor<64xf32>, tensor<64xf32> -> tensor<8x64xf32>
    ```
  }];
  let arguments = (ins TL_FloatTensor:$input, Optional<TL_FloatTensor>:$weight,
                       Optional<TL_FloatTensor>:$bias, I64Attr:$num_dims, F64Attr:$eps);
  let results = (outs TL_FloatTensor:$result);
  let assemblyFormat = [{
    $input (`weight` $weight^)? (`bias` $bias^)? `num_dims` $num_dims `eps` $eps attr-dict
    `:` type($input) (`weight` type($weight)^)? (`bias` type($bias)^)? `->` type($result)
  }];
}

def TL_BatchNormOp : TL_StructuredOp<"batch_norm", [AttrSizedOperandSegments]> {
  let summary = "(x - mean) / sqrt(variance + eps) * weight + bias, by channel (dimension 1)";
  let description = [{
    Inference: mean and variance are operands. All of them have one element for each channel.

    Example:
    ```mlir
    %0 = tl.batch_norm %x mean %m variance %v weight %w bias %b eps 1.0e-5
       : tensor<1x64x8x8xf32>, tensor<64xf32>, tensor<64xf32> weight tensor<64xf32>
         bias tensor<64xf32> -> tensor<1x64x8x8xf32>
    ```
  }];
  let arguments = (ins TL_FloatTensor:$input, TL_FloatTensor:$mean, TL_FloatTensor:$variance,
                       Optional<TL_FloatTensor>:$weight, Optional<TL_FloatTensor>:$bias,
                       F64Attr:$eps);
  let results = (outs TL_FloatTensor:$result);
  let assemblyFormat = [{
    $input `mean` $mean `variance` $variance (`weight` $weight^)? (`bias` $bias^)? `eps` $eps
    attr-dict `:` type($input) `,` type($mean) `,` type($variance) (`weight` type($weight)^)?
    (`bias` type($bias)^)? `->` type($result)
  }];
}

def TL_AttentionOp : TL_StructuredOp<"attention"> {
  let summary = "softmax(query * transpose(key) * scale + mask) * value";
  let description = [{
    query is `[batch..., L, E]`, key `[batch..., S, E]`, value `[batch..., S, V]`, the result
    `[batch..., L, V]` with one or two batch dimensions. The mask is additive, or boolean (true:
    takes part), and broadcasts to `[batch..., L, S]`. `is_causal` lets row i see the first i + 1
    keys; it excludes a mask. Rows without any key give zeros. `scale` is `1 / sqrt(E)` where absent.

    Example:
    ```mlir
    %0 = tl.attention %q, %k, %v is_causal
       : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
    %1 = tl.attention %q, %k, %v mask %m scale 2.0
       : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> mask tensor<?x?xi1>
      -> tensor<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins TL_FloatTensor:$query, TL_FloatTensor:$key, TL_FloatTensor:$value,
                       Optional<TL_RealTensor>:$mask, OptionalAttr<F64Attr>:$scale,
                       UnitAttr:$is_causal);
  let results = (outs TL_FloatTensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` $mask^)? (`scale` $scale^)? (`is_causal` $is_causal^)?
    attr-dict `:` type($query) `,` type($key) `,` type($value) (`mask` type($mask)^)?
    `->` type($result)
  }];
}

#endif
