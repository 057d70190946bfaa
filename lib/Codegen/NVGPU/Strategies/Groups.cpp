//===- Groups.cpp - Reductions by several threads together ----------------===//
#include "Groups.h"
#include "TorchLite/Codegen/NVGPU/TargetInfo.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/ControlFlowSinkUtils.h"

using namespace mlir;

namespace torchlite::nvgpu {

using Values = SmallVector<Value>;

Values Combination::neutralValues(OpBuilder &builder, Location loc) const {
  Values values;
  for (TypedAttr attribute : neutral)
    values.push_back(arith::ConstantOp::create(builder, loc, attribute));
  return values;
}

//===----------------------------------------------------------------------===//
// Which reductions may be split
//===----------------------------------------------------------------------===//

/// Each result is the accumulator and something that does not depend on accumulators, combined by
/// one operation.
static std::optional<Combination> matchOperations(linalg::LinalgOp op) {
  SmallVector<Operation *> combiners;
  Combination combination;
  for (auto [accumulator, yielded] :
       llvm::zip(op.getRegionOutputArgs(), op.getBlock()->getTerminator()->getOperands())) {
    Operation *combiner = yielded.getDefiningOp();
    if (!combiner || combiner->getBlock() != op.getBlock() || !accumulator.hasOneUse() ||
        *accumulator.getUsers().begin() != combiner || combiner->getNumOperands() != 2 ||
        !isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
             arith::MinNumFOp, arith::AddIOp, arith::MulIOp, arith::MaxSIOp, arith::MinSIOp,
             arith::MaxUIOp, arith::MinUIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>(combiner))
      return std::nullopt;
    std::optional<TypedAttr> neutral = arith::getNeutralElement(combiner);
    if (!neutral)
      return std::nullopt;
    combiners.push_back(combiner);
    combination.neutral.push_back(*neutral);
  }
  combination.combine = [combiners](OpBuilder &builder, Location loc, ValueRange left,
                                    ValueRange right) {
    Values results;
    for (auto [combiner, x, y] : llvm::zip(combiners, left, right)) {
      OperationState state(loc, combiner->getName(), {x, y}, {x.getType()}, combiner->getAttrs());
      results.push_back(builder.create(state)->getResult(0));
    }
    return results;
  };
  combination.finish = combination.combine;
  return combination;
}

namespace {

/// "Is a better result than": a strict order of elements, not-a-number before all others if it
/// counts.
struct Better {
  arith::CmpFPredicate floats = arith::CmpFPredicate::AlwaysFalse;
  arith::CmpIPredicate integers = arith::CmpIPredicate::eq;
  bool nanIsBest = false;

  Value emit(OpBuilder &builder, Location loc, Value x, Value than) const {
    if (!isa<FloatType>(x.getType()))
      return arith::CmpIOp::create(builder, loc, integers, x, than);
    Value better = arith::CmpFOp::create(builder, loc, floats, x, than);
    if (!nanIsBest)
      return better;
    Value isNan = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNO, x, x);
    Value isNumber = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ORD, than, than);
    Value first = arith::AndIOp::create(builder, loc, isNan, isNumber);
    return arith::OrIOp::create(builder, loc, better, first);
  }
};

} // namespace

static bool isComparison(Value value, arith::CmpFPredicate predicate, Value operand) {
  auto compare = value.getDefiningOp<arith::CmpFOp>();
  return compare && compare.getPredicate() == predicate && compare.getLhs() == operand &&
         compare.getRhs() == operand;
}

