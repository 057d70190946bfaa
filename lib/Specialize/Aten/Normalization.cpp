//===- Normalization.cpp - Rules of softmax and normalisation -------------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "TensorExpr.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// softmax.int, log_softmax.int (self, dim, dtype?).
template <typename OpTy> static FailureOr<Value> softmax(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  Type type = ctx.dtype(2, getElementTypeOrSelf(self));
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  if (!isFloat(type))
    return ctx.raise(ctx.name() + ": not implemented for '" + dtypeName(type) + "'");
  Value x = ctx.cast(self, type);
  if (rank == 0)
    x = ctx.unsqueeze(x, 0);
  Value result = checkedValue<OpTy>(ctx, x, static_cast<uint64_t>(dim));
  if (!result)
    return failure();
  return done(ctx, rank ? result : ctx.squeeze(result, 0));
}

/// _softmax, _log_softmax (self, dim, half_to_float).
template <typename OpTy> static FailureOr<Value> rawSoftmax(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self), dim = ctx.dim(1, rank);
  if (ctx.constantBool(2))
    return ctx.raise(ctx.name() + ": half_to_float is not supported on the CPU");
  if (ctx.failed())
    return failure();
  if (!isFloat(getElementTypeOrSelf(self)))
    return ctx.raise(ctx.name() + ": not implemented for '" +
                     dtypeName(getElementTypeOrSelf(self)) + "'");
  Value x = rank ? self : ctx.unsqueeze(self, 0);
  Value result = checkedValue<OpTy>(ctx, x, static_cast<uint64_t>(dim));
  if (!result)
    return failure();
  return done(ctx, rank ? result : ctx.squeeze(result, 0));
}

/// _safe_softmax(self, dim, dtype?): softmax, 0 where all of a row is -inf.
static FailureOr<Value> safeSoftmax(RuleContext &ctx) {
  FailureOr<Value> plain = softmax<SoftmaxOp>(ctx);
  if (failed(plain))
    return failure();
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self);
  SmallVector<int64_t> dims;
  if (rank)
    dims.push_back(ctx.dim(1, rank));
  Expr x = Expr(ctx, self).cast(getElementTypeOrSelf(*plain));
  Expr isEmpty = reduce(ReduceKind::Max, x, dims, true) == -std::numeric_limits<double>::infinity();
  return done(ctx, where(isEmpty, 0.0, Expr(ctx, *plain)));
}

//===----------------------------------------------------------------------===//
// Normalisation
//===----------------------------------------------------------------------===//

/// A 0-dim tensor that holds the number of elements along dims.
static Expr elementCount(const Expr &x, ArrayRef<int64_t> dims) {
  RuleContext &ctx = x.ctx();
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim : dims)
    sizes.push_back(ctx.size(x.value(), dim));
  OpFoldResult count = ctx.product(sizes);
  if (std::optional<int64_t> constant = getConstantIntValue(count))
    return x.constant(*constant);
  return Expr(ctx, ctx.fromScalar(ctx.intValue(count))).cast(x.elementType());
}

namespace {
/// Mean and biased variance, dimensions kept with size 1.
struct Statistics {
  Expr mean, variance;
};
} // namespace

static Statistics statistics(const Expr &x, ArrayRef<int64_t> dims) {
  if (x.isNull())
    return {x, x};
  Expr count = elementCount(x, dims);
  Expr mean = sum(x, dims, true) / count;
  // The sum has the rounding errors of large numbers where the mean is large; what is left over of
  // the distances from it has not.
  mean = mean + sum(x - mean, dims, true) / count;
  Expr distance = x - mean;
  return {mean, sum(distance * distance, dims, true) / count};
}

/// A vector of one number for each channel, shaped to broadcast along dimension 1 of `rank`.
static Expr byChannel(RuleContext &ctx, Value vector, int64_t rank) {
  SmallVector<OpFoldResult> sizes(std::max<int64_t>(rank - 1, 1), ctx.fold(1));
  sizes.front() = ctx.size(vector, 0);
  return Expr(ctx, ctx.reshape(vector, sizes));
}

/// The type of a normalisation's parameters, absent ones null, and of what is computed: that of the
/// input, or f32 where a half-precision input has all of them in f32.
static Type parameterType(Type input, ArrayRef<Value> parameters) {
  bool isWide = false;
  for (Value parameter : parameters) {
    if (!parameter)
      continue;
    if (!getElementTypeOrSelf(parameter).isF32())
      return input;
    isWide = true;
  }
  return isWide && (input.isF16() || input.isBF16()) ? Float32Type::get(input.getContext()) : input;
}

