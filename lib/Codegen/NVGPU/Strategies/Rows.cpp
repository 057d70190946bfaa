//===- Rows.cpp - Reductions of rows and what is around them --------------===//
//
// Softmax, normalisations, sums of rows. Some threads work on each row together: 1 to 32 lanes of a
// warp, or a block for long rows. What is known per row is computed by all of them; each takes
// every so many'th piece of the row, a piece being what one access of up to 128 bits takes.
//
// Where the length of a row is known and a thread's share of it fits into registers, everything is
// unrolled: an element is loaded and computed once, however many reductions and results read it.
// Else each reduction is a loop that reads the row again.
//
// Nothing branches but stores: threads beyond the end compute the last piece (or row) again, and
// the result is left out. So all lanes take part in all shuffles.
//
// Source of the layout: Z. Ye et al., OneFlow's softmax and layer normalisation ("How to implement
// an efficient softmax CUDA kernel"): a warp per row as long as that fits into registers, then a
// block.
//
//===----------------------------------------------------------------------===//
#include "Groups.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "TorchLite/Codegen/NVGPU/ValueEvaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torchlite::nvgpu {
namespace {

using Values = SmallVector<Value>;

/// Elements of a row that one thread keeps in registers, at most: where a warp works on a row,
/// which a block can do as well, and where a block does.
constexpr int64_t maxKeptByWarp = 24, maxKept = 32;
/// Elements per thread to aim for where a block works on a row.
constexpr int64_t wantedPerThread = 16;
/// Threads of a block whose warps work on rows of their own.
constexpr int64_t warpsBlock = 128;
/// Threads for a row, and pieces of one turn of the loop, where a row does not fit into registers.
constexpr int64_t loopThreads = 512, dynamicThreads = 128, loopPieces = 4;
constexpr int64_t accessBytes = 16;

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// The loops `0 .. results - 1` in order.
bool isPrefix(AffineMap map) {
  for (auto [position, expr] : llvm::enumerate(map.getResults()))
    if (expr != getAffineDimExpr(position, map.getContext()))
      return false;
  return true;
}

struct Rows {
  int64_t rank = 0;                      ///< dimensions that name a row
  int64_t length = ShapedType::kDynamic; ///< of a row
  SmallVector<linalg::LinalgOp> ops;     ///< that work on rows or their elements, in order
  DenseMap<Operation *, Combination> combinations; ///< of those that reduce

  bool isReduction(linalg::LinalgOp op) const { return op.getNumReductionLoops() > 0; }
  bool isElementwise(linalg::LinalgOp op) const {
    return !isReduction(op) && int64_t(op.getNumLoops()) == rank + 1;
  }
};

class Matcher {
public:
  Matcher(rt::KernelOp kernel, std::string &reason) : kernel(kernel), reason(reason) {}

  LogicalResult match(Rows &rows) {
    Block &body = kernel.getBody().front();
    bool found = false;
    for (auto op : body.getOps<linalg::LinalgOp>()) {
      if (!op.getNumReductionLoops())
        continue;
      int64_t rank = op.getNumLoops() - 1;
      if (op.getNumReductionLoops() != 1 ||
          op.getIteratorTypesArray()[rank] != utils::IteratorType::reduction)
        return fail("expected reductions of the last dimension");
      int64_t length = op.getStaticLoopRanges()[rank];
      if (found && (rank != rows.rank || length != rows.length))
        return fail("expected reductions of rows of one length");
      rows.rank = rank;
      rows.length = length;
      found = true;
      FailureOr<Combination> combination = matchCombination(op, reason);
      if (failed(combination))
        return failure();
      rows.combinations[op] = *combination;
      if (!readsRows(op, rank))
        return fail("expected elements of a row side by side");
    }
    if (!found)
      return fail("expected a reduction");
    for (Operation &op : body.without_terminator())
      if (failed(add(op, rows)))
        return failure();
    return checkResults(rows);
  }

private:
  LogicalResult fail(const char *what) {
    reason = what;
    return failure();
  }

