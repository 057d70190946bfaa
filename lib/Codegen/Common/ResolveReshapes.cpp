//===- ResolveReshapes.cpp - Sizes of reshaped buffers come from values ---===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/SymbolTable.h"

namespace torchlite {
#define GEN_PASS_DEF_RESOLVERESHAPES
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

using Sizes = SmallVector<OpFoldResult>;

/// The sizes that a constant buffer holds.
std::optional<Sizes> sizesOf(memref::GetGlobalOp buffer) {
  auto global =
      SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(buffer, buffer.getNameAttr());
  auto values = global ? dyn_cast_or_null<DenseElementsAttr>(global.getInitialValueAttr())
                       : DenseElementsAttr();
  if (!values)
    return std::nullopt;
  Builder builder(buffer.getContext());
  Sizes sizes;
  for (const APInt &value : values.getValues<APInt>())
    sizes.push_back(builder.getIndexAttr(value.getSExtValue()));
  return sizes;
}

/// The sizes that are stored into a buffer, each once, where it is made, and before `reader`, which
/// may be in a region behind them.
std::optional<Sizes> sizesOf(memref::AllocOp buffer, Operation *reader) {
  if (!buffer.getType().hasStaticShape() || buffer.getType().getRank() != 1)
    return std::nullopt;
  Operation *before = buffer->getBlock()->findAncestorOpInBlock(*reader);
  if (!before)
    return std::nullopt;
  Sizes sizes(buffer.getType().getNumElements());
  for (Operation *user : buffer->getUsers()) {
    if (isa<memref::ReshapeOp, memref::LoadOp, memref::DeallocOp>(user))
      continue;
    auto store = dyn_cast<memref::StoreOp>(user);
    std::optional<int64_t> index =
        store ? getConstantIntValue(store.getIndices().front()) : std::nullopt;
    if (!index || *index < 0 || *index >= static_cast<int64_t>(sizes.size()) || sizes[*index] ||
        store->getBlock() != buffer->getBlock() || !store->isBeforeInBlock(before))
      return std::nullopt;
    sizes[*index] = getAsOpFoldResult(store.getValueToStore());
  }
  return llvm::all_of(sizes, [](OpFoldResult size) { return static_cast<bool>(size); })
             ? std::optional(sizes)
             : std::nullopt;
}

std::optional<Sizes> sizesOf(memref::ReshapeOp reshape) {
  Operation *producer = reshape.getShape().getDefiningOp();
  if (auto global = dyn_cast_or_null<memref::GetGlobalOp>(producer))
    return sizesOf(global);
  if (auto alloc = dyn_cast_or_null<memref::AllocOp>(producer))
    return sizesOf(alloc, reshape);
  return std::nullopt;
}

struct ResolveReshapes : impl::ResolveReshapesBase<ResolveReshapes> {
  void runOnOperation() override {
    SmallVector<memref::ReshapeOp> reshapes;
    getOperation().walk([&](memref::ReshapeOp reshape) { reshapes.push_back(reshape); });
    llvm::SetVector<Operation *> shapes;
    for (memref::ReshapeOp reshape : reshapes) {
      std::optional<Sizes> sizes = sizesOf(reshape);
      auto type = dyn_cast<MemRefType>(reshape.getType());
      if (!sizes || !type || static_cast<int64_t>(sizes->size()) != type.getRank()) {
        ++numLeft;
        continue;
      }
      shapes.insert(reshape.getShape().getDefiningOp());
      resolve(reshape, type, *sizes);
      ++numResolved;
    }
    for (Operation *shape : shapes)
      eraseUnread(shape);
  }

private:
  /// A row-major view with these sizes. What the type knows is not asked for again.
  static void resolve(memref::ReshapeOp reshape, MemRefType type, Sizes &sizes) {
    OpBuilder builder(reshape);
    Location loc = reshape.getLoc();
    Sizes strides(sizes.size());
    OpFoldResult stride = builder.getIndexAttr(1);
    for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
      if (!type.isDynamicDim(dim))
        sizes[dim] = builder.getIndexAttr(type.getDimSize(dim));
      strides[dim] = stride;
      std::optional<int64_t> a = getConstantIntValue(stride), b = getConstantIntValue(sizes[dim]);
      if (a && b)
        stride = builder.getIndexAttr(*a * *b);
      else if (dim)
        stride = OpFoldResult(arith::MulIOp::create(
            builder, loc, getValueOrCreateConstantIndexOp(builder, loc, stride),
            getValueOrCreateConstantIndexOp(builder, loc, sizes[dim])));
    }
    // With the type that the reshape had: row-major, which strides alone do not tell.
    Value view = memref::ReinterpretCastOp::create(builder, loc, type, reshape.getSource(),
                                                   builder.getIndexAttr(0), sizes, strides);
    reshape.replaceAllUsesWith(view);
    reshape.erase();
  }

  static void eraseUnread(Operation *shape) {
    if (!llvm::all_of(shape->getUsers(), llvm::IsaPred<memref::StoreOp, memref::DeallocOp>))
      return;
    for (Operation *user : llvm::make_early_inc_range(shape->getUsers()))
      user->erase();
    shape->erase();
  }
};

} // namespace
} // namespace torchlite
