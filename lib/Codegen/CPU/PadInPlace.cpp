//===- PadInPlace.cpp - Producers write into padded buffers ---------------===//
#include "TorchLite/Codegen/CPU/LoopBuilder.h"
#include "TorchLite/Codegen/CPU/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_PADINPLACE
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

struct PadInPlace : impl::PadInPlaceBase<PadInPlace> {
  void runOnOperation() override {
    SymbolTable table(getOperation());
    symbols = &table;
    borders.clear();
    SmallVector<tensor::PadOp> pads;
    getOperation().walk([&](tensor::PadOp pad) { pads.push_back(pad); });
    for (tensor::PadOp pad : pads)
      rewrite(pad);
  }

private:
  /// The operation whose `outs` is where the elements of `source` end up, or null: the producer, or
  /// what it accumulates into. None of them may have another reader.
  static linalg::LinalgOp findWriter(Value source, Block *block) {
    for (bool first = true;; first = false) {
      auto op = source.getDefiningOp<linalg::LinalgOp>();
      if (!op || op->getBlock() != block || op->getNumResults() != 1 ||
          (!first && !source.hasOneUse()))
        return nullptr;
      OpOperand *init = op.getDpsInitOperand(0);
      if (!op.payloadUsesValueFromOperand(init))
        return op;
      source = init->get();
    }
  }

  void rewrite(tensor::PadOp pad) {
    RankedTensorType type = pad.getResultType(), sourceType = pad.getSourceType();
    Value value = pad.getConstantPaddingValue();
    auto constant = value ? value.getDefiningOp<arith::ConstantOp>() : nullptr;
    auto unsupported = [](int64_t amount) { return ShapedType::isDynamic(amount) || amount < 0; };
    if (!constant || llvm::any_of(pad.getStaticLow(), unsupported) ||
        llvm::any_of(pad.getStaticHigh(), unsupported))
      return;
    IRRewriter rewriter(&getContext());
    Location loc = pad.getLoc();
    Value source = pad.getSource();
    linalg::LinalgOp writer = findWriter(source, pad->getBlock());
    if (!writer) {
      // Somebody else's tensor: copy it into the middle.
      rewriter.setInsertionPoint(pad);
      SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, source);
      Value empty = tensor::EmptyOp::create(rewriter, loc, sizes, sourceType.getElementType());
      writer = linalg::CopyOp::create(rewriter, loc, source, empty);
      source = writer->getResult(0);
      pad.getSourceMutable().assign(source);
    }

    // The padded buffer, with its border written first.
    rewriter.setInsertionPoint(writer);
    Value old = writer.getDpsInits()[0];
    SmallVector<OpFoldResult> inner, offsets, strides(type.getRank(), rewriter.getIndexAttr(1));
    SmallVector<Value> dynamicSizes;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      int64_t low = pad.getStaticLow()[dim], high = pad.getStaticHigh()[dim];
      inner.push_back(sizeOf(rewriter, loc, old, dim));
      offsets.push_back(rewriter.getIndexAttr(low));
      if (type.isDynamicDim(dim))
        dynamicSizes.push_back(getValueOrCreateConstantIndexOp(
            rewriter, loc, add(rewriter, loc, inner.back(), rewriter.getIndexAttr(low + high))));
    }
    // Not tensor.empty: equal ones are merged, and a merged buffer must be copied.
    Value padded = bufferization::AllocTensorOp::create(rewriter, loc, type, dynamicSizes);
    padded =
        func::CallOp::create(rewriter, loc, borderFunction(pad, constant), padded).getResult(0);
    Value middle = tensor::ExtractSliceOp::create(
        rewriter, loc, cast<RankedTensorType>(old.getType()), padded, offsets, inner, strides);
    writer.getDpsInitsMutable()[0].assign(middle);

    // Right after the producer, so that all other readers come later and can read the middle.
    rewriter.setInsertionPointAfterValue(source);
    Value whole =
        tensor::InsertSliceOp::create(rewriter, loc, source, padded, offsets, inner, strides);
    rewriter.replaceOp(pad, whole);
    if (!source.hasOneUse()) {
      Value again =
          tensor::ExtractSliceOp::create(rewriter, loc, sourceType, whole, offsets, inner, strides);
      rewriter.replaceUsesWithIf(
          source, again, [&](OpOperand &use) { return use.getOwner() != whole.getDefiningOp(); });
    }
    ++numPads;
  }

  /// A private function that writes the border of a tensor of the pad's type and returns it.
  func::FuncOp borderFunction(tensor::PadOp pad, arith::ConstantOp value) {
    RankedTensorType type = pad.getResultType();
    func::FuncOp &function = borders[{type, amountsOf(pad), value.getValue()}];
    if (function)
      return function;
    Location loc = pad.getLoc();
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(getOperation().getBody());
    function =
        func::FuncOp::create(builder, loc, "tl_border", builder.getFunctionType({type}, {type}));
    function.setPrivate();
    symbols->insert(function);
    Block *block = function.addEntryBlock();
    builder.setInsertionPointToStart(block);
    Value tensor = block->getArgument(0);
    Value element = builder.clone(*value)->getResult(0);
    // For each padded dimension its first and last slices, of what the earlier ones left.
    SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)), sizes,
        strides(type.getRank(), builder.getIndexAttr(1));
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      sizes.push_back(sizeOf(builder, loc, tensor, dim));
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      int64_t low = pad.getStaticLow()[dim], high = pad.getStaticHigh()[dim];
      OpFoldResult size = sizes[dim];
      auto fill = [&](OpFoldResult offset, int64_t count) {
        if (!count)
          return;
        offsets[dim] = offset;
        sizes[dim] = builder.getIndexAttr(count);
        Value slice = tensor::ExtractSliceOp::create(builder, loc, tensor, offsets, sizes, strides);
        Value filled = linalg::FillOp::create(builder, loc, element, slice).getResult(0);
        tensor =
            tensor::InsertSliceOp::create(builder, loc, filled, tensor, offsets, sizes, strides);
      };
      fill(builder.getIndexAttr(0), low);
      fill(sub(builder, loc, size, builder.getIndexAttr(high)), high);
      offsets[dim] = builder.getIndexAttr(low);
      sizes[dim] = sub(builder, loc, size, builder.getIndexAttr(low + high));
    }
    func::ReturnOp::create(builder, loc, tensor);
    return function;
  }

  /// The amounts on both sides, as an attribute.
  Attribute amountsOf(tensor::PadOp pad) {
    Builder builder(&getContext());
    SmallVector<int64_t> amounts(pad.getStaticLow());
    llvm::append_range(amounts, pad.getStaticHigh());
    return builder.getDenseI64ArrayAttr(amounts);
  }

  DenseMap<std::tuple<Type, Attribute, Attribute>, func::FuncOp> borders;
  SymbolTable *symbols = nullptr;
};

} // namespace
} // namespace torchlite::cpu