  /// Whether some operand of the reduction `op` has the elements of a row one after the other, all
  /// of them of that row alone: a matrix product is not this strategy's.
  static bool readsRows(linalg::LinalgOp op, int64_t rank) {
    return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      return int64_t(map.getNumResults()) == rank + 1 && isPrefix(map);
    });
  }

  /// What depends on a reduction must be about the same row.
  LogicalResult add(Operation &op, Rows &rows) {
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    bool dependsOnRow = structured && rows.isReduction(structured);
    WalkResult nested = op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (Operation *producer = operand.getDefiningOp();
            producer && dependents.contains(producer)) {
          if (inner != &op)
            return WalkResult::interrupt();
          dependsOnRow = true;
        }
      return WalkResult::advance();
    });
    if (nested.wasInterrupted())
      return fail("expected results of reductions as operands");
    bool fits = structured && int64_t(structured.getNumLoops()) >= rows.rank &&
                int64_t(structured.getNumLoops()) <= rows.rank + 1;
    if (fits) {
      bool reduces = rows.isReduction(structured);
      for (OpOperand &init : structured.getDpsInitsMutable()) {
        AffineMap map = structured.getMatchingIndexingMap(&init);
        int64_t wanted = reduces ? rows.rank : structured.getNumLoops();
        fits &= isPrefix(map) && int64_t(map.getNumResults()) == wanted;
        fits &= reduces || !structured.payloadUsesValueFromOperand(&init);
      }
      fits &= reduces || structured.getNumReductionLoops() == 0;
      if (int64_t(structured.getNumLoops()) == rows.rank + 1)
        fits &= structured.getStaticLoopRanges()[rows.rank] == rows.length;
    }
    if (dependsOnRow) {
      if (!fits)
        return fail("expected operations on rows around the reductions");
      for (OpOperand &operand : op.getOpOperands())
        if (Operation *producer = operand.get().getDefiningOp();
            producer && dependents.contains(producer) &&
            !isPrefix(structured.getMatchingIndexingMap(&operand)))
          return fail("expected results of reductions to be read in their own row");
      dependents.insert(&op);
    }
    // What does not depend on a row is computed where it is read, at whatever coordinates.
    if (dependsOnRow || (fits && rows.isElementwise(structured)))
      rows.ops.push_back(structured);
    return success();
  }

  /// One result per row or one per element.
  LogicalResult checkResults(Rows &rows) {
    auto first = cast<MemRefType>(kernel.getOutputs()[0].getType());
    if (first.getRank() < rows.rank)
      return fail("expected results on rows or on their elements");
    ArrayRef<int64_t> sizes = first.getShape().take_front(rows.rank);
    for (auto &[op, combination] : rows.combinations)
      if (sizes !=
          ArrayRef<int64_t>(cast<linalg::LinalgOp>(op).getStaticLoopRanges()).take_front(rows.rank))
        return fail("expected one result per row");
    for (Value output : kernel.getOutputs()) {
      auto type = cast<MemRefType>(output.getType());
      int64_t rank = type.getRank();
      if ((rank != rows.rank && rank != rows.rank + 1) ||
          type.getShape().take_front(rows.rank) != sizes)
        return fail("expected results on rows or on their elements");
      if (rank > rows.rank && type.getShape().back() != rows.length)
        return fail("expected results of the length of a row");
      if (kernel.getOutputs().size() > 1 && !type.hasStaticShape())
        return fail("expected one result where sizes are not constant");
    }
    return success();
  }

  rt::KernelOp kernel;
  std::string &reason;
  DenseSet<Operation *> dependents;
};

//===----------------------------------------------------------------------===//
// Which thread does what
//===----------------------------------------------------------------------===//

struct Layout {
  int64_t width = 1;          ///< elements of a piece
  int64_t lanes = warpSize;   ///< of a warp, for one row
  int64_t warps = 1;          ///< for one row
  int64_t block = warpsBlock; ///< threads
  int64_t steps = 0;          ///< pieces of a thread, in registers; 0: loops

  int64_t threads() const { return lanes * warps; } ///< for one row
  int64_t rowsPerBlock() const { return block / threads(); }
  bool isUnrolled() const { return steps > 0; }
};

