//===- ValueEvaluator.cpp - Elements of what a kernel computes ------------===//
#include "TorchLite/Codegen/NVGPU/ValueEvaluator.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace torchlite::nvgpu {

Value ValueEvaluator::fail(StringRef what) {
  if (error.empty())
    error = what.str();
  return {};
}

Value ValueEvaluator::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc(), value);
}

Value ValueEvaluator::select(Value condition, Type type, function_ref<Value()> then,
                             function_ref<Value()> otherwise) {
  auto branch = scf::IfOp::create(builder, loc(), type, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  for (auto [region, emit] :
       {std::pair(&branch.getThenRegion(), then), std::pair(&branch.getElseRegion(), otherwise)}) {
    builder.setInsertionPointToEnd(&region->front());
    Value value = emit();
    if (!value)
      return {};
    scf::YieldOp::create(builder, loc(), value);
  }
  return branch.getResult(0);
}

//===----------------------------------------------------------------------===//
// Scalars and sizes
//===----------------------------------------------------------------------===//

Value ValueEvaluator::evaluateScalar(Value scalar) {
  if (auto argument = dyn_cast<BlockArgument>(scalar)) {
    if (argument.getOwner()->getParentOp() == kernel)
      return kernel.getOperandOf(argument);
    return fail("a scalar of an inner block");
  }
  Operation *op = scalar.getDefiningOp();
  if (op->getBlock() != &kernel.getBody().front())
    return fail("a scalar of an inner block");
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> number = dim.getConstantIndex();
    if (!number)
      return fail("the size of a dimension that is not constant");
    return sizeOf(dim.getSource(), *number);
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    SmallVector<Value> coordinates;
    for (Value position : extract.getIndices())
      coordinates.push_back(evaluateScalar(position));
    if (llvm::is_contained(coordinates, Value()))
      return {};
    return evaluate(extract.getTensor(), coordinates);
  }
  if (op->getNumRegions() || !isMemoryEffectFree(op))
    return fail(op->getName().getStringRef());
  IRMapping map;
  for (Value operand : op->getOperands()) {
    Value value = evaluateScalar(operand);
    if (!value)
      return {};
    map.map(operand, value);
  }
  return builder.clone(*op, map)->getResult(cast<OpResult>(scalar).getResultNumber());
}

Value ValueEvaluator::sizeOf(Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return index(type.getDimSize(dim));
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    return memref::DimOp::create(builder, loc(), kernel.getOperandOf(argument), dim);
  Operation *op = tensor.getDefiningOp();
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return sizeOf(structured.getDpsInitOperand(cast<OpResult>(tensor).getResultNumber())->get(),
                  dim);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return evaluateScalar(empty.getDynamicSize(dim));
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return sizeOf(cast.getSource(), dim);
  auto evaluateMixed = [&](OpFoldResult value) -> Value {
    if (auto dynamic = dyn_cast<Value>(value))
      return evaluateScalar(dynamic);
    return index(*getConstantIntValue(value));
  };
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    Value low = evaluateMixed(pad.getMixedLowPad()[dim]);
    Value high = evaluateMixed(pad.getMixedHighPad()[dim]);
    Value size = sizeOf(pad.getSource(), dim);
    if (!low || !high || !size)
      return {};
    Value sum = arith::AddIOp::create(builder, loc(), size, low);
    return arith::AddIOp::create(builder, loc(), sum, high);
  }
  return fail(op->getName().getStringRef());
}

Value ValueEvaluator::loopSize(linalg::LinalgOp op, unsigned loop) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  if (!ShapedType::isDynamic(ranges[loop]))
    return index(ranges[loop]);
  for (OpOperand &operand : op->getOpOperands()) {
    if (op.isScalar(&operand))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (auto dim = map.getResultPosition(getAffineDimExpr(loop, map.getContext())))
      return sizeOf(operand.get(), *dim);
  }
  return fail("a loop whose size is in no operand");
}

//===----------------------------------------------------------------------===//
// Scalar bodies
//===----------------------------------------------------------------------===//

