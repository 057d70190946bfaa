// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-emit-image="arch=sm_80 report" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,SM80
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-emit-image="arch=sm_90 report" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,SM90
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-emit-image="arch=sm_75 output=%t.cubin" -o /dev/null && grep -q ELF %t.cubin

// Accesses of 128 bits, the block's size, libdevice inlined, and nothing that spills.

// SM80: remark: sm_80: kernel 'tanh_scale' takes {{[0-9]+}} registers, 0 bytes of static shared memory, 0 bytes of stack; no spills
// SM90: remark: sm_90: kernel 'tanh_scale' takes {{[0-9]+}} registers, 0 bytes of static shared memory, 0 bytes of stack; no spills
// SM80: .version 7.4
// SM80: .target sm_80
// SM90: .version 7.8
// SM90: .target sm_90
// CHECK: .visible .entry tanh_scale(
// CHECK-NEXT: .param .u64 {{.*}}tanh_scale_param_0,
// CHECK-NEXT: .param .u64 {{.*}}tanh_scale_param_1,
// CHECK-NEXT: .param .u64 tanh_scale_param_2,
// CHECK-NEXT: .param .f32 tanh_scale_param_3
// CHECK: .reqntid 128, 1, 1
// CHECK-NOT: call
// CHECK: ld.global.v4
// CHECK-NOT: call
// CHECK: st.global.v4
// CHECK: ret
gpu.module @tl_kernels {
  gpu.func @tanh_scale(%x: memref<f32>, %y: memref<f32>, %n: index, %s: f32) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c4 = arith.constant 4 : index
    %c128 = arith.constant 128 : index
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %0 = arith.muli %b, %c128 : index
    %1 = arith.addi %0, %t : index
    %i = arith.muli %1, %c4 : index
    %in = arith.cmpi slt, %i, %n : index
    %xv = memref.reinterpret_cast %x to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
    %yv = memref.reinterpret_cast %y to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
    scf.if %in {
      %v = vector.load %xv[%i] : memref<?xf32>, vector<4xf32>
      %sv = vector.broadcast %s : f32 to vector<4xf32>
      %m = arith.mulf %v, %sv : vector<4xf32>
      %e = math.tanh %m : vector<4xf32>
      vector.store %e, %yv[%i] : memref<?xf32>, vector<4xf32>
    }
    gpu.return
  }
}
