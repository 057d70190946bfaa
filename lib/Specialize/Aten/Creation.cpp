//===- Creation.cpp - Rules of operators that make tensors ----------------===//

#include "../Builtins/Numbers.h"
#include "../Interpreter/Walker.h"
#include "Families.h"
#include "TensorExpr.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// zeros, ones, empty (size, dtype?, ...). What `empty` holds is undefined: zeros.
template <int value> static FailureOr<Value> filled(RuleContext &ctx) {
  SmallVector<OpFoldResult> sizes = ctx.indexList(0);
  Type type = ctx.dtype(1, ctx.b.getF32Type());
  if (ctx.failed())
    return failure();
  return done(ctx, ctx.full(sizes, static_cast<double>(value), type));
}

/// zeros_like, ones_like, empty_like (self, dtype?, ...).
template <int value> static FailureOr<Value> filledLike(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = ctx.dtype(1, getElementTypeOrSelf(self));
  if (ctx.failed())
    return failure();
  return done(ctx, ctx.full(ctx.sizes(self), static_cast<double>(value), type));
}

/// new_zeros, new_ones, new_empty (self, size, dtype?, ...).
template <int value> static FailureOr<Value> newFilled(RuleContext &ctx) {
  SmallVector<OpFoldResult> sizes = ctx.indexList(1);
  Type type = ctx.dtype(2, ctx.tensorType(0).getElementType());
  if (ctx.failed())
    return failure();
  return done(ctx, ctx.full(sizes, static_cast<double>(value), type));
}

/// The dtype that a number has as a tensor.
static Type defaultType(RuleContext &ctx, unsigned i) {
  switch (ctx.operand(i).kind()) {
  case ValueKind::Bool:
    return ctx.b.getI1Type();
  case ValueKind::Int:
    return ctx.b.getI64Type();
  case ValueKind::Tensor:
    return ctx.tensorType(i).getElementType();
  default:
    return ctx.b.getF32Type();
  }
}

static FailureOr<Value> fullOf(RuleContext &ctx, ArrayRef<OpFoldResult> sizes, unsigned value,
                               Type type) {
  Value filler = ctx.operandAs(value, type);
  if (ctx.failed() || !requireFits(ctx, value, type))
    return failure();
  if (ctx.isTensor(value) && ctx.tensorType(value).getRank())
    return ctx.fail("expected a number to fill with");
  return done(ctx, ctx.broadcastTo(filler, sizes));
}

/// full(size, fill_value, dtype?, ...).
static FailureOr<Value> fullRule(RuleContext &ctx) {
  SmallVector<OpFoldResult> sizes = ctx.indexList(0);
  return fullOf(ctx, sizes, 1, ctx.dtype(2, defaultType(ctx, 1)));
}

/// full_like(self, fill_value, dtype?, ...).
static FailureOr<Value> fullLike(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  return fullOf(ctx, ctx.sizes(self), 1, ctx.dtype(2, getElementTypeOrSelf(self)));
}

/// new_full(self, size, fill_value, dtype?, ...).
static FailureOr<Value> newFull(RuleContext &ctx) {
  SmallVector<OpFoldResult> sizes = ctx.indexList(1);
  return fullOf(ctx, sizes, 2, ctx.dtype(3, ctx.tensorType(0).getElementType()));
}

/// scalar_tensor(s, dtype?, ...): float32 by default, whatever the number.
static FailureOr<Value> scalarTensor(RuleContext &ctx) {
  Type type = ctx.dtype(1, ctx.b.getF32Type());
  return done(ctx, ctx.operandAs(0, type));
}

static Expr iota(RuleContext &ctx, ArrayRef<OpFoldResult> sizes, int64_t dim, Type type) {
  if (!ctx.requireSizes(sizes))
    return Expr(ctx, {});
  return Expr(ctx, IotaOp::create(ctx.b, ctx.loc, type, sizes, dim));
}

