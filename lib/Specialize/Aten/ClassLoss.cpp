//===- ClassLoss.cpp - Rules of losses whose target names classes ---------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static Expr gather(const Expr &x, const Expr &index, int64_t dim) {
  if (x.isNull() || index.isNull())
    return Expr(x.ctx(), {});
  return Expr(x.ctx(), checkedValue<GatherOp>(x.ctx(), x.value(), index.value(),
                                              static_cast<uint64_t>(dim)));
}

static Expr take(const Expr &x, const Expr &index) {
  if (x.isNull() || index.isNull())
    return Expr(x.ctx(), {});
  return Expr(x.ctx(), checkedValue<TakeOp>(x.ctx(), x.value(), index.value(), uint64_t(0)));
}

static Expr unsqueeze(const Expr &x, int64_t dim) {
  return x.isNull() ? x : Expr(x.ctx(), x.ctx().unsqueeze(x.value(), dim));
}

static Expr logSoftmax(const Expr &x, int64_t dim) {
  if (x.isNull())
    return x;
  return Expr(x.ctx(), checkedValue<LogSoftmaxOp>(x.ctx(), x.value(), static_cast<uint64_t>(dim)));
}

/// Raises unless a condition holds for all elements.
static void requireAll(RuleContext &ctx, const Expr &condition, const Twine &message) {
  if (condition.isNull())
    return;
  Expr all = reduce(ReduceKind::And, condition, allDims(rankOf(condition)), false);
  if (!all.isNull())
    ctx.check(ctx.toScalar(all.value()), message);
}

namespace {
/// The operands of a loss of `[N, C, ...]` (or `[C]`) scores and a target of `[N, ...]` classes.
struct Classes {
  Expr scores; ///< in the type in which PyTorch computes
  Type type;   ///< that of the result
  int64_t dim; ///< which dimension is C
  Value weight;
  int64_t reduction;
};

/// The classes of the target, and whether they count.
struct Labels {
  Expr classes; ///< one of the classes, where they do not count the first
  Expr counts;
};
} // namespace

/// Reads self, weight? and reduction; checks dtypes and the weight's size.
static FailureOr<Classes> classOperands(RuleContext &ctx, unsigned weight, unsigned reduction) {
  Value self = ctx.tensor(0);
  int64_t kind = ctx.constantInt(reduction, 1);
  Value weights = ctx.optionalTensor(weight);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(self);
  int64_t rank = ctx.tensorType(0).getRank();
  if (!isFloat(type))
    return ctx.raise(ctx.name() + ": not implemented for '" + dtypeName(type) + "'");
  if (rank < 1)
    return ctx.raise(ctx.name() + ": Expected 1 or more dimensions");
  if (kind < 0 || kind > 2)
    return ctx.raise(Twine(kind) + " is not a valid value for reduction");
  Expr scores = Expr(ctx, self).cast(computeType(type));
  Classes result{scores, type, rank == 1 ? 0 : 1, {}, kind};
  if (weights) {
    if (getElementTypeOrSelf(weights) != type ||
        cast<RankedTensorType>(weights.getType()).getRank() != 1)
      return ctx.raise(ctx.name() + ": expected a weight vector of the input's dtype");
    if (!ctx.requireEqual(ctx.size(weights, 0), ctx.size(self, result.dim),
                          "weight tensor should be defined either for all classes or no classes"))
      return failure();
    result.weight = ctx.cast(weights, computeType(type));
  }
  return result;
}

/// The target's labels, checked: those that are `ignored` do not count, others are below C.
static FailureOr<Labels> labels(RuleContext &ctx, const Classes &in, unsigned target,
                                unsigned ignored) {
  Expr classes(ctx, ctx.tensor(target));
  Expr ignore(ctx, ctx.operandAs(ignored, ctx.b.getI64Type()));
  if (ctx.failed())
    return failure();
  if (!classes.elementType().isSignlessInteger(64))
    return ctx.raise("expected scalar type Long but found " + dtypeName(classes.elementType()));
  int64_t rank = rankOf(in.scores);
  if (rankOf(classes) != rank - 1)
    return ctx.raise(ctx.name() + ": expected a target of one dimension less than the input");
  for (int64_t i = 0; i < rank; ++i)
    if (i != in.dim &&
        !ctx.requireEqual(ctx.size(in.scores.value(), i),
                          ctx.size(classes.value(), i > in.dim ? i - 1 : i),
                          ctx.name() + ": the sizes of input and target do not match"))
      return failure();
  Expr counts = classes != ignore;
  Expr count = sizeTensor(ctx, ctx.size(in.scores.value(), in.dim), ctx.b.getI64Type());
  requireAll(ctx, !counts || (classes >= 0.0 && classes < count), "Target is out of bounds.");
  Labels result{where(counts, classes, 0.0), counts};
  if (result.classes.isNull())
    return failure();
  return result;
}

