// RUN: tl-opt %s --tl-nvgpu-outline-kernels | FileCheck %s

// An offset that is not known is passed, and the same number in the kernel as on the host, where it may
// have been asked for.

// CHECK-LABEL: func.func @offset
// CHECK: gpu.launch_func @tl_kernels::@offset_kernel
// CHECK: gpu.func @offset_kernel(%[[X:.*]]: memref<f32>, %[[OFFSET:.*]]: index, %[[START:.*]]: index)
// CHECK: reinterpret_cast %[[X]] to offset: [%[[OFFSET]]], sizes: [8], strides: [1]
func.func @offset(%x: memref<8xf32, strided<[1], offset: ?>>) {
  %c1 = arith.constant 1 : index
  %base, %start, %size, %stride = memref.extract_strided_metadata %x
    : memref<8xf32, strided<[1], offset: ?>> -> memref<f32>, index, index, index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    %flat = memref.reinterpret_cast %x to offset: [%start], sizes: [8], strides: [1]
      : memref<8xf32, strided<[1], offset: ?>> to memref<8xf32, strided<[1], offset: ?>>
    %f = memref.load %flat[%tx] : memref<8xf32, strided<[1], offset: ?>>
    memref.store %f, %x[%tx] : memref<8xf32, strided<[1], offset: ?>>
    gpu.terminator
  }
  return
}
