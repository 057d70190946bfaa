// RUN: tl-opt %s --convert-tl-to-linalg | FileCheck %s

// Sizes that are not known come from the call, those of what it writes from the operand.
// CHECK-LABEL: func.func @call(
// CHECK-SAME:    %[[X:.*]]: tensor<?x3xi8>, %[[N:.*]]: f64)
func.func @call(%x: tensor<?x3xui8>, %n: f64) -> (tensor<?x2xf32>, i64, tensor<?x3xui8>) {
  // CHECK: %[[GIVEN:.*]], %[[NUMBERS:.*]]:2 = tlrt.call_operator "mylib::f.out|T0/2 f I2 n [ S6162 B1 ]|T6:?,2 i|0"(%[[X]], %[[N]] : tensor<?x3xi8>, f64) : i64, i64, i64
  // CHECK: %[[ROWS:.*]] = arith.index_cast %[[NUMBERS]]#0 : i64 to index
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%[[ROWS]]) : tensor<?x2xf32>
  // CHECK: %[[Y:.*]] = tlrt.operator_result 0 of %[[GIVEN]] outs(%[[EMPTY]] : tensor<?x2xf32>) -> tensor<?x2xf32>
  // CHECK: %[[DIM:.*]] = tensor.dim %[[X]]
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%[[DIM]]) : tensor<?x3xi8>
  // CHECK: %[[AFTER:.*]] = tlrt.operator_result 1 of %[[GIVEN]] outs(%[[EMPTY]] : tensor<?x3xi8>) -> tensor<?x3xi8>
  // CHECK: tlrt.operator_release %[[GIVEN]]
  %0:3 = tl.call_operator "mylib::f.out"(%x, %n) takes [unit, unit, 2, #tl.none, ["ab", true]]
       gives [unit, unit] writes [0]
     : (tensor<?x3xui8>, f64) -> (tensor<?x2xf32>, i64, tensor<?x3xui8>)
  // CHECK: return %[[Y]], %[[NUMBERS]]#1, %[[AFTER]]
  return %0#0, %0#1, %0#2 : tensor<?x2xf32>, i64, tensor<?x3xui8>
}
