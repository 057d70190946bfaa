//===- Sizes.cpp - Scalars, sizes and what is known of them ---------------===//
#include "Boxes.h"
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

bool specialize::sameComputation(Value a, Value b, unsigned depth) {
  if (a == b)
    return true;
  if (depth == 0 || a.getType() != b.getType())
    return false;
  Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (!x || !y || x->getName() != y->getName() || x->getNumOperands() != y->getNumOperands() ||
      x->getNumRegions() || y->getNumRegions() || !isMemoryEffectFree(x) ||
      cast<OpResult>(a).getResultNumber() != cast<OpResult>(b).getResultNumber() ||
      x->getAttrDictionary() != y->getAttrDictionary())
    return false;
  return llvm::all_of(llvm::zip_equal(x->getOperands(), y->getOperands()), [&](auto pair) {
    return sameComputation(std::get<0>(pair), std::get<1>(pair), depth - 1);
  });
}

void Walker::setInsertionPointBehindConstants() {
  Block &entry = function.getBody().front();
  b.setInsertionPointToStart(&entry);
  // Their order is that of first use.
  while (b.getInsertionPoint() != entry.end() && (isa<arith::ConstantOp>(*b.getInsertionPoint()) ||
                                                  builtOnce.contains(&*b.getInsertionPoint())))
    b.setInsertionPointAfter(&*b.getInsertionPoint());
}

/// Constants stand at the start of the function, where every block sees them.
Value Walker::constant(TypedAttr attr) {
  Value &slot = constants[attr];
  if (slot)
    return slot;
  OpBuilder::InsertionGuard guard(b);
  setInsertionPointBehindConstants();
  slot = arith::ConstantOp::create(b, function.getLoc(), attr);
  return slot;
}

Value Walker::anyValue(Type type) {
  auto tensorType = dyn_cast<RankedTensorType>(type);
  if (isa<rt::BoxType>(type))
    return rt::BoxNoneOp::create(b, locOf(current));
  if (!tensorType)
    return constant(cast<TypedAttr>(b.getZeroAttr(type)));
  SmallVector<Value> sizes(tensorType.getNumDynamicDims(), constant(b.getIndexAttr(0)));
  return tensor::EmptyOp::create(b, locOf(current), tensorType, sizes);
}

Value Walker::textBox(const SpecValue &text) {
  if (text.is(ValueKind::Text))
    return text.getBox();
  if (text.is(ValueKind::String) && !text.getElements().empty()) {
    SmallVector<StringRef> pieces;
    cast<StringAttr>(text.getConstant()).getValue().split(pieces, holeMark);
    SmallVector<Value> holes = llvm::map_to_vector(
        text.getElements(), [&](const SpecValue &hole) { return scalarValue(hole); });
    return rt::BoxFormatOp::create(b, locOf(current), b.getStrArrayAttr(pieces), holes);
  }
  std::optional<StringRef> known = text.getString();
  if (!known)
    return {};
  // What leaves the program as a str ends there.
  if (known->contains('\0'))
    return {};
  Value &box = textBoxes[text.getConstant()];
  if (!box)
    box = buildOnce([&] { return rt::BoxTextOp::create(b, function.getLoc(), *known); });
  return box;
}

Value Walker::buildOnce(function_ref<Value()> build) {
  OpBuilder::InsertionGuard guard(b);
  setInsertionPointBehindConstants();
  Block &entry = function.getBody().front();
  Block::iterator end = b.getInsertionPoint();
  Value made = build();
  for (Block::iterator at = end; at != entry.begin() && !isa<arith::ConstantOp>(*std::prev(at));
       --at)
    builtOnce.insert(&*std::prev(at));
  return made;
}

void Walker::eraseUnusedOfOnce() {
  auto isUsed = [&](Operation *op) {
    return llvm::any_of(op->getUsers(), [&](Operation *user) { return !builtOnce.contains(user); });
  };
  SmallVector<Operation *> unused;
  for (Operation *op : builtOnce)
    if (isa<rt::BoxCreateOp>(op) && !isUsed(op)) {
      llvm::append_range(unused, op->getUsers());
      unused.push_back(op);
    }
  for (Operation *op : unused)
    op->erase();
  llvm::DenseSet<Operation *> gone(unused.begin(), unused.end());
  for (Operation *op : builtOnce)
    if (!gone.contains(op) && isa<rt::BoxTextOp>(op) && op->use_empty())
      op->erase();
}