/// Whether accesses of `width` elements of `type` from a multiple of `width` on are aligned to
/// their size: buffers are aligned to 16 bytes at their base.
bool isAligned(MemRefType type, int64_t width) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type.getRank() || failed(type.getStridesAndOffset(strides, offset)) || strides.back() != 1 ||
      !type.getElementType().isIntOrFloat() || type.getElementTypeBitWidth() < 8)
    return false;
  strides.back() = 0;
  strides.push_back(offset);
  return llvm::all_of(
      strides, [&](int64_t step) { return !ShapedType::isDynamic(step) && step % width == 0; });
}

Layout chooseLayout(rt::KernelOp kernel, const Rows &rows, const TargetInfo &target) {
  Layout layout;
  if (ShapedType::isDynamic(rows.length)) {
    layout.warps = dynamicThreads / warpSize;
    layout.block = dynamicThreads;
    return layout;
  }
  int64_t bytes = 1, length = rows.length;
  for (Value operand : kernel->getOperands())
    if (auto type = dyn_cast<MemRefType>(operand.getType()); type && type.getRank() &&
                                                             type.getShape().back() == length &&
                                                             type.getElementType().isIntOrFloat())
      bytes = std::max<int64_t>(bytes, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  layout.width = std::min<int64_t>(8, std::max<int64_t>(1, accessBytes / bytes));
  while (length % layout.width)
    layout.width /= 2;
  int64_t pieces = length / layout.width;

  if (pieces <= warpSize || length <= maxKeptByWarp * warpSize) {
    layout.lanes = std::min<int64_t>(warpSize, llvm::PowerOf2Ceil(std::max<int64_t>(1, pieces)));
    layout.steps = llvm::divideCeil(pieces, layout.lanes);
    // Few rows: each warp gets a block, so that all multiprocessors have work.
    int64_t count = 1;
    for (int64_t size :
         cast<MemRefType>(kernel.getOutputs()[0].getType()).getShape().take_front(rows.rank))
      count = ShapedType::isDynamic(size) || ShapedType::isDynamic(count) ? ShapedType::kDynamic
                                                                          : count * size;
    if (!ShapedType::isDynamic(count) &&
        count * layout.lanes <= 4 * target.multiprocessors * warpSize)
      layout.block = warpSize;
    return layout;
  }
  layout.warps = std::clamp<int64_t>(llvm::divideCeil(length, warpSize * wantedPerThread), 4,
                                     maxThreadsPerBlock / warpSize);
  layout.steps = llvm::divideCeil(pieces, layout.threads());
  if (layout.steps * layout.width > maxKept) {
    layout.steps = 0;
    layout.warps = loopThreads / warpSize;
  }
  layout.block = layout.threads();
  return layout;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

class Emitter {
public:
  Emitter(OpBuilder &builder, rt::KernelOp kernel, Rows &rows, const Layout &layout)
      : b(builder), loc(kernel.getLoc()), kernel(kernel), rows(rows), layout(layout),
        evaluator(builder, kernel) {}

  LogicalResult emit(std::string &reason);

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value multiply(Value x, int64_t y) {
    return y == 1 ? x : arith::MulIOp::create(b, loc, x, index(y)).getResult();
  }
  Value isLess(Value x, Value y) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, x, y);
  }

  void findRow(const Launch &launch, Value rowCount);
  void bindTensors();
  Value element(linalg::LinalgOp op, unsigned result, ValueRange coordinates);
  Value loadElement(BlockArgument argument, ValueRange coordinates);
  void enterPiece(int64_t step, Value begin, Value length);
  bool reduce(linalg::LinalgOp op);
  bool accumulate(linalg::LinalgOp op, SmallVectorImpl<Values> &partials, int64_t step);
  bool storeRowResults();
  bool storeElementResults();
  void storePiece(ArrayRef<Values> elements, int64_t step);
  void emitIf(Value condition, function_ref<void()> then);
  Values at(Value position) {
    Values coordinates(row);
    coordinates.push_back(position);
    return coordinates;
  }
  bool isRow(ValueRange coordinates) {
    return coordinates.size() == row.size() &&
           llvm::all_of(llvm::zip(coordinates, row),
                        [](auto pair) { return std::get<0>(pair) == std::get<1>(pair); });
  }
  bool isKnownInRow(Value coordinate) {
    return llvm::is_contained(row, coordinate) || matchPattern(coordinate, m_Constant());
  }

  /// Pieces of the row that are being worked on, or all of them.
  struct Piece {
    Value begin;    ///< first element
    Value isInside; ///< whether it counts; null: always
    Values positions;
  };
  /// Elements that one access has loaded.
  struct Loaded {
    BlockArgument argument;
    int64_t step;
    SmallVector<OpFoldResult> outer;
    Values elements;
  };

  OpBuilder &b;
  Location loc;
  rt::KernelOp kernel;
  Rows &rows;
  Layout layout;
  ValueEvaluator evaluator;

  Values row;        ///< coordinates of the row
  Value isRowInside; ///< null: always
  Value thread, threadOfRow;
  Block *block = nullptr; ///< where elements are computed for good
  int64_t sharedOffset = 0;
  SmallVector<Piece> pieces;
  DenseMap<Value, std::pair<int64_t, int64_t>> places; ///< position to piece and lane
  DenseMap<std::pair<Value, Value>, Value> elements;   ///< result and position to element
  SmallVector<Loaded> loaded;
  DenseMap<Value, Value> scalars; ///< results known per row
};

