// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=gpu strategy=transpose" | FileCheck %s

// An image whose channels become its last dimension: the 7 * 9 pixels of an image are rows of 64 tiles
// (two), its 64 channels columns (two), the images the batch. The bias is read where it is used.

// CHECK-LABEL: gpu.func @generic
// CHECK-NOT: scf.if
// CHECK-COUNT-4: memref.load %{{.*}} : memref<{{[0-9]*}}xf32, strided<[1]>>
// CHECK-COUNT-4: memref.store %{{.*}} : memref<32x33xf32, #gpu.address_space<workgroup>>
// CHECK: gpu.barrier
// CHECK: scf.for
// CHECK: scf.if
// CHECK: memref.load %{{.*}} : memref<32x33xf32, #gpu.address_space<workgroup>>
// CHECK: memref.load %{{.*}} : memref<64xf32
// CHECK: arith.addf
// CHECK: memref.store %{{.*}} : memref<{{[0-9]*}}xf32, strided<[1]>>
func.func @image(%x: tensor<2x64x7x9xf32>, %bias: tensor<64xf32>) -> tensor<2x7x9x64xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<2x7x9x64xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, h, w, c) -> (n, c, h, w)>, affine_map<(n, h, w, c) -> (c)>,
                                        affine_map<(n, h, w, c) -> (n, h, w, c)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %bias : tensor<2x64x7x9xf32>, tensor<64xf32>) outs(%empty : tensor<2x7x9x64xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x7x9x64xf32>
  return %r : tensor<2x7x9x64xf32>
}

// -----

// Elements of 16 bits are moved in pairs, on both sides; tiles that come out even are not guarded.

// CHECK-LABEL: gpu.func @transpose
// CHECK-NOT: scf.if
// CHECK-NOT: minui
// CHECK-COUNT-8: vector.load %{{.*}} : memref<{{[0-9]*}}xf16, strided<[1]>>, vector<2xf16>
// CHECK-COUNT-8: vector.store %{{.*}} : memref<64x66xf16, #gpu.address_space<workgroup>>, vector<2xf16>
// CHECK: gpu.barrier
// CHECK: scf.for
// CHECK-NOT: scf.if
// CHECK-COUNT-2: vector.load %{{.*}} : memref<64x66xf16, #gpu.address_space<workgroup>>, vector<2xf16>
// CHECK-COUNT-2: vector.store %{{.*}} : memref<{{[0-9]*}}xf16, strided<[1]>>, vector<2xf16>
// CHECK-NOT: store
// CHECK: gpu.return
func.func @keys(%x: tensor<4x128x12x64xf16>) -> tensor<4x12x64x128xf16> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<4x12x64x128xf16>
  %r = linalg.transpose ins(%x : tensor<4x128x12x64xf16>) outs(%empty : tensor<4x12x64x128xf16>) permutation = [0, 2, 3, 1]
  return %r : tensor<4x12x64x128xf16>
}

// -----

// Rows of odd length are not aligned to pairs: single elements, in tiles of the same size.

// CHECK-LABEL: gpu.func @transpose
// CHECK-COUNT-16: memref.load %{{.*}} : memref<{{[0-9]*}}xf16, strided<[1]>>
// CHECK-COUNT-16: memref.store %{{.*}} : memref<64x66xf16, #gpu.address_space<workgroup>>
// CHECK: gpu.barrier
func.func @odd(%x: tensor<129x65xf16>) -> tensor<65x129xf16> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<65x129xf16>
  %r = linalg.transpose ins(%x : tensor<129x65xf16>) outs(%empty : tensor<65x129xf16>) permutation = [1, 0]
  return %r : tensor<65x129xf16>
}

// -----

// Sizes that a call tells: they are parameters of the kernel.

// CHECK-LABEL: gpu.func @transpose
// CHECK: arith.minui
// CHECK: memref.store %{{.*}} : memref<32x33xf32, #gpu.address_space<workgroup>>
// CHECK: gpu.barrier
// CHECK: scf.if
func.func @dynamic(%x: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %empty = tensor.empty(%n, %m) : tensor<?x?xf32>
  %r = linalg.transpose ins(%x : tensor<?x?xf32>) outs(%empty : tensor<?x?xf32>) permutation = [1, 0]
  return %r : tensor<?x?xf32>
}
