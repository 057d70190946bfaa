//===- MatrixVector.cpp - Rules of QR, eigenvalues and singular values ----===//
//
// Singular values and vectors come from rotations of rows (`tl.orthogonalize`), after scaling so
// that squares do not overflow; eigenvalues of symmetric matrices from the same, after a shift that
// leaves none below zero.
//
//===----------------------------------------------------------------------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "MatrixBuild.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static Tensors all(RuleContext &ctx, ArrayRef<Value> values) {
  if (ctx.failed() || llvm::is_contained(values, Value()))
    return failure();
  return SmallVector<Value>(values);
}

static double epsilonOf(Type type) { return type.isF32() ? 0x1p-23 : 0x1p-52; }

//===----------------------------------------------------------------------===//
// QR
//===----------------------------------------------------------------------===//

static Value reflect(RuleContext &ctx, Value vectors, Value scales, Value matrices,
                     bool isTransposed) {
  if (ctx.failed() || !matrices)
    return {};
  return ReflectOp::create(ctx.b, ctx.loc, vectors, scales, matrices, isTransposed);
}

/// The first `columns` columns of Q.
static Value columnsOfQ(RuleContext &ctx, Value vectors, Value scales, OpFoldResult columns) {
  if (ctx.failed())
    return {};
  Value start = identity(ctx, vectors, ctx.size(vectors, 1), columns);
  return reflect(ctx, vectors, scales, start, false);
}

/// Q and R of `[batch, rows, columns]`, with all or the first columns of Q.
static std::pair<Value, Value> factorQR(RuleContext &ctx, Value matrices, bool complete,
                                        bool withQ) {
  if (ctx.failed() || !matrices)
    return {};
  auto qr = HouseholderOp::create(ctx.b, ctx.loc, matrices);
  OpFoldResult rows = ctx.size(matrices, 1), columns = ctx.size(matrices, 2);
  OpFoldResult count = complete ? rows : ctx.minimum(rows, columns);
  Value q = withQ ? columnsOfQ(ctx, qr.getFactors(), qr.getScales(), count) : Value();
  Value top = ctx.slice(qr.getFactors(), 1, ctx.fold(0), count);
  return {q, triangle(Expr(ctx, top), ComparePredicate::GE, 0).value()};
}

static Tensors qrIn(RuleContext &ctx, Value a, bool complete, bool withQ) {
  Sizes batch = batchOf(ctx, a);
  auto [q, r] = factorQR(ctx, flatten(ctx, a), complete, withQ);
  if (ctx.failed())
    return failure();
  q = withQ ? restore(ctx, q, batch) : noTensor(ctx, getElementTypeOrSelf(a));
  return all(ctx, {q, restore(ctx, r, batch)});
}

/// linalg_qr(A, mode).
static Tensors linalgQr(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  StringRef mode = ctx.isNone(1) ? "reduced" : ctx.constantString(1);
  if (ctx.failed())
    return failure();
  if (mode != "reduced" && mode != "complete" && mode != "r")
    return ctx.raise("qr received unrecognized mode '" + mode +
                     "' but expected one of 'reduced' (default), 'r', or 'complete'");
  return qrIn(ctx, a, mode == "complete", mode != "r");
}

/// qr(self, some).
static Tensors qr(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  bool some = ctx.constantBool(1, true);
  return qrIn(ctx, a, !some, true);
}

/// geqrf(self) -> (a, tau).
static Tensors geqrf(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  Sizes batch = batchOf(ctx, a);
  Value flat = flatten(ctx, a);
  if (ctx.failed())
    return failure();
  auto factored = HouseholderOp::create(ctx.b, ctx.loc, flat);
  return all(
      ctx, {restore(ctx, factored.getFactors(), batch), restore(ctx, factored.getScales(), batch)});
}

