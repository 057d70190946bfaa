// RUN: tl-opt %s --split-input-file --verify-diagnostics --tl-specialize="signature=forward(?x3xf32)" | FileCheck %s

// What an operator without a rule gives is told by the module.
module attributes {tl.root = @root, tl.operators = {
  "mylib::scale(tensor<?x3xf32>, 2.000000e+00 : f64, [1, 2], #tl.none)" =
      {gives = [tensor<?x?xf64>, i64, [tensor<f32>]]}}} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor) -> !tl.tensor {
  %two = tl.constant 2.0 : f64 -> f64
  %sizes = tl.constant [1, 2] -> !tl.list<i64>
  %none = tl.constant #tl.none -> !tl.none
  // CHECK: %[[C:.*]]:3 = tl.call_operator "mylib::scale"(%{{.*}}) takes [unit, 2.000000e+00, [1, 2], #tl.none] gives [unit, unit, [unit]]
  // CHECK-SAME: (tensor<?x3xf32>) -> (tensor<?x?xf64>, i64, tensor<f32>)
  %y, %n, %l = tl.aten "mylib::scale"(%x, %two, %sizes, %none)
             : (!tl.tensor, f64, !tl.list<i64>, !tl.none) -> (!tl.tensor, i64, !tl.list<!tl.tensor>)
  // CHECK: return %[[C]]#0
  return %y : !tl.tensor
}
}

// -----

// A write goes to the view, and so to what it is a view of.
module attributes {tl.root = @root, tl.operators = {
  "aten::halve_(tensor<3xf32>)" = {gives = [0], writes = array<i64: 0>}}} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %y = tl.aten "add.Scalar"(%x, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  %row = tl.aten "select.int"(%y, %zero, %zero) : (!tl.tensor, i64, i64) -> !tl.tensor
  // CHECK: %[[AFTER:.*]] = tl.call_operator "aten::halve_"(%{{.*}}) takes [unit] gives [0] writes [0] : (tensor<3xf32>) -> tensor<3xf32>
  // CHECK: %[[ROW:.*]] = tl.reshape %[[AFTER]]
  // CHECK: %[[WHOLE:.*]] = tensor.insert_slice %[[ROW]] into
  %same = tl.aten "halve_"(%row) : (!tl.tensor) -> !tl.tensor
  // CHECK: return %[[WHOLE]]
  return %y : !tl.tensor
}
}

// -----

// What may share memory may be read, and not be written.
module attributes {tl.root = @root, tl.operators = {
  "mylib::part(tensor<?x3xf32>)" = {gives = [tensor<?xf32>], aliases}}} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor) -> (!tl.tensor, !tl.tensor) {
  %one = tl.constant 1 : i64 -> i64
  // expected-note@+1 {{which one is decided here}}
  %part = tl.aten "mylib::part"(%x) : (!tl.tensor) -> !tl.tensor
  %read = tl.aten "add.Scalar"(%part, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  // expected-error@+1 {{is written}}
  %written = tl.aten "add_.Scalar"(%part, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  return %x, %part : !tl.tensor, !tl.tensor
}
}

// -----

module attributes {tl.root = @root, tl.operators = {}} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor) -> !tl.tensor {
  // expected-error@+1 {{the operator 'mylib::other' has no rule, and cannot be called through LibTorch: nobody says what it gives}}
  %y = tl.aten "mylib::other"(%x) : (!tl.tensor) -> !tl.tensor
  // expected-error@+1 {{the operator 'resize_' has no rule, and cannot be called through LibTorch: it looks at how tensors lie in memory}}
  %z = tl.aten "resize_"(%x) : (!tl.tensor) -> !tl.tensor
  return %x : !tl.tensor
}
}
