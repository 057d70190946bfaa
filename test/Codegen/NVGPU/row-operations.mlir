// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline=stage=kernels | FileCheck %s --check-prefix=KERNELS
// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline=stage=launches | FileCheck %s

// A block for each row, in shared memory: 16 bytes for each of 1000 elements.

// KERNELS-LABEL: func.func @sort
// KERNELS: tlrt.kernel "argsort" ins(%{{.*}} : tensor<1000x64xf64>) outs(%{{.*}} : tensor<1000x64xi64>)
// CHECK-LABEL: func.func @sort
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c64, {{.*}}) threads({{.*}}) in (%{{.*}} = %c512, {{.*}}) dynamic_shared_memory_size %c16000_i32
// CHECK: gpu.barrier
// CHECK: scf.for %{{.*}} = %c0 to %c10 step %c1
// CHECK: scf.while
// CHECK: gpu.barrier
func.func @sort(%x: tensor<1000x64xf64>) -> tensor<1000x64xi64> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<1000x64xi64>
  %y = tlrt.argsort dim 0 ins(%x : tensor<1000x64xf64>) outs(%empty : tensor<1000x64xi64>)
  return %y : tensor<1000x64xi64>
}

// -----

// Rows that do not fit: a second buffer, and launches for each width.

// KERNELS-LABEL: func.func @long
// KERNELS: tlrt.kernel "argsort" ins(%{{.*}} : tensor<?x?xi8>) outs(%{{.*}}, %{{.*}} : tensor<?x?xi64>, tensor<?x?xi64>)
// CHECK-LABEL: func.func @long
// CHECK: gpu.launch
// CHECK: scf.while (%[[WIDTH:.*]] = %c1)
// CHECK: gpu.launch
// CHECK: gpu.launch
// CHECK: arith.shli
// CHECK: scf.yield
func.func @long(%x: tensor<?x?xi8>, %empty: tensor<?x?xi64>) -> tensor<?x?xi64> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %y = tlrt.argsort dim 1 unsigned ins(%x : tensor<?x?xi8>) outs(%empty : tensor<?x?xi64>)
  return %y : tensor<?x?xi64>
}

// -----

// Rows in memory one after the other: a block each, 16 elements of each of its two warps.

// CHECK-LABEL: func.func @rows
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c5, {{.*}}) threads({{.*}}) in (%{{.*}} = %c64, {{.*}}) dynamic_shared_memory_size %c16_i32
// CHECK-COUNT-5: gpu.shuffle up
// CHECK-NOT: gpu.shuffle
// CHECK: gpu.barrier
// CHECK: gpu.barrier
func.func @rows(%x: tensor<5x50xf32>) -> tensor<5x50xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<5x50xf32>
  %y = tlrt.scan addf dim 1 in f64 ins(%x : tensor<5x50xf32>) outs(%empty : tensor<5x50xf32>)
  return %y : tensor<5x50xf32>
}

// -----

// Products of floats in order; rows that are columns in memory.

// CHECK-LABEL: func.func @in_order
// CHECK-COUNT-2: gpu.launch blocks({{.*}}) in (%{{.*}} = %c1, {{.*}}) threads({{.*}}) in (%{{.*}} = %c128,
// CHECK-NOT: gpu.shuffle
func.func @in_order(%x: tensor<5x50xf32>) -> (tensor<5x50xf32>, tensor<5x50xf32>) attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<5x50xf32>
  %y = tlrt.scan mulf dim 1 in f64 ins(%x : tensor<5x50xf32>) outs(%empty : tensor<5x50xf32>)
  %z = tlrt.scan maximumf dim 0 in f32 ins(%x : tensor<5x50xf32>) outs(%empty : tensor<5x50xf32>)
  return %y, %z : tensor<5x50xf32>, tensor<5x50xf32>
}

// -----

// CHECK-LABEL: func.func @nonzero
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c1, {{.*}}) threads({{.*}}) in (%{{.*}} = %c512, {{.*}})
// CHECK: arith.cmpf une
// CHECK: gpu.shuffle up
// CHECK: gpu.barrier
// CHECK-COUNT-2: memref.store %{{.*}} : memref<?x2xi64
func.func @nonzero(%x: tensor<64x64xf32>, %count: i64) -> tensor<?x2xi64> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %n = arith.index_cast %count : i64 to index
  %empty = tensor.empty(%n) : tensor<?x2xi64>
  %y = tlrt.nonzero ins(%x : tensor<64x64xf32>) outs(%empty : tensor<?x2xi64>)
  return %y : tensor<?x2xi64>
}
