//===- MatrixFourier.cpp - Fourier transforms of any length ---------------===//
//
// Stockham's algorithm with factors 4, 2, 3, 5 and any others: it needs no reordering, but memory
// of the same size, between which and the matrix each step goes back and forth. Columns are
// transforms by themselves, so that vectors of them need no shuffles. Source: Van Loan,
// "Computational Frameworks for the Fast Fourier Transform", chapters 1 and 2.
//
// A step splits transforms of `length` rows, of which `stride` are interleaved, into as many
// transforms as its radix, each of `rest` = length / radix rows.
//
//===----------------------------------------------------------------------===//
#include "MatrixBuilder.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torchlite {

namespace {
struct Number {
  Value re, im;
};

/// The buffers between which a step goes. With an offset they hold only the columns that are
/// computed at a time, one row after the other: rows that lie far apart would not stay in the
/// cache.
struct Buffers {
  Value re, im;
  Value offset;
};

class Fourier {
public:
  Fourier(MatrixBuilder &m, const Lanes &at, const Buffers &flat)
      : m(m), at(at), flat(flat), table(m.inputs[0]), rows(m.size(m.outputs[0], 0)) {}

  void transform(int64_t knownRows) {
    if (ShapedType::isDynamic(knownRows))
      transformAny();
    else
      transformKnown(knownRows);
  }

private:
  struct Step {
    Value stride, rest;
    Buffers from, to;
    bool isLast = false; ///< known to be: all rotations are by nothing
  };

  Buffers matrix() { return {m.outputs[0], m.outputs[1]}; }
  Buffers other() { return {m.outputs[2], m.outputs[3]}; }

  void transformKnown(int64_t length);
  void transformAny();
  Value factorOfAny(Value length);
  void stepOfAny(Value radix, const Step &step);
  void copy(const Buffers &from, Value count);
  /// Where the first and the second of two steps go.
  std::pair<Buffers, Buffers> between(Value length);

  void step(int64_t radix, const Step &step);
  void stepOfPrime(Value radix, const Step &step);
  SmallVector<Number> butterfly(ArrayRef<Number> x);
  SmallVector<Number> butterfly3(ArrayRef<Number> x);
  SmallVector<Number> butterfly4(ArrayRef<Number> x);
  SmallVector<Number> butterfly5(ArrayRef<Number> x);

  Value flatPlace(const Buffers &buffers, Value row) {
    return m.add(buffers.offset, m.mul(row, m.index(m.getLanes())));
  }
  Number load(const Buffers &buffers, Value row) {
    if (buffers.offset) {
      Value place = flatPlace(buffers, row);
      return {m.loadFlat(buffers.re, place), m.loadFlat(buffers.im, place)};
    }
    return {m.load(buffers.re, row, at), m.load(buffers.im, row, at)};
  }
  void store(Number x, const Buffers &buffers, Value row) {
    if (buffers.offset) {
      Value place = flatPlace(buffers, row);
      m.storeFlat(x.re, buffers.re, place);
      m.storeFlat(x.im, buffers.im, place);
      return;
    }
    m.store(x.re, buffers.re, row, at);
    m.store(x.im, buffers.im, row, at);
  }
  /// e^(-2 pi i k / rows)
  Number root(Value k) {
    return {m.loadShared(table, {m.index(0), k}), m.loadShared(table, {m.index(1), k})};
  }
  Number add(Number x, Number y) { return {m.add(x.re, y.re), m.add(x.im, y.im)}; }
  Number sub(Number x, Number y) { return {m.sub(x.re, y.re), m.sub(x.im, y.im)}; }
  Number mul(Number x, Number y) {
    return {m.sub(m.mul(x.re, y.re), m.mul(x.im, y.im)),
            m.add(m.mul(x.re, y.im), m.mul(x.im, y.re))};
  }
  Number scale(Number x, double factor) {
    Value value = m.constant(factor);
    return {m.mul(x.re, value), m.mul(x.im, value)};
  }
  /// x - i y and x + i y
  Number minusI(Number x, Number y) { return {m.add(x.re, y.im), m.sub(x.im, y.re)}; }
  Number plusI(Number x, Number y) { return {m.sub(x.re, y.im), m.add(x.im, y.re)}; }

  MatrixBuilder &m;
  const Lanes &at;
  Buffers flat; ///< null where there is none
  Value table, rows;
};
} // namespace

//===----------------------------------------------------------------------===//
// Transforms of a few rows
//===----------------------------------------------------------------------===//

