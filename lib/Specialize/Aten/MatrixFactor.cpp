//===- MatrixFactor.cpp - Rules of LU, Cholesky and triangular systems ----===//

#include "Families.h"
#include "MatrixBuild.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// Results of a rule: failure if anything on the way has failed.
static Tensors all(RuleContext &ctx, ArrayRef<Value> values) {
  if (ctx.failed() || llvm::is_contained(values, Value()))
    return failure();
  return SmallVector<Value>(values);
}

//===----------------------------------------------------------------------===//
// LU
//===----------------------------------------------------------------------===//

LU specialize::factorLU(RuleContext &ctx, Value matrices) {
  if (ctx.failed() || !matrices)
    return {};
  auto lu = LUOp::create(ctx.b, ctx.loc, matrices);
  return {lu.getFactors(), lu.getPivots(), lu.getInfo()};
}

Value specialize::solveLU(RuleContext &ctx, const LU &lu, Value b, bool isTransposed) {
  if (ctx.failed() || !b)
    return {};
  if (!isTransposed) {
    Value x = SwapRowsOp::create(ctx.b, ctx.loc, b, lu.pivots, false);
    x = solveTriangular(ctx, lu.factors, x, false, true);
    return solveTriangular(ctx, lu.factors, x, true, false);
  }
  Value factors = transposed(ctx, lu.factors);
  Value x = solveTriangular(ctx, factors, b, false, false);
  x = solveTriangular(ctx, factors, x, true, true);
  return ctx.failed() ? Value()
                      : SwapRowsOp::create(ctx.b, ctx.loc, x, lu.pivots, true).getResult();
}

std::pair<Value, Value> specialize::invert(RuleContext &ctx, Value matrices) {
  LU lu = factorLU(ctx, matrices);
  if (ctx.failed())
    return {};
  OpFoldResult size = ctx.size(matrices, 1);
  return {solveLU(ctx, lu, identity(ctx, matrices, size, size)), lu.info};
}

/// The sign of the exchange of rows, `[batch]`.
static Expr signOfPivots(RuleContext &ctx, Value pivots, Type type) {
  if (ctx.failed())
    return Expr(ctx, {});
  Type i64 = ctx.b.getI64Type();
  Expr own(ctx, IotaOp::create(ctx.b, ctx.loc, i64, {ctx.fold(1), ctx.size(pivots, 1)}, 1));
  Expr moved = Expr(ctx, pivots).cast(i64) != own + 1.0;
  Expr count = sum(moved.cast(i64), {1}, false);
  return 1.0 - remainder(count, 2.0).cast(type) * 2.0;
}

/// linalg_det(A), _linalg_det(A) -> (result, LU, pivots).
template <bool withFactors> static Tensors det(RuleContext &ctx) {
  Value a = squareOperand(ctx, 0);
  Sizes batch = batchOf(ctx, a);
  LU lu = factorLU(ctx, flatten(ctx, a));
  if (ctx.failed())
    return failure();
  Expr diagonal = diagonalOf(Expr(ctx, lu.factors));
  Expr sign = signOfPivots(ctx, lu.pivots, diagonal.elementType());
  Value result =
      restore(ctx, (sign * reduce(ReduceKind::Prod, diagonal, {1}, false)).value(), batch);
  if (!withFactors)
    return all(ctx, result);
  return all(ctx, {result, restore(ctx, lu.factors, batch), restore(ctx, lu.pivots, batch)});
}

/// linalg_slogdet(A) -> (sign, logabsdet), _linalg_slogdet -> (..., LU, pivots), and with
/// `isLogdet` logdet(A): NaN where the sign is -1.
template <bool withFactors, bool isLogdet = false> static Tensors slogdet(RuleContext &ctx) {
  Value a = squareOperand(ctx, 0);
  Sizes batch = batchOf(ctx, a);
  LU lu = factorLU(ctx, flatten(ctx, a));
  if (ctx.failed())
    return failure();
  Expr diagonal = diagonalOf(Expr(ctx, lu.factors));
  Expr sign = signOfPivots(ctx, lu.pivots, diagonal.elementType()) *
              reduce(ReduceKind::Prod, specialize::sign(diagonal), {1}, false);
  Expr logarithm = sum(log(abs(diagonal)), {1}, false);
  if (isLogdet)
    return all(ctx, restore(ctx, (logarithm + log(sign)).value(), batch));
  SmallVector<Value> results = {restore(ctx, sign.value(), batch),
                                restore(ctx, logarithm.value(), batch)};
  if (withFactors)
    results.append({restore(ctx, lu.factors, batch), restore(ctx, lu.pivots, batch)});
  return all(ctx, results);
}

