// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(int,int,3xf32)" | FileCheck %s

// A conditional on run-time values stays, with numbers as results.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[A:.*]]: i64, %[[B:.*]]: i64, %{{.*}}: tensor<3xf32>) -> i64
// CHECK-DAG: %[[LT:.*]] = arith.cmpi slt, %[[A]], %[[B]]
// CHECK: %[[R:.*]] = tl.if %[[LT]] -> (i64)
// CHECK: %[[S:.*]] = arith.addi %[[A]], %[[B]]
// CHECK: tl.yield %[[S]]
// CHECK: else
// CHECK: tl.yield %[[B]]
// CHECK: return %[[R]]
func.func @C.forward(%self: !tl.object<@C>, %a: i64 {tl.name = "a"}, %b: i64 {tl.name = "b"}, %x: !tl.tensor) -> i64 {
  %c = tl.aten "lt.int"(%a, %b) : (i64, i64) -> i1
  %r = tl.if %c -> (i64) {
    %s = tl.aten "add.int"(%a, %b) : (i64, i64) -> i64
    tl.yield %s : i64
  } else {
    tl.yield %b : i64
  }
  return %r : i64
}
}

// -----

// A loop whose trip count is known at run time stays a loop.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK: %[[R:.*]] = tl.loop %{{.*}} while %{{.*}} iter(%{{.*}}) : (i64) -> (i64)
// CHECK: ^bb0(%[[I:.*]]: i64, %[[ACC:.*]]: i64):
// CHECK: %[[N:.*]] = arith.addi %[[ACC]], %[[I]]
// CHECK: tl.continue %{{.*}} iter(%[[N]] : i64)
// CHECK: return %[[R]]
func.func @C.forward(%self: !tl.object<@C>, %a: i64 {tl.name = "a"}, %b: i64 {tl.name = "b"}, %x: !tl.tensor) -> i64 {
  %zero = tl.constant 0 : i64 -> i64
  %true = tl.constant true -> i1
  %r = tl.loop %a while %true iter(%zero) : (i64) -> (i64) {
  ^bb0(%i: i64, %acc: i64):
    %n = tl.aten "add.int"(%acc, %i) : (i64, i64) -> i64
    tl.continue %true iter(%n : i64)
  }
  return %r : i64
}
}
