// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=launches report=true" -o /dev/null 2>&1 | FileCheck %s

// What is left to other strategies, and why.

// CHECK: by strategy 'elementwise'{{.*}}transpose: expected an operand with at least 8 neighbours in memory, but got 3
func.func @rows(%x: tensor<500x3xf32>) -> tensor<3x500xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<3x500xf32>
  %r = linalg.transpose ins(%x : tensor<500x3xf32>) outs(%empty : tensor<3x500xf32>) permutation = [1, 0]
  return %r : tensor<3x500xf32>
}

// -----

// CHECK: by strategy 'elementwise'{{.*}}transpose: expected a result with at least 32 neighbours in memory, but got 16
func.func @columns(%x: tensor<16x500xf32>) -> tensor<500x16xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<500x16xf32>
  %r = linalg.transpose ins(%x : tensor<16x500xf32>) outs(%empty : tensor<500x16xf32>) permutation = [1, 0]
  return %r : tensor<500x16xf32>
}

// -----

// Rows that are moved as a whole.
// CHECK: by strategy 'elementwise'{{.*}}transpose: expected an operand whose neighbours are along another dimension than the result's
func.func @heads(%x: tensor<2x48x12x64xf32>) -> tensor<2x12x48x64xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<2x12x48x64xf32>
  %r = linalg.transpose ins(%x : tensor<2x48x12x64xf32>) outs(%empty : tensor<2x12x48x64xf32>) permutation = [0, 2, 1, 3]
  return %r : tensor<2x12x48x64xf32>
}

// -----

// An operand that all columns share is no operand to turn.
// CHECK: by strategy 'elementwise'{{.*}}transpose: expected an operand whose neighbours are along another dimension than the result's
func.func @broadcast(%x: tensor<64xf32>) -> tensor<64x64xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<64x64xf32>
  %r = linalg.broadcast ins(%x : tensor<64xf32>) outs(%empty : tensor<64x64xf32>) dimensions = [1]
  return %r : tensor<64x64xf32>
}

// -----

// CHECK: by strategy 'rows'{{.*}}transpose: expected parallel loops only
func.func @sums(%x: tensor<64x64xf32>) -> tensor<64xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<64xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<64xf32>) -> tensor<64xf32>
  %r = linalg.reduce { arith.addf } ins(%x : tensor<64x64xf32>) outs(%init : tensor<64xf32>) dimensions = [1]
  return %r : tensor<64xf32>
}
