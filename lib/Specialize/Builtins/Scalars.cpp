//===- Scalars.cpp - Arithmetic on ints, floats and bools -----------------===//
//
// Source: torch/csrc/jit/runtime/register_prim_ops.cpp and register_special_ops.cpp.
//
//===----------------------------------------------------------------------===//
#include "../Interpreter/Walker.h"
#include "TorchLite/Specialize/Rules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

using Results = SmallVectorImpl<SpecValue>;

/// A number operand; reports a failure for anything else.
bool isNumber(RuleContext &ctx, unsigned i) {
  if (ctx.operand(i).isNumber())
    return true;
  (void)ctx.fail("expected a number as operand #" + Twine(i) + ", but got " +
                 ctx.operand(i).kindName());
  return false;
}

bool bothInt(RuleContext &ctx) {
  return !ctx.operand(0).is(ValueKind::Float) && !ctx.operand(1).is(ValueKind::Float);
}

/// What a C++ cast of a float to an int gives on x86: the least int for NaN and for what is out of
/// range.
int64_t truncated(double value) {
  return value >= -0x1p63 && value < 0x1p63 ? static_cast<int64_t>(value)
                                            : std::numeric_limits<int64_t>::min();
}

/// The same at run time, where arith.fptosi alone would be undefined.
Value truncated(RuleContext &ctx, Value value) {
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

/// An operand as i64 or f64 value.
Value asInt(RuleContext &ctx, unsigned i) {
  if (std::optional<int64_t> known = ctx.knownInt(i))
    return ctx.getWalker().constant(ctx.b.getI64IntegerAttr(*known));
  Value value = ctx.scalar(i);
  if (value.getType().isInteger(1))
    return arith::ExtUIOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), value);
  if (value.getType().isF64())
    return truncated(ctx, value);
  return value;
}

Value asFloat(RuleContext &ctx, unsigned i) {
  if (std::optional<double> known = ctx.knownFloat(i))
    return ctx.getWalker().constant(ctx.b.getF64FloatAttr(*known));
  if (ctx.operand(i).is(ValueKind::Float))
    return ctx.scalar(i);
  return arith::SIToFPOp::create(ctx.b, ctx.loc, ctx.b.getF64Type(), asInt(ctx, i));
}

/// A condition, folded by what is known here.
SpecValue condition(RuleContext &ctx, Value value) {
  SpecValue result = SpecValue::scalar(value);
  if (!result.isConstant())
    if (std::optional<bool> known = ctx.getWalker().knownCondition(value))
      return ctx.makeBool(*known);
  return result;
}

//===----------------------------------------------------------------------===//
// Binary
//===----------------------------------------------------------------------===//

enum class Arithmetic { Add, Sub, Mul, Div, FloorDiv, Remainder, Fmod, Pow, PowInt, Min, Max };

/// LibTorch's % on ints, whose sum may wrap; the divisor is not zero.
int64_t floorMod(int64_t a, int64_t b) {
  if (b == -1)
    return 0;
  return static_cast<int64_t>(static_cast<uint64_t>(b) + static_cast<uint64_t>(a % b)) % b;
}

constexpr const char *zeroToNegative = "0.0 cannot be raised to a negative power";

LogicalResult foldInts(RuleContext &ctx, Arithmetic op, int64_t a, int64_t b, Results &results) {
  auto wrap = [](uint64_t value) { return static_cast<int64_t>(value); };
  uint64_t x = a, y = b;
  switch (op) {
  case Arithmetic::Add:
    results.push_back(ctx.makeInt(wrap(x + y)));
    return success();
  case Arithmetic::Sub:
    results.push_back(ctx.makeInt(wrap(x - y)));
    return success();
  case Arithmetic::Mul:
    results.push_back(ctx.makeInt(wrap(x * y)));
    return success();
  case Arithmetic::FloorDiv:
  case Arithmetic::Remainder:
  case Arithmetic::Fmod:
    if (b == 0)
      return ctx.raise("ZeroDivisionError: integer division or modulo by zero");
    if (op == Arithmetic::FloorDiv)
      results.push_back(ctx.makeInt(b == -1 ? wrap(-x) : llvm::divideFloorSigned(a, b)));
    else if (op == Arithmetic::Remainder)
      results.push_back(ctx.makeInt(floorMod(a, b)));
    else
      results.push_back(ctx.makeFloat(std::fmod(double(a), double(b))));
    return success();
  case Arithmetic::Div:
    results.push_back(ctx.makeFloat(double(a) / double(b)));
    return success();
  case Arithmetic::Pow:
    if (a == 0 && b < 0)
      return ctx.raise(zeroToNegative);
    results.push_back(ctx.makeFloat(std::pow(double(a), double(b))));
    return success();
  case Arithmetic::PowInt:
    results.push_back(ctx.makeInt(truncated(std::pow(double(a), double(b)))));
    return success();
  case Arithmetic::Min:
    results.push_back(ctx.makeInt(std::min(a, b)));
    return success();
  case Arithmetic::Max:
    results.push_back(ctx.makeInt(std::max(a, b)));
    return success();
  }
  return failure();
}

