//===- Linear.cpp - Rules of matrix products ------------------------------===//

#include "../Builtins/Numbers.h"
#include "Families.h"
#include "LinearBuild.h"
#include "TensorExpr.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

/// Fails unless all are tensors of one element type that can be multiplied.
static bool requireOneType(RuleContext &ctx, ArrayRef<Value> tensors) {
  if (ctx.failed())
    return false;
  Type type = getElementTypeOrSelf(tensors.front());
  if (!requireNumber(ctx, type))
    return false;
  for (Value tensor : tensors) {
    if (getElementTypeOrSelf(tensor) == type)
      continue;
    (void)ctx.raise(Twine(ctx.name()) + ": expected tensors of the same dtype, but got " +
                    dtypeName(type) + " and " + dtypeName(getElementTypeOrSelf(tensor)));
    return false;
  }
  return true;
}

static bool requireRank(RuleContext &ctx, Value tensor, int64_t rank, StringRef what) {
  if (rankOf(tensor) == rank)
    return true;
  (void)ctx.raise(Twine(ctx.name()) + ": expected " + what + " of rank " + Twine(rank) +
                  ", but got rank " + Twine(rankOf(tensor)));
  return false;
}

namespace {
/// What a product's f16 and bf16 elements become: the operands' type, or f32 for a rule that goes
/// on with them.
enum class Result { Rounded, Wide };
} // namespace

/// tl.matmul of two matrices or two batches after checking that they fit; null after a failure.
static Value matmul(RuleContext &ctx, Value lhs, Value rhs, Result result = Result::Rounded,
                    bool transposeRhs = false) {
  int64_t rank = rankOf(lhs);
  if (!ctx.requireEqual(ctx.size(lhs, rank - 1), ctx.size(rhs, transposeRhs ? rank - 1 : rank - 2),
                        Twine(ctx.name()) + ": the inner sizes of the matrices differ"))
    return {};
  if (rank == 3 &&
      !ctx.requireEqual(ctx.size(lhs, 0), ctx.size(rhs, 0),
                        Twine(ctx.name()) + ": the batch sizes of the matrices differ"))
    return {};
  Type type = getElementTypeOrSelf(lhs);
  bool toF32 = result == Result::Wide && computeType(type) != type;
  return MatmulOp::create(ctx.b, ctx.loc, lhs, rhs, /*transpose_a=*/false, transposeRhs, toF32);
}

/// All dimensions but the last folded into one: [m, k].
static Value foldRows(RuleContext &ctx, Value tensor) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(tensor);
  OpFoldResult last = sizes.pop_back_val();
  return ctx.reshape(tensor, {ctx.product(sizes), last});
}

Value specialize::buildLinear(RuleContext &ctx, Value input, Value weight, Value bias) {
  SmallVector<Value> operands = {input, weight};
  if (bias)
    operands.push_back(bias);
  if (!requireOneType(ctx, operands))
    return {};
  if (rankOf(input) == 0 || rankOf(weight) == 0 || rankOf(weight) > 2) {
    (void)ctx.raise("linear: both arguments need to be at least 1D, the weight at most 2D");
    return {};
  }
  SmallVector<OpFoldResult> sizes = ctx.sizes(input);
  bool isVector = rankOf(weight) == 1;
  if (isVector)
    weight = ctx.unsqueeze(weight, 0);
  sizes.back() = ctx.size(weight, 0);
  Value rows = rankOf(input) == 2 ? input : foldRows(ctx, input);
  Value product =
      matmul(ctx, rows, weight, bias ? Result::Wide : Result::Rounded, /*transposeRhs=*/true);
  if (ctx.failed() || !product)
    return {};
  Expr result(ctx, product);
  if (bias)
    result =
        (result + Expr(ctx, bias).cast(result.elementType())).cast(getElementTypeOrSelf(input));
  if (isVector)
    sizes.pop_back();
  if (result.isNull())
    return {};
  // The bias may have broadcast no further than the rows allow.
  if (rankOf(input) == 2 && !isVector)
    return result.value();
  return ctx.reshape(result.value(), sizes);
}

/// linear(input, weight, bias?): input * weight^T + bias over the last dimension.
static FailureOr<Value> linear(RuleContext &ctx) {
  Value input = ctx.tensor(0), weight = ctx.tensor(1), bias = ctx.optionalTensor(2);
  if (ctx.failed())
    return failure();
  return done(ctx, buildLinear(ctx, input, weight, bias));
}