void Emitter::emitIf(Value condition, function_ref<void()> then) {
  if (!condition)
    return then();
  auto guarded = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&guarded.getThenRegion().front());
  then();
}

/// The row of this thread; beyond the last, the last.
void Emitter::findRow(const Launch &launch, Value rowCount) {
  thread = launch.threadId(0);
  Value number = launch.blockId(0);
  threadOfRow = thread;
  if (int64_t perBlock = layout.rowsPerBlock(); perBlock > 1) {
    Value size = index(layout.threads());
    threadOfRow = arith::RemUIOp::create(b, loc, thread, size);
    number = add(multiply(number, perBlock), arith::DivUIOp::create(b, loc, thread, size));
    APInt known;
    if (!matchPattern(rowCount, m_ConstantInt(&known)) || known.getSExtValue() % perBlock) {
      isRowInside = isLess(number, rowCount);
      Value last = arith::SubIOp::create(b, loc, rowCount, index(1));
      number = arith::MinUIOp::create(b, loc, number, last);
    }
  }
  row.resize(rows.rank);
  Value output = kernel.getOutputs()[0];
  auto type = cast<MemRefType>(output.getType());
  for (int64_t dim = rows.rank - 1; dim >= 0; --dim) {
    if (dim == 0) {
      row[dim] = number;
      break;
    }
    if (type.getDimSize(dim) == 1) {
      row[dim] = index(0);
      continue;
    }
    Value size = type.isDynamicDim(dim) ? memref::DimOp::create(b, loc, output, dim).getResult()
                                        : index(type.getDimSize(dim));
    row[dim] = arith::RemUIOp::create(b, loc, number, size);
    number = arith::DivUIOp::create(b, loc, number, size);
  }
}

/// Elements are computed once where they are known to be needed at the thread's own positions.
void Emitter::bindTensors() {
  for (linalg::LinalgOp op : rows.ops)
    for (OpResult result : op->getResults()) {
      if (rows.isElementwise(op)) {
        evaluator.bind(result, [this, op, result](OpBuilder &, ValueRange coordinates) {
          return element(op, result.getResultNumber(), coordinates);
        });
        continue;
      }
      // Known before anything that reads them.
      evaluator.bind(result, [this, result](OpBuilder &, ValueRange coordinates) {
        return isRow(coordinates) ? scalars.lookup(result) : Value();
      });
    }
  for (BlockArgument argument : kernel.getBody().getArguments())
    if (auto type = dyn_cast<MemRefType>(kernel.getOperandOf(argument).getType());
        type && type.getRank() && layout.width > 1 && isAligned(type, layout.width))
      evaluator.bind(argument, [this, argument](OpBuilder &, ValueRange coordinates) {
        return loadElement(argument, coordinates);
      });
}

Value Emitter::element(linalg::LinalgOp op, unsigned result, ValueRange coordinates) {
  auto compute = [&]() -> Value {
    Values values = evaluator.evaluateBody(op, coordinates, Values(op.getNumDpsInits()));
    return values.empty() ? Value() : values[result];
  };
  Value position = coordinates.back();
  if (!isRow(coordinates.drop_back()) || !places.contains(position) ||
      b.getInsertionBlock() != block)
    return compute();
  std::pair<Value, Value> key(op->getResult(result), position);
  if (Value known = elements.lookup(key))
    return known;
  Value value = compute();
  return elements[key] = value;
}

