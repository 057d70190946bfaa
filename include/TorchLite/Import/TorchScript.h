//===- TorchScript.h - Importing TorchScript archives -----------*- C++ -*-===//
//
// Translates an archive that `torch.jit.save` wrote to the `tl` dialect, as written: one `tl.class`
// per class, one `tl.object` per object, one `tl.storage` per tensor storage, one `func.func` per
// method and function, one operation per TorchScript node. Nothing is simplified. This header needs
// no LibTorch; the library behind it does.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_IMPORT_TORCHSCRIPT_H
#define TORCHLITE_IMPORT_TORCHSCRIPT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace torchlite {

/// Imports the archive in `buffer`; its identifier names it in messages. The result is a verified
/// module with the attribute `tl.root`. Its blobs refer to LibTorch's memory, which lives as long
/// as they do; `buffer` is not referred to. The context must have the `tl` and `func` dialects. On
/// failure the result is null and one error has been emitted: the archive is truncated, corrupt or
/// not TorchScript, or it uses a construct that is not supported (with its Python line).
mlir::OwningOpRef<mlir::ModuleOp> importTorchScript(llvm::MemoryBufferRef buffer,
                                                    mlir::MLIRContext *context);

/// The same for a file; a file that cannot be read is an error too.
mlir::OwningOpRef<mlir::ModuleOp> importTorchScript(llvm::StringRef path,
                                                    mlir::MLIRContext *context);

} // namespace torchlite

#endif // TORCHLITE_IMPORT_TORCHSCRIPT_H
