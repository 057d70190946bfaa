//===- Pooling.cpp - Pooling to linalg ------------------------------------===//
//
// Channels go last, as around convolutions. Padding is explicit, and a last window that ceil_mode
// lets begin within the input but end beyond it is padded as well.
//
//===----------------------------------------------------------------------===//
#include "LinalgBuilder.h"
#include "PopulatePatterns.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace torchlite;
using namespace torchlite::tl;

namespace {

/// The windows of a pooling.
struct Windows {
  ArrayRef<int64_t> kernel, stride, padding;
  SmallVector<int64_t> dilation;
  bool ceilMode;
};

/// How many windows there are in each spatial dimension of `input` ([N, C, spatial...]).
Sizes getWindowCounts(LinalgBuilder &build, Value input, const Windows &windows) {
  Sizes counts;
  for (size_t i = 0; i < windows.kernel.size(); ++i)
    counts.push_back(getWindowedSize(build.math, build.size(input, i + 2),
                                     build.math.constant(windows.kernel[i]), windows.stride[i],
                                     windows.padding[i], windows.dilation[i], windows.ceilMode));
  build.checkNotEmpty(counts,
                      "RuntimeError: the pooling window does not fit into the padded input");
  return counts;
}

/// Brings channels to the end and surrounds the spatial dimensions with `scalar`.
Value createPadded(LinalgBuilder &build, Value input, const Windows &windows, const Sizes &counts,
                   Value scalar) {
  OpFoldResult zero = build.math.constant(0);
  Sizes low = {zero}, high = {zero};
  for (size_t i = 0; i < counts.size(); ++i) {
    low.push_back(build.math.constant(windows.padding[i]));
    if (!windows.ceilMode) {
      high.push_back(low.back());
      continue;
    }
    int64_t extent = windows.dilation[i] * (windows.kernel[i] - 1) + 1;
    OpFoldResult needed =
        build.math.add(build.math.mul(build.math.sub(counts[i], 1), windows.stride[i]), extent);
    OpFoldResult have = build.math.add(build.size(input, i + 2), windows.padding[i]);
    high.push_back(build.math.max(build.math.sub(needed, have), zero));
  }
  low.push_back(zero);
  high.push_back(zero);
  int64_t rank = low.size();
  return build.pad(build.transpose(input, getChannelsLast(rank)), low, high, scalar);
}

/// Calls the builder of a linalg pooling for 1, 2 or 3 spatial dimensions over a padded
/// `[N, spatial..., C]`. The result starts as `initial`.
template <typename Op1D, typename Op2D, typename Op3D>
Value buildPool(LinalgBuilder &build, Value padded, const Windows &windows, const Sizes &counts,
                Value initial) {
  Sizes sizes = {build.size(padded, 0)}, window;
  llvm::append_range(sizes, counts);
  sizes.push_back(build.size(padded, counts.size() + 1));
  for (int64_t size : windows.kernel)
    window.push_back(build.math.constant(size));
  Value init = build.filled(initial, sizes);
  // Only the window's shape is read.
  SmallVector<Value> inputs = {padded, build.empty(initial.getType(), window)};
  Attribute strides = build.b.getI64TensorAttr(windows.stride);
  Attribute dilations = build.b.getI64TensorAttr(windows.dilation);
  Type type = init.getType();
  switch (counts.size()) {
  case 1:
    return Op1D::create(build.b, build.loc, type, inputs, init, strides, dilations)->getResult(0);
  case 2:
    return Op2D::create(build.b, build.loc, type, inputs, init, strides, dilations)->getResult(0);
  default:
    return Op3D::create(build.b, build.loc, type, inputs, init, strides, dilations)->getResult(0);
  }
}

template <typename OpTy> Windows getWindows(OpTy op) {
  Windows windows{op.getKernel(), op.getStride(), op.getPadding(), {}, op.getCeilMode()};
  if constexpr (std::is_same_v<OpTy, AvgPoolOp>)
    windows.dilation.assign(op.getSpatialRank(), 1);
  else
    windows.dilation.assign(op.getDilation().begin(), op.getDilation().end());
  return windows;
}

struct MaxPoolOpConversion : OpConversionPattern<MaxPoolOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(MaxPoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type written = op.getInput().getType().getElementType();
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    Windows windows = getWindows(op);
    Sizes counts = getWindowCounts(build, adaptor.getInput(), windows);
    Value lowest = build.lowest(type.getElementType(), written.isUnsignedInteger());
    Value padded = createPadded(build, adaptor.getInput(), windows, counts, lowest);
    Value result;
    if (!written.isUnsignedInteger())
      result =
          buildPool<linalg::PoolingNwcMaxOp, linalg::PoolingNhwcMaxOp, linalg::PoolingNdhwcMaxOp>(
              build, padded, windows, counts, lowest);
    else if (counts.size() < 3) // There is no unsigned pooling of volumes.
      result = buildPool<linalg::PoolingNwcMaxUnsignedOp, linalg::PoolingNhwcMaxUnsignedOp,
                         linalg::PoolingNdhwcMaxOp>(build, padded, windows, counts, lowest);
    else
      return rewriter.notifyMatchFailure(op, "unsigned elements in three spatial dimensions");
    result = build.transpose(result, getChannelsFirst(type.getRank()));
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }
};

