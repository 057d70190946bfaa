//===- OutVariants.cpp - In-place and out= variants of operators ----------===//
//
// Both are derived from the functional operator: its result is written to a tensor that is given.
//
//===----------------------------------------------------------------------===//
#include "../Factories.h"
#include "Join.h"
#include "Strides.h"
#include "TorchLite/Specialize/Rules.h"
#include "Walker.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// A result of a higher category than that of the tensor it is written to is an error in PyTorch.
static LogicalResult checkCast(RuleContext &ctx, Type from, Type to) {
  if ((isFloat(from) && !isFloat(to)) || (isComplex(from) && !isComplex(to)) ||
      (isInt(from) && isBool(to)))
    return ctx.raise("result type " + dtypeName(from) +
                     " can't be cast to the desired output type " + dtypeName(to));
  return success();
}

//===----------------------------------------------------------------------===//
// In place
//===----------------------------------------------------------------------===//

/// `unsqueeze_` and its like: the tensor is another view from here on.
LogicalResult Walker::applyViewInPlace(RuleContext &ctx, const Rule &rule,
                                       SmallVectorImpl<SpecValue> &results) {
  if (failed(applyRule(ctx, rule, results)))
    return failure();
  SpecValue view = results.front();
  const SpecValue &self = ctx.operand(0);
  if (!view.isTensor() || view.getTensor().storage != self.getTensor().storage)
    return ctx.fail("this operator in place is not supported");
  return view.same(self) ? success() : replaceTensor(self, view);
}

LogicalResult Walker::applyInPlace(RuleContext &ctx, const Rule &rule,
                                   SmallVectorImpl<SpecValue> &results) {
  if (!ctx.isTensor(0))
    return ctx.fail("expected a tensor as operand #0, but got " + ctx.operand(0).kindName());
  if (rule.view)
    return applyViewInPlace(ctx, rule, results);
  if (!rule.value)
    return ctx.fail("this operator in place is not supported");
  SpecValue self = ctx.operand(0);
  FailureOr<Value> value = rule.value(ctx);
  if (failed(value) || ctx.failed() || !*value)
    return failure();
  Type from = getElementTypeOrSelf(*value), to = self.getTensor().type.getElementType();
  // Copies convert.
  bool copies = ctx.name().starts_with("copy_") || ctx.name().starts_with("fill_") ||
                ctx.name().starts_with("zero_");
  if (!copies && failed(checkCast(ctx, from, to)))
    return failure();
  auto type = cast<RankedTensorType>((*value).getType());
  if (!copies && type.getRank() > self.getTensor().type.getRank())
    return ctx.raise("output with a shape of rank " + Twine(self.getTensor().type.getRank()) +
                     " doesn't match the broadcast shape of rank " + Twine(type.getRank()));
  if (!ctx.writeTensor(self, *value))
    return failure();
  results.push_back(self);
  return success();
}

//===----------------------------------------------------------------------===//
// out=
//===----------------------------------------------------------------------===//

/// Elementwise operators of one tensor.
static bool isUnary(StringRef name) {
  static const llvm::StringSet<> names = {
      "abs",   "acos",  "acosh",   "asin",       "asinh", "atan", "atanh", "bitwise_not",
      "ceil",  "cos",   "cosh",    "erf",        "erfc",  "exp",  "exp2",  "expm1",
      "floor", "frac",  "log",     "log10",      "log1p", "log2", "neg",   "logical_not",
      "round", "rsqrt", "sigmoid", "sgn",        "sign",  "sin",  "sinh",  "sqrt",
      "tan",   "tanh",  "trunc",   "reciprocal", "relu"};
  return names.contains(name);
}

bool specialize::isElementwise(StringRef name) {
  StringRef base = name.split('.').first;
  return isUnary(base) || looksAtOverlaps((base + "_").str());
}

/// An operand that shares memory with what is written. Elementwise operators may be given the very
/// tensor; elsewhere PyTorch raises, computes a copy, or gives what nobody wants.
static LogicalResult checkShared(RuleContext &ctx, const SpecValue &out, const SpecValue &operand,
                                 bool isElementwise) {
  if (!operand.isTensor() || operand.getTensor().storage != out.getTensor().storage)
    return success();
  Overlap overlap = overlapOf(out.getTensor(), operand.getTensor());
  bool isSame = overlap == Overlap::Full || sameView(out.getTensor(), operand.getTensor());
  if (overlap == Overlap::No || (isElementwise && isSame))
    return success();
  return ctx.fail("out= a tensor that shares memory with an operand is not supported");
}

