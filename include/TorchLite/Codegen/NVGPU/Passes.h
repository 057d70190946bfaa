//===- Passes.h - Passes of the NVIDIA GPU code generator -------*- C++ -*-===//
//
// From kernels on buffers to launches, NVVM and images. Each pass is described in Passes.td; the
// order is in lib/Pipelines.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_PASSES_H
#define TORCHLITE_CODEGEN_NVGPU_PASSES_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace torchlite::nvgpu {
/// The module of all kernels.
inline constexpr llvm::StringLiteral kernelModuleName = "tl_kernels";
/// On an entry function: its launches are the same in every call, so that they can be recorded.
inline constexpr llvm::StringLiteral replayableAttrName = "tl.replayable";

/// On a function that there are versions of, one for each architecture: its own (a string), and the
/// name of the function that they were made of.
inline constexpr llvm::StringLiteral archAttrName = "tl.arch";
inline constexpr llvm::StringLiteral versionOfAttrName = "tl.version_of";
/// On a module: the architectures of each set of kernels, `[["sm_75"], ["sm_80", "sm_90"]]`. On its
/// functions and kernels: the numbers of the sets that have them. None: there is one set.
inline constexpr llvm::StringLiteral setsAttrName = "tl.gpu_sets";

struct TargetInfo;
/// The row of the target table for a function's architecture; for one without versions, the other
/// one.
const TargetInfo &getTargetInfo(mlir::func::FuncOp function, const TargetInfo &otherwise);

/// Lets `gpu.launch_func` say which buffers it uses.
void registerLaunchEffects(mlir::DialectRegistry &registry);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"
} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_PASSES_H
