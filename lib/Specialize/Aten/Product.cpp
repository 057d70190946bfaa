//===- Product.cpp - Rules of products, pairs and distances of vectors ----===//

#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

static Expr iota(RuleContext &ctx, ArrayRef<OpFoldResult> sizes, int64_t dim) {
  return Expr(ctx, IotaOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), sizes, dim));
}

//===----------------------------------------------------------------------===//
// Tuples of elements
//===----------------------------------------------------------------------===//

/// cartesian_prod(tensors): one row for each choice of an element of each.
static FailureOr<Value> cartesianProd(RuleContext &ctx) {
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (ctx.failed())
    return failure();
  if (tensors.empty())
    return ctx.raise("cartesian_prod: expected a list of tensors that is not empty");
  for (Value tensor : tensors) {
    if (rankOf(tensor) != 1)
      return ctx.raise("Expect a 1D vector, but got one of rank " + Twine(rankOf(tensor)));
    if (getElementTypeOrSelf(tensor) != getElementTypeOrSelf(tensors.front()))
      return ctx.raise("meshgrid expects all tensors to have the same dtype");
  }
  if (tensors.size() == 1)
    return tensors.front();
  SmallVector<OpFoldResult> sizes;
  for (Value tensor : tensors)
    sizes.push_back(ctx.size(tensor, 0));
  SmallVector<Value> columns;
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    SmallVector<OpFoldResult> own(sizes.size(), ctx.fold(1));
    own[i] = sizes[i];
    Value all = ctx.broadcastTo(ctx.reshape(tensor, own), sizes);
    columns.push_back(ctx.reshape(all, {ctx.product(sizes), ctx.fold(1)}));
  }
  if (ctx.failed())
    return failure();
  return done(ctx, ConcatOp::create(ctx.b, ctx.loc, columns, 1));
}

/// The tuples of `r` positions below `size` that rise (strictly, without replacement), a row each.
static Value risingTuples(RuleContext &ctx, OpFoldResult size, int64_t r, bool withReplacement) {
  SmallVector<OpFoldResult> sizes(r, size);
  Expr mask(ctx, ctx.full(sizes, 1.0, ctx.b.getI1Type()));
  for (int64_t i = 0; i + 1 < r; ++i) {
    SmallVector<OpFoldResult> left(r, ctx.fold(1)), right = left;
    left[i] = size;
    right[i + 1] = size;
    Expr low = iota(ctx, left, i), high = iota(ctx, right, i + 1);
    mask = mask && (withReplacement ? low <= high : low < high);
  }
  return mask.isNull() ? Value() : checkedValue<NonzeroOp>(ctx, mask.value());
}

/// combinations(self, r, with_replacement).
static FailureOr<Value> combinations(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t r = ctx.constantInt(1, 2);
  bool withReplacement = ctx.constantBool(2, false);
  if (ctx.failed())
    return failure();
  if (rankOf(self) != 1)
    return ctx.raise("Expect a 1D vector, but got one of rank " + Twine(rankOf(self)));
  if (r < 0)
    return ctx.raise("Expect a non-negative number, but got " + Twine(r));
  OpFoldResult size = ctx.size(self, 0);
  if (r == 0)
    return done(ctx, ctx.full({ctx.fold(0)}, 0.0, getElementTypeOrSelf(self)));
  if (r > 8)
    return ctx.fail("combinations: more than 8 elements are not supported");
  if (isConstantIntValue(size, 0))
    return done(ctx, ctx.full({ctx.fold(0), ctx.fold(r)}, 0.0, getElementTypeOrSelf(self)));
  Value rows = risingTuples(ctx, size, r, withReplacement);
  if (!rows)
    return failure();
  return done(ctx, checkedValue<TakeOp>(ctx, self, rows, uint64_t(0)));
}

