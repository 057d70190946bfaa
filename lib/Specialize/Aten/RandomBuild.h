//===- RandomBuild.h - What rules of random operators share -----*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_RANDOMBUILD_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_RANDOMBUILD_H

#include "TensorExpr.h"

namespace torchlite::tl::specialize {

/// What `tl.random` draws: kind, parameters, and what it takes for each element.
struct RandomNumbers {
  llvm::StringRef kind;
  llvm::SmallVector<mlir::Value> parameters;
  mlir::Value each = {};
};

/// A tensor of random numbers, drawn in row-major order. Null after a failure.
mlir::Value drawNumbers(RuleContext &ctx, const RandomNumbers &numbers, mlir::Type elementType,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Random numbers for each element of tensor operand `i`: PyTorch draws them in the order in which
/// the elements lie in memory. `isInPlace`: for the operand itself, not for a tensor made like it.
mlir::Value drawLike(RuleContext &ctx, unsigned i, RandomNumbers numbers, mlir::Type elementType,
                     bool isInPlace);

/// Fails where an operand is a generator of the program's own.
bool requireDefaultGenerator(RuleContext &ctx, unsigned i);

/// Dropout in training of a contiguous tensor: a part `p` of the elements becomes 0, the others
/// grow. Null after a failure.
mlir::Value dropOut(RuleContext &ctx, mlir::Value input, double p);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_RANDOMBUILD_H
