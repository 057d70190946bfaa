//===- Tools.h - tl-compile and tl-run --------------------------*- C++ -*-===//
#ifndef TORCHLITE_DRIVER_TOOLS_H
#define TORCHLITE_DRIVER_TOOLS_H

#include "TorchLite/Driver/Operators.h"
#include "TorchLite/Driver/Reference.h"

namespace torchlite::driver {

/// The command line of tl-compile; returns the exit status.
int compileMain(int argc, char **argv, const Importer &importer,
                const OperatorSupport &operators = {});

/// The command line of tl-run; returns the exit status. `loadReference` is null where there is no
/// LibTorch to compare with.
int runMain(int argc, char **argv, const Importer &importer, const ReferenceLoader &loadReference,
            const OperatorSupport &operators = {});

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_TOOLS_H