/// The order by which `condition` says that `x` replaces `best`.
static std::optional<Better> matchBetter(Value condition, Value x, Value best) {
  Better better;
  if (auto either = condition.getDefiningOp<arith::OrIOp>()) {
    auto both = either.getRhs().getDefiningOp<arith::AndIOp>();
    if (!both || !isComparison(both.getLhs(), arith::CmpFPredicate::UNO, x) ||
        !isComparison(both.getRhs(), arith::CmpFPredicate::ORD, best))
      return std::nullopt;
    better.nanIsBest = true;
    condition = either.getLhs();
  }
  if (auto compare = condition.getDefiningOp<arith::CmpFOp>()) {
    better.floats = compare.getPredicate();
    if (compare.getLhs() == x && compare.getRhs() == best &&
        (better.floats == arith::CmpFPredicate::OGT || better.floats == arith::CmpFPredicate::OLT))
      return better;
  }
  if (auto compare = condition.getDefiningOp<arith::CmpIOp>(); compare && !better.nanIsBest) {
    better.integers = compare.getPredicate();
    if (compare.getLhs() == x && compare.getRhs() == best &&
        llvm::is_contained({arith::CmpIPredicate::sgt, arith::CmpIPredicate::slt,
                            arith::CmpIPredicate::ugt, arith::CmpIPredicate::ult},
                           better.integers))
      return better;
  }
  return std::nullopt;
}

/// Whether `value` of a body of operations without regions is computed from `argument`.
static bool dependsOn(Value value, BlockArgument argument) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != argument.getOwner())
    return value == argument;
  return op->getNumRegions() || llvm::any_of(op->getOperands(), [&](Value operand) {
           return dependsOn(operand, argument);
         });
}

/// The element that all others are better than, or as good as.
static TypedAttr worst(Type type, const Better &better) {
  Builder builder(type.getContext());
  if (auto floats = dyn_cast<FloatType>(type))
    return builder.getFloatAttr(
        floats,
        APFloat::getInf(floats.getFloatSemantics(), better.floats == arith::CmpFPredicate::OGT));
  unsigned width = type.getIntOrFloatBitWidth();
  APInt value = better.integers == arith::CmpIPredicate::sgt   ? APInt::getSignedMinValue(width)
                : better.integers == arith::CmpIPredicate::slt ? APInt::getSignedMaxValue(width)
                : better.integers == arith::CmpIPredicate::ugt ? APInt::getMinValue(width)
                                                               : APInt::getMaxValue(width);
  return builder.getIntegerAttr(type, value);
}

/// The best element and its number along the one loop that is reduced: the first one of equals.
static std::optional<Combination> matchBest(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() != 1 || op->getNumResults() != 2)
    return std::nullopt;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  Operation *yield = op.getBlock()->getTerminator();
  auto best = yield->getOperand(0).getDefiningOp<arith::SelectOp>();
  auto where = yield->getOperand(1).getDefiningOp<arith::SelectOp>();
  BlockArgument oldBest = op.getRegionOutputArgs()[0], oldWhere = op.getRegionOutputArgs()[1];
  if (!best || !where || best.getCondition() != where.getCondition() ||
      best.getFalseValue() != oldBest || where.getFalseValue() != oldWhere || !oldWhere.hasOneUse())
    return std::nullopt;
  auto position = where.getTrueValue().getDefiningOp<arith::IndexCastOp>();
  auto number = position ? position.getIn().getDefiningOp<linalg::IndexOp>() : nullptr;
  Value x = best.getTrueValue();
  if (!number || number.getDim() != reductions[0] || !x.getType().isIntOrFloat() ||
      !position.getType().isInteger())
    return std::nullopt;
  std::optional<Better> better = matchBetter(best.getCondition(), x, oldBest);
  if (!better)
    return std::nullopt;
  // The elements may not depend on what was best before.
  if (dependsOn(x, oldBest))
    return std::nullopt;

  Combination combination;
  Builder builder(op->getContext());
  unsigned width = position.getType().getIntOrFloatBitWidth();
  combination.neutral = {
      worst(x.getType(), *better),
      builder.getIntegerAttr(position.getType(), APInt::getSignedMaxValue(width))};
  auto choose = [](OpBuilder &builder, Location loc, Value condition, ValueRange then,
                   ValueRange otherwise) {
    Values results;
    for (auto [x, y] : llvm::zip(then, otherwise))
      results.push_back(arith::SelectOp::create(builder, loc, condition, x, y));
    return results;
  };
  Better order = *better;
  combination.combine = [order, choose](OpBuilder &builder, Location loc, ValueRange left,
                                        ValueRange right) {
    Value wins = order.emit(builder, loc, right[0], left[0]);
    Value loses = order.emit(builder, loc, left[0], right[0]);
    Value earlier =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, right[1], left[1]);
    Value takesRight = arith::SelectOp::create(
        builder, loc, loses, arith::ConstantIntOp::create(builder, loc, 0, 1), earlier);
    takesRight = arith::OrIOp::create(builder, loc, wins, takesRight);
    return choose(builder, loc, takesRight, right, left);
  };
  // The initial value stays unless an element is better.
  combination.finish = [order, choose](OpBuilder &builder, Location loc, ValueRange start,
                                       ValueRange total) {
    return choose(builder, loc, order.emit(builder, loc, total[0], start[0]), total, start);
  };
  return combination;
}

