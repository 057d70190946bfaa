//===- FreeBuffers.cpp - Dynamic buffers end with their last use ----------===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_FREEBUFFERS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

/// The operation of the buffer's own block that is or contains its last use; null where the buffer
/// leaves the block.
Operation *lastUse(memref::AllocOp alloc) {
  Block *block = alloc->getBlock();
  Operation *last = alloc;
  SmallVector<Value> worklist{alloc.getResult()};
  DenseSet<Value> seen{alloc.getResult()};
  auto addAlias = [&](Value value) {
    if (isa<BaseMemRefType>(value.getType()) && seen.insert(value).second)
      worklist.push_back(value);
  };
  while (!worklist.empty()) {
    for (OpOperand &use : worklist.pop_back_val().getUses()) {
      Operation *user = use.getOwner();
      Operation *ancestor = block->findAncestorOpInBlock(*user);
      if (!ancestor)
        return nullptr;
      if (last->isBeforeInBlock(ancestor))
        last = ancestor;
      if (auto branch = dyn_cast<scf::YieldOp>(user);
          branch && isa<scf::IfOp>(branch->getParentOp()) &&
          branch->getParentOp() != alloc->getParentOp()) {
        addAlias(branch->getParentOp()->getResult(use.getOperandNumber()));
      } else if (user->hasTrait<OpTrait::IsTerminator>() || isa<LoopLikeOpInterface>(user)) {
        return nullptr;
      } else if (isa<ViewLikeOpInterface, arith::SelectOp, memref::ExtractStridedMetadataOp,
                     UnrealizedConversionCastOp>(user)) {
        for (Value result : user->getResults())
          addAlias(result);
      } else if (isa<memref::DeallocOp>(user) ||
                 llvm::any_of(user->getResultTypes(), llvm::IsaPred<BaseMemRefType>)) {
        return nullptr;
      }
    }
  }
  return last;
}

struct FreeBuffers : impl::FreeBuffersBase<FreeBuffers> {
  void runOnOperation() override {
    SmallVector<memref::AllocOp> allocs;
    getOperation().walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    for (memref::AllocOp alloc : allocs) {
      Operation *last = lastUse(alloc);
      if (!last) {
        ++numLeft;
        continue;
      }
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfter(last);
      memref::DeallocOp::create(builder, alloc.getLoc(), alloc);
      ++numFreed;
    }
  }
};

} // namespace
} // namespace torchlite::nvgpu
