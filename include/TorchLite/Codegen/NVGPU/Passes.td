//===- Passes.td - Passes of the NVIDIA GPU code generator -*- tablegen -*-===//
#ifndef TORCHLITE_CODEGEN_NVGPU_PASSES
#define TORCHLITE_CODEGEN_NVGPU_PASSES

include "mlir/Pass/PassBase.td"

def OutlineKernels : Pass<"tl-nvgpu-outline-kernels", "mlir::ModuleOp"> {
  let summary = "Move the bodies of launches into one module of kernels, equal ones into one";
  let description = [{
    Each `gpu.launch` becomes a kernel of `gpu.module @tl_kernels` and a `gpu.launch_func`. What the
    body uses from outside becomes an argument: a buffer as a bare pointer (a memref of rank 0) with
    those of its offset, sizes and strides that are known only at run time, a scalar as it is,
    constants are computed again inside. Kernels that are equal but for the name are one.

    A launch with block sizes known at compile time gives its kernel `known_block_size`, so that
    the code generator knows how many registers a thread may take.

    Example:
    ```mlir
    gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
               threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1) {
      memref.store %cst, %buffer[%bx] : memref<?xf32>
      gpu.terminator
    }
    ```
  }];
  let dependentDialects = ["mlir::gpu::GPUDialect", "mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"numLaunches", "num-launches", "Launches">,
    Statistic<"numKernels", "num-kernels", "Different kernels">
  ];
}

#endif // TORCHLITE_CODEGEN_NVGPU_PASSES
