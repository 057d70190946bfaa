// RUN: tl-opt %s --tl-specialize="signature=forward(2x4xf32),reset()" | FileCheck %s

// The state begins as zeros([0]) and goes on as [2, 4]; a buffer is written in place.
module attributes {tl.root = @root} {
tl.class @C {
  tl.attr "h" : !tl.tensor
  tl.attr "seen" : !tl.tensor {is_buffer}
  tl.attr "same" : !tl.tensor {is_buffer}
  tl.method "forward" @C.forward {exported}
  tl.method "reset" @C.reset {exported}
}
tl.storage @s0 = dense<> : tensor<0xf32>
tl.storage @s1 = dense<[1.0, 2.0]> : tensor<2xf32>
tl.object @root : !tl.object<@C> {
  slots = {h = #tl.tensor_ref<@s0, offset = 0, sizes = [0], strides = [1], f32>,
           same = #tl.tensor_ref<@s1, offset = 1, sizes = [1], strides = [1], f32>,
           seen = #tl.tensor_ref<@s1, offset = 0, sizes = [2], strides = [1], f32>}
}
// `seen` and `same` share memory: the state is the memory.
// CHECK-DAG: tl.state @{{.*}} "h" [tensor<0xf32>, tensor<2x4xf32>] initial dense<> : tensor<0xf32>
// CHECK-DAG: tl.state @{{.*}} "same" [tensor<2xf32>, tensor<2xf32>] initial dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: func.func @forward(%[[X:.*]]: tensor<2x4xf32>, %[[S:.*]]: tensor<2xf32> {tl.state = "same"})
// CHECK-SAME: -> (tensor<1xf32>, tensor<2x4xf32> {tl.state = "h"}, tensor<2xf32> {tl.state = "same"})
// CHECK-SAME: tl.state_in = 0 : i64, tl.state_out = 1 : i64
// CHECK: func.func @reset()
// CHECK-SAME: -> (tensor<0xf32> {tl.state = "h"})
// CHECK: func.func @forward_1(%[[X:.*]]: tensor<2x4xf32>, %[[S:.*]]: tensor<2xf32> {tl.state = "same"}, %[[H:.*]]: tensor<2x4xf32> {tl.state = "h"})
// CHECK-SAME: tl.state_in = 1 : i64, tl.state_out = 1 : i64
// CHECK: tl.add %[[X]], %[[H]]
// CHECK: func.func @reset_1()
// CHECK-SAME: tl.state_in = 1 : i64, tl.state_out = 0 : i64
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %h = tl.get_attr %self "h" : !tl.object<@C> -> !tl.tensor
  %n = tl.aten "size.int"(%h, %zero) : (!tl.tensor, i64) -> i64
  %first = tl.aten "eq.int"(%n, %zero) : (i64, i64) -> i1
  tl.if %first {
    %r = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
    tl.set_attr %self "h" = %r : !tl.object<@C>, !tl.tensor
    tl.yield
  } else {
    %s = tl.aten "add.Tensor"(%x, %h, %one) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
    tl.set_attr %self "h" = %s : !tl.object<@C>, !tl.tensor
    tl.yield
  }
  %seen = tl.get_attr %self "seen" : !tl.object<@C> -> !tl.tensor
  %w = tl.aten "add_.Scalar"(%seen, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  %same = tl.get_attr %self "same" : !tl.object<@C> -> !tl.tensor
  return %same : !tl.tensor
}
func.func @C.reset(%self: !tl.object<@C>) -> !tl.none {
  %zero = tl.constant 0 : i64 -> i64
  %none = tl.constant #tl.none -> !tl.none
  %l = tl.list_construct %zero : (i64) -> !tl.list<i64>
  %z = tl.aten "zeros"(%l, %none, %none, %none, %none) : (!tl.list<i64>, !tl.none, !tl.none, !tl.none, !tl.none) -> !tl.tensor
  tl.set_attr %self "h" = %z : !tl.object<@C>, !tl.tensor
  return %none : !tl.none
}
}
