//===- Scan.cpp - Running sums, products, maxima and minima ---------------===//
//
//   block    a block for each row whose elements are neighbours in memory: it takes as many
//   elements
//            as it has threads at a time; shuffles scan those of each warp, shared memory has the
//            totals of the warps
//   thread   a thread for each row, one element after the other: where neighbouring rows are
//            neighbours in memory, or values must be combined in order
//
// Products of floats are computed in order: a zero hides all later overflows, but not those of a
// part that is multiplied on its own.
//
//===----------------------------------------------------------------------===//
#include "BlockScan.h"
#include "Lanes.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace torchlite::nvgpu {
namespace {

/// Threads for a row, at most, and of a block that has a row for each thread.
constexpr int64_t maxRowBlock = 256;
constexpr int64_t threadBlock = 128;

class Emitter {
public:
  Emitter(OpBuilder &builder, rt::KernelOp kernel, rt::ScanOp scan)
      : b(builder), loc(kernel.getLoc()), kernel(kernel), scan(scan),
        input(kernel.getOperandOf(cast<BlockArgument>(scan.getInput()))),
        output(kernel.getOutputs()[0]), dim(scan.getDim()), type(scan.getComputed()) {}

  void countRows();
  void emitBlocks();
  void emitThreads();

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value combine(Value before, Value next) { return scan.combine(b, loc, before, next); }
  Value isLess(Value x, Value y) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, x, y);
  }
  Value load(Value i) {
    at[dim] = i;
    return scan.fromElement(b, loc, memref::LoadOp::create(b, loc, input, at));
  }
  void store(Value value, Value i) {
    at[dim] = i;
    memref::StoreOp::create(b, loc, scan.toElement(b, loc, value), output, at);
  }
  void findRow(Value number) {
    Coordinates coordinates(b, loc, others, threadBlock);
    at = coordinates.ofNumber(coordinates.fromIndex(number));
    at.insert(at.begin() + dim, Value());
  }

  OpBuilder &b;
  Location loc;
  rt::KernelOp kernel;
  rt::ScanOp scan;
  Value input, output;
  int64_t dim;
  Type type;                        ///< of the values that are combined
  SmallVector<OpFoldResult> others; ///< the sizes of the other dimensions
  Value rows, size;
  SmallVector<Value> at;
};

/// On the host.
void Emitter::countRows() {
  auto outputType = cast<MemRefType>(output.getType());
  rows = index(1);
  for (int64_t other = 0; other < outputType.getRank(); ++other) {
    bool isDynamic = outputType.isDynamicDim(other);
    Value length = isDynamic ? memref::DimOp::create(b, loc, output, other).getResult()
                             : index(outputType.getDimSize(other));
    if (other == dim) {
      size = length;
      continue;
    }
    others.push_back(isDynamic ? OpFoldResult(length)
                               : b.getIndexAttr(outputType.getDimSize(other)));
    rows = arith::MulIOp::create(b, loc, rows, length);
  }
}

void Emitter::emitThreads() {
  Launch launch =
      Launch::create(b, loc, kernel.getName(), ceilDiv(b, loc, rows, threadBlock), threadBlock);
  Value number = arith::MulIOp::create(b, loc, launch.blockId(0), index(threadBlock));
  number = arith::AddIOp::create(b, loc, number, launch.threadId(0));
  auto inside = scf::IfOp::create(b, loc, isLess(number, rows), /*withElseRegion=*/false);
  b.setInsertionPointToStart(&inside.getThenRegion().front());
  findRow(number);
  auto loop = scf::ForOp::create(b, loc, index(0), size, index(1), scan.neutral(b, loc));
  b.setInsertionPointToStart(loop.getBody());
  Value running = combine(loop.getRegionIterArg(0), load(loop.getInductionVar()));
  store(running, loop.getInductionVar());
  scf::YieldOp::create(b, loc, running);
}

void Emitter::emitBlocks() {
  int64_t length = cast<MemRefType>(output.getType()).getDimSize(dim);
  int64_t block = BlockScan::chooseBlock(length, maxRowBlock);
  Launch launch =
      Launch::create(b, loc, kernel.getName(), rows, block, BlockScan::sharedBytes(block, type));
  Value thread = launch.threadId(0);
  findRow(launch.blockId(0));
  BlockScan threads(b, loc, thread, block, type,
                    [&](Value before, Value next) { return combine(before, next); });
  // All threads take all turns: they wait for each other.
  Value neutral = scan.neutral(b, loc);
  auto turn = scf::ForOp::create(b, loc, index(0), size, index(block), neutral);
  b.setInsertionPointToStart(turn.getBody());
  Value i = arith::AddIOp::create(b, loc, turn.getInductionVar(), thread);
  Value isInside = isLess(i, size);
  auto read = scf::IfOp::create(b, loc, type, isInside, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(read.thenBlock());
    scf::YieldOp::create(b, loc, load(i));
    b.setInsertionPointToEnd(read.elseBlock());
    scf::YieldOp::create(b, loc, neutral);
  }
  auto [value, all] = threads.scan(read.getResult(0), turn.getRegionIterArg(0));
  auto write = scf::IfOp::create(b, loc, isInside, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(write.thenBlock());
    store(value, i);
  }
  scf::YieldOp::create(b, loc, all);
}

} // namespace

LogicalResult emitScan(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                       std::string &reason) {
  auto scan = kernel.getYielded(0).getDefiningOp<rt::ScanOp>();
  if (!scan || !isa<BlockArgument>(scan.getInput())) {
    reason = "expected a scan";
    return failure();
  }
  OpBuilder::InsertionGuard guard(builder);
  Emitter emitter(builder, kernel, scan);
  emitter.countRows();
  auto shape = cast<MemRefType>(kernel.getOutputs()[0].getType()).getShape();
  bool isLast = llvm::all_of(shape.drop_front(scan.getDim() + 1), [](int64_t n) { return n == 1; });
  if (isLast && scan.getKind() != arith::AtomicRMWKind::mulf)
    emitter.emitBlocks();
  else
    emitter.emitThreads();
  return success();
}

} // namespace torchlite::nvgpu
