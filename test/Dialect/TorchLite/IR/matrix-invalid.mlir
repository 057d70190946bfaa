// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @rank(%a: tensor<4x3xf32>) {
  // expected-error @+2 {{expected a tensor of rank 3, but got 'tensor<4x3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %f, %tau = tl.householder %a : tensor<4x3xf32> -> tensor<4x3xf32>, tensor<3xf32>
  return
}

// -----

func.func @square(%a: tensor<1x4x3xf32>) {
  // expected-error @+2 {{expected square matrices, but got 'tensor<1x4x3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %f, %i = tl.cholesky %a : tensor<1x4x3xf32> -> tensor<1x4x3xf32>, tensor<1xi32>
  return
}

// -----

func.func @rows(%a: tensor<1x3x3xf32>, %b: tensor<1x4x3xf32>) {
  // expected-error @+2 {{expected as many rows in 'tensor<1x3x3xf32>' as in 'tensor<1x4x3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %x = tl.triangular_solve %a, %b : tensor<1x3x3xf32>, tensor<1x4x3xf32> -> tensor<1x4x3xf32>
  return
}

// -----

func.func @batches(%a: tensor<2x3x3xf32>, %b: tensor<1x3x3xf32>) {
  // expected-error @+2 {{expected equally many matrices, but got 'tensor<2x3x3xf32>' and 'tensor<1x3x3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %x = tl.triangular_solve %a, %b : tensor<2x3x3xf32>, tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  return
}

// -----

func.func @types(%a: tensor<2x3x3xf32>, %b: tensor<2x3x3xf64>) {
  // expected-error @+2 {{expected one element type, but got 'tensor<2x3x3xf32>' and 'tensor<2x3x3xf64>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %x = tl.triangular_solve %a, %b : tensor<2x3x3xf32>, tensor<2x3x3xf64> -> tensor<2x3x3xf64>
  return
}

// -----

func.func @scales(%a: tensor<2x3x2xf32>, %t: tensor<2x3xf32>) {
  // expected-error @+2 {{expected at most 2 scales, but got 'tensor<2x3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %x = tl.reflect %a, %t, %a : tensor<2x3x2xf32>, tensor<2x3xf32>, tensor<2x3x2xf32> -> tensor<2x3x2xf32>
  return
}

// -----

func.func @forms(%a: memref<2x3x3xf32>, %p: memref<2x3xf32>) {
  // expected-error @+1 {{'tlrt.matrices' op expected ins of rank 2 and of 'i32', but got 'memref<2x3xf32>'}}
  tlrt.matrices swap_rows ins(%p : memref<2x3xf32>) outs(%a : memref<2x3x3xf32>)
  return
}

// -----

func.func @half(%a: memref<2x3x3xf16>, %s: memref<2x3xf16>) {
  // expected-error @+1 {{'tlrt.matrices' op expected f32 or f64, but got 'f16'}}
  tlrt.matrices householder outs(%a, %s : memref<2x3x3xf16>, memref<2x3xf16>)
  return
}
