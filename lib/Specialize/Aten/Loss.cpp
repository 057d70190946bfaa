//===- Loss.cpp - Rules of losses of two tensors --------------------------===//

#include "Families.h"
#include "ReductionHelpers.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// The end of a loss: its elements, their mean or their sum, as operand `reduction` says (0, 1, 2).
static FailureOr<Value> reduced(RuleContext &ctx, const Expr &loss, unsigned reduction, Type type) {
  int64_t kind = ctx.constantInt(reduction, 1);
  if (loss.isNull())
    return failure();
  SmallVector<int64_t> dims = allDims(rankOf(loss));
  switch (kind) {
  case 0:
    return done(ctx, loss.cast(type));
  case 1:
    if (!isFloat(type))
      return ctx.raise("mean(): could not infer output dtype. Input dtype must be either a "
                       "floating point or complex dtype. Got: " +
                       dtypeName(type));
    return done(ctx, meanOf(loss, dims, false).cast(type));
  case 2:
    return done(ctx, sum(loss, dims, false).cast(isFloat(type) ? type : Type(ctx.b.getI64Type())));
  default:
    return ctx.raise(Twine(kind) + " is not a valid value for reduction");
  }
}

/// The common type of operands, raising unless it is a float.
static Type floatType(RuleContext &ctx, ArrayRef<unsigned> operands) {
  Type type = ctx.resultType(operands);
  if (!ctx.failed() && !isFloat(type))
    (void)ctx.raise(ctx.name() + ": not implemented for '" + dtypeName(type) + "'");
  return type;
}

/// mse_loss(self, target, reduction).
static FailureOr<Value> mseLoss(RuleContext &ctx) {
  Type type = floatType(ctx, {0, 1});
  if (ctx.failed())
    return failure();
  Expr distance = computeOperand(ctx, 0, type) - computeOperand(ctx, 1, type);
  return reduced(ctx, distance * distance, 2, type);
}

/// l1_loss(self, target, reduction): of integers too.
static FailureOr<Value> l1Loss(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  Expr loss = abs(computeOperand(ctx, 0, type) - computeOperand(ctx, 1, type));
  if (isInt(type))
    loss = loss.cast(ctx.constantInt(2, 1) == 2 ? ctx.b.getI64Type() : type);
  return reduced(ctx, loss, 2, type);
}

/// smooth_l1_loss(self, target, reduction, beta): quadratic below beta.
static FailureOr<Value> smoothL1Loss(RuleContext &ctx) {
  double beta = ctx.constantFloat(3, 1.0);
  if (beta < 0)
    return ctx.raise("smooth_l1_loss does not support negative values for beta.");
  if (beta == 0)
    return l1Loss(ctx);
  Type type = floatType(ctx, {0, 1});
  if (ctx.failed())
    return failure();
  Expr z = abs(computeOperand(ctx, 0, type) - computeOperand(ctx, 1, type));
  return reduced(ctx, where(z < z.constant(beta), z * 0.5 * z / beta, z - 0.5 * beta), 2, type);
}

/// huber_loss(self, target, reduction, delta): quadratic below delta.
static FailureOr<Value> huberLoss(RuleContext &ctx) {
  double delta = ctx.constantFloat(3, 1.0);
  if (delta <= 0)
    return ctx.raise("huber_loss does not support non-positive values for delta.");
  Type type = floatType(ctx, {0, 1});
  if (ctx.failed())
    return failure();
  Expr z = abs(computeOperand(ctx, 0, type) - computeOperand(ctx, 1, type));
  return reduced(ctx, where(z < z.constant(delta), z * 0.5 * z, (z - 0.5 * delta) * delta), 2,
                 type);
}

/// a * log(b), 0 where a is 0 and b is not NaN.
static Expr xlogy(const Expr &a, const Expr &b) {
  return where(isnan(b), b, where(a == 0.0, 0.0, a * log(b)));
}

/// kl_div(self, target, reduction, log_target).
static FailureOr<Value> klDiv(RuleContext &ctx) {
  Type type = ctx.floatResultType({0, 1});
  bool isLog = ctx.constantBool(3, false);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  Expr input = computeOperand(ctx, 0, type), target = computeOperand(ctx, 1, type);
  Expr loss = isLog ? exp(target) * (target - input) : xlogy(target, target) - target * input;
  return reduced(ctx, loss, 2, type);
}

