//===- MatrixOps.cpp - tlrt.matrices: checks, effects, bufferization ------===//
#include "TorchLite/Dialect/Runtime/IR/MatrixOps.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace torchlite::rt;

#include "TorchLite/Dialect/Runtime/IR/MatrixEnums.cpp.inc"

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

namespace {
/// What an operand has to be: a matrix or a vector for each batch, or a number.
struct Form {
  int64_t rank;
  bool isFloat = true;
};
struct Forms {
  SmallVector<Form> inputs, outputs;
};
} // namespace

static Forms formsOf(MatrixKind kind) {
  constexpr Form matrix{3}, vector{2}, places{2, false}, number{1, false};
  switch (kind) {
  case MatrixKind::LU:
    return {{}, {matrix, places, number}};
  case MatrixKind::SwapRows:
    return {{places}, {matrix}};
  case MatrixKind::Cholesky:
    return {{}, {matrix, number}};
  case MatrixKind::TriangularSolve:
    return {{matrix}, {matrix}};
  case MatrixKind::Householder:
    return {{}, {matrix, vector}};
  case MatrixKind::Reflect:
    return {{matrix, vector}, {matrix}};
  case MatrixKind::Orthogonalize:
    return {{}, {matrix, matrix}};
  case MatrixKind::Fourier:
    return {{vector}, {matrix, matrix, matrix, matrix}};
  }
  llvm_unreachable("all kinds are covered");
}

static LogicalResult verifyForms(Operation *op, StringRef name, ValueRange operands,
                                 ArrayRef<Form> forms, Type element) {
  if (operands.size() != forms.size())
    return op->emitOpError("expected ")
           << forms.size() << " " << name << ", but got " << operands.size();
  for (auto [operand, form] : llvm::zip(operands, forms)) {
    auto type = cast<ShapedType>(operand.getType());
    Type expected = form.isFloat ? element : IntegerType::get(op->getContext(), 32);
    if (!type.hasRank() || type.getRank() != form.rank || type.getElementType() != expected)
      return op->emitOpError("expected ")
             << name << " of rank " << form.rank << " and of " << expected << ", but got " << type;
  }
  return success();
}

LogicalResult MatricesOp::verify() {
  if (getOutputs().empty())
    return emitOpError("expected a matrix");
  Type element = cast<ShapedType>(getOutputs()[0].getType()).getElementType();
  if (!element.isF32() && !element.isF64())
    return emitOpError("expected f32 or f64, but got ") << element;
  Forms forms = formsOf(getKind());
  if (failed(verifyForms(*this, "ins", getInputs(), forms.inputs, element)) ||
      failed(verifyForms(*this, "outs", getOutputs(), forms.outputs, element)))
    return failure();
  bool isOnTensors = llvm::all_of(getOperandTypes(), llvm::IsaPred<TensorType>);
  bool isOnBuffers = llvm::all_of(getOperandTypes(), llvm::IsaPred<BaseMemRefType>);
  if (!isOnTensors && !isOnBuffers)
    return emitOpError("expected all tensors or all buffers");
  if (isOnTensors && !llvm::equal(getOutputs().getTypes(), getResultTypes()))
    return emitOpError("expected results of the types of the outs");
  if (isOnBuffers && getNumResults())
    return emitOpError("expected no results on buffers");
  return success();
}

//===----------------------------------------------------------------------===//
// Effects and bufferization
//===----------------------------------------------------------------------===//

void MatricesOp::getEffects(
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

bool MatricesOp::bufferizesToMemoryRead(OpOperand &operand, const bufferization::AnalysisState &) {
  return !isDpsInit(&operand) || readsOutput(operand.getOperandNumber() - getInputs().size());
}

bool MatricesOp::bufferizesToMemoryWrite(OpOperand &operand, const bufferization::AnalysisState &) {
  return isDpsInit(&operand);
}

bufferization::AliasingValueList
MatricesOp::getAliasingValues(OpOperand &operand, const bufferization::AnalysisState &) {
  if (isDpsInit(&operand))
    return {{getTiedOpResult(&operand), bufferization::BufferRelation::Equivalent}};
  return {};
}

LogicalResult MatricesOp::bufferize(RewriterBase &rewriter,
                                    const bufferization::BufferizationOptions &options,
                                    bufferization::BufferizationState &state) {
  rewriter.setInsertionPoint(*this);
  SmallVector<Value> buffers;
  for (Value value : getOperands()) {
    FailureOr<Value> buffer = bufferization::getBuffer(rewriter, value, options, state);
    if (failed(buffer))
      return failure();
    buffers.push_back(*buffer);
  }
  ArrayRef<Value> inputs = ArrayRef(buffers).take_front(getInputs().size());
  ArrayRef<Value> outputs = ArrayRef(buffers).drop_front(inputs.size());
  MatricesOp::create(rewriter, getLoc(), TypeRange(), getKind(), getUpper(), getUnit(),
                     getReverse(), inputs, outputs);
  bufferization::replaceOpWithBufferizedValues(rewriter, *this, outputs);
  return success();
}
