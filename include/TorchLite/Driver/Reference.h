//===- Reference.h - Another way to run a model, to compare with -*- C++ -*-===//
#ifndef TORCHLITE_DRIVER_REFERENCE_H
#define TORCHLITE_DRIVER_REFERENCE_H

#include "TorchLite.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <memory>

namespace torchlite::driver {

/// Runs calls on a model of its own; what tl-run --check compares with.
class Reference {
public:
  virtual ~Reference() = default;

  /// Seeds the generator that random operators draw from.
  virtual void seed(uint64_t seed) = 0;

  /// Calls a method. Arguments are copied, so that the caller's stay as they are; `changed`
  /// receives their values after the call. The values live until the next call. An error is what
  /// the model raised.
  virtual llvm::Error call(llvm::StringRef method, llvm::ArrayRef<tl_value> arguments,
                           tl_value &result, llvm::ArrayRef<tl_value> &changed) = 0;
};

/// Loads an archive.
using ReferenceLoader =
    std::function<llvm::Expected<std::unique_ptr<Reference>>(llvm::StringRef path)>;

/// Compares two values: kinds, structure, element types and sizes exactly, integers exactly, floats
/// within the tolerances (wider for 16-bit types), infinities and NaN by kind. Returns what differs
/// first, with where it is (`result[1]`), or "" where all agree.
std::string compareValues(const tl_value &actual, const tl_value &expected, llvm::StringRef where,
                          double rtol, double atol);

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_REFERENCE_H