double foldFloats(Arithmetic op, double a, double b) {
  switch (op) {
  case Arithmetic::Add:
    return a + b;
  case Arithmetic::Sub:
    return a - b;
  case Arithmetic::Mul:
    return a * b;
  case Arithmetic::Div:
    return a / b;
  case Arithmetic::FloorDiv:
    return std::floor(a / b);
  case Arithmetic::Remainder:
    return std::fmod(b + std::fmod(a, b), b);
  case Arithmetic::Fmod:
    return std::fmod(a, b);
  case Arithmetic::Pow:
  case Arithmetic::PowInt:
    return std::pow(a, b);
  case Arithmetic::Min:
    return a < b ? a : b;
  case Arithmetic::Max:
    return a > b ? a : b;
  }
  return 0;
}

/// `//` and `%` on ints that are not both known. The division never traps, wherever it is moved to:
/// 0 has a check, and the least int divided by -1 wraps.
LogicalResult divideInts(RuleContext &ctx, Arithmetic op, Results &results) {
  OpBuilder &b = ctx.b;
  Location loc = ctx.loc;
  std::optional<int64_t> y = ctx.knownInt(1);
  if (y == 0)
    return ctx.raise("ZeroDivisionError: integer division or modulo by zero");
  if (y == -1 && op == Arithmetic::Remainder)
    return results.push_back(ctx.makeInt(int64_t(0))), success();
  Value lhs = asInt(ctx, 0), rhs = asInt(ctx, 1);
  auto give = [&](Value value) {
    results.push_back(SpecValue::scalar(value));
    return success();
  };
  auto compare = [&](arith::CmpIPredicate predicate, Value left, Value right) -> Value {
    return arith::CmpIOp::create(b, loc, predicate, left, right);
  };
  auto number = [&](int64_t value) { return ctx.getWalker().constant(b.getI64IntegerAttr(value)); };
  Value zero = number(0);
  if (y == -1)
    return give(arith::SubIOp::create(b, loc, zero, lhs));
  Value divisor = rhs, isMinusOne;
  if (!y) {
    ctx.check(compare(arith::CmpIPredicate::ne, rhs, zero),
              "ZeroDivisionError: integer division or modulo by zero");
    // A size as divisor stays recognisable.
    if (ctx.getWalker().knownCondition(compare(arith::CmpIPredicate::slt, rhs, zero)) != false) {
      isMinusOne = compare(arith::CmpIPredicate::eq, rhs, number(-1));
      Value isZero = compare(arith::CmpIPredicate::eq, rhs, zero);
      Value unsafe = arith::OrIOp::create(b, loc, isZero, isMinusOne);
      divisor = arith::SelectOp::create(b, loc, unsafe, number(1), rhs);
    }
  }
  if (op == Arithmetic::FloorDiv) {
    Value quotient = arith::FloorDivSIOp::create(b, loc, lhs, divisor);
    if (!isMinusOne)
      return give(quotient);
    Value negated = arith::SubIOp::create(b, loc, zero, lhs);
    return give(arith::SelectOp::create(b, loc, isMinusOne, negated, quotient));
  }
  Value rest = arith::RemSIOp::create(b, loc, lhs, divisor);
  Value shifted = arith::AddIOp::create(b, loc, rest, divisor);
  if (!y || std::abs(*y / 2) >= int64_t(1) << 61) // The sum may wrap.
    return give(arith::RemSIOp::create(b, loc, shifted, divisor));
  Value notZero = compare(arith::CmpIPredicate::ne, rest, zero);
  Value mixed = arith::XOrIOp::create(b, loc, rest, rhs);
  Value differ = compare(arith::CmpIPredicate::slt, mixed, zero);
  Value shift = arith::AndIOp::create(b, loc, notZero, differ);
  return give(arith::SelectOp::create(b, loc, shift, shifted, rest));
}

