//===- SplitReductions.cpp - Reductions whose blocks do not fill a GPU ----===//
#include "Strategies/Groups.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Codegen/NVGPU/TargetInfo.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringExtras.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_SPLITREDUCTIONS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

/// The smallest tile of a result, by which blocks are counted.
constexpr int64_t tileSize = 32;
/// Products of one element below which a part is not worth a block, and multiples that parts have.
constexpr int64_t leastPart = 256, partMultiple = 32;
/// Sums of products below which a second launch costs more than it saves.
constexpr int64_t leastReduction = 1024;
/// Results with less rows or columns are for strategies that share their reductions.
constexpr int64_t leastSize = 16;

/// A loop of an operation, in how many parts, and the operand that is reshaped for it.
struct Split {
  unsigned loop;
  int64_t parts, partSize;
  unsigned operand, dim;
};

/// Whether the body adds products of two inputs in f32.
bool sumsProducts(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 || op->getNumResults() != 1)
    return false;
  Block *body = op.getBlock();
  // A loop that is cut has no number of its own any more.
  if (!body->getOps<linalg::IndexOp>().empty())
    return false;
  auto sum = body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum || !sum.getType().isF32())
    return false;
  BlockArgument old = body->getArgument(2);
  Value product = sum.getLhs() == old ? sum.getRhs() : sum.getRhs() == old ? sum.getLhs() : Value();
  return product && product.getDefiningOp<arith::MulFOp>() && old.hasOneUse();
}

/// The only result of `map` that depends on `loop`, or none.
std::optional<unsigned> findResult(AffineMap map, unsigned loop) {
  std::optional<unsigned> found;
  for (auto [number, expr] : llvm::enumerate(map.getResults())) {
    if (!expr.isFunctionOfDim(loop))
      continue;
    if (found)
      return std::nullopt;
    found = number;
  }
  return found;
}

class Splitter {
public:
  explicit Splitter(const TargetInfo &target) : target(target) {}

  std::optional<Split> choose(linalg::LinalgOp op) const;
  static void apply(linalg::LinalgOp op, const Split &split);

private:
  /// Blocks of the smallest tile, or 0 where the operation is not one of matrices.
  static int64_t countBlocks(linalg::LinalgOp op);

  const TargetInfo &target;
};

int64_t Splitter::countBlocks(linalg::LinalgOp op) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  int64_t rows = 1, columns = 1, batch = 1;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind == utils::IteratorType::reduction)
      continue;
    bool inFirst = maps[0].isFunctionOfDim(loop), inSecond = maps[1].isFunctionOfDim(loop);
    (inFirst && inSecond ? batch : inFirst ? rows : columns) *= ranges[loop];
  }
  if (rows < leastSize || columns < leastSize)
    return 0;
  return batch * llvm::divideCeil(rows, tileSize) * llvm::divideCeil(columns, tileSize);
}

std::optional<Split> Splitter::choose(linalg::LinalgOp op) const {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  if (!op.hasPureTensorSemantics() || !sumsProducts(op) ||
      llvm::any_of(ranges, ShapedType::isDynamic))
    return std::nullopt;
  int64_t blocks = countBlocks(op);
  if (blocks == 0 || blocks >= target.multiprocessors)
    return std::nullopt;
  SmallVector<unsigned> loops;
  op.getReductionDims(loops);
  int64_t products = 1;
  for (unsigned loop : loops)
    products *= ranges[loop];
  if (products < leastReduction)
    return std::nullopt;
  std::optional<Split> best;
  for (unsigned loop : loops) {
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    for (unsigned operand : {1, 0}) {
      std::optional<unsigned> dim = findResult(maps[operand], loop);
      // Padding is computed where it is read; it would be stored for another shape.
      if (!dim || !isa<AffineDimExpr>(maps[operand].getResult(*dim)) ||
          !findResult(maps[1 - operand], loop) ||
          op.getDpsInputs()[operand].getDefiningOp<tensor::PadOp>())
        continue;
      int64_t most = std::min(2 * target.multiprocessors / blocks, products / leastPart);
      for (int64_t parts = most; parts > 1; --parts) {
        if (ranges[loop] % (parts * partMultiple) != 0)
          continue;
        if (!best || parts > best->parts)
          best = Split{loop, parts, ranges[loop] / parts, operand, *dim};
        break;
      }
    }
  }
  return best;
}

