//===- MatrixBuild.cpp - Batches of matrices in rules ---------------------===//

#include "MatrixBuild.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

std::string specialize::apiName(RuleContext &ctx) {
  StringRef name = ctx.name().split('.').first;
  name.consume_front("_");
  name.consume_back("_ex");
  if (name.consume_front("linalg_"))
    return "linalg." + name.str();
  return name.str();
}

Value specialize::matrixOperand(RuleContext &ctx, unsigned i) {
  Value tensor = ctx.tensor(i);
  if (ctx.failed())
    return {};
  Type type = getElementTypeOrSelf(tensor);
  if (!requireReal(ctx, type))
    return {};
  if (rankOf(tensor) < 2)
    (void)ctx.raise(apiName(ctx) + ": The input tensor A must have at least 2 dimensions.");
  else if (!isFloat(type))
    (void)ctx.raise(apiName(ctx) + ": Expected a floating point or complex tensor as input. Got " +
                    dtypeName(type));
  else if (!type.isF32() && !type.isF64())
    (void)ctx.raise(apiName(ctx) + ": Low precision dtypes not supported. Got " + dtypeName(type));
  return ctx.failed() ? Value() : tensor;
}

Value specialize::squareOperand(RuleContext &ctx, unsigned i) {
  Value tensor = matrixOperand(ctx, i);
  if (ctx.failed())
    return {};
  OpFoldResult rows = ctx.size(tensor, rankOf(tensor) - 2),
               columns = ctx.size(tensor, rankOf(tensor) - 1);
  if (!ctx.requireEqual(rows, columns, apiName(ctx) + ": A must be batches of square matrices"))
    return {};
  // One size from here on, known if either is.
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape(type.getShape());
  int64_t &last = shape.back(), &before = shape[shape.size() - 2];
  last = ShapedType::isDynamic(last) ? before : last;
  before = ShapedType::isDynamic(before) ? last : before;
  return ctx.refine(tensor, type.clone(shape));
}

//===----------------------------------------------------------------------===//
// Batches
//===----------------------------------------------------------------------===//

Sizes specialize::batchOf(RuleContext &ctx, Value matrices) {
  if (ctx.failed())
    return {};
  Sizes sizes = ctx.sizes(matrices);
  return Sizes(ArrayRef(sizes).drop_back(2));
}

Value specialize::flatten(RuleContext &ctx, Value tensor, int64_t inner) {
  if (ctx.failed())
    return {};
  Sizes sizes = ctx.sizes(tensor);
  ArrayRef<OpFoldResult> all(sizes);
  Sizes flat = {ctx.product(all.drop_back(inner))};
  flat.append(all.end() - inner, all.end());
  return ctx.reshape(tensor, flat);
}

Value specialize::restore(RuleContext &ctx, Value tensor, ArrayRef<OpFoldResult> batch) {
  if (ctx.failed() || !tensor)
    return {};
  Sizes sizes = ctx.sizes(tensor), whole(batch);
  whole.append(sizes.begin() + 1, sizes.end());
  return ctx.reshape(tensor, whole);
}

Value specialize::broadcastBatch(RuleContext &ctx, Value tensor, ArrayRef<OpFoldResult> batch,
                                 int64_t inner) {
  if (ctx.failed())
    return {};
  Sizes sizes = ctx.sizes(tensor), whole(batch);
  whole.append(sizes.end() - inner, sizes.end());
  return ctx.broadcastTo(tensor, whole);
}

Sizes specialize::broadcastBatches(RuleContext &ctx, Value &a, Value &b) {
  Sizes left = batchOf(ctx, a), right = batchOf(ctx, b), batch;
  size_t rank = std::max(left.size(), right.size());
  left.insert(left.begin(), rank - left.size(), ctx.fold(1));
  right.insert(right.begin(), rank - right.size(), ctx.fold(1));
  for (auto [x, y] : llvm::zip(left, right)) {
    std::optional<OpFoldResult> size = ctx.broadcastSize(
        x, y, apiName(ctx) + ": The batch dimensions do not match and cannot be broadcast");
    if (!size)
      return {};
    batch.push_back(*size);
  }
  a = broadcastBatch(ctx, a, batch, 2);
  b = broadcastBatch(ctx, b, batch, 2);
  return batch;
}

//===----------------------------------------------------------------------===//
// Parts of matrices
//===----------------------------------------------------------------------===//

Value specialize::transposed(RuleContext &ctx, Value matrices) {
  return ctx.failed() ? Value() : ctx.transpose(matrices, 1, 2);
}

