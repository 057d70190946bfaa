// A method compiled for the processor and for GPUs is one variant with two entries; one compiled for
// GPUs alone has no entry for the processor. There is an entry for each set of kernels.
// RUN: tl-opt %s --tl-emit-descriptor="name=m" | FileCheck %s

// CHECK: llvm.func internal @forward_device(%{{.*}}: !llvm.ptr)
// CHECK-NOT: tl.
// CHECK: llvm.mlir.global internal constant @[[BOTH:tl_table[_0-9]*]]() {{.*}} : !llvm.array<2 x struct<(ptr, i64, i32)>>
// CHECK: %[[DEVICE:.*]] = llvm.mlir.addressof @forward_device :
// CHECK: llvm.insertvalue %[[DEVICE]], {{.*}}[0, 0]
// CHECK: %[[ARENA:.*]] = llvm.mlir.constant(256 : i64)
// CHECK: llvm.insertvalue %[[ARENA]], {{.*}}[0, 1]
// CHECK: %[[REPLAYABLE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK: llvm.insertvalue %[[REPLAYABLE]], {{.*}}[0, 2]
// CHECK: %[[NEWER:.*]] = llvm.mlir.addressof @forward_sm_90 :
// CHECK: llvm.insertvalue %[[NEWER]], {{.*}}[1, 0]
// CHECK: %[[NEWER_ARENA:.*]] = llvm.mlir.constant(512 : i64)
// CHECK: llvm.insertvalue %[[NEWER_ARENA]], {{.*}}[1, 1]
// CHECK: llvm.mlir.global internal constant @[[SAME:tl_table[_0-9]*]]() {{.*}} : !llvm.array<2 x struct<(ptr, i64, i32)>>
// CHECK: %[[ONLY:.*]] = llvm.mlir.addressof @only_device :
// CHECK: llvm.insertvalue %[[ONLY]], {{.*}}[0, 0]
// CHECK: %[[AGAIN:.*]] = llvm.mlir.addressof @only_device :
// CHECK: llvm.insertvalue %[[AGAIN]], {{.*}}[1, 0]
// CHECK: llvm.mlir.global internal constant @[[VARIANTS:tl_table[_0-9]*]]() {{.*}} : !llvm.array<2 x struct<(ptr, i64, ptr, ptr, ptr, ptr, ptr, i32, i32, i32, i32, i32, i32, ptr, i32)>>
// CHECK: %[[CPU:.*]] = llvm.mlir.addressof @forward :
// CHECK: llvm.insertvalue %[[CPU]], {{.*}}[0, 0]
// CHECK: %[[BOTH_ADDRESS:.*]] = llvm.mlir.addressof @[[BOTH]] :
// CHECK: llvm.insertvalue %[[BOTH_ADDRESS]], {{.*}}[0, 13]
// CHECK: %[[NONE:.*]] = llvm.mlir.zero
// CHECK: llvm.insertvalue %[[NONE]], {{.*}}[1, 0]
// CHECK: %[[SAME_ADDRESS:.*]] = llvm.mlir.addressof @[[SAME]] :
// CHECK: llvm.insertvalue %[[SAME_ADDRESS]], {{.*}}[1, 13]
// CHECK: %[[CONTIGUOUS:.*]] = llvm.mlir.constant(1 : i32)
// CHECK: llvm.insertvalue %[[CONTIGUOUS]], {{.*}}[1, 14]
// CHECK: @tl_descriptor()
// CHECK: %[[CODE:.*]] = llvm.mlir.addressof @tl_gpu_code
// CHECK: llvm.insertvalue %[[CODE]], {{.*}}[0, 10]

module attributes {tl.gpu_sets = [["sm_75"], ["sm_90"]]} {
llvm.mlir.global internal constant @tl_gpu_code() : i64 {
  %c = llvm.mlir.constant(0 : i64) : i64
  llvm.return %c : i64
}
llvm.func @forward_device(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.variant = 0 : i64, tl.device, tl.replayable,
                tl.gpu_sets = array<i64: 0>, tl.arena_bytes = 256 : i64, tl.arguments = [], tl.result = #tl.none,
                tl.operands = [], tl.results = []} { llvm.return }
llvm.func @forward_sm_90(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.variant = 0 : i64, tl.device, tl.gpu_sets = array<i64: 1>,
                tl.arena_bytes = 512 : i64, tl.arguments = [], tl.result = #tl.none,
                tl.operands = [], tl.results = []} { llvm.return }
llvm.func @forward(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.variant = 0 : i64, tl.arena_bytes = 64 : i64,
                tl.arguments = [], tl.result = #tl.none,
                tl.operands = [], tl.results = []} { llvm.return }
llvm.func @only_device(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.variant = 1 : i64, tl.device, tl.contiguous,
                tl.arguments = [{name = "n", type = i64}], tl.result = #tl.none,
                tl.operands = [{}], tl.results = []} { llvm.return }
}
