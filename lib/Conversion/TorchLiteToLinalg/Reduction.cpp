//===- Reduction.cpp - Reductions along dimensions ------------------------===//
#include "PopulatePatterns.h"
#include "ScalarOps.h"
#include "Utils.h"

#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"

using namespace mlir;
using namespace torchlite;
using B = ImplicitLocOpBuilder;

/// The value that changes nothing, of the signless type `type`.
static Value createNeutral(B &b, tl::ReduceKind kind, Type type, bool isUnsigned) {
  if (kind == tl::ReduceKind::Sum || kind == tl::ReduceKind::Or)
    return scalar::constant(b, type, 0);
  if (kind == tl::ReduceKind::Prod)
    return scalar::constant(b, type, 1);
  if (kind == tl::ReduceKind::And)
    return scalar::constant(b, type, -1);
  bool isMax = kind == tl::ReduceKind::Max;
  if (isa<FloatType>(type)) {
    double infinity = std::numeric_limits<double>::infinity();
    return scalar::constant(b, type, isMax ? -infinity : infinity);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  APInt value = isUnsigned
                    ? (isMax ? APInt::getMinValue(width) : APInt::getMaxValue(width))
                    : (isMax ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width));
  return arith::ConstantOp::create(b, b.getIntegerAttr(type, value));
}

static Value combine(B &b, tl::ReduceKind kind, Value lhs, Value rhs, bool isUnsigned) {
  bool isFloat = isa<FloatType>(lhs.getType());
  switch (kind) {
  case tl::ReduceKind::Sum:
    if (isFloat)
      return arith::AddFOp::create(b, lhs, rhs);
    return arith::AddIOp::create(b, lhs, rhs);
  case tl::ReduceKind::Prod:
    if (isFloat)
      return arith::MulFOp::create(b, lhs, rhs);
    return arith::MulIOp::create(b, lhs, rhs);
  case tl::ReduceKind::Max:
    return scalar::maximum(b, lhs, rhs, isUnsigned);
  case tl::ReduceKind::Min:
    return scalar::minimum(b, lhs, rhs, isUnsigned);
  case tl::ReduceKind::And:
    return arith::AndIOp::create(b, lhs, rhs);
  case tl::ReduceKind::Or:
    return arith::OrIOp::create(b, lhs, rhs);
  }
  llvm_unreachable("all kinds are covered");
}

/// The map from the indices of an operand of `rank` to those of its reduction along `dims`.
static AffineMap getReducedMap(MLIRContext *context, int64_t rank, ArrayRef<int64_t> dims) {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(dims, dim))
      exprs.push_back(getAffineDimExpr(dim, context));
  return AffineMap::get(rank, 0, exprs, context);
}

static SmallVector<utils::IteratorType> getReducedIterators(int64_t rank, ArrayRef<int64_t> dims) {
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  for (int64_t dim : dims)
    iterators[dim] = utils::IteratorType::reduction;
  return iterators;
}

/// Gives the reduction `value` of `operand` along `dims` the type of an operation's result, which
/// has size 1 at `dims` if `keepdim`.
static Value restoreDims(OpBuilder &builder, Location loc, Value value, Value operand,
                         ArrayRef<int64_t> dims, bool keepdim, RankedTensorType type) {
  if (!keepdim) {
    if (value.getType() != type)
      value = tensor::CastOp::create(builder, loc, type, value);
    return value;
  }
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, operand);
  SmallVector<int64_t> kept;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (llvm::is_contained(dims, dim))
      sizes[dim] = builder.getIndexAttr(1);
    else
      kept.push_back(dim);
  }
  auto isSameSize = [&](int64_t source, int64_t result) { return kept[source] == result; };
  return createReshape(builder, loc, value, type, sizes, isSameSize);
}

namespace {

struct ReduceOpConversion : OpConversionPattern<tl::ReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::ReduceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    B b(op.getLoc(), rewriter);
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    Value operand = adaptor.getOperand();
    auto operandType = cast<RankedTensorType>(operand.getType());
    int64_t rank = operandType.getRank();
    Type writtenType = op.getOperand().getType().getElementType();
    bool isUnsigned = scalar::isUnsigned(writtenType);
    Type computeType = scalar::getComputeType(operandType.getElementType());

    SmallVector<OpFoldResult> sizes =
        dropSizes(tensor::getMixedSizes(b, b.getLoc(), operand), op.getDims());
    SmallVector<int64_t> shape;
    for (int64_t dim = 0; dim < rank; ++dim)
      if (!llvm::is_contained(op.getDims(), dim))
        shape.push_back(operandType.getDimSize(dim));
    auto computedTensor = RankedTensorType::get(shape, computeType);
    Value result = operand;
    if (!op.getDims().empty()) {
      Value neutral = createNeutral(b, op.getKind(), computeType, isUnsigned);
      Value init = createFilled(b, b.getLoc(), computedTensor, sizes, neutral);
      SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(rank),
                                     getReducedMap(b.getContext(), rank, op.getDims())};
      auto generic = linalg::GenericOp::create(
          b, computedTensor, operand, init, maps, getReducedIterators(rank, op.getDims()),
          [&](OpBuilder &nested, Location loc, ValueRange args) {
            B nb(loc, nested);
            Value element = args[0];
            if (element.getType() != computeType)
              element = scalar::cast(nb, element, element.getType(), computeType);
            linalg::YieldOp::create(nb, combine(nb, op.getKind(), element, args[1], isUnsigned));
          });
      result = generic.getResult(0);
      if (computeType != type.getElementType())
        result = createElementwise(
            b, b.getLoc(), computedTensor.clone(type.getElementType()), sizes, result,
            [&](OpBuilder &nested, Location loc, ValueRange args) {
              B nb(loc, nested);
              return scalar::cast(nb, args[0], computeType, type.getElementType());
            });
    }
    rewriter.replaceOp(
        op, restoreDims(b, b.getLoc(), result, operand, op.getDims(), op.getKeepdim(), type));
    return success();
  }
};