FailureOr<Combination> matchCombination(linalg::LinalgOp op, std::string &reason) {
  if (std::optional<Combination> combination = matchOperations(op))
    return *combination;
  if (std::optional<Combination> combination = matchBest(op))
    return *combination;
  reason = "expected a reduction by operations that may be applied in any order";
  return failure();
}

//===----------------------------------------------------------------------===//
// Shuffles and shared memory
//===----------------------------------------------------------------------===//

static Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// What a value of type `index` or `i1` travels as.
static Type carrierOf(Type type) {
  if (type.isIndex())
    return IntegerType::get(type.getContext(), 64);
  if (type.isInteger() && type.getIntOrFloatBitWidth() < 8)
    return IntegerType::get(type.getContext(), 8);
  return type;
}
static Value toCarrier(OpBuilder &builder, Location loc, Value value) {
  Type type = carrierOf(value.getType());
  if (value.getType().isIndex())
    return arith::IndexCastOp::create(builder, loc, type, value);
  return type == value.getType() ? value : arith::ExtUIOp::create(builder, loc, type, value);
}
static Value fromCarrier(OpBuilder &builder, Location loc, Type type, Value value) {
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, type, value);
  return type == value.getType() ? value : arith::TruncIOp::create(builder, loc, type, value);
}

Values combineLanes(OpBuilder &builder, Location loc, const Combination &combination,
                    ValueRange values, int64_t lanes) {
  Values total(values);
  Value width = arith::ConstantIntOp::create(builder, loc, warpSize, 32);
  for (int64_t distance = lanes / 2; distance > 0; distance /= 2) {
    Value offset = arith::ConstantIntOp::create(builder, loc, distance, 32);
    Values others;
    for (Value value : total) {
      Value sent = toCarrier(builder, loc, value);
      Value other = gpu::ShuffleOp::create(builder, loc, sent, offset, width, gpu::ShuffleMode::XOR)
                        .getShuffleResult();
      others.push_back(fromCarrier(builder, loc, value.getType(), other));
    }
    total = combination.combine(builder, loc, total, others);
  }
  return total;
}

/// Shared memory for `count` values of each type of `combination`, from `offset` on.
static Values sharedBuffers(OpBuilder &builder, Location loc, const Combination &combination,
                            int64_t count, int64_t offset) {
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
  auto bytes = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(),
                               MemRefLayoutAttrInterface(), space);
  Value memory = gpu::DynamicSharedMemoryOp::create(builder, loc, bytes);
  Values buffers;
  for (TypedAttr neutral : combination.neutral) {
    auto type =
        MemRefType::get({count}, carrierOf(neutral.getType()), MemRefLayoutAttrInterface(), space);
    buffers.push_back(memref::ViewOp::create(builder, loc, type, memory,
                                             constant(builder, loc, offset), ValueRange()));
    offset += count * sizeof(int64_t);
  }
  return buffers;
}

int64_t exchangeBytes(const Combination &combination, int64_t count) {
  return combination.neutral.size() * count * sizeof(int64_t);
}

static void storeAll(OpBuilder &builder, Location loc, ValueRange values, ValueRange buffers,
                     Value at) {
  for (auto [value, buffer] : llvm::zip(values, buffers))
    memref::StoreOp::create(builder, loc, toCarrier(builder, loc, value), buffer, at);
}
static Values loadAll(OpBuilder &builder, Location loc, const Combination &combination,
                      ValueRange buffers, Value at) {
  Values values;
  for (auto [neutral, buffer] : llvm::zip(combination.neutral, buffers))
    values.push_back(fromCarrier(builder, loc, neutral.getType(),
                                 memref::LoadOp::create(builder, loc, buffer, at)));
  return values;
}

