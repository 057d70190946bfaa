//===- Scalars.cpp - Arithmetic on ints, floats and bools -----------------===//
//
// Source: torch/csrc/jit/runtime/register_prim_ops.cpp and register_special_ops.cpp.
//
//===----------------------------------------------------------------------===//
#include "../Interpreter/Walker.h"
#include "Numbers.h"
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

bool bothInt(RuleContext &ctx) {
  return !ctx.operand(0).is(ValueKind::Float) && !ctx.operand(1).is(ValueKind::Float);
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

constexpr const char *divisionByZero = "ZeroDivisionError: integer division or modulo by zero";
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
    if (b == 0)
      return ctx.raise(divisionByZero);
    if (op == Arithmetic::FloorDiv)
      results.push_back(ctx.makeInt(b == -1 ? wrap(-x) : llvm::divideFloorSigned(a, b)));
    else
      results.push_back(ctx.makeInt(floorMod(a, b)));
    return success();
  case Arithmetic::Fmod:
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
    return ctx.raise(divisionByZero);
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
    ctx.check(compare(arith::CmpIPredicate::ne, rhs, zero), divisionByZero);
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

/// `divmod`: the quotient is that of `//`; what is left keeps the divisor's sign.
LogicalResult divmod(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
    return failure();
  OpBuilder &b = ctx.b;
  Location loc = ctx.loc;
  if (bothInt(ctx)) {
    if (failed(arithmetic(ctx, Arithmetic::FloorDiv, results)))
      return failure();
    Value quotient = ctx.scalarValue(results.front());
    Value product = b.createOrFold<arith::MulIOp>(loc, quotient, asInt(ctx, 1));
    Value rest = b.createOrFold<arith::SubIOp>(loc, asInt(ctx, 0), product);
    return results.push_back(SpecValue::scalar(rest)), success();
  }
  Value lhs = asFloat(ctx, 0), rhs = asFloat(ctx, 1);
  Value zero = ctx.constantScalar(0, b.getF64Type());
  auto compare = [&](arith::CmpFPredicate predicate, Value left) {
    return b.createOrFold<arith::CmpFOp>(loc, predicate, left, zero);
  };
  ctx.check(compare(arith::CmpFPredicate::UNE, rhs), "ZeroDivisionError: float divmod()");
  if (ctx.failed())
    return failure();
  Value rest = b.createOrFold<arith::RemFOp>(loc, lhs, rhs);
  Value differ = b.createOrFold<arith::XOrIOp>(loc, compare(arith::CmpFPredicate::OLT, lhs),
                                               compare(arith::CmpFPredicate::OLT, rhs));
  Value shift =
      b.createOrFold<arith::AndIOp>(loc, differ, compare(arith::CmpFPredicate::UNE, rest));
  Value shifted = b.createOrFold<arith::AddFOp>(loc, rest, rhs);
  rest = b.createOrFold<arith::SelectOp>(loc, shift, shifted, rest);
  Value multiple = b.createOrFold<arith::SubFOp>(loc, lhs, rest);
  results.push_back(SpecValue::scalar(b.createOrFold<arith::DivFOp>(loc, multiple, rhs)));
  results.push_back(SpecValue::scalar(rest));
  return success();
}

/// `divmod` of an int and a float, which LibTorch takes to 32 bits before: the quotient is of f32
/// and becomes an int, what is left is computed in f64.
LogicalResult mixedDivmod(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
    return failure();
  OpBuilder &b = ctx.b;
  Location loc = ctx.loc;
  Type f32 = b.getF32Type(), f64 = b.getF64Type();
  auto narrow = [&](unsigned i, Type type) -> Value {
    if (ctx.operand(i).is(ValueKind::Float)) {
      Value value = b.createOrFold<arith::TruncFOp>(loc, f32, asFloat(ctx, i));
      return type == f32 ? value : b.createOrFold<arith::ExtFOp>(loc, f64, value);
    }
    Value value = b.createOrFold<arith::TruncIOp>(loc, b.getI32Type(), asInt(ctx, i));
    return b.createOrFold<arith::SIToFPOp>(loc, type, value);
  };
  Value lhs = narrow(0, f32), rhs = narrow(1, f32);
  ctx.check(b.createOrFold<arith::CmpFOp>(loc, arith::CmpFPredicate::UNE, rhs,
                                          ctx.constantScalar(0, f32)),
            "ZeroDivisionError: float divmod()");
  if (ctx.failed())
    return failure();
  Value quotient = b.createOrFold<math::FloorOp>(loc, b.createOrFold<arith::DivFOp>(loc, lhs, rhs));
  quotient = b.createOrFold<arith::ExtFOp>(loc, f64, quotient);
  auto compare = [&](arith::CmpFPredicate predicate, double limit) {
    return b.createOrFold<arith::CmpFOp>(loc, predicate, quotient, ctx.constantScalar(limit, f64));
  };
  ctx.check(b.createOrFold<arith::AndIOp>(loc, compare(arith::CmpFPredicate::OGE, -0x1p63),
                                          compare(arith::CmpFPredicate::OLT, 0x1p63)),
            "Cannot convert this float to an integer");
  if (ctx.failed())
    return failure();
  // An int has no negative zero.
  quotient = b.createOrFold<arith::AddFOp>(loc, quotient, ctx.constantScalar(0, f64));
  Value multiple = b.createOrFold<arith::MulFOp>(loc, quotient, narrow(1, f64));
  results.push_back(SpecValue::scalar(quotient));
  results.push_back(
      SpecValue::scalar(b.createOrFold<arith::SubFOp>(loc, narrow(0, f64), multiple)));
  return success();
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

/// `int()` of a float casts; that of a tensor, or of its element, raises for what is no int.
bool requireIntRange(RuleContext &ctx, const SpecValue &value) {
  if (!value.is(ValueKind::Float) || ctx.name() == "Int.float")
    return true;
  OpBuilder &b = ctx.b;
  auto compare = [&](arith::CmpFPredicate predicate, double limit) {
    return b.createOrFold<arith::CmpFOp>(ctx.loc, predicate, ctx.scalarValue(value),
                                         ctx.constantScalar(limit, b.getF64Type()));
  };
  Value inRange =
      b.createOrFold<arith::AndIOp>(ctx.loc, compare(arith::CmpFPredicate::OGE, -0x1p63),
                                    compare(arith::CmpFPredicate::OLT, 0x1p63));
  ctx.check(inRange, "value cannot be converted to type int64_t without overflow");
  return !ctx.failed();
}

LogicalResult toInt(RuleContext &ctx, Results &results) {
  if (std::optional<StringRef> text = ctx.operand(0).getString()) {
    int64_t value;
    if (text->trim().getAsInteger(10, value))
      return ctx.raise("invalid literal for int(): '" + *text + "'");
    return results.push_back(ctx.makeInt(value)), success();
  }
  std::optional<SpecValue> value = number(ctx);
  if (!value || !requireIntRange(ctx, *value))
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

/// LibTorch's length of a range; it wraps where the ends are more than 2^63 apart.
int64_t lengthOfRange(uint64_t start, uint64_t stop, uint64_t step) {
  bool up = static_cast<int64_t>(step) > 0;
  uint64_t low = up ? start : stop, high = up ? stop : start, size = up ? step : -step;
  if (static_cast<int64_t>(low) >= static_cast<int64_t>(high))
    return 0;
  return std::max<int64_t>(static_cast<int64_t>((high - low - 1) / size + 1), 0);
}

/// The same at run time, for any step.
Value lengthOfRange(RuleContext &ctx) {
  OpBuilder &b = ctx.b;
  Location loc = ctx.loc;
  auto number = [&](int64_t value) { return ctx.getWalker().constant(b.getI64IntegerAttr(value)); };
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) {
    return b.createOrFold<arith::CmpIOp>(loc, predicate, x, y);
  };
  Value start = asInt(ctx, 0), stop = asInt(ctx, 1), step = asInt(ctx, 2), zero = number(0);
  ctx.check(compare(arith::CmpIPredicate::ne, step, zero), "range() arg 3 must not be zero");
  Value up = compare(arith::CmpIPredicate::sgt, step, zero);
  auto choose = [&](Value ifUp, Value ifDown) {
    return b.createOrFold<arith::SelectOp>(loc, up, ifUp, ifDown);
  };
  Value low = choose(start, stop), high = choose(stop, start);
  Value size = choose(step, b.createOrFold<arith::SubIOp>(loc, zero, step));
  size =
      b.createOrFold<arith::MaxUIOp>(loc, size, number(1)); // The check does not stop a division.
  Value last =
      b.createOrFold<arith::SubIOp>(loc, b.createOrFold<arith::SubIOp>(loc, high, low), number(1));
  Value trips = b.createOrFold<arith::AddIOp>(loc, b.createOrFold<arith::DivUIOp>(loc, last, size),
                                              number(1));
  Value any = compare(arith::CmpIPredicate::slt, low, high);
  Value length = arith::SelectOp::create(b, loc, any, trips, zero);
  return arith::MaxSIOp::create(b, loc, length, zero);
}

/// `len(range(start, stop, step))`.
LogicalResult rangeLength(RuleContext &ctx, Results &results) {
  std::optional<int64_t> start = ctx.knownInt(0), stop = ctx.knownInt(1), step = ctx.knownInt(2);
  if (step == 0)
    return ctx.raise("range() arg 3 must not be zero");
  if (start && stop && step)
    return results.push_back(ctx.makeInt(lengthOfRange(*start, *stop, *step))), success();
  OpBuilder &b = ctx.b;
  if (step == 1 && start == 0) {
    // A negative number of trips is none for the loop as well.
    Operation *call = ctx.getWalker().current;
    if (llvm::all_of(call->getUsers(), [](Operation *user) { return isa<LoopOp>(user); })) {
      results.push_back(ctx.operand(1));
      return success();
    }
  }
  bool up = step && *step > 0;
  Value low = asInt(ctx, up ? 0 : 1), high = asInt(ctx, up ? 1 : 0);
  bool hasSize = step && *step != std::numeric_limits<int64_t>::min();
  if (!hasSize || !isNonNegative(low) || !isNonNegative(high)) {
    results.push_back(SpecValue::scalar(lengthOfRange(ctx)));
    return ctx.failed() ? failure() : success();
  }
  // Of sizes: nothing wraps.
  Value length = arith::SubIOp::create(b, ctx.loc, high, low);
  Value zero = ctx.getWalker().constant(b.getI64IntegerAttr(0));
  if (*step != 1 && *step != -1) {
    Value divisor = ctx.getWalker().constant(b.getI64IntegerAttr(std::abs(*step)));
    length = arith::CeilDivSIOp::create(b, ctx.loc, length, divisor);
  }
  results.push_back(SpecValue::scalar(arith::MaxSIOp::create(b, ctx.loc, length, zero)));
  return success();
}

/// `range(start, _, step)[index]`: operands index, start, step.
LogicalResult deriveIndex(RuleContext &ctx, Results &results) {
  std::optional<int64_t> index = ctx.knownInt(0), start = ctx.knownInt(1), step = ctx.knownInt(2);
  if (index && start && step) {
    uint64_t distance = static_cast<uint64_t>(*index) * static_cast<uint64_t>(*step);
    results.push_back(ctx.makeInt(static_cast<int64_t>(static_cast<uint64_t>(*start) + distance)));
    return success();
  }
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

  for (const char *overload : {".int", ".float"})
    registry.special(std::string("divmod") + overload, divmod);
  for (const char *overload : {".int_float", ".float_int"})
    registry.special(std::string("divmod") + overload, mixedDivmod);

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
