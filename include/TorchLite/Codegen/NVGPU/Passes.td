//===- Passes.td - Passes of the NVIDIA GPU code generator -*- tablegen -*-===//
#ifndef TORCHLITE_CODEGEN_NVGPU_PASSES
#define TORCHLITE_CODEGEN_NVGPU_PASSES

include "mlir/Pass/PassBase.td"

def EmitImage : Pass<"tl-nvgpu-emit-image", "mlir::gpu::GPUModuleOp"> {
  let summary = "Write the kernels of a lowered module to a file";
  let description = [{
    For tests and for looking at code: optimised LLVM IR (`.ll`), PTX (`.ptx`) or machine code
    (`.cubin`, by `ptxas`), by the file's suffix. With `report`, a remark tells what each kernel
    takes of the GPU: registers, shared memory, spills.
  }];
  let options = [
    Option<"output", "output", "std::string", /*default=*/"\"-\"",
           "The file; `-`: PTX to the standard output">,
    Option<"arch", "arch", "std::string", /*default=*/"\"sm_80\"", "The GPU architecture">,
    Option<"cudaPath", "cuda-path", "std::string", /*default=*/"",
           "Folder of the CUDA Toolkit; default: looked for">,
    Option<"report", "report", "bool", /*default=*/"false", "Tell what each kernel takes">,
  ];
}

def LowerKernels : Pass<"tl-nvgpu-lower-kernels", "mlir::gpu::GPUModuleOp"> {
  let summary = "Lower kernels to the LLVM dialect and NVVM";
  let description = [{
    Kernels become functions of the LLVM dialect that take pointers and numbers. f16 and bf16 are
    computed in f32. Mathematical functions become calls of libdevice (NVIDIA's library of them,
    linked by the kernel compiler) or intrinsics of LLVM. `known_block_size` becomes
    `nvvm.reqntid`, so that the assembler knows how many registers a thread may take; kernels without
    leave registers for 1024 threads.

    A `vector.load` or `vector.store` without `alignment` is taken to be aligned to its size, up to
    16 bytes; transfers are aligned to their elements.

    Example:
    ```mlir
    gpu.module @tl_kernels {
      gpu.func @fill(%x: memref<f32>, %s: f32) kernel
          attributes {known_block_size = array<i32: 128, 1, 1>} {
        memref.store %s, %x[] : memref<f32>
        gpu.return
      }
    }
    ```
    becomes
    ```mlir
    gpu.module @tl_kernels {
      llvm.func @fill(%x: !llvm.ptr, %s: f32) attributes {gpu.kernel, nvvm.kernel,
                                                          nvvm.reqntid = array<i32: 128, 1, 1>} {
        llvm.store %s, %x : f32, !llvm.ptr
        llvm.return
      }
    }
    ```
  }];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::cf::ControlFlowDialect", "mlir::LLVM::LLVMDialect",
    "mlir::math::MathDialect", "mlir::memref::MemRefDialect", "mlir::NVVM::NVVMDialect",
    "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"
  ];
}

def VersionFunctions : Pass<"tl-nvgpu-version-functions", "mlir::ModuleOp"> {
  let summary = "Make a version of each function for each architecture";
  let description = [{
    Architectures differ in tiles and instructions, and with them in which kernels there are, how they
    are launched, and how much memory lies between them. So each architecture has its own functions from
    here on, marked by `tl.arch`, which passes ask before their own option. Constants are not copied.

    Example: with `archs=sm_75,sm_90`
    ```mlir
    func.func @forward() { ... }
    ```
    becomes
    ```mlir
    func.func @forward() attributes {tl.arch = "sm_75", tl.version_of = "forward"} { ... }
    func.func @forward_sm_90() attributes {tl.arch = "sm_90", tl.version_of = "forward"} { ... }
    ```
  }];
  let options = [ListOption<"archs", "archs", "std::string", "The architectures">];
  let statistics = [Statistic<"numVersions", "num-versions", "Functions added">];
}

