//===- Matmul.cpp - Strategies for contractions on ordinary cores ---------===//
#include "BlockProduct.h"

using namespace mlir;

namespace torchlite::nvgpu {

static LogicalResult emitContraction(OpBuilder &builder, rt::KernelOp kernel,
                                     const EmitOptions &options, bool convolution,
                                     std::string &reason) {
  FailureOr<Contraction> form = Contraction::match(kernel, reason);
  if (failed(form))
    return failure();
  if (form->isConvolution() != convolution) {
    reason = convolution ? "expected a convolution" : "expected no convolution";
    return failure();
  }
  // A tile of one column or row is no tile: one product per element read.
  if (form->staticSize(Axis::M) == 1 || form->staticSize(Axis::N) == 1) {
    reason = "expected more than one row and column";
    return failure();
  }
  if (failed(form->prepare(builder, reason)))
    return failure();
  return emitBlockProduct(builder, *form, chooseTile(*form, options.target), reason);
}

LogicalResult emitMatmul(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &options,
                         std::string &reason) {
  return emitContraction(builder, kernel, options, /*convolution=*/false, reason);
}

LogicalResult emitConvolution(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &options,
                              std::string &reason) {
  return emitContraction(builder, kernel, options, /*convolution=*/true, reason);
}

} // namespace torchlite::nvgpu
