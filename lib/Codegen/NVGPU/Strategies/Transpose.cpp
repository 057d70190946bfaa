//===- Transpose.cpp - Tiles that are turned in shared memory -------------===//
//
// Kernels of parallel loops in which an operand has its neighbours in memory along another dimension of
// the result ("rows") than the result has ("columns"). Reading such an operand in the order in which
// the result is written takes one sector of 32 bytes for each element. Here a block copies a square tile
// of it to shared memory in the operand's order, and computes the tile of the result in the result's
// order. What is fused around it is left to the evaluator, as in every strategy.
//
//   shared memory   [columns][rows + padding] for each operand: the padding is one word, so that lines
//                   begin in different banks
//   16 and 8 bits   two or four neighbours are one word, also in shared memory. A thread reads the words
//                   of as many columns as it stores at once; these lie an n-th of the tile apart, so
//                   that the lanes of a warp still read from different banks
//
// Dimensions that follow each other in all these buffers count as one: the height and the width of an
// image are 49 rows and not seven times seven. All others are the batch. Tiles at the edges read their
// last row and column again, and do not store.
//
// Source: Ruetsch and Micikevicius, "Optimizing Matrix Transpose in CUDA", 2009.
//
//===----------------------------------------------------------------------===//
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace torchlite::nvgpu {

static constexpr int64_t threads = 256, wordBytes = 4, sectorBytes = 32;
/// Elements that a thread loads of all operands before the first is used.
static constexpr int64_t mostLoads = 32;

namespace {

MemRefType typeOf(Value buffer) { return cast<MemRefType>(buffer.getType()); }

/// A buffer as numbers of elements: strides by dimension, and where its first element is.
struct Layout {
  SmallVector<int64_t> strides;
  int64_t offset = 0;

  static std::optional<Layout> of(MemRefType type) {
    Layout layout;
    if (failed(type.getStridesAndOffset(layout.strides, layout.offset)))
      return std::nullopt;
    return layout;
  }
};

/// An operand, and where in it an element of the result looks.
struct Read {
  BlockArgument argument;
  AffineMap map; ///< from dimensions of the result to those of the buffer
};

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
  Transpose(OpBuilder &builder, rt::KernelOp kernel)
      : builder(builder), kernel(kernel), loc(kernel.getLoc()),
        type(typeOf(kernel.getOutputs().front())) {}

  LogicalResult emit(std::string &reason);

private:
  /// A read that goes through shared memory.
  struct Tile {
    Read read;
    Value buffer;
    Layout layout;
    int64_t bytes = 0;         ///< of an element
    int64_t width = 1;         ///< elements of an access
    SmallVector<Value> strides; ///< by dimension of the buffer, indices
    Value flat, shared;
  };
  /// Neighbouring dimensions of the result that count as one.
  struct Group {
    SmallVector<unsigned> dims; ///< outermost first
    int64_t known = 1;          ///< number of elements; kDynamic where it is not known
    Value size;
    bool contains(unsigned dim) const { return llvm::is_contained(dims, dim); }
  };

  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value x, Value y) { return builder.createOrFold<arith::AddIOp>(loc, x, y); }
  Value add(Value x, int64_t y) { return y ? add(x, index(y)) : x; }
  Value mul(Value x, Value y) { return builder.createOrFold<arith::MulIOp>(loc, x, y); }
  Value mul(Value x, int64_t y) { return y == 1 ? x : mul(x, index(y)); }
  Value div(Value x, int64_t y) { return builder.createOrFold<arith::DivUIOp>(loc, x, index(y)); }
  Value mod(Value x, int64_t y) { return builder.createOrFold<arith::RemUIOp>(loc, x, index(y)); }

  bool isUnit(unsigned dim) const { return type.getDimSize(dim) == 1; }
  bool checkForm(std::string &reason);
  void findReads(Value tensor, AffineMap map);
  std::optional<unsigned> neighbours(const Read &read);
  bool findTiles(std::string &reason);
  bool follow(unsigned outer, unsigned inner);
  Group makeGroup(unsigned last, unsigned other);
  bool checkSizes(std::string &reason) const;
  bool isAligned(const Layout &layout, ArrayRef<unsigned> of, const Group &along,
                 int64_t width) const;
  void chooseWidths();

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
  MemRefType type; ///< of the first result; all have its shape
  SmallVector<Read> reads;
  SmallVector<Tile> tiles;
  SmallVector<Layout> outputs;
  unsigned row = 0, column = 0; ///< dimensions of the result: neighbours of the operands, of itself
  Group rows, columns;
  SmallVector<unsigned> batch;
  int64_t extent = 0;                     ///< of tiles, both ways
  int64_t unitRows = 1, unitColumns = 1;  ///< of the elements that a thread computes together

  Launch launch;
  Value firstRow, firstColumn;            ///< of the block's tile
  SmallVector<Value> at;                  ///< coordinates in the batch, by dimension of the result
  SmallVector<SmallVector<Value>> outputStrides;
  SmallVector<Value> outputFlats;
  std::string error;
};

} // namespace

