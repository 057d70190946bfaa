// RUN: tl-opt %s --tl-nvgpu-lower-kernels | FileCheck %s

gpu.module @tl_kernels {

// Buffers are pointers, an index has 64 bits, a known block size is required of launches.

// CHECK-LABEL: llvm.func @arguments
// CHECK-SAME: (%[[X:.*]]: !llvm.ptr, %{{.*}}: i1, %{{.*}}: i8, %{{.*}}: i64, %[[S:.*]]: f32, %{{.*}}: f16, %{{.*}}: bf16, %{{.*}}: f64)
// CHECK-SAME: nvvm.kernel, nvvm.reqntid = array<i32: 32, 2, 1>
// CHECK: %[[Y:.*]] = llvm.getelementptr {{.*}}%[[X]]
// CHECK: llvm.store %[[S]], %[[Y]] : f32
gpu.func @arguments(%x: memref<f32>, %b: i1, %i: i8, %n: index, %s: f32, %h: f16, %bf: bf16, %d: f64) kernel
    attributes {known_block_size = array<i32: 32, 2, 1>} {
  %t = gpu.thread_id x
  %y = memref.reinterpret_cast %x to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  memref.store %s, %y[%t] : memref<?xf32>
  gpu.return
}

// A vector is aligned to its size, up to 16 bytes, if nothing else is said; three elements are not.

// CHECK-LABEL: llvm.func @alignment
// CHECK-SAME: nvvm.maxntid = array<i32: 1024, 1, 1>
// CHECK: llvm.load {{.*}} {alignment = 8 : i64} : !llvm.ptr -> vector<2xf32>
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<8xf32>
// CHECK: llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<3xf32>
// CHECK: llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
// CHECK: llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
gpu.func @alignment(%p: memref<f32>, %i: index) kernel {
  %x = memref.reinterpret_cast %p to offset: [0], sizes: [64], strides: [1] : memref<f32> to memref<64xf32>
  %pad = arith.constant 0.0 : f32
  %a = vector.load %x[%i] : memref<64xf32>, vector<2xf32>
  %b = vector.load %x[%i] : memref<64xf32>, vector<8xf32>
  %c = vector.load %x[%i] : memref<64xf32>, vector<3xf32>
  %d = vector.load %x[%i] {alignment = 4 : i64} : memref<64xf32>, vector<4xf32>
  %e = vector.transfer_read %x[%i], %pad {in_bounds = [true]} : memref<64xf32>, vector<4xf32>
  vector.store %a, %x[%i] : memref<64xf32>, vector<2xf32>
  vector.store %b, %x[%i] : memref<64xf32>, vector<8xf32>
  vector.store %c, %x[%i] : memref<64xf32>, vector<3xf32>
  vector.store %d, %x[%i] {alignment = 4 : i64} : memref<64xf32>, vector<4xf32>
  vector.store %e, %x[%i] : memref<64xf32>, vector<4xf32>
  gpu.return
}

// f16 and bf16 are computed in f32.

// CHECK-LABEL: llvm.func @half
// CHECK: %[[A:.*]] = llvm.fpext %{{.*}} : f16 to f32
// CHECK: %[[E:.*]] = llvm.call @__nv_expf(%[[A]])
// CHECK: llvm.fptrunc %[[E]] : f32 to f16
// CHECK: llvm.fpext %{{.*}} : vector<2xbf16> to vector<2xf32>
// CHECK: llvm.fmul %{{.*}} : vector<2xf32>
gpu.func @half(%x: memref<f16>, %y: memref<bf16>) kernel {
  %c0 = arith.constant 0 : index
  %a = memref.load %x[] : memref<f16>
  %e = math.exp %a : f16
  memref.store %e, %x[] : memref<f16>
  %z = memref.reinterpret_cast %y to offset: [0], sizes: [8], strides: [1] : memref<bf16> to memref<8xbf16>
  %b = vector.load %z[%c0] : memref<8xbf16>, vector<2xbf16>
  %m = arith.mulf %b, %b : vector<2xbf16>
  vector.store %m, %z[%c0] : memref<8xbf16>, vector<2xbf16>
  gpu.return
}

}
