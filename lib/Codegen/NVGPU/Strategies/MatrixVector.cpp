//===- MatrixVector.cpp - Contractions of a few rows ----------------------===//
#include "MatrixVector.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace torchlite::nvgpu {
namespace {

/// Reads of columns in flight per thread, at least.
constexpr int64_t readsInFlight = 4;

class Emitter {
public:
  Emitter(OpBuilder &builder, const Contraction &form, const TargetInfo &target)
      : builder(builder), form(form), target(target), loc(rt::KernelOp(form.kernel).getLoc()) {
    int64_t m = form.staticSize(Axis::M);
    rowCount = ShapedType::isDynamic(m) ? maxVectorRows : m;
  }

  LogicalResult emit(std::string &reason) {
    OpBuilder::InsertionGuard guard(builder);
    bool done = form.columns().contiguous == Axis::N ? emitAlongN() : emitAlongK();
    if (done)
      return success();
    reason = "cannot compute elements of " + error;
    launch.launch.erase();
    return failure();
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value left, Value right) { return arith::AddIOp::create(builder, loc, left, right); }
  Value multiply(Value left, Value right) {
    return arith::MulIOp::create(builder, loc, left, right);
  }
  Value divide(Value left, Value right) {
    return arith::DivUIOp::create(builder, loc, left, right);
  }
  Value remainder(Value left, Value right) {
    return arith::RemUIOp::create(builder, loc, left, right);
  }
  Value number(int64_t value) { return form.number(builder, value); }
  Value is(arith::CmpIPredicate predicate, Value left, Value right) {
    return arith::CmpIOp::create(builder, loc, predicate, left, right);
  }
  /// `value`, or the last number of `axis` that `width` elements follow.
  Value clamp(Value value, Axis axis, int64_t width = 1) {
    Value last = arith::SubIOp::create(builder, loc, form.size(builder, axis), number(width));
    return arith::MinUIOp::create(builder, loc, value, last);
  }
  int64_t staticSize(Axis axis) {
    int64_t size = form.staticSize(axis);
    return ShapedType::isDynamic(size) ? 1024 : size;
  }
  /// The widest access of `side` along `axis` that divides it.
  int64_t widthOf(Contraction::Side side, Axis axis) {
    const Contraction::Operand &operand = form.operands[side];
    int64_t size = form.staticSize(axis);
    if (operand.contiguous != axis || ShapedType::isDynamic(size))
      return 1;
    int64_t width = operand.vectorElements;
    while (size % width)
      width /= 2;
    return width;
  }
  SmallVector<Value> elementsOf(Value value) {
    auto type = dyn_cast<VectorType>(value.getType());
    if (!type)
      return {value};
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < type.getDimSize(0); ++lane)
      elements.push_back(vector::ExtractOp::create(builder, loc, value, lane));
    return elements;
  }

  /// The grid: `perBatch` blocks for each batch. Returns the block's number within its batch.
  Value start(Value perBatch, int64_t threads, int64_t sharedBytes) {
    Value grid = multiply(perBatch, form.hostSize(Axis::Batch));
    // Without rows there is nothing to read.
    if (ShapedType::isDynamic(form.staticSize(Axis::M)))
      grid = multiply(grid, arith::MinUIOp::create(builder, loc, form.hostSize(Axis::M), index(1)));
    launch = Launch::create(builder, loc, rt::KernelOp(form.kernel).getName(), grid, threads,
                            sharedBytes);
    batch = form.fromIndex(builder, divide(launch.blockId(0), perBatch));
    for (auto side : {Contraction::Rows, Contraction::Columns})
      flat[side] = form.flat(builder, side);
    Place inBatch = form.place(builder, Contraction::Rows, Axis::Batch, batch);
    for (int64_t row = 0; row < rowCount; ++row) {
      Value m = number(row);
      if (ShapedType::isDynamic(form.staticSize(Axis::M)))
        m = clamp(m, Axis::M);
      rows.push_back(
          form.add(builder, inBatch, form.place(builder, Contraction::Rows, Axis::M, m)));
    }
    return remainder(launch.blockId(0), perBatch);
  }

