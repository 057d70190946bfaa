//===- Lanes.cpp - Neighbouring elements of one thread --------------------===//
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace torchlite::nvgpu {

/// The widest access, and what buffers are aligned to.
static constexpr int64_t maxAccess = 16;

int64_t elementBytes(Type type) {
  if (!type.isIntOrFloat())
    return 0;
  int64_t bits = std::max(type.getIntOrFloatBitWidth(), 8u);
  return llvm::isPowerOf2_64(bits) && bits <= 64 ? bits / 8 : 0;
}

static Value constantIndex(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

static Value addIndex(OpBuilder &builder, Location loc, Value value, int64_t offset) {
  if (offset == 0)
    return value;
  return arith::AddIOp::create(builder, loc, value, constantIndex(builder, loc, offset));
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

bool isAligned(MemRefType type, int64_t width) {
  int64_t bytes = elementBytes(type.getElementType());
  if (type.getRank() == 0 || bytes == 0 || width < 2 || !llvm::isPowerOf2_64(width))
    return false;
  int64_t alignment = std::min(width * bytes, maxAccess);
  int64_t last = type.getRank() - 1;
  if (type.getLayout().isIdentity()) {
    if (type.getRank() == 1)
      return true;
    return !type.isDynamicDim(last) && type.getDimSize(last) * bytes % alignment == 0;
  }
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || ShapedType::isDynamic(offset) ||
      offset * bytes % alignment != 0 || strides[last] != 1)
    return false;
  return llvm::all_of(llvm::seq<int64_t>(0, last), [&](int64_t dim) {
    return type.getDimSize(dim) == 1 ||
           (!ShapedType::isDynamic(strides[dim]) && strides[dim] * bytes % alignment == 0);
  });
}

/// Booleans are bytes in memory, but vectors of them would be bits: they are accessed as bytes.
static Value bytePointer(OpBuilder &builder, Location loc, Value buffer, ValueRange at) {
  auto metadata = memref::ExtractStridedMetadataOp::create(builder, loc, buffer);
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  (void)type.getStridesAndOffset(strides, offset); // isAligned has looked
  Value linear = constantIndex(builder, loc, offset);
  for (auto [dim, coordinate] : llvm::enumerate(at)) {
    Value stride = ShapedType::isDynamic(strides[dim]) ? metadata.getStrides()[dim]
                                                       : constantIndex(builder, loc, strides[dim]);
    Value part = arith::MulIOp::create(builder, loc, coordinate, stride);
    linear = arith::AddIOp::create(builder, loc, linear, part);
  }
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
  Type i64 = builder.getI64Type(), pointer = LLVM::LLVMPointerType::get(builder.getContext());
  base = arith::IndexCastOp::create(builder, loc, i64, base);
  base = LLVM::IntToPtrOp::create(builder, loc, pointer, base);
  Value distance = arith::IndexCastOp::create(builder, loc, i64, linear);
  return LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base, distance);
}

/// Calls `access` for each access: coordinates, the first lane, how many lanes.
static void forEachAccess(OpBuilder &builder, Location loc, Type element, ValueRange at,
                          int64_t width,
                          function_ref<void(ValueRange at, int64_t first, VectorType)> access) {
  int64_t step = std::min(width, maxAccess / elementBytes(element));
  for (int64_t first = 0; first < width; first += step) {
    SmallVector<Value> place(at);
    place.back() = addIndex(builder, loc, place.back(), first);
    access(place, first, VectorType::get(step, element));
  }
}

SmallVector<Value> loadLanes(OpBuilder &builder, Location loc, Value buffer, ValueRange at,
                             int64_t width) {
  auto type = cast<MemRefType>(buffer.getType());
  Type element = type.getElementType();
  bool isBoolean = element.isInteger(1);
  SmallVector<Value> elements;
  forEachAccess(builder, loc, element, at, width, [&](ValueRange place, int64_t, VectorType part) {
    Value vector;
    if (isBoolean) {
      auto bytes = VectorType::get(part.getNumElements(), builder.getI8Type());
      vector = LLVM::LoadOp::create(builder, loc, bytes, bytePointer(builder, loc, buffer, place),
                                    part.getNumElements());
    } else {
      vector = vector::LoadOp::create(builder, loc, part, buffer, place);
    }
    for (int64_t lane = 0; lane < part.getNumElements(); ++lane) {
      Value value = vector::ExtractOp::create(builder, loc, vector, lane);
      if (isBoolean)
        value = arith::TruncIOp::create(builder, loc, element, value);
      elements.push_back(value);
    }
  });
  return elements;
}

void storeLanes(OpBuilder &builder, Location loc, ArrayRef<Value> elements, Value buffer,
                ValueRange at) {
  auto type = cast<MemRefType>(buffer.getType());
  Type element = type.getElementType();
  forEachAccess(builder, loc, element, at, elements.size(),
                [&](ValueRange place, int64_t first, VectorType part) {
                  SmallVector<Value> lanes(elements.slice(first, part.getNumElements()));
                  if (!element.isInteger(1)) {
                    Value vector = vector::FromElementsOp::create(builder, loc, part, lanes);
                    vector::StoreOp::create(builder, loc, vector, buffer, place);
                    return;
                  }
                  for (Value &lane : lanes)
                    lane = arith::ExtUIOp::create(builder, loc, builder.getI8Type(), lane);
                  auto bytes = VectorType::get(part.getNumElements(), builder.getI8Type());
                  Value vector = vector::FromElementsOp::create(builder, loc, bytes, lanes);
                  LLVM::StoreOp::create(builder, loc, vector,
                                        bytePointer(builder, loc, buffer, place),
                                        part.getNumElements());
                });
}

//===----------------------------------------------------------------------===//
// Coordinates
//===----------------------------------------------------------------------===//

Coordinates::Coordinates(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                         int64_t extra)
    : builder(builder), loc(loc), sizes(sizes) {
  int64_t count = 1;
  bool isSmall = true;
  for (OpFoldResult size : sizes) {
    std::optional<int64_t> known = getConstantIntValue(size);
    isSmall &= known && *known <= INT32_MAX && (count *= *known) <= INT32_MAX;
    if (!isSmall)
      break;
  }
  isSmall &= count + extra <= INT32_MAX;
  type = isSmall ? Type(builder.getI32Type()) : Type(builder.getIndexType());
}

Coordinates Coordinates::of(OpBuilder &builder, Location loc, Value buffer, int64_t extra) {
  return Coordinates(builder, loc, memref::getMixedSizes(builder, loc, buffer), extra);
}

Value Coordinates::constant(int64_t value) const {
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, value));
}

