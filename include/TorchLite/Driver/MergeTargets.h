//===- MergeTargets.h - One library for several targets ---------*- C++ -*-===//
//
// Each target is compiled in a copy of the module, which is taken apart at the stage of linalg.
// Here the results, both at Stage::LLVM, become one module again.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DRIVER_MERGETARGETS_H
#define TORCHLITE_DRIVER_MERGETARGETS_H

#include "mlir/IR/BuiltinOps.h"

namespace torchlite::driver {

/// Marks what a module compiled for GPUs offers as such: its methods (`tl.method`) get the
/// attribute `tl.device`, and its constants (`tl.weights`) become those of the device
/// (`tl.gpu_weights`).
void markDevice(mlir::ModuleOp module);

/// Moves the contents of `device`, which is marked, into `module`. Methods become `<name>_device`,
/// as does what has the name of something else in `module`; functions that both only declare are
/// declared once. Fails where one module defines what the other only declares.
llvm::LogicalResult mergeDevice(mlir::ModuleOp module, mlir::ModuleOp device);

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_MERGETARGETS_H
