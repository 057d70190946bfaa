//===- Invoke.h - Arguments of LibTorch's operators -------------*- C++ -*-===//
//
// Shared by the fallback library and by what asks LibTorch at compile time.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_FALLBACK_INVOKE_H
#define TORCHLITE_LIB_FALLBACK_INVOKE_H

#include "CallText.h"
#include "torch/csrc/jit/runtime/operator.h"
#include <functional>

namespace torchlite::fallback {

/// The operator of a schema, or null.
std::shared_ptr<torch::jit::Operator> findOperator(const std::string &name,
                                                   const std::string &overload);

/// The arguments of a call in the schema's types; `operand` gives the next operand. Throws where a
/// value does not fit its argument.
torch::jit::Stack makeArguments(const c10::FunctionSchema &schema,
                                const std::vector<Entry> &arguments,
                                const std::function<c10::IValue(const Entry &)> &operand);

} // namespace torchlite::fallback

#endif // TORCHLITE_LIB_FALLBACK_INVOKE_H
