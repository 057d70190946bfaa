//===- Indexing.cpp - Reading and writing by index to linalg --------------===//
//
// Indices are checked all at once, before anything is read: the check is a reduction to one i1 and
// a `tl.check`. Writing is sequential, so that of several writes to one element the last wins.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"

#include "LinalgBuilder.h"
#include "PopulatePatterns.h"
#include "ScalarOps.h"
#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace torchlite;
using namespace torchlite::tl;

/// Raises an IndexError unless all indices are from 0 to `size` - 1.
static void checkIndices(LinalgBuilder &build, Value indices, OpFoldResult size) {
  Value limit =
      arith::IndexCastOp::create(build.b, build.loc, build.b.getI64Type(), build.math.value(size));
  Value init = build.filled(build.constant(build.b.getI1Type(), 1), {});
  unsigned rank = cast<RankedTensorType>(indices.getType()).getRank();
  Value all = build.reduce(indices, build.identity(rank), init, build.project(rank, {}),
                           [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                             // As an unsigned number, a negative index is beyond any size.
                             Value isInside = arith::CmpIOp::create(
                                 b, loc, arith::CmpIPredicate::ult, arguments[0], limit);
                             return arith::AndIOp::create(b, loc, arguments[1], isInside);
                           });
  build.check(tensor::ExtractOp::create(build.b, build.loc, all, ValueRange{}),
              "IndexError: index out of range in self");
}

Value torchlite::tl::createGather(LinalgBuilder &build, Value input, Value indices, int64_t dim) {
  Sizes sizes = build.sizes(indices);
  unsigned rank = sizes.size();
  return build.elementwise(indices, build.identity(rank), sizes, getElementTypeOrSelf(input),
                           [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                             SmallVector<Value> at;
                             for (unsigned i = 0; i < rank; ++i)
                               at.push_back(i == dim ? Value(arith::IndexCastOp::create(
                                                           b, loc, b.getIndexType(), arguments[0]))
                                                     : Value(linalg::IndexOp::create(b, loc, i)));
                             return tensor::ExtractOp::create(b, loc, input, at);
                           });
}

Value torchlite::tl::createLoops(OpBuilder &builder, Location loc, ValueRange sizes,
                                 ValueRange carried, LoopBody body,
                                 SmallVectorImpl<Value> *results) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  SmallVector<Value> lower(sizes.size(), zero), step(sizes.size(), one);
  if (sizes.empty()) {
    SmallVector<Value> values = body(builder, loc, {}, carried);
    if (results)
      results->assign(values.begin(), values.end());
    return values.front();
  }
  scf::LoopNest nest =
      scf::buildLoopNest(builder, loc, lower, SmallVector<Value>(sizes), step, carried,
                         [&](OpBuilder &b, Location at, ValueRange indices, ValueRange arguments) {
                           SmallVector<Value> values = body(b, at, indices, arguments);
                           return scf::ValueVector(values.begin(), values.end());
                         });
  if (results)
    results->assign(nest.results.begin(), nest.results.end());
  return nest.results.front();
}

namespace {

struct TakeOpConversion : OpConversionPattern<TakeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(TakeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    Value input = adaptor.getInput(), indices = adaptor.getIndices();
    int64_t dim = op.getDim(), count = op.getIndices().getType().getRank();
    int64_t inputRank = op.getInput().getType().getRank(), rank = type.getRank();
    checkIndices(build, indices, build.size(input, dim));

    Sizes sizes = build.sizes(input), taken = build.sizes(indices);
    sizes.erase(sizes.begin() + dim);
    sizes.insert(sizes.begin() + dim, taken.begin(), taken.end());
    AffineMap map = build.project(rank, llvm::to_vector(llvm::seq<int64_t>(dim, dim + count)));
    Value result = build.elementwise(
        indices, map, sizes, type.getElementType(),
        [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
          SmallVector<Value> at;
          for (int64_t i = 0; i < inputRank; ++i)
            at.push_back(
                i == dim ? Value(arith::IndexCastOp::create(b, loc, b.getIndexType(), arguments[0]))
                         : Value(linalg::IndexOp::create(b, loc, i < dim ? i : i + count - 1)));
          return tensor::ExtractOp::create(b, loc, input, at);
        });
    rewriter.replaceOp(op, build.castTo(result, type));
    return success();
  }
};

struct GatherOpConversion : OpConversionPattern<GatherOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(GatherOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    checkIndices(build, adaptor.getIndices(), build.size(adaptor.getInput(), op.getDim()));
    Value result = createGather(build, adaptor.getInput(), adaptor.getIndices(), op.getDim());
    rewriter.replaceOp(op, build.castTo(result, getTypeConverter()->convertType(op.getType())));
    return success();
  }
};

/// What an element becomes when `value` is combined with it. `type` is the element type as written.
Value combine(ImplicitLocOpBuilder &b, ScatterReduction reduction, Type type, Value old,
              Value value) {
  if (reduction == ScatterReduction::None)
    return value;
  if (reduction == ScatterReduction::Amax)
    return scalar::maximum(b, old, value, scalar::isUnsigned(type));
  if (reduction == ScatterReduction::Amin)
    return scalar::minimum(b, old, value, scalar::isUnsigned(type));
  bool isSum = reduction == ScatterReduction::Sum;
  if (isa<ComplexType>(type))
    return isSum ? Value(complex::AddOp::create(b, old, value))
                 : Value(complex::MulOp::create(b, old, value));
  if (type.isInteger(1)) // Of booleans, the sum is or, the product is and.
    return isSum ? Value(arith::OrIOp::create(b, old, value))
                 : Value(arith::AndIOp::create(b, old, value));
  if (!isa<FloatType>(type))
    return isSum ? Value(arith::AddIOp::create(b, old, value))
                 : Value(arith::MulIOp::create(b, old, value));
  Type computed = getAccumulatorType(type);
  old = convertFloat(b, b.getLoc(), old, computed);
  value = convertFloat(b, b.getLoc(), value, computed);
  Value result = isSum ? Value(arith::AddFOp::create(b, old, value))
                       : Value(arith::MulFOp::create(b, old, value));
  return convertFloat(b, b.getLoc(), result, type);
}

