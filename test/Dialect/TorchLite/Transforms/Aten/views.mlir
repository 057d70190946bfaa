// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(4x6xf32)" | FileCheck %s

// A write through a view reaches the argument.
// CHECK-LABEL: func.func @forward
// CHECK: %[[S:.*]] = tensor.extract_slice %arg0[1, 0] [2, 6] [1, 1]
// CHECK: %[[T:.*]] = tl.permute %[[S]] [1, 0]
// CHECK: %[[R:.*]] = tl.maximum %[[T]]
// CHECK: %[[B:.*]] = tl.permute %[[R]] [1, 0]
// CHECK: %[[W:.*]] = tensor.insert_slice %[[B]] into %arg0[1, 0] [2, 6] [1, 1]
// CHECK: return %[[W]], %[[W]]
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %0 = tl.constant 0 : i64 -> i64
    %1 = tl.constant 1 : i64 -> i64
    %3 = tl.constant 3 : i64 -> i64
    %v = tl.aten "slice.Tensor"(%x, %0, %1, %3, %1) : (!tl.tensor, i64, i64, i64, i64) -> !tl.tensor
    %t = tl.aten "transpose.int"(%v, %0, %1) : (!tl.tensor, i64, i64) -> !tl.tensor
    %w = tl.aten "relu_"(%t) : (!tl.tensor) -> !tl.tensor
    return %x : !tl.tensor
  }
}

// -----

// -1 is inferred.
// CHECK-LABEL: func.func @forward
// CHECK: tl.reshape %arg0 : tensor<4x6xf32> to tensor<8x3xf32>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %m = tl.constant -1 : i64 -> i64
    %8 = tl.constant 8 : i64 -> i64
    %l = tl.list_construct %8, %m : (i64, i64) -> !tl.list<i64>
    %0 = tl.aten "view"(%x, %l) : (!tl.tensor, !tl.list<i64>) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// dropout in evaluation is its operand.
// CHECK-LABEL: func.func @forward
// CHECK-NEXT: return %arg0
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %p = tl.constant 5.0e-1 : f64 -> f64
    %f = tl.constant false -> i1
    %0 = tl.aten "dropout"(%x, %p, %f) : (!tl.tensor, f64, i1) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
