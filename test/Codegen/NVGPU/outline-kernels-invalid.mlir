// RUN: tl-opt %s --tl-nvgpu-outline-kernels -verify-diagnostics

func.func @vector(%x: memref<4xf32>, %v: vector<4xf32>) {
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected kernels to use buffers and scalars, but got 'vector<4xf32>'}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    vector.store %v, %x[%bx] : memref<4xf32>, vector<4xf32>
    gpu.terminator
  }
  return
}
