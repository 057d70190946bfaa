// RUN: tl-opt %s --convert-tl-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @if_op
// CHECK-SAME: (%[[C:.*]]: i1, %[[X:.*]]: tensor<4xi8>, %[[Y:.*]]: tensor<4xi8>) -> tensor<4xi8>
func.func @if_op(%c: i1, %x: tensor<4xui8>, %y: tensor<4xui8>) -> tensor<4xui8> {
  // CHECK: %[[R:.*]] = scf.if %[[C]] -> (tensor<4xi8>)
  // CHECK: scf.yield %[[X]] : tensor<4xi8>
  // CHECK: scf.yield %[[Y]] : tensor<4xi8>
  %0 = tl.if %c -> (tensor<4xui8>) {
    tl.yield %x : tensor<4xui8>
  } else {
    tl.yield %y : tensor<4xui8>
  }
  // CHECK: return %[[R]]
  return %0 : tensor<4xui8>
}

// CHECK-LABEL: func.func @for_loop
// CHECK-SAME: (%[[N:.*]]: i64, %[[X:.*]]: i64) -> i64
func.func @for_loop(%n: i64, %x: i64) -> i64 {
  %true = arith.constant true
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : i64
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : i64
  // CHECK: %[[R:.*]] = scf.for %[[I:.*]] = %[[ZERO]] to %[[N]] step %[[ONE]] iter_args(%[[A:.*]] = %[[X]]) -> (i64) : i64
  // CHECK:   %[[S:.*]] = arith.addi %[[A]], %[[I]]
  // CHECK:   scf.yield %[[S]]
  %0 = tl.loop %n while %true iter(%x) : (i64) -> (i64) {
  ^bb0(%i: i64, %a: i64):
    %s = arith.addi %a, %i : i64
    tl.continue %true iter(%s : i64)
  }
  // CHECK: return %[[R]]
  return %0 : i64
}

// CHECK-LABEL: func.func @while_loop
// CHECK-SAME: (%[[N:.*]]: i64, %[[C:.*]]: i1, %[[X:.*]]: i64) -> i64
func.func @while_loop(%n: i64, %c: i1, %x: i64) -> i64 {
  // CHECK: %[[R:.*]]:2 = scf.while (%[[T:.*]] = %{{.*}}, %[[GO:.*]] = %[[C]], %[[A:.*]] = %[[X]])
  // CHECK:   %[[MORE:.*]] = arith.cmpi slt, %[[T]], %[[N]]
  // CHECK:   %[[BOTH:.*]] = arith.andi %[[GO]], %[[MORE]]
  // CHECK:   scf.condition(%[[BOTH]]) %[[T]], %[[A]]
  // CHECK: ^bb0(%[[I:.*]]: i64, %[[B:.*]]: i64):
  // CHECK:   %[[S:.*]] = arith.addi %[[B]], %[[I]]
  // CHECK:   %[[M:.*]] = arith.cmpi slt, %[[S]], %[[N]]
  // CHECK:   %[[NEXT:.*]] = arith.addi %[[I]], %{{.*}}
  // CHECK:   scf.yield %[[NEXT]], %[[M]], %[[S]]
  %0 = tl.loop %n while %c iter(%x) : (i64) -> (i64) {
  ^bb0(%i: i64, %a: i64):
    %s = arith.addi %a, %i : i64
    %m = arith.cmpi slt, %s, %n : i64
    tl.continue %m iter(%s : i64)
  }
  // CHECK: return %[[R]]#1
  return %0 : i64
}

// Whether the loop starts is not known, so that it is no scf.for.
// CHECK-LABEL: func.func @first_condition_unknown
// CHECK: scf.while
func.func @first_condition_unknown(%n: i64, %c: i1) {
  %true = arith.constant true
  tl.loop %n while %c {
  ^bb0(%i: i64):
    tl.continue %true
  }
  return
}

// CHECK-LABEL: func.func @check
// CHECK: tl.check %{{.*}}, "expected {}"
func.func @check(%c: i1, %n: i64) {
  tl.check %c, "expected {}" [%n : i64]
  return
}

// CHECK: tl.state @state_0 "mask" [tensor<4xui8>]
tl.state @state_0 "mask" [tensor<4xui8>] initial dense<1> : tensor<4xui8>
