// RUN: tl-opt %s --pass-pipeline='builtin.module(func.func(tl-expand-matrices{target=avx2}))' | FileCheck %s

// One matrix: a row after the other, four vectors of it, then one, then what is left.
// CHECK-LABEL: func @solve
func.func @solve(%a: memref<1x3x3xf32>, %b: memref<1x3x?xf32>) {
  // CHECK: scf.for
  // CHECK: vector.load {{.*}} vector<32xf32>
  // CHECK: vector.load {{.*}} vector<8xf32>
  // CHECK: vector.maskedload {{.*}} vector<8xf32>
  tlrt.matrices triangular_solve ins(%a : memref<1x3x3xf32>) outs(%b : memref<1x3x?xf32>)
  return
}

// A batch with too little work for threads.
// CHECK-LABEL: func @small
func.func @small(%a: memref<64x8x8xf64>, %i: memref<64xi32>) {
  // CHECK-NOT: scf.forall
  // CHECK: scf.for %{{.*}} = %c0{{.*}} to %c64
  tlrt.matrices cholesky outs(%a, %i : memref<64x8x8xf64>, memref<64xi32>)
  return
}

// CHECK-LABEL: func @large
func.func @large(%a: memref<?x?x?xf64>, %i: memref<?xi32>) {
  // CHECK: scf.forall
  tlrt.matrices cholesky outs(%a, %i : memref<?x?x?xf64>, memref<?xi32>)
  return
}
