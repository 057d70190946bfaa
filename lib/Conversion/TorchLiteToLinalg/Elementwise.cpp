//===- Elementwise.cpp - Elementwise operations to linalg.generic ---------===//
#include "PopulatePatterns.h"
#include "ScalarOps.h"
#include "Utils.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace torchlite;
using B = ImplicitLocOpBuilder;

//===----------------------------------------------------------------------===//
// One element of each operation
//===----------------------------------------------------------------------===//

namespace {

/// The elements of an operation's operands; `type` is their type as written.
struct Elements {
  ValueRange values;
  Type type;

  Value operator[](size_t index) const { return values[index]; }
  bool isFloat() const { return isa<FloatType>(type); }
  bool isUnsigned() const { return scalar::isUnsigned(type); }
};

} // namespace

/// Operations that are one math operation on floats.
template <typename MathOp> static Value emitMath(B &b, Elements x) {
  return MathOp::create(b, x[0]);
}

static Value emitNeg(B &b, Elements x) {
  if (x.isFloat())
    return arith::NegFOp::create(b, x[0]);
  return arith::SubIOp::create(b, scalar::constant(b, x[0].getType(), 0), x[0]);
}

static Value emitAbs(B &b, Elements x) {
  if (x.isFloat())
    return math::AbsFOp::create(b, x[0]);
  if (x.isUnsigned())
    return x[0];
  Value zero = scalar::constant(b, x[0].getType(), 0);
  Value negative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, x[0], zero);
  return arith::SelectOp::create(b, negative, arith::SubIOp::create(b, zero, x[0]), x[0]);
}

static Value emitSign(B &b, Elements x) { return scalar::sign(b, x[0], x.isUnsigned()); }

static Value emitBitwiseNot(B &b, Elements x) {
  return arith::XOrIOp::create(b, x[0], scalar::constant(b, x[0].getType(), -1));
}

static Value emitSigmoid(B &b, Elements x) {
  Value one = scalar::constant(b, x.type, 1);
  Value exp = math::ExpOp::create(b, arith::NegFOp::create(b, x[0]));
  return arith::DivFOp::create(b, one, arith::AddFOp::create(b, one, exp));
}

static Value emitRsqrt(B &b, Elements x) {
  return arith::DivFOp::create(b, scalar::constant(b, x.type, 1), math::SqrtOp::create(b, x[0]));
}

static Value emitIsNan(B &b, Elements x) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x[0], x[0]);
}

static Value emitIsInf(B &b, Elements x) {
  Value infinity = scalar::constant(b, x.type, std::numeric_limits<double>::infinity());
  return arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, math::AbsFOp::create(b, x[0]),
                               infinity);
}

/// Operations that are one arith operation for floats, one for integers and one for i1.
template <typename FloatOp, typename IntOp, typename BoolOp>
static Value emitArith(B &b, Elements x) {
  if (x.isFloat())
    return FloatOp::create(b, x[0], x[1]);
  if (x.type.isInteger(1))
    return BoolOp::create(b, x[0], x[1]);
  return IntOp::create(b, x[0], x[1]);
}

template <typename ArithOp> static Value emitBinary(B &b, Elements x) {
  return ArithOp::create(b, x[0], x[1]);
}

template <Value (*emit)(B &, Value, Value, bool)> static Value emitSigned(B &b, Elements x) {
  return emit(b, x[0], x[1], x.isUnsigned());
}

static Value emitShiftLeft(B &b, Elements x) { return scalar::shiftLeft(b, x[0], x[1]); }

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// Computes `emit` on every element. Floats of 16 bits are computed in f32, as by PyTorch on CPUs.
template <typename OpTy, Value (*emit)(B &, Elements)>
struct ElementwiseOpConversion : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getElementTypeOrSelf(op->getOperand(0).getType());
    Type computeType = scalar::getComputeType(type);
    auto resultType =
        this->getTypeConverter()->template convertType<RankedTensorType>(op.getType());
    auto build = [&](OpBuilder &builder, Location loc, ValueRange args) {
      B b(loc, builder);
      SmallVector<Value> wide;
      for (Value arg : args)
        wide.push_back(computeType == type ? arg : scalar::cast(b, arg, type, computeType));
      Value result = emit(b, {wide, computeType});
      if (computeType != type && result.getType() == computeType)
        result = scalar::cast(b, result, computeType, type);
      return result;
    };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), resultType, adaptor.getOperands(), build));
    return success();
  }
};