def MergeVersions : Pass<"tl-nvgpu-merge-versions", "mlir::ModuleOp"> {
  let summary = "Make equal versions of functions one, and sets of kernels of what is left";
  let description = [{
    After kernels have been outlined (equal ones are one already), a version that launches the same
    kernels in the same way as an older one is dropped. Architectures that are left with the same
    functions are one set: `tl.gpu_sets` on the module names them, on functions and kernels it tells
    which sets they belong to. Where all architectures are one set, nothing is marked.

    Example: with sm_75, sm_80 and sm_90, where sm_75 differs
    ```mlir
    module attributes {tl.gpu_sets = [["sm_75"], ["sm_80", "sm_90"]]} {
      func.func @forward() attributes {tl.gpu_sets = array<i64: 0>} { ... }
      func.func @forward_sm_80() attributes {tl.gpu_sets = array<i64: 1>} { ... }
      gpu.module @tl_kernels {
        gpu.func @matmul(...) kernel attributes {tl.gpu_sets = array<i64: 0>} { ... }
        gpu.func @matmul_0(...) kernel attributes {tl.gpu_sets = array<i64: 1>} { ... }
        gpu.func @softmax(...) kernel attributes {tl.gpu_sets = array<i64: 0, 1>} { ... }
      }
    }
    ```
  }];
  let dependentDialects = ["mlir::gpu::GPUDialect"];
  let statistics = [
    Statistic<"numMerged", "num-merged", "Versions dropped">,
    Statistic<"numSets", "num-sets", "Sets of kernels">
  ];
}

