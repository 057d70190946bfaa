//===- WindowBuild.h - Windows of any sizes inside of other rules -*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_WINDOWBUILD_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_WINDOWBUILD_H

#include "TorchLite/Specialize/Rules.h"

namespace torchlite::tl::specialize {

/// adaptive_max_pool of `rank` spatial dimensions (self, output_size) -> (values, indices in the
/// flattened plane), for windows of any sizes.
mlir::FailureOr<llvm::SmallVector<mlir::Value>> adaptiveMaxPoolByWindows(RuleContext &ctx,
                                                                         unsigned rank);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_WINDOWBUILD_H
