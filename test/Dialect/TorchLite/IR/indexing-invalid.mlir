// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4x9xf32>, %i: tensor<3xi64>) {
  // expected-error @below {{expected a dimension of 'tensor<4x9xf32>', but got -1}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.take %x, %i dim -1 : tensor<4x9xf32>, tensor<3xi64> -> tensor<4x3xf32>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>, %i: tensor<5x3xi64>) {
  // expected-error @below {{expected at most 4 indices in dimension 0, as in the input, but got 5}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.gather %x, %i dim 1 : tensor<4x9xf32>, tensor<5x3xi64> -> tensor<5x3xf32>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>, %i: tensor<3xi64>) {
  // expected-error @below {{expected indices of the input's rank 2, but got 'tensor<3xi64>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.gather %x, %i dim 1 : tensor<4x9xf32>, tensor<3xi64> -> tensor<3xf32>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>, %i: tensor<3xi64>, %s: tensor<3x9xf32>) {
  // expected-error @below {{expected a source of type 'tensor<4x3xf32>', but got 'tensor<3x9xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.put %x, %i, %s dim 1 : tensor<4x9xf32>, tensor<3xi64>, tensor<3x9xf32> -> tensor<4x9xf32>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>, %i: tensor<4x3xi64>, %s: tensor<4x2xf32>) {
  // expected-error @below {{expected at most 2 indices in dimension 1, as in the source, but got 3}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.scatter none %x, %i, %s dim 1
     : tensor<4x9xf32>, tensor<4x3xi64>, tensor<4x2xf32> -> tensor<4x9xf32>
  return
}

// -----

func.func @f(%x: tensor<4xcomplex<f32>>, %i: tensor<3xi64>, %s: tensor<3xcomplex<f32>>) {
  // expected-error @below {{expected an ordered element type for amax, but got 'complex<f32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.scatter amax %x, %i, %s dim 0
     : tensor<4xcomplex<f32>>, tensor<3xi64>, tensor<3xcomplex<f32>> -> tensor<4xcomplex<f32>>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>) {
  // expected-error @below {{expected a dimension of 'tensor<4x9xf32>', but got 2}}
  // expected-error @below {{failed to infer returned types}}
  %0, %1 = tl.sort %x dim 2 : tensor<4x9xf32> -> tensor<4x9xf32>, tensor<4x9xi64>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>) {
  // expected-error @below {{are incompatible with return type(s) of operation 'tensor<?x3xi64>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.nonzero %x : tensor<4x9xf32> -> tensor<?x3xi64>
  return
}
