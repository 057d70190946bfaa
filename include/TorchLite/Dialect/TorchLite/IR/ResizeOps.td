// Resampling of the spatial dimensions of `[N, C, spatial...]`.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_RESIZEOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_RESIZEOPS_TD

include "TorchLite/Dialect/TorchLite/IR/CoreBase.td"

def TL_ResizeMode : I32EnumAttr<"ResizeMode", "How tl.resize interpolates", [
      I32EnumAttrCase<"Nearest", 0, "nearest">, I32EnumAttrCase<"NearestExact", 1, "nearest_exact">,
      I32EnumAttrCase<"Linear", 2, "linear">, I32EnumAttrCase<"Cubic", 3, "cubic">]> {
  let cppNamespace = "::torchlite::tl";
  let genSpecializedAttr = 0;
}
def TL_ResizeModeAttr : EnumAttr<TorchLite_Dialect, TL_ResizeMode, "resize_mode"> {
  let assemblyFormat = "$value";
}

def TL_ResizeOp : TL_Op<"resize", [Pure, TL_ReifyShapes]> {
  let summary = "Resamples one to three spatial dimensions (`torch.nn.functional.interpolate`)";
  let description = [{
    The result's static sizes are in its type; `sizes` gives the dynamic ones, in order. Batch and
    channels stay. `linear` is bilinear in two dimensions and trilinear in three, `cubic` is bicubic.

    The step from one result element to the next is `in / out`; with `align_corners` (linear, cubic)
    `(in - 1) / (out - 1)`; and without it, where `scales` holds a number above 0 for the dimension,
    one over that number. `scales` is empty or has one number for each spatial dimension. Steps are
    computed in f32, for f64 elements in f64 (`nearest` always in f32), as in PyTorch.

    Example:
    ```mlir
    %0 = tl.resize nearest %x scales [2.0, 2.0] : tensor<1x8x4x4xf32> to tensor<1x8x8x8xf32>
    %1 = tl.resize linear %x [%h, %w] align_corners scales []
       : tensor<1x8x4x4xf32> to tensor<1x8x?x?xf32>
    ```
  }];
  let arguments = (ins TL_ResizeModeAttr:$mode, TL_ElementTensor:$input, Variadic<Index>:$sizes,
                       UnitAttr:$align_corners, DenseF64ArrayAttr:$scales);
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = [{
    $mode $input (`[` $sizes^ `]`)? (`align_corners` $align_corners^)? `scales` $scales attr-dict
    `:` type($input) `to` type($result)
  }];
  let extraClassDeclaration = [{
    /// The number of spatial dimensions.
    int64_t getSpatialRank() { return getInput().getType().getRank() - 2; }
  }];
  let builders = [OpBuilder<(ins "::torchlite::tl::ResizeMode":$mode, "::mlir::Value":$input,
                                 "::llvm::ArrayRef<::mlir::OpFoldResult>":$spatialSizes,
                                 "bool":$alignCorners, "::llvm::ArrayRef<double>":$scales)>];
  let hasVerifier = 1;
}

#endif
