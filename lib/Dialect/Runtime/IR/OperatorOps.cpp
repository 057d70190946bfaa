//===- OperatorOps.cpp - Calls of LibTorch's operators --------------------===//
#include "TorchLite/Dialect/Runtime/IR/OperatorOps.h"

using namespace mlir;
using namespace torchlite::rt;

using Effects = SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

//===----------------------------------------------------------------------===//
// call_operator
//===----------------------------------------------------------------------===//

void CallOperatorOp::getEffects(Effects &effects) {
  for (OpOperand &operand : getOperandsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  effects.emplace_back(MemoryEffects::Read::get(), FrameResource::get());
  effects.emplace_back(MemoryEffects::Write::get(), FrameResource::get());
}

bool CallOperatorOp::bufferizesToMemoryRead(OpOperand &, const bufferization::AnalysisState &) {
  return true;
}

bool CallOperatorOp::bufferizesToMemoryWrite(OpOperand &, const bufferization::AnalysisState &) {
  return false;
}

bufferization::AliasingValueList
CallOperatorOp::getAliasingValues(OpOperand &, const bufferization::AnalysisState &) {
  return {};
}

LogicalResult CallOperatorOp::bufferize(RewriterBase &rewriter,
                                        const bufferization::BufferizationOptions &options,
                                        bufferization::BufferizationState &state) {
  rewriter.setInsertionPoint(*this);
  SmallVector<Value> operands;
  for (Value value : getOperands()) {
    if (isa<TensorType>(value.getType())) {
      FailureOr<Value> buffer = bufferization::getBuffer(rewriter, value, options, state);
      if (failed(buffer))
        return failure();
      value = *buffer;
    }
    operands.push_back(value);
  }
  auto call = CallOperatorOp::create(rewriter, getLoc(), (*this)->getResultTypes(), getCallAttr(),
                                     operands);
  rewriter.replaceOp(*this, call.getResults());
  return success();
}

//===----------------------------------------------------------------------===//
// operator_result
//===----------------------------------------------------------------------===//

void OperatorResultOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), FrameResource::get());
  if (isa<MemRefType>(getInit().getType()))
    effects.emplace_back(MemoryEffects::Write::get(), &getInitMutable());
}

bool OperatorResultOp::bufferizesToMemoryRead(OpOperand &, const bufferization::AnalysisState &) {
  return false;
}

bool OperatorResultOp::bufferizesToMemoryWrite(OpOperand &operand,
                                               const bufferization::AnalysisState &) {
  return isDpsInit(&operand);
}

bufferization::AliasingValueList
OperatorResultOp::getAliasingValues(OpOperand &operand, const bufferization::AnalysisState &) {
  if (isDpsInit(&operand))
    return {{getTiedOpResult(&operand), bufferization::BufferRelation::Equivalent}};
  return {};
}

LogicalResult OperatorResultOp::bufferize(RewriterBase &rewriter,
                                          const bufferization::BufferizationOptions &options,
                                          bufferization::BufferizationState &state) {
  rewriter.setInsertionPoint(*this);
  FailureOr<Value> buffer = bufferization::getBuffer(rewriter, getInit(), options, state);
  if (failed(buffer))
    return failure();
  OperatorResultOp::create(rewriter, getLoc(), TypeRange(), getIndexAttr(), getGiven(), *buffer);
  bufferization::replaceOpWithBufferizedValues(rewriter, *this, *buffer);
  return success();
}
