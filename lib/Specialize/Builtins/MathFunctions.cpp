//===- MathFunctions.cpp - Python's module math ---------------------------===//
//
// Source: torch/csrc/jit/runtime/register_prim_ops.cpp and register_special_ops.cpp.
//
//===----------------------------------------------------------------------===//
#include "../Interpreter/Walker.h"
#include "Numbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

using Results = SmallVectorImpl<SpecValue>;

//===----------------------------------------------------------------------===//
// Of one number
//===----------------------------------------------------------------------===//

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

/// A function of a float that is computed at compile time only.
SpecialRule knownFunction(double (*fold)(double)) {
  return [fold](RuleContext &ctx, Results &results) -> LogicalResult {
    double value = ctx.constantFloat(0);
    if (ctx.failed())
      return failure();
    return results.push_back(ctx.makeFloat(fold(value))), success();
  };
}

/// `isnan` and the like: whether a comparison of the absolute value with infinity holds.
SpecialRule classify(arith::CmpFPredicate predicate) {
  return [predicate](RuleContext &ctx, Results &results) -> LogicalResult {
    if (!isNumber(ctx, 0))
      return failure();
    Value magnitude = ctx.b.createOrFold<math::AbsFOp>(ctx.loc, asFloat(ctx, 0));
    Value infinity = ctx.constantScalar(INFINITY, ctx.b.getF64Type());
    Value holds = ctx.b.createOrFold<arith::CmpFOp>(ctx.loc, predicate, magnitude, infinity);
    return results.push_back(condition(ctx, holds)), success();
  };
}

/// `degrees` and `radians`: a product.
SpecialRule scaled(double factor) {
  return [factor](RuleContext &ctx, Results &results) -> LogicalResult {
    if (!isNumber(ctx, 0))
      return failure();
    Value product = ctx.b.createOrFold<arith::MulFOp>(
        ctx.loc, asFloat(ctx, 0), ctx.constantScalar(factor, ctx.b.getF64Type()));
    return results.push_back(SpecValue::scalar(product)), success();
  };
}

/// `modf`: the fraction and the whole part, both of the number's sign.
LogicalResult modfRule(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0))
    return failure();
  OpBuilder &b = ctx.b;
  Value value = asFloat(ctx, 0);
  Value whole = b.createOrFold<math::TruncOp>(ctx.loc, value);
  Value rest = b.createOrFold<arith::SubFOp>(ctx.loc, value, whole);
  // Nothing is left of infinity.
  Value magnitude = b.createOrFold<math::AbsFOp>(ctx.loc, value);
  Value infinity = ctx.constantScalar(INFINITY, b.getF64Type());
  Value isInfinite =
      b.createOrFold<arith::CmpFOp>(ctx.loc, arith::CmpFPredicate::OEQ, magnitude, infinity);
  Value zero = ctx.constantScalar(0, b.getF64Type());
  rest = b.createOrFold<arith::SelectOp>(ctx.loc, isInfinite, zero, rest);
  results.push_back(SpecValue::scalar(b.createOrFold<math::CopySignOp>(ctx.loc, rest, value)));
  results.push_back(SpecValue::scalar(whole));
  return success();
}

/// A constant of f64 or i64.
Value constantOf(RuleContext &ctx, double value) {
  return ctx.constantScalar(value, ctx.b.getF64Type());
}
Value constantOf(RuleContext &ctx, int64_t value) {
  return ctx.getWalker().constant(ctx.b.getI64IntegerAttr(value));
}

