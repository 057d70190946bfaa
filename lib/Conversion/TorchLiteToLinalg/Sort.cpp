//===- Sort.cpp - tl.sort to loops ----------------------------------------===//
//
// Each row's permutation is merge-sorted bottom up: runs of 1, 2, 4, ... positions are merged into a
// scratch row, which is copied back. Elements are read through the permutation and never move; the
// sorted values are gathered at the end.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace torchlite::tl;

namespace {

/// How the elements are ordered.
struct Order {
  bool isUnsigned, isDescending;

  /// Whether `a` must stand before `b`. NaN is larger than everything.
  Value precedes(ImplicitLocOpBuilder &b, Value x, Value y) const {
    if (isDescending)
      std::swap(x, y);
    if (!isa<FloatType>(x.getType()))
      return arith::CmpIOp::create(
          b, isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, x, y);
    // x < y, or y is NaN and x is not: "not greater or equal", unless x is NaN.
    Value notGreaterEqual = arith::CmpFOp::create(b, arith::CmpFPredicate::ULT, x, y);
    Value isNumber = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, x, x);
    return arith::AndIOp::create(b, notGreaterEqual, isNumber);
  }
};

/// One row: its elements are `input` at `fixed` with the position inserted at `dim`.
struct Row {
  Value input;
  SmallVector<Value> fixed;
  int64_t dim;
  Value size;

  Value read(ImplicitLocOpBuilder &b, Value position) const {
    SmallVector<Value> at(fixed);
    Value index = arith::IndexCastOp::create(b, b.getIndexType(), position);
    at.insert(at.begin() + dim, index);
    return tensor::ExtractOp::create(b, input, at);
  }
};

/// Merges the runs `[low, middle)` and `[middle, high)` of `from` into the same places of `to`.
Value createMerge(ImplicitLocOpBuilder &b, const Row &row, const Order &order, Value from, Value to,
                  Value low, Value middle, Value high) {
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value last = arith::SubIOp::create(b, row.size, one);
  auto loop = scf::ForOp::create(
      b, low, high, one, ValueRange{to, low, middle},
      [&](OpBuilder &nested, Location loc, Value k, ValueRange carried) {
        ImplicitLocOpBuilder in(loc, nested);
        Value left = carried[1], right = carried[2];
        // Where a run is used up, what is read does not count.
        Value leftPosition =
            tensor::ExtractOp::create(in, from, Value(arith::MinSIOp::create(in, left, last)));
        Value rightPosition =
            tensor::ExtractOp::create(in, from, Value(arith::MinSIOp::create(in, right, last)));
        Value rightFirst =
            order.precedes(in, row.read(in, rightPosition), row.read(in, leftPosition));
        Value hasLeft = arith::CmpIOp::create(in, arith::CmpIPredicate::slt, left, middle);
        Value hasRight = arith::CmpIOp::create(in, arith::CmpIPredicate::slt, right, high);
        // The right one if there is one, and none on the left or a later one: stable.
        Value noLeft = arith::XOrIOp::create(in, hasLeft,
                                             arith::ConstantIntOp::create(in, 1, 1));
        Value takeRight = arith::AndIOp::create(in, hasRight,
                                                arith::OrIOp::create(in, noLeft, rightFirst));
        Value position = arith::SelectOp::create(in, takeRight, rightPosition, leftPosition);
        Value written = tensor::InsertOp::create(in, position, carried[0], k);
        Value nextLeft = arith::SelectOp::create(in, takeRight, left,
                                                 arith::AddIOp::create(in, left, one));
        Value nextRight = arith::SelectOp::create(in, takeRight,
                                                  arith::AddIOp::create(in, right, one), right);
        scf::YieldOp::create(in, ValueRange{written, nextLeft, nextRight});
      });
  return loop.getResult(0);
}

/// How often runs of one element must be doubled until one is as long as the row.
Value createRounds(ImplicitLocOpBuilder &b, Value size) {
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::WhileOp::create(
      b, TypeRange{b.getIndexType(), b.getIndexType()}, ValueRange{zero, one},
      [&](OpBuilder &nested, Location at, ValueRange carried) {
        Value isShort = arith::CmpIOp::create(nested, at, arith::CmpIPredicate::slt, carried[1],
                                              size);
        scf::ConditionOp::create(nested, at, isShort, carried);
      },
      [&](OpBuilder &nested, Location at, ValueRange carried) {
        Value next = arith::AddIOp::create(nested, at, carried[0], one);
        Value doubled = arith::ShLIOp::create(nested, at, carried[1], one);
        scf::YieldOp::create(nested, at, ValueRange{next, doubled});
      });
  return loop.getResult(0);
}

