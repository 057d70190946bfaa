//===- ElementTypes.cpp - torch dtypes and their promotion ----------------===//
//
// Source: c10/core/ScalarType.h, torch/result_type documentation.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Specialize/Rules.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

Type specialize::dtypeToType(MLIRContext *context, int64_t dtype) {
  Builder b(context);
  switch (dtype) {
  case 0:
    return b.getIntegerType(8, /*isSigned=*/false);
  case 1:
    return b.getI8Type();
  case 2:
    return b.getI16Type();
  case 3:
    return b.getI32Type();
  case 4:
    return b.getI64Type();
  case 5:
    return b.getF16Type();
  case 6:
    return b.getF32Type();
  case 7:
    return b.getF64Type();
  case 9:
    return ComplexType::get(b.getF32Type());
  case 10:
    return ComplexType::get(b.getF64Type());
  case 11:
    return b.getI1Type();
  case 15:
    return b.getBF16Type();
  default:
    return {};
  }
}

int64_t specialize::typeToDtype(Type type) {
  for (int64_t dtype : {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 15})
    if (dtypeToType(type.getContext(), dtype) == type)
      return dtype;
  return -1;
}

StringRef specialize::dtypeName(Type type) {
  switch (typeToDtype(type)) {
  case 0:
    return "Byte";
  case 1:
    return "Char";
  case 2:
    return "Short";
  case 3:
    return "Int";
  case 4:
    return "Long";
  case 5:
    return "Half";
  case 6:
    return "Float";
  case 7:
    return "Double";
  case 9:
    return "ComplexFloat";
  case 10:
    return "ComplexDouble";
  case 11:
    return "Bool";
  case 15:
    return "BFloat16";
  default:
    return "Undefined";
  }
}

/// bool < integers < floats < complex.
static int category(Type type) {
  if (isComplex(type))
    return 3;
  if (isFloat(type))
    return 2;
  return isBool(type) ? 0 : 1;
}

Type specialize::promoteTypes(Type a, Type b) {
  if (!a || a == b)
    return b;
  if (!b)
    return a;
  int categoryA = category(a), categoryB = category(b);
  if (categoryA == 3 || categoryB == 3) {
    auto part = [](Type type) -> Type {
      if (auto complex = dyn_cast<ComplexType>(type))
        return complex.getElementType();
      return isFloat(type) ? type : Type();
    };
    bool isDouble = (part(a) && part(a).isF64()) || (part(b) && part(b).isF64());
    MLIRContext *context = a.getContext();
    return ComplexType::get(isDouble ? Type(Float64Type::get(context))
                                     : Type(Float32Type::get(context)));
  }
  if (categoryA != categoryB)
    return categoryA > categoryB ? a : b;
  if (categoryA == 2) {
    if (a.getIntOrFloatBitWidth() == b.getIntOrFloatBitWidth()) // f16 and bf16
      return Float32Type::get(a.getContext());
    return a.getIntOrFloatBitWidth() > b.getIntOrFloatBitWidth() ? a : b;
  }
  // Integers: ui8 and i8 meet in i16, otherwise the wider one.
  if (a.getIntOrFloatBitWidth() == b.getIntOrFloatBitWidth())
    return IntegerType::get(a.getContext(), 16);
  return a.getIntOrFloatBitWidth() > b.getIntOrFloatBitWidth() ? a : b;
}

Type RuleContext::resultType(ArrayRef<unsigned> operands) {
  // Each of the three priorities promotes within itself; a lower one counts only if its category is
  // higher than what the ones above it have.
  Type dimensioned, zeroDim, number;
  for (unsigned i : operands) {
    const SpecValue &value = operand(i);
    if (value.isTensor() && value.getTensor().isNumber) {
      Type type = value.getTensor().type.getElementType();
      number = promoteTypes(number, isFloat(type)     ? Type(b.getF32Type())
                                    : isInt(type)     ? Type(b.getI64Type())
                                    : isComplex(type) ? Type(ComplexType::get(b.getF32Type()))
                                                      : type);
    } else if (value.isTensor()) {
      RankedTensorType type = value.getTensor().type;
      Type &slot = type.getRank() ? dimensioned : zeroDim;
      slot = promoteTypes(slot, type.getElementType());
    } else if (value.is(ValueKind::Int)) {
      number = promoteTypes(number, b.getI64Type());
    } else if (value.is(ValueKind::Float)) {
      number = promoteTypes(number, b.getF32Type());
    } else if (value.is(ValueKind::Bool)) {
      number = promoteTypes(number, b.getI1Type());
    } else if (!value.isNone() && !value.is(ValueKind::Unknown)) {
      (void)fail("expected a tensor or a number as operand #" + Twine(i) + ", but got " +
                 value.kindName());
    }
  }
  auto combine = [](Type higher, Type lower) -> Type {
    if (!higher || !lower)
      return higher ? higher : lower;
    return category(lower) > category(higher) ? promoteTypes(higher, lower) : higher;
  };
  Type result = combine(combine(dimensioned, zeroDim), number);
  return result ? result : Type(b.getF32Type());
}

Type RuleContext::floatResultType(ArrayRef<unsigned> operands) {
  Type type = resultType(operands);
  return isFloat(type) || isComplex(type) ? type : Type(b.getF32Type());
}