/// `**`, on floats in all cases, as in LibTorch.
LogicalResult power(RuleContext &ctx, Arithmetic op, Results &results) {
  OpBuilder &b = ctx.b;
  Value lhs = asFloat(ctx, 0), rhs = asFloat(ctx, 1);
  std::optional<double> base = ctx.knownFloat(0), exponent = ctx.knownFloat(1);
  if (op == Arithmetic::Pow && (!base || *base == 0) && !(exponent && *exponent >= 0)) {
    Value zero = ctx.getWalker().constant(b.getF64FloatAttr(0.0));
    Value notZero = arith::CmpFOp::create(b, ctx.loc, arith::CmpFPredicate::UNE, lhs, zero);
    Value notNegative = arith::CmpFOp::create(b, ctx.loc, arith::CmpFPredicate::UGE, rhs, zero);
    ctx.check(b.createOrFold<arith::OrIOp>(ctx.loc, notZero, notNegative), zeroToNegative);
    if (ctx.failed())
      return failure();
  }
  Value result = math::PowFOp::create(b, ctx.loc, lhs, rhs);
  results.push_back(SpecValue::scalar(op == Arithmetic::PowInt ? truncated(ctx, result) : result));
  return success();
}

LogicalResult arithmetic(RuleContext &ctx, Arithmetic op, Results &results) {
  if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
    return failure();
  OpBuilder &b = ctx.b;
  Location loc = ctx.loc;
  bool ints = bothInt(ctx);
  std::optional<int64_t> x = ctx.knownInt(0), y = ctx.knownInt(1);
  if (ints && x && y)
    return foldInts(ctx, op, *x, *y, results);
  if (std::optional<double> p = ctx.knownFloat(0), q = ctx.knownFloat(1); !ints && p && q) {
    if (op == Arithmetic::Pow && *p == 0 && *q < 0)
      return ctx.raise(zeroToNegative);
    results.push_back(ctx.makeFloat(foldFloats(op, *p, *q)));
    return success();
  }
  auto give = [&](Value value) {
    results.push_back(SpecValue::scalar(value));
    return success();
  };
  if (op == Arithmetic::Pow || op == Arithmetic::PowInt)
    return power(ctx, op, results);
  if (ints && op != Arithmetic::Div && op != Arithmetic::Fmod) {
    // Neutral elements keep sizes recognisable.
    if (y == 0 && (op == Arithmetic::Add || op == Arithmetic::Sub) &&
        ctx.operand(0).is(ValueKind::Int))
      return results.push_back(ctx.operand(0)), success();
    if (x == 0 && op == Arithmetic::Add && ctx.operand(1).is(ValueKind::Int))
      return results.push_back(ctx.operand(1)), success();
    if (y == 1 && (op == Arithmetic::Mul || op == Arithmetic::FloorDiv) &&
        ctx.operand(0).is(ValueKind::Int))
      return results.push_back(ctx.operand(0)), success();
    if (x == 1 && op == Arithmetic::Mul && ctx.operand(1).is(ValueKind::Int))
      return results.push_back(ctx.operand(1)), success();
    Value lhs = asInt(ctx, 0), rhs = asInt(ctx, 1);
    switch (op) {
    case Arithmetic::Add:
      return give(arith::AddIOp::create(b, loc, lhs, rhs));
    case Arithmetic::Sub:
      if (ctx.equal(lhs, rhs) == Known::Yes)
        return results.push_back(ctx.makeInt(int64_t(0))), success();
      return give(arith::SubIOp::create(b, loc, lhs, rhs));
    case Arithmetic::Mul:
      return give(arith::MulIOp::create(b, loc, lhs, rhs));
    case Arithmetic::Min:
      return give(arith::MinSIOp::create(b, loc, lhs, rhs));
    case Arithmetic::Max:
      return give(arith::MaxSIOp::create(b, loc, lhs, rhs));
    case Arithmetic::FloorDiv:
    case Arithmetic::Remainder:
      return divideInts(ctx, op, results);
    default:
      llvm_unreachable("computed on floats");
    }
  }
  Value lhs = asFloat(ctx, 0), rhs = asFloat(ctx, 1);
  switch (op) {
  case Arithmetic::Add:
    return give(arith::AddFOp::create(b, loc, lhs, rhs));
  case Arithmetic::Sub:
    return give(arith::SubFOp::create(b, loc, lhs, rhs));
  case Arithmetic::Mul:
    return give(arith::MulFOp::create(b, loc, lhs, rhs));
  case Arithmetic::Div:
    return give(arith::DivFOp::create(b, loc, lhs, rhs));
  case Arithmetic::FloorDiv:
    return give(math::FloorOp::create(b, loc, arith::DivFOp::create(b, loc, lhs, rhs).getResult()));
  case Arithmetic::Fmod:
    return give(arith::RemFOp::create(b, loc, lhs, rhs));
  case Arithmetic::Remainder: {
    Value rest = arith::RemFOp::create(b, loc, lhs, rhs);
    Value shifted = arith::AddFOp::create(b, loc, rhs, rest);
    return give(arith::RemFOp::create(b, loc, shifted, rhs));
  }
  case Arithmetic::Min:
  case Arithmetic::Max: {
    // The second one when either is NaN or the two are equal.
    arith::CmpFPredicate takesFirst =
        op == Arithmetic::Min ? arith::CmpFPredicate::OLT : arith::CmpFPredicate::OGT;
    Value first = arith::CmpFOp::create(b, loc, takesFirst, lhs, rhs);
    return give(arith::SelectOp::create(b, loc, first, lhs, rhs));
  }
  case Arithmetic::Pow:
  case Arithmetic::PowInt:
    break; // Treated above.
  }
  return failure();
}

