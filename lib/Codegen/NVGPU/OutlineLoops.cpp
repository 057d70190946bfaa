//===- OutlineLoops.cpp - Loops of scalar code become kernels -------------===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Codegen/NVGPU/ScalarLoops.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_OUTLINELOOPS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

bool isTensor(Value value) { return isa<RankedTensorType>(value.getType()); }

bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->hasTrait<OpTrait::ConstantLike>() && !isTensor(value);
}

/// Whether elements are read or written: without, the host is as good.
bool touchesTensors(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        return isa<tensor::ExtractOp, tensor::InsertOp>(inner) ? WalkResult::interrupt()
                                                               : WalkResult::advance();
      })
      .wasInterrupted();
}

struct OutlineLoops : impl::OutlineLoopsBase<OutlineLoops> {
  void runOnOperation() override {
    SmallVector<Operation *> loops;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<rt::KernelOp, linalg::LinalgOp>(op))
        return WalkResult::skip();
      std::string reason;
      if (!isa<scf::ForOp, scf::WhileOp>(op) || !touchesTensors(op) ||
          failed(checkScalarCode(op, reason)))
        return WalkResult::advance();
      loops.push_back(op);
      return WalkResult::skip();
    });
    for (Operation *loop : loops)
      if (!loop->use_empty())
        outline(loop);
  }

private:
  /// Builds a kernel that does the same, with the tensors that the loop carries as outputs, and one
  /// of rank 0 for each number that it returns.
  void outline(Operation *loop) {
    Location loc = loop->getLoc();
    IRRewriter builder(loop);
    ValueRange inits = isa<scf::ForOp>(loop) ? ValueRange(cast<scf::ForOp>(loop).getInitArgs())
                                             : ValueRange(cast<scf::WhileOp>(loop).getInits());
    llvm::SetVector<Value> used(loop->operand_begin(), loop->operand_end());
    getUsedValuesDefinedAbove(loop->getRegions(), used);
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(loop->getRegions(), captured);

    SmallVector<Value> inputs, places, constants;
    for (Value value : used) {
      if (isConstant(value))
        constants.push_back(value);
      // The first value of what is written; it may be read as well.
      else if (!isTensor(value) || captured.contains(value) || !llvm::is_contained(inits, value))
        inputs.push_back(value);
    }
    SmallVector<Operation *> made;
    auto addPlace = [&](Value tensor) {
      if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>()) {
        made.push_back(bufferization::AllocTensorOp::create(builder, loc, empty.getType(),
                                                            empty.getDynamicSizes()));
        tensor = made.back()->getResult(0);
      }
      places.push_back(tensor);
    };
    for (Value init : inits)
      if (isTensor(init))
        addPlace(init);
    SmallVector<Value> numbers;
    for (Value result : loop->getResults())
      if (!isTensor(result) && !result.use_empty()) {
        auto type = RankedTensorType::get({}, result.getType());
        made.push_back(bufferization::AllocTensorOp::create(builder, loc, type, ValueRange()));
        places.push_back(made.back()->getResult(0));
        numbers.push_back(result);
      }

    auto kernel = rt::KernelOp::create(builder, loc, ValueRange(places).getTypes(),
                                       builder.getStringAttr("loops"), inputs, places);
    Block *body = builder.createBlock(&kernel.getBody());
    IRMapping mapping;
    for (Value input : inputs)
      mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
    for (Value output : places)
      body->addArgument(output.getType(), output.getLoc());
    auto arguments = body->getArguments().drop_front(inputs.size());
    for (Value constant : constants)
      builder.clone(*constant.getDefiningOp(), mapping);
    Operation *copy = builder.clone(*loop, mapping);
    unsigned next = 0, firstInit = isa<scf::ForOp>(loop) ? 3 : 0;
    for (auto [number, init] : llvm::enumerate(inits))
      if (isTensor(init))
        copy->setOperand(firstInit + number, arguments[next++]);
    SmallVector<Value> yielded(kernel.getNumResults());
    // By where they live: a while may hand its tensors on in another order.
    for (Value result : copy->getResults())
      if (isTensor(result))
        if (BlockArgument place = getPlace(result))
          yielded[place.getArgNumber() - inputs.size()] = result;
    for (auto [place, number] : llvm::zip(arguments.drop_front(next), numbers)) {
      Value value = copy->getResult(cast<OpResult>(number).getResultNumber());
      yielded[next++] = tensor::InsertOp::create(builder, loc, value, place, ValueRange());
    }
    for (auto [value, argument] : llvm::zip(yielded, arguments))
      if (!value)
        value = argument;
    rt::YieldOp::create(builder, loc, yielded);

    std::string reason;
    if (failed(checkInPlace(kernel, reason))) {
      // It stays on the host: one read for each element, but right.
      builder.setInsertionPoint(loop);
      kernel.erase();
      for (Operation *op : made)
        op->erase();
      ++numLeft;
      return;
    }
    builder.setInsertionPointAfter(kernel);
    for (auto [result, inside] : llvm::zip(loop->getResults(), copy->getResults()))
      if (isTensor(result)) {
        Value value = kernel.getResult(getPlace(inside).getArgNumber() - inputs.size());
        if (value.getType() != result.getType())
          value = tensor::CastOp::create(builder, loc, result.getType(), value);
        result.replaceAllUsesWith(value);
      }
    for (auto [number, place] : llvm::zip(numbers, kernel.getResults().take_back(numbers.size())))
      number.replaceAllUsesWith(tensor::ExtractOp::create(builder, loc, place, ValueRange()));
    loop->erase();
    ++numLoops;
  }
};

} // namespace
} // namespace torchlite::nvgpu
