//===- ConstantData.h - The bytes of tensor constants -----------*- C++ -*-===//
#ifndef TORCHLITE_CODEGEN_COMMON_CONSTANTDATA_H
#define TORCHLITE_CODEGEN_COMMON_CONSTANTDATA_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

namespace torchlite {

/// One dimension of a rearranged constant: it is walked with `stride` elements of the source, and
/// belongs to the source dimension `source`, of which a step is `factor` steps. Indices beyond the
/// source dimension's size read as zero.
struct LayoutDim {
  int64_t size;
  int64_t source;
  int64_t factor;
};

/// `constant` (dense or dense_resource, elements of whole bytes) rearranged: element (i0, i1, ...)
/// of the result is the source element whose index along dimension d is the sum of
/// `layout[k].factor * ik` over the k with `source == d`; zero where that is out of range. Returns
/// null for other attributes. The result is a dense_resource if the source is one.
///
/// Panels of 32 columns of a KxN matrix: {{ceil(N/32), 1, 32}, {K, 0, 1}, {32, 1, 1}}.
mlir::ElementsAttr rearrange(mlir::ElementsAttr constant, llvm::ArrayRef<LayoutDim> layout,
                             llvm::StringRef suffix);

/// `constant` with another shape of as many elements, sharing the bytes; null where not possible.
mlir::ElementsAttr reshape(mlir::ElementsAttr constant, mlir::RankedTensorType type);

} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_CONSTANTDATA_H
