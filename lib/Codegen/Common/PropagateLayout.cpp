//===- PropagateLayout.cpp - Moves transpositions until they cancel -------===//
#include "TorchLite/Codegen/Common/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace torchlite {
#define GEN_PASS_DEF_PROPAGATELAYOUTPASS
#include "TorchLite/Codegen/Common/Passes.h.inc"
} // namespace torchlite

using namespace mlir;

// Throughout, dimension i of a transposition's result is dimension permutation[i] of its input.

/// The transposition that makes `value`, if one does.
static linalg::TransposeOp getTranspose(Value value) {
  auto transpose = value.getDefiningOp<linalg::TransposeOp>();
  return transpose && transpose.hasPureTensorSemantics() ? transpose : nullptr;
}

static Value createTranspose(OpBuilder &builder, Location loc, Value input,
                             ArrayRef<int64_t> permutation) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, input);
  applyPermutationToVector(sizes, permutation);
  Value init = tensor::EmptyOp::create(builder, loc, sizes, getElementTypeOrSelf(input));
  return linalg::TransposeOp::create(builder, loc, input, init, permutation)->getResult(0);
}

/// What belongs to the dimensions of a transposition's result, in the order of its input.
template <typename T>
static SmallVector<T> toInputOrder(ArrayRef<T> values, ArrayRef<int64_t> permutation) {
  return applyPermutation(values, invertPermutationVector(permutation));
}

/// A map to the result of a transposition as one to its input.
static AffineMap toInputMap(AffineMap map, ArrayRef<int64_t> permutation) {
  return AffineMap::get(map.getNumDims(), map.getNumSymbols(),
                        toInputOrder(map.getResults(), permutation), map.getContext());
}

namespace {

/// A linalg.generic that copies a tensor with its dimensions in another order is a transposition.
struct RaiseTranspose : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1)
      return rewriter.notifyMatchFailure(op, "expected one input and one result, tensors");
    auto yield = cast<linalg::YieldOp>(op.getBody()->getTerminator());
    if (yield.getOperand(0) != op.getBody()->getArgument(0))
      return rewriter.notifyMatchFailure(op, "expected a body that copies");
    AffineMap read = op.getIndexingMapsArray()[0], written = op.getIndexingMapsArray()[1];
    if (!read.isPermutation() || !written.isIdentity() || read.isIdentity())
      return rewriter.notifyMatchFailure(op, "expected a permutation");
    // Dimension k of the input is read at loop results[k].
    SmallVector<int64_t> loops;
    for (AffineExpr result : read.getResults())
      loops.push_back(cast<AffineDimExpr>(result).getPosition());
    rewriter.replaceOpWithNewOp<linalg::TransposeOp>(op, op.getInputs()[0], op.getOutputs()[0],
                                                     invertPermutationVector(loops));
    return success();
  }
};

