//===- Bufferize.cpp - From tensors to buffers ----------------------------===//
#include "mlir/Dialect/Bufferization/Transforms/Bufferize.h"
#include "TorchLite/Codegen/Common/Destinations.h"
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferUtils.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace torchlite {
#define GEN_PASS_DEF_BUFFERIZE
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

/// Constants with one value for all elements are written by a loop where they are needed: cheaper
/// than reading them from the library, from this many bytes on.
constexpr int64_t splatBytes = 256;

void splatConstantsToFills(ModuleOp module, IRRewriter &rewriter) {
  SmallVector<arith::ConstantOp> splats;
  module.walk([&](arith::ConstantOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type || !isa<SplatElementsAttr>(op.getValue()))
      return;
    if (!type.getElementType().isIntOrFloat() ||
        type.getNumElements() * type.getElementTypeBitWidth() < splatBytes * 8)
      return;
    splats.push_back(op);
  });
  for (arith::ConstantOp op : splats) {
    auto type = cast<RankedTensorType>(op.getType());
    auto value = cast<SplatElementsAttr>(op.getValue()).getSplatValue<TypedAttr>();
    rewriter.setInsertionPoint(op);
    Value scalar = arith::ConstantOp::create(rewriter, op.getLoc(), value);
    Value empty =
        tensor::EmptyOp::create(rewriter, op.getLoc(), type.getShape(), type.getElementType());
    rewriter.replaceOp(op, linalg::FillOp::create(rewriter, op.getLoc(), scalar, empty));
  }
}

/// Whether `value` is `argument` with elements replaced: it lives in the argument's buffer already.
bool isWrittenInto(Value value, Value argument) {
  while (value != argument) {
    auto result = dyn_cast<OpResult>(value);
    if (!result)
      return false;
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(result.getOwner()))
      value = destination.getTiedOpOperand(result)->get();
    else if (auto loop = dyn_cast<scf::ForOp>(result.getOwner()))
      value = loop.getTiedLoopInit(result)->get();
    else
      return false;
  }
  return true;
}

/// Makes what a loop yields live in the buffer of the value that it replaces, where the size cannot
/// change. Otherwise every iteration would allocate a buffer that outlives it.
void yieldIntoCarriedBuffers(Operation *terminator, MutableArrayRef<OpOperand> yielded,
                             ArrayRef<BlockArgument> carried, IRRewriter &rewriter) {
  auto needsPin = [](Value value, BlockArgument argument) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape() && argument.getType() == type &&
           !isWrittenInto(value, argument);
  };
  rewriter.setInsertionPoint(terminator);
  // Values that change places have to be saved before the first of them is overwritten.
  for (auto [operand, argument] : llvm::zip(yielded, carried))
    if (Value value = operand.get();
        needsPin(value, argument) && llvm::is_contained(carried, value))
      operand.set(bufferization::AllocTensorOp::create(rewriter, terminator->getLoc(),
                                                       cast<RankedTensorType>(value.getType()),
                                                       ValueRange(), value));
  for (auto [operand, argument] : llvm::zip(yielded, carried)) {
    if (!needsPin(operand.get(), argument))
      continue;
    auto type = cast<RankedTensorType>(operand.get().getType());
    SmallVector<OpFoldResult> offsets(type.getRank(), rewriter.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(type.getRank(), rewriter.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes =
        getAsIndexOpFoldResult(rewriter.getContext(), type.getShape());
    operand.set(tensor::InsertSliceOp::create(rewriter, terminator->getLoc(), operand.get(),
                                              argument, offsets, sizes, strides));
  }
}

void pinLoopCarriedTensors(ModuleOp module, IRRewriter &rewriter) {
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<rt::KernelOp>(op)) // What a kernel computes stays as it is.
      return WalkResult::skip();
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      yieldIntoCarriedBuffers(loop.getBody()->getTerminator(),
                              loop.getYieldedValuesMutable().value(),
                              SmallVector<BlockArgument>(loop.getRegionIterArgs()), rewriter);
    } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
      auto clip = [](auto arguments, size_t size) {
        return SmallVector<BlockArgument>(arguments.take_front(std::min(size, arguments.size())));
      };
      auto condition = loop.getConditionOp();
      auto conditionArgs = condition.getArgsMutable();
      yieldIntoCarriedBuffers(condition, MutableArrayRef<OpOperand>(conditionArgs),
                              clip(loop.getBeforeArguments(), conditionArgs.size()), rewriter);
      auto yield = loop.getYieldOp();
      auto yielded = yield.getResultsMutable();
      yieldIntoCarriedBuffers(yield, MutableArrayRef<OpOperand>(yielded),
                              clip(loop.getAfterArguments(), yielded.size()), rewriter);
    }
    return WalkResult::advance();
  });
}

