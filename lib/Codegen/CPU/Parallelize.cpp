//===- Parallelize.cpp - Parallel loops around large operations -----------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_PARALLELIZE
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

/// Work of one element, in simple operations.
int64_t elementCost(linalg::LinalgOp op) {
  int64_t cost = 1;
  op->walk([&](Operation *nested) {
    if (isa<math::MathDialect>(nested->getDialect()))
      cost += 16;
    else if (isa<arith::ArithDialect>(nested->getDialect()))
      cost += 1;
  });
  return cost;
}

struct Parallelize : impl::ParallelizeBase<Parallelize> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics() && !op->getParentOfType<scf::ForallOp>())
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops)
      if (failed(parallelize(op, rewriter)))
        return signalPassFailure();
  }

  LogicalResult parallelize(linalg::LinalgOp op, IRRewriter &rewriter) {
    SmallVector<int64_t> sizes = op.getStaticLoopRanges();
    SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
    // The outermost parallel loop with enough iterations for several threads.
    int64_t dim = -1, work = elementCost(op);
    bool isStatic = true;
    for (auto [index, size] : llvm::enumerate(sizes)) {
      if (ShapedType::isDynamic(size))
        isStatic = false;
      else
        work *= size;
      if (dim < 0 && iterators[index] == utils::IteratorType::parallel &&
          (ShapedType::isDynamic(size) || size >= 8))
        dim = index;
    }
    if (dim < 0 || (isStatic && work < minWork))
      return success();

    Location loc = op.getLoc();
    rewriter.setInsertionPoint(op);
    linalg::LinalgOp parallel = op;
    SmallVector<Range> ranges;
    if (!isStatic) {
      ranges = op.createLoopRanges(rewriter, loc);
      // Whether there is enough work shows only now.
      Value total = arith::ConstantIndexOp::create(rewriter, loc, work);
      for (auto [range, size] : llvm::zip(ranges, sizes))
        if (ShapedType::isDynamic(size))
          total = arith::MulIOp::create(rewriter, loc, total,
                                        getValueOrCreateConstantIndexOp(rewriter, loc, range.size));
      Value limit = arith::ConstantIndexOp::create(rewriter, loc, minWork);
      Value isLarge = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::sge, total, limit);
      auto choice = scf::IfOp::create(rewriter, loc, isLarge, /*withElseRegion=*/true);
      rewriter.setInsertionPointToStart(choice.thenBlock());
      parallel = cast<linalg::LinalgOp>(rewriter.clone(*op));
      rewriter.moveOpBefore(op, choice.elseBlock()->getTerminator());
      rewriter.setInsertionPoint(parallel);
    }

    // Pieces enough to balance the threads, large enough to be worth a call.
    SmallVector<OpFoldResult> tiles(sizes.size(), rewriter.getIndexAttr(0));
    if (ShapedType::isDynamic(sizes[dim])) {
      Value size = getValueOrCreateConstantIndexOp(rewriter, loc, ranges[dim].size);
      Value pieces = arith::ConstantIndexOp::create(rewriter, loc, maxPieces);
      tiles[dim] = arith::CeilDivSIOp::create(rewriter, loc, size, pieces).getResult();
    } else {
      tiles[dim] = rewriter.getIndexAttr(llvm::divideCeil(sizes[dim], maxPieces));
    }
    scf::SCFTilingOptions options;
    options.setTileSizes(tiles);
    options.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    FailureOr<scf::SCFTilingResult> tiled =
        scf::tileUsingSCF(rewriter, cast<TilingInterface>(parallel.getOperation()), options);
    if (failed(tiled))
      return parallel.emitError("cannot be cut into parallel pieces");
    rewriter.eraseOp(parallel);
    ++numParallel;
    return success();
  }
};

} // namespace
} // namespace torchlite::cpu