/// Raises unless two tensors have the same sizes.
static bool requireSameSizes(RuleContext &ctx, Value a, Value b) {
  auto rank = cast<RankedTensorType>(a.getType()).getRank();
  if (rank != cast<RankedTensorType>(b.getType()).getRank()) {
    (void)ctx.fail(Twine(ctx.name()) + ": input and target of different ranks are not supported");
    return false;
  }
  for (int64_t i = 0; i < rank; ++i)
    if (!ctx.requireEqual(ctx.size(a, i), ctx.size(b, i),
                          Twine(ctx.name()) + ": input and target differ in dimension " + Twine(i)))
      return false;
  return true;
}

/// binary_cross_entropy(self, target, weight?, reduction): logarithms are at least -100.
static FailureOr<Value> binaryCrossEntropy(RuleContext &ctx) {
  Value self = ctx.tensor(0), target = ctx.tensor(1);
  Type type = floatType(ctx, {0, 1});
  if (ctx.failed())
    return failure();
  if (getElementTypeOrSelf(self) != type || getElementTypeOrSelf(target) != type)
    return ctx.raise("binary_cross_entropy: Found dtype " +
                     dtypeName(getElementTypeOrSelf(target)) + " but expected " +
                     dtypeName(getElementTypeOrSelf(self)));
  if (!requireSameSizes(ctx, self, target))
    return failure();
  Expr x = computeOperand(ctx, 0, type), y = computeOperand(ctx, 1, type);
  Expr inRange = reduce(ReduceKind::And, x >= 0.0 && x <= 1.0, allDims(rankOf(x)), false);
  if (inRange.isNull())
    return failure();
  ctx.check(ctx.toScalar(inRange.value()), "all elements of input should be between 0 and 1");
  Expr loss = (y - 1.0) * maximum(log1p(-x), -100.0) - y * maximum(log(x), -100.0);
  if (!ctx.isNone(2)) {
    if (ctx.tensorType(2).getElementType() != type)
      return ctx.fail("binary_cross_entropy: a weight of another dtype is not supported");
    loss = loss * computeOperand(ctx, 2, type);
  }
  return reduced(ctx, loss, 3, type);
}

/// binary_cross_entropy_with_logits(self, target, weight?, pos_weight?, reduction).
static FailureOr<Value> binaryCrossEntropyWithLogits(RuleContext &ctx) {
  Type type = floatType(ctx, {0, 1});
  if (ctx.failed())
    return failure();
  for (unsigned i : {2u, 3u})
    if (!ctx.isNone(i) && ctx.tensorType(i).getElementType() != type)
      return ctx.fail(ctx.name() + ": a weight of another dtype is not supported");
  Expr x = computeOperand(ctx, 0, type), y = computeOperand(ctx, 1, type);
  Expr logSigmoid = minimum(x, 0.0) - log1p(exp(-abs(x)));
  if (!ctx.isNone(3))
    logSigmoid = ((computeOperand(ctx, 3, type) - 1.0) * y + 1.0) * logSigmoid;
  Expr loss = (1.0 - y) * x - logSigmoid;
  if (!ctx.isNone(2))
    loss = loss * computeOperand(ctx, 2, type);
  return reduced(ctx, loss, 4, type);
}

/// soft_margin_loss(self, target, reduction): log(1 + e^(-target self)).
static FailureOr<Value> softMarginLoss(RuleContext &ctx) {
  Type type = floatType(ctx, {0, 1});
  if (ctx.failed())
    return failure();
  Expr x = computeOperand(ctx, 0, type), y = computeOperand(ctx, 1, type);
  return reduced(ctx, log1p(exp(-y * x)), 2, type);
}

/// hinge_embedding_loss(self, target, margin, reduction): self where the target is not -1, and
/// margin - self, at least 0, where it is not 1.
static FailureOr<Value> hingeEmbeddingLoss(RuleContext &ctx) {
  Type type = floatType(ctx, {0});
  double margin = ctx.constantFloat(2, 1.0);
  Expr target(ctx, ctx.tensor(1));
  if (ctx.failed())
    return failure();
  if (!requireNumber(ctx, target.elementType()))
    return failure();
  Expr x = computeOperand(ctx, 0, type);
  Expr loss = where(target != target.constant(1), maximum(margin - x, 0.0), 0.0) +
              where(target != target.constant(-1), x, 0.0);
  return reduced(ctx, loss, 3, type);
}

