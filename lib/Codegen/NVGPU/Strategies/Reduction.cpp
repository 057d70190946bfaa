//===- Reduction.cpp - Reductions of any dimensions ------------------------===//
//
// Sums over leading dimensions, pooling over whole images, reductions to one number, argmax: one
// operation with reduction loops, and what is around it. Some threads share each result:
//
//   columns  elements of neighbouring results are neighbours in memory: a warp works on 32 results,
//            warps share the reduction, and put it together in shared memory
//   lanes    elements of one result are neighbours in memory: 8 to 32 lanes, or a block, share it
//
// Each thread takes every so many'th element, into a few partial results side by side; then these
// are put together, which makes rounding errors of sums grow with the logarithm of the length.
//
// The reduction is emitted where the evaluator asks for its result: what is around it needs no
// code.
//
//===----------------------------------------------------------------------===//
#include "Groups.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "TorchLite/Codegen/NVGPU/ValueEvaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torchlite::nvgpu {
namespace {

using Values = SmallVector<Value>;

/// Elements that a thread has in flight, each with a partial result of its own.
constexpr int64_t inFlight = 4;
/// Threads of a block whose lanes share results.
constexpr int64_t lanesBlock = 128;
/// Fewer elements of a result than this are not worth sharing.
constexpr int64_t minShared = 8;

/// Which threads share a result.
struct Layout {
  bool columns = false;       ///< neighbouring threads have neighbouring results
  int64_t sharers = warpSize; ///< threads for a result, a power of two
  int64_t block = lanesBlock;

  int64_t resultsPerBlock() const { return block / sharers; }
};

int64_t product(ArrayRef<int64_t> sizes) {
  int64_t count = 1;
  for (int64_t size : sizes) {
    if (ShapedType::isDynamic(size))
      return ShapedType::kDynamic;
    count *= size;
  }
  return count;
}

/// Whether the elements of one result are neighbours in memory: in the operand that has the most.
bool reducesNeighbours(linalg::LinalgOp op) {
  int64_t most = -1;
  bool neighbours = false;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    if (!map.getNumResults() || int64_t(map.getNumResults()) <= most)
      continue;
    most = map.getNumResults();
    // Dimensions of size 1 have no neighbours.
    auto shape = cast<ShapedType>(operand->get().getType()).getShape();
    neighbours = true;
    for (auto [size, expr] : llvm::reverse(llvm::zip_equal(shape, map.getResults()))) {
      if (size == 1)
        continue;
      auto dim = dyn_cast<AffineDimExpr>(expr);
      neighbours =
          dim && op.getIteratorTypesArray()[dim.getPosition()] == utils::IteratorType::reduction;
      break;
    }
  }
  return neighbours;
}

/// Fails where a thread for each result is as good.
FailureOr<Layout> chooseLayout(linalg::LinalgOp op, int64_t results, int64_t length,
                               const TargetInfo &target, std::string &reason) {
  Layout layout;
  int64_t wantedThreads = target.multiprocessors * 1024;
  bool knowsResults = !ShapedType::isDynamic(results), knowsLength = !ShapedType::isDynamic(length);
  layout.columns = !reducesNeighbours(op);
  if (layout.columns) {
    layout.sharers = 1;
    while (layout.sharers < warpSize &&
           (knowsLength ? layout.sharers * minShared <= length : layout.sharers < minShared) &&
           (knowsResults ? layout.sharers * results < wantedThreads : layout.sharers < minShared))
      layout.sharers *= 2;
    layout.block = layout.sharers * warpSize;
    if (layout.sharers == 1) {
      reason = "expected fewer results, or more elements for each";
      return failure();
    }
    return layout;
  }
  if (knowsLength && length < minShared) {
    reason = "expected more elements for each result";
    return failure();
  }
  if (knowsLength && length <= 32 * warpSize) {
    layout.sharers = std::min<int64_t>(warpSize, llvm::PowerOf2Ceil(length));
    return layout;
  }
  // Long reductions of few results take all that a block can do.
  bool few = knowsResults && results < target.multiprocessors;
  layout.sharers = few ? maxThreadsPerBlock : 256;
  if (knowsLength)
    while (layout.sharers > lanesBlock && layout.sharers * inFlight > length)
      layout.sharers /= 2;
  layout.block = layout.sharers;
  return layout;
}

class Emitter {
public:
  Emitter(OpBuilder &builder, rt::KernelOp kernel, linalg::LinalgOp root,
          const Combination &combination, const Layout &layout)
      : b(builder), loc(kernel.getLoc()), kernel(kernel), root(root), combination(combination),
        layout(layout), evaluator(builder, kernel) {}

