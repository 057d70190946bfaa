//===- LowerToLLVM.cpp - Everything that is left to the LLVM dialect ------===//
#include "TorchLite/Codegen/Common/Passes.h"

#include "LowerBoxes.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ComplexToLLVM/ComplexToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace torchlite {
#define GEN_PASS_DEF_LOWERTOLLVM
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

/// Makes calls of libm of the mathematical functions that processors have no instructions for. The
/// others stay for LLVM, which knows them on vectors.
LogicalResult callMathLibrary(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  populateMathToLibmConversionPatterns(patterns);
  ConversionTarget target(*module.getContext());
  target.addIllegalDialect<math::MathDialect>();
  target.addLegalOp<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp,
                    math::CountLeadingZerosOp, math::CountTrailingZerosOp, math::CtPopOp,
                    math::FloorOp, math::FmaOp, math::IsFiniteOp, math::IsInfOp, math::IsNaNOp,
                    math::RoundEvenOp, math::SqrtOp, math::TruncOp>();
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  return applyPartialConversion(module, target, std::move(patterns));
}

/// A function with more calls than this keeps them as calls, and so does one that is called more
/// often: LLVM's work grows with the square of the number of loops in a function, and beside that
/// many kernels a call is nothing.
constexpr unsigned maxInlinedCalls = 64;

void keepManyCalls(ModuleOp module) {
  SymbolTable symbols(module);
  DenseMap<Operation *, unsigned> calls;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    SmallVector<LLVM::LLVMFuncOp> callees;
    function.walk([&](LLVM::CallOp call) {
      if (auto name = call.getCallee())
        if (auto callee = symbols.lookup<LLVM::LLVMFuncOp>(*name); callee && !callee.isExternal())
          callees.push_back(callee);
    });
    for (LLVM::LLVMFuncOp callee : callees)
      if (++calls[callee] > maxInlinedCalls || callees.size() > maxInlinedCalls)
        callee.setNoInline(true);
  }
}

struct LowerToLLVM : impl::LowerToLLVMBase<LowerToLLVM> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // An element of i1 is a byte in memory, but a vector of i1 would be loaded as packed bits.
    WalkResult packed = module.walk([&](Operation *op) {
      if (!isa<vector::LoadOp, vector::StoreOp, vector::TransferReadOp, vector::TransferWriteOp,
               vector::MaskedLoadOp, vector::MaskedStoreOp>(op))
        return WalkResult::advance();
      for (Type type : op->getOperandTypes())
        if (auto memref = dyn_cast<MemRefType>(type);
            memref && memref.getElementType().isInteger(1)) {
          op->emitError("expected vectors of bytes in memory, but got vectors of bits");
          return WalkResult::interrupt();
        }
      return WalkResult::advance();
    });
    if (packed.wasInterrupted())
      return signalPassFailure();

    // Vectors of one dimension, read and written in order, become plain loads and stores.
    RewritePatternSet vectors(&getContext());
    vector::populateVectorTransferLoweringPatterns(vectors, /*maxTransferRank=*/1);
    vector::populateVectorBroadcastLoweringPatterns(vectors);
    vector::populateVectorShapeCastLoweringPatterns(vectors);
    vector::populateVectorStepLoweringPatterns(vectors);
    vector::populateVectorTransposeLoweringPatterns(vectors,
                                                    vector::VectorTransposeLowering::EltWise);
    if (failed(applyPatternsGreedily(module, std::move(vectors))))
      return signalPassFailure();

    if (failed(callMathLibrary(module)))
      return signalPassFailure();

    LLVMTypeConverter converter(&getContext());
    addBoxConversion(converter);
    RewritePatternSet patterns(&getContext());
    SymbolTableCollection symbols;
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);
    populateComplexToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns, &symbols);
    populateFuncToLLVMConversionPatterns(converter, patterns, &symbols);
    populateMathToLLVMConversionPatterns(converter, patterns, /*approximateLog1p=*/false);
    populateVectorToLLVMConversionPatterns(converter, patterns);

    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp>();
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      return signalPassFailure();

    for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
      if (function.isExternal())
        continue;
      function.setDsoLocal(true);
      if (function->hasAttr("tl.method"))
        function.setVisibility_(LLVM::Visibility::Hidden);
      else
        function.setLinkage(LLVM::Linkage::Internal);
    }
    keepManyCalls(module);
    for (auto global : module.getOps<LLVM::GlobalOp>())
      if (global.getLinkage() == LLVM::Linkage::Private)
        global.setDsoLocal(true);
  }
};

} // namespace
} // namespace torchlite
