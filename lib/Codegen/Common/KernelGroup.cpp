//===- KernelGroup.cpp - Structured operations that become one kernel -----===//
#include "TorchLite/Codegen/Common/KernelGroup.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExprVisitor.h"

using namespace mlir;

namespace torchlite {

//===----------------------------------------------------------------------===//
// Indexing
//===----------------------------------------------------------------------===//

/// Loops of `op` that run over `coordinate` (at most one).
static std::optional<unsigned> loopOver(const KernelOp &op, int64_t coordinate) {
  for (auto [loop, value] : llvm::enumerate(op.coordinates))
    if (value == coordinate)
      return loop;
  return std::nullopt;
}

bool KernelOp::dependsOn(OpOperand *operand, int64_t coordinate) {
  std::optional<unsigned> loop = loopOver(*this, coordinate);
  return loop && op.getMatchingIndexingMap(operand).isFunctionOfDim(*loop);
}

/// Whether `expr` is `dim`, or a sum in which `dim` occurs once, with factor one.
static bool isUnitStep(AffineExpr expr, unsigned dim) {
  if (auto position = dyn_cast<AffineDimExpr>(expr))
    return position.getPosition() == dim;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || binary.getKind() != AffineExprKind::Add)
    return false;
  bool left = binary.getLHS().isFunctionOfDim(dim), right = binary.getRHS().isFunctionOfDim(dim);
  return left != right && isUnitStep(left ? binary.getLHS() : binary.getRHS(), dim);
}

/// The `p` of `dim <kind> p`, or 0.
static int64_t divisorOf(AffineExpr expr, unsigned dim, AffineExprKind kind) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || binary.getKind() != kind)
    return 0;
  auto position = dyn_cast<AffineDimExpr>(binary.getLHS());
  auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return position && divisor && position.getPosition() == dim ? divisor.getValue() : 0;
}

bool KernelOp::isContiguous(OpOperand *operand, int64_t coordinate, int64_t panel) {
  std::optional<unsigned> loop = loopOver(*this, coordinate);
  AffineMap map = op.getMatchingIndexingMap(operand);
  if (!loop || !map.getNumResults())
    return false;
  AffineExpr last = map.getResults().back();
  int64_t period = divisorOf(last, *loop, AffineExprKind::Mod);
  if (period ? period % panel != 0 : !isUnitStep(last, *loop))
    return false;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(*loop) &&
        (!period || divisorOf(expr, *loop, AffineExprKind::FloorDiv) != period))
      return false;
  return true;
}

std::optional<std::pair<Value, int64_t>> findLoopSize(linalg::LinalgOp op, unsigned loop) {
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    if (std::optional<unsigned> dim =
            map.getResultPosition(getAffineDimExpr(loop, op->getContext())))
      return std::make_pair(operand->get(), int64_t(*dim));
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

static bool isVectorElement(Type type) { return type.isIntOrIndexOrFloat(); }

bool isVectorizableBody(linalg::LinalgOp op) {
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (isa<linalg::IndexOp, arith::ConstantOp>(inner))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&inner) || inner.getNumResults() != 1 ||
        inner.getNumRegions())
      return false;
    if (!llvm::all_of(inner.getOperandTypes(), isVectorElement) ||
        !isVectorElement(inner.getResult(0).getType()))
      return false;
  }
  return llvm::all_of(op.getBlock()->getArgumentTypes(), isVectorElement);
}

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

Value KernelGroup::destination() {
  if (epilogue)
    return epilogue->op.getDpsInits()[0];
  return (init ? *init : root).op.getDpsInits()[0];
}

RankedTensorType KernelGroup::type() {
  return cast<RankedTensorType>(last().op->getResult(0).getType());
}

/// Whether `map` lists each of `count` dimensions exactly once.
static bool isPermutation(AffineMap map, int64_t count) {
  return map.getNumResults() == count && map.isProjectedPermutation(/*allowZeroInResults=*/false);
}

/// What every operation of a group must be. Returns what is missing, or null.
static const char *checkOp(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInits() != 1 || op->getNumResults() != 1)
    return "expected tensors and one result";
  if (isa<linalg::PackOp, linalg::UnPackOp>(op.getOperation()))
    return "expected no packing";
  if (!isVectorizableBody(op))
    return "expected a body of elementwise operations on integers and floats";
  if (!isPermutation(op.getMatchingIndexingMap(op.getDpsInitOperand(0)), op.getNumParallelLoops()))
    return "expected every parallel loop once in the result's indices";
  for (OpOperand &operand : op->getOpOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.get().getType()); type && type.getEncoding())
      return "expected tensors without encoding";
  return nullptr;
}

/// Adds an elementwise operation whose result is needed at the coordinates `wanted`.
static std::optional<KernelOp> addInit(OpResult result, ArrayRef<int64_t> wanted) {
  auto op = dyn_cast<linalg::LinalgOp>(result.getOwner());
  if (!op || checkOp(op) || op.getNumReductionLoops() ||
      op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)))
    return std::nullopt;
  KernelOp kernel{op, SmallVector<int64_t>(op.getNumLoops(), -1)};
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (auto [position, coordinate] : llvm::enumerate(wanted))
    kernel.coordinates[map.getDimPosition(position)] = coordinate;
  return kernel;
}

FailureOr<KernelGroup> matchKernelGroup(linalg::LinalgOp root, std::string &reason,
                                        bool wantEpilogue) {
  if (const char *missing = checkOp(root)) {
    reason = missing;
    return failure();
  }
  int64_t rank = root.getNumParallelLoops();
  KernelGroup group;
  SmallVector<int64_t> wanted = llvm::to_vector(llvm::seq<int64_t>(0, rank));

  // The reader of the result, if it is the only one and elementwise.
  Value result = root->getResult(0);
  if (wantEpilogue && root.getNumReductionLoops() && result.hasOneUse()) {
    OpOperand &use = *result.getUses().begin();
    auto reader = dyn_cast<linalg::LinalgOp>(use.getOwner());
    if (reader && !checkOp(reader) && !reader.getNumReductionLoops() && reader.isDpsInput(&use) &&
        int64_t(reader.getNumLoops()) == rank &&
        isPermutation(reader.getMatchingIndexingMap(&use), rank)) {
      KernelOp epilogue{reader, SmallVector<int64_t>(rank, -1)};
      AffineMap out = reader.getMatchingIndexingMap(reader.getDpsInitOperand(0));
      for (int64_t position = 0; position < rank; ++position)
        epilogue.coordinates[out.getDimPosition(position)] = position;
      AffineMap in = reader.getMatchingIndexingMap(&use);
      for (int64_t position = 0; position < rank; ++position)
        wanted[position] = epilogue.coordinates[in.getDimPosition(position)];
      group.epilogue = epilogue;
      group.epilogueInput = &use;
    }
  }

  group.root = {root, SmallVector<int64_t>(root.getNumLoops(), -1)};
  AffineMap map = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  for (auto [position, coordinate] : llvm::enumerate(wanted))
    group.root.coordinates[map.getDimPosition(position)] = coordinate;

  if (root.payloadUsesValueFromOperand(root.getDpsInitOperand(0)))
    if (auto producer = dyn_cast<OpResult>(root.getDpsInits()[0]))
      group.init = addInit(producer, wanted);
  return group;
}

} // namespace torchlite
