//===- Elementwise.cpp - Neighbouring elements per thread -----------------===//
//
// Kernels of parallel loops only: each thread computes a few neighbouring elements of the results,
// so that accesses have up to 128 bits. Threads are numbered in the row-major order of the result.
//
// - "flat": every operand has the form of the result, or is a single number. Coordinates do not
//   matter; any sizes will do.
// - otherwise the size of the last dimension is known. Where the lanes of a thread divide it, all
// lanes
//   are in one row and share the other coordinates.
//
//===----------------------------------------------------------------------===//
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace torchlite::nvgpu {

static constexpr int64_t blockSize = 256;
/// Bytes that a thread stores to one result, and reads at most from one operand.
static constexpr int64_t bytesStored = 16, bytesRead = 32;

namespace {

MemRefType typeOf(Value buffer) { return cast<MemRefType>(buffer.getType()); }

class Elementwise {
public:
  Elementwise(OpBuilder &builder, rt::KernelOp kernel)
      : builder(builder), kernel(kernel), loc(kernel.getLoc()),
        type(typeOf(kernel.getOutputs().front())) {}

  LogicalResult emit(std::string &reason);

private:
  bool check(std::string &reason);
  bool computeIsFlat();
  int64_t chooseWidth();
  bool canStore(int64_t width);
  Value flatten(Value buffer);

  /// The elements of all results from `number` on, one row-major number after the other. Null for
  /// an operand that cannot be evaluated.
  bool emitLanes(const Coordinates &numbers, Value number, int64_t count);

  OpBuilder &builder;
  rt::KernelOp kernel;
  Location loc;
  MemRefType type; ///< of the first result; all have its shape
  bool isFlat = false, isRow = false;
  int64_t width = 1;
  DenseMap<Value, Value> flattened;
  std::string error;
};

} // namespace

bool Elementwise::check(std::string &reason) {
  for (Value output : kernel.getOutputs())
    if (typeOf(output).getShape() != type.getShape()) {
      reason = "expected outputs of one shape";
      return false;
    }
  if (hasReductionLoops(kernel)) {
    reason = "expected parallel loops only";
    return false;
  }
  return true;
}

/// Whether every element depends on the elements at its place only.
bool Elementwise::computeIsFlat() {
  for (Operation &op : kernel.getBody().front()) {
    if (isa<tensor::EmptyOp, arith::ConstantOp, rt::YieldOp>(op))
      continue;
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured || structured.hasIndexSemantics())
      return false;
    for (OpOperand &operand : op.getOpOperands()) {
      AffineMap map = structured.getMatchingIndexingMap(&operand);
      if (!map.isIdentity() && map.getNumResults() != 0)
        return false;
    }
    WalkResult reads = op.walk([](Operation *inner) {
      return isa<tensor::ExtractOp, tensor::DimOp>(inner) ? WalkResult::interrupt()
                                                          : WalkResult::advance();
    });
    if (reads.wasInterrupted())
      return false;
  }
  for (Value operand : kernel->getOperands())
    if (auto buffer = dyn_cast<MemRefType>(operand.getType()))
      if (buffer.getRank() != 0 &&
          (!buffer.getLayout().isIdentity() || buffer.getShape() != type.getShape()))
        return false;
  return type.getRank() > 0;
}

bool Elementwise::canStore(int64_t lanes) {
  return llvm::all_of(kernel.getOutputs(), [&](Value output) {
    MemRefType stored = typeOf(output);
    // A contiguous result is stored by number.
    if (stored.getLayout().isIdentity() && stored.hasStaticShape())
      return elementBytes(stored.getElementType()) != 0;
    return !stored.isDynamicDim(stored.getRank() - 1) &&
           stored.getDimSize(stored.getRank() - 1) % lanes == 0 && isAligned(stored, lanes);
  });
}

int64_t Elementwise::chooseWidth() {
  int64_t stored = 0, read = 1;
  for (Value output : kernel.getOutputs()) {
    int64_t bytes = elementBytes(typeOf(output).getElementType());
    if (bytes == 0)
      return 1;
    stored = std::max(stored, bytes);
  }
  for (Value input : kernel.getInputs())
    if (auto buffer = dyn_cast<MemRefType>(input.getType())) {
      int64_t bytes = elementBytes(buffer.getElementType());
      if (bytes == 0)
        return 1;
      read = std::max(read, bytes);
    }
  int64_t full = std::max<int64_t>(1, std::min(bytesStored / stored, bytesRead / read));
  if (isFlat)
    return full;
  // Lanes in one row share coordinates; else only what has the form of the result is read at once.
  if (type.getRank() == 0)
    return 1;
  int64_t last = type.getShape().back();
  if (ShapedType::isDynamic(last))
    return 1;
  for (int64_t lanes = full; lanes > 1; lanes /= 2)
    if (last % lanes == 0 && canStore(lanes)) {
      isRow = true;
      return lanes;
    }
  return canStore(full) ? full : 1;
}

/// The buffer in one dimension; before the launch.
Value Elementwise::flatten(Value buffer) {
  if (typeOf(buffer).getRank() == 1)
    return buffer;
  ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(0, typeOf(buffer).getRank()));
  return memref::CollapseShapeOp::create(builder, loc, buffer, ArrayRef<ReassociationIndices>{all});
}

