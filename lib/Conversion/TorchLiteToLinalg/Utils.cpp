//===- Utils.cpp - What the patterns of convert-tl-to-linalg share --------===//
#include "Utils.h"

using namespace mlir;

SmallVector<OpFoldResult> torchlite::getBroadcastSizes(OpBuilder &builder, Location loc,
                                                       RankedTensorType type, ValueRange operands) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim)) {
      sizes.push_back(builder.getIndexAttr(type.getDimSize(dim)));
      continue;
    }
    // A static size 1 says nothing; of the others, a static one is the best to know.
    OpFoldResult size = builder.getIndexAttr(1);
    for (Value operand : operands) {
      auto operandType = cast<RankedTensorType>(operand.getType());
      int64_t operandDim = dim - (type.getRank() - operandType.getRank());
      if (operandDim < 0 || operandType.getDimSize(operandDim) == 1)
        continue;
      bool known = isa<Attribute>(size) && getConstantIntValue(size) != 1;
      if (!known && (isa<Attribute>(size) || !operandType.isDynamicDim(operandDim)))
        size = tensor::getMixedSize(builder, loc, operand, operandDim);
    }
    sizes.push_back(size);
  }
  return sizes;
}

AffineMap torchlite::getBroadcastMap(RankedTensorType operand, RankedTensorType result) {
  MLIRContext *context = operand.getContext();
  SmallVector<AffineExpr> exprs;
  int64_t dropped = result.getRank() - operand.getRank();
  for (auto [dim, size] : llvm::enumerate(operand.getShape())) {
    bool repeated = size == 1 && result.getDimSize(dim + dropped) != 1;
    exprs.push_back(repeated ? getAffineConstantExpr(0, context)
                             : getAffineDimExpr(dim + dropped, context));
  }
  return AffineMap::get(result.getRank(), 0, exprs, context);
}

Value torchlite::createEmpty(OpBuilder &builder, Location loc, RankedTensorType type,
                             ArrayRef<OpFoldResult> sizes) {
  // Sizes that the type knows are not computed.
  SmallVector<OpFoldResult> known(sizes);
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(size))
      known[dim] = builder.getIndexAttr(size);
  Value empty = tensor::EmptyOp::create(builder, loc, known, type.getElementType());
  if (empty.getType() != type)
    empty = tensor::CastOp::create(builder, loc, type, empty);
  return empty;
}

Value torchlite::createElementwise(OpBuilder &builder, Location loc, RankedTensorType type,
                                   ArrayRef<OpFoldResult> sizes, ValueRange operands,
                                   ElementBuilder build) {
  SmallVector<AffineMap> maps;
  for (Value operand : operands)
    maps.push_back(getBroadcastMap(cast<RankedTensorType>(operand.getType()), type));
  maps.push_back(builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  Value empty = createEmpty(builder, loc, type, sizes);
  auto generic =
      linalg::GenericOp::create(builder, loc, type, operands, empty, maps, iterators,
                                [&](OpBuilder &nested, Location nestedLoc, ValueRange args) {
                                  Value result = build(nested, nestedLoc, args.drop_back());
                                  linalg::YieldOp::create(nested, nestedLoc, result);
                                });
  return generic.getResult(0);
}

Value torchlite::createElementwise(OpBuilder &builder, Location loc, RankedTensorType type,
                                   ValueRange operands, ElementBuilder build) {
  return createElementwise(builder, loc, type, getBroadcastSizes(builder, loc, type, operands),
                           operands, build);
}

Value torchlite::createFilled(OpBuilder &builder, Location loc, RankedTensorType type,
                              ArrayRef<OpFoldResult> sizes, Value value) {
  Value empty = createEmpty(builder, loc, type, sizes);
  return linalg::FillOp::create(builder, loc, value, empty).getResult(0);
}

SmallVector<OpFoldResult> torchlite::dropSizes(ArrayRef<OpFoldResult> sizes,
                                               ArrayRef<int64_t> dims) {
  SmallVector<OpFoldResult> result;
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (!llvm::is_contained(dims, static_cast<int64_t>(dim)))
      result.push_back(size);
  return result;
}
