//===- ScalarLoops.cpp - Kernels that are loops of scalar code ------------===//
#include "TorchLite/Codegen/NVGPU/ScalarLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace torchlite::nvgpu {
namespace {

bool isTensor(Value value) { return isa<TensorType>(value.getType()); }

/// Operations that hand tensors on from one value to another.
bool isControlFlow(Operation *op) {
  return isa<scf::ForOp, scf::WhileOp, scf::IfOp, scf::YieldOp, scf::ConditionOp>(op);
}

bool isNumber(Type type) { return type.isIntOrIndexOrFloat(); }

/// When `a` is executed, seen from `b`.
enum class Order { Before, After, Exclusive, Unknown };

Order orderOf(Operation *a, Operation *b) {
  for (Operation *outer = a; outer; outer = outer->getParentOp()) {
    Operation *other = outer->getBlock()->findAncestorOpInBlock(*b);
    if (!other)
      continue;
    if (outer != other)
      return outer->isBeforeInBlock(other) ? Order::Before : Order::After;
    // Both are in `outer`, in different regions, or one of them contains the other.
    bool isNested = outer != a && outer != b;
    return isNested && isa<scf::IfOp>(outer) ? Order::Exclusive : Order::Unknown;
  }
  return Order::Unknown;
}

/// Whether `op` is in a loop that is in the block of `value`.
bool isInLoop(Operation *op, Value value) {
  Region *region = value.getParentRegion();
  for (Region *inner = op->getParentRegion(); inner && inner != region;
       inner = inner->getParentRegion())
    if (isa<LoopLikeOpInterface>(inner->getParentOp()))
      return true;
  return false;
}

/// Checks that no value is read or handed on after another has taken its buffer.
LogicalResult checkUses(Value tensor, bool isWritable, std::string &reason) {
  SmallVector<Operation *> reads, handOns;
  for (OpOperand &use : tensor.getUses()) {
    Operation *user = use.getOwner();
    if (isa<tensor::DimOp>(user))
      continue;
    if (isa<tensor::ExtractOp>(user))
      reads.push_back(user);
    else
      handOns.push_back(user); // Inserts, and control flow.
  }
  if (!handOns.empty() && !isWritable) {
    reason = "expected inputs to be read only";
    return failure();
  }
  for (auto [number, handOn] : llvm::enumerate(handOns)) {
    if (isInLoop(handOn, tensor)) {
      reason = "expected loops to carry the tensors that they write";
      return failure();
    }
    for (Operation *read : reads)
      if (Order order = orderOf(read, handOn);
          order != Order::Before && order != Order::Exclusive) {
        reason = "expected tensors to be read before they are written";
        return failure();
      }
    for (Operation *other : ArrayRef<Operation *>(handOns).drop_front(number + 1))
      if (orderOf(handOn, other) != Order::Exclusive) {
        reason = "expected tensors to be written once";
        return failure();
      }
  }
  return success();
}

/// The values that take the place of the tensor operands of terminators stay in their buffers.
LogicalResult checkCarried(Operation *op, std::string &reason) {
  auto check = [&](Value carried, Value next) {
    return !isTensor(carried) || (getPlace(next) && getPlace(carried) == getPlace(next));
  };
  bool isSame = true;
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (auto [argument, yielded] : llvm::zip(loop.getRegionIterArgs(), loop.getYieldedValues()))
      isSame &= check(argument, yielded);
  } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    for (auto [argument, yielded] :
         llvm::zip(loop.getBeforeArguments(), loop.getYieldOp().getResults()))
      isSame &= check(argument, yielded);
    for (Value passed : loop.getConditionOp().getArgs())
      isSame &= check(passed, passed);
  } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (Value result : branch.getResults())
      isSame &= check(result, result);
  }
  if (isSame)
    return success();
  reason = "expected tensors to stay in their buffers";
  return failure();
}

/// Whether `value` is known before the kernel starts: it depends on no element.
bool isKnownBefore(Value value, Block *body) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return cast<BlockArgument>(value).getOwner() == body;
  if (op->getBlock() != body || op->getNumRegions() || isa<tensor::ExtractOp>(op))
    return false;
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return dim.getConstantIndex() && isa<BlockArgument>(dim.getSource()) &&
           cast<BlockArgument>(dim.getSource()).getOwner() == body;
  return llvm::all_of(op->getOperands(),
                      [&](Value operand) { return isKnownBefore(operand, body); });
}

/// Whether `index` is the loop's variable, in any type.
bool isVariable(Value index, scf::ForOp loop) {
  while (auto cast = index.getDefiningOp<arith::IndexCastOp>())
    index = cast.getIn();
  return index == loop.getInductionVar();
}

} // namespace

