// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected a dimension from 0 to 1, but got -1}}
  %0 = tl.reduce sum %x [-1] : tensor<4x3xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected integers or i1 for and, but got 'f32'}}
  %0 = tl.reduce and %x [1] : tensor<4x3xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xi1>) {
  // expected-error @+1 {{expected numbers for sum, but got 'i1'}}
  %0 = tl.reduce sum %x [1] : tensor<4x3xi1> -> tensor<4xi1>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{inferred type(s) 'tensor<4xf32>' are incompatible with return type(s) of operation 'tensor<4x1xf32>'}}
  %0 = tl.reduce sum %x [1] : tensor<4x3xf32> -> tensor<4x1xf32>
  return
}

// -----

func.func @f(%x: tensor<4x0xf32>) {
  // expected-error @+1 {{expected a dimension with elements, but got size 0}}
  %0 = tl.arg_reduce max %x dim 1 : tensor<4x0xf32> -> tensor<4xi64>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected kind max or min, but got sum}}
  %0 = tl.arg_reduce sum %x dim 1 : tensor<4x3xf32> -> tensor<4xi64>
  return
}

// -----

func.func @f(%x: tensor<4x3xi32>) {
  // expected-error @+1 {{expected kind sum, prod, max or min, but got or}}
  %0 = tl.cumulative or %x dim 1 : tensor<4x3xi32>
  return
}
