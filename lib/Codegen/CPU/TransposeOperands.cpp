//===- TransposeOperands.cpp - Contiguous operands for contractions -------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/Common/KernelGroup.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_TRANSPOSEOPERANDS
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

struct TransposeOperands : impl::TransposeOperandsBase<TransposeOperands> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> roots;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (op.getNumReductionLoops())
        roots.push_back(op);
    });
    for (linalg::LinalgOp root : roots)
      rewrite(root);
  }

private:
  void rewrite(linalg::LinalgOp root) {
    std::string reason;
    FailureOr<KernelGroup> group = matchKernelGroup(root, reason);
    if (failed(group) || group->rank() == 0)
      return;
    KernelOp &kernel = group->root;
    int64_t column = group->rank() - 1;
    // A contraction: another operand stays in place from column to column, and none has a place
    // for every step (that would be a reduction of rows).
    bool broadcasts = false;
    SmallVector<OpOperand *> wanted;
    for (OpOperand *operand : root.getDpsInputOperands()) {
      if (!isa<RankedTensorType>(operand->get().getType()) ||
          !root.payloadUsesValueFromOperand(operand))
        continue;
      AffineMap map = root.getMatchingIndexingMap(operand);
      if (!kernel.dependsOn(operand, column))
        broadcasts = true;
      else if (!kernel.isContiguous(operand, column, /*panel=*/1)) {
        if (!map.isProjectedPermutation() || map.getNumResults() == map.getNumDims())
          return;
        wanted.push_back(operand);
      }
    }
    if (!broadcasts || wanted.empty())
      return;
    IRRewriter rewriter(&getContext());
    rewriter.setInsertionPoint(root);
    Location loc = root.getLoc();
    SmallVector<AffineMap> maps = root.getIndexingMapsArray();
    SmallVector<Value> operands(root->getOperands());
    unsigned columnLoop = 0;
    for (auto [loop, coordinate] : llvm::enumerate(kernel.coordinates))
      if (coordinate == column)
        columnLoop = loop;
    for (OpOperand *operand : wanted) {
      AffineMap map = root.getMatchingIndexingMap(operand);
      SmallVector<int64_t> permutation;
      SmallVector<AffineExpr> exprs;
      unsigned moved = *map.getResultPosition(rewriter.getAffineDimExpr(columnLoop));
      for (unsigned dim = 0; dim < map.getNumResults(); ++dim)
        if (dim != moved) {
          permutation.push_back(dim);
          exprs.push_back(map.getResult(dim));
        }
      permutation.push_back(moved);
      exprs.push_back(map.getResult(moved));
      SmallVector<OpFoldResult> from = tensor::getMixedSizes(rewriter, loc, operand->get()), to;
      for (int64_t dim : permutation)
        to.push_back(from[dim]);
      auto type = cast<RankedTensorType>(operand->get().getType());
      Value empty = tensor::EmptyOp::create(rewriter, loc, to, type.getElementType());
      operands[operand->getOperandNumber()] =
          linalg::TransposeOp::create(rewriter, loc, operand->get(), empty, permutation)
              ->getResult(0);
      maps[operand->getOperandNumber()] = AffineMap::get(map.getNumDims(), 0, exprs, &getContext());
      ++numTransposed;
    }
    unsigned inputs = root.getNumDpsInputs();
    auto generic = linalg::GenericOp::create(
        rewriter, loc, root->getResultTypes(), ValueRange(operands).take_front(inputs),
        ValueRange(operands).drop_front(inputs), maps, root.getIteratorTypesArray());
    generic.getRegion().takeBody(root->getRegion(0));
    rewriter.replaceOp(root, generic.getResults());
  }
};

} // namespace
} // namespace torchlite::cpu