/// The positions 0, 1, ... sorted by the row's elements.
Value createSortedPositions(OpBuilder &builder, Location loc, const Row &row, const Order &order) {
  ImplicitLocOpBuilder b(loc, builder);
  LinalgBuilder build(builder, loc);
  Type i64 = b.getI64Type();
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  OpFoldResult size = getAsOpFoldResult(row.size);
  Value positions = build.elementwise(
      {}, {}, {size}, i64, [&](OpBuilder &nested, Location at, ValueRange) -> Value {
        return arith::IndexCastOp::create(nested, at, i64, linalg::IndexOp::create(nested, at, 0));
      });
  Value rounds = createRounds(b, row.size);
  auto loop = scf::ForOp::create(
      b, zero, rounds, one, ValueRange{positions},
      [&](OpBuilder &nested, Location at, Value round, ValueRange carried) {
        ImplicitLocOpBuilder in(at, nested);
        Value from = carried[0];
        Value width = arith::ShLIOp::create(in, one, round);
        Value twice = arith::ShLIOp::create(in, width, one);
        Value scratch = tensor::EmptyOp::create(in, ArrayRef<OpFoldResult>{size}, i64);
        auto runs = scf::ForOp::create(
            in, zero, row.size, twice, ValueRange{scratch},
            [&](OpBuilder &inner, Location innerLoc, Value low, ValueRange to) {
              ImplicitLocOpBuilder deep(innerLoc, inner);
              Value middle = arith::MinSIOp::create(
                  deep, arith::AddIOp::create(deep, low, width), row.size);
              Value high = arith::MinSIOp::create(
                  deep, arith::AddIOp::create(deep, low, twice), row.size);
              Value merged =
                  createMerge(deep, row, order, from, to[0], low, middle, high);
              scf::YieldOp::create(deep, merged);
            });
        Value back = linalg::CopyOp::create(in, runs.getResults(), from).getResult(0);
        scf::YieldOp::create(in, back);
      });
  return loop.getResult(0);
}

struct SortOpConversion : OpConversionPattern<SortOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(SortOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    Type written = op.getInput().getType().getElementType();
    Order order = {written.isUnsignedInteger() || written.isInteger(1), op.getDescending()};
    Value input = adaptor.getInput();
    Sizes sizes = build.sizes(input);
    int64_t dim = op.getDim();
    SmallVector<Value> outer;
    for (auto [i, size] : llvm::enumerate(sizes))
      if (static_cast<int64_t>(i) != dim)
        outer.push_back(build.math.value(size));
    Value rowSize = build.math.value(sizes[dim]);

    Value indices = createLoops(
        rewriter, op.getLoc(), outer, build.empty(rewriter.getI64Type(), sizes),
        [&](OpBuilder &b, Location loc, ValueRange fixed,
            ValueRange carried) -> SmallVector<Value> {
          Row row = {input, SmallVector<Value>(fixed), dim, rowSize};
          Value positions = createSortedPositions(b, loc, row, order);
          Sizes offsets(fixed.begin(), fixed.end());
          offsets.insert(offsets.begin() + dim, b.getIndexAttr(0));
          Sizes slice(sizes.size(), b.getIndexAttr(1)), strides = slice;
          slice[dim] = sizes[dim];
          return {tensor::InsertSliceOp::create(b, loc, positions, carried[0], offsets, slice,
                                                strides)};
        });
    Value values = createGather(build, input, indices, dim);
    rewriter.replaceOp(
        op, {build.castTo(values, getTypeConverter()->convertType(op.getValues().getType())),
             build.castTo(indices, op.getIndices().getType())});
    return success();
  }
};
} // namespace

void torchlite::tl::populateSortPatterns(const TypeConverter &converter,
                                         RewritePatternSet &patterns) {
  patterns.add<SortOpConversion>(converter, patterns.getContext());
}
