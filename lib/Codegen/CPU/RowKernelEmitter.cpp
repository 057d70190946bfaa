//===- RowKernelEmitter.cpp - Loops for a row kernel ----------------------===//
//
// For each row, in the order of the operations:
//
//   reduction of elements   a loop that carries vectors of partial results, then a scalar
//   operation on rows       scalar code
//   operation on elements   nothing yet: it is evaluated where it is read. One that is expensive
//   and
//                           read more than once is kept in the row of the result.
//
// and at last a loop that writes the row of the result.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/CPU/RowKernelEmitter.h"
#include "TorchLite/Codegen/CPU/BodyEvaluator.h"
#include "TorchLite/Codegen/CPU/LoopBuilder.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torchlite::cpu {
namespace {

/// Vectors of partial results that a reduction carries, to hide the latency of its operation.
constexpr int64_t partialResults = 4;
/// Tasks to cut the rows into, and the vector instructions that are worth a parallel region.
constexpr int64_t wantedTasks = 16;
constexpr int64_t parallelThreshold = 48 * 1024;

class Emitter {
public:
  Emitter(OpBuilder &builder, RowKernel &kernel, const TargetInfo &target, bool parallel)
      : b(builder), loc(kernel.last().getLoc()), kernel(kernel), parallel(parallel),
        rank(kernel.rowRank) {
    unsigned bits = 8;
    for (linalg::LinalgOp op : kernel.ops)
      for (Type type : op.getBlock()->getArgumentTypes())
        bits = std::max(bits, type.isIndex() ? 64 : type.getIntOrFloatBitWidth());
    lanes = target.lanes(bits);
  }

  Value emit();

private:
  bool isReduction(linalg::LinalgOp op) { return op.getNumReductionLoops() > 0; }
  bool isElementwise(linalg::LinalgOp op) {
    return !isReduction(op) && int64_t(op.getNumLoops()) == rank + 1;
  }
  /// The member that computes `value`, or null.
  linalg::LinalgOp memberOf(Value value) {
    Operation *producer = value.getDefiningOp();
    for (linalg::LinalgOp op : kernel.ops)
      if (op == producer)
        return op;
    return nullptr;
  }

  Value emitRow(ArrayRef<OpFoldResult> row, Value destination, ArrayRef<OpFoldResult> local);
  Value reduce(linalg::LinalgOp op, Value &destination);
  Value evaluateScalar(linalg::LinalgOp op);
  Value evaluateElements(linalg::LinalgOp op, OpFoldResult at, int64_t width, Value destination,
                         OpOperand *given = nullptr, Value value = {});
  Value load(linalg::LinalgOp op, OpOperand *operand, OpFoldResult at, int64_t width,
             Value destination);
  Value read(Value tensor, ArrayRef<OpFoldResult> indices, int64_t width);
  Value write(Value vector, Value destination, OpFoldResult at, int64_t width);
  linalg::LinalgOp findKept();

  Values valuesOf(ArrayRef<OpFoldResult> indices) {
    return getValueOrCreateConstantIndexOp(b, loc, indices);
  }
  SmallVector<OpFoldResult> localIndices(OpFoldResult at) {
    SmallVector<OpFoldResult> indices = localRow;
    indices.push_back(at);
    return indices;
  }
  /// Calls body(position, width, carried) for pieces of the row: vectors, then what is left.
  Value forElements(Value carried, function_ref<Value(OpFoldResult, int64_t, Value)> body);
  SmallVector<std::pair<OpFoldResult, int64_t>> staticTail();
  OpFoldResult rowLength();

