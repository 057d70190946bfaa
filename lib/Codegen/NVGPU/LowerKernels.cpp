//===- LowerKernels.cpp - Kernels to the LLVM dialect and NVVM ------------===//
#include "TorchLite/Codegen/Common/HalfFloats.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Codegen/NVGPU/TargetInfo.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ComplexToLLVM/ComplexToLLVM.h"
#include "mlir/Conversion/ComplexToStandard/ComplexToStandard.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/GPUCommon/GPUCommonPass.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/NVGPUToNVVM/NVGPUToNVVM.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Affine/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringExtras.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_LOWERKERNELS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

/// The widest access of one thread, and what every buffer is aligned to.
constexpr int64_t maxAlignment = 16;

/// Kernels have names that PTX can spell, and take pointers and numbers: what the runtime can pass
/// by address.
LogicalResult checkSignatures(gpu::GPUModuleOp module) {
  for (auto kernel : module.getOps<gpu::GPUFuncOp>()) {
    if (!llvm::all_of(kernel.getName(), [](char c) { return llvm::isAlnum(c) || c == '_'; }))
      return kernel.emitError("expected a name of letters, digits and underscores");
    for (BlockArgument argument : kernel.getArguments()) {
      Type type = argument.getType();
      auto memref = dyn_cast<MemRefType>(type);
      bool isPointer = memref && memref.getRank() == 0 && memref.getLayout().isIdentity();
      if (!isPointer && !type.isIntOrIndexOrFloat())
        return kernel.emitError("expected kernels to take numbers and memrefs of rank 0, but "
                                "argument ")
               << argument.getArgNumber() << " is " << type;
    }
  }
  return success();
}

template <typename Op> LogicalResult alignAccess(Op op, VectorType type) {
  if (op.getBase().getType().getElementType().isInteger(1))
    return op.emitError("expected vectors of bytes in memory, but got vectors of bits");
  if (op.getAlignment() || type.getRank() != 1)
    return success();
  if (!type.getElementType().isIntOrFloat())
    return success();
  int64_t bytes = llvm::divideCeil(type.getNumElements() * type.getElementTypeBitWidth(), 8);
  if (llvm::isPowerOf2_64(bytes))
    op.setAlignment(std::min(bytes, maxAlignment));
  return success();
}

/// A vector that a kernel loads or stores is aligned to its size, up to 16 bytes: that is one
/// access instead of one per element. Transfers promise nothing, and keep their elements'
/// alignment.
LogicalResult alignAccesses(gpu::GPUModuleOp module) {
  WalkResult result = module.walk([](Operation *op) -> WalkResult {
    if (auto load = dyn_cast<vector::LoadOp>(op))
      return alignAccess(load, load.getVectorType());
    if (auto store = dyn_cast<vector::StoreOp>(op))
      return alignAccess(store, store.getVectorType());
    if (isa<vector::TransferReadOp, vector::TransferWriteOp, vector::MaskedLoadOp,
            vector::MaskedStoreOp>(op))
      for (Type type : op->getOperandTypes())
        if (auto memref = dyn_cast<MemRefType>(type);
            memref && memref.getElementType().isInteger(1))
          return op->emitError("expected vectors of bytes in memory, but got vectors of bits");
    return success();
  });
  return failure(result.wasInterrupted());
}

/// Shuffles move 32 bits: narrower values travel in an integer.
struct WidenShuffle : OpRewritePattern<gpu::ShuffleOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(gpu::ShuffleOp op, PatternRewriter &rewriter) const override {
    Type type = op.getValue().getType();
    if (!type.isIntOrFloat() || type.getIntOrFloatBitWidth() >= 32)
      return rewriter.notifyMatchFailure(op, "expected a number of less than 32 bits");
    Location loc = op.getLoc();
    Type bits = rewriter.getIntegerType(type.getIntOrFloatBitWidth());
    Value value = op.getValue();
    if (type != bits)
      value = arith::BitcastOp::create(rewriter, loc, bits, value);
    value = arith::ExtUIOp::create(rewriter, loc, rewriter.getI32Type(), value);
    auto shuffle =
        gpu::ShuffleOp::create(rewriter, loc, value, op.getOffset(), op.getWidth(), op.getMode());
    value = arith::TruncIOp::create(rewriter, loc, bits, shuffle.getShuffleResult());
    if (type != bits)
      value = arith::BitcastOp::create(rewriter, loc, type, value);
    rewriter.replaceOp(op, {value, shuffle.getValid()});
    return success();
  }
};

