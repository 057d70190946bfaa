//===- Shape.cpp - Operations that move elements --------------------------===//
#include "PopulatePatterns.h"
#include "ScalarOps.h"
#include "Utils.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace torchlite;

/// Whether `size` is size `dim` of `tensor`, seen through conversions between index and i64.
static bool isSizeOf(OpFoldResult size, Value tensor, int64_t dim) {
  auto value = dyn_cast<Value>(size);
  while (value) {
    if (auto cast = value.getDefiningOp<arith::IndexCastOp>()) {
      value = cast.getIn();
      continue;
    }
    auto dimOp = value.getDefiningOp<tensor::DimOp>();
    return dimOp && dimOp.getSource() == tensor && dimOp.getConstantIndex() == dim;
  }
  return false;
}

/// A linalg.generic without operands that computes elements from their indices.
static Value createFromIndices(OpBuilder &builder, Location loc, RankedTensorType type,
                               ArrayRef<OpFoldResult> sizes,
                               function_ref<Value(OpBuilder &, Location, ValueRange)> build) {
  return createElementwise(builder, loc, type, sizes, {},
                           [&](OpBuilder &nested, Location nestedLoc, ValueRange) {
                             SmallVector<Value> indices;
                             for (int64_t dim = 0; dim < type.getRank(); ++dim)
                               indices.push_back(linalg::IndexOp::create(nested, nestedLoc, dim));
                             return build(nested, nestedLoc, indices);
                           });
}

namespace {

struct ReshapeOpConversion : OpConversionPattern<tl::ReshapeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::ReshapeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    SmallVector<OpFoldResult> sizes = getMixedValues(type.getShape(), adaptor.getSizes(), rewriter);
    // Sizes refer to the operand as written or as converted.
    auto isSameSize = [&](int64_t source, int64_t result) {
      return isSizeOf(sizes[result], op.getOperand(), source) ||
             isSizeOf(sizes[result], adaptor.getOperand(), source);
    };
    rewriter.replaceOp(
        op, createReshape(rewriter, op.getLoc(), adaptor.getOperand(), type, sizes, isSameSize));
    return success();
  }
};

struct BroadcastToOpConversion : OpConversionPattern<tl::BroadcastToOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::BroadcastToOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    if (adaptor.getOperand().getType() == type) {
      rewriter.replaceOp(op, adaptor.getOperand());
      return success();
    }
    SmallVector<OpFoldResult> sizes = getMixedValues(type.getShape(), adaptor.getSizes(), rewriter);
    auto copy = [](OpBuilder &, Location, ValueRange args) { return args[0]; };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), type, sizes, adaptor.getOperand(), copy));
    return success();
  }
};

struct IotaOpConversion : OpConversionPattern<tl::IotaOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::IotaOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    SmallVector<OpFoldResult> sizes = getMixedValues(type.getShape(), adaptor.getSizes(), rewriter);
    auto build = [&](OpBuilder &builder, Location loc, ValueRange indices) {
      ImplicitLocOpBuilder b(loc, builder);
      Value index = arith::IndexCastOp::create(b, b.getI64Type(), indices[op.getDim()]);
      return scalar::cast(b, index, b.getI64Type(), op.getType().getElementType());
    };
    rewriter.replaceOp(op, createFromIndices(rewriter, op.getLoc(), type, sizes, build));
    return success();
  }
};

