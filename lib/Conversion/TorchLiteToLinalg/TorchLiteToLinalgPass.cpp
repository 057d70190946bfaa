//===- TorchLiteToLinalgPass.cpp - convert-tl-to-linalg -------------------===//
#include "PopulatePatterns.h"

#include "TorchLite/Conversion/TorchLiteToLinalg.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace torchlite {
#define GEN_PASS_DEF_CONVERTTORCHLITETOLINALGPASS
#include "TorchLite/Conversion/Passes.h.inc"
} // namespace torchlite

using namespace mlir;

namespace {

/// `ui8` becomes `i8`: arith knows signless integers only.
struct SignlessTypeConverter : TypeConverter {
  SignlessTypeConverter() {
    addConversion([](Type type) { return type; });
    addConversion([](IntegerType type) -> Type {
      return type.isSignless() ? type : IntegerType::get(type.getContext(), type.getWidth());
    });
    addConversion([this](RankedTensorType type) -> Type {
      return type.clone(convertType(type.getElementType()));
    });
  }
};

/// Rebuilds operations of other dialects (constants, slices, ...) with converted types.
struct OtherOpConversion : ConversionPattern {
  OtherOpConversion(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (isa<torchlite::tl::TorchLiteDialect>(op->getDialect()))
      return rewriter.notifyMatchFailure(op, "expected an operation of another dialect");
    if (op->getNumRegions() || op->getNumSuccessors())
      return rewriter.notifyMatchFailure(op, "expected neither regions nor successors");
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertTypes(op->getResultTypes(), types)))
      return rewriter.notifyMatchFailure(op, "a result type cannot be converted");
    OperationState state(op->getLoc(), op->getName(), operands, types, op->getAttrs());
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      TypedAttr value = convertConstant(constant.getValue(), types.front());
      if (!value)
        return rewriter.notifyMatchFailure(op, "the constant's value cannot be converted");
      state.attributes.set(constant.getValueAttrName(), value);
    }
    rewriter.replaceOp(op, rewriter.create(state));
    return success();
  }

private:
  static TypedAttr convertConstant(TypedAttr value, Type type) {
    auto shapedType = dyn_cast<ShapedType>(type);
    if (!shapedType)
      return {};
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
      return DenseResourceElementsAttr::get(shapedType, resource.getRawHandle());
    if (auto dense = dyn_cast<DenseElementsAttr>(value))
      return dense.bitcast(shapedType.getElementType());
    return {};
  }
};

/// `fill` as an operation that no pattern takes for one.
Value writeOut(linalg::FillOp fill) {
  OpBuilder builder(fill);
  auto type = cast<RankedTensorType>(fill.getResult(0).getType());
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  Value value = fill.getInputs()[0];
  return linalg::GenericOp::create(builder, fill.getLoc(), type, ValueRange(), fill.getOutputs(),
                                   builder.getMultiDimIdentityMap(type.getRank()), loops,
                                   [&](OpBuilder &nested, Location loc, ValueRange) {
                                     linalg::YieldOp::create(nested, loc, value);
                                   })
      ->getResult(0);
}

/// MLIR's FoldInsertPadIntoFill (22.1) drops the padding of what is inserted into a filled tensor,
/// and inserts further on instead, but by no more where the insertion has steps: wrong elements. So
/// there are no fills below insertions with steps.
void protectInsertions(Operation *root) {
  root->walk([](tensor::InsertSliceOp insert) {
    if (insert.hasUnitStride())
      return;
    OpOperand *use = &insert.getDestMutable();
    while (Operation *definition = use->get().getDefiningOp()) {
      if (auto fill = dyn_cast<linalg::FillOp>(definition))
        use->set(writeOut(fill));
      if (auto inner = dyn_cast<tensor::InsertSliceOp>(definition))
        use = &inner.getDestMutable();
      else if (isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(definition))
        use = &definition->getOpOperand(0);
      else
        return;
    }
  });
}

struct ConvertTorchLiteToLinalg
    : torchlite::impl::ConvertTorchLiteToLinalgPassBase<ConvertTorchLiteToLinalg> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    SignlessTypeConverter converter;
    RewritePatternSet patterns(context);
    ConversionTarget target(*context);

    target.addIllegalDialect<torchlite::tl::TorchLiteDialect>();
    // The state's declarations describe the model to the runtime; like other metadata they keep
    // ui8.
    target.addLegalOp<torchlite::tl::CheckOp, torchlite::tl::StateOp, ModuleOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType()) && converter.isLegal(&op.getBody());
    });
    target.markUnknownOpDynamicallyLegal([&](Operation *op) { return converter.isLegal(op); });

    torchlite::populateCallOperatorPatterns(converter, patterns);
    torchlite::populateContractionToLinalgPatterns(converter, patterns);
    torchlite::populateControlFlowToLinalgPatterns(converter, patterns);
    torchlite::populateElementwiseToLinalgPatterns(converter, patterns);
    torchlite::populateIndexingToLinalgPatterns(converter, patterns);
    torchlite::populateMatrixToLinalgPatterns(converter, patterns);
    torchlite::populateNormalizationToLinalgPatterns(converter, patterns);
    torchlite::populatePoolingToLinalgPatterns(converter, patterns);
    torchlite::populateRandomPatterns(converter, patterns);
    torchlite::populateReductionToLinalgPatterns(converter, patterns);
    torchlite::populateResizeToLinalgPatterns(converter, patterns);
    torchlite::populateShapeToLinalgPatterns(converter, patterns);
    patterns.add<OtherOpConversion>(converter, context);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns, converter);
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns, target);

    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      return signalPassFailure();
    protectInsertions(getOperation());
  }
};

} // namespace
