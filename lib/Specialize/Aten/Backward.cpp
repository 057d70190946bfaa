//===- Backward.cpp - Rules of derivatives that traces contain ------------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// A formula of a gradient and a second tensor of its dtype, in the type in which PyTorch computes.
using GradientFormula = llvm::function_ref<Expr(const Expr &grad, const Expr &x)>;
static FailureOr<Value> gradient(RuleContext &ctx, unsigned second, GradientFormula formula) {
  Type type = ctx.resultType({0, second});
  if (!ctx.failed() && !isFloat(type))
    return ctx.fail(ctx.name() + ": expected floating-point tensors");
  Expr grad = computeOperand(ctx, 0, type), x = computeOperand(ctx, second, type);
  if (grad.isNull() || x.isNull())
    return failure();
  return done(ctx, formula(grad, x).cast(type));
}

static FailureOr<Value> sigmoidBackward(RuleContext &ctx) {
  return gradient(ctx, 1, [](const Expr &g, const Expr &y) { return g * (1.0 - y) * y; });
}
static FailureOr<Value> tanhBackward(RuleContext &ctx) {
  return gradient(ctx, 1, [](const Expr &g, const Expr &y) { return g * (1.0 - y * y); });
}
static FailureOr<Value> siluBackward(RuleContext &ctx) {
  return gradient(ctx, 1, [](const Expr &g, const Expr &x) {
    Expr s = sigmoid(x);
    return g * s * (x * (1.0 - s) + 1.0);
  });
}
/// threshold_backward(grad, self, threshold): that of relu for 0.
static FailureOr<Value> thresholdBackward(RuleContext &ctx) {
  double threshold = ctx.constantFloat(2);
  return gradient(ctx, 1, [=](const Expr &g, const Expr &x) {
    return where(x <= x.constant(threshold), 0.0, g);
  });
}
/// hardtanh_backward(grad, self, min_val, max_val).
static FailureOr<Value> hardtanhBackward(RuleContext &ctx) {
  double low = ctx.constantFloat(2), high = ctx.constantFloat(3);
  return gradient(ctx, 1, [=](const Expr &g, const Expr &x) {
    return where(x <= x.constant(low) || x >= x.constant(high), 0.0, g);
  });
}
/// leaky_relu_backward(grad, self, negative_slope, self_is_result).
static FailureOr<Value> leakyReluBackward(RuleContext &ctx) {
  double slope = ctx.constantFloat(2);
  return gradient(ctx, 1,
                  [=](const Expr &g, const Expr &x) { return where(x > 0.0, g, g * slope); });
}
/// gelu_backward(grad, self, approximate).
static FailureOr<Value> geluBackward(RuleContext &ctx) {
  StringRef approximate = ctx.constantString(2);
  if (ctx.failed())
    return failure();
  if (approximate == "none")
    return gradient(ctx, 1, [](const Expr &g, const Expr &x) {
      Expr cdf = (erf(x * M_SQRT1_2) + 1.0) * 0.5;
      Expr pdf = exp(x * x * -0.5) * (M_2_SQRTPI * M_SQRT1_2 * 0.5);
      return g * (cdf + x * pdf);
    });
  return gradient(ctx, 1, [](const Expr &g, const Expr &x) {
    constexpr double beta = M_SQRT2 * M_2_SQRTPI * 0.5, kappa = 0.044715;
    Expr inner = (x + x * x * x * kappa) * beta, t = tanh(inner);
    Expr left = (t + 1.0) * 0.5;
    Expr right = x * 0.5 * (1.0 - t * t) * ((x * x * (3 * kappa) + 1.0) * beta);
    return g * (left + right);
  });
}

/// _softmax_backward_data, _log_softmax_backward_data (grad, output, dim, input_dtype).
template <bool isLog> static FailureOr<Value> softmaxBackward(RuleContext &ctx) {
  int64_t rank = ctx.tensorType(0).getRank(), dim = ctx.dim(2, rank);
  Type type = ctx.dtype(3, ctx.tensorType(0).getElementType());
  if (ctx.failed())
    return failure();
  if (type != ctx.tensorType(0).getElementType() || type != ctx.tensorType(1).getElementType())
    return ctx.fail(ctx.name() + ": expected tensors of one dtype");
  SmallVector<int64_t> dims = rank ? SmallVector<int64_t>{dim} : SmallVector<int64_t>{};
  return gradient(ctx, 1, [&](const Expr &g, const Expr &y) {
    if (isLog)
      return g - exp(y) * sum(g, dims, true);
    Expr product = g * y;
    return product - y * sum(product, dims, true);
  });
}

/// native_dropout_backward(grad, mask, scale): grad * mask * scale.
static FailureOr<Value> dropoutBackward(RuleContext &ctx) {
  double scale = ctx.constantFloat(2);
  Type type = ctx.resultType({0, 1});
  Type result = isFloat(type) ? type : Type(ctx.b.getF32Type());
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  Expr product = computeOperand(ctx, 0, type) * computeOperand(ctx, 1, type);
  return done(ctx, (product.cast(computeType(result)) * scale).cast(result));
}

/// max_pool2d_with_indices_backward(grad, self, kernel, stride, padding, dilation, ceil, indices):
/// each gradient goes to the element that was the largest.
static FailureOr<Value> maxPoolBackward(RuleContext &ctx) {
  Value grad = ctx.tensor(0), self = ctx.tensor(1), indices = ctx.tensor(7);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(self);
  int64_t rank = ctx.tensorType(1).getRank();
  if (!isFloat(type) || getElementTypeOrSelf(grad) != type || ctx.tensorType(0).getRank() != rank ||
      ctx.tensorType(7).getRank() != rank || rank < 3 ||
      !getElementTypeOrSelf(indices).isSignlessInteger(64))
    return ctx.raise(ctx.name() + ": expected gradient, input and indices of one rank");
  auto flat = [&](Value tensor) {
    SmallVector<OpFoldResult> sizes = ctx.sizes(tensor), result(sizes.begin(), sizes.end() - 2);
    result.push_back(ctx.mul(sizes[rank - 2], sizes[rank - 1]));
    return result;
  };
  Value zeros = ctx.full(flat(self), 0.0, computeType(type));
  Value source = ctx.reshape(ctx.cast(grad, computeType(type)), flat(grad));
  if (ctx.failed())
    return failure();
  Expr sums(ctx, checkedValue<ScatterOp>(ctx, ScatterReduction::Sum, zeros,
                                         ctx.reshape(indices, flat(indices)), source,
                                         static_cast<uint64_t>(rank - 2)));
  if (sums.isNull())
    return failure();
  return done(ctx, ctx.reshape(sums.cast(type).value(), ctx.sizes(self)));
}

void specialize::registerBackwardRules(RuleRegistry &registry) {
  registry.value("sigmoid_backward", sigmoidBackward);
  registry.value("tanh_backward", tanhBackward);
  registry.value("silu_backward", siluBackward);
  registry.value("threshold_backward", thresholdBackward);
  registry.value("hardtanh_backward", hardtanhBackward);
  registry.value("leaky_relu_backward", leakyReluBackward);
  registry.value("gelu_backward", geluBackward);
  registry.value("_softmax_backward_data", softmaxBackward<false>);
  registry.value("_log_softmax_backward_data", softmaxBackward<true>);
  registry.value("native_dropout_backward", dropoutBackward);
  registry.value("max_pool2d_with_indices_backward", maxPoolBackward);
}
