//===- Passes.td - Passes of the CPU code generator --------*- tablegen -*-===//
#ifndef TORCHLITE_CODEGEN_CPU_PASSES
#define TORCHLITE_CODEGEN_CPU_PASSES

include "mlir/Pass/PassBase.td"
include "TorchLite/Codegen/CPU/LoweringPasses.td"

def EmitKernels : Pass<"tl-cpu-emit-kernels", "mlir::func::FuncOp"> {
  let summary = "Turn structured operations on tensors into vectorised loops";
  let description = [{
    Takes each `linalg` operation together with the elementwise operation that computes its initial
    value and the one that reads its result, and emits loops over register tiles: accumulators are
    initialised, the reduction loops run with them in registers, the epilogue is applied, and the
    tile is written once. Matrix multiplications (plain, batched, with packed weights),
    convolutions of any kernel, stride and dilation, depthwise convolutions, pooling, reductions
    over leading dimensions and elementwise operations are one algorithm, told apart only by which
    operands stay in place from row to row and from column to column.

    Sizes that do not divide are peeled into narrower panels and smaller tiles, not masked; sizes
    known only at run time get loops of decreasing width. Large work becomes an `scf.forall` over
    column panels and pieces of another dimension; small work stays serial.

    Reductions of the last dimension take all neighbouring operations on the same rows along, as in
    softmax and layer normalisation: each row is worked on in the cache, what is known once per row
    stays in scalars, and an expensive elementwise result that is read twice (the exponentials of a
    softmax) is kept in the row of the result.

    What does not fit (an operand that would be gathered in the innermost loop, a body with more
    than elementwise operations) is left alone and counted.

    Example, with `target=avx512`:

    ```mlir
    %0 = linalg.matmul ins(%a, %b : tensor<8x64xf32>, tensor<64x32xf32>)
                       outs(%init : tensor<8x32xf32>) -> tensor<8x32xf32>
    ```

    becomes 16 reads of `vector<16xf32>` from `%init`, an `scf.for` over 64 that carries them
    through 16 `vector.fma`, and 16 writes.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512\"",
           "Row of the target table: avx512, avx2, sse, neon or scalar">,
    Option<"parallel", "parallel", "bool", "true", "Make parallel loops of large work">,
    Option<"report", "report", "bool", "false", "Remark on each operation that is left, and why">
  ];
  let dependentDialects = [
    "mlir::affine::AffineDialect", "mlir::arith::ArithDialect", "mlir::scf::SCFDialect",
    "mlir::tensor::TensorDialect", "mlir::vector::VectorDialect"
  ];
  let statistics = [
    Statistic<"numKernels", "num-kernels", "Kernels emitted">,
    Statistic<"numParallel", "num-parallel", "Kernels with parallel loops">,
    Statistic<"numLeft", "num-left", "Operations left to the general path">
  ];
}

def PackPanels : Pass<"tl-cpu-pack-panels", "mlir::func::FuncOp"> {
  let summary = "Store weights in the order that kernels read them";
  let description = [{
    The constant operand of a contraction (matrix multiplication, convolution) is rearranged at
    compile time into panels of as many columns as a register tile has: `[K, N]` and `[N, K]` become
    `[N/32, K, 32]`, `[kh, kw, Ci, Co]` becomes `[Co/32, kh, kw, Ci, 32]`. The last panel is filled
    up with zeros. The operation becomes a `linalg.generic` that reads the panels through
    `floordiv` and `mod`, and so means what it meant:

    ```mlir
    affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512\"",
           "Row of the target table: avx512, avx2, sse, neon or scalar">
  ];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::linalg::LinalgDialect"];
  let statistics = [
    Statistic<"numPacked", "num-packed", "Operands packed">
  ];
}

def PadInPlace : Pass<"tl-cpu-pad-in-place", "mlir::ModuleOp"> {
  let summary = "Let producers write into the middle of padded buffers";
  let description = [{
    A `tensor.pad` with constant amounts and a constant value becomes a buffer whose border is
    written by a small private function, and whose middle is where the producer of the padded tensor
    writes. Nothing is copied, and loops over windows need no test for the border. Other readers of
    the producer's result read the middle of the padded buffer. A tensor that no structured
    operation produces (an argument) is copied into the middle.

    Example: `%p = tensor.pad %x low[1] high[1] { 0.0 } : tensor<4xf32> to tensor<6xf32>`, with `%x`
    produced by a `linalg` operation with `outs(%e)`, becomes

    ```mlir
    %buffer = bufferization.alloc_tensor() : tensor<6xf32>
    %bordered = call @tl_border(%buffer)
    %middle = tensor.extract_slice %bordered[1] [4] [1]
    %x = linalg... outs(%middle)
    %p = tensor.insert_slice %x into %bordered[1] [4] [1]
    ```
  }];
  let dependentDialects = [
    "mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
    "mlir::bufferization::BufferizationDialect", "mlir::func::FuncDialect",
    "mlir::linalg::LinalgDialect", "mlir::tensor::TensorDialect"
  ];
  let statistics = [
    Statistic<"numPads", "num-pads", "Paddings made part of a buffer">
  ];
}

def OutlineGroups : Pass<"tl-cpu-outline-groups", "mlir::ModuleOp"> {
  let summary = "Move each kernel group into a private function, equal ones into one";
  let description = [{
    Each group that `tl-cpu-emit-kernels` would turn into a kernel (a structured operation with what
    computes its initial value and the elementwise operation that reads its result) moves into a
    private function. Its arguments are whole tensors: weights, inputs, and the buffer for the
    result, which is returned; slices are taken inside, so that nothing is copied at the call. Equal
    functions are merged, as are the layers of a network that repeat. Code size and compile time
    then grow with the number of different layers, and tiling one group cannot disturb another.

    Example:

    ```mlir
    %buffer = bufferization.alloc_tensor() : tensor<8x32xf32>
    %0 = call @tl_matmul(%buffer, %a, %weights, %bias)
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512\"",
           "Row of the target table: avx512, avx2, sse, neon or scalar">
  ];
  let dependentDialects = [
    "mlir::bufferization::BufferizationDialect", "mlir::func::FuncDialect",
    "mlir::tensor::TensorDialect"
  ];
  let statistics = [
    Statistic<"numGroups", "num-groups", "Groups outlined">,
    Statistic<"numFunctions", "num-functions", "Different functions made of them">
  ];
}

def TransposeOperands : Pass<"tl-cpu-transpose-operands", "mlir::func::FuncOp"> {
  let summary = "Make operands of contractions contiguous along the result's columns";
  let description = [{
    A contraction reads one operand a vector at a time, along the last dimension of its result. If
    that operand is not a constant and lies the other way round, as the keys of an attention do, it
    is transposed first: a pass over the operand instead of a gather for each multiply-add.

    Example: `(m, n, k) -> (n, k)` becomes `(m, n, k) -> (k, n)` of a `linalg.transpose`.
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect", "mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numTransposed", "num-transposed", "Operands transposed">
  ];
}

#endif // TORCHLITE_CODEGEN_CPU_PASSES
