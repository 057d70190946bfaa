//===- Reference.cpp - Running archives with LibTorch ---------------------===//
#include "TorchLite/Import/Reference.h"

#include "torch/csrc/jit/api/module.h"
#include "torch/csrc/jit/runtime/graph_executor.h"
#include "torch/csrc/jit/serialization/import.h"
#include <ATen/Context.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <deque>

using namespace llvm;

namespace {

at::ScalarType scalarType(DLDataType type) {
  switch (type.code << 8 | type.bits) {
  case kDLFloat << 8 | 64:
    return at::kDouble;
  case kDLFloat << 8 | 16:
    return at::kHalf;
  case kDLBfloat << 8 | 16:
    return at::kBFloat16;
  case kDLInt << 8 | 8:
    return at::kChar;
  case kDLInt << 8 | 16:
    return at::kShort;
  case kDLInt << 8 | 32:
    return at::kInt;
  case kDLInt << 8 | 64:
    return at::kLong;
  case kDLUInt << 8 | 8:
    return at::kByte;
  case kDLBool << 8 | 8:
    return at::kBool;
  case kDLComplex << 8 | 64:
    return at::kComplexFloat;
  case kDLComplex << 8 | 128:
    return at::kComplexDouble;
  default:
    return at::kFloat;
  }
}

std::optional<tl_dtype> dtypeOf(at::ScalarType type) {
  switch (type) {
  case at::kFloat:
    return TL_F32;
  case at::kDouble:
    return TL_F64;
  case at::kHalf:
    return TL_F16;
  case at::kBFloat16:
    return TL_BF16;
  case at::kChar:
    return TL_I8;
  case at::kShort:
    return TL_I16;
  case at::kInt:
    return TL_I32;
  case at::kLong:
    return TL_I64;
  case at::kByte:
    return TL_UI8;
  case at::kBool:
    return TL_I1;
  case at::kComplexFloat:
    return TL_COMPLEX64;
  case at::kComplexDouble:
    return TL_COMPLEX128;
  default:
    return std::nullopt;
  }
}

/// A value for LibTorch, of the declared type where containers need one. Tensors are copied.
c10::IValue toTorch(const tl_value &value, const c10::TypePtr &type) {
  switch (value.kind) {
  case TL_INT:
    if (type->kind() == c10::TypeKind::FloatType)
      return static_cast<double>(value.as.i);
    return value.as.i;
  case TL_FLOAT:
    return value.as.f;
  case TL_BOOL:
    return value.as.b;
  case TL_STRING:
    if (type->kind() == c10::TypeKind::DeviceObjType)
      return c10::Device(value.as.string.data);
    return std::string(value.as.string.data);
  case TL_TENSOR: {
    const DLTensor &tensor = *value.as.tensor.tensor;
    at::IntArrayRef sizes(tensor.shape, tensor.ndim);
    void *data = static_cast<char *>(tensor.data) + tensor.byte_offset;
    auto options = at::TensorOptions().dtype(scalarType(tensor.dtype));
    if (tensor.strides)
      return at::from_blob(data, sizes, at::IntArrayRef(tensor.strides, tensor.ndim), options)
          .clone();
    return at::from_blob(data, sizes, options).clone();
  }
  case TL_LIST:
  case TL_TUPLE:
  case TL_DICT:
    break;
  default:
    return c10::IValue();
  }
  c10::TypePtr expected = type;
  if (auto optional = expected->cast<c10::OptionalType>())
    expected = optional->getElementType();
  tl_value *items = value.as.items.data;
  if (value.kind == TL_TUPLE) {
    auto tuple = expected->cast<c10::TupleType>();
    std::vector<c10::IValue> elements;
    for (size_t i = 0; i < value.as.items.count; ++i)
      elements.push_back(toTorch(items[i], tuple && i < tuple->elements().size()
                                               ? tuple->elements()[i]
                                               : c10::AnyType::get()));
    return c10::ivalue::Tuple::create(std::move(elements));
  }
  if (value.kind == TL_LIST) {
    auto list = expected->cast<c10::ListType>();
    TORCH_CHECK(list, "a list was given for ", expected->str());
    c10::impl::GenericList elements(list->getElementType());
    for (size_t i = 0; i < value.as.items.count; ++i)
      elements.push_back(toTorch(items[i], list->getElementType()));
    return elements;
  }
  auto dict = expected->cast<c10::DictType>();
  TORCH_CHECK(dict, "a dict was given for ", expected->str());
  c10::impl::GenericDict elements(dict->getKeyType(), dict->getValueType());
  for (size_t i = 0; i < value.as.items.count; ++i)
    elements.insert_or_assign(toTorch(items[2 * i], dict->getKeyType()),
                              toTorch(items[2 * i + 1], dict->getValueType()));
  return elements;
}

class TorchReference final : public torchlite::driver::Reference {
public:
  explicit TorchReference(torch::jit::Module module) : module(std::move(module)) {}

