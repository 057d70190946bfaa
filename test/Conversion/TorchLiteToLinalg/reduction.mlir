// RUN: tl-opt %s --convert-tl-to-linalg --canonicalize --split-input-file | FileCheck %s

// CHECK-DAG: #[[$ID:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[$KEPT:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: func.func @sum_keepdim
// CHECK-SAME: %[[X:.*]]: tensor<4x?x8xf32>
func.func @sum_keepdim(%x: tensor<4x?x8xf32>) -> tensor<1x?x1xf32> {
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK: %[[N:.*]] = tensor.dim %[[X]]
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%[[N]]) : tensor<?xf32>
  // CHECK: %[[INIT:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[EMPTY]] : tensor<?xf32>)
  // CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[$ID]], #[[$KEPT]]], iterator_types = ["reduction", "parallel", "reduction"]}
  // CHECK-SAME: ins(%[[X]] : tensor<4x?x8xf32>) outs(%[[INIT]] : tensor<?xf32>)
  // CHECK: arith.addf
  // CHECK: tensor.expand_shape %[[SUM]] {{\[}}[0, 1, 2]]
  %0 = tl.reduce sum %x [0, 2] keepdim : tensor<4x?x8xf32> -> tensor<1x?x1xf32>
  return %0 : tensor<1x?x1xf32>
}

// -----

// 16-bit floats are accumulated in f32 and rounded once.
// CHECK-LABEL: func.func @prod_half
func.func @prod_half(%x: tensor<4x8xf16>) -> tensor<4xf16> {
  // CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4x8xf16>) outs(%{{.*}} : tensor<4xf32>)
  // CHECK: arith.extf
  // CHECK: arith.mulf {{.*}} : f32
  // CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4xf32>) outs(%{{.*}} : tensor<4xf16>)
  // CHECK: arith.truncf
  %0 = tl.reduce prod %x [1] : tensor<4x8xf16> -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// CHECK-LABEL: func.func @max_unsigned
func.func @max_unsigned(%x: tensor<4x8xui8>) -> tensor<4xui8> {
  // CHECK: arith.constant 0 : i8
  // CHECK: arith.maxui
  %0 = tl.reduce max %x [1] : tensor<4x8xui8> -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// CHECK-LABEL: func.func @min_float
func.func @min_float(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  // CHECK: arith.constant 0x7F800000 : f32
  // CHECK: arith.minimumf
  %0 = tl.reduce min %x [1] : tensor<4x8xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @argmax
func.func @argmax(%x: tensor<4x8xf32>) -> tensor<4xi64> {
  // CHECK: %[[R:.*]]:2 = linalg.generic {{.*}}["parallel", "reduction"]
  // CHECK: ^bb0(%[[E:.*]]: f32, %[[BEST:.*]]: f32, %[[INDEX:.*]]: i64):
  // CHECK: %[[ABOVE:.*]] = arith.cmpf ogt, %[[E]], %[[BEST]]
  // CHECK: %[[NAN:.*]] = arith.cmpf uno, %[[E]], %[[E]]
  // CHECK: %[[NUMBER:.*]] = arith.cmpf ord, %[[BEST]], %[[BEST]]
  // CHECK: %[[FIRST:.*]] = arith.andi %[[NAN]], %[[NUMBER]]
  // CHECK: arith.ori %[[ABOVE]], %[[FIRST]]
  // CHECK: return %[[R]]#1
  %0 = tl.arg_reduce max %x dim 1 : tensor<4x8xf32> -> tensor<4xi64>
  return %0 : tensor<4xi64>
}

// CHECK-LABEL: func.func @cumsum
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>
func.func @cumsum(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: tlrt.scan addf dim 1 in f64 ins(%[[X]] : tensor<4x8xf32>) outs(%{{.*}} : tensor<4x8xf32>)
  %0 = tl.cumulative sum %x dim 1 : tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