/// The negative score of each label, weighted, reduced.
static Expr nll(RuleContext &ctx, const Classes &in, const Labels &target, const Expr &scores) {
  Expr picked = gather(scores, unsqueeze(target.classes, in.dim), in.dim);
  if (picked.isNull())
    return picked;
  Expr loss = -Expr(ctx, ctx.squeeze(picked.value(), in.dim));
  Expr weight = target.counts.cast(scores.elementType());
  if (in.weight) {
    Expr ofLabel = take(Expr(ctx, in.weight), target.classes);
    loss = loss * ofLabel;
    weight = where(target.counts, ofLabel, 0.0);
  }
  loss = where(target.counts, loss, 0.0);
  if (loss.isNull() || in.reduction == 0)
    return loss;
  SmallVector<int64_t> all = allDims(rankOf(loss));
  return in.reduction == 2 ? sum(loss, all, false)
                           : sum(loss, all, false) / sum(weight, all, false);
}

/// nll_loss, nll_loss2d, nll_loss_nd (self, target, weight?, reduction, ignore_index).
static FailureOr<Value> nllLoss(RuleContext &ctx) {
  FailureOr<Classes> in = classOperands(ctx, 2, 3);
  if (failed(in))
    return failure();
  FailureOr<Labels> target = labels(ctx, *in, 1, 4);
  if (failed(target))
    return failure();
  return done(ctx, nll(ctx, *in, *target, in->scores).cast(in->type));
}

/// The weight of each class, shaped to broadcast along dimension `dim` of `rank`.
static Expr weightByClass(RuleContext &ctx, const Classes &in) {
  SmallVector<OpFoldResult> sizes(rankOf(in.scores), ctx.fold(1));
  sizes[in.dim] = ctx.size(in.weight, 0);
  return Expr(ctx, ctx.reshape(in.weight, sizes));
}

/// The cross entropy to probabilities, which `smoothing` brings nearer to equal ones.
static FailureOr<Value> probabilityLoss(RuleContext &ctx, const Classes &in, double smoothing) {
  Value target = ctx.tensor(1);
  for (int64_t i = 0; i < rankOf(in.scores); ++i)
    if (!ctx.requireEqual(ctx.size(in.scores.value(), i), ctx.size(target, i),
                          "cross_entropy_loss: the sizes of input and target do not match"))
      return failure();
  if (getElementTypeOrSelf(target) != in.type)
    return ctx.fail("cross_entropy_loss: probabilities of another dtype are not supported");
  OpFoldResult classes = ctx.size(in.scores.value(), in.dim);
  Expr wanted = Expr(ctx, target).cast(in.scores.elementType());
  if (smoothing > 0)
    wanted = wanted * (1 - smoothing) +
             wanted.constant(smoothing) / sizeTensor(ctx, classes, wanted.elementType());
  Expr loss = -(logSoftmax(in.scores, in.dim) * wanted);
  if (in.weight)
    loss = loss * weightByClass(ctx, in);
  if (loss.isNull())
    return failure();
  if (in.reduction == 0)
    return done(ctx, sum(loss, {in.dim}, false).cast(in.type));
  Expr total = sum(loss, allDims(rankOf(loss)), false);
  if (in.reduction == 1) {
    SmallVector<OpFoldResult> others = ctx.sizes(in.scores.value());
    others.erase(others.begin() + in.dim);
    total = total / sizeTensor(ctx, ctx.product(others), total.elementType());
  }
  return done(ctx, total.cast(in.type));
}

