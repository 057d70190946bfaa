//===- Passes.h - Passes that all code generators share ---------*- C++ -*-===//
//
// On linalg on tensors, and below it: the frame, buffers, the memory plan, host code. Each pass is
// described in Passes.td; the order is in lib/Pipelines.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_PASSES_H
#define TORCHLITE_CODEGEN_COMMON_PASSES_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace torchlite {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "TorchLite/Codegen/Common/Passes.h.inc"

/// MLIR's canonicalizer without the pattern that moves what a check makes sure of to before the
/// check. All pipelines use it.
std::unique_ptr<mlir::Pass> createCanonicalizer();
} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_PASSES_H
