//===- Normalization.cpp - Softmax, normalisation, attention to linalg ----===//
//
// Everything is a chain of reductions and elementwise operations over the same loops, which the
// code generators fuse by rows.
//
//===----------------------------------------------------------------------===//
#include "LinalgBuilder.h"
#include "PopulatePatterns.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace torchlite;
using namespace torchlite::tl;

namespace {

/// What softmax is made of: exp(x - maximum), and its sum, along one dimension of a tensor.
struct Exponentials {
  /// x - maximum, of the tensor's shape.
  Value shifted;
  /// Its exponentials.
  Value values;
  /// The sum of these, without the dimension.
  Value sum;
  /// From the tensor's loops to the sum's.
  AffineMap rows;
};

/// Builds them in `accumulator`'s type. With `allowsEmptyRows`, a row of -inf has exponentials 0
/// instead of NaN.
Exponentials createExponentials(LinalgBuilder &build, Value input, int64_t dim, Type accumulator,
                                bool allowsEmptyRows) {
  Sizes sizes = build.sizes(input), rowSizes = sizes;
  rowSizes.erase(rowSizes.begin() + dim);
  unsigned rank = sizes.size();
  SmallVector<int64_t> kept = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  kept.erase(kept.begin() + dim);
  AffineMap all = build.identity(rank), rows = build.project(rank, kept);

  Value maximum =
      build.reduce(input, all, build.filled(build.lowest(accumulator), rowSizes), rows,
                   [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                     return arith::MaximumFOp::create(
                         b, loc, arguments[1], convertFloat(b, loc, arguments[0], accumulator));
                   });
  if (allowsEmptyRows) {
    Value lowest = build.lowest(accumulator), zero = build.constant(accumulator, 0);
    maximum = build.elementwise(
        maximum, accumulator, [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
          Value isEmpty =
              arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, arguments[0], lowest);
          return arith::SelectOp::create(b, loc, isEmpty, zero, arguments[0]);
        });
  }
  Value shifted = build.elementwise({input, maximum}, {all, rows}, sizes, accumulator,
                                    [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                                      return arith::SubFOp::create(
                                          b, loc, convertFloat(b, loc, arguments[0], accumulator),
                                          arguments[1]);
                                    });
  Value values = build.elementwise(shifted, accumulator,
                                   [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                                     return math::ExpOp::create(b, loc, arguments[0]);
                                   });
  Value sum = build.reduce(values, all, build.zeros(accumulator, rowSizes), rows,
                           [](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                             return arith::AddFOp::create(b, loc, arguments[1], arguments[0]);
                           });
  return {shifted, values, sum, rows};
}

/// softmax along one dimension, with elements of type `element`.
Value createSoftmax(LinalgBuilder &build, Value input, int64_t dim, Type element,
                    bool allowsEmptyRows) {
  Type accumulator = getAccumulatorType(getElementTypeOrSelf(input));
  Exponentials parts = createExponentials(build, input, dim, accumulator, allowsEmptyRows);
  Sizes sizes = build.sizes(input);
  Value zero = build.constant(accumulator, 0), one = build.constant(accumulator, 1);
  return build.elementwise(
      {parts.values, parts.sum}, {build.identity(sizes.size()), parts.rows}, sizes, element,
      [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
        Value sum = arguments[1];
        if (allowsEmptyRows) {
          Value isEmpty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, zero);
          sum = arith::SelectOp::create(b, loc, isEmpty, one, sum);
        }
        return convertFloat(b, loc, arith::DivFOp::create(b, loc, arguments[0], sum), element);
      });
}

struct SoftmaxOpConversion : OpConversionPattern<SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(SoftmaxOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(op.getType());
    Value result = createSoftmax(build, adaptor.getInput(), op.getDim(), type.getElementType(),
                                 /*allowsEmptyRows=*/false);
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }
};

struct LogSoftmaxOpConversion : OpConversionPattern<LogSoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(LogSoftmaxOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(op.getType());
    Type accumulator = getAccumulatorType(type.getElementType());
    Exponentials parts = createExponentials(build, adaptor.getInput(), op.getDim(), accumulator,
                                            /*allowsEmptyRows=*/false);
    Value logarithm = build.elementwise(
        parts.sum, accumulator, [](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
          return math::LogOp::create(b, loc, arguments[0]);
        });
    Value result = build.elementwise(
        {parts.shifted, logarithm}, {build.identity(type.getRank()), parts.rows},
        build.sizes(adaptor.getInput()), type.getElementType(),
        [&](OpBuilder &b, Location loc, ValueRange arguments) {
          return convertFloat(b, loc, arith::SubFOp::create(b, loc, arguments[0], arguments[1]),
                              type.getElementType());
        });
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }
};

