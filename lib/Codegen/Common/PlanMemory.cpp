//===- PlanMemory.cpp - Buffers of known size into one arena --------------===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace torchlite {
#define GEN_PASS_DEF_PLANMEMORY
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

constexpr int64_t alignment = 64;

/// A buffer and the time from which to which (included) it holds something.
struct Buffer {
  memref::AllocOp op;
  int64_t bytes;
  int64_t first;
  int64_t last;
  int64_t offset = 0;
};

/// Program points: each operation spans those of what it contains.
class Timeline {
public:
  explicit Timeline(func::FuncOp function) { visit(function); }
  int64_t begin(Operation *op) const { return spans.lookup(op).first; }
  int64_t end(Operation *op) const { return spans.lookup(op).second; }

private:
  void visit(Operation *op) {
    int64_t begin = clock++;
    for (Region &region : op->getRegions())
      for (Operation &nested : region.getOps())
        visit(&nested);
    spans[op] = {begin, clock++};
  }
  DenseMap<Operation *, std::pair<int64_t, int64_t>> spans;
  int64_t clock = 0;
};

/// Bytes of a memref of static shape, or nothing where its elements have no size.
std::optional<int64_t> bytesOf(MemRefType type) {
  Type element = type.getElementType();
  int64_t count = type.getNumElements();
  if (auto complex = dyn_cast<ComplexType>(element)) {
    element = complex.getElementType();
    count *= 2;
  }
  if (element.isIndex())
    return count * 8;
  if (!element.isIntOrFloat())
    return std::nullopt;
  return count * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

/// The last time at which `alloc` or an alias of it is used. Nothing if that cannot be told, or if
/// the buffer outlives the iteration of a loop in which it was made.
std::optional<int64_t> lastUse(memref::AllocOp alloc, const Timeline &timeline) {
  int64_t last = timeline.end(alloc);
  SmallVector<Value> worklist{alloc.getResult()};
  DenseSet<Value> seen;
  auto addAlias = [&](Value value) {
    if (seen.insert(value).second)
      worklist.push_back(value);
  };
  seen.insert(alloc.getResult());
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      // A value lives on through the whole of a loop in which it is used.
      last = std::max(last, timeline.end(value.getParentBlock()->findAncestorOpInBlock(*user)));
      if (isa<ViewLikeOpInterface, arith::SelectOp, memref::ExtractStridedMetadataOp>(user)) {
        for (Value result : user->getResults())
          if (isa<BaseMemRefType>(result.getType()))
            addAlias(result);
      } else if (auto loop = dyn_cast<scf::ForOp>(user)) {
        // The initial value of something that the loop carries.
        addAlias(loop.getTiedLoopResult(&use));
        addAlias(loop.getTiedLoopRegionIterArg(&use));
      } else if (auto loop = dyn_cast<scf::WhileOp>(user)) {
        addAlias(loop.getBeforeArguments()[use.getOperandNumber()]);
      } else if (user->hasTrait<OpTrait::IsTerminator>()) {
        Operation *parent = user->getParentOp();
        if (auto ifOp = dyn_cast<scf::IfOp>(parent)) {
          addAlias(ifOp.getResult(use.getOperandNumber()));
        } else if (auto indexSwitch = dyn_cast<scf::IndexSwitchOp>(parent)) {
          addAlias(indexSwitch.getResult(use.getOperandNumber()));
        } else if (auto region = dyn_cast<scf::ExecuteRegionOp>(parent)) {
          addAlias(region.getResult(use.getOperandNumber()));
        } else if (isa<scf::ForOp, scf::WhileOp>(parent) && !parent->isAncestor(alloc)) {
          // Carried from one iteration to the next: still the buffer from outside.
          unsigned number = use.getOperandNumber();
          if (auto forOp = dyn_cast<scf::ForOp>(parent)) {
            addAlias(forOp.getResult(number));
            addAlias(forOp.getRegionIterArg(number));
          } else if (auto whileOp = cast<scf::WhileOp>(parent); isa<scf::ConditionOp>(user)) {
            addAlias(whileOp.getResult(number - 1));
            addAlias(whileOp.getAfterArguments()[number - 1]);
          } else {
            addAlias(whileOp.getBeforeArguments()[number]);
          }
        } else {
          return std::nullopt;
        }
      } else if (llvm::any_of(user->getResultTypes(), llvm::IsaPred<BaseMemRefType>) ||
                 isa<memref::ExtractAlignedPointerAsIndexOp>(user)) {
        return std::nullopt;
      }
    }
  }
  return last;
}