/// Checks the reflections of operands `i` and `i + 1`; both flat.
static std::pair<Value, Value> reflections(RuleContext &ctx, unsigned i) {
  Value vectors = matrixOperand(ctx, i), scales = ctx.tensor(i + 1);
  if (ctx.failed())
    return {};
  if (getElementTypeOrSelf(scales) != getElementTypeOrSelf(vectors) ||
      rankOf(scales) != rankOf(vectors) - 1) {
    (void)ctx.raise(apiName(ctx) + ": tau must have one dimension less than input and its dtype");
    return {};
  }
  for (auto [x, y] : llvm::zip(batchOf(ctx, vectors), ctx.sizes(scales)))
    if (!ctx.requireEqual(x, y,
                          apiName(ctx) + ": Expected batch dimensions of tau to be equal to "
                                         "those of input"))
      return {};
  OpFoldResult count = ctx.size(scales, rankOf(scales) - 1),
               columns = ctx.size(vectors, rankOf(vectors) - 1);
  if (!ctx.requireEqual(ctx.maximum(count, columns), columns,
                        apiName(ctx) + ": input.shape[-1] must be greater than or equal to "
                                       "tau.shape[-1]"))
    return {};
  OpFoldResult rows = ctx.size(vectors, rankOf(vectors) - 2);
  if (!ctx.requireEqual(ctx.maximum(count, rows), rows,
                        apiName(ctx) + ": input.shape[-2] must be greater than or equal to "
                                       "tau.shape[-1]"))
    return {};
  return {flatten(ctx, vectors), flatten(ctx, scales, 1)};
}

/// linalg_householder_product(input, tau), orgqr.
static FailureOr<Value> householderProduct(RuleContext &ctx) {
  auto [vectors, scales] = reflections(ctx, 0);
  if (ctx.failed())
    return failure();
  OpFoldResult rows = ctx.size(vectors, 1), columns = ctx.size(vectors, 2);
  if (!ctx.requireEqual(ctx.maximum(rows, columns), rows,
                        apiName(ctx) + ": input.shape[-2] must be greater than or equal to "
                                       "input.shape[-1]"))
    return failure();
  return done(ctx,
              restore(ctx, columnsOfQ(ctx, vectors, scales, columns), batchOf(ctx, ctx.tensor(0))));
}

/// ormqr(self, tau, other, left, transpose): Q other, or with `left` false other Q.
static FailureOr<Value> ormqr(RuleContext &ctx) {
  auto [vectors, scales] = reflections(ctx, 0);
  Value other = matrixOperand(ctx, 2);
  bool isLeft = ctx.constantBool(3, true), transposes = ctx.constantBool(4, false);
  if (ctx.failed())
    return failure();
  Sizes batch = batchOf(ctx, other);
  if (rankOf(other) != ctx.tensorType(0).getRank() ||
      getElementTypeOrSelf(other) != getElementTypeOrSelf(vectors))
    return ctx.raise(
        "ormqr: Expected other to have the same number of dimensions and dtype as input");
  for (auto [x, y] : llvm::zip(batch, batchOf(ctx, ctx.tensor(0))))
    if (!ctx.requireEqual(
            x, y, "ormqr: Expected batch dimensions of other to be equal to those of input"))
      return failure();
  Value flat = flatten(ctx, other);
  if (!isLeft)
    flat = transposed(ctx, flat);
  if (ctx.failed() || !ctx.requireEqual(ctx.size(vectors, 1), ctx.size(flat, 1),
                                        "ormqr: the sizes of other do not match input.shape[-2]"))
    return failure();
  Value result = reflect(ctx, vectors, scales, flat, transposes == isLeft);
  if (!isLeft)
    result = transposed(ctx, result);
  return done(ctx, restore(ctx, result, batch));
}

//===----------------------------------------------------------------------===//
// Singular values
//===----------------------------------------------------------------------===//

/// The greatest magnitude of each matrix, `[batch, 1, 1]`, 1 where all are 0 or none.
static Expr scaleOf(const Expr &matrices) {
  Expr greatest = reduce(ReduceKind::Max, abs(matrices), {1, 2}, true);
  return where(greatest > 0.0, greatest, 1.0);
}