Value Coordinates::fromIndex(Value value) const {
  if (type.isIndex())
    return value;
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return constant(*known);
  return arith::IndexCastOp::create(builder, loc, type, value);
}

Value Coordinates::toIndex(Value value) const {
  if (type.isIndex())
    return value;
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return constantIndex(builder, loc, *known);
  // Numbers are not negative.
  return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(), value);
}

Value Coordinates::threadNumber(const Launch &launch, int64_t blockSize) const {
  Value base =
      arith::MulIOp::create(builder, loc, fromIndex(launch.blockId(0)), constant(blockSize));
  return arith::AddIOp::create(builder, loc, base, fromIndex(launch.threadId(0)));
}

SmallVector<Value> Coordinates::ofNumber(Value number) const {
  SmallVector<Value> coordinates(sizes.size());
  int64_t first = 0;
  while (first < static_cast<int64_t>(sizes.size()) && isOneInteger(sizes[first]))
    ++first;
  for (int64_t dim = sizes.size() - 1; dim >= 0; --dim) {
    if (dim < first || isOneInteger(sizes[dim])) {
      coordinates[dim] = constantIndex(builder, loc, 0);
    } else if (dim == first) {
      coordinates[dim] = toIndex(number);
    } else {
      std::optional<int64_t> known = getConstantIntValue(sizes[dim]);
      Value size = known ? constant(*known) : fromIndex(cast<Value>(sizes[dim]));
      Value rest = arith::RemUIOp::create(builder, loc, number, size);
      coordinates[dim] = toIndex(rest);
      number = arith::DivUIOp::create(builder, loc, number, size);
    }
  }
  return coordinates;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Whether two values are computed in the same way from the same.
static bool isSame(Value a, Value b, unsigned depth = 0);

/// A sum of multiples of values and a constant: neighbouring windows read the same elements by
/// different ways.
struct LinearForm {
  SmallVector<std::pair<Value, int64_t>> terms;
  int64_t constant = 0;

  void add(Value value, int64_t factor) {
    if (std::optional<int64_t> known = getConstantIntValue(value)) {
      constant += *known * factor;
      return;
    }
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<arith::AddIOp, arith::SubIOp>(op) && value.getType().isIndex()) {
      add(op->getOperand(0), factor);
      add(op->getOperand(1), isa<arith::SubIOp>(op) ? -factor : factor);
      return;
    }
    if (isa_and_nonnull<arith::MulIOp>(op) && value.getType().isIndex())
      for (unsigned i : {0, 1})
        if (std::optional<int64_t> known = getConstantIntValue(op->getOperand(i)))
          return add(op->getOperand(1 - i), factor * *known);
    for (auto &[term, multiple] : terms)
      if (term == value) {
        multiple += factor;
        return;
      }
    terms.push_back({value, factor});
  }

  bool operator==(const LinearForm &other) const {
    if (constant != other.constant || terms.size() != other.terms.size())
      return false;
    return llvm::all_of(terms, [&](const auto &mine) {
      return llvm::any_of(other.terms, [&](const auto &theirs) {
        return mine.second == theirs.second && mine.first == theirs.first;
      });
    });
  }
};

