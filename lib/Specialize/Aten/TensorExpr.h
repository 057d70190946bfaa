//===- TensorExpr.h - Core operations written as formulas -------*- C++ -*-===//
//
// A tensor value in a rule, with arithmetic operators that build core operations: a rule for an
// activation reads as its formula. Operands have one element type; a C++ number stands for a 0-dim
// constant of that type. Once the context has failed nothing more is built and results are null.
//
//   Expr x = floatOperand(ctx, 0);
//   return done(ctx, (x * sigmoid(x)).cast(type));
//
// f16 and bf16: an operator computes in f32 and rounds once, at its end, as most kernels of PyTorch
// do
// ("opmath"). A core operation does that for itself, so a rule of one operation needs no care; a
// formula starts from operands of `computeType` and ends in a cast.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_TENSOREXPR_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_TENSOREXPR_H

#include "TorchLite/Specialize/Rules.h"
#include "mlir/IR/TypeUtilities.h"

namespace torchlite::tl::specialize {

class Expr {
public:
  Expr(RuleContext &ctx, mlir::Value value) : context(&ctx), tensor(value) {}

  RuleContext &ctx() const { return *context; }
  mlir::Value value() const { return tensor; }
  mlir::Type elementType() const { return mlir::getElementTypeOrSelf(tensor); }
  bool isNull() const { return !tensor || context->failed(); }
  /// A 0-dim constant of the same element type.
  Expr constant(double number) const {
    return isNull() ? Expr(*context, {})
                    : Expr(*context, context->constantTensor(number, elementType()));
  }
  Expr cast(mlir::Type type) const {
    return isNull() ? Expr(*context, {}) : Expr(*context, context->cast(tensor, type));
  }

private:
  RuleContext *context;
  mlir::Value tensor;
};

/// Ends a rule: its result, or failure if anything on the way has failed.
inline mlir::FailureOr<mlir::Value> done(RuleContext &ctx, mlir::Value value) {
  if (ctx.failed() || !value)
    return mlir::failure();
  return value;
}
inline mlir::FailureOr<mlir::Value> done(RuleContext &ctx, const Expr &expr) {
  return done(ctx, expr.value());
}

template <typename OpTy> Expr applyUnary(const Expr &x) {
  if (x.isNull())
    return Expr(x.ctx(), {});
  return Expr(x.ctx(), OpTy::create(x.ctx().b, x.ctx().loc, x.value()));
}
template <typename OpTy> Expr applyBinary(const Expr &a, const Expr &b) {
  if (a.isNull() || b.isNull())
    return Expr(a.ctx(), {});
  return Expr(a.ctx(), a.ctx().binary<OpTy>(a.value(), b.value()));
}

#define TORCHLITE_EXPR_BINARY(function, OpTy)                                                      \
  inline Expr function(const Expr &a, const Expr &b) { return applyBinary<OpTy>(a, b); }           \
  inline Expr function(const Expr &a, double b) { return applyBinary<OpTy>(a, a.constant(b)); }    \
  inline Expr function(double a, const Expr &b) { return applyBinary<OpTy>(b.constant(a), b); }
TORCHLITE_EXPR_BINARY(operator+, AddOp)
TORCHLITE_EXPR_BINARY(operator-, SubOp)
TORCHLITE_EXPR_BINARY(operator*, MulOp)
TORCHLITE_EXPR_BINARY(operator/, DivOp)
TORCHLITE_EXPR_BINARY(maximum, MaximumOp)
TORCHLITE_EXPR_BINARY(minimum, MinimumOp)
TORCHLITE_EXPR_BINARY(power, PowOp)
TORCHLITE_EXPR_BINARY(copysign, CopysignOp)
TORCHLITE_EXPR_BINARY(floorDivide, FloorDivOp)
TORCHLITE_EXPR_BINARY(remainder, RemainderOp)
#undef TORCHLITE_EXPR_BINARY

inline Expr operator-(const Expr &x) { return applyUnary<NegOp>(x); }
/// Logical operators, on i1.
inline Expr operator&&(const Expr &a, const Expr &b) { return applyBinary<AndOp>(a, b); }
inline Expr operator||(const Expr &a, const Expr &b) { return applyBinary<OrOp>(a, b); }
inline Expr operator!(const Expr &x) { return applyUnary<BitwiseNotOp>(x); }

inline Expr compare(ComparePredicate predicate, const Expr &a, const Expr &b) {
  RuleContext &ctx = a.ctx();
  if (a.isNull() || b.isNull())
    return Expr(ctx, {});
  mlir::Value lhs = a.value(), rhs = b.value();
  if (!ctx.requireBroadcast(lhs, rhs))
    return Expr(ctx, {});
  return Expr(ctx, CompareOp::create(ctx.b, ctx.loc, predicate, lhs, rhs));
}
#define TORCHLITE_EXPR_COMPARE(op, predicate)                                                      \
  inline Expr operator op(const Expr &a, const Expr &b) {                                          \
    return compare(ComparePredicate::predicate, a, b);                                             \
  }                                                                                                \
  inline Expr operator op(const Expr &a, double b) {                                               \
    return compare(ComparePredicate::predicate, a, a.constant(b));                                 \
  }
TORCHLITE_EXPR_COMPARE(==, EQ)
TORCHLITE_EXPR_COMPARE(!=, NE)
TORCHLITE_EXPR_COMPARE(<, LT)
TORCHLITE_EXPR_COMPARE(<=, LE)
TORCHLITE_EXPR_COMPARE(>, GT)
TORCHLITE_EXPR_COMPARE(>=, GE)
#undef TORCHLITE_EXPR_COMPARE

#define TORCHLITE_EXPR_UNARY(function, OpTy)                                                       \
  inline Expr function(const Expr &x) { return applyUnary<OpTy>(x); }
TORCHLITE_EXPR_UNARY(exp, ExpOp)
TORCHLITE_EXPR_UNARY(exp2, Exp2Op)
TORCHLITE_EXPR_UNARY(expm1, Expm1Op)
TORCHLITE_EXPR_UNARY(log, LogOp)
TORCHLITE_EXPR_UNARY(log1p, Log1pOp)
TORCHLITE_EXPR_UNARY(sqrt, SqrtOp)
TORCHLITE_EXPR_UNARY(rsqrt, RsqrtOp)
TORCHLITE_EXPR_UNARY(sin, SinOp)
TORCHLITE_EXPR_UNARY(cos, CosOp)
TORCHLITE_EXPR_UNARY(tan, TanOp)
TORCHLITE_EXPR_UNARY(tanh, TanhOp)
TORCHLITE_EXPR_UNARY(erf, ErfOp)
TORCHLITE_EXPR_UNARY(erfc, ErfcOp)
TORCHLITE_EXPR_UNARY(sigmoid, SigmoidOp)
TORCHLITE_EXPR_UNARY(abs, AbsOp)
TORCHLITE_EXPR_UNARY(sign, SignOp)
TORCHLITE_EXPR_UNARY(floor, FloorOp)
TORCHLITE_EXPR_UNARY(ceil, CeilOp)
TORCHLITE_EXPR_UNARY(round, RoundOp)
TORCHLITE_EXPR_UNARY(trunc, TruncOp)
/// Predicates, to i1.
TORCHLITE_EXPR_UNARY(isnan, IsNanOp)
TORCHLITE_EXPR_UNARY(isinf, IsInfOp)
#undef TORCHLITE_EXPR_UNARY

/// Elements of `a` where `condition` (i1) holds, of `b` elsewhere.
inline Expr where(const Expr &condition, const Expr &a, const Expr &b) {
  RuleContext &ctx = condition.ctx();
  if (condition.isNull() || a.isNull() || b.isNull())
    return Expr(ctx, {});
  mlir::Value operands[] = {condition.value(), a.value(), b.value()};
  if (!ctx.requireBroadcast(operands))
    return Expr(ctx, {});
  return Expr(ctx, WhereOp::create(ctx.b, ctx.loc, operands[0], operands[1], operands[2]));
}
inline Expr where(const Expr &condition, double a, const Expr &b) {
  return where(condition, b.constant(a), b);
}
inline Expr where(const Expr &condition, const Expr &a, double b) {
  return where(condition, a, a.constant(b));
}

/// Reduces along `dims`, which may be empty: then the operand itself.
inline Expr reduce(ReduceKind kind, const Expr &x, llvm::ArrayRef<int64_t> dims, bool keepdim) {
  if (x.isNull())
    return Expr(x.ctx(), {});
  return Expr(x.ctx(), ReduceOp::create(x.ctx().b, x.ctx().loc, kind, x.value(), dims, keepdim));
}
inline Expr sum(const Expr &x, llvm::ArrayRef<int64_t> dims, bool keepdim) {
  return reduce(ReduceKind::Sum, x, dims, keepdim);
}

/// The type in which PyTorch computes floats of a type: f32 for f16 and bf16.
inline mlir::Type computeType(mlir::Type type) {
  return type.isF16() || type.isBF16() ? mlir::Type(mlir::Float32Type::get(type.getContext()))
                                       : type;
}

/// An operand in the type in which PyTorch computes a result of `type`. Tensors are first rounded
/// to `type` (as its type promotion does), numbers and 0-dim tensors are not: its kernels take them
/// as parameters of the type in which they compute.
inline Expr computeOperand(RuleContext &ctx, unsigned i, mlir::Type type) {
  bool isParameter = !ctx.isTensor(i) || ctx.tensorType(i).getRank() == 0;
  return Expr(ctx, ctx.operandAs(i, isParameter ? computeType(type) : type))
      .cast(computeType(type));
}

/// A float operand in the type in which PyTorch computes; fails for anything but a float.
inline Expr floatOperand(RuleContext &ctx, unsigned i) {
  mlir::Value value = ctx.tensor(i);
  mlir::Type type = mlir::getElementTypeOrSelf(value);
  if (!ctx.failed() && !isFloat(type))
    (void)ctx.fail(llvm::Twine(ctx.name()) + ": not implemented for '" + dtypeName(type) + "'");
  return Expr(ctx, value).cast(isFloat(type) ? computeType(type) : type);
}

/// Fails unless the type is real: complex tensors have no core operations yet.
inline bool requireReal(RuleContext &ctx, mlir::Type type) {
  if (!isComplex(type))
    return true;
  (void)ctx.fail(llvm::Twine(ctx.name()) + ": complex tensors are not supported");
  return false;
}
/// Fails for bool and complex.
inline bool requireNumber(RuleContext &ctx, mlir::Type type) {
  if (!requireReal(ctx, type))
    return false;
  if (!isBool(type))
    return true;
  (void)ctx.fail(llvm::Twine(ctx.name()) + ": not implemented for 'Bool'");
  return false;
}

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_TENSOREXPR_H
