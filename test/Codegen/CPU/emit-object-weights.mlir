// A library for GPUs has two blobs of weights; each is a file that assembly refers to.
// RUN: tl-opt %s --tl-emit-object="output=%t.s target-triple=x86_64-linux-gnu" -o /dev/null
// RUN: FileCheck %s --input-file %t.s
// RUN: od -An -t d8 %t.s.weights | FileCheck %s --check-prefix=CPU
// RUN: od -An -v -t d8 %t.s.gpu_weights | FileCheck %s --check-prefix=GPU
// RUN: tl-opt %s --tl-emit-object="output=%t.o target-triple=x86_64-linux-gnu" -o /dev/null
// RUN: llvm-readelf -S %t.o | FileCheck %s --check-prefix=SECTIONS
// RUN: not tl-opt %s --tl-emit-object="output=%t.nowhere/m.s" -o /dev/null 2>&1 | FileCheck %s --check-prefix=NOWHERE

// CHECK: tl_weights:
// CHECK-NEXT: .incbin "{{.*}}.s.weights"
// CHECK: tl_gpu_weights:
// CHECK-NEXT: .incbin "{{.*}}.s.gpu_weights"
// CPU: 1 2
// GPU: 3 3
// GPU-NEXT: 3 3
// SECTIONS-DAG: .rodata.tl_weights PROGBITS {{[0-9a-f]+ [0-9a-f]+}} 000010
// SECTIONS-DAG: .rodata.tl_gpu_weights PROGBITS {{[0-9a-f]+ [0-9a-f]+}} 000020
// NOWHERE: error: cannot write '{{.*}}nowhere/m.s'
module attributes {tl.weights = [{offset = 0 : i64, value = dense<[1, 2]> : tensor<2xi64>}],
                   tl.gpu_weights = [{offset = 0 : i64, value = dense<3> : tensor<4xi64>}]} {
  llvm.mlir.global external hidden constant @tl_weights() {alignment = 64 : i64, dso_local} : !llvm.array<16 x i8>
  llvm.mlir.global external hidden constant @tl_gpu_weights() {alignment = 64 : i64, dso_local} : !llvm.array<32 x i8>
  llvm.func @both(%to: !llvm.ptr) {
    %cpu = llvm.mlir.addressof @tl_weights : !llvm.ptr
    %gpu = llvm.mlir.addressof @tl_gpu_weights : !llvm.ptr
    llvm.store %cpu, %to : !llvm.ptr, !llvm.ptr
    llvm.store %gpu, %to : !llvm.ptr, !llvm.ptr
    llvm.return
  }
}
