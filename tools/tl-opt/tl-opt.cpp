//===- tl-opt.cpp - TorchLite's pass driver -------------------------------===//
//
// mlir-opt with the tl dialect, TorchLite's passes and its pipelines.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  torchlite::cpu::registerCPUCodegenPasses();
  registry.insert<torchlite::rt::RuntimeDialect>();
  registry.insert<torchlite::tl::TorchLiteDialect>();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "TorchLite optimizer driver\n", registry));
}
