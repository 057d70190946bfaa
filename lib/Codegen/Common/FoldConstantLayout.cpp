//===- FoldConstantLayout.cpp - Transposes and reshapes of constants ------===//
#include "TorchLite/Codegen/Common/ConstantData.h"
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace torchlite {
#define GEN_PASS_DEF_FOLDCONSTANTLAYOUT
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

struct TransposeOfConstant : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    ElementsAttr constant;
    auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
    if (!type || !type.getRank() || !matchPattern(op.getInput(), m_Constant(&constant)))
      return rewriter.notifyMatchFailure(op, "expected a constant with dimensions");
    SmallVector<LayoutDim> layout;
    for (int64_t dim : op.getPermutation())
      layout.push_back({type.getDimSize(dim), dim, 1});
    ElementsAttr folded = rearrange(constant, layout, "_transposed");
    if (!folded)
      return rewriter.notifyMatchFailure(op, "expected elements of whole bytes");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, cast<TypedAttr>(folded));
    return success();
  }
};

template <typename Op> struct ReshapeOfConstant : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    ElementsAttr constant;
    if (!op.getResultType().hasStaticShape() || !matchPattern(op.getSrc(), m_Constant(&constant)))
      return rewriter.notifyMatchFailure(op, "expected a constant");
    ElementsAttr folded = reshape(constant, op.getResultType());
    if (!folded)
      return rewriter.notifyMatchFailure(op, "expected dense or dense_resource");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, cast<TypedAttr>(folded));
    return success();
  }
};

struct FoldConstantLayout : impl::FoldConstantLayoutBase<FoldConstantLayout> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<TransposeOfConstant, ReshapeOfConstant<tensor::CollapseShapeOp>,
                 ReshapeOfConstant<tensor::ExpandShapeOp>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace torchlite
