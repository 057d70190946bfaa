//===- Passes.h - Passes of the CPU code generator --------------*- C++ -*-===//
//
// From linalg on tensors to vectorised loops, buffers, parallel regions and the LLVM dialect. Each
// pass is described in Passes.td; the order is in lib/Pipelines.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_CPU_PASSES_H
#define TORCHLITE_CODEGEN_CPU_PASSES_H

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

namespace torchlite::cpu {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "TorchLite/Codegen/CPU/Passes.h.inc"
} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_PASSES_H
