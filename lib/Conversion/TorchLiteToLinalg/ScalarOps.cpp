//===- ScalarOps.cpp - PyTorch's arithmetic on scalars --------------------===//
#include "ScalarOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace torchlite;
using arith::CmpFPredicate;
using arith::CmpIPredicate;
using B = ImplicitLocOpBuilder;

static Value integer(B &b, Type type, int64_t value) {
  APInt bits(type.getIntOrFloatBitWidth(), value, /*isSigned=*/true, /*implicitTrunc=*/true);
  return arith::ConstantOp::create(b, b.getIntegerAttr(type, bits));
}

Value scalar::constant(B &b, Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, b.getFloatAttr(type, value));
  return integer(b, type, static_cast<int64_t>(value));
}

bool scalar::isUnsigned(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }

Type scalar::getComputeType(Type type) {
  if (type.isF16() || type.isBF16())
    return Float32Type::get(type.getContext());
  return type;
}

static Value select(B &b, Value condition, Value onTrue, Value onFalse) {
  return arith::SelectOp::create(b, condition, onTrue, onFalse);
}

static Value cmp(B &b, CmpFPredicate predicate, Value lhs, double rhs) {
  return arith::CmpFOp::create(b, predicate, lhs, scalar::constant(b, lhs.getType(), rhs));
}

