// RUN: tl-opt %s --convert-tl-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Static dimensions stay apart where their products agree.
// CHECK-LABEL: func.func @reshape_static
func.func @reshape_static(%x: tensor<2x3x8x1xf32>) -> tensor<6x2x4xf32> {
  // CHECK: %[[C:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2, 3]] : tensor<2x3x8x1xf32> into tensor<6x8xf32>
  // CHECK: tensor.expand_shape %[[C]] {{\[}}[0], [1, 2]] output_shape [6, 2, 4]
  %0 = tl.reshape %x : tensor<2x3x8x1xf32> to tensor<6x2x4xf32>
  return %0 : tensor<6x2x4xf32>
}

// One dimension is left in the middle, so that it must be the same.
// CHECK-LABEL: func.func @reshape_one_dynamic
// CHECK-SAME: %[[X:.*]]: tensor<4x?x6xf32>, %[[N:.*]]: index
func.func @reshape_one_dynamic(%x: tensor<4x?x6xf32>, %n: index) -> tensor<4x?x2x3xf32> {
  // CHECK: tensor.expand_shape %[[X]] {{\[}}[0], [1], [2, 3]] output_shape [4, %[[N]], 2, 3]
  %0 = tl.reshape %x [%n] : tensor<4x?x6xf32> to tensor<4x?x2x3xf32>
  return %0 : tensor<4x?x2x3xf32>
}

// Sizes that are the operand's own keep dynamic dimensions apart.
// CHECK-LABEL: func.func @reshape_own_sizes
func.func @reshape_own_sizes(%x: tensor<?x?x6xf32>) -> tensor<?x?x2x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d0 = tensor.dim %x, %c0 : tensor<?x?x6xf32>
  %d1 = tensor.dim %x, %c1 : tensor<?x?x6xf32>
  %i0 = arith.index_cast %d0 : index to i64
  %s0 = arith.index_cast %i0 : i64 to index
  // CHECK: tensor.expand_shape %{{.*}} {{\[}}[0], [1], [2, 3]]
  %0 = tl.reshape %x [%s0, %d1] : tensor<?x?x6xf32> to tensor<?x?x2x3xf32>
  return %0 : tensor<?x?x2x3xf32>
}

// CHECK-LABEL: func.func @reshape_unknown
// CHECK-SAME: %[[X:.*]]: tensor<?x?xf32>, %[[N:.*]]: index, %[[M:.*]]: index
func.func @reshape_unknown(%x: tensor<?x?xf32>, %n: index, %m: index) -> tensor<?x?xf32> {
  // CHECK: %[[SHAPE:.*]] = tensor.from_elements %[[N]], %[[M]]
  // CHECK: tensor.reshape %[[X]](%[[SHAPE]])
  %0 = tl.reshape %x [%n, %m] : tensor<?x?xf32> to tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @reshape_scalar
func.func @reshape_scalar(%x: tensor<?xf32>) -> tensor<f32> {
  // CHECK: tensor.cast %{{.*}} : tensor<?xf32> to tensor<1xf32>
  // CHECK: tensor.collapse_shape %{{.*}} [] : tensor<1xf32> into tensor<f32>
  %0 = tl.reshape %x : tensor<?xf32> to tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @reshape_empty
func.func @reshape_empty(%x: tensor<0x4xf32>) -> tensor<2x0xf32> {
  // CHECK: tensor.empty() : tensor<2x0xf32>
  %0 = tl.reshape %x : tensor<0x4xf32> to tensor<2x0xf32>
  return %0 : tensor<2x0xf32>
}

// -----

// CHECK-DAG: #[[$PERMUTED:.*]] = affine_map<(d0, d1, d2) -> (d1, d2, d0)>
// CHECK-DAG: #[[$ID:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-LABEL: func.func @permute
func.func @permute(%x: tensor<2x?x4xf32>) -> tensor<4x2x?xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[$PERMUTED]], #[[$ID]]], iterator_types = ["parallel", "parallel", "parallel"]}
  %0 = tl.permute %x [2, 0, 1] : tensor<2x?x4xf32> -> tensor<4x2x?xf32>
  return %0 : tensor<4x2x?xf32>
}

// Dimensions of size 1 move for nothing.
// CHECK-LABEL: func.func @permute_unit
// CHECK-NOT: linalg.generic
func.func @permute_unit(%x: tensor<1x?x4xf32>) -> tensor<?x1x4xf32> {
  %0 = tl.permute %x [1, 0, 2] : tensor<1x?x4xf32> -> tensor<?x1x4xf32>
  return %0 : tensor<?x1x4xf32>
}