/// Where element `k` of window `o` stands in dimension `i` of the input, and whether that is
/// within.
struct Position {
  Value index, isInside;
};

Position getPosition(ImplicitLocOpBuilder &b, const Windows &windows, size_t i, Value o, Value k,
                     Value size) {
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(b, value); };
  Value start = arith::SubIOp::create(b, arith::MulIOp::create(b, o, index(windows.stride[i])),
                                      index(windows.padding[i]));
  Value at =
      arith::AddIOp::create(b, start, arith::MulIOp::create(b, k, index(windows.dilation[i])));
  // As an unsigned number, a negative index is beyond any size.
  Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, size);
  return {at, isInside};
}

/// The flat index of each window's first element that is not before the input, [n, c, windows...].
/// A window that lies wholly in padding has it, even beyond the input, as PyTorch's kernels do.
Value createFirstIndices(LinalgBuilder &build, const Windows &windows, const Sizes &sizes,
                         ArrayRef<Value> inputSizes) {
  return build.elementwise(
      {}, {}, sizes, build.b.getI64Type(),
      [&](OpBuilder &nested, Location loc, ValueRange) -> Value {
        ImplicitLocOpBuilder b(loc, nested);
        auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(b, value); };
        Value flat = index(0);
        for (auto [i, size] : llvm::enumerate(inputSizes)) {
          Value o = linalg::IndexOp::create(b, 2 + i);
          Value start = getPosition(b, windows, i, o, index(0), size).index;
          // Steps of the dilation from below 0 to the first position at 0 or above.
          Value below =
              arith::MaxSIOp::create(b, arith::SubIOp::create(b, index(0), start), index(0));
          Value dilation = index(windows.dilation[i]);
          Value steps = arith::CeilDivUIOp::create(b, below, dilation);
          start = arith::AddIOp::create(b, start, arith::MulIOp::create(b, steps, dilation));
          flat = arith::AddIOp::create(b, arith::MulIOp::create(b, flat, size), start);
        }
        return arith::IndexCastOp::create(b, b.getI64Type(), flat);
      });
}

