// RUN: tl-opt %s --convert-tl-to-linalg --tl-cpu-pipeline=target-triple=x86_64-unknown-linux-gnu | FileCheck %s

// What processors have instructions for is left to LLVM; libm computes the rest.
// CHECK-NOT: @copysign
// CHECK: llvm.intr.sqrt
// CHECK: llvm.intr.roundeven
// CHECK: llvm.call @atan2f
// CHECK-NOT: @copysign
// CHECK-NOT: unrealized_conversion_cast
func.func @f(%x: tensor<100xf32>) -> tensor<100xf32>
    attributes {tl.method = "f", tl.variant = 0 : i64,
                tl.arguments = [{name = "x", type = tensor<100xf32>}],
                tl.result = tensor<100xf32>} {
  %0 = tl.sqrt %x : tensor<100xf32>
  %1 = tl.round %0 : tensor<100xf32>
  %2 = tl.copysign %1, %x : tensor<100xf32>, tensor<100xf32> -> tensor<100xf32>
  %3 = tl.atan2 %2, %x : tensor<100xf32>, tensor<100xf32> -> tensor<100xf32>
  return %3 : tensor<100xf32>
}

// Columns are read and written across rows: transpositions of vectors become moves of elements.
// CHECK-NOT: vector.transpose
func.func @g(%x: tensor<3x40xf32>) -> tensor<3x40xf32>
    attributes {tl.method = "g", tl.variant = 1 : i64,
                tl.arguments = [{name = "x", type = tensor<3x40xf32>}],
                tl.result = tensor<3x40xf32>} {
  %0 = tl.cumulative sum %x dim 1 : tensor<3x40xf32>
  return %0 : tensor<3x40xf32>
}
