// RUN: tl-opt %s --pass-pipeline="builtin.module(tl-nvgpu-pipeline{arch=sm_80 stage=gpu strategy=mma},gpu.module(tl-nvgpu-lower-kernels,tl-nvgpu-emit-image{arch=sm_80 report output=%t.ptx}))" -o /dev/null 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=PTX --input-file=%t.ptx
// RUN: tl-opt %s --pass-pipeline="builtin.module(tl-nvgpu-pipeline{arch=sm_90 stage=gpu strategy=mma},gpu.module(tl-nvgpu-lower-kernels,tl-nvgpu-emit-image{arch=sm_90 report output=%t.ptx}))" -o /dev/null 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=PTX --input-file=%t.ptx

// The first convolution of an image classifier: three channels, so that neither patches nor their rows
// are aligned. A thread has one row of the patches; with one for each of its elements it would spill.

// CHECK: kernel 'conv_2d_nhwc_hwcf' takes {{[0-9]+}} registers, {{.*}}; no spills
// PTX: .reqntid 128
// PTX: cp.async.cg.shared.global
// PTX: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// PTX: st.shared
func.func @forward(%x: tensor<8x224x224x3xf16>, %w: tensor<7x7x3x64xf16>) -> tensor<8x112x112x64xf32>
    attributes {tl.method = "forward", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f16
  %sum = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 3, 3, 0] high[0, 3, 3, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f16
  } : tensor<8x224x224x3xf16> to tensor<8x230x230x3xf16>
  %e = tensor.empty() : tensor<8x112x112x64xf32>
  %f = linalg.fill ins(%sum : f32) outs(%e : tensor<8x112x112x64xf32>) -> tensor<8x112x112x64xf32>
  %y = linalg.conv_2d_nhwc_hwcf {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%p, %w : tensor<8x230x230x3xf16>, tensor<7x7x3x64xf16>)
      outs(%f : tensor<8x112x112x64xf32>) -> tensor<8x112x112x64xf32>
  return %y : tensor<8x112x112x64xf32>
}
