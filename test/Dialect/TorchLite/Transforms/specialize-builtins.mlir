// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(int,float)" | FileCheck %s

// torch.tensor of numbers: constants fold, others are made at run time.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[N:.*]]: i64, %{{.*}}: f64)
// CHECK-DAG: arith.constant dense<2.500000e+00> : tensor<f32>
// CHECK-DAG: arith.constant dense<{{\[\[}}1, 2], [3, 4]]> : tensor<2x2xi64>
// CHECK-DAG: tensor.from_elements %[[N]], %{{.*}} : tensor<2xi64>
func.func @C.forward(%self: !tl.object<@C>, %n: i64, %f: f64) -> !tl.tuple<!tl.tensor, !tl.tensor, !tl.tensor> {
  %none = tl.constant #tl.none -> !tl.none
  %no = tl.constant false -> i1
  %half = tl.constant 2.5 : f64 -> f64
  %a = tl.aten "tensor.float"(%half, %none, %none, %no) : (f64, !tl.none, !tl.none, i1) -> !tl.tensor
  %l = tl.constant [[1, 2], [3, 4]] -> !tl.list<!tl.list<i64>>
  %b = tl.aten "tensor"(%l, %none, %none, %no) : (!tl.list<!tl.list<i64>>, !tl.none, !tl.none, i1) -> !tl.tensor
  %three = tl.constant 3 : i64 -> i64
  %k = tl.list_construct %n, %three : (i64, i64) -> !tl.list<i64>
  %c = tl.aten "tensor"(%k, %none, %none, %no) : (!tl.list<i64>, !tl.none, !tl.none, i1) -> !tl.tensor
  %r = tl.tuple_construct %a, %b, %c : (!tl.tensor, !tl.tensor, !tl.tensor) -> !tl.tuple<!tl.tensor, !tl.tensor, !tl.tensor>
  return %r : !tl.tuple<!tl.tensor, !tl.tensor, !tl.tensor>
}
}

// -----

// Python's division and remainder of ints; a divisor that may be zero is checked.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[N:.*]]: i64, %{{.*}}: f64)
// CHECK-SAME: tl.result = {tuple = [-4, 1, i64]}
// CHECK: %[[OK:.*]] = arith.cmpi ne, %[[N]]
// CHECK: tl.check %[[OK]], "ZeroDivisionError: integer division or modulo by zero"
// The least int divided by -1 wraps; nothing traps.
// CHECK: %[[MINUS:.*]] = arith.cmpi eq, %[[N]], %c-1_i64
// CHECK: %[[SAFE:.*]] = arith.select %{{.*}}, %c1_i64, %[[N]]
// CHECK: %[[Q:.*]] = arith.floordivsi %{{.*}}, %[[SAFE]]
// CHECK: %[[RESULT:.*]] = arith.select %[[MINUS]], %{{.*}}, %[[Q]]
// CHECK: return %[[RESULT]]
func.func @C.forward(%self: !tl.object<@C>, %n: i64, %f: f64) -> !tl.tuple<i64, i64, i64> {
  %m = tl.constant -7 : i64 -> i64
  %two = tl.constant 2 : i64 -> i64
  %a = tl.aten "floordiv.int"(%m, %two) : (i64, i64) -> i64
  %b = tl.aten "remainder.int"(%m, %two) : (i64, i64) -> i64
  %c = tl.aten "floordiv.int"(%m, %n) : (i64, i64) -> i64
  %r = tl.tuple_construct %a, %b, %c : (i64, i64, i64) -> !tl.tuple<i64, i64, i64>
  return %r : !tl.tuple<i64, i64, i64>
}
}

// -----

// Strings, dicts and objects are known exactly and vanish.
module attributes {tl.root = @root} {
tl.class @Box { tl.attr "a" : i64 }
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[N:.*]]: i64, %[[F:.*]]: f64) -> (i64, f64)
// CHECK-SAME: tl.result = {tuple = [i64, f64, true, "k1"]}
// CHECK-NEXT: return %[[N]], %[[F]]
func.func @C.forward(%self: !tl.object<@C>, %n: i64, %f: f64) -> !tl.tuple<i64, f64, i1, !tl.str> {
  %o = tl.create_object : !tl.object<@Box>
  tl.set_attr %o "a" = %n : !tl.object<@Box>, i64
  %a = tl.get_attr %o "a" : !tl.object<@Box> -> i64
  %pattern = tl.constant "k{}" -> !tl.str
  %one = tl.constant 1 : i64 -> i64
  %key = tl.aten "format"(%pattern, %one) : (!tl.str, i64) -> !tl.str
  %d = tl.dict_construct %key, %f : (!tl.str, f64) -> !tl.dict<!tl.str, f64>
  %k1 = tl.constant "k1" -> !tl.str
  %g = tl.aten "__getitem__.Dict_str"(%d, %k1) : (!tl.dict<!tl.str, f64>, !tl.str) -> f64
  %in = tl.aten "__contains__.str"(%d, %k1) : (!tl.dict<!tl.str, f64>, !tl.str) -> i1
  %r = tl.tuple_construct %a, %g, %in, %key : (i64, f64, i1, !tl.str) -> !tl.tuple<i64, f64, i1, !tl.str>
  return %r : !tl.tuple<i64, f64, i1, !tl.str>
}
}