/// The product of tensors of any rank above 0, as torch.matmul defines it; null after a failure.
static Value matmulAny(RuleContext &ctx, Value lhs, Value rhs, Result result = Result::Rounded) {
  int64_t lhsRank = rankOf(lhs), rhsRank = rankOf(rhs);
  if (!lhsRank || !rhsRank) {
    (void)ctx.raise(Twine(ctx.name()) + ": both arguments need to be at least 1D");
    return {};
  }
  // A vector is a matrix of one row (left) or of one column (right), which is taken away again.
  bool lhsVector = lhsRank == 1, rhsVector = rhsRank == 1;
  if (lhsVector)
    lhs = ctx.unsqueeze(lhs, 0);
  if (rhsVector)
    rhs = ctx.unsqueeze(rhs, 1);
  lhsRank = rankOf(lhs);
  rhsRank = rankOf(rhs);

  SmallVector<OpFoldResult> sizes;
  Value product;
  OpFoldResult rows = ctx.size(lhs, lhsRank - 2), columns = ctx.size(rhs, rhsRank - 1);
  if (rhsRank == 2) {
    sizes = llvm::to_vector(ArrayRef<OpFoldResult>(ctx.sizes(lhs)).drop_back(2));
    product = matmul(ctx, lhsRank == 2 ? lhs : foldRows(ctx, lhs), rhs, result);
  } else {
    // Batches: broadcast the leading dimensions, and fold them into one.
    SmallVector<OpFoldResult> lhsSizes = ctx.sizes(lhs), rhsSizes = ctx.sizes(rhs);
    ArrayRef<OpFoldResult> lhsBatch = ArrayRef(lhsSizes).drop_back(2),
                           rhsBatch = ArrayRef(rhsSizes).drop_back(2);
    size_t count = std::max(lhsBatch.size(), rhsBatch.size());
    for (size_t i = 0; i < count; ++i) {
      size_t fromEnd = count - i;
      OpFoldResult a =
          fromEnd <= lhsBatch.size() ? lhsBatch[lhsBatch.size() - fromEnd] : ctx.fold(1);
      OpFoldResult b =
          fromEnd <= rhsBatch.size() ? rhsBatch[rhsBatch.size() - fromEnd] : ctx.fold(1);
      std::optional<OpFoldResult> size =
          ctx.broadcastSize(a, b, Twine(ctx.name()) + ": the batch sizes of the matrices differ");
      if (!size)
        return {};
      sizes.push_back(*size);
    }
    auto foldBatch = [&](Value tensor) {
      SmallVector<OpFoldResult> own = ctx.sizes(tensor), wide(sizes);
      wide.append({own[own.size() - 2], own.back()});
      Value all = ctx.broadcastTo(tensor, wide);
      return ctx.reshape(all, {ctx.product(sizes), own[own.size() - 2], own.back()});
    };
    if (ctx.failed())
      return {};
    product = matmul(ctx, foldBatch(lhs), foldBatch(rhs), result);
  }
  if (ctx.failed() || !product)
    return {};
  if (!lhsVector)
    sizes.push_back(rows);
  if (!rhsVector)
    sizes.push_back(columns);
  // Rows or batches that were folded, and vectors, have other dimensions in the result, even where
  // their number is the same ([5, 5, k] times [k] is [25, 1] here, and [5, 5] in the end).
  bool isProduct =
      !lhsVector && !rhsVector && rankOf(product) == static_cast<int64_t>(sizes.size());
  return isProduct ? product : ctx.reshape(product, sizes);
}

/// matmul(self, other).
static FailureOr<Value> matmulRule(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (!requireOneType(ctx, {self, other}))
    return failure();
  return done(ctx, matmulAny(ctx, self, other));
}

/// mm, bmm, mv, dot, inner ranks checked: mm(self, mat2), bmm(self, mat2), mv(self, vec), dot(self,
/// tensor).
template <int64_t lhsRank, int64_t rhsRank> static FailureOr<Value> product(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (!requireOneType(ctx, {self, other}) || !requireRank(ctx, self, lhsRank, "a first tensor") ||
      !requireRank(ctx, other, rhsRank, "a second tensor"))
    return failure();
  if constexpr (lhsRank == 3)
    return done(ctx, matmul(ctx, self, other));
  return done(ctx, matmulAny(ctx, self, other));
}

