// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @kind() -> tensor<3xf32> {
  // expected-error @+1 {{knows no random numbers of kind 'gamma'}}
  %0 = tl.random "gamma" : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @parameters(%a: f64) -> tensor<3xf32> {
  // expected-error @+1 {{expected 2 parameters of kind 'ff', but got 'f'}}
  %0 = tl.random "uniform"(%a : f64) : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @elements(%a: f64) -> tensor<3xi32> {
  // expected-error @+1 {{expected floats, but got 'i32'}}
  %0 = tl.random "exponential"(%a : f64) : tensor<3xi32>
  return %0 : tensor<3xi32>
}

// -----

func.func @sizes() -> tensor<?xi64> {
  // expected-error @+1 {{expected 1 sizes, but got 0}}
  %0 = tl.random "permutation" : tensor<?xi64>
  return %0 : tensor<?xi64>
}

// -----

func.func @rank() -> tensor<2x3xi64> {
  // expected-error @+1 {{expected a tensor of rank 1}}
  %0 = tl.random "permutation" : tensor<2x3xi64>
  return %0 : tensor<2x3xi64>
}

// -----

func.func @each() -> tensor<3xi1> {
  // expected-error @+1 {{expected a tensor with a number for each element}}
  %0 = tl.random "bernoulli_each" : tensor<3xi1>
  return %0 : tensor<3xi1>
}

// -----

func.func @fits(%p: tensor<4xf32>) -> tensor<3xi1> {
  // expected-error @+1 {{cannot take 'tensor<4xf32>' for the elements of 'tensor<3xi1>'}}
  %0 = tl.random "bernoulli_each" each %p : tensor<4xf32> : tensor<3xi1>
  return %0 : tensor<3xi1>
}
