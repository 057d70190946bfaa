// Reading and writing by index, sorting, searching.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_INDEXINGOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_INDEXINGOPS_TD

include "TorchLite/Dialect/TorchLite/IR/StructuredBase.td"

def TL_ScatterReduction : I32EnumAttr<"ScatterReduction", "What tl.scatter does to an element", [
      I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Sum", 1, "sum">,
      I32EnumAttrCase<"Prod", 2, "prod">, I32EnumAttrCase<"Amax", 3, "amax">,
      I32EnumAttrCase<"Amin", 4, "amin">]> {
  let cppNamespace = "::torchlite::tl";
  let genSpecializedAttr = 0;
}
def TL_ScatterReductionAttr : EnumAttr<TorchLite_Dialect, TL_ScatterReduction, "scatter_reduction">;

def TL_TakeOp : TL_IndexedOp<"take"> {
  let summary = "The elements of one dimension at the given indices";
  let description = [{
    In the result, dimension `dim` is replaced by the dimensions of the indices:
    `result[a..., i..., b...] = input[a..., indices[i...], b...]`. Indices from 0 to the size less
    one; others raise "IndexError: index out of range in self" when it is executed.

    Example:
    ```mlir
    // An embedding.
    %0 = tl.take %table, %tokens dim 0 : tensor<100x64xf32>, tensor<2x?xi64> -> tensor<2x?x64xf32>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$input, TL_I64Tensor:$indices, I64Attr:$dim);
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = [{
    $input `,` $indices `dim` $dim attr-dict `:` type($input) `,` type($indices) `->` type($result)
  }];
}

def TL_GatherOp : TL_IndexedOp<"gather"> {
  let summary = "One element along a dimension for each index (`torch.gather`)";
  let description = [{
    `result[.., i, ..] = input[.., indices[.., i, ..], ..]` where the index stands at `dim`. The
    result has the shape of the indices, which in the other dimensions are at most as large as the
    input. Indices from 0 to the size less one; others raise an IndexError when it is executed.

    Example:
    ```mlir
    %0 = tl.gather %x, %i dim 1 : tensor<4x10xf32>, tensor<4x3xi64> -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$input, TL_I64Tensor:$indices, I64Attr:$dim);
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = [{
    $input `,` $indices `dim` $dim attr-dict `:` type($input) `,` type($indices) `->` type($result)
  }];
}

def TL_PutOp : TL_IndexedOp<"put"> {
  let summary = "Replaces the elements of one dimension at the given indices";
  let description = [{
    The inverse of `tl.take`: the source has the shape that `tl.take` would give, and
    `result[a..., indices[i...], b...] = source[a..., i..., b...]`; the rest is the input. Where an
    index comes twice, the last wins; with `accumulate` everything is added to the input. Indices as
    for `tl.take`.

    Example:
    ```mlir
    %0 = tl.put %x, %i, %s dim 0 accumulate
       : tensor<10x4xf32>, tensor<3xi64>, tensor<3x4xf32> -> tensor<10x4xf32>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$input, TL_I64Tensor:$indices, TL_ElementTensor:$source,
                       I64Attr:$dim, UnitAttr:$accumulate);
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = [{
    $input `,` $indices `,` $source `dim` $dim (`accumulate` $accumulate^)? attr-dict
    `:` type($input) `,` type($indices) `,` type($source) `->` type($result)
  }];
}

def TL_ScatterOp : TL_IndexedOp<"scatter"> {
  let summary = "Writes or combines one element along a dimension for each index (`torch.scatter`)";
  let description = [{
    `result[.., indices[.., i, ..], ..] = source[.., i, ..]` where the index stands at `dim`; the
    rest is the input. The indices are at most as large as the source, and but for `dim` at most as
    large as the input. With a reduction the element is combined with what is there: `sum`, `prod`,
    `amax` and `amin` (NaN wins). Elements are visited in order: the last one wins.

    Example:
    ```mlir
    %0 = tl.scatter sum %x, %i, %s dim 1
       : tensor<4x10xf32>, tensor<4x3xi64>, tensor<4x3xf32> -> tensor<4x10xf32>
    ```
  }];
  let arguments = (ins TL_ScatterReductionAttr:$reduction, TL_ElementTensor:$input,
                       TL_I64Tensor:$indices, TL_ElementTensor:$source, I64Attr:$dim);
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = [{
    $reduction $input `,` $indices `,` $source `dim` $dim attr-dict
    `:` type($input) `,` type($indices) `,` type($source) `->` type($result)
  }];
}

def TL_SortOp : TL_StructuredOp<"sort"> {
  let summary = "Sorts along one dimension, stably";
  let description = [{
    Results are the sorted elements and where they stood. NaN counts as larger than everything.

    Example:
    ```mlir
    %0, %1 = tl.sort %x dim 1 descending : tensor<4x?xf32> -> tensor<4x?xf32>, tensor<4x?xi64>
    ```
  }];
  let arguments = (ins TL_RealTensor:$input, I64Attr:$dim, UnitAttr:$descending);
  let results = (outs TL_RealTensor:$values, TL_I64Tensor:$indices);
  let assemblyFormat = [{
    $input `dim` $dim (`descending` $descending^)? attr-dict
    `:` type($input) `->` type($values) `,` type($indices)
  }];
}

def TL_NonzeroOp : TL_StructuredOp<"nonzero"> {
  let summary = "The positions of the elements that are not zero, in order";
  let description = [{
    One row for each such element, one column for each dimension. NaN is not zero.

    Example:
    ```mlir
    %0 = tl.nonzero %x : tensor<4x?xi1> -> tensor<?x2xi64>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$input);
  let results = (outs TL_I64Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

#endif
