// A method compiled for the processor and for GPUs is one variant with two entries; one compiled for
// GPUs alone has no entry for the processor.
// RUN: tl-opt %s --tl-emit-descriptor="name=m" | FileCheck %s

// CHECK: llvm.func internal @forward_device(%{{.*}}: !llvm.ptr)
// CHECK-NOT: tl.
// CHECK: llvm.mlir.global internal constant @[[VARIANTS:tl_table[_0-9]*]]() {{.*}} : !llvm.array<2 x struct<(ptr, i64, ptr, ptr, ptr, ptr, ptr, i32, i32, i32, i32, i32, i32, ptr, i64, i32)>>
// CHECK: %[[UNDEF:.*]] = llvm.mlir.undef
// CHECK: %[[CPU:.*]] = llvm.mlir.addressof @forward :
// CHECK: llvm.insertvalue %[[CPU]], %[[UNDEF]][0, 0]
// CHECK: %[[CPU_ARENA:.*]] = llvm.mlir.constant(64 : i64)
// CHECK: llvm.insertvalue %[[CPU_ARENA]], {{.*}}[0, 1]
// CHECK: %[[DEVICE:.*]] = llvm.mlir.addressof @forward_device :
// CHECK: llvm.insertvalue %[[DEVICE]], {{.*}}[0, 13]
// CHECK: %[[ARENA:.*]] = llvm.mlir.constant(256 : i64)
// CHECK: llvm.insertvalue %[[ARENA]], {{.*}}[0, 14]
// CHECK: %[[REPLAYABLE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK: llvm.insertvalue %[[REPLAYABLE]], {{.*}}[0, 15]
// CHECK: %[[NONE:.*]] = llvm.mlir.zero
// CHECK: llvm.insertvalue %[[NONE]], {{.*}}[1, 0]
// CHECK: %[[ONLY:.*]] = llvm.mlir.addressof @only_device :
// CHECK: llvm.insertvalue %[[ONLY]], {{.*}}[1, 13]
// CHECK: %[[PLAIN:.*]] = llvm.mlir.constant(0 : i32)
// CHECK: llvm.insertvalue %[[PLAIN]], {{.*}}[1, 15]
// CHECK: @tl_descriptor()
// CHECK: %[[CODE:.*]] = llvm.mlir.addressof @tl_gpu_code
// CHECK: llvm.insertvalue %[[CODE]], {{.*}}[0, 10]

llvm.mlir.global internal constant @tl_gpu_code() : i64 {
  %c = llvm.mlir.constant(0 : i64) : i64
  llvm.return %c : i64
}
llvm.func @forward_device(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.variant = 0 : i64, tl.device, tl.replayable,
                tl.arena_bytes = 256 : i64, tl.arguments = [], tl.result = #tl.none,
                tl.operands = [], tl.results = []} { llvm.return }
llvm.func @forward(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.variant = 0 : i64, tl.arena_bytes = 64 : i64,
                tl.arguments = [], tl.result = #tl.none,
                tl.operands = [], tl.results = []} { llvm.return }
llvm.func @only_device(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.variant = 1 : i64, tl.device,
                tl.arguments = [{name = "n", type = i64}], tl.result = #tl.none,
                tl.operands = [{}], tl.results = []} { llvm.return }
