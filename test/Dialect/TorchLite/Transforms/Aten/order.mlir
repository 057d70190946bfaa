// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(4x?xf32,?xi64)" --verify-diagnostics | FileCheck %s

// Of equal elements the last one counts: the running maximum of the places where it changes.
// CHECK-LABEL: func.func @forward
// CHECK: %[[MAX:.*]] = tl.cumulative max %arg0 dim 1
// CHECK: %[[SAME:.*]] = tl.compare eq %[[MAX]], %arg0
// CHECK: %[[NAN:.*]] = tl.isnan %arg0
// CHECK: tl.or %[[SAME]], %[[NAN]]
// CHECK: tl.cumulative max %{{.*}} dim 1 : tensor<4x?xi64>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %one = tl.constant 1 : i64 -> i64
    %0, %1 = tl.aten "cummax"(%x, %one) : (!tl.tensor, i64) -> (!tl.tensor, !tl.tensor)
    return %1 : !tl.tensor
  }
}

// -----

// As many elements as the repetitions add up to.
// CHECK-LABEL: func.func @forward
// CHECK: tl.check %{{.*}}, "repeats can not be negative"
// CHECK: tl.put
// CHECK: tl.cumulative sum
// CHECK: tl.take %arg0
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %one = tl.constant 1 : i64 -> i64
    %n = tl.constant #tl.none -> !tl.none
    %0 = tl.aten "repeat_interleave.self_Tensor"(%x, %y, %one, %n) : (!tl.tensor, !tl.tensor, i64, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// What lies between the elements of a view is not known.
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %zero = tl.constant 0 : i64 -> i64
    %one = tl.constant 1 : i64 -> i64
    %n = tl.constant #tl.none -> !tl.none
    %ones = tl.list_construct %one : (i64) -> !tl.list<i64>
    %v = tl.aten "transpose.int"(%x, %zero, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
    // expected-error @+1 {{a tensor that is not known to be all of its memory}}
    %0 = tl.aten "as_strided"(%v, %ones, %ones, %n) : (!tl.tensor, !tl.list<i64>, !tl.list<i64>, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
