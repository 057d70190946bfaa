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

// Two results that accumulate upon one fill: each is filled, and summed up, in its own buffer.
// CHECK-LABEL: func.func @two_sums
// CHECK-DAG: %[[FIRST:.*]] = tlrt.output 0
// CHECK-DAG: %[[SECOND:.*]] = tlrt.output 1
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK-DAG: linalg.fill {{.*}} outs(%[[FIRST]]
// CHECK-DAG: linalg.fill {{.*}} outs(%[[SECOND]]
// CHECK: linalg.reduce {{.*}} outs(%[[FIRST]]
// CHECK: linalg.reduce {{.*}} outs(%[[SECOND]]
func.func @two_sums(%x: tensor<?x4xf32>, %y: tensor<3x4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
    attributes {tl.method = "two"} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %a = linalg.reduce {arith.addf} ins(%x : tensor<?x4xf32>) outs(%f : tensor<4xf32>) dimensions = [0]
  %b = linalg.reduce {arith.addf} ins(%y : tensor<3x4xf32>) outs(%f : tensor<4xf32>) dimensions = [0]
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// The fill is a result, too: it stays apart from what is summed up on it.
// CHECK-LABEL: func.func @fill_and_sum
// CHECK-DAG: %[[FIRST:.*]] = tlrt.output 0
// CHECK-DAG: %[[SECOND:.*]] = tlrt.output 1
// CHECK-DAG: linalg.fill {{.*}} outs(%[[FIRST]]
// CHECK-DAG: linalg.fill {{.*}} outs(%[[SECOND]]
// CHECK: linalg.reduce {{.*}} outs(%[[SECOND]]
// CHECK-NOT: memref.copy
// CHECK: return
func.func @fill_and_sum(%x: tensor<?x4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
    attributes {tl.method = "fill"} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %a = linalg.reduce {arith.addf} ins(%x : tensor<?x4xf32>) outs(%f : tensor<4xf32>) dimensions = [0]
  return %f, %a : tensor<4xf32>, tensor<4xf32>
}

// The later result is made from the earlier one, which must not live in the later one's buffer.
// CHECK-LABEL: func.func @later_first
// CHECK-DAG: %[[FIRST:.*]] = tlrt.output 0
// CHECK-DAG: %[[SECOND:.*]] = tlrt.output 1
// CHECK: linalg.square {{.*}} outs(%[[SECOND]]
// CHECK: memref.copy %{{.*}}, %[[FIRST]]
// CHECK-NOT: memref.copy %[[FIRST]]
// CHECK: return
func.func @later_first(%x: tensor<4xf32>, %s: tensor<1xf32>) -> (tensor<4xf32>, tensor<4xf32>)
    attributes {tl.method = "later"} {
  %e = tensor.empty() : tensor<4xf32>
  %a = linalg.square ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b = tensor.insert_slice %s into %a[1] [1] [1] : tensor<1xf32> into tensor<4xf32>
  return %b, %a : tensor<4xf32>, tensor<4xf32>
}

// A private function that writes its argument through loops returns nothing: it stays a function.
// CHECK-LABEL: func.func @calls_kernel
// CHECK-COUNT-2: call @kernel(%{{.*}}, %{{.*}}) : (memref<4x8xf32>, memref<4x8xf32>) -> ()
// CHECK: func.func private @kernel(%{{.*}}: memref<4x8xf32>, %[[OUT:.*]]: memref<4x8xf32>) {
// CHECK-NOT: iter_args
// CHECK: vector.transfer_write %{{.*}}, %[[OUT]]
func.func @calls_kernel(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {tl.method = "i"} {
  %a = bufferization.alloc_tensor() : tensor<4x8xf32>
  %y = call @kernel(%x, %a) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %b = bufferization.alloc_tensor() : tensor<4x8xf32>
  %z = call @kernel(%y, %b) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %z : tensor<4x8xf32>
}

func.func private @kernel(%x: tensor<4x8xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%t = %out) -> (tensor<4x8xf32>) {
    %v = vector.transfer_read %x[%i, %c0], %zero {in_bounds = [true]} : tensor<4x8xf32>, vector<8xf32>
    %s = arith.addf %v, %v : vector<8xf32>
    %w = vector.transfer_write %s, %t[%i, %c0] {in_bounds = [true]} : vector<8xf32>, tensor<4x8xf32>
    scf.yield %w : tensor<4x8xf32>
  }
  return %r : tensor<4x8xf32>
}

// What is reshaped has other sizes than the result, though the same type: it gets a buffer of its own.
// CHECK-LABEL: func.func @reshaped
// CHECK: %[[OUT:.*]] = tlrt.output 0
// CHECK: %[[TURNED:.*]] = memref.alloc
// CHECK: linalg.transpose {{.*}} outs(%[[TURNED]]
// CHECK: memref.copy %{{.*}}, %[[OUT]]
func.func @reshaped(%x: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {tl.method = "reshaped"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %x, %c0 : tensor<?x?xf32>
  %columns = tensor.dim %x, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%columns, %rows) : tensor<?x?xf32>
  %turned = linalg.transpose ins(%x : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) permutation = [1, 0]
  %sizes = tensor.from_elements %rows, %columns : tensor<2xindex>
  %y = tensor.reshape %turned(%sizes) : (tensor<?x?xf32>, tensor<2xindex>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
