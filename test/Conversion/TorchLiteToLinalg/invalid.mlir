// RUN: tl-opt %s --convert-tl-to-linalg -split-input-file -verify-diagnostics

func.func @complex(%x: tensor<4xf32>) -> tensor<4xcomplex<f32>> {
  // expected-error @+2 {{expected real numbers, but got 'complex<f32>'}}
  // expected-error @+1 {{failed to legalize operation 'tl.cast'}}
  %0 = tl.cast %x : tensor<4xf32> to tensor<4xcomplex<f32>>
  return %0 : tensor<4xcomplex<f32>>
}

// -----

func.func @as_written(%x: !tl.tensor) {
  // expected-error @+1 {{failed to legalize operation 'tl.aten'}}
  %0 = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  return
}
