//===- LinalgBuilder.cpp - Shorthand for linalg on tensors ----------------===//
#include "LinalgBuilder.h"

#include "mlir/Dialect/Complex/IR/Complex.h"

using namespace mlir;
using namespace torchlite::tl;

Type torchlite::tl::getAccumulatorType(Type element) {
  if (isa<Float16Type, BFloat16Type>(element))
    return Float32Type::get(element.getContext());
  return element;
}

Value torchlite::tl::convertFloat(OpBuilder &builder, Location loc, Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (from < to)
    return arith::ExtFOp::create(builder, loc, type, value);
  return arith::TruncFOp::create(builder, loc, type, value);
}

Value LinalgBuilder::constant(Type type, double value) {
  if (auto complexType = dyn_cast<ComplexType>(type)) {
    Type part = complexType.getElementType();
    ArrayAttr parts = b.getArrayAttr({b.getFloatAttr(part, value), b.getFloatAttr(part, 0)});
    return complex::ConstantOp::create(b, loc, type, parts);
  }
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

Value LinalgBuilder::lowest(Type type, bool isUnsigned) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(
        b, loc,
        b.getFloatAttr(type, APFloat::getInf(floatType.getFloatSemantics(), /*Negative=*/true)));
  unsigned width = type.getIntOrFloatBitWidth();
  APInt value = isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

Value LinalgBuilder::filled(Value scalar, ArrayRef<OpFoldResult> sizes) {
  return linalg::FillOp::create(b, loc, scalar, empty(scalar.getType(), sizes)).getResult(0);
}

Value LinalgBuilder::elementwise(ValueRange inputs, ArrayRef<AffineMap> maps,
                                 ArrayRef<OpFoldResult> sizes, Type element,
                                 SingleScalarBody body) {
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(identity(sizes.size()));
  SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
  Value init = empty(element, sizes);
  return linalg::GenericOp::create(b, loc, init.getType(), inputs, init, allMaps, iterators,
                                   [&](OpBuilder &nested, Location at, ValueRange arguments) {
                                     Value result = body(nested, at, arguments.drop_back());
                                     linalg::YieldOp::create(nested, at, result);
                                   })
      .getResult(0);
}

Value LinalgBuilder::elementwise(ValueRange inputs, Type element, SingleScalarBody body) {
  Sizes shape = sizes(inputs.front());
  SmallVector<AffineMap> maps(inputs.size(), identity(shape.size()));
  return elementwise(inputs, maps, shape, element, body);
}

Value LinalgBuilder::reduce(ValueRange inputs, ArrayRef<AffineMap> maps, Value init,
                            AffineMap resultMap, SingleScalarBody body) {
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(resultMap);
  SmallVector<utils::IteratorType> iterators;
  for (unsigned i = 0, e = resultMap.getNumDims(); i < e; ++i)
    iterators.push_back(resultMap.isFunctionOfDim(i) ? utils::IteratorType::parallel
                                                     : utils::IteratorType::reduction);
  return linalg::GenericOp::create(b, loc, init.getType(), inputs, init, allMaps, iterators,
                                   [&](OpBuilder &nested, Location at, ValueRange arguments) {
                                     linalg::YieldOp::create(nested, at,
                                                             body(nested, at, arguments));
                                   })
      .getResult(0);
}

Value LinalgBuilder::transpose(Value tensor, ArrayRef<int64_t> permutation) {
  Sizes from = sizes(tensor), to;
  for (int64_t dim : permutation)
    to.push_back(from[dim]);
  Value init = empty(getElementTypeOrSelf(tensor), to);
  return linalg::TransposeOp::create(b, loc, tensor, init, permutation)->getResult(0);
}

Value LinalgBuilder::convertElements(Value tensor, Type element) {
  if (getElementTypeOrSelf(tensor) == element)
    return tensor;
  return elementwise(tensor, element, [&](OpBuilder &nested, Location at, ValueRange arguments) {
    return convertFloat(nested, at, arguments[0], element);
  });
}

Value LinalgBuilder::castTo(Value tensor, Type type) {
  return tensor.getType() == type ? tensor : tensor::CastOp::create(b, loc, type, tensor);
}

Value LinalgBuilder::expand(Value tensor, ArrayRef<ReassociationIndices> groups,
                            ArrayRef<OpFoldResult> sizes) {
  auto type = RankedTensorType::get(decomposeMixedValues(SmallVector<OpFoldResult>(sizes)).first,
                                    getElementTypeOrSelf(tensor));
  bool isAmbiguous = llvm::any_of(groups, [&](const ReassociationIndices &group) {
    return llvm::count_if(group, [&](int64_t dim) { return type.isDynamicDim(dim); }) > 1;
  });
  if (isAmbiguous) {
    // expand-strided-metadata (MLIR 22) crashes on two dynamic sizes that come from one.
    SmallVector<Value> values;
    for (OpFoldResult size : sizes)
      values.push_back(math.value(size));
    Value shape = tensor::FromElementsOp::create(b, loc, values);
    return tensor::ReshapeOp::create(b, loc, type, tensor, shape);
  }
  return tensor::ExpandShapeOp::create(b, loc, type, tensor, groups, sizes);
}

Value LinalgBuilder::collapse(Value tensor, ArrayRef<ReassociationIndices> groups) {
  return tensor::CollapseShapeOp::create(b, loc, tensor, groups);
}

Value LinalgBuilder::countAsFloat(ArrayRef<OpFoldResult> sizes, Type type) {
  OpFoldResult count = math.product(sizes);
  if (std::optional<int64_t> known = getConstantIntValue(count))
    return constant(type, static_cast<double>(*known));
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), math.value(count));
  return arith::SIToFPOp::create(b, loc, type, integer);
}

