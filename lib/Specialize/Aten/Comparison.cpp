//===- Comparison.cpp - Rules of comparisons and logic --------------------===//

#include "Families.h"
#include "TensorExpr.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// eq, ne, lt, le, gt, ge (self, other): in the common type, to bool.
template <ComparePredicate predicate> static FailureOr<Value> comparison(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (!requireReal(ctx, type))
    return failure();
  return done(ctx, compare(predicate, Expr(ctx, ctx.operandAs(0, type)),
                           Expr(ctx, ctx.operandAs(1, type))));
}

/// logical_and, or, xor (self, other): of whether elements are not zero.
template <typename OpTy> static FailureOr<Value> logical(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)) ||
      !requireReal(ctx, getElementTypeOrSelf(other)))
    return failure();
  Type i1 = ctx.b.getI1Type();
  return done(ctx, applyBinary<OpTy>(Expr(ctx, self).cast(i1), Expr(ctx, other).cast(i1)));
}

/// |self - other| <= atol + rtol * |other|; infinities and integers only where equal or that close.
static Expr isClose(RuleContext &ctx) {
  Type type = ctx.tensorType(0).getElementType();
  double rtol = ctx.constantFloat(2), atol = ctx.constantFloat(3);
  bool equalNan = ctx.constantBool(4);
  Expr null(ctx, {});
  if (ctx.failed() || !requireReal(ctx, type))
    return null;
  if (ctx.tensorType(1).getElementType() != type) {
    (void)ctx.raise(Twine(ctx.name()) + ": " + dtypeName(type) + " did not match " +
                    dtypeName(ctx.tensorType(1).getElementType()));
    return null;
  }
  Expr a(ctx, ctx.tensor(0)), b(ctx, ctx.tensor(1));
  Expr close = a == b;
  if (equalNan && isFloat(type))
    close = close || (isnan(a) && isnan(b));
  if (rtol == 0 && atol == 0)
    return close;
  // Integers are compared in f32, as by PyTorch, except for the difference, which wraps around.
  Type wide = isFloat(type) ? type : Type(ctx.b.getF32Type());
  if (isBool(type)) {
    a = a.cast(wide);
    b = b.cast(wide);
  }
  Expr allowed = atol + abs(rtol * b.cast(wide));
  Expr error = abs(a - b).cast(wide);
  return close || (!(isnan(error) || isinf(error)) && error <= allowed);
}

/// isclose(self, other, rtol, atol, equal_nan).
static FailureOr<Value> isclose(RuleContext &ctx) { return done(ctx, isClose(ctx)); }

static SmallVector<int64_t> allDims(const Expr &x) {
  return llvm::to_vector(
      llvm::seq<int64_t>(0, cast<RankedTensorType>(x.value().getType()).getRank()));
}

/// allclose(self, other, rtol, atol, equal_nan) -> bool.
static LogicalResult allclose(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  Expr close = isClose(ctx);
  if (close.isNull())
    return failure();
  Expr all = reduce(ReduceKind::And, close, allDims(close), false);
  results.push_back(ctx.makeScalar(ctx.toScalar(all.value())));
  return success(!ctx.failed());
}

/// equal(self, other) -> bool: same sizes and elements.
static LogicalResult equalRule(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  Type type = promoteTypes(getElementTypeOrSelf(self), getElementTypeOrSelf(other));
  if (!requireReal(ctx, type))
    return failure();
  SmallVector<OpFoldResult> a = ctx.sizes(self), b = ctx.sizes(other);
  bool known = true;
  for (auto [x, y] : llvm::zip(a, b)) {
    Known equal = ctx.equal(x, y);
    if (equal == Known::No) {
      results.push_back(ctx.makeBool(false));
      return success();
    }
    known &= equal == Known::Yes;
  }
  if (a.size() != b.size()) {
    results.push_back(ctx.makeBool(false));
    return success();
  }
  if (!known)
    return ctx.fail("equal: tensors of sizes not known to be equal are not supported");
  Expr same = Expr(ctx, self).cast(type) == Expr(ctx, other).cast(type);
  Expr all = reduce(ReduceKind::And, same, allDims(same), false);
  results.push_back(ctx.makeScalar(ctx.toScalar(all.value())));
  return success(!ctx.failed());
}

/// isin.Tensor_Tensor(elements, test_elements, assume_unique, invert): any equal element.
static FailureOr<Value> isin(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  bool invert = ctx.constantBool(3);
  if (!requireReal(ctx, type))
    return failure();
  Value elements = ctx.operandAs(0, type), test = ctx.operandAs(1, type);
  if (ctx.failed())
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.sizes(elements);
  sizes.push_back(ctx.fold(1));
  Expr columns(ctx, ctx.reshape(elements, sizes));
  Expr row(ctx, ctx.reshape(test, {ctx.product(ctx.sizes(test))}));
  int64_t last = sizes.size() - 1;
  Expr found = reduce(ReduceKind::Or, columns == row, {last}, false);
  return done(ctx, invert ? !found : found);
}

void specialize::registerComparisonRules(RuleRegistry &registry) {
  for (StringRef overload : {"Tensor", "Scalar"}) {
    auto add = [&](StringRef name, ValueRule rule) {
      registry.value((name + "." + overload).str(), std::move(rule));
    };
    add("eq", comparison<ComparePredicate::EQ>);
    add("ne", comparison<ComparePredicate::NE>);
    add("lt", comparison<ComparePredicate::LT>);
    add("le", comparison<ComparePredicate::LE>);
    add("gt", comparison<ComparePredicate::GT>);
    add("ge", comparison<ComparePredicate::GE>);
  }
  registry.value("logical_and", logical<AndOp>);
  registry.value("logical_or", logical<OrOp>);
  registry.value("logical_xor", logical<XorOp>);
  registry.value("isclose", isclose);
  registry.special("allclose", allclose);
  registry.special("equal", equalRule);
  registry.value("isin.Tensor_Tensor", isin);
}