static bool isSame(Value a, Value b, unsigned depth) {
  if (a == b)
    return true;
  if (a.getType() != b.getType())
    return false;
  if (a.getType().isIndex()) {
    LinearForm x, y;
    x.add(a, 1);
    y.add(b, 1);
    if (x == y)
      return true;
  }
  auto x = dyn_cast<OpResult>(a), y = dyn_cast<OpResult>(b);
  if (!x || !y || x.getResultNumber() != y.getResultNumber() || depth > 12)
    return false;
  Operation *first = x.getOwner(), *second = y.getOwner();
  // Kernels store after all loads.
  if (first->getName() != second->getName() || first->getNumRegions() ||
      first->getAttrDictionary() != second->getAttrDictionary() ||
      first->getNumOperands() != second->getNumOperands() ||
      !(isMemoryEffectFree(first) || isa<memref::LoadOp>(first)))
    return false;
  return llvm::all_of(llvm::zip(first->getOperands(), second->getOperands()), [&](auto pair) {
    return isSame(std::get<0>(pair), std::get<1>(pair), depth + 1);
  });
}

LaneReader::LaneReader(OpBuilder &builder, rt::KernelOp kernel,
                       ArrayRef<SmallVector<Value>> coordinates, bool isRow, Value number)
    : builder(builder), kernel(kernel), top(builder.getInsertionBlock()), coordinates(coordinates),
      isRow(isRow), number(number), evaluator(builder, kernel), plain(builder, kernel) {
  for (BlockArgument argument : kernel.getBody().front().getArguments())
    if (isa<RankedTensorType>(argument.getType()))
      evaluator.bind(argument,
                     [this, argument](OpBuilder &, ValueRange at) { return read(argument, at); });
  for (auto pad : kernel.getBody().front().getOps<tensor::PadOp>())
    if (isa<BlockArgument>(pad.getSource()))
      evaluator.bind(pad.getResult(),
                     [this, pad](OpBuilder &, ValueRange at) { return readPadded(pad, at); });
}

SmallVector<Value> LaneReader::evaluate(Value tensor) {
  SmallVector<Value> elements;
  for (lane = 0; lane < width(); ++lane) {
    elements.push_back(evaluator.evaluate(tensor, coordinates[lane]));
    if (!elements.back())
      return {};
  }
  return elements;
}

bool LaneReader::dependsOnLane(Value value, unsigned depth) const {
  if (width() == 1)
    return false;
  for (Value coordinate : coordinates[lane])
    if (value == coordinate && !(isRow && value != coordinates[lane].back()))
      return !getConstantIntValue(value).has_value();
  // Block arguments are the numbers of the thread; what depends on a loop is not asked for.
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return false;
  Operation *op = result.getOwner();
  if (op->getNumRegions() || depth > 12)
    return true;
  return llvm::any_of(op->getOperands(),
                      [&](Value operand) { return dependsOnLane(operand, depth + 1); });
}

bool LaneReader::isInRow(ValueRange at) const {
  return isRow && !at.empty() && at.back() == coordinates[lane].back() &&
         llvm::none_of(at.drop_back(), [&](Value value) { return dependsOnLane(value); });
}

const LaneReader::Loaded *LaneReader::find(Value tensor, ValueRange at) const {
  for (const Loaded &entry : loaded) {
    if (entry.tensor != tensor || entry.at.size() != at.size())
      continue;
    ValueRange mine = at, theirs = entry.at;
    if (entry.isVector) {
      if (at.back() != coordinates[lane].back())
        continue;
      mine = mine.drop_back();
      theirs = theirs.drop_back();
    }
    if (llvm::all_of(llvm::zip(mine, theirs),
                     [](auto pair) { return isSame(std::get<0>(pair), std::get<1>(pair)); }))
      return &entry;
  }
  return nullptr;
}

