//===- Reference.cpp - Comparison of values -------------------------------===//
#include "TorchLite/Driver/Reference.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstring>

namespace torchlite::driver {
using namespace llvm;

static std::string describe(const DLTensor &tensor) {
  std::string text;
  for (int32_t i = 0; i < tensor.ndim; ++i)
    text += std::to_string(tensor.shape[i]) + "x";
  static const char *const codes[] = {"i", "ui", "f", "handle", "bf", "complex", "bool"};
  return text + (tensor.dtype.code < 7 ? codes[tensor.dtype.code] : "?") +
         std::to_string(tensor.dtype.bits);
}

/// Address of element `index` in row-major order.
static const char *elementAt(const DLTensor &tensor, int64_t index) {
  int64_t offset = 0, stride = 1;
  for (int32_t d = tensor.ndim - 1; d >= 0; --d) {
    int64_t size = tensor.shape[d];
    offset += index % size * (tensor.strides ? tensor.strides[d] : stride);
    index /= size;
    stride *= size;
  }
  return static_cast<const char *>(tensor.data) + tensor.byte_offset +
         offset * (tensor.dtype.bits / 8);
}

template <typename T> static double read(const char *at) {
  T value;
  memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

static double readFloat(const char *at, DLDataType type) {
  if (type.bits == 64)
    return read<double>(at);
  if (type.bits == 32)
    return read<float>(at);
  uint16_t bits;
  memcpy(&bits, at, sizeof bits);
  const fltSemantics &semantics = type.code == kDLBfloat ? APFloat::BFloat() : APFloat::IEEEhalf();
  APFloat value(semantics, APInt(16, bits));
  bool lossy;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return value.convertToDouble();
}

static bool isClose(double actual, double expected, double rtol, double atol) {
  if (std::isnan(expected) || std::isnan(actual))
    return std::isnan(expected) && std::isnan(actual);
  if (std::isinf(expected) || std::isinf(actual))
    return expected == actual;
  return std::fabs(actual - expected) <= atol + rtol * std::fabs(expected);
}

static std::string number(double value) {
  char text[40];
  snprintf(text, sizeof text, "%.9g", value);
  return text;
}

static std::string compareTensors(const DLTensor &actual, const DLTensor &expected, StringRef where,
                                  double rtol, double atol) {
  bool sameSizes = actual.ndim == expected.ndim &&
                   std::equal(actual.shape, actual.shape + actual.ndim, expected.shape);
  if (!sameSizes || actual.dtype.code != expected.dtype.code ||
      actual.dtype.bits != expected.dtype.bits)
    return (where + ": expected " + describe(expected) + ", but got " + describe(actual)).str();
  int64_t count = 1;
  for (int32_t i = 0; i < expected.ndim; ++i)
    count *= expected.shape[i];
  DLDataType type = expected.dtype;
  bool isComplex = type.code == kDLComplex;
  bool isFloat = type.code == kDLFloat || type.code == kDLBfloat || isComplex;
  // Complex numbers are compared by their halves.
  DLDataType part = type;
  if (isComplex)
    part.bits = static_cast<uint8_t>(type.bits / 2);
  double scale = type.code == kDLBfloat ? 100 : part.bits == 16 ? 20 : 1;
  int64_t wrong = 0, first = -1;
  double worst = 0, actualThere = 0, expectedThere = 0;
  for (int64_t i = 0; i < count; ++i) {
    const char *a = elementAt(actual, i), *e = elementAt(expected, i);
    bool close = true;
    if (type.code == kDLBool) {
      close = (*a != 0) == (*e != 0); // any other byte is true as well
    } else if (!isFloat) {
      close = memcmp(a, e, type.bits / 8) == 0;
    } else {
      for (int half = 0; half < (isComplex ? 2 : 1); ++half) {
        double x = readFloat(a + half * part.bits / 8, part);
        double y = readFloat(e + half * part.bits / 8, part);
        if (isClose(x, y, rtol * scale, atol * scale))
          continue;
        close = false;
        double difference = std::fabs(x - y);
        if (first < 0 || difference > worst) {
          worst = difference;
          actualThere = x;
          expectedThere = y;
          first = i;
        }
      }
    }
    if (!close && !isFloat && first < 0)
      first = i;
    wrong += !close;
  }
  if (!wrong)
    return "";
  std::string text =
      (where + ": " + Twine(wrong) + " of " + Twine(count) + " elements differ").str();
  if (isFloat)
    text += ", by up to " + number(worst) + " (element " + std::to_string(first) + ": expected " +
            number(expectedThere) + ", but got " + number(actualThere) + ")";
  else
    text += " (first: element " + std::to_string(first) + ")";
  return text;
}

std::string compareValues(const tl_value &actual, const tl_value &expected, StringRef where,
                          double rtol, double atol) {
  static const char *const kinds[] = {"none",   "int",  "float", "bool", "str",
                                      "tensor", "list", "tuple", "dict"};
  if (actual.kind != expected.kind)
    return (where + ": expected " + kinds[expected.kind] + ", but got " + kinds[actual.kind]).str();
  switch (expected.kind) {
  case TL_INT:
    if (actual.as.i != expected.as.i)
      return (where + ": expected " + Twine(expected.as.i) + ", but got " + Twine(actual.as.i))
          .str();
    return "";
  case TL_BOOL:
    if (actual.as.b != expected.as.b)
      return (where + ": expected " + (expected.as.b ? "true" : "false") + ", but got the other")
          .str();
    return "";
  case TL_FLOAT:
    if (!isClose(actual.as.f, expected.as.f, rtol, atol))
      return (where + ": expected " + number(expected.as.f) + ", but got " + number(actual.as.f))
          .str();
    return "";
  case TL_STRING:
    if (StringRef(actual.as.string.data) != expected.as.string.data)
      return (where + ": expected \"" + expected.as.string.data + "\", but got \"" +
              actual.as.string.data + "\"")
          .str();
    return "";
  case TL_TENSOR:
    return compareTensors(*actual.as.tensor.tensor, *expected.as.tensor.tensor, where, rtol, atol);
  case TL_LIST:
  case TL_TUPLE:
  case TL_DICT:
    break;
  default:
    return "";
  }
  if (actual.as.items.count != expected.as.items.count)
    return (where + ": expected " + Twine(expected.as.items.count) + " items, but got " +
            Twine(actual.as.items.count))
        .str();
  size_t count = expected.as.items.count * (expected.kind == TL_DICT ? 2 : 1);
  for (size_t i = 0; i < count; ++i) {
    std::string difference = compareValues(actual.as.items.data[i], expected.as.items.data[i],
                                           (where + "[" + Twine(i) + "]").str(), rtol, atol);
    if (!difference.empty())
      return difference;
  }
  return "";
}

} // namespace torchlite::driver