/// diag(self, diagonal): the diagonal of a matrix, or the matrix of a diagonal.
static FailureOr<Value> diag(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t k = ctx.constantInt(1, 0), below = std::max<int64_t>(-k, 0),
          right = std::max<int64_t>(k, 0);
  if (ctx.failed())
    return failure();
  Type i64 = ctx.b.getI64Type();
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  if (sizes.size() == 2) {
    OpFoldResult length =
        ctx.minimum(ctx.sub(sizes[0], ctx.fold(below)), ctx.sub(sizes[1], ctx.fold(right)));
    length = ctx.maximum(length, ctx.fold(0));
    Expr i = iota(ctx, {length}, 0), columns = sizeTensor(ctx, sizes[1], i64);
    Expr index = (i + static_cast<double>(below)) * columns + i + static_cast<double>(right);
    if (index.isNull())
      return failure();
    Value flat = ctx.reshape(self, {ctx.product(sizes)});
    return done(ctx, checkedValue<TakeOp>(ctx, flat, index.value(), uint64_t(0)));
  }
  if (sizes.size() != 1)
    return ctx.raise("diag(): Supports 1D or 2D tensors. Got " + Twine(sizes.size()) + "D");
  // Element 0 is what stands off the diagonal.
  Value zero = ctx.full({ctx.fold(1)}, 0.0, getElementTypeOrSelf(self));
  if (ctx.failed())
    return failure();
  Value padded = ConcatOp::create(ctx.b, ctx.loc, ValueRange{zero, self}, 0);
  OpFoldResult side = ctx.add(sizes[0], ctx.fold(below + right));
  Expr row = iota(ctx, {side, ctx.fold(1)}, 0), column = iota(ctx, {ctx.fold(1), side}, 1);
  Expr element = row - static_cast<double>(below);
  Expr isOn = column - row == row.constant(static_cast<double>(k)) && element >= 0.0 &&
              element < sizeTensor(ctx, sizes[0], i64);
  Expr index = where(isOn, element + 1.0, 0.0);
  if (index.isNull())
    return failure();
  return done(ctx, checkedValue<TakeOp>(ctx, padded, index.value(), uint64_t(0)));
}

/// linalg_vander(x, N?): the powers of each element, from 0 to N - 1.
static FailureOr<Value> vander(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  if (!rankOf(self))
    self = ctx.unsqueeze(self, 0);
  int64_t rank = rankOf(self);
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  OpFoldResult count = ctx.isNone(1) ? sizes.back() : ctx.index(1);
  std::optional<int64_t> known = getConstantIntValue(count);
  if (known && *known < 2)
    return ctx.raise("N must be greater than 1.");
  if (!known)
    ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt, ctx.intValue(count),
                                    ctx.intValue(ctx.fold(1))),
              "N must be greater than 1.");
  Type type = getElementTypeOrSelf(self);
  type = isFloat(type) ? type : Type(ctx.b.getI64Type());
  sizes.push_back(ctx.maximum(count, ctx.fold(0)));
  SmallVector<OpFoldResult> shape(rank + 1, ctx.fold(1));
  shape[rank] = sizes.back();
  Value wide = ctx.broadcastTo(ctx.unsqueeze(ctx.cast(self, type), rank), sizes);
  if (ctx.failed())
    return failure();
  return done(ctx, cumulative(where(iota(ctx, shape, rank) == 0.0, 1.0, Expr(ctx, wide)),
                              ReduceKind::Prod, rank));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// linalg_cross(self, other, dim), and cross, whose dimension is by default the first of size 3.
static FailureOr<Value> cross(RuleContext &ctx) {
  Value self = ctx.tensor(0), other = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(self);
  if (!requireNumber(ctx, type))
    return failure();
  if (rankOf(self) != rankOf(other) || getElementTypeOrSelf(other) != type)
    return ctx.fail(ctx.name() + ": expected tensors of one rank and dtype");
  int64_t rank = rankOf(self), dim = -1;
  if (!ctx.isNone(2))
    dim = ctx.dim(2, rank);
  else
    for (int64_t i = 0; i < rank && dim < 0; ++i) {
      if (!getConstantIntValue(ctx.size(self, i)))
        return ctx.fail("cross: expected a dimension, or sizes that are known");
      if (isConstantIntValue(ctx.size(self, i), 3))
        dim = i;
    }
  if (ctx.failed())
    return failure();
  if (dim < 0)
    return ctx.raise("no dimension of size 3 in input");
  for (Value tensor : {self, other})
    if (!ctx.requireEqual(ctx.size(tensor, dim), ctx.fold(3),
                          ctx.name() + ": inputs dimension " + Twine(dim) + " must have length 3."))
      return failure();
  auto component = [&](Value tensor, int64_t i) {
    return Expr(ctx, ctx.slice(tensor, dim, ctx.fold(i), ctx.fold(1))).cast(computeType(type));
  };
  SmallVector<Value> parts;
  for (int64_t i = 0; i < 3; ++i) {
    int64_t next = (i + 1) % 3, last = (i + 2) % 3;
    Expr part = component(self, next) * component(other, last) -
                component(self, last) * component(other, next);
    if (part.isNull())
      return failure();
    parts.push_back(part.cast(type).value());
  }
  return done(ctx, ConcatOp::create(ctx.b, ctx.loc, parts, dim));
}

