//===- BlockProduct.cpp - Contractions on ordinary cores ------------------===//
#include "BlockProduct.h"
#include "Lanes.h"
#include "TileCopy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace torchlite::nvgpu {

static constexpr int64_t warpRows = 4, warpColumns = 8;

static int64_t threadsOf(const TileShape &tile) {
  return tile.blockM / tile.warpM * (tile.blockN / tile.warpN) * tile.slices;
}

TileShape chooseTile(const Contraction &form, const TargetInfo &target) {
  // Of the sizes that are not known until a call; most are batches and sequences.
  constexpr int64_t assumed = 512;
  auto size = [&](Axis axis) {
    int64_t known = form.staticSize(axis);
    return ShapedType::isDynamic(known) ? assumed : known;
  };
  const TileShape *best = nullptr;
  double bestCost = 0;
  for (const TileShape &tile : target.f32Tiles) {
    // The tiles are made for sums of 32 bits; twice as wide ones of the largest do not fit into
    // registers.
    constexpr int64_t sumBits = 64 * 32;
    if (tile.warpM * tile.warpN * form.accumulatorType().getIntOrFloatBitWidth() > sumBits)
      continue;
    int64_t blocks = llvm::divideCeil(size(Axis::M), tile.blockM) *
                     llvm::divideCeil(size(Axis::N), tile.blockN) * size(Axis::Batch);
    int64_t waves = llvm::divideCeil(blocks, target.multiprocessors);
    // Cycles of one block for a number of K: multiply-adds at 128 per cycle, reads of shared
    // memory, which grow with the edges of a thread's tile, and reads of the second-level cache at
    // 40 bytes.
    double operations = double(tile.blockM) * tile.blockN / 128;
    double shared = operations * 2 * (tile.warpM + tile.warpN) / (tile.warpM * tile.warpN);
    double global = (tile.blockM + tile.blockN) / 10.0;
    // Eight warps keep a multiprocessor busy.
    int64_t warps = threadsOf(tile) / warpSize * std::min<int64_t>(waves, 4);
    double cost = waves * (operations + shared + global) / std::min(1.0, warps / 8.0);
    if (!best || cost < bestCost) {
      best = &tile;
      bestCost = cost;
    }
  }
  return *best;
}

namespace {

class Emitter {
public:
  Emitter(OpBuilder &builder, const Contraction &form, const TileShape &tile,
          const TargetInfo &target)
      : builder(builder), form(form), tile(tile), target(target),
        loc(rt::KernelOp(form.kernel).getLoc()), threads(threadsOf(tile)) {}

