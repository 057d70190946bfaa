//===- Contraction.cpp - Matrix products and convolutions as one form -----===//
#include "Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace torchlite::nvgpu {

static constexpr int64_t accessBytes = 16;

//===----------------------------------------------------------------------===//
// What the body computes
//===----------------------------------------------------------------------===//

/// The block argument whose element `value` is, with the conversions in between, first one first.
static BlockArgument throughConversions(Value value, SmallVectorImpl<Operation *> &conversions) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp,
             arith::SIToFPOp, arith::UIToFPOp>(op))
      return {};
    conversions.insert(conversions.begin(), op);
    value = op->getOperand(0);
  }
  return cast<BlockArgument>(value);
}

LogicalResult Contraction::matchBody(std::string &reason) {
  reason = "expected a sum of products of two operands";
  if (root.getNumDpsInputs() != 2 || root.getNumDpsInits() != 1 || root->getNumResults() != 1)
    return failure();
  Block *body = root.getBlock();
  BlockArgument out = body->getArgument(2);
  Operation *addition = body->getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(addition))
    return failure();
  Value product = addition->getOperand(0) == out   ? addition->getOperand(1)
                  : addition->getOperand(1) == out ? addition->getOperand(0)
                                                   : Value();
  Operation *multiplication = product ? product.getDefiningOp() : nullptr;
  if (!isa_and_nonnull<arith::MulFOp, arith::MulIOp>(multiplication))
    return failure();
  SmallVector<Operation *> conversions[2];
  BlockArgument factors[2];
  for (unsigned i : {0, 1})
    factors[i] = throughConversions(multiplication->getOperand(i), conversions[i]);
  if (!factors[0] || !factors[1] || factors[0] == factors[1] || factors[0] == out ||
      factors[1] == out)
    return failure();
  for (unsigned i : {0, 1})
    extensions[factors[i].getArgNumber()] = conversions[i];
  Type type = out.getType();
  if (!type.isF32() && !type.isF64() && !type.isInteger()) {
    reason = "expected sums in f32, f64 or integers";
    return failure();
  }
  reason.clear();
  return success();
}

Type Contraction::accumulatorType() const {
  return linalg::LinalgOp(root).getBlock()->getArgument(2).getType();
}

//===----------------------------------------------------------------------===//
// Where operands are
//===----------------------------------------------------------------------===//

LogicalResult Contraction::linearize(AffineExpr expr, int64_t factor, Linear &linear) const {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    // A loop of one iteration adds nothing.
    if (loopSizes[dim.getPosition()].known != 1)
      linear.factors[dim.getPosition()] += factor;
    return success();
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    linear.constant += factor * constant.getValue();
    return success();
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return failure();
  if (binary.getKind() == AffineExprKind::Add)
    return success(succeeded(linearize(binary.getLHS(), factor, linear)) &&
                   succeeded(linearize(binary.getRHS(), factor, linear)));
  auto scale = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (binary.getKind() != AffineExprKind::Mul || !scale)
    return failure();
  return linearize(binary.getLHS(), factor * scale.getValue(), linear);
}

/// The tensor that `value` is, with other knowledge of its sizes.
static Value throughCasts(Value value) {
  while (auto op = value.getDefiningOp<tensor::CastOp>())
    value = op.getSource();
  return value;
}