/// linalg_multi_dot(tensors): the product of matrices; the first and the last may be vectors.
static FailureOr<Value> multiDot(RuleContext &ctx) {
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (ctx.failed())
    return failure();
  if (tensors.size() < 2)
    return ctx.raise("multi_dot(): expected at least 2 tensors");
  Type type = getElementTypeOrSelf(tensors.front());
  bool startsWithVector = rankOf(tensors.front()) == 1,
       endsWithVector = rankOf(tensors.back()) == 1;
  if (startsWithVector)
    tensors.front() = ctx.unsqueeze(tensors.front(), 0);
  if (endsWithVector)
    tensors.back() = ctx.unsqueeze(tensors.back(), 1);
  Value product;
  for (Value tensor : tensors) {
    if (ctx.failed() || rankOf(tensor) != 2 || getElementTypeOrSelf(tensor) != type)
      return ctx.raise("multi_dot(): expected matrices of one dtype, and vectors at the ends");
    if (!requireNumber(ctx, type))
      return failure();
    if (!product) {
      product = ctx.cast(tensor, computeType(type));
      continue;
    }
    if (!ctx.requireEqual(ctx.size(product, 1), ctx.size(tensor, 0),
                          "multi_dot(): tensors cannot be multiplied"))
      return failure();
    product = MatmulOp::create(ctx.b, ctx.loc, product, ctx.cast(tensor, computeType(type)), false,
                               false, false);
  }
  product = ctx.cast(product, type);
  if (endsWithVector)
    product = ctx.squeeze(product, 1);
  return done(ctx, startsWithVector ? ctx.squeeze(product, 0) : product);
}

/// bilinear(input1, input2, weight, bias?): input1 times each of the weight's matrices times
/// input2.
static FailureOr<Value> bilinear(RuleContext &ctx) {
  Value first = ctx.tensor(0), second = ctx.tensor(1), weight = ctx.tensor(2);
  Value bias = ctx.optionalTensor(3);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(first), wide = computeType(type);
  int64_t rank = rankOf(first);
  if (!isFloat(type) || getElementTypeOrSelf(second) != type ||
      getElementTypeOrSelf(weight) != type || (bias && getElementTypeOrSelf(bias) != type))
    return ctx.fail("bilinear: expected floating-point tensors of one dtype");
  if (rank < 1 || rankOf(second) != rank || rankOf(weight) != 3)
    return ctx.raise("bilinear(): input dimensions do not match");
  SmallVector<OpFoldResult> sizes = ctx.sizes(first), weightSizes = ctx.sizes(weight);
  for (int64_t i = 0; i + 1 < rank; ++i)
    if (!ctx.requireEqual(sizes[i], ctx.size(second, i),
                          "bilinear(): input batch dimensions do not match"))
      return failure();
  if (!ctx.requireEqual(sizes[rank - 1], weightSizes[1],
                        "bilinear(): input1 size does not match weight size") ||
      !ctx.requireEqual(ctx.size(second, rank - 1), weightSizes[2],
                        "bilinear(): input2 size does not match weight size"))
    return failure();
  OpFoldResult rows = ctx.product(ArrayRef(sizes).drop_back());
  Value matrix = ctx.reshape(ctx.permute(ctx.cast(weight, wide), {1, 0, 2}),
                             {weightSizes[1], ctx.mul(weightSizes[0], weightSizes[2])});
  Value left = ctx.reshape(ctx.cast(first, wide), {rows, weightSizes[1]});
  if (ctx.failed())
    return failure();
  Value product = MatmulOp::create(ctx.b, ctx.loc, left, matrix, false, false, false);
  Expr split(ctx, ctx.reshape(product, {rows, weightSizes[0], weightSizes[2]}));
  Expr right(ctx, ctx.reshape(ctx.cast(second, wide), {rows, ctx.fold(1), weightSizes[2]}));
  Expr result = sum(split * right, {2}, false);
  if (bias)
    result = result + Expr(ctx, bias).cast(wide);
  if (result.isNull())
    return failure();
  sizes.back() = weightSizes[0];
  return done(ctx, ctx.reshape(result.cast(type).value(), sizes));
}

//===----------------------------------------------------------------------===//
// Distances and correlation
//===----------------------------------------------------------------------===//

