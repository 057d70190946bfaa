// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(int,int)" | FileCheck %s

// A raise under a run-time condition is a check; what it excludes is a fact behind it.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[A:.*]]: i64, %[[B:.*]]: i64)
// CHECK: %[[NE:.*]] = arith.cmpi ne, %[[A]], %[[B]]
// CHECK: %[[OK:.*]] = arith.xori %[[NE]]
// CHECK: tl.check %[[OK]], "ValueError: expected {} but got {}"[%[[B]], %[[A]] : i64, i64]
// CHECK: %[[S:.*]] = arith.addi %[[A]], %[[B]]
// CHECK-NOT: tl.if
// CHECK: return %[[S]]
func.func @C.forward(%self: !tl.object<@C>, %d: i64, %n: i64) -> i64 {
  %zero = tl.constant 0 : i64 -> i64
  %f = tl.constant "expected {} but got {}" -> !tl.str
  %cls = tl.constant "builtins.ValueError" -> !tl.str
  %c = tl.aten "ne.int"(%d, %n) : (i64, i64) -> i1
  %r = tl.if %c -> (i64) {
    %m = tl.aten "format"(%f, %n, %d) : (!tl.str, i64, i64) -> !tl.str
    tl.raise %m, %cls : !tl.str, !tl.str
    %u = tl.uninitialized : i64
    tl.yield %u : i64
  } else {
    %s = tl.aten "add.int"(%d, %n) : (i64, i64) -> i64
    tl.yield %s : i64
  }
  %again = tl.aten "eq.int"(%d, %n) : (i64, i64) -> i1
  %r2 = tl.if %again -> (i64) {
    tl.yield %r : i64
  } else {
    tl.yield %zero : i64
  }
  return %r2 : i64
}
}

// -----

// A list that grows in a loop of known length: unrolled. An element that changes in a loop whose
// length is known at run time: carried by the loop.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[X:.*]]: i64, %[[N:.*]]: i64) -> (i64, i64, i64, i64)
// CHECK-SAME: tl.result = {list = [i64, i64, i64, i64]}
// CHECK-COUNT-3: arith.addi %[[X]]
// CHECK: tl.loop %[[N]] while %{{.*}} iter(%[[X]]) : (i64) -> (i64)
// CHECK-NOT: tl.loop
func.func @C.forward(%self: !tl.object<@C>, %x: i64, %n: i64) -> !tl.list<i64> {
  %four = tl.constant 4 : i64 -> i64
  %true = tl.constant true -> i1
  %l = tl.list_construct : () -> !tl.list<i64>
  %zero = tl.constant 0 : i64 -> i64
  tl.loop %four while %true {
  ^bb0(%i: i64):
    %s = tl.aten "add.int"(%x, %i) : (i64, i64) -> i64
    %a = tl.aten "append.t"(%l, %s) : (!tl.list<i64>, i64) -> !tl.list<i64>
    tl.continue %true
  }
  // rewrite all elements in a kept loop
  tl.loop %n while %true {
  ^bb0(%i: i64):
    %e = tl.aten "__getitem__.t"(%l, %zero) : (!tl.list<i64>, i64) -> i64
    %s = tl.aten "add.int"(%e, %i) : (i64, i64) -> i64
    %a = tl.aten "_set_item.t"(%l, %zero, %s) : (!tl.list<i64>, i64, i64) -> !tl.list<i64>
    tl.continue %true
  }
  return %l : !tl.list<i64>
}
}

// -----

