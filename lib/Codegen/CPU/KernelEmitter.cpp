//===- KernelEmitter.cpp - Vectorised loops for a kernel group ------------===//
//
// The output is cut along its last coordinate into panels of a few vectors, and along one more into
// rows; panel times rows is a register tile. What does not divide is peeled into narrower panels
// (16, 8, 4, 2, 1 lanes) and smaller tiles, never masked. For each tile:
//
//   accumulators = init(tile)
//   for each reduction loop: accumulators = body(operands, accumulators)
//   tile of the destination = epilogue(accumulators)
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/CPU/KernelEmitter.h"
#include "TorchLite/Codegen/CPU/BodyEvaluator.h"
#include "TorchLite/Codegen/CPU/LoopBuilder.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torchlite::cpu {
namespace {

/// A range of one coordinate that uniform code covers: `count` pieces of `size` elements each.
struct Part {
  OpFoldResult begin;
  OpFoldResult count;
  int64_t size;
};

/// A vector within a panel.
struct Segment {
  int64_t offset;
  int64_t width;
};

/// The part of the destination that a task may write, and where it lies.
struct View {
  Value tensor;
  SmallVector<OpFoldResult> offsets;
};

class Emitter {
public:
  Emitter(OpBuilder &builder, KernelGroup &group, const KernelPlan &plan)
      : b(builder), loc(group.last().op.getLoc()), group(group), plan(plan), rank(group.rank()),
        column(rank - 1), row(plan.rowCoordinate) {}

  Value emit();

private:
  /// Everything that names a point of the iteration space; rows and lanes are counted from here.
  struct Point {
    SmallVector<OpFoldResult> coordinates;
    SmallVector<OpFoldResult> reductions; // of the root, in loop order
    View view;
    DenseMap<std::pair<OpOperand *, std::pair<int64_t, int64_t>>, Value> loaded;
  };

  Value emitTasks(const Part &columns, const Part *rows, Value destination);
  Value emitCoordinates(int64_t coordinate, Point point, const Part &columns, const Part *rows,
                        OpFoldResult taskBegin, OpFoldResult taskCount);
  Value emitTile(Point point, int64_t panelWidth, int64_t rowCount);
  Values emitReductions(Point &point, unsigned next, int64_t rowCount, ArrayRef<Segment> segments,
                        ValueRange accumulators);
  Values emitChains(Point &point, OpFoldResult size, int64_t rowCount, ArrayRef<Segment> segments,
                    ValueRange accumulators);
  Values step(Point &point, int64_t rowCount, ArrayRef<Segment> segments, ValueRange accumulators);

  OpFoldResult loopValue(Point &point, KernelOp &op, unsigned loop, int64_t rowOffset,
                         int64_t laneOffset);
  Value load(Point &point, KernelOp &op, OpOperand *operand, int64_t rowOffset, Segment segment);
  Value evaluate(Point &point, KernelOp &op, int64_t rowOffset, Segment segment,
                 OpOperand *given = nullptr, Value value = {}, bool fuse = false);
  Value readElements(Value tensor, ArrayRef<OpFoldResult> indices, Type element, int64_t width);
  SmallVector<OpFoldResult> localIndices(Point &point, int64_t rowOffset, int64_t laneOffset);
  Value write(Point &point, Value vector, int64_t rowOffset, Segment segment);

  SmallVector<Part> columnParts();
  SmallVector<Part> rowParts();
  Values valuesOf(ArrayRef<OpFoldResult> indices) {
    return getValueOrCreateConstantIndexOp(b, loc, indices);
  }
  static SmallVector<Segment> segmentsOf(int64_t width, int64_t lanes);