/// An integer division: raises the error for a zero divisor, then divides with none.
template <typename OpTy, Value (*emit)(B &, Elements)>
struct DivisionOpConversion : ElementwiseOpConversion<OpTy, emit> {
  using Base = ElementwiseOpConversion<OpTy, emit>;
  using Base::Base;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isa<FloatType>(op.getType().getElementType()))
      checkDivisor(rewriter, op.getLoc(), op.getType(), adaptor.getLhs(), adaptor.getRhs());
    return Base::matchAndRewrite(op, adaptor, rewriter);
  }

private:
  static void checkDivisor(OpBuilder &builder, Location loc, RankedTensorType resultType, Value lhs,
                           Value divisor) {
    B b(loc, builder);
    // Without elements nothing is divided.
    if (llvm::is_contained(resultType.getShape(), 0))
      return;
    DenseElementsAttr constant;
    if (matchPattern(divisor, m_Constant(&constant)) &&
        llvm::none_of(constant.getValues<APInt>(),
                      [](const APInt &value) { return value.isZero(); }))
      return;
    Value ok;
    if (auto splat = divisor.getDefiningOp<tensor::SplatOp>())
      ok = isNotZero(b, splat.getInput());
    else
      ok = areAllNotZero(b, divisor);
    if (!resultType.hasStaticShape()) {
      Value isEmpty = arith::ConstantOp::create(b, b.getBoolAttr(false));
      Value zero = arith::ConstantIndexOp::create(b, 0);
      for (OpFoldResult size : getBroadcastSizes(b, loc, resultType, ValueRange{lhs, divisor})) {
        if (isa<Attribute>(size))
          continue;
        Value isZero = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, cast<Value>(size), zero);
        isEmpty = arith::OrIOp::create(b, isEmpty, isZero);
      }
      ok = arith::OrIOp::create(b, ok, isEmpty);
    }
    tl::CheckOp::create(b, ok, "ZeroDivisionError: integer division or modulo by zero");
  }

  static Value isNotZero(B &b, Value value) {
    Value zero = scalar::constant(b, value.getType(), 0);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value, zero);
  }

  /// A scalar i1: whether no element of `divisor` is zero.
  static Value areAllNotZero(B &b, Value divisor) {
    auto type = cast<RankedTensorType>(divisor.getType());
    if (type.getRank() == 0)
      return isNotZero(b, tensor::ExtractOp::create(b, divisor));
    auto boolType = RankedTensorType::get({}, b.getI1Type());
    Value init = createFilled(b, b.getLoc(), boolType, {},
                              arith::ConstantOp::create(b, b.getBoolAttr(true)));
    SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(type.getRank()),
                                   AffineMap::get(type.getRank(), 0, {}, b.getContext())};
    SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::reduction);
    auto generic = linalg::GenericOp::create(b, boolType, divisor, init, maps, iterators,
                                             [](OpBuilder &nested, Location loc, ValueRange args) {
                                               B nb(loc, nested);
                                               Value ok = arith::AndIOp::create(
                                                   nb, args[1], isNotZero(nb, args[0]));
                                               linalg::YieldOp::create(nb, ok);
                                             });
    return tensor::ExtractOp::create(b, generic.getResult(0));
  }
};

/// A power whose exponent is a constant that PyTorch treats apart: products, roots and inverses.
struct ConstantPowOpConversion : OpConversionPattern<tl::PowOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::PowOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    DenseElementsAttr constant;
    if (!matchPattern(adaptor.getRhs(), m_Constant(&constant)) || !constant.isSplat())
      return rewriter.notifyMatchFailure(op, "the exponent is not a constant splat");
    Type type = op.getType().getElementType();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    SmallVector<OpFoldResult> sizes =
        getBroadcastSizes(rewriter, op.getLoc(), resultType, adaptor.getOperands());
    if (isa<FloatType>(type)) {
      double exponent = constant.getSplatValue<APFloat>().convertToDouble();
      if (!llvm::is_contained({-2.0, -1.0, -0.5, 0.5, 2.0, 3.0}, exponent))
        return rewriter.notifyMatchFailure(op, "the exponent is not one of the simple ones");
      Type computeType = scalar::getComputeType(type);
      auto build = [&](OpBuilder &builder, Location loc, ValueRange args) {
        B b(loc, builder);
        Value base = scalar::cast(b, args[0], type, computeType);
        return scalar::cast(b, emitPower(b, base, exponent), computeType, type);
      };
      rewriter.replaceOp(
          op, createElementwise(rewriter, op.getLoc(), resultType, sizes, adaptor.getLhs(), build));
      return success();
    }
    APInt exponent = constant.getSplatValue<APInt>();
    if (!scalar::isUnsigned(type) && exponent.isNegative())
      return rewriter.notifyMatchFailure(op, "the exponent is negative");
    auto build = [&](OpBuilder &builder, Location loc, ValueRange args) {
      B b(loc, builder);
      return emitIntegerPower(b, args[0], exponent);
    };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), resultType, sizes, adaptor.getLhs(), build));
    return success();
  }