/// The share of the loss that label smoothing adds: the mean of all classes' negative scores.
static Expr smoothLoss(RuleContext &ctx, const Classes &in, const Labels &target,
                       const Expr &scores) {
  Expr loss = -sum(in.weight ? scores * weightByClass(ctx, in) : scores, {in.dim}, false);
  loss = where(target.counts, loss, 0.0);
  if (loss.isNull() || in.reduction == 0)
    return loss;
  SmallVector<int64_t> all = allDims(rankOf(loss));
  loss = sum(loss, all, false);
  if (in.reduction == 2)
    return loss;
  Expr weight = in.weight ? where(target.counts, take(Expr(ctx, in.weight), target.classes), 0.0)
                          : target.counts.cast(loss.elementType());
  return loss / sum(weight, all, false);
}

/// cross_entropy_loss(self, target, weight?, reduction, ignore_index, label_smoothing).
static FailureOr<Value> crossEntropyLoss(RuleContext &ctx) {
  FailureOr<Classes> in = classOperands(ctx, 2, 3);
  double smoothing = ctx.constantFloat(5, 0.0);
  RankedTensorType target = ctx.tensorType(1);
  if (failed(in) || ctx.failed())
    return failure();
  if (smoothing < 0 || smoothing > 1)
    return ctx.raise("label_smoothing must be between 0.0 and 1.0");
  if (isConstantIntValue(ctx.size(in->scores.value(), in->dim), 0))
    return ctx.fail("cross_entropy_loss: no classes are not supported");
  if (target.getRank() == rankOf(in->scores)) {
    if (!isFloat(target.getElementType()))
      return ctx.raise("Expected floating point type for target with class probabilities, got " +
                       dtypeName(target.getElementType()));
    return probabilityLoss(ctx, *in, smoothing);
  }
  FailureOr<Labels> label = labels(ctx, *in, 1, 4);
  if (failed(label))
    return failure();
  Expr scores = logSoftmax(in->scores, in->dim);
  Expr loss = nll(ctx, *in, *label, scores);
  if (smoothing > 0 && !scores.isNull()) {
    Expr count = sizeTensor(ctx, ctx.size(in->scores.value(), in->dim), scores.elementType());
    loss = loss * (1 - smoothing) +
           smoothLoss(ctx, *in, *label, scores) * (scores.constant(smoothing) / count);
  }
  return done(ctx, loss.cast(in->type));
}

//===----------------------------------------------------------------------===//
// Margins
//===----------------------------------------------------------------------===//

/// Scores as `[N, C]`, which may have no N or be a number; in the type in which PyTorch computes.
static Expr scoreMatrix(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed())
    return Expr(ctx, {});
  if (!isFloat(type) || ctx.tensorType(0).getRank() > 2) {
    (void)ctx.raise(ctx.name() + ": expected scores [N, C] of a floating-point type");
    return Expr(ctx, {});
  }
  while (cast<RankedTensorType>(self.getType()).getRank() < 2)
    self = ctx.unsqueeze(self, 0);
  return Expr(ctx, self).cast(computeType(type));
}

/// The losses of N samples by operand `reduction`; `isSingle` is one without a dimension.
static FailureOr<Value> reduceSamples(RuleContext &ctx, const Expr &loss, unsigned reduction,
                                      bool isSingle) {
  Type type = ctx.tensorType(0).getElementType();
  int64_t kind = ctx.constantInt(reduction, 1);
  if (loss.isNull())
    return failure();
  if (kind == 1)
    return done(ctx, meanOf(loss, {0}, false).cast(type));
  if (kind == 2 || isSingle)
    return done(ctx, sum(loss, {0}, false).cast(type));
  return done(ctx, loss.cast(type));
}

