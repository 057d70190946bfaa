//===- MatrixNorm.cpp - Rules of norms and functions of matrices ----------===//

#include "Families.h"
#include "MatrixBuild.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

namespace {
/// The order of a norm: a number, "fro" or "nuc".
struct Order {
  double number = 0;
  StringRef name;
  bool needsValues() const { return name == "nuc" || (name.empty() && std::abs(number) == 2); }
};
} // namespace

static std::optional<Order> orderOperand(RuleContext &ctx, unsigned i) {
  Order order;
  if (ctx.operand(i).getString()) {
    order.name = ctx.constantString(i);
    if (order.name != "fro" && order.name != "nuc")
      (void)ctx.raise("linalg.matrix_norm: Order " + order.name + " not supported.");
  } else {
    order.number = ctx.constantFloat(i);
    double size = std::abs(order.number);
    if (!ctx.failed() && size != 1 && size != 2 && !std::isinf(size))
      (void)ctx.raise("linalg.matrix_norm: Order " + std::to_string(order.number) +
                      " not supported.");
  }
  return ctx.failed() ? std::nullopt : std::optional(order);
}

/// The greatest of each row of numbers that are not negative, 0 where there is none, or the
/// smallest.
static Expr extremum(const Expr &x, const Order &order) {
  if (order.number > 0)
    return maximum(reduce(ReduceKind::Max, x, {1}, false), 0.0);
  if (x.isNull() || !requireNotEmpty(x.ctx(), x.value(), {1}))
    return Expr(x.ctx(), {});
  return reduce(ReduceKind::Min, x, {1}, false);
}

/// The norm of matrices `[batch, rows, columns]`, `[batch]`.
static Expr matrixNorm(RuleContext &ctx, Value matrices, const Order &order) {
  if (ctx.failed() || !matrices)
    return Expr(ctx, {});
  Expr x(ctx, matrices);
  if (order.name == "fro")
    return vectorNorm(x, 2, {1, 2}, false);
  if (order.needsValues()) {
    Value values = decompose(ctx, matrices, false, false).s;
    if (ctx.failed())
      return Expr(ctx, {});
    if (order.name == "nuc")
      return sum(Expr(ctx, values), {1}, false);
    return extremum(Expr(ctx, values), order);
  }
  Expr sums = sum(abs(x), {std::isinf(order.number) ? 2 : 1}, false);
  return extremum(sums, order);
}

/// The norm along two dimensions, which are rows and columns.
static FailureOr<Value> normAlong(RuleContext &ctx, const Order &order, ArrayRef<int64_t> dims,
                                  bool keepdim, unsigned dtypeOperand) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  Type own = getElementTypeOrSelf(self), type = ctx.dtype(dtypeOperand, own);
  if (ctx.failed() || !requireReal(ctx, own) || !requireReal(ctx, type))
    return failure();
  if (!isFloat(type))
    return ctx.raise(
        "linalg.matrix_norm: Expected a floating point or complex tensor as input. Got " +
        dtypeName(type));
  if (order.needsValues() && !type.isF32() && !type.isF64())
    return ctx.raise("linalg.matrix_norm: Low precision dtypes not supported. Got " +
                     dtypeName(type));
  SmallVector<int64_t> permutation;
  Sizes batch, kept = ctx.sizes(self);
  for (int64_t i = 0; i < rankOf(self); ++i)
    if (!llvm::is_contained(dims, i)) {
      permutation.push_back(i);
      batch.push_back(kept[i]);
    }
  permutation.append(dims.begin(), dims.end());
  for (int64_t dim : dims)
    kept[dim] = ctx.fold(1);
  Value x = ctx.cast(ctx.cast(self, type), computeType(type));
  Value flat = flatten(ctx, ctx.permute(x, permutation));
  if (order.needsValues())
    requireFinite(ctx, flat);
  Expr norm = matrixNorm(ctx, flat, order).cast(type);
  if (norm.isNull())
    return failure();
  return done(ctx, keepdim ? ctx.reshape(norm.value(), kept) : restore(ctx, norm.value(), batch));
}