def GeneralizeTranspositions : Pass<"tl-nvgpu-generalize-transpositions", "mlir::func::FuncOp"> {
  let summary = "Write transpositions as generic operations, which merge with elementwise ones";
  let description = [{
    `tl-fuse-elementwise` merges generic operations. A kernel that transposes through shared memory
    computes what is around the transposition on the way (strategy `transpose`), so that on a GPU a
    transposition is worth no kernel of its own.

    Example:
    ```mlir
    %0 = linalg.transpose ins(%x : tensor<4x8xf32>) outs(%empty : tensor<8x4xf32>) permutation = [1, 0]
    ```
    becomes
    ```mlir
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>],
                         iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<4x8xf32>) outs(%empty : tensor<8x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<8x4xf32>
    ```
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect"];
}

def SplitReductions : Pass<"tl-nvgpu-split-reductions", "mlir::func::FuncOp"> {
  let summary = "Sum long products in parts where their results are too few for a GPU";
  let description = [{
    A matrix product or a convolution with a small result and a long reduction has too few tiles for
    all multiprocessors: as in the last layers of an image classifier on one image. Its reduction is cut
    into parts that are computed side by side, and summed by a second operation, which takes the initial
    value and what is fused to the result. The order of sums is the same in each run.

    Sums, products, extrema and the like of very many elements with few results, as the mean of a whole
    tensor, are cut in the same way, into parts that are blocks of their own.

    Only static shapes are split: products of at least 1024 terms, into parts of at least 256, and other
    reductions of at least 65536 elements, into parts of at least 4096. The place of an extremum
    (`argmax`) is not split.

    Example: on a GPU with 108 multiprocessors
    ```mlir
    %0 = linalg.matmul ins(%a, %b : tensor<49x2048xf16>, tensor<2048x512xf16>)
                       outs(%init : tensor<49x512xf32>) -> tensor<49x512xf32>
    ```
    becomes a product of four parts each, `tensor<4x49x512xf32>`, and the sum of its first dimension.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::linalg::LinalgDialect",
                           "mlir::tensor::TensorDialect"];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_80\"", "Oldest architecture that the kernels run on">
  ];
  let statistics = [Statistic<"numSplit", "num-split", "Reductions split">];
}

def DeferChecks : Pass<"tl-nvgpu-defer-checks", "mlir::func::FuncOp"> {
  let summary = "Check what lies on the device at the end of the call, all at once";
  let description = [{
    A `tl.check` of a boolean that the device computes, as a gather makes of its indices, would wait for
    the device in the middle of the call. Where nothing that follows can do harm, the checks move to the
    end of the entry function, so that the whole call is queued at once and can be one CUDA graph; what
    the call has written by then is not given out, since it ends in the error. Several checks are read
    as one boolean, and one by one only where that is false.

    Harmless is: static shapes; no other value that the host reads; no write at a computed position, no
    integer division by a computed number. Indices that come from elements of tensors are clamped to
    the tensor that they read, so that a wrong one reads something, but nothing outside.

    Example:
    ```mlir
    %ok = tensor.extract %inside[] : tensor<i1>
    tl.check %ok, "IndexError: index out of range in self"
    %rows = linalg.generic {...} ins(%indices : tensor<8xi64>) ... {
      %row = arith.index_cast %in : i64 to index
      %column = linalg.index 1 : index
      %element = tensor.extract %table[%row, %column] : tensor<100x16xf32>
    ```
    becomes
    ```mlir
    %rows = linalg.generic {...} ins(%indices : tensor<8xi64>) ... {
      ...
      %0 = arith.maxsi %row, %c0 : index
      %1 = arith.minsi %0, %c99 : index
      %element = tensor.extract %table[%1, %column] : tensor<100x16xf32>
    ...
    %ok = tensor.extract %inside[] : tensor<i1>
    tl.check %ok, "IndexError: index out of range in self"
    return
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::linalg::LinalgDialect",
                           "mlir::scf::SCFDialect", "mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numDeferred", "num-deferred", "Checks moved to the end">];
}

def OutlineLoops : Pass<"tl-nvgpu-outline-loops", "mlir::func::FuncOp"> {
  let summary = "Turn loops of scalar code over tensors into kernels";
  let description = [{
    An outermost `scf.for` or `scf.while` that reads and writes single elements, and does nothing but
    scalar code besides, becomes a `tlrt.kernel`: on the host each element would be a copy from the
    device and a wait. The tensors that the loop carries are the kernel's outputs; each number that it
    returns is one of rank 0, which is read once.

    Loops with structured operations or checks in them, and loops that cannot be executed in place, as
    those whose tensors change places, stay on the host.

    Example:
    ```mlir
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%t = %x) -> (tensor<8xf32>) {
      %p = tensor.extract %positions[%i] : tensor<?xindex>
      %w = tensor.insert %zero into %t[%p] : tensor<8xf32>
      scf.yield %w : tensor<8xf32>
    }
    ```
    becomes
    ```mlir
    %r = tlrt.kernel "loops" ins(%n, %positions : index, tensor<?xindex>) outs(%x : tensor<8xf32>) {
    ^bb0(%count: index, %places: tensor<?xindex>, %out: tensor<8xf32>):
      ...
      %loop = scf.for %i = %c0 to %count step %c1 iter_args(%t = %out) -> (tensor<8xf32>) { ... }
      tlrt.yield %loop : tensor<8xf32>
    } -> tensor<8xf32>
    ```
  }];
  let dependentDialects = ["torchlite::rt::RuntimeDialect", "mlir::tensor::TensorDialect",
                           "mlir::bufferization::BufferizationDialect"];
  let statistics = [Statistic<"numLoops", "num-loops", "Loops that have become kernels">,
                    Statistic<"numLeft", "num-left", "Loops that cannot be executed in place">];
}

def FormKernels : Pass<"tl-form-kernels", "mlir::func::FuncOp"> {
  let summary = "Gather structured operations on tensors into kernels";
  let description = [{
    Each `linalg` operation becomes a `tlrt.kernel`, together with what is better computed at the same
    place: the elementwise operation that makes the initial value of a contraction, convolution or
    reduction and the one that reads its result; the operations on rows around a reduction of the last
    dimension, as in softmax and layer normalisation; `tensor.pad` before what reads it. What a kernel
    computes stays as it is, on tensors, for a strategy to read. So do `tlrt.argsort`, `tlrt.scan` and
    `tlrt.nonzero`; a sort of rows that do not fit into shared memory gets a second output, to work in.

    Example:
    ```mlir
    %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x32xf32>) -> tensor<8x32xf32>
    %0 = linalg.matmul ins(%a, %b : tensor<8x64xf32>, tensor<64x32xf32>)
                       outs(%init : tensor<8x32xf32>) -> tensor<8x32xf32>
    ```
    becomes
    ```mlir
    %0 = tlrt.kernel "matmul" ins(%a, %b : tensor<8x64xf32>, tensor<64x32xf32>)
                              outs(%empty : tensor<8x32xf32>) {
    ^bb0(%x: tensor<8x64xf32>, %y: tensor<64x32xf32>, %out: tensor<8x32xf32>):
      ...
      tlrt.yield %r : tensor<8x32xf32>
    } -> tensor<8x32xf32>
    ```
  }];
  let dependentDialects = ["torchlite::rt::RuntimeDialect", "mlir::tensor::TensorDialect",
                           "mlir::bufferization::BufferizationDialect"];
  let statistics = [Statistic<"numKernels", "num-kernels", "Kernels formed">];
}

def BindDevice : Pass<"tl-nvgpu-bind-device", "mlir::func::FuncOp"> {
  let summary = "Turn what the host does with buffers into work for the device";
  let description = [{
    After bufferization, every buffer is memory of the device. Copies of contiguous buffers become
    `tlrt.copy`, others kernels; a store of a scalar becomes a kernel with the scalar as a parameter; a
    load becomes `tlrt.read`, which waits for the device. Structured operations that bufferization has
    made become kernels, too.

    An entry function with static shapes gets the attribute `tl.replayable`: calls with the same
    addresses and scalars make the same launches as long as they read the same values back, so the
    runtime may record them, as CUDA graphs, and replay those.

    Example: `%v = memref.load %flag[] : memref<i1>` becomes
    ```mlir
    %v = tlrt.read %flag[] : memref<i1>
    ```
  }];
  let dependentDialects = ["torchlite::rt::RuntimeDialect", "mlir::tensor::TensorDialect",
                           "mlir::linalg::LinalgDialect"];
}

def EmitKernels : Pass<"tl-nvgpu-emit-kernels", "mlir::func::FuncOp"> {
  let summary = "Turn kernels on buffers into launches";
  let description = [{
    Each `tlrt.kernel` becomes a `gpu.launch` by the first strategy that takes it (see
    include/TorchLite/Codegen/NVGPU/Strategy.h). The target table gives tile sizes and says which
    instructions there are.

    With `report`, a remark tells which strategy took each kernel, and why the ones before did not.

    Example: an elementwise kernel on 1000 elements becomes
    ```mlir
    gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1)
               threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1) {
      %base = arith.muli %bx, %c128 : index
      %i = arith.addi %base, %tx : index
      %inside = arith.cmpi ult, %i, %c1000 : index
      scf.if %inside { ... }
      gpu.terminator
    }
    ```
  }];
  let dependentDialects = ["mlir::gpu::GPUDialect", "mlir::scf::SCFDialect", "mlir::arith::ArithDialect",
                           "mlir::memref::MemRefDialect", "mlir::affine::AffineDialect",
                           "mlir::vector::VectorDialect", "mlir::nvgpu::NVGPUDialect",
                           "mlir::NVVM::NVVMDialect", "mlir::LLVM::LLVMDialect",
                           "mlir::math::MathDialect", "mlir::complex::ComplexDialect"];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_80\"", "Oldest architecture that the kernels run on">,
    Option<"precision", "precision", "std::string", "\"f32\"",
           "What products of f32 matrices are computed in: f32, tf32, f16, bf16">,
    Option<"only", "strategy", "std::string", "\"\"", "Try this strategy only">,
    Option<"report", "report", "bool", "false", "A remark for each kernel">
  ];
  let statistics = [Statistic<"numKernels", "num-kernels", "Kernels emitted">];
}

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

def Serialize : Pass<"tl-nvgpu-serialize", "mlir::ModuleOp"> {
  let summary = "Compile kernels to images that the library carries";
  let description = [{
    The lowered `gpu.module @tl_kernels` becomes constants: the images, and the `tl_gpu_code` that
    the runtime reads (Descriptor.h) as `@tl_gpu_code`.

    There is machine code and PTX for each architecture of `archs`. Machine code runs on GPUs with
    the same major number of the compute capability, from that minor number on, and with drivers that
    are no older than the assembler. PTX, which the driver compiles when the library is loaded, runs
    on all newer GPUs and with older drivers: its version is no newer than the architecture needs.
    The code of `a` architectures (sm_90a) runs on that very one, of `f` architectures (sm_100f) on
    newer ones of the generation: no PTX of either. Without `ptxas` there is PTX alone, and a warning.

    With `emulated`, the kernels are compiled for the processor as well, for the emulator: the
    module's attribute `tl.host_bitcode` holds them until the object file is written.

    Where there are several sets of kernels (`tl.gpu_sets`, see `tl-nvgpu-merge-versions`), each is
    compiled for its own architectures; they share the numbers of kernels, and weights.

    The weights are those that `tl-pack-constants` has left in the module's attribute; their
    symbol is `@tl_gpu_weights`.

    Example: `--tl-nvgpu-serialize="archs=sm_80,sm_90"` leaves
    ```mlir
    llvm.mlir.global internal constant @tl_gpu_code() : !llvm.struct<(ptr, i32, i32, ptr, ptr, i64)> {...}
    ```
    with two images of machine code and two of PTX.
  }];
  let options = [
    ListOption<"archs", "archs", "std::string", "The GPU architectures">,
    Option<"images", "images", "bool", /*default=*/"true", "Compile for NVIDIA's GPUs">,
    Option<"emulated", "emulated", "bool", /*default=*/"false", "Compile for the emulator">,
    Option<"hostTriple", "host-triple", "std::string", /*default=*/"",
           "The emulator's processor: target triple; default: this machine's">,
    Option<"hostCPU", "host-cpu", "std::string", /*default=*/"\"native\"",
           "Processor; empty: the triple's baseline">,
    Option<"hostFeatures", "host-features", "std::string", /*default=*/"",
           "Processor features to add or leave out">,
    Option<"cudaPath", "cuda-path", "std::string", /*default=*/"",
           "Folder of the CUDA Toolkit; default: looked for">,
    Option<"report", "report", "bool", /*default=*/"false", "Tell what each kernel takes">,
  ];
  let dependentDialects = ["mlir::gpu::GPUDialect", "mlir::LLVM::LLVMDialect"];
  let statistics = [
    Statistic<"numImages", "num-images", "Images">,
    Statistic<"imageBytes", "image-bytes", "Bytes of the images">
  ];
}

def FreeBuffers : Pass<"tl-nvgpu-free-buffers", "mlir::func::FuncOp"> {
  let summary = "Free dynamic buffers after their last use";
  let description = [{
    Launches run in the order in which they are made, so a buffer may be freed as soon as its last
    reader has been launched. A buffer that leaves its block (carried by a loop, yielded by a branch)
    lives until the call ends.

    Example:
    ```mlir
    %b = memref.alloc(%n) : memref<?xf32>
    gpu.launch_func @tl_kernels::@k blocks in (...) threads in (...) args(%p : memref<f32>, ...)
    memref.dealloc %b : memref<?xf32>
    ```
  }];
  let dependentDialects = ["mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"numFreed", "num-freed", "Buffers freed in their block">,
    Statistic<"numLeft", "num-left", "Buffers that live until the call ends">
  ];
}

#endif // TORCHLITE_CODEGEN_NVGPU_PASSES
