// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func.func @reduction
func.func @reduction(%x: tensor<4x?x8xf32>, %b: tensor<?xi1>) {
  // CHECK: tl.reduce sum %{{.*}} [0, 2] : tensor<4x?x8xf32> -> tensor<?xf32>
  %0 = tl.reduce sum %x [0, 2] : tensor<4x?x8xf32> -> tensor<?xf32>
  // CHECK: tl.reduce max %{{.*}} [1] keepdim : tensor<4x?x8xf32> -> tensor<4x1x8xf32>
  %1 = tl.reduce max %x [1] keepdim : tensor<4x?x8xf32> -> tensor<4x1x8xf32>
  // CHECK: tl.reduce and %{{.*}} [0] : tensor<?xi1> -> tensor<i1>
  %2 = tl.reduce and %b [0] : tensor<?xi1> -> tensor<i1>
  // CHECK: tl.arg_reduce max %{{.*}} dim 2 : tensor<4x?x8xf32> -> tensor<4x?xi64>
  %3 = tl.arg_reduce max %x dim 2 : tensor<4x?x8xf32> -> tensor<4x?xi64>
  // CHECK: tl.arg_reduce min %{{.*}} dim 0 keepdim : tensor<4x?x8xf32> -> tensor<1x?x8xi64>
  %4 = tl.arg_reduce min %x dim 0 keepdim : tensor<4x?x8xf32> -> tensor<1x?x8xi64>
  // CHECK: tl.cumulative prod %{{.*}} dim 1 : tensor<4x?x8xf32>
  %5 = tl.cumulative prod %x dim 1 : tensor<4x?x8xf32>
  return
}