/// beta * self + alpha * product as elements of `type`, in which operands and product are, or the
/// latter in the type in which PyTorch computes. self is not read for beta 0: its NaN must not
/// show. Of a float only the whole part counts for integers.
static FailureOr<Value> scaledSum(RuleContext &ctx, Type type, Value self, Value product,
                                  unsigned beta, unsigned alpha) {
  if (ctx.failed() || !product)
    return failure();
  for (unsigned i : {beta, alpha})
    if (!isFloat(type) && !requireFits(ctx, i, type))
      return failure();
  Expr result = Expr(ctx, product).cast(computeType(type));
  if (ctx.knownFloat(alpha) != 1.0)
    result = result * computeOperand(ctx, alpha, type);
  if (result.isNull())
    return failure();
  Expr addend(ctx, ctx.broadcastTo(self, ctx.sizes(result.value())));
  if (ctx.failed())
    return failure();
  if (ctx.knownFloat(beta) == 0.0)
    return done(ctx, result.cast(type));
  addend = addend.cast(computeType(type));
  if (ctx.knownFloat(beta) != 1.0)
    addend = addend * computeOperand(ctx, beta, type);
  return done(ctx, (addend + result).cast(type));
}

/// addmm(self, mat1, mat2, beta, alpha), addmv, baddbmm: ranks of the factors.
template <int64_t lhsRank, int64_t rhsRank> static FailureOr<Value> addProduct(RuleContext &ctx) {
  Value self = ctx.tensor(0), lhs = ctx.tensor(1), rhs = ctx.tensor(2);
  if (!requireOneType(ctx, {self, lhs, rhs}) || !requireRank(ctx, lhs, lhsRank, "a first factor") ||
      !requireRank(ctx, rhs, rhsRank, "a second factor"))
    return failure();
  Value result =
      lhsRank == 3 ? matmul(ctx, lhs, rhs, Result::Wide) : matmulAny(ctx, lhs, rhs, Result::Wide);
  return scaledSum(ctx, getElementTypeOrSelf(lhs), self, result, 3, 4);
}

/// addbmm(self, batch1, batch2, beta, alpha): the products summed over the batch.
static FailureOr<Value> addbmm(RuleContext &ctx) {
  Value self = ctx.tensor(0), lhs = ctx.tensor(1), rhs = ctx.tensor(2);
  if (!requireOneType(ctx, {self, lhs, rhs}) || !requireRank(ctx, lhs, 3, "a first factor") ||
      !requireRank(ctx, rhs, 3, "a second factor"))
    return failure();
  Value result = matmul(ctx, lhs, rhs, Result::Wide);
  if (!result)
    return failure();
  Value total = sum(Expr(ctx, result), {0}, false).value();
  return scaledSum(ctx, getElementTypeOrSelf(lhs), self, total, 3, 4);
}

/// The outer product of two vectors, with elements of `type`.
static Expr outerProduct(RuleContext &ctx, Value lhs, Value rhs, Type type) {
  return Expr(ctx, ctx.unsqueeze(lhs, 1)).cast(type) * Expr(ctx, ctx.unsqueeze(rhs, 0)).cast(type);
}

/// outer(self, vec2), ger.
static FailureOr<Value> outer(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (!requireReal(ctx, type))
    return failure();
  Value self = ctx.operandAs(0, type), other = ctx.operandAs(1, type);
  if (ctx.failed() || !requireRank(ctx, self, 1, "a vector") ||
      !requireRank(ctx, other, 1, "a vector"))
    return failure();
  return done(ctx, outerProduct(ctx, self, other, type));
}

/// addr(self, vec1, vec2, beta, alpha).
static FailureOr<Value> addr(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1, 2});
  if (!requireReal(ctx, type))
    return failure();
  if (isBool(type))
    return ctx.fail("addr: bool is not supported");
  Value self = ctx.operandAs(0, type), a = ctx.operandAs(1, type), b = ctx.operandAs(2, type);
  if (ctx.failed() || !requireRank(ctx, a, 1, "a vector") || !requireRank(ctx, b, 1, "a vector"))
    return failure();
  for (unsigned i : {3, 4})
    if (ctx.operand(i).is(ValueKind::Float) && !isFloat(type))
      return ctx.raise("For integral input tensors, argument " + Twine(i == 3 ? "beta" : "alpha") +
                       " must not be a floating point number.");
  return scaledSum(ctx, type, self, outerProduct(ctx, a, b, computeType(type)).value(), 3, 4);
}

