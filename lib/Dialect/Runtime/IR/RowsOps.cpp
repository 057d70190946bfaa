//===- RowsOps.cpp - tlrt.argsort, tlrt.scan, tlrt.nonzero ----------------===//
#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"

using namespace mlir;
using namespace torchlite::rt;

/// The result has the operand's shape, and the dimension is one of it.
static LogicalResult verifyRows(Operation *op, Type input, Type result, uint64_t dim) {
  auto from = cast<RankedTensorType>(input), to = cast<RankedTensorType>(result);
  if (dim >= static_cast<uint64_t>(from.getRank()))
    return op->emitOpError("expected a dimension of ") << from << ", but got " << dim;
  if (failed(verifyCompatibleShape(from.getShape(), to.getShape())))
    return op->emitOpError("expected a result of the shape of ") << from << ", but got " << to;
  return success();
}

LogicalResult ArgsortOp::verify() {
  if (!getElementTypeOrSelf(getResult().getType()).isInteger(64))
    return emitOpError("expected a result of i64, but got ") << getResult().getType();
  if (!getElementTypeOrSelf(getInput().getType()).isIntOrFloat())
    return emitOpError("expected integers or floats, but got ") << getInput().getType();
  return verifyRows(*this, getInput().getType(), getResult().getType(), getDim());
}

LogicalResult ScanOp::verify() {
  Type element = getElementTypeOrSelf(getInput().getType()), value = getComputed();
  if (element != getElementTypeOrSelf(getResult().getType()))
    return emitOpError("expected a result of the operand's element type, but got ")
           << getResult().getType();
  bool isConverted = isa<FloatType>(value) && isa<FloatType>(element) &&
                     value.getIntOrFloatBitWidth() > element.getIntOrFloatBitWidth();
  if (value != element && !isConverted)
    return emitOpError("expected to combine ") << element << " or wider floats, but got " << value;
  bool combinesFloats =
      llvm::is_contained({arith::AtomicRMWKind::addf, arith::AtomicRMWKind::mulf,
                          arith::AtomicRMWKind::maximumf, arith::AtomicRMWKind::minimumf},
                         getKind());
  bool combinesIntegers = llvm::is_contained(
      {arith::AtomicRMWKind::addi, arith::AtomicRMWKind::muli, arith::AtomicRMWKind::maxs,
       arith::AtomicRMWKind::maxu, arith::AtomicRMWKind::mins, arith::AtomicRMWKind::minu,
       arith::AtomicRMWKind::ori, arith::AtomicRMWKind::andi},
      getKind());
  if (isa<FloatType>(value) ? !combinesFloats : !isa<IntegerType>(value) || !combinesIntegers)
    return emitOpError("expected a kind for ")
           << value << ", but got " << stringifyAtomicRMWKind(getKind());
  return verifyRows(*this, getInput().getType(), getResult().getType(), getDim());
}

LogicalResult NonzeroOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  if (!result.getElementType().isInteger(64) || result.getRank() != 2 ||
      result.getDimSize(1) != input.getRank())
    return emitOpError("expected a result of i64 with ")
           << input.getRank() << " columns, but got " << result;
  if (!input.getElementType().isIntOrFloat())
    return emitOpError("expected integers or floats, but got ") << input;
  return success();
}

//===----------------------------------------------------------------------===//
// Code for their elements
//===----------------------------------------------------------------------===//

Value NonzeroOp::isNonzero(OpBuilder &builder, Location loc, Value element) {
  Type type = element.getType();
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  if (isa<FloatType>(type))
    return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, element, zero);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, element, zero);
}

Value ArgsortOp::precedes(OpBuilder &builder, Location loc, Value x, Value y) {
  if (getDescending())
    std::swap(x, y);
  if (!isa<FloatType>(x.getType()))
    return arith::CmpIOp::create(
        builder, loc, getIsUnsigned() ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, x,
        y);
  // x < y, or y is NaN and x is not: "not greater or equal", unless x is NaN.
  Value notGreaterEqual = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ULT, x, y);
  Value isNumber = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ORD, x, x);
  return arith::AndIOp::create(builder, loc, notGreaterEqual, isNumber);
}

static Value convert(OpBuilder &builder, Location loc, Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtFOp::create(builder, loc, type, value);
  if (from > to)
    return arith::TruncFOp::create(builder, loc, type, value);
  return value;
}

Value ScanOp::fromElement(OpBuilder &builder, Location loc, Value element) {
  return convert(builder, loc, element, getComputed());
}

Value ScanOp::toElement(OpBuilder &builder, Location loc, Value value) {
  return convert(builder, loc, value, getElementTypeOrSelf(getResult().getType()));
}

Value ScanOp::neutral(OpBuilder &builder, Location loc) {
  return arith::getIdentityValue(getKind(), getComputed(), builder, loc);
}

Value ScanOp::combine(OpBuilder &builder, Location loc, Value before, Value next) {
  return arith::getReductionOp(getKind(), builder, loc, before, next);
}
