//===- KernelOp.cpp - tlrt.kernel: checks, effects, bufferization ---------===//
#include "TorchLite/Dialect/Runtime/IR/MatrixOps.h"
#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace torchlite::rt;

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

LogicalResult KernelOp::verify() {
  bool isOnTensors = llvm::all_of(getOutputs().getTypes(), llvm::IsaPred<TensorType>);
  bool isOnBuffers =
      llvm::all_of(getOperandTypes(), [](Type type) { return !isa<TensorType>(type); });
  if (!isOnTensors && !isOnBuffers)
    return emitOpError("expected all tensors or all buffers");
  if (isOnTensors && !llvm::equal(getOutputs().getTypes(), getResultTypes()))
    return emitOpError("expected results of the types of the outputs");
  if (!isOnTensors && getNumResults())
    return emitOpError("expected no results on buffers");
  return success();
}

LogicalResult KernelOp::verifyRegions() {
  Block &block = getBody().front();
  if (block.getNumArguments() != getNumOperands())
    return emitOpError("expected a block argument for each operand");
  for (auto [argument, operand] : llvm::zip(block.getArguments(), getOperands())) {
    auto shaped = dyn_cast<ShapedType>(operand.getType());
    Type expected = shaped ? RankedTensorType::get(shaped.getShape(), shaped.getElementType())
                           : operand.getType();
    if (argument.getType() != expected)
      return emitOpError("expected block argument ")
             << argument.getArgNumber() << " to be " << expected << ", but got "
             << argument.getType();
  }
  auto yield = cast<YieldOp>(block.getTerminator());
  if (yield.getValues().size() != getOutputs().size())
    return yield.emitOpError("expected ") << getOutputs().size() << " values";
  for (auto [value, argument] :
       llvm::zip(yield.getValues(), block.getArguments().take_back(getOutputs().size())))
    if (value.getType() != argument.getType())
      return yield.emitOpError("expected ")
             << argument.getType() << ", but got " << value.getType();
  return success();
}

LogicalResult CopyOp::verify() {
  auto from = dyn_cast<MemRefType>(getSource().getType());
  auto to = dyn_cast<MemRefType>(getTarget().getType());
  auto isContiguous = [](MemRefType type) {
    auto layout = dyn_cast<StridedLayoutAttr>(type.getLayout());
    return type.getLayout().isIdentity() ||
           (layout && type.areTrailingDimsContiguous(type.getRank()));
  };
  if (!from || !to || !isContiguous(from) || !isContiguous(to) ||
      from.getElementType() != to.getElementType() ||
      failed(verifyCompatibleShape(from.getShape(), to.getShape())))
    return emitOpError("expected two contiguous buffers of one shape and element type");
  return success();
}

LogicalResult ReadOp::verify() {
  auto type = dyn_cast<MemRefType>(getBuffer().getType());
  if (!type || type.getRank() != int64_t(getIndices().size()))
    return emitOpError("expected an index for each dimension");
  return success();
}

//===----------------------------------------------------------------------===//
// Effects
//===----------------------------------------------------------------------===//

bool KernelOp::readsOutput(unsigned index) {
  // While it is being built.
  if (getBody().empty())
    return true;
  return llvm::any_of(getOutputArgument(index).getUses(), [](OpOperand &use) {
    if (isa<ArgsortOp, NonzeroOp, ScanOp>(use.getOwner()))
      return false;
    if (auto matrices = dyn_cast<MatricesOp>(use.getOwner()))
      return !matrices.isDpsInit(&use) ||
             matrices.readsOutput(use.getOperandNumber() - matrices.getInputs().size());
    auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
    return !op || !op.isDpsInit(&use) || op.payloadUsesValueFromOperand(&use);
  });
}

void KernelOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getInputsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  for (auto [index, operand] : llvm::enumerate(getOutputsMutable())) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (readsOutput(index))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

//===----------------------------------------------------------------------===//
// Bufferization
//===----------------------------------------------------------------------===//

bool KernelOp::hasTensorSemantics() {
  // The tensors of the region stay.
  return llvm::any_of(getOutputs().getTypes(), llvm::IsaPred<TensorType>);
}

bool KernelOp::bufferizesToMemoryRead(OpOperand &operand, const bufferization::AnalysisState &) {
  if (!isDpsInit(&operand))
    return true;
  return readsOutput(operand.getOperandNumber() - getInputs().size());
}

bool KernelOp::bufferizesToMemoryWrite(OpOperand &operand, const bufferization::AnalysisState &) {
  return isDpsInit(&operand);
}

bufferization::AliasingValueList KernelOp::getAliasingValues(OpOperand &operand,
                                                             const bufferization::AnalysisState &) {
  if (isDpsInit(&operand))
    return {{getTiedOpResult(&operand), bufferization::BufferRelation::Equivalent}};
  return {};
}

LogicalResult KernelOp::bufferize(RewriterBase &rewriter,
                                  const bufferization::BufferizationOptions &options,
                                  bufferization::BufferizationState &state) {
  auto toBuffers = [&](OperandRange values, SmallVectorImpl<Value> &buffers) -> LogicalResult {
    for (Value value : values) {
      if (!isa<TensorType>(value.getType())) {
        buffers.push_back(value);
        continue;
      }
      FailureOr<Value> buffer = bufferization::getBuffer(rewriter, value, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    return success();
  };
  rewriter.setInsertionPoint(*this);
  SmallVector<Value> inputs, outputs;
  if (failed(toBuffers(getInputs(), inputs)) || failed(toBuffers(getOutputs(), outputs)))
    return failure();
  auto kernel = KernelOp::create(rewriter, getLoc(), TypeRange(), getNameAttr(), inputs, outputs);
  kernel->setDiscardableAttrs((*this)->getDiscardableAttrDictionary());
  rewriter.inlineRegionBefore(getBody(), kernel.getBody(), kernel.getBody().end());
  bufferization::replaceOpWithBufferizedValues(rewriter, *this, outputs);
  return success();
}
