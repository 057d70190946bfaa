//===- Reshaping.cpp - Ints that become sizes ----------------------------===//
//
// A program's ints may be anything: here they are checked where they become sizes, so that nothing
// behind has to ask whether a size is negative or a product has wrapped around.

#include "TorchLite/Specialize/Rules.h"
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// No tensor has as many elements.
static constexpr int64_t mostElements = int64_t(1) << 48;

/// "[2, ?, -1]".
static std::string textOf(ArrayRef<OpFoldResult> sizes) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "[";
  llvm::interleaveComma(sizes, os, [&](OpFoldResult size) {
    if (std::optional<int64_t> value = getConstantIntValue(size))
      os << *value;
    else
      os << "?";
  });
  os << "]";
  return text;
}

/// Whether an int is made of sizes, trip numbers and constants alone: `ok` says for each operation
/// on the way whether it counts.
static bool followsFromSizes(OpFoldResult size, llvm::function_ref<bool(Operation *)> ok,
                             unsigned depth = 8) {
  auto value = dyn_cast<Value>(size);
  if (!value || getConstantIntValue(size))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op) // a loop's trip number
    return isNonNegative(size);
  if (isa<tensor::DimOp>(op))
    return true;
  if (depth == 0)
    return false;
  auto follows = [&](Value operand) { return followsFromSizes(operand, ok, depth - 1); };
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return follows(select.getTrueValue()) && follows(select.getFalseValue());
  // The lesser of two is no greater than either.
  if (isa<arith::MinSIOp>(op) && isNonNegative(op->getOperand(0)) &&
      isNonNegative(op->getOperand(1)))
    return llvm::any_of(op->getOperands(), follows);
  return ok(op) && llvm::all_of(op->getOperands(), follows);
}

/// Whether an int is as small as sizes of tensors are.
static bool isSmall(OpFoldResult size) {
  return followsFromSizes(
      size, llvm::IsaPred<arith::IndexCastOp, arith::AddIOp, arith::SubIOp, arith::MulIOp,
                          arith::MinSIOp, arith::MaxSIOp, arith::FloorDivSIOp, arith::CeilDivSIOp,
                          arith::DivSIOp, arith::RemSIOp>);
}

/// Whether a size may be the -1 that stands for what is left. What is computed from sizes is not
/// meant so, and is checked not to be negative.
static bool mayBeMinusOne(OpFoldResult size) { return !isNonNegative(size) && !isSmall(size); }

bool RuleContext::requireSizes(ArrayRef<OpFoldResult> sizes) {
  int64_t factor = 1;
  SmallVector<OpFoldResult> unknown;
  for (OpFoldResult size : sizes) {
    std::optional<int64_t> value = getConstantIntValue(size);
    if (hasFailed)
      return false;
    if (!value) {
      unknown.push_back(size);
    } else if (*value < 0) {
      (void)raise("Trying to create tensor with negative dimension " + Twine(*value) + ": " +
                  textOf(sizes));
      return false;
    } else if (__builtin_mul_overflow(factor, *value, &factor)) {
      factor = INT64_MAX;
    }
  }
  for (OpFoldResult size : unknown) {
    if (isNonNegative(size))
      continue;
    Value number = intValue(size), zero = walker.constant(b.getI64IntegerAttr(0));
    check(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, number, zero),
          "Trying to create tensor with negative dimension {}: " + textOf(sizes), number);
  }
  bool isFree = factor == 0 || (factor <= mostElements && llvm::all_of(unknown, isSmall));
  if (isFree || hasFailed)
    return !hasFailed;
  if (factor > mostElements) {
    (void)raise("a tensor of sizes " + textOf(sizes) + " has too many elements");
    return false;
  }
  // So far the product is at most `mostElements`; so it stays.
  Value count = walker.constant(b.getI64IntegerAttr(factor));
  Value most = walker.constant(b.getI64IntegerAttr(mostElements));
  Value one = walker.constant(b.getI64IntegerAttr(1));
  bool isFirst = true;
  for (OpFoldResult size : unknown) {
    Value number = intValue(size);
    Value bound = walker.constant(b.getI64IntegerAttr(mostElements / factor));
    if (!std::exchange(isFirst, false)) {
      Value divisor = arith::MaxSIOp::create(b, loc, count, one);
      bound = arith::DivSIOp::create(b, loc, most, divisor);
    }
    check(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, number, bound),
          "a tensor of sizes " + textOf(sizes) + " has too many elements: a size of {}", number);
    count = arith::MulIOp::create(b, loc, count, number);
  }
  return !hasFailed;
}

