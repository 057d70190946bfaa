// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(3xf32,int)" | FileCheck %s

// A list that grows in a loop of unknown length is a buffer and a count, which grows where it is full.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>, %[[N:.*]]: i64)
// CHECK: %[[LOOP:.*]]:2 = tl.loop %[[N]] while %{{.*}} iter(%{{.*}}) : (i64, tensor<?x3xf32>) -> (i64, tensor<?x3xf32>)
// CHECK-NEXT: ^bb0(%{{.*}}: i64, %[[COUNT:.*]]: i64, %[[BUFFER:.*]]: tensor<?x3xf32>)
// CHECK: %[[FULL:.*]] = arith.cmpi sge, %[[COUNT]]
// CHECK: %[[LONGER:.*]] = tl.if %[[FULL]] -> (tensor<?x3xf32>)
// CHECK: tl.yield %[[BUFFER]]
// CHECK: tensor.insert_slice %{{.*}} into %[[LONGER]]
// CHECK: tl.continue
// CHECK: tl.check %{{.*}}, "stack expects a non-empty TensorList"
// CHECK: tensor.extract_slice %[[LOOP]]#1
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %true = tl.constant true -> i1
  %l = tl.list_construct : () -> !tl.list<!tl.tensor>
  tl.loop %n while %true {
  ^bb0(%i: i64):
    %r = tl.aten "append.t"(%l, %x) : (!tl.list<!tl.tensor>, !tl.tensor) -> !tl.list<!tl.tensor>
    tl.continue %true
  }
  %y = tl.aten "stack"(%l, %zero) : (!tl.list<!tl.tensor>, i64) -> !tl.tensor
  return %y : !tl.tensor
}
}

// -----

// A position that is known only at run time is one in a tensor of the elements.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-COUNT-2: tl.check %{{.*}}, "list index out of range"
// CHECK: tensor.extract_slice %{{.*}} : tensor<?x3xf32> to tensor<1x3xf32>
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor, %n: i64) -> !tl.tensor {
  %y = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  %l = tl.list_construct %x, %y : (!tl.tensor, !tl.tensor) -> !tl.list<!tl.tensor>
  %r = tl.aten "__getitem__.t"(%l, %n) : (!tl.list<!tl.tensor>, i64) -> !tl.tensor
  return %r : !tl.tensor
}
}

// -----

// As state, and as a result, it is one tensor; the type of the state says that it is a list.
module attributes {tl.root = @root} {
tl.class @C { tl.attr "l" : !tl.list<i64> tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {l = []} }
// CHECK: tl.state @{{.*}} "l" {{.*}}tensor<?xi64>
// CHECK-LABEL: func.func @forward_1
// CHECK-SAME: %[[L:.*]]: tensor<?xi64> {tl.state = "l"}
// CHECK-SAME: -> (tensor<?xi64>, tensor<?xi64> {tl.state = "l"})
// CHECK-SAME: tl.result = {list_of = [i64]}
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor, %n: i64) -> !tl.list<i64> {
  %l = tl.get_attr %self "l" : !tl.object<@C> -> !tl.list<i64>
  %true = tl.constant true -> i1
  tl.loop %n while %true {
  ^bb0(%i: i64):
    %r = tl.aten "append.t"(%l, %i) : (!tl.list<i64>, i64) -> !tl.list<i64>
    tl.continue %true
  }
  return %l : !tl.list<i64>
}
}
