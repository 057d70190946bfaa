// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func.func @forward
func.func @forward() {
  // CHECK: %[[X:.*]] = tlrt.arg 0 : memref<?x3xf32>
  %x = tlrt.arg 0 : memref<?x3xf32>
  // CHECK: %[[N:.*]] = tlrt.arg 1 : i64
  %n = tlrt.arg 1 : i64
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x3xf32>
  // CHECK: %[[Y:.*]] = tlrt.output 0[%{{.*}}] : memref<?x3xf32>
  %y = tlrt.output 0 [%rows] : memref<?x3xf32>
  // CHECK: tlrt.arena : memref<4096xi8>
  %arena = tlrt.arena : memref<4096xi8>
  // CHECK: tlrt.weights 128 : memref<64x3xf32>
  %w = tlrt.weights 128 : memref<64x3xf32>
  // CHECK: tlrt.parallel_for @body to %{{.*}}(%[[X]], %[[Y]] : memref<?x3xf32>, memref<?x3xf32>)
  tlrt.parallel_for @body to %rows (%x, %y : memref<?x3xf32>, memref<?x3xf32>)
  // CHECK: tlrt.result 1 = %[[N]] : i64
  tlrt.result 1 = %n : i64
  return
}

func.func private @body(%begin: index, %end: index, %x: memref<?x3xf32>, %y: memref<?x3xf32>) {
  return
}

// CHECK-LABEL: func.func @rows
func.func @rows(%x: tensor<4x?xf32>, %positions: tensor<4x?xi64>) -> (tensor<4x?xi64>, tensor<4x?xf32>) {
  // CHECK: tlrt.argsort dim 1 descending unsigned ins(%{{.*}} : tensor<4x?xf32>) outs(%{{.*}} : tensor<4x?xi64>)
  %0 = tlrt.argsort dim 1 descending unsigned ins(%x : tensor<4x?xf32>) outs(%positions : tensor<4x?xi64>)
  // CHECK: tlrt.argsort dim 0 ins
  %1 = tlrt.argsort dim 0 ins(%x : tensor<4x?xf32>) outs(%0 : tensor<4x?xi64>)
  // CHECK: tlrt.scan addf dim 0 in f64 ins(%{{.*}} : tensor<4x?xf32>) outs(%{{.*}} : tensor<4x?xf32>)
  %2 = tlrt.scan addf dim 0 in f64 ins(%x : tensor<4x?xf32>) outs(%x : tensor<4x?xf32>)
  return %1, %2 : tensor<4x?xi64>, tensor<4x?xf32>
}

// CHECK-LABEL: func.func @nonzero
func.func @nonzero(%x: tensor<4x?xf32>, %rows: tensor<?x2xi64>) -> tensor<?x2xi64> {
  // CHECK: tlrt.nonzero ins(%{{.*}} : tensor<4x?xf32>) outs(%{{.*}} : tensor<?x2xi64>)
  %0 = tlrt.nonzero ins(%x : tensor<4x?xf32>) outs(%rows : tensor<?x2xi64>)
  return %0 : tensor<?x2xi64>
}
