//===- Activation.cpp - Rules of activation functions ---------------------===//
//
// Formulas as in PyTorch's CPU kernels; f16 and bf16 are computed in f32.

#include "../Builtins/Numbers.h"
#include "Families.h"
#include "TensorExpr.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// Runs a formula on float operand 0 in the type in which PyTorch computes.
template <typename Formula> static FailureOr<Value> onFloat(RuleContext &ctx, Formula formula) {
  Expr x = floatOperand(ctx, 0);
  if (ctx.failed())
    return failure();
  return done(ctx, formula(x).cast(ctx.tensorType(0).getElementType()));
}

/// relu(self): the maximum with 0.
static FailureOr<Value> relu(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(self)))
    return failure();
  return done(ctx, maximum(Expr(ctx, self), 0.0));
}

static FailureOr<Value> clampConstant(RuleContext &ctx, double low, double high) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  if (!isFloat(type) && (low != std::trunc(low) || high != std::trunc(high)))
    return ctx.fail("hardtanh: fractional limits of integers are not supported");
  return done(ctx, minimum(maximum(Expr(ctx, self), low), high));
}

/// hardtanh(self, min_val, max_val).
static FailureOr<Value> hardtanh(RuleContext &ctx) {
  double low = ctx.constantFloat(1), high = ctx.constantFloat(2);
  return clampConstant(ctx, low, high);
}

/// relu6(self).
static FailureOr<Value> relu6(RuleContext &ctx) { return clampConstant(ctx, 0, 6); }

/// hardsigmoid(self): relu6(x + 3) / 6.
static FailureOr<Value> hardsigmoid(RuleContext &ctx) {
  return onFloat(ctx, [](const Expr &x) { return minimum(maximum(x + 3.0, 0.0), 6.0) / 6.0; });
}

/// hardswish(self): x relu6(x + 3) / 6.
static FailureOr<Value> hardswish(RuleContext &ctx) {
  return onFloat(ctx, [](const Expr &x) { return x * minimum(maximum(x + 3.0, 0.0), 6.0) / 6.0; });
}

/// silu(self): x sigmoid(x).
static FailureOr<Value> silu(RuleContext &ctx) {
  return onFloat(ctx, [](const Expr &x) { return x * sigmoid(x); });
}

/// mish(self): x tanh(log(1 + e^x)).
static FailureOr<Value> mish(RuleContext &ctx) {
  return onFloat(ctx, [](const Expr &x) { return x * tanh(log1p(exp(x))); });
}

/// gelu(self, approximate): by erf, or by tanh.
static FailureOr<Value> gelu(RuleContext &ctx) {
  StringRef approximate = ctx.constantString(1);
  if (ctx.failed())
    return failure();
  if (approximate == "none")
    return onFloat(ctx,
                   [](const Expr &x) { return x * 0.5 * (1.0 + erf(x * 0.70710678118654752440)); });
  if (approximate != "tanh")
    return ctx.raise("approximate argument must be either none or tanh.");
  return onFloat(ctx, [](const Expr &x) {
    Expr inner = 0.79788456080286535588 * (x + 0.044715 * (x * x * x));
    return 0.5 * x * (1.0 + tanh(inner));
  });
}

static FailureOr<Value> eluOf(RuleContext &ctx, double alpha, double scale, double inputScale) {
  return onFloat(ctx, [=](const Expr &x) {
    return where(x <= 0.0, expm1(x * inputScale) * (alpha * scale), x * scale);
  });
}

/// elu(self, alpha, scale, input_scale).
static FailureOr<Value> elu(RuleContext &ctx) {
  double alpha = ctx.constantFloat(1), scale = ctx.constantFloat(2),
         inputScale = ctx.constantFloat(3);
  return eluOf(ctx, alpha, scale, inputScale);
}

/// celu(self, alpha): elu with input scale 1 / alpha.
static FailureOr<Value> celu(RuleContext &ctx) {
  double alpha = ctx.constantFloat(1);
  if (!ctx.failed() && alpha == 0)
    return ctx.raise("ZeroDivisionError: alpha cannot be 0 for CELU");
  return eluOf(ctx, alpha, 1.0, 1.0 / alpha);
}

/// selu(self).
static FailureOr<Value> selu(RuleContext &ctx) {
  return eluOf(ctx, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946, 1.0);
}

static FailureOr<Value> leaky(RuleContext &ctx, double slope) {
  return onFloat(ctx, [=](const Expr &x) { return where(x > 0.0, x, x * slope); });
}

/// leaky_relu(self, negative_slope).
static FailureOr<Value> leakyRelu(RuleContext &ctx) {
  double slope = ctx.constantFloat(1);
  return leaky(ctx, slope);
}

