//===- Complex.cpp - Rules of operators on complex tensors ----------------===//
//
// A rule of real numbers keeps its name: what is registered here is asked first, and takes the
// operands of which one is complex.

#include "../Interpreter/Walker.h"
#include "ComplexExpr.h"
#include "Families.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static bool isComplexTensor(const SpecValue &value) {
  return value.isTensor() && isComplex(value.getTensor().type.getElementType());
}

static bool isListOfComplex(RuleContext &ctx, const SpecValue &value) {
  return value.is(ValueKind::List) &&
         llvm::any_of(ctx.getWalker().cell(value.getCell()).elements, isComplexTensor);
}

static bool hasComplexOperand(RuleContext &ctx) {
  for (unsigned i = 0; i < ctx.size(); ++i)
    if (isComplexTensor(ctx.operand(i)) || isListOfComplex(ctx, ctx.operand(i)))
      return true;
  return false;
}

/// The type of the parts in which the first two operands meet.
static Type commonPart(RuleContext &ctx) { return partType(ctx.resultType({0, 1})); }

static Complex self(RuleContext &ctx) { return partsOf(ctx, ctx.tensor(0)); }

/// c64 by way of c128: rounded once, and without overflow on the way.
template <typename Compute> static FailureOr<Value> wide(RuleContext &ctx, Compute compute) {
  Complex x = self(ctx);
  if (x.isNull())
    return failure();
  Type part = x.re.elementType();
  return done(ctx, compute(x.cast(ctx.b.getF64Type())), part);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// add, sub and rsub (self, other, alpha).
template <bool isSub, unsigned first> static FailureOr<Value> sumRule(RuleContext &ctx) {
  Type part = commonPart(ctx);
  Complex x = complexOperand(ctx, first, part), y = complexOperand(ctx, 1 - first, part);
  if (ctx.size() > 2 && ctx.knownFloat(2) != 1.0)
    y = complexOperand(ctx, 2, part) * y;
  return done(ctx, isSub ? x - y : x + y, part);
}

static FailureOr<Value> mulRule(RuleContext &ctx) {
  Type part = commonPart(ctx);
  return done(ctx, complexOperand(ctx, 0, part) * complexOperand(ctx, 1, part), part);
}

static FailureOr<Value> divRule(RuleContext &ctx) {
  Type part = commonPart(ctx);
  if (!ctx.isNone(2))
    return ctx.raise("div with a rounding mode is not implemented for complex numbers");
  return done(ctx, complexOperand(ctx, 0, part) / complexOperand(ctx, 1, part), part);
}

static Complex inverse(const Complex &x) {
  return Complex{x.re.constant(1.0), x.re.constant(0.0)} / x;
}

static FailureOr<Value> reciprocal(RuleContext &ctx) {
  Complex x = self(ctx);
  if (x.isNull())
    return failure();
  return done(ctx, inverse(x), x.re.elementType());
}

/// pow (base, exponent), with PyTorch's short ways for common exponents.
static FailureOr<Value> powRule(RuleContext &ctx) {
  Type part = commonPart(ctx);
  Complex x = complexOperand(ctx, 0, part), y = complexOperand(ctx, 1, part);
  std::optional<double> exponent = ctx.knownFloat(1);
  if (ctx.failed())
    return failure();
  if (exponent == 0.0)
    return done(ctx, ctx.full(ctx.sizes(x.re.value()), 1.0, ComplexType::get(part)));
  if (exponent == 0.5)
    return done(ctx, sqrt(x), part);
  if (exponent == 1.0)
    return done(ctx, x, part);
  if (exponent == 2.0)
    return done(ctx, x * x, part);
  if (exponent == 3.0)
    return done(ctx, x * x * x, part);
  if (exponent == -1.0)
    return done(ctx, inverse(x), part);
  if (exponent == -2.0)
    return done(ctx, inverse(x * x), part);
  return done(ctx, pow(x, y), part);
}

/// addcmul, addcdiv (self, tensor1, tensor2, value).
template <bool isDiv> static FailureOr<Value> addProduct(RuleContext &ctx) {
  Type part = partType(ctx.resultType({0, 1, 2}));
  Complex x = complexOperand(ctx, 0, part), a = complexOperand(ctx, 1, part),
          b = complexOperand(ctx, 2, part);
  if (ctx.knownFloat(3) != 1.0)
    a = complexOperand(ctx, 3, part) * a;
  if (ctx.failed())
    return failure();
  return done(ctx, x + (isDiv ? a / b : a * b), part);
}

/// lerp.Scalar, lerp.Tensor (self, end, weight): from the nearer end, as PyTorch does.
static FailureOr<Value> lerpRule(RuleContext &ctx) {
  Type type = ctx.tensorType(0).getElementType(), part = partType(type);
  if (!ctx.failed() && (!isComplex(type) || ctx.tensorType(1).getElementType() != type))
    return ctx.raise("lerp: expected tensors of one dtype");
  Complex a = complexOperand(ctx, 0, part), b = complexOperand(ctx, 1, part),
          w = complexOperand(ctx, 2, part);
  if (ctx.failed())
    return failure();
  Complex span = b - a, rest = {1.0 - w.re, -w.im}, low = a + w * span, high = b - span * rest;
  Expr isNear = w.re * w.re + w.im * w.im < 0.25;
  return done(ctx, {where(isNear, low.re, high.re), where(isNear, low.im, high.im)}, part);
}

//===----------------------------------------------------------------------===//
// Elementwise functions
//===----------------------------------------------------------------------===//

static Expr sinh(const Expr &x) { return applyUnary<SinhOp>(x); }
static Expr cosh(const Expr &x) { return applyUnary<CoshOp>(x); }

/// i x and -i x, by which circular and hyperbolic functions follow from each other.
static Complex turned(const Complex &x) { return timesI(x); }
static Complex turnedBack(const Complex &x) { return {x.im, -x.re}; }

static Complex sinOf(const Complex &x) { return {sin(x.re) * cosh(x.im), cos(x.re) * sinh(x.im)}; }
static Complex cosOf(const Complex &x) {
  return {cos(x.re) * cosh(x.im), -(sin(x.re) * sinh(x.im))};
}

/// By powers of e that do not overflow.
static Complex tanhOf(const Complex &x) {
  Expr size = abs(x.re), small = exp(size * -2.0), angle = x.im * 2.0;
  Expr length = 1.0 + small * small + 2.0 * small * cos(angle);
  return {copysign(-expm1(size * -4.0) / length, x.re), 2.0 * small * sin(angle) / length};
}

static FailureOr<Value> signOf(RuleContext &ctx) {
  Complex x = self(ctx);
  if (x.isNull())
    return failure();
  Expr length = abs(x), isZero = length == 0.0;
  return done(ctx, {where(isZero, 0.0, x.re / length), where(isZero, 0.0, x.im / length)},
              x.re.elementType());
}

/// eq, ne (self, other).
template <bool isEqual> static FailureOr<Value> compareRule(RuleContext &ctx) {
  Type part = commonPart(ctx);
  Complex x = complexOperand(ctx, 0, part), y = complexOperand(ctx, 1, part);
  if (isEqual)
    return done(ctx, x.re == y.re && x.im == y.im);
  return done(ctx, x.re != y.re || x.im != y.im);
}

/// complex(real, imag).
static FailureOr<Value> complexRule(RuleContext &ctx) {
  Value re = ctx.tensor(0), im = ctx.tensor(1);
  Type type = getElementTypeOrSelf(re);
  if (ctx.failed())
    return failure();
  if (type.isF16() && getElementTypeOrSelf(im).isF16())
    return ctx.fail("complex: complex numbers of 16-bit parts are not supported");
  if ((!type.isF32() && !type.isF64()) || !isFloat(getElementTypeOrSelf(im)))
    return ctx.raise("Expected both inputs to be Half, Float or Double tensors but got " +
                     dtypeName(type) + " and " + dtypeName(getElementTypeOrSelf(im)));
  if (type != getElementTypeOrSelf(im))
    return ctx.raise("Expected object of scalar type " + dtypeName(type) + " but got scalar type " +
                     dtypeName(getElementTypeOrSelf(im)) + " for second argument");
  return done(ctx, Complex{Expr(ctx, re), Expr(ctx, im)}, type);
}

/// polar(abs, angle).
static FailureOr<Value> polarRule(RuleContext &ctx) {
  FailureOr<Value> pair = complexRule(ctx);
  if (failed(pair))
    return failure();
  Complex x = partsOf(ctx, *pair);
  return done(ctx, polar(x.re, x.im), x.re.elementType());
}

//===----------------------------------------------------------------------===//
// Rules of real numbers on parts
//===----------------------------------------------------------------------===//

using Operands = SmallVector<SpecValue>;

/// What a rule gives for other operands.
static FailureOr<Value> apply(RuleContext &ctx, const ValueRule &rule, const Operands &operands) {
  RuleContext inner(ctx.getWalker(), ctx.b, ctx.loc, ctx.name(), operands, ctx.resultTypes());
  FailureOr<Value> result = rule(inner);
  return inner.failed() ? FailureOr<Value>(failure()) : result;
}

static SpecValue replaced(RuleContext &ctx, const SpecValue &value,
                          llvm::function_ref<Value(Value)> replace) {
  if (value.isTensor())
    return ctx.makeTensor(replace(ctx.tensorValue(value)));
  if (!isListOfComplex(ctx, value))
    return value;
  std::vector<SpecValue> elements;
  for (const SpecValue &element : llvm::to_vector(ctx.elements(value)))
    elements.push_back(replaced(ctx, element, replace));
  return ctx.makeList(std::move(elements), torchlite::tl::TensorType::get(ctx.context()));
}

/// The operands with their real or imaginary parts.
static Operands partsOfAll(RuleContext &ctx, bool isImag) {
  Operands operands;
  for (unsigned i = 0; i < ctx.size(); ++i)
    operands.push_back(replaced(ctx, ctx.operand(i), [&](Value tensor) -> Value {
      Type type = getElementTypeOrSelf(tensor);
      if (!isComplex(type) && (!isImag || !isFloat(type))) // indices stay
        return tensor;
      if (!isComplex(type))
        return ctx.full(ctx.sizes(tensor), 0.0, type);
      Complex x = partsOf(ctx, tensor);
      return (isImag ? x.im : x.re).value();
    }));
  return operands;
}

static FailureOr<Value> joined(RuleContext &ctx, FailureOr<Value> re, FailureOr<Value> im) {
  if (failed(re) || failed(im))
    return failure();
  return done(ctx, Complex{Expr(ctx, *re), Expr(ctx, *im)}.value());
}

/// Whether an operand that is a dtype is not given, or is the type of self.
static bool keepsType(RuleContext &ctx, unsigned dtype) {
  Type type = ctx.tensorType(0).getElementType();
  return ctx.isNone(dtype) || ctx.dtype(dtype, type) == type;
}

/// Of an operator that is linear in its tensors: from the parts its parts.
static ValueRule byParts(ValueRule rule, unsigned dtype) {
  return [=](RuleContext &ctx) -> FailureOr<Value> {
    if (dtype < ctx.size() && !keepsType(ctx, dtype))
      return ctx.fail(ctx.name() + ": another dtype for complex numbers is not supported");
    auto part = [&](bool isImag) {
      Operands operands = partsOfAll(ctx, isImag);
      if (dtype < operands.size())
        operands[dtype] = SpecValue::none();
      return apply(ctx, rule, operands);
    };
    FailureOr<Value> re = part(false);
    return failed(re) ? re : joined(ctx, re, part(true));
  };
}

/// The tensors among the operands of a product, by their place or in a list at place `list`.
static FailureOr<Value> product(RuleContext &ctx, const ValueRule &rule, bool conjugates,
                                std::optional<unsigned> list) {
  if (list && ctx.elements(ctx.operand(*list)).size() != 2)
    return ctx.fail(ctx.name() + ": of complex tensors two are supported");
  Type types[2];
  for (unsigned i : {0, 1}) {
    const SpecValue &factor = list ? ctx.elements(ctx.operand(*list))[i] : ctx.operand(i);
    types[i] = getElementTypeOrSelf(ctx.tensorValue(factor));
  }
  if (types[0] != types[1])
    return ctx.raise(ctx.name() + ": expected both tensors to have the same dtype, but got: " +
                     dtypeName(types[0]) + " and " + dtypeName(types[1]));
  Operands parts[2] = {partsOfAll(ctx, false), partsOfAll(ctx, true)};
  auto take = [&](bool first, bool second) -> Expr {
    Operands operands = parts[0];
    if (list) {
      const SpecValue *pair[2] = {&parts[first][*list], &parts[second][*list]};
      std::vector<SpecValue> elements = {ctx.elements(*pair[0])[0], ctx.elements(*pair[1])[1]};
      operands[*list] =
          ctx.makeList(std::move(elements), torchlite::tl::TensorType::get(ctx.context()));
    } else {
      operands[0] = parts[first][0];
      operands[1] = parts[second][1];
    }
    FailureOr<Value> result = apply(ctx, rule, operands);
    return {ctx, failed(result) ? Value() : *result};
  };
  Expr a = take(false, false);
  if (a.isNull())
    return failure();
  Expr b = take(true, true), c = take(false, true), d = take(true, false);
  if (conjugates)
    return joined(ctx, (a + b).value(), (c - d).value());
  return joined(ctx, (a - b).value(), (c + d).value());
}

static ValueRule bilinear(ValueRule rule, bool conjugates = false,
                          std::optional<unsigned> list = std::nullopt) {
  return [=](RuleContext &ctx) { return product(ctx, rule, conjugates, list); };
}

/// addmm, baddbmm and addmv (self, a, b, beta, alpha): beta self + alpha (a b).
static ValueRule addedProduct(ValueRule rule) {
  return [=](RuleContext &ctx) -> FailureOr<Value> {
    Operands factors = {ctx.operand(1), ctx.operand(2)};
    RuleContext inner(ctx.getWalker(), ctx.b, ctx.loc, ctx.name(), factors, ctx.resultTypes());
    FailureOr<Value> result = product(inner, rule, false, std::nullopt);
    Type part = partType(ctx.tensorType(0).getElementType());
    if (failed(result) || ctx.failed())
      return failure();
    if (getElementTypeOrSelf(*result) != ctx.tensorType(0).getElementType())
      return ctx.raise(ctx.name() + ": expected tensors of one dtype");
    Complex beta = complexOperand(ctx, 3, part), alpha = complexOperand(ctx, 4, part);
    Complex sum = alpha * partsOf(ctx, *result);
    if (ctx.knownFloat(3) != 0.0) // else self counts for nothing, NaN neither
      sum = beta * self(ctx) + sum;
    Value value = sum.value();
    SmallVector<OpFoldResult> sizes = ctx.sizes(*result);
    return done(ctx, value ? ctx.broadcastTo(value, sizes) : value);
  };
}

/// linear(input, weight, bias?).
static ValueRule linearRule(ValueRule rule) {
  return [=](RuleContext &ctx) -> FailureOr<Value> {
    Operands factors = {ctx.operand(0), ctx.operand(1), SpecValue::none()};
    RuleContext inner(ctx.getWalker(), ctx.b, ctx.loc, ctx.name(), factors, ctx.resultTypes());
    FailureOr<Value> result = product(inner, rule, false, std::nullopt);
    if (failed(result) || ctx.isNone(2))
      return result;
    Complex bias = partsOf(ctx, ctx.tensor(2));
    return done(ctx, (partsOf(ctx, *result) + bias).value());
  };
}

/// A rule on what is made of the complex operands.
static ValueRule on(ValueRule rule, std::function<Value(RuleContext &, Value)> make,
                    unsigned dtype = 1000) {
  return [=](RuleContext &ctx) -> FailureOr<Value> {
    if (dtype < ctx.size() && !keepsType(ctx, dtype))
      return ctx.fail(ctx.name() + ": another dtype for complex numbers is not supported");
    Operands operands;
    for (unsigned i = 0; i < ctx.size(); ++i) {
      const SpecValue &operand = ctx.operand(i);
      operands.push_back(isComplexTensor(operand)
                             ? replaced(ctx, operand, [&](Value x) { return make(ctx, x); })
                             : operand);
    }
    if (dtype < operands.size())
      operands[dtype] = SpecValue::none();
    return ctx.failed() ? FailureOr<Value>(failure()) : apply(ctx, rule, operands);
  };
}

static Value isNonzero(RuleContext &ctx, Value x) { return ctx.cast(x, ctx.b.getI1Type()); }
static Value lengthOf(RuleContext &ctx, Value x) { return abs(partsOf(ctx, x)).value(); }

//===----------------------------------------------------------------------===//
// Registration
//===----------------------------------------------------------------------===//

/// Takes the operands of which one is complex away from the rule of real numbers.
static void ofComplex(RuleRegistry &registry, StringRef name, ValueRule rule) {
  const Rule *known = registry.lookup(name);
  ValueRule real = known ? known->value : ValueRule();
  if (!real)
    return;
  registry.value(name, [real, rule](RuleContext &ctx) {
    return hasComplexOperand(ctx) ? rule(ctx) : real(ctx);
  });
}

/// The rule that real numbers have of a name.
static ValueRule realRule(RuleRegistry &registry, StringRef name) {
  const Rule *known = registry.lookup(name);
  return known ? known->value : ValueRule();
}

static void registerArithmetic(RuleRegistry &registry) {
  for (StringRef overload : {".Tensor", ".Scalar"}) {
    auto all = [&](StringRef name, ValueRule rule) {
      ofComplex(registry, (name + overload).str(), std::move(rule));
    };
    all("add", sumRule<false, 0>);
    all("sub", sumRule<true, 0>);
    all("rsub", sumRule<true, 1>);
    all("mul", mulRule);
    all("div", divRule);
    all("eq", compareRule<true>);
    all("ne", compareRule<false>);
  }
  ofComplex(registry, "div.Tensor_mode", divRule);
  ofComplex(registry, "div.Scalar_mode", divRule);
  for (StringRef name : {"pow.Tensor_Scalar", "pow.Tensor_Tensor", "pow.Scalar"})
    ofComplex(registry, name, powRule);
  ofComplex(registry, "addcmul", addProduct<false>);
  ofComplex(registry, "addcdiv", addProduct<true>);
  ofComplex(registry, "lerp.Scalar", lerpRule);
  ofComplex(registry, "lerp.Tensor", lerpRule);
  ofComplex(registry, "reciprocal", reciprocal);
  ofComplex(registry, "neg", [](RuleContext &ctx) { return done(ctx, (-self(ctx)).value()); });
  ofComplex(registry, "square",
            [](RuleContext &ctx) { return done(ctx, (self(ctx) * self(ctx)).value()); });
  registry.value("complex", complexRule);
  registry.value("polar", polarRule);
}

static void registerFunctions(RuleRegistry &registry) {
  auto add = [&](StringRef name, Complex (*compute)(const Complex &)) {
    ofComplex(registry, name, [compute](RuleContext &ctx) { return wide(ctx, compute); });
  };
  add("exp", exp);
  add("log", log);
  add("log2", [](const Complex &x) { return log(x) * x.re.constant(1.44269504088896340736); });
  add("log10", [](const Complex &x) { return log(x) * x.re.constant(0.43429448190325182765); });
  add("sqrt", sqrt);
  add("rsqrt", [](const Complex &x) { return inverse(sqrt(x)); });
  add("sin", sinOf);
  add("cos", cosOf);
  add("tan", [](const Complex &x) { return turnedBack(tanhOf(turned(x))); });
  add("sinh", [](const Complex &x) { return turnedBack(sinOf(turned(x))); });
  add("cosh", [](const Complex &x) { return cosOf(turned(x)); });
  add("tanh", tanhOf);
  add("sigmoid", [](const Complex &x) { return inverse(Complex{1.0 + exp(-x).re, exp(-x).im}); });
  ofComplex(registry, "abs", [](RuleContext &ctx) { return done(ctx, abs(self(ctx))); });
  ofComplex(registry, "angle", [](RuleContext &ctx) { return done(ctx, angle(self(ctx))); });
  ofComplex(registry, "sgn", signOf);
  ofComplex(registry, "isnan",
            [](RuleContext &ctx) { return done(ctx, isnan(self(ctx).re) || isnan(self(ctx).im)); });
  ofComplex(registry, "isinf",
            [](RuleContext &ctx) { return done(ctx, isinf(self(ctx).re) || isinf(self(ctx).im)); });
  ofComplex(registry, "isfinite", [](RuleContext &ctx) {
    Complex x = self(ctx);
    return done(ctx, !(isnan(x.re) || isinf(x.re) || isnan(x.im) || isinf(x.im)));
  });
  ofComplex(registry, "isreal", [](RuleContext &ctx) { return done(ctx, self(ctx).im == 0.0); });
  for (StringRef name : {"conj_physical", "_conj_physical"})
    ofComplex(registry, name, [](RuleContext &ctx) { return done(ctx, conj(self(ctx)).value()); });
}

static void registerOnParts(RuleRegistry &registry) {
  constexpr unsigned none = 1000;
  std::pair<StringRef, unsigned> linear[] = {
      {"sum", 1},          {"sum.dim_IntList", 3}, {"mean", 1},        {"mean.dim", 3},
      {"cumsum", 2},       {"tril", none},         {"triu", none},     {"trace", none},
      {"diff", none},      {"diag_embed", none},   {"diagflat", none}, {"sum_to_size", none},
      {"index_add", none}, {"scatter_add", none}};
  for (auto [name, dtype] : linear)
    if (ValueRule rule = realRule(registry, name))
      ofComplex(registry, name, byParts(rule, dtype));
  std::pair<StringRef, StringRef> added[] = {
      {"addmm", "mm"}, {"baddbmm", "bmm"}, {"addmv", "mv"}, {"addr", "outer"}};
  SmallVector<std::pair<StringRef, ValueRule>> sums;
  for (auto [name, factors] : added)
    if (ValueRule rule = realRule(registry, factors))
      sums.push_back({name, addedProduct(rule)});
  for (StringRef name :
       {"mm", "bmm", "matmul", "linalg_matmul", "mv", "dot", "outer", "ger", "kron", "inner"})
    if (ValueRule rule = realRule(registry, name))
      ofComplex(registry, name, bilinear(rule));
  if (ValueRule rule = realRule(registry, "linear"))
    ofComplex(registry, "linear", linearRule(rule));
  if (ValueRule rule = realRule(registry, "vdot"))
    ofComplex(registry, "vdot", bilinear(rule, /*conjugates=*/true));
  if (ValueRule rule = realRule(registry, "einsum"))
    ofComplex(registry, "einsum", bilinear(rule, false, /*list=*/1));
  for (auto &[name, rule] : sums)
    ofComplex(registry, name, rule);
  for (StringRef name : {"all", "all.dim", "any", "any.dim", "logical_not", "logical_and",
                         "logical_or", "logical_xor", "count_nonzero", "count_nonzero.dim_IntList"})
    if (ValueRule rule = realRule(registry, name))
      ofComplex(registry, name, on(rule, isNonzero));
  std::pair<StringRef, unsigned> norms[] = {{"linalg_vector_norm", 4},
                                            {"norm.Scalar", none},
                                            {"norm.ScalarOpt_dim", none},
                                            {"frobenius_norm.dim", none}};
  for (auto [name, dtype] : norms)
    if (ValueRule rule = realRule(registry, name))
      ofComplex(registry, name, on(rule, lengthOf, dtype));
  if (ValueRule rule = realRule(registry, "linalg_norm"))
    ofComplex(registry, "linalg_norm", [rule](RuleContext &ctx) -> FailureOr<Value> {
      if (!ctx.isNone(1)) // singular values are not those of the lengths
        return ctx.fail("linalg_norm: an order for complex numbers is not supported");
      return on(rule, lengthOf, 4)(ctx);
    });
  ofComplex(registry, "renorm", [](RuleContext &ctx) -> FailureOr<Value> {
    return ctx.fail("renorm: complex tensors are not supported");
  });
}

void specialize::registerComplexRules(RuleRegistry &registry) {
  registerArithmetic(registry);
  registerFunctions(registry);
  registerOnParts(registry);
}