/// Contracts `lhsDims` of lhs with `rhsDims` of rhs; the result has what remains of lhs, then of
/// rhs.
static Value contract(RuleContext &ctx, Value lhs, Value rhs, ArrayRef<int64_t> lhsDims,
                      ArrayRef<int64_t> rhsDims) {
  auto freeDims = [](int64_t rank, ArrayRef<int64_t> used) {
    SmallVector<int64_t> dims;
    for (int64_t i = 0; i < rank; ++i)
      if (!llvm::is_contained(used, i))
        dims.push_back(i);
    return dims;
  };
  auto sizesOf = [&](Value tensor, ArrayRef<int64_t> dims) {
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim : dims)
      sizes.push_back(ctx.size(tensor, dim));
    return sizes;
  };
  SmallVector<int64_t> lhsFree = freeDims(rankOf(lhs), lhsDims),
                       rhsFree = freeDims(rankOf(rhs), rhsDims);
  for (auto [l, r] : llvm::zip(lhsDims, rhsDims))
    if (!ctx.requireEqual(ctx.size(lhs, l), ctx.size(rhs, r),
                          Twine(ctx.name()) + ": the contracted sizes differ"))
      return {};
  SmallVector<OpFoldResult> rows = sizesOf(lhs, lhsFree), columns = sizesOf(rhs, rhsFree);
  OpFoldResult inner = ctx.product(sizesOf(lhs, lhsDims));
  SmallVector<int64_t> lhsOrder(lhsFree), rhsOrder(rhsDims.begin(), rhsDims.end());
  lhsOrder.append(lhsDims.begin(), lhsDims.end());
  rhsOrder.append(rhsFree);
  Value a = ctx.reshape(ctx.permute(lhs, lhsOrder), {ctx.product(rows), inner});
  Value b = ctx.reshape(ctx.permute(rhs, rhsOrder), {inner, ctx.product(columns)});
  Value result = matmul(ctx, a, b);
  if (!result)
    return {};
  SmallVector<OpFoldResult> sizes(rows);
  sizes.append(columns);
  return ctx.reshape(result, sizes);
}

/// tensordot(self, other, dims_self, dims_other).
static FailureOr<Value> tensordot(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (!requireOneType(ctx, {self, other}))
    return failure();
  auto dimsOf = [&](unsigned i, Value tensor) {
    SmallVector<int64_t> dims = ctx.constantIntList(i);
    for (int64_t &dim : dims) {
      int64_t rank = rankOf(tensor);
      if (dim < -rank || dim >= rank)
        (void)ctx.raise("tensordot: dimension out of range");
      else if (dim < 0)
        dim += rank;
    }
    return dims;
  };
  SmallVector<int64_t> lhsDims = dimsOf(2, self), rhsDims = dimsOf(3, other);
  if (ctx.failed())
    return failure();
  if (lhsDims.size() != rhsDims.size())
    return ctx.raise("both dimension lists should have same length");
  // A contracted size of 1 is as many as the other one's.
  SmallVector<OpFoldResult> selfSizes = ctx.sizes(self), otherSizes = ctx.sizes(other);
  for (auto [l, r] : llvm::zip(lhsDims, rhsDims)) {
    std::optional<OpFoldResult> size =
        ctx.broadcastSize(selfSizes[l], otherSizes[r], "tensordot: the contracted sizes differ");
    if (!size)
      return failure();
    selfSizes[l] = otherSizes[r] = *size;
  }
  self = ctx.broadcastTo(self, selfSizes);
  other = ctx.broadcastTo(other, otherSizes);
  if (ctx.failed())
    return failure();
  return done(ctx, contract(ctx, self, other, lhsDims, rhsDims));
}

/// inner(self, other): over the last dimensions; with a 0-dim tensor a product.
static FailureOr<Value> inner(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (!requireOneType(ctx, {self, other}))
    return failure();
  if (!rankOf(self) || !rankOf(other))
    return done(ctx, Expr(ctx, self) * Expr(ctx, other));
  return done(ctx, contract(ctx, self, other, {rankOf(self) - 1}, {rankOf(other) - 1}));
}

