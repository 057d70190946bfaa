//===- Strides.h - How tensors of the program lie in memory -----*- C++ -*-===//
//
// Compiled code lays out tensors as it likes; but whether `reshape`, `flatten` and `contiguous`
// copy, and whether `view` raises, depends on the strides that they would have in PyTorch. These
// are known wherever sizes are: tensors that an operator makes are contiguous unless it is known to
// follow its operands, and views follow from their base. Nothing stands for strides that are not
// known.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_STRIDES_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_STRIDES_H

#include "TorchLite/Specialize/Value.h"

namespace torchlite::tl::specialize {

/// The strides of a tensor, in elements, as PyTorch would have them; those of the tensors that the
/// method is called with are taken as contiguous.
std::optional<Strides> stridesOf(const TensorRef &tensor);

/// The strides of the view that a step makes of a tensor of `shape`, whose own shape is
/// `viewShape`.
std::optional<Strides> stridesOfView(const ViewStep &step, llvm::ArrayRef<int64_t> shape,
                                     llvm::ArrayRef<int64_t> strides,
                                     llvm::ArrayRef<int64_t> viewShape);

/// Where the view that a step makes of a tensor begins, in elements, if that is known.
std::optional<int64_t> offsetOfView(const ViewStep &step, llvm::ArrayRef<int64_t> strides,
                                    std::optional<int64_t> offset);

/// What `view` to another shape of as many elements gives; nothing if no strides do (at::detail's
/// computeStride).
std::optional<Strides> stridesOfReshape(llvm::ArrayRef<int64_t> shape,
                                        llvm::ArrayRef<int64_t> strides,
                                        llvm::ArrayRef<int64_t> viewShape);

/// The strides of a copy that preserves the format; nothing where that is not clear.
std::optional<Strides> preservedStrides(llvm::ArrayRef<int64_t> shape,
                                        llvm::ArrayRef<int64_t> strides);

/// What at::get_overlap_status says of two tensors: whether they share memory, and then whether
/// they are one and the same part of it.
enum class Overlap { No, Partial, Full, Unknown };
Overlap overlapOf(const TensorRef &a, const TensorRef &b);

/// Whether an operator in place (`add_.Tensor`) is one of PyTorch's TensorIterator, which looks at
/// what its tensors share.
bool looksAtOverlaps(llvm::StringRef name);

/// Whether an operator computes each element of its result from one element of each operand, and
/// lets the result lie in memory as these do.
bool isElementwise(llvm::StringRef name);

/// What `is_contiguous` says.
bool areContiguous(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> strides);

/// The static part of sizes; `kDynamic` elsewhere.
llvm::SmallVector<int64_t> staticShape(llvm::ArrayRef<mlir::OpFoldResult> sizes);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_STRIDES_H