  OpBuilder &b;
  Location loc;
  KernelGroup &group;
  const KernelPlan &plan;
  int64_t rank, column, row;
  SmallVector<OpFoldResult> sizes;      // of the output
  SmallVector<OpFoldResult> loopSizes;  // of the root
  SmallVector<unsigned> reductionLoops; // of the root
};

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

SmallVector<Segment> Emitter::segmentsOf(int64_t width, int64_t lanes) {
  SmallVector<Segment> segments;
  for (int64_t offset = 0; offset < width;) {
    int64_t size = std::min<int64_t>(lanes, llvm::bit_floor<uint64_t>(width - offset));
    segments.push_back({offset, size});
    offset += size;
  }
  return segments;
}

SmallVector<Part> Emitter::columnParts() {
  OpFoldResult size = sizes[column];
  int64_t panel = plan.panelWidth();
  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    SmallVector<Part> parts;
    int64_t full = *known / panel, rest = *known % panel;
    if (full)
      parts.push_back({b.getIndexAttr(0), b.getIndexAttr(full), panel});
    if (rest)
      parts.push_back({b.getIndexAttr(full * panel), b.getIndexAttr(1), rest});
    return parts;
  }
  SmallVector<Part> parts;
  OpFoldResult begin = b.getIndexAttr(0);
  for (int64_t width : {panel, plan.lanes, int64_t(1)}) {
    if (!parts.empty() && parts.back().size == width)
      continue;
    OpFoldResult count = floorDiv(b, loc, sub(b, loc, size, begin), width);
    parts.push_back({begin, count, width});
    begin = add(b, loc, begin, mul(b, loc, count, width));
  }
  return parts;
}

SmallVector<Part> Emitter::rowParts() {
  if (row < 0)
    return {{b.getIndexAttr(0), b.getIndexAttr(1), 1}};
  OpFoldResult size = sizes[row];
  int64_t tile = plan.tileRows;
  OpFoldResult count = floorDiv(b, loc, size, tile);
  SmallVector<Part> parts{{b.getIndexAttr(0), count, tile}};
  OpFoldResult begin = mul(b, loc, count, tile);
  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    if (int64_t rest = *known % tile)
      parts.push_back({begin, b.getIndexAttr(1), rest});
  } else if (tile > 1) {
    parts.push_back({begin, sub(b, loc, size, begin), 1});
  }
  return parts;
}

//===----------------------------------------------------------------------===//
// Operands and bodies
//===----------------------------------------------------------------------===//

OpFoldResult Emitter::loopValue(Point &point, KernelOp &op, unsigned loop, int64_t rowOffset,
                                int64_t laneOffset) {
  int64_t coordinate = op.coordinates[loop];
  if (coordinate < 0)
    return point.reductions[llvm::find(reductionLoops, loop) - reductionLoops.begin()];
  OpFoldResult base = point.coordinates[coordinate];
  int64_t offset = coordinate == row ? rowOffset : coordinate == column ? laneOffset : 0;
  return offset ? add(b, loc, base, b.getIndexAttr(offset)) : base;
}

Value Emitter::readElements(Value tensor, ArrayRef<OpFoldResult> indices, Type element,
                            int64_t width) {
  Values at = valuesOf(indices);
  // A vector of i1 in memory would be packed bits, which tensors of i1 are not.
  if (element.isInteger(1)) {
    Values lanes;
    for (int64_t lane = 0; lane < width; ++lane) {
      at.back() = getValueOrCreateConstantIndexOp(
          b, loc, add(b, loc, indices.back(), b.getIndexAttr(lane)));
      lanes.push_back(tensor::ExtractOp::create(b, loc, tensor, at));
    }
    return vector::FromElementsOp::create(b, loc, VectorType::get({width}, element), lanes);
  }
  Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  return vector::TransferReadOp::create(b, loc, VectorType::get({width}, element), tensor, at,
                                        padding, ArrayRef<bool>{true});
}

SmallVector<OpFoldResult> Emitter::localIndices(Point &point, int64_t rowOffset,
                                                int64_t laneOffset) {
  SmallVector<OpFoldResult> indices;
  for (int64_t coordinate = 0; coordinate < rank; ++coordinate) {
    int64_t offset = coordinate == row ? rowOffset : coordinate == column ? laneOffset : 0;
    OpFoldResult at = add(b, loc, point.coordinates[coordinate], b.getIndexAttr(offset));
    indices.push_back(sub(b, loc, at, point.view.offsets[coordinate]));
  }
  return indices;
}

