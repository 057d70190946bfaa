// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(2x3xf32,3xi64)" | FileCheck %s

// add.Tensor promotes, and multiplies by alpha.
// CHECK-LABEL: func.func @forward
// CHECK: %[[Y:.*]] = tl.cast %arg1 : tensor<3xi64> to tensor<3xf32>
// CHECK: %[[S:.*]] = tl.mul %[[Y]], %{{.*}} : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
// CHECK: tl.add %arg0, %[[S]] : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %two = tl.constant 2 : i64 -> i64
    %0 = tl.aten "add.Tensor"(%x, %y, %two) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// True division of integers gives float32.
// CHECK-LABEL: func.func @forward
// CHECK: tl.div %{{.*}}, %{{.*}} : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %0 = tl.aten "div.Tensor"(%y, %y) : (!tl.tensor, !tl.tensor) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// Rounding division keeps integers.
// CHECK-LABEL: func.func @forward
// CHECK: tl.floor_div %arg1, %arg1 : tensor<3xi64>, tensor<3xi64> -> tensor<3xi64>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %m = tl.constant "floor" -> !tl.str
    %0 = tl.aten "div.Tensor_mode"(%y, %y, %m) : (!tl.tensor, !tl.tensor, !tl.str) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// An in-place operator writes the argument, which is a result of the function.
// CHECK-LABEL: func.func @forward
// CHECK-SAME: tl.changes = 0 : i64
// CHECK: tl.add
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %one = tl.constant 1 : i64 -> i64
    %0 = tl.aten "add_.Tensor"(%x, %y, %one) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// pow by 2 is a product.
// CHECK-LABEL: func.func @forward
// CHECK: tl.mul %arg0, %arg0
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %two = tl.constant 2 : i64 -> i64
    %0 = tl.aten "pow.Tensor_Scalar"(%x, %two) : (!tl.tensor, i64) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// clamp with a fractional limit turns integers to floats.
// CHECK-LABEL: func.func @forward
// CHECK: %[[Y:.*]] = tl.cast %arg1 : tensor<3xi64> to tensor<3xf32>
// CHECK: tl.maximum %[[Y]], %{{.*}} : tensor<3xf32>, tensor<f32> -> tensor<3xf32>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %h = tl.constant 1.5 : f64 -> f64
    %n = tl.constant #tl.none -> !tl.none
    %0 = tl.aten "clamp"(%y, %h, %n) : (!tl.tensor, f64, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