/// margin_ranking_loss(input1, input2, target, margin, reduction): of integers in f32.
static FailureOr<Value> marginRankingLoss(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1, 2});
  double margin = ctx.constantFloat(3, 0.0);
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  if (type.isUnsignedInteger() || !requireNumber(ctx, ctx.tensorType(2).getElementType()))
    return ctx.fail("margin_ranking_loss: unsigned integers are not supported");
  Expr difference = computeOperand(ctx, 0, type) - computeOperand(ctx, 1, type);
  Expr loss = -computeOperand(ctx, 2, type) * difference;
  Type result = isFloat(type) ? type : Type(ctx.b.getF32Type());
  return reduced(ctx, maximum(loss.cast(computeType(result)) + margin, 0.0), 4, result);
}

/// poisson_nll_loss(input, target, log_input, full, eps, reduction).
static FailureOr<Value> poissonNllLoss(RuleContext &ctx) {
  Type type = ctx.floatResultType({0, 1});
  bool isLog = ctx.constantBool(2), isFull = ctx.constantBool(3);
  double eps = ctx.constantFloat(4);
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  Expr x = computeOperand(ctx, 0, type), y = computeOperand(ctx, 1, type);
  Expr loss = isLog ? exp(x) - y * x : x - y * log(x + eps);
  if (isFull) {
    // Stirling's formula for the logarithm of the target's factorial.
    Expr stirling = y * log(y) - y + log(y * (2 * M_PI)) * 0.5;
    loss = loss + where(y <= y.constant(1.0), 0.0, stirling);
  }
  return reduced(ctx, loss, 5, type);
}

//===----------------------------------------------------------------------===//
// Distances of vectors
//===----------------------------------------------------------------------===//

/// The norm of a - b + eps along the last dimension. Operands have been converted to `type`, in
/// which they are subtracted.
static Expr pairwise(RuleContext &ctx, unsigned a, unsigned b, double p, double eps, bool keepdim) {
  Type type = ctx.resultType({a, b});
  if (ctx.failed() || !requireNumber(ctx, type))
    return Expr(ctx, {});
  Type result = isFloat(type) ? computeType(type) : Type(ctx.b.getF32Type());
  Expr difference = computeOperand(ctx, a, type) - computeOperand(ctx, b, type);
  if (difference.isNull())
    return difference;
  int64_t rank = rankOf(difference);
  if (!rank) {
    (void)ctx.fail(Twine(ctx.name()) + ": tensors of rank 0 are not supported");
    return Expr(ctx, {});
  }
  return vectorNorm(difference.cast(result) + eps, p, {rank - 1}, keepdim);
}

/// pairwise_distance(x1, x2, p, eps, keepdim).
static FailureOr<Value> pairwiseDistance(RuleContext &ctx) {
  Type type = ctx.floatResultType({0, 1});
  double p = ctx.constantFloat(2, 2.0), eps = ctx.constantFloat(3, 1e-6);
  return done(ctx, pairwise(ctx, 0, 1, p, eps, ctx.constantBool(4, false)).cast(type));
}

/// triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction).
static FailureOr<Value> tripletMarginLoss(RuleContext &ctx) {
  Type type = ctx.floatResultType({0, 1, 2});
  double margin = ctx.constantFloat(3, 1.0), p = ctx.constantFloat(4, 2.0),
         eps = ctx.constantFloat(5, 1e-6);
  bool swap = ctx.constantBool(6, false);
  if (ctx.failed())
    return failure();
  int64_t rank = ctx.tensorType(0).getRank();
  if (ctx.tensorType(1).getRank() != rank || ctx.tensorType(2).getRank() != rank)
    return ctx.raise("The anchor, positive, and negative tensors are expected to have the same "
                     "number of dimensions");
  for (unsigned i : {1u, 2u})
    if (ctx.tensorType(i).getElementType() != ctx.tensorType(0).getElementType())
      return ctx.fail("triplet_margin_loss: tensors of several dtypes are not supported");
  if (margin <= 0)
    return ctx.raise("margin must be greater than 0");
  Expr positive = pairwise(ctx, 0, 1, p, eps, false), negative = pairwise(ctx, 0, 2, p, eps, false);
  if (swap)
    negative = minimum(negative, pairwise(ctx, 1, 2, p, eps, false));
  return reduced(ctx, maximum(positive + margin - negative, 0.0), 7, type);
}