/// linalg_inv(A), inverse(A), linalg_inv_ex(A, check_errors) -> (inverse, info).
template <bool withInfo> static Tensors inv(RuleContext &ctx) {
  Value a = squareOperand(ctx, 0);
  bool checks = !withInfo || ctx.constantBool(1, false);
  Sizes batch = batchOf(ctx, a);
  auto [inverse, info] = invert(ctx, flatten(ctx, a));
  if (checks)
    checkInfo(ctx, info, !batch.empty(),
              " The diagonal element {} is zero, the inversion could not be completed because the "
              "input matrix is singular.");
  if (!withInfo)
    return all(ctx, restore(ctx, inverse, batch));
  return all(ctx, {restore(ctx, inverse, batch), restore(ctx, info, batch)});
}

/// Whether B is one vector for each matrix of A.
static std::optional<bool> areVectors(RuleContext &ctx, Value a, Value b) {
  if (rankOf(b) == 1)
    return true;
  if (rankOf(b) != rankOf(a) - 1)
    return false;
  bool isKnown = true;
  for (int64_t dim = 0; dim < rankOf(b); ++dim) {
    Known equal = ctx.equal(ctx.size(a, dim), ctx.size(b, dim));
    if (equal == Known::No)
      return false;
    isKnown &= equal == Known::Yes;
  }
  if (isKnown)
    return true;
  (void)ctx.fail(ctx.name() + ": expected sizes that tell whether B has vectors or matrices");
  return std::nullopt;
}

/// The operands of `solve`, as matrices with equal batches.
struct Equations {
  Value a, b;
  Sizes batch;
  bool areVectors = false, isLeft = true;
};

static Value restoreSolution(RuleContext &ctx, const Equations &equations, Value x) {
  if (ctx.failed() || !x)
    return {};
  if (!equations.isLeft)
    x = transposed(ctx, x);
  x = restore(ctx, x, equations.batch);
  return equations.areVectors ? ctx.squeeze(x, rankOf(x) - 1) : x;
}

/// Checks the sizes of A (square) and B and flattens B, transposed unless `isLeft`.
static bool prepare(RuleContext &ctx, Equations &equations) {
  Value &a = equations.a, &b = equations.b;
  equations.batch = broadcastBatches(ctx, a, b);
  if (ctx.failed())
    return false;
  OpFoldResult size = ctx.size(a, rankOf(a) - 1);
  if (!ctx.requireEqual(size, ctx.size(b, rankOf(b) - (equations.isLeft ? 2 : 1)),
                        apiName(ctx) + ": Incompatible shapes of A and B"))
    return false;
  b = flatten(ctx, b);
  if (!equations.isLeft)
    b = transposed(ctx, b);
  return !ctx.failed();
}

static Value typedOperand(RuleContext &ctx, unsigned i, Value like) {
  Value tensor = ctx.tensor(i);
  if (!ctx.failed() && getElementTypeOrSelf(tensor) != getElementTypeOrSelf(like))
    (void)ctx.raise(apiName(ctx) + ": Expected all inputs to have the same dtype");
  return tensor;
}

/// linalg_solve(A, B, left), linalg_solve_ex(..., check_errors) -> (result, info),
/// _linalg_solve_ex -> (result, LU, pivots, info).
enum class SolveResults { X, Info, All };
template <SolveResults which> static Tensors solve(RuleContext &ctx) {
  Value a = squareOperand(ctx, 0);
  if (ctx.failed())
    return failure();
  Value b = typedOperand(ctx, 1, a);
  bool isLeft = ctx.constantBool(2, true);
  bool checks = which == SolveResults::X || ctx.constantBool(3, false);
  std::optional<bool> vectors = ctx.failed() ? std::nullopt : areVectors(ctx, a, b);
  if (!vectors)
    return failure();
  if (*vectors && !isLeft)
    return ctx.raise("linalg.solve: Vector broadcasting of the left hand side is not supported for "
                     "left=False.");
  if (*vectors)
    b = ctx.unsqueeze(b, rankOf(b));
  else if (rankOf(b) < 2)
    return ctx.raise(apiName(ctx) + ": The input tensor B must have at least 2 dimensions.");
  Sizes own = batchOf(ctx, a);
  LU lu = factorLU(ctx, flatten(ctx, a));
  Equations equations{a, b, {}, *vectors, isLeft};
  if (!prepare(ctx, equations))
    return failure();
  if (checks)
    checkInfo(ctx, lu.info, !own.empty(),
              " The solver failed because the input matrix is singular.", 0);
  if (ctx.failed())
    return failure();
  Value factors = restore(ctx, lu.factors, own), pivots = restore(ctx, lu.pivots, own),
        info = restore(ctx, lu.info, own);
  LU spread = {flatten(ctx, broadcastBatch(ctx, factors, equations.batch, 2)),
               flatten(ctx, broadcastBatch(ctx, pivots, equations.batch, 1), 1), lu.info};
  Value x = restoreSolution(ctx, equations, solveLU(ctx, spread, equations.b, !isLeft));
  if (which == SolveResults::X)
    return all(ctx, x);
  if (which == SolveResults::Info)
    return all(ctx, {x, info});
  return all(ctx, {x, factors, pivots, info});
}