private:
  static Value emitPower(B &b, Value base, double exponent) {
    Value power = base;
    double magnitude = std::abs(exponent);
    if (magnitude == 0.5)
      power = math::SqrtOp::create(b, base);
    for (int factor = 1; factor < magnitude; ++factor)
      power = arith::MulFOp::create(b, power, base);
    if (exponent > 0)
      return power;
    return arith::DivFOp::create(b, scalar::constant(b, base.getType(), 1), power);
  }

  /// Repeated squaring, only as far as the exponent has bits.
  static Value emitIntegerPower(B &b, Value base, const APInt &exponent) {
    Value result, square = base;
    for (unsigned bit = 0; bit < exponent.getActiveBits(); ++bit) {
      if (bit > 0)
        square = arith::MulIOp::create(b, square, square);
      if (exponent[bit])
        result = result ? arith::MulIOp::create(b, result, square).getResult() : square;
    }
    return result ? result : scalar::constant(b, base.getType(), 1);
  }
};

struct CompareOpConversion : OpConversionPattern<tl::CompareOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::CompareOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = op.getLhs().getType().getElementType();
    Type computeType = scalar::getComputeType(type);
    auto build = [&](OpBuilder &builder, Location loc, ValueRange args) {
      B b(loc, builder);
      if (type == computeType)
        return scalar::compare(b, op.getPredicate(), args[0], args[1], scalar::isUnsigned(type));
      return scalar::compare(b, op.getPredicate(), scalar::cast(b, args[0], type, computeType),
                             scalar::cast(b, args[1], type, computeType), false);
    };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), op.getType(), adaptor.getOperands(), build));
    return success();
  }
};

struct WhereOpConversion : OpConversionPattern<tl::WhereOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::WhereOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    auto build = [](OpBuilder &builder, Location loc, ValueRange args) -> Value {
      return arith::SelectOp::create(builder, loc, args[0], args[1], args[2]);
    };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), resultType, adaptor.getOperands(), build));
    return success();
  }
};

/// Operations of the dialect `complex` that give a number of another type.
template <typename OpTy, typename ElementOp> struct PartOpConversion : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type element = op.getType().getElementType();
    auto build = [&](OpBuilder &builder, Location loc, ValueRange args) -> Value {
      return ElementOp::create(builder, loc, element, args);
    };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), op.getType(), adaptor.getOperands(), build));
    return success();
  }
};

struct CastOpConversion : OpConversionPattern<tl::CastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tl::CastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = op.getOperand().getType().getElementType();
    Type to = op.getType().getElementType();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    if (resultType == adaptor.getOperand().getType()) {
      rewriter.replaceOp(op, adaptor.getOperand());
      return success();
    }
    if (isa<ComplexType>(from) || isa<ComplexType>(to))
      return op.emitOpError("expected real numbers, but got ")
             << (isa<ComplexType>(from) ? from : to);
    auto build = [&](OpBuilder &builder, Location loc, ValueRange args) {
      B b(loc, builder);
      return scalar::cast(b, args[0], from, to);
    };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), resultType, adaptor.getOperand(), build));
    return success();
  }
};

} // namespace

