// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=launches report=true" 2>&1 | FileCheck %s
// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=launches arch=sm_75" | FileCheck %s --check-prefix=TURING

// Which strategy takes what, and how its reads are shaped.

// Both operands have their neighbours along K: they are turned on their way to shared memory, element by
// element, two steps ahead.
// CHECK: kernel 'matmul' by strategy 'matmul'
// CHECK-LABEL: func.func @transposed
// CHECK: gpu.launch
// CHECK-COUNT-16: nvgpu.device_async_copy %{{.*}}, 1 : memref<{{[0-9]*}}xf32, strided<[1]>> to memref<3168xf32, #gpu.address_space<workgroup>>
// CHECK: scf.for
// CHECK-NEXT: nvvm.cp.async.wait.group 1
// CHECK-NEXT: gpu.barrier
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.cp.async.commit.group
// CHECK: vector.load %{{.*}} : memref<3x8x132xf32, #gpu.address_space<workgroup>>, vector<4xf32>
// CHECK: math.fma
// CHECK-NOT: gpu.barrier
func.func @transposed(%x: tensor<2048x64xf32>, %w: tensor<2048x64xf32>) -> tensor<2048x2048xf32> attributes {tl.method = "transposed", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2048x2048xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2048x2048xf32>) -> tensor<2048x2048xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
       ins(%x, %w : tensor<2048x64xf32>, tensor<2048x64xf32>) outs(%init : tensor<2048x2048xf32>) -> tensor<2048x2048xf32>
  return %y : tensor<2048x2048xf32>
}

// -----

// Padding is two comparisons per read; no padded image is made.
// CHECK: kernel 'conv_2d_nhwc_hwcf' by strategy 'convolution'
// CHECK-LABEL: func.func @padded
// CHECK: gpu.launch
// CHECK: nvgpu.device_async_copy %{{.*}}, 4 {bypassL1}
// CHECK: arith.cmpi ult
// CHECK: arith.cmpi ult
// CHECK: scf.if
// CHECK: vector.load
// CHECK: math.fma
func.func @padded(%x: tensor<64x56x56x32xf32>, %w: tensor<3x3x32x64xf32>) -> tensor<64x56x56x64xf32> attributes {tl.method = "padded", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%n: index, %h: index, %v: index, %c: index):
    tensor.yield %zero : f32
  } : tensor<64x56x56x32xf32> to tensor<64x58x58x32xf32>
  %empty = tensor.empty() : tensor<64x56x56x64xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<64x56x56x64xf32>) -> tensor<64x56x56x64xf32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%padded, %w : tensor<64x58x58x32xf32>, tensor<3x3x32x64xf32>) outs(%init : tensor<64x56x56x64xf32>) -> tensor<64x56x56x64xf32>
  return %y : tensor<64x56x56x64xf32>
}

// -----

// A kernel of one pixel is a product of matrices; its rows are all pixels.
// CHECK: kernel 'conv_2d_nhwc_hwcf' by strategy 'matmul'
// CHECK-LABEL: func.func @pointwise
func.func @pointwise(%x: tensor<64x56x56x32xf32>, %w: tensor<1x1x32x64xf32>) -> tensor<64x56x56x64xf32> attributes {tl.method = "pointwise", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<64x56x56x64xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<64x56x56x64xf32>) -> tensor<64x56x56x64xf32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<64x56x56x32xf32>, tensor<1x1x32x64xf32>) outs(%init : tensor<64x56x56x64xf32>) -> tensor<64x56x56x64xf32>
  return %y : tensor<64x56x56x64xf32>
}

// -----

// Of how many rows there are, the call decides: a kernel for at most eight, and one for more.
// CHECK: kernel 'matmul' by strategy 'matmul'
// CHECK-LABEL: func.func @batch
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %{{.*}}, %c8
// CHECK: scf.if %[[FEW]]
// CHECK: gpu.launch
// CHECK: gpu.shuffle xor
// CHECK: } else {
// CHECK: gpu.launch
// CHECK: gpu.barrier
func.func @batch(%x: tensor<?x64xf32>, %w: tensor<256x64xf32>) -> tensor<?x256xf32> attributes {tl.method = "batch", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %size = tensor.dim %x, %c0 : tensor<?x64xf32>
  %empty = tensor.empty(%size) : tensor<?x256xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x256xf32>) -> tensor<?x256xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
       ins(%x, %w : tensor<?x64xf32>, tensor<256x64xf32>) outs(%init : tensor<?x256xf32>) -> tensor<?x256xf32>
  return %y : tensor<?x256xf32>
}

// -----

// Sums of eight bytes of products of one byte: an access is so narrow that the sums of all warps fit into
// shared memory.
// CHECK: kernel 'generic' by strategy 'matvec'
// CHECK-LABEL: func.func @wide_sums
// TURING-LABEL: func.func @wide_sums
// TURING: %[[BYTES:.*]] = arith.constant 65536 : i32
// TURING: gpu.launch {{.*}} dynamic_shared_memory_size %[[BYTES]]
// TURING: vector.load %{{.*}} : {{.*}}, vector<4xi8>
func.func @wide_sums(%x: tensor<8x64xi8>, %w: tensor<64x60000xi8>) -> tensor<8x60000xi64> attributes {tl.method = "wide_sums", tl.variant = 0 : i64} {
  %zero = arith.constant 0 : i64
  %empty = tensor.empty() : tensor<8x60000xi64>
  %init = linalg.fill ins(%zero : i64) outs(%empty : tensor<8x60000xi64>) -> tensor<8x60000xi64>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<8x64xi8>, tensor<64x60000xi8>) outs(%init : tensor<8x60000xi64>) {
  ^bb0(%a: i8, %b: i8, %acc: i64):
    %l = arith.extsi %a : i8 to i64
    %r = arith.extsi %b : i8 to i64
    %p = arith.muli %l, %r : i64
    %s = arith.addi %acc, %p : i64
    linalg.yield %s : i64
  } -> tensor<8x60000xi64>
  return %y : tensor<8x60000xi64>
}
