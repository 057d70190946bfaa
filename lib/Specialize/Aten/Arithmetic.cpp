//===- Arithmetic.cpp - Rules of elementwise arithmetic on several tensors ===//

#include "../Builtins/Numbers.h"
#include "Families.h"
#include "TensorExpr.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// `alpha` of add and sub: a float needs a float result, a bool a bool one.
static bool checkAlpha(RuleContext &ctx, unsigned i, Type type) {
  if (ctx.operand(i).is(ValueKind::Float) && !isFloat(type)) {
    (void)ctx.raise(
        "For integral input tensors, argument alpha must not be a floating point number");
    return false;
  }
  return isFloat(type) || requireFits(ctx, i, type);
}

/// A core operation on operands of `type`; with a parameter in the type in which PyTorch computes.
template <typename OpTy>
static FailureOr<Value> applyIn(RuleContext &ctx, Type type, unsigned lhs, unsigned rhs) {
  auto isElements = [&](unsigned i) { return ctx.isTensor(i) && ctx.tensorType(i).getRank() > 0; };
  if (isElements(lhs) && isElements(rhs))
    return done(ctx, applyBinary<OpTy>(Expr(ctx, ctx.operandAs(lhs, type)),
                                       Expr(ctx, ctx.operandAs(rhs, type))));
  return done(
      ctx,
      applyBinary<OpTy>(computeOperand(ctx, lhs, type), computeOperand(ctx, rhs, type)).cast(type));
}

/// self + sign * alpha * other, where a missing alpha is 1.
template <typename OpTy>
static FailureOr<Value> addOrSub(RuleContext &ctx, unsigned self, unsigned other, unsigned alpha) {
  Type type = ctx.resultType({0, 1});
  bool isSub = std::is_same_v<OpTy, SubOp>;
  if (isSub && isBool(type))
    return ctx.raise("Subtraction, the `-` operator, with two bool tensors is not supported");
  if (isSub ? !requireNumber(ctx, type) : !requireReal(ctx, type))
    return failure();
  if (alpha >= ctx.size() || ctx.knownFloat(alpha) == 1.0)
    return applyIn<OpTy>(ctx, type, self, other);
  if (!checkAlpha(ctx, alpha, type))
    return failure();
  Expr scaled = computeOperand(ctx, other, type) * computeOperand(ctx, alpha, type);
  return done(ctx, applyBinary<OpTy>(computeOperand(ctx, self, type), scaled).cast(type));
}

/// add.Tensor, add.Scalar (self, other, alpha).
static FailureOr<Value> addRule(RuleContext &ctx) { return addOrSub<AddOp>(ctx, 0, 1, 2); }
/// sub.Tensor, sub.Scalar (self, other, alpha).
static FailureOr<Value> subRule(RuleContext &ctx) { return addOrSub<SubOp>(ctx, 0, 1, 2); }
/// rsub.Tensor, rsub.Scalar (self, other, alpha): other - alpha * self.
static FailureOr<Value> rsubRule(RuleContext &ctx) { return addOrSub<SubOp>(ctx, 1, 0, 2); }

/// A core operation on operands of the common type, to which numbers are rounded too.
template <typename OpTy, bool takesBool = false>
static FailureOr<Value> promoted(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (takesBool ? !requireReal(ctx, type) : !requireNumber(ctx, type))
    return failure();
  return done(
      ctx, applyBinary<OpTy>(Expr(ctx, ctx.operandAs(0, type)), Expr(ctx, ctx.operandAs(1, type))));
}

/// mul.Tensor, mul.Scalar (self, other).
static FailureOr<Value> mulRule(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (!requireReal(ctx, type))
    return failure();
  return applyIn<MulOp>(ctx, type, 0, 1);
}

/// A core operation on operands of the common type, integers being turned to f32.
template <typename OpTy> static FailureOr<Value> promotedFloat(RuleContext &ctx) {
  Type type = ctx.floatResultType({0, 1});
  if (!requireReal(ctx, type))
    return failure();
  return applyIn<OpTy>(ctx, type, 0, 1);
}

/// div.Tensor_mode, div.Scalar_mode (self, other, rounding_mode?).
static FailureOr<Value> divMode(RuleContext &ctx) {
  if (ctx.isNone(2))
    return promotedFloat<DivOp>(ctx);
  StringRef mode = ctx.constantString(2);
  if (mode == "floor")
    return promoted<FloorDivOp>(ctx);
  if (mode == "trunc")
    return promoted<TruncDivOp>(ctx);
  return ctx.raise("div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '" +
                   mode + "'");
}

