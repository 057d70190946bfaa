// RUN: tl-opt %s --convert-tl-to-linalg --tl-expand-rows --one-shot-bufferize=bufferize-function-boundaries \
// RUN:   --convert-linalg-to-loops --expand-strided-metadata --lower-affine --convert-scf-to-cf \
// RUN:   --convert-math-to-llvm --convert-math-to-libm --convert-cf-to-llvm --convert-arith-to-llvm \
// RUN:   --finalize-memref-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts \
// RUN: | mlir-runner -e main --entry-point-result=void \
// RUN:   --shared-libs=%mlir_lib/libmlir_runner_utils.so,%mlir_lib/libmlir_c_runner_utils.so \
// RUN: | FileCheck %s

// Shapes and reductions. Expected values are PyTorch's.

func.func private @printMemrefF32(tensor<*xf32>)
func.func private @printMemrefI64(tensor<*xi64>)

// The edge is not repeated.
// CHECK: [2, 1, {{-?0}}, 1, 2, 1]
// CHECK: [5, 4, 3, 4, 5, 4]
func.func @pad_reflect() {
  %a0 = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %r = tl.pad %a0 reflect low[0, 2] high[0, 1] : tensor<2x3xf32> -> tensor<2x6xf32>
  %u = tensor.cast %r : tensor<2x6xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Around once.
// CHECK: [{{-?0}}, 1, 2, {{-?0}}, 1, 2, {{-?0}}, 1]
// CHECK: [3, 4, 5, 3, 4, 5, 3, 4]
func.func @pad_circular() {
  %a0 = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %r = tl.pad %a0 circular low[0, 3] high[0, 2] : tensor<2x3xf32> -> tensor<2x8xf32>
  %u = tensor.cast %r : tensor<2x8xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Both dimensions.
// CHECK: [5, 4, 3]
// CHECK: [2, 1, {{-?0}}]
func.func @flip() {
  %a0 = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %r = tl.flip %a0 [0, 1] : tensor<2x3xf32>
  %u = tensor.cast %r : tensor<2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Transposed.
// CHECK: [{{-?0}}, 3]
// CHECK: [1, 4]
// CHECK: [2, 5]
func.func @permute() {
  %a0 = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %r = tl.permute %a0 [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %u = tensor.cast %r : tensor<3x2xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Of different sizes.
// CHECK: [{{-?0}}, 1, 2, {{-?0}}]
// CHECK: [3, 4, 5, 3]
func.func @concat() {
  %a0 = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %a1 = arith.constant dense<[[0.0], [3.0]]> : tensor<2x1xf32>
  %r = tl.concat %a0, %a1 dim 1 : tensor<2x3xf32>, tensor<2x1xf32> -> tensor<2x4xf32>
  %u = tensor.cast %r : tensor<2x4xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Through one dimension.
// CHECK: [{{-?0}}, 1]
// CHECK: [2, 3]
// CHECK: [4, 5]
func.func @reshape() {
  %a0 = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %r = tl.reshape %a0 : tensor<2x3xf32> to tensor<3x2xf32>
  %u = tensor.cast %r : tensor<3x2xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// The first NaN, else the first of equal elements.
// CHECK: [1, 0, 1]
func.func @argmax() {
  %a0 = arith.constant dense<[[1.0, 0x7FC00000, 3.0, 0x7FC00000], [0xFF800000, 0xFF800000, 0xFF800000, 0xFF800000], [2.0, 5.0, 5.0, 1.0]]> : tensor<3x4xf32>
  %r = tl.arg_reduce max %a0 dim 1 : tensor<3x4xf32> -> tensor<3xi64>
  %u = tensor.cast %r : tensor<3xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// NaN wins.
// CHECK: [{{-?nan}}, -inf, 5]
func.func @max() {
  %a0 = arith.constant dense<[[1.0, 0x7FC00000, 3.0, 0x7FC00000], [0xFF800000, 0xFF800000, 0xFF800000, 0xFF800000], [2.0, 5.0, 5.0, 1.0]]> : tensor<3x4xf32>
  %r = tl.reduce max %a0 [1] : tensor<3x4xf32> -> tensor<3xf32>
  %u = tensor.cast %r : tensor<3xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// NaN stays.
// CHECK: [1, {{-?nan}}, {{-?nan}}, {{-?nan}}]
// CHECK: [-inf, -inf, -inf, -inf]
// CHECK: [2, 5, 5, 5]
func.func @cummax() {
  %a0 = arith.constant dense<[[1.0, 0x7FC00000, 3.0, 0x7FC00000], [0xFF800000, 0xFF800000, 0xFF800000, 0xFF800000], [2.0, 5.0, 5.0, 1.0]]> : tensor<3x4xf32>
  %r = tl.cumulative max %a0 dim 1 : tensor<3x4xf32>
  %u = tensor.cast %r : tensor<3x4xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Zero.
// CHECK: [{{-?0}}, {{-?0}}]
func.func @sum_of_none() {
  %a0 = arith.constant dense<> : tensor<2x0xf32>
  %r = tl.reduce sum %a0 [1] : tensor<2x0xf32> -> tensor<2xf32>
  %u = tensor.cast %r : tensor<2xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Accumulated in f32: in f16 the quarters would vanish.
// CHECK: [1024]
func.func @sum_half() {
  %a0 = arith.constant dense<0.25> : tensor<4096xf16>
  %r = tl.reduce sum %a0 [0] : tensor<4096xf16> -> tensor<f16>
  %p = tl.cast %r : tensor<f16> to tensor<f32>
  %u = tensor.cast %p : tensor<f32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

func.func @main() {
  call @pad_reflect() : () -> ()
  call @pad_circular() : () -> ()
  call @flip() : () -> ()
  call @permute() : () -> ()
  call @concat() : () -> ()
  call @reshape() : () -> ()
  call @argmax() : () -> ()
  call @max() : () -> ()
  call @cummax() : () -> ()
  call @sum_of_none() : () -> ()
  call @sum_half() : () -> ()
  return
}
