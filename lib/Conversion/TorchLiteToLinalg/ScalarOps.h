//===- ScalarOps.h - PyTorch's arithmetic on scalars ------------*- C++ -*-===//
//
// Each function emits what PyTorch computes for one element. Operands are signless; `isUnsigned`
// tells `ui8` (and `i1`) from signed integers. Nothing that is emitted has undefined behaviour for
// any operand, so that it may be executed speculatively.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_SCALAROPS_H
#define TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_SCALAROPS_H

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace torchlite::scalar {

/// A constant of a float or signless integer type.
mlir::Value constant(mlir::ImplicitLocOpBuilder &b, mlir::Type type, double value);

/// Whether `type`, as written, is compared, extended and divided without sign.
bool isUnsigned(mlir::Type type);

/// The type that floats are computed in: f32 for f16 and bf16, else the type itself.
mlir::Type getComputeType(mlir::Type type);

/// Converts `value` from `from` to `to` (as written) by the rules of `tl.cast`.
mlir::Value cast(mlir::ImplicitLocOpBuilder &b, mlir::Value value, mlir::Type from, mlir::Type to);

mlir::Value compare(mlir::ImplicitLocOpBuilder &b, tl::ComparePredicate predicate, mlir::Value lhs,
                    mlir::Value rhs, bool isUnsigned);
mlir::Value maximum(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs,
                    bool isUnsigned);
mlir::Value minimum(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs,
                    bool isUnsigned);

/// Division and remainders. A zero integer divisor gives some value; the caller raises the error.
mlir::Value floorDiv(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs,
                     bool isUnsigned);
mlir::Value truncDiv(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs,
                     bool isUnsigned);
mlir::Value remainder(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs,
                      bool isUnsigned);
mlir::Value fmod(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs, bool isUnsigned);

/// lhs to the power of rhs, of floats or integers.
mlir::Value pow(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs, bool isUnsigned);

mlir::Value shiftLeft(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs);
mlir::Value shiftRight(mlir::ImplicitLocOpBuilder &b, mlir::Value lhs, mlir::Value rhs,
                       bool isUnsigned);

/// -1, 0 or 1 by the sign; 0 for NaN.
mlir::Value sign(mlir::ImplicitLocOpBuilder &b, mlir::Value operand, bool isUnsigned);

} // namespace torchlite::scalar

#endif // TORCHLITE_LIB_CONVERSION_TORCHLITETOLINALG_SCALAROPS_H
