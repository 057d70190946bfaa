// RUN: tl-opt %s --tl-nvgpu-outline-kernels | FileCheck %s

// Two launches that differ in nothing but what they are given share one kernel. A buffer travels as a
// pointer and what is unknown of its layout; a static offset stays in the type, so that its alignment
// is known.

// CHECK-LABEL: func.func @twice
// CHECK: %[[D:.*]] = memref.dim
// CHECK: gpu.launch_func @tl_kernels::@twice_kernel blocks in (%[[D]], %{{.*}}, %{{.*}}) threads in (%c128
// CHECK-SAME: args(%{{.*}} : memref<f32>, %{{.*}}#0 : index, %{{.*}} : memref<f32>, %{{.*}} : f32)
// CHECK: gpu.launch_func @tl_kernels::@twice_kernel
// CHECK: gpu.module @tl_kernels
// CHECK: gpu.func @twice_kernel(%[[X:.*]]: memref<f32>, %[[N:.*]]: index, %[[Y:.*]]: memref<f32>, %[[S:.*]]: f32) kernel
// CHECK-SAME: known_block_size = array<i32: 128, 1, 1>, passthrough = {{\[\[}}"tl-extents", "0:12*1,2:76"]]
// CHECK: reinterpret_cast %[[X]] to offset: [0], sizes: [%[[N]], 3], strides: [3, 1]
// CHECK: reinterpret_cast %[[Y]] to offset: [4], sizes: [8], strides: [2]
// CHECK-NOT: gpu.func
func.func @twice(%x: memref<?x3xf32>, %z: memref<?x3xf32>, %y: memref<8xf32, strided<[2], offset: 4>>, %s: f32) {
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x3xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1) {
    memref.store %s, %x[%bx, %c0] : memref<?x3xf32>
    memref.store %s, %y[%tx] : memref<8xf32, strided<[2], offset: 4>>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1) {
    memref.store %s, %z[%bx, %c0] : memref<?x3xf32>
    memref.store %s, %y[%tx] : memref<8xf32, strided<[2], offset: 4>>
    gpu.terminator
  }
  return
}
