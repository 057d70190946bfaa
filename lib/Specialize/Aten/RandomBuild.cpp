//===- RandomBuild.cpp - What rules of random operators share -------------===//
#include "RandomBuild.h"
#include "../Interpreter/Strides.h"
#include "../Interpreter/SymbolicStrides.h"
#include "../Interpreter/Walker.h"
#include "TorchLite/Dialect/TorchLite/IR/RandomOps.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

Value specialize::drawNumbers(RuleContext &ctx, const RandomNumbers &numbers, Type elementType,
                              ArrayRef<OpFoldResult> sizes) {
  if (isComplex(elementType)) {
    (void)ctx.fail(ctx.name() + ": complex random numbers are not supported");
    return {};
  }
  if (ctx.failed() || !ctx.requireSizes(sizes))
    return {};
  return RandomOp::create(ctx.b, ctx.loc, numbers.kind, numbers.parameters, numbers.each,
                          elementType, sizes);
}

bool specialize::requireDefaultGenerator(RuleContext &ctx, unsigned i) {
  if (ctx.isNone(i))
    return true;
  (void)ctx.fail(ctx.name() + ": a generator of the program's own is not supported");
  return false;
}

/// The dimensions of a tensor in the order of their strides, the outermost first; nothing where
/// that is not known.
static std::optional<SmallVector<int64_t>> orderInMemory(RuleContext &ctx, unsigned i) {
  const TensorRef &tensor = ctx.operand(i).getTensor();
  int64_t rank = tensor.type.getRank();
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  ctx.getWalker().reliesOnContiguity |= tensor.given && rank > 1;
  if (tensor.contiguous == Known::Yes || rank < 2)
    return order;
  std::optional<Strides> strides = stridesOf(tensor);
  if (strides && tensor.type.hasStaticShape()) {
    for (auto [dim, stride] : llvm::enumerate(*strides))
      if (stride == 0 && tensor.type.getDimSize(dim) != 1)
        return std::nullopt;
    llvm::sort(order, [&](int64_t a, int64_t b) {
      return std::pair((*strides)[b], a) < std::pair((*strides)[a], b);
    });
    // Where a dimension of one element stands in the order makes no difference.
    return order;
  }
  // Without sizes: by the views that lead from a whole storage.
  std::optional<DimOrder> known = orderOf(ctx, tensor);
  if (!known)
    return std::nullopt;
  return SmallVector<int64_t>(known->begin(), known->end());
}

Value specialize::drawLike(RuleContext &ctx, unsigned i, RandomNumbers numbers, Type elementType,
                           bool isInPlace) {
  Value self = ctx.tensor(i);
  if (ctx.failed())
    return {};
  std::optional<SmallVector<int64_t>> order = orderInMemory(ctx, i);
  if (!order) {
    (void)ctx.fail(ctx.name() + ": random numbers for a tensor whose elements lie in memory in an "
                                "order that is not known are not supported");
    return {};
  }
  bool isReordered = !llvm::is_sorted(*order);
  // Normal numbers of 16 elements and more are drawn in another way where they are contiguous.
  Known isContiguous = isInPlace ? ctx.contiguous(i) : isReordered ? Known::No : Known::Yes;
  auto type = cast<RankedTensorType>(self.getType());
  bool isSmall = type.hasStaticShape() && type.getNumElements() < 16;
  if (numbers.kind == "normal" && isContiguous == Known::Maybe && !isSmall) {
    (void)ctx.fail(ctx.name() + ": random numbers for a tensor of which it is not known whether it "
                                "is contiguous are not supported");
    return {};
  }
  if (numbers.kind == "normal" && isContiguous != Known::Yes)
    numbers.kind = "normal_serial";
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  if (!isReordered)
    return drawNumbers(ctx, numbers, elementType, sizes);
  SmallVector<OpFoldResult> reordered;
  for (int64_t dim : *order)
    reordered.push_back(sizes[dim]);
  if (numbers.each)
    numbers.each = ctx.permute(numbers.each, *order);
  Value drawn = drawNumbers(ctx, numbers, elementType, reordered);
  return drawn ? ctx.permute(drawn, invertPermutationVector(*order)) : Value();
}

Value specialize::dropOut(RuleContext &ctx, Value input, double p) {
  Expr x(ctx, input);
  if (p == 1)
    return (x * 0.0).value();
  Type type = getElementTypeOrSelf(input), f64 = ctx.b.getF64Type();
  RandomNumbers numbers{"bernoulli", {ctx.constantScalar(1 - p, f64)}};
  Value drawn = drawNumbers(ctx, numbers, type, ctx.sizes(input));
  if (!drawn)
    return {};
  Expr noise = (Expr(ctx, drawn).cast(computeType(type)) / (1 - p)).cast(type);
  return (x * noise).value();
}
