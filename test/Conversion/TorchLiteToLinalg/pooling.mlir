// RUN: tl-opt %s --convert-tl-to-linalg --split-input-file | FileCheck %s

// CHECK-LABEL: func @max_pool
func.func @max_pool(%x: tensor<1x8x9x9xf32>) -> tensor<1x8x5x5xf32> {
  // CHECK-DAG: %[[LOWEST:.*]] = arith.constant 0xFF800000 : f32
  // CHECK-DAG: %[[NHWC:.*]] = linalg.transpose {{.*}} permutation = [0, 2, 3, 1]
  // CHECK: tensor.pad %[[NHWC]] low[0, 1, 1, 0] high[0, 1, 1, 0]
  // CHECK: tensor.yield %[[LOWEST]]
  // CHECK: linalg.fill ins(%[[LOWEST]]
  // CHECK: linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
  // CHECK: linalg.transpose {{.*}} permutation = [0, 3, 1, 2]
  %0 = tl.max_pool %x kernel [3, 3] stride [2, 2] padding [1, 1] dilation [1, 1]
     : tensor<1x8x9x9xf32> -> tensor<1x8x5x5xf32>
  return %0 : tensor<1x8x5x5xf32>
}

// -----

// The smallest unsigned number is 0.
// CHECK-LABEL: func @max_pool_unsigned
func.func @max_pool_unsigned(%x: tensor<1x8x9xui8>) -> tensor<1x8x4xui8> {
  // CHECK: arith.constant 0 : i8
  // CHECK: linalg.pooling_nwc_max_unsigned
  %0 = tl.max_pool %x kernel [3] stride [2] padding [0] dilation [1]
     : tensor<1x8x9xui8> -> tensor<1x8x4xui8>
  return %0 : tensor<1x8x4xui8>
}

// -----

// The last window ends two elements beyond the input.
// CHECK-LABEL: func @ceil_mode
func.func @ceil_mode(%x: tensor<1x8x7xf32>) -> tensor<1x8x3xf32> {
  // CHECK: tensor.pad %{{.*}} low[0, 0, 0] high[0, 2, 0]
  // CHECK: linalg.pooling_nwc_max
  %0 = tl.max_pool %x kernel [3] stride [3] padding [0] dilation [1] ceil_mode
     : tensor<1x8x7xf32> -> tensor<1x8x3xf32>
  return %0 : tensor<1x8x3xf32>
}

// -----

// CHECK-LABEL: func @max_pool_with_indices
func.func @max_pool_with_indices(%x: tensor<1x8x9xf32>) -> (tensor<1x8x4xf32>, tensor<1x8x4xi64>) {
  // The index of each window's first element, which stands where nothing is greater than -inf.
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel"]
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
  // CHECK: -> (tensor<1x8x4xf32>, tensor<1x8x4xi64>)
  %0, %1 = tl.max_pool_with_indices %x kernel [3] stride [2] padding [0] dilation [1]
     : tensor<1x8x9xf32> -> tensor<1x8x4xf32>, tensor<1x8x4xi64>
  return %0, %1 : tensor<1x8x4xf32>, tensor<1x8x4xi64>
}

// -----

// Only windows at the border count fewer elements.
// CHECK-DAG: #[[$DIVISOR:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: func @avg_pool
func.func @avg_pool(%x: tensor<1x8x9xf32>) -> tensor<1x8x5xf32> {
  // CHECK: %[[SUM:.*]] = linalg.pooling_nwc_sum
  // CHECK: %[[COUNT:.*]] = linalg.generic
  // CHECK-SAME: iterator_types = ["parallel"]
  // CHECK: linalg.index 0
  // CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[$DIVISOR]], {{.*}} ins(%[[SUM]], %[[COUNT]]
  // CHECK: arith.divf
  %0 = tl.avg_pool %x kernel [3] stride [2] padding [1] : tensor<1x8x9xf32> -> tensor<1x8x5xf32>
  return %0 : tensor<1x8x5xf32>
}

// -----

// A size that is not known may be too small.
// CHECK-LABEL: func @dynamic
func.func @dynamic(%x: tensor<1x8x?xf32>) -> tensor<1x8x?xf32> {
  // CHECK: tl.check %{{.*}}, "RuntimeError: the pooling window does not fit into the padded input"
  %0 = tl.avg_pool %x kernel [3] stride [2] padding [0] : tensor<1x8x?xf32> -> tensor<1x8x?xf32>
  return %0 : tensor<1x8x?xf32>
}

// -----

// A reduction whose result needs no transposition.
// CHECK-LABEL: func @global
func.func @global(%x: tensor<1x8x7x7xf32>) -> tensor<1x8x1x1xf32> {
  // CHECK: linalg.transpose {{.*}} permutation = [0, 2, 3, 1]
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "reduction", "reduction", "parallel"]
  // CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2, 3]]
  // CHECK-NOT: linalg.transpose
  %0 = tl.adaptive_avg_pool %x output_size [1, 1] : tensor<1x8x7x7xf32> -> tensor<1x8x1x1xf32>
  return %0 : tensor<1x8x1x1xf32>
}

// -----

// CHECK-LABEL: func @adaptive_even
func.func @adaptive_even(%x: tensor<1x8x8x6xf32>) -> tensor<1x8x4x2xf32> {
  // CHECK: linalg.pooling_nhwc_sum {dilations = dense<1> : tensor<2xi64>, strides = dense<[2, 3]> : tensor<2xi64>}
  %0 = tl.adaptive_avg_pool %x output_size [4, 2] : tensor<1x8x8x6xf32> -> tensor<1x8x4x2xf32>
  return %0 : tensor<1x8x4x2xf32>
}

// -----

// CHECK-LABEL: func @adaptive_identity
// CHECK-SAME: %[[X:.*]]: tensor<1x8x7x7xf32>
func.func @adaptive_identity(%x: tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32> {
  // CHECK-NEXT: return %[[X]]
  %0 = tl.adaptive_avg_pool %x output_size [7, 7] : tensor<1x8x7x7xf32> -> tensor<1x8x7x7xf32>
  return %0 : tensor<1x8x7x7xf32>
}

// -----

// CHECK-LABEL: func @adaptive_uneven
func.func @adaptive_uneven(%x: tensor<1x8x7xf32>) -> tensor<1x8x3xf32> {
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
  // CHECK: tensor.extract
  %0 = tl.adaptive_avg_pool %x output_size [3] : tensor<1x8x7xf32> -> tensor<1x8x3xf32>
  return %0 : tensor<1x8x3xf32>
}

// -----

// CHECK-LABEL: func @resize
func.func @resize(%x: tensor<1x8x4xf32>) -> tensor<1x8x6xf32> {
  // CHECK: %[[LAST:.*]] = linalg.transpose {{.*}} permutation = [0, 2, 1]
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel"]
  // CHECK-COUNT-2: tensor.extract %[[LAST]]
  // CHECK: linalg.transpose {{.*}} permutation = [0, 2, 1]
  %0 = tl.resize linear %x scales [] : tensor<1x8x4xf32> to tensor<1x8x6xf32>
  return %0 : tensor<1x8x6xf32>
}
