// RUN: tl-opt %s --tl-cpu-outline-groups | FileCheck %s

// Bias, product and ReLU are one group; two equal layers share one function.
// CHECK-LABEL: func.func @layers
// CHECK-SAME: %[[X:[^:]*]]: tensor<8x32xf32>
// CHECK: %[[B0:.*]] = bufferization.alloc_tensor() : tensor<8x32xf32>
// CHECK: %[[Y:.*]] = call @[[$LAYER:tl_[a-z_0-9]+]](%{{.*}}) :
// CHECK: %[[B1:.*]] = bufferization.alloc_tensor() : tensor<8x32xf32>
// CHECK: %[[Z:.*]] = call @[[$LAYER]](%{{.*}}) :
// CHECK-NOT: linalg
// CHECK: return %[[Z]]
func.func @layers(%x: tensor<8x32xf32>, %w0: tensor<32x32xf32>, %b0: tensor<32xf32>,
                  %w1: tensor<32x32xf32>, %b1: tensor<32xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x32xf32>
  %i0 = linalg.broadcast ins(%b0 : tensor<32xf32>) outs(%e : tensor<8x32xf32>) dimensions = [0]
  %0 = linalg.matmul ins(%x, %w0 : tensor<8x32xf32>, tensor<32x32xf32>) outs(%i0 : tensor<8x32xf32>) -> tensor<8x32xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x32xf32>) outs(%e : tensor<8x32xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %zero : f32
    linalg.yield %r : f32
  } -> tensor<8x32xf32>
  %i1 = linalg.broadcast ins(%b1 : tensor<32xf32>) outs(%e : tensor<8x32xf32>) dimensions = [0]
  %2 = linalg.matmul ins(%1, %w1 : tensor<8x32xf32>, tensor<32x32xf32>) outs(%i1 : tensor<8x32xf32>) -> tensor<8x32xf32>
  %3 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%2 : tensor<8x32xf32>) outs(%e : tensor<8x32xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %zero : f32
    linalg.yield %r : f32
  } -> tensor<8x32xf32>
  return %3 : tensor<8x32xf32>
}

// Written into a slice: the function takes and returns the whole tensor.
// CHECK-LABEL: func.func @slice
// CHECK-SAME: %[[X:[^:]*]]: tensor<4xf32>, %[[WHOLE:[^:]*]]: tensor<9xf32>
// CHECK-NEXT: %[[R:.*]] = call @[[$ABS:tl_[a-z_0-9]+]](%[[X]], %[[WHOLE]])
// CHECK-NEXT: return %[[R]]
func.func @slice(%x: tensor<4xf32>, %whole: tensor<9xf32>) -> tensor<9xf32> {
  %middle = tensor.extract_slice %whole[2] [4] [1] : tensor<9xf32> to tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%middle : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.absf %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %1 = tensor.insert_slice %0 into %whole[2] [4] [1] : tensor<4xf32> into tensor<9xf32>
  return %1 : tensor<9xf32>
}

// What the kernels do not cover stays where it is.
// CHECK-LABEL: func.func @left
// CHECK: linalg.generic
func.func @left(%x: tensor<f32>, %s: tensor<f32>) -> tensor<f32> {
  %0 = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%x : tensor<f32>) outs(%s : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<f32>
  return %0 : tensor<f32>
}

// A transpose after a convolution would make the windows' dimension the columns: it is a kernel of
// its own, and the convolution is one.
// CHECK-LABEL: func.func @transposed
// CHECK-COUNT-2: call @tl_
// CHECK-NOT: linalg
// CHECK: return
func.func @transposed(%x: tensor<1x6x6x8xf32>, %w: tensor<3x3x8x8xf32>, %b: tensor<8xf32>) -> tensor<1x8x4x4xf32> {
  %e = tensor.empty() : tensor<1x4x4x8xf32>
  %i = linalg.broadcast ins(%b : tensor<8xf32>) outs(%e : tensor<1x4x4x8xf32>) dimensions = [0, 1, 2]
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x6x6x8xf32>, tensor<3x3x8x8xf32>)
      outs(%i : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %f = tensor.empty() : tensor<1x8x4x4xf32>
  %t = linalg.transpose ins(%y : tensor<1x4x4x8xf32>) outs(%f : tensor<1x8x4x4xf32>) permutation = [0, 3, 1, 2]
  return %t : tensor<1x8x4x4xf32>
}

// CHECK: func.func private @[[$LAYER]]({{.*}}) -> tensor<8x32xf32> attributes {no_inline}
// CHECK: linalg.broadcast
// CHECK: linalg.matmul
// CHECK: arith.maximumf
// CHECK: func.func private @[[$ABS]]
// CHECK: tensor.extract_slice
// CHECK: math.absf
// CHECK: tensor.insert_slice