/// multi_margin_loss(self, target, p, margin, weight?, reduction): how far the other classes come
/// within the margin of the target's.
static FailureOr<Value> multiMarginLoss(RuleContext &ctx) {
  Expr scores = scoreMatrix(ctx), target(ctx, ctx.tensor(1));
  double p = ctx.constantFloat(2, 1), margin = ctx.constantFloat(3, 1);
  Value weight = ctx.optionalTensor(4);
  if (ctx.failed())
    return failure();
  bool isSingle = rankOf(target) == 0;
  if (p != 1 && p != 2)
    return ctx.raise("only p == 1 and p == 2 supported");
  if (!target.elementType().isSignlessInteger(64) || rankOf(target) > 1)
    return ctx.raise("multi_margin_loss: inconsistent target, expected a vector of Long");
  if (isSingle)
    target = unsqueeze(target, 0);
  Type wide = scores.elementType();
  OpFoldResult classes = ctx.size(scores.value(), 1);
  if (!ctx.requireEqual(ctx.size(target.value(), 0), ctx.size(scores.value(), 0),
                        "multi_margin_loss: inconsistent target size"))
    return failure();
  requireAll(ctx, target >= 0.0 && target < sizeTensor(ctx, classes, ctx.b.getI64Type()),
             "target out of range");
  Expr column = unsqueeze(target, 1);
  Expr z = margin - gather(scores, column, 1) + scores;
  Expr loss = p == 1 ? z : z * z;
  if (weight) {
    if (getElementTypeOrSelf(weight) != ctx.tensorType(0).getElementType() ||
        !ctx.requireEqual(ctx.size(weight, 0), classes, "inconsistent weight size"))
      return ctx.fail("multi_margin_loss: expected a weight vector of the input's dtype");
    loss = loss * unsqueeze(take(Expr(ctx, weight).cast(wide), target), 1);
  }
  if (loss.isNull())
    return failure();
  Expr other(ctx, IotaOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(),
                                 ArrayRef<OpFoldResult>{ctx.fold(1), classes}, 1));
  loss = where(z > 0.0 && other != column, loss, 0.0);
  return reduceSamples(ctx, sum(loss, {1}, false) / sizeTensor(ctx, classes, wide), 5, isSingle);
}

/// multilabel_margin_loss(self, target, reduction): how far the classes that are no labels come
/// within 1 of each label. Labels end at the first -1.
static FailureOr<Value> multilabelMarginLoss(RuleContext &ctx) {
  Expr scores = scoreMatrix(ctx), target(ctx, ctx.tensor(1));
  if (ctx.failed())
    return failure();
  bool isSingle = rankOf(target) <= 1;
  if (!target.elementType().isSignlessInteger(64) || rankOf(target) != ctx.tensorType(0).getRank())
    return ctx.raise("multilabel_margin_loss: inconsistent target, expected Long of the scores' "
                     "sizes");
  while (rankOf(target) < 2)
    target = unsqueeze(target, 0);
  for (int64_t i : {0, 1})
    if (!ctx.requireEqual(ctx.size(scores.value(), i), ctx.size(target.value(), i),
                          "multilabel_margin_loss: inconsistent target size"))
      return failure();
  Type wide = scores.elementType(), i64 = ctx.b.getI64Type();
  Expr classes = sizeTensor(ctx, ctx.size(scores.value(), 1), i64);
  requireAll(ctx, target >= -1.0 && target < classes, "target out of range");
  Expr isLabel = cumulative((target >= 0.0).cast(i64), ReduceKind::Prod, 1);
  Expr label = maximum(target, 0.0), none = label * 0.0;
  if (isLabel.isNull() || none.isNull())
    return failure();
  Expr hit(ctx, checkedValue<ScatterOp>(ctx, ScatterReduction::Amax, none.value(), label.value(),
                                        isLabel.value(), uint64_t(1)));
  // [N, label, class]
  Expr z = 1.0 - unsqueeze(gather(scores, label, 1), 2) + unsqueeze(scores, 1);
  Expr counts = unsqueeze(isLabel != 0.0, 2) && unsqueeze(hit == 0.0, 1) && z > 0.0;
  Expr loss = sum(where(counts, z, 0.0), {1, 2}, false) / classes.cast(wide);
  return reduceSamples(ctx, loss, 2, isSingle);
}

void specialize::registerClassLossRules(RuleRegistry &registry) {
  for (const char *name : {"nll_loss", "nll_loss2d", "nll_loss_nd"})
    registry.value(name, nllLoss);
  registry.value("cross_entropy_loss", crossEntropyLoss);
  registry.value("multi_margin_loss", multiMarginLoss);
  registry.value("multilabel_margin_loss", multilabelMarginLoss);
}
