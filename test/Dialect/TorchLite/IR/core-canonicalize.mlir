// RUN: tl-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @neutral
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>, %[[I:.*]]: tensor<4xi64>
func.func @neutral(%x: tensor<4xf32>, %i: tensor<4xi64>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xi64>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %minus_zero = arith.constant dense<-0.0> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %izero = arith.constant dense<0> : tensor<i64>
  // -0 + 0 is 0, so that this one stays.
  // CHECK: %[[SUM:.*]] = tl.add %[[X]]
  %0 = tl.add %x, %zero : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %1 = tl.add %minus_zero, %x : tensor<f32>, tensor<4xf32> -> tensor<4xf32>
  %2 = tl.mul %x, %one : tensor<4xf32>, tensor<1xf32> -> tensor<4xf32>
  %3 = tl.sub %x, %zero : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %4 = tl.add %i, %izero : tensor<4xi64>, tensor<i64> -> tensor<4xi64>
  // CHECK: return %[[SUM]], %[[X]], %[[X]], %[[X]], %[[I]]
  return %0, %1, %2, %3, %4 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xi64>
}

// What is broadcast is not the result.
// CHECK-LABEL: func.func @neutral_but_broadcast
func.func @neutral_but_broadcast(%x: tensor<1xf32>) -> tensor<4xf32> {
  %one = arith.constant dense<1.0> : tensor<4xf32>
  // CHECK: tl.mul
  %0 = tl.mul %x, %one : tensor<1xf32>, tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @identities
// CHECK-SAME: %[[X:.*]]: tensor<4x?xf32>
func.func @identities(%x: tensor<4x?xf32>, %n: index) -> (tensor<4x?xf32>, tensor<4x?xf32>, tensor<4x?xf32>, tensor<4x?xf32>, tensor<4x?xf32>) {
  %0 = tl.cast %x : tensor<4x?xf32> to tensor<4x?xf32>
  %1 = tl.reshape %0 [%n] : tensor<4x?xf32> to tensor<4x?xf32>
  %2 = tl.permute %x [0, 1] : tensor<4x?xf32> -> tensor<4x?xf32>
  %3 = tl.broadcast_to %x [%n] : tensor<4x?xf32> to tensor<4x?xf32>
  %4 = tl.pad %x reflect low[0, 0] high[0, 0] : tensor<4x?xf32> -> tensor<4x?xf32>
  %5 = tl.neg %4 : tensor<4x?xf32>
  %6 = tl.neg %5 : tensor<4x?xf32>
  // CHECK: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
  return %0, %1, %2, %3, %6 : tensor<4x?xf32>, tensor<4x?xf32>, tensor<4x?xf32>, tensor<4x?xf32>, tensor<4x?xf32>
}

// Two dynamic sizes can both change.
// CHECK-LABEL: func.func @reshape_stays
func.func @reshape_stays(%x: tensor<?x?xf32>, %n: index, %m: index) -> tensor<?x?xf32> {
  // CHECK: tl.reshape
  %0 = tl.reshape %x [%n, %m] : tensor<?x?xf32> to tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @compositions
// CHECK-SAME: %[[X:.*]]: tensor<2x3x4xf32>
func.func @compositions(%x: tensor<2x3x4xf32>) -> (tensor<6x4xf32>, tensor<3x4x2xf32>) {
  // CHECK-DAG: %[[R:.*]] = tl.reshape %[[X]] : tensor<2x3x4xf32> to tensor<6x4xf32>
  %0 = tl.reshape %x : tensor<2x3x4xf32> to tensor<24xf32>
  %1 = tl.reshape %0 : tensor<24xf32> to tensor<6x4xf32>
  // CHECK-DAG: %[[P:.*]] = tl.permute %[[X]] [1, 2, 0]
  %2 = tl.permute %x [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %3 = tl.permute %2 [2, 0, 1] : tensor<4x2x3xf32> -> tensor<3x4x2xf32>
  // CHECK: return %[[R]], %[[P]]
  return %1, %3 : tensor<6x4xf32>, tensor<3x4x2xf32>
}

// -----

// CHECK-LABEL: func.func @integers
func.func @integers() -> (tensor<2x2xi32>, tensor<3xi8>, tensor<3xi8>, tensor<2xui8>, tensor<2xi1>) {
  %a = arith.constant dense<[[1], [2]]> : tensor<2x1xi32>
  %b = arith.constant dense<[10, 20]> : tensor<2xi32>
  // CHECK-DAG: arith.constant dense<{{\[}}[11, 21], [12, 22]]> : tensor<2x2xi32>
  %0 = tl.add %a, %b : tensor<2x1xi32>, tensor<2xi32> -> tensor<2x2xi32>
  %c = arith.constant dense<[-7, 7, -6]> : tensor<3xi8>
  %d = arith.constant dense<[2, -2, 3]> : tensor<3xi8>
  // CHECK-DAG: arith.constant dense<[-4, -4, -2]> : tensor<3xi8>
  %1 = tl.floor_div %c, %d : tensor<3xi8>, tensor<3xi8> -> tensor<3xi8>
  // CHECK-DAG: arith.constant dense<[1, -1, 0]> : tensor<3xi8>
  %2 = tl.remainder %c, %d : tensor<3xi8>, tensor<3xi8> -> tensor<3xi8>
  %e = arith.constant dense<[200, 1]> : tensor<2xui8>
  // CHECK-DAG: arith.constant dense<[144, 2]> : tensor<2xui8>
  %3 = tl.add %e, %e : tensor<2xui8>, tensor<2xui8> -> tensor<2xui8>
  %f = arith.constant dense<100> : tensor<ui8>
  // CHECK-DAG: arith.constant dense<[true, false]> : tensor<2xi1>
  %4 = tl.compare gt %e, %f : tensor<2xui8>, tensor<ui8> -> tensor<2xi1>
  return %0, %1, %2, %3, %4 : tensor<2x2xi32>, tensor<3xi8>, tensor<3xi8>, tensor<2xui8>, tensor<2xi1>
}

// What raises an error or wraps around is left to the lowering.
// CHECK-LABEL: func.func @divisions_stay
func.func @divisions_stay() -> (tensor<1xi8>, tensor<1xi8>) {
  %a = arith.constant dense<-128> : tensor<1xi8>
  %zero = arith.constant dense<0> : tensor<1xi8>
  %minus = arith.constant dense<-1> : tensor<1xi8>
  // CHECK: tl.trunc_div
  %0 = tl.trunc_div %a, %zero : tensor<1xi8>, tensor<1xi8> -> tensor<1xi8>
  // CHECK: tl.trunc_div
  %1 = tl.trunc_div %a, %minus : tensor<1xi8>, tensor<1xi8> -> tensor<1xi8>
  return %0, %1 : tensor<1xi8>, tensor<1xi8>
}

// CHECK-LABEL: func.func @casts
func.func @casts() -> (tensor<3xi64>, tensor<2xf16>, tensor<2xi1>, tensor<2xf32>, tensor<1xi8>) {
  %f = arith.constant dense<[1.9, -1.9, 3.0]> : tensor<3xf32>
  // CHECK-DAG: arith.constant dense<[1, -1, 3]> : tensor<3xi64>
  %0 = tl.cast %f : tensor<3xf32> to tensor<3xi64>
  // PyTorch rounds twice, from f64 to f32 to f16.
  %d = arith.constant dense<[65519.9999, 1.0]> : tensor<2xf64>
  // CHECK-DAG: arith.constant dense<[0x7C00, 1.000000e+00]> : tensor<2xf16>
  %1 = tl.cast %d : tensor<2xf64> to tensor<2xf16>
  %n = arith.constant dense<[0x7FC00000, -0.0]> : tensor<2xf32>
  // CHECK-DAG: arith.constant dense<[true, false]> : tensor<2xi1>
  %2 = tl.cast %n : tensor<2xf32> to tensor<2xi1>
  %u = arith.constant dense<[200, 1]> : tensor<2xui8>
  // CHECK-DAG: arith.constant dense<[2.000000e+02, 1.000000e+00]> : tensor<2xf32>
  %3 = tl.cast %u : tensor<2xui8> to tensor<2xf32>
  // CHECK-DAG: tl.cast %{{.*}} : tensor<1xf32> to tensor<1xi8>
  %out_of_range = arith.constant dense<300.0> : tensor<1xf32>
  %4 = tl.cast %out_of_range : tensor<1xf32> to tensor<1xi8>
  return %0, %1, %2, %3, %4 : tensor<3xi64>, tensor<2xf16>, tensor<2xi1>, tensor<2xf32>, tensor<1xi8>
}

// CHECK-LABEL: func.func @shapes
func.func @shapes() -> (tensor<2x3xi64>, tensor<100x10xf32>, tensor<4xf32>) {
  %0 = arith.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi64>
  // CHECK-DAG: arith.constant dense<{{\[}}[1, 3, 5], [2, 4, 6]]> : tensor<2x3xi64>
  %1 = tl.permute %0 [1, 0] : tensor<3x2xi64> -> tensor<2x3xi64>
  %2 = arith.constant dense<2.0> : tensor<10x100xf32>
  // CHECK-DAG: arith.constant dense<2.000000e+00> : tensor<100x10xf32>
  %3 = tl.permute %2 [1, 0] : tensor<10x100xf32> -> tensor<100x10xf32>
  %4 = arith.constant dense_resource<weights> : tensor<2x2xf32>
  // CHECK-DAG: arith.constant dense_resource<weights> : tensor<4xf32>
  %5 = tl.reshape %4 : tensor<2x2xf32> to tensor<4xf32>
  return %1, %3, %5 : tensor<2x3xi64>, tensor<100x10xf32>, tensor<4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x080000000000803F000000400000404000008040"
    }
  }
#-}
