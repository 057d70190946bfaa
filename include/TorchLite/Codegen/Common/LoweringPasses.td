//===- LoweringPasses.td - From tensors to host code -------*- tablegen -*-===//
//
// What the ways of all targets have in common below linalg: the frame, buffers, the memory plan, and
// the code that runs on the host.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_LOWERINGPASSES
#define TORCHLITE_CODEGEN_COMMON_LOWERINGPASSES

include "mlir/Pass/PassBase.td"

def BindFrame : Pass<"tl-bind-frame", "mlir::func::FuncOp"> {
  let summary = "Entry functions take arguments from the frame and put results into its buffers";
  let description = [{
    A function with `tl.method` loses its operands and results: operands become `tlrt.arg` (which
    nobody may write), tensor results are materialised in `tlrt.output` buffers, as early as their
    sizes are known and checked, so that computations can write into them directly (checks of what
    the host knows move up, too, in their order); scalar results go to `tlrt.result`. What the signature was is recorded in the attributes `tl.operands` and
    `tl.results`: an array of dictionaries with the `type` and the attributes that the operand or
    result had.

    Example:

    ```mlir
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> attributes {tl.method = "forward"}
    ```

    becomes

    ```mlir
    func.func @f() attributes {tl.method = "forward", ...} {
      %0 = tlrt.arg 0 : memref<4xf32>
      %x = bufferization.to_tensor %0 restrict : memref<4xf32> to tensor<4xf32>
      %out = tlrt.output 0 : memref<4xf32>
      ...
      bufferization.materialize_in_destination %y in restrict writable %out
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::affine::AffineDialect",
                           "mlir::bufferization::BufferizationDialect",
                           "mlir::memref::MemRefDialect", "mlir::tensor::TensorDialect",
                           "torchlite::rt::RuntimeDialect"];
}

def Bufferize : Pass<"tl-bufferize", "mlir::ModuleOp"> {
  let summary = "Turn tensors into buffers, in place where possible";
  let description = [{
    Runs one-shot bufferization across function boundaries with contiguous layouts. Before that,
    constants with one value for all elements become fills, values that a loop carries are made to
    stay in one buffer, and `tensor.empty` that ends in a result becomes that result's buffer.
    Private functions that return buffers of their own are inlined.

    Example: in

    ```mlir
    %r = scf.for %i = %a to %b step %c iter_args(%h = %x) -> tensor<4xf32> {
      %n = linalg.generic ... ins(%h) outs(%empty)
      scf.yield %n : tensor<4xf32>
    }
    ```

    `%h` and `%n` share one buffer.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect",
                           "mlir::bufferization::BufferizationDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect", "mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numInPlace", "num-in-place", "Tensor operands written in place">,
    Statistic<"numOutOfPlace", "num-out-of-place", "Tensor operands that needed a copy">
  ];
}

def VerifyBuffers : Pass<"tl-verify-buffers", "mlir::func::FuncOp"> {
  let summary = "Check that every result is written in a buffer of its own";
  let description = [{
    Runs after `tl-bufferize` in all pipelines, changes nothing, and fails where a buffer of
    `tlrt.output` is never written, or is used after the result was copied into it from elsewhere:
    then it held another value before, which is still to be read, and would be read wrong. Time is
    linear in the uses of the results' buffers.

    Example: refused, since `%b` was made in the buffer of result 0, which gets `%a` before `%b` is
    read.

    ```mlir
    %first = tlrt.output 0 : memref<4xf32>
    %second = tlrt.output 1 : memref<4xf32>
    linalg.square ins(%x : memref<4xf32>) outs(%alloc : memref<4xf32>)   // a
    linalg.square ins(%y : memref<4xf32>) outs(%first : memref<4xf32>)   // b
    memref.copy %alloc, %first : memref<4xf32> to memref<4xf32>
    memref.copy %first, %second : memref<4xf32> to memref<4xf32>
    ```
  }];
}

def ResolveReshapes : Pass<"tl-resolve-reshapes", "mlir::func::FuncOp"> {
  let summary = "Reshapes take their sizes from values, not from memory";
  let description = [{
    `memref.reshape` reads the new sizes from a buffer, where bufferization has stored them. On a device
    that buffer would be the device's memory, which the host cannot read; and everywhere it is a detour.
    A reshape whose sizes are stored in the same block, or constant, becomes a
    `memref.reinterpret_cast` with the values themselves, and the buffer goes.

    Example:
    ```mlir
    %shape = memref.alloc() : memref<2xindex>
    memref.store %n, %shape[%c0] : memref<2xindex>
    memref.store %m, %shape[%c1] : memref<2xindex>
    %y = memref.reshape %x(%shape) : (memref<?xf32>, memref<2xindex>) -> memref<?x?xf32>
    ```
    becomes
    ```mlir
    %y = memref.reinterpret_cast %x to offset: [0], sizes: [%n, %m], strides: [%m, 1]
       : memref<?xf32> to memref<?x?xf32>
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"numResolved", "num-resolved", "Reshapes without a buffer for their sizes">,
    Statistic<"numLeft", "num-left", "Reshapes whose sizes are not known">
  ];
}

def PackConstants : Pass<"tl-pack-constants", "mlir::ModuleOp"> {
  let summary = "Move large constants into one blob";
  let description = [{
    A constant `memref.global` of at least `min-bytes` becomes a view of the blob `tl_weights`.
    Equal contents are stored once. What the blob holds is listed in the module's attribute
    `tl.weights`, from which the object writer makes it (see Codegen/Common/Weights.h).

    Example: `memref.get_global @w : memref<64x3xf32>` becomes
    `tlrt.weights 0 : memref<64x3xf32>`.
  }];
  let options = [
    Option<"minBytes", "min-bytes", "int64_t", /*default=*/"256",
           "Smaller constants stay constants of the code">
  ];
  let dependentDialects = ["torchlite::rt::RuntimeDialect"];
  let statistics = [Statistic<"numBytes", "num-bytes", "Bytes of the blob">];
}

def PlanMemory : Pass<"tl-plan-memory", "mlir::ModuleOp"> {
  let summary = "Give buffers of known size their places in one arena";
  let description = [{
    Each `memref.alloc` of static shape becomes a view of the call's arena. Buffers that do not live
    at the same time share memory: the largest first, at the lowest offset that is free while they
    live. A buffer made in a loop lives for one iteration; one made in a parallel region gets a part
    for each iteration; what a called function needs is a buffer of the caller. A buffer that
    outlives the iteration that made it stays dynamic. The size is recorded as `tl.arena_bytes`.

    Example:

    ```mlir
    %b = memref.alloc() : memref<16xf32>
    ```

    becomes

    ```mlir
    %arena = tlrt.arena : memref<64xi8>
    %b = memref.view %arena[%c0][] : memref<64xi8> to memref<16xf32>
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::memref::MemRefDialect",
                           "torchlite::rt::RuntimeDialect"];
  let statistics = [
    Statistic<"numBufferBytes", "num-buffer-bytes", "Bytes of all buffers">,
    Statistic<"numArenaBytes", "num-arena-bytes", "Bytes of all arenas">
  ];
}

def ExpandMath : Pass<"tl-expand-math", "mlir::func::FuncOp"> {
  let summary = "Compute mathematical functions by polynomials, or call the C library";
  let description = [{
    Functions on f32 become polynomial approximations where these are as accurate as needed over the
    whole range, so that loops over them vectorise. All others become calls of the C library.

    Example: `math.exp %x : f32` becomes multiplications, additions and a shift; `math.acosh` a call
    of `acoshf`.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect",
                           "mlir::vector::VectorDialect"];
}

def LowerRuntime : Pass<"tl-lower-runtime", "mlir::ModuleOp"> {
  let summary = "Lower frame access, allocations, checks and parallel calls to LLVM";
  let description = [{
    Every function gets the frame as its first argument, except those that run on several threads,
    which must not raise or allocate. `tlrt` operations become loads from the frame and calls of the
    runtime, dynamic allocations become `tl_rt_alloc`, and `tl.check` a branch to `tl_rt_raise`
    whose message ends in the source line. Expects control flow as blocks.

    Example: `tlrt.arg 1 : i64` becomes

    ```mlir
    %args = llvm.load %frame : !llvm.ptr -> !llvm.ptr
    %slot = llvm.getelementptr %args[16] : (!llvm.ptr) -> !llvm.ptr, i8
    %n = llvm.load %slot : !llvm.ptr -> i64
    ```

    With `device`, the functions run on the host for a device, whose memory all buffers are: launches,
    copies and reads become calls of the runtime, and the weights are where the frame says. Kernels
    (`gpu.module`) are left alone.
  }];
  let options = [
    Option<"device", "device", "bool", /*default=*/"false", "Buffers and weights are a device's memory">
  ];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::cf::ControlFlowDialect"];
}

def ShareBoxes : Pass<"tl-share-boxes", "mlir::func::FuncOp"> {
  let summary = "Boxes take buffers and give buffers";
  let description = [{
    In front of bufferization: `tlrt.box.pack` reads a tensor's buffer, and `tlrt.box.unpack` gives
    the box's own, which is copied, since the box may be freed before the tensor is. With `refuse`,
    for targets whose tensors do not lie in the processor's memory, boxes are an error.

    Example:
    ```mlir
    %x = tlrt.box.unpack %box : tensor<?xf32>
    ```
    becomes
    ```mlir
    %b = tlrt.box.unpack %box : memref<?xf32>
    %t = bufferization.to_tensor %b restrict : memref<?xf32> to tensor<?xf32>
    %x = bufferization.alloc_tensor() copy(%t) : tensor<?xf32>
    ```
  }];
  let options = [Option<"refuse", "refuse", "bool", "false", "Boxes are an error">];
  let dependentDialects = ["mlir::bufferization::BufferizationDialect",
                           "mlir::memref::MemRefDialect", "torchlite::rt::RuntimeDialect"];
}

def LowerToLLVM : Pass<"tl-lower-to-llvm", "mlir::ModuleOp"> {
  let summary = "Convert what is left to the LLVM dialect";
  let description = [{
    Buffers, scalar and vector arithmetic, blocks and functions. Entry functions stay visible in the
    library; all others become internal.

    Example: `arith.addf %a, %b : f32` becomes `llvm.fadd %a, %b : f32`.
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

#endif // TORCHLITE_CODEGEN_COMMON_LOWERINGPASSES
