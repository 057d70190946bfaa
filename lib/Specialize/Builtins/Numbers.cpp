//===- Numbers.cpp - Numbers as operands ----------------------------------===//
#include "Numbers.h"
#include "../Interpreter/Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

bool specialize::isNumber(RuleContext &ctx, unsigned i) {
  if (ctx.operand(i).isNumber())
    return true;
  (void)ctx.fail("expected a number as operand #" + Twine(i) + ", but got " +
                 ctx.operand(i).kindName());
  return false;
}

int64_t specialize::truncated(double value) {
  return value >= -0x1p63 && value < 0x1p63 ? static_cast<int64_t>(value)
                                            : std::numeric_limits<int64_t>::min();
}

Value specialize::truncated(RuleContext &ctx, Value value) {
  OpBuilder &b = ctx.b;
  auto f64 = [&](double x) { return ctx.getWalker().constant(b.getF64FloatAttr(x)); };
  Value notBelow =
      arith::CmpFOp::create(b, ctx.loc, arith::CmpFPredicate::OGE, value, f64(-0x1p63));
  Value below = arith::CmpFOp::create(b, ctx.loc, arith::CmpFPredicate::OLT, value, f64(0x1p63));
  Value inRange = arith::AndIOp::create(b, ctx.loc, notBelow, below);
  Value safe = arith::SelectOp::create(b, ctx.loc, inRange, value, f64(0));
  Value converted = arith::FPToSIOp::create(b, ctx.loc, b.getI64Type(), safe);
  Value least = ctx.getWalker().constant(b.getI64IntegerAttr(std::numeric_limits<int64_t>::min()));
  return arith::SelectOp::create(b, ctx.loc, inRange, converted, least);
}

Value specialize::asInt(RuleContext &ctx, unsigned i) {
  if (std::optional<int64_t> known = ctx.knownInt(i))
    return ctx.getWalker().constant(ctx.b.getI64IntegerAttr(*known));
  Value value = ctx.scalar(i);
  if (value.getType().isInteger(1))
    return arith::ExtUIOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), value);
  if (value.getType().isF64())
    return truncated(ctx, value);
  return value;
}

Value specialize::asFloat(RuleContext &ctx, unsigned i) {
  if (std::optional<double> known = ctx.knownFloat(i))
    return ctx.getWalker().constant(ctx.b.getF64FloatAttr(*known));
  if (ctx.operand(i).is(ValueKind::Float))
    return ctx.scalar(i);
  return arith::SIToFPOp::create(ctx.b, ctx.loc, ctx.b.getF64Type(), asInt(ctx, i));
}

SpecValue specialize::condition(RuleContext &ctx, Value value) {
  SpecValue result = SpecValue::scalar(value);
  if (!result.isConstant())
    if (std::optional<bool> known = ctx.getWalker().knownCondition(value))
      return ctx.makeBool(*known);
  return result;
}

/// The least and the greatest int that fit an integer type.
static std::pair<int64_t, int64_t> intRange(IntegerType type) {
  unsigned width = type.getWidth();
  if (!type.isUnsigned())
    return {llvm::minIntN(width), llvm::maxIntN(width)};
  int64_t most = width >= 64 ? std::numeric_limits<int64_t>::max() : (int64_t(1) << width) - 1;
  return {-most, most};
}

/// A float that fits an integer or float type: within the range, or infinite for a float.
static Value fitsFloat(RuleContext &ctx, Value value, Type type) {
  OpBuilder &b = ctx.b;
  double least, most;
  if (auto toFloat = dyn_cast<FloatType>(type)) {
    most = APFloat::getLargest(toFloat.getFloatSemantics()).convertToDouble();
    least = -most;
  } else {
    auto [low, high] = intRange(cast<IntegerType>(type));
    least = type.isUnsignedInteger() ? 0.0 : static_cast<double>(low);
    most = static_cast<double>(high);
  }
  auto compare = [&](arith::CmpFPredicate predicate, Value x, double limit) {
    return b.createOrFold<arith::CmpFOp>(ctx.loc, predicate, x,
                                         ctx.constantScalar(limit, b.getF64Type()));
  };
  // NaN fits a float, and no integer.
  bool isFloat = isa<FloatType>(type);
  Value notBelow =
      compare(isFloat ? arith::CmpFPredicate::UGE : arith::CmpFPredicate::OGE, value, least);
  Value notAbove =
      compare(isFloat ? arith::CmpFPredicate::ULE : arith::CmpFPredicate::OLE, value, most);
  Value inRange = b.createOrFold<arith::AndIOp>(ctx.loc, notBelow, notAbove);
  if (!isFloat)
    return inRange;
  Value magnitude = b.createOrFold<math::AbsFOp>(ctx.loc, value);
  Value isInfinite =
      compare(arith::CmpFPredicate::OEQ, magnitude, std::numeric_limits<double>::infinity());
  return b.createOrFold<arith::OrIOp>(ctx.loc, inRange, isInfinite);
}

bool specialize::requireFits(RuleContext &ctx, unsigned i, Type type) {
  bool isInt = ctx.operand(i).is(ValueKind::Int), isFloat = ctx.operand(i).is(ValueKind::Float);
  // Every float fits f64, every int a float that has its range.
  if ((!isInt && !isFloat) || type.isInteger(1) || type.isF64() || isa<ComplexType>(type) ||
      (isInt && (type.isInteger(64) || type.isF32() || type.isBF16())))
    return !ctx.failed();
  OpBuilder &b = ctx.b;
  Value fits;
  if (isFloat || isa<FloatType>(type)) {
    fits = fitsFloat(ctx, asFloat(ctx, i), type);
  } else {
    auto [least, most] = intRange(cast<IntegerType>(type));
    auto compare = [&](arith::CmpIPredicate predicate, int64_t limit) {
      Value constant = ctx.getWalker().constant(b.getI64IntegerAttr(limit));
      return b.createOrFold<arith::CmpIOp>(ctx.loc, predicate, asInt(ctx, i), constant);
    };
    fits = b.createOrFold<arith::AndIOp>(ctx.loc, compare(arith::CmpIPredicate::sge, least),
                                         compare(arith::CmpIPredicate::sle, most));
  }
  ctx.check(fits, "value cannot be converted to type " + dtypeName(type) + " without overflow");
  return !ctx.failed();
}
