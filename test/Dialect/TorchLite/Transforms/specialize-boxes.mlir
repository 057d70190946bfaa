// RUN: tl-opt %s --tl-specialize=signature="forward(int)" -split-input-file | FileCheck %s

// A list of lists that grows in a loop of unknown length is a box, and so are its rows; what a trip
// made is let go at its end.
// CHECK-LABEL: func.func @{{.*}}forward
// CHECK: %[[ROWS:.*]] = tlrt.box.create 0
// CHECK: %[[MARK:.*]] = tlrt.box.mark
// CHECK: tl.loop
// CHECK: %[[ROW:.*]] = tlrt.box.create 0
// CHECK: tlrt.box.append %[[ROW]], %{{.*}} : i64
// CHECK: tlrt.box.append %[[ROWS]], %[[ROW]] : !tlrt.box
// CHECK: tlrt.box.keep %[[MARK]]
// CHECK: tlrt.box.size %[[ROWS]]
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %a: i64 {tl.name = "a"}) -> i64 {
  %l = tl.list_construct : () -> !tl.list<!tl.list<i64>>
  %true = tl.constant true -> i1
  tl.loop %a while %true {
  ^bb0(%i: i64):
    %e = tl.list_construct %i : (i64) -> !tl.list<i64>
    %r = tl.aten "append.t"(%l, %e) : (!tl.list<!tl.list<i64>>, !tl.list<i64>) -> !tl.list<!tl.list<i64>>
    tl.continue %true
  }
  %n = tl.aten "len.t"(%l) : (!tl.list<!tl.list<i64>>) -> i64
  return %n : i64
}
}

// -----

// A list of numbers is none, though its length is known only at run time.
// CHECK-LABEL: func.func @{{.*}}forward
// CHECK-NOT: tlrt.box
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %a: i64 {tl.name = "a"}) -> i64 {
  %l = tl.list_construct : () -> !tl.list<i64>
  %true = tl.constant true -> i1
  tl.loop %a while %true {
  ^bb0(%i: i64):
    %r = tl.aten "append.t"(%l, %i) : (!tl.list<i64>, i64) -> !tl.list<i64>
    tl.continue %true
  }
  %n = tl.aten "len.t"(%l) : (!tl.list<i64>) -> i64
  return %n : i64
}
}

// -----

// A list of strings that is asked for an element at a position that is not known.
// CHECK-LABEL: func.func @{{.*}}forward
// CHECK: %[[LIST:.*]] = tlrt.box.create 0
// CHECK: tlrt.box.append %[[LIST]], %{{.*}} : !tlrt.box
// CHECK: tl.check
// CHECK: tlrt.box.get %[[LIST]][%{{.*}}] : !tlrt.box
// CHECK: tlrt.box.equal
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %a: i64 {tl.name = "a"}) -> i1 {
  %s = tl.constant "s" -> !tl.str
  %t = tl.constant "t" -> !tl.str
  %l = tl.list_construct %s, %t : (!tl.str, !tl.str) -> !tl.list<!tl.str>
  %r = tl.aten "__getitem__.t"(%l, %a) : (!tl.list<!tl.str>, i64) -> !tl.str
  %same = tl.aten "eq.str"(%r, %s) : (!tl.str, !tl.str) -> i1
  return %same : i1
}
}