/// Gives each buffer the lowest offset that is free while it lives, the largest buffers first.
/// Returns the size of the arena.
int64_t place(MutableArrayRef<Buffer> buffers) {
  SmallVector<Buffer *> order = llvm::to_vector(llvm::make_pointer_range(buffers));
  llvm::stable_sort(order, [](Buffer *a, Buffer *b) { return a->bytes > b->bytes; });
  SmallVector<Buffer *> placed;
  int64_t total = 0;
  for (Buffer *buffer : order) {
    SmallVector<std::pair<int64_t, int64_t>> busy;
    for (Buffer *other : placed)
      if (other->first <= buffer->last && buffer->first <= other->last)
        busy.push_back({other->offset, other->offset + other->bytes});
    llvm::sort(busy);
    int64_t offset = 0;
    for (auto [begin, end] : busy) {
      if (offset + buffer->bytes <= begin)
        break;
      offset = std::max(offset, end);
    }
    buffer->offset = offset;
    total = std::max(total, offset + buffer->bytes);
    placed.push_back(buffer);
  }
  return total;
}

/// Iterations of a parallel loop, and the number of the current one at the start of its body.
std::pair<Value, Value> countIterations(scf::ForallOp loop) {
  Location loc = loop.getLoc();
  OpBuilder outside(loop);
  OpBuilder inside = OpBuilder::atBlockBegin(loop.getBody());
  Value count = arith::ConstantIndexOp::create(outside, loc, 1);
  Value number = arith::ConstantIndexOp::create(inside, loc, 0);
  for (auto [lower, upper, step, iv] :
       llvm::zip(loop.getMixedLowerBound(), loop.getMixedUpperBound(), loop.getMixedStep(),
                 loop.getInductionVars())) {
    Value low = getValueOrCreateConstantIndexOp(outside, loc, lower);
    Value high = getValueOrCreateConstantIndexOp(outside, loc, upper);
    Value by = getValueOrCreateConstantIndexOp(outside, loc, step);
    Value range = arith::SubIOp::create(outside, loc, high, low);
    Value trips = arith::CeilDivSIOp::create(outside, loc, range, by);
    count = arith::MulIOp::create(outside, loc, count, trips);
    Value distance = arith::SubIOp::create(inside, loc, iv, low);
    Value index = arith::DivSIOp::create(inside, loc, distance, by);
    Value scaled = arith::MulIOp::create(inside, loc, number, trips);
    number = arith::AddIOp::create(inside, loc, scaled, index);
  }
  return {count, number};
}

