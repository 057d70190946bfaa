// Operations of the `tlrt` dialect on rows of tensors, which linalg lacks.
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_ROWSOPS_TD
#define TORCHLITE_DIALECT_RUNTIME_IR_ROWSOPS_TD

include "TorchLite/Dialect/Runtime/IR/RuntimeBase.td"
include "mlir/Dialect/Arith/IR/ArithBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Runtime_RowsOp<string mnemonic, list<Trait> traits = []>
    : Runtime_Op<mnemonic, [Pure, DestinationStyleOpInterface,
                            AllTypesMatch<["init", "result"]>] # traits> {
  let results = (outs AnyRankedTensor:$result);
  code initDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
  let hasVerifier = 1;
}

def Runtime_ArgsortOp : Runtime_RowsOp<"argsort"> {
  let summary = "The order of a tensor's elements along a dimension";
  let description = [{
    The positions of each row's elements, smallest element first; with `descending` greatest first.
    Equal elements keep their order. NaN is greater than all numbers. Integers are signed unless
    `unsigned`. Of `outs` only the sizes matter.

    CPUs get loops (`tl-expand-rows`), GPUs kernels.

    Example:
    ```mlir
    %order = tlrt.argsort dim 1 descending ins(%x : tensor<4x?xf32>) outs(%empty : tensor<4x?xi64>)
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$dim, UnitAttr:$descending,
                       UnitAttr:$isUnsigned, AnyRankedTensor:$input, AnyRankedTensor:$init);
  let assemblyFormat = [{
    `dim` $dim (`descending` $descending^)? (`unsigned` $isUnsigned^)?
    `ins` `(` $input `:` type($input) `)` `outs` `(` $init `:` type($init) `)` attr-dict
  }];
  let extraClassDeclaration = initDeclaration # [{
    /// Emits whether element `x` must stand before `y`.
    ::mlir::Value precedes(::mlir::OpBuilder &builder, ::mlir::Location loc, ::mlir::Value x,
                           ::mlir::Value y);
  }];
}

def Runtime_ScanOp : Runtime_RowsOp<"scan"> {
  let summary = "Running sums, products, maxima or minima along a dimension";
  let description = [{
    Each element becomes the combination of all elements of its row up to itself. Floats may be
    combined in a wider type: elements are converted first, combinations last. Of `outs` only the sizes
    matter.

    CPUs get loops (`tl-expand-rows`), GPUs kernels.

    Example:
    ```mlir
    %sums = tlrt.scan addf dim 1 in f64 ins(%x : tensor<4x?xf32>) outs(%empty : tensor<4x?xf32>)
    ```
  }];
  let arguments = (ins AtomicRMWKindAttr:$kind, ConfinedAttr<I64Attr, [IntNonNegative]>:$dim,
                       TypeAttr:$computed, AnyRankedTensor:$input, AnyRankedTensor:$init);
  let assemblyFormat = [{
    $kind `dim` $dim `in` $computed
    `ins` `(` $input `:` type($input) `)` `outs` `(` $init `:` type($init) `)` attr-dict
  }];
  let extraClassDeclaration = initDeclaration # [{
    /// Emits what changes nothing: the running value before the first element.
    ::mlir::Value neutral(::mlir::OpBuilder &builder, ::mlir::Location loc);
    /// Emits the combination of two values, the earlier first.
    ::mlir::Value combine(::mlir::OpBuilder &builder, ::mlir::Location loc, ::mlir::Value before,
                          ::mlir::Value next);
    /// Emits conversions from the elements' type to that of the running values, and back.
    ::mlir::Value fromElement(::mlir::OpBuilder &builder, ::mlir::Location loc,
                              ::mlir::Value element);
    ::mlir::Value toElement(::mlir::OpBuilder &builder, ::mlir::Location loc, ::mlir::Value value);
  }];
}

def Runtime_NonzeroOp : Runtime_RowsOp<"nonzero"> {
  let summary = "The indices of a tensor's elements that are not zero";
  let description = [{
    A row of indices for each of them, in row-major order. Of `outs` only the sizes matter: it has as
    many rows as there are such elements.

    CPUs get loops (`tl-expand-rows`), GPUs kernels.

    Example:
    ```mlir
    %indices = tlrt.nonzero ins(%x : tensor<4x?xf32>) outs(%empty : tensor<?x2xi64>)
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, AnyRankedTensor:$init);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)` `outs` `(` $init `:` type($init) `)` attr-dict
  }];
  let extraClassDeclaration = initDeclaration # [{
    /// Emits whether `element` is not zero.
    static ::mlir::Value isNonzero(::mlir::OpBuilder &builder, ::mlir::Location loc,
                                   ::mlir::Value element);
  }];
}

#endif // TORCHLITE_DIALECT_RUNTIME_IR_ROWSOPS_TD