void Splitter::apply(linalg::LinalgOp op, const Split &split) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  MLIRContext *context = op.getContext();
  unsigned loops = op.getNumLoops(), part = loops;
  // Number `loop` of the operation is now `part * partSize + loop`.
  AffineExpr loopExpr = builder.getAffineDimExpr(split.loop);
  AffineExpr partExpr = builder.getAffineDimExpr(part);

  SmallVector<Value> inputs(op.getDpsInputs());
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (unsigned operand : {0, 1}) {
    SmallVector<AffineExpr> results;
    for (auto [dim, expr] : llvm::enumerate(maps[operand].getResults())) {
      if (operand == split.operand && dim == split.dim)
        llvm::append_values(results, partExpr, loopExpr);
      else
        results.push_back(expr.replace(loopExpr, partExpr * split.partSize + loopExpr));
    }
    maps[operand] = AffineMap::get(loops + 1, 0, results, context);
  }
  auto type = cast<RankedTensorType>(inputs[split.operand].getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[split.dim] = split.parts;
  shape.insert(shape.begin() + split.dim + 1, split.partSize);
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0, next = 0; dim < type.getRank(); ++dim) {
    groups.push_back({next++});
    if (dim == split.dim)
      groups.back().push_back(next++);
  }
  inputs[split.operand] =
      tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), inputs[split.operand], groups);

  // The sums of the parts, the part first.
  Value init = op.getDpsInits()[0];
  auto resultType = cast<RankedTensorType>(init.getType());
  SmallVector<int64_t> partialShape = {split.parts};
  llvm::append_range(partialShape, resultType.getShape());
  SmallVector<AffineExpr> partialResults = {partExpr};
  llvm::append_range(partialResults, maps[2].getResults());
  maps[2] = AffineMap::get(loops + 1, 0, partialResults, context);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  Value empty = tensor::EmptyOp::create(builder, loc, partialShape, builder.getF32Type());
  Value zeros = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  kinds.push_back(utils::IteratorType::parallel);
  auto partial =
      linalg::GenericOp::create(builder, loc, zeros.getType(), inputs, zeros, maps, kinds);
  IRMapping mapping;
  op->getRegion(0).cloneInto(&partial.getRegion(), mapping);

  // Their sum, always in the same order.
  int64_t rank = resultType.getRank();
  SmallVector<AffineExpr> outer;
  for (int64_t dim = 0; dim < rank; ++dim)
    outer.push_back(builder.getAffineDimExpr(dim + 1));
  SmallVector<utils::IteratorType> sumKinds(rank + 1, utils::IteratorType::parallel);
  sumKinds[0] = utils::IteratorType::reduction;
  auto sum = linalg::GenericOp::create(
      builder, loc, resultType, partial.getResult(0), init,
      {builder.getMultiDimIdentityMap(rank + 1), AffineMap::get(rank + 1, 0, outer, context)},
      sumKinds, [](OpBuilder &nested, Location at, ValueRange arguments) {
        Value added = arith::AddFOp::create(nested, at, arguments[0], arguments[1]);
        linalg::YieldOp::create(nested, at, added);
      });
  op->replaceAllUsesWith(sum);
  op->erase();
}

//===----------------------------------------------------------------------===//
// Other reductions
//===----------------------------------------------------------------------===//

/// Elements of one result below which a block is quick enough, and that a part has at least.
constexpr int64_t leastLength = 65536, leastElements = 4096;
/// Results that neighbouring threads of one block make.
constexpr int64_t columnsPerBlock = 32;

/// Sums, products, extrema of many elements: to few results, of which each is the work of one
/// block.
class ReductionSplitter {
public:
  ReductionSplitter(linalg::LinalgOp op, const TargetInfo &target) : op(op), target(target) {}

