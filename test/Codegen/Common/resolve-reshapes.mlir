// Sizes of reshapes come from values: nothing is stored, nothing read.
// RUN: tl-opt %s --pass-pipeline='builtin.module(func.func(tl-resolve-reshapes))' -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @values
// CHECK-SAME: %[[X:.*]]: memref<?xf32>, %[[N:.*]]: index, %[[M:.*]]: index
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.store
// CHECK: %[[ROW:.*]] = arith.muli %{{.*}}, %[[M]]
// CHECK: %[[VIEW:.*]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [%[[N]], %[[M]], 2], strides: [%[[ROW]], 2, 1] : memref<?xf32> to memref<?x?x2xf32>
// CHECK: return %[[VIEW]]
func.func @values(%x: memref<?xf32>, %n: index, %m: index) -> memref<?x?x2xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %shape = memref.alloc() : memref<3xindex>
  memref.store %n, %shape[%c0] : memref<3xindex>
  memref.store %m, %shape[%c1] : memref<3xindex>
  memref.store %c2, %shape[%c2] : memref<3xindex>
  %y = memref.reshape %x(%shape) : (memref<?xf32>, memref<3xindex>) -> memref<?x?x2xf32>
  return %y : memref<?x?x2xf32>
}

// -----

// CHECK-LABEL: func.func @constant
// CHECK-NEXT: %[[VIEW:.*]] = memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [5, 8, 4], strides: [32, 4, 1] : memref<10x16xf32> to memref<5x?x?xf32>
memref.global "private" constant @sizes : memref<3xindex> = dense<[5, 8, 4]>
func.func @constant(%x: memref<10x16xf32>) -> memref<5x?x?xf32> {
  %shape = memref.get_global @sizes : memref<3xindex>
  %y = memref.reshape %x(%shape) : (memref<10x16xf32>, memref<3xindex>) -> memref<5x?x?xf32>
  return %y : memref<5x?x?xf32>
}

// -----

// The sizes may be stored in front of the region that the reader is in.
// CHECK-LABEL: func.func @behind
// CHECK-NOT: memref.alloc
// CHECK: scf.if
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [%{{.*}}, 2], strides: [2, 1] : memref<?xf32> to memref<?x2xf32>
func.func @behind(%x: memref<?xf32>, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %shape = memref.alloc() : memref<2xindex>
  memref.store %n, %shape[%c0] : memref<2xindex>
  memref.store %c2, %shape[%c1] : memref<2xindex>
  scf.if %c {
    %y = memref.reshape %x(%shape) : (memref<?xf32>, memref<2xindex>) -> memref<?x2xf32>
    func.call @use(%y) : (memref<?x2xf32>) -> ()
  }
  return
}
func.func private @use(memref<?x2xf32>)

// -----

// A buffer that is written twice, or elsewhere, is read as it is.
// CHECK-LABEL: func.func @unknown
// CHECK: memref.reshape
// CHECK-LABEL: func.func @twice
// CHECK: memref.reshape
func.func @unknown(%x: memref<?xf32>, %shape: memref<2xindex>) -> memref<?x?xf32> {
  %y = memref.reshape %x(%shape) : (memref<?xf32>, memref<2xindex>) -> memref<?x?xf32>
  return %y : memref<?x?xf32>
}
func.func @twice(%x: memref<?xf32>, %n: index) -> memref<?xf32> {
  %c0 = arith.constant 0 : index
  %shape = memref.alloc() : memref<1xindex>
  memref.store %n, %shape[%c0] : memref<1xindex>
  memref.store %n, %shape[%c0] : memref<1xindex>
  %y = memref.reshape %x(%shape) : (memref<?xf32>, memref<1xindex>) -> memref<?xf32>
  return %y : memref<?xf32>
}