/// cdist(x1, x2, p, compute_mode?): the distance of each row of x1 to each row of x2.
static FailureOr<Value> cdist(RuleContext &ctx) {
  Value a = ctx.tensor(0), b = ctx.tensor(1);
  double p = ctx.constantFloat(2, 2.0);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(a);
  if (!isFloat(type) || getElementTypeOrSelf(b) != type)
    return ctx.fail("cdist: expected floating-point tensors of one dtype");
  if (p < 0)
    return ctx.raise("cdist only supports non-negative p values");
  if (rankOf(a) < 2 || rankOf(b) < 2)
    return ctx.raise("cdist only supports at least 2D tensors");
  if (!ctx.requireEqual(ctx.size(a, rankOf(a) - 1), ctx.size(b, rankOf(b) - 1),
                        "X1 and X2 must have the same number of columns."))
    return failure();
  Expr x = Expr(ctx, ctx.unsqueeze(a, rankOf(a) - 1)).cast(computeType(type)),
       y = Expr(ctx, ctx.unsqueeze(b, rankOf(b) - 2)).cast(computeType(type)), difference = x - y;
  if (difference.isNull())
    return failure();
  return done(ctx, vectorNorm(difference, p, {rankOf(difference) - 1}, false).cast(type));
}

/// pdist(self, p): the distance of each row to each later one.
static FailureOr<Value> pdist(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  double p = ctx.constantFloat(1, 2.0);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(self);
  if (!isFloat(type) || rankOf(self) != 2 || p < 0)
    return ctx.raise("pdist only supports 2D tensors of floating point and non-negative p values");
  if (isConstantIntValue(ctx.size(self, 0), 0))
    return done(ctx, ctx.full({ctx.fold(0)}, 0.0, type));
  Value rows = risingTuples(ctx, ctx.size(self, 0), 2, false);
  if (!rows)
    return failure();
  Value pairs = checkedValue<TakeOp>(ctx, self, rows, uint64_t(0)); // [pairs, 2, columns]
  if (!pairs)
    return failure();
  auto side = [&](int64_t i) {
    return Expr(ctx, ctx.squeeze(ctx.slice(pairs, 1, ctx.fold(i), ctx.fold(1)), 1))
        .cast(computeType(type));
  };
  return done(ctx, vectorNorm(side(0) - side(1), p, {1}, false).cast(type));
}

/// The covariance of the rows of operand 0, without weights: [variables, variables], in the type in
/// which PyTorch computes.
static Expr covariance(RuleContext &ctx, double correction) {
  Type type = ctx.floatResultType({0});
  int64_t rank = ctx.tensorType(0).getRank();
  if (ctx.failed() || !requireReal(ctx, type))
    return Expr(ctx, {});
  if (rank > 2 || isBool(ctx.tensorType(0).getElementType())) {
    (void)ctx.raise("cov(): expected input to have two or fewer dimensions, and no bool");
    return Expr(ctx, {});
  }
  Value x = ctx.cast(ctx.operandAs(0, type), computeType(type));
  while (rankOf(x) < 2)
    x = ctx.unsqueeze(x, 0);
  Expr rows(ctx, x), count = sizeTensor(ctx, ctx.size(x, 1), computeType(type));
  Expr distance = rows - meanOf(rows, {1}, true);
  if (distance.isNull())
    return distance;
  Expr products =
      Expr(ctx, ctx.unsqueeze(distance.value(), 1)) * Expr(ctx, ctx.unsqueeze(distance.value(), 0));
  return sum(products, {2}, false) / maximum(count - correction, 0.0);
}

/// cov(self, correction, fweights?, aweights?), without weights.
static FailureOr<Value> cov(RuleContext &ctx) {
  double correction = static_cast<double>(ctx.constantInt(1, 1));
  if (!ctx.isNone(2) || !ctx.isNone(3))
    return ctx.fail("cov: weights are not supported");
  Expr result = covariance(ctx, correction).cast(ctx.floatResultType({0}));
  if (result.isNull())
    return failure();
  return done(ctx,
              ctx.tensorType(0).getRank() < 2 ? ctx.reshape(result.value(), {}) : result.value());
}