/// How many numbers there are from `first` up to `last` (excluded) by a step of either sign.
static FailureOr<OpFoldResult> countSteps(RuleContext &ctx, Value first, Value last,
                                          OpFoldResult by) {
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(ctx.b, ctx.loc, predicate, x, y);
  };
  const char *inconsistent = "upper bound and lower bound inconsistent with step sign";
  Value zero = ctx.intValue(ctx.fold(0)), step = ctx.intValue(by);
  std::optional<int64_t> known = getConstantIntValue(by);
  if (known && *known == 0)
    return ctx.raise("step must be nonzero");
  if (!known)
    ctx.check(compare(arith::CmpIPredicate::ne, step, zero), "step must be nonzero");
  // The way to go, upwards.
  Value low = first, high = last, pace = step;
  if (!known || *known < 0) {
    Value isUp = compare(arith::CmpIPredicate::sgt, step, zero);
    Value opposite = arith::SubIOp::create(ctx.b, ctx.loc, zero, step);
    auto choose = [&](Value up, Value down) -> Value {
      return known ? down : arith::SelectOp::create(ctx.b, ctx.loc, isUp, up, down).getResult();
    };
    low = choose(first, last);
    high = choose(last, first);
    pace = choose(step, opposite);
  }
  ctx.check(compare(arith::CmpIPredicate::sge, high, low), inconsistent);
  Value way = arith::SubIOp::create(ctx.b, ctx.loc, high, low);
  bool isSimple = known && *known == 1;
  if (!isNonNegative(way)) // a difference beyond 64 bits
    ctx.check(compare(arith::CmpIPredicate::sge, way, zero), "invalid size, possible overflow?");
  if (!known || *known == INT64_MIN)
    ctx.check(compare(arith::CmpIPredicate::sgt, pace, zero), "invalid size, possible overflow?");
  if (ctx.failed())
    return failure();
  OpFoldResult distance = ctx.indexValue(OpFoldResult(way));
  if (isSimple)
    return distance;
  // ceil(way / pace) without a sum that could overflow.
  OpFoldResult whole = ctx.floorDiv(distance, OpFoldResult(pace));
  OpFoldResult rest = ctx.sub(distance, ctx.mul(whole, OpFoldResult(pace)));
  return ctx.add(whole, ctx.minimum(rest, ctx.fold(1)));
}

/// As `arangeOf` where a limit is fractional and not all of them are known.
static FailureOr<Value> fractionalRange(RuleContext &ctx, std::optional<unsigned> start,
                                        unsigned end, std::optional<unsigned> step, Type type) {
  Type f64 = ctx.b.getF64Type();
  Value zero = ctx.constantScalar(0.0, f64);
  Value first = start ? ctx.scalarAs(*start, f64) : zero, last = ctx.scalarAs(end, f64);
  Value by = step ? ctx.scalarAs(*step, f64) : ctx.constantScalar(1.0, f64);
  if (ctx.failed())
    return failure();
  auto compare = [&](arith::CmpFPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpFOp::create(ctx.b, ctx.loc, predicate, x, y);
  };
  ctx.check(compare(arith::CmpFPredicate::ONE, by, zero), "step must be nonzero");
  Value way = arith::SubFOp::create(ctx.b, ctx.loc, last, first);
  Value steps = arith::DivFOp::create(ctx.b, ctx.loc, way, by);
  // Not a number where a limit is none, or is infinite. The step may be infinite.
  Value finite = arith::SubFOp::create(ctx.b, ctx.loc, way, way);
  ctx.check(compare(arith::CmpFPredicate::OEQ, finite, zero), "unsupported range");
  Value forward =
      arith::SelectOp::create(ctx.b, ctx.loc, compare(arith::CmpFPredicate::OGT, by, zero), way,
                              arith::SubFOp::create(ctx.b, ctx.loc, zero, way));
  ctx.check(compare(arith::CmpFPredicate::OGE, forward, zero),
            "upper bound and lower bound inconsistent with step sign");
  Value most = ctx.constantScalar(0x1p47, f64);
  ctx.check(compare(arith::CmpFPredicate::OLE, steps, most), "invalid size, possible overflow?");
  if (ctx.failed())
    return failure();
  // What stands behind a check that fails is computed all the same.
  Value count = arith::MinNumFOp::create(ctx.b, ctx.loc, steps, most);
  count = arith::MaxNumFOp::create(ctx.b, ctx.loc, count, zero);
  Expr whole = ceil(Expr(ctx, ctx.fromScalar(count)));
  Value number = ctx.toScalar(whole.cast(ctx.b.getI64Type()).value());
  Expr index = iota(ctx, {ctx.indexValue(OpFoldResult(number))}, 0, f64);
  if (index.isNull())
    return failure();
  Expr values = index * Expr(ctx, ctx.fromScalar(by)) + Expr(ctx, ctx.fromScalar(first));
  return done(ctx, values.cast(type));
}

