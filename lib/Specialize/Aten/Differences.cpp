//===- Differences.cpp - Rules of numerical gradients ---------------------===//
#include "Families.h"
#include "TensorExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// The gradient along a dimension of a step `h`: central differences, one-sided ones of `order` (1
/// or 2) at both ends.
static Value gradientAlong(RuleContext &ctx, const Expr &x, int64_t dim, const Expr &h,
                           int64_t order) {
  if (x.isNull() || h.isNull())
    return {};
  OpFoldResult size = ctx.size(x.value(), dim), one = ctx.fold(1);
  Value enough = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt,
                                       ctx.intValue(size), ctx.intValue(ctx.fold(order)));
  ctx.check(enough, "torch.gradient expected each dimension size to be at least edge_order+1");
  if (ctx.failed())
    return {};
  auto at = [&](int64_t first) {
    return Expr(ctx, ctx.slice(x.value(), dim, ctx.fold(first), one));
  };
  auto behind = [&](int64_t back) {
    return Expr(ctx, ctx.slice(x.value(), dim, ctx.sub(size, ctx.fold(back)), one));
  };
  OpFoldResult inner = ctx.sub(size, ctx.fold(2));
  Expr after(ctx, ctx.slice(x.value(), dim, ctx.fold(2), inner));
  Expr before(ctx, ctx.slice(x.value(), dim, ctx.fold(0), inner));
  Expr center = (after - before) / (h * 2.0);
  Expr first = order == 1 ? (at(1) - at(0)) / h : (at(0) * -1.5 + at(1) * 2.0 - at(2) * 0.5) / h;
  Expr last = order == 1 ? (behind(1) - behind(2)) / h
                         : (behind(3) * 0.5 - behind(2) * 2.0 + behind(1) * 1.5) / h;
  if (first.isNull() || center.isNull() || last.isNull())
    return {};
  return ConcatOp::create(ctx.b, ctx.loc, ValueRange{first.value(), center.value(), last.value()},
                          static_cast<uint64_t>(dim));
}

/// gradient(self, spacing, dim, edge_order): `hasSpacing` where there is one, a number for all
/// dimensions or one for each.
template <bool hasSpacing> static FailureOr<SmallVector<Value>> gradient(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  unsigned dimOperand = 1 + hasSpacing;
  int64_t order = ctx.constantInt(dimOperand + 1, 1);
  if (ctx.failed())
    return failure();
  int64_t rank = cast<RankedTensorType>(self.getType()).getRank();
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (ctx.operand(dimOperand).is(ValueKind::Int))
    dims = {ctx.dim(dimOperand, rank)};
  else if (!ctx.isNone(dimOperand))
    dims = ctx.dimList(dimOperand, rank);
  if (order != 1 && order != 2)
    return ctx.raise("torch.gradient only supports edge_order=1 and edge_order=2.");
  Type type = ctx.floatResultType({0});
  if (ctx.failed() || !requireReal(ctx, type))
    return failure();
  Type wide = computeType(type);
  SmallVector<Expr> steps;
  if (!hasSpacing || ctx.isNone(1)) {
    steps.assign(dims.size(), Expr(ctx, ctx.constantTensor(1, wide)));
  } else if (ctx.operand(1).is(ValueKind::List)) {
    for (double step : ctx.constantFloatList(1))
      steps.push_back(Expr(ctx, ctx.constantTensor(step, wide)));
  } else {
    steps.assign(dims.size(), Expr(ctx, ctx.operandAs(1, wide)));
  }
  if (ctx.failed())
    return failure();
  if (steps.size() != dims.size())
    return ctx.raise("torch.gradient expected spacing to be unspecified, a scalar, or a list of "
                     "length equal to the number of dimensions");
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(wide);
  SmallVector<Value> results;
  for (auto [dim, step] : llvm::zip_equal(dims, steps)) {
    Value along = gradientAlong(ctx, x, dim, step, order);
    if (!along)
      return failure();
    results.push_back(ctx.cast(along, type));
  }
  return results;
}

void specialize::registerDifferenceRules(RuleRegistry &registry) {
  registry.valueList("gradient.array", gradient<false>);
  for (StringRef name : {"scalarint", "scalararray", "scalarrayint", "scalarrayarray"})
    registry.valueList(("gradient." + name).str(), gradient<true>);
}