/// Passes over each row: the mean, then what the rounding errors of its sum have left over in the
/// mean of the distances from it, then the mean of the squared distances, which stays exact where
/// the mean is large.
struct LayerNormOpConversion : OpConversionPattern<LayerNormOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(LayerNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(op.getType());
    Type element = type.getElementType(), accumulator = getAccumulatorType(element);
    Value input = adaptor.getInput();
    Sizes sizes = build.sizes(input);
    unsigned rank = sizes.size(), outer = rank - op.getNumDims();
    ArrayRef<OpFoldResult> rowSizes = ArrayRef<OpFoldResult>(sizes).take_front(outer);
    AffineMap all = build.identity(rank);
    AffineMap rows = build.project(rank, llvm::to_vector(llvm::seq<int64_t>(0, outer)));
    AffineMap inner = build.project(rank, llvm::to_vector(llvm::seq<int64_t>(outer, rank)));
    Value count = build.countAsFloat(ArrayRef<OpFoldResult>(sizes).drop_front(outer), accumulator);
    Value eps = build.constant(accumulator, op.getEps().convertToDouble());

    Value sum =
        build.reduce(input, all, build.zeros(accumulator, rowSizes), rows,
                     [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                       return arith::AddFOp::create(
                           b, loc, arguments[1], convertFloat(b, loc, arguments[0], accumulator));
                     });
    Value first = build.elementwise(sum, accumulator,
                                    [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                                      return arith::DivFOp::create(b, loc, arguments[0], count);
                                    });
    Value rest =
        build.reduce({input, first}, {all, rows}, build.zeros(accumulator, rowSizes), rows,
                     [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                       Value distance = arith::SubFOp::create(
                           b, loc, convertFloat(b, loc, arguments[0], accumulator), arguments[1]);
                       return arith::AddFOp::create(b, loc, arguments[2], distance);
                     });
    Value mean = build.elementwise(
        {first, rest}, accumulator, [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
          return arith::AddFOp::create(b, loc, arguments[0],
                                       arith::DivFOp::create(b, loc, arguments[1], count));
        });
    Value squares =
        build.reduce({input, mean}, {all, rows}, build.zeros(accumulator, rowSizes), rows,
                     [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                       Value distance = arith::SubFOp::create(
                           b, loc, convertFloat(b, loc, arguments[0], accumulator), arguments[1]);
                       return arith::AddFOp::create(
                           b, loc, arguments[2], arith::MulFOp::create(b, loc, distance, distance));
                     });
    Value scale = build.elementwise(
        squares, accumulator, [&](OpBuilder &nested, Location loc, ValueRange arguments) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          Value variance = arith::DivFOp::create(b, arguments[0], count);
          Value deviation = math::SqrtOp::create(b, arith::AddFOp::create(b, variance, eps));
          Value one = arith::ConstantOp::create(b, b.getFloatAttr(accumulator, 1));
          return arith::DivFOp::create(b, one, deviation);
        });

    SmallVector<Value> inputs = {input, mean, scale};
    SmallVector<AffineMap> maps = {all, rows, rows};
    bool hasWeight = static_cast<bool>(adaptor.getWeight());
    for (Value parameter : {adaptor.getWeight(), adaptor.getBias()}) {
      if (!parameter)
        continue;
      inputs.push_back(parameter);
      maps.push_back(inner);
    }
    Value result = build.elementwise(
        inputs, maps, sizes, element,
        [&](OpBuilder &nested, Location loc, ValueRange arguments) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          Value value = arith::SubFOp::create(b, convertFloat(b, loc, arguments[0], accumulator),
                                              arguments[1]);
          value = arith::MulFOp::create(b, value, arguments[2]);
          if (hasWeight)
            value =
                arith::MulFOp::create(b, value, convertFloat(b, loc, arguments[3], accumulator));
          if (adaptor.getBias())
            value = arith::AddFOp::create(b, value,
                                          convertFloat(b, loc, arguments.back(), accumulator));
          return convertFloat(b, loc, value, element);
        });
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }
};

/// x * alpha + beta with alpha = weight / sqrt(variance + eps), beta = bias - mean * alpha.
struct BatchNormOpConversion : OpConversionPattern<BatchNormOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(BatchNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(op.getType());
    Type element = type.getElementType(), accumulator = getAccumulatorType(element);
    Value eps = build.constant(accumulator, op.getEps().convertToDouble());
    Value weight = adaptor.getWeight(), bias = adaptor.getBias();

    SmallVector<Value> forAlpha = {adaptor.getVariance()};
    if (weight)
      forAlpha.push_back(weight);
    Value alpha = build.elementwise(
        forAlpha, accumulator, [&](OpBuilder &nested, Location loc, ValueRange arguments) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          Value variance = convertFloat(b, loc, arguments[0], accumulator);
          Value deviation = math::SqrtOp::create(b, arith::AddFOp::create(b, variance, eps));
          Value one = arith::ConstantOp::create(b, b.getFloatAttr(accumulator, 1));
          Value inverse = arith::DivFOp::create(b, one, deviation);
          if (!weight)
            return inverse;
          return arith::MulFOp::create(b, inverse, convertFloat(b, loc, arguments[1], accumulator));
        });
    SmallVector<Value> forBeta = {alpha, adaptor.getMean()};
    if (bias)
      forBeta.push_back(bias);
    Value beta = build.elementwise(
        forBeta, accumulator, [&](OpBuilder &nested, Location loc, ValueRange arguments) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          Value moved = arith::MulFOp::create(b, convertFloat(b, loc, arguments[1], accumulator),
                                              arguments[0]);
          if (!bias)
            return arith::NegFOp::create(b, moved);
          return arith::SubFOp::create(b, convertFloat(b, loc, arguments[2], accumulator), moved);
        });
    unsigned rank = type.getRank();
    AffineMap channel = build.project(rank, {1});
    Value result = build.elementwise(
        {adaptor.getInput(), alpha, beta}, {build.identity(rank), channel, channel},
        build.sizes(adaptor.getInput()), element,
        [&](OpBuilder &nested, Location loc, ValueRange arguments) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          Value scaled = arith::MulFOp::create(b, convertFloat(b, loc, arguments[0], accumulator),
                                               arguments[1]);
          return convertFloat(b, loc, arith::AddFOp::create(b, scaled, arguments[2]), element);
        });
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }
};