OpFoldResult RuleContext::sizeOrOwn(OpFoldResult size, OpFoldResult own) {
  if (isConstantIntValue(size, -1))
    return own;
  if (!mayBeMinusOne(size))
    return size;
  Value number = intValue(size), minusOne = walker.constant(b.getI64IntegerAttr(-1));
  Value isOwn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, number, minusOne);
  return arith::SelectOp::create(b, loc, isOwn, indexValue(own), indexValue(size)).getResult();
}

/// Checks that a size beside -1 is not 0, for which -1 could be anything.
static void requireSome(RuleContext &ctx, OpFoldResult size, ArrayRef<OpFoldResult> sizes) {
  Value isSome = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::ne, ctx.intValue(size),
                                       ctx.intValue(ctx.fold(0)));
  ctx.check(isSome, "cannot reshape tensor of 0 elements into shape " + textOf(sizes) +
                        " because the unspecified dimension size -1 can be any value");
}

SmallVector<OpFoldResult> RuleContext::inferReshape(Value tensor, ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> from = this->sizes(tensor), to(sizes.begin(), sizes.end());
  bool hasMinusOne =
      llvm::any_of(to, [](OpFoldResult size) { return isConstantIntValue(size, -1); });
  if (!hasMinusOne && llvm::any_of(to, [&](OpFoldResult size) { return mayBeMinusOne(size); }))
    return inferAtRunTime(from, to);
  std::optional<size_t> inferred;
  for (auto [i, size] : llvm::enumerate(to)) {
    std::optional<int64_t> value = getConstantIntValue(size);
    if (!value || *value >= 0)
      continue;
    if (*value != -1 || inferred) {
      (void)raise(*value == -1 ? Twine("only one dimension can be inferred")
                               : "invalid shape dimension " + Twine(*value));
      return from;
    }
    inferred = i;
  }
  // The sizes that are given, which are checked before they are multiplied.
  SmallVector<OpFoldResult> given(to);
  if (inferred)
    given[*inferred] = b.getIndexAttr(1);
  if (!requireSizes(given))
    return from;
  auto isStatic = [](ArrayRef<OpFoldResult> shape) {
    return llvm::all_of(shape, [](OpFoldResult size) { return getConstantIntValue(size); });
  };
  // Factors that are in both shapes cancel: [B, T, 8] to [B, -1] is B, T * 8.
  SmallVector<OpFoldResult> left(from), right;
  for (size_t i = 0; i < to.size(); ++i) {
    OpFoldResult size = to[i];
    if (inferred == i)
      continue;
    if (isOneInteger(size))
      continue;
    auto match = llvm::find_if(left, [&](OpFoldResult other) {
      return !getConstantIntValue(size) && equal(size, other) == Known::Yes;
    });
    if (match == left.end()) {
      right.push_back(size);
      continue;
    }
    left.erase(match);
    if (inferred)
      requireSome(*this, size, sizes);
  }
  OpFoldResult have = product(left), want = product(right);
  std::optional<int64_t> haveStatic = getConstantIntValue(have),
                         wantStatic = getConstantIntValue(want);
  if (!inferred) {
    if (isStatic(from) && isStatic(to) && haveStatic != wantStatic) {
      (void)raise("shape '" + Twine(textOf(sizes)) + "' is invalid for input of size " +
                  Twine(*getConstantIntValue(product(from))));
      return from;
    }
    if (!requireEqual(have, want,
                      "shape '" + Twine(textOf(sizes)) + "' is invalid for the input's size"))
      return from;
    return to;
  }
  if (wantStatic && *wantStatic == 0) {
    (void)raise("cannot reshape tensor of 0 elements into shape " + Twine(textOf(sizes)) +
                " because the unspecified dimension size -1 can be any value");
    return from;
  }
  if (haveStatic && wantStatic) {
    if (*haveStatic % *wantStatic) {
      (void)raise("shape '" + Twine(textOf(sizes)) + "' is invalid for input of size " +
                  Twine(getConstantIntValue(product(from)).value_or(*haveStatic)));
      return from;
    }
    to[*inferred] = b.getIndexAttr(*haveStatic / *wantStatic);
    return to;
  }
  to[*inferred] = inferSize(left, want, sizes);
  return hasFailed ? from : to;
}

