//===- Loops.cpp - Loops of scalar code -----------------------------------===//
//
// Scatter, nonzero and whatever else reads and writes single elements in an order that matters.
// Loops whose iterations are independent are spread over threads, the innermost over neighbouring
// ones; what is left runs in each thread, one iteration after the other, in the order of the
// program. Where no loop is independent that is a single thread: slow, but without a round trip to
// the host for each element.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/NVGPU/ScalarLoops.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "TorchLite/Codegen/NVGPU/ValueEvaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace torchlite::nvgpu {
namespace {

constexpr int64_t blockSize = 128;

bool isTensor(Value value) { return isa<TensorType>(value.getType()); }

/// Emits the body of a kernel for one thread. Tensors are mapped to the buffers that they live in.
class ThreadEmitter {
public:
  ThreadEmitter(OpBuilder &builder, rt::KernelOp kernel) : b(builder), kernel(kernel) {
    for (BlockArgument argument : kernel.getBody().front().getArguments())
      map.map(argument, kernel.getOperandOf(argument));
  }

  /// The iteration of an independent loop that this thread has, of the type of its variable.
  void choose(scf::ForOp loop, Value iteration) { chosen[loop] = iteration; }

  void emit(Block &block) {
    for (Operation &op : block.without_terminator())
      emit(op);
  }

private:
  void emit(Operation &op);
  void emitFor(scf::ForOp loop);
  void emitWhile(scf::WhileOp loop);
  void emitIf(scf::IfOp branch);

  /// The numbers among `values`.
  SmallVector<Value> numbers(ValueRange values) {
    SmallVector<Value> found;
    for (Value value : values)
      if (!isTensor(value))
        found.push_back(map.lookup(value));
    return found;
  }
  SmallVector<Type> numberTypes(ValueRange values) {
    SmallVector<Type> found;
    for (Value value : values)
      if (!isTensor(value))
        found.push_back(value.getType());
    return found;
  }
  /// `values` become `others`, which are numbers, where they are numbers, or else stay in their
  /// buffer.
  void bind(ValueRange values, ValueRange others) {
    unsigned next = 0;
    for (Value value : values)
      if (isTensor(value))
        map.map(value, kernel.getOperandOf(getPlace(value)));
      else
        map.map(value, others[next++]);
  }

  OpBuilder &b;
  rt::KernelOp kernel;
  IRMapping map;
  DenseMap<Operation *, Value> chosen;
};

void ThreadEmitter::emit(Operation &op) {
  Location loc = op.getLoc();
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    map.map(extract.getResult(), memref::LoadOp::create(b, loc, map.lookup(extract.getTensor()),
                                                        numbers(extract.getIndices())));
  } else if (auto insert = dyn_cast<tensor::InsertOp>(op)) {
    Value buffer = map.lookup(insert.getDest());
    memref::StoreOp::create(b, loc, map.lookup(insert.getScalar()), buffer,
                            numbers(insert.getIndices()));
    map.map(insert.getResult(), buffer);
  } else if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    map.map(dim.getResult(),
            memref::DimOp::create(b, loc, map.lookup(dim.getSource()), *dim.getConstantIndex()));
  } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
    emitFor(loop);
  } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    emitWhile(loop);
  } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
    emitIf(branch);
  } else {
    b.clone(op, map);
  }
}

void ThreadEmitter::emitFor(scf::ForOp loop) {
  if (Value iteration = chosen.lookup(loop)) {
    map.map(loop.getInductionVar(), iteration);
    bind(loop.getRegionIterArgs(), {});
    emit(*loop.getBody());
    bind(loop.getResults(), {});
    return;
  }
  auto copy = scf::ForOp::create(b, loop.getLoc(), map.lookup(loop.getLowerBound()),
                                 map.lookup(loop.getUpperBound()), map.lookup(loop.getStep()),
                                 numbers(loop.getInitArgs()));
  copy->setAttrs(loop->getAttrs());
  map.map(loop.getInductionVar(), copy.getInductionVar());
  bind(loop.getRegionIterArgs(), copy.getRegionIterArgs());
  {
    OpBuilder::InsertionGuard guard(b);
    // Without carried values there is a terminator.
    if (!copy.getBody()->empty())
      copy.getBody()->back().erase();
    b.setInsertionPointToEnd(copy.getBody());
    emit(*loop.getBody());
    scf::YieldOp::create(b, loop.getLoc(), numbers(loop.getYieldedValues()));
  }
  bind(loop.getResults(), copy.getResults());
}

void ThreadEmitter::emitWhile(scf::WhileOp loop) {
  Location loc = loop.getLoc();
  scf::ConditionOp condition = loop.getConditionOp();
  SmallVector<Value> inits = numbers(loop.getInits());
  SmallVector<Type> passed = numberTypes(condition.getArgs());
  auto copy = scf::WhileOp::create(b, loc, passed, inits);
  OpBuilder::InsertionGuard guard(b);
  auto createBlock = [&](Region &region, TypeRange types) {
    SmallVector<Location> locations(types.size(), loc);
    return b.createBlock(&region, {}, types, locations);
  };
  Block *before = createBlock(copy.getBefore(), ValueRange(inits).getTypes());
  bind(loop.getBeforeArguments(), before->getArguments());
  emit(*loop.getBeforeBody());
  scf::ConditionOp::create(b, loc, map.lookup(condition.getCondition()),
                           numbers(condition.getArgs()));
  Block *after = createBlock(copy.getAfter(), passed);
  bind(loop.getAfterArguments(), after->getArguments());
  emit(*loop.getAfterBody());
  scf::YieldOp::create(b, loc, numbers(loop.getYieldOp().getResults()));
  bind(loop.getResults(), copy.getResults());
}

