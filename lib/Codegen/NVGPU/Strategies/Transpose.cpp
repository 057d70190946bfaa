//===- Transpose.cpp - Tiles that are turned in shared memory -------------===//
//
// Kernels of parallel loops in which an operand has its neighbours in memory along another
// dimension of the result ("rows") than the result has ("columns"). Reading such an operand in the
// order in which the result is written takes one sector of 32 bytes for each element. Here a block
// copies a square tile of it to shared memory in the operand's order, and computes the tile of the
// result in the result's order. What is fused around it is left to the evaluator, as in every
// strategy.
//
//   shared memory   [columns][rows + padding] for each operand: the padding is one word, so that
//   lines
//                   begin in different banks
//   16 and 8 bits   two or four neighbours are one word, also in shared memory. A thread reads the
//   words
//                   of as many columns as it stores at once; these lie an n-th of the tile apart,
//                   so that the lanes of a warp still read from different banks
//
// Dimensions that follow each other in all these buffers count as one: the height and the width of
// an image are 49 rows and not seven times seven. All others are the batch. Tiles at the edges read
// their last row and column again, and do not store.
//
// Source: Ruetsch and Micikevicius, "Optimizing Matrix Transpose in CUDA", 2009.
//
//===----------------------------------------------------------------------===//
#include "Lanes.h"
#include "TransposePlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace torchlite::nvgpu {

static constexpr int64_t threads = TransposePlan::threads;

namespace {

using Layout = TransposePlan::Layout;
using Read = TransposePlan::Read;

MemRefType typeOf(Value buffer) { return cast<MemRefType>(buffer.getType()); }

/// Whether `read` looks at `place` in its buffer for the element at `coordinates` of the result.
bool isAt(const Read &read, ArrayRef<Value> coordinates, ValueRange place) {
  for (auto [expr, value] : llvm::zip(read.map.getResults(), place)) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (constant ? getConstantIntValue(value) != constant.getValue()
                 : value != coordinates[cast<AffineDimExpr>(expr).getPosition()])
      return false;
  }
  return true;
}

class Transpose {
public:
  Transpose(OpBuilder &builder, rt::KernelOp kernel, const TransposePlan &plan)
      : builder(builder), kernel(kernel), loc(kernel.getLoc()), plan(plan), type(plan.type),
        extent(plan.extent), unitRows(plan.unitRows), unitColumns(plan.unitColumns),
        rows{plan.rows, {}}, columns{plan.columns, {}} {
    for (const TransposePlan::Tile &tile : plan.tiles)
      tiles.push_back({tile, {}, {}, {}});
  }

  LogicalResult emit(std::string &reason);

private:
  struct Tile : TransposePlan::Tile {
    SmallVector<Value> strides; ///< by dimension of the buffer, indices
    Value flat, shared;
  };
  struct Group : TransposePlan::Group {
    Value size;
  };

  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value x, Value y) { return builder.createOrFold<arith::AddIOp>(loc, x, y); }
  Value add(Value x, int64_t y) { return y ? add(x, index(y)) : x; }
  Value mul(Value x, Value y) { return builder.createOrFold<arith::MulIOp>(loc, x, y); }
  Value mul(Value x, int64_t y) { return y == 1 ? x : mul(x, index(y)); }
  Value div(Value x, int64_t y) { return builder.createOrFold<arith::DivUIOp>(loc, x, index(y)); }
  Value mod(Value x, int64_t y) { return builder.createOrFold<arith::RemUIOp>(loc, x, index(y)); }

  void prepareHost();
  Value bufferStride(Value buffer, const Layout &layout, unsigned dim);
  Value flatten(Value buffer, const Layout &layout);
  void prepareShared();
  Value batchOffset(const Tile &tile);
  Value clamp(Value number, const Group &group, int64_t width);
  void copyTiles();
  SmallVector<Value> coordinatesOf(Value row, Value column, int64_t lane);
  bool computeUnit(Value row, Value column, Value lineInTile, Value unitInTile);
  bool computeTile();

  OpBuilder &builder;
  rt::KernelOp kernel;
  Location loc;
  const TransposePlan &plan;
  MemRefType type; ///< of the first result; all have its shape
  int64_t extent, unitRows, unitColumns;
  Group rows, columns;
  SmallVector<Tile> tiles;

  Launch launch;
  Value firstRow, firstColumn; ///< of the block's tile
  SmallVector<Value> at;       ///< coordinates in the batch, by dimension of the result
  SmallVector<SmallVector<Value>> outputStrides;
  SmallVector<Value> outputFlats;
  std::string error;
};

} // namespace

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Value Transpose::bufferStride(Value buffer, const Layout &layout, unsigned dim) {
  if (!ShapedType::isDynamic(layout.strides[dim]))
    return index(layout.strides[dim]);
  return memref::ExtractStridedMetadataOp::create(builder, loc, buffer).getStrides()[dim];
}

