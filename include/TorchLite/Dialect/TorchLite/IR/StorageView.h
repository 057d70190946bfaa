//===- StorageView.h - Does a strided view stay in its storage? -*- C++ -*-===//
//
// Archives and `.mlir` files come from strangers: whatever they claim of a tensor is compared with
// the memory that is there. Without MLIR, so that the archive's reader can be fuzzed by itself.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_STORAGEVIEW_H
#define TORCHLITE_DIALECT_TORCHLITE_IR_STORAGEVIEW_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

#include <string>

namespace torchlite::tl {

/// A view that repeats elements of its storage (as `expand` does) is written out by the compiler.
/// It may then have this many elements and no more.
inline constexpr int64_t kMaxRepeatedElements = int64_t(1) << 28;

/// What is wrong with a view of a storage of `total` elements, or nothing.
inline std::string findViewFault(int64_t offset, llvm::ArrayRef<int64_t> sizes,
                                 llvm::ArrayRef<int64_t> strides, int64_t total) {
  using llvm::Twine;
  if (sizes.size() != strides.size())
    return (Twine(sizes.size()) + " sizes but " + Twine(strides.size()) + " strides").str();
  if (offset < 0)
    return ("the offset " + Twine(offset) + " is negative").str();
  int64_t count = 1, last = offset;
  bool overflows = false, isEmpty = false;
  for (size_t i = 0; i != sizes.size(); ++i) {
    if (sizes[i] < 0)
      return ("the size " + Twine(sizes[i]) + " is negative").str();
    if (strides[i] < 0)
      return ("the stride " + Twine(strides[i]) + " is negative").str();
    isEmpty |= sizes[i] == 0;
    overflows |= llvm::MulOverflow<int64_t>(count, std::max<int64_t>(sizes[i], 1), count);
    int64_t reach = 0;
    if (sizes[i] > 1)
      overflows |= llvm::MulOverflow<int64_t>(sizes[i] - 1, strides[i], reach) ||
                   llvm::AddOverflow<int64_t>(last, reach, last);
  }
  if (overflows)
    return "its sizes and strides exceed 64 bits";
  if (isEmpty)
    return {};
  if (last >= total)
    return ("it reaches element " + Twine(last) + " of a storage of " + Twine(total)).str();
  if (count > total && count > kMaxRepeatedElements)
    return ("it repeats the elements of its storage to " + Twine(count) + "; the limit is " +
            Twine(kMaxRepeatedElements))
        .str();
  return {};
}

} // namespace torchlite::tl

#endif // TORCHLITE_DIALECT_TORCHLITE_IR_STORAGEVIEW_H
