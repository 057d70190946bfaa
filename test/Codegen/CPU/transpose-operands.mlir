// RUN: tl-opt %s --tl-cpu-transpose-operands | FileCheck %s

// Queries times keys: the keys are transposed.
// CHECK: #[[$KEYS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>
// CHECK-LABEL: func.func @scores
// CHECK-SAME: %[[Q:[^:]*]]: tensor<2x?x64xf32>, %[[K:[^:]*]]: tensor<2x?x64xf32>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[K]] : tensor<2x?x64xf32>) outs({{.*}} : tensor<2x64x?xf32>) permutation = [0, 2, 1]
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[$KEYS]], #{{.*}}]{{.*}} ins(%[[Q]], %[[T]]
func.func @scores(%q: tensor<2x?x64xf32>, %k: tensor<2x?x64xf32>, %c: tensor<2x?x?xf32>) -> tensor<2x?x?xf32> {
  %0 = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>]
      ins(%q, %k : tensor<2x?x64xf32>, tensor<2x?x64xf32>) outs(%c : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  return %0 : tensor<2x?x?xf32>
}

// A reduction of rows is no contraction.
// CHECK-LABEL: func.func @rows
// CHECK-NOT: linalg.transpose
func.func @rows(%x: tensor<4x8xf32>, %c: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%c : tensor<4xf32>) dimensions = [1]
  return %0 : tensor<4xf32>
}