/// Emits what the host knows: sizes and strides.
void Transpose::prepareHost() {
  Value output = kernel.getOutputs().front();
  for (Group *group : {&rows, &columns}) {
    group->size = index(1);
    for (unsigned dim : group->dims)
      group->size = mul(group->size, builder.createOrFold<memref::DimOp>(loc, output, dim));
  }
  for (Tile &tile : tiles)
    for (unsigned dim = 0; dim < tile.layout.strides.size(); ++dim)
      tile.strides.push_back(bufferStride(tile.buffer, tile.layout, dim));
  for (auto [buffer, layout] : llvm::zip(kernel.getOutputs(), plan.outputs)) {
    outputStrides.emplace_back();
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      outputStrides.back().push_back(bufferStride(buffer, layout, dim));
  }
}

/// The buffer as one dimension, from the element on where all coordinates are 0. In the kernel.
Value Transpose::flatten(Value buffer, const Layout &layout) {
  OpFoldResult start = builder.getIndexAttr(layout.offset);
  if (ShapedType::isDynamic(layout.offset))
    start = memref::ExtractStridedMetadataOp::create(builder, loc, buffer).getOffset();
  // Its size is asked for nowhere.
  constexpr int64_t size = std::numeric_limits<int64_t>::max();
  auto flat = MemRefType::get({size}, typeOf(buffer).getElementType(),
                              StridedLayoutAttr::get(builder.getContext(), layout.offset, {1}),
                              typeOf(buffer).getMemorySpace());
  return memref::ReinterpretCastOp::create(builder, loc, flat, buffer, start,
                                           ArrayRef<OpFoldResult>{builder.getIndexAttr(size)},
                                           ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
}

void Transpose::prepareShared() {
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
  Value memory = gpu::DynamicSharedMemoryOp::create(
      builder, loc,
      MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(), MemRefLayoutAttrInterface(),
                      space));
  int64_t start = 0;
  for (Tile &tile : tiles) {
    // Booleans are bytes in memory.
    Type element = typeOf(tile.buffer).getElementType();
    if (element.isInteger(1))
      element = builder.getI8Type();
    int64_t line = tile.line(extent);
    auto shape = MemRefType::get({extent, line}, element, MemRefLayoutAttrInterface(), space);
    tile.shared = memref::ViewOp::create(builder, loc, shape, memory, index(start), ValueRange());
    tile.flat = flatten(tile.buffer, tile.layout);
    start += extent * line * tile.bytes;
  }
}

/// What the block's place in the batch, and constants, add to the offsets in a tile's buffer.
Value Transpose::batchOffset(const Tile &tile) {
  Value offset = index(0);
  for (auto [dim, expr] : llvm::enumerate(tile.read.map.getResults())) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      offset = add(offset, mul(tile.strides[dim], constant.getValue()));
    else if (Value place = at[cast<AffineDimExpr>(expr).getPosition()])
      offset = add(offset, mul(place, tile.strides[dim]));
  }
  return offset;
}

/// `number` or the last multiple of `width` that is inside.
Value Transpose::clamp(Value number, const Group &group, int64_t width) {
  if (!ShapedType::isDynamic(group.known) && group.known % extent == 0)
    return number;
  Value last = arith::SubIOp::create(builder, loc, group.size, index(width));
  return arith::MinUIOp::create(builder, loc, number, last);
}

//===----------------------------------------------------------------------===//
// Copying and computing
//===----------------------------------------------------------------------===//