/// A linalg.generic with two results that reads the input by index: what is outside is skipped.
struct MaxPoolWithIndicesOpConversion : OpConversionPattern<MaxPoolWithIndicesOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(MaxPoolWithIndicesOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    Value input = adaptor.getInput();
    Type element = getElementTypeOrSelf(input);
    bool isUnsigned = op.getInput().getType().getElementType().isUnsignedInteger();
    Windows windows = getWindows(op);
    Sizes counts = getWindowCounts(build, input, windows);
    int64_t spatial = counts.size(), loops = 2 + 2 * spatial;
    Sizes sizes = {build.size(input, 0), build.size(input, 1)}, window;
    llvm::append_range(sizes, counts);
    for (int64_t size : windows.kernel)
      window.push_back(build.math.constant(size));
    SmallVector<Value> inputSizes;
    for (int64_t i = 0; i < spatial; ++i)
      inputSizes.push_back(build.math.value(build.size(input, i + 2)));

    // Loops: n, c, window..., element....
    Value shape = build.empty(element, window);
    Value values = build.filled(build.lowest(element, isUnsigned), sizes);
    Value positions = createFirstIndices(build, windows, sizes, inputSizes);
    SmallVector<int64_t> parallel = llvm::to_vector(llvm::seq<int64_t>(0, 2 + spatial));
    SmallVector<int64_t> reduced = llvm::to_vector(llvm::seq<int64_t>(2 + spatial, loops));
    AffineMap out = build.project(loops, parallel);
    SmallVector<AffineMap> maps = {build.project(loops, reduced), out, out};
    SmallVector<utils::IteratorType> iterators(2 + spatial, utils::IteratorType::parallel);
    iterators.append(spatial, utils::IteratorType::reduction);
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), TypeRange{values.getType(), positions.getType()}, shape,
        ValueRange{values, positions}, maps, iterators,
        [&](OpBuilder &nested, Location loc, ValueRange arguments) {
          ImplicitLocOpBuilder b(loc, nested);
          SmallVector<Value> indices = {linalg::IndexOp::create(b, 0),
                                        linalg::IndexOp::create(b, 1)};
          Value zero = arith::ConstantIndexOp::create(b, 0);
          Value isInside, flat = zero;
          for (int64_t i = 0; i < spatial; ++i) {
            Position position =
                getPosition(b, windows, i, linalg::IndexOp::create(b, 2 + i),
                            linalg::IndexOp::create(b, 2 + spatial + i), inputSizes[i]);
            isInside = isInside ? Value(arith::AndIOp::create(b, isInside, position.isInside))
                                : position.isInside;
            // Where it is outside, element 0 is read and not used.
            Value safe = arith::SelectOp::create(b, position.isInside, position.index, zero);
            indices.push_back(safe);
            flat = arith::AddIOp::create(b, arith::MulIOp::create(b, flat, inputSizes[i]), safe);
          }
          Value value = tensor::ExtractOp::create(b, input, indices);
          Value best = arguments[1], bestIndex = arguments[2];
          Value isBetter;
          if (isa<FloatType>(element)) {
            Value isGreater = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, value, best);
            Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, value, value);
            isBetter = arith::OrIOp::create(b, isGreater, isNan);
          } else {
            isBetter = arith::CmpIOp::create(
                b, isUnsigned ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt, value, best);
          }
          isBetter = arith::AndIOp::create(b, isInside, isBetter);
          Value index = arith::IndexCastOp::create(b, b.getI64Type(), flat);
          linalg::YieldOp::create(
              b, ValueRange{arith::SelectOp::create(b, isBetter, value, best),
                            arith::SelectOp::create(b, isBetter, index, bestIndex)});
        });
    rewriter.replaceOp(op, {build.castTo(generic.getResult(0),
                                         getTypeConverter()->convertType(op.getResult().getType())),
                            build.castTo(generic.getResult(1), op.getIndices().getType())});
    return success();
  }
};

/// Divides `sum` ([N, spatial..., C]) by `divisor` ([spatial...]).
Value divide(LinalgBuilder &build, Value sum, Value divisor) {
  Sizes sizes = build.sizes(sum);
  unsigned rank = sizes.size();
  SmallVector<int64_t> spatial = llvm::to_vector(llvm::seq<int64_t>(1, rank - 1));
  Type element = getElementTypeOrSelf(sum);
  return build.elementwise({sum, divisor}, {build.identity(rank), build.project(rank, spatial)},
                           sizes, element,
                           [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                             if (isa<FloatType>(element))
                               return arith::DivFOp::create(b, loc, arguments[0], arguments[1]);
                             return arith::DivSIOp::create(b, loc, arguments[0], arguments[1]);
                           });
}