Values combineWarps(OpBuilder &builder, Location loc, const Combination &combination,
                    ValueRange values, Value thread, int64_t warps, int64_t offset) {
  if (warps == 1)
    return Values(values);
  Values buffers = sharedBuffers(builder, loc, combination, warps, offset);
  Value size = constant(builder, loc, warpSize);
  Value lane = arith::RemUIOp::create(builder, loc, thread, size);
  Value warp = arith::DivUIOp::create(builder, loc, thread, size);
  Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, lane,
                                        constant(builder, loc, 0));
  auto store = scf::IfOp::create(builder, loc, isFirst, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&store.getThenRegion().front());
    storeAll(builder, loc, values, buffers, warp);
  }
  gpu::BarrierOp::create(builder, loc);
  // Each warp puts all of them together: no second exchange. Lanes beyond the warps read the last.
  int64_t lanes = llvm::PowerOf2Ceil(warps);
  Value last = constant(builder, loc, warps - 1);
  Value source = arith::RemUIOp::create(builder, loc, lane, constant(builder, loc, lanes));
  Value isThere;
  if (lanes != warps) {
    isThere = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, source, last);
    source = arith::MinUIOp::create(builder, loc, source, last);
  }
  Values partials = loadAll(builder, loc, combination, buffers, source);
  if (isThere)
    for (auto [partial, neutral] : llvm::zip(partials, combination.neutralValues(builder, loc)))
      partial = arith::SelectOp::create(builder, loc, isThere, partial, neutral);
  return combineLanes(builder, loc, combination, partials, lanes);
}

Values combineColumns(OpBuilder &builder, Location loc, const Combination &combination,
                      ValueRange values, Value thread, int64_t columns, int64_t count,
                      int64_t offset, llvm::function_ref<void()> enter) {
  if (count == 1) {
    enter();
    return Values(values);
  }
  Values buffers = sharedBuffers(builder, loc, combination, columns * count, offset);
  auto combine = [&](int64_t half) {
    Value other =
        arith::AddIOp::create(builder, loc, thread, constant(builder, loc, half * columns));
    Values mine = loadAll(builder, loc, combination, buffers, thread);
    Values theirs = loadAll(builder, loc, combination, buffers, other);
    return combination.combine(builder, loc, mine, theirs);
  };
  storeAll(builder, loc, values, buffers, thread);
  gpu::BarrierOp::create(builder, loc);
  for (int64_t half = count / 2; half > 1; half /= 2) {
    Value active = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, thread,
                                         constant(builder, loc, half * columns));
    auto step = scf::IfOp::create(builder, loc, active, /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(&step.getThenRegion().front());
      storeAll(builder, loc, combine(half), buffers, thread);
    }
    gpu::BarrierOp::create(builder, loc);
  }
  enter();
  return combine(1);
}

/// Not what threads do together, such as shuffles, which count as free of effects.
static bool mayMove(Operation *op) {
  if (isa<memref::LoadOp, memref::DimOp, vector::LoadOp>(op))
    return true;
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return llvm::all_of(branch->getRegions(), [](Region &region) {
      return region.empty() || llvm::all_of(region.front(), [](Operation &inner) {
               return isa<scf::YieldOp>(inner) || mayMove(&inner);
             });
    });
  return op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
         isa<arith::ArithDialect, math::MathDialect, complex::ComplexDialect, affine::AffineDialect,
             vector::VectorDialect>(op->getDialect());
}

void sinkReads(scf::IfOp branch) {
  DominanceInfo dominance(branch->getParentOp());
  controlFlowSink(
      RegionRange(branch->getRegions()), dominance,
      [](Operation *op, Region *) { return mayMove(op); },
      [](Operation *op, Region *region) { op->moveBefore(&region->front().front()); });
}

} // namespace torchlite::nvgpu
