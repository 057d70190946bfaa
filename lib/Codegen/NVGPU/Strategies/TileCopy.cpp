//===- TileCopy.cpp - Tiles of operands to shared memory ------------------===//
#include "TileCopy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace torchlite::nvgpu {

TileLayout TileLayout::of(const SharedTile &tile) {
  return {tile.rows,
          tile.depth,
          tile.elementBytes,
          tile.isTransposed,
          tile.unit(),
          tile.lineLength(),
          [tile](OpBuilder &builder, Location loc, Value line, Value column) {
            return tile.position(builder, loc, line, column);
          }};
}

TileCopier::TileCopier(const Contraction &form, Contraction::Side side, TileLayout layout,
                       const TargetInfo &target, int64_t threads)
    : form(form), side(side), tile(std::move(layout)), threads(threads) {
  const Contraction::Operand &operand = form.operands[side];
  int64_t size = form.staticSize(lineAxis());
  width = 1;
  if (operand.contiguous == lineAxis()) {
    // At most a unit, whose elements stay neighbours in shared memory, and 16 bytes.
    int64_t most = std::min({operand.vectorElements, tile.unit, 16 / tile.elementBytes});
    while (width * 2 <= most)
      width *= 2;
  }
  auto canBeAsync = [&] { return target.hasAsyncCopy && width * tile.elementBytes >= 4; };
  async = canBeAsync();
  beyondLast = !async;
  // Registers are filled by whole accesses only.
  if (!async)
    while (width > 1 && (ShapedType::isDynamic(size) || size % width != 0))
      width /= 2;
  endsWithin = ShapedType::isDynamic(size) ? width > 1 : size % width != 0;
}

static Value both(OpBuilder &builder, Location loc, Value left, Value right) {
  if (!left || !right)
    return left ? left : right;
  return arith::AndIOp::create(builder, loc, left, right);
}

void TileCopier::prepare(OpBuilder &builder, Value thread, Value firstRow, const Place &batch) {
  auto number = [&](int64_t value) { return form.number(builder, value); };
  auto add = [&](Value x, Value y) { return builder.createOrFold<arith::AddIOp>(loc(), x, y); };
  source = form.flat(builder, side);
  int64_t perRun = tile.run / width;
  int64_t size = form.staticSize(rowAxis());
  auto div = [&](Value x, int64_t y) {
    return builder.createOrFold<arith::DivUIOp>(loc(), x, number(y));
  };
  auto mod = [&](Value x, int64_t y) {
    return builder.createOrFold<arith::RemUIOp>(loc(), x, number(y));
  };
  // Rows of patches are dear: three coordinates each. Where an access is one element, as of images
  // with three channels, a thread stays in its row, and what the numbers of k are divided into is
  // the same for all threads.
  bool staysInRow =
      form.isConvolution() && width == 1 && !tile.isTransposed && threads % tile.rows == 0;
  for (int64_t first = 0; first < tile.elements() / width; first += threads) {
    Copy copy;
    Value id = add(thread, number(first));
    Value line = div(id, perRun), column = mod(id, perRun);
    if (staysInRow) {
      line = mod(thread, tile.rows);
      column = add(div(thread, tile.rows), number(first / tile.rows));
    } else if (tile.run < tile.lineLength()) {
      Value runs = div(line, tile.lines());
      line = mod(line, tile.lines());
      column = add(column, builder.createOrFold<arith::MulIOp>(loc(), runs, number(perRun)));
    }
    column = builder.createOrFold<arith::MulIOp>(loc(), column, number(width));
    copy.position =
        tile.position(builder, loc(), form.toIndex(builder, line), form.toIndex(builder, column));
    copy.rowNumber = add(firstRow, tile.isTransposed ? column : line);
    copy.k = tile.isTransposed ? line : column;
    if (ShapedType::isDynamic(size) || size % tile.rows != 0)
      copy.rowGuard = arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::ult,
                                            copy.rowNumber, form.size(builder, rowAxis()));
    copy.row = form.add(builder, form.place(builder, side, rowAxis(), copy.rowNumber), batch);
    copies.push_back(copy);
  }
}

Value TileCopier::guard(OpBuilder &builder, const Copy &copy, Value k, const Place &place,
                        bool checksWindows) const {
  int64_t size = form.staticSize(Axis::K);
  Value inside = copy.rowGuard;
  if (beyondLast || ShapedType::isDynamic(size) || size % tile.depth != 0)
    inside = both(builder, loc(), inside,
                  arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::ult, k,
                                        form.size(builder, Axis::K)));
  return checksWindows ? both(builder, loc(), inside, form.inside(builder, side, place)) : inside;
}

/// How many elements cp.async reads; the others become zeros. Null: all.
Value TileCopier::sourceElements(OpBuilder &builder, const Copy &copy, Value k, Value guard) const {
  Value count;
  if (endsWithin) {
    Value at = tile.isTransposed ? copy.rowNumber : k;
    Value left = arith::SubIOp::create(builder, loc(), form.size(builder, lineAxis()), at);
    count = arith::MinSIOp::create(builder, loc(), left, form.number(builder, width));
  } else if (guard) {
    count = form.number(builder, width);
  }
  if (guard)
    count = arith::SelectOp::create(builder, loc(), guard, count, form.number(builder, 0));
  return count ? form.toIndex(builder, count) : count;
}

SmallVector<Value> TileCopier::begin(OpBuilder &builder, Value shared, Value start,
                                     Value firstK) const {
  SmallVector<Value> elements;
  for (const Copy &copy : copies) {
    Value k = builder.createOrFold<arith::AddIOp>(loc(), firstK, copy.k);
    Place place = form.add(builder, copy.row, form.place(builder, side, Axis::K, k));
    Value inside = guard(builder, copy, k, place, /*checksWindows=*/async);
    if (!async) {
      elements.push_back(form.load(builder, side, source, place, width, inside));
      continue;
    }
    Value from = form.offset(builder, place);
    // Addresses stay in the buffer even where nothing is read.
    if (inside)
      from = arith::SelectOp::create(builder, loc(), inside, from,
                                     arith::ConstantIndexOp::create(builder, loc(), 0));
    Value to = arith::AddIOp::create(builder, loc(), start, copy.position);
    auto token = mlir::nvgpu::DeviceAsyncTokenType::get(builder.getContext());
    bool isWide = width * tile.elementBytes == 16;
    mlir::nvgpu::DeviceAsyncCopyOp::create(
        builder, loc(), token, shared, to, source, from, builder.getIndexAttr(width),
        sourceElements(builder, copy, k, inside), isWide ? builder.getUnitAttr() : UnitAttr());
  }
  return elements;
}

void TileCopier::finish(OpBuilder &builder, Value shared, Value start, ValueRange elements) const {
  for (auto [copy, element] : llvm::zip(copies, elements)) {
    Value to = arith::AddIOp::create(builder, loc(), start, copy.position);
    if (isa<VectorType>(element.getType()))
      vector::StoreOp::create(builder, loc(), element, shared, to);
    else
      memref::StoreOp::create(builder, loc(), element, shared, to);
  }
}

} // namespace torchlite::nvgpu