  LogicalResult emit(std::string &reason);

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value subtract(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value multiply(Value x, int64_t y) {
    return y == 1 ? x : arith::MulIOp::create(b, loc, x, index(y)).getResult();
  }
  Value divide(Value x, int64_t y) {
    return y == 1 ? x : arith::DivUIOp::create(b, loc, x, index(y)).getResult();
  }
  Value remainder(Value x, int64_t y) { return arith::RemUIOp::create(b, loc, x, index(y)); }

  void findResult(const Launch &launch, Value count);
  void enterStore();
  bool reduce(ValueRange coordinates);
  bool accumulate(Values &iteration, Value number, Values &partial);

  OpBuilder &b;
  Location loc;
  rt::KernelOp kernel;
  linalg::LinalgOp root;
  const Combination &combination;
  Layout layout;
  ValueEvaluator evaluator;

  Value thread, sharer; ///< numbers in the block, and among those that share a result
  Value isInside;       ///< whether the thread's result counts; null: always
  Block *body = nullptr;
  scf::IfOp store;             ///< around what that thread does
  Values at, totals;           ///< the results of the reduction at these coordinates
  SmallVector<unsigned> loops; ///< reduction loops, the innermost last
  Values sizes;                ///< their sizes
};

/// The number of this thread's result; beyond the last, the last.
void Emitter::findResult(const Launch &launch, Value count) {
  thread = launch.threadId(0);
  Value number = launch.blockId(0);
  sharer = thread;
  int64_t perBlock = layout.resultsPerBlock();
  if (perBlock > 1) {
    Value own = layout.columns ? remainder(thread, perBlock) : divide(thread, layout.sharers);
    sharer = layout.columns ? divide(thread, perBlock) : remainder(thread, layout.sharers);
    number = add(multiply(number, perBlock), own);
  }
  APInt known;
  if (!matchPattern(count, m_ConstantInt(&known)) || known.getSExtValue() % perBlock) {
    isInside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number, count);
    number = arith::MinUIOp::create(b, loc, number, subtract(count, index(1)));
  }
  at = delinearize(b, loc, number, kernel.getOutputs()[0]);
}

/// From here on there is one thread for each result: it computes what is around the reduction.
void Emitter::enterStore() {
  Value stores = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, sharer, index(0));
  if (isInside)
    stores = arith::AndIOp::create(b, loc, stores, isInside);
  store = scf::IfOp::create(b, loc, stores, /*withElseRegion=*/false);
  b.setInsertionPointToStart(&store.getThenRegion().front());
}

/// Takes element `number` of the reduction into `partial`.
bool Emitter::accumulate(Values &iteration, Value number, Values &partial) {
  for (unsigned i = loops.size(); i-- > 0;) {
    if (i == 0) {
      iteration[loops[0]] = number;
      break;
    }
    iteration[loops[i]] = arith::RemUIOp::create(b, loc, number, sizes[i]);
    number = arith::DivUIOp::create(b, loc, number, sizes[i]);
  }
  partial = evaluator.evaluateBody(root, iteration, partial);
  return !partial.empty();
}