/// linalg_vecdot(self, other, dim): real tensors.
static FailureOr<Value> vecdot(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (!requireOneType(ctx, {self, other}))
    return failure();
  Type type = getElementTypeOrSelf(self), wide = computeType(type);
  Expr products = Expr(ctx, self).cast(wide) * Expr(ctx, other).cast(wide);
  if (products.isNull())
    return failure();
  int64_t dim = ctx.dim(2, rankOf(products.value()));
  if (ctx.failed())
    return failure();
  return done(ctx, sum(products, {dim}, false).cast(type));
}

/// trace(self): the sum of the diagonal, of integers as int64.
static FailureOr<Value> traceRule(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireRank(ctx, self, 2, "a matrix"))
    return failure();
  Type type = getElementTypeOrSelf(self);
  if (!requireReal(ctx, type))
    return failure();
  Type sumType = isFloat(type) ? type : Type(ctx.b.getI64Type());
  OpFoldResult rows = ctx.size(self, 0), columns = ctx.size(self, 1);
  auto iota = [&](int64_t dim) {
    SmallVector<OpFoldResult> sizes = {dim == 0 ? rows : ctx.fold(1),
                                       dim == 1 ? columns : ctx.fold(1)};
    return Expr(ctx, IotaOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), sizes, dim));
  };
  Expr x = Expr(ctx, self).cast(sumType);
  return done(ctx, sum(where(iota(0) == iota(1), x, 0.0), {0, 1}, false));
}

//===----------------------------------------------------------------------===//
// einsum
//===----------------------------------------------------------------------===//

namespace {
/// A tensor whose dimensions have labels: letters, and numbers from -1 down for those of `...`.
struct Labelled {
  Value tensor;
  SmallVector<int> labels;
};
} // namespace

/// Sums and permutes so that the tensor's dimensions are exactly `wanted`, in order; labels of
/// `wanted` that it lacks become dimensions of size 1. Sums of integers are i64, as those of `sum`.
static Value arrange(RuleContext &ctx, Labelled operand, ArrayRef<int> wanted) {
  SmallVector<int64_t> summed;
  SmallVector<int> kept;
  for (auto [i, label] : llvm::enumerate(operand.labels)) {
    if (llvm::is_contained(wanted, label))
      kept.push_back(label);
    else
      summed.push_back(i);
  }
  Value tensor = operand.tensor;
  Type element = getElementTypeOrSelf(tensor);
  if (!summed.empty())
    tensor = sum(Expr(ctx, tensor).cast(isa<IntegerType>(element) ? ctx.b.getI64Type() : element),
                 summed, false)
                 .value();
  if (!tensor)
    return {};
  SmallVector<int64_t> order;
  for (int label : wanted)
    if (llvm::is_contained(kept, label))
      order.push_back(llvm::find(kept, label) - kept.begin());
  tensor = ctx.permute(tensor, order);
  for (auto [i, label] : llvm::enumerate(wanted))
    if (!llvm::is_contained(kept, label))
      tensor = ctx.unsqueeze(tensor, i);
  return tensor;
}