  /// Whether there is something to split, and where; emits nothing.
  bool choose();
  void apply();

private:
  bool mayCut(unsigned loop) const;
  int64_t countBlocks() const;

  linalg::LinalgOp op;
  const TargetInfo &target;
  Combination combination;
  SmallVector<unsigned> whole; ///< loops each of whose numbers is a part
  std::optional<unsigned> cut; ///< a loop that is cut into `cutParts`
  int64_t cutParts = 1, cutSize = 1;
};

/// Whether every operand shows the loop as a dimension, which can be reshaped, or not at all.
bool ReductionSplitter::mayCut(unsigned loop) const {
  linalg::LinalgOp reduced = op;
  for (auto index : reduced.getBlock()->getOps<linalg::IndexOp>())
    if (index.getDim() == loop)
      return false;
  return llvm::all_of(reduced.getDpsInputOperands(), [&](OpOperand *operand) {
    AffineMap map = reduced.getMatchingIndexingMap(operand);
    if (!map.isFunctionOfDim(loop))
      return true;
    // Padding is computed where it is read; it would be stored for another shape.
    std::optional<unsigned> dim = findResult(map, loop);
    return dim && isa<AffineDimExpr>(map.getResult(*dim)) &&
           !operand->get().getDefiningOp<tensor::PadOp>();
  });
}

/// How many blocks share the work as it is: one for each result, or for a few neighbouring ones,
/// where the elements of one result are not neighbours in memory.
int64_t ReductionSplitter::countBlocks() const {
  linalg::LinalgOp reduced = op;
  SmallVector<int64_t> ranges = reduced.getStaticLoopRanges();
  SmallVector<utils::IteratorType> kinds = reduced.getIteratorTypesArray();
  int64_t results = 1;
  for (auto [range, kind] : llvm::zip(ranges, kinds))
    if (kind == utils::IteratorType::parallel)
      results *= range;
  bool hasColumns = llvm::any_of(reduced.getDpsInputOperands(), [&](OpOperand *operand) {
    AffineMap map = reduced.getMatchingIndexingMap(operand);
    if (!map.getNumResults())
      return false;
    auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
    return last && kinds[last.getPosition()] == utils::IteratorType::parallel;
  });
  return hasColumns ? llvm::divideCeil(results, columnsPerBlock) : results;
}

bool ReductionSplitter::choose() {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  if (!op.hasPureTensorSemantics() || !op.getNumReductionLoops() ||
      llvm::any_of(ranges, ShapedType::isDynamic))
    return false;
  SmallVector<unsigned> loops;
  op.getReductionDims(loops);
  int64_t length = 1;
  for (unsigned loop : loops)
    length *= ranges[loop];
  int64_t blocks = countBlocks();
  if (length < leastLength || blocks == 0)
    return false;
  std::string reason;
  FailureOr<Combination> found = matchCombination(op, reason);
  // The place of the greatest element is another one in each part.
  if (failed(found) || op->getNumResults() != 1)
    return false;
  combination = *found;
  int64_t most = std::min(2 * target.multiprocessors / blocks, length / leastElements);
  int64_t parts = 1;
  for (unsigned loop : loops) {
    if (parts * ranges[loop] <= most) {
      parts *= ranges[loop];
      whole.push_back(loop);
      continue;
    }
    for (int64_t number = most / parts; number > 1 && mayCut(loop) && !cut; --number)
      if (ranges[loop] % number == 0) {
        cut = loop;
        cutParts = number;
        cutSize = ranges[loop] / number;
        parts *= number;
      }
    break;
  }
  return parts > 1;
}

