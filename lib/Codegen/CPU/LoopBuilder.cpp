//===- LoopBuilder.cpp - Loops that carry tensors and vectors -------------===//
#include "TorchLite/Codegen/CPU/LoopBuilder.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace torchlite::cpu {

static OpFoldResult apply(OpBuilder &b, Location loc, AffineExpr expr,
                          ArrayRef<OpFoldResult> operands) {
  return affine::makeComposedFoldedAffineApply(b, loc, AffineMap::get(operands.size(), 0, expr),
                                               operands);
}

OpFoldResult add(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  return apply(b, loc, b.getAffineDimExpr(0) + b.getAffineDimExpr(1), {x, y});
}
OpFoldResult sub(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  return apply(b, loc, b.getAffineDimExpr(0) - b.getAffineDimExpr(1), {x, y});
}
OpFoldResult mul(OpBuilder &b, Location loc, OpFoldResult x, int64_t y) {
  return apply(b, loc, b.getAffineDimExpr(0) * y, {x});
}
OpFoldResult floorDiv(OpBuilder &b, Location loc, OpFoldResult x, int64_t y) {
  return apply(b, loc, b.getAffineDimExpr(0).floorDiv(y), {x});
}
OpFoldResult mod(OpBuilder &b, Location loc, OpFoldResult x, int64_t y) {
  return apply(b, loc, b.getAffineDimExpr(0) % y, {x});
}

OpFoldResult sizeOf(OpBuilder &b, Location loc, Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return b.getIndexAttr(type.getDimSize(dim));
  return tensor::DimOp::create(b, loc, tensor, dim).getResult();
}

Values forLoop(OpBuilder &b, Location loc, OpFoldResult lower, OpFoldResult upper, int64_t step,
               ValueRange carried, bool unroll,
               function_ref<Values(OpFoldResult, ValueRange)> body) {
  std::optional<int64_t> first = getConstantIntValue(lower), end = getConstantIntValue(upper);
  if (first && end && (unroll || *end - *first <= step)) {
    Values values(carried);
    for (int64_t iv = *first; iv < *end; iv += step)
      values = body(b.getIndexAttr(iv), values);
    return values;
  }
  auto value = [&](OpFoldResult x) { return getValueOrCreateConstantIndexOp(b, loc, x); };
  auto loop =
      scf::ForOp::create(b, loc, value(lower), value(upper), value(b.getIndexAttr(step)), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Values results = body(OpFoldResult(loop.getInductionVar()), loop.getRegionIterArgs());
  // A loop that carries nothing has its terminator already.
  if (!carried.empty())
    scf::YieldOp::create(b, loc, results);
  return Values(loop.getResults());
}

} // namespace torchlite::cpu