//===----------------------------------------------------------------------===//
// What is read, and how
//===----------------------------------------------------------------------===//

bool Transpose::checkForm(std::string &reason) {
  for (Value output : kernel.getOutputs()) {
    std::optional<Layout> layout = Layout::of(typeOf(output));
    if (typeOf(output).getShape() != type.getShape() || !layout ||
        !elementBytes(typeOf(output).getElementType())) {
      reason = "expected results of one shape, with strides and elements of 1 to 8 bytes";
      return false;
    }
    outputs.push_back(*layout);
  }
  for (Operation &op : kernel.getBody().front())
    if (auto structured = dyn_cast<linalg::LinalgOp>(op);
        structured && structured.getNumReductionLoops()) {
      reason = "expected parallel loops only";
      return false;
    }
  return true;
}

/// Finds the buffers that the elements of `tensor` at `map` of the result's place come from.
void Transpose::findReads(Value tensor, AffineMap map) {
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    bool isNew = llvm::none_of(reads, [&](const Read &read) {
      return read.argument == argument && read.map == map;
    });
    if (isNew)
      reads.push_back({argument, map});
    return;
  }
  if (auto cast = tensor.getDefiningOp<tensor::CastOp>())
    return findReads(cast.getSource(), map);
  auto op = tensor.getDefiningOp<linalg::LinalgOp>();
  if (!op)
    return;
  unsigned number = cast<OpResult>(tensor).getResultNumber();
  AffineMap result = op.getMatchingIndexingMap(op.getDpsInitOperand(number));
  if (!result.isPermutation())
    return;
  AffineMap iteration = inversePermutation(result).compose(map);
  for (OpOperand &operand : op->getOpOperands())
    if (!op.isScalar(&operand) && op.payloadUsesValueFromOperand(&operand))
      findReads(operand.get(), op.getMatchingIndexingMap(&operand).compose(iteration));
}

/// The dimension of the result along which a read goes through neighbours in memory, where each
/// dimension of the buffer is one of the result or a constant.
std::optional<unsigned> Transpose::neighbours(const Read &read) {
  MemRefType buffer = typeOf(kernel.getOperandOf(read.argument));
  std::optional<Layout> layout = Layout::of(buffer);
  if (!layout)
    return std::nullopt;
  std::optional<unsigned> found;
  llvm::SmallDenseSet<unsigned> seen;
  for (auto [dim, expr] : llvm::enumerate(read.map.getResults())) {
    if (isa<AffineConstantExpr>(expr))
      continue;
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop || !seen.insert(loop.getPosition()).second)
      return std::nullopt;
    if (layout->strides[dim] == 1 && buffer.getDimSize(dim) != 1 && !isUnit(loop.getPosition()))
      found = loop.getPosition();
  }
  return found;
}