/// The size that is left for -1: the product of `left`, divided by `want`, which divides.
OpFoldResult RuleContext::inferSize(ArrayRef<OpFoldResult> left, OpFoldResult want,
                                    ArrayRef<OpFoldResult> sizes) {
  OpFoldResult have = product(left);
  std::optional<int64_t> wantStatic = getConstantIntValue(want);
  // A static factor may divide what is static already; otherwise it is checked at run time.
  if (wantStatic && *wantStatic == 1)
    return have;
  int64_t factor = 1;
  SmallVector<OpFoldResult> dynamic;
  for (OpFoldResult size : left) {
    if (std::optional<int64_t> value = getConstantIntValue(size))
      factor *= *value;
    else
      dynamic.push_back(size);
  }
  if (wantStatic && factor % *wantStatic == 0) {
    dynamic.push_back(b.getIndexAttr(factor / *wantStatic));
    return product(dynamic);
  }
  Value haveValue = intValue(have), wantValue = intValue(want);
  Value zero = walker.constant(b.getI64IntegerAttr(0));
  Value positive = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, wantValue, zero);
  CheckOp::create(b, loc, positive, "shape '" + Twine(textOf(sizes)) + "' has no elements");
  Value one = walker.constant(b.getI64IntegerAttr(1));
  Value divisor = arith::MaxSIOp::create(b, loc, wantValue, one);
  Value rest = arith::RemSIOp::create(b, loc, haveValue, divisor);
  Value divides = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest, zero);
  CheckOp::create(b, loc, divides,
                  "shape '" + Twine(textOf(sizes)) +
                      "' is invalid: {} elements are not divisible by {}",
                  ValueRange{haveValue, wantValue});
  return floorDiv(have, want);
}

/// As `inferReshape` where it is known only at run time which size is -1.
SmallVector<OpFoldResult> RuleContext::inferAtRunTime(ArrayRef<OpFoldResult> from,
                                                      ArrayRef<OpFoldResult> sizes) {
  Value zero = walker.constant(b.getI64IntegerAttr(0)),
        one = walker.constant(b.getI64IntegerAttr(1)),
        minusOne = walker.constant(b.getI64IntegerAttr(-1));
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  };
  SmallVector<OpFoldResult> given, result;
  SmallVector<Value> isInferred;
  Value isAny;
  for (OpFoldResult size : sizes) {
    isInferred.push_back({});
    given.push_back(size);
    if (!mayBeMinusOne(size))
      continue;
    Value number = intValue(size);
    Value here = isInferred.back() = compare(arith::CmpIPredicate::eq, number, minusOne);
    if (isAny) {
      Value both = arith::AndIOp::create(b, loc, isAny, here);
      Value single = arith::XOrIOp::create(b, loc, both, walker.constant(b.getBoolAttr(true)));
      check(single, "only one dimension can be inferred");
    }
    isAny = isAny ? arith::OrIOp::create(b, loc, isAny, here).getResult() : here;
    given.back() =
        indexValue(OpFoldResult(arith::SelectOp::create(b, loc, here, one, number).getResult()));
  }
  if (!requireSizes(given))
    return llvm::to_vector(from);
  Value have = intValue(product(from)), want = intValue(product(given));
  Value isEmpty = compare(arith::CmpIPredicate::eq, want, zero);
  Value isAmbiguous = arith::AndIOp::create(b, loc, isAny, isEmpty);
  check(arith::XOrIOp::create(b, loc, isAmbiguous, walker.constant(b.getBoolAttr(true))),
        "cannot reshape tensor into shape " + textOf(sizes) +
            " because the unspecified dimension size -1 can be any value");
  Value divisor = arith::MaxSIOp::create(b, loc, want, one);
  Value left = arith::DivSIOp::create(b, loc, have, divisor);
  Value times = arith::SelectOp::create(b, loc, isAny, left, one);
  Value total = arith::MulIOp::create(b, loc, want, times);
  check(compare(arith::CmpIPredicate::eq, total, have),
        "shape '" + textOf(sizes) + "' is invalid for input of size {}", have);
  for (auto [size, here] : llvm::zip(given, isInferred))
    result.push_back(
        here ? OpFoldResult(arith::SelectOp::create(b, loc, here, indexValue(OpFoldResult(left)),
                                                    indexValue(size))
                                .getResult())
             : size);
  return hasFailed ? llvm::to_vector(from) : result;
}
