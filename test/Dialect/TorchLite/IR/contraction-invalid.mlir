// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @f(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error @below {{expected equal contracted dimensions, but got 3 and 4}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.matmul %a, %b : tensor<2x3xf32>, tensor<4x5xf32> -> tensor<2x5xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<3x5xf64>) {
  // expected-error @below {{expected operands of one element type, but got 'f32' and 'f64'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.matmul %a, %b : tensor<2x3xf32>, tensor<3x5xf64> -> tensor<2x5xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>) {
  // expected-error @below {{expected f16 or bf16 operands with to_f32, but got 'f32'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.matmul %a, %b to_f32 : tensor<2x3xf32>, tensor<3x5xf32> -> tensor<2x5xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<1x3x5xf32>) {
  // expected-error @below {{expected two operands of rank 2 or two of rank 3, but got 'tensor<2x3xf32>' and 'tensor<1x3x5xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.matmul %a, %b : tensor<2x3xf32>, tensor<1x3x5xf32> -> tensor<2x5xf32>
  return
}

// -----

func.func @f(%a: tensor<2x2x3xf32>, %b: tensor<1x3x5xf32>) {
  // expected-error @below {{expected equal batches, but got 2 and 1}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.matmul %a, %b : tensor<2x2x3xf32>, tensor<1x3x5xf32> -> tensor<2x2x5xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>) {
  // expected-error @below {{inferred type(s) 'tensor<2x5xf32>' are incompatible with return type(s) of operation 'tensor<2x6xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.matmul %a, %b : tensor<2x3xf32>, tensor<3x5xf32> -> tensor<2x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x3x8xf32>, %w: tensor<4x2x3xf32>) {
  // expected-error @below {{expected 2 input channels, but got 3}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 1 output_padding [0]
     : tensor<1x3x8xf32>, tensor<4x2x3xf32> -> tensor<1x4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x2x8xf32>, %w: tensor<4x2x3xf32>) {
  // expected-error @below {{expected 1 numbers for stride, but got 2}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.conv %x, %w stride [1, 1] padding [0] dilation [1] groups 1 output_padding [0]
     : tensor<1x2x8xf32>, tensor<4x2x3xf32> -> tensor<1x4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x2x8xf32>, %w: tensor<4x2x3xf32>) {
  // expected-error @below {{expected stride of at least 1, but got 0}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.conv %x, %w stride [0] padding [0] dilation [1] groups 1 output_padding [0]
     : tensor<1x2x8xf32>, tensor<4x2x3xf32> -> tensor<1x4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x2x8xf32>, %w: tensor<4x2x3xf32>, %b: tensor<5xf32>) {
  // expected-error @below {{expected a bias of shape 4x'f32', but got 'tensor<5xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.conv %x, %w bias %b stride [1] padding [0] dilation [1] groups 1 output_padding [0]
     : tensor<1x2x8xf32>, tensor<4x2x3xf32>, tensor<5xf32> -> tensor<1x4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x2x8xf32>, %w: tensor<4x2x3xf32>) {
  // expected-error @below {{expected no output_padding without transposed, but got 1}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 1 output_padding [1]
     : tensor<1x2x8xf32>, tensor<4x2x3xf32> -> tensor<1x4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x6x8xf32>, %w: tensor<4x2x3xf32>) {
  // expected-error @below {{expected output channels divisible by 3 groups, but got 4}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 3 output_padding [0]
     : tensor<1x6x8xf32>, tensor<4x2x3xf32> -> tensor<1x4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x2x4xf32>, %w: tensor<4x2x3xf32>) {
  // expected-error @below {{expected a kernel that fits into the padded input of 4, but got 7}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [3] groups 1 output_padding [0]
     : tensor<1x2x4xf32>, tensor<4x2x3xf32> -> tensor<1x4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x2x4xf32>, %w: tensor<2x2x3xf32>) {
  // expected-error @below {{expected output_padding smaller than stride (1) or dilation (1), but got 1}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.conv %x, %w stride [1] padding [0] dilation [1] groups 1 transposed output_padding [1]
     : tensor<1x2x4xf32>, tensor<2x2x3xf32> -> tensor<1x2x7xf32>
  return
}
