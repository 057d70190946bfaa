// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=gpu strategy=elementwise" | FileCheck %s

// Every operand has the form of the result: one dimension, whatever the sizes are; the rest is done
// one by one.

// CHECK-LABEL: gpu.func @generic
// CHECK-SAME: (%[[X:[a-z0-9]*]]: memref<f32>, %[[Y:[a-z0-9]*]]: memref<f32>, %[[Z:[a-z0-9]*]]: memref<f32>)
// CHECK-NOT: remui
// CHECK: scf.if
// CHECK: vector.load %{{.*}} : memref<105xf32{{.*}}>, vector<4xf32>
// CHECK: vector.load %{{.*}} : memref<105xf32{{.*}}>, vector<4xf32>
// CHECK-COUNT-4: arith.addf
// CHECK: vector.store %{{.*}} : memref<105xf32{{.*}}>, vector<4xf32>
// CHECK: } else {
// CHECK: scf.for
// CHECK: arith.addf
// CHECK: memref.store
#id = affine_map<(i, j, k) -> (i, j, k)>
func.func @flat(%x: tensor<3x5x7xf32>, %y: tensor<3x5x7xf32>) -> tensor<3x5x7xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<3x5x7xf32>
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %y : tensor<3x5x7xf32>, tensor<3x5x7xf32>) outs(%empty : tensor<3x5x7xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x5x7xf32>
  return %r : tensor<3x5x7xf32>
}

// -----

// Of a dynamic size: sixteen booleans, which are bytes, for two vectors of f16.

// CHECK-LABEL: gpu.func @generic
// CHECK: vector.load %{{.*}} : memref<?xf16{{.*}}>, vector<8xf16>
// CHECK-COUNT-16: arith.cmpf
// CHECK: llvm.store %{{.*}} {alignment = 16 : i64} : vector<16xi8>, !llvm.ptr
// CHECK: scf.for
#id = affine_map<(i, j) -> (i, j)>
func.func @dynamic(%x: tensor<?x?xf16>) -> tensor<?x?xi1> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f16
  %m = tensor.dim %x, %c0 : tensor<?x?xf16>
  %n = tensor.dim %x, %c1 : tensor<?x?xf16>
  %empty = tensor.empty(%m, %n) : tensor<?x?xi1>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf16>) outs(%empty : tensor<?x?xi1>) {
  ^bb0(%a: f16, %out: i1):
    %s = arith.cmpf ogt, %a, %zero : f16
    linalg.yield %s : i1
  } -> tensor<?x?xi1>
  return %r : tensor<?x?xi1>
}

// -----

// A row and a column are broadcast: the row is read as a vector, the column's element once.

// CHECK-LABEL: gpu.func @generic
// CHECK: arith.remui %{{.*}} : i32
// CHECK-DAG: vector.load %{{.*}} : memref<{{.*}}>, vector<4xf32>
// CHECK-DAG: vector.load %{{.*}} : memref<12xf32{{.*}}>, vector<4xf32>
// CHECK: memref.load %{{.*}} : memref<6xf32{{.*}}>
// CHECK-NOT: memref.load
// CHECK: vector.store
#id = affine_map<(i, j) -> (i, j)>
func.func @broadcast(%x: tensor<6x12xf32>, %row: tensor<12xf32>, %column: tensor<6xf32>) -> tensor<6x12xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<6x12xf32>
  %r = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i)>, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %row, %column : tensor<6x12xf32>, tensor<12xf32>, tensor<6xf32>) outs(%empty : tensor<6x12xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %out: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %m, %c : f32
    linalg.yield %s : f32
  } -> tensor<6x12xf32>
  return %r : tensor<6x12xf32>
}

// -----

// An embedding: the index is read once, the row as vectors.

// CHECK-LABEL: gpu.func @generic
// CHECK: %[[AT:.*]] = memref.load %{{.*}} : memref<10xi64{{.*}}>
// CHECK: %[[ROW:.*]] = arith.index_cast %[[AT]] : i64 to index
// CHECK: vector.load %{{.*}}[%[[ROW]], %{{.*}}] : memref<100x64xf32{{.*}}>, vector<4xf32>
// CHECK-NOT: memref.load
// CHECK: vector.store
func.func @gather(%table: tensor<100x64xf32>, %indices: tensor<10xi64>) -> tensor<10x64xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<10x64xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%indices : tensor<10xi64>) outs(%empty : tensor<10x64xf32>) {
  ^bb0(%i: i64, %out: f32):
    %row = arith.index_cast %i : i64 to index
    %column = linalg.index 1 : index
    %v = tensor.extract %table[%row, %column] : tensor<100x64xf32>
    linalg.yield %v : f32
  } -> tensor<10x64xf32>
  return %r : tensor<10x64xf32>
}

// -----

// Padding of other dimensions than the last: one branch, vectors in it.

// CHECK-LABEL: gpu.func @pad
// CHECK: %[[R:.*]]:4 = scf.if %{{.*}} -> (f32, f32, f32, f32) {
// CHECK: vector.load %{{.*}} : memref<1x6x6x8xf32{{.*}}>, vector<4xf32>
// CHECK: vector.store
func.func @pad(%x: tensor<1x6x6x8xf32>) -> tensor<1x8x8x8xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %r = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x6x6x8xf32> to tensor<1x8x8x8xf32>
  return %r : tensor<1x8x8x8xf32>
}

// -----

// Concatenation: parts of a result, strides and offsets keep the alignment of 16 bytes.

// CHECK-LABEL: gpu.func @generic
// CHECK: vector.load %{{.*}} : memref<128xf32{{.*}}>, vector<4xf32>
// CHECK: vector.store %{{.*}} : memref<8x16xf32, strided<[24, 1]>>, vector<4xf32>
// CHECK-LABEL: gpu.func @generic_0
// CHECK: vector.store %{{.*}} : memref<8x8xf32, strided<[24, 1], offset: 16>>, vector<4xf32>
#id = affine_map<(i, j) -> (i, j)>
func.func @concat(%x: tensor<8x16xf32>, %y: tensor<8x8xf32>) -> tensor<8x24xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %empty = tensor.empty() : tensor<8x24xf32>
  %e0 = tensor.empty() : tensor<8x16xf32>
  %e1 = tensor.empty() : tensor<8x8xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) {
  ^bb0(%v: f32, %out: f32):
    %s = math.tanh %v : f32
    linalg.yield %s : f32
  } -> tensor<8x16xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<8x8xf32>) outs(%e1 : tensor<8x8xf32>) {
  ^bb0(%v: f32, %out: f32):
    %s = math.exp %v : f32
    linalg.yield %s : f32
  } -> tensor<8x8xf32>
  %0 = tensor.insert_slice %a into %empty[0, 0] [8, 16] [1, 1] : tensor<8x16xf32> into tensor<8x24xf32>
  %1 = tensor.insert_slice %b into %0[0, 16] [8, 8] [1, 1] : tensor<8x8xf32> into tensor<8x24xf32>
  return %1 : tensor<8x24xf32>
}
