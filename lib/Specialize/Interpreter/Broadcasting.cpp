//===- Broadcasting.cpp - Sizes that may be 1 at run time -----------------===//
//
// Core operations broadcast where a size is 1 in its type. A size that is not known may be 1, too:
// where two sizes are not known to be equal they are compared at run time, and the tensor whose
// size is 1 is expanded in the rare case that they differ. Otherwise the tensor itself is used, so
// that nothing is copied.

#include "TorchLite/Specialize/Rules.h"
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// The sizes from which `broadcastSize` made this one: it selects the second where the first is 1.
static void collectParts(OpFoldResult size, SmallVectorImpl<OpFoldResult> &parts) {
  auto value = dyn_cast<Value>(size);
  auto select = value ? value.getDefiningOp<arith::SelectOp>() : arith::SelectOp();
  auto compare = select ? select.getCondition().getDefiningOp<arith::CmpIOp>() : arith::CmpIOp();
  if (compare && compare.getPredicate() == arith::CmpIPredicate::eq &&
      matchPattern(compare.getRhs(), m_One()) && compare.getLhs() == select.getFalseValue()) {
    collectParts(select.getFalseValue(), parts);
    collectParts(select.getTrueValue(), parts);
    return;
  }
  parts.push_back(size);
}

/// Whether `whole` is the result of broadcasting `part` with something: then they are equal, or
/// `part` is 1.
static bool includes(RuleContext &ctx, OpFoldResult whole, OpFoldResult part) {
  SmallVector<OpFoldResult> all, some;
  collectParts(whole, all);
  collectParts(part, some);
  return llvm::all_of(some, [&](OpFoldResult size) {
    return llvm::any_of(all,
                        [&](OpFoldResult other) { return ctx.equal(size, other) == Known::Yes; });
  });
}

/// Checks that a size is that of the result, or 1.
static bool requireEqualOrOne(RuleContext &ctx, OpFoldResult size, OpFoldResult wanted,
                              const Twine &message) {
  if (getConstantIntValue(size)) // not 1
    return ctx.requireEqual(wanted, size, message);
  Value number = ctx.intValue(size), other = ctx.intValue(wanted);
  Value one = ctx.intValue(ctx.fold(1));
  Value same = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, number, other);
  Value isOne = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, number, one);
  ctx.check(arith::OrIOp::create(ctx.b, ctx.loc, same, isOne), message + " ({} and {})",
            ValueRange{other, number});
  return !ctx.failed();
}

std::optional<OpFoldResult> RuleContext::broadcastSize(OpFoldResult lhs, OpFoldResult rhs,
                                                       const Twine &message) {
  if (isOneInteger(lhs))
    return rhs;
  if (isOneInteger(rhs))
    return lhs;
  std::optional<int64_t> x = getConstantIntValue(lhs), y = getConstantIntValue(rhs);
  if ((x && y) || equal(lhs, rhs) == Known::Yes) {
    if (!requireEqual(lhs, rhs, message))
      return std::nullopt;
    return x ? lhs : rhs;
  }
  if (x || y) {
    if (!requireEqualOrOne(*this, x ? rhs : lhs, x ? lhs : rhs, message))
      return std::nullopt;
    return x ? lhs : rhs;
  }
  if (includes(*this, lhs, rhs))
    return lhs;
  if (includes(*this, rhs, lhs))
    return rhs;
  Value a = indexValue(lhs), c = indexValue(rhs), one = indexValue(fold(1));
  Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, a, one);
  Value merged = arith::SelectOp::create(b, loc, isOne, c, a);
  // Where the first one is not 1 the second one has to be the same, or 1.
  if (!requireEqualOrOne(*this, rhs, merged, message))
    return std::nullopt;
  return OpFoldResult(merged);
}

SmallVector<OpFoldResult> RuleContext::broadcastSizes(ValueRange tensors) {
  SmallVector<OpFoldResult> result;
  for (Value tensor : tensors) {
    SmallVector<OpFoldResult> shape = sizes(tensor);
    while (result.size() < shape.size())
      result.insert(result.begin(), b.getIndexAttr(1));
    for (auto [i, size] : llvm::enumerate(shape)) {
      size_t at = result.size() - shape.size() + i;
      std::optional<OpFoldResult> merged =
          broadcastSize(result[at], size,
                        "The sizes of tensors must match at non-singleton dimension " + Twine(at));
      if (!merged)
        return {};
      result[at] = *merged;
    }
  }
  return result;
}