Value specialize::product(RuleContext &ctx, Value a, Value b, bool transposeA, bool transposeB) {
  if (ctx.failed() || !a || !b)
    return {};
  return MatmulOp::create(ctx.b, ctx.loc, a, b, transposeA, transposeB, false);
}

Expr specialize::onDiagonals(RuleContext &ctx, ComparePredicate predicate, int64_t diagonal,
                             OpFoldResult rows, OpFoldResult columns) {
  if (ctx.failed())
    return Expr(ctx, {});
  Type i64 = ctx.b.getI64Type();
  OpFoldResult one = ctx.fold(1);
  Expr row(ctx, IotaOp::create(ctx.b, ctx.loc, i64, {one, rows, one}, 1)),
      column(ctx, IotaOp::create(ctx.b, ctx.loc, i64, {one, one, columns}, 2));
  Expr distance = column - row;
  return compare(predicate, distance, distance.constant(static_cast<double>(diagonal)));
}

Value specialize::identity(RuleContext &ctx, Value like, OpFoldResult rows, OpFoldResult columns) {
  if (ctx.failed() || !like)
    return {};
  Expr isOn = onDiagonals(ctx, ComparePredicate::EQ, 0, rows, columns);
  Value one = isOn.cast(getElementTypeOrSelf(like)).value();
  return ctx.failed() ? Value() : ctx.broadcastTo(one, {ctx.size(like, 0), rows, columns});
}

Expr specialize::triangle(const Expr &matrices, ComparePredicate predicate, int64_t diagonal) {
  if (matrices.isNull())
    return matrices;
  RuleContext &ctx = matrices.ctx();
  Sizes sizes = ctx.sizes(matrices.value());
  return where(onDiagonals(ctx, predicate, diagonal, sizes[1], sizes[2]), matrices, 0.0);
}

Expr specialize::diagonalOf(const Expr &matrices) {
  return sum(triangle(matrices, ComparePredicate::EQ, 0), {2}, false);
}

Value specialize::solveTriangular(RuleContext &ctx, Value a, Value b, bool upper, bool unit) {
  if (ctx.failed() || !a || !b)
    return {};
  return TriangularSolveOp::create(ctx.b, ctx.loc, a, b, upper, unit);
}

Value specialize::noTensor(RuleContext &ctx, Type type) {
  return ctx.full({ctx.fold(0)}, 0.0, type);
}

//===----------------------------------------------------------------------===//
// What is raised
//===----------------------------------------------------------------------===//

/// A 0-dim tensor of i64 as a number.
static Value numberOf(const Expr &x) { return x.isNull() ? Value() : x.ctx().toScalar(x.value()); }

void specialize::checkInfo(RuleContext &ctx, Value info, bool isBatch, const Twine &message,
                           unsigned count) {
  if (ctx.failed() || !info)
    return;
  Type i64 = ctx.b.getI64Type();
  Expr codes = Expr(ctx, info).cast(i64), fails = codes != 0.0;
  Expr place(ctx, IotaOp::create(ctx.b, ctx.loc, i64, {ctx.size(info, 0)}, 0));
  Value failures = numberOf(sum(fails.cast(i64), {0}, false));
  // The first of them.
  Expr first = reduce(ReduceKind::Min, where(fails, place, 0x1p40), {0}, false);
  Value number = numberOf(first);
  Value code = numberOf(sum(where(place == first, codes, 0.0), {0}, false));
  if (ctx.failed())
    return;
  Value zero = arith::ConstantIntOp::create(ctx.b, ctx.loc, 0, 64);
  Value isWell = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, failures, zero);
  SmallVector<Value> values(count, code);
  if (isBatch)
    values.insert(values.begin(), number);
  std::string prefix = apiName(ctx) + (isBatch ? ": (Batch element {}):" : ":");
  ctx.check(isWell, prefix + message, values);
}

void specialize::requireFinite(RuleContext &ctx, Value matrices) {
  if (ctx.failed() || !matrices)
    return;
  Expr x(ctx, matrices);
  Expr isWrong = isnan(x) || isinf(x);
  Value wrong = numberOf(sum(isWrong.cast(ctx.b.getI64Type()), allDims(rankOf(matrices)), false));
  if (ctx.failed())
    return;
  Value zero = arith::ConstantIntOp::create(ctx.b, ctx.loc, 0, 64);
  ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, wrong, zero),
            apiName(ctx) + ": The algorithm failed to converge because the input matrix contained "
                           "non-finite values.");
}
