//===- ComplexViews.cpp - Rules of views of complex tensors ---------------===//
//
// Parts of complex tensors share memory with them, and can be written.

#include "../Interpreter/Strides.h"
#include "ComplexExpr.h"
#include "Families.h"
#include "ViewHelpers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

using Read = std::function<Value(RuleContext &, Value)>;
using Write = std::function<Value(RuleContext &, Value, Value)>;

/// A view that is read and written by functions.
static ViewAnswer viewBy(ArrayRef<OpFoldResult> sizes, Read read, Write write, Known contiguous) {
  ViewStep step;
  step.kind = ViewStep::Kind::Custom;
  step.sizes.assign(sizes.begin(), sizes.end());
  step.read = std::move(read);
  step.write = std::move(write);
  return answer({step}, Known::Yes, contiguous);
}

/// A number is 0 by itself where something complex is asked for.
static bool isComplexOperand(RuleContext &ctx) {
  return isComplex(getElementTypeOrSelf(ctx.tensor(0)));
}

static Value conjugated(RuleContext &ctx, Value x) { return conj(partsOf(ctx, x)).value(); }

/// conj(self): of a complex tensor a view.
static FailureOr<ViewAnswer> conjView(RuleContext &ctx) {
  if (!isComplexOperand(ctx))
    return identity(ctx);
  return viewBy(
      ctx.sizes(ctx.tensor(0)), conjugated,
      [](RuleContext &ctx, Value, Value view) { return conjugated(ctx, view); }, ctx.contiguous(0));
}

/// mH, adjoint, matrix_H (self) of complex tensors: conjugated too.
static ViewRule adjointOf(ViewRule real) {
  return [real](RuleContext &ctx) -> FailureOr<ViewAnswer> {
    Value self = ctx.tensor(0);
    if (ctx.failed() || !isComplexOperand(ctx))
      return real(ctx);
    int64_t rank = rankOf(self);
    if (rank < 2)
      return ctx.fail(ctx.name() + ": of complex tensors two dimensions or more are supported");
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    std::swap(order[rank - 2], order[rank - 1]);
    FailureOr<ViewAnswer> conjugate = conjView(ctx);
    if (succeeded(conjugate)) {
      conjugate->steps.push_back(viewPermute(order));
      conjugate->contiguous = std::nullopt;
    }
    return conjugate;
  };
}

/// resolve_conj(self): self unless it is conjugated, which is not followed.
static FailureOr<ViewAnswer> resolved(RuleContext &ctx) {
  if (!isComplexOperand(ctx))
    return identity(ctx);
  return answer({}, Known::Maybe, ctx.contiguous(0));
}

/// real(self), imag(self).
template <bool isImag> static FailureOr<ViewAnswer> partView(RuleContext &ctx) {
  if (!isComplexOperand(ctx))
    return isImag ? FailureOr<ViewAnswer>(
                        ctx.raise("imag is not implemented for tensors with non-complex dtypes."))
                  : identity(ctx);
  auto read = [](RuleContext &ctx, Value base) -> Value {
    Complex x = partsOf(ctx, base);
    return (isImag ? x.im : x.re).value();
  };
  auto write = [](RuleContext &ctx, Value base, Value view) -> Value {
    Complex x = partsOf(ctx, base);
    (isImag ? x.im : x.re) = Expr(ctx, view);
    return x.value();
  };
  return viewBy(ctx.sizes(ctx.tensor(0)), read, write, Known::Maybe);
}

/// view_as_real(self).
static FailureOr<ViewAnswer> viewAsReal(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  if (!isComplexOperand(ctx))
    return ctx.raise("view_as_real is only supported for complex tensors");
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  sizes.push_back(ctx.fold(2));
  return viewBy(
      sizes, asReal, [](RuleContext &ctx, Value, Value view) { return asComplex(ctx, view); },
      ctx.contiguous(0));
}

/// Raises where the parts do not lie one after the other; strides that are not known are taken to
/// be as they should.
static LogicalResult requirePairs(RuleContext &ctx) {
  if (ctx.contiguous(0) != Known::No)
    return success();
  std::optional<Strides> strides = stridesOf(ctx.operand(0).getTensor());
  if (!strides)
    return ctx.fail("view_as_complex: the strides of the tensor are not known");
  if (strides->back() != 1)
    return ctx.raise("Tensor must have a last dimension with stride 1");
  for (int64_t stride : ArrayRef(*strides).drop_back())
    if (stride % 2)
      return ctx.raise("Tensor must have a stride divisible by 2 for all but last dimension");
  return success();
}

/// view_as_complex(self).
static FailureOr<ViewAnswer> viewAsComplex(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed())
    return failure();
  if (type.isF16())
    return ctx.fail("view_as_complex: complex numbers of 16-bit parts are not supported");
  if (!type.isF32() && !type.isF64())
    return ctx.raise("view_as_complex is only supported for half, float and double tensors, but "
                     "got a tensor of scalar type: " +
                     dtypeName(type));
  if (!rankOf(self))
    return ctx.raise("Input tensor must have one or more dimensions");
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  if (!ctx.requireEqual(sizes.pop_back_val(), ctx.fold(2),
                        "Tensor must have a last dimension of size 2") ||
      failed(requirePairs(ctx)))
    return failure();
  return viewBy(
      sizes, asComplex, [](RuleContext &ctx, Value, Value view) { return asReal(ctx, view); },
      ctx.contiguous(0));
}

void specialize::registerComplexViewRules(RuleRegistry &registry) {
  registry.view("conj", conjView);
  registry.view("_conj", conjView);
  for (StringRef name : {"mH", "adjoint", "matrix_H"})
    registry.view(name, adjointOf(registry.lookup(name)->view));
  registry.view("resolve_conj", resolved);
  registry.view("resolve_neg", resolved);
  registry.view("real", partView<false>);
  registry.view("imag", partView<true>);
  registry.view("view_as_real", viewAsReal);
  registry.view("view_as_complex", viewAsComplex);
  registry.view("view_as_real_copy", copyOf(viewAsReal));
  registry.view("view_as_complex_copy", copyOf(viewAsComplex));
}
