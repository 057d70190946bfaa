// RUN: tl-opt %s --tl-nvgpu-split-reductions | FileCheck %s
// RUN: tl-opt %s --tl-nvgpu-split-reductions=arch=sm_90 | FileCheck %s --check-prefix=HOPPER
// RUN: tl-opt %s --tl-nvgpu-pipeline="stage=launches report=true" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REPORT
// RUN: not tl-opt %s --tl-nvgpu-split-reductions=arch=sm_1 2>&1 | FileCheck %s --check-prefix=ARCH

// ARCH: error: unknown architecture 'sm_1': expected sm_70, sm_75,

// 32 tiles for 108 multiprocessors: four parts of 512 products, and their sum with the initial value.
// The second operand is reshaped, the first read at `part * 512 + k`.
// CHECK-DAG: #[[$A:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3 * 512 + d2)>
// CHECK-DAG: #[[$B:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2, d1)>
// CHECK-DAG: #[[$C:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d0, d1)>
// CHECK-LABEL: func.func @matmul
// CHECK-SAME: %[[X:.*]]: tensor<49x2048xf16>, %[[Y:.*]]: tensor<2048x512xf16>, %[[INIT:.*]]: tensor<49x512xf32>
// CHECK: %[[PARTS:.*]] = tensor.expand_shape %[[Y]] {{\[}}[0, 1], [2]] output_shape [4, 512, 512]
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<4x49x512xf32>
// CHECK: %[[SUMS:.*]] = linalg.generic {indexing_maps = [#[[$A]], #[[$B]], #[[$C]]],
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction", "parallel"]
// CHECK-SAME: ins(%[[X]], %[[PARTS]] :
// CHECK-SAME: outs(%[[ZEROS]] :
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["reduction", "parallel", "parallel"]
// CHECK-SAME: ins(%[[SUMS]] :
// CHECK-SAME: outs(%[[INIT]] :
// HOPPER-LABEL: func.func @matmul
// HOPPER: linalg.fill {{.*}} -> tensor<8x49x512xf32>
// REPORT: kernel 'generic' by strategy 'mma'
func.func @matmul(%a: tensor<49x2048xf16>, %b: tensor<2048x512xf16>, %init: tensor<49x512xf32>)
    -> tensor<49x512xf32> attributes {tl.method = "matmul", tl.variant = 0 : i64} {
  %0 = linalg.matmul ins(%a, %b : tensor<49x2048xf16>, tensor<2048x512xf16>)
                     outs(%init : tensor<49x512xf32>) -> tensor<49x512xf32>
  return %0 : tensor<49x512xf32>
}

// A convolution is split along its channels; padding stays where it is read.
// CHECK-LABEL: func.func @conv
// CHECK: %[[PAD:.*]] = tensor.pad
// CHECK: tensor.expand_shape {{.*}} output_shape [3, 3, 16, 32, 64]
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[PAD]], %{{.*}} : tensor<1x9x9x512xf16>, tensor<3x3x16x32x64xf16>)
func.func @conv(%a: tensor<1x7x7x512xf16>, %b: tensor<3x3x512x64xf16>, %init: tensor<1x7x7x64xf32>)
    -> tensor<1x7x7x64xf32> attributes {tl.method = "conv", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f16
  %p = tensor.pad %a low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f16
  } : tensor<1x7x7x512xf16> to tensor<1x9x9x512xf16>
  %0 = linalg.conv_2d_nhwc_hwcf {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%p, %b : tensor<1x9x9x512xf16>, tensor<3x3x512x64xf16>)
      outs(%init : tensor<1x7x7x64xf32>) -> tensor<1x7x7x64xf32>
  return %0 : tensor<1x7x7x64xf32>
}

// Enough blocks, a short reduction, few rows, sizes that are not known, no sum: left as they are.
// CHECK-LABEL: func.func @left
// CHECK-NOT: tensor.expand_shape
// CHECK: linalg.matmul
// CHECK: linalg.matmul
// CHECK: linalg.matmul
// CHECK: linalg.matmul
// CHECK-NOT: tensor.expand_shape
// CHECK: return
func.func @left(%a: tensor<512x1024xf32>, %b: tensor<1024x512xf32>, %c: tensor<512x512xf32>,
                %d: tensor<32x512xf32>, %e: tensor<32x512xf32>, %f: tensor<8x1024xf32>,
                %g: tensor<8x512xf32>, %h: tensor<32x?xf32>, %i: tensor<?x512xf32>)
    -> (tensor<512x512xf32>, tensor<32x512xf32>, tensor<8x512xf32>, tensor<32x512xf32>) {
  %0 = linalg.matmul ins(%a, %b : tensor<512x1024xf32>, tensor<1024x512xf32>)
                     outs(%c : tensor<512x512xf32>) -> tensor<512x512xf32>
  %1 = linalg.matmul ins(%d, %c : tensor<32x512xf32>, tensor<512x512xf32>)
                     outs(%e : tensor<32x512xf32>) -> tensor<32x512xf32>
  %2 = linalg.matmul ins(%f, %b : tensor<8x1024xf32>, tensor<1024x512xf32>)
                     outs(%g : tensor<8x512xf32>) -> tensor<8x512xf32>
  %3 = linalg.matmul ins(%h, %i : tensor<32x?xf32>, tensor<?x512xf32>)
                     outs(%e : tensor<32x512xf32>) -> tensor<32x512xf32>
  return %0, %1, %2, %3 : tensor<512x512xf32>, tensor<32x512xf32>, tensor<8x512xf32>, tensor<32x512xf32>
}

// One sum of many elements: the first dimension has parts enough when it is cut into blocks of rows.
// CHECK-LABEL: func.func @sum
// CHECK-SAME: %[[X:.*]]: tensor<4096x4096xf32>, %[[INIT:.*]]: tensor<f32>
// CHECK: %[[PARTS:.*]] = tensor.expand_shape %[[X]] {{\[}}[0, 1], [2]] output_shape [128, 32, 4096]
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<128xf32>
// CHECK: %[[SUMS:.*]] = linalg.generic {{.*}} iterator_types = ["reduction", "reduction", "parallel"]} ins(%[[PARTS]] :
// CHECK-SAME: outs(%[[ZEROS]] :
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]} ins(%[[SUMS]] : tensor<128xf32>) outs(%[[INIT]] : tensor<f32>)
func.func @sum(%x: tensor<4096x4096xf32>, %init: tensor<f32>) -> tensor<f32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> ()>],
                       iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<4096x4096xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %out, %in : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  return %0 : tensor<f32>
}
