// RUN: tl-opt %s --tl-specialize="signature=forward(?x3xf32,[int,2.5],{\"k\":f64},none)" | FileCheck %s
// RUN: not tl-opt %s --tl-specialize="signature=forward(3xq32)" 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not tl-opt %s --tl-specialize="signature=forward(3" 2>&1 | FileCheck %s --check-prefix=OPEN
// RUN: not tl-opt %s --tl-specialize 2>&1 | FileCheck %s --check-prefix=NONE

// TYPE: error: signature 'forward(3xq32)': expected a type such as 1x3x?xf32, int, float, bool, none, a value, or a list, tuple or dict of these, but got 'q32' at position 11
// OPEN: error: signature 'forward(3': expected ',' or ')' at position 10
// NONE: error: the types of the arguments of 'forward(x, l, d, o)' are not known: give a signature, as in signature=forward(1x3x224x224xf32)

module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// CHECK: func.func @forward(%[[X:.*]]: tensor<?x3xf32>, %[[I:.*]]: i64, %[[D:.*]]: tensor<f64>)
// CHECK-SAME: {name = "l", type = {list = [i64, 2.500000e+00]}}
// CHECK-SAME: {name = "d", type = {dict = {{\[\[}}"k", tensor<f64>{{\]\]}}}}
// CHECK-SAME: {name = "o", type = #tl.none}
// CHECK-SAME: tl.result = {tuple = [{{.*}}tensor<?x3xf32>, true]}
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"},
                     %l: !tl.list<!tl.number> {tl.name = "l"},
                     %d: !tl.dict<!tl.str, !tl.tensor> {tl.name = "d"},
                     %o: !tl.optional<i64> {tl.name = "o"}) -> !tl.tuple<!tl.tensor, i1> {
  %none = tl.constant #tl.none -> !tl.none
  %b = tl.aten "__is__"(%o, %none) : (!tl.optional<i64>, !tl.none) -> i1
  %r = tl.tuple_construct %x, %b : (!tl.tensor, i1) -> !tl.tuple<!tl.tensor, i1>
  return %r : !tl.tuple<!tl.tensor, i1>
}
}