/// prelu(self, weight): a slope for all, or one for each channel (dimension 1).
static FailureOr<Value> prelu(RuleContext &ctx) {
  Value self = ctx.tensor(0), weight = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  auto type = cast<RankedTensorType>(self.getType());
  auto weightType = cast<RankedTensorType>(weight.getType());
  if (!isFloat(type.getElementType()) || weightType.getElementType() != type.getElementType())
    return ctx.fail("prelu: expected floats of one dtype");
  if (weightType.getRank() > 1)
    return ctx.raise("prelu: Expected `weight` to be a scalar or 1D tensor");
  if (weightType.getRank() == 1 && weightType.getDimSize(0) != 1) {
    if (type.getRank() == 0)
      return ctx.raise("prelu: Not allow zero-dim input tensor.");
    if (!ctx.requireEqual(ctx.size(weight, 0),
                          type.getRank() == 1 ? ctx.fold(1) : ctx.size(self, 1),
                          "Mismatch of parameter numbers and input channel size"))
      return failure();
    SmallVector<OpFoldResult> sizes(std::max<int64_t>(type.getRank() - 1, 1), ctx.fold(1));
    sizes.front() = ctx.size(weight, 0);
    weight = ctx.reshape(weight, sizes);
  } else if (weightType.getRank() == 1) {
    weight = ctx.reshape(weight, {});
  }
  Expr x(ctx, self), w(ctx, weight);
  return done(ctx, where(x > 0.0, x, w * x));
}

/// softplus(self, beta, threshold): log(1 + e^(beta x)) / beta, x where beta x is above the
/// threshold.
static FailureOr<Value> softplus(RuleContext &ctx) {
  double beta = ctx.constantFloat(1), threshold = ctx.constantFloat(2);
  return onFloat(ctx, [=](const Expr &x) {
    return where(x * beta > threshold, x, log1p(exp(x * beta)) / beta);
  });
}

/// log_sigmoid(self): min(x, 0) - log(1 + e^-|x|).
static FailureOr<Value> logSigmoid(RuleContext &ctx) {
  return onFloat(ctx, [](const Expr &x) { return minimum(x, 0.0) - log1p(exp(-abs(x))); });
}

/// hardshrink(self, lambd): 0 from -lambd to lambd.
static FailureOr<Value> hardshrink(RuleContext &ctx) {
  double lambd = ctx.constantFloat(1);
  return onFloat(ctx, [=](const Expr &x) { return where(x >= -lambd && x <= lambd, 0.0, x); });
}

/// softshrink(self, lambd): shrunk towards 0 by lambd.
static FailureOr<Value> softshrink(RuleContext &ctx) {
  double lambd = ctx.constantFloat(1);
  if (!ctx.failed() && !(lambd >= 0))
    return ctx.raise("lambda must be greater or equal to 0, but found to be " +
                     std::to_string(lambd));
  return onFloat(ctx, [=](const Expr &x) {
    return where(x > lambd, x - lambd, where(x < -lambd, x + lambd, x * 0.0));
  });
}

/// threshold(self, threshold, value): the value where self is at most the threshold.
static FailureOr<Value> threshold(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed() || !requireNumber(ctx, type) || !requireFits(ctx, 1, type) ||
      !requireFits(ctx, 2, type))
    return failure();
  Expr x(ctx, self), limit(ctx, ctx.operandAs(1, type)), value(ctx, ctx.operandAs(2, type));
  return done(ctx, where(x <= limit, value, x));
}

/// glu(self, dim): the first half times the sigmoid of the second.
static FailureOr<Value> glu(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  auto type = cast<RankedTensorType>(self.getType());
  if (ctx.failed())
    return failure();
  if (type.getRank() == 0)
    return ctx.raise("glu does not support 0-dimensional tensors");
  int64_t dim = ctx.dim(1, type.getRank());
  if (ctx.failed())
    return failure();
  if (!isFloat(type.getElementType()))
    return ctx.raise("glu: not implemented for '" + dtypeName(type.getElementType()) + "'");
  OpFoldResult size = ctx.size(self, dim), half = ctx.floorDiv(size, ctx.fold(2));
  if (!ctx.requireEqual(size, ctx.mul(half, ctx.fold(2)), "Halving dimension must be even"))
    return failure();
  Type wide = computeType(type.getElementType());
  Expr a = Expr(ctx, ctx.slice(self, dim, ctx.fold(0), half)).cast(wide);
  Expr b = Expr(ctx, ctx.slice(self, dim, half, half)).cast(wide);
  return done(ctx, (a * sigmoid(b)).cast(type.getElementType()));
}

void specialize::registerActivationRules(RuleRegistry &registry) {
  registry.value("celu", celu);
  registry.value("elu", elu);
  registry.value("gelu", gelu);
  registry.value("glu", glu);
  registry.value("hardshrink", hardshrink);
  registry.value("hardsigmoid", hardsigmoid);
  registry.value("hardswish", hardswish);
  registry.value("hardtanh", hardtanh);
  registry.value("leaky_relu", leakyRelu);
  registry.value("log_sigmoid", logSigmoid);
  registry.value("mish", mish);
  registry.value("prelu", prelu);
  registry.value("relu", relu);
  registry.value("relu6", relu6);
  registry.value("selu", selu);
  registry.value("silu", silu);
  registry.value("softplus", softplus);
  registry.value("softshrink", softshrink);
  registry.value("threshold", threshold);
}