struct Comparison {
  arith::CmpIPredicate ints;
  arith::CmpFPredicate floats;
};

LogicalResult compare(RuleContext &ctx, Comparison comparison, Results &results) {
  if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
    return failure();
  if (bothInt(ctx)) {
    std::optional<int64_t> x = ctx.knownInt(0), y = ctx.knownInt(1);
    if (x && y) {
      results.push_back(ctx.makeBool(arith::applyCmpPredicate(
          comparison.ints, APInt(64, *x, true, true), APInt(64, *y, true, true))));
      return success();
    }
    results.push_back(condition(
        ctx, arith::CmpIOp::create(ctx.b, ctx.loc, comparison.ints, asInt(ctx, 0), asInt(ctx, 1))));
    return success();
  }
  if (std::optional<double> p = ctx.knownFloat(0), q = ctx.knownFloat(1); p && q) {
    results.push_back(
        ctx.makeBool(arith::applyCmpPredicate(comparison.floats, APFloat(*p), APFloat(*q))));
    return success();
  }
  results.push_back(condition(ctx, arith::CmpFOp::create(ctx.b, ctx.loc, comparison.floats,
                                                         asFloat(ctx, 0), asFloat(ctx, 1))));
  return success();
}

template <typename OpTy> LogicalResult logical(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
    return failure();
  bool bools = ctx.operand(0).is(ValueKind::Bool) && ctx.operand(1).is(ValueKind::Bool);
  Value lhs = bools ? ctx.scalar(0) : asInt(ctx, 0), rhs = bools ? ctx.scalar(1) : asInt(ctx, 1);
  Value value = ctx.b.createOrFold<OpTy>(ctx.loc, lhs, rhs);
  results.push_back(bools ? condition(ctx, value) : SpecValue::scalar(value));
  return success();
}

