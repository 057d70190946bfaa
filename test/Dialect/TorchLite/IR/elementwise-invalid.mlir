// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4xi32>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of f16, bf16, f32 or f64 values, but got 'tensor<4xi32>'}}
  %0 = tl.exp %x : tensor<4xi32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %y: tensor<4xf64>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected operands of the same element type, but got 'f32' and 'f64'}}
  %0 = tl.add %x, %y : tensor<4xf32>, tensor<4xf64> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x2xf32>, %y: tensor<3x1xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected operands that broadcast, but got 'tensor<4x2xf32>', 'tensor<3x1xf32>'}}
  %0 = tl.add %x, %y : tensor<4x2xf32>, tensor<3x1xf32> -> tensor<4x2xf32>
  return
}

// -----

func.func @f(%x: tensor<4x2xf32>, %y: tensor<4x1xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{op inferred type(s) 'tensor<4x2xf32>' are incompatible with return type(s) of operation 'tensor<4x3xf32>'}}
  %0 = tl.sub %x, %y : tensor<4x2xf32>, tensor<4x1xf32> -> tensor<4x3xf32>
  return
}

// -----

func.func @f(%x: tensor<4xi1>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of f16, bf16, f32, f64, i8, ui8, i16, i32 or i64 values, but got 'tensor<4xi1>'}}
  %0 = tl.sub %x, %x : tensor<4xi1>, tensor<4xi1> -> tensor<4xi1>
  return
}

// -----

func.func @f(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<5xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected operands that broadcast, but got 'tensor<4xf32>', 'tensor<5xf32>'}}
  %0 = tl.where %c, %x, %y : tensor<4xi1>, tensor<4xf32>, tensor<5xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{requires the same shape for all operands and results}}
  %0 = tl.cast %x : tensor<4xf32> to tensor<5xf64>
  return
}
