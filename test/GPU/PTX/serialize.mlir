// The kernels as constants of the library: machine code for each architecture, and PTX for newer GPUs
// and older drivers.
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-serialize="archs=sm_90,sm_80" | FileCheck %s
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-serialize="archs=sm_90,sm_90a" | FileCheck %s --check-prefix=EXACT
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-serialize="archs=sm_80 report" 2>&1 | FileCheck %s --check-prefix=REPORT
// RUN: tl-opt %s --tl-nvgpu-lower-kernels --tl-nvgpu-serialize="archs=sm_80 images=false" | FileCheck %s --check-prefix=NONE

// CHECK-NOT: gpu.
// CHECK: @tl_gpu_archs(dense<[80, 90]> : tensor<2xi32>)
// CHECK: llvm.mlir.global internal constant @[[CUBIN80:tl_gpu_image]]("\7FELF
// CHECK: llvm.mlir.global internal constant @tl_gpu_image_0("//{{.*}}.target sm_80
// CHECK: llvm.mlir.global internal constant @[[CUBIN90:tl_gpu_image_[0-9]]]("\7FELF
// CHECK: llvm.mlir.global internal constant @[[PTX90:tl_gpu_image_[0-9]]]("//{{.*}}.target sm_90{{.*}}.entry second{{.*}}\00") {addr_space = 0 : i32, alignment = 16 : i64}
// CHECK: @tl_gpu_images() {{.*}} : !llvm.array<4 x struct<(i32, i32, ptr, i64)>>
// CHECK: %[[CUBIN:.*]] = llvm.mlir.constant(0 : i32)
// CHECK: insertvalue %[[CUBIN]], %{{.*}}[0, 0]
// CHECK: %[[SM80:.*]] = llvm.mlir.constant(80 : i32)
// CHECK: insertvalue %[[SM80]], %{{.*}}[0, 1]
// CHECK: addressof @[[CUBIN80]] :
// CHECK: addressof @[[CUBIN90]] :
// CHECK: insertvalue %{{.*}}[3, 0]
// CHECK: %[[SM90:.*]] = llvm.mlir.constant(90 : i32)
// CHECK: insertvalue %[[SM90]], %{{.*}}[3, 1]
// CHECK: addressof @[[PTX90]] :
// CHECK: llvm.mlir.global internal constant @tl_gpu_name("first\00")
// CHECK: llvm.mlir.global internal constant @tl_gpu_name_{{.*}}("second\00")
// CHECK: @tl_gpu_kernels() {{.*}} : !llvm.array<2 x ptr>
// CHECK: @tl_gpu_sets() {{.*}} : !llvm.array<1 x struct<(ptr, i32, i32, ptr, ptr, ptr)>>
// CHECK: addressof @tl_gpu_archs
// CHECK: constant(2 : i32)
// CHECK: constant(4 : i32)
// CHECK: addressof @tl_gpu_images
// CHECK: addressof @tl_gpu_kernels
// CHECK: llvm.mlir.zero
// CHECK: llvm.mlir.global external constant @tl_gpu_cuda()
// CHECK: @tl_gpu_backends() {{.*}} : !llvm.array<2 x ptr>
// CHECK: llvm.mlir.global external hidden constant @tl_gpu_weights() {{.*}}dso_local} : !llvm.array<76 x i8>
// CHECK: llvm.mlir.global internal constant @tl_gpu_code() {{.*}} : !llvm.struct<(ptr, i32, i32, ptr, ptr, i64)>
// CHECK: addressof @tl_gpu_sets
// CHECK: constant(1 : i32)
// CHECK: constant(2 : i32)
// CHECK: addressof @tl_gpu_backends
// CHECK: addressof @tl_gpu_weights
// CHECK: constant(76 : i64)

// EXACT: @tl_gpu_image("\7FELF
// EXACT: @tl_gpu_image_{{.*}}("//{{.*}}.target sm_90\
// EXACT: @tl_gpu_image_{{.*}}("\7FELF
// EXACT-NOT: .target sm_90a
// EXACT: !llvm.array<3 x struct<(i32, i32, ptr, i64)>>

// REPORT: remark: sm_80: kernel 'first' takes {{.*}}; no spills
// REPORT: remark: sm_80: kernel 'second' takes {{.*}}; no spills

// NONE-NOT: tl_gpu_image
// NONE: @tl_gpu_backends() {{.*}} : !llvm.array<1 x ptr>
// NONE: @tl_gpu_code()

module attributes {gpu.container_module, tl.weights = [
    {offset = 0 : i64, value = dense<1.0> : tensor<2xf32>},
    {offset = 64 : i64, value = dense<2.0> : tensor<3xf32>}]} {
  gpu.module @tl_kernels {
    gpu.func @first(%x: memref<f32>, %s: f32) kernel {
      memref.store %s, %x[] : memref<f32>
      gpu.return
    }
    gpu.func @second(%x: memref<f32>) kernel {
      %0 = memref.load %x[] : memref<f32>
      %1 = math.exp %0 : f32
      memref.store %1, %x[] : memref<f32>
      gpu.return
    }
  }
}
