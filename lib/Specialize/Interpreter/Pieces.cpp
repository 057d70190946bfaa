//===- Pieces.cpp - Lists of views whose number is not known --------------===//
#include "Pieces.h"
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {
/// Pieces as their parts.
struct Pieces {
  SpecValue base;
  OpFoldResult count;  ///< how many there are
  OpFoldResult total;  ///< the size of the dimension that is cut
  OpFoldResult length; ///< of all slices but the last
  int64_t dim;
  bool areElements; ///< without the dimension; slices otherwise
};
} // namespace

static SpecValue pack(RuleContext &ctx, const Pieces &pieces) {
  Attribute cut = ctx.b.getArrayAttr(
      {ctx.b.getI64IntegerAttr(pieces.dim), ctx.b.getBoolAttr(pieces.areElements)});
  return SpecValue::pieces(cut, {pieces.base, ctx.makeInt(pieces.count), ctx.makeInt(pieces.total),
                                 ctx.makeInt(pieces.length)});
}

static Pieces unpack(RuleContext &ctx, const SpecValue &value) {
  auto cut = cast<ArrayAttr>(value.getConstant());
  ArrayRef<SpecValue> parts = value.getElements();
  auto size = [&](unsigned i) -> OpFoldResult {
    if (std::optional<int64_t> known = parts[i].getInt())
      return ctx.fold(*known);
    return ctx.indexValue(OpFoldResult(parts[i].getScalar()));
  };
  return {parts[0],
          size(1),
          size(2),
          size(3),
          cast<IntegerAttr>(cut[0]).getInt(),
          cast<BoolAttr>(cut[1]).getValue()};
}

SpecValue specialize::slicesOf(RuleContext &ctx, int64_t dim, OpFoldResult length,
                               OpFoldResult count, std::optional<int64_t> usual) {
  OpFoldResult total = ctx.size(ctx.tensor(0), dim);
  SpecValue pieces = pack(ctx, {ctx.operand(0), count, total, length, dim, false});
  if (Value number = pieceCount(pieces).getScalar(); number && usual)
    ctx.getWalker().usualCounts[number] = *usual;
  return pieces;
}

SpecValue specialize::elementsOf(RuleContext &ctx, int64_t dim) {
  OpFoldResult total = ctx.size(ctx.tensor(0), dim);
  return pack(ctx, {ctx.operand(0), total, total, ctx.fold(1), dim, true});
}

SpecValue specialize::pieceCount(const SpecValue &pieces) { return pieces.getElements()[1]; }

/// A piece of a size that is known to be right.
static SpecValue view(RuleContext &ctx, const Pieces &pieces, OpFoldResult offset,
                      OpFoldResult size) {
  Value base = ctx.tensorValue(pieces.base);
  ViewChain steps = {viewSliceDim(ctx, base, pieces.dim, offset, size, ctx.fold(1))};
  if (pieces.areElements) {
    SmallVector<OpFoldResult> kept = ctx.sizes(base);
    kept.erase(kept.begin() + pieces.dim);
    steps.push_back(viewReshape(kept));
  }
  return ctx.getWalker().viewOf(pieces.base, steps, Known::Maybe);
}

Value specialize::wrappedPosition(RuleContext &ctx, Value at, Value count) {
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(ctx.b, ctx.loc, predicate, x, y);
  };
  Value zero = ctx.intValue(ctx.fold(0));
  if (!isNonNegative(at)) {
    Value fromEnd = arith::AddIOp::create(ctx.b, ctx.loc, at, count);
    Value isFromEnd = compare(arith::CmpIPredicate::slt, at, zero);
    at = arith::SelectOp::create(ctx.b, ctx.loc, isFromEnd, fromEnd, at);
    ctx.check(compare(arith::CmpIPredicate::sge, at, zero), "list index out of range");
  }
  ctx.check(compare(arith::CmpIPredicate::slt, at, count), "list index out of range");
  return ctx.failed() ? Value() : at;
}

std::optional<SpecValue> specialize::pieceAt(RuleContext &ctx, const SpecValue &value,
                                             OpFoldResult index) {
  Pieces pieces = unpack(ctx, value);
  if (ctx.failed())
    return std::nullopt;
  Value at = wrappedPosition(ctx, ctx.intValue(index), ctx.intValue(pieces.count));
  if (!at)
    return std::nullopt;
  OpFoldResult position = ctx.indexValue(OpFoldResult(at));
  if (isNonNegative(index) && getConstantIntValue(index))
    position = index;
  OpFoldResult offset = ctx.mul(position, pieces.length);
  OpFoldResult left = ctx.sub(pieces.total, offset);
  return view(ctx, pieces, offset,
              pieces.areElements ? ctx.fold(1) : ctx.minimum(pieces.length, left));
}

