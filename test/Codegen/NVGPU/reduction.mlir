// RUN: tl-opt %s --tl-nvgpu-pipeline="stage=launches" --split-input-file | FileCheck %s
// RUN: tl-opt %s --tl-nvgpu-pipeline="stage=launches report=true" --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=REPORT

// Columns: 32 results per block, 16 warps that share the reduction, added up in shared memory. The last
// two are added by one warp, which computes what is around it, and stores.
// CHECK-LABEL: func.func @column_means
// CHECK: gpu.launch blocks({{[^)]*}}) in (%{{[a-z0-9]+}} = %c2,
// CHECK-SAME: threads(%[[T:.*]], %{{.*}}, %{{.*}}) in (%{{[a-z0-9]+}} = %c512,
// CHECK: %[[COLUMN:.*]] = arith.remui %[[T]], %c32
// CHECK: %[[SHARER:.*]] = arith.divui %[[T]], %c32
// CHECK-COUNT-4: memref.load %{{.*}} : memref<100x64xf32>
// CHECK: memref.store %{{.*}}[%[[T]]] : memref<512xf32, #gpu.address_space<workgroup>>
// CHECK-COUNT-4: gpu.barrier
// CHECK-NOT: gpu.barrier
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[SHARER]], %c0
// CHECK: scf.if %[[FIRST]]
// CHECK-COUNT-2: memref.load %{{.*}} : memref<512xf32, #gpu.address_space<workgroup>>
// CHECK: arith.divf
// CHECK: memref.store %{{.*}} : memref<64xf32>
// REPORT: kernel 'generic' by strategy 'reduction'
func.func @column_means(%x: tensor<100x64xf32>) -> tensor<64xf32>
    attributes {tl.method = "column_means", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 100.0 : f32
  %empty = tensor.empty() : tensor<64xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<64xf32>) -> tensor<64xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>],
                       iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<100x64xf32>) outs(%init : tensor<64xf32>) {
  ^bb0(%in: f32, %acc: f32):
    %r = arith.addf %acc, %in : f32
    linalg.yield %r : f32
  } -> tensor<64xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(j) -> (j)>, affine_map<(j) -> (j)>],
                       iterator_types = ["parallel"]}
      ins(%s : tensor<64xf32>) outs(%empty : tensor<64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = arith.divf %in, %n : f32
    linalg.yield %r : f32
  } -> tensor<64xf32>
  return %m : tensor<64xf32>
}

// -----

// Lanes: all elements of one result, by a block of 1024 threads.
// CHECK-LABEL: func.func @all_of
// CHECK: gpu.launch blocks({{[^)]*}}) in (%{{[a-z0-9]+}} = %c1,
// CHECK-SAME: threads({{[^)]*}}) in (%{{[a-z0-9]+}} = %c1024,
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: gpu.barrier
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK-NOT: gpu.shuffle
// CHECK: memref.store %{{.*}} : memref<i1>
// REPORT: kernel 'generic' by strategy 'reduction'
func.func @all_of(%x: tensor<300x64xi1>) -> tensor<i1>
    attributes {tl.method = "all_of", tl.variant = 0 : i64} {
  %true = arith.constant true
  %empty = tensor.empty() : tensor<i1>
  %init = linalg.fill ins(%true : i1) outs(%empty : tensor<i1>) -> tensor<i1>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>],
                       iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<300x64xi1>) outs(%init : tensor<i1>) {
  ^bb0(%in: i1, %acc: i1):
    %r = arith.andi %acc, %in : i1
    linalg.yield %r : i1
  } -> tensor<i1>
  return %s : tensor<i1>
}

// -----

// The first of the greatest: of two threads' best, the greater one, else the one that comes first.
// CHECK-LABEL: func.func @first_max
// CHECK: %[[OTHER:.*]], %{{.*}} = gpu.shuffle xor %[[MINE:[0-9]+]], %{{.*}} : f32
// CHECK: %[[PLACE:.*]], %{{.*}} = gpu.shuffle xor %[[MYPLACE:[0-9]+]], %{{.*}} : i64
// CHECK: arith.cmpf ogt, %[[OTHER]], %[[MINE]]
// CHECK: arith.cmpf ogt, %[[MINE]], %[[OTHER]]
// CHECK: arith.cmpi slt, %[[PLACE]], %[[MYPLACE]]
// REPORT: kernel 'generic' by strategy 'rows'
func.func @first_max(%x: tensor<64x100xf32>, %low: tensor<64xf32>, %zero: tensor<64xi64>) -> tensor<64xi64>
    attributes {tl.method = "first_max", tl.variant = 0 : i64} {
  %r:2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>,
                                          affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<64x100xf32>) outs(%low, %zero : tensor<64xf32>, tensor<64xi64>) {
  ^bb0(%in: f32, %best: f32, %where: i64):
    %c = arith.cmpf ogt, %in, %best : f32
    %j = linalg.index 1 : index
    %n = arith.index_cast %j : index to i64
    %b = arith.select %c, %in, %best : f32
    %w = arith.select %c, %n, %where : i64
    linalg.yield %b, %w : f32, i64
  } -> (tensor<64xf32>, tensor<64xi64>)
  return %r#1 : tensor<64xi64>
}

// -----

// The last of the greatest, an order that is not known: threads do not share results.
// REPORT: kernel 'generic' by strategy 'generic'
// REPORT-SAME: reduction: expected a reduction by operations that may be applied in any order
func.func @last_max(%x: tensor<100x64xf32>, %low: tensor<64xf32>, %zero: tensor<64xi64>) -> tensor<64xi64>
    attributes {tl.method = "last_max", tl.variant = 0 : i64} {
  %r:2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                                          affine_map<(i, j) -> (j)>],
                         iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<100x64xf32>) outs(%low, %zero : tensor<64xf32>, tensor<64xi64>) {
  ^bb0(%in: f32, %best: f32, %where: i64):
    %c = arith.cmpf oge, %in, %best : f32
    %j = linalg.index 0 : index
    %n = arith.index_cast %j : index to i64
    %b = arith.select %c, %in, %best : f32
    %w = arith.select %c, %n, %where : i64
    linalg.yield %b, %w : f32, i64
  } -> (tensor<64xf32>, tensor<64xi64>)
  return %r#1 : tensor<64xi64>
}
