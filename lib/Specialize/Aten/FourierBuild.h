//===- FourierBuild.h - Fourier transforms in rules -------------*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_FOURIERBUILD_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_FOURIERBUILD_H

#include "ComplexExpr.h"

namespace torchlite::tl::specialize {

/// Transforms along `dim`, without a factor. A real operand is one whose imaginary part is null.
Complex fourier(const Complex &x, int64_t dim, bool isInverse);
/// The first half, size / 2 + 1, of the transform of real numbers.
Complex fourierOfReal(const Expr &x, int64_t dim);
/// The same of columns `[batch, 2 half, columns]`, of which the rows at even places are the real
/// parts and those at odd places the imaginary parts: `[batch, half + 1, columns]`.
Complex fourierOfHalves(const Complex &x, int64_t half);
/// The `size` real numbers whose inverse transform has the first half `x`, size / 2 + 1 of it.
Expr fourierToReal(const Complex &x, int64_t dim, mlir::OpFoldResult size);

/// PyTorch's factor for a transform of `size`: `isForward` is whether "forward" divides by it.
Complex normalized(const Complex &x, llvm::StringRef norm, mlir::OpFoldResult size, bool isForward);
Expr normalized(const Expr &x, llvm::StringRef norm, mlir::OpFoldResult size, bool isForward);

/// A tensor with `dim` cut, or filled up with zeros, to a size.
mlir::Value resizedTo(RuleContext &ctx, mlir::Value tensor, int64_t dim, mlir::OpFoldResult size);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_FOURIERBUILD_H
