//===- MatrixRotations.cpp - Reflections and rotations --------------------===//
#include "MatrixBuilder.h"

using namespace mlir;

namespace torchlite {

//===----------------------------------------------------------------------===//
// Reflections
//===----------------------------------------------------------------------===//

/// Replaces C by (I - scale v v^T) C in columns from `first` on, where v is 1 in row `c` and has
/// column `c` of `vectors` below.
static void reflect(MatrixBuilder &m, Value vectors, Value c, Value scale, Value matrix,
                    Value first) {
  Value rows = m.size(matrix, 0);
  m.columns(first, m.size(matrix, 1), 4, [&](const Lanes &at) {
    Values product =
        m.loop(m.next(c), rows, m.load(matrix, c, at), [&](Value i, ValueRange carried) -> Values {
          return {m.add(carried[0], m.mul(m.load(matrix, i, at), m.load(vectors, {i, c})))};
        });
    Value scaled = m.mul(product[0], scale);
    m.store(m.sub(m.load(matrix, c, at), scaled), matrix, c, at);
    m.loop(m.next(c), rows, [&](Value i) {
      Value change = m.mul(scaled, m.load(vectors, {i, c}));
      m.store(m.sub(m.load(matrix, i, at), change), matrix, i, at);
    });
  });
}

/// The greatest magnitude in column `c` below row `c`.
static Value greatestBelow(MatrixBuilder &m, Value matrix, Value c) {
  return m.loop(m.next(c), m.size(matrix, 0), m.constant(0.0), [&](Value i, ValueRange carried) {
    return Values{m.larger(carried[0], m.abs(m.load(matrix, {i, c})))};
  })[0];
}

/// The length of `first`, followed by what stands below row `c` in units of `unit`.
static Value lengthBelow(MatrixBuilder &m, Value matrix, Value c, Value first, Value unit) {
  Value start = m.mul(first, first);
  return m.sqrt(m.loop(m.next(c), m.size(matrix, 0), start, [&](Value i, ValueRange carried) {
    Value value = m.div(m.load(matrix, {i, c}), unit);
    return Values{m.add(carried[0], m.mul(value, value))};
  })[0]);
}

/// LAPACK's larfg for each column, whose reflection is applied to the columns right of it. All is
/// relative to the greatest element of the column: nothing overflows, and what is left of a column
/// that depends on others, a denormal number maybe, still gives an orthogonal reflection.
void emitHouseholder(MatrixBuilder &m) {
  Value matrix = m.outputs[0], scales = m.outputs[1];
  Value rows = m.size(matrix, 0);
  Value steps = m.smaller(rows, m.size(matrix, 1));
  m.loop(m.index(0), steps, [&](Value c) {
    Value greatest = greatestBelow(m, matrix, c);
    m.store(m.constant(0.0), scales, c);
    m.when(m.isNot(m.isZero(greatest)), [&] {
      Value own = m.load(matrix, {c, c}), unit = m.larger(greatest, m.abs(own));
      Value alpha = m.div(own, unit);
      Value beta = m.negate(m.copysign(lengthBelow(m, matrix, c, alpha, unit), alpha));
      Value scale = m.div(m.sub(beta, alpha), beta), difference = m.sub(alpha, beta);
      m.loop(m.next(c), rows, [&](Value i) {
        m.store(m.div(m.div(m.load(matrix, {i, c}), unit), difference), matrix, {i, c});
      });
      m.store(m.mul(beta, unit), matrix, {c, c});
      m.store(scale, scales, c);
      reflect(m, matrix, c, scale, matrix, m.next(c));
    });
  });
}

void emitReflect(MatrixBuilder &m) {
  Value vectors = m.inputs[0], scales = m.inputs[1], matrix = m.outputs[0];
  Value count = m.size(scales, 0);
  auto one = [&](Value c) { reflect(m, vectors, c, m.load(scales, c), matrix, m.index(0)); };
  if (m.op.getReverse())
    m.loop(m.index(0), count, one);
  else
    m.loopDown(count, one);
}

//===----------------------------------------------------------------------===//
// Rotations
//===----------------------------------------------------------------------===//

/// How often all pairs of rows are rotated at most; ten times are many.
constexpr int64_t maxSweeps = 40;

static Value squareOf(MatrixBuilder &m, Value matrix, Value row) {
  return m.sums(m.index(0), m.size(matrix, 1), 1, [&](const Lanes &at) {
    Value value = m.load(matrix, row, at);
    return Values{m.mul(value, value)};
  })[0];
}

/// The greatest square of a row from `first` on, and which row has it.
static Values findLongest(MatrixBuilder &m, Value matrix, Value first) {
  return m.loop(
      first, m.size(matrix, 0), {m.constant(-1.0), first}, [&](Value i, ValueRange carried) {
        Value square = squareOf(m, matrix, i);
        Value takes = m.isGreater(square, carried[0]);
        return Values{m.select(takes, square, carried[0]), m.select(takes, i, carried[1])};
      });
}

static void rotateRows(MatrixBuilder &m, Value matrix, Value p, Value q, Value cosine, Value sine) {
  m.columns(m.index(0), m.size(matrix, 1), 1, [&](const Lanes &at) {
    Value x = m.load(matrix, p, at), y = m.load(matrix, q, at);
    m.store(m.sub(m.mul(x, cosine), m.mul(y, sine)), matrix, p, at);
    m.store(m.add(m.mul(x, sine), m.mul(y, cosine)), matrix, q, at);
  });
}

/// Rotates two rows so that they are orthogonal, unless they are already or one is negligible
/// against `longest`; whether it did.
static Value rotatePair(MatrixBuilder &m, Value p, Value q, Value tolerance, Value negligible) {
  Value matrix = m.outputs[0], rotation = m.outputs[1];
  Values sums = m.sums(m.index(0), m.size(matrix, 1), 3, [&](const Lanes &at) {
    Value x = m.load(matrix, p, at), y = m.load(matrix, q, at);
    return Values{m.mul(x, x), m.mul(y, y), m.mul(x, y)};
  });
  Value bound = m.mul(tolerance, m.sqrt(m.mul(sums[0], sums[1])));
  Value isLong = m.both(m.isGreater(sums[0], negligible), m.isGreater(sums[1], negligible));
  Value rotates = m.both(isLong, m.isGreater(m.abs(sums[2]), bound));
  m.when(rotates, [&] {
    Value one = m.constant(1.0);
    Value zeta = m.div(m.sub(sums[1], sums[0]), m.mul(m.constant(2.0), sums[2]));
    Value root = m.sqrt(m.add(one, m.mul(zeta, zeta)));
    Value tangent = m.div(m.copysign(one, zeta), m.add(m.abs(zeta), root));
    Value cosine = m.div(one, m.sqrt(m.add(one, m.mul(tangent, tangent))));
    Value sine = m.mul(cosine, tangent);
    rotateRows(m, matrix, p, q, cosine, sine);
    rotateRows(m, rotation, p, q, cosine, sine);
  });
  return rotates;
}

static void fillIdentity(MatrixBuilder &m, Value matrix) {
  Value size = m.size(matrix, 0);
  m.loop(m.index(0), size, [&](Value i) {
    m.loop(m.index(0), size, [&](Value j) {
      m.store(m.select(m.areEqual(i, j), m.constant(1.0), m.constant(0.0)), matrix, {i, j});
    });
  });
}

/// Makes the length of row `i` of the rotation 1: what many rotations were rounded has changed it,
/// and that of the matrix's row with it.
static void normalize(MatrixBuilder &m, Value i) {
  Value scale = m.div(m.constant(1.0), m.sqrt(squareOf(m, m.outputs[1], i)));
  for (Value matrix : m.outputs)
    m.columns(m.index(0), m.size(matrix, 1), 1, [&](const Lanes &at) {
      m.store(m.mul(m.load(matrix, i, at), scale), matrix, i, at);
    });
}

void emitOrthogonalize(MatrixBuilder &m) {
  Value matrix = m.outputs[0], rotation = m.outputs[1];
  Value rows = m.size(matrix, 0);
  fillIdentity(m, rotation);
  // As exact as the sums are.
  Value tolerance = m.mul(m.sqrt(m.toElement(m.size(matrix, 1))), m.constant(m.epsilon()));
  Value precision = m.constant(m.epsilon() * m.epsilon());
  m.loop(m.index(0), m.index(maxSweeps), m.flag(true), [&](Value, ValueRange carried) {
    return m.when(carried[0], m.flag(false), [&] {
      Value negligible = m.mul(precision, findLongest(m, matrix, m.index(0))[0]);
      return m.loop(m.index(0), rows, m.flag(false), [&](Value p, ValueRange outer) {
        return m.loop(m.next(p), rows, outer[0], [&](Value q, ValueRange inner) {
          return Values{m.either(inner[0], rotatePair(m, p, q, tolerance, negligible))};
        });
      });
    });
  });
  m.loop(m.index(0), rows, [&](Value i) { normalize(m, i); });
  m.loop(m.index(0), rows, [&](Value i) {
    Value longest = findLongest(m, matrix, i)[1];
    m.when(m.isNot(m.areEqual(longest, i)), [&] {
      m.swapRows(matrix, i, longest);
      m.swapRows(rotation, i, longest);
    });
  });
}

} // namespace torchlite
