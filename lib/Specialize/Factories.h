//===- Factories.h - Operators that make tensors of nothing -----*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_FACTORIES_H
#define TORCHLITE_LIB_SPECIALIZE_FACTORIES_H

#include "llvm/ADT/StringRef.h"

namespace torchlite::tl::specialize {

/// Whether an operator makes a tensor of an element type and device that it is told. Where it is
/// given `out`, it has that one's, and neither operand.
bool isFactory(llvm::StringRef base);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_FACTORIES_H
