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

// A length that is known: steps of 4 and 2 with vectors of the columns, no search for factors.
// CHECK-LABEL: func @fourier
func.func @fourier(%t: memref<2x8xf32>, %a: memref<1x8x8xf32>, %b: memref<1x8x8xf32>, %c: memref<1x8x8xf32>, %d: memref<1x8x8xf32>) {
  // CHECK-NOT: scf.while
  // CHECK: vector.load %arg1{{.*}} vector<8xf32>
  // CHECK: vector.store {{.*}}%arg3
  // CHECK: vector.load %arg3
  // CHECK: vector.store {{.*}}%arg1
  // CHECK: return
  tlrt.matrices fourier ins(%t : memref<2x8xf32>) outs(%a, %b, %c, %d : memref<1x8x8xf32>, memref<1x8x8xf32>, memref<1x8x8xf32>, memref<1x8x8xf32>)
  return
}

// CHECK-LABEL: func @any_length
func.func @any_length(%t: memref<2x?xf64>, %a: memref<1x?x?xf64>, %b: memref<1x?x?xf64>, %c: memref<1x?x?xf64>, %d: memref<1x?x?xf64>) {
  // CHECK: scf.while
  tlrt.matrices fourier ins(%t : memref<2x?xf64>) outs(%a, %b, %c, %d : memref<1x?x?xf64>, memref<1x?x?xf64>, memref<1x?x?xf64>, memref<1x?x?xf64>)
  return
}