  OpBuilder &b;
  Location loc;
  RowKernel &kernel;
  bool parallel;
  int64_t rank, lanes = 1;
  SmallVector<OpFoldResult> rowSizes;
  OpFoldResult length;
  // State while a row is emitted.
  SmallVector<OpFoldResult> row, localRow;
  DenseMap<Operation *, Value> scalars; // per row
  DenseMap<Operation *, Value> vectors; // at the current elements
  linalg::LinalgOp kept;                // lives in the destination's row once computed
  bool isKept = false;
};

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value Emitter::read(Value tensor, ArrayRef<OpFoldResult> indices, int64_t width) {
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  Values at = valuesOf(indices);
  if (element.isInteger(1)) { // bytes in memory, not packed bits
    Values values;
    for (int64_t lane = 0; lane < width; ++lane) {
      at.back() = getValueOrCreateConstantIndexOp(
          b, loc, add(b, loc, indices.back(), b.getIndexAttr(lane)));
      values.push_back(tensor::ExtractOp::create(b, loc, tensor, at));
    }
    return vector::FromElementsOp::create(b, loc, VectorType::get({width}, element), values);
  }
  Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  return vector::TransferReadOp::create(b, loc, VectorType::get({width}, element), tensor, at,
                                        padding, ArrayRef<bool>{true});
}

Value Emitter::write(Value vector, Value destination, OpFoldResult at, int64_t width) {
  SmallVector<OpFoldResult> indices = localIndices(at);
  Values place = valuesOf(indices);
  if (!cast<RankedTensorType>(destination.getType()).getElementType().isInteger(1))
    return vector::TransferWriteOp::create(b, loc, vector, destination, place, ArrayRef<bool>{true})
        .getResult();
  for (int64_t lane = 0; lane < width; ++lane) {
    place.back() = getValueOrCreateConstantIndexOp(b, loc, add(b, loc, at, b.getIndexAttr(lane)));
    Value element = vector::ExtractOp::create(b, loc, vector, lane);
    destination = tensor::InsertOp::create(b, loc, element, destination, place);
  }
  return destination;
}

Value Emitter::load(linalg::LinalgOp op, OpOperand *operand, OpFoldResult at, int64_t width,
                    Value destination) {
  Value tensor = operand->get();
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return tensor; // a scalar
  if (linalg::LinalgOp member = memberOf(tensor)) {
    if (!isElementwise(member))
      return scalars.lookup(member);
    if (member == kept && isKept)
      return read(destination, localIndices(at), width);
    return evaluateElements(member, at, width, destination);
  }
  AffineMap map = op.getMatchingIndexingMap(operand);
  unsigned loops = map.getNumDims();
  bool byElement = loops > rank && map.isFunctionOfDim(rank);
  auto indicesAt = [&](int64_t lane) {
    SmallVector<OpFoldResult> values = row;
    if (loops > rank)
      values.push_back(byElement ? add(b, loc, at, b.getIndexAttr(lane))
                                 : OpFoldResult(b.getIndexAttr(0)));
    return affine::makeComposedFoldedMultiResultAffineApply(b, loc, map, values);
  };
  if (!byElement)
    return tensor::ExtractOp::create(b, loc, tensor, valuesOf(indicesAt(0)));
  AffineExpr last = map.getResults().back();
  bool contiguous = last == b.getAffineDimExpr(rank);
  for (AffineExpr expr : map.getResults().drop_back())
    contiguous &= !expr.isFunctionOfDim(rank);
  if (contiguous)
    return read(tensor, indicesAt(0), width);
  Values values;
  for (int64_t lane = 0; lane < width; ++lane)
    values.push_back(tensor::ExtractOp::create(b, loc, tensor, valuesOf(indicesAt(lane))));
  return vector::FromElementsOp::create(b, loc, VectorType::get({width}, type.getElementType()),
                                        values);
}

Value Emitter::evaluateElements(linalg::LinalgOp op, OpFoldResult at, int64_t width,
                                Value destination, OpOperand *given, Value value) {
  Value &known = vectors[op];
  if (known)
    return known;
  Values arguments;
  for (OpOperand &operand : op->getOpOperands()) {
    if (&operand == given)
      arguments.push_back(value);
    else if (op.payloadUsesValueFromOperand(&operand))
      arguments.push_back(load(op, &operand, at, width, destination));
    else
      arguments.push_back(Value());
  }
  auto indexOf = [&](int64_t loop) -> Value {
    Value base = getValueOrCreateConstantIndexOp(b, loc, loop < rank ? row[loop] : at);
    base = broadcastTo(b, loc, base, width);
    if (loop < rank)
      return base;
    Value steps = vector::StepOp::create(b, loc, VectorType::get({width}, b.getIndexType()));
    return arith::AddIOp::create(b, loc, base, steps);
  };
  Value result = evaluateBody(b, op, arguments, width, indexOf, /*fuseMultiplyAdd=*/false).front();
  return vectors[op] = result;
}

Value Emitter::evaluateScalar(linalg::LinalgOp op) {
  Values arguments;
  for (OpOperand &operand : op->getOpOperands())
    arguments.push_back(op.payloadUsesValueFromOperand(&operand)
                            ? load(op, &operand, b.getIndexAttr(0), 0, Value())
                            : Value());
  auto indexOf = [&](int64_t loop) { return getValueOrCreateConstantIndexOp(b, loc, row[loop]); };
  return evaluateBody(b, op, arguments, /*width=*/0, indexOf, /*fuseMultiplyAdd=*/false).front();
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

SmallVector<std::pair<OpFoldResult, int64_t>> Emitter::staticTail() {
  SmallVector<std::pair<OpFoldResult, int64_t>> pieces;
  std::optional<int64_t> known = getConstantIntValue(length);
  if (!known)
    return pieces;
  for (int64_t at = *known / lanes * lanes; at < *known;) {
    int64_t width = llvm::bit_floor<uint64_t>(*known - at);
    pieces.push_back({b.getIndexAttr(at), width});
    at += width;
  }
  return pieces;
}

Value Emitter::forElements(Value carried, function_ref<Value(OpFoldResult, int64_t, Value)> body) {
  auto piece = [&](OpFoldResult at, int64_t width, Value value) {
    vectors.clear();
    value = body(at, width, value);
    vectors.clear();
    return value;
  };
  OpFoldResult main = mul(b, loc, floorDiv(b, loc, length, lanes), lanes);
  carried = forLoop(b, loc, b.getIndexAttr(0), main, lanes, carried, false,
                    [&](OpFoldResult at, ValueRange values) -> Values {
                      return {piece(at, lanes, values[0])};
                    })
                .front();
  if (getConstantIntValue(length)) {
    for (auto [at, width] : staticTail())
      carried = piece(at, width, carried);
    return carried;
  }
  return forLoop(b, loc, main, length, 1, carried, false,
                 [&](OpFoldResult at, ValueRange values) -> Values {
                   return {piece(at, 1, values[0])};
                 })
      .front();
}

/// An elementwise operation that costs more than a load, is read more than once and fits into the
/// row of the result, which is written last.
linalg::LinalgOp Emitter::findKept() {
  linalg::LinalgOp last = kernel.last();
  if (!isElementwise(last))
    return nullptr;
  for (linalg::LinalgOp op : kernel.ops) {
    if (op == last || !isElementwise(op) ||
        op->getResult(0).getType() != last->getResult(0).getType())
      continue;
    int64_t readers = 0;
    for (Operation *user : op->getUsers())
      readers += memberOf(user->getResult(0)) != nullptr;
    bool expensive = false;
    for (Operation &inner : op.getBlock()->without_terminator())
      expensive |= isa_and_nonnull<math::MathDialect>(inner.getDialect()) ||
                   isa<arith::DivFOp, arith::DivSIOp, arith::RemFOp>(inner);
    if (readers > 1 && expensive)
      return op;
  }
  return nullptr;
}

/// The scalar that `op` reduces the row to. Computes and keeps `kept` on the way, if it is read.
Value Emitter::reduce(linalg::LinalgOp op, Value &destination) {
  OpOperand *init = op.getDpsInitOperand(0);
  Value start = load(op, init, b.getIndexAttr(0), 0, Value());
  Operation *combiner = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  vector::CombiningKind kind = *linalg::getCombinerOpKind(combiner);
  TypedAttr neutral = *arith::getNeutralElement(combiner);
  auto combine = [&](Value x, Value y) -> Value {
    OperationState state(loc, combiner->getName(), {x, y}, {x.getType()}, combiner->getAttrs());
    return b.create(state)->getResult(0);
  };
  bool keeping = false;
  // One step: the accumulator of `width` lanes with the elements at `at` taken in.
  auto step = [&](OpFoldResult at, int64_t width, Value accumulator, Value &into) {
    vectors.clear();
    Value result = evaluateElements(op, at, width, into, init, accumulator);
    if (kept && !isKept && vectors.lookup(kept)) {
      keeping = true;
      into = write(vectors.lookup(kept), into, at, width);
    }
    vectors.clear();
    return result;
  };
  auto identity = [&](int64_t width) -> Value {
    auto type = VectorType::get({width}, neutral.getType());
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, ArrayRef<Attribute>(neutral)));
  };
  auto toScalar = [&](Value vector) -> Value {
    auto fast = isa<FloatType>(neutral.getType()) && isa<arith::AddFOp, arith::MulFOp>(combiner)
                    ? arith::FastMathFlags::reassoc
                    : arith::FastMathFlags::none;
    return vector::ReductionOp::create(b, loc, kind, vector, fast);
  };

