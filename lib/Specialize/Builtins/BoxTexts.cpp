//===- BoxTexts.cpp - Operators of strings that are known only at run time ===//
#include "BoxUse.h"

using namespace mlir;
namespace rt = torchlite::rt;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

using Results = SmallVectorImpl<SpecValue>;
using Predicate = arith::CmpIPredicate;

namespace {

/// A str at an operand; null after a failure.
Value textOf(RuleContext &ctx, unsigned i) {
  const SpecValue &operand = ctx.operand(i);
  Value text = operand.is(ValueKind::Text) || operand.is(ValueKind::String)
                   ? ctx.getWalker().textBox(operand)
                   : Value();
  if (!text)
    (void)ctx.fail("expected a str without numbers that are known only at run time, but got " +
                   operand.kindName());
  return text;
}

/// The order of two strings, compared with 0.
template <Predicate predicate> LogicalResult compare(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value a = textOf(ctx, 0), b = textOf(ctx, 1);
  if (!a || !b)
    return failure();
  Value order = rt::BoxCompareOp::create(ctx.b, ctx.loc, a, b);
  results.push_back(SpecValue::scalar(use.compare(predicate, order, use.integer(0))));
  return success();
}

template <bool negated> LogicalResult equal(RuleContext &ctx, Results &results) {
  Value a = textOf(ctx, 0), b = textOf(ctx, 1);
  if (!a || !b)
    return failure();
  Value same = rt::BoxEqualOp::create(ctx.b, ctx.loc, a, b);
  if (negated)
    same = arith::XOrIOp::create(ctx.b, ctx.loc, same,
                                 ctx.getWalker().constant(ctx.b.getBoolAttr(true)));
  results.push_back(SpecValue::scalar(same));
  return success();
}

LogicalResult concat(RuleContext &ctx, Results &results) {
  Value a = textOf(ctx, 0), b = textOf(ctx, 1);
  if (!a || !b)
    return failure();
  results.push_back(SpecValue::text(rt::BoxConcatOp::create(ctx.b, ctx.loc, a, b)));
  return success();
}

LogicalResult repeat(RuleContext &ctx, Results &results) {
  Value text = textOf(ctx, 0), count = ctx.scalar(1);
  if (!text || ctx.failed())
    return failure();
  results.push_back(SpecValue::text(rt::BoxRepeatOp::create(ctx.b, ctx.loc, text, count)));
  return success();
}

LogicalResult length(RuleContext &ctx, Results &results) {
  Value text = textOf(ctx, 0);
  if (!text)
    return failure();
  results.push_back(SpecValue::scalar(rt::BoxSizeOp::create(ctx.b, ctx.loc, text).getResult()));
  return success();
}

} // namespace

void specialize::registerBoxTextRules(RuleRegistry &registry) {
  registry.boxed("eq.str", equal<false>);
  registry.boxed("ne.str", equal<true>);
  registry.boxed("lt.str", compare<Predicate::slt>);
  registry.boxed("le.str", compare<Predicate::sle>);
  registry.boxed("gt.str", compare<Predicate::sgt>);
  registry.boxed("ge.str", compare<Predicate::sge>);
  registry.boxed("add.str", concat);
  registry.boxed("len.str", length);
  registry.boxed("mul.str_int", repeat);
}
