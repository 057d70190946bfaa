//===- Matmul.cpp - Strategies for contractions on ordinary cores ---------===//
#include "BlockProduct.h"
#include "MatrixVector.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

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
  TileShape tile = chooseTile(*form, options.target);
  if (convolution || !ShapedType::isDynamic(form->staticSize(Axis::M)))
    return emitBlockProduct(builder, *form, tile, options.target, reason);
  // A batch whose size the call tells is often one sample: a kernel for few rows, and one for many.
  Location loc = kernel.getLoc();
  Value few = arith::ConstantIndexOp::create(builder, loc, maxVectorRows);
  Value isFew =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, form->hostSize(Axis::M), few);
  auto branch = scf::IfOp::create(builder, loc, isFew, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  LogicalResult result = emitMatrixVector(builder, *form, options.target, reason);
  builder.setInsertionPointToStart(&branch.getElseRegion().front());
  if (succeeded(result) &&
      succeeded(emitBlockProduct(builder, *form, tile, options.target, reason)))
    return success();
  branch.erase();
  return failure();
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
