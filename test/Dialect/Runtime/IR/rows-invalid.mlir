// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @dimension(%x: tensor<4xf32>, %y: tensor<4xi64>) {
  // expected-error @+1 {{expected a dimension of 'tensor<4xf32>', but got 1}}
  %0 = tlrt.argsort dim 1 ins(%x : tensor<4xf32>) outs(%y : tensor<4xi64>)
  return
}

// -----

func.func @positions(%x: tensor<4xf32>, %y: tensor<4xi32>) {
  // expected-error @+1 {{expected a result of i64, but got 'tensor<4xi32>'}}
  %0 = tlrt.argsort dim 0 ins(%x : tensor<4xf32>) outs(%y : tensor<4xi32>)
  return
}

// -----

func.func @shape(%x: tensor<4xf32>, %y: tensor<5xi64>) {
  // expected-error @+1 {{expected a result of the shape of 'tensor<4xf32>', but got 'tensor<5xi64>'}}
  %0 = tlrt.argsort dim 0 ins(%x : tensor<4xf32>) outs(%y : tensor<5xi64>)
  return
}

// -----

func.func @elements(%x: tensor<4xf32>, %y: tensor<4xf64>) {
  // expected-error @+1 {{expected a result of the operand's element type, but got 'tensor<4xf64>'}}
  %0 = tlrt.scan addf dim 0 in f64 ins(%x : tensor<4xf32>) outs(%y : tensor<4xf64>)
  return
}

// -----

func.func @narrow(%x: tensor<4xf64>) {
  // expected-error @+1 {{expected to combine 'f64' or wider floats, but got 'f32'}}
  %0 = tlrt.scan addf dim 0 in f32 ins(%x : tensor<4xf64>) outs(%x : tensor<4xf64>)
  return
}

// -----

func.func @kind(%x: tensor<4xi32>) {
  // expected-error @+1 {{expected a kind for 'i32', but got addf}}
  %0 = tlrt.scan addf dim 0 in i32 ins(%x : tensor<4xi32>) outs(%x : tensor<4xi32>)
  return
}

// -----

func.func @columns(%x: tensor<4x4xf32>, %y: tensor<?x3xi64>) {
  // expected-error @+1 {{expected a result of i64 with 2 columns, but got 'tensor<?x3xi64>'}}
  %0 = tlrt.nonzero ins(%x : tensor<4x4xf32>) outs(%y : tensor<?x3xi64>)
  return
}
