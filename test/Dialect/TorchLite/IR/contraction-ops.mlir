// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func @matmul
func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<3x?xf32>, %c: tensor<?x5x4xi64>,
                  %d: tensor<7x6x5xi64>, %e: tensor<2x3xbf16>, %f: tensor<4x3xbf16>) {
  // CHECK: tl.matmul %{{.*}}, %{{.*}} : tensor<2x3xf32>, tensor<3x?xf32> -> tensor<2x?xf32>
  %0 = tl.matmul %a, %b : tensor<2x3xf32>, tensor<3x?xf32> -> tensor<2x?xf32>
  // CHECK: tl.matmul %{{.*}}, %{{.*}} transpose_a transpose_b : tensor<?x5x4xi64>, tensor<7x6x5xi64> -> tensor<7x4x6xi64>
  %1 = tl.matmul %c, %d transpose_a transpose_b
     : tensor<?x5x4xi64>, tensor<7x6x5xi64> -> tensor<7x4x6xi64>
  // CHECK: tl.matmul %{{.*}}, %{{.*}} transpose_b to_f32 : tensor<2x3xbf16>, tensor<4x3xbf16> -> tensor<2x4xf32>
  %2 = tl.matmul %e, %f transpose_b to_f32 : tensor<2x3xbf16>, tensor<4x3xbf16> -> tensor<2x4xf32>
  return
}

// CHECK-LABEL: func @conv
func.func @conv(%x: tensor<1x3x224x?xf32>, %w: tensor<64x3x7x7xf32>, %b: tensor<64xf32>,
                %y: tensor<2x8x5xf32>, %v: tensor<8x3x4xf32>) {
  // CHECK: tl.conv %{{.*}}, %{{.*}} bias %{{.*}} stride [2, 2] padding [3, 3] dilation [1, 1] groups 1 output_padding [0, 0] : tensor<1x3x224x?xf32>, tensor<64x3x7x7xf32>, tensor<64xf32> -> tensor<1x64x112x?xf32>
  %0 = tl.conv %x, %w bias %b stride [2, 2] padding [3, 3] dilation [1, 1] groups 1
    output_padding [0, 0]
     : tensor<1x3x224x?xf32>, tensor<64x3x7x7xf32>, tensor<64xf32> -> tensor<1x64x112x?xf32>
  // CHECK: tl.conv %{{.*}}, %{{.*}} stride [2] padding [1] dilation [3] groups 2 transposed output_padding [1] : {{.*}} -> tensor<2x6x17xf32>
  %1 = tl.conv %y, %v stride [2] padding [1] dilation [3] groups 2 transposed output_padding [1]
     : tensor<2x8x5xf32>, tensor<8x3x4xf32> -> tensor<2x6x17xf32>
  return
}