/// Copies the tiles to shared memory. All loads are under way before the first store.
void Transpose::copyTiles() {
  SmallVector<SmallVector<Value>> loaded;
  Value thread = launch.threadId(0);
  for (const Tile &tile : tiles) {
    int64_t perLine = extent / tile.width;
    Value line = mul(mod(thread, perLine), tile.width), first = div(thread, perLine);
    Value place = add(batchOffset(tile), clamp(add(firstRow, line), rows, tile.width));
    // The group's last dimension has the stride of all its numbers.
    Value stride =
        tile.strides[*tile.read.map.getResultPosition(builder.getAffineDimExpr(plan.column))];
    for (int64_t access = 0; access < extent * extent / tile.width / threads; ++access) {
      Value number = add(firstColumn, add(first, access * (threads / perLine)));
      Value offset = add(place, mul(clamp(number, columns, 1), stride));
      if (tile.width > 1)
        loaded.push_back(loadLanes(builder, loc, tile.flat, offset, tile.width));
      else
        loaded.push_back({memref::LoadOp::create(builder, loc, tile.flat, offset)});
    }
  }
  auto next = loaded.begin();
  for (const Tile &tile : tiles) {
    Type element = typeOf(tile.shared).getElementType();
    int64_t perLine = extent / tile.width;
    Value line = mul(mod(thread, perLine), tile.width), first = div(thread, perLine);
    for (int64_t access = 0; access < extent * extent / tile.width / threads; ++access) {
      SmallVector<Value> &elements = *next++;
      for (Value &value : elements)
        if (value.getType() != element)
          value = arith::ExtUIOp::create(builder, loc, element, value);
      Value number = add(first, access * (threads / perLine));
      // The columns of one store are not neighbours here.
      Value position =
          add(mul(mod(number, unitColumns), extent / unitColumns), div(number, unitColumns));
      if (tile.width == 1) {
        memref::StoreOp::create(builder, loc, elements[0], tile.shared, {position, line});
        continue;
      }
      Value vector = vector::FromElementsOp::create(builder, loc,
                                                    VectorType::get(tile.width, element), elements);
      vector::StoreOp::create(builder, loc, vector, tile.shared, ValueRange{position, line});
    }
  }
}

/// The coordinates in the result.
SmallVector<Value> Transpose::coordinatesOf(Value rowNumber, Value columnNumber, int64_t lane) {
  SmallVector<Value> coordinates(at);
  for (auto [group, number] : {std::pair(&rows, rowNumber), std::pair(&columns, columnNumber)}) {
    if (group == &columns)
      number = add(number, lane);
    SmallVector<OpFoldResult> sizes;
    for (unsigned dim : group->dims)
      sizes.push_back(memref::getMixedSize(builder, loc, kernel.getOutputs().front(), dim));
    Coordinates numbers(builder, loc, sizes, extent);
    SmallVector<Value> parts = numbers.ofNumber(numbers.fromIndex(number));
    for (auto [dim, part] : llvm::zip(group->dims, parts))
      coordinates[dim] = group->dims.size() == 1 ? number : part;
  }
  return coordinates;
}

/// Computes and stores `unitRows` by `unitColumns` elements from a place in the result on, whose
/// words are at a place in the tiles.
bool Transpose::computeUnit(Value rowNumber, Value columnNumber, Value lineInTile,
                            Value unitInTile) {
  // By tile, row and column.
  SmallVector<SmallVector<SmallVector<Value>>> elements;
  for (const Tile &tile : tiles) {
    auto &ofTile = elements.emplace_back(unitRows);
    Type element = typeOf(tile.buffer).getElementType();
    for (int64_t lane = 0; lane < unitColumns; ++lane) {
      Value position = add(unitInTile, lane * (extent / unitColumns));
      for (int64_t first = 0; first < unitRows; first += tile.width) {
        SmallVector<Value> place = {position, add(lineInTile, first)};
        SmallVector<Value> values;
        if (tile.width == 1)
          values.push_back(memref::LoadOp::create(builder, loc, tile.shared, place));
        else
          values = loadLanes(builder, loc, tile.shared, place, tile.width);
        for (auto [number, value] : llvm::enumerate(values)) {
          if (value.getType() != element)
            value = arith::TruncIOp::create(builder, loc, element, value);
          ofTile[first + number].push_back(value);
        }
      }
    }
  }
  int64_t size = type.getShape().back();
  bool isRow = unitColumns > 1 && plan.column + 1 == type.getRank() &&
               !ShapedType::isDynamic(size) && size % unitColumns == 0;
  for (int64_t line = 0; line < unitRows; ++line) {
    Value number = add(rowNumber, line);
    SmallVector<SmallVector<Value>> lanes;
    for (int64_t lane = 0; lane < unitColumns; ++lane) {
      if (lane && isRow) {
        lanes.push_back(lanes[0]);
        lanes.back()[plan.column] = add(lanes[0][plan.column], lane);
      } else {
        lanes.push_back(coordinatesOf(number, columnNumber, lane));
      }
    }
    LaneReader reader(builder, kernel, lanes, isRow, /*number=*/{});
    for (const Tile &tile : tiles)
      reader.getEvaluator().bind(tile.read.argument,
                                 [&](OpBuilder &nested, ValueRange place) -> Value {
                                   for (auto [other, ofTile] : llvm::zip(tiles, elements))
                                     for (unsigned lane = 0; lane < lanes.size(); ++lane)
                                       if (other.read.argument == tile.read.argument &&
                                           isAt(other.read, lanes[lane], place))
                                         return ofTile[line][lane];
                                   return memref::LoadOp::create(nested, loc, tile.buffer, place);
                                 });
    // All elements are computed before any is stored: an output may be read for another.
    SmallVector<SmallVector<Value>> results;
    for (unsigned result = 0; result < plan.outputs.size(); ++result) {
      results.push_back(reader.evaluate(kernel.getYielded(result)));
      if (results.back().empty()) {
        error = reader.getError().str();
        return false;
      }
    }
    for (auto [values, flat, strides] : llvm::zip(results, outputFlats, outputStrides)) {
      Value offset = add(mul(number, strides[plan.row]), columnNumber);
      for (unsigned dim : plan.batch)
        offset = add(offset, mul(at[dim], strides[dim]));
      if (unitColumns > 1)
        storeLanes(builder, loc, values, flat, offset);
      else
        memref::StoreOp::create(builder, loc, values[0], flat, offset);
    }
  }
  return true;
}

