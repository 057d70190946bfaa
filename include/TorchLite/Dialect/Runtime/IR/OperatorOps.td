// Calls of LibTorch's operators, and what they give.
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_OPERATOROPS_TD
#define TORCHLITE_DIALECT_RUNTIME_IR_OPERATOROPS_TD

include "TorchLite/Dialect/Runtime/IR/RuntimeBase.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Runtime_OperatorResource : Resource<"::torchlite::rt::FrameResource">;

def Runtime_CallOperatorOp
    : Runtime_Op<"call_operator", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
                                   DeclareOpInterfaceMethods<BufferizableOpInterface,
                                       ["bufferizesToMemoryRead", "bufferizesToMemoryWrite",
                                        "getAliasingValues", "bufferize"]>]> {
  let summary = "Calls an operator through LibTorch";
  let description = [{
    `call` is what `tl.call_operator` says, as one text (runtime/include/TorchLite/Runtime/Fallback.h
    has its form). Tensors are read where they are. The first result stands for what the operator
    gives, until it is released; the others are the sizes of its tensors that are not known, and its
    numbers, in order. An error of the operator ends the call.

    Example:
    ```mlir
    %given, %rows = tlrt.call_operator "aten::erfcx|T6/1|T6:?|"(%x : memref<?xf32>) : i64, i64
    ```
  }];
  let arguments = (ins StrAttr:$call,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef, I64, F64, I1]>>:$operands);
  let results = (outs I64:$given, Variadic<AnyTypeOf<[I64, F64, I1]>>:$numbers);
  let assemblyFormat = [{
    $call `(` ($operands^ `:` type($operands))? `)` attr-dict `:` type($given) (`,` type($numbers)^)?
  }];
}

def Runtime_OperatorResultOp
    : Runtime_Op<"operator_result", [DestinationStyleOpInterface,
                                     DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
                                     DeclareOpInterfaceMethods<BufferizableOpInterface,
                                         ["bufferizesToMemoryRead", "bufferizesToMemoryWrite",
                                          "getAliasingValues", "bufferize"]>]> {
  let summary = "A tensor that an operator has given";
  let description = [{
    Copies tensor number `index` into the destination, which has its sizes. Of `outs` only the sizes
    matter. On tensors there is one result, on buffers none.

    Example:
    ```mlir
    %y = tlrt.operator_result 0 of %given outs(%empty : tensor<?xf32>) -> tensor<?xf32>
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$index, I64:$given,
                       AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$init);
  let results = (outs Variadic<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $index `of` $given `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Runtime_OperatorReleaseOp
    : Runtime_Op<"operator_release", [MemoryEffects<[MemWrite<Runtime_OperatorResource>]>]> {
  let summary = "Ends the life of what an operator has given";
  let description = [{
    Example:
    ```mlir
    tlrt.operator_release %given
    ```
  }];
  let arguments = (ins I64:$given);
  let assemblyFormat = "$given attr-dict";
}

#endif // TORCHLITE_DIALECT_RUNTIME_IR_OPERATOROPS_TD