Value Walker::converted(Value value, Type type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(b, locOf(current), type, value);
}

Value Walker::scalarValue(const SpecValue &number) {
  if (number.getScalar())
    return number.getScalar();
  if (auto attr = dyn_cast_if_present<TypedAttr>(number.getConstant()))
    if (number.isNumber())
      return constant(attr);
  return {};
}

/// `tensor.dim` directly behind the tensor's definition, so that it can be used wherever the tensor
/// can.
Value Walker::dimOf(Value tensor, int64_t dim) {
  OpBuilder::InsertionGuard guard(b);
  Value index = constant(b.getIndexAttr(dim));
  if (Operation *op = tensor.getDefiningOp()) {
    // The same dimension may have been asked for before, in another fork.
    for (Operation *next = op->getNextNode(); next && isa<tensor::DimOp>(next);
         next = next->getNextNode())
      if (next->getOperand(0) == tensor && next->getOperand(1) == index)
        return next->getResult(0);
    b.setInsertionPointAfter(op);
  } else {
    auto argument = cast<BlockArgument>(tensor);
    Block *block = argument.getOwner();
    b.setInsertionPointToStart(block);
    if (block == &function.getBody().front())
      b.setInsertionPointAfterValue(index);
    for (Operation *next = b.getInsertionPoint() == block->end() ? nullptr
                                                                 : &*b.getInsertionPoint();
         next && isa<tensor::DimOp, arith::ConstantOp>(next); next = next->getNextNode())
      if (isa<tensor::DimOp>(next) && next->getOperand(0) == tensor && next->getOperand(1) == index)
        return next->getResult(0);
  }
  return tensor::DimOp::create(b, function.getLoc(), tensor, index);
}

OpFoldResult Walker::sizeOf(Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return b.getIndexAttr(type.getDimSize(dim));
  if (auto it = state.sizes.find(tensor); it != state.sizes.end())
    return it->second[dim];

  SmallVector<OpFoldResult> sizes;
  if (Operation *op = tensor.getDefiningOp()) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfter(op);
    if (auto castOp = dyn_cast<tensor::CastOp>(op)) {
      for (int64_t i : llvm::seq<int64_t>(0, type.getRank()))
        sizes.push_back(sizeOf(castOp.getSource(), i));
    } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      llvm::SmallBitVector dropped = slice.getDroppedDims();
      for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
        if (!dropped.test(i))
          sizes.push_back(size);
    } else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
      for (int64_t i : llvm::seq<int64_t>(0, type.getRank()))
        sizes.push_back(sizeOf(insert.getDest(), i));
    } else if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
      sizes = empty.getMixedSizes();
    } else if (auto splat = dyn_cast<tensor::SplatOp>(op)) {
      sizes = getMixedValues(type.getShape(), splat.getDynamicSizes(), b);
    } else if (isa<ReshapeOp, BroadcastToOp, IotaOp, ConcatOp, PadOp>(op) ||
               op->getDialect()->getNamespace() == "tl") {
      ReifiedRankedShapedTypeDims shapes;
      if (auto reify = dyn_cast<ReifyRankedShapedTypeOpInterface>(op))
        if (succeeded(reify.reifyResultShapes(b, shapes)))
          sizes = SmallVector<OpFoldResult>(shapes[cast<OpResult>(tensor).getResultNumber()]);
      // What was reified of the operands' sizes is known better here.
      for (OpFoldResult &size : sizes)
        if (auto value = dyn_cast<Value>(size))
          if (auto dimOp = value.getDefiningOp<tensor::DimOp>())
            if (std::optional<int64_t> index = dimOp.getConstantIndex();
                index && dimOp.getSource() != tensor)
              size = sizeOf(dimOp.getSource(), *index);
    }
  }
  if (sizes.empty())
    for (int64_t i : llvm::seq<int64_t>(0, type.getRank()))
      sizes.push_back(type.isDynamicDim(i) ? OpFoldResult(dimOf(tensor, i))
                                           : OpFoldResult(b.getIndexAttr(type.getDimSize(i))));
  OpFoldResult result = sizes[dim];
  state.sizes[tensor] = std::move(sizes);
  return result;
}