SVD specialize::decompose(RuleContext &ctx, Value matrices, bool full, bool vectors) {
  if (ctx.failed() || !matrices)
    return {};
  OpFoldResult rows = ctx.size(matrices, 1), columns = ctx.size(matrices, 2);
  std::optional<int64_t> known = getConstantIntValue(rows), other = getConstantIntValue(columns);
  // Fewer rows, fewer rotations.
  if (known && other && *known > *other) {
    SVD svd = decompose(ctx, transposed(ctx, matrices), full, vectors);
    return {svd.v, svd.s, svd.u};
  }
  OpFoldResult least = ctx.minimum(rows, columns);
  Expr scale = scaleOf(Expr(ctx, matrices)), scaled = Expr(ctx, matrices) / scale;
  if (scaled.isNull())
    return {};
  auto turned = OrthogonalizeOp::create(ctx.b, ctx.loc, scaled.value());
  Expr orthogonal(ctx, turned.getRows());
  Expr lengths =
      sqrt(sum(orthogonal * orthogonal, {2}, false)) * Expr(ctx, ctx.squeeze(scale.value(), 2));
  SVD svd;
  svd.s = ctx.slice(lengths.value(), 1, ctx.fold(0), least);
  if (!vectors)
    return svd;
  svd.u = transposed(ctx, turned.getRotation());
  if (!full)
    svd.u = ctx.slice(svd.u, 2, ctx.fold(0), least);
  // The rows, of length 1 each and with what completes them, are the columns of a Q.
  auto factored = HouseholderOp::create(ctx.b, ctx.loc, transposed(ctx, turned.getRows()));
  OpFoldResult count = full ? columns : least;
  Value q = columnsOfQ(ctx, factored.getFactors(), factored.getScales(), count);
  Value top = ctx.slice(factored.getFactors(), 1, ctx.fold(0), least);
  Expr signs = sum(triangle(Expr(ctx, top), ComparePredicate::EQ, 0), {1}, true);
  Value first = ctx.slice(signs.value(), 2, ctx.fold(0), least);
  Expr flipped = where(Expr(ctx, first) < 0.0, -1.0, Expr(ctx, first) * 0.0 + 1.0);
  if (ctx.failed())
    return {};
  Expr head = Expr(ctx, ctx.slice(q, 2, ctx.fold(0), least)) * flipped;
  svd.v = head.value();
  if (full && !ctx.failed()) {
    Value rest = ctx.slice(q, 2, least, ctx.sub(columns, least));
    svd.v = checkedValue<ConcatOp>(ctx, ValueRange{svd.v, rest}, 2);
  }
  return svd;
}

static bool refuseDriver(RuleContext &ctx, unsigned i) {
  if (!ctx.isNone(i))
    (void)ctx.raise("linalg.svd: keyword argument `driver=` is only supported on CUDA inputs");
  return ctx.failed();
}

/// The results of all operators for singular values, with V or its transpose.
static Tensors svdIn(RuleContext &ctx, Value a, bool full, bool vectors, bool transposesV) {
  Sizes batch = batchOf(ctx, a);
  Value flat = flatten(ctx, a);
  requireFinite(ctx, flat);
  SVD svd = decompose(ctx, flat, full, vectors);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(a);
  Value s = restore(ctx, svd.s, batch);
  if (!vectors)
    return all(ctx, {noTensor(ctx, type), s, noTensor(ctx, type)});
  Value v = transposesV ? transposed(ctx, svd.v) : svd.v;
  return all(ctx, {restore(ctx, svd.u, batch), s, restore(ctx, v, batch)});
}

/// linalg_svd(A, full_matrices, driver?), _linalg_svd(A, full_matrices, compute_uv, driver?).
template <bool isInternal> static Tensors linalgSvd(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  bool full = ctx.constantBool(1, !isInternal), vectors = !isInternal || ctx.constantBool(2, true);
  if (refuseDriver(ctx, isInternal ? 3 : 2))
    return failure();
  return svdIn(ctx, a, full, vectors, true);
}

/// svd(self, some, compute_uv) -> (U, S, V); without vectors zeros stand for them.
static Tensors svd(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  bool some = ctx.constantBool(1, true), vectors = ctx.constantBool(2, true);
  if (ctx.failed())
    return failure();
  if (vectors)
    return svdIn(ctx, a, !some, true, false);
  Tensors results = svdIn(ctx, a, false, false, false);
  if (failed(results))
    return failure();
  Sizes batch = batchOf(ctx, a), sizes = ctx.sizes(a);
  auto zeros = [&](OpFoldResult size) {
    Sizes square(batch);
    square.append(2, size);
    return ctx.full(square, 0.0, getElementTypeOrSelf(a));
  };
  return all(ctx, {zeros(sizes[sizes.size() - 2]), (*results)[1], zeros(sizes.back())});
}

