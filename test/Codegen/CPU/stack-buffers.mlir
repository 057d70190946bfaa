// RUN: tl-opt %s --tl-cpu-stack-buffers | FileCheck %s

// CHECK-LABEL: func.func @loop
// CHECK: memref.alloca() : memref<2xindex>
// CHECK: scf.for
// CHECK-NOT: memref.alloca
// The list is freed where it is made, the other buffer is not, the last is too large.
// CHECK: memref.alloc() : memref<3xindex>
// CHECK: memref.alloc() : memref<1024xindex>
func.func @loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %a = memref.alloc() : memref<2xindex>
    %b = memref.alloc() : memref<3xindex>
    %c = memref.alloc() : memref<1024xindex>
    memref.store %i, %a[%c0] : memref<2xindex>
    memref.dealloc %c : memref<1024xindex>
    memref.dealloc %a : memref<2xindex>
  }
  return
}
