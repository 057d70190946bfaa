// RUN: tl-opt %s --tl-verify-buffers -split-input-file -verify-diagnostics

// The second result was made in the first one's buffer, which gets its own value before it is read.
func.func @overwritten(%x: memref<4xf32>, %y: memref<4xf32>) {
  // expected-error @below {{'tlrt.output' op holds result 0 and, before, another value that is still used}}
  %first = tlrt.output 0 : memref<4xf32>
  %second = tlrt.output 1 : memref<4xf32>
  %alloc = memref.alloc() : memref<4xf32>
  linalg.square ins(%x : memref<4xf32>) outs(%alloc : memref<4xf32>)
  linalg.square ins(%y : memref<4xf32>) outs(%first : memref<4xf32>)
  // expected-note @below {{the result is copied here}}
  memref.copy %alloc, %first : memref<4xf32> to memref<4xf32>
  // expected-note @below {{used here}}
  memref.copy %first, %second : memref<4xf32> to memref<4xf32>
  return
}

// -----

// The same through a view that a loop carries.
func.func @carried(%x: memref<4xf32>, %n: index) {
  // expected-error @below {{'tlrt.output' op holds result 0 and, before, another value that is still used}}
  %first = tlrt.output 0 : memref<4xf32>
  %second = tlrt.output 1 : memref<1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %view = memref.cast %first : memref<4xf32> to memref<?xf32>
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%a = %view) -> memref<?xf32> {
    scf.yield %a : memref<?xf32>
  }
  // expected-note @below {{the result is copied here}}
  memref.copy %x, %first : memref<4xf32> to memref<4xf32>
  // expected-note @below {{used here}}
  %value = memref.load %last[%c0] : memref<?xf32>
  memref.store %value, %second[%c0] : memref<1xf32>
  return
}

// -----

func.func @unwritten(%x: memref<4xf32>) {
  // expected-error @below {{'tlrt.output' op expected result 0 to be written}}
  %first = tlrt.output 0 : memref<4xf32>
  memref.copy %first, %first : memref<4xf32> to memref<4xf32>
  return
}
