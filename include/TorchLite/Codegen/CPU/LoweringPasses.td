//===- LoweringPasses.td - From tensors to objects ---------*- tablegen -*-===//
//
// The lower half of the CPU code generator: buffers, memory plan, parallel regions, LLVM, object.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_CPU_LOWERINGPASSES
#define TORCHLITE_CODEGEN_CPU_LOWERINGPASSES

include "mlir/Pass/PassBase.td"

def BindFrame : Pass<"tl-cpu-bind-frame", "mlir::func::FuncOp"> {
  let summary = "Entry functions take arguments from the frame and put results into its buffers";
  let description = [{
    A function with `tl.method` loses its operands and results: operands become `tlrt.arg` (which
    nobody may write), tensor results are materialised in `tlrt.output` buffers, as early as their
    sizes are known, so that computations can write into them directly; scalar results go to
    `tlrt.result`. What the signature was is recorded in the attributes `tl.operands` and
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

def Bufferize : Pass<"tl-cpu-bufferize", "mlir::ModuleOp"> {
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

def PackConstants : Pass<"tl-cpu-pack-constants", "mlir::ModuleOp"> {
  let summary = "Move large constants into one blob";
  let description = [{
    A constant `memref.global` of at least `min-bytes` becomes a view of the blob `tl_weights`.
    Equal contents are stored once. What the blob holds is listed in the module's attribute
    `tl.weights`, from which the object writer makes it (see Codegen/CPU/Weights.h).

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

def PlanMemory : Pass<"tl-cpu-plan-memory", "mlir::ModuleOp"> {
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

def Parallelize : Pass<"tl-cpu-parallelize", "mlir::func::FuncOp"> {
  let summary = "Cut large structured operations into parallel pieces";
  let description = [{
    A `linalg` operation on buffers with at least `min-work` simple operations gets an `scf.forall`
    over its outermost parallel dimension of eight or more, in at most `max-pieces` pieces. Where
    sizes are known only at run time, the program decides.

    Example: `linalg.fill` of `memref<1024x1024xf32>` becomes an `scf.forall` of 64 iterations, each
    of which fills `memref<16x1024xf32, ...>`.
  }];
  let options = [
    Option<"minWork", "min-work", "int64_t", /*default=*/"65536",
           "Smaller operations stay on one thread">,
    Option<"maxPieces", "max-pieces", "int64_t", /*default=*/"64", "Pieces of one operation">
  ];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::memref::MemRefDialect", "mlir::scf::SCFDialect"];
  let statistics = [Statistic<"numParallel", "num-parallel", "Operations made parallel">];
}

def OutlineParallel : Pass<"tl-cpu-outline-parallel", "mlir::ModuleOp"> {
  let summary = "Move the bodies of parallel loops into functions that threads call";
  let description = [{
    An outermost `scf.forall` on buffers becomes `tlrt.parallel_for` and a private function that
    gets a range of iterations, counted row-major over the dimensions of the loop, and the values
    that the body uses; constants and views are made again inside. Loops that raise, allocate or
    call stay as they are, and run on one thread.

    Example: `scf.forall (%i) in (8) { ... }` becomes

    ```mlir
    tlrt.parallel_for @f_parallel to %c8 (%x : memref<8x4xf32>)
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect", "torchlite::rt::RuntimeDialect"];
  let statistics = [Statistic<"numRegions", "num-regions", "Parallel regions">];
}

def LowerStructured : Pass<"tl-cpu-lower-structured", "mlir::func::FuncOp"> {
  let summary = "Lower structured operations on buffers to loops";
  let description = [{
    `linalg` operations become loops over their dimensions in order. Where the innermost dimension
    is reduced, parallel dimensions move outside and the accumulators are carried in registers; the
    reduction may be reassociated and contracted to fused multiply-adds, so that LLVM's loop
    vectoriser can work on it. No other arithmetic is relaxed.

    Example: a sum over rows becomes

    ```mlir
    scf.for %i = ... {
      %init = memref.load %out[%i]
      %sum = scf.for %j = ... iter_args(%acc = %init) -> f32 {
        %x = memref.load %in[%i, %j]
        %next = arith.addf %acc, %x fastmath<reassoc,contract> : f32
        scf.yield %next : f32
      }
      memref.store %sum, %out[%i]
    }
    ```
  }];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect"];
}

def StackBuffers : Pass<"tl-cpu-stack-buffers", "mlir::func::FuncOp"> {
  let summary = "Put small temporary buffers on the stack";
  let description = [{
    A buffer of known size up to `max-bytes` that is freed in the block that makes it, such as the
    lists of buffers that the lowering of deallocations compares, gets a place on the stack for the
    time of the function.

    Example: `memref.alloc() : memref<2xindex>` in a loop becomes a `memref.alloca` before it.
  }];
  let options = [
    Option<"maxBytes", "max-bytes", "int64_t", /*default=*/"1024", "Larger buffers stay">
  ];
}

def LowerRuntime : Pass<"tl-cpu-lower-runtime", "mlir::ModuleOp"> {
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

def ExpandFloats : Pass<"tl-cpu-expand-floats", "mlir::func::FuncOp"> {
  let summary = "Compute f16 and bf16 in f32";
  let description = [{
    Arithmetic and math operations on f16 and bf16 extend their operands to f32, and truncate their
    results. With `integer-conversions`, the conversions themselves become integer operations, for
    processors that have no instruction and would need a library function.

    Example: `arith.addf %a, %b : f16` becomes

    ```mlir
    %0 = arith.extf %a : f16 to f32
    %1 = arith.extf %b : f16 to f32
    %2 = arith.addf %0, %1 : f32
    %3 = arith.truncf %2 : f32 to f16
    ```
  }];
  let options = [
    Option<"integerConversions", "integer-conversions", "bool", /*default=*/"true",
           "Convert f16 by integer operations">
  ];
  let dependentDialects = ["mlir::arith::ArithDialect"];
}

def ExpandMath : Pass<"tl-cpu-expand-math", "mlir::func::FuncOp"> {
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

def LowerToLLVM : Pass<"tl-cpu-lower-to-llvm", "mlir::ModuleOp"> {
  let summary = "Convert what is left to the LLVM dialect";
  let description = [{
    Buffers, scalar and vector arithmetic, blocks and functions. Entry functions stay visible in the
    library; all others become internal.

    Example: `arith.addf %a, %b : f32` becomes `llvm.fadd %a, %b : f32`.
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

def EmitObject : Pass<"tl-emit-object", "mlir::ModuleOp"> {
  let summary = "Write LLVM IR, assembly or an object file";
  let description = [{
    By the suffix of the file: `.ll`, `.s`, or anything else for an object. The weights of the first
    two are written beside it, with `.weights` appended to the name.

    Example: `tl-opt model.mlir --tl-cpu-pipeline --tl-emit-object=output=model.o -o /dev/null`
  }];
  let options = [
    Option<"output", "output", "std::string", /*default=*/"\"a.o\"", "The file">,
    Option<"triple", "target-triple", "std::string", /*default=*/"", "Default: this machine's">,
    Option<"cpu", "target-cpu", "std::string", /*default=*/"",
           "Default: the baseline; `native` for this machine's">,
    Option<"features", "target-features", "std::string", /*default=*/"", "Such as +avx2,-fma">
  ];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

def ExpandCopies : Pass<"tl-cpu-expand-copies", "mlir::func::FuncOp"> {
  let summary = "Turn strided copies into loops";
  let description = [{
    A `memref.copy` from or to a slice would become a call of MLIR's runtime library, which compiled
    models do not have. It becomes a `linalg.generic` that copies. Copies of contiguous memory stay,
    and become `memcpy`.
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect"];
  let statistics = [
    Statistic<"numCopies", "num-copies", "Copies turned into loops">
  ];
}

#endif // TORCHLITE_CODEGEN_CPU_LOWERINGPASSES