Value LaneReader::read(BlockArgument argument, ValueRange at) {
  Location loc = kernel.getLoc();
  Value buffer = kernel.getOperandOf(argument);
  auto type = cast<MemRefType>(buffer.getType());
  if (width() > 1) {
    // The place of the result itself in a buffer of the same form: no coordinates are needed.
    auto output = cast<MemRefType>(kernel.getOutputs().front().getType());
    bool isFlat = number && type.hasStaticShape() && type.getShape() == output.getShape() &&
                  type.getLayout().isIdentity() && elementBytes(type.getElementType()) &&
                  llvm::equal(at, coordinates[lane]);
    if (isFlat) {
      for (const Loaded &entry : loaded)
        if (entry.tensor == argument && entry.at.empty())
          return entry.elements[lane];
      if (isAtTop()) {
        Value flat = buffer;
        if (type.getRank() != 1) {
          ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
          flat = memref::CollapseShapeOp::create(builder, loc, buffer,
                                                 ArrayRef<ReassociationIndices>{all});
        }
        loaded.push_back({argument, {}, true, loadLanes(builder, loc, flat, number, width())});
        return loaded.back().elements[lane];
      }
    }
  }
  if (const Loaded *entry = find(argument, at))
    return entry->elements[lane];
  if (width() > 1) {
    if (isAtTop() && isInRow(at) && isAligned(type, width())) {
      SmallVector<Value> first(at);
      first.back() = coordinates[0].back();
      loaded.push_back({argument, SmallVector<Value>(at), true,
                        loadLanes(builder, loc, buffer, first, width())});
      return loaded.back().elements[lane];
    }
  }
  Value element = memref::LoadOp::create(builder, loc, buffer, at);
  if (isAtTop() && llvm::none_of(at, [&](Value value) { return dependsOnLane(value); }))
    loaded.push_back(
        {argument, SmallVector<Value>(at), false, SmallVector<Value>(width(), element)});
  return element;
}

Value LaneReader::readPadded(tensor::PadOp pad, ValueRange at) {
  if (const Loaded *entry = find(pad.getResult(), at))
    return entry->elements[lane];
  Location loc = kernel.getLoc();
  auto source = cast<BlockArgument>(pad.getSource());
  auto type = cast<MemRefType>(kernel.getOperandOf(source).getType());
  Value filling = pad.getConstantPaddingValue();
  if (width() == 1 || !filling || !isAtTop() || !isInRow(at) || !isAligned(type, width()) ||
      !isZeroInteger(pad.getMixedLowPad().back()) || !isZeroInteger(pad.getMixedHighPad().back()))
    return plain.evaluate(pad.getResult(), at);
  // One branch for all lanes.
  Value inside;
  SmallVector<Value> place;
  for (auto [dim, coordinate] : llvm::enumerate(at.drop_back())) {
    OpFoldResult low = pad.getMixedLowPad()[dim], high = pad.getMixedHighPad()[dim];
    if (isZeroInteger(low) && isZeroInteger(high)) {
      place.push_back(coordinate);
      continue;
    }
    std::optional<int64_t> known = getConstantIntValue(low);
    Value first =
        known ? constantIndex(builder, loc, *known) : plain.evaluateScalar(cast<Value>(low));
    Value size = plain.sizeOf(source, dim);
    if (!first || !size)
      return {};
    // One unsigned comparison for both ends.
    Value shifted = arith::SubIOp::create(builder, loc, coordinate, first);
    Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, shifted, size);
    inside = inside ? arith::AndIOp::create(builder, loc, inside, fits).getResult() : fits;
    place.push_back(shifted);
  }
  place.push_back(coordinates[0].back());
  Value other = plain.evaluateScalar(filling);
  if (!inside || !other)
    return plain.evaluate(pad.getResult(), at);
  SmallVector<Type> types(width(), type.getElementType());
  auto branch = scf::IfOp::create(builder, loc, types, inside, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&branch.getThenRegion().front());
    scf::YieldOp::create(builder, loc,
                         loadLanes(builder, loc, kernel.getOperandOf(source), place, width()));
    builder.setInsertionPointToEnd(&branch.getElseRegion().front());
    scf::YieldOp::create(builder, loc, SmallVector<Value>(width(), other));
  }
  loaded.push_back(
      {pad.getResult(), SmallVector<Value>(at), true, SmallVector<Value>(branch.getResults())});
  return loaded.back().elements[lane];
}

} // namespace torchlite::nvgpu
