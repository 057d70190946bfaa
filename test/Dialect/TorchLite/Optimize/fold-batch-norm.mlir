// RUN: tl-opt %s --tl-fold-batch-norm --canonicalize --split-input-file | FileCheck %s

// scale = weight / sqrt(variance + eps) = 2, 1; shift = bias - mean * scale = -2, 3.
// CHECK-LABEL: func @conv
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[\[}}2.000000e+00, 4.000000e+00]], {{\[\[}}3.000000e+00, 4.000000e+00]]]> : tensor<2x1x2xf32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[1.800000e+01, 2.300000e+01]> : tensor<2xf32>
// CHECK: %[[R:.*]] = tl.conv %{{.*}}, %[[W]] bias %[[B]] stride [1]
// CHECK: return %[[R]]
func.func @conv(%x: tensor<1x1x4xf32>) -> tensor<1x2x3xf32> {
  %w = arith.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32>
  %b = arith.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %mean = arith.constant dense<[1.0, 0.0]> : tensor<2xf32>
  %variance = arith.constant dense<[0.0, 3.0]> : tensor<2xf32>
  %nw = arith.constant dense<[2.0, 2.0]> : tensor<2xf32>
  %nb = arith.constant dense<[0.0, 3.0]> : tensor<2xf32>
  %0 = tl.conv %x, %w bias %b stride [1] padding [0] dilation [1] groups 1 output_padding [0]
     : tensor<1x1x4xf32>, tensor<2x1x2xf32>, tensor<2xf32> -> tensor<1x2x3xf32>
  %1 = tl.batch_norm %0 mean %mean variance %variance weight %nw bias %nb eps 1.0
     : tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32> weight tensor<2xf32> bias tensor<2xf32>
    -> tensor<1x2x3xf32>
  return %1 : tensor<1x2x3xf32>
}

// -----

// Transposed with two groups: the kernel is [C, F / 2], each row belongs to features of its group.
// CHECK-LABEL: func @transposed
// CHECK-DAG: arith.constant dense<{{\[\[\[}}1.000000e+00], [2.000000e+00]], {{\[\[}}3.000000e+00], [4.000000e+00]]]> : tensor<2x2x1xf32>
// CHECK-DAG: arith.constant dense<0.000000e+00> : tensor<4xf32>
func.func @transposed(%x: tensor<1x2x4xf32>) -> tensor<1x4x4xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2x1xf32>
  %mean = arith.constant dense<0.0> : tensor<4xf32>
  %variance = arith.constant dense<1.0> : tensor<4xf32>
  %nw = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 2 transposed output_padding [0]
     : tensor<1x2x4xf32>, tensor<2x2x1xf32> -> tensor<1x4x4xf32>
  %1 = tl.batch_norm %0 mean %mean variance %variance weight %nw eps 0.0
     : tensor<1x4x4xf32>, tensor<4xf32>, tensor<4xf32> weight tensor<4xf32> -> tensor<1x4x4xf32>
  return %1 : tensor<1x4x4xf32>
}

// -----

// The convolution has another reader.
// CHECK-LABEL: func @shared
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<5.000000e-01> : tensor<1x1xf32>
// CHECK-DAG: %[[SHIFT:.*]] = arith.constant dense<-5.000000e-01> : tensor<1x1xf32>
// CHECK: %[[CONV:.*]] = tl.conv
// CHECK: %[[P:.*]] = tl.mul %[[CONV]], %[[SCALE]]
// CHECK: %[[S:.*]] = tl.add %[[P]], %[[SHIFT]]
// CHECK: return %[[CONV]], %[[S]]
func.func @shared(%x: tensor<1x1x4xf32>) -> (tensor<1x1x4xf32>, tensor<1x1x4xf32>) {
  %w = arith.constant dense<1.0> : tensor<1x1x1xf32>
  %mean = arith.constant dense<1.0> : tensor<1xf32>
  %variance = arith.constant dense<4.0> : tensor<1xf32>
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 1 output_padding [0]
     : tensor<1x1x4xf32>, tensor<1x1x1xf32> -> tensor<1x1x4xf32>
  %1 = tl.batch_norm %0 mean %mean variance %variance eps 0.0
     : tensor<1x1x4xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<1x1x4xf32>
  return %0, %1 : tensor<1x1x4xf32>, tensor<1x1x4xf32>
}

// -----

// Not constants, and half precision: nothing is folded.
// CHECK-LABEL: func @not_folded
// CHECK-COUNT-2: tl.batch_norm
func.func @not_folded(%x: tensor<1x1x4xf32>, %m: tensor<1xf32>, %y: tensor<1x1x4xf16>)
    -> (tensor<1x1x4xf32>, tensor<1x1x4xf16>) {
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %half = arith.constant dense<1.0> : tensor<1xf16>
  %0 = tl.batch_norm %x mean %m variance %one eps 0.0
     : tensor<1x1x4xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<1x1x4xf32>
  %1 = tl.batch_norm %y mean %half variance %half eps 0.0
     : tensor<1x1x4xf16>, tensor<1xf16>, tensor<1xf16> -> tensor<1x1x4xf16>
  return %0, %1 : tensor<1x1x4xf32>, tensor<1x1x4xf16>
}

// -----

// Resources: read as bytes; two functions share what is made of them.
// CHECK-LABEL: func @first
// CHECK: dense_resource<normalized_weight> : tensor<1x1x20xf32>
// CHECK-LABEL: func @second
// CHECK: dense_resource<normalized_weight> : tensor<1x1x20xf32>
// CHECK-NOT: normalized_weight_1
// CHECK: normalized_weight: "0x40000000000000400000004000
func.func @first(%x: tensor<1x1x40xf32>) -> tensor<1x1x21xf32> {
  %w = arith.constant dense_resource<w> : tensor<1x1x20xf32>
  %c = arith.constant dense<0.25> : tensor<1xf32>
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 1 output_padding [0]
     : tensor<1x1x40xf32>, tensor<1x1x20xf32> -> tensor<1x1x21xf32>
  %1 = tl.batch_norm %0 mean %c variance %c eps 0.0
     : tensor<1x1x21xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<1x1x21xf32>
  return %1 : tensor<1x1x21xf32>
}
func.func @second(%x: tensor<1x1x30xf32>) -> tensor<1x1x11xf32> {
  %w = arith.constant dense_resource<w> : tensor<1x1x20xf32>
  %c = arith.constant dense<0.25> : tensor<1xf32>
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 1 output_padding [0]
     : tensor<1x1x30xf32>, tensor<1x1x20xf32> -> tensor<1x1x11xf32>
  %1 = tl.batch_norm %0 mean %c variance %c eps 0.0
     : tensor<1x1x11xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<1x1x11xf32>
  return %1 : tensor<1x1x11xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w: "0x040000000000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f"
    }
  }
#-}
