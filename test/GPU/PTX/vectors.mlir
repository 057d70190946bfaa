// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-emit-image="arch=sm_80 report" -o /dev/null 2>&1 | FileCheck %s

// What kernels do with vectors beyond loads, stores and arithmetic: all of it becomes registers.

// CHECK-COUNT-5: remark: {{.*}} 0 bytes of static shared memory, 0 bytes of stack; no spills
gpu.module @tl_kernels {

// A transfer promises no alignment, and may read over the end.

// CHECK: .entry transfer(
// CHECK-NOT: v4
// CHECK: ret;
gpu.func @transfer(%x: memref<f32>, %n: index) kernel {
  %pad = arith.constant 0.0 : f32
  %t = gpu.thread_id x
  %v = memref.reinterpret_cast %x to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  %a = vector.transfer_read %v[%t], %pad : memref<?xf32>, vector<4xf32>
  vector.transfer_write %a, %v[%n] : vector<4xf32>, memref<?xf32>
  gpu.return
}

// CHECK: .entry two_dimensions(
gpu.func @two_dimensions(%x: memref<f32>, %n: index) kernel {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %pad = arith.constant 0.0 : f32
  %zeros = arith.constant dense<0.0> : vector<4xf32>
  %t = gpu.thread_id x
  %v = memref.reinterpret_cast %x to offset: [0], sizes: [64, 32], strides: [32, 1] : memref<f32> to memref<64x32xf32>
  %a = vector.transfer_read %v[%t, %c0], %pad {in_bounds = [true, true]} : memref<64x32xf32>, vector<2x4xf32>
  %f = vector.fma %a, %a, %a : vector<2x4xf32>
  %e = math.exp %f : vector<2x4xf32>
  %s = vector.transpose %e, [1, 0] : vector<2x4xf32> to vector<4x2xf32>
  %r = vector.multi_reduction <add>, %s, %zeros [1] : vector<4x2xf32> to vector<4xf32>
  vector.store %r, %v[%t, %c4] : memref<64x32xf32>, vector<4xf32>
  gpu.return
}

// CHECK: .entry outer_product(
// CHECK-COUNT-16: fma.rn.f32
gpu.func @outer_product(%x: memref<f32>) kernel {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %v = memref.reinterpret_cast %x to offset: [0], sizes: [64], strides: [1] : memref<f32> to memref<64xf32>
  %a = vector.load %v[%c0] : memref<64xf32>, vector<4xf32>
  %b = vector.load %v[%c4] : memref<64xf32>, vector<4xf32>
  %c = arith.constant dense<1.0> : vector<4x4xf32>
  %r = vector.outerproduct %a, %b, %c {kind = #vector.kind<add>} : vector<4xf32>, vector<4xf32>
  %flat = vector.shape_cast %r : vector<4x4xf32> to vector<16xf32>
  vector.store %flat, %v[%c0] : memref<64xf32>, vector<16xf32>
  gpu.return
}

// CHECK: .entry masks(
gpu.func @masks(%x: memref<f32>, %i: memref<i32>, %n: index) kernel {
  %c0 = arith.constant 0 : index
  %zeros = arith.constant dense<0.0> : vector<4xf32>
  %v = memref.reinterpret_cast %x to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  %w = memref.reinterpret_cast %i to offset: [0], sizes: [64], strides: [1] : memref<i32> to memref<64xi32>
  %m = vector.create_mask %n : vector<4xi1>
  %at = vector.load %w[%c0] : memref<64xi32>, vector<4xi32>
  %a = vector.gather %v[%c0] [%at], %m, %zeros : memref<?xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  vector.maskedstore %v[%c0], %m, %a : memref<?xf32>, vector<4xi1>, vector<4xf32>
  gpu.return
}

// CHECK: .entry lanes(
gpu.func @lanes(%x: memref<f32>) kernel {
  %lane = gpu.lane_id
  %warp = gpu.subgroup_id : index
  %size = gpu.subgroup_size : index
  %start = arith.muli %warp, %size : index
  %at = arith.addi %start, %lane : index
  %i:2 = affine.delinearize_index %at into (8, 4) : index, index
  %j = affine.linearize_index [%i#1, %i#0] by (4, 8) : index
  %v = memref.reinterpret_cast %x to offset: [0], sizes: [64], strides: [1] : memref<f32> to memref<64xf32>
  %a = memref.load %v[%at] : memref<64xf32>
  gpu.barrier
  memref.store %a, %v[%j] : memref<64xf32>
  gpu.return
}

}
