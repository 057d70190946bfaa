// RUN: tl-opt %s --tl-nvgpu-lower-kernels -split-input-file -verify-diagnostics

gpu.module @tl_kernels {
  // expected-error @+1 {{expected kernels to take numbers and memrefs of rank 0, but argument 1 is 'memref<4xf32>'}}
  gpu.func @ranked(%n: index, %x: memref<4xf32>) kernel {
    gpu.return
  }
}

// -----

gpu.module @tl_kernels {
  gpu.func @bits(%x: memref<i1>) kernel {
    %c0 = arith.constant 0 : index
    %y = memref.reinterpret_cast %x to offset: [0], sizes: [8], strides: [1] : memref<i1> to memref<8xi1>
    // expected-error @+1 {{expected vectors of bytes in memory, but got vectors of bits}}
    %v = vector.load %y[%c0] : memref<8xi1>, vector<8xi1>
    vector.store %v, %y[%c0] : memref<8xi1>, vector<8xi1>
    gpu.return
  }
}

// -----

gpu.module @tl_kernels {
  gpu.func @left(%x: memref<f32>) kernel {
    %0 = memref.load %x[] : memref<f32>
    // expected-error @+1 {{failed to legalize operation 'gpu.all_reduce'}}
    %1 = gpu.all_reduce add %0 {} : (f32) -> f32
    memref.store %1, %x[] : memref<f32>
    gpu.return
  }
}

// -----

gpu.module @tl_kernels {
  gpu.func @unknown(%x: memref<f32>) kernel {
    %0 = memref.load %x[] : memref<f32>
    // expected-error @+1 {{expected kernels to be lowered to the LLVM dialect, but 'builtin.unrealized_conversion_cast' is left}}
    %1 = builtin.unrealized_conversion_cast %0 : f32 to !llvm.ptr
    llvm.store %0, %1 : f32, !llvm.ptr
    gpu.return
  }
}

// -----

gpu.module @tl_kernels {
  // expected-error @+1 {{expected a name of letters, digits and underscores}}
  gpu.func @"a.b"() kernel {
    gpu.return
  }
}