// Where the arms give different structures the rest is walked in both.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[X:.*]]: i64, %[[N:.*]]: i64)
// CHECK: %[[R:.*]] = tl.if
// CHECK-NEXT: tl.yield %[[N]]
// CHECK: else
// CHECK-NEXT: %[[M:.*]] = arith.muli %[[X]], %[[N]]
// CHECK-NEXT: tl.yield %[[M]]
// CHECK: return %[[R]]
func.func @C.forward(%self: !tl.object<@C>, %x: i64, %n: i64) -> i64 {
  %c = tl.aten "lt.int"(%x, %n) : (i64, i64) -> i1
  %none = tl.constant #tl.none -> !tl.none
  %o = tl.if %c -> (!tl.optional<i64>) {
    %nn = tl.unchecked_cast %none : !tl.none -> !tl.optional<i64>
    tl.yield %nn : !tl.optional<i64>
  } else {
    %xx = tl.unchecked_cast %x : i64 -> !tl.optional<i64>
    tl.yield %xx : !tl.optional<i64>
  }
  %is = tl.aten "__is__"(%o, %none) : (!tl.optional<i64>, !tl.none) -> i1
  %r = tl.if %is -> (i64) {
    tl.yield %n : i64
  } else {
    %u = tl.unchecked_cast %o : !tl.optional<i64> -> i64
    %s = tl.aten "mul.int"(%u, %n) : (i64, i64) -> i64
    tl.yield %s : i64
  }
  return %r : i64
}
}

// -----

// A dead arm is not walked: the operator in it does not exist.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[A:.*]]: i64, %{{.*}}: i64)
// CHECK-NEXT: return %[[A]]
func.func @C.forward(%self: !tl.object<@C>, %a: i64, %b: i64) -> i64 {
  %false = tl.constant false -> i1
  %r = tl.if %false -> (i64) {
    %x = tl.aten "no_such_operator"(%a) : (i64) -> i64
    tl.yield %x : i64
  } else {
    tl.yield %a : i64
  }
  return %r : i64
}
}

// -----

// A while loop: INT64_MAX trips at most, and a condition that is carried.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[A:.*]]: i64, %[[B:.*]]: i64)
// CHECK: %[[LT:.*]] = arith.cmpi slt, %[[A]], %[[B]]
// CHECK: tl.loop %{{.*}} while %[[LT]] iter(%[[A]]) : (i64) -> (i64)
// CHECK: ^bb0(%{{.*}}: i64, %[[C:.*]]: i64):
// CHECK: %[[D:.*]] = arith.muli %[[C]], %{{.*}} : i64
// CHECK: %[[GO:.*]] = arith.cmpi slt, %[[D]], %[[B]]
// CHECK: tl.continue %[[GO]] iter(%[[D]] : i64)
func.func @C.forward(%self: !tl.object<@C>, %a: i64, %b: i64) -> i64 {
  %max = tl.constant 9223372036854775807 : i64 -> i64
  %two = tl.constant 2 : i64 -> i64
  %c = tl.aten "lt.int"(%a, %b) : (i64, i64) -> i1
  %r = tl.loop %max while %c iter(%a) : (i64) -> (i64) {
  ^bb0(%i: i64, %x: i64):
    %y = tl.aten "mul.int"(%x, %two) : (i64, i64) -> i64
    %go = tl.aten "lt.int"(%y, %b) : (i64, i64) -> i1
    tl.continue %go iter(%y : i64)
  }
  return %r : i64
}
}

// -----

// From the first trip on, the name stands for another list. The first trip is walked apart, and what follows in
// both arms.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[N:.*]]: i64, %{{.*}}: i64)
// CHECK: %[[ANY:.*]] = arith.cmpi sgt, %[[N]], %{{.*}} : i64
// CHECK: %[[R:.*]] = tl.if %[[ANY]] -> (i64) {
// CHECK: tl.yield %c50_i64 : i64
// CHECK: tl.yield %c1_i64 : i64
// CHECK: return %[[R]]
func.func @C.forward(%self: !tl.object<@C>, %n: i64, %unused: i64) -> i64 {
  %true = tl.constant true -> i1
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %fifty = tl.constant 50 : i64 -> i64
  %l = tl.list_construct %one : (i64) -> !tl.list<i64>
  %m = tl.list_construct %zero : (i64) -> !tl.list<i64>
  %k = tl.loop %n while %true iter(%l) : (!tl.list<i64>) -> (!tl.list<i64>) {
  ^bb0(%i: i64, %before: !tl.list<i64>):
    tl.continue %true iter(%m : !tl.list<i64>)
  }
  %set = tl.aten "_set_item.t"(%m, %zero, %fifty) : (!tl.list<i64>, i64, i64) -> !tl.list<i64>
  %r = tl.aten "__getitem__.t"(%k, %zero) : (!tl.list<i64>, i64) -> i64
  return %r : i64
}
}
