// RUN: not tl-opt %s --pass-pipeline='builtin.module(func.func(tl-nvgpu-emit-kernels{arch=sm_61}))' 2>&1 | FileCheck %s --check-prefix=ARCH
// RUN: not tl-opt %s --pass-pipeline='builtin.module(func.func(tl-nvgpu-emit-kernels{precision=f8}))' 2>&1 | FileCheck %s --check-prefix=PRECISION
// RUN: not tl-opt %s --pass-pipeline='builtin.module(func.func(tl-nvgpu-emit-kernels))' 2>&1 | FileCheck %s

// ARCH: error: unknown architecture 'sm_61': expected sm_70, sm_75, sm_80
// PRECISION: error: unknown precision 'f8': expected f32, tf32, f16 or bf16

func.func @shapes(%x: memref<4xf32>, %y: memref<4xf32>, %z: memref<3xf32>) {
  // CHECK: emit-kernels-invalid.mlir:[[#@LINE+1]]:{{.*}} error: no strategy for kernel 'two': {{.*}}generic: expected outputs of one shape
  tlrt.kernel "two" ins(%x : memref<4xf32>) outs(%y, %z : memref<4xf32>, memref<3xf32>) {
  ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<3xf32>):
    tlrt.yield %a, %c : tensor<4xf32>, tensor<3xf32>
  }
  return
}
