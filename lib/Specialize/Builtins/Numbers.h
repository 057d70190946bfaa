//===- Numbers.h - Numbers as operands --------------------------*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_BUILTINS_NUMBERS_H
#define TORCHLITE_LIB_SPECIALIZE_BUILTINS_NUMBERS_H

#include "TorchLite/Specialize/Rules.h"

namespace torchlite::tl::specialize {

/// A number operand; reports a failure for anything else.
bool isNumber(RuleContext &ctx, unsigned i);

/// What a C++ cast of a float to an int gives on x86: the least int for NaN and for what is out of
/// range.
int64_t truncated(double value);
/// The same at run time, where arith.fptosi alone would be undefined.
mlir::Value truncated(RuleContext &ctx, mlir::Value value);

/// An operand as i64 or f64 value.
mlir::Value asInt(RuleContext &ctx, unsigned i);
mlir::Value asFloat(RuleContext &ctx, unsigned i);

/// A condition, folded by what is known here.
SpecValue condition(RuleContext &ctx, mlir::Value value);

/// Checks that a number is one of `type`, the element type of a tensor that is to hold it, as
/// LibTorch does where an operator has a number as parameter (`full`, `masked_fill`, `alpha`, ...):
/// integers too large and NaN do not fit an integer, nor finite floats too large a float. Negative
/// numbers may wrap around in unsigned integers. False after a failure; what is no number is not
/// looked at.
bool requireFits(RuleContext &ctx, unsigned i, mlir::Type type);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_BUILTINS_NUMBERS_H
