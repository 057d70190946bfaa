//===- tl-run.cpp - Runs models -------------------------------------------===//
#include "TorchLite/Driver/Tools.h"
#include "TorchLite/Import/Operators.h"
#include "TorchLite/Import/Reference.h"
#include "TorchLite/Import/TorchScript.h"

int main(int argc, char **argv) {
  return torchlite::driver::runMain(argc, argv,
                                    [](llvm::StringRef path, mlir::MLIRContext *context) {
                                      return torchlite::importTorchScript(path, context);
                                    },
                                    torchlite::loadTorchReference,
                                    {torchlite::askLibTorch, torchlite::loadOperators});
}