struct PermuteOpConversion : OpConversionPattern<tl::PermuteOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::PermuteOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    auto operandType = cast<RankedTensorType>(adaptor.getOperand().getType());
    ArrayRef<int64_t> permutation = op.getPermutation();
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim : permutation)
      sizes.push_back(tensor::getMixedSize(rewriter, op.getLoc(), adaptor.getOperand(), dim));

    // Where only dimensions of size 1 change places no element moves.
    SmallVector<int64_t> moved;
    for (int64_t dim : permutation)
      if (operandType.getDimSize(dim) != 1)
        moved.push_back(dim);
    if (llvm::is_sorted(moved)) {
      auto isSameSize = [&](int64_t source, int64_t result) {
        return permutation[result] == source;
      };
      rewriter.replaceOp(
          op, createReshape(rewriter, op.getLoc(), adaptor.getOperand(), type, sizes, isSameSize));
      return success();
    }

    SmallVector<AffineExpr> exprs(permutation.size());
    for (auto [dim, operandDim] : llvm::enumerate(permutation))
      exprs[operandDim] = rewriter.getAffineDimExpr(dim);
    SmallVector<AffineMap> maps = {AffineMap::get(type.getRank(), 0, exprs, rewriter.getContext()),
                                   rewriter.getMultiDimIdentityMap(type.getRank())};
    SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
    Value empty = createEmpty(rewriter, op.getLoc(), type, sizes);
    rewriter.replaceOpWithNewOp<linalg::GenericOp>(
        op, type, adaptor.getOperand(), empty, maps, iterators,
        [](OpBuilder &nested, Location loc, ValueRange args) {
          linalg::YieldOp::create(nested, loc, args[0]);
        });
    return success();
  }
};

/// What is joined along a dimension: tensors, and where each begins and the last ends.
struct Pieces {
  SmallVector<Value> tensors;
  SmallVector<OpFoldResult> ends;
};

/// Writes the pieces one after another into `result`.
Value insertPieces(OpBuilder &builder, Location loc, const Pieces &pieces, uint64_t dim,
                   Value result) {
  int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
  SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(rank, builder.getIndexAttr(1));
  for (auto [piece, begin] : llvm::zip_first(pieces.tensors, pieces.ends)) {
    offsets[dim] = begin;
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, piece);
    if (llvm::any_of(sizes, isZeroInteger)) // MLIR has no slices of nothing
      continue;
    result = tensor::InsertSliceOp::create(builder, loc, piece, result, offsets, sizes, strides);
  }
  return result;
}

struct ConcatOpConversion : OpConversionPattern<tl::ConcatOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::ConcatOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    uint64_t dim = op.getDim();
    AffineExpr first, second;
    bindSymbols(rewriter.getContext(), first, second);
    SmallVector<OpFoldResult> sizes =
        getBroadcastSizes(rewriter, loc, type, adaptor.getOperands().take_front());
    Pieces pieces{SmallVector<Value>(adaptor.getOperands()), {rewriter.getIndexAttr(0)}};
    for (Value operand : pieces.tensors)
      pieces.ends.push_back(affine::makeComposedFoldedAffineApply(
          rewriter, loc, first + second,
          {pieces.ends.back(), tensor::getMixedSize(rewriter, loc, operand, dim)}));
    sizes[dim] = pieces.ends.back();
    while (pieces.tensors.size() > mostPieces)
      pieces = joinGroups(rewriter, loc, pieces, dim, type, sizes);
    Value empty = createEmpty(rewriter, loc, type, sizes);
    rewriter.replaceOp(op, insertPieces(rewriter, loc, pieces, dim, empty));
    return success();
  }

