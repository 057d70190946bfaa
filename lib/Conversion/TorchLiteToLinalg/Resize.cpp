//===- Resize.cpp - tl.resize to linalg -----------------------------------===//
//
// Each element is a weighted sum over a few taps in each dimension: one for the nearest element,
// two for linear, four for cubic interpolation. Indices and weights are computed as PyTorch
// computes them, in the same precision, since rounding decides which element is the nearest.
// Channels go last, as around convolutions.
//
//===----------------------------------------------------------------------===//
#include "LinalgBuilder.h"
#include "PopulatePatterns.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace torchlite;
using namespace torchlite::tl;

namespace {

/// An element that takes part, and how much. No weight: all of it.
struct Tap {
  Value index, weight;
};

/// One spatial dimension.
struct Dimension {
  /// Sizes of input and result (index), and the step in the type that positions are computed in.
  Value in, out, step;
};

/// Scalar arithmetic on positions of one float type.
struct Positions {
  ImplicitLocOpBuilder &b;
  Type type;

  Value constant(double value) const {
    return arith::ConstantOp::create(b, b.getFloatAttr(type, value));
  }
  Value fromIndex(Value index) const {
    Value integer = arith::IndexCastOp::create(b, b.getI64Type(), index);
    return arith::SIToFPOp::create(b, type, integer);
  }
  Value toIndex(Value position) const {
    Value integer = arith::FPToSIOp::create(b, b.getI64Type(), position);
    return arith::IndexCastOp::create(b, b.getIndexType(), integer);
  }
  Value add(Value x, Value y) const { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) const { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) const { return arith::MulFOp::create(b, x, y); }
};

/// An index within 0 to `size` - 1.
Value clampIndex(ImplicitLocOpBuilder &b, Value index, Value size) {
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  Value last = arith::SubIOp::create(b, size, one);
  return arith::MaxSIOp::create(b, arith::MinSIOp::create(b, index, last), zero);
}

Value isEqual(ImplicitLocOpBuilder &b, Value x, Value y) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, y);
}

/// The nearest element. Equal and doubled sizes are exact whatever the step is.
Tap getNearest(const Positions &p, const Dimension &dim, Value at, bool isExact) {
  ImplicitLocOpBuilder &b = p.b;
  Value position = p.fromIndex(at);
  if (isExact)
    position = p.add(position, p.constant(0.5));
  position = math::FloorOp::create(b, p.mul(position, dim.step));
  Value index = clampIndex(b, p.toIndex(position), dim.in);
  if (isExact)
    return {index, {}};
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value doubled = arith::ShLIOp::create(b, dim.in, one);
  index = arith::SelectOp::create(b, isEqual(b, dim.out, doubled),
                                  arith::ShRUIOp::create(b, at, one), index);
  return {arith::SelectOp::create(b, isEqual(b, dim.out, dim.in), at, index), {}};
}

/// Where result element `at` lies in the input.
Value getPosition(const Positions &p, const Dimension &dim, Value at, bool alignCorners) {
  Value position = p.fromIndex(at);
  if (alignCorners)
    return p.mul(dim.step, position);
  Value half = p.constant(0.5);
  return p.sub(p.mul(dim.step, p.add(position, half)), half);
}

SmallVector<Tap> getLinear(const Positions &p, const Dimension &dim, Value at, bool alignCorners) {
  ImplicitLocOpBuilder &b = p.b;
  Value zero = p.constant(0), one = p.constant(1);
  Value position = arith::MaximumFOp::create(b, getPosition(p, dim, at, alignCorners), zero);
  // Equal sizes are exact whatever the step is.
  position = arith::SelectOp::create(b, isEqual(b, dim.in, dim.out), p.fromIndex(at), position);
  Value first = clampIndex(b, p.toIndex(position), dim.in);
  Value second =
      clampIndex(b, arith::AddIOp::create(b, first, arith::ConstantIndexOp::create(b, 1)), dim.in);
  Value part = p.sub(position, p.fromIndex(first));
  part = arith::MinimumFOp::create(b, arith::MaximumFOp::create(b, part, zero), one);
  return {{first, p.sub(one, part)}, {second, part}};
}

/// Keys' cubic convolution with a = -0.75.
SmallVector<Tap> getCubic(const Positions &p, const Dimension &dim, Value at, bool alignCorners) {
  ImplicitLocOpBuilder &b = p.b;
  constexpr double a = -0.75;
  Value position = getPosition(p, dim, at, alignCorners);
  Value whole = math::FloorOp::create(b, position);
  Value part = p.sub(position, whole), one = p.constant(1);
  auto near = [&](Value x) { // ((a + 2) x - (a + 3)) x x + 1
    Value sum = p.sub(p.mul(p.constant(a + 2), x), p.constant(a + 3));
    return p.add(p.mul(p.mul(sum, x), x), one);
  };
  auto far = [&](Value x) { // ((a x - 5 a) x + 8 a) x - 4 a
    Value sum = p.sub(p.mul(p.constant(a), x), p.constant(5 * a));
    sum = p.add(p.mul(sum, x), p.constant(8 * a));
    return p.sub(p.mul(sum, x), p.constant(4 * a));
  };
  Value rest = p.sub(one, part);
  Value weights[] = {far(p.add(part, one)), near(part), near(rest), far(p.add(rest, one))};
  SmallVector<Tap> taps;
  Value index = p.toIndex(whole);
  for (int64_t i = 0; i < 4; ++i) {
    Value moved = arith::AddIOp::create(b, index, arith::ConstantIndexOp::create(b, i - 1));
    taps.push_back({clampIndex(b, moved, dim.in), weights[i]});
  }
  return taps;
}

