//===- MatrixOps.cpp - Factorisations of matrices -------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/ShapeMath.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

using namespace mlir;
using namespace torchlite::tl;

using Sizes = SmallVector<OpFoldResult>;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Both are known and differ.
static bool differ(int64_t a, int64_t b) {
  return !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a != b;
}

/// The smaller of two sizes; what is not known may be 0.
static int64_t smaller(int64_t a, int64_t b) {
  if (a == 0 || b == 0)
    return 0;
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) ? ShapedType::kDynamic
                                                              : std::min(a, b);
}

/// The smaller of two sizes, where code is built.
static OpFoldResult smaller(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
  return ShapeMath(builder, loc).min(a, b);
}

/// Operands are of these ranks, of one batch, and those of rank 3 (and `alike`) of one element
/// type.
static LogicalResult checkBatches(std::optional<Location> location, ArrayRef<Value> operands,
                                  ArrayRef<int64_t> ranks) {
  RankedTensorType first = typeOf(operands.front());
  for (auto [operand, rank] : llvm::zip(operands, ranks)) {
    RankedTensorType type = typeOf(operand);
    if (type.getRank() != rank)
      return emitOptionalError(location, "expected a tensor of rank ", rank, ", but got ", type);
    if (differ(type.getDimSize(0), first.getDimSize(0)))
      return emitOptionalError(location, "expected equally many matrices, but got ", first, " and ",
                               type);
    if (isa<FloatType>(type.getElementType()) && type.getElementType() != first.getElementType())
      return emitOptionalError(location, "expected one element type, but got ", first, " and ",
                               type);
  }
  return success();
}

static LogicalResult checkSquare(std::optional<Location> location, Value matrix) {
  RankedTensorType type = typeOf(matrix);
  if (differ(type.getDimSize(1), type.getDimSize(2)))
    return emitOptionalError(location, "expected square matrices, but got ", type);
  return success();
}

static LogicalResult checkRows(std::optional<Location> location, Value a, Value b) {
  if (differ(typeOf(a).getDimSize(1), typeOf(b).getDimSize(1)))
    return emitOptionalError(location, "expected as many rows in ", typeOf(a), " as in ",
                             typeOf(b));
  return success();
}

static RankedTensorType like(Value value) {
  RankedTensorType type = typeOf(value);
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

static Type i32(MLIRContext *context) { return IntegerType::get(context, 32); }

/// The sizes of a result that has those of an operand.
static SmallVector<OpFoldResult> sizesLike(OpBuilder &builder, Location loc, Value operand,
                                           Value result) {
  return inference::matchSizes(builder, loc, tensor::getMixedSizes(builder, loc, operand),
                               cast<RankedTensorType>(result.getType()));
}

//===----------------------------------------------------------------------===//
// LU
//===----------------------------------------------------------------------===//

LogicalResult LUOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                     Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(checkBatches(location, {adaptor.getInput()}, {3})))
    return failure();
  RankedTensorType type = like(adaptor.getInput());
  int64_t batch = type.getDimSize(0);
  types.push_back(type);
  types.push_back(RankedTensorType::get({batch, smaller(type.getDimSize(1), type.getDimSize(2))},
                                        i32(context)));
  types.push_back(RankedTensorType::get({batch}, i32(context)));
  return success();
}

LogicalResult LUOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  Sizes sizes = tensor::getMixedSizes(builder, getLoc(), getInput());
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getFactors().getType()));
  Sizes pivots = {sizes[0], smaller(builder, getLoc(), sizes[1], sizes[2])};
  shapes.push_back(inference::matchSizes(builder, getLoc(), pivots, getPivots().getType()));
  shapes.push_back(inference::matchSizes(builder, getLoc(), {sizes[0]}, getInfo().getType()));
  return success();
}

LogicalResult SwapRowsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                           Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(checkBatches(location, {adaptor.getInput(), adaptor.getPivots()}, {3, 2})))
    return failure();
  types.push_back(like(adaptor.getInput()));
  return success();
}

LogicalResult SwapRowsOp::reifyResultShapes(OpBuilder &builder,
                                            ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(sizesLike(builder, getLoc(), getInput(), getResult()));
  return success();
}

//===----------------------------------------------------------------------===//
// Triangles
//===----------------------------------------------------------------------===//

LogicalResult CholeskyOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                           Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(checkBatches(location, {adaptor.getInput()}, {3})) ||
      failed(checkSquare(location, adaptor.getInput())))
    return failure();
  types.push_back(like(adaptor.getInput()));
  types.push_back(RankedTensorType::get({typeOf(adaptor.getInput()).getDimSize(0)}, i32(context)));
  return success();
}

LogicalResult CholeskyOp::reifyResultShapes(OpBuilder &builder,
                                            ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(sizesLike(builder, getLoc(), getInput(), getFactor()));
  OpFoldResult batch = tensor::getMixedSize(builder, getLoc(), getInput(), 0);
  shapes.push_back(inference::matchSizes(builder, getLoc(), {batch}, getInfo().getType()));
  return success();
}