void ThreadEmitter::emitIf(scf::IfOp branch) {
  Location loc = branch.getLoc();
  SmallVector<Type> types = numberTypes(branch.getResults());
  bool hasElse = !branch.getElseRegion().empty();
  auto copy = scf::IfOp::create(b, loc, types, map.lookup(branch.getCondition()), hasElse);
  auto fill = [&](Block *from, Block *to) {
    OpBuilder::InsertionGuard guard(b);
    if (!to->empty())
      to->back().erase();
    b.setInsertionPointToEnd(to);
    emit(*from);
    scf::YieldOp::create(b, loc, numbers(from->getTerminator()->getOperands()));
  };
  fill(branch.thenBlock(), copy.thenBlock());
  if (hasElse)
    fill(branch.elseBlock(), copy.elseBlock());
  bind(branch.getResults(), copy.getResults());
}

/// An independent loop, on the host.
struct Range {
  scf::ForOp loop;
  Value lower, step, count;
};

/// How often the loop is executed; index values.
FailureOr<Range> evaluateRange(OpBuilder &builder, Location loc, scf::ForOp loop,
                               ValueEvaluator &evaluator) {
  auto evaluate = [&](Value bound) -> Value {
    Value value = evaluator.evaluateScalar(bound);
    if (value && !value.getType().isIndex())
      value = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value);
    return value;
  };
  Value lower = evaluate(loop.getLowerBound()), upper = evaluate(loop.getUpperBound());
  Value step = evaluate(loop.getStep());
  if (!lower || !upper || !step)
    return failure();
  std::optional<int64_t> from = getConstantIntValue(lower), to = getConstantIntValue(upper),
                         by = getConstantIntValue(step);
  Range range{loop, lower, step, upper};
  if (from && to && by && *by > 0)
    range.count = arith::ConstantIndexOp::create(
        builder, loc, *to > *from ? llvm::divideCeil(*to - *from, *by) : 0);
  else if (from != 0 || by != 1 || !loop.getUpperBound().getType().isIndex()) {
    Value distance = arith::SubIOp::create(builder, loc, upper, lower);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    distance = arith::MaxSIOp::create(builder, loc, distance, zero);
    range.count = arith::CeilDivUIOp::create(builder, loc, distance, step);
  }
  return range;
}

} // namespace

LogicalResult emitLoops(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                        std::string &reason) {
  Block &body = kernel.getBody().front();
  bool hasLoops = llvm::any_of(body, [](Operation &op) {
    return isa<scf::ForOp, scf::WhileOp, scf::IfOp, tensor::InsertOp>(op);
  });
  if (!hasLoops) {
    reason = "expected loops of scalar code";
    return failure();
  }
  if (failed(checkInPlace(kernel, reason)))
    return failure();

  OpBuilder::InsertionGuard guard(builder);
  Location loc = kernel.getLoc();
  ValueEvaluator evaluator(builder, kernel);
  SmallVector<Range> ranges;
  Value total;
  for (scf::ForOp loop : findIndependentLoops(kernel)) {
    FailureOr<Range> range = evaluateRange(builder, loc, loop, evaluator);
    if (failed(range))
      continue;
    ranges.push_back(*range);
    total =
        total ? arith::MulIOp::create(builder, loc, total, range->count).getResult() : range->count;
  }
  ThreadEmitter emitter(builder, kernel);
  if (ranges.empty()) {
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Launch::create(builder, loc, kernel.getName(), one, 1);
    emitter.emit(body);
    return success();
  }
  auto launch = Launch::create(builder, loc, kernel.getName(),
                               ceilDiv(builder, loc, total, blockSize), blockSize);
  Value size = arith::ConstantIndexOp::create(builder, loc, blockSize);
  Value base = arith::MulIOp::create(builder, loc, launch.blockId(0), size);
  Value number = arith::AddIOp::create(builder, loc, base, launch.threadId(0));
  Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, number, total);
  auto guarded = scf::IfOp::create(builder, loc, inside, /*withElseRegion=*/false);
  builder.setInsertionPointToStart(&guarded.getThenRegion().front());
  for (auto [index, range] : llvm::enumerate(llvm::reverse(ranges))) {
    Value trip = number;
    if (index + 1 < ranges.size()) {
      trip = arith::RemUIOp::create(builder, loc, number, range.count);
      number = arith::DivUIOp::create(builder, loc, number, range.count);
    }
    Value scaled = arith::MulIOp::create(builder, loc, trip, range.step);
    Value iteration = arith::AddIOp::create(builder, loc, range.lower, scaled);
    Type type = range.loop.getInductionVar().getType();
    if (!type.isIndex())
      iteration = arith::IndexCastOp::create(builder, loc, type, iteration);
    emitter.choose(range.loop, iteration);
  }
  emitter.emit(body);
  return success();
}

} // namespace torchlite::nvgpu
