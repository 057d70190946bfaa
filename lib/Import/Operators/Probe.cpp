//===- Probe.cpp - One run of an operator at compile time -----------------===//
#include "Probe.h"

#include <ATen/ops/diagonal.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

namespace torchlite::fallback {

/// A tensor whose elements most operators take: floats from 0 to 1, square matrices with a large
/// diagonal; integers 0 or 1.
static at::Tensor makeTensor(const std::vector<int64_t> &sizes, at::ScalarType type,
                             const Guess &guess, c10::DeviceType device) {
  auto options = at::TensorOptions().dtype(type).device(device);
  if (device == c10::DeviceType::Meta)
    return at::empty(sizes, options);
  if (!at::isFloatingType(type) && !at::isComplexType(type))
    return at::zeros(sizes, options).fill_(guess.integer == 0 ? 0 : 1);
  at::Tensor tensor = at::rand(sizes, at::TensorOptions().dtype(at::kDouble)).to(type);
  size_t rank = sizes.size();
  if (rank >= 2 && sizes[rank - 1] == sizes[rank - 2])
    at::diagonal(tensor, 0, -2, -1).add_(static_cast<double>(sizes[rank - 1]));
  return tensor;
}

static void collectTensors(const c10::IValue &value, std::vector<at::Tensor> &tensors) {
  if (value.isTensor() && value.toTensor().defined())
    tensors.push_back(value.toTensor());
  if (value.isList())
    for (const c10::IValue &element : value.toListRef())
      collectTensors(element, tensors);
}

Probe runProbe(torch::jit::Operator &op, const std::vector<Entry> &arguments,
               const std::vector<OperandForm> &forms, const std::vector<int64_t> &writes,
               const Guess &guess, c10::DeviceType device) {
  c10::InferenceMode guard;
  size_t next = 0;
  std::vector<at::Tensor> operands, before; // null where it may change
  std::vector<std::vector<int64_t>> operandSizes;
  torch::jit::Stack stack =
      makeArguments(op.schema(), arguments, [&](const Entry &entry) -> c10::IValue {
        const OperandForm &form = forms[next++];
        if (entry.kind == Entry::Kind::Int)
          return guess.integer;
        if (entry.kind == Entry::Kind::Float)
          return guess.number;
        if (entry.kind == Entry::Kind::Bool)
          return guess.boolean;
        std::vector<int64_t> sizes = form.sizes;
        for (int64_t &size : sizes)
          size = size < 0 ? guess.size : size;
        at::Tensor tensor =
            makeTensor(sizes, static_cast<at::ScalarType>(entry.elementType), guess, device);
        if (entry.kind == Entry::Kind::NumberTensor)
          tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
        bool mayChange = device == c10::DeviceType::Meta ||
                         std::find(writes.begin(), writes.end(), next - 1) != writes.end();
        before.push_back(mayChange ? at::Tensor() : tensor.clone());
        operands.push_back(tensor);
        operandSizes.push_back(std::move(sizes));
        return tensor;
      });
  // A device that the program names is where its tensors are.
  if (device == c10::DeviceType::Meta)
    for (c10::IValue &value : stack)
      if (value.isDevice())
        value = c10::Device(c10::DeviceType::Meta);
  op.getOperation()(stack);
  Probe probe;
  probe.results = std::move(stack);
  for (size_t i = 0; i < operands.size(); ++i) {
    probe.changesRank |= operands[i].dim() != static_cast<int64_t>(operandSizes[i].size());
    probe.changesSizes |= operands[i].sizes() != at::IntArrayRef(operandSizes[i]);
    probe.writesOther |= before[i].defined() && !before[i].equal(operands[i]);
  }
  std::vector<at::Tensor> given;
  for (const c10::IValue &value : probe.results)
    collectTensors(value, given);
  auto share = [](const at::Tensor &a, const at::Tensor &b) {
    return a.has_storage() && b.has_storage() && a.is_alias_of(b);
  };
  for (size_t i = 0; i < given.size(); ++i) {
    for (const at::Tensor &operand : operands)
      probe.aliases |= share(given[i], operand);
    for (size_t other = 0; other < i; ++other)
      probe.aliases |= share(given[i], given[other]);
  }
  return probe;
}

} // namespace torchlite::fallback