/// linalg_svdvals(A, driver?).
static FailureOr<Value> svdvals(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  if (refuseDriver(ctx, 1))
    return failure();
  Tensors results = svdIn(ctx, a, false, false, false);
  if (failed(results))
    return failure();
  return (*results)[1];
}

//===----------------------------------------------------------------------===//
// Eigenvalues of symmetric matrices
//===----------------------------------------------------------------------===//

std::pair<Value, Value> specialize::eigen(RuleContext &ctx, Value matrices, bool upper,
                                          bool vectors) {
  if (ctx.failed() || !matrices)
    return {};
  OpFoldResult size = ctx.size(matrices, 1);
  Expr x(ctx, matrices), mirrored(ctx, transposed(ctx, matrices));
  auto half = upper ? ComparePredicate::GE : ComparePredicate::LE;
  x = where(onDiagonals(ctx, half, 0, size, size), x, mirrored);
  x = x / scaleOf(x);
  Expr scale = scaleOf(where(onDiagonals(ctx, half, 0, size, size), Expr(ctx, matrices), mirrored));
  // No eigenvalue is greater than this.
  Expr bound = reduce(ReduceKind::Max, sum(abs(x), {2}, true), {1}, true);
  bound = where(bound > 0.0, bound, 1.0);
  Expr shifted = x + Expr(ctx, identity(ctx, matrices, size, size)) * bound;
  if (shifted.isNull())
    return {};
  Value turned = OrthogonalizeOp::create(ctx.b, ctx.loc, shifted.value()).getRotation();
  // Rayleigh's quotients are more exact than the lengths of the rows.
  Expr image(ctx, product(ctx, turned, x.value()));
  Expr values =
      sum(image * Expr(ctx, turned), {2}, false) * Expr(ctx, ctx.squeeze(scale.value(), 2));
  if (values.isNull())
    return {};
  auto sorted = SortOp::create(ctx.b, ctx.loc, values.value(), 1, false);
  if (!vectors)
    return {sorted.getValues(), Value()};
  Value order = ctx.broadcastTo(ctx.unsqueeze(sorted.getIndices(), 2), ctx.sizes(turned));
  Value rows = checkedValue<GatherOp>(ctx, turned, order, uint64_t(1));
  return {sorted.getValues(), rows ? transposed(ctx, rows) : Value()};
}

/// Operand `i`: which triangle.
static std::optional<bool> isUpper(RuleContext &ctx, unsigned i) {
  StringRef triangle = ctx.isNone(i) ? "L" : ctx.constantString(i);
  if (ctx.failed())
    return std::nullopt;
  if (triangle.equals_insensitive("L") || triangle.equals_insensitive("U"))
    return triangle.equals_insensitive("U");
  (void)ctx.raise("Expected UPLO argument to be 'L' or 'U', but got " + triangle);
  return std::nullopt;
}

/// linalg_eigh(A, UPLO), _linalg_eigh(A, UPLO, compute_v) -> (values, vectors), linalg_eigvalsh.
static Tensors eigh(RuleContext &ctx, bool vectors) {
  Value a = squareOperand(ctx, 0);
  std::optional<bool> upper = isUpper(ctx, 1);
  if (!upper)
    return failure();
  Sizes batch = batchOf(ctx, a);
  Value flat = flatten(ctx, a);
  requireFinite(ctx, flat);
  auto [values, columns] = eigen(ctx, flat, *upper, vectors);
  if (ctx.failed())
    return failure();
  columns = vectors ? restore(ctx, columns, batch) : noTensor(ctx, getElementTypeOrSelf(a));
  return all(ctx, {restore(ctx, values, batch), columns});
}
static Tensors linalgEigh(RuleContext &ctx) { return eigh(ctx, true); }
static Tensors internalEigh(RuleContext &ctx) { return eigh(ctx, ctx.constantBool(2, true)); }
static FailureOr<Value> eigvalsh(RuleContext &ctx) {
  Tensors results = eigh(ctx, false);
  if (failed(results))
    return failure();
  return results->front();
}