/// Fails unless a tensor, if there is one, is a vector of the type and size.
static bool requireVector(RuleContext &ctx, Value tensor, Type type, OpFoldResult size,
                          StringRef what) {
  if (!tensor)
    return true;
  if (rankOf(tensor) != 1 || getElementTypeOrSelf(tensor) != type) {
    (void)ctx.fail(Twine(ctx.name()) + ": expected " + what + " to be a vector of " +
                   dtypeName(type));
    return false;
  }
  return ctx.requireEqual(ctx.size(tensor, 0), size,
                          Twine(ctx.name()) + ": " + what +
                              " has not one element for each channel");
}

/// running = (1 - momentum) * running + momentum * fresh, computed in fresh's type, written in
/// place.
static bool updateRunning(RuleContext &ctx, unsigned operand, double momentum, const Expr &fresh) {
  if (ctx.isNone(operand))
    return true;
  Expr running(ctx, ctx.tensor(operand));
  Expr next = (running.cast(fresh.elementType()) * (1.0 - momentum) + fresh * momentum)
                  .cast(running.elementType());
  return !next.isNull() && ctx.writeTensor(ctx.operand(operand), next.value());
}

/// The unbiased variance from the biased one: times n / (n - 1).
static Expr unbiased(const Expr &x, const Expr &variance, ArrayRef<int64_t> dims) {
  if (variance.isNull())
    return variance;
  Expr count = elementCount(x, dims);
  return variance * (count / (count - 1.0));
}

/// What batch_norm and its like compute of (input, weight?, bias?, running_mean?, running_var?,
/// ...). `used` receives the batch's own statistics in training.
static LogicalResult normalizeBatch(RuleContext &ctx, bool training, double momentum, double eps,
                                    SmallVectorImpl<SpecValue> &results, Statistics &used) {
  Value input = ctx.tensor(0), weight = ctx.optionalTensor(1), bias = ctx.optionalTensor(2);
  Value mean = ctx.optionalTensor(3), variance = ctx.optionalTensor(4);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(input);
  int64_t rank = rankOf(input);
  if (!isFloat(type) || rank < 2)
    return ctx.fail("batch_norm: expected a floating-point input of rank 2 or more");
  OpFoldResult channels = ctx.size(input, 1);
  Type inner = parameterType(type, {weight, bias, mean, variance});
  if (!requireVector(ctx, weight, inner, channels, "weight") ||
      !requireVector(ctx, bias, inner, channels, "bias") ||
      !requireVector(ctx, mean, inner, channels, "running_mean") ||
      !requireVector(ctx, variance, inner, channels, "running_var"))
    return failure();
  if (training) {
    SmallVector<int64_t> dims = {0};
    for (int64_t i = 2; i < rank; ++i)
      dims.push_back(i);
    Expr x = Expr(ctx, input).cast(computeType(type));
    Statistics batch = statistics(x, dims);
    if (batch.variance.isNull())
      return failure();
    Expr flatMean(ctx, ctx.reshape(batch.mean.value(), {channels}));
    Expr flatVariance(ctx, ctx.reshape(batch.variance.value(), {channels}));
    if (!updateRunning(ctx, 3, momentum, flatMean) ||
        !updateRunning(ctx, 4, momentum, unbiased(x, flatVariance, dims)))
      return failure();
    used = {flatMean, flatVariance};
    mean = flatMean.value();
    variance = flatVariance.value();
    // The statistics are not rounded, so everything is in their type.
    input = x.value();
    for (Value *parameter : {&weight, &bias})
      if (*parameter)
        *parameter = ctx.cast(*parameter, x.elementType());
  }
  if (!mean || !variance)
    return ctx.raise("batch_norm: running_mean and running_var must be given in evaluation mode");
  if (!training)
    input = ctx.cast(input, inner);
  Value result = checkedValue<BatchNormOp>(ctx, input, mean, variance, weight, bias,
                                           ctx.b.getF64FloatAttr(eps));
  if (!result)
    return failure();
  results.push_back(ctx.makeTensor(ctx.cast(result, type)));
  return success();
}

/// batch_norm(input, weight?, bias?, running_mean?, running_var?, training, momentum, eps,
/// cudnn_enabled): in training mode with the batch's own statistics, which are then mixed into the
/// running ones.
static LogicalResult batchNorm(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  bool training = ctx.constantBool(5);
  double momentum = ctx.constantFloat(6), eps = ctx.constantFloat(7);
  Statistics used{Expr(ctx, {}), Expr(ctx, {})};
  return normalizeBatch(ctx, training, momentum, eps, results, used);
}

