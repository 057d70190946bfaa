// RUN: tl-opt %s --convert-tl-to-linalg | FileCheck %s

// CHECK-LABEL: func @parts
func.func @parts(%z: tensor<4x?xcomplex<f32>>, %x: tensor<f32>) -> tensor<4x?xcomplex<f32>> {
  // CHECK: linalg.generic
  // CHECK: complex.im %{{.*}} : complex<f32>
  %im = tl.imag %z : tensor<4x?xcomplex<f32>> -> tensor<4x?xf32>
  // CHECK: linalg.generic
  // CHECK: complex.create %{{.*}}, %{{.*}} : complex<f32>
  %0 = tl.complex %im, %x : tensor<4x?xf32>, tensor<f32> -> tensor<4x?xcomplex<f32>>
  return %0 : tensor<4x?xcomplex<f32>>
}
