// RUN: tl-opt %s --tl-cpu-pad-in-place | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>

// The producer writes into the middle; the other reader reads the middle.
// CHECK-LABEL: func.func @producer
// CHECK-SAME: %[[X:.*]]: tensor<4x4xf32>
// CHECK: %[[BUFFER:.*]] = bufferization.alloc_tensor() : tensor<5x6xf32>
// CHECK: %[[BORDERED:.*]] = call @tl_border(%[[BUFFER]])
// CHECK: %[[MIDDLE:.*]] = tensor.extract_slice %[[BORDERED]][1, 1] [4, 4] [1, 1]
// CHECK: %[[ABS:.*]] = linalg.generic {{.*}} outs(%[[MIDDLE]] : tensor<4x4xf32>)
// CHECK: %[[PADDED:.*]] = tensor.insert_slice %[[ABS]] into %[[BORDERED]][1, 1] [4, 4] [1, 1]
// CHECK: %[[AGAIN:.*]] = tensor.extract_slice %[[PADDED]][1, 1] [4, 4] [1, 1]
// CHECK: return %[[PADDED]], %[[AGAIN]]
func.func @producer(%x: tensor<4x4xf32>) -> (tensor<5x6xf32>, tensor<4x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.absf %a : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %p = tensor.pad %0 low[1, 1] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<4x4xf32> to tensor<5x6xf32>
  return %p, %0 : tensor<5x6xf32>, tensor<4x4xf32>
}

// An argument is copied; the same border is written by the same function; sizes may be unknown.
// CHECK-LABEL: func.func @argument
// CHECK: call @tl_border(
// CHECK: linalg.copy
// CHECK: bufferization.alloc_tensor(%{{.*}}) : tensor<?x6xf32>
// CHECK: call @tl_border_0(
func.func @argument(%x: tensor<4x4xf32>, %y: tensor<?x4xf32>) -> (tensor<5x6xf32>, tensor<?x6xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[1, 1] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<4x4xf32> to tensor<5x6xf32>
  %q = tensor.pad %y low[1, 1] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<?x4xf32> to tensor<?x6xf32>
  return %p, %q : tensor<5x6xf32>, tensor<?x6xf32>
}

// A value per element, or an amount known at run time, is not ours.
// CHECK-LABEL: func.func @other
// CHECK: tensor.pad
func.func @other(%x: tensor<4xf32>, %n: index) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0] high[%n] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<4xf32> to tensor<?xf32>
  return %p : tensor<?xf32>
}

// CHECK-LABEL: func.func private @tl_border(
// CHECK-SAME: %[[T:.*]]: tensor<5x6xf32>
// CHECK: %[[TOP:.*]] = tensor.extract_slice %[[T]][0, 0] [1, 6] [1, 1]
// CHECK: linalg.fill {{.*}} outs(%[[TOP]]
// CHECK: tensor.extract_slice %{{.*}}[1, 0] [4, 1] [1, 1]
// CHECK: tensor.extract_slice %{{.*}}[1, 5] [4, 1] [1, 1]
// CHECK-LABEL: func.func private @tl_border_0(
