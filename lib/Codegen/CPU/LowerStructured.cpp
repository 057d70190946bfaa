//===- LowerStructured.cpp - linalg on buffers to loops -------------------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_LOWERSTRUCTURED
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

/// Lets a reduction be computed in any order and with fused multiply-adds, as every library does:
/// only then loops over it vectorise. What is not part of the reduction keeps its rounding.
void relaxReduction(linalg::LinalgOp op) {
  if (!op.getNumReductionLoops() || op->getNumRegions() != 1)
    return;
  Block *body = op.getBlock();
  auto add = [](Operation *definition, arith::FastMathFlags flags) {
    auto math = dyn_cast<arith::ArithFastMathInterface>(definition);
    if (math)
      definition->setAttr(
          math.getFastMathAttrName(),
          arith::FastMathFlagsAttr::get(definition->getContext(),
                                        math.getFastMathFlagsAttr().getValue() | flags));
  };
  for (auto [index, yielded] : llvm::enumerate(body->getTerminator()->getOperands())) {
    Operation *combiner = yielded.getDefiningOp();
    BlockArgument accumulator = op.getRegionOutputArgs()[index];
    if (!isa_and_nonnull<arith::AddFOp, arith::MulFOp>(combiner) ||
        !llvm::is_contained(combiner->getOperands(), Value(accumulator)) ||
        !accumulator.hasOneUse())
      continue;
    add(combiner, arith::FastMathFlags::reassoc | arith::FastMathFlags::contract);
    for (Value operand : combiner->getOperands())
      if (auto product = operand.getDefiningOp<arith::MulFOp>())
        add(product, arith::FastMathFlags::contract);
  }
}

/// Whether the innermost loop is a reduction that walks over memory: then its value is kept in a
/// register, which LLVM cannot find out, since buffers might overlap.
bool reducesInnermost(linalg::LinalgOp op) {
  return op.getNumReductionLoops() &&
         linalg::isReductionIterator(op.getIteratorTypesArray().back());
}

/// Parallel loops outside, reductions inside, with the accumulators as values.
LogicalResult lowerReduction(linalg::LinalgOp op, IRRewriter &rewriter) {
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  SmallVector<Range> ranges = op.createLoopRanges(rewriter, loc);
  SmallVector<Value> ivs(ranges.size());
  auto bound = [&](OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(rewriter, loc, value);
  };
  auto indices = [&](OpOperand *operand) {
    SmallVector<Value> result;
    AffineMap map = op.getMatchingIndexingMap(operand);
    for (AffineExpr expr : map.getResults())
      result.push_back(affine::makeComposedAffineApply(
          rewriter, loc, AffineMap::get(map.getNumDims(), 0, expr), getAsOpFoldResult(ivs)));
    return result;
  };
  for (OpOperand &init : op.getDpsInitsMutable())
    for (AffineExpr expr : op.getMatchingIndexingMap(&init).getResults())
      for (unsigned dim = 0; dim < ranges.size(); ++dim)
        if (expr.isFunctionOfDim(dim) && iterators[dim] != utils::IteratorType::parallel)
          return failure();

  for (auto [dim, range] : llvm::enumerate(ranges)) {
    if (iterators[dim] != utils::IteratorType::parallel)
      continue;
    auto loop = scf::ForOp::create(rewriter, loc, bound(range.offset), bound(range.size),
                                   bound(range.stride));
    ivs[dim] = loop.getInductionVar();
    rewriter.setInsertionPointToStart(loop.getBody());
  }
  // The indices of results do not use the others yet to come.
  Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
  for (Value &iv : ivs)
    if (!iv)
      iv = zero;
  SmallVector<SmallVector<Value>> places;
  SmallVector<Value> carried;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    places.push_back(indices(&init));
    carried.push_back(memref::LoadOp::create(rewriter, loc, init.get(), places.back()));
  }
  SmallVector<scf::ForOp> loops;
  for (auto [dim, range] : llvm::enumerate(ranges)) {
    if (iterators[dim] == utils::IteratorType::parallel)
      continue;
    auto loop = scf::ForOp::create(rewriter, loc, bound(range.offset), bound(range.size),
                                   bound(range.stride), carried);
    ivs[dim] = loop.getInductionVar();
    if (!loops.empty())
      scf::YieldOp::create(rewriter, loc, loop.getResults());
    carried.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
    loops.push_back(loop);
    rewriter.setInsertionPointToStart(loop.getBody());
  }

  IRMapping map;
  Block *body = op.getBlock();
  for (OpOperand *input : op.getDpsInputOperands()) {
    Value value = input->get();
    if (isa<MemRefType>(value.getType()))
      value = memref::LoadOp::create(rewriter, loc, value, indices(input));
    map.map(op.getMatchingBlockArgument(input), value);
  }
  for (auto [argument, value] : llvm::zip(op.getRegionOutputArgs(), carried))
    map.map(argument, value);
  for (Operation &nested : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(nested))
      map.map(index.getResult(), ivs[index.getDim()]);
    else
      rewriter.clone(nested, map)->walk([&](linalg::IndexOp index) {
        rewriter.replaceAllUsesWith(index.getResult(), ivs[index.getDim()]);
      });
  }
  SmallVector<Value> yielded;
  for (Value value : body->getTerminator()->getOperands())
    yielded.push_back(map.lookupOrDefault(value));
  scf::YieldOp::create(rewriter, loc, yielded);
  rewriter.setInsertionPointAfter(loops.front());
  for (auto [init, place, value] : llvm::zip(op.getDpsInits(), places, loops.front().getResults()))
    memref::StoreOp::create(rewriter, loc, value, init, place);
  rewriter.eraseOp(op);
  return success();
}

struct LowerStructured : impl::LowerStructuredBase<LowerStructured> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      if (!op.hasPureBufferSemantics()) {
        op.emitError("expected buffers, but got tensors");
        return signalPassFailure();
      }
      relaxReduction(op);
      if (reducesInnermost(op) && succeeded(lowerReduction(op, rewriter)))
        continue;
      rewriter.setInsertionPoint(op);
      if (failed(linalg::linalgOpToLoops(rewriter, op))) {
        op.emitError("cannot lower to loops");
        return signalPassFailure();
      }
      rewriter.eraseOp(op);
    }
  }
};

} // namespace
} // namespace torchlite::cpu