LogicalResult Contraction::matchOperand(Side side, Value tensor, AffineMap map,
                                        std::string &reason) {
  Operand &operand = operands[side];
  SmallVector<Linear> &linears = indices[side];
  for (AffineExpr expr : map.getResults()) {
    Linear linear{SmallVector<int64_t>(root.getNumLoops(), 0)};
    if (failed(linearize(expr, 1, linear))) {
      reason = "expected operands whose indices are sums of loops";
      return failure();
    }
    linears.push_back(linear);
  }
  tensor = throughCasts(tensor);
  if (auto pad = tensor.getDefiningOp<tensor::PadOp>()) {
    Value filling = pad.getConstantPaddingValue();
    if (!filling || !(matchPattern(filling, m_AnyZeroFloat()) || matchPattern(filling, m_Zero()))) {
      reason = "expected an operand to be padded with zeros";
      return failure();
    }
    operand.isPadded = true;
    for (unsigned dim = 0; dim < linears.size(); ++dim) {
      std::optional<int64_t> low = getConstantIntValue(pad.getMixedLowPad()[dim]);
      std::optional<int64_t> high = getConstantIntValue(pad.getMixedHighPad()[dim]);
      if (!low) {
        reason = "expected an operand to be padded by known amounts";
        return failure();
      }
      linears[dim].constant -= *low;
      if (*low > 0 || !high || *high > 0)
        operand.windows.push_back({dim, *low, {pad.getSourceType().getDimSize(dim), {}}});
    }
    tensor = throughCasts(pad.getSource());
  }
  auto argument = dyn_cast<BlockArgument>(tensor);
  if (!argument || argument.getOwner() != &kernel.getBody().front()) {
    reason = "expected operands in memory";
    return failure();
  }
  operand.buffer = kernel.getOperandOf(argument);
  operand.type = cast<MemRefType>(operand.buffer.getType());
  if (!operand.type.isStrided() || !operand.elementType().isIntOrFloat() ||
      operand.elementType().isInteger(1)) {
    reason = "expected operands of numbers with strides";
    return failure();
  }
  return success();
}

