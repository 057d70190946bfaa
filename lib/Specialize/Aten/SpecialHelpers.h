//===- SpecialHelpers.h - What special functions share ----------*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_SPECIALHELPERS_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_SPECIALHELPERS_H

#include "TensorExpr.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <limits>

namespace torchlite::tl::specialize {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A polynomial, its highest coefficient first.
inline Expr polynomial(const Expr &x, llvm::ArrayRef<double> coefficients) {
  Expr result = x.constant(coefficients.front());
  for (double coefficient : coefficients.drop_front())
    result = result * x + coefficient;
  return result;
}

/// A Chebyshev series in x / 2, the highest term first.
inline Expr chebyshev(const Expr &x, llvm::ArrayRef<double> coefficients) {
  Expr now = x.constant(coefficients.front()), last = x.constant(0.0), before = last;
  for (double coefficient : coefficients.drop_front()) {
    before = last;
    last = now;
    now = x * last - before + coefficient;
  }
  return (now - before) * 0.5;
}

/// The rule of a function of one tensor, in the type in which PyTorch computes: integers in f32.
using UnaryFormula = llvm::function_ref<Expr(const Expr &)>;
inline mlir::FailureOr<mlir::Value> unaryFormula(RuleContext &ctx, UnaryFormula formula) {
  mlir::Type type = ctx.floatResultType({0});
  if (ctx.failed() || !requireReal(ctx, type))
    return mlir::failure();
  Expr x = Expr(ctx, ctx.operandAs(0, type)).cast(computeType(type));
  if (x.isNull())
    return mlir::failure();
  return done(ctx, formula(x).cast(type));
}

/// As `unaryFormula`, computed in f64.
inline mlir::FailureOr<mlir::Value> wideFormula(RuleContext &ctx, UnaryFormula formula) {
  return unaryFormula(ctx, [&](const Expr &x) {
    return formula(x.cast(ctx.b.getF64Type())).cast(x.elementType());
  });
}

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_SPECIALHELPERS_H
