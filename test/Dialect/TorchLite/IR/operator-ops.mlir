// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func @calls
func.func @calls(%x: tensor<?x4xf32>, %max: f64, %n: i64, %b: tensor<i64>) {
  // CHECK: tl.call_operator "aten::renorm"(%{{.*}}, %{{.*}}) takes [unit, 2.000000e+00, 0, unit] gives [unit] : (tensor<?x4xf32>, f64) -> tensor<?x?xf32>
  %0 = tl.call_operator "aten::renorm"(%x, %max) takes [unit, 2.0, 0, unit] gives [unit]
     : (tensor<?x4xf32>, f64) -> tensor<?x?xf32>
  // CHECK: tl.call_operator "mylib::scale_"(%{{.*}}) takes [unit, 5.000000e-01] gives [0] writes [0] : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = tl.call_operator "mylib::scale_"(%x) takes [unit, 0.5] gives [0] writes [0]
     : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: tl.call_operator "mylib::many"(%{{.*}}, %{{.*}}, %{{.*}}) takes [{{\[}}unit, #tl.none, unit], "cpu", true, {number}] gives [{{\[}}unit, unit], #tl.none, unit] aliases :
  %2:3 = tl.call_operator "mylib::many"(%x, %x, %b) takes [[unit, #tl.none, unit], "cpu", true, {number}]
       gives [[unit, unit], #tl.none, unit] aliases
     : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<i64>) -> (tensor<?xf32>, tensor<3xi1>, i64)
  // Nobody uses the results: the calls are made nevertheless.
  return
}
