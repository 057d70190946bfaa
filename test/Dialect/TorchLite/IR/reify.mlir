// RUN: tl-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize --cse | FileCheck %s

// Sizes of results follow from the operands alone: no operation is left.

// CHECK-LABEL: func @conv
// CHECK-SAME: %[[X:.*]]: tensor<1x3x?xf32>
func.func @conv(%x: tensor<1x3x?xf32>, %w: tensor<8x3x3xf32>) -> index {
  // (size + 2 * 1 + 2 - 3) / 2
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[TWO:.*]] = arith.constant 2 : index
  // CHECK: %[[SIZE:.*]] = tensor.dim %[[X]], %[[TWO]]
  // CHECK: %[[ROOM:.*]] = arith.addi %[[SIZE]], %[[ONE]]
  // CHECK: %[[CLAMPED:.*]] = arith.maxsi %[[ROOM]], %[[ZERO]]
  // CHECK: %[[R:.*]] = arith.divsi %[[CLAMPED]], %[[TWO]]
  // CHECK: return %[[R]]
  %c2 = arith.constant 2 : index
  %0 = tl.conv %x, %w stride [2] padding [1] dilation [1] groups 1 output_padding [0]
     : tensor<1x3x?xf32>, tensor<8x3x3xf32> -> tensor<1x8x?xf32>
  %1 = tensor.dim %0, %c2 : tensor<1x8x?xf32>
  return %1 : index
}

// CHECK-LABEL: func @others
// CHECK-SAME: %[[X:.*]]: tensor<?x?xf32>, %[[I:.*]]: tensor<?xi64>
// CHECK-NOT: tl.
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[ROWS:.*]] = tensor.dim %[[X]], %[[ZERO]]
// CHECK-DAG: %[[COLUMNS:.*]] = tensor.dim %[[X]], %[[ONE]]
// CHECK-DAG: %[[COUNT:.*]] = tensor.dim %[[I]], %[[ZERO]]
// CHECK: return %[[COLUMNS]], %[[ROWS]], %[[COUNT]], %[[COLUMNS]]
func.func @others(%x: tensor<?x?xf32>, %i: tensor<?xi64>) -> (index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = tl.matmul %x, %x transpose_a : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %1 = tl.softmax %x dim 1 : tensor<?x?xf32> -> tensor<?x?xf32>
  %2 = tl.take %x, %i dim 0 : tensor<?x?xf32>, tensor<?xi64> -> tensor<?x?xf32>
  %3, %4 = tl.sort %x dim 0 : tensor<?x?xf32> -> tensor<?x?xf32>, tensor<?x?xi64>
  %5 = tensor.dim %0, %c0 : tensor<?x?xf32>
  %6 = tensor.dim %1, %c0 : tensor<?x?xf32>
  %7 = tensor.dim %2, %c0 : tensor<?x?xf32>
  %8 = tensor.dim %4, %c1 : tensor<?x?xi64>
  return %5, %6, %7, %8 : index, index, index, index
}
