// The kernels of a library for the emulator: functions of the object file, which libdevice and the
// lowering to NVVM went into, and their table. They are internal, so that libraries do not mix.
// REQUIRES: libdevice
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-serialize="archs=sm_80 images=false emulated=true" -o %t.mlir
// RUN: FileCheck %s --input-file %t.mlir
// RUN: sed 's/internal constant @tl_gpu_code/external constant @tl_gpu_code/' %t.mlir > %t.used.mlir
// RUN: tl-opt %t.used.mlir --tl-emit-object="output=%t.ll" -o /dev/null && FileCheck %s --check-prefix=LLVM --input-file %t.ll

// CHECK: tl.host_bitcode = "BC
// CHECK: llvm.func @second_emulated(!llvm.ptr)
// CHECK: @tl_gpu_emulated_kernels() {{.*}} : !llvm.array<2 x ptr>
// CHECK: addressof @second_emulated
// CHECK: @tl_gpu_sets()
// CHECK: addressof @tl_gpu_emulated_kernels
// CHECK: llvm.mlir.global external constant @tl_gpu_emulated()
// CHECK: @tl_gpu_backends() {{.*}} : !llvm.array<2 x ptr>
// CHECK: addressof @tl_gpu_emulated :
// CHECK: @tl_gpu_code()

// LLVM: @tl_gpu_emulated = external
// LLVM: define internal void @second_emulated(ptr
// LLVM-NOT: __nv_
// LLVM-NOT: target triple = "nvptx
module attributes {gpu.container_module} {
  gpu.module @tl_kernels {
    gpu.func @second(%x: memref<f32>) kernel {
      %0 = memref.load %x[] : memref<f32>
      %1 = math.exp %0 : f32
      memref.store %1, %x[] : memref<f32>
      gpu.return
    }
  }
}
// RUN: sed 's/tl.host_bitcode = "BC/tl.host_bitcode = "CB/' %t.mlir > %t.broken.mlir
// RUN: not tl-opt %t.broken.mlir --tl-emit-object="output=%t.o" -o /dev/null 2>&1 | FileCheck %s --check-prefix=BROKEN
// BROKEN: error: invalid 'tl.host_bitcode': {{.*}}