struct FoldSubgroupSize : OpRewritePattern<gpu::SubgroupSizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(gpu::SubgroupSizeOp op, PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<arith::ConstantIndexOp>(op, warpSize);
    return success();
  }
};

/// Transfers and arithmetic on vectors of several dimensions become those on vectors of one.
LogicalResult unrollVectors(gpu::GPUModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  populateVectorToSCFConversionPatterns(patterns, VectorTransferToSCFOptions().enableFullUnroll());
  vector::populateVectorContractLoweringPatterns(patterns,
                                                 vector::VectorContractLowering::OuterProduct);
  vector::populateVectorOuterProductLoweringPatterns(patterns);
  vector::populateVectorMultiReductionLoweringPatterns(
      patterns, vector::VectorMultiReductionLowering::InnerParallel);
  return applyPatternsGreedily(module, std::move(patterns));
}

/// Rewrites within the dialects that kernels are written in: to what the conversion takes.
LogicalResult simplifyOperations(gpu::GPUModuleOp module) {
  MLIRContext *context = module.getContext();
  RewritePatternSet patterns(context);
  affine::populateAffineExpandIndexOpsPatterns(patterns);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  math::populateExpansionPatterns(patterns, {"clampf"});
  memref::populateExpandStridedMetadataPatterns(patterns);
  patterns.add<FoldSubgroupSize, WidenShuffle>(context);
  populateGpuShufflePatterns(patterns);
  populateGpuGlobalIdPatterns(patterns);
  populateGpuSubgroupIdPatterns(patterns);
  vector::populateVectorBroadcastLoweringPatterns(patterns);
  vector::populateVectorGatherLoweringPatterns(patterns);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
  vector::populateVectorInterleaveLoweringPatterns(patterns);
  vector::populateVectorMaskMaterializationPatterns(patterns, /*force32BitVectorIndices=*/false);
  vector::populateVectorMaskOpLoweringPatterns(patterns);
  vector::populateVectorRankReducingFMAPattern(patterns);
  vector::populateVectorShapeCastLoweringPatterns(patterns);
  vector::populateVectorStepLoweringPatterns(patterns);
  vector::populateVectorTransferLoweringPatterns(patterns, /*maxTransferRank=*/1);
  vector::populateVectorTransposeLoweringPatterns(patterns,
                                                  vector::VectorTransposeLowering::EltWise);
  return applyPatternsGreedily(module, std::move(patterns));
}

/// Loops become branches, affine maps arithmetic; operations on complex numbers, on real ones.
LogicalResult lowerControlFlow(gpu::GPUModuleOp module) {
  MLIRContext *context = module.getContext();
  RewritePatternSet patterns(context);
  populateAffineToStdConversionPatterns(patterns);
  populateSCFToControlFlowConversionPatterns(patterns);
  populateComplexToStandardConversionPatterns(patterns);
  ConversionTarget target(*context);
  target.addIllegalDialect<affine::AffineDialect, scf::SCFDialect, complex::ComplexDialect>();
  // These only put numbers together and take them apart.
  target.addLegalOp<complex::CreateOp, complex::ReOp, complex::ImOp, complex::ConstantOp,
                    complex::BitcastOp>();
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  return applyPartialConversion(module, target, std::move(patterns));
}

