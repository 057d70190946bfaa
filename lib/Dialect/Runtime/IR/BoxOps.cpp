//===- BoxOps.cpp - Values whose structure lives at run time --------------===//
#include "TorchLite/Dialect/Runtime/IR/BoxOps.h"

using namespace mlir;
using namespace torchlite::rt;

bool torchlite::rt::isBoxOp(Operation *op) {
  return op->getName().getStringRef().starts_with("tlrt.box.");
}
