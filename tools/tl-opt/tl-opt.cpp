//===- tl-opt.cpp - TorchLite's pass driver -------------------------------===//
//
// mlir-opt with the tl dialect, TorchLite's passes and its pipelines.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/InitAll.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  torchlite::registerAllDialects(registry);
  torchlite::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "TorchLite optimizer driver\n", registry));
}
