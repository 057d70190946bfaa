// RUN: tl-opt %s --tl-lower-runtime -split-input-file | FileCheck %s

// CHECK: llvm.mlir.global internal unnamed_addr constant @tl_text0("n is {} (model.py:7)\00")
// CHECK: llvm.func hidden @tl_rt_raise(!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) attributes {dso_local, passthrough = ["noreturn", "cold"]}

// CHECK-LABEL: func.func @check(
// CHECK-SAME: %[[FRAME:.*]]: !llvm.ptr)
func.func @check() {
  // CHECK: llvm.load %[[FRAME]]
  %n = tlrt.arg 1 : i64
  %zero = arith.constant 0 : i64
  %ok = arith.cmpi sgt, %n, %zero : i64
  // CHECK: cf.cond_br %{{.*}}, ^[[NEXT:.*]], ^[[RAISE:.*]]
  // CHECK: ^[[RAISE]]:
  // CHECK: llvm.call @tl_rt_raise(%[[FRAME]],
  // CHECK: llvm.unreachable
  // CHECK: ^[[NEXT]]:
  tl.check %ok, "n is {}" [%n : i64] loc("sub/model.py":7:1)
  // CHECK: return
  return
}

// -----

// CHECK-LABEL: func.func @memory(
// CHECK-SAME: %[[FRAME:.*]]: !llvm.ptr, %[[N:.*]]: index)
func.func @memory(%n: index) {
  // CHECK: %[[SIZE:.*]] = builtin.unrealized_conversion_cast %[[N]] : index to i64
  // CHECK: %[[PRODUCT:.*]] = "llvm.intr.umul.with.overflow"(%{{.*}}, %[[SIZE]])
  // CHECK: %[[BYTES:.*]] = llvm.select
  // CHECK: %[[DATA:.*]] = llvm.call @tl_rt_alloc(%[[FRAME]], %[[BYTES]])
  %a = memref.alloc(%n) : memref<?x3xf32>
  // CHECK: llvm.call @tl_rt_free(%[[FRAME]],
  memref.dealloc %a : memref<?x3xf32>
  return
}

// -----

// The body gets no frame: it can neither raise nor allocate.
// CHECK-LABEL: func.func @parallel(
// CHECK: %[[CONTEXT:.*]] = llvm.alloca
// CHECK: llvm.store %{{.*}}, %{{.*}} : !llvm.struct
// CHECK: llvm.call @tl_rt_parallel_for(%{{.*}}, %{{.*}}, %[[CONTEXT]], %{{.*}})
func.func @parallel(%x: memref<?xf32>, %n: index) {
  tlrt.parallel_for @body to %n (%x : memref<?xf32>)
  return
}
// CHECK-LABEL: func.func private @body(
// CHECK-SAME: %{{.*}}: index, %{{.*}}: index, %{{.*}}: memref<?xf32>)
func.func private @body(%begin: index, %end: index, %x: memref<?xf32>) {
  return
}
// CHECK: llvm.func internal @body_range(%{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// CHECK: call @body(
