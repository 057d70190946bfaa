// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(2x3x?x8xf32)" | FileCheck %s

// Windows are taken along one dimension, then along the other; there must be one.
// CHECK-LABEL: func.func @forward
// CHECK: tl.check %{{.*}}, "im2col: the shape of the array of sliding blocks should be at least one"
// CHECK: %[[ROWS:.*]] = tl.take %{{.*}} dim 2
// CHECK: %[[BOTH:.*]] = tl.take %[[ROWS]], %{{.*}} dim 4
// CHECK: tl.permute %[[BOTH]] [0, 1, 2, 4, 3, 5]
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %zero = tl.constant 0 : i64 -> i64
    %one = tl.constant 1 : i64 -> i64
    %three = tl.constant 3 : i64 -> i64
    %kernel = tl.list_construct %three, %three : (i64, i64) -> !tl.list<i64>
    %ones = tl.list_construct %one, %one : (i64, i64) -> !tl.list<i64>
    %padding = tl.list_construct %zero, %zero : (i64, i64) -> !tl.list<i64>
    %0 = tl.aten "im2col"(%x, %kernel, %ones, %padding, %ones) : (!tl.tensor, !tl.list<i64>, !tl.list<i64>, !tl.list<i64>, !tl.list<i64>) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// Windows of several sizes: elements that are not in one are as low as nothing else.
// CHECK-LABEL: func.func @forward
// CHECK: %[[ROWS:.*]] = tl.take %arg0, %{{.*}} dim 2
// CHECK: tl.take %[[ROWS]], %{{.*}} dim 4
// CHECK: tl.where
// CHECK: tl.arg_reduce max
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %three = tl.constant 3 : i64 -> i64
    %size = tl.list_construct %three, %three : (i64, i64) -> !tl.list<i64>
    %0, %1 = tl.aten "adaptive_max_pool2d"(%x, %size) : (!tl.tensor, !tl.list<i64>) -> (!tl.tensor, !tl.tensor)
    return %1 : !tl.tensor
  }
}