// -----

// CHECK: #[[$LAST:.*]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: func.func @broadcast_to
func.func @broadcast_to(%x: tensor<1x3xf32>, %n: index) -> tensor<?x3xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[$LAST]],
  %0 = tl.broadcast_to %x [%n] : tensor<1x3xf32> to tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @concat
// CHECK-SAME: %[[X:.*]]: tensor<2x?xf32>, %[[Y:.*]]: tensor<2x3xf32>
func.func @concat(%x: tensor<2x?xf32>, %y: tensor<2x3xf32>) -> tensor<2x?xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %[[X]]
  // CHECK: %[[END:.*]] = affine.apply #{{.*}}()[%[[N]]]
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%[[END]]) : tensor<2x?xf32>
  // CHECK: %[[FIRST:.*]] = tensor.insert_slice %[[X]] into %[[EMPTY]][0, 0] [2, %[[N]]] [1, 1]
  // CHECK: tensor.insert_slice %[[Y]] into %[[FIRST]][0, %[[N]]] [2, 3] [1, 1]
  %0 = tl.concat %x, %y dim 1 : tensor<2x?xf32>, tensor<2x3xf32> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// Many are joined in groups first, each in a buffer of its own.
// CHECK-LABEL: func.func @concat_many
// CHECK-COUNT-1: bufferization.alloc_tensor(
// CHECK-COUNT-16: tensor.insert_slice
// CHECK-COUNT-1: bufferization.alloc_tensor(
// CHECK-COUNT-14: tensor.insert_slice
// CHECK: %[[WHOLE:.*]] = tensor.empty(
// CHECK: %[[HALF:.*]] = tensor.insert_slice %{{.*}} into %[[WHOLE]]
// CHECK: tensor.insert_slice %{{.*}} into %[[HALF]]
func.func @concat_many(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  %0 = tl.concat %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x dim 1 : tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?xf32> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// CHECK-LABEL: func.func @pad_constant
// CHECK-SAME: %[[X:.*]]: tensor<4x5xf32>, %[[V:.*]]: f32
func.func @pad_constant(%x: tensor<4x5xf32>, %v: f32) -> tensor<3x8xf32> {
  // CHECK: %[[S:.*]] = tensor.extract_slice %[[X]][1, 0] [3, 5] [1, 1]
  // CHECK: tensor.pad %[[S]] low[0, 1] high[0, 2]
  // CHECK: tensor.yield %[[V]]
  %0 = tl.pad %x constant(%v) low[-1, 1] high[0, 2] : tensor<4x5xf32>, f32 -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// CHECK-LABEL: func.func @pad_replicate
// CHECK-SAME: %[[X:.*]]: tensor<4x5xf32>
func.func @pad_replicate(%x: tensor<4x5xf32>) -> tensor<4x8xf32> {
  // CHECK: linalg.generic
  // CHECK-DAG: %[[I:.*]] = linalg.index 0
  // CHECK-DAG: %[[J:.*]] = linalg.index 1
  // CHECK: %[[FROM:.*]] = arith.subi %[[J]], %c1
  // CHECK: %[[MAX:.*]] = arith.maxsi %[[FROM]], %c0
  // CHECK: %[[MIN:.*]] = arith.minsi %[[MAX]], %c4
  // CHECK: tensor.extract %[[X]][%[[I]], %[[MIN]]]
  %0 = tl.pad %x replicate low[0, 1] high[0, 2] : tensor<4x5xf32> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @flip
// CHECK-SAME: %[[X:.*]]: tensor<4x5xf32>
func.func @flip(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  // CHECK-DAG: %[[I:.*]] = linalg.index 0
  // CHECK-DAG: %[[J:.*]] = linalg.index 1
  // CHECK: %[[FROM:.*]] = arith.subi %c4, %[[J]]
  // CHECK: tensor.extract %[[X]][%[[I]], %[[FROM]]]
  %0 = tl.flip %x [1] : tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// CHECK-LABEL: func.func @iota
func.func @iota(%n: index) -> tensor<?xf32> {
  // CHECK: %[[I:.*]] = linalg.index 0
  // CHECK: %[[L:.*]] = arith.index_cast %[[I]] : index to i64
  // CHECK: arith.sitofp %[[L]] : i64 to f32
  %0 = tl.iota dim 0 [%n] : tensor<?xf32>
  return %0 : tensor<?xf32>
}