/// pow.Tensor_Tensor, pow.Scalar (base, exponent).
static FailureOr<Value> powTensor(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (!requireNumber(ctx, type))
    return failure();
  return done(ctx, power(Expr(ctx, ctx.operandAs(0, type)), Expr(ctx, ctx.operandAs(1, type))));
}

/// pow.Tensor_Scalar(self, exponent), with PyTorch's short ways for common exponents, which differ
/// from the general function at infinities.
static FailureOr<Value> powScalar(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (!requireNumber(ctx, type))
    return failure();
  Expr x(ctx, ctx.operandAs(0, type));
  std::optional<double> exponent = ctx.knownFloat(1);
  if (!exponent || (isInt(type) && (*exponent < 0 || *exponent > 3))) {
    if (isInt(type) && exponent && *exponent < 0)
      return ctx.raise("Integers to negative integer powers are not allowed.");
    if (isInt(type) && !exponent) {
      Value zero = ctx.constantScalar(0, ctx.b.getI64Type());
      Value isPositive = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sge,
                                               ctx.scalarAs(1, ctx.b.getI64Type()), zero);
      ctx.check(isPositive, "Integers to negative integer powers are not allowed.");
    }
    if (isInt(type) && !requireFits(ctx, 1, type))
      return failure();
    return done(ctx, power(x, Expr(ctx, ctx.operandAs(1, type))));
  }
  if (*exponent == 0)
    return done(ctx, ctx.full(ctx.sizes(x.value()), 1.0, type));
  if (*exponent == 1)
    return done(ctx, x);
  if (*exponent == 2)
    return done(ctx, x * x);
  Expr wide = x.cast(computeType(type));
  if (*exponent == 3)
    return done(ctx, (wide * wide * wide).cast(type));
  if (*exponent == 0.5)
    return done(ctx, sqrt(wide).cast(type));
  if (*exponent == -0.5)
    return done(ctx, rsqrt(wide).cast(type));
  if (*exponent == -1)
    return done(ctx, (1.0 / wide).cast(type));
  if (*exponent == -2)
    return done(ctx, (1.0 / (wide * wide)).cast(type));
  return done(ctx, power(x, *exponent));
}

/// float_power: pow in f64.
static FailureOr<Value> floatPower(RuleContext &ctx) {
  if (!requireReal(ctx, ctx.resultType({0, 1})))
    return failure();
  Type f64 = ctx.b.getF64Type();
  return done(ctx, power(Expr(ctx, ctx.operandAs(0, f64)), Expr(ctx, ctx.operandAs(1, f64))));
}

/// maximum and the like for bool too: or, and.
template <typename OpTy> static FailureOr<Value> extremum(RuleContext &ctx) {
  return promoted<OpTy, /*takesBool=*/true>(ctx);
}

/// fmax, fmin: a NaN loses against a number.
template <typename OpTy> static FailureOr<Value> ignoringNan(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (!isFloat(type))
    return extremum<OpTy>(ctx);
  Expr a(ctx, ctx.operandAs(0, type)), b(ctx, ctx.operandAs(1, type));
  return done(ctx, where(isnan(a), b, where(isnan(b), a, applyBinary<OpTy>(a, b))));
}

/// clamp(self, min?, max?), clamp.Tensor, clamp_min, clamp_max: NaN stays NaN, max wins over min.
static FailureOr<Value> clampTo(RuleContext &ctx, unsigned low, unsigned high) {
  SmallVector<unsigned> operands = {0};
  if (!ctx.isNone(low))
    operands.push_back(low);
  if (!ctx.isNone(high))
    operands.push_back(high);
  if (operands.size() == 1)
    return ctx.raise("torch.clamp: At least one of 'min' or 'max' must not be None");
  Type type = ctx.resultType(operands);
  if (!requireNumber(ctx, type))
    return failure();
  if (llvm::any_of(operands, [&](unsigned i) { return !requireFits(ctx, i, type); }))
    return failure();
  Expr x(ctx, ctx.operandAs(0, type));
  if (!ctx.isNone(low))
    x = maximum(x, Expr(ctx, ctx.operandAs(low, type)));
  if (!ctx.isNone(high))
    x = minimum(x, Expr(ctx, ctx.operandAs(high, type)));
  return done(ctx, x);
}
static constexpr unsigned absent = 1000;
static FailureOr<Value> clamp(RuleContext &ctx) { return clampTo(ctx, 1, 2); }
static FailureOr<Value> clampMin(RuleContext &ctx) { return clampTo(ctx, 1, absent); }
static FailureOr<Value> clampMax(RuleContext &ctx) { return clampTo(ctx, absent, 1); }