/// linalg_matrix_norm(self, ord, dim, keepdim, dtype?), .str_ord.
static FailureOr<Value> linalgMatrixNorm(RuleContext &ctx) {
  std::optional<Order> order = orderOperand(ctx, 1);
  int64_t rank = ctx.tensorType(0).getRank();
  if (!order)
    return failure();
  if (rank < 2)
    return ctx.raise("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.");
  SmallVector<int64_t> dims = {rank - 2, rank - 1};
  if (!ctx.isNone(2))
    dims = ctx.dimList(2, rank);
  bool keepdim = ctx.constantBool(3, false);
  if (ctx.failed())
    return failure();
  if (dims.size() != 2)
    return ctx.raise("linalg.matrix_norm: dim must be a 2-tuple of ints");
  return normAlong(ctx, *order, dims, keepdim, 4);
}

FailureOr<Value> specialize::matrixNormOf(RuleContext &ctx, ArrayRef<int64_t> dims, bool keepdim) {
  std::optional<Order> order = orderOperand(ctx, 1);
  if (!order)
    return failure();
  return normAlong(ctx, *order, dims, keepdim, 4);
}

/// nuclear_norm(self, keepdim), nuclear_norm.dim(self, dim, keepdim).
template <bool hasDims> static FailureOr<Value> nuclearNorm(RuleContext &ctx) {
  int64_t rank = ctx.tensorType(0).getRank();
  SmallVector<int64_t> dims = {0, 1};
  if (hasDims)
    dims = ctx.dimList(1, rank);
  bool keepdim = ctx.constantBool(hasDims ? 2 : 1, false);
  if (ctx.failed())
    return failure();
  if (dims.size() != 2 || rank < 2)
    return ctx.raise("Expected a tensor with 2 dimensions, but got a tensor with " + Twine(rank) +
                     " dimensions instead.");
  return normAlong(ctx, {0, "nuc"}, dims, keepdim, 1000);
}

