//===- LanguageOps.cpp - TorchScript's language ---------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace torchlite::tl;

/// Types must agree one by one; `what` and `other` name the two sides in the message.
static LogicalResult verifySameTypes(Operation *op, TypeRange expected, TypeRange actual,
                                     StringRef what) {
  if (expected.size() != actual.size())
    return op->emitOpError("expected ")
           << expected.size() << " " << what << ", but got " << actual.size();
  for (auto [index, pair] : llvm::enumerate(llvm::zip_equal(expected, actual)))
    if (std::get<0>(pair) != std::get<1>(pair))
      return op->emitOpError("expected ") << what << " #" << index << " of type "
                                          << std::get<0>(pair) << ", but got " << std::get<1>(pair);
  return success();
}

LogicalResult CallMethodOp::verify() {
  if (getOperands().empty() || !isa<ObjectType>(getOperands().front().getType()))
    return emitOpError("expected the object as first operand");
  return success();
}

LogicalResult TupleUnpackOp::verify() {
  size_t expected = getTuple().getType().getTypes().size();
  if (getNumResults() != expected)
    return emitOpError("expected ") << expected << " results, but got " << getNumResults();
  return success();
}

LogicalResult DictConstructOp::verify() {
  if (getNumOperands() % 2)
    return emitOpError("expected keys and values in pairs, but got ")
           << getNumOperands() << " operands";
  return success();
}

//===----------------------------------------------------------------------===//
// IfOp
//===----------------------------------------------------------------------===//

LogicalResult IfOp::verify() {
  for (Region *region : {&getThenRegion(), &getElseRegion()}) {
    auto yield = dyn_cast<YieldOp>(region->front().getTerminator());
    if (!yield)
      return emitOpError("expected every arm to end in tl.yield");
    if (failed(verifySameTypes(yield, getResultTypes(), yield.getOperandTypes(), "values")))
      return failure();
  }
  return success();
}

namespace {
/// An `if` on a constant is the arm it takes.
struct FoldConstantIf : OpRewritePattern<IfOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(IfOp op, PatternRewriter &rewriter) const override {
    BoolAttr condition;
    if (!matchPattern(op.getCondition(), m_Constant(&condition)))
      return rewriter.notifyMatchFailure(op, "the condition is not constant");
    Block &arm = (condition.getValue() ? op.getThenRegion() : op.getElseRegion()).front();
    auto yield = cast<YieldOp>(arm.getTerminator());
    SmallVector<Value> results(yield.getOperands());
    rewriter.eraseOp(yield);
    rewriter.inlineBlockBefore(&arm, op);
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

void IfOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldConstantIf>(context);
}

//===----------------------------------------------------------------------===//
// LoopOp
//===----------------------------------------------------------------------===//

LogicalResult LoopOp::verify() {
  Block &body = getBody().front();
  if (body.getNumArguments() == 0 || !body.getArgument(0).getType().isInteger(64))
    return emitOpError("expected the body's first argument to be the trip number of type i64");
  auto next = dyn_cast<ContinueOp>(body.getTerminator());
  if (!next)
    return emitOpError("expected the body to end in tl.continue");
  TypeRange carried = getInitialValues().getTypes();
  if (failed(verifySameTypes(*this, carried,
                             ValueRange(body.getArguments().drop_front()).getTypes(),
                             "carried body arguments")) ||
      failed(verifySameTypes(*this, carried, getResultTypes(), "results")))
    return failure();
  return verifySameTypes(next, carried, next.getValues().getTypes(), "carried values");
}
