//===- Matrix.cpp - Factorisations of matrices to tlrt.matrices -----------===//
//
// The operand becomes the first of `outs`: bufferization copies it where it is still used.
//
//===----------------------------------------------------------------------===//
#include "LinalgBuilder.h"
#include "PopulatePatterns.h"

#include "TorchLite/Dialect/Runtime/IR/MatrixOps.h"

using namespace mlir;
using namespace torchlite;
using namespace torchlite::tl;

namespace {

/// What a kind takes beside its matrix.
struct Parts {
  rt::MatrixKind kind;
  ValueRange inputs;
  bool upper = false, unit = false, reverse = false;
};

template <typename OpTy> struct MatrixOpConversion : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  using OpAdaptor = typename OpTy::Adaptor;

  LogicalResult replace(OpTy op, Value matrix, Parts parts,
                        ConversionPatternRewriter &rewriter) const {
    LinalgBuilder build(rewriter, op.getLoc());
    ReifiedRankedShapedTypeDims shapes;
    if (failed(op.reifyResultShapes(rewriter, shapes)))
      return rewriter.notifyMatchFailure(op, "expected sizes of the results");
    SmallVector<Value> places = {matrix};
    for (auto [result, sizes] : llvm::drop_begin(llvm::zip(op->getResults(), shapes)))
      places.push_back(build.empty(getElementTypeOrSelf(result.getType()), sizes));
    auto matrices =
        rt::MatricesOp::create(rewriter, op.getLoc(), ValueRange(places).getTypes(), parts.kind,
                               parts.upper, parts.unit, parts.reverse, parts.inputs, places);
    SmallVector<Value> results;
    for (auto [value, result] : llvm::zip(matrices.getResults(), op->getResults()))
      results.push_back(build.castTo(value, result.getType()));
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct LUOpConversion : MatrixOpConversion<LUOp> {
  using MatrixOpConversion::MatrixOpConversion;
  LogicalResult matchAndRewrite(LUOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    return replace(op, adaptor.getInput(), {rt::MatrixKind::LU, {}}, rewriter);
  }
};

struct SwapRowsOpConversion : MatrixOpConversion<SwapRowsOp> {
  using MatrixOpConversion::MatrixOpConversion;
  LogicalResult matchAndRewrite(SwapRowsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value pivots = adaptor.getPivots();
    return replace(op, adaptor.getInput(),
                   {rt::MatrixKind::SwapRows, pivots, false, false, op.getReverse()}, rewriter);
  }
};

struct CholeskyOpConversion : MatrixOpConversion<CholeskyOp> {
  using MatrixOpConversion::MatrixOpConversion;
  LogicalResult matchAndRewrite(CholeskyOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    return replace(op, adaptor.getInput(), {rt::MatrixKind::Cholesky, {}, op.getUpper()}, rewriter);
  }
};

struct TriangularSolveOpConversion : MatrixOpConversion<TriangularSolveOp> {
  using MatrixOpConversion::MatrixOpConversion;
  LogicalResult matchAndRewrite(TriangularSolveOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value triangle = adaptor.getMatrix();
    return replace(op, adaptor.getRhs(),
                   {rt::MatrixKind::TriangularSolve, triangle, op.getUpper(), op.getUnit()},
                   rewriter);
  }
};

struct HouseholderOpConversion : MatrixOpConversion<HouseholderOp> {
  using MatrixOpConversion::MatrixOpConversion;
  LogicalResult matchAndRewrite(HouseholderOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    return replace(op, adaptor.getInput(), {rt::MatrixKind::Householder, {}}, rewriter);
  }
};

struct ReflectOpConversion : MatrixOpConversion<ReflectOp> {
  using MatrixOpConversion::MatrixOpConversion;
  LogicalResult matchAndRewrite(ReflectOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value inputs[] = {adaptor.getVectors(), adaptor.getScales()};
    return replace(op, adaptor.getInput(),
                   {rt::MatrixKind::Reflect, inputs, false, false, op.getTransposed()}, rewriter);
  }
};

struct OrthogonalizeOpConversion : MatrixOpConversion<OrthogonalizeOp> {
  using MatrixOpConversion::MatrixOpConversion;
  LogicalResult matchAndRewrite(OrthogonalizeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    return replace(op, adaptor.getInput(), {rt::MatrixKind::Orthogonalize, {}}, rewriter);
  }
};

/// Both parts are replaced; as much memory again is needed on the way.
struct FourierOpConversion : OpConversionPattern<FourierOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(FourierOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder build(rewriter, op.getLoc());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), adaptor.getRe());
    Type element = getElementTypeOrSelf(op.getReResult().getType());
    Value places[] = {adaptor.getRe(), adaptor.getIm(), build.empty(element, sizes),
                      build.empty(element, sizes)};
    auto matrices = rt::MatricesOp::create(
        rewriter, op.getLoc(), ValueRange(places).getTypes(), rt::MatrixKind::Fourier,
        /*upper=*/false, /*unit=*/false, /*reverse=*/false, adaptor.getTable(), places);
    rewriter.replaceOp(op, {build.castTo(matrices.getResult(0), op.getReResult().getType()),
                            build.castTo(matrices.getResult(1), op.getImResult().getType())});
    return success();
  }
};
} // namespace

void torchlite::populateMatrixToLinalgPatterns(const TypeConverter &converter,
                                               RewritePatternSet &patterns) {
  patterns.add<CholeskyOpConversion, FourierOpConversion, HouseholderOpConversion, LUOpConversion,
               OrthogonalizeOpConversion, ReflectOpConversion, SwapRowsOpConversion,
               TriangularSolveOpConversion>(converter, patterns.getContext());
}
