//===- Windows.cpp - Small reductions beside a vector of channels ---------===//
//
// Pooling, depthwise convolution and other reductions of a few elements whose last dimension is not
// reduced: each thread computes a vector of channels for one or several neighbouring places. The
// window is unrolled; what neighbouring windows share is read once and stays in registers. Padding
// is one branch for a whole vector.
//
// Source: the direct method of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks"
// (2015), section 1, with the blocking over places of Georganas et al., "Anatomy of
// High-Performance Deep Learning Convolutions on SIMD Architectures" (2018), section II.
//
//===----------------------------------------------------------------------===//
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace torchlite::nvgpu {

static constexpr int64_t blockSize = 128;
/// What is unrolled at most: window elements, and these times the elements that a thread computes.
static constexpr int64_t maxWindow = 64, maxSteps = 512;
static constexpr int64_t maxPlaces = 4;

namespace {

MemRefType typeOf(Value buffer) { return cast<MemRefType>(buffer.getType()); }

class Windows {
public:
  Windows(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &options)
      : builder(builder), kernel(kernel), options(options), loc(kernel.getLoc()),
        type(typeOf(kernel.getOutputs().front())) {}

  LogicalResult emit(std::string &reason);

private:
  bool match(std::string &reason);
  void chooseShape();
  /// All elements of one thread, whose first place is `first`.
  bool emitThread(ArrayRef<Value> first);

  OpBuilder &builder;
  rt::KernelOp kernel;
  const EmitOptions &options;
  Location loc;
  MemRefType type; ///< of the first result; all have its shape
  linalg::LinalgOp root;
  SmallVector<unsigned> reductions;
  SmallVector<int64_t> window; ///< sizes of the reductions
  int64_t windowSize = 1;
  int64_t channels = 1, places = 1; ///< of one thread: in the last dimension, and the one before
  std::string error;
};

} // namespace

bool Windows::match(std::string &reason) {
  for (Value output : kernel.getOutputs())
    if (typeOf(output).getShape() != type.getShape()) {
      reason = "expected outputs of one shape";
      return false;
    }
  for (Operation &op : kernel.getBody().front()) {
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured || !structured.getNumReductionLoops())
      continue;
    if (root) {
      reason = "expected one reduction";
      return false;
    }
    root = structured;
  }
  if (!root) {
    reason = "expected a reduction";
    return false;
  }
  if (type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1)) {
    reason = "expected a static last dimension";
    return false;
  }
  root.getReductionDims(reductions);
  SmallVector<int64_t> ranges = root.getStaticLoopRanges();
  for (unsigned loop : reductions) {
    window.push_back(ranges[loop]);
    if (ShapedType::isDynamic(ranges[loop]) || (windowSize *= ranges[loop]) > maxWindow) {
      reason =
          "expected a window of static size, " + std::to_string(maxWindow) + " elements at most";
      return false;
    }
  }
  for (OpOperand *input : root.getDpsInputOperands()) {
    AffineMap map = root.getMatchingIndexingMap(input);
    bool isRow = map.getNumResults() && root.payloadUsesValueFromOperand(input) &&
                 llvm::any_of(reductions, [&](unsigned loop) {
                   return map.getResults().back().isFunctionOfDim(loop);
                 });
    if (isRow) {
      reason = "expected inputs whose last dimension is not reduced";
      return false;
    }
  }
  for (OpOperand &init : root.getDpsInitsMutable()) {
    AffineMap map = root.getMatchingIndexingMap(&init);
    if (!map.isProjectedPermutation() ||
        map.getNumResults() + reductions.size() != map.getNumDims() ||
        cast<ShapedType>(init.get().getType()).getShape() != type.getShape() ||
        map != root.getMatchingIndexingMap(root.getDpsInitOperand(0))) {
      reason = "expected a reduction to the form of the result";
      return false;
    }
  }
  return true;
}

/// As wide as accesses are, and as many places as still fill the device.
void Windows::chooseShape() {
  int64_t bytes = 1;
  for (Value operand : kernel->getOperands())
    if (auto buffer = dyn_cast<MemRefType>(operand.getType())) {
      int64_t element = elementBytes(buffer.getElementType());
      if (element == 0)
        return;
      bytes = std::max(bytes, element);
    }
  int64_t last = type.getRank() - 1;
  for (channels = 16 / bytes; channels > 1; channels /= 2)
    if (type.getDimSize(last) % channels == 0 && windowSize * channels <= maxSteps &&
        llvm::all_of(kernel.getOutputs(),
                     [&](Value output) { return isAligned(typeOf(output), channels); }))
      break;
  channels = std::max<int64_t>(channels, 1);
  if (last == 0 || !type.hasStaticShape() || windowSize == 1)
    return;
  int64_t enough = options.target.multiprocessors * options.target.threadsPerProcessor / 2;
  for (places = maxPlaces; places > 1; places /= 2)
    if (type.getDimSize(last - 1) % places == 0 && windowSize * channels * places <= maxSteps &&
        type.getNumElements() / (channels * places) >= enough)
      break;
}

