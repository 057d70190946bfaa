// RUN: tl-opt %s --convert-tl-to-linalg --tl-propagate-layout --canonicalize --cse --split-input-file | FileCheck %s

// A residual block between two convolutions: one transposition in front, none after the global pool.
// CHECK-LABEL: func @residual
// CHECK-SAME: %[[X:.*]]: tensor<1x3x8x8xf32>
func.func @residual(%x: tensor<1x3x8x8xf32>, %w0: tensor<16x3x3x3xf32>, %w1: tensor<16x16x3x3xf32>,
                    %m: tensor<16xf32>, %v: tensor<16xf32>, %l: tensor<10x16xf32>) -> tensor<1x10xf32> {
  // CHECK: linalg.transpose ins(%[[X]] : {{.*}}) outs({{.*}}) permutation = [0, 2, 3, 1]
  // CHECK: tensor.pad {{.*}} low[0, 1, 1, 0] high[0, 1, 1, 0]
  // CHECK: linalg.transpose {{.*}} permutation = [2, 3, 1, 0]
  // CHECK: linalg.conv_2d_nhwc_hwcf
  // CHECK-NOT: permutation = [0
  // CHECK: linalg.pooling_nhwc_max
  // CHECK-NOT: permutation = [0
  // CHECK: linalg.conv_2d_nhwc_hwcf
  // CHECK-NOT: permutation = [0
  // CHECK: iterator_types = ["parallel", "reduction", "reduction", "parallel"]
  // CHECK-NOT: permutation = [0
  // CHECK: linalg.matmul
  %0 = tl.conv %x, %w0 stride [1, 1] padding [1, 1] dilation [1, 1] groups 1 output_padding [0, 0]
     : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32> -> tensor<1x16x8x8xf32>
  %1 = tl.batch_norm %0 mean %m variance %v eps 1.0e-5
     : tensor<1x16x8x8xf32>, tensor<16xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  %2 = tl.max_pool %1 kernel [3, 3] stride [2, 2] padding [1, 1] dilation [1, 1]
     : tensor<1x16x8x8xf32> -> tensor<1x16x4x4xf32>
  %3 = tl.conv %2, %w1 stride [1, 1] padding [1, 1] dilation [1, 1] groups 1 output_padding [0, 0]
     : tensor<1x16x4x4xf32>, tensor<16x16x3x3xf32> -> tensor<1x16x4x4xf32>
  %4 = tl.add %2, %3 : tensor<1x16x4x4xf32>, tensor<1x16x4x4xf32> -> tensor<1x16x4x4xf32>
  %5 = tl.adaptive_avg_pool %4 output_size [1, 1] : tensor<1x16x4x4xf32> -> tensor<1x16x1x1xf32>
  %6 = tl.reshape %5 : tensor<1x16x1x1xf32> to tensor<1x16xf32>
  %7 = tl.matmul %6, %l transpose_b : tensor<1x16xf32>, tensor<10x16xf32> -> tensor<1x10xf32>
  return %7 : tensor<1x10xf32>
}

// -----

// Squeeze and excite: the transpositions around 1x1 images are reshapes, the product is NHWC.
// CHECK-LABEL: func @squeeze
func.func @squeeze(%x: tensor<2x4x4x8xf32>, %w: tensor<8x8x1x1xf32>) -> tensor<2x4x4x8xf32> {
  // CHECK-NOT: permutation = [0
  // CHECK: linalg.conv_2d_nhwc_hwcf
  // CHECK: arith.mulf
  // CHECK-NOT: permutation = [0
  // CHECK: return
  %0 = tl.permute %x [0, 3, 1, 2] : tensor<2x4x4x8xf32> -> tensor<2x8x4x4xf32>
  %1 = tl.adaptive_avg_pool %0 output_size [1, 1] : tensor<2x8x4x4xf32> -> tensor<2x8x1x1xf32>
  %2 = tl.conv %1, %w stride [1, 1] padding [0, 0] dilation [1, 1] groups 1 output_padding [0, 0]
     : tensor<2x8x1x1xf32>, tensor<8x8x1x1xf32> -> tensor<2x8x1x1xf32>
  %3 = tl.sigmoid %2 : tensor<2x8x1x1xf32>
  %4 = tl.mul %0, %3 : tensor<2x8x4x4xf32>, tensor<2x8x1x1xf32> -> tensor<2x8x4x4xf32>
  %5 = tl.permute %4 [0, 2, 3, 1] : tensor<2x8x4x4xf32> -> tensor<2x4x4x8xf32>
  return %5 : tensor<2x4x4x8xf32>
}

// -----

// CHECK-LABEL: func @concat_and_slice
// CHECK-SAME: %[[X:.*]]: tensor<2x4x4x8xf32>
func.func @concat_and_slice(%x: tensor<2x4x4x8xf32>) -> tensor<2x4x4x12xf32> {
  // CHECK-NOT: linalg.transpose
  // CHECK: tensor.extract_slice %[[X]][0, 0, 0, 4] [2, 4, 4, 4] [1, 1, 1, 1]
  // CHECK: tensor.insert_slice %[[X]] into %{{.*}}[0, 0, 0, 0] [2, 4, 4, 8]
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 8] [2, 4, 4, 4]
  // CHECK-NOT: linalg.transpose
  // CHECK: return
  %0 = tl.permute %x [0, 3, 1, 2] : tensor<2x4x4x8xf32> -> tensor<2x8x4x4xf32>
  %1 = tensor.extract_slice %0[0, 4, 0, 0] [2, 4, 4, 4] [1, 1, 1, 1]
     : tensor<2x8x4x4xf32> to tensor<2x4x4x4xf32>
  %2 = tl.concat %0, %1 dim 1 : tensor<2x8x4x4xf32>, tensor<2x4x4x4xf32> -> tensor<2x12x4x4xf32>
  %3 = tl.permute %2 [0, 2, 3, 1] : tensor<2x12x4x4xf32> -> tensor<2x4x4x12xf32>
  return %3 : tensor<2x4x4x12xf32>
}

// -----

// One of two inputs is not transposed: nothing is gained, nothing moves.
// CHECK-LABEL: func @mixed
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>
func.func @mixed(%x: tensor<4x8xf32>, %y: tensor<8x4xf32>) -> tensor<8x4xf32> {
  // CHECK: %[[T:.*]] = linalg.transpose ins(%[[X]]
  // CHECK: linalg.generic {{.*}} ins(%[[T]], %{{.*}} : tensor<8x4xf32>, tensor<8x4xf32>)
  %0 = tl.permute %x [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  %1 = tl.add %0, %y : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
  return %1 : tensor<8x4xf32>
}

// -----

// The body's index follows its loop.
// CHECK-LABEL: func @index
func.func @index(%x: tensor<4x8xf32>) -> tensor<8x4xindex> {
  // CHECK: linalg.generic
  // CHECK: linalg.index 1
  // CHECK: linalg.transpose
  %0 = tl.permute %x [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  %1 = tensor.empty() : tensor<8x4xindex>
  %2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x4xf32>) outs(%1 : tensor<8x4xindex>) {
  ^bb0(%a: f32, %b: index):
    %i = linalg.index 0 : index
    linalg.yield %i : index
  } -> tensor<8x4xindex>
  return %2 : tensor<8x4xindex>
}