bool RuleContext::requireBroadcast(MutableArrayRef<Value> tensors) {
  SmallVector<OpFoldResult> result = broadcastSizes(ValueRange(ArrayRef<Value>(tensors)));
  for (Value &tensor : tensors) {
    if (hasFailed)
      return false;
    // What is known to be 1 the core operations broadcast.
    SmallVector<OpFoldResult> own = sizes(tensor), wanted = own;
    for (auto [i, size] : llvm::enumerate(own))
      if (!isOneInteger(size))
        wanted[i] = result[result.size() - own.size() + i];
    tensor = expandOnes(tensor, wanted);
  }
  return !hasFailed;
}

bool RuleContext::requireBroadcast(Value &lhs, Value &rhs) {
  Value tensors[] = {lhs, rhs};
  bool holds = requireBroadcast(tensors);
  std::tie(lhs, rhs) = std::tie(tensors[0], tensors[1]);
  return holds;
}

Value RuleContext::expandOnes(Value tensor, ArrayRef<OpFoldResult> wanted) {
  SmallVector<OpFoldResult> own = sizes(tensor);
  Type element = getElementTypeOrSelf(tensor);
  for (size_t i = 0; i < own.size() && !hasFailed; ++i) {
    if (getConstantIntValue(own[i]) || equal(own[i], wanted[i]) == Known::Yes)
      continue;
    Value differ = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, indexValue(own[i]),
                                         indexValue(wanted[i]));
    own[i] = b.getIndexAttr(1);
    RankedTensorType one = makeType(own, element);
    own[i] = wanted[i];
    RankedTensorType type = makeType(own, element);
    auto branch = IfOp::create(b, loc, TypeRange(type), differ);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&branch.getThenRegion().emplaceBlock());
    Value expanded = BroadcastToOp::create(b, loc, refine(tensor, one), own);
    YieldOp::create(b, loc, ValueRange{expanded});
    b.setInsertionPointToEnd(&branch.getElseRegion().emplaceBlock());
    YieldOp::create(b, loc, ValueRange{refine(tensor, type)});
    tensor = branch.getResult(0);
    walker.state.sizes[tensor] = own;
  }
  return tensor;
}

Value RuleContext::broadcastTo(Value tensor, ArrayRef<OpFoldResult> target) {
  SmallVector<OpFoldResult> shape = sizes(tensor);
  if (shape.size() > target.size()) {
    (void)raise("the number of sizes provided (" + Twine(target.size()) +
                ") must be greater or equal to the number of dimensions in the tensor (" +
                Twine(shape.size()) + ")");
    return tensor;
  }
  if (!requireSizes(target))
    return tensor;
  size_t lead = target.size() - shape.size();
  bool identity = lead == 0;
  SmallVector<OpFoldResult> wide(shape);
  for (auto [i, size] : llvm::enumerate(shape)) {
    OpFoldResult wanted = target[lead + i];
    if (isOneInteger(size)) {
      identity &= isOneInteger(wanted);
      continue;
    }
    std::string message = ("The expanded size of the tensor must match the existing size at "
                           "non-singleton dimension " +
                           Twine(i))
                              .str();
    // The tensor has been broadcast with the target, or it may have to be.
    bool isKnown = getConstantIntValue(size) || equal(size, wanted) == Known::Yes ||
                   includes(*this, size, wanted);
    if (isKnown
            ? !requireEqual(wanted, size, message)
            : !includes(*this, wanted, size) && !requireEqualOrOne(*this, size, wanted, message))
      return tensor;
    if (!isKnown)
      wide[i] = wanted;
  }
  tensor = expandOnes(tensor, wide);
  if (identity)
    return refine(tensor, makeType(target, getElementTypeOrSelf(tensor)));
  return BroadcastToOp::create(b, loc, tensor, target);
}
