// RUN: tl-opt %s --convert-tl-to-linalg --split-input-file | FileCheck %s

// CHECK-LABEL: func @take
// CHECK-SAME: %[[X:.*]]: tensor<10x4xf32>, %[[I:.*]]: tensor<2x?xi64>
func.func @take(%x: tensor<10x4xf32>, %i: tensor<2x?xi64>) -> tensor<2x?x4xf32> {
  // CHECK: %[[ALL:.*]] = linalg.generic {{.*}} ["reduction", "reduction"]} ins(%[[I]] : tensor<2x?xi64>) outs(%{{.*}} : tensor<i1>)
  // CHECK: arith.cmpi ult
  // CHECK: %[[OK:.*]] = tensor.extract %[[ALL]][] : tensor<i1>
  // CHECK: tl.check %[[OK]], "IndexError: index out of range in self"
  // CHECK: linalg.generic {{.*}} ["parallel", "parallel", "parallel"]} ins(%[[I]]
  // CHECK: %[[ROW:.*]] = arith.index_cast
  // CHECK: %[[COLUMN:.*]] = linalg.index 2
  // CHECK: tensor.extract %[[X]][%[[ROW]], %[[COLUMN]]]
  %0 = tl.take %x, %i dim 0 : tensor<10x4xf32>, tensor<2x?xi64> -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}

// -----

// CHECK-LABEL: func @gather
// CHECK-SAME: %[[X:.*]]: tensor<4x10xi8>
func.func @gather(%x: tensor<4x10xui8>, %i: tensor<3x2xi64>) -> tensor<3x2xui8> {
  // CHECK: tl.check
  // CHECK: linalg.index 0
  // CHECK: tensor.extract %[[X]]
  %0 = tl.gather %x, %i dim 1 : tensor<4x10xui8>, tensor<3x2xi64> -> tensor<3x2xui8>
  return %0 : tensor<3x2xui8>
}

// -----

// CHECK-LABEL: func @put
// CHECK-SAME: %[[X:.*]]: tensor<10x4xf16>, %[[I:.*]]: tensor<3xi64>, %[[S:.*]]: tensor<3x4xf16>
func.func @put(%x: tensor<10x4xf16>, %i: tensor<3xi64>, %s: tensor<3x4xf16>) -> tensor<10x4xf16> {
  // CHECK: tl.check
  // CHECK: scf.for %[[A:.*]] = {{.*}} iter_args(%{{.*}} = %[[X]])
  // CHECK: scf.for %[[B:.*]] = {{.*}} iter_args(%[[C:.*]] = %{{.*}})
  // CHECK: %[[INDEX:.*]] = tensor.extract %[[I]][%[[A]]]
  // CHECK: %[[ROW:.*]] = arith.index_cast %[[INDEX]]
  // CHECK: tensor.extract %[[S]][%[[A]], %[[B]]]
  // CHECK: tensor.extract %[[C]][%[[ROW]], %[[B]]]
  // CHECK: arith.addf {{.*}} : f32
  // CHECK: tensor.insert %{{.*}} into %[[C]][%[[ROW]], %[[B]]]
  %0 = tl.put %x, %i, %s dim 0 accumulate
     : tensor<10x4xf16>, tensor<3xi64>, tensor<3x4xf16> -> tensor<10x4xf16>
  return %0 : tensor<10x4xf16>
}

// -----

// CHECK-LABEL: func @scatter
func.func @scatter(%x: tensor<10xui8>, %i: tensor<3xi64>, %s: tensor<4xui8>) -> tensor<10xui8> {
  // CHECK: tl.check
  // CHECK: scf.for
  // CHECK: arith.maxui
  // CHECK: tensor.insert
  %0 = tl.scatter amax %x, %i, %s dim 0
     : tensor<10xui8>, tensor<3xi64>, tensor<4xui8> -> tensor<10xui8>
  return %0 : tensor<10xui8>
}

// -----

// CHECK-LABEL: func @sort
// CHECK-SAME: %[[X:.*]]: tensor<4x?xf32>
func.func @sort(%x: tensor<4x?xf32>) -> (tensor<4x?xf32>, tensor<4x?xi64>) {
  // CHECK: %[[INDICES:.*]] = tlrt.argsort dim 1 descending ins(%[[X]] : tensor<4x?xf32>)
  // CHECK: linalg.generic {{.*}} ins(%[[INDICES]]
  // CHECK: tensor.extract %[[X]]
  %0, %1 = tl.sort %x dim 1 descending : tensor<4x?xf32> -> tensor<4x?xf32>, tensor<4x?xi64>
  return %0, %1 : tensor<4x?xf32>, tensor<4x?xi64>
}

// -----

// CHECK-LABEL: func @nonzero
func.func @nonzero(%x: tensor<4x?xf32>) -> tensor<?x2xi64> {
  // CHECK: linalg.generic {{.*}} ["reduction", "reduction"]
  // CHECK: arith.cmpf une
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%{{.*}}) : tensor<?x2xi64>
  // CHECK: tlrt.nonzero ins(%{{.*}} : tensor<4x?xf32>) outs(%[[EMPTY]] : tensor<?x2xi64>)
  %0 = tl.nonzero %x : tensor<4x?xf32> -> tensor<?x2xi64>
  return %0 : tensor<?x2xi64>
}