/// `frexp`: the fraction, of the exponent of 0.5, and the exponent; a denormal is scaled up before.
LogicalResult frexpRule(RuleContext &ctx, Results &results) {
  if (!isNumber(ctx, 0))
    return failure();
  if (std::optional<double> value = ctx.knownFloat(0)) {
    int exponent = 0;
    double fraction = std::frexp(*value, &exponent);
    results.push_back(ctx.makeFloat(fraction));
    results.push_back(ctx.makeInt(int64_t(std::isfinite(*value) ? exponent : 0)));
    return success();
  }
  ImplicitLocOpBuilder b(ctx.loc, ctx.b);
  auto i64 = [&](int64_t value) { return constantOf(ctx, value); };
  auto f64 = [&](double value) { return constantOf(ctx, value); };
  Value value = asFloat(ctx, 0), magnitude = math::AbsFOp::create(b, value);
  Value isTiny = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, magnitude, f64(0x1p-1022));
  Value scaled = arith::SelectOp::create(b, isTiny, f64(0x1p54), f64(1));
  Value bits = arith::BitcastOp::create(b, b.getI64Type(),
                                        arith::MulFOp::create(b, value, scaled).getResult());
  Value field = arith::AndIOp::create(b, arith::ShRUIOp::create(b, bits, i64(52)), i64(0x7ff));
  Value excess = arith::SelectOp::create(b, isTiny, i64(1022 + 54), i64(1022));
  Value exponent = arith::SubIOp::create(b, field, excess);
  bits = arith::AndIOp::create(b, bits, i64(static_cast<int64_t>(0x800fffffffffffffULL)));
  bits = arith::OrIOp::create(b, bits, i64(0x3fe0000000000000));
  Value fraction = arith::BitcastOp::create(b, b.getF64Type(), bits);
  // Zeros, infinities and NaN stay what they are.
  Value below = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, magnitude, f64(INFINITY));
  Value above = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, magnitude, f64(0));
  Value isUsual = arith::AndIOp::create(b, below, above);
  results.push_back(
      SpecValue::scalar(arith::SelectOp::create(b, isUsual, fraction, value).getResult()));
  results.push_back(
      SpecValue::scalar(arith::SelectOp::create(b, isUsual, exponent, i64(0)).getResult()));
  return success();
}

/// A loop of at most `trips` while `condition` holds; `body` gives the next condition and values.
SmallVector<Value>
loopOf(RuleContext &ctx, Value trips, Value condition, ArrayRef<Value> initial,
       function_ref<std::pair<Value, SmallVector<Value>>(Value trip, ValueRange values)> body) {
  SmallVector<Type> types = llvm::to_vector(TypeRange(ValueRange(initial)));
  auto loop = LoopOp::create(ctx.b, ctx.loc, types, trips, condition, initial);
  OpBuilder::InsertionGuard guard(ctx.b);
  types.insert(types.begin(), ctx.b.getI64Type());
  Block *block =
      ctx.b.createBlock(&loop.getBody(), {}, types, SmallVector<Location>(types.size(), ctx.loc));
  auto [next, values] = body(block->getArgument(0), block->getArguments().drop_front());
  ContinueOp::create(ctx.b, ctx.loc, next, values);
  return llvm::to_vector(ValueRange(loop.getResults()));
}

/// `factorial`, which wraps: 0 from 66 on.
LogicalResult factorial(RuleContext &ctx, Results &results) {
  if (std::optional<int64_t> value = ctx.knownInt(0)) {
    if (*value < 0)
      return ctx.raise("factorial() not defined for negative values");
    uint64_t product = 1;
    for (int64_t factor = 2; factor <= std::min<int64_t>(*value, 66); ++factor)
      product *= factor;
    return results.push_back(ctx.makeInt(static_cast<int64_t>(product))), success();
  }
  if (!isNumber(ctx, 0))
    return failure();
  OpBuilder &b = ctx.b;
  Value value = asInt(ctx, 0), one = constantOf(ctx, int64_t(1));
  ctx.check(arith::CmpIOp::create(b, ctx.loc, arith::CmpIPredicate::sge, value,
                                  constantOf(ctx, int64_t(0))),
            "factorial() not defined for negative values");
  Value trips = arith::MinSIOp::create(b, ctx.loc, value, constantOf(ctx, int64_t(66)));
  Value always = ctx.getWalker().constant(b.getBoolAttr(true));
  SmallVector<Value> product = loopOf(ctx, trips, always, {one}, [&](Value trip, ValueRange so) {
    Value factor = arith::AddIOp::create(b, ctx.loc, trip, one);
    Value next = arith::MulIOp::create(b, ctx.loc, so.front(), factor);
    return std::pair(always, SmallVector<Value>{next});
  });
  return results.push_back(SpecValue::scalar(product.front())), success();
}

//===----------------------------------------------------------------------===//
// Of two numbers
//===----------------------------------------------------------------------===//

/// A function of two floats; `build` computes it at run time.
template <typename BuildFn>
SpecialRule binaryFunction(double (*fold)(double, double), BuildFn build) {
  return [fold, build](RuleContext &ctx, Results &results) -> LogicalResult {
    if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
      return failure();
    std::optional<double> x = ctx.knownFloat(0), y = ctx.knownFloat(1);
    if (x && y)
      results.push_back(ctx.makeFloat(fold(*x, *y)));
    else
      results.push_back(SpecValue::scalar(build(ctx, asFloat(ctx, 0), asFloat(ctx, 1))));
    return success();
  };
}

template <typename OpTy> Value buildOp(RuleContext &ctx, Value lhs, Value rhs) {
  return OpTy::create(ctx.b, ctx.loc, lhs, rhs);
}

