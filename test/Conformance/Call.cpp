//===- Call.cpp - Calls a compiled model through the C interface ----------===//

#include "Call.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>
#include <memory>

using namespace llvm;

namespace conformance {

/// In the order of tl_dtype.
static constexpr const char *typeNames[] = {"f32", "f64", "f16", "bf16", "i8",  "i16",
                                            "i32", "i64", "ui8", "i1",   "c64", "c128"};

static Error makeError(const Twine &text) {
  return createStringError(inconvertibleErrorCode(), text);
}

namespace {
/// A manifest value as an argument: tensors refer to the value's own bytes.
class Argument {
public:
  explicit Argument(Value &value) : argument(convert(value)) {}
  const tl_value &get() const { return argument; }

private:
  tl_value convert(Value &value) {
    switch (value.kind) {
    case Value::Kind::None:
      return tl_none();
    case Value::Kind::Int:
      return tl_int(value.integer);
    case Value::Kind::Bool:
      return tl_bool(value.integer != 0);
    case Value::Kind::Float:
      return tl_float(value.number);
    case Value::Kind::String:
      return tl_string(value.text.c_str());
    case Value::Kind::Tensor: {
      auto dtype = static_cast<tl_dtype>(llvm::find(typeNames, value.text) - std::begin(typeNames));
      tensors.push_back(std::make_unique<DLTensor>(
          tl_dltensor(value.bytes.data(), dtype, value.sizes.size(), value.sizes.data())));
      return tl_tensor(tensors.back().get());
    }
    case Value::Kind::List:
    case Value::Kind::Tuple:
    case Value::Kind::Dict:
      break;
    }
    auto items = std::make_unique<tl_value[]>(value.elements.size());
    for (size_t i = 0; i < value.elements.size(); ++i)
      items[i] = convert(value.elements[i]);
    lists.push_back(std::move(items));
    size_t count = value.elements.size();
    return value.kind == Value::Kind::List    ? tl_list(lists.back().get(), count)
           : value.kind == Value::Kind::Tuple ? tl_tuple(lists.back().get(), count)
                                              : tl_dict(lists.back().get(), count / 2);
  }

  std::vector<std::unique_ptr<DLTensor>> tensors;
  std::vector<std::unique_ptr<tl_value[]>> lists;
  tl_value argument;
};
} // namespace

static StringRef getTypeName(DLDataType type) {
  for (int i = TL_F32; i <= TL_COMPLEX128; ++i) {
    DLDataType candidate = tl_dltensor(nullptr, static_cast<tl_dtype>(i), 0, nullptr).dtype;
    if (candidate.code == type.code && candidate.bits == type.bits)
      return typeNames[i];
  }
  return "unknown";
}

static Value readResult(const tl_value &result) {
  Value value;
  switch (result.kind) {
  case TL_INT:
    value.kind = Value::Kind::Int;
    value.integer = result.as.i;
    return value;
  case TL_FLOAT:
    value.kind = Value::Kind::Float;
    value.number = result.as.f;
    return value;
  case TL_BOOL:
    value.kind = Value::Kind::Bool;
    value.integer = result.as.b;
    return value;
  case TL_STRING:
    value.kind = Value::Kind::String;
    value.text = result.as.string.data;
    return value;
  case TL_TENSOR: {
    const DLTensor &tensor = *result.as.tensor.tensor;
    value.kind = Value::Kind::Tensor;
    value.text = getTypeName(tensor.dtype).str();
    value.sizes.assign(tensor.shape, tensor.shape + tensor.ndim);
    // Results are contiguous.
    value.bytes.resize(value.getNumElements() * getElementBytes(value.text));
    if (!value.bytes.empty())
      std::memcpy(value.bytes.data(), static_cast<char *>(tensor.data) + tensor.byte_offset,
                  value.bytes.size());
    return value;
  }
  case TL_LIST:
  case TL_TUPLE:
  case TL_DICT: {
    value.kind = result.kind == TL_LIST    ? Value::Kind::List
                 : result.kind == TL_TUPLE ? Value::Kind::Tuple
                                           : Value::Kind::Dict;
    size_t count = result.as.items.count * (result.kind == TL_DICT ? 2 : 1);
    for (size_t i = 0; i < count; ++i)
      value.elements.push_back(readResult(result.as.items.data[i]));
    return value;
  }
  default:
    return value;
  }
}

Expected<Value> callForward(const tl_model *model, MutableArrayRef<Value> inputs,
                            std::optional<int64_t> seed) {
  tl_error error;
  tl_options options = {};
  options.threads = 1;
  tl_instance *instance = nullptr;
  if (tl_instance_create(model, &options, &instance, &error))
    return makeError(error.message);
  if (seed)
    tl_instance_seed(instance, static_cast<uint64_t>(*seed), nullptr);
  std::vector<Argument> arguments(inputs.begin(), inputs.end());
  std::vector<tl_value> values;
  for (const Argument &argument : arguments)
    values.push_back(argument.get());
  tl_value result = tl_none();
  tl_status status = tl_call(instance, "forward", values.data(), values.size(), &result, &error);
  if (status) {
    tl_instance_destroy(instance);
    return makeError(Twine(tl_status_name(status)) + ": " + error.message);
  }
  Value value = readResult(result);
  tl_value_clear(&result);
  tl_instance_destroy(instance);
  return value;
}

} // namespace conformance