/// Everything else to the LLVM dialect, NVVM, and calls of libdevice.
LogicalResult convertToLLVM(gpu::GPUModuleOp module) {
  MLIRContext *context = module.getContext();
  LowerToLLVMOptions options(context);
  options.useBarePtrCallConv = true;
  options.overrideIndexBitwidth(64);
  LLVMTypeConverter converter(context, options);
  configureGpuToNVVMTypeConverter(converter);

  RewritePatternSet patterns(context);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  index::populateIndexToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  populateComplexToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateGpuToNVVMConversionPatterns(converter, patterns);
  populateGpuWMMAToNVVMConversionPatterns(converter, patterns);
  populateLibDeviceConversionPatterns(converter, patterns, /*benefit=*/2);
  populateMathToLLVMConversionPatterns(converter, patterns, /*approximateLog1p=*/false);
  populateVectorToLLVMConversionPatterns(converter, patterns);

  LLVMConversionTarget target(*context);
  configureGpuToNVVMConversionLegality(target);
  target.addIllegalDialect<arith::ArithDialect, cf::ControlFlowDialect, complex::ComplexDialect,
                           gpu::GPUDialect, math::MathDialect, memref::MemRefDialect,
                           vector::VectorDialect>();
  target.addLegalOp<gpu::GPUModuleOp>();
  return applyPartialConversion(module, target, std::move(patterns));
}

/// The NVVM operations that are instructions written out, as inline assembly.
LogicalResult writeInstructions(gpu::GPUModuleOp module) {
  MLIRContext *context = module.getContext();
  RewritePatternSet patterns(context);
  populateNVVMToLLVMConversionPatterns(patterns);
  SmallVector<UnrealizedConversionCastOp> casts;
  module.walk([&](UnrealizedConversionCastOp cast) { casts.push_back(cast); });
  reconcileUnrealizedCasts(casts);
  return applyPatternsGreedily(module, std::move(patterns));
}

struct LowerKernels : impl::LowerKernelsBase<LowerKernels> {
  void runOnOperation() override {
    gpu::GPUModuleOp module = getOperation();
    if (failed(checkSignatures(module)) || failed(alignAccesses(module)))
      return signalPassFailure();
    computeHalfFloatsInF32(module);
    // Before control flow: asynchronous copies hand tokens on through loops.
    OpPassManager instructions(gpu::GPUModuleOp::getOperationName());
    instructions.addPass(createConvertNVGPUToNVVMPass());
    if (failed(unrollVectors(module)) || failed(simplifyOperations(module)) ||
        failed(runPipeline(instructions, module)) || failed(lowerControlFlow(module)) ||
        failed(convertToLLVM(module)) || failed(writeInstructions(module)))
      return signalPassFailure();

    // Dynamic shared memory is declared; a definition would be a static byte before it.
    for (auto global : module.getOps<LLVM::GlobalOp>())
      if (auto array = dyn_cast<LLVM::LLVMArrayType>(global.getGlobalType());
          array && array.getNumElements() == 0)
        global.setLinkage(LLVM::Linkage::External);

    // Launches have exactly the block size that kernels are made for: more to know than a limit.
    // Other kernels must leave registers for as many threads as there may be.
    for (auto kernel : module.getOps<LLVM::LLVMFuncOp>()) {
      if (!kernel->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
        continue;
      StringRef limit = NVVM::NVVMDialect::getMaxntidAttrName();
      if (Attribute size = kernel->removeAttr(limit))
        kernel->setAttr(NVVM::NVVMDialect::getReqntidAttrName(), size);
      else
        kernel->setAttr(limit, DenseI32ArrayAttr::get(&getContext(), {maxThreadsPerBlock, 1, 1}));
    }

    WalkResult left = module.walk([&](Operation *op) {
      if (op == module || isa<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()))
        return WalkResult::advance();
      op->emitError("expected kernels to be lowered to the LLVM dialect, but '")
          << op->getName() << "' is left";
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace torchlite::nvgpu
