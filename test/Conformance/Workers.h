//===- Workers.h - Running cases where they can do no harm ----------------===//
#ifndef TORCHLITE_TEST_CONFORMANCE_WORKERS_H
#define TORCHLITE_TEST_CONFORMANCE_WORKERS_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/JSON.h"

namespace conformance {

/// Calls `run(i)` for i from 0 to `count` (excluded) in a forked process and hands each answer to
/// `report(i, answer)` in the parent, in order. A case that kills its process (a signal, an exit,
/// more than `seconds`) is reported as `{"outcome": "crashed", "reason": ...}` with the last lines
/// that the process wrote to standard error, and a new process goes on with the next case. A
/// process serves many cases, so that starting it costs little.
void runInWorkers(size_t count, unsigned seconds,
                  llvm::function_ref<llvm::json::Object(size_t)> run,
                  llvm::function_ref<void(size_t, llvm::json::Object)> report);

} // namespace conformance

#endif // TORCHLITE_TEST_CONFORMANCE_WORKERS_H