bool Transpose::computeTile() {
  Value thread = launch.threadId(0);
  int64_t across = extent / unitColumns, step = threads / across;
  Value unit = mod(thread, across), first = div(thread, across);
  int64_t count = extent / unitRows / step;
  auto loop = scf::ForOp::create(builder, loc, index(0), index(count), index(1));
  builder.setInsertionPointToStart(loop.getBody());
  Value line = mul(add(first, mul(loop.getInductionVar(), step)), unitRows);
  Value rowNumber = add(firstRow, line), columnNumber = add(firstColumn, mul(unit, unitColumns));
  Value inside;
  for (auto [group, number] : {std::pair(&rows, rowNumber), std::pair(&columns, columnNumber)}) {
    if (!ShapedType::isDynamic(group->known) && group->known % extent == 0)
      continue;
    Value below =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, number, group->size);
    inside = inside ? arith::AndIOp::create(builder, loc, inside, below).getResult() : below;
  }
  if (inside) {
    auto guarded = scf::IfOp::create(builder, loc, inside, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(&guarded.getThenRegion().front());
  }
  return computeUnit(rowNumber, columnNumber, line, unit);
}

LogicalResult Transpose::emit(std::string &reason) {
  OpBuilder::InsertionGuard guard(builder);
  Operation *before = kernel->getPrevNode();
  prepareHost();
  SmallVector<OpFoldResult> sizes;
  Value blocks = index(1);
  auto addSize = [&](Value size) {
    sizes.push_back(getAsOpFoldResult(size));
    blocks = mul(blocks, size);
  };
  for (unsigned dim : plan.batch)
    addSize(builder.createOrFold<memref::DimOp>(loc, kernel.getOutputs().front(), dim));
  for (const Group *group : {&rows, &columns})
    addSize(ceilDiv(builder, loc, group->size, extent));
  launch = Launch::create(builder, loc, kernel.getName(), blocks, threads, plan.sharedBytes());

  Coordinates numbers(builder, loc, sizes, /*extra=*/0);
  SmallVector<Value> parts = numbers.ofNumber(numbers.fromIndex(launch.blockId(0)));
  firstColumn = mul(parts.pop_back_val(), extent);
  firstRow = mul(parts.pop_back_val(), extent);
  at.resize(type.getRank());
  for (auto [dim, part] : llvm::zip(plan.batch, parts))
    at[dim] = part;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (plan.isUnit(dim))
      at[dim] = index(0);
  prepareShared();
  for (auto [buffer, layout] : llvm::zip(kernel.getOutputs(), plan.outputs))
    outputFlats.push_back(flatten(buffer, layout));
  copyTiles();
  gpu::BarrierOp::create(builder, loc);
  if (computeTile())
    return success();
  reason = "cannot compute elements of " + error;
  eraseEmitted(kernel, before);
  return failure();
}

LogicalResult emitTranspose(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                            std::string &reason) {
  std::optional<TransposePlan> plan = TransposePlan::make(kernel, reason);
  return plan ? Transpose(builder, kernel, *plan).emit(reason) : failure();
}

} // namespace torchlite::nvgpu
