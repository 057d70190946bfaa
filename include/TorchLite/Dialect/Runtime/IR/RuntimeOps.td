// The `tlrt` dialect: how compiled code reaches its frame and the runtime.
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEOPS_TD
#define TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Runtime_Dialect : Dialect {
  let name = "tlrt";
  let cppNamespace = "::torchlite::rt";
  let summary = "Access of compiled code to its call frame and to the runtime";
  let description = [{
    One operation for each thing that `runtime/include/TorchLite/Runtime/ABI.h` offers to compiled
    code. The frame is implicit: lowering to LLVM passes it to every function.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

class Runtime_Op<string mnemonic, list<Trait> traits = []>
    : Op<Runtime_Dialect, mnemonic, traits>;

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

#endif // TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEOPS_TD