/// cosine_similarity(x1, x2, dim, eps): of the vectors divided by their norms, at least eps.
static FailureOr<Value> cosineSimilarity(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  double eps = ctx.constantFloat(3, 1e-8);
  if (ctx.failed())
    return failure();
  if (!isFloat(type))
    return ctx.raise("expected common dtype to be floating point, yet common dtype is " +
                     dtypeName(type));
  Value operands[] = {computeOperand(ctx, 0, type).value(), computeOperand(ctx, 1, type).value()};
  SmallVector<OpFoldResult> sizes = ctx.broadcastSizes(operands);
  if (ctx.failed())
    return failure();
  int64_t rank = sizes.size(), dim = ctx.dim(2, rank);
  Expr product(ctx, {});
  for (Value operand : operands) {
    Expr x(ctx, ctx.broadcastTo(operand, sizes));
    if (x.isNull())
      return failure();
    SmallVector<int64_t> dims = rank ? SmallVector<int64_t>{dim} : SmallVector<int64_t>{};
    Expr unit = x / maximum(vectorNorm(x, 2, dims, true), eps);
    product = product.value() ? product * unit : unit;
  }
  SmallVector<int64_t> dims = rank ? SmallVector<int64_t>{dim} : SmallVector<int64_t>{};
  return done(ctx, sum(product, dims, false).cast(type));
}

/// cosine_embedding_loss(input1, input2, target, margin, reduction): 1 - cos where the target is 1,
/// cos - margin, at least 0, where it is -1. Integers and bool are multiplied as such.
static FailureOr<Value> cosineEmbeddingLoss(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  double margin = ctx.constantFloat(3, 0.0);
  Expr target(ctx, ctx.tensor(2));
  if (ctx.failed() || !requireReal(ctx, type) || !requireReal(ctx, target.elementType()))
    return failure();
  int64_t dim = rankOf(target);
  if (dim > 1 || ctx.tensorType(0).getRank() != dim + 1 || ctx.tensorType(1).getRank() != dim + 1)
    return ctx.raise("cosine_embedding_loss: 0D or 1D target tensor expected, and inputs of one "
                     "dimension more");
  Type result = isFloat(type) ? type : Type(ctx.b.getF32Type()), wide = computeType(result);
  if (isFloat(type) && getElementTypeOrSelf(ctx.tensor(0)) != getElementTypeOrSelf(ctx.tensor(1)))
    return ctx.fail("cosine_embedding_loss: inputs of two dtypes are not supported");
  auto dot = [&](unsigned i, unsigned j) {
    Expr a = computeOperand(ctx, i, type), b = computeOperand(ctx, j, type);
    Expr product = isBool(type) ? a && b : a * b;
    return sum(isFloat(type) ? product : product.cast(ctx.b.getI64Type()), {dim}, false).cast(wide);
  };
  Expr cos = dot(0, 1) / sqrt((dot(0, 0) + 1e-12) * (dot(1, 1) + 1e-12));
  Expr number = isBool(target.elementType()) ? target.cast(ctx.b.getI64Type()) : target;
  Expr loss =
      where(number == 1.0, 1.0 - cos, 0.0) + where(number == -1.0, maximum(cos - margin, 0.0), 0.0);
  return reduced(ctx, loss, 4, result);
}

void specialize::registerLossRules(RuleRegistry &registry) {
  registry.value("mse_loss", mseLoss);
  registry.value("l1_loss", l1Loss);
  registry.value("smooth_l1_loss", smoothL1Loss);
  registry.value("huber_loss", huberLoss);
  registry.value("kl_div", klDiv);
  registry.value("binary_cross_entropy", binaryCrossEntropy);
  registry.value("binary_cross_entropy_with_logits", binaryCrossEntropyWithLogits);
  registry.value("soft_margin_loss", softMarginLoss);
  registry.value("hinge_embedding_loss", hingeEmbeddingLoss);
  registry.value("margin_ranking_loss", marginRankingLoss);
  registry.value("poisson_nll_loss", poissonNllLoss);
  registry.value("pairwise_distance", pairwiseDistance);
  registry.value("triplet_margin_loss", tripletMarginLoss);
  registry.value("cosine_similarity", cosineSimilarity);
  registry.value("cosine_embedding_loss", cosineEmbeddingLoss);
}
