//===- CoreFolds.cpp - Folding of core operations --------------------------===//
#include "CoreFolds.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace torchlite::tl;

/// Constants with more elements stay computations, unless they are splats.
static constexpr int64_t maxFoldedElements = 64;

//===----------------------------------------------------------------------===//
// Elementwise constants
//===----------------------------------------------------------------------===//

/// The element of `attr` at the row-major position `index` of `type`, to which it is broadcast.
static Attribute getBroadcastElement(DenseElementsAttr attr, RankedTensorType type, int64_t index) {
  if (attr.isSplat())
    return attr.getSplatValue<Attribute>();
  auto operandType = cast<RankedTensorType>(attr.getType());
  int64_t position = 0, stride = 1;
  int64_t dropped = type.getRank() - operandType.getRank();
  for (int64_t dim = type.getRank() - 1; dim >= dropped; --dim) {
    int64_t size = operandType.getDimSize(dim - dropped);
    if (size != 1)
      position += (index % type.getDimSize(dim)) * stride;
    stride *= size;
    index /= type.getDimSize(dim);
  }
  return attr.getValues<Attribute>()[position];
}

/// Computes `type` element by element with `compute`, which returns null where it cannot.
static OpFoldResult foldElements(RankedTensorType type, ArrayRef<Attribute> operands,
                                 function_ref<Attribute(ArrayRef<Attribute>)> compute) {
  if (!type.hasStaticShape())
    return {};
  SmallVector<DenseElementsAttr> constants;
  bool areSplats = true;
  for (Attribute operand : operands) {
    auto constant = dyn_cast_or_null<DenseElementsAttr>(operand);
    if (!constant)
      return {};
    constants.push_back(constant);
    areSplats &= constant.isSplat();
  }
  int64_t count = type.getNumElements();
  if (count == 0 || (!areSplats && count > maxFoldedElements))
    return {};
  SmallVector<Attribute> results;
  for (int64_t index = 0; index < (areSplats ? 1 : count); ++index) {
    SmallVector<Attribute> elements;
    for (DenseElementsAttr constant : constants)
      elements.push_back(getBroadcastElement(constant, type, index));
    Attribute result = compute(elements);
    if (!result)
      return {};
    results.push_back(result);
  }
  return DenseElementsAttr::get(type, results);
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

static bool isUnsigned(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }

static std::optional<APFloat> foldFloats(Operation *op, APFloat lhs, const APFloat &rhs) {
  constexpr auto nearest = APFloat::rmNearestTiesToEven;
  bool known = llvm::TypeSwitch<Operation *, bool>(op)
                   .Case([&](AddOp) { return lhs.add(rhs, nearest), true; })
                   .Case([&](SubOp) { return lhs.subtract(rhs, nearest), true; })
                   .Case([&](MulOp) { return lhs.multiply(rhs, nearest), true; })
                   .Case([&](DivOp) { return lhs.divide(rhs, nearest), true; })
                   .Case([&](MaximumOp) { return lhs = llvm::maximum(lhs, rhs), true; })
                   .Case([&](MinimumOp) { return lhs = llvm::minimum(lhs, rhs), true; })
                   .Default(false);
  if (!known)
    return std::nullopt;
  return lhs;
}

/// Rounds the quotient down where signs differ; the divisor is neither 0 nor, for the least
/// dividend, -1.
static APInt floorDivide(const APInt &lhs, const APInt &rhs) {
  APInt quotient = lhs.sdiv(rhs), rest = lhs.srem(rhs);
  return !rest.isZero() && rest.isNegative() != rhs.isNegative() ? quotient - 1 : quotient;
}

static std::optional<APInt> foldIntegers(Operation *op, const APInt &lhs, const APInt &rhs,
                                         bool isUnsigned) {
  bool isBool = lhs.getBitWidth() == 1;
  bool isDivision = isa<FloorDivOp, TruncDivOp, RemainderOp, FmodOp>(op);
  // The first is an error at run time; the second wraps around in a way of its own.
  if (isDivision && (rhs.isZero() || (!isUnsigned && rhs.isAllOnes())))
    return std::nullopt;
  using Result = std::optional<APInt>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](AddOp) -> Result { return isBool ? lhs | rhs : lhs + rhs; })
      .Case([&](SubOp) -> Result { return lhs - rhs; })
      .Case([&](MulOp) -> Result { return lhs * rhs; })
      .Case([&](AndOp) -> Result { return lhs & rhs; })
      .Case([&](OrOp) -> Result { return lhs | rhs; })
      .Case([&](XorOp) -> Result { return lhs ^ rhs; })
      .Case([&](MaximumOp) -> Result {
        return isUnsigned ? llvm::APIntOps::umax(lhs, rhs) : llvm::APIntOps::smax(lhs, rhs);
      })
      .Case([&](MinimumOp) -> Result {
        return isUnsigned ? llvm::APIntOps::umin(lhs, rhs) : llvm::APIntOps::smin(lhs, rhs);
      })
      .Case(
          [&](FloorDivOp) -> Result { return isUnsigned ? lhs.udiv(rhs) : floorDivide(lhs, rhs); })
      .Case([&](TruncDivOp) -> Result { return isUnsigned ? lhs.udiv(rhs) : lhs.sdiv(rhs); })
      .Case([&](FmodOp) -> Result { return isUnsigned ? lhs.urem(rhs) : lhs.srem(rhs); })
      .Case([&](RemainderOp) -> Result {
        return isUnsigned ? lhs.urem(rhs) : lhs - floorDivide(lhs, rhs) * rhs;
      })
      .Default(std::nullopt);
}