/// linalg_cond(A, p?), .p_str: the norm times that of the inverse.
static FailureOr<Value> cond(RuleContext &ctx) {
  std::optional<Order> order = Order{2, ""};
  if (!ctx.isNone(1))
    order = orderOperand(ctx, 1);
  if (!order)
    return failure();
  bool byValues = order->name.empty() && std::abs(order->number) == 2;
  Value a = byValues ? matrixOperand(ctx, 0) : squareOperand(ctx, 0);
  if (ctx.failed())
    return failure();
  Sizes batch = batchOf(ctx, a);
  Value flat = flatten(ctx, a);
  if (byValues) {
    requireFinite(ctx, flat);
    Expr values(ctx, decompose(ctx, flat, false, false).s);
    if (values.isNull() || !requireNotEmpty(ctx, values.value(), {1}))
      return failure();
    Expr large = reduce(ReduceKind::Max, values, {1}, false),
         small = reduce(ReduceKind::Min, values, {1}, false);
    return done(ctx,
                restore(ctx, (order->number > 0 ? large / small : small / large).value(), batch));
  }
  auto [inverse, info] = invert(ctx, flat);
  if (ctx.failed())
    return failure();
  // Of a singular matrix there is none, and nothing that could be decomposed.
  Expr isWell = Expr(ctx, info).cast(ctx.b.getI64Type()) == 0.0;
  Expr mask(ctx, ctx.reshape(isWell.value(), {ctx.size(flat, 0), ctx.fold(1), ctx.fold(1)}));
  Expr kept = where(mask, Expr(ctx, inverse), 0.0);
  Expr result = matrixNorm(ctx, flat, *order) * matrixNorm(ctx, kept.value(), *order);
  return done(
      ctx,
      restore(ctx, where(isWell, result, std::numeric_limits<double>::infinity()).value(), batch));
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// The sum of c x^k for the coefficients 1 / k! up to 4 `blocks` - 1: by powers of
/// x^4. Source: Paterson, Stockmeyer, "On the number of nonscalar multiplications necessary to
/// evaluate polynomials", 1973.
static Expr exponentialSeries(RuleContext &ctx, Value x, int64_t blocks) {
  OpFoldResult size = ctx.size(x, 1);
  Expr powers[] = {Expr(ctx, identity(ctx, x, size, size)), Expr(ctx, x), Expr(ctx, {}),
                   Expr(ctx, {})};
  Value square = product(ctx, x, x);
  powers[2] = Expr(ctx, square);
  powers[3] = Expr(ctx, product(ctx, square, x));
  Value fourth = product(ctx, square, square);
  auto coefficient = [](int64_t k) { return 1.0 / std::tgamma(static_cast<double>(k) + 1.0); };
  Expr result(ctx, {});
  for (int64_t block = blocks - 1; block >= 0; --block) {
    Expr part = powers[0] * coefficient(4 * block);
    for (int64_t i = 1; i < 4; ++i)
      part = part + powers[i] * coefficient(4 * block + i);
    result = block == blocks - 1 ? part : Expr(ctx, product(ctx, result.value(), fourth)) + part;
  }
  return result;
}

/// Squares each matrix as often as `times` (`[batch, 1, 1]`, i64) says.
static Value squareRepeatedly(RuleContext &ctx, const Expr &x, const Expr &times) {
  Expr most = maximum(reduce(ReduceKind::Max, times, {0, 1, 2}, false), 0.0);
  if (x.isNull() || most.isNull())
    return {};
  auto type = cast<RankedTensorType>(x.value().getType());
  Value count = ctx.toScalar(most.value());
  Value always = arith::ConstantOp::create(ctx.b, ctx.loc, ctx.b.getBoolAttr(true));
  SmallVector<Type> types = {type};
  auto loop = LoopOp::create(ctx.b, ctx.loc, types, count, always, x.value());
  OpBuilder::InsertionGuard guard(ctx.b);
  SmallVector<Type> arguments = {ctx.b.getI64Type(), type};
  Block *body = ctx.b.createBlock(&loop.getBody(), {}, arguments, {ctx.loc, ctx.loc});
  Expr step(ctx, ctx.fromScalar(body->getArgument(0))), before(ctx, body->getArgument(1));
  Expr next = where(step < times, Expr(ctx, product(ctx, before.value(), before.value())), before);
  if (next.isNull())
    return {};
  ContinueOp::create(ctx.b, ctx.loc, always, ValueRange{ctx.refine(next.value(), type)});
  return loop.getResult(0);
}

/// linalg_matrix_exp(A), matrix_exp: by Taylor's series of a matrix that is small enough, squared.
/// In f64: squaring multiplies what was rounded.
static FailureOr<Value> matrixExp(RuleContext &ctx) {
  Value a = ctx.tensor(0);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(a)))
    return failure();
  Type type = getElementTypeOrSelf(a);
  if (!isFloat(type) || rankOf(a) < 2)
    return ctx.raise(
        "linalg.matrix_exp: Expected a floating point or complex tensor as input, with at "
        "least 2 dimensions. Got " +
        dtypeName(type));
  if (!ctx.requireEqual(ctx.size(a, rankOf(a) - 2), ctx.size(a, rankOf(a) - 1),
                        "linalg.matrix_exp: A must be batches of square matrices"))
    return failure();
  Sizes batch = batchOf(ctx, a);
  Value flat = flatten(ctx, a);
  if (ctx.failed())
    return failure();
  Expr x = Expr(ctx, flat).cast(ctx.b.getF64Type());
  // The error of degree 19 is below the precision up to this norm (in PyTorch, of degree 18).
  constexpr double limit = 1.09;
  Expr norm = reduce(ReduceKind::Max, sum(abs(x), {1}, true), {2}, true);
  norm = where(isnan(norm) || isinf(norm), 0.0, maximum(norm, 0.0));
  Expr exponent = ceil(log(maximum(norm / limit, 1.0)) * (1.0 / std::log(2.0)));
  Expr small = x * exp2(-exponent);
  Expr series = exponentialSeries(ctx, small.value(), 5);
  if (series.isNull())
    return failure();
  Value result = squareRepeatedly(ctx, series, exponent.cast(ctx.b.getI64Type()));
  return done(ctx, restore(ctx, result ? ctx.cast(result, type) : Value(), batch));
}

/// linalg_matrix_power(A, n), matrix_power: by squaring.
static FailureOr<Value> matrixPower(RuleContext &ctx) {
  Value a = ctx.tensor(0);
  int64_t n = ctx.constantInt(1);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(a)))
    return failure();
  Type type = getElementTypeOrSelf(a);
  if (n < 0) {
    a = squareOperand(ctx, 0);
  } else if (rankOf(a) < 2) {
    return ctx.raise("linalg.matrix_power: The input tensor A must have at least 2 dimensions.");
  } else if (!ctx.requireEqual(ctx.size(a, rankOf(a) - 2), ctx.size(a, rankOf(a) - 1),
                               "linalg.matrix_power: A must be batches of square matrices")) {
    return failure();
  }
  Sizes batch = batchOf(ctx, a);
  Value base = flatten(ctx, a);
  if (n < 0) {
    auto [inverse, info] = invert(ctx, base);
    checkInfo(ctx, info, !batch.empty(),
              " The diagonal element {} is zero, the inversion could not be completed because the "
              "input matrix is singular.");
    base = inverse;
    n = -n;
  }
  if (ctx.failed())
    return failure();
  Value result;
  if (n == 0)
    result = identity(ctx, base, ctx.size(base, 1), ctx.size(base, 1));
  for (; n > 0 && !ctx.failed(); n >>= 1) {
    if (n & 1)
      result = result ? product(ctx, result, base) : base;
    if (n > 1)
      base = ctx.cast(product(ctx, base, base), type);
  }
  return done(ctx, restore(ctx, result, batch));
}