bool Transpose::findTiles(std::string &reason) {
  reason = "expected results whose neighbours are along one dimension";
  int64_t last = type.getRank() - 1;
  while (last >= 0 && isUnit(last))
    --last;
  if (last < 0 || llvm::any_of(outputs, [&](const Layout &output) { return output.strides[last] != 1; }))
    return false;
  column = last;
  for (unsigned result = 0; result < kernel.getOutputs().size(); ++result)
    findReads(kernel.getYielded(result), builder.getMultiDimIdentityMap(type.getRank()));
  // Of several such dimensions, the one with most bytes.
  SmallVector<int64_t> bytes(type.getRank(), 0);
  SmallVector<std::pair<Read, unsigned>> candidates;
  for (const Read &read : reads) {
    Value buffer = kernel.getOperandOf(read.argument);
    std::optional<unsigned> dim = neighbours(read);
    int64_t size = elementBytes(typeOf(buffer).getElementType());
    if (!dim || *dim == column || !size || !read.map.isFunctionOfDim(column) ||
        llvm::is_contained(kernel.getOutputs(), buffer))
      continue;
    bytes[*dim] += size;
    candidates.push_back({read, *dim});
  }
  reason = "expected an operand whose neighbours are along another dimension than the result's";
  if (candidates.empty())
    return false;
  row = std::distance(bytes.begin(), llvm::max_element(bytes));
  for (auto &[read, dim] : candidates) {
    if (dim != row)
      continue;
    Tile tile;
    tile.read = read;
    tile.buffer = kernel.getOperandOf(read.argument);
    tile.layout = *Layout::of(typeOf(tile.buffer));
    tile.bytes = elementBytes(typeOf(tile.buffer).getElementType());
    tiles.push_back(tile);
  }
  return true;
}

/// Whether two dimensions of the result follow each other, `inner` next to `outer`, in the result and in
/// all tiles, so that they can be gone through as one.
bool Transpose::follow(unsigned outer, unsigned inner) {
  auto isDense = [&](MemRefType buffer, const Layout &layout, unsigned first, unsigned second) {
    if (buffer.getLayout().isIdentity())
      return llvm::all_of(llvm::seq(first + 1, second),
                          [&](unsigned dim) { return buffer.getDimSize(dim) == 1; });
    int64_t size = type.getDimSize(inner), stride = layout.strides[second];
    return !ShapedType::isDynamic(size) && !ShapedType::isDynamic(stride) &&
           layout.strides[first] == stride * size;
  };
  for (auto [output, layout] : llvm::zip(kernel.getOutputs(), outputs))
    if (!isDense(typeOf(output), layout, outer, inner))
      return false;
  for (const Tile &tile : tiles) {
    auto position = [&](unsigned dim) {
      return tile.read.map.getResultPosition(builder.getAffineDimExpr(dim));
    };
    std::optional<unsigned> first = position(outer), second = position(inner);
    if (!first && !second)
      continue;
    if (!first || !second || *first > *second ||
        !isDense(typeOf(tile.buffer), tile.layout, *first, *second))
      return false;
  }
  return true;
}

Transpose::Group Transpose::makeGroup(unsigned last, unsigned other) {
  Group group;
  group.dims = {last};
  for (int64_t dim = int64_t(last) - 1; dim >= 0; --dim) {
    if (isUnit(dim))
      continue;
    if (dim == other || !follow(dim, group.dims.front()))
      break;
    group.dims.insert(group.dims.begin(), dim);
  }
  for (unsigned dim : group.dims) {
    int64_t size = type.getDimSize(dim);
    group.known = ShapedType::isDynamic(size) || ShapedType::isDynamic(group.known)
                      ? ShapedType::kDynamic
                      : group.known * size;
  }
  return group;
}

/// Whether a tile has enough of both. In rows below a sector most of what is read would not be used
/// here either, but is by the other rows, soon after; and where the result's rows are short, several of
/// them are written by one warp, which reads whole sectors of each of their columns.
bool Transpose::checkSizes(std::string &reason) const {
  int64_t bytes = 0;
  for (const Tile &tile : tiles)
    bytes = std::max(bytes, tile.bytes);
  if (!ShapedType::isDynamic(rows.known) && rows.known * bytes < sectorBytes) {
    reason = "expected an operand with at least " + std::to_string(sectorBytes / bytes) +
             " neighbours in memory, but got " + std::to_string(rows.known);
    return false;
  }
  if (!ShapedType::isDynamic(columns.known) && columns.known < warpSize) {
    reason = "expected a result with at least " + std::to_string(warpSize) +
             " neighbours in memory, but got " + std::to_string(columns.known);
    return false;
  }
  return true;
}