/// One access loads the elements of a piece.
Value Emitter::loadElement(BlockArgument argument, ValueRange coordinates) {
  Value buffer = kernel.getOperandOf(argument);
  auto type = cast<MemRefType>(buffer.getType());
  auto place = places.find(coordinates.back());
  if (place == places.end() || b.getInsertionBlock() != block ||
      type.getShape().back() != rows.length ||
      !llvm::all_of(coordinates.drop_back(), [&](Value value) { return isKnownInRow(value); }))
    return memref::LoadOp::create(b, loc, buffer, coordinates);
  auto [step, lane] = place->second;
  SmallVector<OpFoldResult> outer = getAsOpFoldResult(ValueRange(coordinates.drop_back()));
  for (Loaded &known : loaded)
    if (known.argument == argument && known.step == step && known.outer == outer)
      return known.elements[lane];
  Values indices(coordinates.drop_back());
  indices.push_back(pieces[step].begin);
  auto vectorType = VectorType::get({layout.width}, type.getElementType());
  Value vector = vector::LoadOp::create(b, loc, vectorType, buffer, indices);
  Loaded now{argument, step, outer, {}};
  for (int64_t i = 0; i < layout.width; ++i)
    now.elements.push_back(vector::ExtractOp::create(b, loc, vector, i));
  loaded.push_back(now);
  return now.elements[lane];
}

/// Piece `step` from `begin` on becomes known; beyond the end of the row, the last piece.
void Emitter::enterPiece(int64_t step, Value begin, Value length) {
  Piece piece;
  int64_t stride = layout.threads() * layout.width;
  if (!layout.isUnrolled() || (step + 1) * stride > rows.length) {
    piece.isInside = isLess(begin, length);
    begin = arith::MinUIOp::create(b, loc, begin,
                                   arith::SubIOp::create(b, loc, length, index(layout.width)));
  }
  piece.begin = begin;
  for (int64_t lane = 0; lane < layout.width; ++lane) {
    Value position = add(begin, index(lane));
    piece.positions.push_back(position);
    places[position] = {step, lane};
  }
  pieces.push_back(piece);
}

/// Takes the elements of a piece into `partials`, one partial result for each lane.
bool Emitter::accumulate(linalg::LinalgOp op, SmallVectorImpl<Values> &partials, int64_t step) {
  Piece &piece = pieces[step];
  for (int64_t lane = 0; lane < layout.width; ++lane) {
    Values &partial = partials[lane];
    Values next = evaluator.evaluateBody(op, at(piece.positions[lane]), partial);
    if (next.empty())
      return false;
    if (piece.isInside)
      for (auto [value, old] : llvm::zip(next, partial))
        value = arith::SelectOp::create(b, loc, piece.isInside, value, old);
    partial = next;
  }
  return true;
}