void ReductionSplitter::apply() {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  MLIRContext *context = op.getContext();
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  unsigned loops = op.getNumLoops() + (cut ? 1 : 0);
  AffineExpr partExpr = builder.getAffineDimExpr(op.getNumLoops());

  // The parts are the first dimensions of the partial results.
  SmallVector<AffineExpr> partExprs;
  SmallVector<int64_t> partShape;
  for (unsigned loop : whole) {
    kinds[loop] = utils::IteratorType::parallel;
    partExprs.push_back(builder.getAffineDimExpr(loop));
    partShape.push_back(ranges[loop]);
  }
  SmallVector<Value> inputs(op.getDpsInputs());
  if (cut) {
    kinds.push_back(utils::IteratorType::parallel);
    partExprs.push_back(partExpr);
    partShape.push_back(cutParts);
  }
  for (auto [number, input] : llvm::enumerate(inputs)) {
    SmallVector<AffineExpr> results(maps[number].getResults());
    if (std::optional<unsigned> dim = cut ? findResult(maps[number], *cut) : std::nullopt) {
      auto type = cast<RankedTensorType>(input.getType());
      SmallVector<int64_t> shape(type.getShape());
      shape[*dim] = cutParts;
      shape.insert(shape.begin() + *dim + 1, cutSize);
      SmallVector<ReassociationIndices> groups;
      for (int64_t at = 0, next = 0; at < type.getRank(); ++at) {
        groups.push_back({next++});
        if (at == *dim)
          groups.back().push_back(next++);
      }
      input = tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), input, groups);
      results.insert(results.begin() + *dim, partExpr);
    }
    maps[number] = AffineMap::get(loops, 0, results, context);
  }
  Value init = op.getDpsInits()[0];
  auto type = cast<RankedTensorType>(init.getType());
  SmallVector<int64_t> shape(partShape);
  llvm::append_range(shape, type.getShape());
  SmallVector<AffineExpr> results(partExprs);
  llvm::append_range(results, maps.back().getResults());
  maps.back() = AffineMap::get(loops, 0, results, context);
  Value empty = tensor::EmptyOp::create(builder, loc, shape, type.getElementType());
  Value neutral = combination.neutralValues(builder, loc)[0];
  Value start = linalg::FillOp::create(builder, loc, neutral, empty).getResult(0);
  auto partial =
      linalg::GenericOp::create(builder, loc, start.getType(), inputs, start, maps, kinds);
  IRMapping mapping;
  op->getRegion(0).cloneInto(&partial.getRegion(), mapping);

  // They are put together in the same order in each run.
  unsigned parts = partShape.size(), rank = parts + type.getRank();
  SmallVector<utils::IteratorType> order(parts, utils::IteratorType::reduction);
  order.resize(rank, utils::IteratorType::parallel);
  SmallVector<AffineExpr> outer;
  for (unsigned dim = parts; dim < rank; ++dim)
    outer.push_back(builder.getAffineDimExpr(dim));
  auto total = linalg::GenericOp::create(
      builder, loc, type, partial.getResult(0), init,
      {builder.getMultiDimIdentityMap(rank), AffineMap::get(rank, 0, outer, context)}, order,
      [&](OpBuilder &nested, Location at, ValueRange arguments) {
        linalg::YieldOp::create(nested, at,
                                combination.combine(nested, at, arguments[1], arguments[0]));
      });
  op->replaceAllUsesWith(total);
  op->erase();
}

struct SplitReductions : impl::SplitReductionsBase<SplitReductions> {
  using SplitReductionsBase::SplitReductionsBase;

  LogicalResult initialize(MLIRContext *context) override {
    target = lookupTargetInfo(arch);
    if (!target)
      return emitError(UnknownLoc::get(context))
             << "unknown architecture '" << arch << "': expected "
             << llvm::join(targetNames(), ", ");
    return success();
  }

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    Splitter splitter(getTargetInfo(getOperation(), *target));
    for (linalg::LinalgOp op : ops)
      if (std::optional<Split> split = splitter.choose(op)) {
        Splitter::apply(op, *split);
        ++numSplit;
      } else if (ReductionSplitter reduction(op, *target); reduction.choose()) {
        reduction.apply();
        ++numSplit;
      }
  }

private:
  const TargetInfo *target = nullptr;
};

} // namespace
} // namespace torchlite::nvgpu
