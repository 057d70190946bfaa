// RUN: tl-opt %s --tl-bind-frame | FileCheck %s

// The buffer of the result is asked for as soon as its size is known.
// CHECK-LABEL: func.func @square()
// CHECK-SAME: tl.operands = [{tl.name = "x", type = tensor<?x3xf32>}, {type = i64}]
// CHECK-SAME: tl.results = [{type = tensor<?x3xf32>}, {tl.state = "h", type = i64}]
// CHECK: %[[ARG:.*]] = tlrt.arg 0 : memref<?x3xf32>
// CHECK: %[[X:.*]] = bufferization.to_tensor %[[ARG]] restrict
// CHECK: %[[N:.*]] = tlrt.arg 1 : i64
// CHECK: %[[SIZE:.*]] = tensor.dim %[[X]]
// CHECK: %[[OUT:.*]] = tlrt.output 0[%[[SIZE]]] : memref<?x3xf32>
// CHECK: %[[Y:.*]] = linalg.square
// CHECK: bufferization.materialize_in_destination %[[Y]] in restrict writable %[[OUT]]
// CHECK: tlrt.result 1 = %[[N]] : i64
// CHECK: return
func.func @square(%x: tensor<?x3xf32> {tl.name = "x"}, %n: i64)
    -> (tensor<?x3xf32>, i64 {tl.state = "h"}) attributes {tl.method = "square"} {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x3xf32>
  %e = tensor.empty(%rows) : tensor<?x3xf32>
  %y = linalg.square ins(%x : tensor<?x3xf32>) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %y, %n : tensor<?x3xf32>, i64
}

// Other functions keep their signature.
// CHECK-LABEL: func.func private @helper(%{{.*}}: tensor<3xf32>) -> tensor<3xf32>
func.func private @helper(%x: tensor<3xf32>) -> tensor<3xf32> {
  return %x : tensor<3xf32>
}

// To hoist one operand of a size may move another one: the size still stands behind all of them.
// CHECK-LABEL: func.func @shared_operands
// CHECK-DAG: %[[IS:.*]] = arith.cmpi eq, %{{.*}}, %c-1
// CHECK-DAG: %[[LESS:.*]] = arith.subi
// CHECK-DAG: %[[MORE:.*]] = arith.floordivsi
// CHECK: arith.select %[[IS]], %[[LESS]], %[[MORE]]
// CHECK: tlrt.output
func.func @shared_operands(%x: tensor<?xf32>, %a: i64) -> tensor<?xf32> attributes {tl.method = "shared_operands"} {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %first = arith.constant 0 : index
  %none = arith.constant -1 : i64
  %dim = tensor.dim %x, %first : tensor<?xf32>
  %size = arith.index_cast %dim : index to i64
  %less = arith.subi %zero, %size : i64
  %is = arith.cmpi eq, %a, %none : i64
  %isZero = arith.cmpi eq, %a, %zero : i64
  %either = arith.ori %isZero, %is : i1
  %divisor = arith.select %either, %one, %a : i64
  %more = arith.floordivsi %size, %divisor : i64
  %wanted = arith.select %is, %less, %more : i64
  %length = arith.index_cast %wanted : i64 to index
  %empty = tensor.empty(%length) : tensor<?xf32>
  %c = arith.constant 1.0 : f32
  %filled = linalg.fill ins(%c : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  return %filled : tensor<?xf32>
}