/// corrcoef(self): the covariance of rows of deviation 1.
static FailureOr<Value> corrcoef(RuleContext &ctx) {
  Expr c = covariance(ctx, 1);
  if (c.isNull())
    return failure();
  OpFoldResult side = ctx.size(c.value(), 0);
  Expr isOn = iota(ctx, {side, ctx.fold(1)}, 0) == iota(ctx, {ctx.fold(1), side}, 1);
  Expr variance = sum(where(isOn, c, 0.0), {1}, false), deviation = sqrt(variance);
  if (deviation.isNull())
    return failure();
  Expr result = c / Expr(ctx, ctx.unsqueeze(deviation.value(), 1)) /
                Expr(ctx, ctx.unsqueeze(deviation.value(), 0));
  result = maximum(minimum(result, 1.0), -1.0);
  if (ctx.tensorType(0).getRank() < 2)
    result = variance / variance;
  result = result.cast(ctx.floatResultType({0}));
  if (result.isNull())
    return failure();
  return done(ctx,
              ctx.tensorType(0).getRank() < 2 ? ctx.reshape(result.value(), {}) : result.value());
}

/// renorm(self, p, dim, maxnorm): slices along a dimension scaled down to the norm.
static FailureOr<Value> renorm(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  double p = ctx.constantFloat(1), most = ctx.constantFloat(3);
  int64_t rank = rankOf(self), dim = ctx.dim(2, rank);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed())
    return failure();
  if (!isFloat(type) || p <= 0 || rank < 2 || most < 0)
    return ctx.raise("renorm: expected at least 2 dimensions of floating point, a positive p and a "
                     "maxnorm that is not negative");
  SmallVector<int64_t> dims = allDims(rank);
  dims.erase(dims.begin() + dim);
  Expr x = Expr(ctx, self).cast(computeType(type)), norm = vectorNorm(x, p, dims, true);
  Expr factor = where(norm > norm.constant(most), norm.constant(most) / (norm + 1e-7), 1.0);
  return done(ctx, (x * factor).cast(type));
}

/// _weight_norm(v, g, dim): v scaled to the norms g, which are those of all dimensions but one, or
/// for -1 of all.
static FailureOr<Value> weightNorm(RuleContext &ctx) {
  Value v = ctx.tensor(0), g = ctx.tensor(1);
  int64_t rank = rankOf(v), dim = ctx.constantInt(2, 0);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(v);
  if (!isFloat(type) || getElementTypeOrSelf(g) != type)
    return ctx.fail("_weight_norm: expected floating-point tensors of one dtype");
  SmallVector<int64_t> dims = allDims(rank);
  if (dim < -1 || dim >= rank)
    return ctx.raise("_weight_norm: dim is out of range");
  if (dim >= 0)
    dims.erase(dims.begin() + dim);
  Expr x = Expr(ctx, v).cast(computeType(type));
  Expr scale = Expr(ctx, g).cast(computeType(type)) / vectorNorm(x, 2, dims, dim >= 0);
  return done(ctx, (x * scale).cast(type));
}

//===----------------------------------------------------------------------===//
// Shifts
//===----------------------------------------------------------------------===//

/// fft_fftshift, fft_ifftshift (self, dim?): a roll by half of each size, rounded down or up.
template <bool isInverse> static FailureOr<Value> fftShift(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<int64_t> dims = ctx.dimList(1, rankOf(self));
  if (ctx.failed())
    return failure();
  for (int64_t dim : dims) {
    OpFoldResult size = ctx.size(self, dim);
    OpFoldResult low = ctx.floorDiv(isInverse ? size : ctx.add(size, ctx.fold(1)), ctx.fold(2));
    OpFoldResult high = ctx.sub(size, low);
    Value parts[] = {ctx.slice(self, dim, low, high), ctx.slice(self, dim, ctx.fold(0), low)};
    if (ctx.failed())
      return failure();
    self = ConcatOp::create(ctx.b, ctx.loc, parts, dim);
  }
  return done(ctx, self);
}

void specialize::registerProductRules(RuleRegistry &registry) {
  registry.value("cartesian_prod", cartesianProd);
  registry.value("combinations", combinations);
  registry.value("diag", diag);
  registry.value("linalg_vander", vander);
  registry.value("linalg_cross", cross);
  registry.value("cross", cross);
  registry.value("linalg_multi_dot", multiDot);
  registry.value("bilinear", bilinear);
  for (const char *name : {"cdist", "_cdist_forward"})
    registry.value(name, cdist);
  registry.value("pdist", pdist);
  registry.value("cov", cov);
  registry.value("corrcoef", corrcoef);
  registry.value("renorm", renorm);
  registry.value("_weight_norm", weightNorm);
  registry.value("fft_fftshift", fftShift<false>);
  registry.value("fft_ifftshift", fftShift<true>);
}