/// addcmul(self, tensor1, tensor2, value): self + value * tensor1 * tensor2.
static FailureOr<Value> addcmul(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1, 2});
  if (!requireNumber(ctx, type))
    return failure();
  Expr self = computeOperand(ctx, 0, type), a = computeOperand(ctx, 1, type),
       b = computeOperand(ctx, 2, type);
  Expr product = ctx.knownFloat(3) == 1.0 ? a * b : computeOperand(ctx, 3, type) * a * b;
  return done(ctx, (self + product).cast(type));
}

/// addcdiv(self, tensor1, tensor2, value): self + value * tensor1 / tensor2, floats only.
static FailureOr<Value> addcdiv(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1, 2});
  if (ctx.failed())
    return failure();
  if (!isFloat(type))
    return ctx.raise("Integer division with addcdiv is no longer supported");
  Expr self = computeOperand(ctx, 0, type), a = computeOperand(ctx, 1, type),
       b = computeOperand(ctx, 2, type);
  if (ctx.knownFloat(3) != 1.0)
    a = computeOperand(ctx, 3, type) * a;
  return done(ctx, (self + a / b).cast(type));
}

/// lerp.Scalar, lerp.Tensor (self, end, weight): from the nearer end, as PyTorch does.
static FailureOr<Value> lerp(RuleContext &ctx) {
  Type type = ctx.tensorType(0).getElementType();
  if (ctx.failed())
    return failure();
  if (!isFloat(type) || ctx.tensorType(1).getElementType() != type)
    return ctx.raise("lerp: expected floating-point tensors of one dtype");
  Type wide = computeType(type);
  Expr a(ctx, ctx.operandAs(0, wide)), b(ctx, ctx.operandAs(1, wide)),
      w(ctx, ctx.operandAs(2, wide));
  Expr span = b - a;
  return done(ctx, where(abs(w) < 0.5, a + w * span, b - span * (1.0 - w)).cast(type));
}

/// ldexp.Tensor(self, other): self * 2^other.
static FailureOr<Value> ldexpRule(RuleContext &ctx) {
  Type exponentType = ctx.floatResultType({1});
  if (!requireReal(ctx, exponentType))
    return failure();
  Expr scale = exp2(Expr(ctx, ctx.operandAs(1, exponentType)).cast(computeType(exponentType)));
  Type selfType = ctx.tensorType(0).getElementType();
  Type type = isFloat(selfType) ? promoteTypes(selfType, exponentType) : exponentType,
       wide = computeType(type);
  return done(ctx, (Expr(ctx, ctx.operandAs(0, type)).cast(wide) * scale.cast(wide)).cast(type));
}

/// xlogy, special_xlog1py: self * log(other), 0 where self is 0, NaN where other is NaN.
template <bool plusOne> static FailureOr<Value> xlogy(RuleContext &ctx) {
  Type type = ctx.floatResultType({0, 1});
  if (!requireReal(ctx, type))
    return failure();
  Type wide = computeType(type);
  Expr x(ctx, ctx.operandAs(0, wide)), y(ctx, ctx.operandAs(1, wide));
  Expr product = where(x == 0.0, 0.0, x * (plusOne ? log1p(y) : log(y)));
  return done(ctx, where(isnan(y), y, product).cast(type));
}

/// hypot(self, other): sqrt(self^2 + other^2) without overflow on the way.
static FailureOr<Value> hypotRule(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (ctx.failed())
    return failure();
  if (!isFloat(type))
    return ctx.fail("hypot: expected a floating-point tensor");
  Type wide = computeType(type);
  Expr a = abs(Expr(ctx, ctx.operandAs(0, wide))), b = abs(Expr(ctx, ctx.operandAs(1, wide)));
  Expr large = maximum(a, b), ratio = minimum(a, b) / large;
  Expr result = where(large == 0.0, 0.0, large * sqrt(1.0 + ratio * ratio));
  return done(
      ctx, where(isinf(a) || isinf(b), std::numeric_limits<double>::infinity(), result).cast(type));
}

