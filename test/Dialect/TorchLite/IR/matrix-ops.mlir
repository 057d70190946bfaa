// RUN: tl-opt %s | tl-opt | FileCheck %s

// CHECK-LABEL: func @factor
func.func @factor(%a: tensor<2x4x3xf32>, %s: tensor<?x?x?xf64>) {
  // CHECK: tl.lu %{{.*}} : tensor<2x4x3xf32> -> tensor<2x4x3xf32>, tensor<2x3xi32>, tensor<2xi32>
  %f, %p, %info = tl.lu %a : tensor<2x4x3xf32> -> tensor<2x4x3xf32>, tensor<2x3xi32>, tensor<2xi32>
  // CHECK: tl.swap_rows %{{.*}}, %{{.*}} reverse
  %0 = tl.swap_rows %a, %p reverse : tensor<2x4x3xf32>, tensor<2x3xi32> -> tensor<2x4x3xf32>
  // CHECK: tl.cholesky %{{.*}} upper : tensor<?x?x?xf64> -> tensor<?x?x?xf64>, tensor<?xi32>
  %u, %i = tl.cholesky %s upper : tensor<?x?x?xf64> -> tensor<?x?x?xf64>, tensor<?xi32>
  // CHECK: tl.triangular_solve %{{.*}}, %{{.*}} upper unit
  %x = tl.triangular_solve %u, %s upper unit : tensor<?x?x?xf64>, tensor<?x?x?xf64> -> tensor<?x?x?xf64>
  return
}

// CHECK-LABEL: func @rotate
func.func @rotate(%a: tensor<2x4x3xf32>, %c: tensor<2x4x5xf32>, %d: tensor<2x0x?xf32>) {
  // CHECK: tl.householder %{{.*}} : tensor<2x4x3xf32> -> tensor<2x4x3xf32>, tensor<2x3xf32>
  %f, %tau = tl.householder %a : tensor<2x4x3xf32> -> tensor<2x4x3xf32>, tensor<2x3xf32>
  // CHECK: tl.householder %{{.*}} : tensor<2x0x?xf32> -> tensor<2x0x?xf32>, tensor<2x0xf32>
  %g, %none = tl.householder %d : tensor<2x0x?xf32> -> tensor<2x0x?xf32>, tensor<2x0xf32>
  // CHECK: tl.reflect %{{.*}}, %{{.*}}, %{{.*}} transposed
  %0 = tl.reflect %f, %tau, %c transposed : tensor<2x4x3xf32>, tensor<2x3xf32>, tensor<2x4x5xf32> -> tensor<2x4x5xf32>
  // CHECK: tl.orthogonalize %{{.*}} : tensor<2x4x3xf32> -> tensor<2x4x3xf32>, tensor<2x4x4xf32>
  %rows, %j = tl.orthogonalize %a : tensor<2x4x3xf32> -> tensor<2x4x3xf32>, tensor<2x4x4xf32>
  return
}
