// RUN: tl-opt %s --tl-lower-runtime | FileCheck %s

// The operands travel as tl_operand: address or number, sizes, strides.
module attributes {tl.libraries = ["", "/somewhere/libmyops.so"]} {
// CHECK-DAG: @[[$CALL:.*]]("aten::f|T6/2 f b|T6:?,2 f|\00")
// CHECK-DAG: @[[$WHERE:.*]]("model.py:7\00")
// CHECK-DAG: @[[$LIBRARIES:.*]]("\0A/somewhere/libmyops.so\0A\00")
// CHECK-LABEL: func.func @call(
// CHECK-SAME: %[[FRAME:.*]]: !llvm.ptr,
func.func @call(%x: memref<?x4xf32, strided<[8, 1], offset: ?>>, %n: f64, %b: i1, %y: memref<?x2xf32>)
    -> (index, f64) {
  // CHECK-DAG: %[[SLOTS:.*]] = llvm.alloca %{{.*}} x i64
  // CHECK: %[[C:.*]] = llvm.mlir.addressof @[[$CALL]]
  // CHECK: %[[W:.*]] = llvm.mlir.addressof @[[$WHERE]]
  // CHECK: %[[L:.*]] = llvm.mlir.addressof @[[$LIBRARIES]]
  // CHECK: %[[GIVEN:.*]] = llvm.call @tl_rt_call_operator(%[[FRAME]], %[[C]], %[[W]], %[[L]], %{{.*}}, %[[NUMBERS:[a-z0-9]+]])
  // CHECK: %[[TOKEN:.*]] = llvm.ptrtoint %[[GIVEN]]
  // CHECK: llvm.load %[[NUMBERS]] : !llvm.ptr -> i64
  // CHECK: llvm.load %{{.*}} : !llvm.ptr -> f64
  %given, %rows, %number = tlrt.call_operator "aten::f|T6/2 f b|T6:?,2 f|"(%x, %n, %b
      : memref<?x4xf32, strided<[8, 1], offset: ?>>, f64, i1) : i64, i64, f64 loc("sub/model.py":7:1)
  // CHECK: llvm.call @tl_rt_operator_result(%[[FRAME]],
  tlrt.operator_result 0 of %given outs(%y : memref<?x2xf32>)
  // CHECK: llvm.call @tl_rt_operator_release(%[[FRAME]],
  tlrt.operator_release %given
  %size = arith.index_cast %rows : i64 to index
  return %size, %number : index, f64
}
}