/// logaddexp, logaddexp2: log(exp(self) + exp(other)) without overflow.
template <bool base2> static FailureOr<Value> logaddexp(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (ctx.failed())
    return failure();
  if (!isFloat(type))
    return ctx.fail(ctx.name() + ": expected a floating-point tensor");
  Type wide = computeType(type);
  Expr a(ctx, ctx.operandAs(0, wide)), b(ctx, ctx.operandAs(1, wide));
  Expr distance = -abs(a - b);
  Expr rest = base2 ? log1p(exp2(distance)) * 1.44269504088896340736 : log1p(exp(distance));
  return done(ctx, where(isinf(a) && a == b, a, maximum(a, b) + rest).cast(type));
}

/// heaviside(self, values): 0 below 0, values at 0, 1 above.
static FailureOr<Value> heaviside(RuleContext &ctx) {
  Type type = ctx.tensorType(0).getElementType();
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  if (ctx.tensorType(1).getElementType() != type)
    return ctx.raise("heaviside is not yet implemented for tensors with different dtypes.");
  Expr x(ctx, ctx.tensor(0)), values(ctx, ctx.tensor(1));
  return done(ctx, where(x == 0.0, values, (x > 0.0).cast(type)));
}

/// bitwise_and, or, xor.
template <typename OpTy> static FailureOr<Value> bitwise(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (ctx.failed())
    return failure();
  if (!isa<IntegerType>(type))
    return ctx.raise(ctx.name() + ": expected integers or bool");
  return done(
      ctx, applyBinary<OpTy>(Expr(ctx, ctx.operandAs(0, type)), Expr(ctx, ctx.operandAs(1, type))));
}

/// bitwise_left_shift, bitwise_right_shift: integers.
template <typename OpTy> static FailureOr<Value> shift(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (ctx.failed())
    return failure();
  if (!isInt(type))
    return ctx.raise(ctx.name() + ": expected integers");
  return done(
      ctx, applyBinary<OpTy>(Expr(ctx, ctx.operandAs(0, type)), Expr(ctx, ctx.operandAs(1, type))));
}

/// where.self, where.ScalarSelf, where.ScalarOther, where.Scalar (condition, self, other).
static FailureOr<Value> whereRule(RuleContext &ctx) {
  Type type = ctx.resultType({1, 2});
  Expr condition = Expr(ctx, ctx.tensor(0)).cast(ctx.b.getI1Type());
  if (ctx.failed() || !requireFits(ctx, 1, type) || !requireFits(ctx, 2, type))
    return failure();
  return done(
      ctx, where(condition, Expr(ctx, ctx.operandAs(1, type)), Expr(ctx, ctx.operandAs(2, type))));
}

/// masked_fill.Scalar, masked_fill.Tensor (self, mask, value): the value in self's type.
static FailureOr<Value> maskedFill(RuleContext &ctx) {
  Value self = ctx.tensor(0), mask = ctx.tensor(1);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed())
    return failure();
  if (!isBool(getElementTypeOrSelf(mask)))
    return ctx.raise("masked_fill_ only supports boolean masks, but got mask with dtype " +
                     dtypeName(getElementTypeOrSelf(mask)));
  if (ctx.isTensor(2) && ctx.tensorType(2).getRank() != 0)
    return ctx.raise(
        "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with " +
        Twine(ctx.tensorType(2).getRank()) + " dimension(s).");
  Value value = ctx.operandAs(2, type);
  if (!requireFits(ctx, 2, type))
    return failure();
  return done(ctx, where(Expr(ctx, mask), Expr(ctx, value), Expr(ctx, self)));
}

/// fill.Scalar, fill.Tensor (self, value): self's sizes and type.
static FailureOr<Value> fill(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.isTensor(1) && ctx.tensorType(1).getRank() != 0)
    return ctx.raise("fill_ only supports 0-dimension value tensor but got tensor with " +
                     Twine(ctx.tensorType(1).getRank()) + " dimensions.");
  Value value = ctx.operandAs(1, getElementTypeOrSelf(self));
  if (ctx.failed() || !requireFits(ctx, 1, getElementTypeOrSelf(self)))
    return failure();
  return done(ctx, ctx.broadcastTo(value, ctx.sizes(self)));
}