std::optional<int64_t> staticIterations(scf::ForallOp loop) {
  int64_t count = 1;
  for (auto [lower, upper, step] :
       llvm::zip(loop.getStaticLowerBound(), loop.getStaticUpperBound(), loop.getStaticStep())) {
    if (ShapedType::isDynamic(lower) || ShapedType::isDynamic(upper) || ShapedType::isDynamic(step))
      return std::nullopt;
    count *= std::max<int64_t>(0, llvm::divideCeilSigned(upper - lower, step));
  }
  return count;
}

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    DenseMap<Operation *, int64_t> sizes;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() && failed(plan(function, symbols, sizes)))
        return signalPassFailure();
  }

  /// Plans a function, what it calls first.
  LogicalResult plan(func::FuncOp function, SymbolTable &symbols,
                     DenseMap<Operation *, int64_t> &sizes) {
    auto [entry, isNew] = sizes.try_emplace(function, -1);
    if (!isNew)
      return entry->second >= 0 ? success()
                                : LogicalResult(function.emitOpError("expected no recursion"));

    // What a callee needs is a buffer of the caller, alive during the call.
    WalkResult called = function.walk([&](func::CallOp call) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      if (!callee || callee.isExternal())
        return WalkResult::advance();
      if (failed(plan(callee, symbols, sizes)))
        return WalkResult::interrupt();
      int64_t bytes = sizes.lookup(callee);
      if (!bytes)
        return WalkResult::advance();
      OpBuilder builder(call);
      auto type = MemRefType::get({bytes}, builder.getI8Type());
      Value scratch = memref::AllocOp::create(builder, call.getLoc(), type);
      call.getOperandsMutable().append(scratch);
      return WalkResult::advance();
    });
    if (called.wasInterrupted() || failed(privatizeParallelBuffers(function)))
      return failure();

    Timeline timeline(function);
    SmallVector<Buffer> buffers;
    function.walk([&](memref::AllocOp op) {
      MemRefType type = op.getType();
      if (!type.hasStaticShape() || !type.getLayout().isIdentity())
        return;
      std::optional<int64_t> bytes = bytesOf(type);
      std::optional<int64_t> last = lastUse(op, timeline);
      if (!bytes || !last)
        return;
      buffers.push_back(
          {op, static_cast<int64_t>(llvm::alignTo(*bytes, alignment)), timeline.begin(op), *last});
      numBufferBytes += *bytes;
    });
    // A buffer without bytes still needs a place.
    for (Buffer &buffer : buffers)
      buffer.bytes = std::max(buffer.bytes, alignment);
    int64_t total = place(buffers);
    sizes[function] = total;

    OpBuilder builder(&getContext());
    bool isEntry = function->hasAttr("tl.method");
    if (isEntry) {
      function->setAttr("tl.arena_bytes", builder.getI64IntegerAttr(total));
      numArenaBytes += total;
    }
    if (buffers.empty())
      return success();
    auto arenaType = MemRefType::get({total}, builder.getI8Type());
    Value arena;
    if (isEntry) {
      builder.setInsertionPointToStart(&function.front());
      arena = rt::ArenaOp::create(builder, function.getLoc(), arenaType);
    } else if (failed(function.insertArgument(function.getNumArguments(), arenaType, {},
                                              function.getLoc()))) {
      return failure();
    } else {
      arena = function.getArguments().back();
    }
    for (Buffer &buffer : buffers) {
      builder.setInsertionPoint(buffer.op);
      Value offset = arith::ConstantIndexOp::create(builder, buffer.op.getLoc(), buffer.offset);
      Value view = memref::ViewOp::create(builder, buffer.op.getLoc(), buffer.op.getType(), arena,
                                          offset, ValueRange());
      for (Operation *user : llvm::make_early_inc_range(buffer.op->getUsers()))
        if (isa<memref::DeallocOp>(user))
          user->erase();
      buffer.op.replaceAllUsesWith(view);
      buffer.op.erase();
    }
    return success();
  }

  /// A buffer made in a parallel loop becomes a part, of its own for each iteration, of a buffer
  /// outside.
  LogicalResult privatizeParallelBuffers(func::FuncOp function) {
    SmallVector<memref::AllocOp> allocs;
    function.walk([&](memref::AllocOp op) {
      if (op->getParentOfType<scf::ForallOp>())
        allocs.push_back(op);
    });
    for (memref::AllocOp op : allocs) {
      MemRefType type = op.getType();
      while (auto loop = op->getParentOfType<scf::ForallOp>()) {
        std::optional<int64_t> bytes =
            type.hasStaticShape() && type.getLayout().isIdentity() ? bytesOf(type) : std::nullopt;
        if (!bytes)
          return op.emitError("cannot allocate memory of unknown size in a parallel region");
        int64_t slot = llvm::alignTo(std::max<int64_t>(*bytes, 1), alignment);
        auto [count, number] = countIterations(loop);
        OpBuilder outside(loop);
        Value slotBytes = arith::ConstantIndexOp::create(outside, op.getLoc(), slot);
        std::optional<int64_t> iterations = staticIterations(loop);
        SmallVector<Value> dynamicSize;
        if (!iterations)
          dynamicSize.push_back(arith::MulIOp::create(outside, op.getLoc(), count, slotBytes));
        auto wholeType = MemRefType::get({iterations ? *iterations * slot : ShapedType::kDynamic},
                                         outside.getI8Type());
        auto whole = memref::AllocOp::create(outside, op.getLoc(), wholeType, dynamicSize);
        OpBuilder inside(op);
        Value offset = arith::MulIOp::create(inside, op.getLoc(), number, slotBytes);
        op.replaceAllUsesWith(
            memref::ViewOp::create(inside, op.getLoc(), type, whole, offset, ValueRange())
                .getResult());
        op.erase();
        op = whole;
        type = wholeType;
      }
    }
    return success();
  }
};

} // namespace
} // namespace torchlite
