// Methods that launch nothing still tell what they run on: images without kernels.
// RUN: tl-opt %s --tl-nvgpu-serialize="archs=sm_80" | FileCheck %s
// CHECK: @tl_gpu_image("\7FELF
// CHECK: @tl_gpu_image_0("//{{.*}}.target sm_80
// CHECK: @tl_gpu_backends() {{.*}} : !llvm.array<2 x ptr>
// CHECK-NOT: tl_gpu_kernels
// CHECK-NOT: tl_gpu_weights
// CHECK: @tl_gpu_code()
// CHECK: %[[IMAGES:.*]] = llvm.mlir.addressof @tl_gpu_images
// CHECK: %[[NONE:.*]] = llvm.mlir.zero : !llvm.ptr
// CHECK: llvm.insertvalue %[[NONE]], %{{.*}}[2]
module {}