/// Two transpositions are one, or none.
struct ComposeTransposes : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "expected tensors");
    if (isIdentityPermutation(op.getPermutation())) {
      rewriter.replaceOp(op, op.getInput());
      return success();
    }
    linalg::TransposeOp inner = getTranspose(op.getInput());
    if (!inner)
      return rewriter.notifyMatchFailure(op, "expected a transposed input");
    SmallVector<int64_t> permutation =
        applyPermutation(inner.getPermutation(), op.getPermutation());
    Value result = inner.getInput();
    if (!isIdentityPermutation(permutation))
      result = createTranspose(rewriter, op.getLoc(), result, permutation);
    if (result.getType() != op->getResult(0).getType())
      result = tensor::CastOp::create(rewriter, op.getLoc(), op->getResult(0).getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// A linalg.generic that reads a transposed tensor of full rank runs its loops in the order of the
/// tensor before transposition. Results of full rank come out in that order, too, and are
/// transposed; results of reductions stay as they are.
struct SinkThroughGeneric : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "expected tensors");
    linalg::TransposeOp leader;
    for (OpOperand *operand : op.getDpsInputOperands())
      if (!leader && op.getMatchingIndexingMap(operand).isIdentity())
        leader = getTranspose(operand->get());
    if (!leader)
      return rewriter.notifyMatchFailure(op, "expected a transposed input that the loops follow");
    ArrayRef<int64_t> permutation = leader.getPermutation();
    for (OpOperand *operand : op.getDpsInputOperands()) {
      if (!op.getMatchingIndexingMap(operand).isPermutation() ||
          matchPattern(operand->get(), m_Constant()))
        continue;
      linalg::TransposeOp other = getTranspose(operand->get());
      if (!other || other.getPermutation() != permutation)
        return rewriter.notifyMatchFailure(op, "expected all inputs to be transposed alike");
    }
    for (OpOperand &init : op.getDpsInitsMutable())
      if (isTransposed(op, init) && op.payloadUsesValueFromOperand(&init))
        return rewriter.notifyMatchFailure(op, "expected initial values that are not read");

    // Loop i becomes loop permutation[i].
    unsigned loops = op.getNumLoops();
    SmallVector<AffineExpr> renamed;
    for (int64_t to : permutation)
      renamed.push_back(rewriter.getAffineDimExpr(to));
    auto rename = [&](AffineMap map) { return map.replaceDimsAndSymbols(renamed, {}, loops, 0); };
    SmallVector<Value> inputs, inits;
    SmallVector<AffineMap> maps;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      Value value = operand->get();
      if (linalg::TransposeOp transpose = getTranspose(value)) {
        value = transpose.getInput();
        map = toInputMap(map, transpose.getPermutation());
      }
      inputs.push_back(value);
      maps.push_back(rename(map));
    }
    for (OpOperand &init : op.getDpsInitsMutable()) {
      AffineMap map = op.getMatchingIndexingMap(&init);
      Value value = init.get();
      if (isTransposed(op, init)) {
        SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), value);
        value = tensor::EmptyOp::create(rewriter, op.getLoc(),
                                        toInputOrder<OpFoldResult>(sizes, permutation),
                                        getElementTypeOrSelf(value));
        map = toInputMap(map, permutation);
      }
      inits.push_back(value);
      maps.push_back(rename(map));
    }
    SmallVector<utils::IteratorType> iterators =
        toInputOrder<utils::IteratorType>(op.getIteratorTypesArray(), permutation);
    auto sunk = linalg::GenericOp::create(rewriter, op.getLoc(), ValueRange(inits).getTypes(),
                                          inputs, inits, maps, iterators);
    rewriter.inlineRegionBefore(op.getRegion(), sunk.getRegion(), sunk.getRegion().begin());
    sunk.walk([&](linalg::IndexOp index) {
      if (index->getParentOp() == sunk)
        index.setDim(permutation[index.getDim()]);
    });
    SmallVector<Value> results;
    for (auto [init, result] : llvm::zip_equal(op.getDpsInitsMutable(), sunk.getResults())) {
      Value value = result;
      if (isTransposed(op, init))
        value = createTranspose(rewriter, op.getLoc(), value, permutation);
      if (value.getType() != init.get().getType())
        value = tensor::CastOp::create(rewriter, op.getLoc(), init.get().getType(), value);
      results.push_back(value);
    }
    rewriter.replaceOp(op, results);
    return success();
  }

  /// Whether the result of this operand follows the loops, and so comes out transposed.
  static bool isTransposed(linalg::GenericOp op, OpOperand &init) {
    return op.getMatchingIndexingMap(&init).isIdentity();
  }
};

/// A transposed input that the loops do not follow (it is broadcast) is read as it was before.
struct AbsorbIntoGeneric : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "expected tensors");
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    SmallVector<Value> inputs(op.getInputs());
    bool isChanged = false;
    for (auto [i, input] : llvm::enumerate(inputs)) {
      linalg::TransposeOp transpose = getTranspose(input);
      if (!transpose || maps[i].isPermutation())
        continue;
      input = transpose.getInput();
      maps[i] = toInputMap(maps[i], transpose.getPermutation());
      isChanged = true;
    }
    if (!isChanged)
      return rewriter.notifyMatchFailure(op, "expected an input that is transposed and broadcast");
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputsMutable().assign(inputs);
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
    return success();
  }
};