/// `<<` and `>>` on ints: of the distance the lowest 6 bits count, as on x86.
LogicalResult shiftInts(RuleContext &ctx, bool left, Results &results) {
  if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
    return failure();
  std::optional<int64_t> x = ctx.knownInt(0), y = ctx.knownInt(1);
  if (x && y) {
    int64_t shifted =
        left ? static_cast<int64_t>(static_cast<uint64_t>(*x) << (*y & 63)) : *x >> (*y & 63);
    return results.push_back(ctx.makeInt(shifted)), success();
  }
  OpBuilder &b = ctx.b;
  Value lhs = asInt(ctx, 0), mask = ctx.getWalker().constant(b.getI64IntegerAttr(63));
  Value distance = b.createOrFold<arith::AndIOp>(ctx.loc, asInt(ctx, 1), mask);
  Value shifted;
  if (left)
    shifted = arith::ShLIOp::create(b, ctx.loc, lhs, distance);
  else
    shifted = arith::ShRSIOp::create(b, ctx.loc, lhs, distance);
  return results.push_back(SpecValue::scalar(shifted)), success();
}

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

LogicalResult negate(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0))
    return failure();
  if (std::optional<int64_t> value = ctx.knownInt(0))
    return results.push_back(ctx.makeInt(static_cast<int64_t>(-static_cast<uint64_t>(*value)))),
           success();
  if (std::optional<double> value = ctx.knownFloat(0))
    return results.push_back(ctx.makeFloat(-*value)), success();
  if (ctx.operand(0).is(ValueKind::Float)) {
    results.push_back(SpecValue::scalar(arith::NegFOp::create(ctx.b, ctx.loc, ctx.scalar(0))));
    return success();
  }
  Value zero = ctx.getWalker().constant(ctx.b.getI64IntegerAttr(0));
  results.push_back(SpecValue::scalar(arith::SubIOp::create(ctx.b, ctx.loc, zero, asInt(ctx, 0))));
  return success();
}

LogicalResult logicalNot(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0))
    return failure();
  if (std::optional<bool> value = ctx.knownBool(0))
    return results.push_back(ctx.makeBool(!*value)), success();
  Value yes = ctx.getWalker().constant(ctx.b.getBoolAttr(true));
  results.push_back(condition(ctx, arith::XOrIOp::create(ctx.b, ctx.loc, ctx.scalar(0), yes)));
  return success();
}

LogicalResult absolute(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0))
    return failure();
  if (std::optional<int64_t> value = ctx.knownInt(0))
    return results.push_back(ctx.makeInt(
               *value < 0 ? static_cast<int64_t>(-static_cast<uint64_t>(*value)) : *value)),
           success();
  if (std::optional<double> value = ctx.knownFloat(0))
    return results.push_back(ctx.makeFloat(std::fabs(*value))), success();
  if (ctx.operand(0).is(ValueKind::Float)) {
    results.push_back(SpecValue::scalar(math::AbsFOp::create(ctx.b, ctx.loc, ctx.scalar(0))));
    return success();
  }
  Value zero = ctx.getWalker().constant(ctx.b.getI64IntegerAttr(0)), value = asInt(ctx, 0);
  Value negated = arith::SubIOp::create(ctx.b, ctx.loc, zero, value);
  results.push_back(SpecValue::scalar(arith::MaxSIOp::create(ctx.b, ctx.loc, value, negated)));
  return success();
}

/// A function of a float; `OpTy` computes it at run time.
template <typename OpTy> SpecialRule floatFunction(double (*fold)(double)) {
  return [fold](RuleContext &ctx, Results &results) -> LogicalResult {
    if (!isNumber(ctx, 0))
      return failure();
    if (std::optional<double> value = ctx.knownFloat(0))
      results.push_back(ctx.makeFloat(fold(*value)));
    else
      results.push_back(SpecValue::scalar(OpTy::create(ctx.b, ctx.loc, asFloat(ctx, 0))));
    return success();
  };
}