LogicalResult checkScalarCode(Operation *op, std::string &reason) {
  WalkResult result = op->walk([&](Operation *inner) {
    auto isAllowed = [&](Value value) {
      auto tensor = dyn_cast<RankedTensorType>(value.getType());
      if (!tensor)
        return isNumber(value.getType());
      bool mayUse = isControlFlow(inner) || isa<tensor::ExtractOp, tensor::InsertOp>(inner) ||
                    (isa<tensor::DimOp>(inner) && cast<tensor::DimOp>(inner).getConstantIndex());
      return mayUse && isNumber(tensor.getElementType());
    };
    bool isKnown =
        isControlFlow(inner) || (inner->getNumRegions() == 0 && isMemoryEffectFree(inner));
    if (isKnown && llvm::all_of(inner->getOperands(), isAllowed) &&
        llvm::all_of(inner->getResults(), isAllowed))
      return WalkResult::advance();
    reason = ("expected scalar code, but got " + inner->getName().getStringRef()).str();
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

BlockArgument getPlace(Value tensor) {
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (isa<rt::KernelOp>(parent))
      return argument;
    if (auto loop = dyn_cast<scf::ForOp>(parent))
      return getPlace(loop.getTiedLoopInit(argument)->get());
    auto loop = dyn_cast<scf::WhileOp>(parent);
    if (!loop)
      return {};
    unsigned number = argument.getArgNumber();
    return getPlace(argument.getOwner() == loop.getBeforeBody()
                        ? loop.getInits()[number]
                        : loop.getConditionOp().getArgs()[number]);
  }
  auto result = cast<OpResult>(tensor);
  unsigned number = result.getResultNumber();
  if (auto insert = dyn_cast<tensor::InsertOp>(result.getOwner()))
    return getPlace(insert.getDest());
  if (auto loop = dyn_cast<scf::ForOp>(result.getOwner()))
    return getPlace(loop.getInitArgs()[number]);
  if (auto loop = dyn_cast<scf::WhileOp>(result.getOwner()))
    return getPlace(loop.getConditionOp().getArgs()[number]);
  if (auto branch = dyn_cast<scf::IfOp>(result.getOwner())) {
    BlockArgument place = getPlace(branch.thenYield().getResults()[number]);
    return place == getPlace(branch.elseYield().getResults()[number]) ? place : BlockArgument();
  }
  return {};
}

LogicalResult checkInPlace(rt::KernelOp kernel, std::string &reason) {
  Block &body = kernel.getBody().front();
  for (Operation &op : body.without_terminator())
    if (failed(checkScalarCode(&op, reason)))
      return failure();
  for (unsigned output = 0; output < kernel.getOutputs().size(); ++output)
    if (getPlace(kernel.getYielded(output)) != kernel.getOutputArgument(output)) {
      reason = "expected each output to be yielded from its own buffer";
      return failure();
    }
  unsigned inputs = kernel.getInputs().size();
  for (BlockArgument argument : body.getArguments())
    if (isTensor(argument) &&
        failed(checkUses(argument, /*isWritable=*/argument.getArgNumber() >= inputs, reason)))
      return failure();
  WalkResult result = body.walk([&](Operation *op) {
    if (failed(checkCarried(op, reason)))
      return WalkResult::interrupt();
    auto check = [&](Value value) {
      return !isTensor(value) || succeeded(checkUses(value, /*isWritable=*/true, reason));
    };
    bool isGood = llvm::all_of(op->getResults(), check);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        isGood = isGood && llvm::all_of(block.getArguments(), check);
    return isGood ? WalkResult::advance() : WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

SmallVector<scf::ForOp> findIndependentLoops(rt::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  // The only loop of the body, the only loop of that one, ...: what stands beside a loop may be
  // computed again by each of the threads that share its iterations.
  SmallVector<scf::ForOp> nest;
  for (Block *block = &body; block;) {
    scf::ForOp only;
    for (Operation &op : block->without_terminator()) {
      if (!op.getNumRegions())
        continue;
      auto loop = dyn_cast<scf::ForOp>(op);
      if (only || !loop || !llvm::all_of(loop.getInitArgs(), isTensor)) {
        only = {};
        break;
      }
      only = loop;
    }
    block = only ? only.getBody() : nullptr;
    if (only)
      nest.push_back(only);
  }
  // Accesses to what is written, by buffer.
  llvm::MapVector<Value, SmallVector<ValueRange>> accesses;
  unsigned inputs = kernel.getInputs().size();
  body.walk([&](Operation *op) {
    Value tensor;
    ValueRange indices;
    if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
      tensor = extract.getTensor();
      indices = extract.getIndices();
    } else if (auto insert = dyn_cast<tensor::InsertOp>(op)) {
      tensor = insert.getDest();
      indices = insert.getIndices();
    } else {
      return;
    }
    BlockArgument place = getPlace(tensor);
    if (place.getArgNumber() >= inputs)
      accesses[place].push_back(indices);
  });
  SmallVector<scf::ForOp> independent;
  for (scf::ForOp loop : nest) {
    auto hasOwnElements = [&](ArrayRef<ValueRange> all) {
      return llvm::any_of(llvm::seq<unsigned>(0, all.front().size()), [&](unsigned dim) {
        return llvm::all_of(all, [&](ValueRange at) { return isVariable(at[dim], loop); });
      });
    };
    bool isIndependent =
        !loop.getUnsignedCmp() &&
        llvm::all_of(accesses, [&](auto &entry) { return hasOwnElements(entry.second); }) &&
        llvm::all_of(ValueRange{loop.getLowerBound(), loop.getUpperBound(), loop.getStep()},
                     [&](Value bound) { return isKnownBefore(bound, &body); });
    if (isIndependent)
      independent.push_back(loop);
  }
  return independent;
}

} // namespace torchlite::nvgpu
