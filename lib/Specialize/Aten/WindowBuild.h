//===- WindowBuild.h - Windows of any sizes inside of other rules -*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_WINDOWBUILD_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_WINDOWBUILD_H

#include "TorchLite/Specialize/Rules.h"

namespace torchlite::tl::specialize {

/// adaptive_max_pool of `rank` spatial dimensions (self, output_size) -> (values, indices in the
/// flattened plane), for windows of any sizes.
mlir::FailureOr<llvm::SmallVector<mlir::Value>> adaptiveMaxPoolByWindows(RuleContext &ctx,
                                                                         unsigned rank);

/// adaptive_avg_pool of the last dimensions of a float tensor to these sizes.
mlir::FailureOr<mlir::Value>
adaptiveAvgPoolByWindows(RuleContext &ctx, mlir::Value input,
                         llvm::ArrayRef<mlir::OpFoldResult> outputSize);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_WINDOWBUILD_H