  // Whole vectors, several at a time, then one at a time.
  int64_t partials = partialResults;
  if (std::optional<int64_t> known = getConstantIntValue(length))
    partials = std::clamp<int64_t>(*known / lanes, 1, partialResults);
  OpFoldResult begin = b.getIndexAttr(0);
  Values carried(partials, identity(lanes));
  carried.push_back(destination);
  auto loop = [&](int64_t count, int64_t width, bool emitsScalars) {
    OpFoldResult end = add(
        b, loc, begin,
        mul(b, loc, floorDiv(b, loc, sub(b, loc, length, begin), width * count), width * count));
    if (getConstantIntValue(sub(b, loc, end, begin)) == 0)
      return;
    carried = forLoop(
        b, loc, begin, end, width * count, carried, false, [&](OpFoldResult at, ValueRange values) {
          Values next(values);
          for (int64_t i = 0; i < count; ++i)
            next[i] =
                step(add(b, loc, at, b.getIndexAttr(i * width)), width, values[i], next.back());
          return next;
        });
    begin = end;
  };
  loop(partials, lanes, false);
  Value sum = carried[0];
  for (int64_t i = 1; i < partials; ++i)
    sum = combine(sum, carried[i]);
  carried = {sum, carried.back()};
  if (partials > 1)
    loop(1, lanes, false);
  Value total = combine(start, toScalar(carried[0]));
  destination = carried.back();
  if (getConstantIntValue(length)) {
    for (auto [at, width] : staticTail())
      total = combine(total, toScalar(step(at, width, identity(width), destination)));
  } else if (lanes > 1) {
    carried = {identity(1), destination};
    loop(1, 1, true);
    total = combine(total, toScalar(carried[0]));
    destination = carried.back();
  }
  isKept |= keeping;
  return total;
}

