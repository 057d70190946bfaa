// RUN: tl-opt %s --convert-tl-to-linalg --canonicalize | FileCheck %s

// CHECK-DAG: #[[$ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[$LAST:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[$FIRST:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[$SCALAR:.*]] = affine_map<(d0, d1) -> ()>

// CHECK-LABEL: func.func @broadcast
// CHECK-SAME: %[[X:.*]]: tensor<4x1xf32>, %[[Y:.*]]: tensor<?xf32>
func.func @broadcast(%x: tensor<4x1xf32>, %y: tensor<?xf32>) -> tensor<4x?xf32> {
  // CHECK: %[[SIZE:.*]] = tensor.dim %[[Y]]
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%[[SIZE]]) : tensor<4x?xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[$FIRST]], #[[$LAST]], #[[$ID]]], iterator_types = ["parallel", "parallel"]}
  // CHECK-SAME: ins(%[[X]], %[[Y]] : tensor<4x1xf32>, tensor<?xf32>) outs(%[[EMPTY]] : tensor<4x?xf32>)
  // CHECK: arith.addf
  %0 = tl.add %x, %y : tensor<4x1xf32>, tensor<?xf32> -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// CHECK-LABEL: func.func @scalar_operand
func.func @scalar_operand(%x: tensor<4x1xi64>, %y: tensor<i64>) -> tensor<4x1xi64> {
  // CHECK: indexing_maps = [#[[$ID]], #[[$SCALAR]], #[[$ID]]]
  // CHECK: arith.muli
  %0 = tl.mul %x, %y : tensor<4x1xi64>, tensor<i64> -> tensor<4x1xi64>
  return %0 : tensor<4x1xi64>
}

// 16-bit floats are computed in f32.
// CHECK-LABEL: func.func @half
func.func @half(%x: tensor<4xbf16>) -> tensor<4xbf16> {
  // CHECK: %[[WIDE:.*]] = arith.extf %{{.*}} : bf16 to f32
  // CHECK: %[[EXP:.*]] = math.exp %[[WIDE]] : f32
  // CHECK: arith.truncf %[[EXP]] : f32 to bf16
  %0 = tl.exp %x : tensor<4xbf16>
  return %0 : tensor<4xbf16>
}

// CHECK-LABEL: func.func @unsigned
// CHECK-SAME: tensor<4xi8>
func.func @unsigned(%x: tensor<4xui8>, %y: tensor<4xui8>) -> (tensor<4xi1>, tensor<4xui8>, tensor<4xf32>) {
  // CHECK: arith.cmpi ult
  %0 = tl.compare lt %x, %y : tensor<4xui8>, tensor<4xui8> -> tensor<4xi1>
  // CHECK: arith.maxui
  %1 = tl.maximum %x, %y : tensor<4xui8>, tensor<4xui8> -> tensor<4xui8>
  // CHECK: arith.uitofp
  %2 = tl.cast %x : tensor<4xui8> to tensor<4xf32>
  return %0, %1, %2 : tensor<4xi1>, tensor<4xui8>, tensor<4xf32>
}

// CHECK-LABEL: func.func @division_checks_divisor
// CHECK-SAME: %{{.*}}: tensor<?xi32>, %[[Y:.*]]: tensor<?xi32>
func.func @division_checks_divisor(%x: tensor<?xi32>, %y: tensor<?xi32>) -> tensor<?xi32> {
  // CHECK: %[[ALL:.*]] = linalg.generic {{.*}}["reduction"]{{.*}} ins(%[[Y]]
  // CHECK: %[[OK:.*]] = tensor.extract %[[ALL]][]
  // CHECK: %[[EMPTY:.*]] = arith.cmpi eq, %{{.*}}, %c0
  // CHECK: %[[OK_OR_EMPTY:.*]] = arith.ori %[[OK]], %[[EMPTY]]
  // CHECK: tl.check %[[OK_OR_EMPTY]], "ZeroDivisionError: integer division or modulo by zero"
  // CHECK: linalg.generic {{.*}}["parallel"]
  // CHECK: arith.divsi
  %0 = tl.trunc_div %x, %y : tensor<?xi32>, tensor<?xi32> -> tensor<?xi32>
  return %0 : tensor<?xi32>
}

// CHECK-LABEL: func.func @division_by_constant
// CHECK-NOT: tl.check
func.func @division_by_constant(%x: tensor<4xi32>, %f: tensor<4xf32>) -> (tensor<4xi32>, tensor<4xf32>) {
  %two = arith.constant dense<2> : tensor<i32>
  %0 = tl.remainder %x, %two : tensor<4xi32>, tensor<i32> -> tensor<4xi32>
  %1 = tl.remainder %f, %f : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %0, %1 : tensor<4xi32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @where
func.func @where(%c: tensor<4x1xi1>, %x: tensor<4x8xf16>, %y: tensor<f16>) -> tensor<4x8xf16> {
  // CHECK: indexing_maps = [#[[$FIRST]], #[[$ID]], #[[$SCALAR]], #[[$ID]]]
  // CHECK: arith.select
  %0 = tl.where %c, %x, %y : tensor<4x1xi1>, tensor<4x8xf16>, tensor<f16> -> tensor<4x8xf16>
  return %0 : tensor<4x8xf16>
}

// CHECK-LABEL: func.func @other_ops
// CHECK-SAME: tensor<4xi8>
func.func @other_ops(%x: tensor<4xui8>) -> tensor<2xui8> {
  // CHECK: %[[C:.*]] = arith.constant dense<[-1, 1]> : tensor<2xi8>
  %0 = arith.constant dense<[255, 1]> : tensor<2xui8>
  // CHECK: %[[S:.*]] = tensor.extract_slice %{{.*}} : tensor<4xi8> to tensor<2xi8>
  %1 = tensor.extract_slice %x[0] [2] [1] : tensor<4xui8> to tensor<2xui8>
  // CHECK: ins(%[[S]], %[[C]] : tensor<2xi8>, tensor<2xi8>)
  %2 = tl.add %1, %0 : tensor<2xui8>, tensor<2xui8> -> tensor<2xui8>
  return %2 : tensor<2xui8>
}

// CHECK-LABEL: func.func @pow_constant
func.func @pow_constant(%x: tensor<4xf32>, %i: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xi32>) {
  %minus_two = arith.constant dense<-2.0> : tensor<f32>
  // CHECK: ^bb0(%[[A:.*]]: f32, %{{.*}}: f32):
  // CHECK: %[[SQUARE:.*]] = arith.mulf %[[A]], %[[A]]
  // CHECK: arith.divf %{{.*}}, %[[SQUARE]]
  %0 = tl.pow %x, %minus_two : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %half = arith.constant dense<0.5> : tensor<4xf32>
  // CHECK: math.sqrt
  %1 = tl.pow %x, %half : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %five = arith.constant dense<5> : tensor<i32>
  // CHECK: ^bb0(%[[I:.*]]: i32, %{{.*}}: i32):
  // CHECK: %[[I2:.*]] = arith.muli %[[I]], %[[I]]
  // CHECK: %[[I4:.*]] = arith.muli %[[I2]], %[[I2]]
  // CHECK: arith.muli %[[I]], %[[I4]]
  %2 = tl.pow %i, %five : tensor<4xi32>, tensor<i32> -> tensor<4xi32>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xi32>
}
