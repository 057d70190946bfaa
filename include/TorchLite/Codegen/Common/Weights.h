//===- Weights.h - The blob of constants ------------------------*- C++ -*-===//
//
// Large constants lie in one blob, `tl_weights`, aligned to 64 bytes. Until an object file is
// written, the module's attribute `tl.weights` tells what the blob holds:
// `[{offset = 0 : i64, value = dense_resource<...> : tensor<64x3xf32>}, ...]`, by ascending offset.
//
// A library for GPUs has a second blob, what is uploaded to the device: `tl_gpu_weights`, told by
// `tl.gpu_weights`. Layouts differ between the two, so that they share nothing.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_COMMON_WEIGHTS_H
#define TORCHLITE_CODEGEN_COMMON_WEIGHTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"

namespace torchlite {

inline constexpr llvm::StringLiteral weightsAttrName = "tl.weights";
inline constexpr llvm::StringLiteral weightsSymbol = "tl_weights";
inline constexpr llvm::StringLiteral deviceWeightsAttrName = "tl.gpu_weights";
inline constexpr llvm::StringLiteral deviceWeightsSymbol = "tl_gpu_weights";

/// The element data as it lies in memory: row-major, a byte for an `i1`. Points into the attribute
/// where it can, and into `storage` otherwise. Fails for attributes that hold no plain numbers.
llvm::FailureOr<llvm::ArrayRef<char>> getRawElements(mlir::ElementsAttr value,
                                                     llvm::SmallVectorImpl<char> &storage);

/// Bytes of the blob that an attribute of the module tells (0 where there is none).
int64_t getWeightsBytes(mlir::ModuleOp module, llvm::StringRef attrName = weightsAttrName);

/// Writes that blob.
llvm::LogicalResult writeWeights(mlir::ModuleOp module, llvm::StringRef attrName,
                                 llvm::raw_ostream &os);

} // namespace torchlite

#endif // TORCHLITE_CODEGEN_COMMON_WEIGHTS_H