bool Emitter::reduce(linalg::LinalgOp op) {
  const Combination &combination = rows.combinations.find(op)->second;
  Values start;
  for (Value init : op.getDpsInits()) {
    start.push_back(evaluator.evaluate(init, row));
    if (!start.back())
      return false;
  }
  SmallVector<Values> partials(layout.width, combination.neutralValues(b, loc));
  auto fold = [&](SmallVectorImpl<Values> &values) {
    while (values.size() > 1) {
      SmallVector<Values> half;
      for (unsigned i = 0; i + 1 < values.size(); i += 2)
        half.push_back(combination.combine(b, loc, values[i], values[i + 1]));
      if (values.size() % 2)
        half.push_back(values.back());
      values = half;
    }
  };
  if (layout.isUnrolled()) {
    for (int64_t step = 0; step < layout.steps; ++step)
      if (!accumulate(op, partials, step))
        return false;
  } else {
    Value length = evaluator.loopSize(op, rows.rank);
    if (!length)
      return false;
    partials.assign(layout.width * loopPieces, combination.neutralValues(b, loc));
    Values carried;
    for (Values &partial : partials)
      llvm::append_range(carried, partial);
    // All threads make the same number of turns.
    int64_t stride = layout.threads() * layout.width;
    Block *outside = block;
    auto loop = scf::ForOp::create(b, loc, index(0), length, index(stride * loopPieces), carried);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      block = loop.getBody();
      Value begin = add(loop.getInductionVar(), multiply(threadOfRow, layout.width));
      unsigned next = 0, count = combination.neutral.size();
      for (Values &partial : partials) {
        partial.assign(loop.getRegionIterArgs().begin() + next,
                       loop.getRegionIterArgs().begin() + next + count);
        next += count;
      }
      pieces.clear();
      places.clear();
      for (int64_t step = 0; step < loopPieces; ++step) {
        enterPiece(step, add(begin, index(step * stride)), length);
        SmallVector<Values> own(partials.begin() + step * layout.width,
                                partials.begin() + (step + 1) * layout.width);
        if (!accumulate(op, own, step))
          return false;
        std::copy(own.begin(), own.end(), partials.begin() + step * layout.width);
      }
      carried.clear();
      for (Values &partial : partials)
        llvm::append_range(carried, partial);
      scf::YieldOp::create(b, loc, carried);
      block = outside;
      pieces.clear();
      places.clear();
      elements.clear();
      loaded.clear();
    }
    unsigned next = 0, count = combination.neutral.size();
    for (Values &partial : partials) {
      partial.assign(loop.getResults().begin() + next, loop.getResults().begin() + next + count);
      next += count;
    }
  }
  fold(partials);
  Values total = combineLanes(b, loc, combination, partials[0], layout.lanes);
  total = combineWarps(b, loc, combination, total, thread, layout.warps, sharedOffset);
  sharedOffset += exchangeBytes(combination, layout.warps);
  total = combination.finish(b, loc, start, total);
  for (auto [result, value] : llvm::zip(op->getResults(), total))
    scalars[result] = value;
  return true;
}

/// Results that are one number per row: the first thread of the row stores them.
bool Emitter::storeRowResults() {
  SmallVector<std::pair<Value, Value>> stores;
  for (auto [number, output] : llvm::enumerate(kernel.getOutputs())) {
    if (cast<MemRefType>(output.getType()).getRank() != rows.rank)
      continue;
    Value value = evaluator.evaluate(kernel.getYielded(number), row);
    if (!value)
      return false;
    stores.push_back({value, output});
  }
  if (stores.empty())
    return true;
  Value isFirst;
  if (layout.threads() > 1)
    isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, threadOfRow, index(0));
  if (isRowInside)
    isFirst =
        isFirst ? arith::AndIOp::create(b, loc, isFirst, isRowInside).getResult() : isRowInside;
  emitIf(isFirst, [&] {
    for (auto [value, output] : stores)
      memref::StoreOp::create(b, loc, value, output, row);
    if (isFirst)
      sinkReads(cast<scf::IfOp>(b.getInsertionBlock()->getParentOp()));
  });
  return true;
}

/// Stores a piece of each result that has elements.
void Emitter::storePiece(ArrayRef<Values> results, int64_t step) {
  Piece &piece = pieces[step];
  Value condition = piece.isInside;
  if (isRowInside)
    condition =
        condition ? arith::AndIOp::create(b, loc, condition, isRowInside).getResult() : isRowInside;
  emitIf(condition, [&] {
    for (auto [number, output] : llvm::enumerate(kernel.getOutputs())) {
      const Values &values = results[number];
      if (values.empty())
        continue;
      auto type = cast<MemRefType>(output.getType());
      if (layout.width > 1 && isAligned(type, layout.width)) {
        auto vectorType = VectorType::get({layout.width}, type.getElementType());
        Value vector = vector::FromElementsOp::create(b, loc, vectorType, values);
        vector::StoreOp::create(b, loc, vector, output, at(piece.begin));
        continue;
      }
      for (auto [value, position] : llvm::zip(values, piece.positions))
        memref::StoreOp::create(b, loc, value, output, at(position));
    }
  });
}

