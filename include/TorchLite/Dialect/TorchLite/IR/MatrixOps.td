// Factorisations of matrices and what they are used by.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_MATRIXOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_MATRIXOPS_TD

include "TorchLite/Dialect/TorchLite/IR/StructuredBase.td"

def TL_FloatMatrices : RankedTensorOf<[F32, F64]>;
def TL_I32Tensor : RankedTensorOf<[I32]>;

/// Operands and results are batches of matrices, `[batch, rows, columns]`. Nothing is raised: what
/// cannot be factored is told by numbers (`info`), as LAPACK does.
class TL_MatrixOp<string mnemonic> : TL_StructuredOp<mnemonic>;

def TL_LUOp : TL_MatrixOp<"lu"> {
  let summary = "Triangular factors of matrices, with exchanges of rows";
  let description = [{
    LU with partial pivoting (LAPACK's getrf): `factors` has U on and above the diagonal and L, whose
    diagonal is 1, below. In step i rows i and `pivots[i] - 1` were exchanged. `info` is 0, or i + 1 for
    the first step i whose pivot was 0.

    Example:
    ```mlir
    %f, %p, %info = tl.lu %a : tensor<2x4x3xf32> -> tensor<2x4x3xf32>, tensor<2x3xi32>, tensor<2xi32>
    ```
  }];
  let arguments = (ins TL_FloatMatrices:$input);
  let results = (outs TL_FloatMatrices:$factors, TL_I32Tensor:$pivots, TL_I32Tensor:$info);
  let assemblyFormat = [{
    $input attr-dict `:` type($input) `->` type($factors) `,` type($pivots) `,` type($info)
  }];
}

def TL_SwapRowsOp : TL_MatrixOp<"swap_rows"> {
  let summary = "Exchanges rows of matrices as a factorisation did";
  let description = [{
    In step i rows i and `pivots[i] - 1` change places; `reverse` takes the steps from the last to the
    first, which undoes it. A pivot that names no row changes nothing.

    Example:
    ```mlir
    %0 = tl.swap_rows %b, %p : tensor<2x4x5xf32>, tensor<2x4xi32>
    ```
  }];
  let arguments = (ins TL_FloatMatrices:$input, TL_I32Tensor:$pivots, UnitAttr:$reverse);
  let results = (outs TL_FloatMatrices:$result);
  let assemblyFormat = [{
    $input `,` $pivots (`reverse` $reverse^)? attr-dict `:` type($input) `,` type($pivots)
    `->` type($result)
  }];
}

def TL_CholeskyOp : TL_MatrixOp<"cholesky"> {
  let summary = "The triangular factor of symmetric positive definite matrices";
  let description = [{
    L of A = L L^T, or with `upper` U of A = U^T U. Only that triangle of A is read; the other one of
    the result is 0. `info` is 0, or the order of the first leading minor that is not positive; the
    result is then undefined.

    Example:
    ```mlir
    %l, %info = tl.cholesky %a : tensor<2x3x3xf32> -> tensor<2x3x3xf32>, tensor<2xi32>
    ```
  }];
  let arguments = (ins TL_FloatMatrices:$input, UnitAttr:$upper);
  let results = (outs TL_FloatMatrices:$factor, TL_I32Tensor:$info);
  let assemblyFormat = [{
    $input (`upper` $upper^)? attr-dict `:` type($input) `->` type($factor) `,` type($info)
  }];
}

def TL_TriangularSolveOp : TL_MatrixOp<"triangular_solve"> {
  let summary = "Solves triangular systems of equations";
  let description = [{
    X of A X = B for a lower (with `upper`, upper) triangular A; the other triangle is not read, nor
    with `unit` the diagonal, which is then 1. A zero on the diagonal gives infinity or NaN.

    Example:
    ```mlir
    %x = tl.triangular_solve %a, %b upper : tensor<2x3x3xf32>, tensor<2x3x5xf32> -> tensor<2x3x5xf32>
    ```
  }];
  let arguments = (ins TL_FloatMatrices:$matrix, TL_FloatMatrices:$rhs, UnitAttr:$upper,
                       UnitAttr:$unit);
  let results = (outs TL_FloatMatrices:$result);
  let assemblyFormat = [{
    $matrix `,` $rhs (`upper` $upper^)? (`unit` $unit^)? attr-dict
    `:` type($matrix) `,` type($rhs) `->` type($result)
  }];
}

def TL_HouseholderOp : TL_MatrixOp<"householder"> {
  let summary = "QR of matrices, Q as reflections";
  let description = [{
    LAPACK's geqrf: `factors` has R on and above the diagonal, and below it, in column i, what follows the
    1 in the vector v of reflection i, I - `scales[i]` v v^T. Q is the product of the reflections.

    Example:
    ```mlir
    %f, %tau = tl.householder %a : tensor<2x4x3xf32> -> tensor<2x4x3xf32>, tensor<2x3xf32>
    ```
  }];
  let arguments = (ins TL_FloatMatrices:$input);
  let results = (outs TL_FloatMatrices:$factors, TL_FloatMatrices:$scales);
  let assemblyFormat = [{
    $input attr-dict `:` type($input) `->` type($factors) `,` type($scales)
  }];
}

def TL_ReflectOp : TL_MatrixOp<"reflect"> {
  let summary = "Products of reflections with matrices";
  let description = [{
    Q C for the product Q of the reflections that `vectors` and `scales` hold as `tl.householder`
    leaves them; with `transposed` Q^T C.

    Example:
    ```mlir
    %0 = tl.reflect %f, %tau, %c : tensor<2x4x3xf32>, tensor<2x3xf32>, tensor<2x4x5xf32>
           -> tensor<2x4x5xf32>
    ```
  }];
  let arguments = (ins TL_FloatMatrices:$vectors, TL_FloatMatrices:$scales,
                       TL_FloatMatrices:$input, UnitAttr:$transposed);
  let results = (outs TL_FloatMatrices:$result);
  let assemblyFormat = [{
    $vectors `,` $scales `,` $input (`transposed` $transposed^)? attr-dict
    `:` type($vectors) `,` type($scales) `,` type($input) `->` type($result)
  }];
}

def TL_OrthogonalizeOp : TL_MatrixOp<"orthogonalize"> {
  let summary = "Rotates the rows of matrices until they are orthogonal";
  let description = [{
    One-sided Jacobi: an orthogonal matrix J, the product of rotations, and the rows of J A, each
    orthogonal to the others, the longest first. Their lengths are the singular values of A; J^T has the
    left singular vectors. Rows that are short against the longest one, as against the precision, may
    not be orthogonal. Squares of elements must not overflow.

    Source: Demmel, Veselic, "Jacobi's method is more accurate than QR", 1992.

    Example:
    ```mlir
    %rows, %j = tl.orthogonalize %a : tensor<2x3x4xf32> -> tensor<2x3x4xf32>, tensor<2x3x3xf32>
    ```
  }];
  let arguments = (ins TL_FloatMatrices:$input);
  let results = (outs TL_FloatMatrices:$rows, TL_FloatMatrices:$rotation);
  let assemblyFormat = [{
    $input attr-dict `:` type($input) `->` type($rows) `,` type($rotation)
  }];
}

#endif