double logTo(double value, double base) { return std::log(value) / std::log(base); }

Value buildLogTo(RuleContext &ctx, Value value, Value base) {
  Value above = math::LogOp::create(ctx.b, ctx.loc, value);
  return arith::DivFOp::create(ctx.b, ctx.loc, above, math::LogOp::create(ctx.b, ctx.loc, base));
}

/// IEEE's remainder, of the nearest multiple, as fdlibm computes it: nothing is rounded.
Value buildRemainder(RuleContext &ctx, Value lhs, Value rhs) {
  OpBuilder &b = ctx.b;
  Location loc = ctx.loc;
  auto twice = [&](Value x) -> Value { return arith::AddFOp::create(b, loc, x, x); };
  Value divisor = math::AbsFOp::create(b, loc, rhs);
  Value rest = math::AbsFOp::create(b, loc, lhs);
  rest = arith::RemFOp::create(b, loc, rest, twice(divisor));
  auto lowered = [&](Value x) -> Value { return arith::SubFOp::create(b, loc, x, divisor); };
  Value above = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, twice(rest), divisor);
  Value once = arith::SelectOp::create(b, loc, above, lowered(rest), rest);
  Value still = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, twice(once), divisor);
  Value both = arith::AndIOp::create(b, loc, above, still);
  Value result = arith::SelectOp::create(b, loc, both, lowered(once), once);
  Value sign = math::CopySignOp::create(b, loc, ctx.constantScalar(1, b.getF64Type()), lhs);
  return arith::MulFOp::create(b, loc, result, sign);
}

/// `gcd`, by Euclid on the magnitudes, which fit an unsigned int.
LogicalResult gcd(RuleContext &ctx, Results &results) {
  std::optional<int64_t> x = ctx.knownInt(0), y = ctx.knownInt(1);
  if (x && y) {
    auto magnitude = [](int64_t value) {
      return value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    };
    uint64_t common = std::gcd(magnitude(*x), magnitude(*y));
    return results.push_back(ctx.makeInt(static_cast<int64_t>(common))), success();
  }
  if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
    return failure();
  OpBuilder &b = ctx.b;
  Location loc = ctx.loc;
  Value zero = constantOf(ctx, int64_t(0)), one = constantOf(ctx, int64_t(1));
  auto magnitude = [&](Value value) -> Value {
    return arith::MaxSIOp::create(b, loc, value, arith::SubIOp::create(b, loc, zero, value));
  };
  auto isSome = [&](Value value) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, value, zero);
  };
  Value first = magnitude(asInt(ctx, 0)), second = magnitude(asInt(ctx, 1));
  SmallVector<Value> common =
      loopOf(ctx, constantOf(ctx, INT64_MAX), isSome(second), {first, second},
             [&](Value, ValueRange pair) {
               Value divisor = arith::MaxUIOp::create(b, loc, pair[1], one); // never 0 in the loop
               Value rest = arith::RemUIOp::create(b, loc, pair[0], divisor);
               return std::pair(isSome(rest), SmallVector<Value>{pair[1], rest});
             });
  return results.push_back(SpecValue::scalar(common.front())), success();
}

/// `ldexp(value, exponent)`: of the exponent the lowest 32 bits count, as in LibTorch. Multiplied
/// in steps, of which only the last rounds.
LogicalResult ldexpRule(RuleContext &ctx, Results &results) {
  std::optional<double> known = ctx.knownFloat(0);
  std::optional<int64_t> power = ctx.knownInt(1);
  if (known && power) {
    results.push_back(ctx.makeFloat(std::ldexp(*known, static_cast<int>(*power))));
    return success();
  }
  if (!isNumber(ctx, 0) || !isNumber(ctx, 1))
    return failure();
  ImplicitLocOpBuilder b(ctx.loc, ctx.b);
  auto i64 = [&](int64_t value) { return constantOf(ctx, value); };
  Value value = asFloat(ctx, 0), exponent = asInt(ctx, 1);
  exponent = arith::ExtSIOp::create(b, b.getI64Type(),
                                    arith::TruncIOp::create(b, b.getI32Type(), exponent));
  auto step = [&](arith::CmpIPredicate beyond, int64_t limit, double factor, int64_t by) {
    Value is = arith::CmpIOp::create(b, beyond, exponent, i64(limit));
    Value times = arith::SelectOp::create(b, is, constantOf(ctx, factor), constantOf(ctx, 1.0));
    value = arith::MulFOp::create(b, value, times);
    exponent = arith::AddIOp::create(b, exponent, arith::SelectOp::create(b, is, i64(by), i64(0)));
  };
  for (int i = 0; i < 2; ++i) {
    step(arith::CmpIPredicate::sgt, 1023, 0x1p1023, -1023);
    step(arith::CmpIPredicate::slt, -1022, 0x1p-969, 969);
  }
  exponent = arith::MaxSIOp::create(b, arith::MinSIOp::create(b, exponent, i64(1023)), i64(-1022));
  Value bits = arith::ShLIOp::create(b, arith::AddIOp::create(b, exponent, i64(1023)), i64(52));
  Value last = arith::BitcastOp::create(b, b.getF64Type(), bits);
  results.push_back(SpecValue::scalar(arith::MulFOp::create(b, value, last).getResult()));
  return success();
}

