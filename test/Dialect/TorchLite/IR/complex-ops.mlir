// RUN: tl-opt %s | tl-opt | FileCheck %s
// RUN: tl-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: func @parts
func.func @parts(%z: tensor<4x?xcomplex<f32>>, %x: tensor<f32>) -> tensor<4x?xcomplex<f32>> {
  // CHECK: tl.real %{{.*}} : tensor<4x?xcomplex<f32>> -> tensor<4x?xf32>
  %re = tl.real %z : tensor<4x?xcomplex<f32>> -> tensor<4x?xf32>
  // CHECK: tl.complex %{{.*}}, %{{.*}} : tensor<4x?xf32>, tensor<f32> -> tensor<4x?xcomplex<f32>>
  %0 = tl.complex %re, %x : tensor<4x?xf32>, tensor<f32> -> tensor<4x?xcomplex<f32>>
  return %0 : tensor<4x?xcomplex<f32>>
}

// FOLD-LABEL: func @whole
// FOLD-SAME: %[[Z:.*]]: tensor<?xcomplex<f64>>, %[[X:.*]]: tensor<?xf64>, %[[Y:.*]]: tensor<?xf64>
// FOLD-NEXT: return %[[Z]], %[[X]], %[[Y]]
func.func @whole(%z: tensor<?xcomplex<f64>>, %x: tensor<?xf64>, %y: tensor<?xf64>)
    -> (tensor<?xcomplex<f64>>, tensor<?xf64>, tensor<?xf64>) {
  %re = tl.real %z : tensor<?xcomplex<f64>> -> tensor<?xf64>
  %im = tl.imag %z : tensor<?xcomplex<f64>> -> tensor<?xf64>
  %0 = tl.complex %re, %im : tensor<?xf64>, tensor<?xf64> -> tensor<?xcomplex<f64>>
  %1 = tl.complex %x, %y : tensor<?xf64>, tensor<?xf64> -> tensor<?xcomplex<f64>>
  %2 = tl.real %1 : tensor<?xcomplex<f64>> -> tensor<?xf64>
  %3 = tl.imag %1 : tensor<?xcomplex<f64>> -> tensor<?xf64>
  return %0, %2, %3 : tensor<?xcomplex<f64>>, tensor<?xf64>, tensor<?xf64>
}

// FOLD-LABEL: func @constants
// FOLD-DAG: dense<[1.000000e+00, 3.000000e+00]> : tensor<2xf32>
// FOLD-DAG: dense<[(1.000000e+00,2.000000e+00), (3.000000e+00,4.000000e+00)]> : tensor<2xcomplex<f32>>
func.func @constants() -> (tensor<2xf32>, tensor<2xcomplex<f32>>) {
  %z = arith.constant dense<[(1.0, 2.0), (3.0, 4.0)]> : tensor<2xcomplex<f32>>
  %x = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %y = arith.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %re = tl.real %z : tensor<2xcomplex<f32>> -> tensor<2xf32>
  %0 = tl.complex %x, %y : tensor<2xf32>, tensor<2xf32> -> tensor<2xcomplex<f32>>
  return %re, %0 : tensor<2xf32>, tensor<2xcomplex<f32>>
}

// CHECK-LABEL: func @fourier
func.func @fourier(%a: tensor<2x6x8xf32>, %b: tensor<2x6x8xf32>, %t: tensor<2x6xf32>) -> tensor<2x6x8xf32> {
  // CHECK: tl.fourier %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x6x8xf32>, tensor<2x6x8xf32>, tensor<2x6xf32> -> tensor<2x6x8xf32>, tensor<2x6x8xf32>
  %re, %im = tl.fourier %a, %b, %t : tensor<2x6x8xf32>, tensor<2x6x8xf32>, tensor<2x6xf32> -> tensor<2x6x8xf32>, tensor<2x6x8xf32>
  return %im : tensor<2x6x8xf32>
}