/// Two batched matrix products around a softmax, with all batch dimensions merged.
struct AttentionOpConversion : OpConversionPattern<AttentionOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(AttentionOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(op.getType());
    Type element = type.getElementType(), accumulator = getAccumulatorType(element);
    int64_t rank = type.getRank();
    SmallVector<ReassociationIndices> merged = {{0, 1}, {2}, {3}};
    auto mergeBatch = [&](Value tensor) {
      return rank == 4 ? build.collapse(tensor, merged) : tensor;
    };
    Value query = mergeBatch(adaptor.getQuery()), key = mergeBatch(adaptor.getKey());
    Value value = mergeBatch(adaptor.getValue());

    Value scores = build.matmul(query, key, /*transposeA=*/false, /*transposeB=*/true, accumulator);
    Sizes sizes = build.sizes(adaptor.getQuery());
    sizes.back() = build.size(adaptor.getKey(), rank - 2);
    if (rank == 4)
      scores = build.expand(scores, merged, sizes);
    scores = scaleAndMask(build, op, adaptor.getMask(), scores, sizes);
    Value weights = createSoftmax(build, scores, rank - 1, accumulator, /*allowsEmptyRows=*/true);
    Value result = build.matmul(mergeBatch(weights), value, /*transposeA=*/false,
                                /*transposeB=*/false, accumulator);
    result = build.convertElements(result, element);
    if (rank == 4) {
      Sizes resultSizes = build.sizes(adaptor.getQuery());
      resultSizes.back() = build.size(adaptor.getValue(), rank - 1);
      result = build.expand(result, merged, resultSizes);
    }
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }

  /// scores * scale, -inf or plus the mask where one applies.
  static Value scaleAndMask(LinalgBuilder &build, AttentionOp op, Value mask, Value scores,
                            const Sizes &sizes) {
    Type element = getElementTypeOrSelf(scores);
    unsigned rank = sizes.size();
    Value scale, one = build.constant(element, 1);
    if (op.getScale()) {
      scale = build.constant(element, op.getScale()->convertToDouble());
    } else {
      Value count = build.countAsFloat(build.size(op.getQuery(), rank - 1), element);
      scale = arith::DivFOp::create(build.b, build.loc, one,
                                    math::SqrtOp::create(build.b, build.loc, count));
    }
    Value lowest = build.lowest(element);
    SmallVector<Value> inputs = {scores};
    SmallVector<AffineMap> maps = {build.identity(rank)};
    if (mask) {
      // Broadcast: a static 1 is read at 0.
      auto maskType = cast<RankedTensorType>(mask.getType());
      SmallVector<AffineExpr> read;
      for (int64_t i = 0, e = maskType.getRank(); i < e; ++i)
        read.push_back(maskType.getDimSize(i) == 1 ? build.b.getAffineConstantExpr(0)
                                                   : build.b.getAffineDimExpr(rank - e + i));
      inputs.push_back(mask);
      maps.push_back(AffineMap::get(rank, 0, read, build.b.getContext()));
    }
    return build.elementwise(
        inputs, maps, sizes, element,
        [&](OpBuilder &nested, Location loc, ValueRange arguments) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          Value scaled = arith::MulFOp::create(b, arguments[0], scale);
          if (op.getIsCausal()) {
            Value row = linalg::IndexOp::create(b, rank - 2);
            Value column = linalg::IndexOp::create(b, rank - 1);
            Value isVisible = arith::CmpIOp::create(b, arith::CmpIPredicate::ule, column, row);
            return arith::SelectOp::create(b, isVisible, scaled, lowest);
          }
          if (!mask)
            return scaled;
          if (arguments[1].getType().isInteger(1))
            return arith::SelectOp::create(b, arguments[1], scaled, lowest);
          return arith::AddFOp::create(b, scaled, convertFloat(b, loc, arguments[1], element));
        });
  }
};
} // namespace

void torchlite::populateNormalizationToLinalgPatterns(const TypeConverter &converter,
                                                      RewritePatternSet &patterns) {
  patterns.add<AttentionOpConversion, BatchNormOpConversion, LayerNormOpConversion,
               LogSoftmaxOpConversion, SoftmaxOpConversion>(converter, patterns.getContext());
}