Value Emitter::load(Point &point, KernelOp &op, OpOperand *operand, int64_t rowOffset,
                    Segment segment) {
  Value tensor = operand->get();
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return tensor; // a scalar
  // The destination is read where this task is about to write.
  bool isDestination = tensor == group.destination() && op.op.isDpsInit(operand);
  bool byRow = (row >= 0 && op.dependsOn(operand, row)) || isDestination;
  bool byLane = op.dependsOn(operand, column) || isDestination;
  auto key =
      std::make_pair(operand, std::make_pair(byRow ? rowOffset : -1, byLane ? segment.offset : -1));
  Value &value = point.loaded[key];
  if (value)
    return value;
  if (isDestination)
    return value = readElements(point.view.tensor, localIndices(point, rowOffset, segment.offset),
                                type.getElementType(), segment.width);
  AffineMap map = op.op.getMatchingIndexingMap(operand);
  auto indicesAt = [&](int64_t lane) {
    SmallVector<OpFoldResult> loops;
    for (unsigned loop = 0; loop < op.coordinates.size(); ++loop)
      // Loops that the operand does not use may be reductions of another operation.
      loops.push_back(map.isFunctionOfDim(loop) ? loopValue(point, op, loop, rowOffset, lane)
                                                : OpFoldResult(b.getIndexAttr(0)));
    return affine::makeComposedFoldedMultiResultAffineApply(b, loc, map, loops);
  };
  if (!byLane)
    return value = tensor::ExtractOp::create(b, loc, tensor, valuesOf(indicesAt(segment.offset)));
  if (op.isContiguous(operand, column, plan.panelWidth()) ||
      (op.isContiguous(operand, column, segment.width) && segment.width == 1))
    return value = readElements(tensor, indicesAt(segment.offset), type.getElementType(),
                                segment.width);
  Values lanes;
  for (int64_t lane = 0; lane < segment.width; ++lane)
    lanes.push_back(
        tensor::ExtractOp::create(b, loc, tensor, valuesOf(indicesAt(segment.offset + lane))));
  return value = vector::FromElementsOp::create(
             b, loc, VectorType::get({segment.width}, type.getElementType()), lanes);
}

Value Emitter::evaluate(Point &point, KernelOp &op, int64_t rowOffset, Segment segment,
                        OpOperand *given, Value value, bool fuse) {
  Values arguments;
  for (OpOperand &operand : op.op->getOpOperands()) {
    if (&operand == given)
      arguments.push_back(value);
    else if (op.op.payloadUsesValueFromOperand(&operand))
      arguments.push_back(load(point, op, &operand, rowOffset, segment));
    else
      arguments.push_back(Value());
  }
  auto indexOf = [&](int64_t loop) -> Value {
    Value base = getValueOrCreateConstantIndexOp(
        b, loc, loopValue(point, op, loop, rowOffset, segment.offset));
    base = broadcastTo(b, loc, base, segment.width);
    if (op.coordinates[loop] != column)
      return base;
    Value steps =
        vector::StepOp::create(b, loc, VectorType::get({segment.width}, b.getIndexType()));
    return arith::AddIOp::create(b, loc, base, steps);
  };
  return evaluateBody(b, op.op, arguments, segment.width, indexOf, fuse).front();
}

