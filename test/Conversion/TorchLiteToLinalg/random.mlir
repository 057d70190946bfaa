// RUN: tl-opt %s --convert-tl-to-linalg | FileCheck %s

// The element type is told from others of its width by its number in PyTorch.
// CHECK-LABEL: func.func @numbers(
// CHECK-SAME: %[[N:.*]]: index, %[[LOW:.*]]: i64, %[[RANGE:.*]]: i64, %[[P:.*]]: tensor<4xf64>)
func.func @numbers(%n: index, %low: i64, %range: i64, %p: tensor<4xf64>) -> (tensor<?x2xui8>, tensor<4xi1>) {
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%[[N]]) : tensor<?x2xi8>
  // CHECK: %[[X:.*]] = tlrt.random "integers" 0(%[[LOW]], %[[RANGE]] : i64, i64) outs(%[[EMPTY]] : tensor<?x2xi8>) -> tensor<?x2xi8>
  %0 = tl.random "integers"(%low, %range : i64, i64) [%n] : tensor<?x2xui8>
  // CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<4xi1>
  // CHECK: %[[Y:.*]] = tlrt.random "bernoulli_each" 11 each %[[P]] : tensor<4xf64> outs(%[[EMPTY]] : tensor<4xi1>) -> tensor<4xi1>
  %1 = tl.random "bernoulli_each" each %p : tensor<4xf64> : tensor<4xi1>
  // CHECK: return %[[X]], %[[Y]]
  return %0, %1 : tensor<?x2xui8>, tensor<4xi1>
}
