//===- Value.cpp - Values of the conformance manifest ---------------------===//

#include "Value.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>

using namespace llvm;

namespace conformance {

int64_t getElementBytes(StringRef elementType) {
  return StringSwitch<int64_t>(elementType)
      .Cases({"i1", "i8", "ui8"}, 1)
      .Cases({"i16", "f16", "bf16"}, 2)
      .Cases({"i32", "f32"}, 4)
      .Cases({"i64", "f64", "c64"}, 8)
      .Case("c128", 16)
      .Default(0);
}

static Error makeError(const Twine &text) {
  return createStringError(inconvertibleErrorCode(), text);
}

static Expected<Value> parseTensor(const json::Object &object, StringRef data) {
  Value value;
  value.kind = Value::Kind::Tensor;
  value.text = object.getString("tensor")->str();
  const json::Array *sizes = object.getArray("sizes");
  std::optional<int64_t> offset = object.getInteger("offset");
  int64_t elementBytes = getElementBytes(value.text);
  if (!sizes || !offset || !elementBytes)
    return makeError("malformed tensor in the manifest");
  for (const json::Value &size : *sizes)
    value.sizes.push_back(*size.getAsInteger());
  size_t bytes = value.getNumElements() * elementBytes;
  if (*offset + bytes > data.size())
    return makeError("tensor beyond the end of data.bin");
  value.bytes = data.substr(*offset, bytes).str();
  return value;
}

Expected<Value> parseValue(const json::Value &json, StringRef data) {
  Value value;
  if (json.getAsNull())
    return value;
  if (std::optional<bool> flag = json.getAsBoolean()) {
    value.kind = Value::Kind::Bool;
    value.integer = *flag;
    return value;
  }
  if (std::optional<int64_t> integer = json.getAsInteger()) {
    value.kind = Value::Kind::Int;
    value.integer = *integer;
    return value;
  }
  if (std::optional<StringRef> text = json.getAsString()) {
    value.kind = Value::Kind::String;
    value.text = text->str();
    return value;
  }
  const json::Object *object = json.getAsObject();
  if (!object)
    return makeError("unknown value in the manifest");
  if (object->getString("tensor"))
    return parseTensor(*object, data);
  if (std::optional<StringRef> number = object->getString("float")) {
    value.kind = Value::Kind::Float;
    value.number = std::strtod(number->str().c_str(), nullptr);
    return value;
  }
  for (auto [key, kind] :
       {std::pair("list", Value::Kind::List), std::pair("tuple", Value::Kind::Tuple),
        std::pair("dict", Value::Kind::Dict)}) {
    const json::Array *elements = object->getArray(key);
    if (!elements)
      continue;
    value.kind = kind;
    auto append = [&](const json::Value &element) -> Error {
      Expected<Value> parsed = parseValue(element, data);
      if (!parsed)
        return parsed.takeError();
      value.elements.push_back(std::move(*parsed));
      return Error::success();
    };
    for (const json::Value &element : *elements) {
      if (kind != Value::Kind::Dict) {
        if (Error error = append(element))
          return std::move(error);
        continue;
      }
      for (const json::Value &half : *element.getAsArray())
        if (Error error = append(half))
          return std::move(error);
    }
    return value;
  }
  return makeError("unknown value in the manifest");
}

static StringRef getKindName(Value::Kind kind) {
  static constexpr const char *names[] = {"none",   "tensor", "int",   "bool", "float",
                                          "string", "list",   "tuple", "dict"};
  return names[static_cast<int>(kind)];
}

static double readFloat(const char *bytes, StringRef type) {
  auto convert = [&](const fltSemantics &semantics, unsigned bits, uint64_t raw) {
    APFloat value(semantics, APInt(bits, raw));
    bool lost;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return value.convertToDouble();
  };
  if (type == "f64") {
    double value;
    std::memcpy(&value, bytes, 8);
    return value;
  }
  if (type == "f32") {
    float value;
    std::memcpy(&value, bytes, 4);
    return value;
  }
  uint16_t raw;
  std::memcpy(&raw, bytes, 2);
  return type == "f16" ? convert(APFloat::IEEEhalf(), 16, raw)
                       : convert(APFloat::BFloat(), 16, raw);
}

static bool isClose(double actual, double expected, double rtol, double atol) {
  if (std::isnan(actual) || std::isnan(expected))
    return std::isnan(actual) && std::isnan(expected);
  if (std::isinf(actual) || std::isinf(expected))
    return actual == expected;
  return std::fabs(actual - expected) <= atol + rtol * std::fabs(expected);
}

/// A number with the digits that tell neighbours of f16 and of f32 apart.
static std::string formatNumber(double number) {
  char text[32];
  snprintf(text, sizeof text, "%.8g", number);
  return text;
}

/// The text of element `index` for a message.
static std::string formatElement(const std::string &bytes, StringRef type, int64_t index) {
  const char *at = bytes.data() + index * getElementBytes(type);
  if (type.starts_with("f") || type == "bf16")
    return formatNumber(readFloat(at, type));
  if (type.starts_with("c")) {
    StringRef half = type == "c64" ? "f32" : "f64";
    return formatNumber(readFloat(at, half)) + "+" +
           formatNumber(readFloat(at + getElementBytes(half), half)) + "j";
  }
  int64_t value = 0;
  std::memcpy(&value, at, getElementBytes(type));
  if (type == "i32")
    value = static_cast<int32_t>(value);
  else if (type == "i16")
    value = static_cast<int16_t>(value);
  else if (type == "i8")
    value = static_cast<int8_t>(value);
  return std::to_string(value);
}

static std::string formatType(const Value &value) {
  std::string text;
  for (int64_t size : value.sizes)
    text += std::to_string(size) + "x";
  return text + value.text;
}

static std::string compareTensors(const Value &actual, const Value &expected, bool values,
                                  const std::string &path, const Value *exact) {
  if (actual.text != expected.text || actual.sizes != expected.sizes)
    return formatv("{0} is {1}, expected {2}", path, formatType(actual), formatType(expected));
  if (!values)
    return {};
  StringRef type = expected.text;
  bool isComplex = type.starts_with("c");
  bool isFloat = type.starts_with("f") || type == "bf16" || isComplex;
  StringRef part = type == "c64" ? StringRef("f32") : type == "c128" ? StringRef("f64") : type;
  // What an f64 was computed from must not have been an f32.
  bool isDouble = type == "f64" || type == "c128";
  double rtol = type == "f16" ? 1e-3 : type == "bf16" ? 1.6e-2 : isDouble ? 1e-9 : 1e-4;
  double atol = isDouble ? 1e-10 : 1e-5;
  int64_t bytes = getElementBytes(type), partBytes = getElementBytes(part);
  auto isEqual = [&](const Value &wanted, int64_t i) {
    const char *a = actual.bytes.data() + i * bytes, *w = wanted.bytes.data() + i * bytes;
    if (!isFloat)
      return std::memcmp(a, w, bytes) == 0;
    if (!isComplex)
      return isClose(readFloat(a, part), readFloat(w, part), rtol, atol);
    double re = readFloat(w, part), im = readFloat(w + partBytes, part);
    // As torch.isclose: errors are relative to the absolute value of the number.
    double length = std::hypot(re, im), most = atol + (std::isfinite(length) ? rtol * length : 0);
    return isClose(readFloat(a, part), re, 0, most) &&
           isClose(readFloat(a + partBytes, part), im, 0, most);
  };
  bool hasExact = exact && exact->text == expected.text && exact->sizes == expected.sizes;
  for (int64_t i = 0, count = expected.getNumElements(); i < count; ++i) {
    if (isEqual(expected, i) || (hasExact && isEqual(*exact, i)))
      continue;
    std::string nearest = hasExact ? " (exactly " + formatElement(exact->bytes, type, i) + ")" : "";
    return formatv("{0}[{1}] of {2} is {3}, expected {4}{5}", path, i, formatType(expected),
                   formatElement(actual.bytes, type, i), formatElement(expected.bytes, type, i),
                   nearest);
  }
  return {};
}

std::string compare(const Value &actual, const Value &expected, bool values,
                    const std::string &path, const Value *exact) {
  if (actual.kind != expected.kind)
    return formatv("{0} is {1}, expected {2}", path, getKindName(actual.kind),
                   getKindName(expected.kind));
  switch (expected.kind) {
  case Value::Kind::None:
    return {};
  case Value::Kind::Tensor:
    return compareTensors(actual, expected, values, path, exact);
  case Value::Kind::Int:
  case Value::Kind::Bool:
    if (actual.integer == expected.integer)
      return {};
    return formatv("{0} is {1}, expected {2}", path, actual.integer, expected.integer);
  case Value::Kind::Float:
    if (isClose(actual.number, expected.number, 1e-4, 1e-5))
      return {};
    return formatv("{0} is {1}, expected {2}", path, formatNumber(actual.number),
                   formatNumber(expected.number));
  case Value::Kind::String:
    if (actual.text == expected.text)
      return {};
    return formatv("{0} is \"{1}\", expected \"{2}\"", path, actual.text, expected.text);
  case Value::Kind::List:
  case Value::Kind::Tuple:
  case Value::Kind::Dict:
    break;
  }
  if (actual.elements.size() != expected.elements.size())
    return formatv("{0} has {1} elements, expected {2}", path, actual.elements.size(),
                   expected.elements.size());
  bool hasExact = exact && exact->elements.size() == expected.elements.size();
  for (size_t i = 0; i < expected.elements.size(); ++i) {
    std::string difference =
        compare(actual.elements[i], expected.elements[i], values, path + "." + std::to_string(i),
                hasExact ? &exact->elements[i] : nullptr);
    if (!difference.empty())
      return difference;
  }
  return {};
}

} // namespace conformance
