//===- BindDevice.cpp - What the host does with the device's buffers ------===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/BoxOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_BINDDEVICE
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

bool isContiguous(MemRefType type) {
  if (type.getLayout().isIdentity())
    return true;
  return isa<StridedLayoutAttr>(type.getLayout()) && type.areTrailingDimsContiguous(type.getRank());
}

struct BindDevice : impl::BindDeviceBase<BindDevice> {
  void runOnOperation() override {
    SmallVector<Operation *> work;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<rt::KernelOp>(op))
        return WalkResult::skip();
      if (isa<linalg::LinalgOp, memref::CopyOp, memref::LoadOp, memref::StoreOp>(op)) {
        work.push_back(op);
        return WalkResult::skip();
      }
      return WalkResult::advance();
    });
    for (Operation *op : work) {
      OpBuilder builder(op);
      if (auto load = dyn_cast<memref::LoadOp>(op)) {
        Value value = rt::ReadOp::create(builder, op->getLoc(), load.getType(), load.getMemref(),
                                         load.getIndices());
        load.replaceAllUsesWith(value);
        load.erase();
      } else if (auto store = dyn_cast<memref::StoreOp>(op)) {
        bindStore(builder, store);
      } else if (auto copy = dyn_cast<memref::CopyOp>(op)) {
        if (failed(bindCopy(builder, copy)))
          return signalPassFailure();
      } else if (failed(wrap(builder, cast<linalg::LinalgOp>(op)))) {
        return signalPassFailure();
      }
    }
    if (getOperation()->hasAttr("tl.method") && isReplayable())
      getOperation()->setAttr(replayableAttrName, UnitAttr::get(&getContext()));
  }

private:
  /// Whether launches and their parameters depend on nothing but the addresses of arguments and
  /// results, scalar arguments, and what is read back, which the runtime compares: shapes are
  /// static, all memory has its place, and nothing is printed.
  bool isReplayable() {
    return !getOperation()
                .walk([](Operation *op) {
                  bool isDynamic = isa<memref::AllocOp, rt::BoxPrintOp>(op);
                  if (isa<rt::ArgOp, rt::OutputOp>(op))
                    if (auto type = dyn_cast<MemRefType>(op->getResult(0).getType()))
                      isDynamic = !type.hasStaticShape();
                  return isDynamic ? WalkResult::interrupt() : WalkResult::advance();
                })
                .wasInterrupted();
  }

  /// A scalar that the host knows goes into a kernel's parameter.
  void bindStore(OpBuilder &builder, memref::StoreOp store) {
    SmallVector<OpFoldResult> offsets(store.getIndices().begin(), store.getIndices().end());
    auto type = cast<MemRefType>(store.getMemref().getType());
    SmallVector<OpFoldResult> ones(type.getRank(), builder.getIndexAttr(1));
    Value element = store.getMemref();
    if (type.getRank()) {
      auto reduced = cast<MemRefType>(
          memref::SubViewOp::inferRankReducedResultType({}, type, offsets, ones, ones));
      element =
          memref::SubViewOp::create(builder, store.getLoc(), reduced, element, offsets, ones, ones);
    }
    auto fill = linalg::FillOp::create(builder, store.getLoc(), store.getValue(), element);
    builder.setInsertionPoint(fill);
    (void)wrap(builder, fill);
    store.erase();
  }

  LogicalResult bindCopy(OpBuilder &builder, memref::CopyOp copy) {
    auto from = dyn_cast<MemRefType>(copy.getSource().getType());
    auto to = dyn_cast<MemRefType>(copy.getTarget().getType());
    if (!from || !to)
      return copy.emitError("expected ranked buffers");
    if (isContiguous(from) && isContiguous(to)) {
      rt::CopyOp::create(builder, copy.getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
      return success();
    }
    auto structured =
        linalg::CopyOp::create(builder, copy.getLoc(), copy.getSource(), copy.getTarget());
    builder.setInsertionPoint(structured);
    LogicalResult wrapped = wrap(builder, structured);
    copy.erase();
    return wrapped;
  }

  /// An operation on buffers becomes a kernel that says the same on tensors.
  LogicalResult wrap(OpBuilder &builder, linalg::LinalgOp op) {
    Location loc = op.getLoc();
    SmallVector<Value> inputs, outputs;
    for (OpOperand *operand : op.getDpsInputOperands())
      inputs.push_back(operand->get());
    for (OpOperand &operand : op.getDpsInitsMutable())
      outputs.push_back(operand.get());
    // What the body of the operation uses from outside.
    SmallVector<Operation *> loads;
    WalkResult captured = op->walk([&](Operation *inner) {
      if (inner == op)
        return WalkResult::advance();
      if (auto load = dyn_cast<memref::LoadOp>(inner)) {
        loads.push_back(load);
        return WalkResult::advance();
      }
      return isMemoryEffectFree(inner) || inner->hasTrait<OpTrait::IsTerminator>()
                 ? WalkResult::advance()
                 : WalkResult::interrupt();
    });
    if (captured.wasInterrupted())
      return op.emitError("expected a body of scalar operations");
    llvm::SetVector<Value> outside;
    op->walk([&](Operation *inner) {
      if (inner == op)
        return;
      for (Value value : inner->getOperands())
        if (!op->isAncestor(value.getParentBlock()->getParentOp()))
          outside.insert(value);
    });
    for (Value value : outside)
      inputs.push_back(value);
    auto kernel =
        rt::KernelOp::create(builder, loc, TypeRange(),
                             builder.getStringAttr(op->getName().stripDialect()), inputs, outputs);
    auto tensorOf = [](Type type) -> Type {
      if (auto memref = dyn_cast<MemRefType>(type))
        return RankedTensorType::get(memref.getShape(), memref.getElementType());
      return type;
    };
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&kernel.getBody());
    IRMapping map;
    SmallVector<Value> operands;
    SmallVector<Type> results;
    for (Value operand : kernel->getOperands())
      operands.push_back(body->addArgument(tensorOf(operand.getType()), loc));
    for (auto [value, argument] : llvm::zip(inputs, operands))
      if (outside.contains(value))
        map.map(value, argument);
    SmallVector<Value> own(ArrayRef(operands).take_front(op.getNumDpsInputs()));
    llvm::append_range(own, ArrayRef(operands).take_back(outputs.size()));
    for (Value output : outputs)
      results.push_back(tensorOf(output.getType()));
    OperationState state(loc, op->getName(), own, results, op->getAttrs());
    for (Region &region : op->getRegions())
      region.cloneInto(state.addRegion(), map);
    Operation *copy = builder.create(state);
    // Loads in the body read what is a tensor now.
    copy->walk([&](memref::LoadOp load) {
      OpBuilder at(load);
      Value element =
          tensor::ExtractOp::create(at, load.getLoc(), load.getMemref(), load.getIndices());
      load.replaceAllUsesWith(element);
      load.erase();
    });
    rt::YieldOp::create(builder, loc, copy->getResults());
    op->erase();
    return success();
  }
};

} // namespace
} // namespace torchlite::nvgpu
