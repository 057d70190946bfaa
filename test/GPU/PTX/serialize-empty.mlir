// Methods that launch nothing still tell what they run on: images without kernels.
// RUN: tl-opt %s --tl-nvgpu-serialize="archs=sm_80" | FileCheck %s
// CHECK: @tl_gpu_image("\7FELF
// CHECK: @tl_gpu_image_0("//{{.*}}.target sm_80
// CHECK-NOT: tl_gpu_kernels
// CHECK-NOT: tl_gpu_weights
// CHECK: @tl_gpu_sets()
// CHECK: %[[IMAGES:.*]] = llvm.mlir.addressof @tl_gpu_images
// CHECK: llvm.insertvalue %[[IMAGES]], %{{.*}}[0, 3]
// CHECK: %[[NONE:.*]] = llvm.mlir.zero : !llvm.ptr
// CHECK: llvm.insertvalue %[[NONE]], %{{.*}}[0, 4]
// CHECK: @tl_gpu_backends() {{.*}} : !llvm.array<2 x ptr>
// CHECK: @tl_gpu_code()
// CHECK: %[[SETS:.*]] = llvm.mlir.addressof @tl_gpu_sets
// CHECK: llvm.insertvalue %[[SETS]], %{{.*}}[0]
module {}
