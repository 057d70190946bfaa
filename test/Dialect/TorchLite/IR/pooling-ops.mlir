// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func @pools
func.func @pools(%x: tensor<1x64x112x?xf32>, %y: tensor<1x4x7xi32>, %z: tensor<2x4x8x8xf32>) {
  // CHECK: tl.max_pool %{{.*}} kernel [3, 3] stride [2, 2] padding [1, 1] dilation [1, 1] : tensor<1x64x112x?xf32> -> tensor<1x64x56x?xf32>
  %0 = tl.max_pool %x kernel [3, 3] stride [2, 2] padding [1, 1] dilation [1, 1]
     : tensor<1x64x112x?xf32> -> tensor<1x64x56x?xf32>
  // CHECK: tl.max_pool_with_indices %{{.*}} kernel [2] stride [2] padding [0] dilation [1] ceil_mode : tensor<1x4x7xi32> -> tensor<1x4x4xi32>, tensor<1x4x4xi64>
  %1, %2 = tl.max_pool_with_indices %y kernel [2] stride [2] padding [0] dilation [1] ceil_mode
     : tensor<1x4x7xi32> -> tensor<1x4x4xi32>, tensor<1x4x4xi64>
  // CHECK: tl.avg_pool %{{.*}} kernel [3, 3] stride [2, 2] padding [1, 1] ceil_mode count_include_pad : tensor<2x4x8x8xf32> -> tensor<2x4x5x5xf32>
  %3 = tl.avg_pool %z kernel [3, 3] stride [2, 2] padding [1, 1] ceil_mode count_include_pad
     : tensor<2x4x8x8xf32> -> tensor<2x4x5x5xf32>
  // CHECK: tl.avg_pool %{{.*}} divisor_override 3 : tensor<2x4x8x8xf32> -> tensor<2x4x4x4xf32>
  %4 = tl.avg_pool %z kernel [2, 2] stride [2, 2] padding [0, 0] divisor_override 3
     : tensor<2x4x8x8xf32> -> tensor<2x4x4x4xf32>
  // CHECK: tl.adaptive_avg_pool %{{.*}} output_size [1, 3] : tensor<1x64x112x?xf32> -> tensor<1x64x1x3xf32>
  %5 = tl.adaptive_avg_pool %x output_size [1, 3]
     : tensor<1x64x112x?xf32> -> tensor<1x64x1x3xf32>
  return
}

// A last window that would begin in the far padding does not count: 5 and not 6.
// CHECK-LABEL: func @ceil_mode
func.func @ceil_mode(%x: tensor<1x1x9xf32>) {
  // CHECK: -> tensor<1x1x5xf32>
  %0 = tl.max_pool %x kernel [2] stride [2] padding [1] dilation [1] ceil_mode
     : tensor<1x1x9xf32> -> tensor<1x1x5xf32>
  return
}

// CHECK-LABEL: func @resize
func.func @resize(%x: tensor<1x8x4x?xf32>, %n: index) {
  // CHECK: tl.resize nearest %{{.*}} scales [2.000000e+00, 2.000000e+00] : tensor<1x8x4x?xf32> to tensor<1x8x8x6xf32>
  %0 = tl.resize nearest %x scales [2.0, 2.0] : tensor<1x8x4x?xf32> to tensor<1x8x8x6xf32>
  // CHECK: tl.resize linear %{{.*}}[%{{.*}}] align_corners scales [] : tensor<1x8x4x?xf32> to tensor<1x8x?x6xf32>
  %1 = tl.resize linear %x[%n] align_corners scales [] : tensor<1x8x4x?xf32> to tensor<1x8x?x6xf32>
  return
}
