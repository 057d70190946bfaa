// RUN: tl-opt %s --convert-tl-to-linalg --canonicalize | FileCheck %s

// MLIR inserts what is padded further on instead, as much as if the insertion had no steps: it must
// not see that the tensor below is filled.
// CHECK-LABEL: func @steps
// CHECK: %[[PADDED:.*]] = tensor.pad %{{.*}} low[1] high[0]
// CHECK: %[[ZEROS:.*]] = linalg.generic
// CHECK: tensor.insert_slice %[[PADDED]] into %[[ZEROS]][0] [4] [2]
func.func @steps(%x: tensor<3xf32>) -> tensor<9xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[1] high[0] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<3xf32> to tensor<4xf32>
  %empty = tensor.empty() : tensor<9xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<9xf32>) -> tensor<9xf32>
  %y = tensor.insert_slice %padded into %zeros[0] [4] [2] : tensor<4xf32> into tensor<9xf32>
  return %y : tensor<9xf32>
}

// Filled in another form, and inserted into before.
// CHECK-LABEL: func @reshaped
// CHECK: %[[PADDED:.*]] = tensor.pad %{{.*}} low[0, 1] high[0, 0]
// CHECK: %[[ZEROS:.*]] = linalg.generic
// CHECK: tensor.expand_shape %[[ZEROS]]
// CHECK: tensor.insert_slice %[[PADDED]] into %{{.*}}[0, 0] [1, 4] [1, 2]
func.func @reshaped(%x: tensor<1x3xf32>) -> tensor<2x9xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 1] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<1x3xf32> to tensor<1x4xf32>
  %empty = tensor.empty() : tensor<18xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<18xf32>) -> tensor<18xf32>
  %matrix = tensor.expand_shape %zeros [[0, 1]] output_shape [2, 9] : tensor<18xf32> into tensor<2x9xf32>
  %one = tensor.insert_slice %x into %matrix[1, 0] [1, 3] [1, 1] : tensor<1x3xf32> into tensor<2x9xf32>
  %y = tensor.insert_slice %padded into %one[0, 0] [1, 4] [1, 2] : tensor<1x4xf32> into tensor<2x9xf32>
  return %y : tensor<2x9xf32>
}

// Without steps it is right, and saves the copy.
// CHECK-LABEL: func @neighbours
// CHECK-NOT: tensor.pad
// CHECK: linalg.fill
func.func @neighbours(%x: tensor<3xf32>) -> tensor<9xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[1] high[0] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<3xf32> to tensor<4xf32>
  %empty = tensor.empty() : tensor<9xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<9xf32>) -> tensor<9xf32>
  %y = tensor.insert_slice %padded into %zeros[2] [4] [1] : tensor<4xf32> into tensor<9xf32>
  return %y : tensor<9xf32>
}
