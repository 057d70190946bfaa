// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func.func @unary
func.func @unary(%x: tensor<4x?xf32>, %i: tensor<ui8>, %b: tensor<2xi1>) {
  // CHECK: tl.exp %{{.*}} : tensor<4x?xf32>
  %0 = tl.exp %x : tensor<4x?xf32>
  // CHECK: tl.round %{{.*}} : tensor<4x?xf32>
  %1 = tl.round %x : tensor<4x?xf32>
  // CHECK: tl.neg %{{.*}} : tensor<ui8>
  %2 = tl.neg %i : tensor<ui8>
  // CHECK: tl.bitwise_not %{{.*}} : tensor<2xi1>
  %3 = tl.bitwise_not %b : tensor<2xi1>
  // CHECK: tl.isnan %{{.*}} : tensor<4x?xf32> -> tensor<4x?xi1>
  %4 = tl.isnan %x : tensor<4x?xf32> -> tensor<4x?xi1>
  return
}

// CHECK-LABEL: func.func @binary
func.func @binary(%x: tensor<4x?xf32>, %y: tensor<1xf32>, %i: tensor<3x1xi64>, %j: tensor<5xi64>,
                  %d: tensor<?xf32>) {
  // CHECK: tl.add %{{.*}}, %{{.*}} : tensor<4x?xf32>, tensor<1xf32> -> tensor<4x?xf32>
  %0 = tl.add %x, %y : tensor<4x?xf32>, tensor<1xf32> -> tensor<4x?xf32>
  // CHECK: tl.floor_div %{{.*}}, %{{.*}} : tensor<3x1xi64>, tensor<5xi64> -> tensor<3x5xi64>
  %1 = tl.floor_div %i, %j : tensor<3x1xi64>, tensor<5xi64> -> tensor<3x5xi64>
  // A result may be known better than was inferred.
  // CHECK: tl.mul %{{.*}}, %{{.*}} : tensor<4x?xf32>, tensor<?xf32> -> tensor<4x7xf32>
  %2 = tl.mul %x, %d : tensor<4x?xf32>, tensor<?xf32> -> tensor<4x7xf32>
  // CHECK: tl.and %{{.*}}, %{{.*}} : tensor<5xi64>, tensor<5xi64> -> tensor<5xi64>
  %3 = tl.and %j, %j : tensor<5xi64>, tensor<5xi64> -> tensor<5xi64>
  // CHECK: tl.compare le %{{.*}}, %{{.*}} : tensor<3x1xi64>, tensor<5xi64> -> tensor<3x5xi1>
  %4 = tl.compare le %i, %j : tensor<3x1xi64>, tensor<5xi64> -> tensor<3x5xi1>
  // CHECK: tl.where %{{.*}}, %{{.*}}, %{{.*}} : tensor<3x5xi1>, tensor<3x1xi64>, tensor<5xi64> -> tensor<3x5xi64>
  %5 = tl.where %4, %i, %j : tensor<3x5xi1>, tensor<3x1xi64>, tensor<5xi64> -> tensor<3x5xi64>
  // CHECK: tl.cast %{{.*}} : tensor<4x?xf32> to tensor<4x?xui8>
  %6 = tl.cast %x : tensor<4x?xf32> to tensor<4x?xui8>
  return
}
