// The operation of the `tlrt` dialect that works on matrices in place.
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_MATRIXOPS_TD
#define TORCHLITE_DIALECT_RUNTIME_IR_MATRIXOPS_TD

include "TorchLite/Dialect/Runtime/IR/RuntimeBase.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Runtime_MatrixKind : I32EnumAttr<"MatrixKind", "what is done with matrices", [
  I32EnumAttrCase<"LU", 0, "lu">,
  I32EnumAttrCase<"SwapRows", 1, "swap_rows">,
  I32EnumAttrCase<"Cholesky", 2, "cholesky">,
  I32EnumAttrCase<"TriangularSolve", 3, "triangular_solve">,
  I32EnumAttrCase<"Householder", 4, "householder">,
  I32EnumAttrCase<"Reflect", 5, "reflect">,
  I32EnumAttrCase<"Orthogonalize", 6, "orthogonalize">,
  I32EnumAttrCase<"Fourier", 7, "fourier">,
]> {
  let cppNamespace = "::torchlite::rt";
}

def Runtime_MatricesOp
    : Runtime_Op<"matrices", [AttrSizedOperandSegments, DestinationStyleOpInterface,
                              DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
                              DeclareOpInterfaceMethods<BufferizableOpInterface,
                                  ["bufferizesToMemoryRead", "bufferizesToMemoryWrite",
                                   "getAliasingValues", "bufferize"]>]> {
  let summary = "An algorithm on each matrix of a batch, in place";
  let description = [{
    What the operations of the `tl` dialect of the same names compute, with the `outs` in the place of
    the results. The first of `outs` has the operand that is replaced; the others are only written.
    Of `fourier` the first two are replaced; the last two are memory that it needs on the way:

    | kind | ins | outs |
    | --- | --- | --- |
    | `lu` | | matrix, pivots, info |
    | `swap_rows` (`reverse`) | pivots | matrix |
    | `cholesky` (`upper`) | | matrix, info |
    | `triangular_solve` (`upper`, `unit`) | triangle | right-hand side |
    | `householder` | | matrix, scales |
    | `reflect` (`reverse`: transposed) | vectors, scales | matrix |
    | `orthogonalize` | | matrix, rotation |
    | `fourier` | table | real parts, imaginary parts, the same twice |

    On tensors there is one result for each of `outs`, on buffers none. CPUs get loops with vectors
    (`tl-expand-matrices`), GPUs a kernel with a thread for each matrix.

    Example:
    ```mlir
    %l:2 = tlrt.matrices cholesky outs(%a, %i : tensor<2x3x3xf32>, tensor<2xi32>)
             -> tensor<2x3x3xf32>, tensor<2xi32>
    tlrt.matrices triangular_solve upper ins(%l : memref<2x3x3xf32>) outs(%b : memref<2x3x5xf32>)
    ```
  }];
  let arguments = (ins Runtime_MatrixKind:$kind, UnitAttr:$upper, UnitAttr:$unit, UnitAttr:$reverse,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$inputs,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$outputs);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kind (`upper` $upper^)? (`unit` $unit^)? (`reverse` $reverse^)?
    (`ins` `(` $inputs^ `:` type($inputs) `)`)? `outs` `(` $outputs `:` type($outputs) `)`
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
    /// Whether what an output holds before is read.
    bool readsOutput(unsigned index) {
      return index == 0 || (index == 1 && getKind() == MatrixKind::Fourier);
    }
  }];
  let hasVerifier = 1;
}

#endif // TORCHLITE_DIALECT_RUNTIME_IR_MATRIXOPS_TD