/// `math.floor` and `math.ceil` give ints.
template <typename OpTy> SpecialRule roundToInt(double (*fold)(double)) {
  return [fold](RuleContext &ctx, Results &results) -> LogicalResult {
    if (!isNumber(ctx, 0))
      return failure();
    if (!ctx.operand(0).is(ValueKind::Float))
      return results.push_back(ctx.operand(0)), success();
    if (std::optional<double> value = ctx.knownFloat(0)) {
      if (!(*value >= -0x1p63 && *value < 0x1p63))
        return ctx.raise("Cannot convert this float to an integer");
      results.push_back(ctx.makeInt(static_cast<int64_t>(fold(*value))));
      return success();
    }
    OpBuilder &b = ctx.b;
    Value value = ctx.scalar(0);
    Value low = ctx.getWalker().constant(b.getF64FloatAttr(-0x1p63));
    Value high = ctx.getWalker().constant(b.getF64FloatAttr(0x1p63));
    Value notBelow = arith::CmpFOp::create(b, ctx.loc, arith::CmpFPredicate::OGE, value, low);
    Value below = arith::CmpFOp::create(b, ctx.loc, arith::CmpFPredicate::OLT, value, high);
    ctx.check(arith::AndIOp::create(b, ctx.loc, notBelow, below),
              "Cannot convert this float to an integer");
    results.push_back(
        SpecValue::scalar(truncated(ctx, OpTy::create(b, ctx.loc, value).getResult())));
    return success();
  };
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// `item`, `ScalarImplicit`: the element in the kind of its type.
LogicalResult item(RuleContext &ctx, Results &results) {
  if (ctx.operand(0).isNumber())
    return results.push_back(ctx.operand(0)), success();
  Value scalar = ctx.toScalar(ctx.tensor(0));
  if (ctx.failed())
    return failure();
  results.push_back(SpecValue::scalar(scalar));
  return success();
}

/// The operand as a number: itself, or the element of a tensor.
std::optional<SpecValue> number(RuleContext &ctx) {
  SmallVector<SpecValue> value;
  if (failed(item(ctx, value)))
    return std::nullopt;
  return value.front();
}

LogicalResult toInt(RuleContext &ctx, Results &results) {
  if (std::optional<StringRef> text = ctx.operand(0).getString()) {
    int64_t value;
    if (text->trim().getAsInteger(10, value))
      return ctx.raise("invalid literal for int(): '" + *text + "'");
    return results.push_back(ctx.makeInt(value)), success();
  }
  std::optional<SpecValue> value = number(ctx);
  if (!value)
    return failure();
  if (std::optional<int64_t> known = value->getInt())
    return results.push_back(ctx.makeInt(*known)), success();
  if (std::optional<double> known = value->getFloat())
    return results.push_back(ctx.makeInt(truncated(*known))), success();
  Value scalar = value->getScalar();
  if (scalar.getType().isF64())
    scalar = truncated(ctx, scalar);
  else if (scalar.getType().isInteger(1))
    scalar = arith::ExtUIOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), scalar);
  results.push_back(SpecValue::scalar(scalar));
  return success();
}

LogicalResult toFloat(RuleContext &ctx, Results &results) {
  if (std::optional<StringRef> text = ctx.operand(0).getString()) {
    double value;
    if (text->trim().getAsDouble(value))
      return ctx.raise("could not convert string to float: '" + *text + "'");
    return results.push_back(ctx.makeFloat(value)), success();
  }
  std::optional<SpecValue> value = number(ctx);
  if (!value)
    return failure();
  if (std::optional<double> known = value->getFloat())
    return results.push_back(ctx.makeFloat(*known)), success();
  Value scalar = value->getScalar();
  if (scalar.getType().isInteger(1))
    scalar = arith::UIToFPOp::create(ctx.b, ctx.loc, ctx.b.getF64Type(), scalar);
  else if (scalar.getType().isInteger(64))
    scalar = arith::SIToFPOp::create(ctx.b, ctx.loc, ctx.b.getF64Type(), scalar);
  results.push_back(SpecValue::scalar(scalar));
  return success();
}

LogicalResult toBool(RuleContext &ctx, Results &results) {
  std::optional<SpecValue> value = number(ctx);
  if (!value)
    return failure();
  if (std::optional<double> known = value->getFloat())
    return results.push_back(ctx.makeBool(*known != 0)), success();
  Value scalar = value->getScalar();
  if (scalar.getType().isF64()) {
    Value zero = ctx.getWalker().constant(ctx.b.getF64FloatAttr(0.0));
    scalar = arith::CmpFOp::create(ctx.b, ctx.loc, arith::CmpFPredicate::UNE, scalar, zero);
  } else if (scalar.getType().isInteger(64)) {
    Value zero = ctx.getWalker().constant(ctx.b.getI64IntegerAttr(0));
    scalar = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::ne, scalar, zero);
  }
  results.push_back(condition(ctx, scalar));
  return success();
}

