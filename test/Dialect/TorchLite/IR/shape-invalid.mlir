// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4x?xf32>) {
  // expected-error @+1 {{expected 1 sizes for the dynamic dimensions of 'tensor<?x2xf32>', but got 0}}
  %0 = tl.reshape %x : tensor<4x?xf32> to tensor<?x2xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected a result of 12 elements, but got 10}}
  %0 = tl.reshape %x : tensor<4x3xf32> to tensor<10xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected the operand's element type 'f32', but got 'f64'}}
  %0 = tl.reshape %x : tensor<4x3xf32> to tensor<12xf64>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected a size of 1 or 5, but got 4}}
  %0 = tl.broadcast_to %x : tensor<4x3xf32> to tensor<5x3xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected a result of rank 2 or more, but got 1}}
  %0 = tl.broadcast_to %x : tensor<4x3xf32> to tensor<3xf32>
  return
}

// -----

func.func @f() {
  // expected-error @+1 {{expected a dimension from 0 to 0, but got 1}}
  %0 = tl.iota dim 1 : tensor<5xi64>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected a permutation of 2 dimensions, but got 1}}
  %0 = tl.permute %x [0] : tensor<4x3xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected distinct dimensions, but got 0 twice}}
  %0 = tl.permute %x [0, 0] : tensor<4x3xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @f() {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected at least one operand}}
  %0 = "tl.concat"() {dim = 0 : i64} : () -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>, %y: tensor<5x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected size 4 in dimension 0, but got 5}}
  %0 = tl.concat %x, %y dim 1 : tensor<4x3xf32>, tensor<5x3xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>, %y: tensor<3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected operands of the same rank and element type, but got 'tensor<4x3xf32>' and 'tensor<3xf32>'}}
  %0 = tl.concat %x, %y dim 1 : tensor<4x3xf32>, tensor<3xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected 2 amounts at each end, but got 1 and 2}}
  %0 = tl.pad %x reflect low[1] high[1, 1] : tensor<4x3xf32> -> tensor<6x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected an amount that mode reflect can take from size 3, but got 3}}
  %0 = tl.pad %x reflect low[0, 0] high[0, 3] : tensor<4x3xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected amounts that are not negative in mode circular, but got -1}}
  %0 = tl.pad %x circular low[0, 0] high[0, -1] : tensor<4x3xf32> -> tensor<4x2xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>, %v: f64) {
  // expected-error @+1 {{expected a value of type 'f32', but got 'f64'}}
  %0 = tl.pad %x constant(%v) low[0, 0] high[0, 3] : tensor<4x3xf32>, f64 -> tensor<4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>, %v: f32) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{expected to crop no more than the size 3, but got amounts -2 and -2}}
  %0 = tl.pad %x constant(%v) low[0, -2] high[0, -2] : tensor<4x3xf32>, f32 -> tensor<4x0xf32>
  return
}

// -----

func.func @f(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{expected a dimension from 0 to 1, but got 2}}
  %0 = tl.flip %x [2] : tensor<4x3xf32>
  return
}
