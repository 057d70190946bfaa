// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=gpu strategy=windows" | FileCheck %s
// RUN: not tl-opt %S/Inputs/windows-invalid.mlir --split-input-file --tl-nvgpu-pipeline="stage=gpu strategy=windows" 2>&1 | FileCheck %s --check-prefix=REASON

// REASON: error: no strategy for kernel 'generic': windows: expected a reduction
// REASON: error: no strategy for kernel 'matmul': windows: expected inputs whose last dimension is not reduced
// REASON: error: no strategy for kernel 'generic': windows: expected a window of static size, 64 elements at most

// Four channels of two neighbouring places: 3 x 4 vectors of the input instead of 2 x 9, one branch each;
// the weights, once. Padding in the middle row has no condition of its own.

// CHECK-LABEL: gpu.func @depthwise_conv_2d_nhwc_hwc
// CHECK: vector.load %{{.*}} : memref<96xf32{{.*}}>, vector<4xf32>
// CHECK-COUNT-12: scf.if %{{.*}} -> (f32, f32, f32, f32)
// CHECK-NOT: scf.if
// CHECK: arith.maximumf
// CHECK: vector.store %{{.*}} : memref<1x112x112x96xf32{{.*}}>, vector<4xf32>
// CHECK: vector.store %{{.*}} : memref<1x112x112x96xf32{{.*}}>, vector<4xf32>
// CHECK-NOT: vector.store
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
func.func @depthwise(%x: tensor<1x112x112x96xf32>, %w: tensor<3x3x96xf32>, %b: tensor<96xf32>) -> tensor<1x112x112x96xf32>
    attributes {tl.method = "f", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x112x112x96xf32> to tensor<1x114x114x96xf32>
  %empty = tensor.empty() : tensor<1x112x112x96xf32>
  %init = linalg.broadcast ins(%b : tensor<96xf32>) outs(%empty : tensor<1x112x112x96xf32>) dimensions = [0, 1, 2]
  %conv = linalg.depthwise_conv_2d_nhwc_hwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%padded, %w : tensor<1x114x114x96xf32>, tensor<3x3x96xf32>) outs(%init : tensor<1x112x112x96xf32>) -> tensor<1x112x112x96xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%conv : tensor<1x112x112x96xf32>) outs(%empty : tensor<1x112x112x96xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.maximumf %in, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x112x112x96xf32>
  return %r : tensor<1x112x112x96xf32>
}

// -----

// A batch of any size; an odd number of channels is computed one by one.

// CHECK-LABEL: gpu.func @pooling_nhwc_max
// CHECK-COUNT-3: arith.maximumf
// CHECK: memref.store %{{.*}} : memref<?x3x3x5xf32{{.*}}>
func.func @pool(%x: tensor<?x6x6x5xf32>) -> tensor<?x3x3x5xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %lowest = arith.constant 0xFF800000 : f32
  %n = tensor.dim %x, %c0 : tensor<?x6x6x5xf32>
  %empty = tensor.empty(%n) : tensor<?x3x3x5xf32>
  %window = tensor.empty() : tensor<2x2xf32>
  %init = linalg.fill ins(%lowest : f32) outs(%empty : tensor<?x3x3x5xf32>) -> tensor<?x3x3x5xf32>
  %r = linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%x, %window : tensor<?x6x6x5xf32>, tensor<2x2xf32>) outs(%init : tensor<?x3x3x5xf32>) -> tensor<?x3x3x5xf32>
  return %r : tensor<?x3x3x5xf32>
}
