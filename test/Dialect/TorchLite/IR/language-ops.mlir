// RUN: tl-opt %s | FileCheck %s

tl.storage @s0 = dense<[1.0, 2.0]> : tensor<2xf32>

// CHECK-LABEL: tl.class @__torch__.Cell
tl.class @__torch__.Cell {
  tl.attr "weight" : !tl.tensor {is_parameter}
  tl.attr "training" : i1
  tl.method "forward" @__torch__.Cell.forward {exported}
}

// CHECK: tl.object @root : !tl.object<@__torch__.Cell>
tl.object @root : !tl.object<@__torch__.Cell> {
  slots = {training = false, weight = #tl.tensor_ref<@s0, offset = 0, sizes = [2], strides = [1], f32>}
}

// CHECK-LABEL: func.func @__torch__.Cell.forward
func.func @__torch__.Cell.forward(%self: !tl.object<@__torch__.Cell>, %n: i64) -> !tl.tensor {
  // CHECK: tl.get_attr %{{.*}} "weight"
  %w = tl.get_attr %self "weight" : !tl.object<@__torch__.Cell> -> !tl.tensor
  // CHECK: tl.constant true -> i1
  %true = tl.constant true -> i1
  %none = tl.constant #tl.none -> !tl.none
  %list = tl.constant [1, 2] -> !tl.list<i64>
  %one = tl.constant 1 : i64 -> i64
  // CHECK: tl.loop
  %r = tl.loop %n while %true iter(%w) : (!tl.tensor) -> (!tl.tensor) {
  ^bb0(%i: i64, %c: !tl.tensor):
    // CHECK: tl.aten "add.Tensor"
    %s = tl.aten "add.Tensor"(%c, %c, %one) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
    tl.continue %true iter(%s : !tl.tensor)
  }
  // CHECK: tl.if
  %x = tl.if %true -> (!tl.tensor) {
    tl.yield %r : !tl.tensor
  } else {
    %u = tl.uninitialized : !tl.tensor
    tl.yield %u : !tl.tensor
  }
  // CHECK: tl.call_method "forward"
  %y = tl.call_method "forward"(%self, %n) : (!tl.object<@__torch__.Cell>, i64) -> !tl.tensor
  return %x : !tl.tensor
}
