//===- Destinations.h - Which buffer a value is written to ------*- C++ -*-===//
//
// The one place that decides it, for all targets. Whoever moves operations into kernels or makes
// tensors into buffers calls it first.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_DESTINATIONS_H
#define TORCHLITE_CODEGEN_COMMON_DESTINATIONS_H

#include "mlir/IR/PatternMatch.h"

namespace torchlite {

/// Which readers of a fill get a fill of their own.
enum class OwnFills {
  Writers, ///< who writes over it, or hands it on
  All      ///< everybody, so that it can become part of each reader's kernel
};

/// Makes a `tensor.empty` that ends in a result, or in a part of a larger tensor, that result's
/// buffer, or that part, for all operations inside of `root` (a function, or a module). A result's
/// buffer never holds another value that is still to be read:
///   - nobody shares a `tensor.empty` or a fill of one with somebody who writes over it;
///   - a result is bound only if each value on the way to it has no use but the next step.
mlir::LogicalResult chooseDestinations(mlir::RewriterBase &rewriter, mlir::Operation *root,
                                       OwnFills fills);

} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_DESTINATIONS_H
