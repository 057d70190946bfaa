// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-emit-image="arch=sm_80 report" -o /dev/null 2>&1 | FileCheck %s
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-emit-image="arch=sm_90 report" -o /dev/null 2>&1 | FileCheck %s

// What products of matrices are made of: asynchronous copies of 16 bytes to shared memory, ldmatrix,
// and mma.sync on f16, bf16 and tf32.

// CHECK: remark: {{.*}}: kernel 'f16' takes {{[0-9]+}} registers, 0 bytes of static shared memory, 0 bytes of stack; no spills
// CHECK: remark: {{.*}}: kernel 'bf16' takes {{.*}}; no spills
// CHECK: remark: {{.*}}: kernel 'tf32' takes {{.*}}; no spills
// CHECK: .entry f16(
// CHECK: cp.async.cg.shared.global [%{{.*}}], [%{{.*}}], 16;
// CHECK: cp.async.commit_group
// CHECK: cp.async.wait_group 0
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// CHECK: st.global.v2.b32
// CHECK: .entry bf16(
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK: .entry tf32(
// CHECK: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
#shared = #gpu.address_space<workgroup>
gpu.module @tl_kernels {
  gpu.func @f16(%x: memref<f16>, %y: memref<f16>, %z: memref<f32>) kernel
      attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c512 = arith.constant 512 : index
    %t = gpu.thread_id x
    %a = memref.reinterpret_cast %x to offset: [0], sizes: [16, 16], strides: [16, 1] : memref<f16> to memref<16x16xf16>
    %b = memref.reinterpret_cast %y to offset: [0], sizes: [16, 8], strides: [8, 1] : memref<f16> to memref<16x8xf16>
    %c = memref.reinterpret_cast %z to offset: [0], sizes: [16, 8], strides: [8, 1] : memref<f32> to memref<16x8xf32>
    %bytes = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %as = memref.view %bytes[%c0][] : memref<?xi8, #shared> to memref<16x16xf16, #shared>
    %bs = memref.view %bytes[%c512][] : memref<?xi8, #shared> to memref<16x8xf16, #shared>
    %row = arith.divui %t, %c2 : index
    %half = arith.remui %t, %c2 : index
    %column = arith.muli %half, %c8 : index
    %copy = nvgpu.device_async_copy %a[%row, %column], %as[%row, %column], 8 {bypassL1} : memref<16x16xf16> to memref<16x16xf16, #shared>
    %group = nvgpu.device_async_create_group %copy
    nvgpu.device_async_wait %group {numGroups = 0 : i32}
    %first = arith.cmpi ult, %t, %c16 : index
    scf.if %first {
      %v = vector.load %b[%t, %c0] : memref<16x8xf16>, vector<8xf16>
      vector.store %v, %bs[%t, %c0] : memref<16x8xf16, #shared>, vector<8xf16>
    }
    gpu.barrier
    %lane16 = arith.remui %t, %c16 : index
    %upper = arith.divui %t, %c16 : index
    %ac = arith.muli %upper, %c8 : index
    %af = nvgpu.ldmatrix %as[%lane16, %ac] {numTiles = 4 : i32, transpose = false} : memref<16x16xf16, #shared> -> vector<4x2xf16>
    %bf = nvgpu.ldmatrix %bs[%lane16, %c0] {numTiles = 2 : i32, transpose = true} : memref<16x8xf16, #shared> -> vector<2x2xf16>
    %zero = arith.constant dense<0.0> : vector<2x2xf32>
    %d = nvgpu.mma.sync (%af, %bf, %zero) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
    %r = arith.divui %t, %c4 : index
    %q = arith.remui %t, %c4 : index
    %j = arith.muli %q, %c2 : index
    %r8 = arith.addi %r, %c8 : index
    %d0 = vector.extract %d[0] : vector<2xf32> from vector<2x2xf32>
    %d1 = vector.extract %d[1] : vector<2xf32> from vector<2x2xf32>
    vector.store %d0, %c[%r, %j] : memref<16x8xf32>, vector<2xf32>
    vector.store %d1, %c[%r8, %j] : memref<16x8xf32>, vector<2xf32>
    gpu.return
  }

  gpu.func @bf16(%x: memref<i32>, %z: memref<f32>) kernel
      attributes {known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %a = memref.reinterpret_cast %x to offset: [0], sizes: [256], strides: [1] : memref<i32> to memref<256xi32>
    %c = memref.reinterpret_cast %z to offset: [0], sizes: [32], strides: [1] : memref<f32> to memref<32xf32>
    %a0 = memref.load %a[%t] : memref<256xi32>
    %zero = arith.constant 0.0 : f32
    %d = nvvm.mma.sync A[%a0, %a0, %a0, %a0] B[%a0, %a0] C[%zero, %zero, %zero, %zero]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
         multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>,
         shape = #nvvm.shape<m = 16, n = 8, k = 16>}
        : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %d0 = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>
    memref.store %d0, %c[%t] : memref<32xf32>
    gpu.return
  }

  gpu.func @tf32(%x: memref<f32>, %z: memref<f32>) kernel
      attributes {known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %a = memref.reinterpret_cast %x to offset: [0], sizes: [256], strides: [1] : memref<f32> to memref<256xf32>
    %c = memref.reinterpret_cast %z to offset: [0], sizes: [32], strides: [1] : memref<f32> to memref<32xf32>
    %a0 = memref.load %a[%t] : memref<256xf32>
    %af = vector.broadcast %a0 : f32 to vector<4x1xf32>
    %bf = vector.broadcast %a0 : f32 to vector<2x1xf32>
    %zero = arith.constant dense<0.0> : vector<2x2xf32>
    %d = nvgpu.mma.sync (%af, %bf, %zero) {mmaShape = [16, 8, 8], tf32Enabled} : (vector<4x1xf32>, vector<2x1xf32>, vector<2x2xf32>) -> vector<2x2xf32>
    %d0 = vector.extract %d[0, 0] : f32 from vector<2x2xf32>
    memref.store %d0, %c[%t] : memref<32xf32>
    gpu.return
  }
}
