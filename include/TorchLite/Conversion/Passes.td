// Conversions between dialects.
#ifndef TORCHLITE_CONVERSION_PASSES_TD
#define TORCHLITE_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTorchLiteToLinalgPass : Pass<"convert-tl-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lowers core tl operations to linalg, tensor, scf, arith and math";
  let description = [{
    The last stage that all targets share. Every tensor computation becomes `linalg.generic`, a
    structured named operation, or a `tensor` operation; sorting and running sums become
    `tlrt.argsort` and `tlrt.scan`, which each target has its own way for; `tl.if` and `tl.loop`
    become `scf`;
    `tl.check` stays, outside of all tensor computations. `ui8` becomes signless `i8` in all types
    (operations know which of the two they computed on); metadata attributes keep it. Fails with
    the location of the first operation that it cannot lower.

    Example:
    ```mlir
    %0 = tl.add %x, %y : tensor<4xf32>, tensor<1xf32> -> tensor<4xf32>
    ```
    becomes
    ```mlir
    %empty = tensor.empty() : tensor<4xf32>
    %0 = linalg.generic {
        indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (0)>, affine_map<(d0) -> (d0)>],
        iterator_types = ["parallel"]}
        ins(%x, %y : tensor<4xf32>, tensor<1xf32>) outs(%empty : tensor<4xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %sum = arith.addf %a, %b : f32
      linalg.yield %sum : f32
    } -> tensor<4xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::complex::ComplexDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::torchlite::rt::RuntimeDialect"
  ];
}

#endif