/// Raises for `pivot=False`, as PyTorch does on CPUs.
static bool requirePivots(RuleContext &ctx, unsigned i) {
  bool pivots = ctx.constantBool(i, true);
  if (!ctx.failed() && !pivots)
    (void)ctx.raise(apiName(ctx) + ": LU without pivoting is not implemented on the CPU");
  return !ctx.failed();
}

/// linalg_lu_factor(A, pivot) -> (LU, pivots), linalg_lu_factor_ex(A, pivot, check_errors) and
/// _lu_with_info -> (LU, pivots, info).
template <bool withInfo> static Tensors luFactor(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  bool checks = !withInfo || ctx.constantBool(2, false);
  if (!requirePivots(ctx, 1))
    return failure();
  Sizes batch = batchOf(ctx, a);
  LU lu = factorLU(ctx, flatten(ctx, a));
  if (checks)
    checkInfo(ctx, lu.info, !batch.empty(),
              " U[{},{}] is zero and using it on lu_solve would result in a division by zero. If "
              "you still want to perform the factorization, consider calling linalg.lu(A, pivot) "
              "or linalg.lu_factor_ex(A, pivot)",
              2);
  SmallVector<Value> results = {restore(ctx, lu.factors, batch), restore(ctx, lu.pivots, batch)};
  if (withInfo)
    results.push_back(restore(ctx, lu.info, batch));
  return all(ctx, results);
}

/// P, L and U from factors `[batch, rows, columns]`.
static SmallVector<Value> unpack(RuleContext &ctx, Value factors, Value pivots) {
  Sizes sizes = ctx.sizes(factors);
  OpFoldResult least = ctx.minimum(sizes[1], sizes[2]);
  Value none;
  if (ctx.failed())
    return {none, none, none};
  Value p = SwapRowsOp::create(ctx.b, ctx.loc, identity(ctx, factors, sizes[1], sizes[1]), pivots,
                               /*reverse=*/true);
  Expr left(ctx, ctx.slice(factors, 2, ctx.fold(0), least));
  Expr lower =
      triangle(left, ComparePredicate::LT, 0) + Expr(ctx, identity(ctx, factors, sizes[1], least));
  Expr upper =
      triangle(Expr(ctx, ctx.slice(factors, 1, ctx.fold(0), least)), ComparePredicate::GE, 0);
  return {p, lower.value(), upper.value()};
}

/// linalg_lu(A, pivot) -> (P, L, U).
static Tensors lu(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  if (!requirePivots(ctx, 1))
    return failure();
  Sizes batch = batchOf(ctx, a);
  LU factored = factorLU(ctx, flatten(ctx, a));
  if (ctx.failed())
    return failure();
  SmallVector<Value> parts = unpack(ctx, factored.factors, factored.pivots);
  for (Value &part : parts)
    part = restore(ctx, part, batch);
  return all(ctx, parts);
}

/// lu_unpack(LU_data, LU_pivots, unpack_data, unpack_pivots) -> (P, L, U).
static Tensors luUnpack(RuleContext &ctx) {
  Value factors = matrixOperand(ctx, 0), pivots = ctx.tensor(1);
  bool data = ctx.constantBool(2, true), permutation = ctx.constantBool(3, true);
  if (ctx.failed())
    return failure();
  if (!getElementTypeOrSelf(pivots).isInteger(32))
    return ctx.raise(
        "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype");
  Sizes batch = batchOf(ctx, factors);
  SmallVector<Value> parts = unpack(ctx, flatten(ctx, factors), flatten(ctx, pivots, 1));
  for (auto [i, part] : llvm::enumerate(parts))
    part = (i ? data : permutation) ? restore(ctx, part, batch)
                                    : noTensor(ctx, getElementTypeOrSelf(factors));
  return all(ctx, parts);
}

