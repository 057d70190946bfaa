//===- ComplexExpr.cpp - Formulas of complex numbers ----------------------===//
#include "ComplexExpr.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static constexpr double infinity = std::numeric_limits<double>::infinity();

Value specialize::asReal(RuleContext &ctx, Value tensor) {
  Complex x = partsOf(ctx, tensor);
  if (x.isNull())
    return {};
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  Value parts[] = {ctx.unsqueeze(x.re.value(), rank), ctx.unsqueeze(x.im.value(), rank)};
  return ConcatOp::create(ctx.b, ctx.loc, parts, rank);
}

Value specialize::asComplex(RuleContext &ctx, Value tensor) {
  int64_t last = cast<RankedTensorType>(tensor.getType()).getRank() - 1;
  auto part = [&](int64_t place) -> Expr {
    return {ctx, ctx.squeeze(ctx.slice(tensor, last, ctx.fold(place), ctx.fold(1)), last)};
  };
  return Complex{part(0), part(1)}.value();
}

static bool isDouble(const Expr &x) { return x.elementType().isF64(); }

/// Computes in f64, which rounds f32 once and has no overflow on the way.
template <typename Compute> static auto inDouble(const Complex &x, Compute compute) {
  Type part = x.isNull() ? Type() : x.re.elementType();
  Type f64 = x.isNull() ? Type() : Type(Float64Type::get(part.getContext()));
  return compute(x.isNull() ? x : x.cast(f64)).cast(part);
}

Complex specialize::operator/(const Complex &x, const Complex &y) {
  Expr scale = 1.0 / maximum(abs(y.re), abs(y.im));
  Complex a = x * scale, b = y * scale, product = a * conj(b);
  Expr length = b.re * b.re + b.im * b.im;
  return {product.re / length, product.im / length};
}

Expr specialize::abs(const Complex &x) {
  if (x.isNull())
    return Expr(x.re.ctx(), {});
  Expr a = abs(x.re), b = abs(x.im);
  Expr isInfinite = isinf(a) || isinf(b);
  if (!isDouble(a)) {
    Type part = a.elementType(), f64 = Float64Type::get(part.getContext());
    Expr wide = a.cast(f64), other = b.cast(f64);
    return where(isInfinite, infinity, sqrt(wide * wide + other * other).cast(part));
  }
  Expr large = maximum(a, b), ratio = minimum(a, b) / large;
  Expr length = where(large == 0.0, large, large * sqrt(1.0 + ratio * ratio));
  return where(isInfinite, infinity, length);
}

Expr specialize::angle(const Complex &x) { return applyBinary<Atan2Op>(x.im, x.re); }

Complex specialize::polar(const Expr &r, const Expr &phi) { return {r * cos(phi), r * sin(phi)}; }

Complex specialize::exp(const Complex &x) { return polar(exp(x.re), x.im); }

/// Near 1 the length is no help: log1p(|x|^2 - 1) / 2.
Complex specialize::log(const Complex &x) {
  return inDouble(x, [](const Complex &z) -> Complex {
    Expr a = abs(z.re), b = abs(z.im), large = maximum(a, b), small = minimum(a, b);
    Expr length = abs(z);
    Expr near = log1p((large - 1.0) * (large + 1.0) + small * small) * 0.5;
    Expr isNear = length > 0.5 && length < 2.0;
    return {where(isNear, near, log(length)), angle(z)};
  });
}

Complex specialize::sqrt(const Complex &x) {
  return inDouble(x, [](const Complex &z) -> Complex {
    // Halves, so that the sum does not overflow.
    Expr root = sqrt(abs(z.re) * 0.5 + abs(z) * 0.5);
    Expr other = where(root == 0.0, root, z.im / (root * 2.0));
    Expr isRight = z.re >= 0.0 || isnan(z.re), isFar = isinf(z.im);
    Expr re = where(isRight, root, abs(other));
    Expr im = where(isRight, other, copysign(root, z.im));
    im = where(root == 0.0, z.im, im);
    return {where(isFar, infinity, re), where(isFar, z.im, im)};
  });
}

Complex specialize::pow(const Complex &x, const Complex &y) {
  if (x.isNull() || y.isNull())
    return {x.re, y.re};
  Type f64 = Float64Type::get(x.re.elementType().getContext());
  Complex exponent = y.cast(f64);
  return inDouble(x, [&](const Complex &z) -> Complex {
    Complex power = exp(exponent * log(z));
    Expr isZero = z.re == 0.0 && z.im == 0.0, isReal = exponent.im == 0.0;
    Expr isOne = exponent.re == 0.0 && isReal, vanishes = exponent.re > 0.0 && isReal;
    Expr nan = power.re.constant(std::numeric_limits<double>::quiet_NaN());
    Expr limit = where(isOne, 1.0, where(vanishes, 0.0, nan));
    Expr limitIm = where(isOne || vanishes, 0.0, nan);
    return {where(isZero || isOne, limit, power.re), where(isZero || isOne, limitIm, power.im)};
  });
}