struct AvgPoolOpConversion : OpConversionPattern<AvgPoolOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(AvgPoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(op.getType());
    Type accumulator = getAccumulatorType(type.getElementType());
    Windows windows = getWindows(op);
    Sizes counts = getWindowCounts(build, adaptor.getInput(), windows);
    Value padded = createPadded(build, adaptor.getInput(), windows, counts,
                                build.constant(type.getElementType(), 0));
    Value sum =
        buildPool<linalg::PoolingNwcSumOp, linalg::PoolingNhwcSumOp, linalg::PoolingNdhwcSumOp>(
            build, padded, windows, counts, build.constant(accumulator, 0));
    Value divisor = createDivisor(build, op, adaptor.getInput(), windows, counts, accumulator);
    Value result = build.convertElements(divide(build, sum, divisor), type.getElementType());
    result = build.transpose(result, getChannelsFirst(type.getRank()));
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }

  /// What each window's sum is divided by, [spatial...].
  static Value createDivisor(LinalgBuilder &build, AvgPoolOp op, Value input,
                             const Windows &windows, const Sizes &counts, Type element) {
    bool isPadded = llvm::any_of(windows.padding, [](int64_t value) { return value != 0; });
    if (op.getDivisorOverride())
      return build.filled(build.constant(element, static_cast<int64_t>(*op.getDivisorOverride())),
                          counts);
    if (!windows.ceilMode && (!isPadded || op.getCountIncludePad())) {
      int64_t size = 1;
      for (int64_t value : windows.kernel)
        size *= value;
      return build.filled(build.constant(element, size), counts);
    }
    SmallVector<Value> inputSizes;
    for (size_t i = 0; i < counts.size(); ++i)
      inputSizes.push_back(build.math.value(build.size(input, i + 2)));
    return build.elementwise(
        {}, {}, counts, element, [&](OpBuilder &nested, Location loc, ValueRange) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(b, value); };
          Value count = index(1);
          for (size_t i = 0; i < counts.size(); ++i) {
            Value start = arith::SubIOp::create(
                b,
                arith::MulIOp::create(b, linalg::IndexOp::create(b, i), index(windows.stride[i])),
                index(windows.padding[i]));
            Value end = arith::AddIOp::create(b, start, index(windows.kernel[i]));
            // The window within the padded input, or within the input.
            Value limit = inputSizes[i];
            if (op.getCountIncludePad())
              limit = arith::AddIOp::create(b, limit, index(windows.padding[i]));
            else
              start = arith::MaxSIOp::create(b, start, index(0));
            end = arith::MinSIOp::create(b, end, limit);
            count = arith::MulIOp::create(b, count, arith::SubIOp::create(b, end, start));
          }
          Value integer = arith::IndexCastOp::create(b, b.getI64Type(), count);
          if (isa<FloatType>(element))
            return arith::SIToFPOp::create(b, element, integer);
          return integer;
        });
  }
};