/// The numbers from `start` up to `end` (excluded) by `step`; operands, `start` and `step` may be
/// absent.
static FailureOr<Value> arangeOf(RuleContext &ctx, std::optional<unsigned> start, unsigned end,
                                 std::optional<unsigned> step, unsigned dtype) {
  bool hasFloat = false, isKnown = true;
  for (std::optional<unsigned> i : {start, std::optional<unsigned>(end), step}) {
    if (!i)
      continue;
    hasFloat |= ctx.operand(*i).is(ValueKind::Float);
    isKnown &= ctx.knownFloat(*i).has_value();
  }
  Type type = ctx.dtype(dtype, hasFloat ? Type(ctx.b.getF32Type()) : Type(ctx.b.getI64Type()));
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  if (hasFloat && !isFloat(type))
    return ctx.fail("arange: integers from fractional limits are not supported");
  if (hasFloat && !isKnown)
    return fractionalRange(ctx, start, end, step, type);
  if (isKnown) {
    double first = start ? *ctx.knownFloat(*start) : 0, last = *ctx.knownFloat(end);
    double by = step ? *ctx.knownFloat(*step) : 1;
    if (by == 0)
      return ctx.raise("step must be nonzero");
    if (!std::isfinite(first) || !std::isfinite(last) || (by > 0 ? last < first : last > first))
      return ctx.raise("upper bound and lower bound inconsistent with step sign");
    OpFoldResult size = ctx.fold(static_cast<int64_t>(std::ceil((last - first) / by)));
    if (!isFloat(type)) {
      Expr index = iota(ctx, {size}, 0, ctx.b.getI64Type());
      if (by != 1)
        index = index * by;
      return done(ctx, (first == 0 ? index : index + first).cast(type));
    }
    Expr index = iota(ctx, {size}, 0, ctx.b.getF64Type());
    return done(ctx, (index * by + first).cast(type));
  }
  Type i64 = ctx.b.getI64Type();
  Value first = start ? ctx.scalarAs(*start, i64) : ctx.constantScalar(0, i64);
  Value last = ctx.scalarAs(end, i64);
  if (ctx.failed())
    return failure();
  OpFoldResult by = step ? ctx.index(*step) : ctx.fold(1);
  FailureOr<OpFoldResult> size = countSteps(ctx, first, last, by);
  if (failed(size))
    return failure();
  Expr index = iota(ctx, {*size}, 0, i64);
  if (ctx.failed())
    return failure();
  if (!isConstantIntValue(by, 1))
    index = index * Expr(ctx, ctx.fromScalar(ctx.intValue(by)));
  if (start && ctx.knownInt(*start) != 0)
    index = index + Expr(ctx, ctx.fromScalar(first));
  return done(ctx, index.cast(type));
}

/// arange(end, dtype?, ...).
static FailureOr<Value> arange(RuleContext &ctx) { return arangeOf(ctx, {}, 0, {}, 1); }
/// arange.start(start, end, dtype?, ...).
static FailureOr<Value> arangeStart(RuleContext &ctx) { return arangeOf(ctx, 0, 1, {}, 2); }
/// arange.start_step(start, end, step, dtype?, ...).
static FailureOr<Value> arangeStep(RuleContext &ctx) { return arangeOf(ctx, 0, 1, 2, 3); }

