//===- TransposePlan.cpp - What a transposing kernel reads, in which tiles ===//
#include "TransposePlan.h"
#include "Lanes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace torchlite::nvgpu {

static constexpr int64_t wordBytes = 4, sectorBytes = 32;
/// Elements that a thread loads of all operands before the first is used.
static constexpr int64_t mostLoads = 32;

static MemRefType typeOf(Value buffer) { return cast<MemRefType>(buffer.getType()); }

std::optional<TransposePlan::Layout> TransposePlan::Layout::of(MemRefType type) {
  Layout layout;
  if (failed(type.getStridesAndOffset(layout.strides, layout.offset)))
    return std::nullopt;
  return layout;
}

int64_t TransposePlan::Tile::line(int64_t extent) const {
  return extent + std::max<int64_t>(1, wordBytes / bytes);
}

TransposePlan::TransposePlan(rt::KernelOp kernel)
    : type(typeOf(kernel.getOutputs().front())), kernel(kernel) {}

std::optional<TransposePlan> TransposePlan::make(rt::KernelOp kernel, std::string &reason) {
  TransposePlan plan(kernel);
  if (!plan.checkForm(reason) || !plan.findTiles(reason))
    return std::nullopt;
  plan.rows = plan.makeGroup(plan.row, plan.column);
  plan.columns = plan.makeGroup(plan.column, plan.row);
  if (!plan.checkSizes(reason))
    return std::nullopt;
  for (int64_t dim = 0; dim < plan.type.getRank(); ++dim)
    if (!plan.isUnit(dim) && !plan.rows.contains(dim) && !plan.columns.contains(dim))
      plan.batch.push_back(dim);
  plan.chooseWidths();
  return plan;
}

int64_t TransposePlan::sharedBytes() const {
  int64_t bytes = 0;
  for (const Tile &tile : tiles)
    bytes += extent * tile.line(extent) * tile.bytes;
  return bytes;
}

bool TransposePlan::checkForm(std::string &reason) {
  for (Value output : kernel.getOutputs()) {
    std::optional<Layout> layout = Layout::of(typeOf(output));
    if (typeOf(output).getShape() != type.getShape() || !layout ||
        !elementBytes(typeOf(output).getElementType())) {
      reason = "expected results of one shape, with strides and elements of 1 to 8 bytes";
      return false;
    }
    outputs.push_back(*layout);
  }
  if (hasReductionLoops(kernel)) {
    reason = "expected parallel loops only";
    return false;
  }
  return true;
}

/// Finds the buffers that the elements of `tensor` at `map` of the result's place come from.
void TransposePlan::findReads(Value tensor, AffineMap map) {
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    bool isNew = llvm::none_of(
        reads, [&](const Read &read) { return read.argument == argument && read.map == map; });
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
std::optional<unsigned> TransposePlan::neighbours(const Read &read) const {
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

bool TransposePlan::findTiles(std::string &reason) {
  reason = "expected results whose neighbours are along one dimension";
  int64_t last = type.getRank() - 1;
  while (last >= 0 && isUnit(last))
    --last;
  if (last < 0 ||
      llvm::any_of(outputs, [&](const Layout &output) { return output.strides[last] != 1; }))
    return false;
  column = last;
  for (unsigned result = 0; result < kernel.getOutputs().size(); ++result)
    findReads(kernel.getYielded(result),
              AffineMap::getMultiDimIdentityMap(type.getRank(), kernel.getContext()));
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

/// Whether two dimensions of the result follow each other, `inner` next to `outer`, in the result
/// and in all tiles, so that they can be gone through as one.
bool TransposePlan::follow(unsigned outer, unsigned inner) const {
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
      return tile.read.map.getResultPosition(getAffineDimExpr(dim, kernel.getContext()));
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

TransposePlan::Group TransposePlan::makeGroup(unsigned last, unsigned other) const {
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
/// here either, but is by the other rows, soon after; and where the result's rows are short,
/// several of them are written by one warp, which reads whole sectors of each of their columns.
bool TransposePlan::checkSizes(std::string &reason) const {
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

/// Whether `width` elements from a multiple of it along a group are one aligned access. `of` are
/// the dimensions of the buffer that are not in the group.
bool TransposePlan::isAligned(const Layout &layout, ArrayRef<unsigned> of, const Group &along,
                              int64_t width) {
  auto divides = [&](int64_t value) { return !ShapedType::isDynamic(value) && value % width == 0; };
  return divides(along.known) && divides(layout.offset) &&
         llvm::all_of(of, [&](unsigned dim) { return divides(layout.strides[dim]); });
}

void TransposePlan::chooseWidths() {
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
        bool isFirst = expr == getAffineConstantExpr(0, kernel.getContext());
        if (!isFirst &&
            !(loop && (rows.contains(loop.getPosition()) || isUnit(loop.getPosition()))))
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
      shared += extent * tile.line(extent) * tile.bytes;
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

} // namespace torchlite::nvgpu
