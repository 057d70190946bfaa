//===- MmaSync.cpp - Contractions on tensor cores by mma.sync -------------===//
//
// A block computes a tile of the result. The reduction is cut into steps; the tiles of both
// operands for the next steps are on their way from global to shared memory (TileCopy.h) while the
// warps multiply fragments of the current one (TensorCore.h). Stages of shared memory are used in
// turn, with one barrier per step: it says that the tile of this step has arrived for all threads,
// and that all are done with the tile of the last one, whose stage is filled next. Sums stay in
// registers, and the epilogue is computed on them.
//
// Sources: Kerr et al., "CUTLASS: Fast Linear Algebra in CUDA C++", 2017, and CUTLASS's
// MmaMultistage; implicit GEMM as in Contraction.h.
//
// A strategy for wgmma (sm_90a) shares Contraction and FragmentWriter, and brings its own operand
// layer, the tensor memory accelerator in place of TileCopy, and its own instruction layer: there
// operands stay in shared memory in the 128-byte swizzle, a warpgroup multiplies 64 rows, and the
// registers of the sums are those of C above for 16 rows per warp, so that the sums stand in the
// same order. It stands before this one in the table, and refuses what a tensor map cannot describe
// (padding with strides, rows that are not aligned to 16 bytes): that comes here.
//
//===----------------------------------------------------------------------===//
#include "FragmentWriter.h"
#include "TileCopy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace torchlite::nvgpu {

namespace {

/// The emission of one kernel.
class MmaKernel {
public:
  MmaKernel(OpBuilder &builder, Contraction &form, const MmaKind &kind, const TileShape &shape,
            const TargetInfo &target)
      : builder(builder), form(form), kind(kind), shape(shape),
        threads(shape.blockM / shape.warpM * (shape.blockN / shape.warpN) * warpSize),
        tileA(SharedTile::create(kind, shape.blockM, shape.blockK,
                                 form.rows().contiguous == Axis::M)),
        tileB(SharedTile::create(kind, shape.blockN, shape.blockK,
                                 form.columns().contiguous == Axis::N)),
        copyA(form, Contraction::Rows, TileLayout::of(tileA), target, threads),
        copyB(form, Contraction::Columns, TileLayout::of(tileB), target, threads) {
    // Loads into registers are not worth a branch: those beyond the last tile are begun, with the
    // copies of the other operand.
    if (!isAsync()) {
      copyA.allowBeyondLast();
      copyB.allowBeyondLast();
    }
  }

  int64_t sharedBytes() const { return shape.stages * (tileA.bytes() + tileB.bytes()); }
  /// Whether all copies go past the registers.
  bool isAsync() const { return copyA.isAsync() && copyB.isAsync(); }
  bool fits(const TargetInfo &target) const {
    return sharedBytes() <= target.sharedPerBlock && copyA.isEven() && copyB.isEven();
  }
  LogicalResult emit(std::string &reason);

private:
  Location loc() { return form.kernel->getLoc(); }
  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc(), value); }
  Value number(int64_t value) { return form.number(builder, value); }
  Value add(Value x, Value y) { return builder.createOrFold<arith::AddIOp>(loc(), x, y); }
  Value mul(Value x, Value y) { return builder.createOrFold<arith::MulIOp>(loc(), x, y); }
  Value div(Value x, Value y) { return builder.createOrFold<arith::DivUIOp>(loc(), x, y); }
  Value mod(Value x, Value y) { return builder.createOrFold<arith::RemUIOp>(loc(), x, y); }

  /// Which tile the block computes: `blockRow`, `blockColumn` and `batch`.
  void placeBlock(Value block);
  Value sharedView(Value bytes, int64_t offset, const SharedTile &tile);
  Value stageStart(Value stage, const SharedTile &tile) {
    return mul(stage, index(tile.elements()));
  }
  void beginCopies(Value stage, Value firstK, SmallVector<Value> (&elements)[2]);
  void finishCopies(Value stage, const SmallVector<Value> (&elements)[2]);
  void commitCopies() {
    if (copyA.isAsync() || copyB.isAsync())
      NVVM::CpAsyncCommitGroupOp::create(builder, loc());
  }
  SmallVector<Value> multiplyStage(Value stage, ValueRange sums);
  SmallVector<Value> emitLoop();

  OpBuilder &builder;
  Contraction &form;
  MmaKind kind;
  TileShape shape;
  int64_t threads;
  SharedTile tileA, tileB;
  TileCopier copyA, copyB;

  Value lane, warpRow, warpColumn;    ///< of the thread, in the tile (index)
  Value blockRow, blockColumn, batch; ///< numbers
  Value sharedA, sharedB;
  std::optional<FragmentLoader> loadA, loadB;
};