  Place columnPlace(Value n) {
    return form.add(builder, form.place(builder, Contraction::Columns, Axis::Batch, batch),
                    form.place(builder, Contraction::Columns, Axis::N, n));
  }
  Value read(Contraction::Side side, const Place &outer, Value k, int64_t width) {
    Place place = form.add(builder, outer, form.place(builder, side, Axis::K, k));
    return form.extend(builder, side, form.load(builder, side, flat[side], place, width, {}));
  }

  /// Loops along K: `step` emits reads and multiply-adds for the numbers from `first` on, `stride`
  /// apart; first several at once, then one by one.
  SmallVector<Value>
  loopAlongK(Value first, int64_t stride, int64_t inFlight, SmallVector<Value> sums,
             function_ref<void(ArrayRef<Value> steps, SmallVectorImpl<Value> &sums)> step) {
    Value size = form.size(builder, Axis::K);
    // Numbers below this one have all of their successors of the unrolled loop below the size.
    Value reach = number(stride * (inFlight - 1));
    Value limit = arith::MaxSIOp::create(
        builder, loc, arith::SubIOp::create(builder, loc, size, reach), number(0));
    Value next = first;
    for (int64_t count : {inFlight, int64_t(1)}) {
      SmallVector<Value> carried = sums;
      carried.push_back(next);
      auto loop = scf::WhileOp::create(
          builder, loc, ValueRange(carried).getTypes(), carried,
          [&](OpBuilder &, Location, ValueRange arguments) {
            Value more = is(arith::CmpIPredicate::slt, arguments.back(), count == 1 ? size : limit);
            scf::ConditionOp::create(builder, loc, more, arguments);
          },
          [&](OpBuilder &, Location, ValueRange arguments) {
            SmallVector<Value> inner(arguments.drop_back()), steps;
            for (int64_t i = 0; i < count; ++i)
              steps.push_back(i ? add(arguments.back(), number(i * stride)) : arguments.back());
            step(steps, inner);
            inner.push_back(add(arguments.back(), number(count * stride)));
            scf::YieldOp::create(builder, loc, inner);
          });
      sums.assign(loop.getResults().begin(), loop.getResults().end());
      next = sums.pop_back_val();
    }
    return sums;
  }

  /// Computes and stores the element at row `m` and column `n`.
  bool store(Value m, Value n, Value sum) {
    ValueEvaluator evaluator(builder, form.kernel);
    SmallVector<Value> iteration(linalg::LinalgOp(form.root).getNumLoops());
    Place place;
    place.windows.resize(form.result().windows.size());
    for (auto [axis, at] :
         {std::pair(Axis::Batch, batch), std::pair(Axis::M, m), std::pair(Axis::N, n)}) {
      form.setCoordinates(builder, axis, at, iteration);
      place = form.add(builder, place, form.place(builder, Contraction::Result, axis, at));
    }
    Value element = form.evaluateResult(builder, evaluator, iteration, sum);
    if (!element) {
      error = evaluator.getError().str();
      return false;
    }
    memref::StoreOp::create(builder, loc, element, form.flat(builder, Contraction::Result),
                            form.offset(builder, place));
    return true;
  }

