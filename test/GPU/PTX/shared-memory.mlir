// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-emit-image="arch=sm_80 report" -o /dev/null 2>&1 | FileCheck %s
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-emit-image="arch=sm_90 report" -o /dev/null 2>&1 | FileCheck %s

// The sum of a row by a block: shuffles within a warp, dynamic shared memory between warps. Its size
// is the launch's: none of it is static.

// CHECK: remark: {{.*}}: kernel 'row_sum' takes {{[0-9]+}} registers, 0 bytes of static shared memory, 0 bytes of stack; no spills
// CHECK: .extern .shared .align 16 .b8 __dynamic_shmem__0[];
// CHECK: .entry row_sum(
// CHECK: .reqntid 256, 1, 1
// CHECK: shfl.sync.bfly.b32
// CHECK: st.shared.b32
// CHECK: bar.sync 0
// CHECK: ld.shared.v4.b32
// CHECK: st.global.b32
gpu.module @tl_kernels {
  gpu.func @row_sum(%x: memref<f32>, %y: memref<f32>, %columns: index) kernel
      attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    %c32 = arith.constant 32 : index
    %c256 = arith.constant 256 : index
    %zero = arith.constant 0.0 : f32
    %width = arith.constant 32 : i32
    %o16 = arith.constant 16 : i32
    %o8 = arith.constant 8 : i32
    %o4 = arith.constant 4 : i32
    %row = gpu.block_id x
    %t = gpu.thread_id x
    %start = arith.muli %row, %columns : index
    %in = memref.reinterpret_cast %x to offset: [%start], sizes: [%columns], strides: [1] : memref<f32> to memref<?xf32, strided<[1], offset: ?>>
    %sum = scf.for %i = %t to %columns step %c256 iter_args(%a = %zero) -> f32 {
      %v = memref.load %in[%i] : memref<?xf32, strided<[1], offset: ?>>
      %s = arith.addf %a, %v : f32
      scf.yield %s : f32
    }
    %p0, %q0 = gpu.shuffle xor %sum, %o16, %width : f32
    %s0 = arith.addf %sum, %p0 : f32
    %p1, %q1 = gpu.shuffle xor %s0, %o8, %width : f32
    %s1 = arith.addf %s0, %p1 : f32
    %bytes = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %partial = memref.view %bytes[%c0][] : memref<?xi8, #gpu.address_space<workgroup>> to memref<8xf32, #gpu.address_space<workgroup>>
    %lane = arith.remui %t, %c32 : index
    %warp = arith.divui %t, %c32 : index
    %first = arith.cmpi eq, %lane, %c0 : index
    scf.if %first {
      memref.store %s1, %partial[%warp] : memref<8xf32, #gpu.address_space<workgroup>>
    }
    gpu.barrier
    %leader = arith.cmpi eq, %t, %c0 : index
    scf.if %leader {
      %c1 = arith.constant 1 : index
      %total = scf.for %i = %c0 to %c8 step %c1 iter_args(%a = %zero) -> f32 {
        %v = memref.load %partial[%i] : memref<8xf32, #gpu.address_space<workgroup>>
        %s = arith.addf %a, %v : f32
        scf.yield %s : f32
      }
      %out = memref.reinterpret_cast %y to offset: [0], sizes: [%c256], strides: [1] : memref<f32> to memref<?xf32>
      memref.store %total, %out[%row] : memref<?xf32>
    }
    gpu.return
  }
}