LogicalResult Contraction::matchResult(std::string &reason) {
  // The loop of the root for each dimension, from its result to what the kernel yields.
  Value value = root->getResult(0), yielded = kernel.getYielded(0);
  AffineMap map = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  auto read = [](AffineMap map, ArrayRef<unsigned> of) -> std::optional<SmallVector<unsigned>> {
    SmallVector<unsigned> loops;
    for (AffineExpr expr : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        return std::nullopt;
      loops.push_back(of.empty() ? dim.getPosition() : of[dim.getPosition()]);
    }
    return loops;
  };
  reason = "expected each element of the sum to be used for one of the result";
  std::optional<SmallVector<unsigned>> current = read(map, {});
  if (!current || current->size() != root.getNumParallelLoops())
    return failure();
  while (value != yielded) {
    Operation *reader = nullptr;
    for (Operation *user : value.getUsers()) {
      if (reader && reader != user)
        return failure();
      reader = user;
    }
    if (auto cast = dyn_cast_or_null<tensor::CastOp>(reader)) {
      value = cast.getResult();
      continue;
    }
    auto op = dyn_cast_or_null<linalg::LinalgOp>(reader);
    if (!op || op.getNumReductionLoops() || op->getNumResults() != 1 ||
        op.getNumLoops() != current->size())
      return failure();
    std::optional<SmallVector<unsigned>> byLoop;
    for (OpOperand &use : value.getUses()) {
      AffineMap in = op.getMatchingIndexingMap(&use);
      if (!op.isDpsInput(&use) || !in.isPermutation())
        return failure();
      SmallVector<unsigned> here(current->size());
      for (auto [position, loop] : llvm::enumerate(*current))
        here[in.getDimPosition(position)] = loop;
      if (byLoop && *byLoop != here)
        return failure();
      byLoop = here;
    }
    AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    if (!out.isPermutation())
      return failure();
    current = read(out, *byLoop);
    value = op->getResult(0);
  }
  outputLoops.assign(current->begin(), current->end());

  Operand &operand = operands[Result];
  operand.buffer = kernel.getOutputs().front();
  operand.type = cast<MemRefType>(operand.buffer.getType());
  if (!operand.type.isStrided() || !operand.elementType().isIntOrFloat()) {
    reason = "expected a result of numbers with strides";
    return failure();
  }
  for (unsigned loop : outputLoops) {
    Linear linear{SmallVector<int64_t>(root.getNumLoops(), 0)};
    linear.factors[loop] = loopSizes[loop].known == 1 ? 0 : 1;
    indices[Result].push_back(linear);
  }
  Value init = throughCasts(root.getDpsInits()[0]);
  auto fill = init.getDefiningOp<linalg::FillOp>();
  startsAtZero = init.getDefiningOp<tensor::EmptyOp>() ||
                 (fill && (matchPattern(fill.getInputs()[0], m_AnyZeroFloat()) ||
                           matchPattern(fill.getInputs()[0], m_Zero())));
  reason.clear();
  return success();
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

LogicalResult Contraction::classifyLoops(ArrayRef<AffineMap> maps, std::string &reason) {
  auto reads = [](AffineMap map, unsigned loop) { return map.isFunctionOfDim(loop); };
  SmallVector<utils::IteratorType> kinds = root.getIteratorTypesArray();
  // The result's last dimension is to be N, so that neighbouring threads write neighbours.
  bool swap = false;
  for (unsigned loop : llvm::reverse(outputLoops)) {
    if (loopSizes[loop].known == 1)
      continue;
    swap = reads(maps[0], loop) && !reads(maps[1], loop);
    break;
  }
  if (swap) {
    std::swap(operands[Rows], operands[Columns]);
    std::swap(indices[Rows], indices[Columns]);
    std::swap(extensions[Rows], extensions[Columns]);
  }
  axisOf.assign(kinds.size(), std::nullopt);
  for (unsigned loop = 0; loop < kinds.size(); ++loop) {
    if (loopSizes[loop].known == 1)
      continue;
    bool inRows = reads(maps[swap], loop), inColumns = reads(maps[!swap], loop);
    bool isReduction = kinds[loop] == utils::IteratorType::reduction;
    if (inRows && inColumns)
      axisOf[loop] = isReduction ? Axis::K : Axis::Batch;
    else if (!isReduction && (inRows || inColumns))
      axisOf[loop] = inRows ? Axis::M : Axis::N;
    if (!axisOf[loop]) {
      reason = "expected both operands to be indexed by each reduction, and one by each other loop";
      return failure();
    }
  }
  return success();
}

Contraction::Step Contraction::makeStep(Side side, unsigned loop) const {
  const Operand &operand = operands[side];
  Step step;
  step.stride.known = 0;
  int64_t offset;
  SmallVector<int64_t> strides;
  (void)operand.type.getStridesAndOffset(strides, offset);
  bool isWhole = true;
  for (auto [dim, linear] : llvm::enumerate(indices[side])) {
    int64_t factor = linear.factors[loop];
    if (!factor)
      continue;
    step.terms.push_back({dim, factor});
    if (ShapedType::isDynamic(strides[dim]) || !step.stride.isKnown())
      step.stride.known = ShapedType::kDynamic;
    else
      step.stride.known += factor * strides[dim];
    isWhole &= factor == 1 && linear.constant == 0 &&
               llvm::count_if(linear.factors, [](int64_t other) { return other != 0; }) == 1;
  }
  for (const Window &window : operand.windows) {
    int64_t factor = indices[side][window.dim].factors[loop];
    step.windows.push_back(factor);
    isWhole &= factor == 0;
  }
  // A dimension is gone through completely where loop and buffer have one size.
  if (isWhole && step.terms.size() == 1 && operand.type.getLayout().isIdentity()) {
    unsigned dim = step.terms[0].first;
    int64_t size = operand.type.getDimSize(dim);
    if (!operand.isPadded && size == loopSizes[loop].known)
      step.whole = {dim, dim};
  }
  return step;
}

bool Contraction::followEachOther(const Loop &outer, const Loop &inner) {
  const Step &first = outer.step, &second = inner.step;
  auto isZero = [](int64_t factor) { return factor == 0; };
  if (!llvm::all_of(first.windows, isZero) || !llvm::all_of(second.windows, isZero))
    return false;
  if (first.terms.empty() || second.terms.empty())
    return first.terms.empty() && second.terms.empty();
  if (first.stride.isKnown() && second.stride.isKnown() && inner.size.isKnown() &&
      first.stride.known == second.stride.known * inner.size.known)
    return true;
  return first.whole && second.whole && first.whole->second + 1 == second.whole->first;
}

void Contraction::orderLoops() {
  auto add = [&](unsigned loop) {
    if (axisOf[loop])
      dims[unsigned(*axisOf[loop])].push_back(loop);
  };
  llvm::for_each(outputLoops, add);
  for (unsigned loop = 0; loop < axisOf.size(); ++loop)
    if (axisOf[loop] == Axis::K)
      add(loop);
  // The loop of K that runs through memory is innermost.
  auto &reductions = dims[unsigned(Axis::K)];
  for (Side side : {Columns, Rows}) {
    auto it = llvm::find_if(reductions,
                            [&](unsigned loop) { return makeStep(side, loop).stride.known == 1; });
    if (it != reductions.end())
      std::rotate(it, it + 1, reductions.end());
  }
}

void Contraction::mergeLoops(Side side) {
  for (unsigned axis = 0; axis < axisCount; ++axis) {
    std::vector<Loop> &merged = loops[side][axis];
    for (unsigned dim : dims[axis]) {
      Loop loop{{dim}, loopSizes[dim], makeStep(side, dim)};
      if (merged.empty() || !followEachOther(merged.back(), loop)) {
        merged.push_back(loop);
        continue;
      }
      Loop &outer = merged.back();
      outer.dims.push_back(dim);
      outer.size.known = outer.size.isKnown() && loop.size.isKnown()
                             ? outer.size.known * loop.size.known
                             : ShapedType::kDynamic;
      if (loop.step.whole && outer.step.whole)
        loop.step.whole = {outer.step.whole->first, loop.step.whole->second};
      else
        loop.step.whole.reset();
      outer.step = loop.step;
    }
  }
}

void Contraction::findVectors(Side side) {
  Operand &operand = operands[side];
  Axis outer = side == Columns ? Axis::N : Axis::M;
  SmallVector<Axis> candidates = {Axis::K, outer};
  if (side == Result)
    candidates = {Axis::N, Axis::M};
  int64_t offset;
  SmallVector<int64_t> strides;
  (void)operand.type.getStridesAndOffset(strides, offset);
  int64_t bytes = llvm::divideCeil(operand.elementType().getIntOrFloatBitWidth(), 8);
  for (Axis axis : candidates) {
    ArrayRef<Loop> list = loops[side][unsigned(axis)];
    if (list.empty() || list.back().step.stride.known != 1)
      continue;
    operand.contiguous = axis;
    const Loop &inner = list.back();
    int64_t width = std::max<int64_t>(accessBytes / bytes, 1);
    if (operand.elementType().isInteger(1)) // vectors of bits are no bytes in memory
      width = 1;
    auto require = [&](int64_t multiple) {
      while (width > 1 && (ShapedType::isDynamic(multiple) || multiple % width))
        width /= 2;
    };
    require(offset);
    require(origins[side].known);
    if (list.size() > 1)
      require(inner.size.known);
    if (llvm::any_of(inner.step.windows, [](int64_t factor) { return factor != 0; }))
      width = 1;
    for (ArrayRef<Loop> others : loops[side])
      for (const Loop &loop : others)
        if (&loop != &inner)
          require(loop.step.stride.known);
    operand.vectorElements = width;
    return;
  }
}

/// Whether all offsets, also of the numbers in the last tiles, are far below 2^31.
bool Contraction::findSmall() const {
  constexpr int64_t limit = int64_t(1) << 30;
  for (const Extent &size : sizes)
    if (!size.isKnown() || size.known >= limit)
      return false;
  for (Side side : {Rows, Columns, Result}) {
    if (!origins[side].isKnown())
      return false;
    int64_t span = std::abs(origins[side].known);
    for (ArrayRef<Loop> list : loops[side])
      for (const Loop &loop : list) {
        if (!loop.step.stride.isKnown())
          return false;
        int64_t stride = std::abs(loop.step.stride.known);
        if (stride && loop.size.known >= limit / stride)
          return false;
        span += stride * loop.size.known;
      }
    if (span >= limit)
      return false;
  }
  return true;
}

int64_t Contraction::staticSize(Axis axis) const { return sizes[unsigned(axis)].known; }

FailureOr<Contraction> Contraction::match(rt::KernelOp kernel, std::string &reason) {
  Contraction form;
  form.kernel = kernel;
  reason = "expected one operation with reductions";
  for (linalg::LinalgOp op : kernel.getBody().front().getOps<linalg::LinalgOp>()) {
    if (!op.getNumReductionLoops())
      continue;
    if (form.root)
      return failure();
    form.root = op;
  }
  if (!form.root || kernel.getOutputs().size() != 1)
    return failure();
  if (failed(form.matchBody(reason)))
    return failure();
  for (int64_t size : form.root.getStaticLoopRanges())
    form.loopSizes.push_back({size, {}});
  SmallVector<AffineMap> maps = form.root.getIndexingMapsArray();
  for (Side side : {Rows, Columns})
    if (failed(form.matchOperand(side, form.root.getDpsInputs()[side], maps[side], reason)))
      return failure();
  if (failed(form.matchResult(reason)) || failed(form.classifyLoops(maps, reason)))
    return failure();
  form.orderLoops();
  for (unsigned axis = 0; axis < axisCount; ++axis) {
    Extent &total = form.sizes[axis];
    total.known = 1;
    for (unsigned dim : form.dims[axis]) {
      const Extent &size = form.loopSizes[dim];
      total.known =
          size.isKnown() && total.isKnown() ? total.known * size.known : ShapedType::kDynamic;
    }
  }
  for (Side side : {Rows, Columns, Result}) {
    Operand &operand = form.operands[side];
    int64_t offset;
    SmallVector<int64_t> strides;
    (void)operand.type.getStridesAndOffset(strides, offset);
    Extent &origin = form.origins[side];
    origin.known = 0;
    for (auto [dim, linear] : llvm::enumerate(form.indices[side])) {
      form.convolution |=
          llvm::count_if(linear.factors, [](int64_t factor) { return factor != 0; }) > 1;
      if (!linear.constant)
        continue;
      if (ShapedType::isDynamic(strides[dim]) || !origin.isKnown())
        origin.known = ShapedType::kDynamic;
      else
        origin.known += linear.constant * strides[dim];
    }
    form.convolution |= !operand.windows.empty();
    form.mergeLoops(side);
    form.findVectors(side);
  }
  form.isSmall = form.findSmall();
  return FailureOr<Contraction>(std::move(form));
}

//===----------------------------------------------------------------------===//
// On the host
//===----------------------------------------------------------------------===//

LogicalResult Contraction::prepare(OpBuilder &builder, std::string &reason) {
  ValueEvaluator evaluator(builder, kernel);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc(), value);
  };
  auto product = [&](Value left, Value right) -> Value {
    return left ? arith::MulIOp::create(builder, loc(), left, right).getResult() : right;
  };
  for (auto [loop, size] : llvm::enumerate(loopSizes)) {
    size.value = size.isKnown() ? constant(size.known) : evaluator.loopSize(root, loop);
    if (!size.value) {
      reason = "expected sizes that are known before, but got " + evaluator.getError().str();
      return failure();
    }
  }
  for (Side side : {Rows, Columns, Result}) {
    Operand &operand = operands[side];
    SmallVector<Value> strides;
    auto stride = [&](unsigned dim) {
      if (strides.empty())
        strides = SmallVector<Value>(
            memref::ExtractStridedMetadataOp::create(builder, loc(), operand.buffer).getStrides());
      return strides[dim];
    };
    auto combine = [&](ArrayRef<std::pair<unsigned, int64_t>> terms) {
      Value total;
      for (auto [dim, factor] : terms) {
        Value term = product(factor == 1 ? Value() : constant(factor), stride(dim));
        total = total ? arith::AddIOp::create(builder, loc(), total, term).getResult() : term;
      }
      return total;
    };
    for (std::vector<Loop> &list : loops[side])
      for (Loop &loop : list) {
        if (!loop.step.stride.isKnown())
          loop.step.stride.value = combine(loop.step.terms);
        for (unsigned dim : loop.dims)
          loop.size.value = product(loop.size.value, loopSizes[dim].value);
      }
    if (!origins[side].isKnown()) {
      SmallVector<std::pair<unsigned, int64_t>> terms;
      for (auto [dim, linear] : llvm::enumerate(indices[side]))
        if (linear.constant)
          terms.push_back({dim, linear.constant});
      origins[side].value = combine(terms);
    }
    for (Window &window : operand.windows)
      if (!window.size.isKnown())
        window.size.value = memref::DimOp::create(builder, loc(), operand.buffer, window.dim);
  }
  for (unsigned axis = 0; axis < axisCount; ++axis) {
    Value total;
    for (unsigned dim : dims[axis])
      total = product(total, loopSizes[dim].value);
    sizes[axis].value = sizes[axis].isKnown() ? constant(sizes[axis].known) : total;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Numbers on the device
//===----------------------------------------------------------------------===//

Type Contraction::numberType(OpBuilder &builder) const {
  return isSmall ? Type(builder.getI32Type()) : Type(builder.getIndexType());
}

Value Contraction::number(OpBuilder &builder, int64_t value) const {
  return arith::ConstantOp::create(builder, loc(),
                                   builder.getIntegerAttr(numberType(builder), value));
}

Value Contraction::extentValue(OpBuilder &builder, const Extent &extent) const {
  return extent.isKnown() ? number(builder, extent.known) : extent.value;
}

Value Contraction::size(OpBuilder &builder, Axis axis) const {
  return extentValue(builder, sizes[unsigned(axis)]);
}

Value Contraction::fromIndex(OpBuilder &builder, Value value) const {
  if (value.getType() == numberType(builder))
    return value;
  return arith::IndexCastOp::create(builder, loc(), numberType(builder), value);
}

Value Contraction::toIndex(OpBuilder &builder, Value value) const {
  if (value.getType().isIndex())
    return value;
  return arith::IndexCastOp::create(builder, loc(), builder.getIndexType(), value);
}

Value Contraction::scale(OpBuilder &builder, Value value, const Extent &factor) const {
  if (factor.known == 1)
    return value;
  return arith::MulIOp::create(builder, loc(), value, extentValue(builder, factor));
}

Value Contraction::sum(OpBuilder &builder, Value left, Value right) const {
  if (!left || !right)
    return left ? left : right;
  return arith::AddIOp::create(builder, loc(), left, right);
}

SmallVector<Value> Contraction::split(OpBuilder &builder, Value number,
                                      ArrayRef<Extent> sizes) const {
  SmallVector<Value> parts(sizes.size());
  for (unsigned i = sizes.size(); i-- > 1;) {
    // Nothing is asked for where a size is 0, but the division may be reached.
    Value divisor = sizes[i].isKnown() ? this->number(builder, std::max<int64_t>(sizes[i].known, 1))
                                       : arith::MaxUIOp::create(builder, loc(), sizes[i].value,
                                                                this->number(builder, 1))
                                             .getResult();
    parts[i] = arith::RemUIOp::create(builder, loc(), number, divisor);
    number = arith::DivUIOp::create(builder, loc(), number, divisor);
  }
  if (!parts.empty())
    parts[0] = number;
  return parts;
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

Place Contraction::place(OpBuilder &builder, Side side, Axis axis, Value number) const {
  const Operand &operand = operands[side];
  Place place;
  place.windows.resize(operand.windows.size());
  ArrayRef<Loop> list = loops[side][unsigned(axis)];
  SmallVector<Extent> extents =
      llvm::map_to_vector(list, [](const Loop &loop) { return loop.size; });
  SmallVector<Value> parts = split(builder, number, extents);
  for (auto [loop, part] : llvm::zip(list, parts)) {
    const Step &step = loop.step;
    if (step.terms.empty())
      continue;
    place.offset = sum(builder, place.offset, scale(builder, part, step.stride));
    for (auto [window, factor] : llvm::zip(place.windows, step.windows))
      if (factor)
        window = sum(builder, window, scale(builder, part, {factor, {}}));
  }
  // What no loop contributes.
  if (axis != (side == Columns ? Axis::N : Axis::M))
    return place;
  if (origins[side].known != 0)
    place.offset = sum(builder, place.offset, extentValue(builder, origins[side]));
  for (auto [window, padded] : llvm::zip(place.windows, operand.windows))
    if (int64_t constant = indices[side][padded.dim].constant)
      window = sum(builder, window, this->number(builder, constant));
  return place;
}

Place Contraction::placeInStep(OpBuilder &builder, Side side, Value first, Value inner,
                               int64_t step) const {
  ArrayRef<Loop> list = loops[side][unsigned(Axis::K)];
  // A single loop needs no division.
  if (list.size() < 2 || !list.back().size.isKnown() || list.back().size.known % step)
    return place(builder, side, Axis::K, sum(builder, first, inner));
  Place result = place(builder, side, Axis::K, first);
  const Step &innermost = list.back().step;
  if (!innermost.terms.empty())
    result.offset = sum(builder, result.offset, scale(builder, inner, innermost.stride));
  for (auto [window, factor] : llvm::zip(result.windows, innermost.windows))
    if (factor)
      window = sum(builder, window, scale(builder, inner, {factor, {}}));
  return result;
}

Place Contraction::add(OpBuilder &builder, const Place &left, const Place &right) const {
  Place result;
  result.offset = sum(builder, left.offset, right.offset);
  for (auto [first, second] : llvm::zip(left.windows, right.windows))
    result.windows.push_back(sum(builder, first, second));
  return result;
}

Value Contraction::offset(OpBuilder &builder, const Place &sum) const {
  return sum.offset ? toIndex(builder, sum.offset)
                    : arith::ConstantIndexOp::create(builder, loc(), 0).getResult();
}

Value Contraction::inside(OpBuilder &builder, Side side, const Place &sum) const {
  Value all;
  for (auto [coordinate, window] : llvm::zip(sum.windows, operands[side].windows)) {
    Value at = coordinate ? coordinate : number(builder, 0);
    // One unsigned comparison for both ends.
    Value fits = arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::ult, at,
                                       extentValue(builder, window.size));
    all = all ? arith::AndIOp::create(builder, loc(), all, fits).getResult() : fits;
  }
  return all;
}

Value Contraction::flat(OpBuilder &builder, Side side) const {
  const Operand &operand = operands[side];
  int64_t offset;
  SmallVector<int64_t> strides;
  (void)operand.type.getStridesAndOffset(strides, offset);
  OpFoldResult start = builder.getIndexAttr(offset);
  if (ShapedType::isDynamic(offset))
    start = memref::ExtractStridedMetadataOp::create(builder, loc(), operand.buffer).getOffset();
  // Its size is asked for nowhere.
  constexpr int64_t size = std::numeric_limits<int64_t>::max();
  auto layout = StridedLayoutAttr::get(builder.getContext(), offset, {1});
  auto type = MemRefType::get({size}, operand.elementType(), layout, operand.type.getMemorySpace());
  return memref::ReinterpretCastOp::create(builder, loc(), type, operand.buffer, start,
                                           ArrayRef<OpFoldResult>{builder.getIndexAttr(size)},
                                           ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
}

Value Contraction::load(OpBuilder &builder, Side side, Value flat, const Place &sum, int64_t width,
                        Value guard) const {
  Type type = operands[side].elementType();
  if (width > 1)
    type = VectorType::get({width}, type);
  auto emit = [&]() -> Value {
    Value at = offset(builder, sum);
    if (width == 1)
      return memref::LoadOp::create(builder, loc(), flat, at);
    int64_t bytes = width * operands[side].elementType().getIntOrFloatBitWidth() / 8;
    return vector::LoadOp::create(builder, loc(), cast<VectorType>(type), flat, at,
                                  /*nontemporal=*/false, llvm::MaybeAlign(bytes));
  };
  if (Value fits = inside(builder, side, sum))
    guard = guard ? arith::AndIOp::create(builder, loc(), guard, fits).getResult() : fits;
  if (!guard)
    return emit();
  auto branch = scf::IfOp::create(builder, loc(), type, guard, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard position(builder);
  builder.setInsertionPointToEnd(&branch.getThenRegion().front());
  scf::YieldOp::create(builder, loc(), emit());
  builder.setInsertionPointToEnd(&branch.getElseRegion().front());
  Value zeros = arith::ConstantOp::create(builder, loc(), builder.getZeroAttr(type));
  scf::YieldOp::create(builder, loc(), zeros);
  return branch.getResult(0);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value Contraction::extend(OpBuilder &builder, Side side, Value element) const {
  for (Operation *op : extensions[side]) {
    Type type = op->getResult(0).getType();
    if (auto vector = dyn_cast<VectorType>(element.getType()))
      type = vector.clone(type);
    element = builder.create(loc(), op->getName().getIdentifier(), element, type, op->getAttrs())
                  ->getResult(0);
  }
  return element;
}

Value Contraction::multiplyAdd(OpBuilder &builder, Value row, Value column, Value sum) const {
  if (isFloat())
    return math::FmaOp::create(builder, loc(), row, column, sum);
  return arith::AddIOp::create(builder, loc(), sum,
                               arith::MulIOp::create(builder, loc(), row, column));
}

Value Contraction::addSums(OpBuilder &builder, Value left, Value right) const {
  if (isFloat())
    return arith::AddFOp::create(builder, loc(), left, right);
  return arith::AddIOp::create(builder, loc(), left, right);
}

Value Contraction::zero(OpBuilder &builder) const {
  return arith::ConstantOp::create(builder, loc(), builder.getZeroAttr(accumulatorType()));
}

bool Contraction::multipliesFloats() const {
  return isFloat() && llvm::all_of(extensions, [](ArrayRef<Operation *> ops) {
           return llvm::all_of(ops, [](Operation *op) { return isa<arith::ExtFOp>(op); });
         });
}

//===----------------------------------------------------------------------===//
// The result
//===----------------------------------------------------------------------===//

void Contraction::setCoordinates(OpBuilder &builder, Axis axis, Value number,
                                 MutableArrayRef<Value> iteration) const {
  ArrayRef<unsigned> ofAxis = dims[unsigned(axis)];
  SmallVector<Extent> extents =
      llvm::map_to_vector(ofAxis, [&](unsigned dim) { return loopSizes[dim]; });
  for (auto [dim, part] : llvm::zip(ofAxis, split(builder, number, extents)))
    iteration[dim] = toIndex(builder, part);
}

SmallVector<Value> Contraction::resultCoordinates(OpBuilder &builder,
                                                  ArrayRef<Value> iteration) const {
  return llvm::map_to_vector(outputLoops, [&](unsigned loop) {
    return iteration[loop] ? iteration[loop]
                           : arith::ConstantIndexOp::create(builder, loc(), 0).getResult();
  });
}

bool Contraction::isLastColumn() const {
  ArrayRef<unsigned> ofAxis = dims[unsigned(Axis::N)];
  return ofAxis.size() == 1 && !outputLoops.empty() && outputLoops.back() == ofAxis.front();
}

Value Contraction::evaluateResult(OpBuilder &builder, ValueEvaluator &evaluator,
                                  ArrayRef<Value> iteration, Value sum) const {
  auto coordinate = [&](unsigned loop) -> Value {
    return iteration[loop] ? iteration[loop]
                           : arith::ConstantIndexOp::create(builder, loc(), 0).getResult();
  };
  linalg::LinalgOp op = root;
  if (!startsAtZero) {
    OpOperand *init = op.getDpsInitOperand(0);
    SmallVector<Value> at;
    for (AffineExpr expr : op.getMatchingIndexingMap(init).getResults())
      at.push_back(coordinate(cast<AffineDimExpr>(expr).getPosition()));
    Value initial = evaluator.evaluate(init->get(), at);
    if (!initial)
      return {};
    sum = addSums(builder, sum, initial);
  }
  evaluator.bind(op->getResult(0), [sum](OpBuilder &, ValueRange) { return sum; });
  return evaluator.evaluate(rt::KernelOp(kernel).getYielded(0),
                            resultCoordinates(builder, iteration));
}

} // namespace torchlite::nvgpu
