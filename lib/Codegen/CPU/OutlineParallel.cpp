//===- OutlineParallel.cpp - Parallel loops to functions for threads ------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_OUTLINEPARALLEL
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

/// What is repeated in the body rather than handed over: it costs nothing there.
bool isRepeated(Operation *op) {
  return isa<rt::WeightsOp, memref::GetGlobalOp>(op) || op->hasTrait<OpTrait::ConstantLike>() ||
         (isa<ViewLikeOpInterface>(op) && isMemoryEffectFree(op));
}

/// Why a loop cannot run on several threads, or null.
const char *whySerial(scf::ForallOp loop) {
  if (loop.getNumResults())
    return "it has results";
  const char *reason = nullptr;
  loop.walk([&](Operation *op) {
    if (isa<tl::CheckOp>(op))
      reason = "it raises errors";
    else if (isa<memref::AllocOp, memref::DeallocOp, rt::OutputOp>(op))
      reason = "it allocates memory";
    else if (isa<func::CallOp>(op))
      reason = "it calls a function";
  });
  return reason;
}

struct OutlineParallel : impl::OutlineParallelBase<OutlineParallel> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    SmallVector<scf::ForallOp> loops;
    module.walk<WalkOrder::PreOrder>([&](scf::ForallOp loop) {
      if (whySerial(loop))
        return WalkResult::advance();
      loops.push_back(loop);
      return WalkResult::skip(); // what is inside runs on one thread
    });
    for (scf::ForallOp loop : loops)
      outline(loop, symbols);
    numRegions += loops.size();
  }

  void outline(scf::ForallOp loop, SymbolTable &symbols) {
    Location loc = loop.getLoc();
    auto parent = loop->getParentOfType<func::FuncOp>();

    // Trip counts, outside.
    OpBuilder outside(loop);
    SmallVector<Value> lowers, steps, trips;
    Value count;
    for (auto [lower, upper, step] :
         llvm::zip(loop.getMixedLowerBound(), loop.getMixedUpperBound(), loop.getMixedStep())) {
      lowers.push_back(getValueOrCreateConstantIndexOp(outside, loc, lower));
      steps.push_back(getValueOrCreateConstantIndexOp(outside, loc, step));
      Value high = getValueOrCreateConstantIndexOp(outside, loc, upper);
      Value range = outside.createOrFold<arith::SubIOp>(loc, high, lowers.back());
      Value trip = outside.createOrFold<arith::CeilDivSIOp>(loc, range, steps.back());
      trips.push_back(trip);
      count = count ? outside.createOrFold<arith::MulIOp>(loc, count, trip) : trip;
    }

    // Captured values: repeated definitions, or operands.
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(loop.getRegion(), captured);
    captured.insert(lowers.begin(), lowers.end());
    captured.insert(steps.begin(), steps.end());
    captured.insert(trips.begin(), trips.end());
    llvm::SetVector<Operation *> repeated;
    llvm::SetVector<Value> operands;
    SmallVector<Value> worklist(captured.begin(), captured.end());
    while (!worklist.empty()) {
      Value value = worklist.pop_back_val();
      Operation *definition = value.getDefiningOp();
      if (definition && isRepeated(definition)) {
        if (repeated.insert(definition))
          llvm::append_range(worklist, definition->getOperands());
      } else {
        operands.insert(value);
      }
    }
    SmallVector<Operation *> order = llvm::to_vector(repeated.getArrayRef());
    (void)computeTopologicalSorting(order);

    // The body.
    SmallVector<Type> types(2, outside.getIndexType());
    for (Value operand : operands)
      types.push_back(operand.getType());
    auto body = func::FuncOp::create(loc, (parent.getName() + "_parallel").str(),
                                     outside.getFunctionType(types, {}));
    body.setPrivate();
    symbols.insert(body, ++parent->getIterator()); // makes the name unique
    OpBuilder builder = OpBuilder::atBlockBegin(body.addEntryBlock());
    IRMapping map;
    for (auto [index, operand] : llvm::enumerate(operands))
      map.map(operand, body.getArgument(index + 2));
    for (Operation *op : order)
      builder.clone(*op, map);
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    auto range = scf::ForOp::create(builder, loc, body.getArgument(0), body.getArgument(1), one);
    func::ReturnOp::create(builder, loc);
    builder.setInsertionPointToStart(range.getBody());
    // The last dimension varies fastest.
    Value rest = range.getInductionVar();
    for (int64_t dim = trips.size() - 1; dim >= 0; --dim) {
      Value number = rest;
      if (dim) {
        Value trip = map.lookup(trips[dim]);
        number = arith::RemUIOp::create(builder, loc, rest, trip);
        rest = arith::DivUIOp::create(builder, loc, rest, trip);
      }
      Value scaled = builder.createOrFold<arith::MulIOp>(loc, number, map.lookup(steps[dim]));
      map.map(loop.getInductionVars()[dim],
              builder.createOrFold<arith::AddIOp>(loc, scaled, map.lookup(lowers[dim])));
    }
    for (Operation &op : loop.getBody()->without_terminator())
      builder.clone(op, map);

    rt::ParallelForOp::create(outside, loc, body.getName(), count,
                              llvm::to_vector(operands.getArrayRef()));
    loop.erase();
  }
};

} // namespace
} // namespace torchlite::cpu