/// Blocks with neighbouring numbers share operands in the second-level cache: they go through
/// groups of rows of tiles, column by column.
constexpr int64_t groupRows = 8;

void MmaKernel::placeBlock(Value block) {
  auto tiles = [&](Axis axis, int64_t size) {
    Value count = arith::AddIOp::create(builder, loc(), form.size(builder, axis), number(size - 1));
    return div(count, number(size));
  };
  Value rows = tiles(Axis::M, shape.blockM), columns = tiles(Axis::N, shape.blockN);
  Value perBatch = mul(rows, columns);
  batch = div(block, perBatch);
  Value rest = mod(block, perBatch);
  int64_t known = form.staticSize(Axis::M);
  if (!ShapedType::isDynamic(known) && known <= groupRows * shape.blockM) {
    blockRow = mod(rest, rows);
    blockColumn = div(rest, rows);
  } else {
    Value inGroup = mul(columns, number(groupRows));
    Value first = mul(div(rest, inGroup), number(groupRows));
    Value left = arith::SubIOp::create(builder, loc(), rows, first);
    Value height = arith::MinUIOp::create(builder, loc(), left, number(groupRows));
    rest = mod(rest, inGroup);
    blockRow = add(first, mod(rest, height));
    blockColumn = div(rest, height);
  }
  blockRow = mul(blockRow, number(shape.blockM));
  blockColumn = mul(blockColumn, number(shape.blockN));
}

Value MmaKernel::sharedView(Value bytes, int64_t offset, const SharedTile &tile) {
  auto type = MemRefType::get({shape.stages * tile.elements()}, kind.memory, AffineMap(),
                              cast<MemRefType>(bytes.getType()).getMemorySpace());
  return memref::ViewOp::create(builder, loc(), type, bytes, index(offset), ValueRange());
}

void MmaKernel::beginCopies(Value stage, Value firstK, SmallVector<Value> (&elements)[2]) {
  elements[0] = copyA.begin(builder, sharedA, stageStart(stage, tileA), firstK);
  elements[1] = copyB.begin(builder, sharedB, stageStart(stage, tileB), firstK);
}

void MmaKernel::finishCopies(Value stage, const SmallVector<Value> (&elements)[2]) {
  copyA.finish(builder, sharedA, stageStart(stage, tileA), elements[0]);
  copyB.finish(builder, sharedB, stageStart(stage, tileB), elements[1]);
}

SmallVector<Value> MmaKernel::multiplyStage(Value stage, ValueRange sums) {
  SmallVector<Value> result(sums);
  Value startA = stageStart(stage, tileA), startB = stageStart(stage, tileB);
  for (int64_t step = 0; step < shape.blockK / kind.depth; ++step) {
    SmallVector<Fragment> a = loadA->load(builder, sharedA, startA, step);
    SmallVector<Fragment> b = loadB->load(builder, sharedB, startB, step);
    for (auto [i, row] : llvm::enumerate(a))
      for (auto [j, column] : llvm::enumerate(b)) {
        MutableArrayRef<Value> c(&result[4 * (i * b.size() + j)], 4);
        llvm::copy(multiplyFragments(builder, loc(), kind, row, column, ValueRange(c)), c.begin());
      }
  }
  return result;
}

