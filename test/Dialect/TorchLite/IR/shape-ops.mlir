// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func.func @shape
func.func @shape(%x: tensor<?x12xf32>, %y: tensor<4x8xui8>, %n: index, %m: index, %v: f32, %w: i8) {
  // CHECK: tl.reshape %{{.*}}{{ *}}[%{{.*}}, %{{.*}}] : tensor<?x12xf32> to tensor<?x3x?xf32>
  %0 = tl.reshape %x [%n, %m] : tensor<?x12xf32> to tensor<?x3x?xf32>
  // CHECK: tl.reshape %{{.*}} : tensor<4x8xui8> to tensor<32xui8>
  %1 = tl.reshape %y : tensor<4x8xui8> to tensor<32xui8>
  // CHECK: tl.permute %{{.*}} [1, 2, 0] : tensor<?x3x?xf32> -> tensor<3x?x?xf32>
  %2 = tl.permute %0 [1, 2, 0] : tensor<?x3x?xf32> -> tensor<3x?x?xf32>
  // CHECK: tl.broadcast_to %{{.*}}{{ *}}[%{{.*}}] : tensor<4x8xui8> to tensor<?x4x8xui8>
  %3 = tl.broadcast_to %y [%n] : tensor<4x8xui8> to tensor<?x4x8xui8>
  // CHECK: tl.concat %{{.*}}, %{{.*}} dim 0 : tensor<?x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %4 = tl.concat %x, %x dim 0 : tensor<?x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  // CHECK: tl.concat %{{.*}}, %{{.*}} dim 1 : tensor<4x8xui8>, tensor<4x8xui8> -> tensor<4x16xui8>
  %5 = tl.concat %y, %y dim 1 : tensor<4x8xui8>, tensor<4x8xui8> -> tensor<4x16xui8>
  // CHECK: tl.pad %{{.*}} constant(%{{.*}}) low [0, %{{.*}}] high [1, 2] : tensor<?x12xf32>, f32 -> tensor<?x?xf32>
  %6 = tl.pad %x constant(%v) low[0, %n] high[1, 2] : tensor<?x12xf32>, f32 -> tensor<?x?xf32>
  // CHECK: tl.pad %{{.*}} constant(%{{.*}}) low [-1, 0] high [-1, 2] : tensor<4x8xui8>, i8 -> tensor<2x10xui8>
  %7 = tl.pad %y constant(%w) low[-1, 0] high[-1, 2] : tensor<4x8xui8>, i8 -> tensor<2x10xui8>
  // CHECK: tl.pad %{{.*}} reflect low [3, 0] high [0, 7] : tensor<4x8xui8> -> tensor<7x15xui8>
  %8 = tl.pad %y reflect low [3, 0] high[0, 7] : tensor<4x8xui8> -> tensor<7x15xui8>
  // CHECK: tl.flip %{{.*}} [0, 1] : tensor<?x12xf32>
  %9 = tl.flip %x [0, 1] : tensor<?x12xf32>
  // CHECK: tl.iota dim 1{{ *}}[%{{.*}}] : tensor<2x?xi64>
  %10 = tl.iota dim 1 [%n] : tensor<2x?xi64>
  return
}
