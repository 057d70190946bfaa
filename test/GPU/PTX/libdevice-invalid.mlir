// RUN: not tl-opt %s --tl-nvgpu-emit-image="output=%t.ptx" 2>&1 | FileCheck %s
// CHECK: error: '{{.*}}libdevice.10.bc' has no function '__nv_nothing'
gpu.module @tl_kernels {
  llvm.func @__nv_nothing(f32) -> f32
  llvm.func @kernel(%x: f32) attributes {nvvm.kernel} {
    %0 = llvm.call @__nv_nothing(%x) : (f32) -> f32
    llvm.return
  }
}