/// The product of two labelled tensors, summed over the labels that are not in `keep`: one batched
/// matrix product where nothing but size 1 is broadcast, else a product and a sum.
static Labelled multiply(RuleContext &ctx, Labelled a, Labelled b,
                         llvm::function_ref<bool(int)> keep) {
  SmallVector<int> batch, rows, columns, inner;
  bool broadcasts = false;
  for (auto [i, label] : llvm::enumerate(a.labels)) {
    const int *other = llvm::find(b.labels, label);
    if (other == b.labels.end()) {
      if (keep(label))
        rows.push_back(label);
      continue; // summed by arrange
    }
    OpFoldResult aSize = ctx.size(a.tensor, i),
                 bSize = ctx.size(b.tensor, other - b.labels.begin());
    broadcasts |= isConstantIntValue(aSize, 1) != isConstantIntValue(bSize, 1);
    (keep(label) ? batch : inner).push_back(label);
  }
  for (int label : b.labels)
    if (!llvm::is_contained(a.labels, label) && keep(label))
      columns.push_back(label);
  Labelled result;
  Type element = getElementTypeOrSelf(a.tensor);
  if (broadcasts && !inner.empty() && isa<IntegerType>(element) && !element.isInteger(64)) {
    (void)ctx.fail("einsum: a sum of products of small integers that are broadcast");
    return result;
  }
  if (broadcasts || inner.empty()) {
    SmallVector<int> order(batch);
    order.append(rows);
    order.append(columns);
    result.labels = order;
    order.append(inner);
    Value left = arrange(ctx, a, order), right = arrange(ctx, b, order);
    if (ctx.failed() || !left || !right)
      return result;
    SmallVector<int64_t> dims;
    for (size_t i = result.labels.size(); i < order.size(); ++i)
      dims.push_back(i);
    Type type = getElementTypeOrSelf(left), wide = computeType(type);
    result.tensor = dims.empty()
                        ? (Expr(ctx, left) * Expr(ctx, right)).value()
                        : sum(Expr(ctx, left).cast(wide) * Expr(ctx, right).cast(wide), dims, false)
                              .cast(type)
                              .value();
    return result;
  }
  auto order = [&](ArrayRef<int> x, ArrayRef<int> y) {
    SmallVector<int> all(batch);
    all.append(x.begin(), x.end());
    all.append(y.begin(), y.end());
    return all;
  };
  Value left = arrange(ctx, a, order(rows, inner)), right = arrange(ctx, b, order(inner, columns));
  if (ctx.failed() || !left || !right)
    return result;
  Type leftType = getElementTypeOrSelf(left), rightType = getElementTypeOrSelf(right);
  if (leftType != rightType) {
    // One of them was summed before.
    (void)ctx.raise("expected scalar type " + dtypeName(leftType) + " but found " +
                    dtypeName(rightType));
    return result;
  }
  auto part = [&](Value tensor, size_t begin, size_t count) {
    return llvm::to_vector(ArrayRef<OpFoldResult>(ctx.sizes(tensor)).slice(begin, count));
  };
  size_t n = batch.size();
  SmallVector<OpFoldResult> leftSizes = ctx.sizes(left), rightSizes = ctx.sizes(right);
  for (size_t i = 0; i < n + inner.size(); ++i) {
    OpFoldResult &l = leftSizes[i < n ? i : i + rows.size()], &r = rightSizes[i];
    std::optional<OpFoldResult> size = ctx.broadcastSize(l, r, "einsum: sizes of one label differ");
    if (!size)
      return result;
    l = r = *size;
  }
  left = ctx.broadcastTo(left, leftSizes);
  right = ctx.broadcastTo(right, rightSizes);
  SmallVector<OpFoldResult> sizes = part(left, 0, n);
  OpFoldResult count = ctx.product(sizes), k = ctx.product(part(right, n, inner.size()));
  SmallVector<OpFoldResult> rowSizes = part(left, n, rows.size());
  SmallVector<OpFoldResult> columnSizes = part(right, n + inner.size(), columns.size());
  Value product = matmul(ctx, ctx.reshape(left, {count, ctx.product(rowSizes), k}),
                         ctx.reshape(right, {count, k, ctx.product(columnSizes)}));
  if (!product)
    return result;
  sizes.append(rowSizes);
  sizes.append(columnSizes);
  result.tensor = ctx.reshape(product, sizes);
  result.labels = order(rows, columns);
  return result;
}

/// The labels of one subscript of a tensor of `rank`; `...` gives -1, -2, ... from the right.
static FailureOr<SmallVector<int>> parseLabels(RuleContext &ctx, StringRef text, int64_t rank) {
  SmallVector<int> labels;
  int64_t letters = llvm::count_if(text, [](char c) { return llvm::isAlpha(c); });
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ')
      continue;
    if (text[i] == '.') {
      if (!text.substr(i).starts_with("..."))
        return ctx.raise("einsum: malformed ellipsis in the equation");
      i += 2;
      for (int64_t dim = rank - letters; dim > 0; --dim)
        labels.push_back(-dim);
      continue;
    }
    if (!llvm::isAlpha(text[i]))
      return ctx.raise("einsum: unexpected character in the equation");
    labels.push_back(text[i]);
  }
  return labels;
}

/// Takes diagonals of repeated labels: `ii` becomes `i`.
static void takeDiagonals(RuleContext &ctx, Labelled &operand) {
  for (size_t i = 0; i < operand.labels.size(); ++i) {
    for (size_t j = i + 1; j < operand.labels.size();) {
      if (operand.labels[i] != operand.labels[j]) {
        ++j;
        continue;
      }
      OpFoldResult size = ctx.size(operand.tensor, i);
      if (!ctx.requireEqual(size, ctx.size(operand.tensor, j), "einsum: sizes of one label differ"))
        return;
      // All but the diagonal is 0, and is summed away.
      SmallVector<OpFoldResult> ones(operand.labels.size(), ctx.fold(1));
      auto iota = [&](size_t dim) {
        SmallVector<OpFoldResult> sizes(ones);
        sizes[dim] = size;
        return Expr(ctx, IotaOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), sizes, dim));
      };
      Expr x(ctx, operand.tensor);
      operand.tensor =
          sum(where(iota(i) == iota(j), x, 0.0), {static_cast<int64_t>(j)}, false).value();
      operand.labels.erase(operand.labels.begin() + j);
      if (!operand.tensor)
        return;
    }
  }
}

