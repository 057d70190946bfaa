// Reductions, arg-reductions and running reductions along dimensions.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_REDUCTIONOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_REDUCTIONOPS_TD

include "TorchLite/Dialect/TorchLite/IR/CoreBase.td"

def TL_ReduceKind : I32EnumAttr<"ReduceKind", "How a reduction combines two elements", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Prod", 1, "prod">, I32EnumAttrCase<"Max", 2, "max">,
    I32EnumAttrCase<"Min", 3, "min">, I32EnumAttrCase<"And", 4, "and">, I32EnumAttrCase<"Or", 5, "or">]> {
  let cppNamespace = "::torchlite::tl";
  let genSpecializedAttr = 0;
}
def TL_ReduceKindAttr : EnumAttr<TorchLite_Dialect, TL_ReduceKind, "reduce_kind"> {
  let assemblyFormat = "$value";
}

def TL_ReduceOp : TL_InferredOp<"reduce", [Pure, TL_ReifyShapes]> {
  let summary = "Combines the elements along dimensions";
  let description = [{
    The result has the operand's element type; `keepdim` keeps the dimensions with size 1. Without
    elements, `sum` gives 0, `prod` 1, `and` all bits set, `or` 0, `max` the least value of the type
    (minus infinity), `min` the greatest. `f16` and `bf16` accumulate in `f32`, integers wrap around,
    `max` and `min` are NaN if any element is NaN. `sum` and `prod` take numbers, `max` and `min` also
    `i1`, `and` and `or` integers and `i1`. No dimensions: the operand itself. See `torch.sum`,
    `torch.prod`, `torch.amax`, `torch.amin`, `torch.all`, `torch.any`.

    Example:
    ```mlir
    %1 = tl.reduce sum %0 [0, 2] : tensor<4x?x8xf32> -> tensor<?xf32>
    %2 = tl.reduce max %0 [1] keepdim : tensor<4x?x8xf32> -> tensor<4x1x8xf32>
    ```
  }];
  let arguments = (ins TL_ReduceKindAttr:$kind, TL_RealTensor:$operand, DenseI64ArrayAttr:$dims,
                       UnitAttr:$keepdim);
  let hasFolder = 1;
  let results = (outs TL_RealTensor:$result);
  let assemblyFormat = [{
    $kind $operand $dims (`keepdim` $keepdim^)? attr-dict `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
}

def TL_ArgReduceOp : TL_InferredOp<"arg_reduce", [Pure, TL_ReifyShapes]> {
  let summary = "The index of the greatest or least element along a dimension";
  let description = [{
    Of equal elements the first one counts, and NaN is above (below) all. The kind is `max` or `min`.
    The dimension must not be empty. See `torch.argmax`, `torch.argmin`.

    Example:
    ```mlir
    %1 = tl.arg_reduce max %0 dim 1 : tensor<4x?xf32> -> tensor<4xi64>
    %2 = tl.arg_reduce min %0 dim 1 keepdim : tensor<4x?xf32> -> tensor<4x1xi64>
    ```
  }];
  let arguments = (ins TL_ReduceKindAttr:$kind, TL_RealTensor:$operand, I64Attr:$dim,
                       UnitAttr:$keepdim);
  let results = (outs TL_I64Tensor:$result);
  let assemblyFormat = [{
    $kind $operand `dim` $dim (`keepdim` $keepdim^)? attr-dict `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
}

def TL_CumulativeOp : TL_Op<"cumulative", [Pure, SameOperandsAndResultType, TL_ReifyShapes]> {
  let summary = "Running sums, products, maxima or minima along a dimension";
  let description = [{
    The kind is `sum`, `prod`, `max` or `min`; the rules are those of `tl.reduce`. See `torch.cumsum`,
    `torch.cumprod`, `torch.cummax`, `torch.cummin`.

    Example:
    ```mlir
    %1 = tl.cumulative sum %0 dim 1 : tensor<4x?xf32>
    ```
  }];
  let arguments = (ins TL_ReduceKindAttr:$kind, TL_NumberTensor:$operand, I64Attr:$dim);
  let results = (outs TL_RealTensor:$result);
  let assemblyFormat = "$kind $operand `dim` $dim attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
  }];
}

#endif