/// Sees through conversions between index and i64.
static OpFoldResult canonicalSize(OpFoldResult size) {
  while (auto value = dyn_cast<Value>(size)) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return IntegerAttr::get(IndexType::get(value.getContext()), constant.getSExtValue());
    auto castOp = value.getDefiningOp<arith::IndexCastOp>();
    if (!castOp)
      return size;
    size = castOp.getIn();
  }
  return size;
}

Known Walker::equalSizes(OpFoldResult a, OpFoldResult b) {
  a = canonicalSize(a);
  b = canonicalSize(b);
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return *x == *y ? Known::Yes : Known::No;
  auto same = [](OpFoldResult p, OpFoldResult q) {
    std::optional<int64_t> m = getConstantIntValue(p), n = getConstantIntValue(q);
    if (m || n)
      return m == n;
    return sameComputation(cast<Value>(p), cast<Value>(q));
  };
  if (same(a, b))
    return Known::Yes;
  // The classes of what was found equal before: everything reachable from `a`.
  SmallVector<OpFoldResult> reached = {a};
  llvm::SmallBitVector used(state.equalities.size());
  for (size_t i = 0; i < reached.size(); ++i)
    for (auto [index, fact] : llvm::enumerate(state.equalities)) {
      if (used.test(index))
        continue;
      OpFoldResult left = fact.first, right = fact.second, next;
      if (same(left, reached[i]))
        next = right;
      else if (same(right, reached[i]))
        next = left;
      else
        continue;
      if (same(next, b))
        return Known::Yes;
      if (std::optional<int64_t> n = getConstantIntValue(next); n && y && *n != *y)
        return Known::No;
      used.set(index);
      reached.push_back(next);
    }
  return Known::Maybe;
}

void Walker::assumeEqual(OpFoldResult a, OpFoldResult b) {
  a = canonicalSize(a);
  b = canonicalSize(b);
  if (auto value = dyn_cast<Value>(a))
    state.equalities.push_back({value, b});
  else if (auto value = dyn_cast<Value>(b))
    state.equalities.push_back({value, a});
}

/// The loop whose trip number a value is, or null.
static LoopOp loopOfTripNumber(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getArgNumber() != 0)
    return {};
  return dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
}

/// How many bits an int has at most that cannot be negative, or nothing: sizes and trip numbers,
/// which an address space bounds, and what is made of them as long as it cannot overflow.
static std::optional<unsigned> bitsOfNonNegative(OpFoldResult size, unsigned depth = 8) {
  constexpr unsigned sizeBits = 47;
  size = canonicalSize(size);
  if (std::optional<int64_t> value = getConstantIntValue(size)) {
    if (*value < 0)
      return std::nullopt;
    return llvm::bit_width(static_cast<uint64_t>(*value));
  }
  Value value = cast<Value>(size);
  if (loopOfTripNumber(value))
    return sizeBits;
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0)
    return std::nullopt;
  if (isa<tensor::DimOp>(op))
    return sizeBits;
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    std::optional<unsigned> yes = bitsOfNonNegative(select.getTrueValue(), depth - 1);
    std::optional<unsigned> no = bitsOfNonNegative(select.getFalseValue(), depth - 1);
    return yes && no ? std::optional(std::max(*yes, *no)) : std::nullopt;
  }
  if (!isa<arith::MaxSIOp, arith::RemSIOp, arith::AddIOp, arith::MulIOp, arith::DivSIOp,
           arith::FloorDivSIOp, arith::CeilDivSIOp, arith::MinSIOp>(op))
    return std::nullopt;
  std::optional<unsigned> lhs = bitsOfNonNegative(op->getOperand(0), depth - 1);
  if (isa<arith::RemSIOp>(op))
    return lhs;
  std::optional<unsigned> rhs = bitsOfNonNegative(op->getOperand(1), depth - 1);
  if (isa<arith::MaxSIOp>(op) && (lhs || rhs))
    return lhs && rhs ? std::max(*lhs, *rhs) : 63;
  if (!lhs || !rhs)
    return std::nullopt;
  if (isa<arith::MinSIOp>(op))
    return std::min(*lhs, *rhs);
  if (!isa<arith::AddIOp, arith::MulIOp>(op))
    return lhs;
  unsigned bits = isa<arith::AddIOp>(op) ? std::max(*lhs, *rhs) + 1 : *lhs + *rhs;
  if (bits > 63)
    return std::nullopt;
  return bits;
}

