// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @sizes() {
  // expected-error @below {{expected 1 sizes, but got 0}}
  %y = tlrt.output 0 : memref<?x3xf32>
  return
}

// -----

func.func @layout() {
  // expected-error @below {{expected a contiguous row-major memref, but got 'memref<4xf32, strided<[2]>>'}}
  %x = tlrt.arg 0 : memref<4xf32, strided<[2]>>
  return
}

// -----

func.func @alignment() {
  // expected-error @below {{expected an offset that is a multiple of 64, but got 4}}
  %w = tlrt.weights 4 : memref<4xf32>
  return
}

// -----

func.func private @body(%begin: index, %end: index)

func.func @operands(%n: index, %x: memref<4xf32>) {
  // expected-error @below {{expected a body of type '(index, index, memref<4xf32>) -> ()', but got '(index, index) -> ()'}}
  tlrt.parallel_for @body to %n (%x : memref<4xf32>)
  return
}