//===----------------------------------------------------------------------===//
// What singular values are used for
//===----------------------------------------------------------------------===//

namespace {
/// Up to which size singular values count as 0.
struct Tolerance {
  Expr absolute, relative; ///< 0-dim or [batch, 1]
};
} // namespace

/// A number, or a tensor that is broadcast over the batch, as `[batch, 1]` or 0-dim; `fallback`
/// where it is None.
static Expr toleranceOperand(RuleContext &ctx, std::optional<unsigned> i, double fallback,
                             ArrayRef<OpFoldResult> batch, Type type) {
  if (!i || ctx.isNone(*i))
    return Expr(ctx, ctx.constantTensor(fallback, type));
  Value value = ctx.operandAs(*i, type);
  if (ctx.failed() || rankOf(value) == 0)
    return Expr(ctx, value);
  if (rankOf(value) > static_cast<int64_t>(batch.size())) {
    (void)ctx.fail(ctx.name() + ": a tolerance of more dimensions than the batch is not supported");
    return Expr(ctx, {});
  }
  value = ctx.broadcastTo(value, batch);
  if (ctx.failed())
    return Expr(ctx, {});
  return Expr(ctx, ctx.reshape(value, {ctx.product(batch), ctx.fold(1)}));
}

/// PyTorch's defaults: the precision times the larger size, unless there is an absolute tolerance.
static Tolerance tolerances(RuleContext &ctx, Value a, std::optional<unsigned> atol,
                            std::optional<unsigned> rtol) {
  Type type = getElementTypeOrSelf(a);
  Sizes batch = batchOf(ctx, a);
  Expr absolute = toleranceOperand(ctx, atol, 0.0, batch, type);
  Expr relative = toleranceOperand(ctx, rtol, 0.0, batch, type);
  if (ctx.failed() || (rtol && !ctx.isNone(*rtol)))
    return {absolute, relative};
  int64_t rank = rankOf(a);
  Expr larger = sizeTensor(ctx, ctx.maximum(ctx.size(a, rank - 1), ctx.size(a, rank - 2)), type);
  relative = larger * epsilonOf(type);
  if (atol && !ctx.isNone(*atol))
    relative = where(absolute > 0.0, 0.0, relative);
  return {absolute, relative};
}

/// Which of `values` (`[batch, count]`, not negative) count.
static Expr areLarge(const Expr &values, const Tolerance &tolerance) {
  Expr greatest = reduce(ReduceKind::Max, maximum(values, 0.0), {1}, true);
  greatest = maximum(greatest, 0.0); // where there is none
  return values > maximum(tolerance.absolute, tolerance.relative * greatest);
}

/// The pseudoinverse of flat matrices.
static Value pseudoinverse(RuleContext &ctx, Value matrices, const Tolerance &tolerance,
                           bool hermitian) {
  if (ctx.failed() || !matrices)
    return {};
  Value left, right;
  Expr values(ctx, {});
  if (hermitian) {
    std::tie(right, left) = eigen(ctx, matrices, false, true);
    values = Expr(ctx, right);
    right = left;
  } else {
    SVD svd = decompose(ctx, matrices, false, true);
    values = Expr(ctx, svd.s);
    left = svd.v;
    right = svd.u;
  }
  if (values.isNull())
    return {};
  Expr inverse = where(areLarge(abs(values), tolerance), 1.0 / values, 0.0);
  if (inverse.isNull())
    return {};
  Expr scaled = Expr(ctx, left) * Expr(ctx, ctx.unsqueeze(inverse.value(), 1));
  return product(ctx, scaled.value(), right, false, true);
}

static FailureOr<Value> pinvIn(RuleContext &ctx, std::optional<unsigned> atol,
                               std::optional<unsigned> rtol, unsigned hermitianOperand) {
  bool hermitian = ctx.constantBool(hermitianOperand, false);
  Value a = hermitian ? squareOperand(ctx, 0) : matrixOperand(ctx, 0);
  if (ctx.failed())
    return failure();
  Tolerance tolerance = tolerances(ctx, a, atol, rtol);
  Sizes batch = batchOf(ctx, a);
  Value flat = flatten(ctx, a);
  requireFinite(ctx, flat);
  return done(ctx, restore(ctx, pseudoinverse(ctx, flat, tolerance, hermitian), batch));
}
/// linalg_pinv(A, rcond, hermitian), .rcond_tensor, pinverse(A, rcond).
static FailureOr<Value> pinvRelative(RuleContext &ctx) { return pinvIn(ctx, std::nullopt, 1, 2); }
/// linalg_pinv.atol_rtol_float(A, atol?, rtol?, hermitian), .atol_rtol_tensor.
static FailureOr<Value> pinv(RuleContext &ctx) { return pinvIn(ctx, 1, 2, 3); }

