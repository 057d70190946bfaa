// RUN: tl-opt %s --tl-pack-constants=min-bytes=16 | FileCheck %s

// Equal contents share a place, also with another shape; small constants stay, and what nobody reads
// goes.
// CHECK: module attributes {tl.weights = [
// CHECK-SAME: {offset = 0 : i64, value = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>}
// CHECK-SAME: {offset = 64 : i64, value = dense<
// CHECK-NOT: memref.global
// CHECK: memref.global "private" constant @small
// CHECK-NOT: memref.global "private" constant @mask
memref.global "private" constant @a : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
memref.global "private" constant @b : memref<2x2xf32> = dense<[[1.0, 2.0], [3.0, 4.0]]>
memref.global "private" constant @c : memref<5xf32> = dense<[1.0, 2.0, 3.0, 4.0, 5.0]>
memref.global "private" constant @unread : memref<5xindex> = dense<[5, 4, 3, 2, 1]>
memref.global "private" constant @small : memref<2xf32> = dense<[1.0, 2.0]>

// CHECK-LABEL: func.func @f
func.func @f() -> (memref<4xf32>, memref<2x2xf32>, memref<5xf32>, memref<2xf32>) {
  // CHECK: tlrt.weights 0 : memref<4xf32>
  %a = memref.get_global @a : memref<4xf32>
  // CHECK: tlrt.weights 0 : memref<2x2xf32>
  %b = memref.get_global @b : memref<2x2xf32>
  // CHECK: tlrt.weights 64 : memref<5xf32>
  %c = memref.get_global @c : memref<5xf32>
  // CHECK: memref.get_global @small
  %s = memref.get_global @small : memref<2xf32>
  return %a, %b, %c, %s : memref<4xf32>, memref<2x2xf32>, memref<5xf32>, memref<2xf32>
}

// What LLVM has no array of data for is packed, however small it is.
// CHECK-LABEL: func.func @bits
memref.global "private" constant @mask : memref<3xi1> = dense_resource<mask>
memref.global "private" constant @few : memref<3xi8> = dense_resource<few>
func.func @bits() -> (memref<3xi1>, memref<3xi8>) {
  // CHECK: tlrt.weights {{.*}} : memref<3xi1>
  %mask = memref.get_global @mask : memref<3xi1>
  // CHECK: memref.get_global @few
  %few = memref.get_global @few : memref<3xi8>
  return %mask, %few : memref<3xi1>, memref<3xi8>
}

{-#
  dialect_resources: {
    builtin: {
      mask: "0x01000000010001",
      few: "0x01000000010203"
    }
  }
#-}
