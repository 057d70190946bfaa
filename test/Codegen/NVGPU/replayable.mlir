// Which functions the runtime may record: those with static shapes, also where they take scalars or
// read values back.
// RUN: tl-opt %s --pass-pipeline='builtin.module(func.func(tl-nvgpu-bind-device))' | FileCheck %s

// CHECK-LABEL: func.func @static
// CHECK-SAME: tl.replayable
func.func @static() attributes {tl.method = "static"} {
  %x = tlrt.arg 0 : memref<4xf32>
  %n = tlrt.arg 1 : i64
  %y = tlrt.output 0 : memref<4xf32>
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  %c0 = arith.constant 0 : index
  // CHECK: tlrt.read
  %value = memref.load %x[%c0] : memref<4xf32>
  %wide = arith.extf %value : f32 to f64
  tlrt.result 1 = %wide : f64
  return
}

// CHECK-LABEL: func.func @argument
// CHECK-NOT: tl.replayable
func.func @argument() attributes {tl.method = "argument"} {
  %x = tlrt.arg 0 : memref<?xf32>
  return
}

// CHECK-LABEL: func.func @output
// CHECK-NOT: tl.replayable
func.func @output() attributes {tl.method = "output"} {
  %i = tlrt.arg 0 : i64
  %n = arith.index_cast %i : i64 to index
  %y = tlrt.output 0 [%n] : memref<?xf32>
  return
}

// CHECK-LABEL: func.func @memory
// CHECK-NOT: tl.replayable
func.func @memory() attributes {tl.method = "memory"} {
  %y = memref.alloc() : memref<4xf32>
  memref.dealloc %y : memref<4xf32>
  return
}