bool ValueEvaluator::cloneScalar(Operation &op, IRMapping &map, ValueRange iteration) {
  auto lookup = [&](Value value) -> Value {
    if (Value known = map.lookupOrNull(value))
      return known;
    Value outside = evaluateScalar(value);
    if (outside)
      map.map(value, outside);
    return outside;
  };
  if (auto position = dyn_cast<linalg::IndexOp>(op)) {
    map.map(position.getResult(), iteration[position.getDim()]);
    return true;
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    SmallVector<Value> coordinates;
    for (Value value : extract.getIndices())
      coordinates.push_back(lookup(value));
    if (llvm::is_contained(coordinates, Value()))
      return false;
    Value element = evaluate(extract.getTensor(), coordinates);
    if (element)
      map.map(extract.getResult(), element);
    return element != nullptr;
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    Value size = evaluateScalar(dim.getResult());
    if (size)
      map.map(dim.getResult(), size);
    return size != nullptr;
  }
  // Constants of the kernel may be used in a branch only: they are emitted there.
  for (Value operand : op.getOperands())
    if (!lookup(operand))
      return false;
  if (!op.getNumRegions()) {
    builder.clone(op, map);
    return true;
  }
  Operation *copy = op.cloneWithoutRegions(map);
  builder.insert(copy);
  for (auto [from, to] : llvm::zip(op.getRegions(), copy->getRegions())) {
    if (from.empty())
      continue;
    if (!llvm::hasSingleElement(from)) {
      fail(op.getName().getStringRef());
      return false;
    }
    OpBuilder::InsertionGuard guard(builder);
    SmallVector<Location> locations(from.getNumArguments(), loc());
    Block *block = builder.createBlock(&to, {}, from.getArgumentTypes(), locations);
    map.map(from.getArguments(), block->getArguments());
    for (Operation &inner : from.front())
      if (!cloneScalar(inner, map, iteration))
        return false;
  }
  map.map(op.getResults(), copy->getResults());
  return true;
}

SmallVector<Value> ValueEvaluator::evaluateBody(linalg::LinalgOp op, ValueRange iteration,
                                                ValueRange accumulators) {
  Block *body = op.getBlock();
  IRMapping map;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    if (op.isDpsInit(&operand)) {
      map.map(argument, accumulators[operand.getOperandNumber() - op.getNumDpsInputs()]);
      continue;
    }
    if (op.isScalar(&operand)) {
      Value scalar = evaluateScalar(operand.get());
      if (!scalar)
        return {};
      map.map(argument, scalar);
      continue;
    }
    SmallVector<Value> coordinates;
    AffineMap indexing = op.getMatchingIndexingMap(&operand);
    for (AffineExpr expr : indexing.getResults()) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        coordinates.push_back(iteration[dim.getPosition()]);
        continue;
      }
      coordinates.push_back(affine::expandAffineExpr(builder, loc(), expr, iteration, {}));
    }
    Value element = evaluate(operand.get(), coordinates);
    if (!element)
      return {};
    map.map(argument, element);
  }
  for (Operation &inner : body->without_terminator())
    if (!cloneScalar(inner, map, iteration))
      return {};
  SmallVector<Value> results;
  for (Value value : body->getTerminator()->getOperands()) {
    Value result = map.lookupOrNull(value);
    if (!result)
      result = evaluateScalar(value);
    if (!result)
      return {};
    results.push_back(result);
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Value ValueEvaluator::evaluateStructured(linalg::LinalgOp op, unsigned result,
                                         ValueRange coordinates) {
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(result));
  SmallVector<Value> iteration(op.getNumLoops());
  for (auto [position, expr] : llvm::enumerate(output.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return fail("an operation whose result is not indexed by loops");
    iteration[dim.getPosition()] = coordinates[position];
  }
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  for (unsigned loop = 0; loop < iteration.size(); ++loop)
    if (!iteration[loop] && !llvm::is_contained(reductions, loop))
      return fail("an operation with parallel loops that its result does not show");

  // All outputs are computed together: an argmax needs its maximum. Their old elements are at the
  // same iteration.
  SmallVector<Value> accumulators;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    if (!op.payloadUsesValueFromOperand(&init) && reductions.empty()) {
      accumulators.push_back({});
      continue;
    }
    SmallVector<Value> at;
    for (AffineExpr expr : op.getMatchingIndexingMap(&init).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim || !iteration[dim.getPosition()])
        return fail("an operation whose results have different loops");
      at.push_back(iteration[dim.getPosition()]);
    }
    Value old = evaluate(init.get(), at);
    if (!old)
      return {};
    accumulators.push_back(old);
  }
  if (reductions.empty()) {
    SmallVector<Value> values = evaluateBody(op, iteration, accumulators);
    return values.empty() ? Value() : values[result];
  }

  // A loop nest that carries the outputs.
  OpBuilder::InsertionGuard guard(builder);
  Value zero = index(0), one = index(1);
  SmallVector<Value> sizes;
  for (unsigned loop : reductions) {
    sizes.push_back(loopSize(op, loop));
    if (!sizes.back())
      return {};
  }
  SmallVector<scf::ForOp> loops;
  for (auto [loop, size] : llvm::zip(reductions, sizes)) {
    ValueRange carried =
        loops.empty() ? ValueRange(accumulators) : ValueRange(loops.back().getRegionIterArgs());
    auto nested = scf::ForOp::create(builder, loc(), zero, size, one, carried);
    iteration[loop] = nested.getInductionVar();
    builder.setInsertionPointToStart(nested.getBody());
    loops.push_back(nested);
  }
  SmallVector<Value> values = evaluateBody(op, iteration, loops.back().getRegionIterArgs());
  if (values.empty())
    return {};
  for (scf::ForOp nested : llvm::reverse(loops)) {
    builder.setInsertionPointToEnd(nested.getBody());
    scf::YieldOp::create(builder, loc(), values);
    values.assign(nested.getResults().begin(), nested.getResults().end());
  }
  return values[result];
}