/// `steps` numbers from the value of operand 0 to that of operand 1, counted from the nearer end as
/// PyTorch does, in f64.
static Expr evenlySpaced(RuleContext &ctx, OpFoldResult steps, bool isWhole) {
  Type f64 = ctx.b.getF64Type();
  for (unsigned i : {0u, 1u})
    if (ctx.isTensor(i) && ctx.tensorType(i).getRank())
      (void)ctx.raise(Twine(ctx.name()) + ": expected limits that are 0-dimensional tensors");
  auto limit = [&](unsigned i) {
    Expr value(ctx, ctx.operandAs(i, f64));
    return isWhole ? trunc(value) : value;
  };
  Value negative = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sge,
                                         ctx.intValue(steps), ctx.intValue(ctx.fold(0)));
  ctx.check(negative, "number of steps must be non-negative");
  Expr start = limit(0), end = limit(1), index = iota(ctx, {steps}, 0, f64);
  if (index.isNull())
    return index;
  auto number = [&](OpFoldResult size) {
    return Expr(ctx, ctx.fromScalar(ctx.intValue(size))).cast(f64);
  };
  Expr last = number(ctx.sub(steps, ctx.fold(1))), half = number(ctx.floorDiv(steps, ctx.fold(2)));
  if (isConstantIntValue(steps, 1))
    return index * 0.0 + start;
  Expr by = (end - start) / maximum(last, 1.0);
  Expr spaced = where(index < half, index * by + start, end - (last - index) * by);
  if (getConstantIntValue(steps))
    return spaced;
  return where(last > 0.0, spaced, start);
}

/// linspace(start, end, steps, dtype?, ...).
static FailureOr<Value> linspace(RuleContext &ctx) {
  OpFoldResult steps = ctx.index(2);
  Type type = ctx.dtype(3, ctx.b.getF32Type());
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  return done(ctx, evenlySpaced(ctx, steps, isInt(type)).cast(type));
}

/// logspace(start, end, steps, base, dtype?, ...): base to the power of linspace.
static FailureOr<Value> logspace(RuleContext &ctx) {
  double base = ctx.constantFloat(3);
  OpFoldResult steps = ctx.index(2);
  Type type = ctx.dtype(4, ctx.b.getF32Type());
  if (ctx.failed() || !requireNumber(ctx, type))
    return failure();
  if (!isFloat(type))
    return ctx.fail("logspace: integers are not supported");
  Expr exponent = evenlySpaced(ctx, steps, false);
  if (exponent.isNull())
    return failure();
  return done(ctx, power(exponent.constant(base), exponent).cast(type));
}

/// A matrix of rows x columns that tells for each element whether column - row is `predicate`
/// offset.
static Expr onDiagonal(RuleContext &ctx, ComparePredicate predicate, OpFoldResult rows,
                       OpFoldResult columns, Expr offset) {
  Type i64 = ctx.b.getI64Type();
  Expr row = iota(ctx, {rows, ctx.fold(1)}, 0, i64),
       column = iota(ctx, {ctx.fold(1), columns}, 1, i64);
  return compare(predicate, column - row, offset);
}

/// eye(n, dtype?, ...), eye.m(n, m, dtype?, ...).
template <bool hasColumns> static FailureOr<Value> eye(RuleContext &ctx) {
  OpFoldResult rows = ctx.index(0), columns = hasColumns ? ctx.index(1) : rows;
  Type type = ctx.dtype(hasColumns ? 2 : 1, ctx.b.getF32Type());
  if (ctx.failed() || !ctx.requireSizes({rows, columns}))
    return failure();
  return done(ctx, onDiagonal(ctx, ComparePredicate::EQ, rows, columns,
                              Expr(ctx, ctx.constantTensor(0, ctx.b.getI64Type())))
                       .cast(type));
}

