// RUN: tl-opt %s --tl-cpu-pack-panels="target=sse" | FileCheck %s

// Panels of 8 columns: [2, 12] becomes [2, 2, 8], and the last panel is filled up with zeros.
// CHECK: #[[$PANELS:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 8, d2, d1 mod 8)>
// CHECK-LABEL: func.func @matmul
// CHECK: arith.constant dense<{{\[\[}}[0.{{.*}}, 7.{{[0-9e+]*}}], [1.2{{.*}}, 1.9{{.*}}]], {{\[\[}}8.{{.*}}, 1.1{{.*}}, 0.{{.*}}, 0.{{.*}}, 0.{{.*}}, 0.{{[0-9e+]*}}], [2.0{{.*}}, 2.3{{.*}}, 0.{{.*}}, 0.{{.*}}]]]> : tensor<2x2x8xf32>
// CHECK: linalg.generic
// CHECK-SAME: #[[$PANELS]]
func.func @matmul(%a: tensor<4x2xf32>, %c: tensor<4x12xf32>) -> tensor<4x12xf32> {
  %b = arith.constant dense<[[0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.],
                             [12., 13., 14., 15., 16., 17., 18., 19., 20., 21., 22., 23.]]> : tensor<2x12xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<4x2xf32>, tensor<2x12xf32>) outs(%c : tensor<4x12xf32>) -> tensor<4x12xf32>
  return %0 : tensor<4x12xf32>
}

// The transposed weights of torch.nn.Linear, as a resource: the result is one too.
// CHECK-LABEL: func.func @linear
// CHECK: arith.constant dense_resource<[[$PACKED:w_packed_[0-9a-f]+]]> : tensor<1x2x4xf32>
func.func @linear(%a: tensor<4x2xf32>, %c: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %b = arith.constant dense_resource<w> : tensor<3x2xf32>
  %0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %b : tensor<4x2xf32>, tensor<3x2xf32>) outs(%c : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// Another function that packs the same weights in the same way has the same constant, whichever of
// the two is compiled first.
// CHECK-LABEL: func.func @linear_again
// CHECK: arith.constant dense_resource<[[$PACKED]]> : tensor<1x2x4xf32>
func.func @linear_again(%a: tensor<7x2xf32>, %c: tensor<7x3xf32>) -> tensor<7x3xf32> {
  %b = arith.constant dense_resource<w> : tensor<3x2xf32>
  %0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %b : tensor<7x2xf32>, tensor<3x2xf32>) outs(%c : tensor<7x3xf32>) -> tensor<7x3xf32>
  return %0 : tensor<7x3xf32>
}

// CHECK-LABEL: func.func @convolution
// CHECK: arith.constant dense<1.000000e+00> : tensor<2x3x3x4x8xf32>
func.func @convolution(%x: tensor<1x5x5x4xf32>, %c: tensor<1x3x3x16xf32>) -> tensor<1x3x3x16xf32> {
  %w = arith.constant dense<1.0> : tensor<3x3x4x16xf32>
  %0 = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x5x5x4xf32>, tensor<3x3x4x16xf32>) outs(%c : tensor<1x3x3x16xf32>) -> tensor<1x3x3x16xf32>
  return %0 : tensor<1x3x3x16xf32>
}

// No contraction: every operand follows the channels, and is read as it is.
// CHECK-LABEL: func.func @depthwise
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc
func.func @depthwise(%x: tensor<1x5x5x4xf32>, %c: tensor<1x3x3x4xf32>) -> tensor<1x3x3x4xf32> {
  %w = arith.constant dense<1.0> : tensor<3x3x4xf32>
  %0 = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w : tensor<1x5x5x4xf32>, tensor<3x3x4xf32>) outs(%c : tensor<1x3x3x4xf32>) -> tensor<1x3x3x4xf32>
  return %0 : tensor<1x3x3x4xf32>
}

// Alignment 64, then [0, 2, 4, 0] and [1, 3, 5, 0].
// CHECK: [[$PACKED]]: "0x40000000000000000000004000008040000000000000803F000040400000A04000000000"
{-#
  dialect_resources: {
    builtin: {
      w: "0x04000000000000000000803F0000004000004040000080400000A040"
    }
  }
#-}