bool Windows::emitThread(ArrayRef<Value> first) {
  int64_t last = type.getRank() - 1;
  auto offset = [&](Value value, int64_t by) -> Value {
    if (by == 0)
      return value;
    return arith::AddIOp::create(builder, loc, value,
                                 arith::ConstantIndexOp::create(builder, loc, by));
  };
  SmallVector<SmallVector<SmallVector<Value>>> lanes(places); // place, channel, coordinates
  SmallVector<Value> channel;
  for (int64_t lane = 0; lane < channels; ++lane)
    channel.push_back(offset(first[last], lane));
  for (int64_t place = 0; place < places; ++place) {
    SmallVector<Value> at(first);
    if (place)
      at[last - 1] = offset(at[last - 1], place);
    for (Value value : channel) {
      at[last] = value;
      lanes[place].push_back(at);
    }
  }
  LaneReader reader(builder, kernel, lanes[0], /*isRow=*/channels > 1, /*number=*/Value());
  auto fail = [&] {
    error = reader.getError().str();
    return false;
  };

  // Initial values, then the window's elements one by one, for all places and channels.
  unsigned outputs = root.getNumDpsInits();
  SmallVector<SmallVector<SmallVector<Value>>> sums(places); // place, channel, output
  for (int64_t place = 0; place < places; ++place) {
    reader.moveTo(lanes[place]);
    sums[place].resize(channels);
    for (OpOperand &init : root.getDpsInitsMutable()) {
      SmallVector<Value> values = reader.evaluate(init.get());
      if (values.empty())
        return fail();
      for (auto [lane, value] : llvm::enumerate(values))
        sums[place][lane].push_back(value);
    }
  }
  AffineMap result = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  for (int64_t step = 0; step < windowSize; ++step) {
    SmallVector<Value> iteration(root.getNumLoops());
    int64_t rest = step;
    for (int64_t i = reductions.size() - 1; i >= 0; --i) {
      iteration[reductions[i]] = arith::ConstantIndexOp::create(builder, loc, rest % window[i]);
      rest /= window[i];
    }
    for (int64_t place = 0; place < places; ++place) {
      reader.moveTo(lanes[place]);
      for (int64_t lane = 0; lane < channels; ++lane) {
        reader.setLane(lane);
        for (unsigned dim = 0; dim < result.getNumResults(); ++dim)
          iteration[result.getDimPosition(dim)] = lanes[place][lane][dim];
        sums[place][lane] = reader.getEvaluator().evaluateBody(root, iteration, sums[place][lane]);
        if (sums[place][lane].empty())
          return fail();
      }
    }
  }

  // What follows takes the sums at its own place.
  int64_t current = 0;
  for (unsigned output = 0; output < outputs; ++output)
    reader.getEvaluator().bind(root->getResult(output), [&, output](OpBuilder &, ValueRange at) {
      for (auto [coordinates, values] : llvm::zip(lanes[current], sums[current]))
        if (llvm::equal(at, coordinates))
          return values[output];
      return Value();
    });
  // All elements are computed before any is stored: an output may be read for another.
  SmallVector<SmallVector<SmallVector<Value>>> results(places); // place, output, channel
  for (int64_t place = 0; place < places; ++place) {
    current = place;
    reader.moveTo(lanes[place]);
    for (unsigned output = 0; output < kernel.getOutputs().size(); ++output) {
      results[place].push_back(reader.evaluate(kernel.getYielded(output)));
      if (results[place].back().empty()) {
        error = reader.getError().empty() ? "the sums at other places" : reader.getError().str();
        return false;
      }
    }
  }
  for (int64_t place = 0; place < places; ++place)
    for (auto [values, output] : llvm::zip(results[place], kernel.getOutputs())) {
      if (channels > 1)
        storeLanes(builder, loc, values, output, lanes[place][0]);
      else
        memref::StoreOp::create(builder, loc, values[0], output, lanes[place][0]);
    }
  return true;
}

LogicalResult Windows::emit(std::string &reason) {
  if (!match(reason))
    return failure();
  chooseShape();
  int64_t last = type.getRank() - 1;
  OpBuilder::InsertionGuard guard(builder);
  Operation *before = kernel->getPrevNode();
  Value output = kernel.getOutputs().front();
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(builder, loc, output);
  sizes[last] = builder.getIndexAttr(type.getDimSize(last) / channels);
  if (places > 1)
    sizes[last - 1] = builder.getIndexAttr(type.getDimSize(last - 1) / places);
  Value count = elementCount(builder, loc, output);
  std::optional<int64_t> known = getConstantIntValue(count);
  int64_t each = channels * places;
  Value threads = known
                      ? arith::ConstantIndexOp::create(builder, loc, *known / each).getResult()
                      : arith::DivUIOp::create(builder, loc, count,
                                               arith::ConstantIndexOp::create(builder, loc, each));
  Launch launch = Launch::create(builder, loc, kernel.getName(),
                                 ceilDiv(builder, loc, threads, blockSize), blockSize);
  Coordinates numbers(builder, loc, sizes, blockSize);
  Value thread = numbers.threadNumber(launch, blockSize);
  Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, thread,
                                       numbers.fromIndex(threads));
  auto guarded = scf::IfOp::create(builder, loc, inside, /*withElseRegion=*/false);
  builder.setInsertionPointToStart(&guarded.getThenRegion().front());
  SmallVector<Value> first = numbers.ofNumber(thread);
  for (auto [dim, step] : {std::pair(last, channels), std::pair(last - 1, places)})
    if (step > 1)
      first[dim] = arith::MulIOp::create(builder, loc, first[dim],
                                         arith::ConstantIndexOp::create(builder, loc, step));
  if (emitThread(first))
    return success();
  reason = "cannot compute elements of " + error;
  while (Operation *op = kernel->getPrevNode()) {
    if (op == before)
      break;
    op->erase();
  }
  return failure();
}

LogicalResult emitWindows(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &options,
                          std::string &reason) {
  return Windows(builder, kernel, options).emit(reason);
}

} // namespace torchlite::nvgpu