SmallVector<Value> MmaKernel::emitLoop() {
  Value size = form.size(builder, Axis::K);
  Value steps = div(add(size, number(shape.blockK - 1)), number(shape.blockK));
  int64_t ahead = shape.stages - 1;
  auto isStep = [&](Value step) -> Value {
    return arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::ult, step, steps);
  };
  auto copy = [&](Value step, Value stage, SmallVector<Value>(&elements)[2]) {
    beginCopies(stage, mul(step, number(shape.blockK)), elements);
  };
  for (int64_t stage = 0; stage < ahead; ++stage) {
    auto guarded =
        scf::IfOp::create(builder, loc(), isStep(number(stage)), /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(&guarded.getThenRegion().front());
      SmallVector<Value> elements[2];
      copy(number(stage), index(stage), elements);
      finishCopies(index(stage), elements);
    }
    commitCopies();
  }

  int64_t count = shape.warpM / 16 * (shape.warpN / 8) * 4;
  SmallVector<Value> carried = {index(0), index(ahead)};
  carried.append(count, form.zero(builder));
  auto loop = scf::ForOp::create(builder, loc(), number(0), steps, number(1), carried);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Value current = loop.getRegionIterArg(0), next = loop.getRegionIterArg(1);
  if (copyA.isAsync() || copyB.isAsync())
    NVVM::CpAsyncWaitGroupOp::create(builder, loc(), ahead - 1);
  gpu::BarrierOp::create(builder, loc());

  Value nextStep = add(loop.getInductionVar(), number(ahead));
  SmallVector<Value> elements[2];
  if (isAsync()) {
    auto guarded = scf::IfOp::create(builder, loc(), isStep(nextStep), /*withElseRegion=*/false);
    OpBuilder::InsertionGuard inner(builder);
    builder.setInsertionPointToStart(&guarded.getThenRegion().front());
    copy(nextStep, next, elements);
  } else {
    copy(nextStep, next, elements);
  }
  commitCopies();
  SmallVector<Value> sums = multiplyStage(current, loop.getRegionIterArgs().drop_front(2));
  finishCopies(next, elements);

  auto advance = [&](Value stage) -> Value {
    Value last = arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::eq, stage,
                                       index(shape.stages - 1));
    return arith::SelectOp::create(builder, loc(), last, index(0), add(stage, index(1)));
  };
  SmallVector<Value> yielded = {advance(current), advance(next)};
  llvm::append_range(yielded, sums);
  scf::YieldOp::create(builder, loc(), yielded);
  return SmallVector<Value>(loop.getResults().drop_front(2));
}

LogicalResult MmaKernel::emit(std::string &reason) {
  OpBuilder::InsertionGuard guard(builder);
  if (failed(form.prepare(builder, reason)))
    return failure();
  Value grid = form.hostSize(Axis::Batch);
  for (auto [axis, tile] : {std::pair(Axis::M, shape.blockM), std::pair(Axis::N, shape.blockN)})
    grid = mul(grid, ceilDiv(builder, loc(), form.hostSize(axis), tile));
  auto launch = Launch::create(builder, loc(), form.kernel.getName(), grid, threads, sharedBytes());

  placeBlock(form.fromIndex(builder, launch.blockId(0)));
  Value thread = launch.threadId(0);
  lane = mod(thread, index(warpSize));
  Value warp = div(thread, index(warpSize)), warpRows = index(shape.blockM / shape.warpM);
  warpRow = mul(mod(warp, warpRows), index(shape.warpM));
  warpColumn = mul(div(warp, warpRows), index(shape.warpN));
  Value bytes = gpu::DynamicSharedMemoryOp::create(
      builder, loc(),
      MemRefType::get(
          {ShapedType::kDynamic}, builder.getI8Type(), AffineMap(),
          gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup)));
  sharedA = sharedView(bytes, 0, tileA);
  sharedB = sharedView(bytes, shape.stages * tileA.bytes(), tileB);
  Value threadNumber = form.fromIndex(builder, thread);
  copyA.prepare(builder, threadNumber, blockRow,
                form.place(builder, Contraction::Rows, Axis::Batch, batch));
  copyB.prepare(builder, threadNumber, blockColumn,
                form.place(builder, Contraction::Columns, Axis::Batch, batch));
  loadA.emplace(builder, loc(), kind, tileA, /*isA=*/true, lane, warpRow, shape.warpM);
  loadB.emplace(builder, loc(), kind, tileB, /*isA=*/false, lane, warpColumn, shape.warpN);
  SmallVector<Value> sums = emitLoop();
  FragmentWriter writer(builder, form, shape, lane, batch);
  if (succeeded(writer.write(add(blockRow, form.fromIndex(builder, warpRow)),
                             add(blockColumn, form.fromIndex(builder, warpColumn)), sums, reason)))
    return success();
  launch.launch.erase();
  return failure();
}

