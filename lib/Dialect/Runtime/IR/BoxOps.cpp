//===- BoxOps.cpp - Values whose structure lives at run time --------------===//
#include "TorchLite/Dialect/Runtime/IR/BoxOps.h"

using namespace mlir;
using namespace torchlite::rt;

bool torchlite::rt::isBoxOp(Operation *op) {
  return op->getName().getStringRef().starts_with("tlrt.box.");
}

/// One piece more than values; what is printed ends where a 0 is.
static LogicalResult verifyPieces(Operation *op, ArrayAttr pieces, size_t values) {
  if (pieces.size() != values + 1)
    return op->emitOpError("expected ")
           << values + 1 << " pieces of text, but got " << pieces.size();
  for (auto piece : pieces.getAsRange<StringAttr>())
    if (piece.getValue().contains('\0'))
      return op->emitOpError("expected texts without a character 0");
  return success();
}

LogicalResult BoxFormatOp::verify() { return verifyPieces(*this, getPieces(), getValues().size()); }

LogicalResult BoxPrintOp::verify() { return verifyPieces(*this, getPieces(), getValues().size()); }
