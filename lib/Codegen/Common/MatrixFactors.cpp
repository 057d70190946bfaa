//===- MatrixFactors.cpp - Triangular factors and systems -----------------===//
//
// Rows lie in memory, so all of them update whole rows. Source: Golub, Van Loan, "Matrix
// Computations", chapters 3 and 4; what is stored where, and `info`, are LAPACK's.
//
//===----------------------------------------------------------------------===//
#include "MatrixBuilder.h"

using namespace mlir;

namespace torchlite {

/// The greatest element of a column from row `first` on.
static Value findPivot(MatrixBuilder &m, Value matrix, Value column, Value rows) {
  Values best = m.loop(column, rows, {m.constant(-1.0), column}, [&](Value i, ValueRange carried) {
    Value value = m.abs(m.load(matrix, {i, column}));
    Value takes = m.isGreater(value, carried[0]);
    return Values{m.select(takes, value, carried[0]), m.select(takes, i, carried[1])};
  });
  return best[1];
}

/// Takes `factor` times row `from` away from row `to`, from `column` on.
static void subtractRow(MatrixBuilder &m, Value matrix, Value to, Value from, Value factor,
                        Value column) {
  m.columns(column, m.size(matrix, 1), 4, [&](const Lanes &at) {
    Value product = m.mul(m.load(matrix, from, at), factor);
    m.store(m.sub(m.load(matrix, to, at), product), matrix, to, at);
  });
}

void emitLU(MatrixBuilder &m) {
  Value matrix = m.outputs[0], pivots = m.outputs[1], info = m.outputs[2];
  Value rows = m.size(matrix, 0), none = m.i32(m.index(0));
  Value steps = m.smaller(rows, m.size(matrix, 1));
  Values first = m.loop(m.index(0), steps, none, [&](Value c, ValueRange carried) {
    Value row = findPivot(m, matrix, c, rows);
    m.store(m.i32(m.next(row)), pivots, c);
    m.when(m.isNot(m.areEqual(row, c)), [&] { m.swapRows(matrix, row, c); });
    Value pivot = m.load(matrix, {c, c}), isZero = m.isZero(pivot);
    m.when(m.isNot(isZero), [&] {
      m.loop(m.next(c), rows, [&](Value i) {
        Value factor = m.div(m.load(matrix, {i, c}), pivot);
        m.store(factor, matrix, {i, c});
        subtractRow(m, matrix, i, c, factor, m.next(c));
      });
    });
    Value isFirst = m.both(isZero, m.areEqual(carried[0], none));
    return Values{m.select(isFirst, m.i32(m.next(c)), carried[0])};
  });
  m.store(first[0], info, {});
}

void emitSwapRows(MatrixBuilder &m) {
  Value matrix = m.outputs[0], pivots = m.inputs[0];
  Value rows = m.size(matrix, 0), steps = m.smaller(m.size(pivots, 0), rows);
  auto step = [&](Value i) {
    Value row = m.sub(m.toIndex(m.load(pivots, i)), m.index(1));
    Value isRow = m.both(m.isLess(m.index(-1), row), m.isLess(row, rows));
    m.when(m.both(isRow, m.isNot(m.areEqual(row, i))), [&] { m.swapRows(matrix, row, i); });
  };
  if (m.op.getReverse())
    m.loopDown(steps, step);
  else
    m.loop(m.index(0), steps, step);
}

/// Writes the triangle below the diagonal over the other one, or the other way round.
static void mirror(MatrixBuilder &m, Value matrix, bool fromLower) {
  m.loop(m.index(0), m.size(matrix, 0), [&](Value i) {
    m.loop(m.index(0), i, [&](Value j) {
      Value lower[] = {i, j}, upper[] = {j, i};
      if (fromLower)
        m.store(m.load(matrix, lower), matrix, upper);
      else
        m.store(m.load(matrix, upper), matrix, lower);
    });
  });
}

/// U of A = U^T U: a row after the other, whose multiples are taken away from the rows below it.
void emitCholesky(MatrixBuilder &m) {
  Value matrix = m.outputs[0], info = m.outputs[1];
  Value size = m.size(matrix, 0), none = m.i32(m.index(0));
  bool isUpper = m.op.getUpper();
  if (!isUpper)
    mirror(m, matrix, /*fromLower=*/true);
  Values first = m.loop(m.index(0), size, none, [&](Value c, ValueRange carried) {
    Value diagonal = m.load(matrix, {c, c});
    Value isPositive = m.isGreater(diagonal, m.constant(0.0));
    Value isWell = m.areEqual(carried[0], none);
    m.when(m.both(isWell, isPositive), [&] {
      Value root = m.sqrt(diagonal);
      m.store(root, matrix, {c, c});
      m.columns(m.next(c), size, 4, [&](const Lanes &at) {
        m.store(m.div(m.load(matrix, c, at), root), matrix, c, at);
      });
      m.loop(m.next(c), size,
             [&](Value i) { subtractRow(m, matrix, i, c, m.load(matrix, {c, i}), i); });
    });
    Value fails = m.both(isWell, m.isNot(isPositive));
    return Values{m.select(fails, m.i32(m.next(c)), carried[0])};
  });
  m.store(first[0], info, {});
  if (!isUpper)
    mirror(m, matrix, /*fromLower=*/false);
  Value zero = m.constant(0.0);
  m.loop(m.index(0), size, [&](Value i) {
    if (isUpper)
      m.loop(m.index(0), i, [&](Value j) { m.store(zero, matrix, {i, j}); });
    else
      m.loop(m.next(i), size, [&](Value j) { m.store(zero, matrix, {i, j}); });
  });
}

/// A row of the solution after the other: its columns stay in registers while the rows that are
/// known are taken away.
void emitTriangularSolve(MatrixBuilder &m) {
  Value triangle = m.inputs[0], matrix = m.outputs[0];
  Value size = m.size(triangle, 0), width = m.size(matrix, 1);
  bool isUpper = m.op.getUpper(), isUnit = m.op.getUnit();
  auto row = [&](Value i) {
    Value diagonal = isUnit ? Value() : m.load(triangle, {i, i});
    Value from = isUpper ? m.next(i) : m.index(0), to = isUpper ? size : i;
    m.columns(m.index(0), width, 4, [&](const Lanes &at) {
      Values rest =
          m.loop(from, to, m.load(matrix, i, at), [&](Value k, ValueRange carried) -> Values {
            Value product = m.mul(m.load(matrix, k, at), m.load(triangle, {i, k}));
            return {m.sub(carried[0], product)};
          });
      m.store(isUnit ? rest[0] : m.div(rest[0], diagonal), matrix, i, at);
    });
  };
  if (isUpper)
    m.loopDown(size, row);
  else
    m.loop(m.index(0), size, row);
}

} // namespace torchlite
