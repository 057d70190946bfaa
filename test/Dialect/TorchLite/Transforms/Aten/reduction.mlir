// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(2x3xf32,?x3xi64)" | FileCheck %s

// Sums of integers are int64; a mean of floats divides by the count.
// CHECK-LABEL: func.func @forward
// CHECK-DAG: %[[SIX:.*]] = arith.constant dense<6.000000e+00> : tensor<f32>
// CHECK-DAG: %[[S:.*]] = tl.reduce sum %arg0 [0, 1] : tensor<2x3xf32> -> tensor<f32>
// CHECK-DAG: tl.div %[[S]], %[[SIX]]
// CHECK-DAG: tl.reduce sum %arg1 [0, 1] : tensor<?x3xi64> -> tensor<i64>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tuple<!tl.tensor, !tl.tensor> {
    %n = tl.constant #tl.none -> !tl.none
    %0 = tl.aten "mean"(%x, %n) : (!tl.tensor, !tl.none) -> !tl.tensor
    %1 = tl.aten "sum"(%y, %n) : (!tl.tensor, !tl.none) -> !tl.tensor
    %2 = tl.tuple_construct %0, %1 : (!tl.tensor, !tl.tensor) -> !tl.tuple<!tl.tensor, !tl.tensor>
    return %2 : !tl.tuple<!tl.tensor, !tl.tensor>
  }
}

// -----

// max.dim gives values and indices, and checks that an unknown size is not 0.
// CHECK-LABEL: func.func @forward
// CHECK: tl.check %{{.*}}, "max.dim: Expected reduction dim 0 to have non-zero size."
// CHECK: tl.reduce max %arg1 [0] keepdim : tensor<?x3xi64> -> tensor<1x3xi64>
// CHECK: tl.arg_reduce max %arg1 dim 0 keepdim
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tuple<!tl.tensor, !tl.tensor> {
    %d = tl.constant 0 : i64 -> i64
    %k = tl.constant true -> i1
    %0, %1 = tl.aten "max.dim"(%y, %d, %k) : (!tl.tensor, i64, i1) -> (!tl.tensor, !tl.tensor)
    %2 = tl.tuple_construct %0, %1 : (!tl.tensor, !tl.tensor) -> !tl.tuple<!tl.tensor, !tl.tensor>
    return %2 : !tl.tuple<!tl.tensor, !tl.tensor>
  }
}
