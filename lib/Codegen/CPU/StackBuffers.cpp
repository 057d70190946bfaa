//===- StackBuffers.cpp - Small temporary buffers on the stack ------------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_STACKBUFFERS
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

struct StackBuffers : impl::StackBuffersBase<StackBuffers> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<memref::AllocOp> allocs;
    getOperation().walk([&](memref::AllocOp op) { allocs.push_back(op); });
    for (memref::AllocOp op : allocs) {
      MemRefType type = op.getType();
      if (!type.hasStaticShape() || !type.getElementType().isIntOrIndexOrFloat())
        continue;
      int64_t bits =
          type.getElementType().isIndex() ? 64 : std::max(8u, type.getElementTypeBitWidth());
      auto dealloc = llvm::find_if(op->getUsers(), llvm::IsaPred<memref::DeallocOp>);
      // Freed in the same block: no iteration of a loop sees the buffer of another one.
      if (type.getNumElements() * bits > maxBytes * 8 || dealloc == op->user_end() ||
          dealloc->getBlock() != op->getBlock())
        continue;
      dealloc->erase();
      OpBuilder builder = OpBuilder::atBlockBegin(&getOperation().front());
      op.replaceAllUsesWith(
          memref::AllocaOp::create(builder, op.getLoc(), type, op.getAlignmentAttr()).getResult());
      op.erase();
    }
  }
};

} // namespace
} // namespace torchlite::cpu