private:
  /// Pieces that are written directly into one buffer. To see that nothing is overwritten that is
  /// still read takes bufferization time with the cube of their number.
  static constexpr size_t mostPieces = 24, groupSize = 16;

  /// Joins each few neighbours in a buffer of their own: one copy more, for time that is linear.
  static Pieces joinGroups(OpBuilder &builder, Location loc, const Pieces &pieces, uint64_t dim,
                           RankedTensorType type, SmallVector<OpFoldResult> sizes) {
    AffineExpr first, second;
    bindSymbols(builder.getContext(), first, second);
    Pieces joined{{}, {pieces.ends.front()}};
    for (size_t begin = 0; begin < pieces.tensors.size(); begin += groupSize) {
      size_t end = std::min(begin + groupSize, pieces.tensors.size());
      Pieces group{SmallVector<Value>(ArrayRef(pieces.tensors).slice(begin, end - begin)), {}};
      for (size_t i = begin; i <= end; ++i)
        group.ends.push_back(affine::makeComposedFoldedAffineApply(
            builder, loc, first - second, {pieces.ends[i], pieces.ends[begin]}));
      for (auto [position, size] : llvm::enumerate(type.getShape()))
        if (!ShapedType::isDynamic(size)) // Sizes that the type knows are not computed.
          sizes[position] = builder.getIndexAttr(size);
      sizes[dim] = group.ends.back();
      SmallVector<int64_t> shape;
      SmallVector<Value> dynamicSizes;
      dispatchIndexOpFoldResults(sizes, dynamicSizes, shape);
      // Not an empty tensor: that would become a part of the whole again.
      Value place = bufferization::AllocTensorOp::create(
          builder, loc, RankedTensorType::get(shape, type.getElementType()), dynamicSizes);
      joined.tensors.push_back(insertPieces(builder, loc, group, dim, place));
      joined.ends.push_back(pieces.ends[end]);
    }
    return joined;
  }
};

struct FlipOpConversion : OpConversionPattern<tl::FlipOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::FlipOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    Value operand = adaptor.getOperand();
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), operand);
    SmallVector<Value> lasts(type.getRank());
    Value one = arith::ConstantIndexOp::create(rewriter, op.getLoc(), 1);
    for (int64_t dim : op.getDims()) {
      Value size = getValueOrCreateConstantIndexOp(rewriter, op.getLoc(), sizes[dim]);
      lasts[dim] = arith::SubIOp::create(rewriter, op.getLoc(), size, one);
    }
    auto build = [&](OpBuilder &builder, Location loc, ValueRange indices) -> Value {
      SmallVector<Value> from(indices);
      for (int64_t dim : op.getDims())
        from[dim] = arith::SubIOp::create(builder, loc, lasts[dim], indices[dim]);
      return tensor::ExtractOp::create(builder, loc, operand, from);
    };
    rewriter.replaceOp(op, createFromIndices(rewriter, op.getLoc(), type, sizes, build));
    return success();
  }
};

struct PadOpConversion : OpConversionPattern<tl::PadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::PadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    SmallVector<OpFoldResult> low = getMixedValues(op.getStaticLow(), adaptor.getLow(), rewriter);
    SmallVector<OpFoldResult> high =
        getMixedValues(op.getStaticHigh(), adaptor.getHigh(), rewriter);
    if (op.getMode() == tl::PadMode::Constant)
      rewriter.replaceOp(op, padConstant(rewriter, op.getLoc(), adaptor, type, low, high));
    else
      rewriter.replaceOp(op, padFromOperand(rewriter, op, adaptor.getOperand(), type, low, high));
    return success();
  }