bool specialize::isNonNegative(OpFoldResult size) { return bitsOfNonNegative(size).has_value(); }

std::optional<bool> Walker::knownCondition(Value condition) {
  for (auto [known, holds] : llvm::reverse(state.conditions))
    if (sameComputation(known, condition))
      return holds;
  if (auto negation = condition.getDefiningOp<arith::XOrIOp>())
    if (matchPattern(negation.getRhs(), m_One()))
      if (std::optional<bool> known = knownCondition(negation.getLhs()))
        return !*known;
  // Indices: not negative, and trip numbers below the trip count.
  if (auto compare = condition.getDefiningOp<arith::CmpIOp>()) {
    OpFoldResult lhs = compare.getLhs(), rhs = compare.getRhs();
    for (OpFoldResult *side : {&lhs, &rhs}) {
      *side = canonicalSize(*side);
      if (auto value = dyn_cast<Value>(*side))
        if (auto select = value.getDefiningOp<arith::SelectOp>())
          if (std::optional<bool> known = knownCondition(select.getCondition()))
            *side = canonicalSize(*known ? select.getTrueValue() : select.getFalseValue());
    }
    arith::CmpIPredicate predicate = compare.getPredicate();
    if (predicate == arith::CmpIPredicate::sgt || predicate == arith::CmpIPredicate::sle)
      std::swap(lhs, rhs);
    bool less = predicate == arith::CmpIPredicate::slt || predicate == arith::CmpIPredicate::sgt;
    bool notLess = predicate == arith::CmpIPredicate::sge || predicate == arith::CmpIPredicate::sle;
    // Now: lhs < rhs, or lhs >= rhs.
    if (less || notLess) {
      if (isZeroInteger(rhs) && isNonNegative(lhs))
        return notLess;
      if (auto value = dyn_cast<Value>(lhs))
        if (LoopOp loop = loopOfTripNumber(value))
          if (equalSizes(loop.getMaxTripCount(), rhs) == Known::Yes)
            return less;
    }
  }
  if (auto compare = condition.getDefiningOp<arith::CmpIOp>()) {
    Known equal = equalSizes(compare.getLhs(), compare.getRhs());
    switch (compare.getPredicate()) {
    case arith::CmpIPredicate::eq:
      if (equal != Known::Maybe)
        return equal == Known::Yes;
      break;
    case arith::CmpIPredicate::ne:
      if (equal != Known::Maybe)
        return equal == Known::No;
      break;
    case arith::CmpIPredicate::sle:
    case arith::CmpIPredicate::sge:
      if (equal == Known::Yes)
        return true;
      break;
    case arith::CmpIPredicate::slt:
    case arith::CmpIPredicate::sgt:
      if (equal == Known::Yes)
        return false;
      break;
    default:
      break;
    }
  }
  return std::nullopt;
}

void Walker::assume(Value condition, bool holds) {
  state.conditions.push_back({condition, holds});
  // `not c`, `a and b`, `a == b` say more.
  if (auto negation = condition.getDefiningOp<arith::XOrIOp>())
    if (matchPattern(negation.getRhs(), m_One()))
      assume(negation.getLhs(), !holds);
  if (auto both = condition.getDefiningOp<arith::AndIOp>(); both && holds) {
    assume(both.getLhs(), true);
    assume(both.getRhs(), true);
  }
  if (auto either = condition.getDefiningOp<arith::OrIOp>(); either && !holds) {
    assume(either.getLhs(), false);
    assume(either.getRhs(), false);
  }
  if (auto compare = condition.getDefiningOp<arith::CmpIOp>())
    if (compare.getPredicate() == (holds ? arith::CmpIPredicate::eq : arith::CmpIPredicate::ne))
      assumeEqual(compare.getLhs(), compare.getRhs());
}
