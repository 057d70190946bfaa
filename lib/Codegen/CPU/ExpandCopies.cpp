//===- ExpandCopies.cpp - Strided copies become loops ---------------------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_EXPANDCOPIES
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

struct ExpandCopies : impl::ExpandCopiesBase<ExpandCopies> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) {
      auto isContiguous = [](Value value) {
        return cast<MemRefType>(value.getType()).getLayout().isIdentity();
      };
      if (!isContiguous(copy.getSource()) || !isContiguous(copy.getTarget()))
        copies.push_back(copy);
    });
    for (memref::CopyOp copy : copies) {
      OpBuilder builder(copy);
      linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
      ++numCopies;
    }
  }
};

} // namespace
} // namespace torchlite::cpu