private:
  static Value padConstant(OpBuilder &builder, Location loc, OpAdaptor adaptor,
                           RankedTensorType type, SmallVector<OpFoldResult> low,
                           SmallVector<OpFoldResult> high) {
    Value operand = adaptor.getOperand();
    auto isNotNegative = [](OpFoldResult amount) {
      return isa<Attribute>(amount) && *getConstantIntValue(amount) >= 0;
    };
    if (!llvm::all_of(low, isNotNegative) || !llvm::all_of(high, isNotNegative))
      operand = crop(builder, loc, operand, low, high);
    return tensor::PadOp::create(builder, loc, type, operand, low, high, adaptor.getValue());
  }

  /// Cuts off what is negative of `low` and `high`, and leaves what is positive there.
  static Value crop(OpBuilder &builder, Location loc, Value operand,
                    SmallVectorImpl<OpFoldResult> &low, SmallVectorImpl<OpFoldResult> &high) {
    AffineExpr size, before, after;
    bindSymbols(builder.getContext(), size, before, after);
    MLIRContext *context = builder.getContext();
    auto isPositivePart = AffineMap::get(0, 1, {size, getAffineConstantExpr(0, context)}, context);
    auto isNegativePart = AffineMap::get(0, 1, {-size, getAffineConstantExpr(0, context)}, context);
    SmallVector<OpFoldResult> offsets, sizes;
    for (auto [dim, lowAmount, highAmount] : llvm::enumerate(low, high)) {
      OpFoldResult cutLow =
          affine::makeComposedFoldedAffineMax(builder, loc, isNegativePart, {lowAmount});
      OpFoldResult cutHigh =
          affine::makeComposedFoldedAffineMax(builder, loc, isNegativePart, {highAmount});
      offsets.push_back(cutLow);
      sizes.push_back(affine::makeComposedFoldedAffineApply(
          builder, loc, size - before - after,
          {tensor::getMixedSize(builder, loc, operand, dim), cutLow, cutHigh}));
      lowAmount = affine::makeComposedFoldedAffineMax(builder, loc, isPositivePart, {lowAmount});
      highAmount = affine::makeComposedFoldedAffineMax(builder, loc, isPositivePart, {highAmount});
    }
    SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(builder, loc, operand, offsets, sizes, strides);
  }

  /// Every element is one of the operand; only indices along padded dimensions are computed.
  static Value padFromOperand(OpBuilder &builder, tl::PadOp op, Value operand,
                              RankedTensorType type, ArrayRef<OpFoldResult> low,
                              ArrayRef<OpFoldResult> high) {
    Location loc = op.getLoc();
    AffineExpr size, before, after;
    bindSymbols(builder.getContext(), size, before, after);
    SmallVector<OpFoldResult> operandSizes = tensor::getMixedSizes(builder, loc, operand), sizes;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      sizes.push_back(affine::makeComposedFoldedAffineApply(
          builder, loc, size + before + after, {operandSizes[dim], low[dim], high[dim]}));
    auto toValues = [&](ArrayRef<OpFoldResult> values) {
      return getValueOrCreateConstantIndexOp(builder, loc, values);
    };
    SmallVector<Value> lowValues = toValues(low), sizeValues = toValues(operandSizes);
    return createFromIndices(
        builder, loc, type, sizes, [&](OpBuilder &nested, Location nestedLoc, ValueRange indices) {
          ImplicitLocOpBuilder b(nestedLoc, nested);
          SmallVector<Value> from(indices);
          for (int64_t dim = 0; dim < type.getRank(); ++dim)
            if (!isZeroInteger(low[dim]) || !isZeroInteger(high[dim]))
              from[dim] =
                  getSourceIndex(b, op.getMode(), indices[dim], lowValues[dim], sizeValues[dim]);
          return tensor::ExtractOp::create(b, operand, from).getResult();
        });
  }

  static Value getSourceIndex(ImplicitLocOpBuilder &b, tl::PadMode mode, Value index, Value low,
                              Value size) {
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    Value last = arith::SubIOp::create(b, size, one);
    Value from = arith::SubIOp::create(b, index, low);
    if (mode == tl::PadMode::Replicate)
      return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, from, zero), last);
    Value isBefore = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, from, zero);
    Value isAfter = arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, from, last);
    Value before, after;
    if (mode == tl::PadMode::Reflect) {
      before = arith::SubIOp::create(b, zero, from);
      after = arith::SubIOp::create(b, arith::AddIOp::create(b, last, last), from);
    } else {
      before = arith::AddIOp::create(b, from, size);
      after = arith::SubIOp::create(b, from, size);
    }
    return arith::SelectOp::create(b, isBefore, before,
                                   arith::SelectOp::create(b, isAfter, after, from));
  }
};

} // namespace

void torchlite::populateShapeToLinalgPatterns(const TypeConverter &converter,
                                              RewritePatternSet &patterns) {
  patterns.add<BroadcastToOpConversion, ConcatOpConversion, FlipOpConversion, IotaOpConversion,
               PadOpConversion, PermuteOpConversion, ReshapeOpConversion>(converter,
                                                                          patterns.getContext());
}
