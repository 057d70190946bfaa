// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(3x4xf32,int)" | FileCheck %s

// A write through a view reaches the tensor and all its other views; the argument is a result.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[X:.*]]: tensor<3x4xf32>, %{{.*}}: i64) -> (tensor<4xf32>, tensor<3x4xf32> {tl.changes = 0 : i64})
// CHECK: %[[ROW:.*]] = tensor.extract_slice %[[X]][1, 0] [1, 4]
// CHECK: tl.maximum
// CHECK: %[[X1:.*]] = tensor.insert_slice %{{.*}} into %[[X]][1, 0] [1, 4]
// CHECK: %[[FLAT:.*]] = tl.reshape %[[X1]] : tensor<3x4xf32> to tensor<12xf32>
// CHECK: tensor.extract_slice %[[FLAT]][0] [2]
// CHECK: tl.add
// CHECK: %[[FLAT1:.*]] = tensor.insert_slice %{{.*}} into %[[FLAT]][0] [2]
// CHECK: %[[X2:.*]] = tl.reshape %[[FLAT1]] : tensor<12xf32> to tensor<3x4xf32>
// CHECK: tensor.extract_slice %[[X2]][1, 0] [1, 4]
// CHECK: %[[R:.*]] = tl.reshape
// CHECK: return %[[R]], %[[X2]]
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %two = tl.constant 2 : i64 -> i64
  %m = tl.constant -1 : i64 -> i64
  %s = tl.aten "select.int"(%x, %zero, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  %r = tl.aten "relu_"(%s) : (!tl.tensor) -> !tl.tensor
  %l = tl.list_construct %m : (i64) -> !tl.list<i64>
  %v = tl.aten "view"(%x, %l) : (!tl.tensor, !tl.list<i64>) -> !tl.tensor
  %y = tl.aten "slice.Tensor"(%v, %zero, %zero, %two, %one) : (!tl.tensor, i64, i64, i64, i64) -> !tl.tensor
  %y2 = tl.aten "add_.Scalar"(%y, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  return %s : !tl.tensor
}
}

// -----

// A written storage is one more result of the conditional, and one more value of the loop.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK: %[[Z:.*]] = tl.maximum
// CHECK: %[[IF:.*]] = tl.if %{{.*}} -> (tensor<3x4xf32>)
// CHECK: %[[W:.*]] = tensor.insert_slice %{{.*}} into %[[Z]]
// CHECK: tl.yield %[[W]]
// CHECK: else
// CHECK: tl.yield %[[Z]]
// CHECK: %[[L:.*]] = tl.loop %{{.*}} while %{{.*}} iter(%[[IF]])
// CHECK: ^bb0(%{{.*}}: i64, %[[C:.*]]: tensor<3x4xf32>):
// CHECK: tensor.extract_slice %[[C]]
// CHECK: %[[N:.*]] = tensor.insert_slice %{{.*}} into %[[C]]
// CHECK: tl.continue %{{.*}} iter(%[[N]]
// CHECK: return %[[L]]
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %z = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  %c = tl.aten "gt.int"(%n, %zero) : (i64, i64) -> i1
  %t = tl.aten "select.int"(%z, %zero, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  tl.if %c {
    %r = tl.aten "add_.Scalar"(%t, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
    tl.yield
  } else {
    tl.yield
  }
  %true = tl.constant true -> i1
  tl.loop %n while %true {
  ^bb0(%i: i64):
    %r = tl.aten "mul_.Scalar"(%t, %i) : (!tl.tensor, i64) -> !tl.tensor
    tl.continue %true
  }
  return %z : !tl.tensor
}
}

// -----

// Which tensor is written depends on a condition, but nobody uses the others again.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK: %[[IF:.*]] = tl.if
// CHECK: %[[R:.*]] = tl.add %[[IF]]
// CHECK: return %[[R]]
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %a = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  %b = tl.aten "sigmoid"(%x) : (!tl.tensor) -> !tl.tensor
  %c = tl.aten "gt.int"(%n, %zero) : (i64, i64) -> i1
  %t = tl.if %c -> (!tl.tensor) {
    tl.yield %a : !tl.tensor
  } else {
    tl.yield %b : !tl.tensor
  }
  %r = tl.aten "add_.Scalar"(%t, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  return %r : !tl.tensor
}
}

// -----

// Which tensor is written depends on a condition, and both are used again: what follows the
// conditional is walked in each arm.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK: %[[A:.*]] = tl.maximum
// CHECK: %[[B:.*]] = tl.sigmoid
// CHECK: %[[IF:.*]]:2 = tl.if
// CHECK-NEXT: %[[A1:.*]] = tl.add %[[A]]
// CHECK-NEXT: tl.yield %[[A1]], %[[B]]
// CHECK-NEXT: } else {
// CHECK-NEXT: %[[B1:.*]] = tl.add %[[B]]
// CHECK-NEXT: tl.yield %[[A]], %[[B1]]
// CHECK: return %[[IF]]#0
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %a = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  %b = tl.aten "sigmoid"(%x) : (!tl.tensor) -> !tl.tensor
  %c = tl.aten "gt.int"(%n, %zero) : (i64, i64) -> i1
  %t = tl.if %c -> (!tl.tensor) {
    tl.yield %a : !tl.tensor
  } else {
    tl.yield %b : !tl.tensor
  }
  %r = tl.aten "add_.Scalar"(%t, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  return %a : !tl.tensor
}
}
