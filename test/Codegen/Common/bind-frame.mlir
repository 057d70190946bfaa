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

// A buffer is asked for when the checks of its size have passed, in their order, but before any
// computation that could write into it.
// CHECK-LABEL: func.func @checked
// CHECK: tl.check %{{.*}}, "negative"
// CHECK-NEXT: tl.check %{{.*}}, "large"
// CHECK-NOT: linalg
// CHECK: tlrt.output 1 :
// CHECK: tlrt.output 0[
// CHECK: linalg.square
// CHECK: linalg.fill
func.func @checked(%x: tensor<4xf32>, %a: i64) -> (tensor<?xf32>, tensor<4xf32>) attributes {tl.method = "checked"} {
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.square ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %zero = arith.constant 0 : i64
  %fits = arith.cmpi sge, %a, %zero : i64
  tl.check %fits, "negative"
  %most = arith.constant 100 : i64
  %small = arith.cmpi sle, %a, %most : i64
  tl.check %small, "large"
  %length = arith.index_cast %a : i64 to index
  %empty = tensor.empty(%length) : tensor<?xf32>
  %c = arith.constant 1.0 : f32
  %filled = linalg.fill ins(%c : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  return %filled, %y : tensor<?xf32>, tensor<4xf32>
}

// An element is read behind the check of its position, though it is a size.
// CHECK-LABEL: func.func @element
// CHECK: tl.check %{{.*}}, "index"
// CHECK: tensor.extract
// CHECK: tlrt.output
func.func @element(%x: tensor<3xi64>, %i: i64) -> tensor<?xf32> attributes {tl.method = "element"} {
  %three = arith.constant 3 : i64
  %inside = arith.cmpi ult, %i, %three : i64
  tl.check %inside, "index"
  %index = arith.index_cast %i : i64 to index
  %a = tensor.extract %x[%index] : tensor<3xi64>
  %length = arith.index_cast %a : i64 to index
  %empty = tensor.empty(%length) : tensor<?xf32>
  %c = arith.constant 1.0 : f32
  %filled = linalg.fill ins(%c : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  return %filled : tensor<?xf32>
}

// What the device computes stays in front of the check that asks for it.
// CHECK-LABEL: func.func @computed
// CHECK: tlrt.output
// CHECK: linalg.square
// CHECK: tl.check %{{.*}}, "element"
func.func @computed(%x: tensor<?xf32>) -> tensor<?xf32> attributes {tl.method = "computed"} {
  %c0 = arith.constant 0 : index
  %size = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%size) : tensor<?xf32>
  %y = linalg.square ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %first = tensor.extract %y[%c0] : tensor<?xf32>
  %c = arith.constant 1.0 : f32
  %less = arith.cmpf olt, %first, %c : f32
  tl.check %less, "element"
  return %y : tensor<?xf32>
}
