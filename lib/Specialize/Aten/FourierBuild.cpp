//===- FourierBuild.cpp - Fourier transforms in rules ---------------------===//
//
// `tl.fourier` transforms the columns of matrices. Along the last dimension several transforms
// become the columns of one matrix, so that vectors of them are computed at a time.
//
//===----------------------------------------------------------------------===//
#include "FourierBuild.h"
#include "../Interpreter/Walker.h"
#include "CheckedBuild.h"
#include "MatrixBuild.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static constexpr int64_t columns = 8;           ///< of a matrix, along the last dimension
static constexpr int64_t maxConstant = 1 << 16; ///< numbers of a table that is a constant

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// e^(-2 pi i k / n); the angle is at most an eighth of a turn.
static std::pair<double, double> rootOfOne(int64_t k, int64_t n) {
  // Eighths of a turn, and what is left of them.
  int64_t eighth = 8 * k / n, rest = 8 * k - eighth * n;
  bool isOdd = eighth % 2;
  double angle = M_PI / 4 * static_cast<double>(isOdd ? n - rest : rest) / static_cast<double>(n);
  double c = std::cos(angle), s = std::sin(angle);
  if (eighth == 1 || eighth == 2 || eighth == 5 || eighth == 6)
    std::swap(c, s);
  if (eighth >= 2 && eighth < 6)
    c = -c;
  if (eighth >= 4)
    s = -s;
  return {c, s == 0 ? 0 : -s};
}