SmallVector<Number> Fourier::butterfly3(ArrayRef<Number> x) {
  Number sum = add(x[1], x[2]);
  Number middle = sub(x[0], scale(sum, 0.5));
  Number side = scale(sub(x[1], x[2]), llvm::numbers::sqrt3 / 2);
  return {add(x[0], sum), minusI(middle, side), plusI(middle, side)};
}

SmallVector<Number> Fourier::butterfly4(ArrayRef<Number> x) {
  Number a = add(x[0], x[2]), b = sub(x[0], x[2]), c = add(x[1], x[3]), d = sub(x[1], x[3]);
  return {add(a, c), minusI(b, d), sub(a, c), plusI(b, d)};
}

SmallVector<Number> Fourier::butterfly5(ArrayRef<Number> x) {
  constexpr double cos1 = 0.30901699437494742410, cos2 = -0.80901699437494742410,
                   sin1 = 0.95105651629515357212, sin2 = 0.58778525229247312917;
  Number a = add(x[1], x[4]), b = add(x[2], x[3]), c = sub(x[1], x[4]), d = sub(x[2], x[3]);
  Number m1 = add(x[0], add(scale(a, cos1), scale(b, cos2)));
  Number m2 = add(x[0], add(scale(a, cos2), scale(b, cos1)));
  Number n1 = add(scale(c, sin1), scale(d, sin2));
  Number n2 = sub(scale(c, sin2), scale(d, sin1));
  return {add(x[0], add(a, b)), minusI(m1, n1), minusI(m2, n2), plusI(m2, n2), plusI(m1, n1)};
}

