func.func @generic(%x: memref<8xf32>, %y: memref<8xf32>) {
  tlrt.kernel "generic" ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: tensor<8xf32>, %out: tensor<8xf32>):
    %r = linalg.copy ins(%in : tensor<8xf32>) outs(%out : tensor<8xf32>) -> tensor<8xf32>
    tlrt.yield %r : tensor<8xf32>
  }
  return
}

// -----

func.func @swap(%x: memref<8xf32>, %y: memref<8xf32>) {
  tlrt.kernel "swap" outs(%x, %y : memref<8xf32>, memref<8xf32>) {
  ^bb0(%a: tensor<8xf32>, %b: tensor<8xf32>):
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %one = arith.constant 1.0 : f32
    %r:2 = scf.for %i = %c0 to %c8 step %c1 iter_args(%t = %a, %u = %b) -> (tensor<8xf32>, tensor<8xf32>) {
      %w = tensor.insert %one into %t[%i] : tensor<8xf32>
      scf.yield %u, %w : tensor<8xf32>, tensor<8xf32>
    }
    tlrt.yield %r#0, %r#1 : tensor<8xf32>, tensor<8xf32>
  }
  return
}

// -----

func.func @late(%x: memref<8xf32>) {
  tlrt.kernel "late" outs(%x : memref<8xf32>) {
  ^bb0(%a: tensor<8xf32>):
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %one = arith.constant 1.0 : f32
    %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%t = %a) -> (tensor<8xf32>) {
      %w = tensor.insert %one into %t[%i] : tensor<8xf32>
      %old = tensor.extract %t[%c0] : tensor<8xf32>
      %v = tensor.insert %old into %w[%c1] : tensor<8xf32>
      scf.yield %v : tensor<8xf32>
    }
    tlrt.yield %r : tensor<8xf32>
  }
  return
}

// -----

func.func @input(%x: memref<8xf32>, %y: memref<8xf32>) {
  tlrt.kernel "input" ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%a: tensor<8xf32>, %b: tensor<8xf32>):
    %c0 = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    %w = tensor.insert %one into %a[%c0] : tensor<8xf32>
    tlrt.yield %w : tensor<8xf32>
  }
  return
}
