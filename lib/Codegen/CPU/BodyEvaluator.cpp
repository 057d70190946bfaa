//===- BodyEvaluator.cpp - linalg bodies on vectors -----------------------===//
#include "TorchLite/Codegen/CPU/BodyEvaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace torchlite::cpu {

Value broadcastTo(OpBuilder &builder, Location loc, Value value, int64_t width) {
  if (!width || isa<VectorType>(value.getType()))
    return value;
  auto type = VectorType::get({width}, value.getType());
  Attribute constant;
  if (matchPattern(value, m_Constant(&constant)))
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(type, ArrayRef<Attribute>(constant)));
  return vector::BroadcastOp::create(builder, loc, type, value);
}

/// The factors if `value` is a float product with one reader, so that nobody misses it.
static arith::MulFOp soleProduct(Value value) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  return product && product->hasOneUse() ? product : nullptr;
}

SmallVector<Value> evaluateBody(OpBuilder &builder, linalg::LinalgOp op, ArrayRef<Value> arguments,
                                int64_t width, function_ref<Value(int64_t)> indexOf,
                                bool fuseMultiplyAdd) {
  Location loc = op.getLoc();
  Block *block = op.getBlock();
  IRMapping mapping;
  for (auto [argument, value] : llvm::zip_equal(block->getArguments(), arguments))
    if (value)
      mapping.map(argument, value);
  auto lanes = [&](Value value) {
    return broadcastTo(builder, loc, mapping.lookupOrDefault(value), width);
  };

  for (Operation &inner : block->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      mapping.map(index.getResult(), indexOf(index.getDim()));
      continue;
    }
    if (isa<arith::ConstantOp>(inner)) {
      builder.clone(inner, mapping);
      continue;
    }
    if (fuseMultiplyAdd && width) {
      if (auto product = dyn_cast<arith::MulFOp>(inner);
          product && product->hasOneUse() && isa<arith::AddFOp>(*product->getUsers().begin()))
        continue; // becomes part of the sum
      if (auto sum = dyn_cast<arith::AddFOp>(inner)) {
        Value addend = sum.getLhs();
        arith::MulFOp product = soleProduct(sum.getRhs());
        if (!product) {
          product = soleProduct(sum.getLhs());
          addend = sum.getRhs();
        }
        // A sum of two products keeps the other as a product of its own.
        if (product) {
          Value other;
          if (arith::MulFOp second = soleProduct(addend))
            other = arith::MulFOp::create(builder, loc, lanes(second.getLhs()),
                                          lanes(second.getRhs()), second.getFastmath());
          else
            other = lanes(addend);
          mapping.map(sum.getResult(), vector::FMAOp::create(builder, loc, lanes(product.getLhs()),
                                                             lanes(product.getRhs()), other)
                                           .getResult());
          continue;
        }
      }
    }
    SmallVector<Value> operands = llvm::map_to_vector(inner.getOperands(), lanes);
    Type type = inner.getResult(0).getType();
    if (width)
      type = VectorType::get({width}, type);
    OperationState state(loc, inner.getName(), operands, TypeRange{type}, inner.getAttrs());
    mapping.map(inner.getResult(0), builder.create(state)->getResult(0));
  }
  return llvm::map_to_vector(block->getTerminator()->getOperands(), lanes);
}

} // namespace torchlite::cpu