LogicalResult TriangularSolveOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                                  Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(checkBatches(location, {adaptor.getMatrix(), adaptor.getRhs()}, {3, 3})) ||
      failed(checkSquare(location, adaptor.getMatrix())) ||
      failed(checkRows(location, adaptor.getMatrix(), adaptor.getRhs())))
    return failure();
  types.push_back(like(adaptor.getRhs()));
  return success();
}

LogicalResult TriangularSolveOp::reifyResultShapes(OpBuilder &builder,
                                                   ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(sizesLike(builder, getLoc(), getRhs(), getResult()));
  return success();
}

//===----------------------------------------------------------------------===//
// Reflections and rotations
//===----------------------------------------------------------------------===//

LogicalResult HouseholderOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                              Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(checkBatches(location, {adaptor.getInput()}, {3})))
    return failure();
  RankedTensorType type = like(adaptor.getInput());
  types.push_back(type);
  types.push_back(
      RankedTensorType::get({type.getDimSize(0), smaller(type.getDimSize(1), type.getDimSize(2))},
                            type.getElementType()));
  return success();
}

LogicalResult HouseholderOp::reifyResultShapes(OpBuilder &builder,
                                               ReifiedRankedShapedTypeDims &shapes) {
  Sizes sizes = tensor::getMixedSizes(builder, getLoc(), getInput());
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getFactors().getType()));
  Sizes scales = {sizes[0], smaller(builder, getLoc(), sizes[1], sizes[2])};
  shapes.push_back(inference::matchSizes(builder, getLoc(), scales, getScales().getType()));
  return success();
}

LogicalResult ReflectOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                          Adaptor adaptor, SmallVectorImpl<Type> &types) {
  Value vectors = adaptor.getVectors(), scales = adaptor.getScales(), input = adaptor.getInput();
  if (failed(checkBatches(location, {vectors, scales, input}, {3, 2, 3})) ||
      failed(checkRows(location, vectors, input)))
    return failure();
  int64_t count = typeOf(scales).getDimSize(1);
  for (int64_t dim : {1, 2}) {
    int64_t size = typeOf(vectors).getDimSize(dim);
    if (!ShapedType::isDynamic(count) && !ShapedType::isDynamic(size) && count > size)
      return emitOptionalError(location, "expected at most ", size, " scales, but got ",
                               typeOf(scales));
  }
  types.push_back(like(input));
  return success();
}

LogicalResult ReflectOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(sizesLike(builder, getLoc(), getInput(), getResult()));
  return success();
}

LogicalResult OrthogonalizeOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                                Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(checkBatches(location, {adaptor.getInput()}, {3})))
    return failure();
  RankedTensorType type = like(adaptor.getInput());
  int64_t rows = type.getDimSize(1);
  types.push_back(type);
  types.push_back(RankedTensorType::get({type.getDimSize(0), rows, rows}, type.getElementType()));
  return success();
}

LogicalResult OrthogonalizeOp::reifyResultShapes(OpBuilder &builder,
                                                 ReifiedRankedShapedTypeDims &shapes) {
  Sizes sizes = tensor::getMixedSizes(builder, getLoc(), getInput());
  shapes.push_back(inference::matchSizes(builder, getLoc(), sizes, getRows().getType()));
  shapes.push_back(inference::matchSizes(builder, getLoc(), {sizes[0], sizes[1], sizes[1]},
                                         getRotation().getType()));
  return success();
}

//===----------------------------------------------------------------------===//
// Fourier transforms
//===----------------------------------------------------------------------===//

LogicalResult FourierOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                          Adaptor adaptor, SmallVectorImpl<Type> &types) {
  Value re = adaptor.getRe(), im = adaptor.getIm(), table = adaptor.getTable();
  if (failed(checkBatches(location, {re, im}, {3, 3})) || failed(checkRows(location, re, im)))
    return failure();
  RankedTensorType type = like(re), tableType = typeOf(table);
  if (differ(type.getDimSize(2), typeOf(im).getDimSize(2)))
    return emitOptionalError(location, "expected as many columns in ", type, " as in ", typeOf(im));
  if (tableType.getElementType() != type.getElementType() || tableType.getRank() != 2 ||
      differ(tableType.getDimSize(0), 2) || differ(tableType.getDimSize(1), type.getDimSize(1)))
    return emitOptionalError(location, "expected a table of two rows of ", type.getDimSize(1),
                             " numbers of ", type.getElementType(), ", but got ", tableType);
  types.append({type, type});
  return success();
}

LogicalResult FourierOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(sizesLike(builder, getLoc(), getRe(), getReResult()));
  shapes.push_back(sizesLike(builder, getLoc(), getRe(), getImResult()));
  return success();
}
