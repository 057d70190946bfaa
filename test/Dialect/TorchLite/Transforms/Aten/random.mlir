// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(2x3xf32)" | FileCheck %s

// Two that are alike are two; one that nobody uses stays.
// CHECK-LABEL: func.func @forward
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %n = tl.constant #tl.none -> !tl.none
    // CHECK: %[[A:.*]] = tl.random "normal"(%{{.*}}, %{{.*}} : f64, f64) : tensor<2x3xf32>
    %a = tl.aten "randn_like"(%x, %n, %n, %n, %n, %n) : (!tl.tensor, !tl.none, !tl.none, !tl.none, !tl.none, !tl.none) -> !tl.tensor
    // CHECK: %[[B:.*]] = tl.random "normal"(%{{.*}}, %{{.*}} : f64, f64) : tensor<2x3xf32>
    %b = tl.aten "randn_like"(%x, %n, %n, %n, %n, %n) : (!tl.tensor, !tl.none, !tl.none, !tl.none, !tl.none, !tl.none) -> !tl.tensor
    // CHECK: tl.random "uniform"(%{{.*}}, %{{.*}} : f64, f64) : tensor<2x3xf32>
    %c = tl.aten "rand_like"(%x, %n, %n, %n, %n, %n) : (!tl.tensor, !tl.none, !tl.none, !tl.none, !tl.none, !tl.none) -> !tl.tensor
    %one = tl.constant 1 : i64 -> i64
    // CHECK: %[[SUM:.*]] = tl.sub %[[A]], %[[B]]
    %d = tl.aten "sub.Tensor"(%a, %b, %one) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
    // CHECK: return %[[SUM]]
    return %d : !tl.tensor
  }
}

// -----

// PyTorch draws in the order in which the elements lie in memory: that of the transposed tensor's base.
// CHECK-LABEL: func.func @forward
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %p = tl.constant 2.5e-1 : f64 -> f64
    %t = tl.constant true -> i1
    %y = tl.aten "t"(%x) : (!tl.tensor) -> !tl.tensor
    // CHECK: %[[P:.*]] = arith.constant 7.500000e-01 : f64
    // CHECK: %[[N:.*]] = tl.random "bernoulli"(%[[P]] : f64) : tensor<2x3xf32>
    // CHECK: tl.permute %[[N]] [1, 0]
    %0 = tl.aten "dropout"(%y, %p, %t) : (!tl.tensor, f64, i1) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
