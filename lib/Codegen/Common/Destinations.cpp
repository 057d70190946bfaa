//===- Destinations.cpp - Which buffer a value is written to --------------===//
#include "TorchLite/Codegen/Common/Destinations.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

using namespace mlir;

namespace torchlite {

//===----------------------------------------------------------------------===//
// Nobody shares what is written over
//===----------------------------------------------------------------------===//

/// Whether the user may write over the tensor, or hand it to somebody who does. Whoever is not
/// known to read only is taken for a writer.
static bool mayWrite(OpOperand &use) {
  Operation *user = use.getOwner();
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(user))
    return destination.isDpsInit(&use);
  return !isa<tensor::DimOp, tensor::ExtractOp>(user);
}

/// Gives `use` a copy of `fill` and of the empty tensor that it fills.
static void fillAgain(OpBuilder &builder, linalg::FillOp fill, OpOperand &use) {
  builder.setInsertionPoint(fill);
  IRMapping mapping;
  if (auto empty = fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
    mapping.map(empty.getResult(), builder.clone(*empty)->getResult(0));
  use.set(builder.clone(*fill, mapping)->getResult(0));
}

static void separateFills(Operation *root, OwnFills which) {
  SmallVector<linalg::FillOp> fills;
  root->walk([&](linalg::FillOp fill) {
    if (fill->getNumResults() == 1 && !fill->getParentOfType<rt::KernelOp>())
      fills.push_back(fill);
  });
  OpBuilder builder(root->getContext());
  for (linalg::FillOp fill : fills)
    for (OpOperand &use : llvm::make_early_inc_range(fill->getUses()))
      if (!fill->hasOneUse() && (which == OwnFills::All || mayWrite(use)))
        fillAgain(builder, fill, use);
}

static void separateEmptyTensors(Operation *root) {
  SmallVector<tensor::EmptyOp> empties;
  root->walk([&](tensor::EmptyOp empty) {
    if (!empty->getParentOfType<rt::KernelOp>())
      empties.push_back(empty);
  });
  OpBuilder builder(root->getContext());
  for (tensor::EmptyOp empty : empties)
    for (OpOperand &use : llvm::make_early_inc_range(empty->getUses()))
      if (!empty->hasOneUse() && mayWrite(use)) {
        builder.setInsertionPoint(empty);
        use.set(builder.clone(*empty)->getResult(0));
      }
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Whether `use` is all that becomes of its value. Its sizes are no matter of the buffer.
static bool isOnlyUse(OpOperand &use) {
  return llvm::all_of(use.get().getUses(), [&](OpOperand &other) {
    return &other == &use || isa<tensor::DimOp>(other.getOwner());
  });
}

/// Adds the operands of `value`'s definition whose buffer it may live in.
static void addOrigins(OpResult value, SmallVectorImpl<OpOperand *> &origins) {
  Operation *op = value.getOwner();
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
    origins.push_back(destination.getTiedOpOperand(value));
  } else if (auto loop = dyn_cast<LoopLikeOpInterface>(op)) {
    // What the body does to a value that it carries stays in the body: what it yields beside is
    // copied. A loop that cannot tell what belongs to what gives all it has.
    if (OpOperand *init = loop.getTiedLoopInit(value))
      origins.push_back(init);
    else
      for (OpOperand &operand : op->getOpOperands())
        origins.push_back(&operand);
  } else if (isa<scf::IfOp, scf::IndexSwitchOp, scf::ExecuteRegionOp>(op)) {
    for (Region &region : op->getRegions())
      if (!region.empty())
        origins.push_back(&region.back().getTerminator()->getOpOperand(value.getResultNumber()));
  } else {
    for (OpOperand &operand : op->getOpOperands())
      if (isa<TensorType>(operand.get().getType()))
        origins.push_back(&operand);
  }
}

/// Everything that `source` may live in the buffer of, itself included.
static SetVector<Value> originsOf(Value source) {
  SetVector<Value> reached;
  reached.insert(source);
  for (size_t next = 0; next < reached.size(); ++next) {
    SmallVector<OpOperand *> origins;
    if (auto result = dyn_cast<OpResult>(reached[next]))
      addOrigins(result, origins);
    for (OpOperand *origin : origins)
      reached.insert(origin->get());
  }
  return reached;
}

/// Whether an operation gives elements other sizes, though the type may be the same.
static bool mayReshape(Operation *op) {
  if (isa_and_nonnull<tensor::ReshapeOp>(op))
    return true;
  auto call = dyn_cast_or_null<func::CallOp>(op);
  auto callee = call ? SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(op, call.getCalleeAttr())
                     : func::FuncOp();
  return callee &&
         callee.walk([](tensor::ReshapeOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// Whether the empty tensor has other sizes than `source`, which comes from it. Types do not tell:
/// none of the sizes may be known.
static bool isReshaped(Value source, tensor::EmptyOp empty) {
  return llvm::any_of(originsOf(source), [&](Value value) {
    return mayReshape(value.getDefiningOp()) && originsOf(value).contains(empty.getResult());
  });
}

/// Whether nothing but `source` can live in the buffer that it is made in: what this buffer held on
/// the way has no other reader. Then the result's buffer can be this one, whatever bufferization
/// decides later: the last copy into it, if one is left, overwrites nothing.
static bool hasBufferOfItsOwn(Value source) {
  SmallVector<OpOperand *> origins;
  DenseSet<Value> seen;
  auto add = [&](Value value) {
    if (auto result = dyn_cast<OpResult>(value); result && seen.insert(value).second)
      addOrigins(result, origins);
  };
  add(source);
  while (!origins.empty()) {
    OpOperand *origin = origins.pop_back_val();
    if (!isa<TensorType>(origin->get().getType()) ||
        origin->get().getDefiningOp<tensor::EmptyOp>()) // Separate already.
      continue;
    // What the arms of a conditional hand on may be two results, or something from outside.
    if (!isOnlyUse(*origin))
      return false;
    add(origin->get());
  }
  return true;
}

LogicalResult chooseDestinations(RewriterBase &rewriter, Operation *root, OwnFills fills) {
  separateFills(root, fills);
  separateEmptyTensors(root);

  bufferization::OneShotBufferizationOptions options;
  options.allowReturnAllocsFromLoops = true;
  auto module = dyn_cast<ModuleOp>(root);
  options.bufferizeFunctionBoundaries = bool(module);
  bufferization::OneShotAnalysisState state(root, options);
  if (failed(module ? bufferization::analyzeModuleOp(module, state)
                    : bufferization::analyzeOp(root, state)))
    return failure();
  auto choose = [](RewriterBase &rewriter, SubsetInsertionOpInterface op, tensor::EmptyOp empty,
                   Operation *user) -> Value {
    if (isReshaped(op.getSourceOperand().get(), empty))
      return {};
    // A part of a tensor is a value, which bufferization keeps apart; a result's buffer is memory.
    auto result = dyn_cast<bufferization::MaterializeInDestinationOp>(*op);
    if (result && isa<BaseMemRefType>(result.getDest().getType()) &&
        !hasBufferOfItsOwn(result.getSource()))
      return {};
    return bufferization::buildSubsetExtraction(rewriter, op, empty, user);
  };
  return bufferization::eliminateEmptyTensors(rewriter, root, state, choose);
}

} // namespace torchlite