/// The same of all operands, also of those in lists; and of the results among each other.
static LogicalResult checkOuts(RuleContext &ctx, ArrayRef<SpecValue> outs,
                               ArrayRef<SpecValue> operands, bool isElementwise) {
  SmallVector<SpecValue> tensors(operands);
  for (const SpecValue &operand : operands)
    if (operand.is(ValueKind::List))
      llvm::append_range(tensors, ctx.getWalker().cell(operand.getCell()).elements);
  for (auto [i, out] : llvm::enumerate(outs)) {
    for (const SpecValue &tensor : tensors)
      if (failed(checkShared(ctx, out, tensor, isElementwise)))
        return failure();
    for (const SpecValue &other : outs.take_front(i))
      if (overlapOf(other.getTensor(), out.getTensor()) != Overlap::No)
        return ctx.fail("out= two tensors that share memory is not supported");
  }
  return success();
}

/// Gives `out` the values of a result, and, if it is empty, its shape.
FailureOr<SpecValue> Walker::writeOut(RuleContext &ctx, const SpecValue &out,
                                      const SpecValue &result, bool isElementwise) {
  RankedTensorType type = out.getTensor().type, from = result.getTensor().type;
  if (type.getElementType() != from.getElementType()) {
    if (!isElementwise)
      return ctx.fail("out= a tensor of another element type than the result is not supported");
    if (failed(checkCast(ctx, from.getElementType(), type.getElementType())))
      return failure();
  }
  Value value = readTensor(result);
  if (!value)
    return failure();
  if (type.getShape() == from.getShape() && type.hasStaticShape()) {
    if (!ctx.writeTensor(out, value))
      return failure();
    return out;
  }
  if (!type.hasStaticShape() || type.getNumElements())
    return ctx.fail("out= a tensor that is neither empty nor known to have the size of the result "
                    "is not supported");
  SpecValue resized =
      newTensor(ctx.cast(value, type.getElementType()), Known::Maybe, result.getTensor().given);
  if (failed(replaceTensor(out, resized)))
    return failure();
  return resized;
}

/// The operands of an operator that makes a tensor: the element type is that of `out`. A memory
/// format comes behind it.
static SmallVector<SpecValue> withElementType(Walker &w, StringRef base,
                                              ArrayRef<SpecValue> operands, Type type) {
  SmallVector<SpecValue> all(operands);
  bool hasFormat = !all.empty() && (base == "empty" || base.ends_with("_like"));
  SpecValue format = hasFormat ? all.pop_back_val() : SpecValue::none();
  all.push_back(SpecValue::integer(w.b.getContext(), typeToDtype(type)));
  all.append(3, SpecValue::none());
  if (hasFormat)
    all.push_back(format);
  return all;
}

LogicalResult Walker::applyOut(AtenOp op, const Rule &rule, StringRef functional,
                               ArrayRef<SpecValue> operands, SmallVectorImpl<SpecValue> &results) {
  size_t numOuts = op.getNumResults();
  ArrayRef<SpecValue> outs = operands.take_back(numOuts), others = operands.drop_back(numOuts);
  StringRef base = functional.split('.').first;
  SmallVector<SpecValue> made;
  if (isFactory(base) && !outs.empty() && outs[0].isTensor()) {
    made = withElementType(*this, base, others, outs[0].getTensor().type.getElementType());
    others = made;
  }
  RuleContext ctx(*this, b, locOf(op), functional, others, op.getResultTypes());
  for (const SpecValue &out : outs)
    if (!out.isTensor())
      return ctx.fail("expected a tensor as out=, but got " + out.kindName());
  bool isElementwise = specialize::isElementwise(base);
  if (failed(checkOuts(ctx, outs, others, isElementwise)))
    return failure();
  SmallVector<SpecValue> values;
  if (failed(applyRule(ctx, rule, values)) || ctx.failed())
    return failure();
  if (values.size() != numOuts || !llvm::all_of(values, [](auto &v) { return v.isTensor(); }))
    return ctx.fail("out= is not supported here");
  for (auto [out, value] : llvm::zip_equal(outs, values)) {
    FailureOr<SpecValue> written = writeOut(ctx, out, value, isElementwise);
    if (failed(written))
      return failure();
    results.push_back(*written);
  }
  return success();
}
