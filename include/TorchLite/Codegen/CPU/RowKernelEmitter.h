//===- RowKernelEmitter.h - Vector code for row kernels ---------*- C++ -*-===//
//
// Each row is loaded from memory once and then worked on in the cache; what is known once per row
// stays in scalars.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_CPU_ROWKERNELEMITTER_H
#define TORCHLITE_CODEGEN_CPU_ROWKERNELEMITTER_H

#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "TorchLite/Codegen/Common/RowKernel.h"

namespace torchlite::cpu {

/// Emits loops at the builder's insertion point and returns the result.
mlir::Value emitRowKernel(mlir::OpBuilder &builder, RowKernel &kernel, const TargetInfo &target,
                          bool parallel);

} // namespace torchlite::cpu

#endif // TORCHLITE_CODEGEN_CPU_ROWKERNELEMITTER_H