/// Roots 0 to `count` - 1 as a constant `[2, count]`.
static Value constantRoots(RuleContext &ctx, int64_t count, int64_t n, Type part) {
  SmallVector<APFloat> numbers(2 * count, APFloat(0.0));
  for (int64_t k = 0; k < count; ++k) {
    auto [c, s] = rootOfOne(k, n);
    numbers[k] = APFloat(c);
    numbers[count + k] = APFloat(s);
  }
  bool losesInfo;
  for (APFloat &number : numbers)
    number.convert(cast<FloatType>(part).getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
  auto type = RankedTensorType::get({2, count}, part);
  return ctx.getWalker().constant(DenseElementsAttr::get(type, numbers));
}

/// The same at run time. Angles are made small, as there.
static Value computedRoots(RuleContext &ctx, OpFoldResult count, OpFoldResult n, Type part) {
  Type i64 = ctx.b.getI64Type(), f64 = ctx.b.getF64Type();
  Expr k(ctx, IotaOp::create(ctx.b, ctx.loc, i64, {count}, 0)), size = sizeTensor(ctx, n, i64);
  Expr eighth = floorDivide(k * 8.0, size), rest = k * 8.0 - eighth * size;
  Expr isOdd = remainder(eighth, 2.0) == 1.0;
  Expr angle = where(isOdd, size - rest, rest).cast(f64) * (M_PI / 4) / size.cast(f64);
  Expr c = cos(angle), s = sin(angle);
  Expr isSwapped = remainder(floorDivide(eighth + 1.0, 2.0), 2.0) == 1.0;
  Expr first = where(isSwapped, s, c), second = where(isSwapped, c, s);
  first = where(eighth >= 2.0 && eighth < 6.0, -first, first);
  second = where(eighth >= 4.0, second, -second);
  if (ctx.failed())
    return {};
  Value rows[] = {ctx.unsqueeze(first.cast(part).value(), 0),
                  ctx.unsqueeze(second.cast(part).value(), 0)};
  return ConcatOp::create(ctx.b, ctx.loc, rows, 0);
}

static Value rootsOfOne(RuleContext &ctx, OpFoldResult count, OpFoldResult n, Type part) {
  std::optional<int64_t> knownCount = getConstantIntValue(count), known = getConstantIntValue(n);
  if (known && knownCount && *known > 0 && *knownCount <= maxConstant)
    return constantRoots(ctx, *knownCount, *known, part);
  return computedRoots(ctx, count, n, part);
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

namespace {
/// A tensor's dimension as the rows of matrices `[batch, rows, columns]`, and back.
class Columns {
public:
  Columns(RuleContext &ctx, Value tensor, int64_t dim)
      : ctx(ctx), dim(dim), sizes(ctx.sizes(tensor)) {
    ArrayRef<OpFoldResult> all = sizes;
    outer = ctx.product(all.take_front(dim));
    inner = ctx.product(all.drop_front(dim + 1));
    isLast = isConstantIntValue(inner, 1);
    std::optional<int64_t> count = getConstantIntValue(outer);
    width = count && *count < columns ? outer : ctx.fold(columns);
    OpFoldResult last = ctx.sub(width, ctx.fold(1));
    groups =
        isLast && !isConstantIntValue(width, 0) ? ctx.floorDiv(ctx.add(outer, last), width) : outer;
  }

  Expr toMatrices(const Expr &x) {
    if (x.isNull())
      return x;
    OpFoldResult rows = ctx.size(x.value(), dim);
    if (!isLast)
      return {ctx, ctx.reshape(x.value(), {outer, rows, inner})};
    Value matrix = ctx.reshape(x.value(), {outer, rows});
    matrix = resizedTo(ctx, matrix, 0, ctx.mul(groups, width));
    if (ctx.failed())
      return {ctx, {}};
    matrix = ctx.reshape(matrix, {groups, width, rows});
    return {ctx, ctx.transpose(matrix, 1, 2)};
  }

  Expr toTensor(const Expr &x) {
    if (x.isNull())
      return x;
    OpFoldResult rows = ctx.size(x.value(), 1);
    Value tensor = x.value();
    if (isLast) {
      tensor = ctx.reshape(ctx.transpose(tensor, 1, 2), {ctx.mul(groups, width), rows});
      tensor = resizedTo(ctx, tensor, 0, outer);
    }
    if (ctx.failed())
      return {ctx, {}};
    SmallVector<OpFoldResult> shape = sizes;
    shape[dim] = rows;
    return {ctx, ctx.reshape(tensor, shape)};
  }
  /// Rows at even and at odd places by themselves; each lies in memory in one piece.
  Complex toHalves(const Expr &x, int64_t half) {
    Expr none(ctx, {});
    if (x.isNull())
      return {none, none};
    OpFoldResult rows = ctx.fold(half), two = ctx.fold(2);
    Value pairs = x.value();
    if (isLast) {
      pairs = ctx.reshape(pairs, {outer, ctx.fold(2 * half)});
      pairs = resizedTo(ctx, pairs, 0, ctx.mul(groups, width));
      if (ctx.failed())
        return {none, none};
      pairs = ctx.permute(ctx.reshape(pairs, {groups, width, rows, two}), {3, 0, 2, 1});
    } else {
      pairs = ctx.permute(ctx.reshape(pairs, {outer, rows, two, inner}), {2, 0, 1, 3});
    }
    auto part = [&](int64_t place) -> Expr {
      return {ctx, ctx.squeeze(ctx.slice(pairs, 0, ctx.fold(place), ctx.fold(1)), 0)};
    };
    return {part(0), part(1)};
  }

  Expr fromHalves(const Complex &x, int64_t half) {
    if (x.isNull())
      return {ctx, {}};
    Value parts[] = {ctx.unsqueeze(x.re.value(), 0), ctx.unsqueeze(x.im.value(), 0)};
    Value pairs = ConcatOp::create(ctx.b, ctx.loc, parts, 0);
    SmallVector<OpFoldResult> shape = sizes;
    shape[dim] = ctx.fold(2 * half);
    if (!isLast)
      return {ctx, ctx.reshape(ctx.permute(pairs, {1, 2, 0, 3}), shape)};
    pairs = ctx.permute(pairs, {1, 3, 2, 0});
    pairs = ctx.reshape(pairs, {ctx.mul(groups, width), shape[dim]});
    pairs = resizedTo(ctx, pairs, 0, outer);
    return {ctx, pairs ? ctx.reshape(pairs, shape) : pairs};
  }

  Complex toMatrices(const Complex &x) { return {toMatrices(x.re), toMatrices(x.im)}; }
  Complex toTensor(const Complex &x) { return {toTensor(x.re), toTensor(x.im)}; }

private:
  RuleContext &ctx;
  int64_t dim;
  SmallVector<OpFoldResult> sizes;
  OpFoldResult outer, inner, width, groups;
  bool isLast;
};
} // namespace

static Expr rowsOf(const Expr &x, OpFoldResult first, OpFoldResult count) {
  if (x.isNull())
    return x;
  return {x.ctx(), x.ctx().slice(x.value(), 1, first, count)};
}
static Complex rowsOf(const Complex &x, OpFoldResult first, OpFoldResult count) {
  return {rowsOf(x.re, first, count), rowsOf(x.im, first, count)};
}

static Expr reversed(const Expr &x) {
  if (x.isNull())
    return x;
  return {x.ctx(), FlipOp::create(x.ctx().b, x.ctx().loc, x.value(), {1})};
}
static Complex reversed(const Complex &x) { return {reversed(x.re), reversed(x.im)}; }

static Expr joined(const Expr &x, const Expr &y) {
  if (x.isNull() || y.isNull())
    return {x.ctx(), {}};
  Value parts[] = {x.value(), y.value()};
  return {x.ctx(), ConcatOp::create(x.ctx().b, x.ctx().loc, parts, 1)};
}
static Complex joined(const Complex &x, const Complex &y) {
  return {joined(x.re, y.re), joined(x.im, y.im)};
}

static Expr zerosLike(const Expr &x) {
  if (x.isNull())
    return x;
  return {x.ctx(), x.ctx().full(x.ctx().sizes(x.value()), 0.0, x.elementType())};
}

/// The transform of the columns of matrices.
static Complex transformColumns(const Complex &x, bool isInverse) {
  RuleContext &ctx = x.re.ctx();
  OpFoldResult rows = ctx.size(x.re.value(), 1);
  if (x.isNull() || isConstantIntValue(rows, 1))
    return x;
  Complex from = isInverse ? swapped(x) : x;
  Value table = rootsOfOne(ctx, rows, rows, x.re.elementType());
  if (ctx.failed())
    return {Expr(ctx, {}), Expr(ctx, {})};
  auto op = FourierOp::create(ctx.b, ctx.loc, from.re.value(), from.im.value(), table);
  Complex to = {Expr(ctx, op.getReResult()), Expr(ctx, op.getImResult())};
  return isInverse ? swapped(to) : to;
}

//===----------------------------------------------------------------------===//
// Real numbers: those at even places as real, at odd places as imaginary parts
//===----------------------------------------------------------------------===//

/// Rows 0 to `half` of e^(-2 pi i k / (2 half)), for matrices.
static Complex rootColumn(RuleContext &ctx, int64_t half, int64_t count, Type part) {
  Value roots = rootsOfOne(ctx, ctx.fold(count), ctx.fold(2 * half), part);
  auto column = [&](int64_t row) -> Expr {
    Value numbers = ctx.slice(roots, 0, ctx.fold(row), ctx.fold(1));
    return {ctx, ctx.reshape(numbers, {ctx.fold(1), ctx.fold(count), ctx.fold(1)})};
  };
  return {column(0), column(1)};
}

Complex specialize::fourierOfHalves(const Complex &x, int64_t half) {
  if (x.isNull())
    return x;
  RuleContext &ctx = x.re.ctx();
  Complex z = transformColumns(x, /*isInverse=*/false);
  z = joined(z, rowsOf(z, ctx.fold(0), ctx.fold(1)));
  Complex mirrored = conj(reversed(z));
  Expr middle = x.re.constant(0.5);
  Complex even = (z + mirrored) * middle, odd = (z - mirrored) * middle;
  return even - timesI(odd * rootColumn(ctx, half, half + 1, x.re.elementType()));
}

static Complex complexToEven(const Complex &x, int64_t half) {
  RuleContext &ctx = x.re.ctx();
  OpFoldResult zero = ctx.fold(0), count = ctx.fold(half);
  Complex mirrored = conj(rowsOf(reversed(x), zero, count)), first = rowsOf(x, zero, count);
  Complex even = first + mirrored, odd = first - mirrored;
  odd = odd * conj(rootColumn(ctx, half, half, x.re.elementType()));
  return transformColumns(even + timesI(odd), /*isInverse=*/true);
}

/// What is not read: the imaginary parts of row 0, and of the middle row.
static Complex withoutUnread(const Complex &x, OpFoldResult size) {
  RuleContext &ctx = x.re.ctx();
  if (x.isNull())
    return x;
  Type i64 = ctx.b.getI64Type();
  OpFoldResult rows = ctx.size(x.re.value(), 1);
  OpFoldResult shape[] = {ctx.fold(1), rows, ctx.fold(1)};
  Expr k(ctx, IotaOp::create(ctx.b, ctx.loc, i64, shape, 1));
  Expr isUnread = k == 0.0 || k * 2.0 == sizeTensor(ctx, size, i64);
  return {x.re, where(isUnread, 0.0, x.im)};
}

/// The whole spectrum, of which the rest mirrors the first half.
static Expr toRealOfAny(const Complex &x, OpFoldResult size) {
  RuleContext &ctx = x.re.ctx();
  OpFoldResult one = ctx.fold(1), rest = ctx.floorDiv(ctx.sub(size, one), ctx.fold(2));
  Complex whole = x;
  if (!isConstantIntValue(rest, 0))
    whole = joined(x, conj(reversed(rowsOf(x, one, rest))));
  return transformColumns(whole, /*isInverse=*/true).re;
}

//===----------------------------------------------------------------------===//
// Along a dimension
//===----------------------------------------------------------------------===//

/// Half of a known even size, 0 otherwise.
static int64_t halfOf(OpFoldResult size) {
  int64_t known = getConstantIntValue(size).value_or(1);
  return known % 2 ? 0 : known / 2;
}

Complex specialize::fourier(const Complex &x, int64_t dim, bool isInverse) {
  if (x.isNull())
    return x;
  RuleContext &ctx = x.re.ctx();
  Value parts[] = {x.re.value(), x.im.value()};
  if (!ctx.requireBroadcast(parts))
    return {Expr(ctx, {}), Expr(ctx, {})};
  SmallVector<OpFoldResult> sizes = ctx.sizes(parts[0]);
  Complex whole = {Expr(ctx, parts[0]), Expr(ctx, ctx.broadcastTo(parts[1], sizes))};
  Columns columns(ctx, parts[0], dim);
  return columns.toTensor(transformColumns(columns.toMatrices(whole), isInverse));
}

Complex specialize::fourierOfReal(const Expr &x, int64_t dim) {
  if (x.isNull())
    return {x, x};
  RuleContext &ctx = x.ctx();
  OpFoldResult size = ctx.size(x.value(), dim);
  Columns columns(ctx, x.value(), dim);
  if (int64_t half = halfOf(size))
    return columns.toTensor(fourierOfHalves(columns.toHalves(x, half), half));
  Expr matrices = columns.toMatrices(x);
  if (matrices.isNull())
    return {matrices, matrices};
  Complex all = transformColumns({matrices, zerosLike(matrices)}, /*isInverse=*/false);
  OpFoldResult count = ctx.add(ctx.floorDiv(size, ctx.fold(2)), ctx.fold(1));
  return columns.toTensor(rowsOf(all, ctx.fold(0), count));
}

Expr specialize::fourierToReal(const Complex &x, int64_t dim, OpFoldResult size) {
  if (x.isNull())
    return x.re;
  Columns columns(x.re.ctx(), x.re.value(), dim);
  Complex matrices = withoutUnread(columns.toMatrices(x), size);
  if (matrices.isNull())
    return matrices.re;
  if (int64_t half = halfOf(size))
    return columns.fromHalves(complexToEven(matrices, half), half);
  return columns.toTensor(toRealOfAny(matrices, size));
}

/// The factor as a number of a type; null where it is 1.
static Expr factorOf(RuleContext &ctx, StringRef norm, OpFoldResult size, bool isForward,
                     Type part) {
  bool isRoot = norm == "ortho";
  if (!isRoot && isForward != (norm == "forward"))
    return {ctx, {}};
  Expr number = sizeTensor(ctx, size, ctx.b.getF64Type());
  return (1.0 / (isRoot ? sqrt(number) : number)).cast(part);
}

Complex specialize::normalized(const Complex &x, StringRef norm, OpFoldResult size,
                               bool isForward) {
  if (x.isNull())
    return x;
  Expr factor = factorOf(x.re.ctx(), norm, size, isForward, x.re.elementType());
  return factor.value() ? x * factor : x;
}

Expr specialize::normalized(const Expr &x, StringRef norm, OpFoldResult size, bool isForward) {
  if (x.isNull())
    return x;
  Expr factor = factorOf(x.ctx(), norm, size, isForward, x.elementType());
  return factor.value() ? x * factor : x;
}

Value specialize::resizedTo(RuleContext &ctx, Value tensor, int64_t dim, OpFoldResult size) {
  if (ctx.failed() || !tensor)
    return {};
  OpFoldResult own = ctx.size(tensor, dim);
  if (ctx.equal(own, size) == Known::Yes)
    return tensor;
  std::optional<int64_t> from = getConstantIntValue(own), to = getConstantIntValue(size);
  OpFoldResult kept = ctx.minimum(own, size);
  if (!from || !to || *to < *from)
    tensor = ctx.slice(tensor, dim, ctx.fold(0), kept);
  if (from && to && *to < *from)
    return tensor;
  int64_t rank = rankOf(tensor);
  SmallVector<OpFoldResult> low(rank, ctx.fold(0)), high(rank, ctx.fold(0));
  high[dim] = ctx.sub(size, kept);
  Value zero = ctx.constantScalar(0.0, getElementTypeOrSelf(tensor));
  SmallVector<Value> lowValues, highValues = ctx.dynamicSizes(high);
  Value padded =
      checkedValue<PadOp>(ctx, tensor, zero, ValueRange(lowValues), ValueRange(highValues),
                          ctx.staticSizes(low), ctx.staticSizes(high), PadMode::Constant);
  if (!padded)
    return {};
  // The size is known to be that, though the sum is not.
  SmallVector<OpFoldResult> sizes = ctx.sizes(tensor);
  sizes[dim] = size;
  return ctx.refine(padded, ctx.makeType(sizes, getElementTypeOrSelf(tensor)));
}