/// Carries value and index: an element replaces them if it is greater, or the first NaN.
struct ArgReduceOpConversion : OpConversionPattern<tl::ArgReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::ArgReduceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    B b(op.getLoc(), rewriter);
    Value operand = adaptor.getOperand();
    auto operandType = cast<RankedTensorType>(operand.getType());
    int64_t rank = operandType.getRank(), dim = op.getDim();
    Type elementType = operandType.getElementType();
    bool isUnsigned = scalar::isUnsigned(op.getOperand().getType().getElementType());
    auto predicate =
        op.getKind() == tl::ReduceKind::Max ? tl::ComparePredicate::GT : tl::ComparePredicate::LT;

    SmallVector<OpFoldResult> sizes =
        dropSizes(tensor::getMixedSizes(b, b.getLoc(), operand), {dim});
    SmallVector<int64_t> shape(operandType.getShape());
    shape.erase(shape.begin() + dim);
    auto valuesType = RankedTensorType::get(shape, elementType);
    auto indicesType = RankedTensorType::get(shape, b.getI64Type());
    Value values = createFilled(b, b.getLoc(), valuesType, sizes,
                                createNeutral(b, op.getKind(), elementType, isUnsigned));
    Value indices =
        createFilled(b, b.getLoc(), indicesType, sizes, scalar::constant(b, b.getI64Type(), 0));
    AffineMap reducedMap = getReducedMap(b.getContext(), rank, {dim});
    SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(rank), reducedMap, reducedMap};
    auto generic = linalg::GenericOp::create(
        b, TypeRange{valuesType, indicesType}, operand, ValueRange{values, indices}, maps,
        getReducedIterators(rank, {dim}), [&](OpBuilder &nested, Location loc, ValueRange args) {
          B nb(loc, nested);
          Value element = args[0], best = args[1];
          Value takes = scalar::compare(nb, predicate, element, best, isUnsigned);
          if (isa<FloatType>(elementType)) {
            Value isNan = arith::CmpFOp::create(nb, arith::CmpFPredicate::UNO, element, element);
            Value wasNumber = arith::CmpFOp::create(nb, arith::CmpFPredicate::ORD, best, best);
            takes = arith::OrIOp::create(nb, takes, arith::AndIOp::create(nb, isNan, wasNumber));
          }
          Value index =
              arith::IndexCastOp::create(nb, nb.getI64Type(), linalg::IndexOp::create(nb, dim));
          Value newBest = arith::SelectOp::create(nb, takes, element, best);
          Value newIndex = arith::SelectOp::create(nb, takes, index, args[2]);
          linalg::YieldOp::create(nb, ValueRange{newBest, newIndex});
        });
    rewriter.replaceOp(op, restoreDims(b, b.getLoc(), generic.getResult(1), operand, {dim},
                                       op.getKeepdim(), op.getType()));
    return success();
  }
};

struct CumulativeOpConversion : OpConversionPattern<tl::CumulativeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::CumulativeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    B b(op.getLoc(), rewriter);
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    Value operand = adaptor.getOperand();
    bool isUnsigned = scalar::isUnsigned(op.getType().getElementType());
    Type computeType = getAccumulatorType(op.getKind(), type.getElementType());
    Value place = createEmpty(b, b.getLoc(), type, tensor::getMixedSizes(b, b.getLoc(), operand));
    rewriter.replaceOpWithNewOp<rt::ScanOp>(op, type,
                                            getCombination(op.getKind(), computeType, isUnsigned),
                                            op.getDim(), computeType, operand, place);
    return success();
  }

private:
  static arith::AtomicRMWKind getCombination(tl::ReduceKind kind, Type type, bool isUnsigned) {
    using Kind = arith::AtomicRMWKind;
    bool isFloat = isa<FloatType>(type);
    switch (kind) {
    case tl::ReduceKind::Sum:
      return isFloat ? Kind::addf : Kind::addi;
    case tl::ReduceKind::Prod:
      return isFloat ? Kind::mulf : Kind::muli;
    case tl::ReduceKind::Max:
      return isFloat ? Kind::maximumf : isUnsigned ? Kind::maxu : Kind::maxs;
    case tl::ReduceKind::Min:
      return isFloat ? Kind::minimumf : isUnsigned ? Kind::minu : Kind::mins;
    case tl::ReduceKind::And:
      return Kind::andi;
    case tl::ReduceKind::Or:
      return Kind::ori;
    }
    llvm_unreachable("all kinds are covered");
  }

  /// Running sums and products of f32 are accumulated in f64, as PyTorch does on CPUs.
  static Type getAccumulatorType(tl::ReduceKind kind, Type type) {
    bool accumulates = kind == tl::ReduceKind::Sum || kind == tl::ReduceKind::Prod;
    if (accumulates && type.isF32())
      return Float64Type::get(type.getContext());
    return scalar::getComputeType(type);
  }
};

} // namespace

void torchlite::populateReductionToLinalgPatterns(const TypeConverter &converter,
                                                  RewritePatternSet &patterns) {
  patterns.add<ArgReduceOpConversion, CumulativeOpConversion, ReduceOpConversion>(
      converter, patterns.getContext());
}