/// `prim::NumToTensor`: a number as 0-dim tensor (int64, float64, bool).
LogicalResult toTensor(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0))
    return failure();
  const SpecValue &value = ctx.operand(0);
  if (std::optional<int64_t> known = value.getInt())
    results.push_back(ctx.makeTensor(ctx.constantTensor(
        *known, value.is(ValueKind::Bool) ? Type(ctx.b.getI1Type()) : Type(ctx.b.getI64Type()))));
  else if (std::optional<double> known = value.getFloat())
    results.push_back(ctx.makeTensor(ctx.constantTensor(*known, ctx.b.getF64Type())));
  else
    results.push_back(ctx.makeTensor(ctx.fromScalar(value.getScalar())));
  return success();
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

/// `len(range(start, stop, step))`.
LogicalResult rangeLength(RuleContext &ctx, Results &results) {
  std::optional<int64_t> start = ctx.knownInt(0), stop = ctx.knownInt(1), step = ctx.knownInt(2);
  if (step == 0)
    return ctx.raise("range() arg 3 must not be zero");
  if (start && stop && step) {
    int64_t length = *step > 0 ? (*stop > *start ? (*stop - *start + *step - 1) / *step : 0)
                               : (*start > *stop ? (*start - *stop - *step - 1) / -*step : 0);
    return results.push_back(ctx.makeInt(length)), success();
  }
  if (!step)
    return ctx.fail("a range whose step is known only at run time is not supported");
  OpBuilder &b = ctx.b;
  Value low = asInt(ctx, *step > 0 ? 0 : 1), high = asInt(ctx, *step > 0 ? 1 : 0);
  if (*step == 1 && start == 0) {
    // A negative number of trips is none for the loop as well.
    Operation *call = ctx.getWalker().current;
    if (llvm::all_of(call->getUsers(), [](Operation *user) { return isa<LoopOp>(user); })) {
      results.push_back(ctx.operand(1));
      return success();
    }
  }
  Value distance = arith::SubIOp::create(b, ctx.loc, high, low);
  Value zero = ctx.getWalker().constant(b.getI64IntegerAttr(0));
  Value length = distance;
  if (*step != 1 && *step != -1) {
    Value divisor = ctx.getWalker().constant(b.getI64IntegerAttr(std::abs(*step)));
    length = arith::CeilDivSIOp::create(b, ctx.loc, distance, divisor);
  }
  results.push_back(SpecValue::scalar(arith::MaxSIOp::create(b, ctx.loc, length, zero)));
  return success();
}

/// `range(start, _, step)[index]`: operands index, start, step.
LogicalResult deriveIndex(RuleContext &ctx, Results &results) {
  std::optional<int64_t> index = ctx.knownInt(0), start = ctx.knownInt(1), step = ctx.knownInt(2);
  if (index && start && step)
    return results.push_back(ctx.makeInt(*start + *index * *step)), success();
  Value value = asInt(ctx, 0);
  if (step != 1)
    value = arith::MulIOp::create(ctx.b, ctx.loc, value, asInt(ctx, 2));
  if (start != 0)
    value = arith::AddIOp::create(ctx.b, ctx.loc, value, asInt(ctx, 1));
  results.push_back(SpecValue::scalar(value));
  return success();
}

} // namespace

