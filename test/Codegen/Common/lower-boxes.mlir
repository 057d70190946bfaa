// RUN: tl-opt %s --tl-lower-runtime -split-input-file | FileCheck %s

// Texts are their pieces, each with a 0 behind it, and an array of items.
// CHECK: llvm.mlir.global {{.*}}"step \00 of \00\0A\00"
// CHECK-LABEL: func.func @prints(
// CHECK-SAME: %[[FRAME:.*]]: !llvm.ptr)
func.func @prints() {
  %n = tlrt.arg 0 : i64
  // CHECK: llvm.call @tl_box_print(%[[FRAME]], %{{.*}}, %{{.*}}, %{{.*}})
  tlrt.box.print ["step ", " of ", "\0A"] [%n, %n : i64, i64]
  // CHECK: llvm.call @tl_box_format(%[[FRAME]], %{{.*}}, %{{.*}}, %{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> !llvm.ptr
  %text = tlrt.box.format ["", ""] [%n : i64]
  %leaf = tlrt.box.address %text
  tlrt.result 0 = %leaf : i64
  return
}

// -----

// Operations on boxes are calls of the runtime: an item is its kind and its bits.
// CHECK-LABEL: func.func @items(
// CHECK-SAME: %[[FRAME:.*]]: !llvm.ptr)
func.func @items() {
  %n = tlrt.arg 0 : i64
  %f = tlrt.arg 1 : f64
  %zero = arith.constant 0 : i64
  // CHECK: llvm.call @tl_box_create(%[[FRAME]], %{{.*}})
  %list = tlrt.box.create 0
  // CHECK: llvm.call @tl_box_put(%[[FRAME]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}})
  tlrt.box.append %list, %n : i64
  // CHECK: %[[BITS:.*]] = llvm.bitcast %{{.*}} : f64 to i64
  // CHECK: llvm.call @tl_box_put(%[[FRAME]], %{{.*}}, %{{.*}}, %{{.*}}, %[[BITS]])
  tlrt.box.set %list[%zero], %f : f64
  // CHECK: llvm.call @tl_box_get(%{{.*}}, %{{.*}}) : (!llvm.ptr, i64) -> i64
  %got = tlrt.box.get %list[%zero] : i64
  // CHECK: llvm.call @tl_box_item(%[[FRAME]], %{{.*}}, %{{.*}})
  %item = tlrt.box.get %list[%zero] : !tlrt.box
  // CHECK: llvm.call @tl_box_find(%[[FRAME]], %{{.*}},
  %at = tlrt.box.find %list[%zero], %got : i64
  // CHECK: llvm.store
  tlrt.result 0 = %at : i64
  // CHECK: llvm.ptrtoint %{{.*}}
  %leaf = tlrt.box.address %list
  tlrt.result 1 = %leaf : i64
  return
}

// -----

// Rank and sizes are passed beside the elements, and are checked when they come out.
// CHECK-LABEL: func.func @tensors(
// CHECK-SAME: %[[FRAME:.*]]: !llvm.ptr, %{{.*}}: memref<?x4xf32>)
func.func @tensors(%x: memref<?x4xf32>) {
  // CHECK: llvm.alloca
  // CHECK: llvm.call @tl_box_pack(%[[FRAME]],
  %box = tlrt.box.pack %x : memref<?x4xf32>
  // CHECK: llvm.call @tl_box_data(%[[FRAME]], %{{.*}},
  // CHECK: llvm.call @tl_box_sizes(%{{.*}})
  %y = tlrt.box.unpack %box : memref<?x4xf32>
  memref.copy %y, %x : memref<?x4xf32> to memref<?x4xf32>
  return
}

// -----

// At the end of a trip, all goes that is not handed on.
// CHECK-LABEL: func.func @references(
// CHECK-SAME: %[[FRAME:.*]]: !llvm.ptr)
func.func @references() {
  // CHECK: %[[MARK:.*]] = llvm.call @tl_box_mark(%[[FRAME]])
  %mark = tlrt.box.mark
  // CHECK: llvm.call @tl_box_text(%[[FRAME]],
  %text = tlrt.box.text "ab"
  // CHECK: llvm.store %{{.*}}, %[[KEPT:.*]] : !llvm.ptr, !llvm.ptr
  // CHECK: llvm.call @tl_box_keep(%[[FRAME]], %[[MARK]], %{{.*}}, %[[KEPT]])
  tlrt.box.keep %mark, %text
  return
}
