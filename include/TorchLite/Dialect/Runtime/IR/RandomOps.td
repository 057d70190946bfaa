// Random numbers of the instance's generator.
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_RANDOMOPS_TD
#define TORCHLITE_DIALECT_RUNTIME_IR_RANDOMOPS_TD

include "TorchLite/Dialect/Runtime/IR/RuntimeBase.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Runtime_RandomOp
    : Runtime_Op<"random", [AttrSizedOperandSegments, DestinationStyleOpInterface,
                            DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
                            DeclareOpInterfaceMethods<BufferizableOpInterface,
                                ["bufferizesToMemoryRead", "bufferizesToMemoryWrite",
                                 "getAliasingValues", "bufferize"]>]> {
  let summary = "Fills a tensor with random numbers";
  let description = [{
    What `tl.random` of the same `kind` gives, written to the destination. `dtype` is the element type
    as PyTorch numbers them (c10::ScalarType), which tells ui8 from i8. The generator moves on. On
    tensors there is one result, on buffers none.

    Example:
    ```mlir
    %0 = tlrt.random "normal" 6(%mean, %deviation : f64, f64) outs(%empty : tensor<?x4xf32>) -> tensor<?x4xf32>
    tlrt.random "bernoulli_each" 11 each %p : memref<8xf32> outs(%to : memref<8xi1>)
    ```
  }];
  let arguments = (ins StrAttr:$kind, I64Attr:$dtype, Variadic<AnyTypeOf<[I64, F64]>>:$parameters,
                       Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$each,
                       AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$init);
  let results = (outs Variadic<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $kind $dtype (`(` $parameters^ `:` type($parameters) `)`)? (`each` $each^ `:` type($each))?
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

#endif // TORCHLITE_DIALECT_RUNTIME_IR_RANDOMOPS_TD