  void seed(uint64_t seed) override { at::manual_seed(seed); }

  Error call(StringRef name, ArrayRef<tl_value> arguments, tl_value &result,
             ArrayRef<tl_value> &changed) override {
    std::string message;
    try {
      c10::InferenceMode guard;
      // What the program says counts, not what LibTorch's optimiser makes of it: that is wrong at
      // times, and then only from the second call on.
      torch::jit::GraphOptimizerEnabledGuard asWritten(false);
      tensors.clear();
      strings.clear();
      containers.clear();
      auto method = module.find_method(name.str());
      if (!method)
        return createStringError(inconvertibleErrorCode(), "no method '" + name + "'");
      const auto &schema = method->function().getSchema();
      std::vector<c10::IValue> stack;
      for (size_t i = 0; i < arguments.size(); ++i)
        stack.push_back(toTorch(arguments[i], i + 1 < schema.arguments().size()
                                                  ? schema.arguments()[i + 1].type()
                                                  : c10::AnyType::get()));
      std::vector<c10::IValue> given = stack;
      c10::IValue output = (*method)(std::move(stack));
      result = fromTorch(output);
      after.clear();
      for (const c10::IValue &value : given)
        after.push_back(fromTorch(value));
      changed = after;
      return Error::success();
    } catch (const c10::Error &error) {
      message = error.what_without_backtrace();
    } catch (const std::exception &error) {
      message = error.what();
    }
    return createStringError(inconvertibleErrorCode(), message);
  }

private:
  /// The value as TorchLite has it; what it refers to lives until the next call.
  tl_value fromTorch(const c10::IValue &value);
  tl_value items(tl_kind kind, std::vector<tl_value> elements, size_t count) {
    containers.push_back(std::move(elements));
    return tl_items(kind, containers.back().data(), count);
  }

  struct HeldTensor {
    at::Tensor tensor;
    DLTensor view;
  };
  torch::jit::Module module;
  std::deque<HeldTensor> tensors;
  std::deque<std::string> strings;
  std::deque<std::vector<tl_value>> containers;
  std::vector<tl_value> after;
};

tl_value TorchReference::fromTorch(const c10::IValue &value) {
  if (value.isNone())
    return tl_none();
  if (value.isBool())
    return tl_bool(value.toBool());
  if (value.isInt())
    return tl_int(value.toInt());
  if (value.isDouble())
    return tl_float(value.toDouble());
  if (value.isString() || value.isDevice()) {
    strings.push_back(value.isString() ? value.toStringRef() : value.toDevice().str());
    return tl_string(strings.back().c_str());
  }
  if (value.isTensor()) {
    tensors.push_back({value.toTensor().detach().resolve_conj().resolve_neg().contiguous(), {}});
    HeldTensor &held = tensors.back();
    std::optional<tl_dtype> dtype = dtypeOf(held.tensor.scalar_type());
    TORCH_CHECK(dtype, "a tensor of ", held.tensor.scalar_type(), " cannot be compared");
    held.view = tl_dltensor(held.tensor.data_ptr(), *dtype, held.tensor.dim(),
                            const_cast<int64_t *>(held.tensor.sizes().data()));
    return tl_tensor(&held.view);
  }
  std::vector<tl_value> elements;
  if (value.isTuple()) {
    for (const c10::IValue &element : value.toTupleRef().elements())
      elements.push_back(fromTorch(element));
    size_t count = elements.size();
    return items(TL_TUPLE, std::move(elements), count);
  }
  if (value.isList()) {
    for (const c10::IValue &element : value.toListRef())
      elements.push_back(fromTorch(element));
    size_t count = elements.size();
    return items(TL_LIST, std::move(elements), count);
  }
  if (value.isGenericDict()) {
    for (const auto &entry : value.toGenericDict()) {
      elements.push_back(fromTorch(entry.key()));
      elements.push_back(fromTorch(entry.value()));
    }
    size_t count = elements.size() / 2;
    return items(TL_DICT, std::move(elements), count);
  }
  TORCH_CHECK(false, "a value of kind ", value.tagKind(), " cannot be compared");
}

} // namespace

Expected<std::unique_ptr<torchlite::driver::Reference>>
torchlite::loadTorchReference(StringRef path) {
  std::string message;
  try {
    torch::jit::Module module = torch::jit::load(path.str(), at::Device(at::kCPU));
    return std::make_unique<TorchReference>(std::move(module));
  } catch (const c10::Error &error) {
    message = error.what_without_backtrace();
  } catch (const std::exception &error) {
    message = error.what();
  }
  StringRef first = StringRef(message).split("\nException raised from").first;
  return createStringError(inconvertibleErrorCode(), path + ": LibTorch cannot load it: " + first);
}
