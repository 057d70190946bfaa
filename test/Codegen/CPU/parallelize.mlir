// RUN: tl-opt %s --tl-cpu-parallelize | FileCheck %s

// CHECK-LABEL: func.func @large
// CHECK: scf.forall (%[[I:.*]]) = (0) to (1024) step (16)
// CHECK: linalg.fill {{.*}} : memref<16x1024xf32
func.func @large(%x: memref<1024x1024xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%x : memref<1024x1024xf32>)
  return
}

// CHECK-LABEL: func.func @small
// CHECK-NOT: scf.forall
// CHECK: linalg.fill
func.func @small(%x: memref<16x16xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%x : memref<16x16xf32>)
  return
}

// The program decides.
// CHECK-LABEL: func.func @dynamic
// CHECK: %[[LARGE:.*]] = arith.cmpi sge
// CHECK: scf.if %[[LARGE]]
// CHECK: scf.forall
// CHECK: } else {
// CHECK-NEXT: linalg.fill
func.func @dynamic(%x: memref<?x3xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%x : memref<?x3xf32>)
  return
}
