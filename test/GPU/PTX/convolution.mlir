// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="arch=sm_80 strategy=convolution" --tl-nvgpu-emit-image="arch=sm_80 report" -o /dev/null > %t.ptx 2> %t.txt
// RUN: FileCheck %s < %t.ptx
// RUN: FileCheck %s --check-prefix=REPORT < %t.txt

// Reads of 16 bytes although rows are padded, weights past the registers, and no division by 64 bits.

// REPORT: remark: sm_80: kernel 'conv_2d_nhwc_hwcf' takes {{[0-9]+}} registers, {{.*}} 0 bytes of stack; no spills
// REPORT: remark: sm_80: kernel 'conv_2d_nhwc_hwcf' takes {{[0-9]+}} registers, {{.*}} 0 bytes of stack; no spills
// CHECK: .visible .entry conv_2d_nhwc_hwcf(
// CHECK: .reqntid 128, 1, 1
// CHECK-NOT: {{div|rem}}.
// CHECK-NOT: ld.global.b32
// CHECK: cp.async.cg.shared.global {{.*}}, 16;
// CHECK: ld.global.v4
// CHECK: fma.rn.f32
// CHECK: cp.async.wait_group
// CHECK-NEXT: bar.sync
// CHECK-NOT: bar.sync
// CHECK: st.global.v4
func.func @large(%x: tensor<16x56x56x64xf32>, %w: tensor<3x3x64x64xf32>, %b: tensor<64xf32>) -> tensor<16x56x56x64xf32> attributes {tl.method = "large", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%n: index, %h: index, %v: index, %c: index):
    tensor.yield %zero : f32
  } : tensor<16x56x56x64xf32> to tensor<16x58x58x64xf32>
  %empty = tensor.empty() : tensor<16x56x56x64xf32>
  %init = linalg.broadcast ins(%b : tensor<64xf32>) outs(%empty : tensor<16x56x56x64xf32>) dimensions = [0, 1, 2]
  %y = linalg.conv_2d_nhwc_hwcf ins(%padded, %w : tensor<16x58x58x64xf32>, tensor<3x3x64x64xf32>) outs(%init : tensor<16x56x56x64xf32>) -> tensor<16x56x56x64xf32>
  return %y : tensor<16x56x56x64xf32>
}

// -----

// Few pixels and many channels: small tiles, whose threads share the reduction.

// CHECK: .visible .entry conv_2d_nhwc_hwcf(
// CHECK: .reqntid 256, 1, 1
// CHECK-COUNT-3: bar.sync
// CHECK-NOT: bar.sync
func.func @small(%x: tensor<1x7x7x64xf32>, %w: tensor<3x3x64x512xf32>) -> tensor<1x7x7x512xf32> attributes {tl.method = "small", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%n: index, %h: index, %v: index, %c: index):
    tensor.yield %zero : f32
  } : tensor<1x7x7x64xf32> to tensor<1x9x9x64xf32>
  %empty = tensor.empty() : tensor<1x7x7x512xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x7x7x512xf32>) -> tensor<1x7x7x512xf32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%padded, %w : tensor<1x9x9x64xf32>, tensor<3x3x64x512xf32>) outs(%init : tensor<1x7x7x512xf32>) -> tensor<1x7x7x512xf32>
  return %y : tensor<1x7x7x512xf32>
}
