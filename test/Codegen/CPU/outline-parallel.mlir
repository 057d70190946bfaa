// RUN: tl-opt %s --tl-cpu-outline-parallel | FileCheck %s

// CHECK-LABEL: func.func @two_dimensions(
// CHECK-SAME: %[[X:.*]]: memref<8x4xf32>, %[[V:.*]]: f32)
// CHECK: %[[COUNT:.*]] = arith.constant 32 : index
// CHECK: tlrt.parallel_for @two_dimensions_parallel to %[[COUNT]]
// CHECK-NOT: scf.forall
func.func @two_dimensions(%x: memref<8x4xf32>, %v: f32) {
  %two = arith.constant 2.0 : f32
  scf.forall (%i, %j) in (8, 4) {
    %w = arith.mulf %v, %two : f32
    memref.store %w, %x[%i, %j] : memref<8x4xf32>
  }
  return
}

// The constant is made again, the value of the argument is handed over.
// CHECK-LABEL: func.func private @two_dimensions_parallel(
// CHECK-SAME: %[[BEGIN:.*]]: index, %[[END:.*]]: index
// CHECK-DAG: arith.constant 2.000000e+00 : f32
// CHECK: scf.for %[[N:.*]] = %[[BEGIN]] to %[[END]]
// CHECK: %[[J:.*]] = arith.remui %[[N]]
// CHECK: %[[I:.*]] = arith.divui %[[N]]
// CHECK: memref.store

// CHECK-LABEL: func.func @raises
// CHECK: scf.forall
func.func @raises(%ok: i1) {
  scf.forall (%i) in (8) {
    tl.check %ok, "wrong"
  }
  return
}
