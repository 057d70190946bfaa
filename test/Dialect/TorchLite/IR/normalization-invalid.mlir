// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4x9xf32>) {
  // expected-error @below {{expected a dimension of 'tensor<4x9xf32>', but got 2}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.softmax %x dim 2 : tensor<4x9xf32> -> tensor<4x9xf32>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>, %w: tensor<8xf32>) {
  // expected-error @below {{expected weight of type 'tensor<9xf32>', but got 'tensor<8xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.layer_norm %x weight %w num_dims 1 eps 1.0e-5
     : tensor<4x9xf32> weight tensor<8xf32> -> tensor<4x9xf32>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>) {
  // expected-error @below {{expected 1 to 2 normalised dimensions, but got 3}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.layer_norm %x num_dims 3 eps 1.0e-5 : tensor<4x9xf32> -> tensor<4x9xf32>
  return
}

// -----

func.func @f(%x: tensor<4x9xf32>, %m: tensor<9xf32>, %v: tensor<4xf32>) {
  // expected-error @below {{expected variance of type 'tensor<9xf32>', but got 'tensor<4xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.batch_norm %x mean %m variance %v eps 1.0e-5
     : tensor<4x9xf32>, tensor<9xf32>, tensor<4xf32> -> tensor<4x9xf32>
  return
}

// -----

func.func @f(%q: tensor<2x3x4xf32>, %k: tensor<2x5x4xf32>, %v: tensor<2x6x4xf32>) {
  // expected-error @below {{expected as many keys as values, but got 5 and 6}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.attention %q, %k, %v
     : tensor<2x3x4xf32>, tensor<2x5x4xf32>, tensor<2x6x4xf32> -> tensor<2x3x4xf32>
  return
}

// -----

func.func @f(%q: tensor<2x3x4xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x5x4xf32>) {
  // expected-error @below {{expected query and key with equal last dimensions, but got 'tensor<2x3x4xf32>' and 'tensor<2x5x8xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.attention %q, %k, %v
     : tensor<2x3x4xf32>, tensor<2x5x8xf32>, tensor<2x5x4xf32> -> tensor<2x3x4xf32>
  return
}

// -----

func.func @f(%q: tensor<2x3x4xf32>, %m: tensor<4x3xf32>) {
  // expected-error @below {{expected a mask that broadcasts to 'tensor<2x3x3xf32>', but got 'tensor<4x3xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.attention %q, %q, %q mask %m
     : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32> mask tensor<4x3xf32>
    -> tensor<2x3x4xf32>
  return
}

// -----

func.func @f(%q: tensor<2x3x4xf32>, %m: tensor<3x3xf32>) {
  // expected-error @below {{expected no mask together with is_causal}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.attention %q, %q, %q mask %m is_causal
     : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32> mask tensor<3x3xf32>
    -> tensor<2x3x4xf32>
  return
}