/// What has overloads for ints, floats and any number. Without an overload these are the tensor
/// operators.
void registerUnary(RuleRegistry &registry, StringRef name, const SpecialRule &rule) {
  for (const char *overload : {".int", ".float", ".Scalar"})
    registry.special((name + overload).str(), rule);
}

} // namespace

void specialize::registerMathRules(RuleRegistry &registry) {
  auto unary = [&](StringRef name, const SpecialRule &rule) {
    registerUnary(registry, name, rule);
  };
  unary("floor", roundToInt<math::FloorOp>(std::floor));
  unary("ceil", roundToInt<math::CeilOp>(std::ceil));
  unary("round", floatFunction<math::RoundEvenOp>(std::nearbyint));
  unary("fabs", floatFunction<math::AbsFOp>(std::fabs));
  unary("sqrt", floatFunction<math::SqrtOp>(std::sqrt));
  unary("exp", floatFunction<math::ExpOp>(std::exp));
  unary("expm1", floatFunction<math::ExpM1Op>(std::expm1));
  unary("log", floatFunction<math::LogOp>(std::log));
  unary("log1p", floatFunction<math::Log1pOp>(std::log1p));
  unary("log2", floatFunction<math::Log2Op>(std::log2));
  unary("log10", floatFunction<math::Log10Op>(std::log10));
  unary("sin", floatFunction<math::SinOp>(std::sin));
  unary("cos", floatFunction<math::CosOp>(std::cos));
  unary("tan", floatFunction<math::TanOp>(std::tan));
  unary("asin", floatFunction<math::AsinOp>(std::asin));
  unary("acos", floatFunction<math::AcosOp>(std::acos));
  unary("atan", floatFunction<math::AtanOp>(std::atan));
  unary("sinh", floatFunction<math::SinhOp>(std::sinh));
  unary("cosh", floatFunction<math::CoshOp>(std::cosh));
  unary("tanh", floatFunction<math::TanhOp>(std::tanh));
  unary("asinh", floatFunction<math::AsinhOp>(std::asinh));
  unary("acosh", floatFunction<math::AcoshOp>(std::acosh));
  unary("atanh", floatFunction<math::AtanhOp>(std::atanh));
  unary("erf", floatFunction<math::ErfOp>(std::erf));
  unary("erfc", floatFunction<math::ErfcOp>(std::erfc));
  unary("gamma", knownFunction(std::tgamma));
  unary("lgamma", knownFunction(std::lgamma));
  double pi = std::acos(-1.0);
  unary("degrees", scaled(180.0 / pi));
  unary("radians", scaled(pi / 180.0));
  registry.special("isnan.float", classify(arith::CmpFPredicate::UNO));
  registry.special("isinf.float", classify(arith::CmpFPredicate::OEQ));
  registry.special("isfinite.float", classify(arith::CmpFPredicate::OLT));
  registry.special("modf", modfRule);
  registry.special("frexp", frexpRule);
  registry.special("factorial.int", factorial);
  registry.special("gcd.int", gcd);
  registry.special("ldexp", ldexpRule);

  auto binary = [&](StringRef name, const SpecialRule &rule) {
    for (const char *overload : {".int", ".float", ".int_float", ".float_int", ".Scalar_Scalar"})
      registry.special((name + overload).str(), rule);
  };
  SpecialRule copysign = binaryFunction(std::copysign, buildOp<math::CopySignOp>);
  SpecialRule nearest = binaryFunction(std::remainder, buildRemainder);
  binary("atan2", binaryFunction(std::atan2, buildOp<math::Atan2Op>));
  binary("copysign", copysign);
  binary("mathremainder", nearest);
  registry.special("copysign", copysign);
  registry.special("mathremainder", nearest);
  for (const char *overload : {"int_int", "float_float", "int_float", "float_int", "Scalar_Scalar"})
    registry.special((Twine("log.") + overload).str(), binaryFunction(logTo, buildLogTo));
}
