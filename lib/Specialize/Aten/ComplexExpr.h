//===- ComplexExpr.h - Formulas of complex numbers --------------*- C++ -*-===//
//
// Core operations are those of real numbers: a rule computes on the parts.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_COMPLEXEXPR_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_COMPLEXEXPR_H

#include "TensorExpr.h"

namespace torchlite::tl::specialize {

/// The type of the parts of a complex type.
inline mlir::Type partType(mlir::Type type) {
  auto complex = llvm::dyn_cast<mlir::ComplexType>(type);
  return complex ? complex.getElementType() : type;
}

/// The complex type in which PyTorch puts a type: complex128 of f64, complex64 of other real ones.
inline mlir::Type complexType(mlir::Type type) {
  if (isComplex(type))
    return type;
  return mlir::ComplexType::get(
      type.isF64() ? type : mlir::Type(mlir::Float32Type::get(type.getContext())));
}

/// The parts of complex numbers.
struct Complex {
  Expr re, im;

  bool isNull() const { return re.isNull() || im.isNull(); }
  /// In parts of a float type.
  Complex cast(mlir::Type part) const { return {re.cast(part), im.cast(part)}; }
  /// As a tensor of complex numbers.
  mlir::Value value() const {
    if (isNull())
      return {};
    RuleContext &ctx = re.ctx();
    mlir::Value parts[] = {re.value(), im.value()};
    if (!ctx.requireBroadcast(parts[0], parts[1]))
      return {};
    return ComplexOp::create(ctx.b, ctx.loc, parts[0], parts[1]);
  }
};

/// The parts of a tensor; a real one's imaginary part is one 0.
inline Complex partsOf(RuleContext &ctx, mlir::Value tensor) {
  Expr none(ctx, {});
  if (ctx.failed() || !tensor)
    return {none, none};
  if (isComplex(mlir::getElementTypeOrSelf(tensor)))
    return {Expr(ctx, RealOp::create(ctx.b, ctx.loc, tensor)),
            Expr(ctx, ImagOp::create(ctx.b, ctx.loc, tensor))};
  Expr re(ctx, tensor);
  return {re, re.constant(0.0)};
}

/// `[..., 2]`, the parts last, and back.
mlir::Value asReal(RuleContext &ctx, mlir::Value tensor);
mlir::Value asComplex(RuleContext &ctx, mlir::Value tensor);

/// The parts of an operand, a tensor or a number, in parts of a float type.
inline Complex complexOperand(RuleContext &ctx, unsigned i, mlir::Type part) {
  if (ctx.isTensor(i) && isComplex(ctx.tensorType(i).getElementType()))
    return partsOf(ctx, ctx.tensor(i)).cast(part);
  Expr re(ctx, ctx.operandAs(i, part));
  return {re, re.constant(0.0)};
}

/// Ends a rule: a tensor of complex numbers with parts of a type.
inline mlir::FailureOr<mlir::Value> done(RuleContext &ctx, const Complex &x, mlir::Type part) {
  return done(ctx, x.cast(part).value());
}

inline Complex operator+(const Complex &x, const Complex &y) { return {x.re + y.re, x.im + y.im}; }
inline Complex operator-(const Complex &x, const Complex &y) { return {x.re - y.re, x.im - y.im}; }
inline Complex operator-(const Complex &x) { return {-x.re, -x.im}; }
inline Complex operator*(const Complex &x, const Complex &y) {
  return {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
}
inline Complex operator*(const Complex &x, const Expr &y) { return {x.re * y, x.im * y}; }
inline Complex conj(const Complex &x) { return {x.re, -x.im}; }
/// i x
inline Complex timesI(const Complex &x) { return {-x.im, x.re}; }
inline Complex swapped(const Complex &x) { return {x.im, x.re}; }

/// As PyTorch's kernels divide: scaled by the larger part of the divisor.
Complex operator/(const Complex &x, const Complex &y);
/// Without overflow on the way.
Expr abs(const Complex &x);
Expr angle(const Complex &x);
/// r e^(i phi)
Complex polar(const Expr &r, const Expr &phi);
Complex exp(const Complex &x);
Complex log(const Complex &x);
Complex sqrt(const Complex &x);
/// e^(y log x), at 0 by its limit.
Complex pow(const Complex &x, const Complex &y);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_COMPLEXEXPR_H
