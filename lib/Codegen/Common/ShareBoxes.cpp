//===- ShareBoxes.cpp - Boxes hold buffers, not tensors -------------------===//
//
// In front of bufferization: what goes into a box is read from its buffer there, and what comes out
// is a buffer of the box, which is copied, as the box may be freed before the tensor is.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/BoxOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace torchlite {
#define GEN_PASS_DEF_SHAREBOXES
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

MemRefType bufferType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

void sharePacked(rt::BoxPackOp pack, OpBuilder &builder) {
  if (!isa<RankedTensorType>(pack.getTensor().getType()))
    return;
  builder.setInsertionPoint(pack);
  Value buffer = bufferization::ToBufferOp::create(builder, pack.getLoc(),
                                                   bufferType(pack.getTensor().getType()),
                                                   pack.getTensor(), /*read_only=*/true);
  pack.getTensorMutable().assign(buffer);
}

void shareUnpacked(rt::BoxUnpackOp unpack, OpBuilder &builder) {
  auto type = dyn_cast<RankedTensorType>(unpack.getResult().getType());
  if (!type)
    return;
  builder.setInsertionPoint(unpack);
  Location loc = unpack.getLoc();
  Value buffer = rt::BoxUnpackOp::create(builder, loc, bufferType(type), unpack.getBox());
  Value own = bufferization::ToTensorOp::create(builder, loc, type, buffer, /*restrict=*/true,
                                                /*writable=*/false);
  Value copy =
      bufferization::AllocTensorOp::create(builder, loc, type, /*dynamicSizes=*/ValueRange(), own);
  unpack.replaceAllUsesWith(copy);
  unpack.erase();
}

struct ShareBoxes : impl::ShareBoxesBase<ShareBoxes> {
  using ShareBoxesBase::ShareBoxesBase;

  LogicalResult refuseBoxes() {
    WalkResult found = getOperation().walk([](Operation *op) {
      auto isBox = [](Value value) { return isa<rt::BoxType>(value.getType()); };
      if (!rt::isBoxOp(op) || (isa<rt::BoxPrintOp>(op) && llvm::none_of(op->getOperands(), isBox)))
        return WalkResult::advance();
      op->emitError("a value whose structure is known only at run time is not supported on GPUs");
      return WalkResult::interrupt();
    });
    return failure(found.wasInterrupted());
  }

  void runOnOperation() override {
    if (refuse) {
      if (failed(refuseBoxes()))
        signalPassFailure();
      return;
    }
    OpBuilder builder(&getContext());
    getOperation().walk([&](Operation *op) {
      if (auto pack = dyn_cast<rt::BoxPackOp>(op))
        sharePacked(pack, builder);
      else if (auto unpack = dyn_cast<rt::BoxUnpackOp>(op))
        shareUnpacked(unpack, builder);
    });
  }
};

} // namespace
} // namespace torchlite
