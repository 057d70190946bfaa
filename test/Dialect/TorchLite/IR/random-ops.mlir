// RUN: tl-opt %s | tl-opt | FileCheck %s
// RUN: tl-opt %s --cse --canonicalize | FileCheck %s

// Each of them moves the generator on: equal ones are two, and what nobody uses stays.
// CHECK-LABEL: func.func @numbers(
func.func @numbers(%n: index, %a: f64, %b: f64, %low: i64, %range: i64, %p: tensor<?xf32>)
    -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: %[[X:.*]] = tl.random "normal"(%{{.*}}, %{{.*}} : f64, f64)[%{{.*}}] : tensor<?x4xf32>
  %x = tl.random "normal"(%a, %b : f64, f64)[%n] : tensor<?x4xf32>
  // CHECK: %[[Y:.*]] = tl.random "normal"(%{{.*}}, %{{.*}} : f64, f64)[%{{.*}}] : tensor<?x4xf32>
  %y = tl.random "normal"(%a, %b : f64, f64)[%n] : tensor<?x4xf32>
  // CHECK: tl.random "integers"(%{{.*}}, %{{.*}} : i64, i64) : tensor<3xui8>
  %i = tl.random "integers"(%low, %range : i64, i64) : tensor<3xui8>
  // CHECK: tl.random "bernoulli_each" each %{{.*}} : tensor<?xf32>[%{{.*}}] : tensor<?xi1>
  %c = tl.random "bernoulli_each" each %p : tensor<?xf32>[%n] : tensor<?xi1>
  // CHECK: tl.random "permutation" : tensor<7xi64>
  %o = tl.random "permutation" : tensor<7xi64>
  // CHECK: return %[[X]], %[[Y]]
  return %x, %y : tensor<?x4xf32>, tensor<?x4xf32>
}
