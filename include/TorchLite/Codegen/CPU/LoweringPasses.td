//===- LoweringPasses.td - From tensors to objects ---------*- tablegen -*-===//
//
// The lower half of the CPU code generator: buffers, memory plan, parallel regions, LLVM, object.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_CPU_LOWERINGPASSES
#define TORCHLITE_CODEGEN_CPU_LOWERINGPASSES

include "mlir/Pass/PassBase.td"

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

def ExpandMatrices : Pass<"tl-expand-matrices", "mlir::func::FuncOp"> {
  let summary = "Turns tlrt.matrices into loops, with vectors of the elements of rows";
  let description = [{
    The matrices of a batch are worked on one after the other, or where that is enough work for
    several threads in an `scf.forall` over pieces of the batch.

    Example: `tlrt.matrices triangular_solve ins(%l : memref<1x3x3xf32>) outs(%b : memref<1x3x8xf32>)`
    becomes
    ```mlir
    scf.for %i = %c0 to %c3 step %c1 {
      %d = memref.load %l[%c0, %i, %i] : memref<1x3x3xf32>
      %row = vector.load %b[%c0, %i, %c0] : memref<1x3x8xf32>, vector<8xf32>
      %rest = scf.for %k = %c0 to %i step %c1 iter_args(%sum = %row) -> vector<8xf32> { ... }
      %x = arith.divf %rest, %ds : vector<8xf32>
      vector.store %x, %b[%c0, %i, %c0] : memref<1x3x8xf32>, vector<8xf32>
    }
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512\"", "The row of the target table">,
    Option<"minWork", "min-work", "int64_t", /*default=*/"65536",
           "Smaller work stays on one thread">,
    Option<"maxPieces", "max-pieces", "int64_t", /*default=*/"64", "Pieces of one operation">
  ];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect",
                           "mlir::memref::MemRefDialect", "mlir::scf::SCFDialect",
                           "mlir::vector::VectorDialect"];
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

def ShareMath : Pass<"tl-cpu-share-math", "mlir::ModuleOp"> {
  let summary = "Call mathematical functions that are used very often";
  let description = [{
    `math.exp`, `math.tanh` and the like become some thirty operations each. Where a module has very
    many of them on vectors, all of one kind call one function, so that code size and compile time do
    not grow thirty times as fast as the program. With fewer, which is usual, they stay where they
    are: a call saves all vector registers.

    Example: `%y = math.tanh %x : vector<8xf32>` becomes
    `%y = call @tl_tanh(%x) : (vector<8xf32>) -> vector<8xf32>`.
  }];
  let options = [
    Option<"minTotal", "min-total", "unsigned", /*default=*/"1024",
           "From how many such operations in the module on">,
    Option<"minUses", "min-uses", "unsigned", /*default=*/"16",
           "From how many operations of one kind on">
  ];
  let dependentDialects = ["mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numFunctions", "num-functions", "Functions made">,
    Statistic<"numCalls", "num-calls", "Operations that became calls of them">
  ];
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
