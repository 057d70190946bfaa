// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(3xf32)" | FileCheck %s

// A counter: its values are too many to be told apart, so it is a number of the state.
module attributes {tl.root = @root} {
tl.class @C {
  tl.attr "n" : i64
  tl.method "forward" @C.forward {exported}
}
tl.object @root : !tl.object<@C> { slots = {n = 0 : i64} }
// CHECK: tl.state @{{.*}} "n" [i64] initial 0 : i64
// CHECK: func.func @forward(%{{.*}}: tensor<3xf32>, %[[N:.*]]: i64 {tl.state = "n"})
// CHECK-SAME: -> (i64, i64 {tl.state = "n"})
// CHECK: %[[S:.*]] = arith.addi %[[N]]
// CHECK: return %[[S]], %[[S]]
// CHECK-NOT: func.func
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor) -> i64 {
  %n = tl.get_attr %self "n" : !tl.object<@C> -> i64
  %one = tl.constant 1 : i64 -> i64
  %s = tl.aten "add.int"(%n, %one) : (i64, i64) -> i64
  tl.set_attr %self "n" = %s : !tl.object<@C>, i64
  return %s : i64
}
}

// -----

// None at first, a tensor from the first call on: two states, one function for each.
// CHECK: tl.state @{{.*}} "h" [#tl.none, tensor<3xf32>] initial unit
// CHECK: func.func @forward(%[[X:.*]]: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32> {tl.state = "h"})
// CHECK-SAME: tl.state_in = 0 : i64, tl.state_out = 1 : i64
// CHECK: return %[[X]], %[[X]]
// CHECK: func.func @forward_1(%[[X:.*]]: tensor<3xf32>, %[[H:.*]]: tensor<3xf32> {tl.state = "h"})
// CHECK-SAME: tl.state_in = 1 : i64, tl.state_out = 1 : i64
// CHECK: return %[[H]], %[[X]]
module attributes {tl.root = @root} {
tl.class @C { tl.attr "h" : !tl.optional<!tl.tensor>
 tl.attr "b" : !tl.tensor
 tl.method "forward" @C.forward {exported} }
tl.storage @s = dense<[1.0,2.0,3.0]> : tensor<3xf32>
tl.object @root : !tl.object<@C> { slots = {h = #tl.none, b = #tl.tensor_ref<@s, offset = 0, sizes = [3], strides = [1], f32>} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
  %h = tl.get_attr %self "h" : !tl.object<@C> -> !tl.optional<!tl.tensor>
  %none = tl.constant #tl.none -> !tl.none
  %c = tl.aten "__is__"(%h, %none) : (!tl.optional<!tl.tensor>, !tl.none) -> i1
  %r = tl.if %c -> (!tl.tensor) {
    tl.yield %x : !tl.tensor
  } else {
    %u = tl.unchecked_cast %h : !tl.optional<!tl.tensor> -> !tl.tensor
    tl.yield %u : !tl.tensor
  }
  tl.set_attr %self "h" = %x : !tl.object<@C>, !tl.tensor
  return %r : !tl.tensor
}
}