Value Emitter::emitRow(ArrayRef<OpFoldResult> at, Value destination, ArrayRef<OpFoldResult> local) {
  row.assign(at.begin(), at.end());
  localRow.assign(local.begin(), local.end());
  scalars.clear();
  vectors.clear();
  kept = findKept();
  isKept = false;
  for (linalg::LinalgOp op : kernel.ops) {
    if (isReduction(op))
      scalars[op] = reduce(op, destination);
    else if (!isElementwise(op))
      scalars[op] = evaluateScalar(op);
  }
  linalg::LinalgOp last = kernel.last();
  if (!isElementwise(last))
    return tensor::InsertOp::create(b, loc, scalars.lookup(last), destination, valuesOf(localRow));
  return forElements(destination, [&](OpFoldResult position, int64_t width, Value into) {
    Value value = evaluateElements(last, position, width, into);
    return write(value, into, position, width);
  });
}

/// The number of elements of a row, from a tensor that no member makes: those go away.
OpFoldResult Emitter::rowLength() {
  for (linalg::LinalgOp op : kernel.ops) {
    if (int64_t(op.getNumLoops()) == rank)
      continue;
    if (int64_t size = op.getStaticLoopRanges()[rank]; !ShapedType::isDynamic(size))
      return b.getIndexAttr(size);
    for (OpOperand &operand : op->getOpOperands()) {
      AffineMap map = op.getMatchingIndexingMap(&operand);
      if (int64_t(map.getNumResults()) == rank + 1 && map.isIdentity() && !memberOf(operand.get()))
        return sizeOf(b, loc, operand.get(), rank);
    }
  }
  llvm_unreachable("the first member that works on elements reads or writes them elsewhere");
}

