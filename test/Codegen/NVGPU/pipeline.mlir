// RUN: tl-opt %s --tl-nvgpu-pipeline=stage=kernels | FileCheck %s --check-prefix=KERNELS
// RUN: tl-opt %s --tl-nvgpu-pipeline=stage=gpu | FileCheck %s --check-prefix=GPU
// RUN: tl-opt %s --tl-nvgpu-pipeline | FileCheck %s --check-prefix=LLVM

// A linear layer with an activation, and a value that the host asks for: one kernel with its initial
// value and its epilogue, a read.

// KERNELS-LABEL: func.func @forward
// KERNELS: %[[L:.*]] = tlrt.kernel "matmul" ins(
// KERNELS: linalg.fill
// KERNELS: linalg.matmul
// KERNELS: math.tanh
// KERNELS: tlrt.yield
// KERNELS: tensor.extract
// KERNELS: tl.check

// GPU-LABEL: func.func @forward
// GPU-SAME: tl.replayable
// GPU: gpu.launch_func @tl_kernels::@matmul
// GPU: %[[R:.*]] = tlrt.read
// GPU: tl.check
// GPU: gpu.module @tl_kernels
// GPU: gpu.func @matmul
// GPU-NOT: linalg

// The weights are where the frame says, launches are calls.
// LLVM-LABEL: llvm.func hidden @forward(%{{.*}}: !llvm.ptr)
// LLVM: llvm.call @tl_rt_output
// LLVM: llvm.call @tl_rt_launch
// LLVM: llvm.call @tl_rt_read
// LLVM: llvm.call @tl_rt_raise
// LLVM: gpu.module @tl_kernels
// LLVM: llvm.func @matmul
// LLVM-SAME: nvvm.kernel
func.func @forward(%x: tensor<5x8xf32>) -> tensor<5x4xf32> attributes {tl.method = "forward", tl.variant = 0 : i64} {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0],
                             [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]> : tensor<8x4xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %empty = tensor.empty() : tensor<5x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x4xf32>) -> tensor<5x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x4xf32>) outs(%init : tensor<5x4xf32>) -> tensor<5x4xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%y : tensor<5x4xf32>) outs(%empty : tensor<5x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = math.tanh %in : f32
    linalg.yield %r : f32
  } -> tensor<5x4xf32>
  %first = tensor.extract %t[%c0, %c0] : tensor<5x4xf32>
  %positive = arith.cmpf oge, %first, %zero : f32
  tl.check %positive, "expected a positive number"
  return %t : tensor<5x4xf32>
}