/// native_batch_norm, _native_batch_norm_legit: as batch_norm, and the mean and the inverse
/// deviation that training computes; in evaluation empty ones.
static LogicalResult nativeBatchNorm(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  bool updates = ctx.name().starts_with("_batch_norm_with_update");
  bool training = updates || ctx.constantBool(5);
  double momentum = ctx.constantFloat(updates ? 5 : 6), eps = ctx.constantFloat(updates ? 6 : 7);
  Value input = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(input);
  if (computeType(type) != type)
    return ctx.fail(ctx.name() + ": 16-bit floats are not supported");
  Statistics used{Expr(ctx, {}), Expr(ctx, {})};
  if (failed(normalizeBatch(ctx, training, momentum, eps, results, used)))
    return failure();
  for (bool isMean : {true, false}) {
    Value saved;
    if (!training)
      saved = ctx.full({ctx.fold(0)}, 0.0, type);
    else
      saved = (isMean ? used.mean : 1.0 / sqrt(used.variance + eps)).value();
    if (!saved || ctx.failed())
      return failure();
    results.push_back(ctx.makeTensor(saved));
  }
  if (updates)
    results.push_back(ctx.makeTensor(
        ctx.full({ctx.fold(0)}, 0.0, IntegerType::get(ctx.context(), 8, IntegerType::Unsigned))));
  return failure(ctx.failed());
}

/// instance_norm(input, weight?, bias?, running_mean?, running_var?, use_input_stats, momentum,
/// eps, cudnn_enabled): statistics of each sample and channel, or the running ones.
static LogicalResult instanceNorm(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  Value input = ctx.tensor(0), weight = ctx.optionalTensor(1), bias = ctx.optionalTensor(2);
  Value mean = ctx.optionalTensor(3), variance = ctx.optionalTensor(4);
  bool useInput = ctx.constantBool(5);
  double momentum = ctx.constantFloat(6), eps = ctx.constantFloat(7);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(input);
  int64_t rank = rankOf(input);
  if (!isFloat(type) || rank < 3)
    return ctx.fail("instance_norm: expected a floating-point input of rank 3 or more");
  OpFoldResult channels = ctx.size(input, 1);
  Type inner = parameterType(type, {weight, bias, mean, variance});
  if (!requireVector(ctx, weight, inner, channels, "weight") ||
      !requireVector(ctx, bias, inner, channels, "bias") ||
      !requireVector(ctx, mean, inner, channels, "running_mean") ||
      !requireVector(ctx, variance, inner, channels, "running_var"))
    return failure();
  if (!useInput) {
    if (!mean || !variance)
      return ctx.raise(
          "Expected running_mean and running_var to be defined when use_input_stats is false");
    Value result = checkedValue<BatchNormOp>(ctx, ctx.cast(input, inner), mean, variance, weight,
                                             bias, ctx.b.getF64FloatAttr(eps));
    if (!result)
      return failure();
    results.push_back(ctx.makeTensor(ctx.cast(result, type)));
    return success();
  }
  SmallVector<int64_t> dims;
  for (int64_t i = 2; i < rank; ++i)
    dims.push_back(i);
  Expr x = Expr(ctx, input).cast(computeType(type));
  Statistics own = statistics(x, dims);
  if (own.variance.isNull())
    return failure();
  auto overBatch = [&](const Expr &value) {
    Expr vectors(ctx, ctx.reshape(value.value(), {ctx.size(input, 0), channels}));
    return sum(vectors, {0}, false) / elementCount(vectors, {0});
  };
  if (!updateRunning(ctx, 3, momentum, overBatch(own.mean)) ||
      !updateRunning(ctx, 4, momentum, overBatch(unbiased(x, own.variance, dims))))
    return failure();
  Expr result = (x - own.mean) * rsqrt(own.variance + eps);
  if (weight)
    result = result * byChannel(ctx, weight, rank).cast(x.elementType());
  if (bias)
    result = result + byChannel(ctx, bias, rank).cast(x.elementType());
  if (result.isNull())
    return failure();
  results.push_back(ctx.makeTensor(result.cast(type).value()));
  return success(!ctx.failed());
}