void torchlite::populateElementwiseToLinalgPatterns(const TypeConverter &converter,
                                                    RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<CastOpConversion, CompareOpConversion, WhereOpConversion>(converter, context);
  patterns.add<PartOpConversion<tl::ComplexOp, complex::CreateOp>,
               PartOpConversion<tl::ImagOp, complex::ImOp>,
               PartOpConversion<tl::RealOp, complex::ReOp>>(converter, context);
  patterns.add<ConstantPowOpConversion>(converter, context, /*benefit=*/2);
  patterns.add<ElementwiseOpConversion<tl::AcosOp, emitMath<math::AcosOp>>,
               ElementwiseOpConversion<tl::AcoshOp, emitMath<math::AcoshOp>>,
               ElementwiseOpConversion<tl::AsinOp, emitMath<math::AsinOp>>,
               ElementwiseOpConversion<tl::AsinhOp, emitMath<math::AsinhOp>>,
               ElementwiseOpConversion<tl::AtanOp, emitMath<math::AtanOp>>,
               ElementwiseOpConversion<tl::AtanhOp, emitMath<math::AtanhOp>>,
               ElementwiseOpConversion<tl::CeilOp, emitMath<math::CeilOp>>,
               ElementwiseOpConversion<tl::CosOp, emitMath<math::CosOp>>,
               ElementwiseOpConversion<tl::CoshOp, emitMath<math::CoshOp>>,
               ElementwiseOpConversion<tl::ErfOp, emitMath<math::ErfOp>>,
               ElementwiseOpConversion<tl::ErfcOp, emitMath<math::ErfcOp>>,
               ElementwiseOpConversion<tl::ExpOp, emitMath<math::ExpOp>>,
               ElementwiseOpConversion<tl::Exp2Op, emitMath<math::Exp2Op>>,
               ElementwiseOpConversion<tl::Expm1Op, emitMath<math::ExpM1Op>>,
               ElementwiseOpConversion<tl::FloorOp, emitMath<math::FloorOp>>,
               ElementwiseOpConversion<tl::LogOp, emitMath<math::LogOp>>,
               ElementwiseOpConversion<tl::Log10Op, emitMath<math::Log10Op>>,
               ElementwiseOpConversion<tl::Log1pOp, emitMath<math::Log1pOp>>,
               ElementwiseOpConversion<tl::Log2Op, emitMath<math::Log2Op>>,
               ElementwiseOpConversion<tl::RoundOp, emitMath<math::RoundEvenOp>>,
               ElementwiseOpConversion<tl::SinOp, emitMath<math::SinOp>>,
               ElementwiseOpConversion<tl::SinhOp, emitMath<math::SinhOp>>,
               ElementwiseOpConversion<tl::SqrtOp, emitMath<math::SqrtOp>>,
               ElementwiseOpConversion<tl::TanOp, emitMath<math::TanOp>>,
               ElementwiseOpConversion<tl::TanhOp, emitMath<math::TanhOp>>,
               ElementwiseOpConversion<tl::TruncOp, emitMath<math::TruncOp>>>(converter, context);
  patterns.add<ElementwiseOpConversion<tl::AbsOp, emitAbs>,
               ElementwiseOpConversion<tl::BitwiseNotOp, emitBitwiseNot>,
               ElementwiseOpConversion<tl::IsInfOp, emitIsInf>,
               ElementwiseOpConversion<tl::IsNanOp, emitIsNan>,
               ElementwiseOpConversion<tl::NegOp, emitNeg>,
               ElementwiseOpConversion<tl::RsqrtOp, emitRsqrt>,
               ElementwiseOpConversion<tl::SigmoidOp, emitSigmoid>,
               ElementwiseOpConversion<tl::SignOp, emitSign>>(converter, context);
  patterns.add<
      ElementwiseOpConversion<tl::AddOp, emitArith<arith::AddFOp, arith::AddIOp, arith::OrIOp>>,
      ElementwiseOpConversion<tl::AndOp, emitBinary<arith::AndIOp>>,
      ElementwiseOpConversion<tl::Atan2Op, emitBinary<math::Atan2Op>>,
      ElementwiseOpConversion<tl::CopysignOp, emitBinary<math::CopySignOp>>,
      ElementwiseOpConversion<tl::DivOp, emitBinary<arith::DivFOp>>,
      ElementwiseOpConversion<tl::MaximumOp, emitSigned<scalar::maximum>>,
      ElementwiseOpConversion<tl::MinimumOp, emitSigned<scalar::minimum>>,
      ElementwiseOpConversion<tl::MulOp, emitArith<arith::MulFOp, arith::MulIOp, arith::AndIOp>>,
      ElementwiseOpConversion<tl::OrOp, emitBinary<arith::OrIOp>>,
      ElementwiseOpConversion<tl::PowOp, emitSigned<scalar::pow>>,
      ElementwiseOpConversion<tl::ShiftLeftOp, emitShiftLeft>,
      ElementwiseOpConversion<tl::ShiftRightOp, emitSigned<scalar::shiftRight>>,
      ElementwiseOpConversion<tl::SubOp, emitArith<arith::SubFOp, arith::SubIOp, arith::SubIOp>>,
      ElementwiseOpConversion<tl::XorOp, emitBinary<arith::XOrIOp>>>(converter, context);
  patterns.add<DivisionOpConversion<tl::FloorDivOp, emitSigned<scalar::floorDiv>>,
               DivisionOpConversion<tl::FmodOp, emitSigned<scalar::fmod>>,
               DivisionOpConversion<tl::RemainderOp, emitSigned<scalar::remainder>>,
               DivisionOpConversion<tl::TruncDivOp, emitSigned<scalar::truncDiv>>>(converter,
                                                                                   context);
}
