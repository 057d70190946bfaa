// RUN: tl-opt %s --tl-bind-frame --tl-bufferize | FileCheck %s

// Arguments are read where they are; a result is copied once, to where it is wanted.
// CHECK-LABEL: func.func @call()
func.func @call(%x: tensor<?x4xf32>) -> tensor<?x2xf32> attributes {tl.method = "call"} {
  // CHECK: %[[X:.*]] = tlrt.arg 0 : memref<?x4xf32>
  // CHECK: %[[PART:.*]] = memref.subview %[[X]]
  %part = tensor.extract_slice %x[0, 1] [2, 2] [1, 1] : tensor<?x4xf32> to tensor<2x2xf32>
  // CHECK: %[[GIVEN:.*]], %[[ROWS:[a-z]+]] = tlrt.call_operator "aten::f|T6/2|T6:?,2|"(%[[PART]] : memref<2x2xf32, strided<[4, 1], offset: 1>>)
  %given, %rows = tlrt.call_operator "aten::f|T6/2|T6:?,2|"(%part : tensor<2x2xf32>) : i64, i64
  // CHECK: %[[SIZE:.*]] = arith.index_cast %[[ROWS]]
  %size = arith.index_cast %rows : i64 to index
  %empty = tensor.empty(%size) : tensor<?x2xf32>
  // CHECK: %[[Y:.*]] = tlrt.output 0{{ ?}}[%[[SIZE]]] : memref<?x2xf32>
  // CHECK-NOT: memref.alloc
  // CHECK: tlrt.operator_result 0 of %[[GIVEN]] outs(%[[Y]] : memref<?x2xf32>)
  %y = tlrt.operator_result 0 of %given outs(%empty : tensor<?x2xf32>) -> tensor<?x2xf32>
  tlrt.operator_release %given
  return %y : tensor<?x2xf32>
}