SmallVector<Number> Fourier::butterfly(ArrayRef<Number> x) {
  switch (x.size()) {
  case 2:
    return {add(x[0], x[1]), sub(x[0], x[1])};
  case 3:
    return butterfly3(x);
  case 4:
    return butterfly4(x);
  default:
    return butterfly5(x);
  }
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

void Fourier::step(int64_t radix, const Step &step) {
  m.loop(m.index(0), step.rest, [&](Value k) {
    SmallVector<Number> turns;
    Value turn = m.mul(k, step.stride);
    for (int64_t t = 1; t < radix && !step.isLast; ++t)
      turns.push_back(root(m.mul(turn, m.index(t))));
    Value first = m.mul(k, step.stride), distance = m.mul(step.rest, step.stride);
    Value target = m.mul(first, m.index(radix));
    m.loop(m.index(0), step.stride, [&](Value q) {
      SmallVector<Number> x;
      Value row = m.add(first, q);
      for (int64_t j = 0; j < radix; ++j, row = m.add(row, distance))
        x.push_back(load(step.from, row));
      row = m.add(target, q);
      for (auto [t, y] : llvm::enumerate(butterfly(x))) {
        store(t && !step.isLast ? mul(y, turns[t - 1]) : y, step.to, row);
        row = m.add(row, step.stride);
      }
    });
  });
}

/// The sums as they stand, in f64: a radix may be large.
void Fourier::stepOfPrime(Value radix, const Step &step) {
  Value distance = m.mul(step.rest, step.stride), zero = m.index(0);
  auto sum = [&](Value row, Value t) -> Number {
    Value advance = m.mul(t, m.quotient(rows, radix));
    Number first = load(step.from, row);
    Values carried = {m.widen(first.re), m.widen(first.im), advance, m.add(row, distance)};
    Values sums = m.loop(m.index(1), radix, carried, [&](Value, ValueRange before) {
      Number x = load(step.from, before[3]), w = root(before[2]);
      Number term = mul({m.widen(x.re), m.widen(x.im)}, {m.widen(w.re), m.widen(w.im)});
      Value place = m.add(before[2], advance);
      place = m.select(m.isLess(place, rows), place, m.sub(place, rows));
      return Values{m.add(before[0], term.re), m.add(before[1], term.im), place,
                    m.add(before[3], distance)};
    });
    return {m.narrow(sums[0]), m.narrow(sums[1])};
  };
  m.loop(zero, step.rest, [&](Value k) {
    Value turn = m.mul(k, step.stride);
    m.loop(zero, radix, [&](Value t) {
      Number w = root(m.mul(turn, t));
      Value target = m.mul(m.add(m.mul(k, radix), t), step.stride);
      m.loop(zero, step.stride, [&](Value q) {
        Number y = sum(m.add(turn, q), t);
        store(step.isLast ? y : mul(y, w), step.to, m.add(target, q));
      });
    });
  });
}

/// Back from the other buffers.
void Fourier::copy(const Buffers &from, Value count) {
  m.loop(m.index(0), count, [&](Value row) { store(load(from, row), matrix(), row); });
}

//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

/// 4, 2, 3, 5 or the smallest prime that divides a length above 1.
static int64_t factorOf(int64_t length) {
  for (int64_t small : {4, 2, 3, 5})
    if (length % small == 0)
      return small;
  for (int64_t prime = 7; prime * prime <= length; prime += 2)
    if (length % prime == 0)
      return prime;
  return length;
}

std::pair<Buffers, Buffers> Fourier::between(Value length) {
  if (!flat.re)
    return {other(), matrix()};
  Value second = m.mul(length, m.index(m.getLanes()));
  return {{flat.re, flat.im, m.index(0)}, {flat.re, flat.im, second}};
}

void Fourier::transformKnown(int64_t length) {
  if (length == 1)
    return;
  Value count = m.index(length);
  auto [to, next] = between(count);
  Buffers from = matrix();
  bool isBack = false;
  for (int64_t stride = 1; length > 1;) {
    int64_t radix = factorOf(length);
    length /= radix;
    // From other buffers the last step goes back.
    if (length == 1 && from.offset)
      to = matrix();
    Step step = {m.index(stride), m.index(length), from, to, length == 1};
    if (radix <= 5)
      this->step(radix, step);
    else
      stepOfPrime(m.index(radix), step);
    stride *= radix;
    from = to;
    std::swap(to, next);
    isBack = from.re == m.outputs[0];
  }
  if (!isBack)
    copy(from, count);
}

/// The same at run time; 1 of 1.
Value Fourier::factorOfAny(Value length) {
  auto divides = [&](Value factor) { return m.areEqual(m.modulo(length, factor), m.index(0)); };
  // The first of 7, 9, 11, ... whose square is larger, or which divides.
  Values prime = m.loopWhile(
      m.index(7),
      [&](ValueRange carried) {
        Value isSmall = m.isNot(m.isLess(length, m.mul(carried[0], carried[0])));
        return m.both(isSmall, m.isNot(divides(carried[0])));
      },
      [&](ValueRange carried) { return Values{m.add(carried[0], m.index(2))}; });
  Value factor = m.select(divides(prime[0]), prime[0], length);
  for (int64_t small : {5, 3, 2, 4})
    factor = m.select(divides(m.index(small)), m.index(small), factor);
  return factor;
}

void Fourier::stepOfAny(Value radix, const Step &any) {
  for (int64_t small : {4, 2, 3, 5})
    m.when(m.areEqual(radix, m.index(small)), [&] { step(small, any); });
  m.when(m.isLess(m.index(5), radix), [&] { stepOfPrime(radix, any); });
}

/// Steps by twos, from the matrix to the other buffers and back.
void Fourier::transformAny() {
  Value one = m.index(1);
  m.loopWhile(
      {one, rows}, [&](ValueRange carried) { return m.isLess(one, carried[1]); },
      [&](ValueRange carried) {
        Value stride = carried[0], radix = factorOfAny(carried[1]);
        Value rest = m.quotient(carried[1], radix);
        stepOfAny(radix, {stride, rest, matrix(), other()});
        stride = m.mul(stride, radix);
        radix = factorOfAny(rest);
        m.when(m.areEqual(radix, one), [&] { copy(other(), rows); });
        rest = m.quotient(rest, radix);
        stepOfAny(radix, {stride, rest, other(), matrix()});
        return Values{m.mul(stride, radix), rest};
      });
}

/// The other buffers as those of the columns that are computed at a time, if they hold two.
static Buffers flatBuffers(MatrixBuilder &m) {
  ArrayRef<int64_t> shape = cast<MemRefType>(m.outputs[0].getType()).getShape();
  if (m.getLanes() == 1 || ShapedType::isDynamic(shape[1]) || shape[2] < 2 * m.getLanes())
    return {};
  Buffers flat = {m.flatten(m.outputs[2]), m.flatten(m.outputs[3]), {}};
  return flat.re && flat.im ? flat : Buffers();
}

void emitFourier(MatrixBuilder &m) {
  Value matrix = m.outputs[0];
  int64_t rows = cast<MemRefType>(matrix.getType()).getDimSize(1);
  Buffers flat = flatBuffers(m);
  m.columns(m.index(0), m.size(matrix, 1), 1,
            [&](const Lanes &at) { Fourier(m, at, flat).transform(rows); });
}

} // namespace torchlite