//===----------------------------------------------------------------------===//
// Tensors as matrices
//===----------------------------------------------------------------------===//

/// linalg_tensorinv(A, ind): the inverse of the map from the last dimensions to the first `ind`.
static FailureOr<Value> tensorinv(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  int64_t ind = ctx.constantInt(1, 2);
  if (ctx.failed())
    return failure();
  if (ind <= 0)
    return ctx.raise("Expected a strictly positive integer for 'ind'");
  Sizes sizes = ctx.sizes(a);
  size_t split = std::min<size_t>(ind, sizes.size());
  ArrayRef<OpFoldResult> first = ArrayRef(sizes).take_front(split),
                         last = ArrayRef(sizes).drop_front(split);
  OpFoldResult rows = ctx.product(first), columns = ctx.product(last);
  if (!ctx.requireEqual(rows, columns,
                        "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
                        "prod(self.shape[:ind])"))
    return failure();
  auto [inverse, info] = invert(ctx, ctx.reshape(a, {ctx.fold(1), rows, rows}));
  checkInfo(ctx, info, false,
            " The diagonal element {} is zero, the inversion could not be completed because the "
            "input matrix is singular.");
  Sizes result(last);
  result.append(first.begin(), first.end());
  return done(ctx, ctx.failed() ? Value() : ctx.reshape(inverse, result));
}

/// linalg_tensorsolve(A, B, dims?): X of tensordot(A, X) = B.
static FailureOr<Value> tensorsolve(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0), b = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  if (getElementTypeOrSelf(a) != getElementTypeOrSelf(b))
    return ctx.raise("linalg.tensorsolve: Expected all inputs to have the same dtype");
  if (!ctx.isNone(2)) {
    SmallVector<int64_t> moved = ctx.dimList(2, rankOf(a)), permutation;
    if (ctx.failed())
      return failure();
    for (int64_t i = 0; i < rankOf(a); ++i)
      if (!llvm::is_contained(moved, i))
        permutation.push_back(i);
    permutation.append(moved.begin(), moved.end());
    a = ctx.permute(a, permutation);
  }
  Sizes sizes = ctx.sizes(a);
  if (rankOf(a) < rankOf(b))
    return ctx.raise("linalg.tensorsolve: expected A of at least as many dimensions as B");
  Sizes result(ArrayRef(sizes).drop_front(rankOf(b)));
  OpFoldResult size = ctx.product(result), own = ctx.product(ctx.sizes(b));
  if (!ctx.requireEqual(own, size,
                        "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
                        "prod(self.shape[:other.ndim])"))
    return failure();
  LU lu = factorLU(ctx, ctx.reshape(a, {ctx.fold(1), size, size}));
  checkInfo(ctx, lu.info, false, " The solver failed because the input matrix is singular.", 0);
  if (ctx.failed())
    return failure();
  Value x = solveLU(ctx, lu, ctx.reshape(b, {ctx.fold(1), size, ctx.fold(1)}));
  return done(ctx, ctx.failed() ? Value() : ctx.reshape(x, result));
}

void specialize::registerMatrixNormRules(RuleRegistry &registry) {
  for (StringRef name : {"linalg_matrix_norm", "linalg_matrix_norm.str_ord"})
    registry.value(name, linalgMatrixNorm);
  registry.value("nuclear_norm", nuclearNorm<false>);
  registry.value("nuclear_norm.dim", nuclearNorm<true>);
  for (StringRef name : {"linalg_cond", "linalg_cond.p_str"})
    registry.value(name, cond);
  for (StringRef name : {"linalg_matrix_exp", "matrix_exp"})
    registry.value(name, matrixExp);
  for (StringRef name : {"linalg_matrix_power", "matrix_power"})
    registry.value(name, matrixPower);
  registry.value("linalg_tensorinv", tensorinv);
  registry.value("linalg_tensorsolve", tensorsolve);
}
