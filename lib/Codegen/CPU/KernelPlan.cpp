//===- KernelPlan.cpp - Tiles and tasks of a kernel group -----------------===//
#include "TorchLite/Codegen/CPU/KernelEmitter.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace torchlite::cpu {

/// Vector instructions below which a parallel region costs more than it saves (about 20 us).
static constexpr int64_t parallelThreshold = 48 * 1024;
/// Tasks that balance a few threads without cutting reuse to pieces.
static constexpr int64_t wantedTasks = 16;
/// What an unknown size counts as in estimates.
static constexpr int64_t assumedSize = 8;
/// Largest window (product of reduction sizes) that is unrolled.
static constexpr int64_t largestUnrolledWindow = 9;

static unsigned bitsOf(Type type) {
  if (type.isIndex())
    return 64;
  // i1 tensors keep a byte per element.
  return std::max(8u, type.getIntOrFloatBitWidth());
}

/// Bits of the widest element that the group's vectors hold.
static unsigned widestElement(KernelGroup &group) {
  unsigned bits = 8;
  auto visit = [&](KernelOp &op) {
    for (Type type : op.op.getBlock()->getArgumentTypes())
      bits = std::max(bits, bitsOf(type));
    for (Operation &inner : op.op.getBlock()->without_terminator())
      for (Type type : inner.getResultTypes())
        if (!type.isIndex())
          bits = std::max(bits, bitsOf(type));
  };
  visit(group.root);
  if (group.epilogue)
    visit(*group.epilogue);
  if (group.init)
    visit(*group.init);
  return bits;
}

/// Instructions per vector of elements, roughly.
static int64_t costOf(KernelOp &op) {
  int64_t cost = 1;
  for (Operation &inner : op.op.getBlock()->without_terminator())
    cost += isa_and_nonnull<math::MathDialect>(inner.getDialect()) ? 16 : 1;
  return cost;
}

/// Bytes between neighbours along `coordinate` in `operand`, or 0 if unknown or none.
static int64_t strideOf(KernelOp &op, OpOperand *operand, int64_t coordinate) {
  auto type = dyn_cast<RankedTensorType>(operand->get().getType());
  if (!type || !type.hasStaticShape() || !op.dependsOn(operand, coordinate))
    return 0;
  AffineMap map = op.op.getMatchingIndexingMap(operand);
  SmallVector<AffineExpr> zeros(map.getNumDims(), getAffineConstantExpr(0, map.getContext()));
  SmallVector<AffineExpr> ones = zeros;
  for (auto [loop, value] : llvm::enumerate(op.coordinates))
    if (value == coordinate)
      ones[loop] = getAffineConstantExpr(1, map.getContext());
  int64_t stride = 0, size = bitsOf(type.getElementType()) / 8;
  for (int64_t position = type.getRank() - 1; position >= 0; --position) {
    auto at = [&](ArrayRef<AffineExpr> dims) {
      auto value = dyn_cast<AffineConstantExpr>(map.getResult(position).replaceDims(dims));
      return value ? value.getValue() : 0;
    };
    stride += (at(ones) - at(zeros)) * size;
    size *= type.getDimSize(position);
  }
  return stride;
}

/// The largest divisor of `size` that leaves at least `pieces` pieces.
static int64_t pieceOf(int64_t size, int64_t pieces) {
  for (int64_t piece = std::max<int64_t>(1, size / pieces); piece > 1; --piece)
    if (size % piece == 0)
      return piece;
  return 1;
}

