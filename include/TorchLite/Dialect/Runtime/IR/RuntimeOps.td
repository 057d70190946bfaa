// Operations of the `tlrt` dialect: the frame, the runtime, devices.
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEOPS_TD
#define TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEOPS_TD

include "TorchLite/Dialect/Runtime/IR/RuntimeBase.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Runtime_FrameResource : Resource<"::torchlite::rt::FrameResource">;

def Runtime_ArgOp : Runtime_Op<"arg", [Pure]> {
  let summary = "A leaf argument of the call";
  let description = [{
    A tensor arrives contiguous and row-major, aligned to its element at least, and must not be
    written: the caller owns it. A scalar is `i64`, `f64` or `i1`.

    Example:
    ```mlir
    %x = tlrt.arg 0 : memref<?x3xf32>
    %n = tlrt.arg 1 : i64
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$index);
  let results = (outs AnyTypeOf<[AnyMemRef, I64, F64, I1]>:$result);
  let assemblyFormat = "$index attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Runtime_OutputOp : Runtime_Op<"output", [MemoryEffects<[MemWrite<Runtime_FrameResource>]>]> {
  let summary = "The buffer of a tensor result";
  let description = [{
    Asks the runtime for the buffer of a result, once a call. The buffer overlaps with no argument
    and no other result.

    Example:
    ```mlir
    %y = tlrt.output 0 [%n] : memref<?x3xf32>
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$index, Variadic<Index>:$sizes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$index (`[` $sizes^ `]`)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Runtime_ResultOp : Runtime_Op<"result", [MemoryEffects<[MemWrite<Runtime_FrameResource>]>]> {
  let summary = "Stores a scalar result";
  let description = [{
    Example:
    ```mlir
    tlrt.result 1 = %n : i64
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$index,
                       AnyTypeOf<[I64, F64, I1]>:$value);
  let assemblyFormat = "$index `=` $value attr-dict `:` type($value)";
}

def Runtime_ArenaOp : Runtime_Op<"arena", [Pure]> {
  let summary = "The scratch memory of the call";
  let description = [{
    Aligned to 64 bytes; its size was planned at compile time.

    Example:
    ```mlir
    %arena = tlrt.arena : memref<4096xi8>
    ```
  }];
  let results = (outs MemRefOf<[I8]>:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Runtime_WeightsOp : Runtime_Op<"weights", [Pure]> {
  let summary = "A constant in the blob of weights";
  let description = [{
    `offset` is in bytes and a multiple of 64. The memory is read-only.

    Example:
    ```mlir
    %w = tlrt.weights 128 : memref<64x3x3x3xf32>
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$offset);
  let results = (outs AnyStaticShapeMemRef:$result);
  let assemblyFormat = "$offset attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Runtime_ParallelForOp
    : Runtime_Op<"parallel_for", [MemoryEffects<[MemRead, MemWrite]>,
                                  DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a function for disjoint ranges on the threads of the instance";
  let description = [{
    Calls `body(begin, end, operands...)` for ranges that cover 0 to `count` (excluded) and returns
    when all are done. The body neither raises nor allocates.

    Example:
    ```mlir
    tlrt.parallel_for @body to %n (%x, %y : memref<?xf32>, memref<?xf32>)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$body, Index:$count, Variadic<AnyType>:$operands_);
  let assemblyFormat =
      "$body `to` $count `(` ($operands_^ `:` type($operands_))? `)` attr-dict";
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

def Runtime_KernelOp
    : Runtime_Op<"kernel", [IsolatedFromAbove, AttrSizedOperandSegments,
                            SingleBlockImplicitTerminator<"YieldOp">, DestinationStyleOpInterface,
                            DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
                            DeclareOpInterfaceMethods<BufferizableOpInterface,
                                ["bufferizesToMemoryRead", "bufferizesToMemoryWrite",
                                 "getAliasingValues", "hasTensorSemantics", "bufferize"]>]> {
  let summary = "Work for a device: one or several launches";
  let description = [{
    The region says what is computed, as operations on tensors: it takes the inputs, then the tensors
    whose elements are replaced, and yields one value for each of these. Nobody executes it as it
    stands; code generation reads it and emits a kernel. So the region keeps its tensors when the
    operands become buffers: then block arguments stand for the contents of the buffers.

    On tensors there is one result for each output, on buffers none.

    Example:
    ```mlir
    tlrt.kernel "relu" ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
    ^bb0(%in: tensor<8xf32>, %out: tensor<8xf32>):
      %zero = arith.constant 0.0 : f32
      %r = linalg.map ins(%in : tensor<8xf32>) outs(%out : tensor<8xf32>)
        (%a: f32, %b: f32) {
          %m = arith.maximumf %a, %zero : f32
          linalg.yield %m : f32
        }
      tlrt.yield %r : tensor<8xf32>
    }
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyType>:$inputs,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$outputs);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name (`ins` `(` $inputs^ `:` type($inputs) `)`)? `outs` `(` $outputs `:` type($outputs) `)`
    attr-dict-with-keyword $body (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
    /// The operand that a block argument of the body stands for.
    ::mlir::Value getOperandOf(::mlir::BlockArgument argument) {
      return getOperation()->getOperand(argument.getArgNumber());
    }
    /// The block argument that stands for output `index` before the kernel.
    ::mlir::BlockArgument getOutputArgument(unsigned index) {
      return getBody().front().getArgument(getInputs().size() + index);
    }
    /// What the body computes for output `index`.
    ::mlir::Value getYielded(unsigned index) {
      return getBody().front().getTerminator()->getOperand(index);
    }
    /// Whether the old elements of output `index` matter.
    bool readsOutput(unsigned index);
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Runtime_YieldOp : Runtime_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"KernelOp">]> {
  let summary = "What a kernel computes";
  let description = [{
    Example:
    ```mlir
    tlrt.yield %r : tensor<8xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let builders = [OpBuilder<(ins), [{ (void)$_builder; (void)$_state; }]>];
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Runtime_CopyOp : Runtime_Op<"copy"> {
  let summary = "Copies a contiguous buffer of a device";
  let description = [{
    In the order of the launches.

    Example:
    ```mlir
    tlrt.copy %x to %y : memref<8xf32> to memref<8xf32>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source,
                       Arg<AnyMemRef, "", [MemWrite]>:$target);
  let assemblyFormat = "$source `to` $target attr-dict `:` type($source) `to` type($target)";
  let hasVerifier = 1;
}

def Runtime_ReadOp
    : Runtime_Op<"read", [TypesMatchWith<"result is an element of the buffer", "buffer", "result",
                              "::llvm::cast<::mlir::MemRefType>($_self).getElementType()">]> {
  let summary = "An element of a device's buffer, for the host";
  let description = [{
    Waits until all that was launched before has ended: a call that reads cannot be replayed as a
    graph.

    Example:
    ```mlir
    %f = tlrt.read %flag[] : memref<i1>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$buffer, Variadic<Index>:$indices);
  let results = (outs AnyTypeOf<[AnyInteger, AnyFloat, Index]>:$result);
  let assemblyFormat = "$buffer `[` $indices `]` attr-dict `:` type($buffer)";
  let hasVerifier = 1;
}

#endif // TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEOPS_TD