bool Elementwise::emitLanes(const Coordinates &numbers, Value number, int64_t count) {
  Value first = numbers.toIndex(number);
  SmallVector<SmallVector<Value>> lanes;
  auto next = [&](Value value, int64_t lane) -> Value {
    if (lane == 0)
      return value;
    Value offset = arith::ConstantIndexOp::create(builder, loc, lane);
    return arith::AddIOp::create(builder, loc, value, offset);
  };
  for (int64_t lane = 0; lane < count; ++lane) {
    if (isFlat) {
      // All coordinates stand for the number.
      lanes.emplace_back(type.getRank(), next(first, lane));
    } else if (lane > 0 && isRow) {
      lanes.push_back(lanes[0]);
      lanes.back().back() = next(lanes[0].back(), lane);
    } else {
      Value at =
          lane == 0 ? number : arith::AddIOp::create(builder, loc, number, numbers.constant(lane));
      lanes.push_back(numbers.ofNumber(at));
    }
  }
  LaneReader reader(builder, kernel, lanes, isRow && count > 1, isFlat ? Value() : first);
  if (isFlat) {
    // Where the reader would need coordinates, there is the number.
    for (BlockArgument argument : kernel.getBody().front().getArguments()) {
      Value flat = flattened.lookup(kernel.getOperandOf(argument));
      if (!flat || argument.use_empty())
        continue;
      SmallVector<Value> elements;
      if (count > 1)
        elements = loadLanes(builder, loc, flat, first, count);
      else
        elements.push_back(memref::LoadOp::create(builder, loc, flat, first));
      reader.getEvaluator().bind(argument, [=](OpBuilder &, ValueRange at) -> Value {
        for (auto [lane, element] : llvm::zip(lanes, elements))
          if (lane[0] == at[0])
            return element;
        return {};
      });
    }
  }
  // All elements are computed before any is stored: an output may be read for another.
  SmallVector<SmallVector<Value>> results;
  for (unsigned index = 0; index < kernel.getOutputs().size(); ++index) {
    results.push_back(reader.evaluate(kernel.getYielded(index)));
    if (results.back().empty()) {
      error = reader.getError().str();
      return false;
    }
  }
  for (auto [elements, output] : llvm::zip(results, kernel.getOutputs())) {
    Value flat = flattened.lookup(output);
    SmallVector<Value> at = flat ? SmallVector<Value>{first} : lanes[0];
    Value buffer = flat ? flat : output;
    if (count > 1)
      storeLanes(builder, loc, elements, buffer, at);
    else
      memref::StoreOp::create(builder, loc, elements[0], buffer, at);
  }
  return true;
}

LogicalResult Elementwise::emit(std::string &reason) {
  if (!check(reason))
    return failure();
  isFlat = computeIsFlat();
  width = chooseWidth();
  if (!isFlat && !type.hasStaticShape() && !isRow) {
    reason = "expected a static last dimension that a vector divides";
    return failure();
  }
  OpBuilder::InsertionGuard guard(builder);
  Operation *before = kernel->getPrevNode();
  // What is accessed by number.
  for (Value operand : kernel->getOperands()) {
    auto buffer = dyn_cast<MemRefType>(operand.getType());
    if (!buffer || buffer.getRank() == 0 || !buffer.getLayout().isIdentity())
      continue;
    bool isOutput = llvm::is_contained(kernel.getOutputs(), operand);
    if (isFlat || (isOutput && buffer.hasStaticShape()))
      flattened[operand] = flatten(operand);
  }
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(builder, loc, kernel.getOutputs().front());
  Value count = elementCount(builder, loc, kernel.getOutputs().front());
  std::optional<int64_t> known = getConstantIntValue(count);
  Value full = count;
  if (known)
    full = arith::ConstantIndexOp::create(builder, loc, *known / width);
  else if (width > 1)
    full = arith::DivUIOp::create(builder, loc, count,
                                  arith::ConstantIndexOp::create(builder, loc, width));
  Value threads = ceilDiv(builder, loc, count, width);
  bool hasRest = width > 1 && !isRow && !(known && *known % width == 0);
  Launch launch = Launch::create(builder, loc, kernel.getName(),
                                 ceilDiv(builder, loc, threads, blockSize), blockSize);
  Coordinates numbers(builder, loc, sizes, blockSize * width);
  Value thread = numbers.threadNumber(launch, blockSize);
  Value number =
      width == 1 ? thread
                 : arith::MulIOp::create(builder, loc, thread, numbers.constant(width)).getResult();
  Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, thread,
                                       numbers.fromIndex(full));
  auto guarded = scf::IfOp::create(builder, loc, inside, /*withElseRegion=*/hasRest);
  builder.setInsertionPointToStart(&guarded.getThenRegion().front());
  bool done = emitLanes(numbers, number, width);
  if (done && hasRest) {
    // The last thread's lanes, one by one.
    builder.setInsertionPointToStart(&guarded.getElseRegion().front());
    Value end = numbers.fromIndex(count);
    auto loop = scf::ForOp::create(builder, loc, number, end, numbers.constant(1));
    builder.setInsertionPointToStart(loop.getBody());
    done = emitLanes(numbers, loop.getInductionVar(), 1);
  }
  if (!done) {
    reason = "cannot compute elements of " + error;
    eraseEmitted(kernel, before);
    return failure();
  }
  return success();
}

LogicalResult emitElementwise(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                              std::string &reason) {
  return Elementwise(builder, kernel).emit(reason);
}

} // namespace torchlite::nvgpu
