//===- Value.cpp - Abstract values of the specializing walk -----------===//
#include "TorchLite/Specialize/Value.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

SpecValue SpecValue::scalar(Value value) {
  Type type = value.getType();
  assert((type.isInteger(64) || type.isInteger(1) || type.isF64()) && "not a TorchScript scalar");
  ValueKind kind = type.isInteger(64)  ? ValueKind::Int
                   : type.isInteger(1) ? ValueKind::Bool
                                       : ValueKind::Float;
  Attribute attr;
  if (matchPattern(value, m_Constant(&attr)))
    return constant(kind, attr);
  SpecValue v(kind);
  v.value = value;
  return v;
}

SpecValue SpecValue::integer(MLIRContext *context, int64_t value) {
  return constant(ValueKind::Int, IntegerAttr::get(IntegerType::get(context, 64), value));
}

SpecValue SpecValue::floating(MLIRContext *context, double value) {
  return constant(ValueKind::Float, FloatAttr::get(Float64Type::get(context), value));
}

SpecValue SpecValue::boolean(MLIRContext *context, bool value) {
  return constant(ValueKind::Bool, BoolAttr::get(context, value));
}

SpecValue SpecValue::string(MLIRContext *context, StringRef value) {
  return constant(ValueKind::String, StringAttr::get(context, value));
}

SpecValue SpecValue::formatted(MLIRContext *context, StringRef text, std::vector<SpecValue> holes) {
  SpecValue v = string(context, text);
  if (!holes.empty())
    v.parts = std::make_shared<const std::vector<SpecValue>>(std::move(holes));
  return v;
}

std::optional<int64_t> SpecValue::getInt() const {
  if (is(ValueKind::Int) || is(ValueKind::Bool))
    if (auto integer = dyn_cast_if_present<IntegerAttr>(attr))
      return is(ValueKind::Bool) ? static_cast<int64_t>(!integer.getValue().isZero())
                                 : integer.getInt();
  return std::nullopt;
}

std::optional<double> SpecValue::getFloat() const {
  if (is(ValueKind::Float))
    if (auto number = dyn_cast_if_present<FloatAttr>(attr))
      return number.getValueAsDouble();
  if (std::optional<int64_t> integer = getInt())
    return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<bool> SpecValue::getBool() const {
  if (is(ValueKind::Bool))
    if (auto integer = dyn_cast_if_present<IntegerAttr>(attr))
      return !integer.getValue().isZero();
  return std::nullopt;
}

std::optional<StringRef> SpecValue::getString() const {
  if (is(ValueKind::String) || is(ValueKind::Device))
    if (isConstant())
      return cast<StringAttr>(attr).getValue();
  return std::nullopt;
}

bool SpecValue::same(const SpecValue &other) const {
  if (valueKind != other.valueKind)
    return false;
  switch (valueKind) {
  case ValueKind::Uninitialized:
  case ValueKind::None:
    return true;
  case ValueKind::Unknown:
    return true;
  case ValueKind::Tensor:
    return ref == other.ref ||
           (ref->storage == other.ref->storage && ref->chain == other.ref->chain &&
            ref->type == other.ref->type && ref->contiguous == other.ref->contiguous &&
            ref->given == other.ref->given);
  case ValueKind::List:
  case ValueKind::Dict:
  case ValueKind::Object:
    return id == other.id;
  case ValueKind::Optional:
    return value == other.value && getPayload().same(other.getPayload());
  case ValueKind::Tuple:
  case ValueKind::Pieces:
  case ValueKind::String:
    if (attr != other.attr || getElements().size() != other.getElements().size())
      return false;
    if (parts == other.parts)
      return true;
    return llvm::all_of(llvm::zip_equal(getElements(), other.getElements()),
                        [](auto pair) { return std::get<0>(pair).same(std::get<1>(pair)); });
  default:
    return attr == other.attr && value == other.value;
  }
}

StringRef specialize::kindName(ValueKind kind) {
  switch (kind) {
  case ValueKind::Uninitialized:
    return "an uninitialized value";
  case ValueKind::Unknown:
    return "an unknown value";
  case ValueKind::None:
    return "None";
  case ValueKind::Tensor:
    return "Tensor";
  case ValueKind::Int:
    return "int";
  case ValueKind::Float:
    return "float";
  case ValueKind::Bool:
    return "bool";
  case ValueKind::String:
    return "str";
  case ValueKind::Device:
    return "Device";
  case ValueKind::List:
    return "List";
  case ValueKind::Pieces:
    return "List of a length known only at run time";
  case ValueKind::Tuple:
    return "Tuple";
  case ValueKind::Dict:
    return "Dict";
  case ValueKind::Object:
    return "object";
  case ValueKind::Enum:
    return "Enum";
  case ValueKind::Function:
    return "function";
  case ValueKind::Optional:
    return "Optional";
  case ValueKind::Text:
    return "str known only at run time";
  }
  llvm_unreachable("all kinds covered");
}

StringRef SpecValue::kindName() const { return specialize::kindName(valueKind); }