  LogicalResult emit(std::string &reason) {
    Type type = form.accumulatorType();
    int64_t bytes = type.getIntOrFloatBitWidth() / 8;
    padding = std::max<int64_t>(16 / bytes, 1);
    slices[Contraction::Rows].extent = tile.blockM;
    slices[Contraction::Columns].extent = tile.blockN;
    slices[Contraction::Rows].axis = Axis::M;
    slices[Contraction::Columns].axis = Axis::N;
    stages = tile.stages;
    auto stageBytes = [&](int64_t extent) { return tile.blockK * (extent + padding) * bytes; };
    int64_t allBytes = stages * (stageBytes(tile.blockM) + stageBytes(tile.blockN));
    if (stages > 2 && allBytes <= target.sharedPerBlock)
      for (Contraction::Side side : {Contraction::Rows, Contraction::Columns})
        chooseCopier(side, bytes);
    if (!isAsync())
      stages = 2;
    int64_t rowBytes = stages * stageBytes(tile.blockM);
    int64_t columnBytes = stages * stageBytes(tile.blockN);

    Value tilesM = ceilDiv(builder, loc, form.hostSize(Axis::M), tile.blockM);
    Value tilesN = ceilDiv(builder, loc, form.hostSize(Axis::N), tile.blockN);
    Value grid = multiply(multiply(tilesM, tilesN), form.hostSize(Axis::Batch));
    OpBuilder::InsertionGuard guard(builder);
    int64_t sumBytes = tile.slices > 1 ? tile.slices * tile.blockM * tile.blockN * bytes : 0;
    launch = Launch::create(builder, loc, rt::KernelOp(form.kernel).getName(), grid, threads,
                            std::max(rowBytes + columnBytes, sumBytes));
    findBlock(tilesM, tilesN);
    findThread();
    memory = gpu::DynamicSharedMemoryOp::create(
        builder, loc,
        MemRefType::get(
            {ShapedType::kDynamic}, builder.getI8Type(), MemRefLayoutAttrInterface(),
            gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup)));
    for (auto [side, start] :
         {std::pair(Contraction::Rows, int64_t(0)), std::pair(Contraction::Columns, rowBytes)})
      prepareSlice(side, start);
    SmallVector<Value> sums = isAsync() ? multiplyStages() : multiplySlices();
    prepareResult();
    if (tile.slices > 1 ? storeSlicedSums(sums) : storeSums(sums))
      return success();
    reason = "cannot compute elements of " + error;
    launch.launch.erase();
    return failure();
  }

private:
  /// What of one operand a thread copies, and where.
  struct Slice {
    Axis axis = Axis::M; ///< the one beside K
    int64_t extent = 0;  ///< of the tile, along that axis
    int64_t width = 1;   ///< elements per access
    bool alongK = false; ///< accesses and neighbouring threads go along K
    Value shared;        ///< memref<stages x blockK x (extent + padding)>
    Value flat;
    std::optional<TileCopier> copier; ///< by cp.async; none: through registers
    Value elements;                   ///< `shared` in one dimension, for the copier
    SmallVector<Value> outer, inner;  ///< coordinates in the slice, by access
    SmallVector<Place> places;        ///< the parts of Batch and `axis`, by access
  };

  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value left, Value right) { return arith::AddIOp::create(builder, loc, left, right); }
  Value add(Value left, int64_t right) { return right ? add(left, index(right)) : left; }
  Value multiply(Value left, Value right) {
    return arith::MulIOp::create(builder, loc, left, right);
  }
  Value multiply(Value left, int64_t right) { return multiply(left, index(right)); }
  Value divide(Value left, Value right) {
    return arith::DivUIOp::create(builder, loc, left, right);
  }
  Value remainder(Value left, Value right) {
    return arith::RemUIOp::create(builder, loc, left, right);
  }

  Value sharedView(ArrayRef<int64_t> shape, int64_t start) {
    auto type = MemRefType::get(shape, form.accumulatorType(), MemRefLayoutAttrInterface(),
                                cast<MemRefType>(memory.getType()).getMemorySpace());
    return memref::ViewOp::create(builder, loc, type, memory, index(start), ValueRange());
  }

  /// Which tile the block computes. Blocks with neighbouring numbers run together: they take tiles
  /// of a few rows of tiles, so that they share operands in the cache.
  void findBlock(Value tilesM, Value tilesN) {
    constexpr int64_t together = 8;
    Value number = launch.blockId(0);
    Value perBatch = multiply(tilesM, tilesN);
    batch = divide(number, perBatch);
    number = remainder(number, perBatch);
    Value perGroup = multiply(tilesN, together);
    Value firstRow = multiply(divide(number, perGroup), together);
    number = remainder(number, perGroup);
    Value left = arith::SubIOp::create(builder, loc, tilesM, firstRow);
    Value height = arith::MinUIOp::create(builder, loc, left, index(together));
    blockM = multiply(add(firstRow, remainder(number, height)), tile.blockM);
    blockN = multiply(divide(number, height), tile.blockN);
  }

  /// Where the thread's sums are in the tile.
  void findThread() {
    Value thread = launch.threadId(0);
    if (tile.slices > 1) {
      group = divide(thread, index(threads / tile.slices));
      thread = remainder(thread, index(threads / tile.slices));
    }
    Value warp = divide(thread, index(warpSize)), lane = remainder(thread, index(warpSize));
    int64_t across = tile.blockN / tile.warpN / warpColumns;
    threadM =
        add(multiply(divide(warp, index(across)), warpRows), divide(lane, index(warpColumns)));
    threadN = add(multiply(remainder(warp, index(across)), warpColumns),
                  remainder(lane, index(warpColumns)));
  }

  /// A thread's rows (columns) are in groups that are accessed at once, spread over the tile.
  static int64_t groupSize(int64_t perThread) { return std::min<int64_t>(perThread, 4); }
  Value positionInTile(Value thread, int64_t perThread, int64_t extent, int64_t group) {
    int64_t size = groupSize(perThread);
    return add(multiply(thread, size), group * (extent * size / perThread));
  }

  bool isAsync() const { return slices[0].copier || slices[1].copier; }

  /// Lets cp.async copy an operand, where its elements are multiplied as they are. Elements with
  /// the same k that are neighbours in memory travel together; where neighbours follow each other
  /// along K, each goes to its place by itself, a sector of each row at a time: these writes are in
  /// different banks. Padded ones of that kind would need an address, and coordinates, in registers
  /// for each; loaded as a vector they have it once.
  void chooseCopier(Contraction::Side side, int64_t bytes) {
    const Contraction::Operand &operand = form.operands[side];
    Slice &slice = slices[side];
    bool alongK = operand.contiguous == Axis::K;
    if (operand.elementType() != form.accumulatorType() || !form.isPlain(side) ||
        (alongK && !operand.windows.empty()))
      return;
    constexpr int64_t accessBytes = 16, sectorBytes = 32;
    int64_t line = slice.extent + padding;
    TileLayout layout{slice.extent,
                      tile.blockK,
                      bytes,
                      /*isTransposed=*/!alongK,
                      /*unit=*/alongK ? 1 : accessBytes / bytes,
                      /*run=*/alongK ? std::min(tile.blockK, sectorBytes / bytes) : slice.extent,
                      [=](OpBuilder &nested, Location at, Value number, Value column) -> Value {
                        Value k = alongK ? column : number, outer = alongK ? number : column;
                        Value size = arith::ConstantIndexOp::create(nested, at, line);
                        k = nested.createOrFold<arith::MulIOp>(at, k, size);
                        return nested.createOrFold<arith::AddIOp>(at, k, outer);
                      }};
    TileCopier copier(form, side, layout, target, threads);
    if (copier.isAsync() && copier.isEven())
      slice.copier.emplace(copier);
  }

  void prepareSlice(Contraction::Side side, int64_t start) {
    Slice &slice = slices[side];
    const Contraction::Operand &operand = form.operands[side];
    slice.shared = sharedView({stages, tile.blockK, slice.extent + padding}, start);
    Value firstOuter = side == Contraction::Rows ? blockM : blockN;
    Place inBatch = form.place(builder, side, Axis::Batch, form.fromIndex(builder, batch));
    if (slice.copier) {
      slice.elements = sharedView({stages * tile.blockK * (slice.extent + padding)}, start);
      slice.copier->prepare(builder, form.fromIndex(builder, launch.threadId(0)),
                            form.fromIndex(builder, firstOuter), inBatch);
      return;
    }
    slice.flat = form.flat(builder, side);
    slice.alongK = operand.contiguous == Axis::K;
    // Accesses that stay inside of the operand: they divide what they go along.
    int64_t elements = slice.extent * tile.blockK;
    Axis along = slice.alongK ? Axis::K : slice.axis;
    if (operand.contiguous == along && !ShapedType::isDynamic(form.staticSize(along)))
      slice.width = operand.vectorElements;
    while (slice.width > 1 && (form.staticSize(along) % slice.width ||
                               slice.width > elements / threads || slice.width > tile.blockK))
      slice.width /= 2;

    int64_t run = (slice.alongK ? tile.blockK : slice.extent) / slice.width;
    for (int64_t access = 0; access < elements / slice.width / threads; ++access) {
      Value number = add(launch.threadId(0), access * threads);
      Value fast = multiply(remainder(number, index(run)), slice.width);
      Value slow = divide(number, index(run));
      Value outer = slice.alongK ? slow : fast;
      slice.outer.push_back(outer);
      slice.inner.push_back(slice.alongK ? fast : slow);
      Value at = form.fromIndex(builder, add(firstOuter, outer));
      int64_t size = form.staticSize(slice.axis);
      if (ShapedType::isDynamic(size) || size % slice.extent) {
        Value last = arith::SubIOp::create(builder, loc, form.size(builder, slice.axis),
                                           form.number(builder, slice.alongK ? 1 : slice.width));
        at = arith::MinUIOp::create(builder, loc, at, last);
      }
      slice.places.push_back(form.add(builder, inBatch, form.place(builder, side, slice.axis, at)));
    }
  }

  /// Reads the slice that starts at `k`.
  SmallVector<Value> readSlice(Contraction::Side side, Value k) {
    Slice &slice = slices[side];
    int64_t size = form.staticSize(Axis::K);
    SmallVector<Value> elements;
    for (auto [place, inner] : llvm::zip(slice.places, slice.inner)) {
      Value inStep = form.fromIndex(builder, inner), guard;
      if (ShapedType::isDynamic(size) || size == 0 || size % tile.blockK)
        guard = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, add(k, inStep),
                                      form.size(builder, Axis::K));
      Place step = form.placeInStep(builder, side, k, inStep, tile.blockK);
      elements.push_back(
          form.load(builder, side, slice.flat, form.add(builder, place, step), slice.width, guard));
    }
    return elements;
  }

  void writeSlice(Contraction::Side side, Value half, ArrayRef<Value> elements) {
    Slice &slice = slices[side];
    for (auto [element, outer, inner] : llvm::zip(elements, slice.outer, slice.inner)) {
      Value extended = form.extend(builder, side, element);
      if (slice.width == 1) {
        memref::StoreOp::create(builder, loc, extended, slice.shared, {half, inner, outer});
        continue;
      }
      if (!slice.alongK) {
        vector::StoreOp::create(builder, loc, extended, slice.shared,
                                ValueRange{half, inner, outer});
        continue;
      }
      for (int64_t lane = 0; lane < slice.width; ++lane)
        memref::StoreOp::create(builder, loc,
                                vector::ExtractOp::create(builder, loc, extended, lane),
                                slice.shared, {half, add(inner, lane), outer});
    }
  }

  /// The thread's elements of one step of a slice.
  SmallVector<Value> readStep(Contraction::Side side, Value half, Value k) {
    Slice &slice = slices[side];
    bool isRows = side == Contraction::Rows;
    int64_t perThread = isRows ? tile.warpM : tile.warpN, size = groupSize(perThread);
    auto type = VectorType::get({size}, form.accumulatorType());
    SmallVector<Value> elements;
    for (int64_t group = 0; group < perThread / size; ++group) {
      Value at = positionInTile(isRows ? threadM : threadN, perThread, slice.extent, group);
      Value vector =
          vector::LoadOp::create(builder, loc, type, slice.shared, ValueRange{half, k, at});
      for (int64_t lane = 0; lane < size; ++lane)
        elements.push_back(vector::ExtractOp::create(builder, loc, vector, lane));
    }
    return elements;
  }

  void multiplySlice(Value half, SmallVectorImpl<Value> &sums) {
    int64_t count = tile.blockK / tile.slices;
    Value first = group ? multiply(group, count) : index(0);
    for (int64_t number = 0; number < count; ++number) {
      Value k = add(first, number);
      SmallVector<Value> rows = readStep(Contraction::Rows, half, k);
      SmallVector<Value> columns = readStep(Contraction::Columns, half, k);
      for (auto [i, row] : llvm::enumerate(rows))
        for (auto [j, column] : llvm::enumerate(columns)) {
          Value &sum = sums[i * tile.warpN + j];
          sum = form.multiplyAdd(builder, row, column, sum);
        }
    }
  }

  /// All steps along K. Returns the thread's sums, row by row.
  SmallVector<Value> multiplySlices() {
    Value zero = form.zero(builder), start = form.number(builder, 0),
          step = form.number(builder, tile.blockK);
    SmallVector<Value> carried(tile.warpM * tile.warpN, zero);
    for (Contraction::Side side : {Contraction::Rows, Contraction::Columns})
      writeSlice(side, index(0), readSlice(side, start));
    gpu::BarrierOp::create(builder, loc);
    // All slices but the last are multiplied while the next is read.
    Value size = form.size(builder, Axis::K);
    Value last = arith::SubIOp::create(builder, loc, size, form.number(builder, 1));
    last = arith::DivSIOp::create(builder, loc, last, step);
    last = arith::MulIOp::create(builder, loc, last, step);
    carried.push_back(index(0));
    auto loop = scf::ForOp::create(builder, loc, start, last, step, carried);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> sums(loop.getRegionIterArgs());
      Value half = sums.pop_back_val();
      Value next = arith::AddIOp::create(builder, loc, loop.getInductionVar(), step);
      SmallVector<Value> rows = readSlice(Contraction::Rows, next);
      SmallVector<Value> columns = readSlice(Contraction::Columns, next);
      multiplySlice(half, sums);
      Value other = arith::SubIOp::create(builder, loc, index(1), half);
      writeSlice(Contraction::Rows, other, rows);
      writeSlice(Contraction::Columns, other, columns);
      gpu::BarrierOp::create(builder, loc);
      sums.push_back(other);
      scf::YieldOp::create(builder, loc, sums);
    }
    SmallVector<Value> sums(loop.getResults());
    Value half = sums.pop_back_val();
    multiplySlice(half, sums);
    return sums;
  }

  /// The same with slices in flight: `stages` of them are in shared memory, in turn. One barrier
  /// per step says that this step's slices have arrived for all threads, and that all are done with
  /// the last one's, whose place is filled next. Where one operand goes through registers, it is
  /// loaded before the products and stored after them.
  SmallVector<Value> multiplyStages() {
    int64_t ahead = stages - 1;
    Value one = form.number(builder, 1), size = form.size(builder, Axis::K);
    Value steps = arith::AddIOp::create(builder, loc, size, form.number(builder, tile.blockK - 1));
    steps = arith::DivUIOp::create(builder, loc, steps, form.number(builder, tile.blockK));
    auto isStep = [&](Value step) -> Value {
      return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, step, steps);
    };
    auto numberOf = [&](Value step) -> Value {
      return arith::MulIOp::create(builder, loc, step, form.number(builder, tile.blockK));
    };
    constexpr Contraction::Side sides[] = {Contraction::Rows, Contraction::Columns};
    auto copyAsync = [&](Value stage, Value step) {
      for (Contraction::Side side : sides)
        if (Slice &slice = slices[side]; slice.copier) {
          int64_t elements = tile.blockK * (slice.extent + padding);
          slice.copier->begin(builder, slice.elements, multiply(stage, elements), numberOf(step));
        }
    };
    for (int64_t stage = 0; stage < ahead; ++stage) {
      Value step = form.number(builder, stage);
      auto guarded = scf::IfOp::create(builder, loc, isStep(step), /*withElseRegion=*/false);
      {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(&guarded.getThenRegion().front());
        copyAsync(index(stage), step);
        for (Contraction::Side side : sides)
          if (!slices[side].copier)
            writeSlice(side, index(stage), readSlice(side, numberOf(step)));
      }
      NVVM::CpAsyncCommitGroupOp::create(builder, loc);
    }

    SmallVector<Value> carried(tile.warpM * tile.warpN, form.zero(builder));
    llvm::append_values(carried, index(0), index(ahead));
    auto loop = scf::ForOp::create(builder, loc, form.number(builder, 0), steps, one, carried);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> sums(loop.getRegionIterArgs());
    Value next = sums.pop_back_val(), current = sums.pop_back_val();
    NVVM::CpAsyncWaitGroupOp::create(builder, loc, ahead - 1);
    gpu::BarrierOp::create(builder, loc);
    Value step =
        arith::AddIOp::create(builder, loc, loop.getInductionVar(), form.number(builder, ahead));
    auto guarded = scf::IfOp::create(builder, loc, isStep(step), /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard inner(builder);
      builder.setInsertionPointToStart(&guarded.getThenRegion().front());
      copyAsync(next, step);
    }
    NVVM::CpAsyncCommitGroupOp::create(builder, loc);
    // What is beyond the last slice is not read: registers get the last one again.
    SmallVector<Value> loaded[2];
    Value last = arith::SubIOp::create(builder, loc, steps, one);
    for (Contraction::Side side : sides)
      if (!slices[side].copier)
        loaded[side] = readSlice(side, numberOf(arith::MinUIOp::create(builder, loc, step, last)));
    multiplySlice(current, sums);
    for (Contraction::Side side : sides)
      if (!slices[side].copier)
        writeSlice(side, next, loaded[side]);
    for (Value stage : {current, next}) {
      Value isLast =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, stage, index(stages - 1));
      sums.push_back(arith::SelectOp::create(builder, loc, isLast, index(0), add(stage, 1)));
    }
    scf::YieldOp::create(builder, loc, sums);
    return SmallVector<Value>(loop.getResults().drop_back(2));
  }

  /// Whether all numbers of a tile are below the size of the axis.
  bool isCovered(Axis axis, int64_t extent) {
    int64_t size = form.staticSize(axis);
    return !ShapedType::isDynamic(size) && size % extent == 0;
  }

  /// Opens a branch for `at` below the size of `axis`, where that is not known.
  void enterIfBelow(Axis axis, int64_t extent, Value at) {
    if (isCovered(axis, extent))
      return;
    Value below = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, at,
                                        form.size(builder, axis));
    auto branch = scf::IfOp::create(builder, loc, below, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(&branch.getThenRegion().front());
  }

  void prepareResult() {
    Value number = form.fromIndex(builder, batch);
    iteration.resize(linalg::LinalgOp(form.root).getNumLoops());
    form.setCoordinates(builder, Axis::Batch, number, iteration);
    resultPlace = form.place(builder, Contraction::Result, Axis::Batch, number);
    resultFlat = form.flat(builder, Contraction::Result);
  }

  /// Computes and stores the elements at row `m` and the columns from `first` on (indices), where
  /// they are in the result.
  bool storeGroup(Value m, Value first, ArrayRef<Value> sums) {
    OpBuilder::InsertionGuard rowGuard(builder);
    int64_t size = sums.size();
    bool isVector =
        size > 1 && form.result().contiguous == Axis::N && form.result().vectorElements >= size &&
        !ShapedType::isDynamic(form.staticSize(Axis::N)) && form.staticSize(Axis::N) % size == 0;
    m = form.fromIndex(builder, m);
    enterIfBelow(Axis::M, tile.blockM, m);
    form.setCoordinates(builder, Axis::M, m, iteration);
    Place row =
        form.add(builder, resultPlace, form.place(builder, Contraction::Result, Axis::M, m));
    if (isVector)
      enterIfBelow(Axis::N, tile.blockN, form.fromIndex(builder, first));
    SmallVector<Value> columns;
    SmallVector<SmallVector<Value>> places, iterations;
    for (int64_t lane = 0; lane < size; ++lane) {
      columns.push_back(form.fromIndex(builder, add(first, lane)));
      iterations.push_back(iteration);
      form.setCoordinates(builder, Axis::N, columns.back(), iterations.back());
      places.push_back(form.resultCoordinates(builder, iterations.back()));
    }
    // What is fused reads its operands in vectors, too, and what neighbours share once.
    bool isRow = isVector && form.isLastColumn();
    LaneReader reader(builder, form.kernel, places, isRow, /*number=*/{});
    SmallVector<Value> elements;
    for (auto [lane, sum] : llvm::enumerate(sums)) {
      OpBuilder::InsertionGuard elementGuard(builder);
      if (!isVector)
        enterIfBelow(Axis::N, tile.blockN, columns[lane]);
      reader.setLane(lane);
      Value element = form.evaluateResult(builder, reader.getEvaluator(), iterations[lane], sum);
      if (!element) {
        error = reader.getError().str();
        return false;
      }
      elements.push_back(element);
      if (isVector)
        continue;
      Place place =
          form.add(builder, row, form.place(builder, Contraction::Result, Axis::N, columns[lane]));
      memref::StoreOp::create(builder, loc, element, resultFlat, form.offset(builder, place));
    }
    if (!isVector)
      return true;
    Place place =
        form.add(builder, row, form.place(builder, Contraction::Result, Axis::N, columns.front()));
    auto type = VectorType::get({size}, form.result().elementType());
    Value vector = vector::FromElementsOp::create(builder, loc, type, elements);
    vector::StoreOp::create(builder, loc, vector, resultFlat, form.offset(builder, place));
    return true;
  }

  bool storeSums(ArrayRef<Value> sums) {
    int64_t sizeM = groupSize(tile.warpM), sizeN = groupSize(tile.warpN);
    for (int64_t i = 0; i < tile.warpM; ++i)
      for (int64_t j = 0; j < tile.warpN; j += sizeN) {
        Value m = positionInTile(threadM, tile.warpM, tile.blockM, i / sizeM);
        Value n = positionInTile(threadN, tile.warpN, tile.blockN, j / sizeN);
        if (!storeGroup(add(blockM, add(m, i % sizeM)), add(blockN, n),
                        sums.slice(i * tile.warpN + j, sizeN)))
          return false;
      }
    return true;
  }

  /// Adds the sums of the groups of threads. All threads take a part of the tile, a few neighbours
  /// each.
  bool storeSlicedSums(ArrayRef<Value> sums) {
    int64_t sizeM = groupSize(tile.warpM), sizeN = groupSize(tile.warpN);
    // The slices' memory is used again: nobody may still read them.
    gpu::BarrierOp::create(builder, loc);
    Value shared = sharedView({tile.slices, tile.blockM, tile.blockN}, 0);
    for (int64_t i = 0; i < tile.warpM; ++i)
      for (int64_t j = 0; j < tile.warpN; j += sizeN) {
        Value m = positionInTile(threadM, tile.warpM, tile.blockM, i / sizeM);
        Value n = positionInTile(threadN, tile.warpN, tile.blockN, j / sizeN);
        auto type = VectorType::get({sizeN}, form.accumulatorType());
        Value vector = vector::FromElementsOp::create(builder, loc, type,
                                                      sums.slice(i * tile.warpN + j, sizeN));
        vector::StoreOp::create(builder, loc, vector, shared,
                                ValueRange{group, add(m, i % sizeM), n});
      }
    gpu::BarrierOp::create(builder, loc);
    int64_t width = std::min<int64_t>(tile.blockM * tile.blockN / threads, 4);
    for (int64_t first = 0; first < tile.blockM * tile.blockN; first += threads * width) {
      Value number = add(multiply(launch.threadId(0), width), first);
      Value m = divide(number, index(tile.blockN)), n = remainder(number, index(tile.blockN));
      SmallVector<Value> totals(width);
      for (int64_t slice = 0; slice < tile.slices; ++slice) {
        auto type = VectorType::get({width}, form.accumulatorType());
        Value part =
            vector::LoadOp::create(builder, loc, type, shared, ValueRange{index(slice), m, n});
        for (auto [lane, total] : llvm::enumerate(totals)) {
          Value element = vector::ExtractOp::create(builder, loc, part, lane);
          total = total ? form.addSums(builder, total, element) : element;
        }
      }
      if (!storeGroup(add(blockM, m), add(blockN, n), totals))
        return false;
    }
    return true;
  }

  OpBuilder &builder;
  const Contraction &form;
  TileShape tile;
  const TargetInfo &target;
  Location loc;
  int64_t threads, padding = 0, stages = 2;
  Launch launch;
  Value batch, blockM, blockN; ///< the tile: number of the batch, first row and column
  Value group;                 ///< of threads that share a step; null where there is one
  Value threadM, threadN;      ///< the thread's place among those of its group
  Value memory;
  Place resultPlace; ///< of the batch
  Value resultFlat;
  SmallVector<Value> iteration; ///< the coordinates of the element that is computed
  std::string error;
  Slice slices[2];
};

} // namespace

LogicalResult emitBlockProduct(OpBuilder &builder, const Contraction &form, const TileShape &tile,
                               const TargetInfo &target, std::string &reason) {
  return Emitter(builder, form, tile, target).emit(reason);
}

} // namespace torchlite::nvgpu
