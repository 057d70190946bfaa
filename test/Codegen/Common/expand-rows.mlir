// RUN: tl-opt %s --tl-expand-rows | FileCheck %s

// CHECK-LABEL: func.func @cumsum
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>
func.func @cumsum(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: scf.for %[[I:.*]] = %c0 to %c8 step %c1 iter_args(%[[RUNNING:.*]] = %{{.*}}, %[[R:.*]] = %{{.*}}) -> (tensor<4xf64>, tensor<4x8xf32>)
  // CHECK:   %[[S:.*]] = tensor.extract_slice %[[X]][0, %[[I]]] [4, 1] [1, 1] : tensor<4x8xf32> to tensor<4xf32>
  // CHECK:   %[[NEXT:.*]] = linalg.generic {{.*}} ins(%[[S]] : tensor<4xf32>) outs(%[[RUNNING]] : tensor<4xf64>)
  // CHECK:     arith.extf
  // CHECK:     arith.addf
  // CHECK:   %[[ROUNDED:.*]] = linalg.generic {{.*}} ins(%[[NEXT]] : tensor<4xf64>)
  // CHECK:   %[[INSERTED:.*]] = tensor.insert_slice %[[ROUNDED]] into %[[R]][0, %[[I]]] [4, 1] [1, 1]
  // CHECK:   scf.yield %[[NEXT]], %[[INSERTED]]
  %empty = tensor.empty() : tensor<4x8xf32>
  %0 = tlrt.scan addf dim 1 in f64 ins(%x : tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>)
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @sort
func.func @sort(%x: tensor<4x?xf32>, %empty: tensor<4x?xi64>) -> tensor<4x?xi64> {
  // CHECK: scf.for
  // CHECK: scf.while
  // CHECK: arith.cmpf ult
  // CHECK: arith.cmpf ord
  // CHECK: linalg.copy
  // CHECK: tensor.insert_slice
  // CHECK-NOT: tlrt.argsort
  %0 = tlrt.argsort dim 1 descending ins(%x : tensor<4x?xf32>) outs(%empty : tensor<4x?xi64>)
  return %0 : tensor<4x?xi64>
}

// A single row; unsigned integers.

// CHECK-LABEL: func.func @row
func.func @row(%x: tensor<9xi8>, %empty: tensor<9xi64>) -> tensor<9xi64> {
  // CHECK: arith.cmpi ult
  // CHECK: tensor.insert_slice {{.*}} : tensor<9xi64> into tensor<9xi64>
  %0 = tlrt.argsort dim 0 unsigned ins(%x : tensor<9xi8>) outs(%empty : tensor<9xi64>)
  return %0 : tensor<9xi64>
}

// Rows without elements.

// CHECK-LABEL: func.func @empty
// CHECK-SAME: %[[SORT:[^:]*]]: tensor<?x0xi64>, %[[SCAN:[^:]*]]: tensor<?x0xf32>)
func.func @empty(%x: tensor<?x0xf32>, %sort: tensor<?x0xi64>, %scan: tensor<?x0xf32>)
    -> (tensor<?x0xi64>, tensor<?x0xf32>) {
  // CHECK-NEXT: return %[[SORT]], %[[SCAN]]
  %0 = tlrt.argsort dim 1 ins(%x : tensor<?x0xf32>) outs(%sort : tensor<?x0xi64>)
  %1 = tlrt.scan addf dim 1 in f32 ins(%x : tensor<?x0xf32>) outs(%scan : tensor<?x0xf32>)
  return %0, %1 : tensor<?x0xi64>, tensor<?x0xf32>
}

// CHECK-LABEL: func.func @nonzero
// CHECK-SAME: %{{.*}}: tensor<4x?xf32>, %[[EMPTY:.*]]: tensor<?x2xi64>
func.func @nonzero(%x: tensor<4x?xf32>, %empty: tensor<?x2xi64>) -> tensor<?x2xi64> {
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[EMPTY]], %{{.*}})
  // CHECK: arith.cmpf une
  // CHECK: scf.if
  // CHECK-COUNT-2: tensor.insert
  %0 = tlrt.nonzero ins(%x : tensor<4x?xf32>) outs(%empty : tensor<?x2xi64>)
  return %0 : tensor<?x2xi64>
}