FailureOr<SmallVector<SpecValue>> specialize::unpackPieces(RuleContext &ctx, const SpecValue &value,
                                                           int64_t count) {
  Pieces pieces = unpack(ctx, value);
  Value number = ctx.intValue(pieces.count);
  ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, number,
                                  ctx.intValue(ctx.fold(count))),
            "Expected " + Twine(count) + " elements in a list but found {}", number);
  if (ctx.failed())
    return failure();
  SmallVector<SpecValue> views;
  OpFoldResult offset = ctx.fold(0);
  for (int64_t i = 0; i < count; ++i) {
    bool isLast = i + 1 == count && !pieces.areElements;
    views.push_back(
        view(ctx, pieces, offset, isLast ? ctx.sub(pieces.total, offset) : pieces.length));
    offset = ctx.add(offset, pieces.length);
  }
  return views;
}

//===----------------------------------------------------------------------===//
// All pieces as one tensor
//===----------------------------------------------------------------------===//

/// [count, sizes of a piece...], of pieces that have one size.
static Value together(RuleContext &ctx, Pieces pieces) {
  Value base = ctx.tensorValue(pieces.base);
  auto type = cast<RankedTensorType>(base.getType());
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  order.erase(order.begin() + pieces.dim);
  order.insert(order.begin(), pieces.dim);
  if (pieces.areElements)
    return ctx.permute(base, order);
  if (!ctx.requireEqual(ctx.mul(pieces.count, pieces.length), pieces.total,
                        "Sizes of tensors must match: pieces of one size are expected"))
    return {};
  SmallVector<OpFoldResult> cut = ctx.sizes(base);
  cut[pieces.dim] = pieces.length;
  cut.insert(cut.begin() + pieces.dim, pieces.count);
  Value split = ctx.reshape(base, cut);
  SmallVector<int64_t> front = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank() + 1));
  front.erase(front.begin() + pieces.dim);
  front.insert(front.begin(), pieces.dim);
  return ctx.permute(split, front);
}

bool specialize::requireSome(RuleContext &ctx, Value count, const Twine &message) {
  ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt, count,
                                  ctx.intValue(ctx.fold(0))),
            message);
  return !ctx.failed();
}

/// As `together`, of one piece or more: PyTorch raises for a list without elements.
static Value someTogether(RuleContext &ctx, const Pieces &pieces, const Twine &message) {
  return requireSome(ctx, ctx.intValue(pieces.count), message) ? together(ctx, pieces) : Value();
}

FailureOr<Value> specialize::stackTogether(RuleContext &ctx, Value all, unsigned dim) {
  int64_t rank = cast<RankedTensorType>(all.getType()).getRank(), at = ctx.dim(dim, rank);
  if (ctx.failed())
    return failure();
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(1, rank));
  order.insert(order.begin() + at, 0);
  return ctx.permute(all, order);
}

Value specialize::catTogether(RuleContext &ctx, Value all, int64_t at) {
  int64_t rank = cast<RankedTensorType>(all.getType()).getRank();
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(1, rank));
  order.insert(order.begin() + at, 0);
  all = ctx.permute(all, order);
  SmallVector<OpFoldResult> sizes = ctx.sizes(all);
  sizes[at] = ctx.mul(sizes[at], sizes[at + 1]);
  sizes.erase(sizes.begin() + at + 1);
  return ctx.reshape(all, sizes);
}

FailureOr<Value> specialize::stackPieces(RuleContext &ctx, const SpecValue &value, unsigned dim) {
  Pieces pieces = unpack(ctx, value);
  Value all = someTogether(ctx, pieces, "stack expects a non-empty TensorList");
  if (ctx.failed() || !all)
    return failure();
  return stackTogether(ctx, all, dim);
}

FailureOr<Value> specialize::catPieces(RuleContext &ctx, const SpecValue &value, unsigned dim) {
  Pieces pieces = unpack(ctx, value);
  Value base = ctx.tensorValue(pieces.base);
  int64_t rank = cast<RankedTensorType>(base.getType()).getRank() - pieces.areElements;
  if (rank == 0)
    return ctx.raise("zero-dimensional tensor (at position 0) cannot be concatenated");
  int64_t at = ctx.dim(dim, rank);
  if (ctx.failed())
    return failure();
  if (!pieces.areElements && at == pieces.dim)
    return base;
  Value all = someTogether(ctx, pieces, "torch.cat(): expected a non-empty list of Tensors");
  if (ctx.failed() || !all)
    return failure();
  return catTogether(ctx, all, at);
}