Value Emitter::write(Point &point, Value vector, int64_t rowOffset, Segment segment) {
  SmallVector<OpFoldResult> indices = localIndices(point, rowOffset, segment.offset);
  Values at = valuesOf(indices);
  if (!group.type().getElementType().isInteger(1))
    return vector::TransferWriteOp::create(b, loc, vector, point.view.tensor, at,
                                           ArrayRef<bool>{true})
        .getResult();
  Value tensor = point.view.tensor;
  for (int64_t lane = 0; lane < segment.width; ++lane) {
    at.back() =
        getValueOrCreateConstantIndexOp(b, loc, add(b, loc, indices.back(), b.getIndexAttr(lane)));
    Value element = vector::ExtractOp::create(b, loc, vector, lane);
    tensor = tensor::InsertOp::create(b, loc, element, tensor, at);
  }
  return tensor;
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Values Emitter::step(Point &point, int64_t rowCount, ArrayRef<Segment> segments,
                     ValueRange accumulators) {
  OpOperand *init = group.root.op.getDpsInitOperand(0);
  Values results;
  point.loaded.clear();
  for (int64_t r = 0; r < rowCount; ++r)
    for (auto [s, segment] : llvm::enumerate(segments))
      results.push_back(evaluate(point, group.root, r, segment, init,
                                 accumulators[r * segments.size() + s], /*fuse=*/true));
  point.loaded.clear();
  return results;
}

/// `accumulator + something` of floats: partial sums may be added up at the end.
static bool isSum(linalg::LinalgOp op) {
  BlockArgument accumulator = op.getRegionOutputArgs()[0];
  auto sum = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  return sum && accumulator.hasOneUse() &&
         (sum.getLhs() == accumulator || sum.getRhs() == accumulator);
}

/// The innermost reduction with several sets of accumulators that take turns.
Values Emitter::emitChains(Point &point, OpFoldResult size, int64_t rowCount,
                           ArrayRef<Segment> segments, ValueRange accumulators) {
  int64_t chains = plan.chains, count = accumulators.size();
  Values carried(accumulators);
  for (int64_t chain = 1; chain < chains; ++chain)
    for (Value accumulator : accumulators)
      carried.push_back(arith::ConstantOp::create(b, loc, b.getZeroAttr(accumulator.getType())));
  OpFoldResult main = mul(b, loc, floorDiv(b, loc, size, chains), chains);
  carried = forLoop(b, loc, b.getIndexAttr(0), main, chains, carried, /*unroll=*/false,
                    [&](OpFoldResult iv, ValueRange values) {
                      Values next;
                      for (int64_t chain = 0; chain < chains; ++chain) {
                        point.reductions.push_back(add(b, loc, iv, b.getIndexAttr(chain)));
                        llvm::append_range(next, step(point, rowCount, segments,
                                                      values.slice(chain * count, count)));
                        point.reductions.pop_back();
                      }
                      return next;
                    });
  Values sums(ArrayRef<Value>(carried).take_front(count));
  for (int64_t chain = 1; chain < chains; ++chain)
    for (int64_t i = 0; i < count; ++i)
      sums[i] = arith::AddFOp::create(b, loc, sums[i], carried[chain * count + i]);
  return forLoop(b, loc, main, size, 1, sums, /*unroll=*/false,
                 [&](OpFoldResult iv, ValueRange values) {
                   point.reductions.push_back(iv);
                   Values next = step(point, rowCount, segments, values);
                   point.reductions.pop_back();
                   return next;
                 });
}

Values Emitter::emitReductions(Point &point, unsigned next, int64_t rowCount,
                               ArrayRef<Segment> segments, ValueRange accumulators) {
  if (next == reductionLoops.size())
    return step(point, rowCount, segments, accumulators);
  OpFoldResult size = loopSizes[reductionLoops[next]];
  bool innermost = next + 1 == reductionLoops.size();
  if (innermost && plan.chains > 1 && isSum(group.root.op))
    return emitChains(point, size, rowCount, segments, accumulators);
  std::optional<int64_t> known = getConstantIntValue(size);
  bool unroll = plan.unrollWindow || (innermost && known && *known <= 4);
  return forLoop(b, loc, b.getIndexAttr(0), size, 1, accumulators, unroll,
                 [&](OpFoldResult iv, ValueRange values) {
                   point.reductions.push_back(iv);
                   Values results = emitReductions(point, next + 1, rowCount, segments, values);
                   point.reductions.pop_back();
                   return results;
                 });
}

Value Emitter::emitTile(Point point, int64_t panelWidth, int64_t rowCount) {
  SmallVector<Segment> segments = segmentsOf(panelWidth, plan.lanes);
  bool reduces = !reductionLoops.empty();
  OpOperand *init = group.root.op.getDpsInitOperand(0);
  Values values;
  for (int64_t r = 0; r < rowCount; ++r)
    for (Segment segment : segments) {
      if (!reduces)
        values.push_back(group.init && group.root.op.payloadUsesValueFromOperand(init)
                             ? evaluate(point, group.root, r, segment, init,
                                        evaluate(point, *group.init, r, segment))
                             : evaluate(point, group.root, r, segment));
      else
        values.push_back(broadcastTo(b, loc,
                                     group.init ? evaluate(point, *group.init, r, segment)
                                                : load(point, group.root, init, r, segment),
                                     segment.width));
    }
  if (reduces)
    values = emitReductions(point, 0, rowCount, segments, values);
  point.loaded.clear();
  unsigned next = 0;
  // All reads come before the first write.
  if (group.epilogue)
    for (int64_t r = 0; r < rowCount; ++r)
      for (Segment segment : segments) {
        values[next] =
            evaluate(point, *group.epilogue, r, segment, group.epilogueInput, values[next]);
        ++next;
      }
  next = 0;
  for (int64_t r = 0; r < rowCount; ++r)
    for (Segment segment : segments)
      point.view.tensor = write(point, values[next++], r, segment);
  return point.view.tensor;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Value Emitter::emitCoordinates(int64_t coordinate, Point point, const Part &columns,
                               const Part *rows, OpFoldResult taskBegin, OpFoldResult taskCount) {
  if (coordinate == rank) {
    // Rows are innermost: neighbouring tiles share the panel.
    SmallVector<Part> parts = rows ? SmallVector<Part>{*rows} : rowParts();
    for (const Part &part : parts) {
      OpFoldResult begin = b.getIndexAttr(0), count = part.count;
      if (rows && plan.taskCoordinate == row && row >= 0) {
        begin = taskBegin;
        count = taskCount;
      }
      point.view.tensor =
          forLoop(b, loc, begin, add(b, loc, begin, count), 1, point.view.tensor, false,
                  [&](OpFoldResult iv, ValueRange carried) -> Values {
                    Point inner = point;
                    inner.view.tensor = carried[0];
                    if (row >= 0)
                      inner.coordinates[row] = add(b, loc, part.begin, mul(b, loc, iv, part.size));
                    return {emitTile(inner, columns.size, part.size)};
                  })
              .front();
    }
    return point.view.tensor;
  }
  if (coordinate == row || coordinate == column)
    return emitCoordinates(coordinate + 1, point, columns, rows, taskBegin, taskCount);
  OpFoldResult begin = b.getIndexAttr(0), end = sizes[coordinate];
  if (coordinate == plan.taskCoordinate) {
    begin = taskBegin;
    end = add(b, loc, taskBegin, taskCount);
  }
  return forLoop(b, loc, begin, end, 1, point.view.tensor, false,
                 [&](OpFoldResult iv, ValueRange carried) -> Values {
                   Point inner = point;
                   inner.view.tensor = carried[0];
                   inner.coordinates[coordinate] = iv;
                   return {
                       emitCoordinates(coordinate + 1, inner, columns, rows, taskBegin, taskCount)};
                 })
      .front();
}

/// All tiles of one column part (and of one row part, where rows are cut into tasks).
Value Emitter::emitTasks(const Part &columns, const Part *rows, Value destination) {
  OpFoldResult zero = b.getIndexAttr(0);
  Point point;
  point.coordinates.assign(rank, zero);
  point.view.offsets.assign(rank, zero);
  bool byRow = rows != nullptr;

  // How many tasks there are beside the panels, and how long each is.
  OpFoldResult taskTotal = b.getIndexAttr(1), taskCount = zero;
  if (plan.taskCoordinate >= 0) {
    OpFoldResult total = byRow ? rows->count : sizes[plan.taskCoordinate];
    int64_t size = plan.taskSize;
    // A part that is shorter (remaining rows) has its own pieces.
    if (std::optional<int64_t> known = getConstantIntValue(total); known && *known % size)
      size = 1;
    taskTotal = floorDiv(b, loc, total, size);
    taskCount = b.getIndexAttr(size);
  }
  auto body = [&](OpFoldResult panel, OpFoldResult task, View view) {
    Point inner = point;
    inner.view = view;
    inner.coordinates[column] = add(b, loc, columns.begin, mul(b, loc, panel, columns.size));
    OpFoldResult begin = zero;
    if (plan.taskCoordinate >= 0)
      begin = mul(b, loc, task, *getConstantIntValue(taskCount));
    return emitCoordinates(0, inner, columns, rows, begin, taskCount);
  };

  bool single = getConstantIntValue(columns.count) == 1 && getConstantIntValue(taskTotal) == 1;
  if (!plan.parallel || single) {
    return forLoop(b, loc, zero, columns.count, 1, destination, false,
                   [&](OpFoldResult panel, ValueRange outer) {
                     return forLoop(b, loc, zero, taskTotal, 1, outer, false,
                                    [&](OpFoldResult task, ValueRange inner) -> Values {
                                      View view = point.view;
                                      view.tensor = inner[0];
                                      return {body(panel, task, view)};
                                    });
                   })
        .front();
  }

  auto forall = scf::ForallOp::create(b, loc, {columns.count, taskTotal}, destination,
                                      /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forall.getBody());
  OpFoldResult panel = forall.getInductionVars()[0], task = forall.getInductionVars()[1];
  SmallVector<OpFoldResult> offsets(rank, zero), extents = sizes, strides(rank, b.getIndexAttr(1));
  offsets[column] = add(b, loc, columns.begin, mul(b, loc, panel, columns.size));
  extents[column] = b.getIndexAttr(columns.size);
  if (plan.taskCoordinate >= 0) {
    int64_t size = *getConstantIntValue(taskCount);
    if (byRow) {
      offsets[row] = add(b, loc, rows->begin, mul(b, loc, task, size * rows->size));
      extents[row] = b.getIndexAttr(size * rows->size);
    } else {
      offsets[plan.taskCoordinate] = mul(b, loc, task, size);
      extents[plan.taskCoordinate] = taskCount;
    }
  }
  Value shared = forall.getRegionIterArgs()[0];
  View view{tensor::ExtractSliceOp::create(b, loc, shared, offsets, extents, strides), offsets};
  Value result = body(panel, task, view);
  b.setInsertionPointToStart(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, loc, result, shared, offsets, extents, strides);
  return forall.getResult(0);
}

Value Emitter::emit() {
  Value destination = group.destination();
  for (int64_t coordinate = 0; coordinate < rank; ++coordinate)
    sizes.push_back(sizeOf(b, loc, destination, coordinate));
  SmallVector<int64_t> known = group.root.op.getStaticLoopRanges();
  for (auto [loop, coordinate] : llvm::enumerate(group.root.coordinates)) {
    loopSizes.push_back(b.getIndexAttr(known[loop]));
    if (coordinate >= 0)
      continue;
    reductionLoops.push_back(loop);
    if (ShapedType::isDynamic(known[loop])) {
      auto [operand, dim] = *findLoopSize(group.root.op, loop);
      loopSizes[loop] = sizeOf(b, loc, operand, dim);
    }
  }
  for (const Part &columns : columnParts()) {
    if (plan.taskCoordinate >= 0 && plan.taskCoordinate == row)
      for (const Part &rows : rowParts())
        destination = emitTasks(columns, &rows, destination);
    else
      destination = emitTasks(columns, nullptr, destination);
  }
  return destination;
}

} // namespace

Value emitKernel(OpBuilder &builder, KernelGroup &group, const KernelPlan &plan) {
  return Emitter(builder, group, plan).emit();
}

} // namespace torchlite::cpu
