//===- LLVMStatistic.h - llvm::Statistic as the installed LLVM has it -----===//
//
// Included in front of all code that uses LLVM if LLVM was built without assertions. What
// llvm::Statistic is, a counter or nothing, hangs on NDEBUG; TorchLite keeps its assertions in
// each build and would take it for a counter, which the constructor of mlir::Pass::Statistic,
// compiled into libMLIR, never initialises.
//
//===----------------------------------------------------------------------===//
#ifndef NDEBUG
#define NDEBUG
#include "llvm/ADT/Statistic.h"
#undef NDEBUG
#endif
