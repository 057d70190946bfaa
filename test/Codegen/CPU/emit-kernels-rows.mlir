// RUN: tl-opt %s --split-input-file --tl-cpu-emit-kernels --canonicalize --cse | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// Per row: a maximum; the exponentials, kept in the result's row and summed up; the quotients.
// CHECK-LABEL: func.func @softmax
// CHECK: scf.for %{{.*}} iter_args(%{{.*}} = %{{.*}}) -> (tensor<4x128xf32>)
// CHECK: arith.maximumf {{.*}} : vector<16xf32>
// CHECK: %[[MAX:.*]] = vector.reduction <maximumf>
// CHECK: %[[E:.*]] = math.exp {{.*}} : vector<16xf32>
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: vector.transfer_write %[[E]]
// CHECK: vector.reduction <add>
// CHECK-NOT: math.exp
// CHECK: arith.divf {{.*}} : vector<16xf32>
// CHECK: vector.transfer_write
// CHECK-NOT: linalg
func.func @softmax(%x: tensor<4x128xf32>) -> tensor<4x128xf32> {
  %ninf = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %r = tensor.empty() : tensor<4xf32>
  %e = tensor.empty() : tensor<4x128xf32>
  %low = linalg.fill ins(%ninf : f32) outs(%r : tensor<4xf32>) -> tensor<4xf32>
  %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x128xf32>) outs(%low : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.maximumf %a, %o : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %exp = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<4x128xf32>, tensor<4xf32>) outs(%e : tensor<4x128xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %0 = arith.subf %a, %m : f32
    %1 = math.exp %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x128xf32>
  %none = linalg.fill ins(%zero : f32) outs(%r : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%exp : tensor<4x128xf32>) outs(%none : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.addf %a, %o : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %out = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%exp, %sum : tensor<4x128xf32>, tensor<4xf32>) outs(%e : tensor<4x128xf32>) {
  ^bb0(%a: f32, %s: f32, %o: f32):
    %0 = arith.divf %a, %s : f32
    linalg.yield %0 : f32
  } -> tensor<4x128xf32>
  return %out : tensor<4x128xf32>
}

// -----

// A whole tensor to one number; 100 elements are six vectors and 4.
// CHECK-LABEL: func.func @all
// CHECK: vector.reduction <add>, %{{.*}} : vector<16xf32> into f32
// CHECK: vector.reduction <add>, %{{.*}} : vector<4xf32> into f32
// CHECK: tensor.insert %{{.*}} : tensor<f32>
func.func @all(%x: tensor<100xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %r = tensor.empty() : tensor<f32>
  %init = linalg.fill ins(%zero : f32) outs(%r : tensor<f32>) -> tensor<f32>
  %0 = linalg.reduce { arith.addf } ins(%x : tensor<100xf32>) outs(%init : tensor<f32>) dimensions = [0]
  return %0 : tensor<f32>
}

// -----

// Rows of unknown length need not be the rows that something else has: the product of a row's sum
// with another vector is an operation of its own.
// CHECK-LABEL: func.func @other_rows
// CHECK: vector.reduction <add>
// CHECK: tensor.insert {{.*}} : tensor<4xf32>
// CHECK: arith.mulf {{.*}} : vector<16xf32>
func.func @other_rows(%x: tensor<4x?xf32>, %y: tensor<?xf32>, %e: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %zero = arith.constant 0.0 : f32
  %r = tensor.empty() : tensor<4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%r : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<4x?xf32>) outs(%init : tensor<4xf32>) dimensions = [1]
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%sum, %y : tensor<4xf32>, tensor<?xf32>) outs(%e : tensor<4x?xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %1 = arith.mulf %a, %b : f32
    linalg.yield %1 : f32
  } -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}
