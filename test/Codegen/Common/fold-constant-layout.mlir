// RUN: tl-opt %s --tl-fold-constant-layout | FileCheck %s

// CHECK-LABEL: func.func @dense
// CHECK: arith.constant dense<{{\[\[}}1, 4], [2, 5], [3, 6]]> : tensor<3x2xi32>
// CHECK-NOT: linalg.transpose
func.func @dense() -> tensor<3x2xi32> {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
  %e = tensor.empty() : tensor<3x2xi32>
  %t = linalg.transpose ins(%w : tensor<2x3xi32>) outs(%e : tensor<3x2xi32>) permutation = [1, 0]
  return %t : tensor<3x2xi32>
}

// CHECK-LABEL: func.func @resource
// CHECK: arith.constant dense_resource<w_transposed_{{[0-9a-f]+}}> : tensor<6xi8>
func.func @resource() -> tensor<6xi8> {
  %w = arith.constant dense_resource<w> : tensor<2x3xi8>
  %e = tensor.empty() : tensor<3x2xi8>
  %t = linalg.transpose ins(%w : tensor<2x3xi8>) outs(%e : tensor<3x2xi8>) permutation = [1, 0]
  %c = tensor.collapse_shape %t [[0, 1]] : tensor<3x2xi8> into tensor<6xi8>
  return %c : tensor<6xi8>
}

// Elements of one bit are not whole bytes.
// CHECK-LABEL: func.func @bits
// CHECK: linalg.transpose
func.func @bits() -> tensor<3x2xi1> {
  %w = arith.constant dense<[[true, false, true], [false, false, true]]> : tensor<2x3xi1>
  %e = tensor.empty() : tensor<3x2xi1>
  %t = linalg.transpose ins(%w : tensor<2x3xi1>) outs(%e : tensor<3x2xi1>) permutation = [1, 0]
  return %t : tensor<3x2xi1>
}

// CHECK: w_transposed_{{[0-9a-f]+}}: "0x40000000010402050306"
{-#
  dialect_resources: {
    builtin: {
      w: "0x01000000010203040506"
    }
  }
#-}
