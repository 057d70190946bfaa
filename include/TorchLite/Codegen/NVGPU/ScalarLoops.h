//===- ScalarLoops.h - Kernels that are loops of scalar code ----*- C++ -*-===//
//
// A kernel may hold loops and branches whose bodies read and write single elements
// (`tensor.extract`, `tensor.insert`), as operations on tensor values. On a GPU each of these
// values lives in the buffer of the kernel's output from which it was made. This file says whether
// that gives the same results, in which buffer each value lives, and which loops' iterations are
// independent of each other.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_SCALARLOOPS_H
#define TORCHLITE_CODEGEN_NVGPU_SCALARLOOPS_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <string>

namespace torchlite::nvgpu {

/// Whether `op`, with all that it contains, computes numbers, or reads, writes or hands on tensors
/// element by element. On failure `reason` says what was expected.
mlir::LogicalResult checkScalarCode(mlir::Operation *op, std::string &reason);

/// The argument of the kernel's body in whose buffer `tensor`, a value of the body, lives; null
/// where that depends on the way that was taken.
mlir::BlockArgument getPlace(mlir::Value tensor);

/// Whether the body can be executed in place: it is scalar code, each output is yielded from its
/// own buffer, and no tensor is read after another value has taken its buffer. On failure `reason`
/// says what was expected.
mlir::LogicalResult checkInPlace(rt::KernelOp kernel, std::string &reason);

/// The loops, outermost first, whose iterations may run side by side: each reads and writes only
/// elements of its own in what the kernel writes. They are the body's only loop, the only loop in
/// that one, and so on, though not all of these; their bounds are known before the kernel starts.
llvm::SmallVector<mlir::scf::ForOp> findIndependentLoops(rt::KernelOp kernel);

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_SCALARLOOPS_H
