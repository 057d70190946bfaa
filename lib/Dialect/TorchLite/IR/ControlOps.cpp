//===- ControlOps.cpp - Errors of the core level ---------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace torchlite::tl;

void CheckOp::build(OpBuilder &builder, OperationState &state, Value condition,
                    const Twine &message, ValueRange values) {
  build(builder, state, condition, builder.getStringAttr(message), values);
}

LogicalResult CheckOp::verify() {
  size_t places = getMessage().count("{}");
  if (places != getValues().size())
    return emitOpError("expected as many values as '{}' in the message (")
           << places << "), but got " << getValues().size();
  return success();
}

LogicalResult CheckOp::canonicalize(CheckOp op, PatternRewriter &rewriter) {
  if (!matchPattern(op.getCondition(), m_One()))
    return rewriter.notifyMatchFailure(op, "the condition is not constant true");
  rewriter.eraseOp(op);
  return success();
}
