//===- RandomOps.cpp - Random numbers: effects, bufferization -------------===//
#include "TorchLite/Dialect/Runtime/IR/RandomOps.h"

using namespace mlir;
using namespace torchlite::rt;

void RandomOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  // The generator moves on: calls stay in order, and none is dropped.
  effects.emplace_back(MemoryEffects::Read::get(), FrameResource::get());
  effects.emplace_back(MemoryEffects::Write::get(), FrameResource::get());
  if (!isa<MemRefType>(getInit().getType()))
    return;
  for (OpOperand &operand : getEachMutable())
    effects.emplace_back(MemoryEffects::Read::get(), &operand);
  effects.emplace_back(MemoryEffects::Write::get(), &getInitMutable());
}

bool RandomOp::bufferizesToMemoryRead(OpOperand &operand, const bufferization::AnalysisState &) {
  return !isDpsInit(&operand);
}

bool RandomOp::bufferizesToMemoryWrite(OpOperand &operand, const bufferization::AnalysisState &) {
  return isDpsInit(&operand);
}

bufferization::AliasingValueList RandomOp::getAliasingValues(OpOperand &operand,
                                                             const bufferization::AnalysisState &) {
  if (isDpsInit(&operand))
    return {{getTiedOpResult(&operand), bufferization::BufferRelation::Equivalent}};
  return {};
}

LogicalResult RandomOp::bufferize(RewriterBase &rewriter,
                                  const bufferization::BufferizationOptions &options,
                                  bufferization::BufferizationState &state) {
  rewriter.setInsertionPoint(*this);
  Value each = getEach();
  if (each) {
    FailureOr<Value> buffer = bufferization::getBuffer(rewriter, each, options, state);
    if (failed(buffer))
      return failure();
    each = *buffer;
  }
  FailureOr<Value> buffer = bufferization::getBuffer(rewriter, getInit(), options, state);
  if (failed(buffer))
    return failure();
  RandomOp::create(rewriter, getLoc(), TypeRange(), getKindAttr(), getDtypeAttr(), getParameters(),
                   each, *buffer);
  bufferization::replaceOpWithBufferizedValues(rewriter, *this, *buffer);
  return success();
}
