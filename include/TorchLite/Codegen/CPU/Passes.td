//===- Passes.td - Passes of the CPU code generator --------*- tablegen -*-===//
#ifndef TORCHLITE_CODEGEN_CPU_PASSES
#define TORCHLITE_CODEGEN_CPU_PASSES

include "mlir/Pass/PassBase.td"

def FuseElementwise : Pass<"tl-cpu-fuse-elementwise", "mlir::func::FuncOp"> {
  let summary = "Merge chains of elementwise operations";
  let description = [{
    An elementwise `linalg` operation whose result has one reader is merged into that reader, if the
    reader is elementwise too, so that what is between them never reaches memory. A producer is not
    merged into a reduction: it would be computed once per element of the reduction's window, and a
    reduction without a body of its own is what later passes recognise.

    Example: `relu(add(x, y))`, two `linalg.generic`, becomes one with the body

    ```mlir
    ^bb0(%x: f32, %y: f32, %out: f32):
      %sum = arith.addf %x, %y : f32
      %relu = arith.maximumf %sum, %zero : f32
      linalg.yield %relu : f32
    ```
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect", "mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numMerged", "num-merged", "Elementwise operations merged into their reader">
  ];
}

#endif // TORCHLITE_CODEGEN_CPU_PASSES