  bool emitAlongK() {
    constexpr int64_t warps = 4;
    // Rows are read from the cache for every column; several columns at once share that, where
    // there are enough of them to keep the device busy.
    int64_t columns = 1;
    if (staticSize(Axis::N) * staticSize(Axis::Batch) >= target.multiprocessors * 32)
      columns = rowCount >= 4 ? 4 : 2;
    int64_t width = widthOf(Contraction::Columns, Axis::K);
    int64_t rowWidth = std::min(width, widthOf(Contraction::Rows, Axis::K));
    Value block =
        start(ceilDiv(builder, loc, form.hostSize(Axis::N), warps * columns), warps * warpSize, 0);
    Value lane = remainder(launch.threadId(0), index(warpSize));
    Value warp = add(multiply(block, index(warps)), divide(launch.threadId(0), index(warpSize)));
    Value firstColumn = form.fromIndex(builder, multiply(warp, index(columns)));
    SmallVector<Place> places;
    for (int64_t column = 0; column < columns; ++column)
      places.push_back(columnPlace(clamp(add(firstColumn, number(column)), Axis::N)));

    SmallVector<Value> sums(columns * rowCount, form.zero(builder));
    Value first = form.fromIndex(builder, multiply(lane, index(width)));
    int64_t inFlight = std::max<int64_t>(readsInFlight / columns, 2);
    sums = loopAlongK(
        first, warpSize * width, inFlight, sums,
        [&](ArrayRef<Value> steps, SmallVectorImpl<Value> &inner) {
          SmallVector<SmallVector<Value>> elements;
          for (Value k : steps)
            for (const Place &place : places)
              elements.push_back(elementsOf(read(Contraction::Columns, place, k, width)));
          for (auto [number, k] : llvm::enumerate(steps))
            for (int64_t row = 0; row < rowCount; ++row) {
              SmallVector<Value> factors;
              for (int64_t at = 0; at < width; at += rowWidth)
                llvm::append_range(factors,
                                   elementsOf(read(Contraction::Rows, rows[row],
                                                   at ? add(k, this->number(at)) : k, rowWidth)));
              for (int64_t column = 0; column < columns; ++column)
                for (int64_t at = 0; at < width; ++at) {
                  Value &sum = inner[column * rowCount + row];
                  sum = form.multiplyAdd(builder, factors[at],
                                         elements[number * columns + column][at], sum);
                }
            }
        });

    for (Value &sum : sums)
      for (int32_t distance = warpSize / 2; distance; distance /= 2) {
        auto shuffle =
            gpu::ShuffleOp::create(builder, loc, sum, distance, warpSize, gpu::ShuffleMode::XOR);
        sum = form.addSums(builder, sum, shuffle.getShuffleResult());
      }
    // Each lane stores one of the sums.
    Value mine = sums[0];
    for (int64_t i = 1; i < int64_t(sums.size()); ++i)
      mine = arith::SelectOp::create(builder, loc, is(arith::CmpIPredicate::eq, lane, index(i)),
                                     sums[i], mine);
    Value m = form.fromIndex(builder, remainder(lane, index(rowCount)));
    Value n = add(firstColumn, form.fromIndex(builder, divide(lane, index(rowCount))));
    Value stores = is(arith::CmpIPredicate::ult, lane, index(sums.size()));
    return storeIfInside(stores, m, n, mine);
  }