/// Emits the reduction for the result at `coordinates`.
bool Emitter::reduce(ValueRange coordinates) {
  Values iteration(root.getNumLoops());
  AffineMap map = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  for (auto [expr, coordinate] : llvm::zip_equal(map.getResults(), coordinates))
    iteration[cast<AffineDimExpr>(expr).getPosition()] = coordinate;
  root.getReductionDims(loops);
  Value length;
  for (unsigned loop : loops) {
    sizes.push_back(evaluator.loopSize(root, loop));
    if (!sizes.back())
      return false;
    length =
        length ? arith::MulIOp::create(b, loc, length, sizes.back()).getResult() : sizes.back();
  }

  // Of `length` elements, this thread takes numbers sharer, sharer + sharers, ...: `count` of them.
  Value rounded = subtract(add(length, index(layout.sharers - 1)), sharer);
  Value count = divide(rounded, layout.sharers);
  Value turns = divide(count, inFlight);
  unsigned results = combination.neutral.size();
  Values neutral = combination.neutralValues(b, loc), carried;
  for (int64_t i = 0; i < inFlight; ++i)
    llvm::append_range(carried, neutral);
  auto loop = [&](Value begin, Value end, int64_t width, Values carried) -> Values {
    auto turn = scf::ForOp::create(b, loc, begin, end, index(1), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(turn.getBody());
    Value first = add(multiply(turn.getInductionVar(), layout.sharers * width), sharer);
    Values next;
    for (int64_t i = 0; i < width; ++i) {
      auto old = turn.getRegionIterArgs().slice(i * results, results);
      Values partial(old.begin(), old.end());
      if (!accumulate(iteration, add(first, index(i * layout.sharers)), partial))
        return {};
      llvm::append_range(next, partial);
    }
    scf::YieldOp::create(b, loc, next);
    return Values(turn.getResults());
  };
  Values partials = loop(index(0), turns, inFlight, carried);
  if (partials.empty())
    return false;
  auto partial = [&](int64_t i) { return ArrayRef<Value>(partials).slice(i * results, results); };
  // What is left goes to the first.
  Values rest = loop(multiply(turns, inFlight), count, 1, Values(partial(0)));
  if (rest.empty())
    return false;
  static_assert(inFlight == 4);
  Values left = combination.combine(b, loc, rest, partial(1));
  Values right = combination.combine(b, loc, partial(2), partial(3));
  Values total = combination.combine(b, loc, left, right);
  if (layout.columns) {
    total = combineColumns(b, loc, combination, total, thread, layout.resultsPerBlock(),
                           layout.sharers, /*offset=*/0, [&] { enterStore(); });
  } else {
    total = combineLanes(b, loc, combination, total, std::min(layout.sharers, warpSize));
    if (layout.sharers > warpSize)
      total = combineWarps(b, loc, combination, total, thread, layout.sharers / warpSize,
                           /*offset=*/0);
    enterStore();
  }
  Values start;
  for (Value init : root.getDpsInits()) {
    start.push_back(evaluator.evaluate(init, coordinates));
    if (!start.back())
      return false;
  }
  totals = combination.finish(b, loc, start, total);
  return true;
}

LogicalResult Emitter::emit(std::string &reason) {
  OpBuilder::InsertionGuard guard(b);
  Value count = elementCount(b, loc, kernel.getOutputs()[0]);
  int64_t shared = 0;
  if (layout.columns)
    shared = exchangeBytes(combination, layout.block);
  else if (layout.sharers > warpSize)
    shared = exchangeBytes(combination, layout.sharers / warpSize);
  auto launch =
      Launch::create(b, loc, kernel.getName(), ceilDiv(b, loc, count, layout.resultsPerBlock()),
                     layout.block, shared);
  body = b.getInsertionBlock();
  findResult(launch, count);
  Values own(at), asked;
  for (OpResult result : root->getResults())
    evaluator.bind(
        result,
        [&, number = result.getResultNumber()](OpBuilder &, ValueRange coordinates) -> Value {
          if (!totals.empty())
            return asked == Values(coordinates) ? totals[number] : Value();
          // All threads of the block must take part: not in a branch.
          asked.assign(coordinates.begin(), coordinates.end());
          if (b.getInsertionBlock() != body || !reduce(coordinates))
            return {};
          return totals[number];
        });
  Values elements;
  for (unsigned number = 0; number < kernel.getOutputs().size(); ++number) {
    elements.push_back(evaluator.evaluate(kernel.getYielded(number), own));
    if (!elements.back()) {
      reason =
          "cannot compute elements of " +
          (evaluator.getError().empty() ? "a reduction that is read in several places or branches"
                                        : evaluator.getError().str());
      launch.launch.erase();
      return failure();
    }
  }
  if (totals.empty()) // nobody has asked for the reduction
    enterStore();
  for (auto [element, output] : llvm::zip(elements, kernel.getOutputs()))
    memref::StoreOp::create(b, loc, element, output, own);
  sinkReads(store);
  return success();
}

} // namespace

LogicalResult emitReduction(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &options,
                            std::string &reason) {
  linalg::LinalgOp root;
  for (auto op : kernel.getBody().front().getOps<linalg::LinalgOp>()) {
    if (!op.getNumReductionLoops())
      continue;
    if (root) {
      reason = "expected one operation with reduction loops";
      return failure();
    }
    root = op;
  }
  if (!root) {
    reason = "expected a reduction";
    return failure();
  }
  AffineMap map = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  for (OpOperand &init : root.getDpsInitsMutable())
    if (root.getMatchingIndexingMap(&init) != map ||
        !map.isProjectedPermutation(/*allowZeroInResults=*/false) ||
        map.getNumResults() != root.getNumParallelLoops()) {
      reason = "expected results indexed by all parallel loops";
      return failure();
    }
  auto type = cast<MemRefType>(kernel.getOutputs()[0].getType());
  for (auto [number, output] : llvm::enumerate(kernel.getOutputs())) {
    bool isResult = kernel.getYielded(number).getDefiningOp() == root;
    if (cast<MemRefType>(output.getType()).getShape() != type.getShape() ||
        (kernel.getOutputs().size() > 1 && !isResult && !type.hasStaticShape())) {
      reason = "expected outputs of one shape";
      return failure();
    }
  }
  FailureOr<Combination> combination = matchCombination(root, reason);
  if (failed(combination))
    return failure();
  SmallVector<int64_t> reduced;
  SmallVector<unsigned> loops;
  root.getReductionDims(loops);
  for (unsigned loop : loops)
    reduced.push_back(root.getStaticLoopRanges()[loop]);
  FailureOr<Layout> layout =
      chooseLayout(root, product(type.getShape()), product(reduced), options.target, reason);
  if (failed(layout))
    return failure();
  return Emitter(builder, kernel, root, *combination, *layout).emit(reason);
}

} // namespace torchlite::nvgpu