/// How many blocks the device should have, at least; sizes that are not known count as large.
int64_t countBlocks(const Contraction &form, const TileShape &shape) {
  int64_t count = 1;
  for (auto [axis, tile] : {std::pair(Axis::Batch, int64_t(1)), std::pair(Axis::M, shape.blockM),
                            std::pair(Axis::N, shape.blockN)}) {
    constexpr int64_t usual = 1024;
    int64_t size = form.staticSize(axis);
    if (ShapedType::isDynamic(size))
      size = axis == Axis::Batch ? 1 : usual;
    count *= llvm::divideCeil(size, tile);
  }
  return count;
}

/// Whether more than half of a tile would lie beyond the result.
bool wastesTile(const Contraction &form, const TileShape &shape) {
  auto isHalf = [&](Axis axis, int64_t tile) {
    int64_t size = form.staticSize(axis);
    return !ShapedType::isDynamic(size) && 2 * size <= tile;
  };
  return isHalf(Axis::M, shape.blockM) || isHalf(Axis::N, shape.blockN);
}

} // namespace

LogicalResult emitMmaSync(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &options,
                          std::string &reason) {
  FailureOr<Contraction> form = Contraction::match(kernel, reason);
  if (failed(form))
    return failure();
  Type element = form->rows().elementType();
  if (element != form->columns().elementType() || !form->multipliesFloats() ||
      !form->accumulatorType().isF32()) {
    reason = "expected operands of one type and products that are summed in f32";
    return failure();
  }
  std::optional<MmaKind> kind = MmaKind::choose(element, options, reason);
  if (!kind)
    return failure();
  if (form->staticSize(Axis::M) == 1 || form->staticSize(Axis::N) == 1) {
    reason =
        "expected more than one row and column: a vector is limited by memory, not by products";
    return failure();
  }
  const TargetInfo &target = options.target;
  ArrayRef<TileShape> shapes = kind->isTF32() ? target.tf32Tiles : target.tensorTiles;
  std::optional<TileShape> chosen;
  for (TileShape shape : shapes) {
    // The table counts in elements of 16 bits; f32 that are rounded later take twice the memory.
    if (kind->rounds() && !kind->isTF32())
      shape.blockK /= 2;
    // Copies through registers need those that the sums of a large tile would take.
    if (!MmaKernel(builder, *form, *kind, shape, target).isAsync() &&
        shape.warpM * shape.warpN > 64 * 32)
      shape.warpN /= 2;
    if (!MmaKernel(builder, *form, *kind, shape, target).fits(target))
      continue;
    chosen = shape;
    if (!wastesTile(*form, shape) && countBlocks(*form, shape) >= target.multiprocessors)
      break;
  }
  if (!chosen) {
    reason = (target.name + " has no tile for these operands").str();
    return failure();
  }
  return MmaKernel(builder, *form, *kind, *chosen, target).emit(reason);
}

} // namespace torchlite::nvgpu
