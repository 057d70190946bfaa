// Each architecture has its own functions where they come out different, and what is equal once.
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_90,sm_75 stage=gpu" | FileCheck %s
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_75,sm_80,sm_90 stage=gpu" | FileCheck %s --check-prefix=GROUP
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_80,sm_90 stage=gpu" | FileCheck %s --check-prefix=EQUAL
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_75,sm_90" | FileCheck %s --check-prefix=LLVM
// RUN: not tl-opt %s --tl-nvgpu-pipeline="arch=sm_75,sm_91" 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// CHECK: module attributes {{.*}}tl.gpu_sets = {{\[}}["sm_75"], ["sm_90"]]
// CHECK: func.func @product(){{.*}}tl.gpu_sets = array<i64: 0>
// CHECK: gpu.launch_func @tl_kernels::@[[OLD:[a-z_0-9]+]] blocks
// CHECK: func.func @double(){{.*}}tl.gpu_sets = array<i64: 0, 1>
// CHECK: gpu.launch_func @tl_kernels::@[[BOTH:[a-z_0-9]+]] blocks
// CHECK: func.func @product_sm_90(){{.*}}tl.gpu_sets = array<i64: 1>
// CHECK: gpu.launch_func @tl_kernels::@[[NEW:[a-z_0-9]+]] blocks
// CHECK-NOT: func.func
// CHECK: gpu.module @tl_kernels
// CHECK: gpu.func @[[OLD]]({{.*}}tl.gpu_sets = array<i64: 0>
// CHECK-NOT: cp.async
// CHECK: gpu.func @[[BOTH]]({{.*}}tl.gpu_sets = array<i64: 0, 1>
// CHECK: gpu.func @[[NEW]]({{.*}}tl.gpu_sets = array<i64: 1>
// CHECK: cp.async

// GROUP: module attributes {{.*}}tl.gpu_sets = {{\[}}["sm_75"], ["sm_80", "sm_90"]]
// GROUP: func.func @product_sm_80(){{.*}}tl.gpu_sets = array<i64: 1>
// GROUP-NOT: func.func

// EQUAL-NOT: tl.gpu_sets
// EQUAL-NOT: tl.arch
// EQUAL-NOT: tl.version_of
// EQUAL-NOT: _sm_90

// LLVM: llvm.func hidden @product({{.*}}tl.gpu_sets = array<i64: 0>
// LLVM: llvm.func @[[KERNEL:[a-z_0-9]+]]({{.*}}nvvm.kernel{{.*}}tl.gpu_sets = array<i64: 0>

// UNKNOWN: error: unknown architecture 'sm_91': expected sm_70, sm_75,

func.func @product(%a: tensor<128x128xf16>, %b: tensor<128x128xf16>) -> tensor<128x128xf32>
    attributes {tl.method = "product", tl.variant = 0 : i64, tl.result = tensor<128x128xf32>,
                tl.arguments = [{name = "a", type = tensor<128x128xf16>}, {name = "b", type = tensor<128x128xf16>}]} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<128x128xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<128x128xf32>) -> tensor<128x128xf32>
  %y = linalg.matmul ins(%a, %b : tensor<128x128xf16>, tensor<128x128xf16>)
                     outs(%init : tensor<128x128xf32>) -> tensor<128x128xf32>
  return %y : tensor<128x128xf32>
}
func.func @double(%x: tensor<64xf32>) -> tensor<64xf32>
    attributes {tl.method = "double", tl.variant = 0 : i64, tl.result = tensor<64xf32>,
                tl.arguments = [{name = "x", type = tensor<64xf32>}]} {
  %empty = tensor.empty() : tensor<64xf32>
  %y = linalg.add ins(%x, %x : tensor<64xf32>, tensor<64xf32>) outs(%empty : tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}