static Value cmp(B &b, CmpIPredicate predicate, Value lhs, int64_t rhs) {
  return arith::CmpIOp::create(b, predicate, lhs, integer(b, lhs.getType(), rhs));
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

/// Float to integer of `type` (32 or 64 bits), with the least integer for what is out of range and
/// for NaN: that is what PyTorch gives on x86, and arith.fptosi alone would be undefined.
static Value floatToSigned(B &b, Value value, IntegerType type) {
  if (!value.getType().isF64())
    value = scalar::cast(b, value, value.getType(), b.getF32Type());
  double bound = std::ldexp(1.0, type.getWidth() - 1);
  Value notBelow = cmp(b, CmpFPredicate::OGE, value, -bound);
  Value below = cmp(b, CmpFPredicate::OLT, value, bound);
  Value inRange = arith::AndIOp::create(b, notBelow, below);
  Value safe = select(b, inRange, value, scalar::constant(b, value.getType(), 0));
  Value converted = arith::FPToSIOp::create(b, type, safe);
  Value least = arith::ConstantOp::create(
      b, b.getIntegerAttr(type, APInt::getSignedMinValue(type.getWidth())));
  return select(b, inRange, converted, least);
}

static Value castFloat(B &b, Value value, FloatType to) {
  auto from = llvm::cast<FloatType>(value.getType());
  if (from == to)
    return value;
  unsigned fromWidth = from.getWidth(), toWidth = to.getWidth();
  // PyTorch converts to and from 16 bits by way of f32, and so rounds twice from f64.
  if ((fromWidth == 16 && toWidth != 32) || (toWidth == 16 && fromWidth != 32))
    return castFloat(b, castFloat(b, value, b.getF32Type()), to);
  if (fromWidth < toWidth)
    return arith::ExtFOp::create(b, to, value);
  return arith::TruncFOp::create(b, to, value);
}

Value scalar::cast(B &b, Value value, Type from, Type to) {
  if (from == to)
    return value;
  if (auto toFloat = dyn_cast<FloatType>(to)) {
    if (isa<FloatType>(from))
      return castFloat(b, value, toFloat);
    auto wide = llvm::cast<FloatType>(getComputeType(to));
    Value converted;
    if (isUnsigned(from))
      converted = arith::UIToFPOp::create(b, wide, value);
    else
      converted = arith::SIToFPOp::create(b, wide, value);
    return castFloat(b, converted, toFloat);
  }
  auto toInt = IntegerType::get(b.getContext(), to.getIntOrFloatBitWidth());
  if (isa<FloatType>(from)) {
    if (toInt.getWidth() == 1)
      return cmp(b, CmpFPredicate::UNE, value, 0.0);
    // To narrow types by way of a wide one whose bits are cut off; ui8 by way of i64.
    unsigned width = to.isUnsignedInteger() ? 64 : std::max(32u, toInt.getWidth());
    Value wide = floatToSigned(b, value, b.getIntegerType(width));
    if (width == toInt.getWidth())
      return wide;
    return arith::TruncIOp::create(b, toInt, wide);
  }
  unsigned fromWidth = from.getIntOrFloatBitWidth();
  if (fromWidth == toInt.getWidth())
    return value;
  if (toInt.getWidth() == 1)
    return cmp(b, CmpIPredicate::ne, value, 0);
  if (fromWidth > toInt.getWidth())
    return arith::TruncIOp::create(b, toInt, value);
  if (isUnsigned(from))
    return arith::ExtUIOp::create(b, toInt, value);
  return arith::ExtSIOp::create(b, toInt, value);
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

Value scalar::compare(B &b, tl::ComparePredicate predicate, Value lhs, Value rhs, bool isUnsigned) {
  struct Predicates {
    CmpFPredicate forFloat;
    CmpIPredicate forSigned, forUnsigned;
  };
  Predicates predicates = [&]() -> Predicates {
    switch (predicate) {
    case tl::ComparePredicate::EQ:
      return {CmpFPredicate::OEQ, CmpIPredicate::eq, CmpIPredicate::eq};
    case tl::ComparePredicate::NE:
      return {CmpFPredicate::UNE, CmpIPredicate::ne, CmpIPredicate::ne};
    case tl::ComparePredicate::LT:
      return {CmpFPredicate::OLT, CmpIPredicate::slt, CmpIPredicate::ult};
    case tl::ComparePredicate::LE:
      return {CmpFPredicate::OLE, CmpIPredicate::sle, CmpIPredicate::ule};
    case tl::ComparePredicate::GT:
      return {CmpFPredicate::OGT, CmpIPredicate::sgt, CmpIPredicate::ugt};
    case tl::ComparePredicate::GE:
      return {CmpFPredicate::OGE, CmpIPredicate::sge, CmpIPredicate::uge};
    }
    llvm_unreachable("all predicates are covered");
  }();
  if (isa<FloatType>(lhs.getType()))
    return arith::CmpFOp::create(b, predicates.forFloat, lhs, rhs);
  return arith::CmpIOp::create(b, isUnsigned ? predicates.forUnsigned : predicates.forSigned, lhs,
                               rhs);
}

Value scalar::maximum(B &b, Value lhs, Value rhs, bool isUnsigned) {
  // PyTorch leaves open which of two zeros it gives; so may we, at half the instructions.
  if (isa<FloatType>(lhs.getType()))
    return arith::MaximumFOp::create(b, lhs, rhs, arith::FastMathFlags::nsz);
  if (isUnsigned)
    return arith::MaxUIOp::create(b, lhs, rhs);
  return arith::MaxSIOp::create(b, lhs, rhs);
}

Value scalar::minimum(B &b, Value lhs, Value rhs, bool isUnsigned) {
  if (isa<FloatType>(lhs.getType()))
    return arith::MinimumFOp::create(b, lhs, rhs, arith::FastMathFlags::nsz);
  if (isUnsigned)
    return arith::MinUIOp::create(b, lhs, rhs);
  return arith::MinSIOp::create(b, lhs, rhs);
}

Value scalar::sign(B &b, Value operand, bool isUnsigned) {
  Type type = operand.getType();
  Value zero = constant(b, type, 0), one = constant(b, type, 1);
  Value positive = compare(b, tl::ComparePredicate::GT, operand, zero, isUnsigned);
  if (isUnsigned)
    return select(b, positive, one, zero);
  Value negative = compare(b, tl::ComparePredicate::LT, operand, zero, isUnsigned);
  return select(b, positive, one, select(b, negative, constant(b, type, -1), zero));
}

//===----------------------------------------------------------------------===//
// Division
//===----------------------------------------------------------------------===//

/// Quotient towards zero and remainder of integers. The divisor 0 is taken as 1; -1 is treated
/// apart, for the least integer divided by -1 traps.
static std::pair<Value, Value> divideIntegers(B &b, Value lhs, Value rhs, bool isUnsigned) {
  Type type = lhs.getType();
  Value one = scalar::constant(b, type, 1);
  Value isZero = cmp(b, CmpIPredicate::eq, rhs, 0);
  if (isUnsigned) {
    Value safe = select(b, isZero, one, rhs);
    return {arith::DivUIOp::create(b, lhs, safe), arith::RemUIOp::create(b, lhs, safe)};
  }
  Value isMinusOne = cmp(b, CmpIPredicate::eq, rhs, -1);
  Value safe = select(b, arith::OrIOp::create(b, isZero, isMinusOne), one, rhs);
  Value quotient = arith::DivSIOp::create(b, lhs, safe);
  Value negated = arith::SubIOp::create(b, scalar::constant(b, type, 0), lhs);
  return {select(b, isMinusOne, negated, quotient), arith::RemSIOp::create(b, lhs, safe)};
}

/// Whether exactly one of the two is negative.
static Value signsDiffer(B &b, Value lhs, Value rhs) {
  Value zero = scalar::constant(b, lhs.getType(), 0);
  Value lhsNegative = scalar::compare(b, tl::ComparePredicate::LT, lhs, zero, false);
  Value rhsNegative = scalar::compare(b, tl::ComparePredicate::LT, rhs, zero, false);
  return arith::XOrIOp::create(b, lhsNegative, rhsNegative);
}

/// Whether a remainder towards zero has to be corrected to have the divisor's sign.
static Value needsCorrection(B &b, Value modulo, Value rhs) {
  Value zero = scalar::constant(b, modulo.getType(), 0);
  Value isNotZero = scalar::compare(b, tl::ComparePredicate::NE, modulo, zero, false);
  return arith::AndIOp::create(b, isNotZero, signsDiffer(b, modulo, rhs));
}

Value scalar::truncDiv(B &b, Value lhs, Value rhs, bool isUnsigned) {
  if (isa<FloatType>(lhs.getType()))
    return math::TruncOp::create(b, arith::DivFOp::create(b, lhs, rhs));
  return divideIntegers(b, lhs, rhs, isUnsigned).first;
}

Value scalar::fmod(B &b, Value lhs, Value rhs, bool isUnsigned) {
  if (isa<FloatType>(lhs.getType()))
    return arith::RemFOp::create(b, lhs, rhs);
  return divideIntegers(b, lhs, rhs, isUnsigned).second;
}

Value scalar::remainder(B &b, Value lhs, Value rhs, bool isUnsigned) {
  Value modulo = fmod(b, lhs, rhs, isUnsigned);
  if (isUnsigned)
    return modulo;
  Value corrected;
  if (isa<FloatType>(lhs.getType()))
    corrected = arith::AddFOp::create(b, modulo, rhs);
  else
    corrected = arith::AddIOp::create(b, modulo, rhs);
  return select(b, needsCorrection(b, modulo, rhs), corrected, modulo);
}

/// The algorithm of c10::div_floor_floating, step by step.
static Value floorDivFloats(B &b, Value lhs, Value rhs) {
  Type type = lhs.getType();
  Value plainQuotient = arith::DivFOp::create(b, lhs, rhs);
  Value one = scalar::constant(b, type, 1);
  Value modulo = arith::RemFOp::create(b, lhs, rhs);
  Value difference = arith::SubFOp::create(b, lhs, modulo);
  Value exact = arith::DivFOp::create(b, difference, rhs);
  Value lowered = arith::SubFOp::create(b, exact, one);
  Value quotient = select(b, needsCorrection(b, modulo, rhs), lowered, exact);
  Value floor = math::FloorOp::create(b, quotient);
  Value rest = arith::SubFOp::create(b, quotient, floor);
  Value raised = arith::AddFOp::create(b, floor, one);
  Value rounded = select(b, cmp(b, CmpFPredicate::OGT, rest, 0.5), raised, floor);
  Value signedZero = math::CopySignOp::create(b, scalar::constant(b, type, 0), plainQuotient);
  Value result = select(b, cmp(b, CmpFPredicate::UNE, quotient, 0.0), rounded, signedZero);
  return select(b, cmp(b, CmpFPredicate::OEQ, rhs, 0.0), plainQuotient, result);
}

Value scalar::floorDiv(B &b, Value lhs, Value rhs, bool isUnsigned) {
  if (isa<FloatType>(lhs.getType()))
    return floorDivFloats(b, lhs, rhs);
  auto [quotient, modulo] = divideIntegers(b, lhs, rhs, isUnsigned);
  if (isUnsigned)
    return quotient;
  Value lowered = arith::SubIOp::create(b, quotient, constant(b, lhs.getType(), 1));
  return select(b, needsCorrection(b, modulo, rhs), lowered, quotient);
}

//===----------------------------------------------------------------------===//
// Powers and shifts
//===----------------------------------------------------------------------===//

/// `base` to the power of `exponent` by repeated squaring, without branches.
static Value powIntegers(B &b, Value base, Value exponent, bool isUnsigned) {
  Type type = base.getType();
  Value zero = scalar::constant(b, type, 0), one = scalar::constant(b, type, 1);
  unsigned width = type.getIntOrFloatBitWidth();
  Value result = one, square = base;
  // The sign bit of a signed exponent is treated below.
  unsigned bits = isUnsigned ? width : width - 1;
  for (unsigned bit = 0; bit < bits; ++bit) {
    Value mask =
        arith::ConstantOp::create(b, b.getIntegerAttr(type, APInt::getOneBitSet(width, bit)));
    Value masked = arith::AndIOp::create(b, exponent, mask);
    Value isSet = arith::CmpIOp::create(b, CmpIPredicate::ne, masked, zero);
    result = select(b, isSet, arith::MulIOp::create(b, result, square), result);
    if (bit + 1 < bits)
      square = arith::MulIOp::create(b, square, square);
  }
  if (isUnsigned)
    return result;
  // 1 and -1 have inverses: themselves, so that only whether the exponent is odd matters.
  Value isOdd =
      arith::CmpIOp::create(b, CmpIPredicate::ne, arith::AndIOp::create(b, exponent, one), zero);
  Value minusOneInverse = select(b, isOdd, scalar::constant(b, type, -1), one);
  Value inverse = select(b, cmp(b, CmpIPredicate::eq, base, -1), minusOneInverse, zero);
  inverse = select(b, cmp(b, CmpIPredicate::eq, base, 1), one, inverse);
  return select(b, cmp(b, CmpIPredicate::slt, exponent, 0), inverse, result);
}

Value scalar::pow(B &b, Value lhs, Value rhs, bool isUnsigned) {
  if (!isa<FloatType>(lhs.getType()))
    return powIntegers(b, lhs, rhs, isUnsigned);
  return math::PowFOp::create(b, lhs, rhs);
}

/// Whether a shift distance is from 0 to the width - 1; negative ones are large unsigned ones.
static Value isDistance(B &b, Value distance) {
  return cmp(b, CmpIPredicate::ult, distance, distance.getType().getIntOrFloatBitWidth());
}

Value scalar::shiftLeft(B &b, Value lhs, Value rhs) {
  Value zero = constant(b, lhs.getType(), 0);
  Value inRange = isDistance(b, rhs);
  Value shifted = arith::ShLIOp::create(b, lhs, select(b, inRange, rhs, zero));
  return select(b, inRange, shifted, zero);
}

Value scalar::shiftRight(B &b, Value lhs, Value rhs, bool isUnsigned) {
  Type type = lhs.getType();
  Value inRange = isDistance(b, rhs);
  if (isUnsigned) {
    Value zero = constant(b, type, 0);
    Value shifted = arith::ShRUIOp::create(b, lhs, select(b, inRange, rhs, zero));
    return select(b, inRange, shifted, zero);
  }
  Value most = constant(b, type, type.getIntOrFloatBitWidth() - 1);
  return arith::ShRSIOp::create(b, lhs, select(b, inRange, rhs, most));
}