static FailureOr<Value> rankIn(RuleContext &ctx, std::optional<unsigned> atol,
                               std::optional<unsigned> rtol, unsigned hermitianOperand,
                               bool isAbsolute) {
  bool hermitian = ctx.constantBool(hermitianOperand, false);
  Value a = hermitian ? squareOperand(ctx, 0) : matrixOperand(ctx, 0);
  if (ctx.failed())
    return failure();
  Tolerance tolerance = tolerances(ctx, a, atol, rtol);
  if (isAbsolute)
    tolerance.relative = Expr(ctx, ctx.constantTensor(0.0, getElementTypeOrSelf(a)));
  Sizes batch = batchOf(ctx, a);
  Value flat = flatten(ctx, a);
  requireFinite(ctx, flat);
  Value values =
      hermitian ? eigen(ctx, flat, false, false).first : decompose(ctx, flat, false, false).s;
  if (ctx.failed())
    return failure();
  Expr count =
      sum(areLarge(abs(Expr(ctx, values)), tolerance).cast(ctx.b.getI64Type()), {1}, false);
  return done(ctx, restore(ctx, count.value(), batch));
}
/// linalg_matrix_rank(A, tol, hermitian), .tol_tensor.
static FailureOr<Value> rankAbsolute(RuleContext &ctx) {
  return rankIn(ctx, 1, std::nullopt, 2, true);
}
/// linalg_matrix_rank.atol_rtol_float(A, atol?, rtol?, hermitian), .atol_rtol_tensor.
static FailureOr<Value> matrixRank(RuleContext &ctx) { return rankIn(ctx, 1, 2, 3, false); }

/// The squares of what is left of flat A X = B, `[batch, columns of B]`, where A has more rows than
/// columns and, as far as `large` (null: not asked) tells, full rank; no elements otherwise.
/// Without a batch both are vectors, so that it may turn out at run time.
static Value residualsOf(RuleContext &ctx, Value a, Value x, Value b, const Expr &large,
                         ArrayRef<OpFoldResult> batch) {
  OpFoldResult rows = ctx.size(a, 1), columns = ctx.size(a, 2);
  std::optional<int64_t> m = getConstantIntValue(rows), n = getConstantIntValue(columns);
  if (m && n && *m <= *n)
    return noTensor(ctx, getElementTypeOrSelf(a));
  Expr rest = Expr(ctx, product(ctx, a, x)) - Expr(ctx, b);
  Value squares = restore(ctx, sum(rest * rest, {1}, false).value(), batch);
  bool isCertain = m && n && !large.value();
  if (ctx.failed() || isCertain)
    return squares;
  if (!batch.empty()) {
    (void)ctx.fail(
        "linalg_lstsq: expected sizes and a driver that tell whether there are residuals "
        "for a batch");
    return {};
  }
  Value exists = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt,
                                       ctx.indexValue(rows), ctx.indexValue(columns));
  if (large.value()) {
    Value rank = ctx.toScalar(sum(large.cast(ctx.b.getI64Type()), {0, 1}, false).value());
    Value isFull = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, rank,
                                         ctx.intValue(columns));
    exists = arith::AndIOp::create(ctx.b, ctx.loc, exists, isFull);
  }
  Value count = arith::SelectOp::create(ctx.b, ctx.loc, exists, ctx.indexValue(ctx.size(b, 2)),
                                        ctx.indexValue(ctx.fold(0)));
  return ctx.slice(squares, 0, ctx.fold(0), count);
}

