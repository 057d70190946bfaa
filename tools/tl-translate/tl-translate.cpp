//===- tl-translate.cpp - TorchScript archives to MLIR --------------------===//
//
// mlir-translate with the TorchScript importer: tl-translate --import-torchscript model.pt
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "TorchLite/Import/TorchScript.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

static llvm::cl::opt<bool> emitBytecode("emit-bytecode",
                                        llvm::cl::desc("Write bytecode instead of text"));

static LogicalResult translate(const std::shared_ptr<llvm::SourceMgr> &source,
                               llvm::raw_ostream &output, MLIRContext *context) {
  context->loadDialect<func::FuncDialect, torchlite::tl::TorchLiteDialect>();
  // Errors that have no line in a file are about the archive, which their text names.
  ScopedDiagnosticHandler handler(context, [](Diagnostic &diagnostic) {
    Location loc = diagnostic.getLocation();
    if (!isa<UnknownLoc, NameLoc>(loc))
      return failure();
    llvm::errs() << "error: ";
    if (auto name = dyn_cast<NameLoc>(loc))
      llvm::errs() << name.getName().getValue() << ": ";
    llvm::errs() << diagnostic << "\n";
    return success();
  });
  llvm::MemoryBufferRef buffer = *source->getMemoryBuffer(source->getMainFileID());
  OwningOpRef<ModuleOp> module = torchlite::importTorchScript(buffer, context);
  if (!module)
    return failure();
  if (emitBytecode)
    return writeBytecodeToFile(*module, output);
  module->print(output);
  output << "\n";
  return success();
}

int main(int argc, char **argv) {
  TranslateRegistration importer(
      "import-torchscript",
      "Translate a TorchScript archive (torch.jit.save) to the tl dialect, as written", translate);
  return failed(mlirTranslateMain(argc, argv, "TorchLite translation: model.pt to MLIR\n"));
}
