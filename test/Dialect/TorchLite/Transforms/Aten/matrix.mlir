// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(2x3x4x4xf32)" | FileCheck %s

// inv: the batch is one dimension; singular matrices are found by their number.
// CHECK-LABEL: func.func @forward
// CHECK: %[[X:.*]] = tl.reshape %arg0 : tensor<2x3x4x4xf32> to tensor<6x4x4xf32>
// CHECK: %[[F:.*]], %[[P:.*]], %[[I:.*]] = tl.lu %[[X]]
// CHECK: tl.swap_rows %{{.*}}, %[[P]] :
// CHECK: tl.triangular_solve %[[F]], %{{.*}} unit :
// CHECK: %[[R:.*]] = tl.triangular_solve %[[F]], %{{.*}} upper :
// CHECK: tl.check %{{.*}}, "linalg.inv: (Batch element {}): The diagonal element {} is zero, the inversion could not be completed because the input matrix is singular."
// CHECK: tl.reshape %[[R]] : tensor<6x4x4xf32> to tensor<2x3x4x4xf32>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %0 = tl.aten "linalg_inv"(%x) : (!tl.tensor) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// cholesky: what is raised.
// CHECK-LABEL: func.func @forward
// CHECK: tl.cholesky %{{.*}} upper :
// CHECK: tl.check %{{.*}}, "linalg.cholesky: (Batch element {}): The factorization could not be completed because the input is not positive-definite (the leading minor of order {} is not positive-definite)."
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %t = tl.constant true -> i1
    %0 = tl.aten "linalg_cholesky"(%x, %t) : (!tl.tensor, i1) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// det: no error for singular matrices.
// CHECK-LABEL: func.func @forward
// CHECK: tl.lu
// CHECK: tl.reduce prod
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %0 = tl.aten "linalg_det"(%x) : (!tl.tensor) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// svdvals: rows turned until they are orthogonal.
// CHECK-LABEL: func.func @forward
// CHECK: tl.orthogonalize
// CHECK: tl.sqrt
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %n = tl.constant #tl.none -> !tl.none
    %0 = tl.aten "linalg_svdvals"(%x, %n) : (!tl.tensor, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// matrix_power: by squaring.
// CHECK-LABEL: func.func @forward
// CHECK: %[[S:.*]] = tl.matmul %[[X:.*]], %[[X]] :
// CHECK: %[[F:.*]] = tl.matmul %[[S]], %[[S]] :
// CHECK: tl.matmul %[[X]], %[[F]] :
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %n = tl.constant 5 : i64 -> i64
    %0 = tl.aten "linalg_matrix_power"(%x, %n) : (!tl.tensor, i64) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