FailureOr<KernelPlan> planKernel(KernelGroup &group, const TargetInfo &target,
                                 std::string &reason) {
  int64_t rank = group.rank();
  if (rank == 0) {
    reason = "expected a result with dimensions";
    return failure();
  }
  KernelOp &root = group.root;
  RankedTensorType type = group.type();
  int64_t column = rank - 1;
  bool reduces = root.op.getNumReductionLoops() > 0;
  KernelPlan plan;
  plan.lanes = target.lanes(widestElement(group));

  // Operands by what they vary with. An operand of a reduction that is neither contiguous nor
  // constant along the columns would be gathered once per multiply-add.
  bool hasBroadcast = false;
  for (OpOperand *operand : root.op.getDpsInputOperands()) {
    if (!isa<RankedTensorType>(operand->get().getType()) ||
        !root.op.payloadUsesValueFromOperand(operand))
      continue;
    if (!root.dependsOn(operand, column))
      hasBroadcast |= reduces;
    else if (reduces && !root.isContiguous(operand, column, plan.lanes)) {
      reason = "expected operands of the reduction to be contiguous along the result's last "
               "dimension";
      return failure();
    }
  }

  // Rows: a coordinate that leaves some operand where it is, so that one load serves all rows.
  if (reduces) {
    int64_t best = 0;
    for (int64_t coordinate = 0; coordinate < column; ++coordinate) {
      int64_t size = type.getDimSize(coordinate), score = 0;
      if (size == 1)
        continue;
      for (OpOperand *operand : root.op.getDpsInputOperands())
        if (root.op.payloadUsesValueFromOperand(operand) && !root.dependsOn(operand, coordinate))
          score += 4;
      if (score && (ShapedType::isDynamic(size) || size >= 4))
        score += 2;
      if (score && score >= best) { // the innermost of equals
        best = score;
        plan.rowCoordinate = coordinate;
      }
    }
  }

  int64_t maxRows = 1, window = 1;
  SmallVector<int64_t> loops = root.op.getStaticLoopRanges();
  for (auto [loop, size] : llvm::enumerate(loops)) {
    if (root.coordinates[loop] < 0 && ShapedType::isDynamic(size) && !findLoopSize(root.op, loop)) {
      reason = "expected reductions to be as long as a dimension of an operand";
      return failure();
    }
    if (root.coordinates[loop] < 0)
      window = ShapedType::isDynamic(size)     ? ShapedType::kDynamic
               : ShapedType::isDynamic(window) ? window
                                               : window * size;
  }
  if (hasBroadcast) {
    plan.columnVectors = target.columnVectors;
    if (plan.rowCoordinate >= 0)
      maxRows = root.op.getNumReductionLoops() > 1 ? target.convolutionRows : target.matmulRows;
  } else if (reduces) {
    plan.unrollWindow = !ShapedType::isDynamic(window) && window <= largestUnrolledWindow;
    if (plan.rowCoordinate >= 0)
      maxRows = std::max<int64_t>(1, target.vectorRegisters / 4 - 1);
    else
      plan.columnVectors = 4;
  }
  // Narrow results: no more vectors side by side than they have.
  if (int64_t columns = type.getDimSize(column); !ShapedType::isDynamic(columns))
    plan.columnVectors = std::max<int64_t>(
        1, std::min<int64_t>(plan.columnVectors, llvm::divideCeil(columns, plan.lanes)));
  for (OpOperand *operand : root.op.getDpsInputOperands()) {
    if (plan.rowCoordinate < 0)
      break;
    int64_t stride = strideOf(root, operand, plan.rowCoordinate);
    if (stride >= target.conflictStride && stride % target.conflictStride == 0)
      maxRows = std::min(maxRows, target.conflictRows);
  }
  // Packed operands: a panel must not straddle two of theirs.
  for (OpOperand *operand : root.op.getDpsInputOperands())
    if (reduces && root.dependsOn(operand, column) &&
        !root.isContiguous(operand, column, plan.panelWidth())) {
      plan.columnVectors = 1;
    }

  // Tiles of equal height where possible: 16 rows are 8 and 8, not 14 and 2.
  int64_t rows = plan.rowCoordinate < 0 ? 1 : type.getDimSize(plan.rowCoordinate);
  plan.tileRows = ShapedType::isDynamic(rows)
                      ? maxRows
                      : llvm::divideCeil(rows, llvm::divideCeil(rows, maxRows));
  int64_t accumulators = plan.tileRows * plan.columnVectors;
  if (hasBroadcast && accumulators < target.accumulatorChains)
    plan.chains = llvm::divideCeil(target.accumulatorChains, accumulators);

  // Tasks.
  auto assumed = [](int64_t size) { return ShapedType::isDynamic(size) ? assumedSize : size; };
  int64_t points = 1;
  for (int64_t size : type.getShape())
    points *= assumed(size);
  int64_t work = points * (group.epilogue ? costOf(*group.epilogue) : 1);
  int64_t inner = ShapedType::isDynamic(window) ? assumedSize * assumedSize : window;
  work += points * inner * (hasBroadcast ? 1 : costOf(root));
  work /= plan.lanes;
  if (work < parallelThreshold)
    return plan;
  plan.parallel = true;
  int64_t panels = assumed(type.getDimSize(column)) / plan.panelWidth();
  if (panels >= 8 && hasBroadcast)
    return plan;
  int64_t pieces = llvm::divideCeil(wantedTasks, std::max<int64_t>(1, panels));
  int64_t largest = 1;
  for (int64_t coordinate = 0; coordinate < column; ++coordinate) {
    int64_t size = type.getDimSize(coordinate);
    if (coordinate == plan.rowCoordinate)
      size = ShapedType::isDynamic(size) ? size : size / plan.tileRows;
    bool enough = ShapedType::isDynamic(size) || size >= pieces;
    if (!enough && assumed(size) <= largest)
      continue;
    largest = assumed(size);
    plan.taskCoordinate = coordinate;
    plan.taskSize = ShapedType::isDynamic(size) ? 1 : pieceOf(size, pieces);
    if (enough)
      break;
  }
  return plan;
}

FailureOr<PlannedGroup> planGroup(linalg::LinalgOp root, const TargetInfo &target,
                                  std::string &reason) {
  for (bool wantEpilogue : {true, false}) {
    FailureOr<KernelGroup> group = matchKernelGroup(root, reason, wantEpilogue);
    if (failed(group))
      return failure();
    FailureOr<KernelPlan> plan = planKernel(*group, target, reason);
    if (succeeded(plan))
      return PlannedGroup{*group, *plan};
    if (!group->epilogue)
      break;
  }
  return failure();
}

} // namespace torchlite::cpu