/// Whether every element of the constant `attr` is `value`; minus zero is not zero.
static bool isSplatOf(Attribute attr, double value) {
  auto constant = dyn_cast_or_null<DenseElementsAttr>(attr);
  if (!constant || !constant.isSplat() || isa<ComplexType>(constant.getElementType()))
    return false;
  if (isa<FloatType>(constant.getElementType())) {
    APFloat expected(value);
    bool losesInfo;
    APFloat actual = constant.getSplatValue<APFloat>();
    expected.convert(actual.getSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
    return actual.bitwiseIsEqual(expected);
  }
  return constant.getSplatValue<APInt>() == static_cast<uint64_t>(value);
}

/// An operand that the operation leaves as it is, for the other one is neutral.
static Value foldNeutral(Operation *op, ArrayRef<Attribute> operands) {
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  Type type = op->getResult(0).getType();
  bool isFloat = isa<FloatType>(getElementTypeOrSelf(type));
  // -0 + 0 is 0, so that only -0 is neutral in sums of floats.
  double zeroOfSum = isFloat ? -0.0 : 0.0;
  auto isNeutral = [&](Attribute attr) {
    return (isa<AddOp>(op) && isSplatOf(attr, zeroOfSum)) ||
           (isa<MulOp>(op) && isSplatOf(attr, 1)) || (isa<OrOp, XorOp>(op) && isSplatOf(attr, 0));
  };
  auto isRightNeutral = [&](Attribute attr) {
    return (isa<SubOp, ShiftLeftOp, ShiftRightOp>(op) && isSplatOf(attr, 0)) ||
           (isa<DivOp>(op) && isSplatOf(attr, 1)) || (isa<PowOp>(op) && isSplatOf(attr, 1)) ||
           (isa<FloorDivOp, TruncDivOp>(op) && !isFloat && isSplatOf(attr, 1));
  };
  if (lhs.getType() == type && (isNeutral(operands[1]) || isRightNeutral(operands[1])))
    return lhs;
  if (rhs.getType() == type && isNeutral(operands[0]))
    return rhs;
  if (lhs == rhs && lhs.getType() == type && isa<AndOp, OrOp, MaximumOp, MinimumOp>(op))
    return lhs;
  return {};
}

OpFoldResult folds::foldBinary(Operation *op, ArrayRef<Attribute> operands) {
  if (Value value = foldNeutral(op, operands))
    return value;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Type elementType = type.getElementType();
  return foldElements(type, operands, [&](ArrayRef<Attribute> elements) -> Attribute {
    if (isa<FloatType>(elementType)) {
      if (auto value = foldFloats(op, cast<FloatAttr>(elements[0]).getValue(),
                                  cast<FloatAttr>(elements[1]).getValue()))
        return FloatAttr::get(elementType, *value);
      return {};
    }
    if (auto value =
            foldIntegers(op, cast<IntegerAttr>(elements[0]).getValue(),
                         cast<IntegerAttr>(elements[1]).getValue(), isUnsigned(elementType)))
      return IntegerAttr::get(elementType, *value);
    return {};
  });
}

OpFoldResult folds::foldUnary(Operation *op, ArrayRef<Attribute> operands) {
  Value operand = op->getOperand(0);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (Operation *producer = operand.getDefiningOp()) {
    bool isSame = producer->getName() == op->getName();
    if (isSame && isa<NegOp, BitwiseNotOp>(op))
      return producer->getOperand(0);
    if (isSame && isa<AbsOp, CeilOp, FloorOp, RoundOp, SignOp, TruncOp>(op))
      return operand;
  }
  Type elementType = type.getElementType();
  return foldElements(type, operands, [&](ArrayRef<Attribute> elements) -> Attribute {
    if (auto element = dyn_cast<FloatAttr>(elements[0])) {
      if (isa<NegOp>(op))
        return FloatAttr::get(elementType, llvm::neg(element.getValue()));
      if (isa<AbsOp>(op))
        return FloatAttr::get(elementType, llvm::abs(element.getValue()));
      return {};
    }
    APInt value = cast<IntegerAttr>(elements[0]).getValue();
    if (isa<NegOp>(op))
      return IntegerAttr::get(elementType, -value);
    if (isa<AbsOp>(op))
      return IntegerAttr::get(elementType, isUnsigned(elementType) ? value : value.abs());
    if (isa<BitwiseNotOp>(op))
      return IntegerAttr::get(elementType, ~value);
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Comparison, selection, conversion
//===----------------------------------------------------------------------===//

static bool compareFloats(ComparePredicate predicate, APFloat::cmpResult result) {
  switch (predicate) {
  case ComparePredicate::EQ:
    return result == APFloat::cmpEqual;
  case ComparePredicate::NE:
    return result != APFloat::cmpEqual;
  case ComparePredicate::LT:
    return result == APFloat::cmpLessThan;
  case ComparePredicate::LE:
    return result == APFloat::cmpLessThan || result == APFloat::cmpEqual;
  case ComparePredicate::GT:
    return result == APFloat::cmpGreaterThan;
  case ComparePredicate::GE:
    return result == APFloat::cmpGreaterThan || result == APFloat::cmpEqual;
  }
  llvm_unreachable("all predicates are covered");
}

OpFoldResult CompareOp::fold(FoldAdaptor adaptor) {
  Type boolType = IntegerType::get(getContext(), 1);
  return foldElements(
      getType(), adaptor.getOperands(), [&](ArrayRef<Attribute> elements) -> Attribute {
        APFloat::cmpResult result;
        if (auto lhs = dyn_cast<FloatAttr>(elements[0])) {
          result = lhs.getValue().compare(cast<FloatAttr>(elements[1]).getValue());
        } else {
          APInt left = cast<IntegerAttr>(elements[0]).getValue();
          APInt right = cast<IntegerAttr>(elements[1]).getValue();
          bool isLess =
              isUnsigned(getLhs().getType().getElementType()) ? left.ult(right) : left.slt(right);
          result = left == right ? APFloat::cmpEqual
                                 : (isLess ? APFloat::cmpLessThan : APFloat::cmpGreaterThan);
        }
        return IntegerAttr::get(boolType, compareFloats(getPredicate(), result));
      });
}

OpFoldResult WhereOp::fold(FoldAdaptor adaptor) {
  if (getOnTrue() == getOnFalse() && getOnTrue().getType() == getType())
    return getOnTrue();
  auto condition = dyn_cast_or_null<DenseElementsAttr>(adaptor.getCondition());
  if (condition && condition.isSplat()) {
    Value taken = condition.getSplatValue<bool>() ? getOnTrue() : getOnFalse();
    if (taken.getType() == getType())
      return taken;
  }
  if (isa<ComplexType>(getType().getElementType()))
    return {};
  return foldElements(getType(), adaptor.getOperands(), [](ArrayRef<Attribute> elements) {
    return cast<IntegerAttr>(elements[0]).getValue().isZero() ? elements[2] : elements[1];
  });
}

/// Converts a float by way of f32 where one of the types has 16 bits, as PyTorch does.
static APFloat convertFloat(APFloat value, FloatType to) {
  bool losesInfo;
  constexpr auto nearest = APFloat::rmNearestTiesToEven;
  if (to.getWidth() == 16)
    value.convert(APFloat::IEEEsingle(), nearest, &losesInfo);
  value.convert(to.getFloatSemantics(), nearest, &losesInfo);
  return value;
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  Type from = getOperand().getType().getElementType(), to = getType().getElementType();
  if (isa<ComplexType>(from) || isa<ComplexType>(to))
    return {};
  auto convert = [&](ArrayRef<Attribute> elements) -> Attribute {
    auto toFloat = dyn_cast<FloatType>(to);
    if (auto element = dyn_cast<FloatAttr>(elements[0])) {
      APFloat value = element.getValue();
      if (toFloat)
        return FloatAttr::get(to, convertFloat(value, toFloat));
      if (to.isInteger(1))
        return IntegerAttr::get(to, !value.isZero());
      // Out of range is left to the lowering, which defines it.
      llvm::APSInt result(to.getIntOrFloatBitWidth(), to.isUnsignedInteger());
      bool isExact;
      if (value.convertToInteger(result, APFloat::rmTowardZero, &isExact) & APFloat::opInvalidOp)
        return {};
      return IntegerAttr::get(to, result);
    }
    APInt value = cast<IntegerAttr>(elements[0]).getValue();
    if (toFloat) {
      // By way of f32 for 16 bits, as above.
      APFloat result(toFloat.getWidth() == 16 ? APFloat::IEEEsingle()
                                              : toFloat.getFloatSemantics());
      result.convertFromAPInt(value, !isUnsigned(from), APFloat::rmNearestTiesToEven);
      return FloatAttr::get(to, convertFloat(result, toFloat));
    }
    unsigned width = to.getIntOrFloatBitWidth();
    if (width == 1)
      return IntegerAttr::get(to, !value.isZero());
    return IntegerAttr::get(to,
                            isUnsigned(from) ? value.zextOrTrunc(width) : value.sextOrTrunc(width));
  };
  return foldElements(getType(), adaptor.getOperand(), convert);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  // With one dynamic size the number of elements gives it, unless there are none.
  bool hasNoZero = !llvm::is_contained(getType().getShape(), 0);
  if (getOperand().getType() == getType() &&
      (getType().hasStaticShape() || (getType().getNumDynamicDims() == 1 && hasNoZero)))
    return getOperand();
  if (auto producer = getOperand().getDefiningOp<ReshapeOp>()) {
    getOperandMutable().assign(producer.getOperand());
    return getResult();
  }
  if (!getType().hasStaticShape())
    return {};
  if (auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getOperand()))
    return constant.reshape(getType());
  if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(adaptor.getOperand()))
    return DenseResourceElementsAttr::get(getType(), resource.getRawHandle());
  return {};
}

OpFoldResult BroadcastToOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getOperand());
  if (constant && constant.isSplat() && getType().hasStaticShape() &&
      getType().getNumElements() != 0)
    return constant.resizeSplat(getType());
  return {};
}