/// A X = B (with `isLeft` false X A = B) of factored A, broadcast; with `adjoint` A^T.
static FailureOr<Value> solveFactored(RuleContext &ctx, Value factors, Value pivots, Value b,
                                      bool isLeft, bool adjoint) {
  if (ctx.failed())
    return failure();
  if (!getElementTypeOrSelf(pivots).isInteger(32))
    return ctx.raise(apiName(ctx) + ": Expected pivots of torch.int32");
  if (rankOf(b) < 2)
    return ctx.raise(apiName(ctx) + ": The input tensor B must have at least 2 dimensions.");
  Equations equations{factors, b, {}, false, isLeft};
  if (!prepare(ctx, equations))
    return failure();
  LU lu = {flatten(ctx, equations.a),
           flatten(ctx, broadcastBatch(ctx, pivots, equations.batch, 1), 1),
           {}};
  Value x = solveLU(ctx, lu, equations.b, adjoint == isLeft);
  return done(ctx, restoreSolution(ctx, equations, x));
}

/// linalg_lu_solve(LU, pivots, B, left, adjoint).
static FailureOr<Value> linalgLuSolve(RuleContext &ctx) {
  Value factors = squareOperand(ctx, 0), pivots = ctx.tensor(1);
  if (ctx.failed())
    return failure();
  Value b = typedOperand(ctx, 2, factors);
  bool isLeft = ctx.constantBool(3, true), adjoint = ctx.constantBool(4, false);
  return solveFactored(ctx, factors, pivots, b, isLeft, adjoint);
}

/// lu_solve(self, LU_data, LU_pivots).
static FailureOr<Value> luSolve(RuleContext &ctx) {
  Value factors = squareOperand(ctx, 1), pivots = ctx.tensor(2);
  if (ctx.failed())
    return failure();
  Value b = typedOperand(ctx, 0, factors);
  return solveFactored(ctx, factors, pivots, b, true, false);
}

//===----------------------------------------------------------------------===//
// Cholesky
//===----------------------------------------------------------------------===//

/// linalg_cholesky(A, upper), cholesky, linalg_cholesky_ex(A, upper, check_errors) -> (L, info).
template <bool withInfo> static Tensors cholesky(RuleContext &ctx) {
  Value a = squareOperand(ctx, 0);
  bool upper = ctx.constantBool(1, false);
  bool checks = !withInfo || ctx.constantBool(2, false);
  Sizes batch = batchOf(ctx, a);
  Value flat = flatten(ctx, a);
  if (ctx.failed())
    return failure();
  auto factor = CholeskyOp::create(ctx.b, ctx.loc, flat, upper);
  if (checks)
    checkInfo(ctx, factor.getInfo(), !batch.empty(),
              " The factorization could not be completed because the input is not "
              "positive-definite (the leading minor of order {} is not positive-definite).");
  if (!withInfo)
    return all(ctx, restore(ctx, factor.getFactor(), batch));
  return all(ctx, {restore(ctx, factor.getFactor(), batch), restore(ctx, factor.getInfo(), batch)});
}

/// X of A X = B for a factor of A, `[batch, ...]`.
static Value solveCholesky(RuleContext &ctx, Value factor, Value b, bool upper) {
  Value other = transposed(ctx, factor);
  Value x = solveTriangular(ctx, upper ? other : factor, b, false, false);
  return solveTriangular(ctx, upper ? factor : other, x, true, false);
}

/// cholesky_solve(B, L, upper).
static FailureOr<Value> choleskySolve(RuleContext &ctx) {
  Value factor = squareOperand(ctx, 1);
  if (ctx.failed())
    return failure();
  Value b = typedOperand(ctx, 0, factor);
  bool upper = ctx.constantBool(2, false);
  if (ctx.failed())
    return failure();
  if (rankOf(b) < 2)
    return ctx.raise("b should have at least 2 dimensions, but has " + Twine(rankOf(b)) +
                     " dimensions instead");
  Equations equations{factor, b, {}};
  if (!prepare(ctx, equations))
    return failure();
  return done(ctx,
              restoreSolution(ctx, equations,
                              solveCholesky(ctx, flatten(ctx, equations.a), equations.b, upper)));
}