/// tril, triu (self, diagonal): 0 above (below) the diagonal of the last two dimensions.
template <ComparePredicate kept> static FailureOr<Value> triangle(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Value diagonal = ctx.operandAs(1, ctx.b.getI64Type());
  int64_t rank = cast<RankedTensorType>(self.getType()).getRank();
  if (ctx.failed())
    return failure();
  if (rank < 2)
    return ctx.raise(ctx.name() + ": input tensor must have at least 2 dimensions");
  if (!requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  Expr mask = onDiagonal(ctx, kept, ctx.size(self, rank - 2), ctx.size(self, rank - 1),
                         Expr(ctx, diagonal));
  return done(ctx, where(mask, Expr(ctx, self), 0.0));
}

/// tril_indices, triu_indices (row, col, offset, dtype?, ...): the places of a triangle, as a
/// constant of two rows where all is known.
template <bool lower> static FailureOr<Value> triangleIndices(RuleContext &ctx) {
  OpFoldResult rows = ctx.index(0), columns = ctx.index(1), offset = ctx.index(2);
  Type type = ctx.dtype(3, ctx.b.getI64Type()), i64 = ctx.b.getI64Type();
  if (ctx.failed())
    return failure();
  if (!isInt(type))
    return ctx.fail(ctx.name() + ": expected an integer dtype");
  std::optional<int64_t> m = getConstantIntValue(rows), n = getConstantIntValue(columns),
                         diagonal = getConstantIntValue(offset);
  if ((m && *m < 0) || (n && *n < 0))
    return ctx.raise(ctx.name() + ": row and col must be non-negative");
  if (!m || !n || !diagonal) {
    if (!ctx.requireSizes({rows, columns}))
      return failure();
    Expr row = iota(ctx, {rows, ctx.fold(1)}, 0, i64),
         column = iota(ctx, {ctx.fold(1), columns}, 1, i64);
    Expr difference = column - row, limit(ctx, ctx.fromScalar(ctx.intValue(offset)));
    Expr isInside = lower ? difference <= limit : difference >= limit;
    if (isInside.isNull())
      return failure();
    Value places = NonzeroOp::create(ctx.b, ctx.loc, isInside.value());
    return done(ctx, ctx.cast(ctx.transpose(places, 0, 1), type));
  }
  SmallVector<int64_t> first, second;
  for (int64_t row = 0; row < *m; ++row)
    for (int64_t column = 0; column < *n; ++column)
      if (lower ? column - row <= *diagonal : column - row >= *diagonal) {
        first.push_back(row);
        second.push_back(column);
      }
  int64_t count = first.size();
  first.append(second);
  auto i64Type = RankedTensorType::get({2, count}, i64);
  Value constant =
      arith::ConstantOp::create(ctx.b, ctx.loc, DenseElementsAttr::get(i64Type, ArrayRef(first)));
  return done(ctx, ctx.cast(constant, type));
}

/// The number of classes: -1 stands for one more than the greatest index, for which there has to be
/// one.
static OpFoldResult classesOf(RuleContext &ctx, OpFoldResult wanted, Value self) {
  std::optional<int64_t> known = getConstantIntValue(wanted);
  if (known && *known > 0)
    return wanted;
  OpBuilder &b = ctx.b;
  int64_t rank = cast<RankedTensorType>(self.getType()).getRank();
  Expr most =
      reduce(ReduceKind::Max, Expr(ctx, self), llvm::to_vector(llvm::seq<int64_t>(0, rank)), false);
  if (most.isNull())
    return wanted;
  auto compare = [&](arith::CmpIPredicate predicate, OpFoldResult size, int64_t limit) -> Value {
    return arith::CmpIOp::create(b, ctx.loc, predicate, ctx.intValue(size),
                                 ctx.intValue(ctx.fold(limit)));
  };
  Value isGiven = compare(arith::CmpIPredicate::sgt, wanted, 0);
  Value hasSome = compare(arith::CmpIPredicate::ne, ctx.product(ctx.sizes(self)), 0);
  ctx.check(arith::OrIOp::create(b, ctx.loc, isGiven, hasSome),
            "Can not infer total number of classes from empty tensor.");
  Value above =
      arith::AddIOp::create(b, ctx.loc, ctx.toScalar(most.value()), ctx.intValue(ctx.fold(1)));
  Value isOpen = compare(arith::CmpIPredicate::eq, wanted, -1);
  Value classes = arith::SelectOp::create(b, ctx.loc, isOpen, above, ctx.intValue(wanted));
  return arith::IndexCastOp::create(b, ctx.loc, b.getIndexType(), classes).getResult();
}

/// one_hot(self, num_classes): 1 where the class is the index along a new last dimension.
static FailureOr<Value> oneHot(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult wanted = ctx.index(1);
  if (ctx.failed())
    return failure();
  Type i64 = ctx.b.getI64Type();
  if (getElementTypeOrSelf(self) != i64)
    return ctx.raise("one_hot is only applicable to index tensor of type LongTensor.");
  OpFoldResult classes = classesOf(ctx, wanted, self);
  if (ctx.failed())
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  sizes.push_back(classes);
  if (!getConstantIntValue(classes) && !ctx.requireSizes(sizes))
    return failure();
  int64_t rank = cast<RankedTensorType>(self.getType()).getRank();
  Expr x(ctx, self), limit(ctx, ctx.fromScalar(ctx.intValue(classes)));
  Expr inRange = x >= 0.0 && x < limit;
  Expr all = reduce(ReduceKind::And, inRange, llvm::to_vector(llvm::seq<int64_t>(0, rank)), false);
  if (all.isNull())
    return failure();
  ctx.check(ctx.toScalar(all.value()),
            "Class values must be non-negative and smaller than num_classes.");
  Expr column = iota(ctx, {classes}, 0, i64);
  return done(ctx, (Expr(ctx, ctx.unsqueeze(self, rank)) == column).cast(i64));
}

void specialize::registerCreationRules(RuleRegistry &registry) {
  registry.value("zeros", filled<0>);
  registry.value("ones", filled<1>);
  registry.value("empty.memory_format", filled<0>);
  // The order of strides does not show in a value.
  registry.value("empty_permuted", [](RuleContext &ctx) -> FailureOr<Value> {
    SmallVector<OpFoldResult> sizes = ctx.indexList(0);
    Type type = ctx.dtype(2, ctx.b.getF32Type());
    if (ctx.failed())
      return failure();
    return done(ctx, ctx.full(sizes, 0.0, type));
  });
  registry.value("zeros_like", filledLike<0>);
  registry.value("ones_like", filledLike<1>);
  registry.value("empty_like", filledLike<0>);
  registry.value("new_zeros", newFilled<0>);
  registry.value("new_ones", newFilled<1>);
  registry.value("new_empty", newFilled<0>);
  registry.value("full", fullRule);
  registry.value("full_like", fullLike);
  registry.value("new_full", newFull);
  registry.value("scalar_tensor", scalarTensor);
  registry.value("arange", arange);
  registry.value("arange.start", arangeStart);
  registry.value("arange.start_step", arangeStep);
  registry.value("linspace", linspace);
  for (StringRef limits : {"Tensor_Tensor", "Tensor_Scalar", "Scalar_Tensor"}) {
    registry.value(("linspace." + limits).str(), linspace);
    registry.value(("logspace." + limits).str(), logspace);
  }
  registry.value("logspace", logspace);
  registry.value("eye", eye<false>);
  registry.value("eye.m", eye<true>);
  registry.value("tril", triangle<ComparePredicate::LE>);
  registry.value("triu", triangle<ComparePredicate::GE>);
  registry.value("tril_indices", triangleIndices<true>);
  registry.value("triu_indices", triangleIndices<false>);
  registry.value("one_hot", oneHot);
}