Value ValueEvaluator::evaluatePad(Operation *op, ValueRange coordinates) {
  auto pad = cast<tensor::PadOp>(op);
  SmallVector<Value> inner;
  Value inside;
  for (auto [dim, coordinate] : llvm::enumerate(coordinates)) {
    OpFoldResult low = pad.getMixedLowPad()[dim], high = pad.getMixedHighPad()[dim];
    if (isZeroInteger(low) && isZeroInteger(high)) {
      inner.push_back(coordinate);
      continue;
    }
    Value first =
        isa<Value>(low) ? evaluateScalar(cast<Value>(low)) : index(*getConstantIntValue(low));
    Value size = sizeOf(pad.getSource(), dim);
    if (!first || !size)
      return {};
    // One unsigned comparison for both ends.
    Value shifted = arith::SubIOp::create(builder, loc(), coordinate, first);
    Value fits = arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::ult, shifted, size);
    inside = inside ? arith::AndIOp::create(builder, loc(), inside, fits).getResult() : fits;
    inner.push_back(shifted);
  }
  if (!inside)
    return evaluate(pad.getSource(), inner);
  return select(
      inside, pad.getResultType().getElementType(),
      [&] { return evaluate(pad.getSource(), inner); },
      [&]() -> Value {
        Block &body = pad.getRegion().front();
        Value value = body.getTerminator()->getOperand(0);
        if (value.getParentBlock() != &body)
          return evaluateScalar(value);
        IRMapping map;
        map.map(body.getArguments(), coordinates);
        for (Operation &scalar : body.without_terminator())
          if (!cloneScalar(scalar, map, coordinates))
            return {};
        return map.lookup(value);
      });
}

Value ValueEvaluator::evaluateOp(Operation *op, unsigned result, ValueRange coordinates) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return evaluateStructured(structured, result, coordinates);
  if (isa<tensor::PadOp>(op))
    return evaluatePad(op, coordinates);
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return evaluate(cast.getSource(), coordinates);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    // Nobody may depend on it; zero is as good as anything.
    Type type = empty.getType().getElementType();
    if (auto complex = dyn_cast<ComplexType>(type)) {
      auto zero = builder.getZeroAttr(complex.getElementType());
      return complex::ConstantOp::create(builder, loc(), type, builder.getArrayAttr({zero, zero}));
    }
    return arith::ConstantOp::create(builder, loc(), builder.getZeroAttr(type));
  }
  DenseElementsAttr constant;
  if (matchPattern(op, m_Constant(&constant)) && constant.isSplat() &&
      isa<FloatType, IntegerType, IndexType>(constant.getElementType()))
    return arith::ConstantOp::create(builder, loc(), constant.getSplatValue<TypedAttr>());
  return fail(op->getName().getStringRef());
}

Value ValueEvaluator::evaluate(Value tensor, ValueRange coordinates) {
  if (auto it = bound.find(tensor); it != bound.end()) {
    Source source = it->second;
    return source(builder, coordinates);
  }
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    return memref::LoadOp::create(builder, loc(), kernel.getOperandOf(argument), coordinates);
  auto result = cast<OpResult>(tensor);
  return evaluateOp(result.getOwner(), result.getResultNumber(), coordinates);
}

} // namespace torchlite::nvgpu