  bool emitAlongN() {
    constexpr int64_t warps = 8;
    int64_t width = widthOf(Contraction::Columns, Axis::N);
    while (width > 1 && staticSize(Axis::N) / (warpSize * width) * staticSize(Axis::Batch) <
                            target.multiprocessors)
      width /= 2;
    int64_t bytes = form.accumulatorType().getIntOrFloatBitWidth() / 8;
    // Sums may be wider than what is read.
    while (width > 1 && warps * warpSize * width * rowCount * bytes > target.sharedPerBlock)
      width /= 2;
    int64_t columns = warpSize * width, sumCount = rowCount * columns;
    Value block = start(ceilDiv(builder, loc, form.hostSize(Axis::N), columns), warps * warpSize,
                        warps * sumCount * bytes);
    Value lane = remainder(launch.threadId(0), index(warpSize));
    Value warp = divide(launch.threadId(0), index(warpSize));
    Value firstColumn = multiply(block, index(columns));
    Value n = form.fromIndex(builder, add(firstColumn, multiply(lane, index(width))));
    Place place = columnPlace(clamp(n, Axis::N, width));

    SmallVector<Value> sums(rowCount * width, form.zero(builder));
    sums =
        loopAlongK(form.fromIndex(builder, warp), warps, readsInFlight, sums,
                   [&](ArrayRef<Value> steps, SmallVectorImpl<Value> &inner) {
                     SmallVector<SmallVector<Value>> elements;
                     for (Value k : steps)
                       elements.push_back(elementsOf(read(Contraction::Columns, place, k, width)));
                     for (auto [number, k] : llvm::enumerate(steps))
                       for (int64_t row = 0; row < rowCount; ++row) {
                         Value factor = read(Contraction::Rows, rows[row], k, 1);
                         for (int64_t at = 0; at < width; ++at) {
                           Value &sum = inner[row * width + at];
                           sum = form.multiplyAdd(builder, factor, elements[number][at], sum);
                         }
                       }
                   });

    // The warps' sums, [warp][row][element of an access][lane].
    auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
    Value memory = gpu::DynamicSharedMemoryOp::create(
        builder, loc,
        MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(), MemRefLayoutAttrInterface(),
                        space));
    Value shared = memref::ViewOp::create(builder, loc,
                                          MemRefType::get({warps, rowCount * width, warpSize},
                                                          form.accumulatorType(),
                                                          MemRefLayoutAttrInterface(), space),
                                          memory, index(0), ValueRange());
    for (auto [i, sum] : llvm::enumerate(sums))
      memref::StoreOp::create(builder, loc, sum, shared, {warp, index(i), lane});
    gpu::BarrierOp::create(builder, loc);
    for (int64_t first = 0; first < sumCount; first += warps * warpSize) {
      OpBuilder::InsertionGuard guard(builder);
      Value element = add(warp, index(first / warpSize)), sum;
      if (sumCount % (warps * warpSize)) {
        auto branch = scf::IfOp::create(
            builder, loc, is(arith::CmpIPredicate::ult, element, index(rowCount * width)), false);
        builder.setInsertionPointToStart(&branch.getThenRegion().front());
      }
      for (int64_t from = 0; from < warps; ++from) {
        Value part = memref::LoadOp::create(builder, loc, shared, {index(from), element, lane});
        sum = sum ? form.addSums(builder, sum, part) : part;
      }
      Value m = form.fromIndex(builder, divide(element, index(width)));
      Value column =
          add(add(firstColumn, multiply(lane, index(width))), remainder(element, index(width)));
      if (!storeIfInside({}, m, form.fromIndex(builder, column), sum))
        return false;
    }
    return true;
  }

  bool storeIfInside(Value condition, Value m, Value n, Value sum) {
    OpBuilder::InsertionGuard guard(builder);
    Value inside = is(arith::CmpIPredicate::ult, n, form.size(builder, Axis::N));
    if (ShapedType::isDynamic(form.staticSize(Axis::M)))
      inside = arith::AndIOp::create(builder, loc, inside,
                                     is(arith::CmpIPredicate::ult, m, form.size(builder, Axis::M)));
    if (condition)
      inside = arith::AndIOp::create(builder, loc, inside, condition);
    auto branch = scf::IfOp::create(builder, loc, inside, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(&branch.getThenRegion().front());
    return store(m, n, sum);
  }

  OpBuilder &builder;
  const Contraction &form;
  const TargetInfo &target;
  Location loc;
  int64_t rowCount;
  Launch launch;
  Value batch;
  Value flat[2];           ///< by Side
  SmallVector<Place> rows; ///< the parts of Batch and M of the rows' addresses
  std::string error;
};

} // namespace

LogicalResult emitMatrixVector(OpBuilder &builder, const Contraction &form,
                               const TargetInfo &target, std::string &reason) {
  return Emitter(builder, form, target).emit(reason);
}

LogicalResult emitMatvec(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &options,
                         std::string &reason) {
  FailureOr<Contraction> form = Contraction::match(kernel, reason);
  if (failed(form))
    return failure();
  int64_t m = form->staticSize(Axis::M), k = form->staticSize(Axis::K);
  if (ShapedType::isDynamic(m) || m < 1 || m > maxVectorRows) {
    reason = "expected one to eight rows";
    return failure();
  }
  if (!ShapedType::isDynamic(k) && k < warpSize) {
    reason = "expected sums of at least 32 products";
    return failure();
  }
  if (failed(form->prepare(builder, reason)))
    return failure();
  return emitMatrixVector(builder, *form, options.target, reason);
}

} // namespace torchlite::nvgpu
