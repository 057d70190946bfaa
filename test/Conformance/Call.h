//===- Call.h - Calls a compiled model through the C interface ------------===//
#ifndef TORCHLITE_TEST_CONFORMANCE_CALL_H
#define TORCHLITE_TEST_CONFORMANCE_CALL_H

#include "TorchLite.h"
#include "Value.h"
#include <optional>

namespace conformance {

/// Makes an instance of the model and calls `forward`; returns its result. `inputs` are changed
/// where the model changes them. The error holds the runtime's message.
llvm::Expected<Value> callForward(const tl_model *model, llvm::MutableArrayRef<Value> inputs,
                                  std::optional<int64_t> seed);

} // namespace conformance

#endif // TORCHLITE_TEST_CONFORMANCE_CALL_H
