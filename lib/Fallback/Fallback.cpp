//===- Fallback.cpp - libTorchLiteFallback.so -----------------------------===//
//
// Calls LibTorch's operators for compiled models: runtime/include/TorchLite/Runtime/Fallback.h,
// docs/Fallback.md. What a call's text says is worked out once for all calls.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Runtime/Fallback.h"
#include "Invoke.h"

#include <ATen/core/ivalue.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <torch/version.h>
#include <unordered_map>

using namespace torchlite::fallback;

namespace {

struct Call {
  CallText text;
  std::shared_ptr<torch::jit::Operator> op;
  mutable torch::jit::Operation run; // keeps nothing between calls
};

struct Results {
  std::vector<at::Tensor> tensors;
};

} // namespace

/// The call that a text says. Calls stay for good: there are as many as places in programs.
static const Call &prepare(const char *text) {
  static std::shared_mutex lock;
  static std::unordered_map<std::string, Call> calls;
  std::string key(text);
  {
    std::shared_lock<std::shared_mutex> reading(lock);
    if (auto found = calls.find(key); found != calls.end())
      return found->second;
  }
  Call call{parseCall(text), nullptr, nullptr};
  call.op = findOperator(call.text.name, call.text.overload);
  TORCH_CHECK(call.op, "no library that is loaded has this operator");
  call.run = call.op->getOperation();
  std::unique_lock<std::shared_mutex> writing(lock);
  return calls.try_emplace(std::move(key), std::move(call)).first->second;
}

/// A tensor operand: where it is if it is contiguous there. The compiler makes parts of tensors
/// where PyTorch has tensors of their own, and operators may rely on how these lie in memory.
static at::Tensor viewOf(const tl_operand &operand, int rank, int elementType) {
  void *data = const_cast<void *>(operand.as.data);
  at::IntArrayRef sizes(operand.sizes, rank), strides(operand.strides, rank);
  auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(elementType));
  at::Tensor whole = at::from_blob(data, sizes, options); // of the strides that go with the sizes
  if (at::Tensor view = at::from_blob(data, sizes, strides, options); !view.is_contiguous())
    return view.contiguous();
  return whole;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

namespace {

/// Compares what an operator gave with what was expected when the model was compiled.
struct Reader {
  Results &results;
  int64_t *numbers;

  void read(const c10::IValue &value, const Entry &entry, const std::string &where);
  void readTensor(const at::Tensor &tensor, const Entry &entry, const std::string &where);
  void addNumber(const void *bits) { memcpy(numbers++, bits, 8); }
};

} // namespace

static std::string describe(const at::Tensor &tensor) {
  std::ostringstream text;
  text << "a tensor of " << tensor.scalar_type() << " with sizes " << tensor.sizes();
  return text.str();
}

void Reader::readTensor(const at::Tensor &tensor, const Entry &entry, const std::string &where) {
  TORCH_CHECK(tensor.defined() && tensor.layout() == at::kStrided && tensor.device().is_cpu() &&
                  !tensor.is_quantized(),
              where, " is no dense tensor on the processor");
  bool fits =
      static_cast<int>(tensor.scalar_type()) == entry.elementType && tensor.dim() == entry.rank;
  for (int dim = 0; fits && dim < entry.rank; ++dim)
    fits = entry.sizes[dim] < 0 || entry.sizes[dim] == tensor.size(dim);
  if (!fits) {
    std::ostringstream expected;
    for (int64_t size : entry.sizes)
      expected << (size < 0 ? "?" : std::to_string(size)) << "x";
    TORCH_CHECK(false, where, " is ", describe(tensor), ", but the model was compiled for ",
                expected.str(), static_cast<at::ScalarType>(entry.elementType));
  }
  for (int dim = 0; dim < entry.rank; ++dim)
    if (int64_t size = tensor.size(dim); entry.sizes[dim] < 0)
      addNumber(&size);
  results.tensors.push_back(tensor);
}