bool Emitter::storeElementResults() {
  bool any = llvm::any_of(kernel.getOutputs(), [&](Value output) {
    return cast<MemRefType>(output.getType()).getRank() > rows.rank;
  });
  if (!any)
    return true;
  auto evaluatePiece = [&](int64_t step) {
    SmallVector<Values> results;
    for (auto [number, output] : llvm::enumerate(kernel.getOutputs())) {
      Values &values = results.emplace_back();
      if (cast<MemRefType>(output.getType()).getRank() == rows.rank)
        continue;
      for (Value position : pieces[step].positions) {
        values.push_back(evaluator.evaluate(kernel.getYielded(number), at(position)));
        if (!values.back())
          return SmallVector<Values>();
      }
    }
    return results;
  };
  if (layout.isUnrolled()) {
    // Loads do not wait for stores.
    SmallVector<SmallVector<Values>> results;
    for (int64_t step = 0; step < layout.steps; ++step) {
      results.push_back(evaluatePiece(step));
      if (results.back().empty())
        return false;
    }
    for (auto [step, values] : llvm::enumerate(results))
      storePiece(values, step);
    return true;
  }
  Value length;
  for (Value output : kernel.getOutputs())
    if (auto type = cast<MemRefType>(output.getType()); type.getRank() > rows.rank)
      length = type.isDynamicDim(rows.rank)
                   ? memref::DimOp::create(b, loc, output, rows.rank).getResult()
                   : index(rows.length);
  int64_t stride = layout.threads() * layout.width;
  auto loop = scf::ForOp::create(b, loc, index(0), length, index(stride * loopPieces));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  block = loop.getBody();
  Value begin = add(loop.getInductionVar(), multiply(threadOfRow, layout.width));
  SmallVector<SmallVector<Values>> results;
  for (int64_t step = 0; step < loopPieces; ++step) {
    enterPiece(step, add(begin, index(step * stride)), length);
    results.push_back(evaluatePiece(step));
    if (results.back().empty())
      return false;
  }
  for (auto [step, values] : llvm::enumerate(results))
    storePiece(values, step);
  return true;
}

LogicalResult Emitter::emit(std::string &reason) {
  OpBuilder::InsertionGuard guard(b);
  Value output = kernel.getOutputs()[0];
  auto type = cast<MemRefType>(output.getType());
  Value rowCount;
  int64_t known = 1;
  for (int64_t dim = 0; dim < rows.rank; ++dim) {
    if (!type.isDynamicDim(dim)) {
      known *= type.getDimSize(dim);
      continue;
    }
    Value size = memref::DimOp::create(b, loc, output, dim);
    rowCount = rowCount ? arith::MulIOp::create(b, loc, rowCount, size).getResult() : size;
  }
  rowCount = rowCount ? multiply(rowCount, known) : index(known);

  int64_t shared = 0;
  if (layout.warps > 1)
    for (auto &[op, combination] : rows.combinations)
      shared += exchangeBytes(combination, layout.warps);
  auto launch =
      Launch::create(b, loc, kernel.getName(), ceilDiv(b, loc, rowCount, layout.rowsPerBlock()),
                     layout.block, shared);
  block = b.getInsertionBlock();
  findRow(launch, rowCount);
  if (layout.isUnrolled()) {
    Value begin = multiply(threadOfRow, layout.width);
    Value length = index(rows.length);
    for (int64_t step = 0; step < layout.steps; ++step)
      enterPiece(step, add(begin, index(step * layout.threads() * layout.width)), length);
  }
  bindTensors();
  bool done = true;
  for (linalg::LinalgOp op : rows.ops) {
    if (rows.isReduction(op)) {
      done = done && reduce(op);
    } else if (!rows.isElementwise(op) && done) {
      Values values = evaluator.evaluateBody(op, row, Values(op.getNumDpsInits()));
      done = !values.empty();
      if (done)
        for (auto [result, value] : llvm::zip(op->getResults(), values))
          scalars[result] = value;
    }
  }
  if (done && storeRowResults() && storeElementResults())
    return success();
  reason = "cannot compute elements of " + evaluator.getError().str();
  launch.launch.erase();
  return failure();
}

} // namespace

LogicalResult emitRows(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &options,
                       std::string &reason) {
  Rows rows;
  if (failed(Matcher(kernel, reason).match(rows)))
    return failure();
  return Emitter(builder, kernel, rows, chooseLayout(kernel, rows, options.target)).emit(reason);
}

} // namespace torchlite::nvgpu
