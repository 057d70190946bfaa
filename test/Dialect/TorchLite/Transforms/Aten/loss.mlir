// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(?x5xf32,?xi64)" | FileCheck %s

// A label that is ignored is read as class 0, and counts neither in the sum nor in the mean.
// CHECK-LABEL: func.func @forward
// CHECK: %[[COUNTS:.*]] = tl.compare ne %arg1
// CHECK: tl.check %{{.*}}, "Target is out of bounds."
// CHECK: %[[LABEL:.*]] = tl.where %[[COUNTS]], %arg1
// CHECK: %[[SCORES:.*]] = tl.log_softmax %arg0 dim 1
// CHECK: tl.gather %[[SCORES]]
// CHECK: tl.div
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %n = tl.constant #tl.none -> !tl.none
    %mean = tl.constant 1 : i64 -> i64
    %ignored = tl.constant -100 : i64 -> i64
    %smooth = tl.constant 0.0 : f64 -> f64
    %0 = tl.aten "cross_entropy_loss"(%x, %y, %n, %mean, %ignored, %smooth) : (!tl.tensor, !tl.tensor, !tl.none, i64, i64, f64) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// Without reduction the squares themselves.
// CHECK-LABEL: func.func @forward
// CHECK: %[[D:.*]] = tl.sub
// CHECK: %[[R:.*]] = tl.mul %[[D]], %[[D]]
// CHECK: return %[[R]]
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %none = tl.constant 0 : i64 -> i64
    %0 = tl.aten "mse_loss"(%x, %x, %none) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
