// RUN: tl-opt %s --convert-tl-to-linalg --split-input-file | FileCheck %s

// CHECK-LABEL: func @lu
// CHECK-SAME: %[[A:.*]]: tensor<?x4x?xf32>
func.func @lu(%a: tensor<?x4x?xf32>) -> (tensor<?x4x?xf32>, tensor<?x?xi32>, tensor<?xi32>) {
  // CHECK: %[[PIVOTS:.*]] = tensor.empty(%{{.*}}, %{{.*}}) : tensor<?x?xi32>
  // CHECK: %[[INFO:.*]] = tensor.empty(%{{.*}}) : tensor<?xi32>
  // CHECK: %[[R:.*]]:3 = tlrt.matrices lu outs(%[[A]], %[[PIVOTS]], %[[INFO]] :
  // CHECK: return %[[R]]#0, %[[R]]#1, %[[R]]#2
  %f, %p, %i = tl.lu %a : tensor<?x4x?xf32> -> tensor<?x4x?xf32>, tensor<?x?xi32>, tensor<?xi32>
  return %f, %p, %i : tensor<?x4x?xf32>, tensor<?x?xi32>, tensor<?xi32>
}

// -----

// CHECK-LABEL: func @solve
// CHECK-SAME: %[[A:.*]]: tensor<2x3x3xf64>, %[[B:.*]]: tensor<2x3x5xf64>, %[[P:.*]]: tensor<2x3xi32>
func.func @solve(%a: tensor<2x3x3xf64>, %b: tensor<2x3x5xf64>, %p: tensor<2x3xi32>) -> tensor<2x3x5xf64> {
  // CHECK: %[[S:.*]] = tlrt.matrices swap_rows reverse ins(%[[P]] : tensor<2x3xi32>) outs(%[[B]] : tensor<2x3x5xf64>)
  %s = tl.swap_rows %b, %p reverse : tensor<2x3x5xf64>, tensor<2x3xi32> -> tensor<2x3x5xf64>
  // CHECK: tlrt.matrices triangular_solve upper unit ins(%[[A]] : tensor<2x3x3xf64>) outs(%[[S]] : tensor<2x3x5xf64>)
  %x = tl.triangular_solve %a, %s upper unit : tensor<2x3x3xf64>, tensor<2x3x5xf64> -> tensor<2x3x5xf64>
  return %x : tensor<2x3x5xf64>
}

// -----

// CHECK-LABEL: func @cholesky
func.func @cholesky(%a: tensor<2x3x3xf32>) -> tensor<2x3x3xf32> {
  // CHECK: tlrt.matrices cholesky outs(%{{.*}}, %{{.*}} : tensor<2x3x3xf32>, tensor<2xi32>)
  %l, %i = tl.cholesky %a : tensor<2x3x3xf32> -> tensor<2x3x3xf32>, tensor<2xi32>
  return %l : tensor<2x3x3xf32>
}

// -----

// CHECK-LABEL: func @reflect
// CHECK-SAME: %[[A:.*]]: tensor<1x4x3xf32>, %[[C:.*]]: tensor<1x4x5xf32>
func.func @reflect(%a: tensor<1x4x3xf32>, %c: tensor<1x4x5xf32>) -> tensor<1x4x5xf32> {
  // CHECK: %[[SCALES:.*]] = tensor.empty() : tensor<1x3xf32>
  // CHECK: %[[F:.*]]:2 = tlrt.matrices householder outs(%[[A]], %[[SCALES]]
  %f, %t = tl.householder %a : tensor<1x4x3xf32> -> tensor<1x4x3xf32>, tensor<1x3xf32>
  // CHECK: tlrt.matrices reflect reverse ins(%[[F]]#0, %[[F]]#1 : tensor<1x4x3xf32>, tensor<1x3xf32>) outs(%[[C]]
  %0 = tl.reflect %f, %t, %c transposed : tensor<1x4x3xf32>, tensor<1x3xf32>, tensor<1x4x5xf32> -> tensor<1x4x5xf32>
  return %0 : tensor<1x4x5xf32>
}

// -----

// CHECK-LABEL: func @orthogonalize
func.func @orthogonalize(%a: tensor<?x?x4xf32>) -> (tensor<?x?x4xf32>, tensor<?x?x?xf32>) {
  // CHECK: tlrt.matrices orthogonalize outs(%{{.*}}, %{{.*}} : tensor<?x?x4xf32>, tensor<?x?x?xf32>)
  %r, %j = tl.orthogonalize %a : tensor<?x?x4xf32> -> tensor<?x?x4xf32>, tensor<?x?x?xf32>
  return %r, %j : tensor<?x?x4xf32>, tensor<?x?x?xf32>
}

// -----

// Both parts are replaced; there is memory for as much again.
// CHECK-LABEL: func @fourier
// CHECK-SAME: %[[A:.*]]: tensor<?x6x8xf32>, %[[B:.*]]: tensor<?x6x8xf32>, %[[T:.*]]: tensor<2x6xf32>
func.func @fourier(%a: tensor<?x6x8xf32>, %b: tensor<?x6x8xf32>, %t: tensor<2x6xf32>) -> (tensor<?x6x8xf32>, tensor<?x6x8xf32>) {
  // CHECK: %[[RE:.*]] = tensor.empty(%{{.*}}) : tensor<?x6x8xf32>
  // CHECK: %[[IM:.*]] = tensor.empty(%{{.*}}) : tensor<?x6x8xf32>
  // CHECK: %[[R:.*]]:4 = tlrt.matrices fourier ins(%[[T]] : tensor<2x6xf32>) outs(%[[A]], %[[B]], %[[RE]], %[[IM]] :
  // CHECK: return %[[R]]#0, %[[R]]#1
  %re, %im = tl.fourier %a, %b, %t : tensor<?x6x8xf32>, tensor<?x6x8xf32>, tensor<2x6xf32> -> tensor<?x6x8xf32>, tensor<?x6x8xf32>
  return %re, %im : tensor<?x6x8xf32>, tensor<?x6x8xf32>
}
