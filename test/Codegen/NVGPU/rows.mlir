// RUN: tl-opt %s --tl-nvgpu-pipeline="stage=launches strategy=rows" --split-input-file | FileCheck %s

// A row of 96 elements: 24 pieces of 4 elements, a warp for each; few rows, so a block for each warp.
// The last 8 lanes have nothing that counts. One load, though two operations read the elements.
// CHECK-LABEL: func.func @mean_removed
// CHECK: gpu.launch blocks(%[[ROW:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %c7,
// CHECK-SAME: threads(%[[LANE:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %c32,
// CHECK: %[[BEGIN:.*]] = arith.muli %[[LANE]], %c4
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[BEGIN]], %c96
// CHECK: %[[PIECE:.*]] = arith.minui %[[BEGIN]], %c92
// CHECK: vector.load %{{.*}}[%[[ROW]], %[[PIECE]]] : memref<7x96xf32>, vector<4xf32>
// CHECK-NOT: load
// CHECK-COUNT-4: arith.select %[[INSIDE]]
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK-NOT: gpu.shuffle
// CHECK-NOT: load
// CHECK: scf.if %[[INSIDE]]
// CHECK: vector.store %{{.*}}[%[[ROW]], %[[PIECE]]] : memref<7x96xf32>, vector<4xf32>
#element = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
func.func @mean_removed(%x: tensor<7x96xf32>) -> tensor<7x96xf32>
    attributes {tl.method = "mean_removed", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 96.0 : f32
  %empty = tensor.empty() : tensor<7x96xf32>
  %rows = tensor.empty() : tensor<7xf32>
  %init = linalg.fill ins(%zero : f32) outs(%rows : tensor<7xf32>) -> tensor<7xf32>
  %s = linalg.generic {indexing_maps = [#element, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<7x96xf32>) outs(%init : tensor<7xf32>) {
  ^bb0(%in: f32, %acc: f32):
    %r = arith.addf %acc, %in : f32
    linalg.yield %r : f32
  } -> tensor<7xf32>
  %y = linalg.generic {indexing_maps = [#element, #row, #element], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<7x96xf32>, tensor<7xf32>) outs(%empty : tensor<7x96xf32>) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %m = arith.divf %sum, %n : f32
    %r = arith.subf %in, %m : f32
    linalg.yield %r : f32
  } -> tensor<7x96xf32>
  return %y : tensor<7x96xf32>
}

// -----

// A row of 2048 elements: a block of 4 warps, one exchange of their maxima. The first thread stores.
// CHECK-LABEL: func.func @row_max
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c5,
// CHECK-SAME: threads(%[[T:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %c128,
// CHECK-SAME: dynamic_shared_memory_size %c32_i32
// CHECK-COUNT-4: vector.load
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: memref.store %{{.*}} : memref<4xi32, #gpu.address_space<workgroup>>
// CHECK: gpu.barrier
// CHECK: memref.load %{{.*}} : memref<4xi32, #gpu.address_space<workgroup>>
// CHECK-COUNT-2: gpu.shuffle xor
// CHECK-NOT: gpu.shuffle
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[T]], %c0
// CHECK: scf.if %[[FIRST]]
// CHECK: memref.store %{{.*}} : memref<5xi32>
#element = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
func.func @row_max(%x: tensor<5x2048xi32>) -> tensor<5xi32>
    attributes {tl.method = "row_max", tl.variant = 0 : i64} {
  %low = arith.constant -2147483648 : i32
  %rows = tensor.empty() : tensor<5xi32>
  %init = linalg.fill ins(%low : i32) outs(%rows : tensor<5xi32>) -> tensor<5xi32>
  %m = linalg.generic {indexing_maps = [#element, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<5x2048xi32>) outs(%init : tensor<5xi32>) {
  ^bb0(%in: i32, %acc: i32):
    %r = arith.maxsi %acc, %in : i32
    linalg.yield %r : i32
  } -> tensor<5xi32>
  return %m : tensor<5xi32>
}

// -----

// The number of columns is known at run time only: a loop for each use of them, and no thread leaves
// before the shuffles.
// CHECK-LABEL: func.func @row_sum
// CHECK: gpu.launch
// CHECK: %[[N:.*]] = memref.dim
// CHECK: scf.for %{{.*}} = %c0 to %[[N]] step %c512 iter_args
// CHECK: arith.cmpi ult, %{{.*}}, %[[N]]
// CHECK: scf.yield
// CHECK: gpu.shuffle xor
// CHECK: gpu.barrier
#element = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
func.func @row_sum(%x: tensor<?x?xf32>) -> tensor<?xf32>
    attributes {tl.method = "row_sum", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x?xf32>
  %rows = tensor.empty(%n) : tensor<?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.generic {indexing_maps = [#element, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%in: f32, %acc: f32):
    %r = arith.addf %acc, %in : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  return %s : tensor<?xf32>
}