/// Checks normalized_shape against the last dimensions; returns how many there are, 0 after a
/// failure.
static int64_t normalizedDims(RuleContext &ctx, Value input, unsigned operand) {
  SmallVector<OpFoldResult> shape = ctx.indexList(operand);
  if (ctx.failed())
    return 0;
  int64_t count = shape.size(), rank = rankOf(input);
  if (!count || count > rank) {
    (void)ctx.raise(Twine(ctx.name()) + ": expected normalized_shape to have 1 to " + Twine(rank) +
                    " dimensions, but got " + Twine(count));
    return 0;
  }
  for (int64_t i = 0; i < count; ++i)
    if (!ctx.requireEqual(shape[i], ctx.size(input, rank - count + i),
                          Twine(ctx.name()) +
                              ": normalized_shape differs from the input's last sizes"))
      return 0;
  return count;
}

/// layer_norm(input, normalized_shape, weight?, bias?, eps, cudnn_enable).
static FailureOr<Value> layerNorm(RuleContext &ctx) {
  Value input = ctx.tensor(0), weight = ctx.optionalTensor(2), bias = ctx.optionalTensor(3);
  double eps = ctx.constantFloat(4);
  if (ctx.failed())
    return failure();
  if (!isFloat(getElementTypeOrSelf(input)))
    return ctx.fail("layer_norm: not implemented for '" + dtypeName(getElementTypeOrSelf(input)) +
                    "'");
  int64_t count = normalizedDims(ctx, input, 1);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(input), inner = parameterType(type, {weight, bias});
  Value result =
      checkedValue<LayerNormOp>(ctx, ctx.cast(input, inner), weight, bias,
                                ctx.b.getI64IntegerAttr(count), ctx.b.getF64FloatAttr(eps));
  if (!result)
    return failure();
  return done(ctx, ctx.cast(result, type));
}

/// native_layer_norm(input, normalized_shape, weight?, bias?, eps) -> (output, mean, rstd).
static FailureOr<SmallVector<Value>> nativeLayerNorm(RuleContext &ctx) {
  FailureOr<Value> output = layerNorm(ctx);
  if (failed(output))
    return failure();
  Value input = ctx.tensor(0);
  int64_t rank = rankOf(input), count = ctx.indexList(1).size();
  Expr x = floatOperand(ctx, 0);
  Statistics own = statistics(x, llvm::to_vector(llvm::seq<int64_t>(rank - count, rank)));
  Expr deviation = rsqrt(own.variance + ctx.constantFloat(4));
  if (deviation.isNull())
    return failure();
  Type type =
      parameterType(getElementTypeOrSelf(input), {ctx.optionalTensor(2), ctx.optionalTensor(3)});
  return SmallVector<Value>{*output, own.mean.cast(type).value(), deviation.cast(type).value()};
}

/// group_norm(input, num_groups, weight?, bias?, eps, cudnn_enabled).
static FailureOr<Value> groupNorm(RuleContext &ctx) {
  Value input = ctx.tensor(0), weight = ctx.optionalTensor(2), bias = ctx.optionalTensor(3);
  int64_t groups = ctx.constantInt(1);
  double eps = ctx.constantFloat(4);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(input), inner = parameterType(type, {weight, bias});
  int64_t rank = rankOf(input);
  if (!isFloat(type) || rank < 2 || groups <= 0)
    return ctx.fail(
        "group_norm: expected a floating-point input of rank 2 or more, and groups above 0");
  OpFoldResult channels = ctx.size(input, 1);
  OpFoldResult perGroup = ctx.floorDiv(channels, ctx.fold(groups));
  if (!ctx.requireEqual(channels, ctx.mul(perGroup, ctx.fold(groups)),
                        "Expected number of channels in input to be divisible by num_groups") ||
      !requireVector(ctx, weight, inner, channels, "weight") ||
      !requireVector(ctx, bias, inner, channels, "bias"))
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.sizes(input);
  SmallVector<OpFoldResult> group = {perGroup};
  group.append(sizes.begin() + 2, sizes.end());
  Value rows = ctx.reshape(ctx.cast(input, computeType(type)),
                           {sizes[0], ctx.fold(groups), ctx.product(group)});
  Value normed = checkedValue<LayerNormOp>(ctx, rows, Value(), Value(), ctx.b.getI64IntegerAttr(1),
                                           ctx.b.getF64FloatAttr(eps));
  if (!normed)
    return failure();
  Expr result(ctx, ctx.reshape(normed, sizes));
  if (weight)
    result = result * byChannel(ctx, weight, rank).cast(result.elementType());
  if (bias)
    result = result + byChannel(ctx, bias, rank).cast(result.elementType());
  return done(ctx, result.cast(type));
}

