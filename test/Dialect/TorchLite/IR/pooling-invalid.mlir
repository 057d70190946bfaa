// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4x9xf32>) {
  // expected-error @below {{expected an input of rank 3 to 5, but got 'tensor<4x9xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.max_pool %x kernel [2] stride [2] padding [1] dilation [1]
     : tensor<4x9xf32> -> tensor<4x5xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x9xf32>) {
  // expected-error @below {{expected 1 numbers for kernel, but got 2}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.max_pool %x kernel [2, 2] stride [2] padding [1] dilation [1]
     : tensor<1x4x9xf32> -> tensor<1x4x5xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x9xf32>) {
  // expected-error @below {{expected padding of at most half the kernel (1), but got 2}}
  // expected-error @below {{failed to infer returned types}}
  %0, %1 = tl.max_pool_with_indices %x kernel [2] stride [2] padding [2] dilation [1]
     : tensor<1x4x9xf32> -> tensor<1x4x6xf32>, tensor<1x4x6xi64>
  return
}

// -----

func.func @f(%x: tensor<1x4x2xf32>) {
  // expected-error @below {{expected a kernel that fits into the padded input of 2, but got 3}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.avg_pool %x kernel [3] stride [2] padding [0] : tensor<1x4x2xf32> -> tensor<1x4x1xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x2xf32>) {
  // expected-error @below {{expected a divisor_override that is not 0}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.avg_pool %x kernel [2] stride [2] padding [0] divisor_override 0
     : tensor<1x4x2xf32> -> tensor<1x4x1xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x2xf32>) {
  // expected-error @below {{expected 1 numbers for output_size, but got 2}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.adaptive_avg_pool %x output_size [1, 1] : tensor<1x4x2xf32> -> tensor<1x4x1xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x0xf32>) {
  // expected-error @below {{expected spatial dimensions that are not 0, but got 'tensor<1x4x0xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tl.adaptive_avg_pool %x output_size [1] : tensor<1x4x0xf32> -> tensor<1x4x1xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x2xf32>) {
  // expected-error @below {{expected no align_corners for the nearest element}}
  %0 = tl.resize nearest %x align_corners scales [] : tensor<1x4x2xf32> to tensor<1x4x3xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x2xi64>) {
  // expected-error @below {{expected float elements to interpolate, but got 'tensor<1x4x2xi64>'}}
  %0 = tl.resize linear %x scales [] : tensor<1x4x2xi64> to tensor<1x4x3xi64>
  return
}

// -----

func.func @f(%x: tensor<1x4x2xf32>) {
  // expected-error @below {{expected 4 elements in dimension 1 as in the input, but got 5}}
  %0 = tl.resize linear %x scales [] : tensor<1x4x2xf32> to tensor<1x5x3xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x2xf32>) {
  // expected-error @below {{expected 1 scales or none, but got 2}}
  %0 = tl.resize linear %x scales [2.0, 2.0] : tensor<1x4x2xf32> to tensor<1x4x3xf32>
  return
}