/// One window over everything becomes a reduction, whose result needs no transposition. Windows of
/// one size become an average pooling, others a reduction that reads by index.
struct AdaptiveAvgPoolOpConversion : OpConversionPattern<AdaptiveAvgPoolOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(AdaptiveAvgPoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(op.getType());
    Value input = adaptor.getInput();
    auto inputType = cast<RankedTensorType>(input.getType());
    ArrayRef<int64_t> windows = op.getOutputSize();
    build.checkNotEmpty(ArrayRef<OpFoldResult>(build.sizes(input)).drop_front(2),
                        "RuntimeError: expected spatial dimensions that are not empty");
    if (llvm::all_of(windows, [](int64_t size) { return size == 1; })) {
      rewriter.replaceOp(op, build.castTo(reduceAll(build, input, type), type));
      return success();
    }
    SmallVector<int64_t> kernel;
    for (auto [size, count] : llvm::zip_equal(inputType.getShape().drop_front(2), windows))
      if (!ShapedType::isDynamic(size) && count && size % count == 0)
        kernel.push_back(size / count);
    if (llvm::equal(inputType.getShape().drop_front(2), windows)) {
      rewriter.replaceOp(op, build.castTo(input, type));
      return success();
    }
    if (kernel.size() == windows.size()) {
      SmallVector<int64_t> padding(kernel.size(), 0);
      rewriter.replaceOpWithNewOp<AvgPoolOp>(op, op.getType(), op.getInput(), kernel, kernel,
                                             padding, /*ceil_mode=*/false,
                                             /*count_include_pad=*/true,
                                             /*divisor_override=*/IntegerAttr());
      return success();
    }
    rewriter.replaceOp(op, build.castTo(reduceWindows(build, input, windows, type), type));
    return success();
  }

  static Value reduceAll(LinalgBuilder &build, Value input, RankedTensorType type) {
    int64_t rank = type.getRank();
    Type accumulator = getAccumulatorType(type.getElementType());
    Value last = build.transpose(input, getChannelsLast(rank));
    Sizes sizes = build.sizes(last);
    Value init = build.zeros(accumulator, {sizes.front(), sizes.back()});
    Value sum = build.reduce(last, build.identity(rank), init, build.project(rank, {0, rank - 1}),
                             [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                               Value value = convertFloat(b, loc, arguments[0], accumulator);
                               return arith::AddFOp::create(b, loc, arguments[1], value);
                             });
    Value count =
        build.countAsFloat(ArrayRef<OpFoldResult>(sizes).drop_front().drop_back(), accumulator);
    Value mean = build.elementwise(
        sum, type.getElementType(), [&](OpBuilder &b, Location loc, ValueRange arguments) {
          return convertFloat(b, loc, arith::DivFOp::create(b, loc, arguments[0], count),
                              type.getElementType());
        });
    Sizes result(rank, build.math.constant(1));
    result[0] = sizes.front();
    result[1] = sizes.back();
    ReassociationIndices channel = llvm::to_vector(llvm::seq<int64_t>(1, rank));
    return build.expand(mean, {{0}, channel}, result);
  }

  static Value reduceWindows(LinalgBuilder &build, Value input, ArrayRef<int64_t> windows,
                             RankedTensorType type) {
    int64_t spatial = windows.size(), loops = 2 + 2 * spatial;
    Type accumulator = getAccumulatorType(type.getElementType());
    Sizes sizes = {build.size(input, 0), build.size(input, 1)}, largest;
    SmallVector<Value> inputSizes;
    for (int64_t i = 0; i < spatial; ++i) {
      OpFoldResult size = build.size(input, i + 2);
      sizes.push_back(build.math.constant(windows[i]));
      inputSizes.push_back(build.math.value(size));
      // No window is longer than size / count rounded up, plus one.
      largest.push_back(build.math.add(build.math.div(size, std::max<int64_t>(windows[i], 1)), 2));
    }
    // The first and last element (exclusive) of this iteration's window.
    auto getRange = [&](ImplicitLocOpBuilder &b, int64_t i) {
      Value window = linalg::IndexOp::create(b, 2 + i), size = inputSizes[i];
      Value count = arith::ConstantIndexOp::create(b, windows[i]);
      Value one = arith::ConstantIndexOp::create(b, 1);
      Value start = arith::DivUIOp::create(b, arith::MulIOp::create(b, window, size), count);
      Value next = arith::MulIOp::create(b, arith::AddIOp::create(b, window, one), size);
      Value end = arith::DivUIOp::create(
          b, arith::AddIOp::create(b, next, arith::SubIOp::create(b, count, one)), count);
      return std::make_pair(start, end);
    };

    // Loops: n, c, window..., element....
    SmallVector<int64_t> parallel = llvm::to_vector(llvm::seq<int64_t>(0, 2 + spatial));
    SmallVector<int64_t> reduced = llvm::to_vector(llvm::seq<int64_t>(2 + spatial, loops));
    Value sum = build.reduce(
        build.empty(type.getElementType(), largest), build.project(loops, reduced),
        build.zeros(accumulator, sizes), build.project(loops, parallel),
        [&](OpBuilder &nested, Location loc, ValueRange arguments) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          SmallVector<Value> indices = {linalg::IndexOp::create(b, 0),
                                        linalg::IndexOp::create(b, 1)};
          Value zero = arith::ConstantIndexOp::create(b, 0), isInside;
          for (int64_t i = 0; i < spatial; ++i) {
            auto [start, end] = getRange(b, i);
            Value at = arith::AddIOp::create(b, start, linalg::IndexOp::create(b, 2 + spatial + i));
            Value isWithin = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, end);
            indices.push_back(arith::SelectOp::create(b, isWithin, at, zero));
            isInside = isInside ? Value(arith::AndIOp::create(b, isInside, isWithin)) : isWithin;
          }
          Value value = tensor::ExtractOp::create(b, input, indices);
          Value added =
              arith::AddFOp::create(b, arguments[1], convertFloat(b, loc, value, accumulator));
          return arith::SelectOp::create(b, isInside, added, arguments[1]);
        });
    return build.elementwise(sum, type.getElementType(),
                             [&](OpBuilder &nested, Location loc, ValueRange arguments) -> Value {
                               ImplicitLocOpBuilder b(loc, nested);
                               Value count = arith::ConstantIndexOp::create(b, 1);
                               for (int64_t i = 0; i < spatial; ++i) {
                                 auto [start, end] = getRange(b, i);
                                 count = arith::MulIOp::create(
                                     b, count, arith::SubIOp::create(b, end, start));
                               }
                               Value integer = arith::IndexCastOp::create(b, b.getI64Type(), count);
                               Value divisor = arith::SIToFPOp::create(b, accumulator, integer);
                               Value mean = arith::DivFOp::create(b, arguments[0], divisor);
                               return convertFloat(b, loc, mean, type.getElementType());
                             });
  }
};
} // namespace

void torchlite::populatePoolingToLinalgPatterns(const TypeConverter &converter,
                                                RewritePatternSet &patterns) {
  patterns.add<AdaptiveAvgPoolOpConversion, AvgPoolOpConversion, MaxPoolOpConversion,
               MaxPoolWithIndicesOpConversion>(converter, patterns.getContext());
}