void specialize::registerScalarRules(RuleRegistry &registry) {
  static const char *const overloads[] = {"", ".int", ".float", ".int_float", ".float_int"};
  struct Named {
    const char *name;
    Arithmetic op;
  };
  for (auto [name, op] :
       {Named{"add", Arithmetic::Add}, Named{"sub", Arithmetic::Sub}, Named{"mul", Arithmetic::Mul},
        Named{"div", Arithmetic::Div}, Named{"floordiv", Arithmetic::FloorDiv},
        Named{"remainder", Arithmetic::Remainder}, Named{"fmod", Arithmetic::Fmod},
        Named{"pow", Arithmetic::Pow}, Named{"prim::min", Arithmetic::Min},
        Named{"prim::max", Arithmetic::Max}})
    for (const char *overload : overloads)
      registry.special(std::string(name) + overload, [op = op](RuleContext &ctx, Results &results) {
        return arithmetic(ctx, op, results);
      });
  registry.special("pow.Scalar_Scalar", [](RuleContext &ctx, Results &results) {
    return arithmetic(ctx, Arithmetic::Pow, results);
  });
  registry.special("pow.int_to_int", [](RuleContext &ctx, Results &results) {
    return arithmetic(ctx, Arithmetic::PowInt, results);
  });

  using I = arith::CmpIPredicate;
  using F = arith::CmpFPredicate;
  for (auto [name, comparison] :
       {std::pair("eq", Comparison{I::eq, F::OEQ}), std::pair("ne", Comparison{I::ne, F::UNE}),
        std::pair("lt", Comparison{I::slt, F::OLT}), std::pair("le", Comparison{I::sle, F::OLE}),
        std::pair("gt", Comparison{I::sgt, F::OGT}), std::pair("ge", Comparison{I::sge, F::OGE})})
    for (const char *overload : {"", ".int", ".float", ".int_float", ".float_int", ".bool"})
      registry.special(std::string(name) + overload,
                       [comparison = comparison](RuleContext &ctx, Results &results) {
                         return compare(ctx, comparison, results);
                       });

  for (const char *overload : {".bool", ".int"}) {
    registry.special(std::string("__and__") + overload, logical<arith::AndIOp>);
    registry.special(std::string("__or__") + overload, logical<arith::OrIOp>);
    registry.special(std::string("__xor__") + overload, logical<arith::XOrIOp>);
  }
  registry.special("__lshift__.int", [](RuleContext &ctx, Results &results) {
    return shiftInts(ctx, /*left=*/true, results);
  });
  registry.special("__rshift__.int", [](RuleContext &ctx, Results &results) {
    return shiftInts(ctx, /*left=*/false, results);
  });
  registry.special("__not__", logicalNot);
  // Without an overload these are the tensor operators.
  for (const char *overload : {".int", ".float", ".Scalar"}) {
    std::string suffix = overload;
    registry.special("neg" + suffix, negate);
    registry.special("prim::abs" + suffix, absolute);
    registry.special("floor" + suffix, roundToInt<math::FloorOp>(std::floor));
    registry.special("ceil" + suffix, roundToInt<math::CeilOp>(std::ceil));
    registry.special("round" + suffix, floatFunction<math::RoundEvenOp>(std::nearbyint));
    registry.special("fabs" + suffix, floatFunction<math::AbsFOp>(std::fabs));
    registry.special("sqrt" + suffix, floatFunction<math::SqrtOp>(std::sqrt));
    registry.special("exp" + suffix, floatFunction<math::ExpOp>(std::exp));
    registry.special("log" + suffix, floatFunction<math::LogOp>(std::log));
    registry.special("log2" + suffix, floatFunction<math::Log2Op>(std::log2));
    registry.special("log10" + suffix, floatFunction<math::Log10Op>(std::log10));
    registry.special("sin" + suffix, floatFunction<math::SinOp>(std::sin));
    registry.special("cos" + suffix, floatFunction<math::CosOp>(std::cos));
    registry.special("tan" + suffix, floatFunction<math::TanOp>(std::tan));
    registry.special("tanh" + suffix, floatFunction<math::TanhOp>(std::tanh));
  }

  for (const char *name :
       {"Int.Tensor", "Int.bool", "Int.float", "Int.Scalar", "Int.str", "IntImplicit"})
    registry.special(name, toInt);
  for (const char *name :
       {"Float.Tensor", "Float.bool", "Float.int", "Float.Scalar", "Float.str", "FloatImplicit"})
    registry.special(name, toFloat);
  for (const char *name : {"Bool.Tensor", "Bool.int", "Bool.float", "Bool.Scalar", "is_nonzero"})
    registry.special(name, toBool);
  for (const char *name : {"item", "ScalarImplicit", "_local_scalar_dense"})
    registry.special(name, item);
  for (const char *name :
       {"prim::NumToTensor.Scalar", "prim::NumToTensor.bool", "prim::NumToTensor"})
    registry.special(name, toTensor);
  registry.special("__range_length", rangeLength);
  registry.special("__derive_index", deriveIndex);
}
