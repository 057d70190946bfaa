// The host cannot reach the device's memory.
// RUN: tl-opt %s --tl-lower-runtime=device=true -split-input-file -verify-diagnostics

func.func @load(%x: memref<4xf32>, %i: index) -> f32 {
  // expected-error @below {{the host would access the device's memory here: memref.load is expected to be part of a kernel}}
  %v = memref.load %x[%i] : memref<4xf32>
  return %v : f32
}

// -----

func.func @reshape(%x: memref<?xf32>, %shape: memref<2xindex>) -> memref<?x?xf32> {
  // expected-error @below {{memref.reshape is expected to be part of a kernel}}
  %y = memref.reshape %x(%shape) : (memref<?xf32>, memref<2xindex>) -> memref<?x?xf32>
  return %y : memref<?x?xf32>
}