Value LinalgBuilder::pad(Value tensor, ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high,
                         Value scalar) {
  if (llvm::all_of(low, isZeroInteger) && llvm::all_of(high, isZeroInteger))
    return tensor;
  return tensor::PadOp::create(b, loc, /*resultType=*/Type(), tensor, low, high, scalar);
}

Value LinalgBuilder::matmul(Value lhs, Value rhs, bool transposeA, bool transposeB,
                            Type accumulator) {
  int64_t rank = cast<RankedTensorType>(lhs.getType()).getRank();
  int64_t rows = rank - 2, columns = rank - 1;
  Sizes shape;
  if (rank == 3)
    shape.push_back(size(lhs, 0));
  shape.push_back(size(lhs, transposeA ? columns : rows));
  shape.push_back(size(rhs, transposeB ? rows : columns));
  Value init = zeros(accumulator, shape);

  // Loops: (batch,) row, column, contracted.
  auto operandMap = [&](int64_t first, int64_t second, bool transposed) {
    SmallVector<int64_t> loops;
    if (rank == 3)
      loops.push_back(0);
    llvm::append_values(loops, transposed ? second : first, transposed ? first : second);
    return project(rank + 1, loops);
  };
  SmallVector<AffineMap> maps = {operandMap(rows, rank, transposeA),
                                 operandMap(rank, columns, transposeB),
                                 operandMap(rows, columns, /*transposed=*/false)};
  auto build = [&](auto op) {
    if (transposeA || transposeB)
      op.setIndexingMapsAttr(b.getAffineMapArrayAttr(maps));
    return op->getResult(0);
  };
  SmallVector<Value> operands = {lhs, rhs};
  if (rank == 3)
    return build(linalg::BatchMatmulOp::create(b, loc, init.getType(), operands, init));
  return build(linalg::MatmulOp::create(b, loc, init.getType(), operands, init));
}

void LinalgBuilder::check(Value condition, const Twine &message) {
  CheckOp::create(b, loc, condition, message);
}

void LinalgBuilder::checkNotEmpty(ArrayRef<OpFoldResult> sizes, const Twine &message) {
  for (OpFoldResult size : sizes) {
    if (getConstantIntValue(size))
      continue;
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    check(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, math.value(size), one), message);
  }
}

AffineMap LinalgBuilder::project(unsigned loops, ArrayRef<int64_t> dims) {
  SmallVector<AffineExpr> results;
  for (int64_t dim : dims)
    results.push_back(b.getAffineDimExpr(dim));
  return AffineMap::get(loops, 0, results, b.getContext());
}

SmallVector<int64_t> torchlite::tl::getChannelsLast(int64_t rank) {
  SmallVector<int64_t> result = {0};
  llvm::append_range(result, llvm::seq<int64_t>(2, rank));
  result.push_back(1);
  return result;
}

SmallVector<int64_t> torchlite::tl::getChannelsFirst(int64_t rank) {
  SmallVector<int64_t> result = {0, rank - 1};
  llvm::append_range(result, llvm::seq<int64_t>(1, rank - 1));
  return result;
}