/// Whether `width` elements from a multiple of it along a group are one aligned access. `of` are the
/// dimensions of the buffer that are not in the group.
bool Transpose::isAligned(const Layout &layout, ArrayRef<unsigned> of, const Group &along,
                          int64_t width) const {
  auto divides = [&](int64_t value) { return !ShapedType::isDynamic(value) && value % width == 0; };
  return divides(along.known) && divides(layout.offset) &&
         llvm::all_of(of, [&](unsigned dim) { return divides(layout.strides[dim]); });
}

void Transpose::chooseWidths() {
  SmallVector<unsigned> others;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (!columns.contains(dim) && !isUnit(dim))
      others.push_back(dim);
  int64_t stored = 1;
  bool isNarrow = false;
  for (Value output : kernel.getOutputs()) {
    int64_t bytes = elementBytes(typeOf(output).getElementType());
    stored = std::max(stored, bytes);
    isNarrow |= bytes < wordBytes;
  }
  for (const Tile &tile : tiles)
    isNarrow |= tile.bytes < wordBytes;
  for (int64_t limit = wordBytes; limit >= 1; limit /= 2) {
    unitRows = 1;
    unitColumns = std::max<int64_t>(1, std::min(limit, wordBytes / stored));
    while (!llvm::all_of(outputs, [&](const Layout &output) {
      return unitColumns == 1 || isAligned(output, others, columns, unitColumns);
    }))
      unitColumns /= 2;
    int64_t widest = std::min<int64_t>(limit, isNarrow ? 2 : 1);
    widest = std::max(widest, unitColumns);
    for (Tile &tile : tiles) {
      SmallVector<unsigned> dims;
      for (auto [dim, expr] : llvm::enumerate(tile.read.map.getResults())) {
        auto loop = dyn_cast<AffineDimExpr>(expr);
        bool isFirst = expr == builder.getAffineConstantExpr(0);
        if (!isFirst && !(loop && (rows.contains(loop.getPosition()) || isUnit(loop.getPosition()))))
          dims.push_back(dim);
      }
      tile.width = std::max<int64_t>(1, std::min(limit, wordBytes / tile.bytes));
      while (tile.width > 1 && !isAligned(tile.layout, dims, rows, tile.width))
        tile.width /= 2;
      unitRows = std::max(unitRows, tile.width);
      widest = std::max(widest, tile.width);
    }
    extent = widest * warpSize;
    int64_t shared = 0, loads = 0;
    unsigned count = 0;
    for (const Tile &tile : tiles) {
      shared += extent * (extent + std::max<int64_t>(1, wordBytes / tile.bytes)) * tile.bytes;
      loads += extent * extent / tile.width / threads;
      if (shared > defaultSharedPerBlock || loads > mostLoads)
        break;
      ++count;
    }
    if (count == tiles.size())
      return;
    // What does not fit into the smallest tiles is read as it comes.
    if (limit == 1)
      tiles.resize(count);
  }
}

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
  for (auto [buffer, layout] : llvm::zip(kernel.getOutputs(), outputs)) {
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
      MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(), MemRefLayoutAttrInterface(), space));
  int64_t start = 0;
  for (Tile &tile : tiles) {
    // Booleans are bytes in memory.
    Type element = typeOf(tile.buffer).getElementType();
    if (element.isInteger(1))
      element = builder.getI8Type();
    int64_t line = extent + std::max<int64_t>(1, wordBytes / tile.bytes);
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
    Value stride = tile.strides[*tile.read.map.getResultPosition(builder.getAffineDimExpr(column))];
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
      Value position = add(mul(mod(number, unitColumns), extent / unitColumns),
                           div(number, unitColumns));
      if (tile.width == 1) {
        memref::StoreOp::create(builder, loc, elements[0], tile.shared, {position, line});
        continue;
      }
      Value vector = vector::FromElementsOp::create(
          builder, loc, VectorType::get(tile.width, element), elements);
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

/// Computes and stores `unitRows` by `unitColumns` elements from a place in the result on, whose words are
/// at a place in the tiles.
bool Transpose::computeUnit(Value rowNumber, Value columnNumber, Value lineInTile, Value unitInTile) {
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
  bool isRow = unitColumns > 1 && column + 1 == type.getRank() && !ShapedType::isDynamic(size) &&
               size % unitColumns == 0;
  for (int64_t line = 0; line < unitRows; ++line) {
    Value number = add(rowNumber, line);
    SmallVector<SmallVector<Value>> lanes;
    for (int64_t lane = 0; lane < unitColumns; ++lane) {
      if (lane && isRow) {
        lanes.push_back(lanes[0]);
        lanes.back()[column] = add(lanes[0][column], lane);
      } else {
        lanes.push_back(coordinatesOf(number, columnNumber, lane));
      }
    }
    LaneReader reader(builder, kernel, lanes, isRow, /*number=*/{});
    for (const Tile &tile : tiles)
      reader.getEvaluator().bind(tile.read.argument, [&](OpBuilder &nested, ValueRange place) -> Value {
        for (auto [other, ofTile] : llvm::zip(tiles, elements))
          for (unsigned lane = 0; lane < lanes.size(); ++lane)
            if (other.read.argument == tile.read.argument && isAt(other.read, lanes[lane], place))
              return ofTile[line][lane];
        return memref::LoadOp::create(nested, loc, tile.buffer, place);
      });
    // All elements are computed before any is stored: an output may be read for another.
    SmallVector<SmallVector<Value>> results;
    for (unsigned result = 0; result < outputs.size(); ++result) {
      results.push_back(reader.evaluate(kernel.getYielded(result)));
      if (results.back().empty()) {
        error = reader.getError().str();
        return false;
      }
    }
    for (auto [values, flat, strides] : llvm::zip(results, outputFlats, outputStrides)) {
      Value offset = add(mul(number, strides[row]), columnNumber);
      for (unsigned dim : batch)
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
  if (!checkForm(reason) || !findTiles(reason))
    return failure();
  rows = makeGroup(row, column);
  columns = makeGroup(column, row);
  if (!checkSizes(reason))
    return failure();
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (!isUnit(dim) && !rows.contains(dim) && !columns.contains(dim))
      batch.push_back(dim);
  chooseWidths();

  OpBuilder::InsertionGuard guard(builder);
  Operation *before = kernel->getPrevNode();
  prepareHost();
  SmallVector<OpFoldResult> sizes;
  Value blocks = index(1);
  auto addSize = [&](Value size) {
    sizes.push_back(getAsOpFoldResult(size));
    blocks = mul(blocks, size);
  };
  for (unsigned dim : batch)
    addSize(builder.createOrFold<memref::DimOp>(loc, kernel.getOutputs().front(), dim));
  for (const Group *group : {&rows, &columns})
    addSize(ceilDiv(builder, loc, group->size, extent));
  int64_t shared = 0;
  for (const Tile &tile : tiles)
    shared += extent * (extent + std::max<int64_t>(1, wordBytes / tile.bytes)) * tile.bytes;
  launch = Launch::create(builder, loc, kernel.getName(), blocks, threads, shared);

  Coordinates numbers(builder, loc, sizes, /*extra=*/0);
  SmallVector<Value> parts = numbers.ofNumber(numbers.fromIndex(launch.blockId(0)));
  firstColumn = mul(parts.pop_back_val(), extent);
  firstRow = mul(parts.pop_back_val(), extent);
  at.resize(type.getRank());
  for (auto [dim, part] : llvm::zip(batch, parts))
    at[dim] = part;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (isUnit(dim))
      at[dim] = index(0);
  prepareShared();
  for (auto [buffer, layout] : llvm::zip(kernel.getOutputs(), outputs))
    outputFlats.push_back(flatten(buffer, layout));
  copyTiles();
  gpu::BarrierOp::create(builder, loc);
  if (computeTile())
    return success();
  reason = "cannot compute elements of " + error;
  while (Operation *last = kernel->getPrevNode()) {
    if (last == before)
      break;
    last->erase();
  }
  return failure();
}

LogicalResult emitTranspose(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                            std::string &reason) {
  return Transpose(builder, kernel).emit(reason);
}

} // namespace torchlite::nvgpu