void Reader::read(const c10::IValue &value, const Entry &entry, const std::string &where) {
  switch (entry.kind) {
  case Entry::Kind::Tensor:
    TORCH_CHECK(value.isTensor(), where, " is expected to be a tensor, but is ", value.tagKind());
    return readTensor(value.toTensor(), entry, where);
  case Entry::Kind::Int: {
    TORCH_CHECK(value.isInt(), where, " is expected to be an int, but is ", value.tagKind());
    int64_t number = value.toInt();
    return addNumber(&number);
  }
  case Entry::Kind::Bool: {
    TORCH_CHECK(value.isBool(), where, " is expected to be a bool, but is ", value.tagKind());
    int64_t number = value.toBool();
    return addNumber(&number);
  }
  case Entry::Kind::Float: {
    TORCH_CHECK(value.isDouble(), where, " is expected to be a float, but is ", value.tagKind());
    double number = value.toDouble();
    return addNumber(&number);
  }
  case Entry::Kind::None:
    TORCH_CHECK(value.isNone() || (value.isTensor() && !value.toTensor().defined()), where,
                " is expected to be None, but is ", value.tagKind());
    return;
  case Entry::Kind::List: {
    TORCH_CHECK(value.isList(), where, " is expected to be a list, but is ", value.tagKind());
    auto elements = value.toListRef();
    TORCH_CHECK(elements.size() == entry.elements.size(), where, " has ", elements.size(),
                " elements, but the model was compiled for ", entry.elements.size());
    for (size_t i = 0; i < elements.size(); ++i)
      read(elements[i], entry.elements[i], where + "[" + std::to_string(i) + "]");
    return;
  }
  default:
    return;
  }
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

/// Writes to one of two tensors that share memory would be seen in the other, which the model was
/// not compiled for.
static void checkApart(const std::vector<at::Tensor> &results,
                       const std::vector<at::Tensor> &operands) {
  for (size_t i = 0; i < results.size(); ++i) {
    for (const at::Tensor &operand : operands)
      TORCH_CHECK(!results[i].is_alias_of(operand), "result ", i,
                  " shares memory with an argument, which was not to be expected");
    for (size_t other = 0; other < i; ++other)
      TORCH_CHECK(!results[i].is_alias_of(results[other]), "result ", i,
                  " shares memory with another, which was not to be expected");
  }
}

static Results *callOperator(const char *text, const tl_operand *operands, int64_t *numbers) {
  const Call &call = prepare(text);
  c10::InferenceMode guard;
  const std::vector<size_t> &writes = call.text.writes;
  std::vector<at::Tensor> written(writes.size());
  std::vector<size_t> ranks(writes.size());
  std::vector<at::Tensor> given;
  size_t next = 0;
  torch::jit::Stack stack =
      makeArguments(call.op->schema(), call.text.arguments, [&](const Entry &entry) -> c10::IValue {
        const tl_operand &operand = operands[next++];
        if (entry.kind == Entry::Kind::Int)
          return operand.as.i;
        if (entry.kind == Entry::Kind::Bool)
          return operand.as.i != 0;
        if (entry.kind == Entry::Kind::Float)
          return operand.as.f;
        at::Tensor tensor = viewOf(operand, entry.rank, entry.elementType);
        for (size_t i = 0; i < writes.size(); ++i)
          if (writes[i] == next - 1)
            tensor = written[i] = tensor.clone(), ranks[i] = static_cast<size_t>(entry.rank);
        if (entry.kind == Entry::Kind::NumberTensor)
          tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
        given.push_back(tensor);
        return tensor;
      });
  call.run(stack);
  auto results = std::make_unique<Results>();
  Reader reader{*results, numbers};
  TORCH_CHECK(stack.size() == call.text.results.size(), "it gave ", stack.size(),
              " results, but the model was compiled for ", call.text.results.size());
  for (size_t i = 0; i < stack.size(); ++i)
    reader.read(stack[i], call.text.results[i], "result " + std::to_string(i));
  if (!call.text.mayAlias)
    checkApart(results->tensors, given);
  // The model may write over what it has passed before it takes the results.
  for (at::Tensor &result : results->tensors)
    for (const at::Tensor &operand : given)
      if (result.is_alias_of(operand)) {
        result = result.clone();
        break;
      }
  for (size_t i = 0; i < writes.size(); ++i) {
    bool isSame = written[i].sizes() == at::IntArrayRef(operands[writes[i]].sizes, ranks[i]);
    TORCH_CHECK(isSame, "it changes the sizes of an argument, which is not supported");
    results->tensors.push_back(written[i]);
  }
  return results.release();
}

/// Runs a function; what it throws becomes the message.
template <typename Function>
static auto guarded(char *message, size_t size, Function run) -> decltype(run()) {
  try {
    return run();
  } catch (const c10::Error &error) {
    snprintf(message, size, "%s", error.what_without_backtrace());
  } catch (const std::exception &error) {
    snprintf(message, size, "%s", error.what());
  } catch (...) {
    snprintf(message, size, "an exception of a kind that is not known");
  }
  return {};
}

static void *call(const char *text, const tl_operand *operands, int64_t *numbers, char *message,
                  size_t size) {
  return guarded(message, size, [&]() -> void * { return callOperator(text, operands, numbers); });
}

static int knows(const char *text) {
  char message[256];
  return guarded(message, sizeof message, [&] { return prepare(text).op ? 1 : 0; });
}

static int copy(void *given, int64_t index, void *data, const int64_t *strides, char *message,
                size_t size) {
  return guarded(message, size, [&] {
    c10::InferenceMode guard;
    const at::Tensor &from = static_cast<Results *>(given)->tensors[static_cast<size_t>(index)];
    at::from_blob(data, from.sizes(), at::IntArrayRef(strides, from.dim()), from.dtype())
        .copy_(from);
    return 1;
  });
}

static void release(void *given) { delete static_cast<Results *>(given); }

extern "C" __attribute__((visibility("default"))) const tl_fallback_table *tl_fallback(void) {
  static const tl_fallback_table table = {
      TL_FALLBACK_VERSION, TORCH_VERSION, knows, call, copy, release};
  return &table;
}