/// einsum(equation, tensors, path?).
static FailureOr<Value> einsum(RuleContext &ctx) {
  StringRef equation = ctx.constantString(0);
  SmallVector<Value> tensors = ctx.tensorList(1);
  if (ctx.failed() || tensors.empty())
    return ctx.raise("einsum(): must provide at least one operand");
  if (!requireOneType(ctx, tensors))
    return failure();
  auto [inputs, output] = equation.split("->");
  SmallVector<StringRef> subscripts;
  inputs.split(subscripts, ',');
  if (subscripts.size() != tensors.size())
    return ctx.raise("einsum(): the number of subscripts differs from the number of operands");
  SmallVector<Labelled> operands;
  int64_t ellipsis = 0;
  for (auto [subscript, tensor] : llvm::zip(subscripts, tensors)) {
    FailureOr<SmallVector<int>> labels = parseLabels(ctx, subscript, rankOf(tensor));
    if (failed(labels))
      return failure();
    if (static_cast<int64_t>(labels->size()) != rankOf(tensor))
      return ctx.raise("einsum(): a subscript has " + Twine(labels->size()) +
                       " labels, but its operand has rank " + Twine(rankOf(tensor)));
    for (int label : *labels)
      ellipsis = std::max<int64_t>(ellipsis, -label);
    operands.push_back({tensor, *labels});
    takeDiagonals(ctx, operands.back());
    if (ctx.failed())
      return failure();
  }
  SmallVector<int> wanted;
  if (equation.contains("->")) {
    int64_t letters = llvm::count_if(output, [](char c) { return llvm::isAlpha(c); });
    FailureOr<SmallVector<int>> labels = parseLabels(ctx, output, letters + ellipsis);
    if (failed(labels))
      return failure();
    wanted = *labels;
  } else {
    // Implicit: the ellipsis, then labels that come once, upper case first.
    for (int64_t dim = ellipsis; dim > 0; --dim)
      wanted.push_back(-dim);
    for (int c = 'A'; c <= 'z'; ++c)
      if (llvm::isAlpha(c) && llvm::count(inputs, static_cast<char>(c)) == 1)
        wanted.push_back(c);
  }
  for (int label : wanted)
    if (llvm::none_of(operands,
                      [&](const Labelled &o) { return llvm::is_contained(o.labels, label); }))
      return ctx.raise("einsum(): an output label does not appear in the equation");
  Labelled result = operands.front();
  for (size_t i = 1; i < operands.size(); ++i) {
    auto keep = [&](int label) {
      return llvm::is_contained(wanted, label) ||
             llvm::any_of(ArrayRef(operands).drop_front(i + 1),
                          [&](const Labelled &o) { return llvm::is_contained(o.labels, label); });
    };
    result = multiply(ctx, result, operands[i], keep);
    if (ctx.failed() || !result.tensor)
      return failure();
  }
  return done(ctx, arrange(ctx, result, wanted));
}

void specialize::registerLinearRules(RuleRegistry &registry) {
  registry.value("linear", linear);
  registry.value("matmul", matmulRule);
  registry.value("mm", product<2, 2>);
  registry.value("bmm", product<3, 3>);
  registry.value("mv", product<2, 1>);
  registry.value("dot", product<1, 1>);
  registry.value("vdot", product<1, 1>);
  registry.value("addmm", addProduct<2, 2>);
  registry.value("addmv", addProduct<2, 1>);
  registry.value("baddbmm", addProduct<3, 3>);
  registry.value("addbmm", addbmm);
  registry.value("addr", addr);
  registry.value("einsum", einsum);
  registry.value("ger", outer);
  registry.value("inner", inner);
  registry.value("linalg_vecdot", vecdot);
  registry.value("outer", outer);
  registry.value("tensordot", tensordot);
  registry.value("trace", traceRule);
}