Value Emitter::emit() {
  Value destination = kernel.destination()->get();
  int64_t work = 1, cost = 0;
  for (linalg::LinalgOp op : kernel.ops) {
    for (Operation &inner : op.getBlock()->without_terminator())
      cost += isa_and_nonnull<math::MathDialect>(inner.getDialect()) ? 16 : 1;
    if (!isReduction(op) || work > 1)
      continue;
    for (int64_t size : op.getStaticLoopRanges())
      work *= ShapedType::isDynamic(size) ? 8 : size;
  }
  for (int64_t dim = 0; dim < rank; ++dim)
    rowSizes.push_back(sizeOf(b, loc, destination, dim));
  length = rowLength();
  parallel &= work * cost / lanes >= parallelThreshold;

  // Leading dimensions make the tasks; the last of them is cut into pieces that divide it.
  int64_t taskDims = 0, tasks = 1, piece = 1;
  while (parallel && taskDims < rank && tasks < wantedTasks) {
    std::optional<int64_t> size = getConstantIntValue(rowSizes[taskDims++]);
    tasks *= size ? *size : 8;
    if (size && tasks > wantedTasks) {
      int64_t outer = tasks / *size, wanted = llvm::divideCeil(wantedTasks, outer);
      piece = std::max<int64_t>(1, *size / wanted);
      while (*size % piece)
        --piece;
    }
  }
  int64_t resultRank = cast<RankedTensorType>(destination.getType()).getRank();
  SmallVector<OpFoldResult> zeros(rank, b.getIndexAttr(0));
  // All rows from `begin` on, `count` of each dimension; `origin` is where `into` begins.
  std::function<Value(int64_t, SmallVector<OpFoldResult>, Value, ArrayRef<OpFoldResult>,
                      ArrayRef<OpFoldResult>, ArrayRef<OpFoldResult>)>
      rows = [&](int64_t dim, SmallVector<OpFoldResult> at, Value into,
                 ArrayRef<OpFoldResult> begin, ArrayRef<OpFoldResult> count,
                 ArrayRef<OpFoldResult> origin) -> Value {
    if (dim == rank) {
      SmallVector<OpFoldResult> local;
      for (int64_t d = 0; d < rank; ++d)
        local.push_back(sub(b, loc, at[d], origin[d]));
      return emitRow(at, into, local);
    }
    return forLoop(b, loc, begin[dim], add(b, loc, begin[dim], count[dim]), 1, into, false,
                   [&](OpFoldResult iv, ValueRange carried) -> Values {
                     SmallVector<OpFoldResult> next = at;
                     next.push_back(iv);
                     return {rows(dim + 1, next, carried[0], begin, count, origin)};
                   })
        .front();
  };
  if (!taskDims || tasks == 1)
    return rows(0, {}, destination, zeros, rowSizes, zeros);

  SmallVector<OpFoldResult> bounds(ArrayRef<OpFoldResult>(rowSizes).take_front(taskDims));
  bounds.back() = floorDiv(b, loc, bounds.back(), piece);
  auto forall = scf::ForallOp::create(b, loc, bounds, destination, /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forall.getBody());
  SmallVector<OpFoldResult> begin = zeros, count = rowSizes;
  for (int64_t dim = 0; dim < taskDims; ++dim) {
    int64_t size = dim + 1 == taskDims ? piece : 1;
    begin[dim] = mul(b, loc, forall.getInductionVars()[dim], size);
    count[dim] = b.getIndexAttr(size);
  }
  SmallVector<OpFoldResult> offsets = begin, extents = count,
                            strides(resultRank, b.getIndexAttr(1));
  if (resultRank > rank) {
    offsets.push_back(b.getIndexAttr(0));
    extents.push_back(length);
  }
  Value shared = forall.getRegionIterArgs()[0];
  Value slice = tensor::ExtractSliceOp::create(b, loc, shared, offsets, extents, strides);
  Value result = rows(0, {}, slice, begin, count, begin);
  b.setInsertionPointToStart(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, loc, result, shared, offsets, extents, strides);
  return forall.getResult(0);
}

} // namespace

Value emitRowKernel(OpBuilder &builder, RowKernel &kernel, const TargetInfo &target,
                    bool parallel) {
  return Emitter(builder, kernel, target, parallel).emit();
}

} // namespace torchlite::cpu
