// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @mixed(%x: memref<4xf32>, %y: tensor<4xf32>) {
  // expected-error @+1 {{expected all tensors or all buffers}}
  tlrt.kernel "k" ins(%y : tensor<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>):
    tlrt.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @argument(%x: memref<4xf32>) {
  // expected-error @+1 {{expected block argument 0 to be 'tensor<4xf32>', but got 'tensor<3xf32>'}}
  tlrt.kernel "k" outs(%x : memref<4xf32>) {
  ^bb0(%a: tensor<3xf32>):
    tlrt.yield %a : tensor<3xf32>
  }
  return
}

// -----

func.func @results(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected results of the types of the outputs}}
  tlrt.kernel "k" outs(%x : tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    tlrt.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @yield(%x: memref<4xf32>) {
  tlrt.kernel "k" outs(%x : memref<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    // expected-error @+1 {{expected 1 values}}
    tlrt.yield
  }
  return
}

// -----

func.func @copy(%x: memref<4xf32>, %y: memref<4xf32, strided<[2]>>) {
  // expected-error @+1 {{expected two contiguous buffers of one shape and element type}}
  tlrt.copy %x to %y : memref<4xf32> to memref<4xf32, strided<[2]>>
  return
}

// -----

func.func @read(%x: memref<4xf32>) {
  // expected-error @+1 {{expected an index for each dimension}}
  %0 = tlrt.read %x[] : memref<4xf32>
  return
}