/// cholesky_inverse(L, upper).
static FailureOr<Value> choleskyInverse(RuleContext &ctx) {
  Value factor = squareOperand(ctx, 0);
  bool upper = ctx.constantBool(1, false);
  Sizes batch = batchOf(ctx, factor);
  Value flat = flatten(ctx, factor);
  if (ctx.failed())
    return failure();
  OpFoldResult size = ctx.size(flat, 1);
  Value inverse = solveCholesky(ctx, flat, identity(ctx, flat, size, size), upper);
  return done(ctx, restore(ctx, inverse, batch));
}

//===----------------------------------------------------------------------===//
// Triangular systems
//===----------------------------------------------------------------------===//

/// linalg_solve_triangular(A, B, upper, left, unitriangular).
static FailureOr<Value> linalgSolveTriangular(RuleContext &ctx) {
  Value a = squareOperand(ctx, 0);
  if (ctx.failed())
    return failure();
  Value b = typedOperand(ctx, 1, a);
  bool upper = ctx.constantBool(2), isLeft = ctx.constantBool(3, true),
       unit = ctx.constantBool(4, false);
  if (ctx.failed())
    return failure();
  if (rankOf(b) < 2)
    return ctx.raise(
        "linalg.solve_triangular: The input tensor B must have at least 2 dimensions.");
  Equations equations{a, b, {}, false, isLeft};
  if (!prepare(ctx, equations))
    return failure();
  Value flat = flatten(ctx, equations.a);
  if (!isLeft)
    flat = transposed(ctx, flat);
  Value x = solveTriangular(ctx, flat, equations.b, upper == isLeft, unit);
  return done(ctx, restoreSolution(ctx, equations, x));
}

/// triangular_solve(B, A, upper, transpose, unitriangular) -> (X, A).
static Tensors triangularSolve(RuleContext &ctx) {
  Value a = squareOperand(ctx, 1);
  if (ctx.failed())
    return failure();
  Value b = typedOperand(ctx, 0, a);
  bool upper = ctx.constantBool(2, true), transposes = ctx.constantBool(3, false),
       unit = ctx.constantBool(4, false);
  if (ctx.failed())
    return failure();
  if (rankOf(b) < 2)
    return ctx.raise("torch.triangular_solve: Expected b to have at least 2 dimensions");
  Equations equations{a, b, {}};
  if (!prepare(ctx, equations))
    return failure();
  Value flat = flatten(ctx, equations.a);
  if (transposes)
    flat = transposed(ctx, flat);
  Value x = solveTriangular(ctx, flat, equations.b, upper != transposes, unit);
  return all(ctx, {restoreSolution(ctx, equations, x), equations.a});
}

/// The only result of a rule for several.
template <Tensors rule(RuleContext &)> static FailureOr<Value> only(RuleContext &ctx) {
  Tensors results = rule(ctx);
  if (failed(results))
    return failure();
  return results->front();
}

void specialize::registerMatrixFactorRules(RuleRegistry &registry) {
  for (StringRef name : {"linalg_det", "det"})
    registry.value(name, only<det<false>>);
  registry.values("_linalg_det", det<true>);
  for (StringRef name : {"linalg_slogdet", "slogdet"})
    registry.values(name, slogdet<false>);
  registry.values("_linalg_slogdet", slogdet<true>);
  registry.value("logdet", only<slogdet<false, true>>);
  for (StringRef name : {"linalg_inv", "inverse"})
    registry.value(name, only<inv<false>>);
  registry.values("linalg_inv_ex", inv<true>);
  registry.value("linalg_solve", only<solve<SolveResults::X>>);
  registry.values("linalg_solve_ex", solve<SolveResults::Info>);
  registry.values("_linalg_solve_ex", solve<SolveResults::All>);
  registry.values("linalg_lu_factor", luFactor<false>);
  for (StringRef name : {"linalg_lu_factor_ex", "_lu_with_info"})
    registry.values(name, luFactor<true>);
  registry.values("linalg_lu", lu);
  registry.values("lu_unpack", luUnpack);
  registry.value("linalg_lu_solve", linalgLuSolve);
  registry.value("lu_solve", luSolve);
  for (StringRef name : {"linalg_cholesky", "cholesky"})
    registry.value(name, only<cholesky<false>>);
  registry.values("linalg_cholesky_ex", cholesky<true>);
  registry.value("cholesky_solve", choleskySolve);
  registry.value("cholesky_inverse", choleskyInverse);
  registry.value("linalg_solve_triangular", linalgSolveTriangular);
  registry.values("triangular_solve", triangularSolve);
}