OpFoldResult PermuteOp::fold(FoldAdaptor adaptor) {
  ArrayRef<int64_t> permutation = getPermutation();
  if (llvm::is_sorted(permutation) && getOperand().getType() == getType())
    return getOperand();
  if (auto producer = getOperand().getDefiningOp<PermuteOp>()) {
    SmallVector<int64_t> composed;
    for (int64_t dim : permutation)
      composed.push_back(producer.getPermutation()[dim]);
    setPermutation(composed);
    getOperandMutable().assign(producer.getOperand());
    return getResult();
  }
  auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getOperand());
  if (!constant || !getType().hasStaticShape() || getType().getNumElements() == 0)
    return {};
  if (constant.isSplat())
    return constant.resizeSplat(getType());
  if (getType().getNumElements() > maxFoldedElements)
    return {};
  SmallVector<int64_t> operandStrides = computeSuffixProduct(getOperand().getType().getShape());
  SmallVector<int64_t> strides = computeSuffixProduct(getType().getShape());
  auto elements = constant.getValues<Attribute>();
  SmallVector<Attribute> results;
  for (int64_t index = 0; index < getType().getNumElements(); ++index) {
    int64_t position = 0;
    for (auto [dim, coordinate] : llvm::enumerate(delinearize(index, strides)))
      position += coordinate * operandStrides[permutation[dim]];
    results.push_back(elements[position]);
  }
  return DenseElementsAttr::get(getType(), results);
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getOperands().size() == 1 && getOperands().front().getType() == getType())
    return getOperands().front();
  return {};
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (getOperand().getType() == getType() && llvm::all_of(getStaticLow(), isZero) &&
      llvm::all_of(getStaticHigh(), isZero))
    return getOperand();
  return {};
}

OpFoldResult FlipOp::fold(FoldAdaptor adaptor) {
  if (llvm::all_of(getDims(), [&](int64_t dim) { return getType().getDimSize(dim) == 1; }))
    return getOperand();
  auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getOperand());
  if (constant && constant.isSplat() && getType().hasStaticShape() &&
      getType().getNumElements() != 0)
    return constant;
  return {};
}

OpFoldResult ReduceOp::fold(FoldAdaptor) {
  if (getDims().empty() && getOperand().getType() == getType())
    return getOperand();
  return {};
}
