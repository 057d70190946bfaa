//===- tl-compile.cpp - Compiles models to native code --------------------===//
#include "TorchLite/Driver/Tools.h"
#include "TorchLite/Import/Operators.h"
#include "TorchLite/Import/TorchScript.h"

int main(int argc, char **argv) {
  return torchlite::driver::compileMain(argc, argv,
                                        [](llvm::StringRef path, mlir::MLIRContext *context) {
                                          return torchlite::importTorchScript(path, context);
                                        },
                                        {torchlite::askLibTorch, torchlite::loadOperators});
}
