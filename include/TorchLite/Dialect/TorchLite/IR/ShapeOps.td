// Operations that move elements without computing on them, and tl.iota.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_SHAPEOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_SHAPEOPS_TD

include "TorchLite/Dialect/TorchLite/IR/CoreBase.td"

/// The result's static sizes are in its type; `sizes` gives the dynamic ones, in order.
class TL_SizedResultOp<string mnemonic, list<Trait> traits = []>
    : TL_Op<mnemonic, !listconcat([Pure, TL_ReifyShapes], traits)> {
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      shapes.push_back(::mlir::getMixedValues(getType().getShape(), getSizes(), builder));
      return ::mlir::success();
    }
  }];
}

def TL_ReshapeOp : TL_SizedResultOp<"reshape"> {
  let summary = "The same elements in row-major order under another shape";
  let description = [{
    The number of elements must not change; whoever makes dynamic sizes has checked that. See
    `torch.reshape`.

    Example:
    ```mlir
    %1 = tl.reshape %0 [%n, %m] : tensor<?x12xf32> to tensor<?x3x?xf32>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$operand, Variadic<Index>:$sizes);
  let hasFolder = 1;
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = "$operand (`[` $sizes^ `]`)? attr-dict `:` type($operand) `to` type($result)";
  let builders = [OpBuilder<(ins "::mlir::Value":$operand,
                                 "::llvm::ArrayRef<::mlir::OpFoldResult>":$sizes)>];
}

def TL_BroadcastToOp : TL_SizedResultOp<"broadcast_to"> {
  let summary = "Repeats elements along new leading dimensions and dimensions of size 1";
  let description = [{
    The operand's dimensions match the result's last ones. A static size 1 is repeated; any other must
    equal the result's. See `torch.broadcast_to`.

    Example:
    ```mlir
    %1 = tl.broadcast_to %0 [%n] : tensor<1x3xf32> to tensor<8x?x3xf32>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$operand, Variadic<Index>:$sizes);
  let hasFolder = 1;
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = "$operand (`[` $sizes^ `]`)? attr-dict `:` type($operand) `to` type($result)";
  let builders = [OpBuilder<(ins "::mlir::Value":$operand,
                                 "::llvm::ArrayRef<::mlir::OpFoldResult>":$sizes)>];
}

def TL_IotaOp : TL_SizedResultOp<"iota"> {
  let summary = "The index of each element along one dimension";
  let description = [{
    Element types that cannot hold an index round (floats) or wrap around (integers).

    Example:
    ```mlir
    %1 = tl.iota dim 1 [%n] : tensor<2x?xi64>
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, I64Attr:$dim);
  let results = (outs TL_NumberTensor:$result);
  let assemblyFormat = "`dim` $dim (`[` $sizes^ `]`)? attr-dict `:` type($result)";
  let builders = [OpBuilder<(ins "::mlir::Type":$elementType,
                                 "::llvm::ArrayRef<::mlir::OpFoldResult>":$sizes,
                                 "int64_t":$dim)>];
}

def TL_PermuteOp : TL_InferredOp<"permute", [Pure, TL_ReifyShapes]> {
  let summary = "Reorders dimensions: the result's dimension i is the operand's permutation[i]";
  let description = [{
    See `torch.permute`.

    Example:
    ```mlir
    %1 = tl.permute %0 [2, 0, 1] : tensor<4x?x8xf32> -> tensor<8x4x?xf32>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$operand, DenseI64ArrayAttr:$permutation);
  let hasFolder = 1;
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = "$operand $permutation attr-dict `:` type($operand) `->` type($result)";
}

def TL_ConcatOp : TL_InferredOp<"concat", [Pure, TL_ReifyShapes]> {
  let summary = "Joins tensors along one dimension";
  let description = [{
    All operands have the same element type and rank, and equal sizes but along `dim`. See `torch.cat`.

    Example:
    ```mlir
    %2 = tl.concat %0, %1 dim 1 : tensor<4x?xf32>, tensor<4x8xf32> -> tensor<4x?xf32>
    ```
  }];
  let arguments = (ins Variadic<TL_ElementTensor>:$operands, I64Attr:$dim);
  let hasFolder = 1;
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = "$operands `dim` $dim attr-dict `:` type($operands) `->` type($result)";
}

def TL_PadMode : I32EnumAttr<"PadMode", "Which values tl.pad fills in", [
    I32EnumAttrCase<"Constant", 0, "constant">, I32EnumAttrCase<"Reflect", 1, "reflect">,
    I32EnumAttrCase<"Replicate", 2, "replicate">, I32EnumAttrCase<"Circular", 3, "circular">]> {
  let cppNamespace = "::torchlite::tl";
  let genSpecializedAttr = 0;
}
def TL_PadModeAttr : EnumAttr<TorchLite_Dialect, TL_PadMode, "pad_mode"> {
  let assemblyFormat = "$value";
}

def TL_PadOp : TL_InferredOp<"pad", [Pure, TL_ReifyShapes, AttrSizedOperandSegments]> {
  let summary = "Extends (or crops) every dimension at its begin and end";
  let description = [{
    `low` and `high` hold one amount for each dimension, constants or `index` values. `constant` fills
    in `value`, a scalar of the element type (`i8` for `ui8`). `reflect` mirrors without repeating
    the edge (amounts below the size), `replicate` repeats the edge (sizes above 0), `circular` wraps
    around (amounts up to the size, none of them negative). Negative amounts crop what the others
    would give. Whoever makes dynamic amounts has checked that. See `torch.nn.functional.pad`.

    Example:
    ```mlir
    %1 = tl.pad %0 constant(%zero) low[0, 2] high[0, %n] : tensor<4x8xf32>, f32 -> tensor<4x?xf32>
    %2 = tl.pad %0 reflect low[0, 2] high[0, 2] : tensor<4x8xf32> -> tensor<4x12xf32>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$operand, Optional<AnyType>:$value, Variadic<Index>:$low,
                       Variadic<Index>:$high, DenseI64ArrayAttr:$static_low,
                       DenseI64ArrayAttr:$static_high, TL_PadModeAttr:$mode);
  let hasFolder = 1;
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = [{
    $operand $mode (`(` $value^ `)`)? `low` custom<DynamicIndexList>($low, $static_low)
    `high` custom<DynamicIndexList>($high, $static_high) attr-dict
    `:` type($operand) (`,` type($value)^)? `->` type($result)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$operand,
                                 "::llvm::ArrayRef<::mlir::OpFoldResult>":$low,
                                 "::llvm::ArrayRef<::mlir::OpFoldResult>":$high,
                                 "::torchlite::tl::PadMode":$mode,
                                 CArg<"::mlir::Value", "{}">:$value)>];
  let extraClassDeclaration = compatibleDeclaration # [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedLow();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedHigh();
  }];
  let hasVerifier = 1;
}

def TL_FlipOp : TL_Op<"flip", [Pure, SameOperandsAndResultType, TL_ReifyShapes]> {
  let summary = "Reverses the order of elements along dimensions";
  let description = [{
    See `torch.flip`.

    Example:
    ```mlir
    %1 = tl.flip %0 [1] : tensor<4x?xf32>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$operand, DenseI64ArrayAttr:$dims);
  let hasFolder = 1;
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = "$operand $dims attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
  }];
}

#endif
