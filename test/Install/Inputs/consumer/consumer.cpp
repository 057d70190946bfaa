// Loads the dialect from an installed TorchLite.
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

int main() {
  mlir::MLIRContext context;
  llvm::outs() << context.getOrLoadDialect<torchlite::tl::TorchLiteDialect>()->getNamespace()
               << "\n";
}
