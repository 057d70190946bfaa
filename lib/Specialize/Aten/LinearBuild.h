//===- LinearBuild.h - Linear layers inside of other rules ------*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_LINEARBUILD_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_LINEARBUILD_H

#include "TorchLite/Specialize/Rules.h"

namespace torchlite::tl::specialize {

/// input * weight^T + bias over the last dimension, as torch.nn.functional.linear; `bias` may be
/// null. Null after a failure.
mlir::Value buildLinear(RuleContext &ctx, mlir::Value input, mlir::Value weight, mlir::Value bias);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_LINEARBUILD_H
