// RUN: tl-opt %s --split-input-file --verify-diagnostics

func.func @parts(%x: tensor<4xf32>, %y: tensor<4xf64>) {
  // expected-error @+2 {{expected parts of one element type}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = tl.complex %x, %y : tensor<4xf32>, tensor<4xf64> -> tensor<4xcomplex<f32>>
  return
}

// -----

func.func @real(%x: tensor<4xf32>) {
  // expected-error @+1 {{complex}}
  %0 = tl.real %x : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @table(%a: tensor<2x6x8xf32>, %t: tensor<2x5xf32>) {
  // expected-error @+2 {{expected a table of two rows of 6 numbers}}
  // expected-error @+1 {{failed to infer returned types}}
  %re, %im = tl.fourier %a, %a, %t : tensor<2x6x8xf32>, tensor<2x6x8xf32>, tensor<2x5xf32> -> tensor<2x6x8xf32>, tensor<2x6x8xf32>
  return
}

// -----

func.func @columns(%a: tensor<2x6x8xf32>, %b: tensor<2x6x7xf32>, %t: tensor<2x6xf32>) {
  // expected-error @+2 {{expected as many columns}}
  // expected-error @+1 {{failed to infer returned types}}
  %re, %im = tl.fourier %a, %b, %t : tensor<2x6x8xf32>, tensor<2x6x7xf32>, tensor<2x6xf32> -> tensor<2x6x8xf32>, tensor<2x6x8xf32>
  return
}
