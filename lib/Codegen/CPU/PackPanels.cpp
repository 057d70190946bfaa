//===- PackPanels.cpp - Weights in the order that kernels read them ----===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "TorchLite/Codegen/Common/ConstantData.h"
#include "TorchLite/Codegen/Common/KernelGroup.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Matchers.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_PACKPANELS
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

struct PackPanels : impl::PackPanelsBase<PackPanels> {
  using PackPanelsBase::PackPanelsBase;

  LogicalResult initialize(MLIRContext *context) override {
    info = lookupTargetInfo(target);
    if (info)
      return success();
    return emitError(UnknownLoc::get(context))
           << "expected target avx512, avx2, sse, neon or scalar, got '" << target << "'";
  }

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> roots;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (op.getNumReductionLoops())
        roots.push_back(op);
    });
    for (linalg::LinalgOp root : roots) {
      std::string reason;
      FailureOr<KernelGroup> group = matchKernelGroup(root, reason);
      if (succeeded(group) && group->epilogue && readsWindowsAlongColumns(*group))
        group = matchKernelGroup(root, reason, /*wantEpilogue=*/false);
      if (failed(group) || !group->rank())
        continue;
      for (OpOperand *operand : root.getDpsInputOperands())
        if (pack(*group, operand))
          break;
    }
  }

private:
  /// Whether the columns of the epilogue's result are a dimension in which the root reads windows
  /// that are not contiguous there: no kernel takes such an epilogue, and transposing the operand
  /// is no help.
  static bool readsWindowsAlongColumns(KernelGroup &group) {
    int64_t column = group.rank() - 1;
    return llvm::any_of(group.root.op.getDpsInputOperands(), [&](OpOperand *operand) {
      return !group.root.op.getMatchingIndexingMap(operand).isProjectedPermutation() &&
             group.root.op.payloadUsesValueFromOperand(operand) &&
             group.root.dependsOn(operand, column) &&
             !group.root.isContiguous(operand, column, /*panel=*/1);
    });
  }

  /// Packs `operand` if it is a weight; the root is then another operation.
  bool pack(KernelGroup &group, OpOperand *operand) {
    KernelOp &root = group.root;
    ElementsAttr constant;
    if (!matchPattern(operand->get(), m_Constant(&constant)))
      return false;
    auto type = dyn_cast<RankedTensorType>(operand->get().getType());
    AffineMap map = root.op.getMatchingIndexingMap(operand);
    int64_t column = group.rank() - 1;
    if (!type || !type.hasStaticShape() || type.getNumElements() == 0 ||
        !map.isProjectedPermutation() || !root.dependsOn(operand, column) ||
        !root.op.payloadUsesValueFromOperand(operand))
      return false;
    // Only where another operand is broadcast over the columns: a contraction.
    if (llvm::none_of(root.op.getDpsInputOperands(), [&](OpOperand *other) {
          return other != operand && !root.dependsOn(other, column);
        }))
      return false;

    // Source dimensions by kind: column, and the rest in loop order, reductions last.
    MLIRContext *context = &getContext();
    SmallVector<std::pair<unsigned, int64_t>> outer, reductions; // loop, source dimension
    std::optional<unsigned> columnLoop;
    int64_t columnDim = 0;
    for (unsigned loop = 0; loop < root.coordinates.size(); ++loop) {
      std::optional<unsigned> dim = map.getResultPosition(getAffineDimExpr(loop, context));
      if (!dim)
        continue;
      if (root.coordinates[loop] == column) {
        columnLoop = loop;
        columnDim = *dim;
      } else {
        (root.coordinates[loop] < 0 ? reductions : outer).push_back({loop, *dim});
      }
    }
    if (!columnLoop || reductions.empty())
      return false;

    int64_t columns = type.getDimSize(columnDim);
    int64_t lanes = info->lanes(type.getElementTypeBitWidth());
    int64_t panel = std::min(info->columnVectors * lanes, int64_t(llvm::alignTo(columns, lanes)));
    int64_t panels = llvm::divideCeil(columns, panel);

    SmallVector<LayoutDim> layout;
    SmallVector<AffineExpr> exprs;
    for (auto [loop, dim] : outer) {
      layout.push_back({type.getDimSize(dim), int64_t(dim), 1});
      exprs.push_back(getAffineDimExpr(loop, context));
    }
    AffineExpr columnExpr = getAffineDimExpr(*columnLoop, context);
    layout.push_back({panels, columnDim, panel});
    exprs.push_back(columnExpr.floorDiv(panel));
    for (auto [loop, dim] : reductions) {
      layout.push_back({type.getDimSize(dim), int64_t(dim), 1});
      exprs.push_back(getAffineDimExpr(loop, context));
    }
    layout.push_back({panel, columnDim, 1});
    exprs.push_back(columnExpr % panel);

    // The same constant may be read in several ways; a way is the source dimensions in order.
    SmallVector<AffineExpr> order;
    for (LayoutDim dim : layout)
      order.push_back(getAffineDimExpr(dim.source, context) * dim.factor);
    ElementsAttr &packed = cache[{constant, AffineMap::get(type.getRank(), 0, order, context)}];
    if (!packed)
      packed = rearrange(constant, layout, "_packed");
    if (!packed)
      return false;

    // Indices with floordiv and mod need the general form, which replaces the operation and so its
    // operands.
    unsigned number = operand->getOperandNumber();
    Operation *unpacked = operand->get().getDefiningOp();
    IRRewriter rewriter(context);
    rewriter.setInsertionPoint(root.op);
    linalg::GenericOp generic;
    if (auto already = dyn_cast<linalg::GenericOp>(root.op.getOperation())) {
      generic = already;
    } else {
      FailureOr<linalg::GenericOp> converted = linalg::generalizeNamedOp(rewriter, root.op);
      if (failed(converted))
        return false;
      generic = *converted;
    }
    rewriter.setInsertionPoint(generic);
    Value value = arith::ConstantOp::create(rewriter, generic.getLoc(), cast<TypedAttr>(packed));
    SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
    maps[number] = AffineMap::get(map.getNumDims(), 0, exprs, context);
    rewriter.modifyOpInPlace(generic, [&] {
      generic->setOperand(number, value);
      generic.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
    if (unpacked->use_empty())
      rewriter.eraseOp(unpacked);
    ++numPacked;
    return true;
  }

  const TargetInfo *info = nullptr;
  /// Packed forms by constant and by the map that tells the layout.
  DenseMap<std::pair<Attribute, AffineMap>, ElementsAttr> cache;
};

} // namespace
} // namespace torchlite::cpu
