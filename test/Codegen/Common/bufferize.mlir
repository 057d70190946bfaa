// RUN: tl-opt %s --tl-bind-frame --tl-bufferize --canonicalize | FileCheck %s

// The computation writes into the result; the argument is not written.
// CHECK-LABEL: func.func @in_place
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: linalg.square ins(%{{.*}} : memref<4xf32>) outs(%[[OUT:.*]] : memref<4xf32>)
func.func @in_place(%x: tensor<4xf32>) -> tensor<4xf32> attributes {tl.method = "f"} {
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.square ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @argument_is_kept
// CHECK: %[[X:.*]] = tlrt.arg 0
// CHECK-NOT: outs(%[[X]]
// CHECK: return
func.func @argument_is_kept(%x: tensor<4xf32>) -> tensor<4xf32> attributes {tl.method = "g"} {
  %y = linalg.square ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// Values that change places take one temporary, outside of what the loop carries.
// CHECK-LABEL: func.func @swap
// CHECK: scf.for
// CHECK-NOT: iter_args
// CHECK: return
func.func @swap(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: i64) -> (tensor<4xf32>, tensor<4xf32>)
    attributes {tl.method = "h"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.index_cast %n : i64 to index
  %r:2 = scf.for %i = %c0 to %trips step %c1 iter_args(%a = %x, %b = %y)
      -> (tensor<4xf32>, tensor<4xf32>) {
    scf.yield %b, %a : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// A large constant with one value is written where it is needed.
// CHECK-LABEL: func.func @splat
// CHECK: linalg.fill
// CHECK-NOT: memref.get_global
func.func @splat() -> tensor<128xf32> attributes {tl.method = "s"} {
  %c = arith.constant dense<1.0> : tensor<128xf32>
  return %c : tensor<128xf32>
}

// A buffer that a private function makes belongs to its caller.
// CHECK-LABEL: func.func @caller
// CHECK-NOT: call
// CHECK-NOT: @callee
func.func @caller(%x: tensor<?xf32>) -> tensor<?xf32> attributes {tl.method = "c"} {
  %y = func.call @callee(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}
func.func private @callee(%x: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.square ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}
