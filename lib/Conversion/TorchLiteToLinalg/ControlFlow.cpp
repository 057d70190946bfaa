//===- ControlFlow.cpp - tl.if and tl.loop to scf -------------------------===//
#include "PopulatePatterns.h"

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace torchlite;

namespace {

struct IfOpConversion : OpConversionPattern<tl::IfOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::IfOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertTypes(op.getResultTypes(), types)))
      return rewriter.notifyMatchFailure(op, "a result type cannot be converted");
    auto ifOp = scf::IfOp::create(rewriter, op.getLoc(), types, adaptor.getCondition());
    rewriter.inlineRegionBefore(op.getThenRegion(), ifOp.getThenRegion(),
                                ifOp.getThenRegion().end());
    rewriter.inlineRegionBefore(op.getElseRegion(), ifOp.getElseRegion(),
                                ifOp.getElseRegion().end());
    rewriter.replaceOp(op, ifOp);
    return success();
  }
};

struct YieldOpConversion : OpConversionPattern<tl::YieldOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::YieldOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<scf::YieldOp>(op, adaptor.getOperands());
    return success();
  }
};

/// A loop whose conditions are constant true is an scf.for on i64; any other is an scf.while that
/// carries trip number, condition and values.
struct LoopOpConversion : OpConversionPattern<tl::LoopOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::LoopOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertTypes(op.getResultTypes(), types)) ||
        failed(rewriter.convertRegionTypes(&op.getBody(), *getTypeConverter())))
      return rewriter.notifyMatchFailure(op, "a carried type cannot be converted");
    auto next = cast<tl::ContinueOp>(op.getBody().front().getTerminator());
    if (matchPattern(op.getInitialCondition(), m_One()) &&
        matchPattern(next.getCondition(), m_One()))
      convertToFor(op, adaptor, rewriter);
    else
      convertToWhile(op, adaptor, types, rewriter);
    return success();
  }

private:
  static void convertToFor(tl::LoopOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    Type i64 = rewriter.getI64Type();
    Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getIntegerAttr(i64, 0));
    Value one = arith::ConstantOp::create(rewriter, loc, rewriter.getIntegerAttr(i64, 1));
    auto forOp = scf::ForOp::create(rewriter, loc, zero, adaptor.getMaxTripCount(), one,
                                    adaptor.getInitialValues());
    rewriter.eraseBlock(forOp.getBody());
    rewriter.inlineRegionBefore(op.getBody(), forOp.getRegion(), forOp.getRegion().end());
    rewriter.replaceOp(op, forOp);
  }

  static void convertToWhile(tl::LoopOp op, OpAdaptor adaptor, TypeRange types,
                             ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    Type i64 = rewriter.getI64Type();
    Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getIntegerAttr(i64, 0));
    SmallVector<Value> initial = {zero, adaptor.getInitialCondition()};
    llvm::append_range(initial, adaptor.getInitialValues());
    SmallVector<Type> resultTypes = {i64};
    llvm::append_range(resultTypes, types);
    auto whileOp = scf::WhileOp::create(rewriter, loc, resultTypes, initial);

    SmallVector<Type> beforeTypes = llvm::to_vector(ValueRange(initial).getTypes());
    Block *before = rewriter.createBlock(&whileOp.getBefore(), {}, beforeTypes,
                                         SmallVector<Location>(beforeTypes.size(), loc));
    Value trip = before->getArgument(0);
    Value more = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt, trip,
                                       adaptor.getMaxTripCount());
    Value go = arith::AndIOp::create(rewriter, loc, before->getArgument(1), more);
    SmallVector<Value> forwarded = {trip};
    llvm::append_range(forwarded, before->getArguments().drop_front(2));
    scf::ConditionOp::create(rewriter, loc, go, forwarded);

    rewriter.inlineRegionBefore(op.getBody(), whileOp.getAfter(), whileOp.getAfter().end());
    rewriter.replaceOp(op, whileOp.getResults().drop_front());
  }
};

/// Runs after the loop was converted: the parent tells what the next trip needs.
struct ContinueOpConversion : OpConversionPattern<tl::ContinueOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::ContinueOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (isa<scf::ForOp>(op->getParentOp())) {
      rewriter.replaceOpWithNewOp<scf::YieldOp>(op, adaptor.getValues());
      return success();
    }
    if (!isa<scf::WhileOp>(op->getParentOp()))
      return rewriter.notifyMatchFailure(op, "the loop was not converted");
    Location loc = op.getLoc();
    Value one = arith::ConstantOp::create(rewriter, loc, rewriter.getI64IntegerAttr(1));
    Value trip = arith::AddIOp::create(rewriter, loc, op->getBlock()->getArgument(0), one);
    SmallVector<Value> next = {trip, adaptor.getCondition()};
    llvm::append_range(next, adaptor.getValues());
    rewriter.replaceOpWithNewOp<scf::YieldOp>(op, next);
    return success();
  }
};

} // namespace

void torchlite::populateControlFlowToLinalgPatterns(const TypeConverter &converter,
                                                    RewritePatternSet &patterns) {
  patterns.add<ContinueOpConversion, IfOpConversion, LoopOpConversion, YieldOpConversion>(
      converter, patterns.getContext());
}
