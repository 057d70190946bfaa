// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @operands(%x: tensor<3xf32>) {
  // expected-error @+1 {{takes 2 operands, but has 1}}
  %0 = tl.call_operator "a::b"(%x) takes [unit, [unit]] gives [unit] : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @results(%x: tensor<3xf32>) {
  // expected-error @+1 {{gives 2 results, but has 1}}
  %0 = tl.call_operator "a::b"(%x) takes [unit] gives [[unit, unit]] : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @argument(%x: tensor<3xf32>) {
  // expected-error @+1 {{expected unit, None, numbers, strings and lists of these as arguments}}
  %0 = tl.call_operator "a::b"(%x) takes [unit, @f] gives [unit] : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @same(%x: tensor<3xf32>) {
  // expected-error @+1 {{expected unit, None, numbers of arguments and lists of these as results}}
  %0 = tl.call_operator "a::b"(%x) takes [unit] gives [1] writes [0] : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @written(%x: tensor<3xf32>) {
  // expected-error @+1 {{expected a result of the type of operand #0, which it writes, but got 'tensor<4xf32>'}}
  %0 = tl.call_operator "a::b"(%x) takes [unit] gives [0] writes [0] : (tensor<3xf32>) -> tensor<4xf32>
  return
}