struct SinkThroughPad : OpRewritePattern<tensor::PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::PadOp op, PatternRewriter &rewriter) const override {
    linalg::TransposeOp transpose = getTranspose(op.getSource());
    Value padding = op.getConstantPaddingValue();
    if (!transpose || !padding)
      return rewriter.notifyMatchFailure(op, "expected a transposed source and a constant value");
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    Value padded = tensor::PadOp::create(
        rewriter, op.getLoc(), /*resultType=*/Type(), transpose.getInput(),
        toInputOrder<OpFoldResult>(op.getMixedLowPad(), permutation),
        toInputOrder<OpFoldResult>(op.getMixedHighPad(), permutation), padding, op.getNofold());
    Value result = createTranspose(rewriter, op.getLoc(), padded, permutation);
    if (result.getType() != op.getType())
      result = tensor::CastOp::create(rewriter, op.getLoc(), op.getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct SinkThroughCast : OpRewritePattern<tensor::CastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::CastOp op, PatternRewriter &rewriter) const override {
    linalg::TransposeOp transpose = getTranspose(op.getSource());
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!transpose || !type)
      return rewriter.notifyMatchFailure(op, "expected a transposed source of known rank");
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    auto inputType =
        RankedTensorType::get(toInputOrder(type.getShape(), permutation), type.getElementType());
    if (inputType == transpose.getInput().getType())
      return rewriter.notifyMatchFailure(op, "expected a cast that changes the input's type");
    Value cast = tensor::CastOp::create(rewriter, op.getLoc(), inputType, transpose.getInput());
    Value result = createTranspose(rewriter, op.getLoc(), cast, permutation);
    if (result.getType() != type)
      return rewriter.notifyMatchFailure(op, "the transposed type differs");
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct SinkThroughExtractSlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op,
                                PatternRewriter &rewriter) const override {
    linalg::TransposeOp transpose = getTranspose(op.getSource());
    if (!transpose || op.getSourceType().getRank() != op.getType().getRank())
      return rewriter.notifyMatchFailure(op, "expected a transposed source of the result's rank");
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    Value slice = tensor::ExtractSliceOp::create(
        rewriter, op.getLoc(), transpose.getInput(),
        toInputOrder<OpFoldResult>(op.getMixedOffsets(), permutation),
        toInputOrder<OpFoldResult>(op.getMixedSizes(), permutation),
        toInputOrder<OpFoldResult>(op.getMixedStrides(), permutation));
    Value result = createTranspose(rewriter, op.getLoc(), slice, permutation);
    if (result.getType() != op.getType())
      result = tensor::CastOp::create(rewriter, op.getLoc(), op.getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// A concatenation: slices are inserted into an empty tensor (or one of a single value), one after
/// the other, all of them transposed alike.
struct SinkThroughConcatenation : OpRewritePattern<tensor::InsertSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::InsertSliceOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<tensor::InsertSliceOp> chain;
    ArrayRef<int64_t> permutation;
    Value base = op.getResult();
    while (auto insert = base.getDefiningOp<tensor::InsertSliceOp>()) {
      linalg::TransposeOp transpose = getTranspose(insert.getSource());
      if (!transpose || insert.getSourceType().getRank() != insert.getType().getRank())
        return rewriter.notifyMatchFailure(op, "expected transposed sources of the result's rank");
      if (!chain.empty() && (transpose.getPermutation() != permutation || !insert->hasOneUse()))
        return rewriter.notifyMatchFailure(op, "expected sources that are transposed alike");
      permutation = transpose.getPermutation();
      chain.push_back(insert);
      base = insert.getDest();
    }
    for (Operation *user : op->getUsers())
      if (auto next = dyn_cast<tensor::InsertSliceOp>(user))
        if (next.getDest() == op.getResult())
          return rewriter.notifyMatchFailure(op, "expected the last of a chain");
    auto fill = base.getDefiningOp<linalg::FillOp>();
    if (!fill && !base.getDefiningOp<tensor::EmptyOp>())
      return rewriter.notifyMatchFailure(op, "expected to begin with an empty or filled tensor");

    Location loc = op.getLoc();
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, base);
    Value result = tensor::EmptyOp::create(
        rewriter, loc, toInputOrder<OpFoldResult>(sizes, permutation), getElementTypeOrSelf(base));
    if (fill)
      result = linalg::FillOp::create(rewriter, loc, fill.getInputs()[0], result).getResult(0);
    for (tensor::InsertSliceOp insert : llvm::reverse(chain))
      result = tensor::InsertSliceOp::create(
          rewriter, insert.getLoc(), getTranspose(insert.getSource()).getInput(), result,
          toInputOrder<OpFoldResult>(insert.getMixedOffsets(), permutation),
          toInputOrder<OpFoldResult>(insert.getMixedSizes(), permutation),
          toInputOrder<OpFoldResult>(insert.getMixedStrides(), permutation));
    result = createTranspose(rewriter, loc, result, permutation);
    if (result.getType() != op.getType())
      result = tensor::CastOp::create(rewriter, loc, op.getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// A transposition that met no other below a tensor.pad goes back above it: it then moves less.
struct HoistAbovePad : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto pad = op.getInput().getDefiningOp<tensor::PadOp>();
    Value padding = pad ? pad.getConstantPaddingValue() : Value();
    if (!padding || !pad->hasOneUse())
      return rewriter.notifyMatchFailure(op, "expected a tensor.pad with a constant for it alone");
    ArrayRef<int64_t> permutation = op.getPermutation();
    Value source = createTranspose(rewriter, op.getLoc(), pad.getSource(), permutation);
    Value result =
        tensor::PadOp::create(rewriter, pad.getLoc(), /*resultType=*/Type(), source,
                              applyPermutation<OpFoldResult>(pad.getMixedLowPad(), permutation),
                              applyPermutation<OpFoldResult>(pad.getMixedHighPad(), permutation),
                              padding, pad.getNofold());
    if (result.getType() != op->getResult(0).getType())
      result = tensor::CastOp::create(rewriter, op.getLoc(), op->getResult(0).getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// A transposition that moves only dimensions of size 1 moves no data: a reshape.
struct ReshapeUnitTranspose : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "expected tensors");
    auto from = cast<RankedTensorType>(op.getInput().getType());
    auto to = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<int64_t> moved;
    for (int64_t dim : op.getPermutation())
      if (from.getDimSize(dim) != 1)
        moved.push_back(dim);
    if (!llvm::is_sorted(moved))
      return rewriter.notifyMatchFailure(op, "expected only dimensions of size 1 to move");
    Value flat =
        tensor::CollapseShapeOp::create(rewriter, op.getLoc(), op.getInput(), groupUnits(from));
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), op.getInput());
    applyPermutationToVector(sizes, op.getPermutation());
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, to, flat, groupUnits(to), sizes);
    return success();
  }

  /// Each dimension that is not 1 with the ones before it, the last also with those behind it; no
  /// group at all where every dimension is 1.
  static SmallVector<ReassociationIndices> groupUnits(RankedTensorType type) {
    SmallVector<ReassociationIndices> groups;
    ReassociationIndices current;
    for (auto [i, size] : llvm::enumerate(type.getShape())) {
      current.push_back(i);
      if (size != 1)
        groups.push_back(std::exchange(current, {}));
    }
    if (!groups.empty())
      llvm::append_range(groups.back(), current);
    return groups;
  }
};

struct PropagateLayout : torchlite::impl::PropagateLayoutPassBase<PropagateLayout> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet sinking(context);
    sinking
        .add<AbsorbIntoGeneric, ComposeTransposes, RaiseTranspose, SinkThroughCast,
             SinkThroughConcatenation, SinkThroughExtractSlice, SinkThroughGeneric, SinkThroughPad>(
            context);
    tensor::EmptyOp::getCanonicalizationPatterns(sinking, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(sinking))))
      return signalPassFailure();
    // Only now: a reshape would have stopped what sinks.
    RewritePatternSet reshaping(context);
    reshaping.add<ComposeTransposes, HoistAbovePad, ReshapeUnitTranspose>(context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(reshaping, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(reshaping, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(reshaping))))
      signalPassFailure();
  }
};

} // namespace
