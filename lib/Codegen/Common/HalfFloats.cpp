//===- HalfFloats.cpp - Compute f16 and bf16 in f32 -----------------------===//
#include "TorchLite/Codegen/Common/HalfFloats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace torchlite {
using namespace mlir;

namespace {
bool isHalf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isF16() || element.isBF16();
}

Type withElement(Type type, Type element) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(element);
  return element;
}

/// Conversions go through f32, as PyTorch's do: from f64, to and from integers.
bool isConversion(Operation *op) {
  return isa<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, arith::UIToFPOp, arith::FPToSIOp,
             arith::FPToUIOp>(op);
}

/// Whether an operation computes with its f16 or bf16 operands or result (and not only moves them).
bool computes(Operation *op) {
  if (isa<arith::ConstantOp, arith::SelectOp, arith::BitcastOp>(op))
    return false;
  if (isConversion(op)) {
    // Only f16 or bf16 to and from f32 is left to be done by an instruction.
    Type from = getElementTypeOrSelf(op->getOperand(0).getType());
    Type to = getElementTypeOrSelf(op->getResult(0).getType());
    return !from.isF32() && !to.isF32() && (isHalf(from) || isHalf(to));
  }
  if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op->getDialect()) &&
      !isa<vector::FMAOp, vector::ReductionOp, vector::MultiDimReductionOp, vector::ContractionOp,
           vector::OuterProductOp>(op))
    return false;
  return llvm::any_of(op->getOperandTypes(), isHalf) || llvm::any_of(op->getResultTypes(), isHalf);
}

void computeInF32(Operation *op) {
  OpBuilder builder(op);
  Type f32 = builder.getF32Type();
  for (OpOperand &operand : op->getOpOperands())
    if (Type type = operand.get().getType(); isHalf(type))
      operand.set(
          arith::ExtFOp::create(builder, op->getLoc(), withElement(type, f32), operand.get()));
    else if (isa<arith::TruncFOp>(op))
      operand.set(
          arith::TruncFOp::create(builder, op->getLoc(), withElement(type, f32), operand.get()));
  builder.setInsertionPointAfter(op);
  for (OpResult result : op->getResults()) {
    Type type = result.getType();
    bool widens = isa<arith::ExtFOp>(op);
    if (!isHalf(type) && !widens)
      continue;
    result.setType(withElement(type, f32));
    Operation *back =
        widens ? arith::ExtFOp::create(builder, op->getLoc(), type, result).getOperation()
               : arith::TruncFOp::create(builder, op->getLoc(), type, result).getOperation();
    result.replaceAllUsesExcept(back->getResult(0), back);
  }
  // A conversion from f32 to f32 is none.
  if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
    op->getResult(0).replaceAllUsesWith(op->getOperand(0));
    op->erase();
  }
}

} // namespace

void computeHalfFloatsInF32(Operation *root) {
  SmallVector<Operation *> work;
  root->walk([&](Operation *op) {
    if (computes(op))
      work.push_back(op);
  });
  for (Operation *op : work)
    computeInF32(op);
}

} // namespace torchlite