/// zero(self): zeros of self's sizes and type.
static FailureOr<Value> zero(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  return done(ctx, ctx.full(ctx.sizes(self), 0.0, getElementTypeOrSelf(self)));
}

void specialize::registerArithmeticRules(RuleRegistry &registry) {
  for (StringRef overload : {"Tensor", "Scalar"}) {
    auto add = [&](StringRef name, ValueRule rule) {
      registry.value((name + "." + overload).str(), std::move(rule));
    };
    add("add", addRule);
    add("sub", subRule);
    add("rsub", rsubRule);
    add("mul", mulRule);
    add("div", promotedFloat<DivOp>);
    add("true_divide", promotedFloat<DivOp>);
    add("fmod", promoted<FmodOp>);
    add("remainder", promoted<RemainderOp>);
    add("copysign", promotedFloat<CopysignOp>);
    add("bitwise_and", bitwise<AndOp>);
    add("bitwise_or", bitwise<OrOp>);
    add("bitwise_xor", bitwise<XorOp>);
    add("__and__", bitwise<AndOp>);
    add("__or__", bitwise<OrOp>);
    add("__xor__", bitwise<XorOp>);
    add("__lshift__", shift<ShiftLeftOp>);
    add("__rshift__", shift<ShiftRightOp>);
    add("masked_fill", maskedFill);
    add("fill", fill);
    add("lerp", lerp);
  }
  registry.value("bitwise_left_shift.Tensor", shift<ShiftLeftOp>);
  registry.value("bitwise_left_shift.Tensor_Scalar", shift<ShiftLeftOp>);
  registry.value("bitwise_left_shift.Scalar_Tensor", shift<ShiftLeftOp>);
  registry.value("bitwise_right_shift.Tensor", shift<ShiftRightOp>);
  registry.value("bitwise_right_shift.Tensor_Scalar", shift<ShiftRightOp>);
  registry.value("bitwise_right_shift.Scalar_Tensor", shift<ShiftRightOp>);
  registry.value("remainder.Scalar_Tensor", promoted<RemainderOp>);
  registry.value("floor_divide", promoted<FloorDivOp>);
  registry.value("floor_divide.Scalar", promoted<FloorDivOp>);
  registry.value("div.Tensor_mode", divMode);
  registry.value("div.Scalar_mode", divMode);
  registry.value("atan2", promotedFloat<Atan2Op>);
  registry.value("pow.Tensor_Tensor", powTensor);
  registry.value("pow.Scalar", powTensor);
  registry.value("pow.Tensor_Scalar", powScalar);
  registry.value("float_power.Tensor_Tensor", floatPower);
  registry.value("float_power.Tensor_Scalar", floatPower);
  registry.value("float_power.Scalar", floatPower);
  registry.value("maximum", extremum<MaximumOp>);
  registry.value("minimum", extremum<MinimumOp>);
  registry.value("max.other", extremum<MaximumOp>);
  registry.value("min.other", extremum<MinimumOp>);
  registry.value("fmax", ignoringNan<MaximumOp>);
  registry.value("fmin", ignoringNan<MinimumOp>);
  registry.value("clamp", clamp);
  registry.value("clamp.Tensor", clamp);
  registry.value("clamp_min", clampMin);
  registry.value("clamp_min.Tensor", clampMin);
  registry.value("clamp_max", clampMax);
  registry.value("clamp_max.Tensor", clampMax);
  registry.value("addcmul", addcmul);
  registry.value("addcdiv", addcdiv);
  registry.value("ldexp.Tensor", ldexpRule);
  registry.value("xlogy.Tensor", xlogy<false>);
  registry.value("xlogy.Scalar_Self", xlogy<false>);
  registry.value("xlogy.Scalar_Other", xlogy<false>);
  registry.value("special_xlog1py", xlogy<true>);
  registry.value("hypot", hypotRule);
  registry.value("logaddexp", logaddexp<false>);
  registry.value("logaddexp2", logaddexp<true>);
  registry.value("heaviside", heaviside);
  registry.value("where.self", whereRule);
  registry.value("where.ScalarSelf", whereRule);
  registry.value("where.ScalarOther", whereRule);
  registry.value("where.Scalar", whereRule);
  registry.value("zero", zero);
}
