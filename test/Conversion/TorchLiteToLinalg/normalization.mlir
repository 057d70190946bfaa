// RUN: tl-opt %s --convert-tl-to-linalg --split-input-file | FileCheck %s

// CHECK-DAG: #[[$ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[$ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: func @softmax
// CHECK-SAME: %[[X:.*]]: tensor<4x?xf16>
func.func @softmax(%x: tensor<4x?xf16>) -> tensor<4x?xf16> {
  // CHECK: %[[MAX:.*]] = linalg.generic {indexing_maps = [#[[$ALL]], #[[$ROW]]], iterator_types = ["parallel", "reduction"]} ins(%[[X]] : tensor<4x?xf16>) outs({{.*}} : tensor<4xf32>)
  // CHECK: arith.maximumf
  // CHECK: %[[SHIFTED:.*]] = linalg.generic {{.*}}, #[[$ROW]], {{.*}} ins(%[[X]], %[[MAX]]
  // CHECK: arith.subf
  // CHECK: %[[EXP:.*]] = linalg.generic {{.*}} ins(%[[SHIFTED]]
  // CHECK: math.exp
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]} ins(%[[EXP]]
  // CHECK: arith.addf
  // CHECK: linalg.generic {{.*}} ins(%[[EXP]], %[[SUM]]
  // CHECK: arith.divf
  // CHECK: arith.truncf
  %0 = tl.softmax %x dim 1 : tensor<4x?xf16> -> tensor<4x?xf16>
  return %0 : tensor<4x?xf16>
}

// -----

// CHECK-LABEL: func @log_softmax
func.func @log_softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: math.exp
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ["reduction", "parallel"]
  // CHECK: linalg.generic {{.*}} ins(%[[SUM]] : tensor<8xf32>)
  // CHECK: math.log
  %0 = tl.log_softmax %x dim 0 : tensor<4x8xf32> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

// CHECK-DAG: #[[$PARAMETER:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func @layer_norm
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>, %[[W:.*]]: tensor<8xf32>
func.func @layer_norm(%x: tensor<4x8xf32>, %w: tensor<8xf32>) -> tensor<4x8xf32> {
  // CHECK-DAG: %[[COUNT:.*]] = arith.constant 8.000000e+00 : f32
  // CHECK-DAG: %[[EPS:.*]] = arith.constant 9.99999974E-6 : f32
  // The mean, what is left over of the distances from it, then the squares.
  // CHECK: arith.divf %{{.*}}, %[[COUNT]]
  // CHECK: %[[R:.*]] = arith.subf
  // CHECK: arith.addf %{{.*}}, %[[R]]
  // CHECK: arith.divf %{{.*}}, %[[COUNT]]
  // CHECK: %[[D:.*]] = arith.subf
  // CHECK: arith.mulf %[[D]], %[[D]]
  // CHECK: arith.addf %{{.*}}, %[[EPS]]
  // CHECK: math.sqrt
  // CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[$PARAMETER]], {{.*}} ins(%[[X]], %{{.*}}, %{{.*}}, %[[W]]
  %0 = tl.layer_norm %x weight %w num_dims 1 eps 1.0e-5
     : tensor<4x8xf32> weight tensor<8xf32> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

// CHECK-DAG: #[[$CHANNEL:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: func @batch_norm
func.func @batch_norm(%x: tensor<2x8x?xf32>, %m: tensor<8xf32>, %v: tensor<8xf32>) -> tensor<2x8x?xf32> {
  // CHECK: %[[ALPHA:.*]] = linalg.generic {{.*}} ["parallel"]
  // CHECK: math.sqrt
  // CHECK: %[[BETA:.*]] = linalg.generic {{.*}} ["parallel"]
  // CHECK: arith.negf
  // CHECK: linalg.generic {{.*}}#[[$CHANNEL]], #[[$CHANNEL]], {{.*}} ins(%{{.*}}, %[[ALPHA]], %[[BETA]]
  // CHECK: arith.mulf
  // CHECK: arith.addf
  %0 = tl.batch_norm %x mean %m variance %v eps 1.0e-3
     : tensor<2x8x?xf32>, tensor<8xf32>, tensor<8xf32> -> tensor<2x8x?xf32>
  return %0 : tensor<2x8x?xf32>
}

// -----

// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  // CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2], [3]]
  // CHECK: linalg.batch_matmul indexing_maps
  // CHECK: arith.cmpi ule
  // CHECK: arith.maximumf
  // CHECK: math.exp
  // CHECK: linalg.batch_matmul ins
  // CHECK: tensor.expand_shape
  %0 = tl.attention %q, %q, %q is_causal
     : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %0 : tensor<1x8x?x64xf32>
}