/// Writes the source element by element at the position that `locate` gives.
Value createWrites(
    LinalgBuilder &build, Value input, Value source, const Sizes &sizes, ScatterReduction reduction,
    Type type, llvm::function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)> locate) {
  SmallVector<Value> limits;
  for (OpFoldResult size : sizes)
    limits.push_back(build.math.value(size));
  return createLoops(build.b, build.loc, limits, input,
                     [&](OpBuilder &nested, Location loc, ValueRange indices,
                         ValueRange carried) -> SmallVector<Value> {
                       ImplicitLocOpBuilder b(loc, nested);
                       SmallVector<Value> target = locate(nested, loc, indices);
                       Value value = tensor::ExtractOp::create(b, source, indices);
                       if (reduction != ScatterReduction::None) {
                         Value old = tensor::ExtractOp::create(b, carried[0], target);
                         value = combine(b, reduction, type, old, value);
                       }
                       return {tensor::InsertOp::create(b, value, carried[0], target)};
                     });
}

struct PutOpConversion : OpConversionPattern<PutOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(PutOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    Value input = adaptor.getInput(), indices = adaptor.getIndices();
    int64_t dim = op.getDim(), count = op.getIndices().getType().getRank();
    int64_t inputRank = op.getInput().getType().getRank();
    checkIndices(build, indices, build.size(input, dim));
    auto reduction = op.getAccumulate() ? ScatterReduction::Sum : ScatterReduction::None;
    Value result = createWrites(
        build, input, adaptor.getSource(), build.sizes(adaptor.getSource()), reduction,
        op.getInput().getType().getElementType(),
        [&](OpBuilder &b, Location loc, ValueRange loops) {
          SmallVector<Value> target;
          for (int64_t i = 0; i < inputRank; ++i) {
            if (i != dim) {
              target.push_back(loops[i < dim ? i : i + count - 1]);
              continue;
            }
            Value index = tensor::ExtractOp::create(b, loc, indices, loops.slice(dim, count));
            target.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(), index));
          }
          return target;
        });
    rewriter.replaceOp(op, build.castTo(result, getTypeConverter()->convertType(op.getType())));
    return success();
  }
};

struct ScatterOpConversion : OpConversionPattern<ScatterOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ScatterOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    Value input = adaptor.getInput(), indices = adaptor.getIndices();
    int64_t dim = op.getDim();
    checkIndices(build, indices, build.size(input, dim));
    Value result = createWrites(build, input, adaptor.getSource(), build.sizes(indices),
                                op.getReduction(), op.getInput().getType().getElementType(),
                                [&](OpBuilder &b, Location loc, ValueRange loops) {
                                  SmallVector<Value> target(loops);
                                  Value index = tensor::ExtractOp::create(b, loc, indices, loops);
                                  target[dim] =
                                      arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
                                  return target;
                                });
    rewriter.replaceOp(op, build.castTo(result, getTypeConverter()->convertType(op.getType())));
    return success();
  }
};

/// Counts: the result has as many rows.
struct NonzeroOpConversion : OpConversionPattern<NonzeroOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(NonzeroOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    Value input = adaptor.getInput();
    Sizes sizes = build.sizes(input);
    int64_t rank = sizes.size();
    Type indexType = rewriter.getIndexType(), i64 = rewriter.getI64Type();
    Value count = build.reduce(
        input, build.identity(rank), build.filled(build.constant(i64, 0), {}),
        build.project(rank, {}), [&](OpBuilder &nested, Location loc, ValueRange arguments) {
          ImplicitLocOpBuilder b(loc, nested);
          Value one = arith::ExtUIOp::create(b, i64, isNonzero(b, arguments[0]));
          return Value(arith::AddIOp::create(b, arguments[1], one));
        });
    Value number = tensor::ExtractOp::create(rewriter, op.getLoc(), count, ValueRange{});
    number = arith::IndexCastOp::create(rewriter, op.getLoc(), indexType, number);
    Value result = build.empty(i64, {number, build.math.constant(rank)});
    if (rank != 0) {
      if (isa<ComplexType>(getElementTypeOrSelf(input)))
        input = build.elementwise(input, rewriter.getI1Type(),
                                  [](OpBuilder &nested, Location loc, ValueRange values) {
                                    ImplicitLocOpBuilder b(loc, nested);
                                    return isNonzero(b, values[0]);
                                  });
      result = rt::NonzeroOp::create(rewriter, op.getLoc(), result.getType(), input, result);
    }
    rewriter.replaceOp(op, build.castTo(result, op.getType()));
    return success();
  }

  static Value isNonzero(ImplicitLocOpBuilder &b, Value value) {
    Type type = value.getType();
    if (isa<ComplexType>(type)) {
      Value real = isNonzero(b, complex::ReOp::create(b, value));
      return arith::OrIOp::create(b, real, isNonzero(b, complex::ImOp::create(b, value)));
    }
    return rt::NonzeroOp::isNonzero(b, b.getLoc(), value);
  }
};
} // namespace

void torchlite::populateIndexingToLinalgPatterns(const TypeConverter &converter,
                                                 RewritePatternSet &patterns) {
  patterns.add<GatherOpConversion, NonzeroOpConversion, PutOpConversion, ScatterOpConversion,
               TakeOpConversion>(converter, patterns.getContext());
  populateSortPatterns(converter, patterns);
}
