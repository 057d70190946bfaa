// RUN: tl-opt %s --split-input-file --tl-cpu-emit-kernels --canonicalize --cse | FileCheck %s
// RUN: tl-opt %s --split-input-file --tl-cpu-emit-kernels="target=avx2" --canonicalize --cse | FileCheck %s --check-prefix=AVX2

// One register tile of 8 rows and 2 vectors; bias and ReLU stay in registers; small work is serial.
// CHECK-LABEL: func.func @matmul
// CHECK-NOT: scf.forall
// CHECK: vector.transfer_read %{{.*}} : tensor<32xf32>, vector<16xf32>
// CHECK: %[[ACC:.*]]:16 = scf.for
// CHECK: tensor.extract %{{.*}} : tensor<8x64xf32>
// CHECK: vector.transfer_read %{{.*}} : tensor<64x32xf32>, vector<16xf32>
// CHECK-COUNT-16: vector.fma
// CHECK-COUNT-16: arith.maximumf
// CHECK-COUNT-16: vector.transfer_write
// CHECK-NOT: linalg
// Two tiles of 4 rows: 8 rows are more than the 6 that fit.
// AVX2-LABEL: func.func @matmul
// AVX2: %{{.*}}:8 = scf.for
// AVX2: vector.transfer_read %{{.*}} : tensor<64x32xf32>, vector<8xf32>
// AVX2-COUNT-8: vector.fma
func.func @matmul(%a: tensor<8x64xf32>, %b: tensor<64x32xf32>, %bias: tensor<32xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x32xf32>
  %init = linalg.broadcast ins(%bias : tensor<32xf32>) outs(%e : tensor<8x32xf32>) dimensions = [0]
  %0 = linalg.matmul ins(%a, %b : tensor<8x64xf32>, tensor<64x32xf32>) outs(%init : tensor<8x32xf32>) -> tensor<8x32xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x32xf32>) outs(%e : tensor<8x32xf32>) {
  ^bb0(%x: f32, %o: f32):
    %r = arith.maximumf %x, %zero : f32
    linalg.yield %r : f32
  } -> tensor<8x32xf32>
  return %1 : tensor<8x32xf32>
}

// -----

// Large work is parallel over panels; 197 rows are 24 tiles of 8 and one of 5.
// CHECK-LABEL: func.func @ragged
// CHECK: scf.forall (%{{.*}}) in (24)
// CHECK: tensor.extract_slice %{{.*}} : tensor<197x768xf32> to tensor<197x32xf32>
// CHECK: scf.for
// CHECK: %{{.*}}:16 = scf.for
// CHECK: %{{.*}}:10 = scf.for
// CHECK: tensor.parallel_insert_slice
func.func @ragged(%a: tensor<197x768xf32>, %b: tensor<768x768xf32>) -> tensor<197x768xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<197x768xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<197x768xf32>) -> tensor<197x768xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<197x768xf32>, tensor<768x768xf32>) outs(%init : tensor<197x768xf32>) -> tensor<197x768xf32>
  return %0 : tensor<197x768xf32>
}

// -----

// A single row: four sets of accumulators take turns, and 10 columns are 8 and 2.
// CHECK-LABEL: func.func @one_row
// CHECK: %[[SUM:.*]]:16 = scf.for
// CHECK-COUNT-16: vector.fma
// CHECK: arith.addf
// CHECK: vector.transfer_write %{{.*}} : vector<8xf32>, tensor<1x10xf32>
// CHECK: vector.transfer_write %{{.*}} : vector<2xf32>, tensor<1x10xf32>
func.func @one_row(%a: tensor<1x512xf32>, %b: tensor<512x10xf32>) -> tensor<1x10xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x10xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<1x10xf32>) -> tensor<1x10xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<1x512xf32>, tensor<512x10xf32>) outs(%init : tensor<1x10xf32>) -> tensor<1x10xf32>
  return %0 : tensor<1x10xf32>
}

// -----

// Unknown sizes: panels, then vectors, then single columns; tiles of 8 rows, then single rows.
// CHECK-LABEL: func.func @dynamic
// CHECK: tensor.dim
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: vector.fma {{.*}} : vector<1xf32>
// CHECK-NOT: linalg
func.func @dynamic(%a: tensor<?x64xf32>, %b: tensor<64x?xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<?x64xf32>, tensor<64x?xf32>) outs(%c : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// 28 accumulators for 14 pixels, in loops over the window and the input channels.
// CHECK-LABEL: func.func @convolution
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in (2, 8)
// CHECK: %{{.*}}:28 = scf.for
// CHECK: %{{.*}}:28 = scf.for
// CHECK: %{{.*}}:28 = scf.for
// CHECK-COUNT-28: vector.fma
func.func @convolution(%x: tensor<1x58x58x64xf32>, %w: tensor<3x3x64x64xf32>, %i: tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32> {
  %0 = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x58x58x64xf32>, tensor<3x3x64x64xf32>) outs(%i : tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32>
  return %0 : tensor<1x56x56x64xf32>
}

// -----

// A small window is unrolled: no loop carries accumulators.
// CHECK-LABEL: func.func @depthwise
// CHECK-COUNT-63: vector.fma
// CHECK-NOT: linalg
func.func @depthwise(%x: tensor<1x16x16x16xf32>, %w: tensor<3x3x16xf32>, %i: tensor<1x14x14x16xf32>) -> tensor<1x14x14x16xf32> {
  %0 = linalg.depthwise_conv_2d_nhwc_hwc {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x16x16x16xf32>, tensor<3x3x16xf32>) outs(%i : tensor<1x14x14x16xf32>) -> tensor<1x14x14x16xf32>
  return %0 : tensor<1x14x14x16xf32>
}

// -----

// Elements of one bit are bytes in memory: they are read one by one.
// CHECK-LABEL: func.func @select
// CHECK-COUNT-16: tensor.extract %{{.*}} : tensor<16xi1>
// CHECK: vector.from_elements {{.*}} : vector<16xi1>
// CHECK: arith.select {{.*}} : vector<16xi1>, vector<16xf32>
func.func @select(%c: tensor<16xi1>, %x: tensor<16xf32>, %y: tensor<16xf32>) -> tensor<16xf32> {
  %e = tensor.empty() : tensor<16xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%c, %x, %y : tensor<16xi1>, tensor<16xf32>, tensor<16xf32>) outs(%e : tensor<16xf32>) {
  ^bb0(%p: i1, %a: f32, %b: f32, %o: f32):
    %r = arith.select %p, %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<16xf32>
  return %0 : tensor<16xf32>
}