/// linalg_lstsq(A, B, rcond?, driver?) -> (solution, residuals, rank, singular_values).
static Tensors lstsq(RuleContext &ctx) {
  Value a = matrixOperand(ctx, 0);
  StringRef driver = ctx.isNone(3) ? "gelsy" : ctx.constantString(3);
  if (ctx.failed())
    return failure();
  Value b = ctx.tensor(1);
  Type type = getElementTypeOrSelf(a);
  if (getElementTypeOrSelf(b) != type)
    return ctx.raise("torch.linalg.lstsq: input.dtype and other.dtype should be the same");
  if (!llvm::is_contained({"gels", "gelsy", "gelsd", "gelss"}, driver))
    return ctx.raise(
        "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)");
  bool isVector = rankOf(b) == rankOf(a) - 1;
  if (isVector)
    b = ctx.unsqueeze(b, rankOf(b));
  if (rankOf(b) != rankOf(a))
    return ctx.raise("torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and "
                     "(input.dim() - "
                     "other.dim()) <= 1");
  OpFoldResult rows = ctx.size(a, rankOf(a) - 2);
  if (!ctx.requireEqual(rows, ctx.size(b, rankOf(b) - 2),
                        "torch.linalg.lstsq: input.size(-2) should match other.size(-2)"))
    return failure();
  Sizes batch = broadcastBatches(ctx, a, b);
  Tolerance tolerance = tolerances(ctx, a, std::nullopt, 2);
  Value flat = flatten(ctx, a), right = flatten(ctx, b);
  requireFinite(ctx, flat);
  if (ctx.failed())
    return failure();
  SVD svd = decompose(ctx, flat, false, true);
  if (ctx.failed())
    return failure();
  Expr values(ctx, svd.s), large = areLarge(values, tolerance);
  Expr inverse = where(driver == "gels" ? values > 0.0 : large, 1.0 / values, 0.0);
  if (inverse.isNull())
    return failure();
  Expr turned =
      Expr(ctx, product(ctx, svd.u, right, true)) * Expr(ctx, ctx.unsqueeze(inverse.value(), 2));
  Value x = product(ctx, svd.v, turned.value());
  if (ctx.failed())
    return failure();
  Value residuals = noTensor(ctx, type);
  if (driver != "gelsy")
    residuals = residualsOf(ctx, flat, x, right, driver == "gels" ? Expr(ctx, {}) : large, batch);
  Type i64 = ctx.b.getI64Type();
  Value rank = driver == "gels" ? noTensor(ctx, i64)
                                : restore(ctx, sum(large.cast(i64), {1}, false).value(), batch);
  bool hasValues = driver == "gelsd" || driver == "gelss";
  x = restore(ctx, x, batch);
  if (isVector && !ctx.failed())
    x = ctx.squeeze(x, rankOf(x) - 1);
  return all(ctx,
             {x, residuals, rank, hasValues ? restore(ctx, svd.s, batch) : noTensor(ctx, type)});
}

void specialize::registerMatrixVectorRules(RuleRegistry &registry) {
  registry.values("linalg_qr", linalgQr);
  registry.values("qr", qr);
  registry.values("geqrf", geqrf);
  for (StringRef name : {"linalg_householder_product", "orgqr"})
    registry.value(name, householderProduct);
  registry.value("ormqr", ormqr);
  registry.values("linalg_svd", linalgSvd<false>);
  registry.values("_linalg_svd", linalgSvd<true>);
  registry.values("svd", svd);
  registry.value("linalg_svdvals", svdvals);
  registry.values("linalg_eigh", linalgEigh);
  registry.values("_linalg_eigh", internalEigh);
  registry.value("linalg_eigvalsh", eigvalsh);
  for (StringRef name : {"linalg_pinv", "linalg_pinv.rcond_tensor", "pinverse"})
    registry.value(name, pinvRelative);
  for (StringRef name : {"linalg_pinv.atol_rtol_float", "linalg_pinv.atol_rtol_tensor"})
    registry.value(name, pinv);
  for (StringRef name : {"linalg_matrix_rank", "linalg_matrix_rank.tol_tensor"})
    registry.value(name, rankAbsolute);
  for (StringRef name :
       {"linalg_matrix_rank.atol_rtol_float", "linalg_matrix_rank.atol_rtol_tensor"})
    registry.value(name, matrixRank);
  registry.values("linalg_lstsq", lstsq);
}
