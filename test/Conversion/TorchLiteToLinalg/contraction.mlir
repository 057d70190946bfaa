// RUN: tl-opt %s --convert-tl-to-linalg --split-input-file | FileCheck %s

// CHECK-LABEL: func @matmul
// CHECK-SAME: %[[A:.*]]: tensor<2x?xf32>, %[[B:.*]]: tensor<?x4xf32>
func.func @matmul(%a: tensor<2x?xf32>, %b: tensor<?x4xf32>) -> tensor<2x4xf32> {
  // CHECK: %[[ZERO:.*]] = linalg.fill
  // CHECK: linalg.matmul ins(%[[A]], %[[B]] : {{.*}}) outs(%[[ZERO]] : tensor<2x4xf32>)
  %0 = tl.matmul %a, %b : tensor<2x?xf32>, tensor<?x4xf32> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// CHECK: #[[$A:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK: #[[$B:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK: #[[$C:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-LABEL: func @transposed_half
func.func @transposed_half(%a: tensor<3x2x8xf16>, %b: tensor<3x4x8xf16>) -> tensor<3x2x4xf16> {
  // CHECK: linalg.batch_matmul indexing_maps = [#[[$A]], #[[$B]], #[[$C]]]
  // CHECK-SAME: outs({{.*}} : tensor<3x2x4xf32>)
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  %0 = tl.matmul %a, %b transpose_b : tensor<3x2x8xf16>, tensor<3x4x8xf16> -> tensor<3x2x4xf16>
  return %0 : tensor<3x2x4xf16>
}

// -----

// What was accumulated, not rounded.
// CHECK-LABEL: func @matmul_to_f32
func.func @matmul_to_f32(%a: tensor<2x8xf16>, %b: tensor<8x4xf16>) -> tensor<2x4xf32> {
  // CHECK: %[[P:.*]] = linalg.matmul ins({{.*}} : tensor<2x8xf16>, tensor<8x4xf16>) outs({{.*}} : tensor<2x4xf32>)
  // CHECK-NEXT: return %[[P]]
  %0 = tl.matmul %a, %b to_f32 : tensor<2x8xf16>, tensor<8x4xf16> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: func @conv
// CHECK-SAME: %[[X:.*]]: tensor<1x3x8x8xf32>, %[[W:.*]]: tensor<16x3x3x3xf32>, %[[B:.*]]: tensor<16xf32>
func.func @conv(%x: tensor<1x3x8x8xf32>, %w: tensor<16x3x3x3xf32>, %b: tensor<16xf32>)
    -> tensor<1x16x4x4xf32> {
  // CHECK: %[[NHWC:.*]] = linalg.transpose ins(%[[X]] : {{.*}}) outs({{.*}}) permutation = [0, 2, 3, 1]
  // CHECK: %[[PADDED:.*]] = tensor.pad %[[NHWC]] low[0, 1, 1, 0] high[0, 1, 1, 0]
  // CHECK: %[[INIT:.*]] = linalg.broadcast ins(%[[B]] : tensor<16xf32>) outs({{.*}} : tensor<1x4x4x16xf32>) dimensions = [0, 1, 2]
  // CHECK: %[[HWCF:.*]] = linalg.transpose ins(%[[W]] : {{.*}}) outs({{.*}}) permutation = [2, 3, 1, 0]
  // CHECK: %[[R:.*]] = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
  // CHECK-SAME: ins(%[[PADDED]], %[[HWCF]] : {{.*}}) outs(%[[INIT]]
  // CHECK: linalg.transpose ins(%[[R]] : {{.*}}) outs({{.*}}) permutation = [0, 3, 1, 2]
  %0 = tl.conv %x, %w bias %b stride [2, 2] padding [1, 1] dilation [1, 1] groups 1
    output_padding [0, 0]
     : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>, tensor<16xf32> -> tensor<1x16x4x4xf32>
  return %0 : tensor<1x16x4x4xf32>
}

// -----

// CHECK-LABEL: func @depthwise
func.func @depthwise(%x: tensor<?x8x9xf32>, %w: tensor<8x1x3xf32>) -> tensor<?x8x7xf32> {
  // CHECK: linalg.depthwise_conv_1d_nwc_wc
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 8 output_padding [0]
     : tensor<?x8x9xf32>, tensor<8x1x3xf32> -> tensor<?x8x7xf32>
  return %0 : tensor<?x8x7xf32>
}

// -----

// CHECK-LABEL: func @grouped
func.func @grouped(%x: tensor<1x6x9xf32>, %w: tensor<4x3x3xf32>) -> tensor<1x4x7xf32> {
  // CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2, 3]] {{.*}} : tensor<1x9x6xf32> into tensor<1x9x2x3xf32>
  // CHECK: linalg.generic
  // CHECK-SAME: "parallel", "parallel", "parallel", "parallel", "reduction", "reduction"
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 2 output_padding [0]
     : tensor<1x6x9xf32>, tensor<4x3x3xf32> -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// -----

// Zeros between the elements, the kernel flipped.
// CHECK-DAG: #[[$FLIP:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, -d3 + 2)>
// CHECK-LABEL: func @transposed
func.func @transposed(%x: tensor<1x6x4xf32>, %w: tensor<6x2x3xf32>) -> tensor<1x2x8xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[$FLIP]],
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 1, 0] [1, 4, 6] [1, 2, 1] : tensor<1x4x6xf32> into tensor<1x10x6xf32>
  // CHECK: linalg.conv_1d_nwc_wcf
  %0 = tl.conv %x, %w stride [2] padding [1] dilation [1] groups 1 transposed output_padding [1]
     : tensor<1x6x4xf32>, tensor<6x2x3xf32> -> tensor<1x2x8xf32>
  return %0 : tensor<1x2x8xf32>
}

// -----

// CHECK-LABEL: func @empty
func.func @empty(%a: tensor<0x3xf32>, %b: tensor<3x4xf32>) -> tensor<0x4xf32> {
  // CHECK-NOT: linalg
  // CHECK: tensor.empty() : tensor<0x4xf32>
  %0 = tl.matmul %a, %b : tensor<0x3xf32>, tensor<3x4xf32> -> tensor<0x4xf32>
  return %0 : tensor<0x4xf32>
}