/// A private function that returns a buffer of its own is inlined, so that whoever plans memory
/// sees where the buffer ends.
LogicalResult inlineFunctionsThatReturnBuffers(ModuleOp module, IRRewriter &rewriter) {
  SymbolTable symbols(module);
  bool changed = true;
  while (changed) {
    changed = false;
    SmallVector<func::CallOp> calls;
    module.walk([&](func::CallOp call) {
      if (llvm::any_of(call.getResultTypes(), llvm::IsaPred<BaseMemRefType>))
        calls.push_back(call);
    });
    for (func::CallOp call : calls) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      if (!callee || callee.isExternal() || !llvm::hasSingleElement(callee.getBody()))
        return call.emitError("cannot inline '")
               << call.getCallee() << "', which returns a buffer of its own";
      if (callee->isAncestor(call))
        return call.emitError("expected no recursion");
      IRMapping map;
      map.map(callee.getArguments(), call.getOperands());
      rewriter.setInsertionPoint(call);
      for (Operation &op : callee.front().without_terminator())
        rewriter.clone(op, map);
      SmallVector<Value> results;
      for (Value value : callee.front().getTerminator()->getOperands())
        results.push_back(map.lookupOrDefault(value));
      rewriter.replaceOp(call, results);
      changed = true;
    }
  }
  for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (function.isPrivate() &&
        llvm::any_of(function.getResultTypes(), llvm::IsaPred<BaseMemRefType>))
      rewriter.eraseOp(function);
  return success();
}

/// Loops carry the buffers that they write, and yield them as they are. Only without that is it
/// seen that a private function returns its argument.
void simplifyLoops(ModuleOp module) {
  MLIRContext *context = module.getContext();
  RewritePatternSet patterns(context);
  scf::ForOp::getCanonicalizationPatterns(patterns, context);
  scf::ForallOp::getCanonicalizationPatterns(patterns, context);
  scf::IfOp::getCanonicalizationPatterns(patterns, context);
  FrozenRewritePatternSet frozen(std::move(patterns));
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPrivate() && !function.isExternal() &&
        llvm::any_of(function.getResultTypes(), llvm::IsaPred<BaseMemRefType>))
      (void)applyPatternsGreedily(function, frozen);
}

/// Makes the globals of all constants, in the order of the program. Bufferization takes functions
/// in an order that differs from run to run, and would number them in that.
LogicalResult createGlobals(ModuleOp module,
                            const bufferization::OneShotBufferizationOptions &options,
                            bufferization::BufferizationState &state) {
  WalkResult result = module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<rt::KernelOp>(op))
      return WalkResult::skip();
    auto constant = dyn_cast<arith::ConstantOp>(op);
    if (!constant || !isa<RankedTensorType>(constant.getType()))
      return WalkResult::advance();
    return WalkResult(
        bufferization::getGlobalFor(constant, state.getSymbolTables(), options.bufferAlignment));
  });
  return failure(result.wasInterrupted());
}

struct Bufferize : impl::BufferizeBase<Bufferize> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    IRRewriter rewriter(&getContext());
    splatConstantsToFills(module, rewriter);
    pinLoopCarriedTensors(module, rewriter);
    if (failed(chooseDestinations(rewriter, module, OwnFills::Writers)))
      return signalPassFailure();

    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.allowReturnAllocsFromLoops = true;
    options.bufferAlignment = 64;
    options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
    options.unknownTypeConverterFn = [](TensorType type, Attribute memorySpace,
                                        const bufferization::BufferizationOptions &) {
      return bufferization::getMemRefTypeWithStaticIdentityLayout(type, memorySpace);
    };
    // What a kernel computes stays as it is: operations on tensors.
    options.opFilter.denyOperation(
        [](Operation *op) { return op->getParentOfType<rt::KernelOp>() != nullptr; });
    bufferization::BufferizationState state;
    bufferization::BufferizationStatistics statistics;
    if (failed(createGlobals(module, options, state)) ||
        failed(bufferization::runOneShotModuleBufferize(module, options, state, &statistics)))
      return signalPassFailure();
    numInPlace += statistics.numTensorInPlace;
    numOutOfPlace += statistics.numTensorOutOfPlace;
    simplifyLoops(module);
    if (failed(bufferization::dropEquivalentBufferResults(module)) ||
        failed(inlineFunctionsThatReturnBuffers(module, rewriter)))
      return signalPassFailure();
  }
};

} // namespace
} // namespace torchlite