/// native_group_norm(input, weight?, bias?, N, C, HxW, group, eps) -> (output, mean, inverse
/// deviation), these for each sample and group.
static FailureOr<SmallVector<Value>> nativeGroupNorm(RuleContext &ctx) {
  Value input = ctx.tensor(0), weight = ctx.optionalTensor(1), bias = ctx.optionalTensor(2);
  OpFoldResult batch = ctx.index(3), channels = ctx.index(4), inner = ctx.index(5);
  int64_t groups = ctx.constantInt(6);
  double eps = ctx.constantFloat(7);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(input);
  int64_t rank = rankOf(input);
  if (!isFloat(type) || computeType(type) != type || rank < 2 || groups <= 0)
    return ctx.fail("native_group_norm: expected an f32 or f64 input of rank 2 or more, and groups "
                    "above 0");
  OpFoldResult perGroup = ctx.floorDiv(channels, ctx.fold(groups));
  SmallVector<OpFoldResult> sizes = ctx.sizes(input);
  if (!ctx.requireEqual(sizes[0], batch, "native_group_norm: N is not the size of the batch") ||
      !ctx.requireEqual(sizes[1], channels, "native_group_norm: C is not the number of channels") ||
      !ctx.requireEqual(ctx.product(ArrayRef(sizes).drop_front(2)), inner,
                        "native_group_norm: HxW is not the number of places") ||
      !ctx.requireEqual(channels, ctx.mul(perGroup, ctx.fold(groups)),
                        "Expected number of channels in input to be divisible by num_groups") ||
      !requireVector(ctx, weight, type, channels, "weight") ||
      !requireVector(ctx, bias, type, channels, "bias"))
    return failure();
  Expr rows(ctx, ctx.reshape(input, {batch, ctx.fold(groups), ctx.mul(perGroup, inner)}));
  Statistics own = statistics(rows, {2});
  Expr inverse = 1.0 / sqrt(own.variance + eps), normed = (rows - own.mean) * inverse;
  if (normed.isNull())
    return failure();
  Expr result(ctx, ctx.reshape(normed.value(), sizes));
  if (weight)
    result = result * byChannel(ctx, weight, rank);
  if (bias)
    result = result + byChannel(ctx, bias, rank);
  if (result.isNull())
    return failure();
  return SmallVector<Value>{result.value(), ctx.squeeze(own.mean.value(), 2),
                            ctx.squeeze(inverse.value(), 2)};
}

/// rms_norm(input, normalized_shape, weight?, eps?): x / sqrt(mean(x^2) + eps) * weight.
static FailureOr<Value> rmsNorm(RuleContext &ctx) {
  Value input = ctx.tensor(0), weight = ctx.optionalTensor(2);
  Expr x = floatOperand(ctx, 0);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(input);
  const llvm::fltSemantics &semantics = cast<FloatType>(x.elementType()).getFloatSemantics();
  double epsilon =
      std::ldexp(1.0, 1 - static_cast<int>(llvm::APFloat::semanticsPrecision(semantics)));
  double eps = ctx.constantFloat(3, epsilon);
  int64_t count = normalizedDims(ctx, input, 1), rank = rankOf(input);
  if (ctx.failed())
    return failure();
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(rank - count, rank));
  Expr meanSquare = sum(x * x, dims, true) / elementCount(x, dims);
  Expr result = x * rsqrt(meanSquare + eps);
  if (weight)
    result = result * Expr(ctx, weight).cast(x.elementType());
  return done(ctx, result.cast(type));
}

void specialize::registerNormalizationRules(RuleRegistry &registry) {
  registry.value("softmax.int", softmax<SoftmaxOp>);
  registry.value("log_softmax.int", softmax<LogSoftmaxOp>);
  registry.value("_softmax", rawSoftmax<SoftmaxOp>);
  registry.value("_log_softmax", rawSoftmax<LogSoftmaxOp>);
  registry.value("_safe_softmax", safeSoftmax);
  registry.special("batch_norm", batchNorm);
  for (StringRef name :
       {"native_batch_norm", "_native_batch_norm_legit", "_batch_norm_with_update"})
    registry.special(name, nativeBatchNorm);
  registry.special("instance_norm", instanceNorm);
  registry.value("layer_norm", layerNorm);
  registry.values("native_layer_norm", nativeLayerNorm);
  registry.value("group_norm", groupNorm);
  registry.values("native_group_norm", nativeGroupNorm);
  registry.value("rms_norm", rmsNorm);
}