struct ResizeOpConversion : OpConversionPattern<ResizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ResizeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    Type element = type.getElementType(), computed = getAccumulatorType(element);
    int64_t rank = type.getRank(), spatial = rank - 2;
    ResizeMode mode = op.getMode();
    bool isNearest = mode == ResizeMode::Nearest || mode == ResizeMode::NearestExact;
    Type positionType = isNearest ? Type(rewriter.getF32Type()) : computed;

    Value input = build.transpose(adaptor.getInput(), getChannelsLast(rank));
    Sizes inSizes = build.sizes(input);
    Sizes outSizes = getMixedValues(type.getShape(), adaptor.getSizes(), rewriter);
    applyPermutationToVector(outSizes, getChannelsLast(rank));
    ArrayRef<OpFoldResult> spatialIn = ArrayRef<OpFoldResult>(inSizes).slice(1, spatial);
    ArrayRef<OpFoldResult> spatialOut = ArrayRef<OpFoldResult>(outSizes).slice(1, spatial);
    for (ArrayRef<OpFoldResult> sizes : {spatialIn, spatialOut})
      build.checkNotEmpty(sizes, "RuntimeError: expected spatial dimensions that are not empty");
    SmallVector<Dimension> dims;
    for (int64_t i = 0; i < spatial; ++i)
      dims.push_back({build.math.value(spatialIn[i]), build.math.value(spatialOut[i]),
                      createStep(build, op, i, spatialIn[i], spatialOut[i], positionType)});

    Value result = build.elementwise(
        {}, {}, outSizes, element, [&](OpBuilder &nested, Location loc, ValueRange) -> Value {
          ImplicitLocOpBuilder b(loc, nested);
          Positions positions{b, positionType};
          SmallVector<SmallVector<Tap>> taps;
          for (int64_t i = 0; i < spatial; ++i) {
            Value at = linalg::IndexOp::create(b, i + 1);
            if (isNearest)
              taps.push_back(
                  {getNearest(positions, dims[i], at, mode == ResizeMode::NearestExact)});
            else if (mode == ResizeMode::Linear)
              taps.push_back(getLinear(positions, dims[i], at, op.getAlignCorners()));
            else
              taps.push_back(getCubic(positions, dims[i], at, op.getAlignCorners()));
          }
          SmallVector<Value> indices(rank);
          indices.front() = linalg::IndexOp::create(b, 0);
          indices.back() = linalg::IndexOp::create(b, rank - 1);
          Value sum = sumTaps(b, input, taps, /*dim=*/0, indices, computed);
          return isa<FloatType>(element) ? convertFloat(b, loc, sum, element) : sum;
        });
    result = build.transpose(result, getChannelsFirst(rank));
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }

  /// The step between neighbours of the result, measured in elements of the input.
  static Value createStep(LinalgBuilder &build, ResizeOp op, int64_t i, OpFoldResult in,
                          OpFoldResult out, Type type) {
    bool alignCorners = op.getAlignCorners();
    if (!alignCorners && !op.getScales().empty() && op.getScales()[i] > 0)
      return build.constant(type, 1.0 / op.getScales()[i]);
    if (alignCorners) {
      in = build.math.sub(in, 1);
      // With one element there is no step: 0 over anything, if the divisor is not 0.
      OpFoldResult rest = build.math.sub(out, 1);
      in = build.math.selectGreaterEqual(rest, build.math.constant(1), in, build.math.constant(0));
      out = build.math.max(rest, build.math.constant(1));
    }
    ImplicitLocOpBuilder b(build.loc, build.b);
    Positions positions{b, type};
    return arith::DivFOp::create(b, positions.fromIndex(build.math.value(in)),
                                 positions.fromIndex(build.math.value(out)));
  }

  /// The weighted sum over the taps of dimension `dim` and those after it.
  static Value sumTaps(ImplicitLocOpBuilder &b, Value input, ArrayRef<SmallVector<Tap>> taps,
                       size_t dim, SmallVector<Value> &indices, Type type) {
    if (dim == taps.size()) {
      Value value = tensor::ExtractOp::create(b, input, indices);
      return isa<FloatType>(type) ? convertFloat(b, b.getLoc(), value, type) : value;
    }
    Value sum;
    for (const Tap &tap : taps[dim]) {
      indices[dim + 1] = tap.index;
      Value value = sumTaps(b, input, taps, dim + 1, indices, type);
      if (tap.weight)
        value = arith::MulFOp::create(b, value, tap.weight);
      sum = sum ? Value(arith::AddFOp::create(b, sum, value)) : value;
    }
    return sum;
  }
};
} // namespace

void torchlite::populateResizeToLinalgPatterns(const TypeConverter &converter,
                                               RewritePatternSet &patterns) {
  patterns.add<ResizeOpConversion>(converter, patterns.getContext());
}
