// RUN: tl-opt %s --convert-tl-to-linalg --one-shot-bufferize=bufferize-function-boundaries \
// RUN:   --convert-linalg-to-loops --expand-strided-metadata --lower-affine --convert-scf-to-cf \
// RUN:   --convert-math-to-llvm --convert-math-to-libm --convert-cf-to-llvm --convert-arith-to-llvm \
// RUN:   --finalize-memref-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts \
// RUN: | mlir-runner -e main --entry-point-result=void \
// RUN:   --shared-libs=%mlir_lib/libmlir_runner_utils.so,%mlir_lib/libmlir_c_runner_utils.so \
// RUN: | FileCheck %s

// Elementwise operations where languages, processors and PyTorch differ. Expected values are PyTorch's.

func.func private @printMemrefF32(tensor<*xf32>)
func.func private @printMemrefI64(tensor<*xi64>)

// Signs of integers.
// CHECK: [3, -4, -4, 3, -2]
func.func @floor_div_signs() {
  %a0 = arith.constant dense<[7, -7, 7, -7, -6]> : tensor<5xi32>
  %a1 = arith.constant dense<[2, 2, -2, -2, 3]> : tensor<5xi32>
  %r = tl.floor_div %a0, %a1 : tensor<5xi32>, tensor<5xi32> -> tensor<5xi32>
  %p = tl.cast %r : tensor<5xi32> to tensor<5xi64>
  %u = tensor.cast %p : tensor<5xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Signs of integers.
// CHECK: [3, -3, -3, 3, -2]
func.func @trunc_div_signs() {
  %a0 = arith.constant dense<[7, -7, 7, -7, -6]> : tensor<5xi32>
  %a1 = arith.constant dense<[2, 2, -2, -2, 3]> : tensor<5xi32>
  %r = tl.trunc_div %a0, %a1 : tensor<5xi32>, tensor<5xi32> -> tensor<5xi32>
  %p = tl.cast %r : tensor<5xi32> to tensor<5xi64>
  %u = tensor.cast %p : tensor<5xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Signs of integers.
// CHECK: [1, 1, -1, -1, 0]
func.func @remainder_signs() {
  %a0 = arith.constant dense<[7, -7, 7, -7, -6]> : tensor<5xi32>
  %a1 = arith.constant dense<[2, 2, -2, -2, 3]> : tensor<5xi32>
  %r = tl.remainder %a0, %a1 : tensor<5xi32>, tensor<5xi32> -> tensor<5xi32>
  %p = tl.cast %r : tensor<5xi32> to tensor<5xi64>
  %u = tensor.cast %p : tensor<5xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Signs of integers.
// CHECK: [1, -1, 1, -1, 0]
func.func @fmod_signs() {
  %a0 = arith.constant dense<[7, -7, 7, -7, -6]> : tensor<5xi32>
  %a1 = arith.constant dense<[2, 2, -2, -2, 3]> : tensor<5xi32>
  %r = tl.fmod %a0, %a1 : tensor<5xi32>, tensor<5xi32> -> tensor<5xi32>
  %p = tl.cast %r : tensor<5xi32> to tensor<5xi64>
  %u = tensor.cast %p : tensor<5xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Wraps around where a processor would trap.
// CHECK: [-128, -127]
func.func @least_by_minus_one() {
  %a0 = arith.constant dense<[-128, 127]> : tensor<2xi8>
  %a1 = arith.constant dense<[-1, -1]> : tensor<2xi8>
  %r = tl.trunc_div %a0, %a1 : tensor<2xi8>, tensor<2xi8> -> tensor<2xi8>
  %p = tl.cast %r : tensor<2xi8> to tensor<2xi64>
  %u = tensor.cast %p : tensor<2xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Without sign.
// CHECK: [28, 127]
func.func @divide_unsigned() {
  %a0 = arith.constant dense<[200, 255]> : tensor<2xui8>
  %a1 = arith.constant dense<[7, 2]> : tensor<2xui8>
  %r = tl.floor_div %a0, %a1 : tensor<2xui8>, tensor<2xui8> -> tensor<2xui8>
  %p = tl.cast %r : tensor<2xui8> to tensor<2xi64>
  %u = tensor.cast %p : tensor<2xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Infinite and zero divisors.
// CHECK: [{{-?0}}, -1, -1, {{-?0}}, {{-?nan}}, inf, -1]
func.func @floor_div_infinite() {
  %a0 = arith.constant dense<[5.0, -5.0, 5.0, -5.0, 0x7F800000, 3.0, -0.5]> : tensor<7xf32>
  %a1 = arith.constant dense<[0x7F800000, 0x7F800000, 0xFF800000, 0xFF800000, 2.0, 0.0, 2.0]> : tensor<7xf32>
  %r = tl.floor_div %a0, %a1 : tensor<7xf32>, tensor<7xf32> -> tensor<7xf32>
  %u = tensor.cast %r : tensor<7xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Infinite and zero divisors.
// CHECK: [5, inf, -inf, -5, {{-?nan}}, {{-?nan}}, 1.5]
func.func @remainder_infinite() {
  %a0 = arith.constant dense<[5.0, -5.0, 5.0, -5.0, 0x7F800000, 3.0, -0.5]> : tensor<7xf32>
  %a1 = arith.constant dense<[0x7F800000, 0x7F800000, 0xFF800000, 0xFF800000, 2.0, 0.0, 2.0]> : tensor<7xf32>
  %r = tl.remainder %a0, %a1 : tensor<7xf32>, tensor<7xf32> -> tensor<7xf32>
  %u = tensor.cast %r : tensor<7xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Negative exponents.
// CHECK: [0, -1, 1, 1, 1, 243]
func.func @pow_integers() {
  %a0 = arith.constant dense<[2, -1, -1, 1, 0, 3]> : tensor<6xi64>
  %a1 = arith.constant dense<[-1, -5, -2, -7, 0, 5]> : tensor<6xi64>
  %r = tl.pow %a0, %a1 : tensor<6xi64>, tensor<6xi64> -> tensor<6xi64>
  %u = tensor.cast %r : tensor<6xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Distances out of range.
// CHECK: [-2147483648, 0, 0, -16]
func.func @shift_left_far() {
  %a0 = arith.constant dense<[1, 1, -8, -8]> : tensor<4xi32>
  %a1 = arith.constant dense<[31, 32, -1, 1]> : tensor<4xi32>
  %r = tl.shift_left %a0, %a1 : tensor<4xi32>, tensor<4xi32> -> tensor<4xi32>
  %p = tl.cast %r : tensor<4xi32> to tensor<4xi64>
  %u = tensor.cast %p : tensor<4xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Distances out of range.
// CHECK: [0, 0, -1, -4]
func.func @shift_right_far() {
  %a0 = arith.constant dense<[1, 1, -8, -8]> : tensor<4xi32>
  %a1 = arith.constant dense<[31, 32, -1, 1]> : tensor<4xi32>
  %r = tl.shift_right %a0, %a1 : tensor<4xi32>, tensor<4xi32> -> tensor<4xi32>
  %p = tl.cast %r : tensor<4xi32> to tensor<4xi64>
  %u = tensor.cast %p : tensor<4xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// NaN wins.
// CHECK: [{{-?nan}}, {{-?nan}}, 2]
func.func @maximum_nan() {
  %a0 = arith.constant dense<[0x7FC00000, 1.0, 0xFF800000]> : tensor<3xf32>
  %a1 = arith.constant dense<[1.0, 0x7FC00000, 2.0]> : tensor<3xf32>
  %r = tl.maximum %a0, %a1 : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  %u = tensor.cast %r : tensor<3xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Halves to even.
// CHECK: [{{-?0}}, 2, 2, {{-?0}}, -2]
func.func @round_half() {
  %a0 = arith.constant dense<[0.5, 1.5, 2.5, -0.5, -1.5]> : tensor<5xf32>
  %r = tl.round %a0 : tensor<5xf32>
  %u = tensor.cast %r : tensor<5xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// NaN has no sign.
// CHECK: [{{-?0}}, {{-?0}}, -1, 1]
func.func @sign_nan() {
  %a0 = arith.constant dense<[0x7FC00000, -0.0, -3.0, 0x7F800000]> : tensor<4xf32>
  %r = tl.sign %a0 : tensor<4xf32>
  %u = tensor.cast %r : tensor<4xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Out of range as PyTorch on x86.
// CHECK: [44, -1, 0, 0]
func.func @cast_to_i8() {
  %a0 = arith.constant dense<[300.0, -1.0, 10000000000.0, 0x7FC00000]> : tensor<4xf32>
  %r = tl.cast %a0 : tensor<4xf32> to tensor<4xi8>
  %p = tl.cast %r : tensor<4xi8> to tensor<4xi64>
  %u = tensor.cast %p : tensor<4xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Out of range as PyTorch on x86.
// CHECK: [44, 255, 0, 0]
func.func @cast_to_ui8() {
  %a0 = arith.constant dense<[300.0, -1.0, 10000000000.0, 0x7FC00000]> : tensor<4xf32>
  %r = tl.cast %a0 : tensor<4xf32> to tensor<4xui8>
  %p = tl.cast %r : tensor<4xui8> to tensor<4xi64>
  %u = tensor.cast %p : tensor<4xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// Out of range as PyTorch on x86.
// CHECK: [300, -1, -2147483648, -2147483648]
func.func @cast_to_i32() {
  %a0 = arith.constant dense<[300.0, -1.0, 10000000000.0, 0x7FC00000]> : tensor<4xf32>
  %r = tl.cast %a0 : tensor<4xf32> to tensor<4xi32>
  %p = tl.cast %r : tensor<4xi32> to tensor<4xi64>
  %u = tensor.cast %p : tensor<4xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// NaN is true.
// CHECK: [1, 0, 0, 1]
func.func @cast_to_bool() {
  %a0 = arith.constant dense<[0x7FC00000, 0.0, -0.0, 0.10000000149011612]> : tensor<4xf32>
  %r = tl.cast %a0 : tensor<4xf32> to tensor<4xi1>
  %p = tl.cast %r : tensor<4xi1> to tensor<4xi64>
  %u = tensor.cast %p : tensor<4xi64> to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()
  return
}

// From f64 to f16 by way of f32.
// CHECK: [inf, 2048]
func.func @cast_rounds_twice() {
  %a0 = arith.constant dense<[65519.9999, 2049.000000001]> : tensor<2xf64>
  %r = tl.cast %a0 : tensor<2xf64> to tensor<2xf16>
  %p = tl.cast %r : tensor<2xf16> to tensor<2xf32>
  %u = tensor.cast %p : tensor<2xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

// Rounded after every operation.
// CHECK: [1, 3]
func.func @add_bf16() {
  %a0 = arith.constant dense<[1.0, 3.0]> : tensor<2xbf16>
  %a1 = arith.constant dense<[0.00390625, 0.00099945068359375]> : tensor<2xbf16>
  %r = tl.add %a0, %a1 : tensor<2xbf16>, tensor<2xbf16> -> tensor<2xbf16>
  %p = tl.cast %r : tensor<2xbf16> to tensor<2xf32>
  %u = tensor.cast %p : tensor<2xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}

func.func @main() {
  call @floor_div_signs() : () -> ()
  call @trunc_div_signs() : () -> ()
  call @remainder_signs() : () -> ()
  call @fmod_signs() : () -> ()
  call @least_by_minus_one() : () -> ()
  call @divide_unsigned() : () -> ()
  call @floor_div_infinite() : () -> ()
  call @remainder_infinite() : () -> ()
  call @pow_integers() : () -> ()
  call @shift_left_far() : () -> ()
  call @shift_right_far() : () -> ()
  call @maximum_nan() : () -> ()
  call @round_half() : () -> ()
  call @sign_nan() : () -> ()
  call @cast_to_i8() : () -> ()
  call @cast_to_ui8() : () -> ()
  call @cast_to_i32() : () -> ()
  call @cast_to_bool() : () -> ()
  call @cast_rounds_twice() : () -> ()
  call @add_bf16() : () -> ()
  return
}
