//===- FragmentWriter.cpp - Sums in registers to results ------------------===//
#include "FragmentWriter.h"
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace torchlite::nvgpu {

FragmentWriter::FragmentWriter(OpBuilder &builder, const Contraction &form, const TileShape &shape,
                               Value lane, Value batch)
    : builder(builder), form(form), shape(shape), batch(batch) {
  output = form.flat(builder, Contraction::Result);
  group = arith::DivUIOp::create(builder, loc(), lane, index(4));
  place = arith::RemUIOp::create(builder, loc(), lane, index(4));
  const Contraction::Operand &result = form.result();
  int64_t columns = form.staticSize(Axis::N);
  width = 1;
  if (result.contiguous == Axis::N && !ShapedType::isDynamic(columns)) {
    int64_t most =
        result.elementType().getIntOrFloatBitWidth() == 16 && shape.warpN % 16 == 0 ? 4 : 2;
    while (2 * width <= std::min(most, result.vectorElements) && columns % (2 * width) == 0)
      width *= 2;
  }
}

Value FragmentWriter::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc(), value);
}

Value FragmentWriter::add(Value left, Value right) {
  return builder.createOrFold<arith::AddIOp>(loc(), left, right);
}

/// Null: always.
Value FragmentWriter::isInside(Axis axis, int64_t tile, Value at) {
  int64_t size = form.staticSize(axis);
  if (!ShapedType::isDynamic(size) && size % tile == 0)
    return {};
  return arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::ult, at,
                               form.size(builder, axis));
}

Value FragmentWriter::both(Value left, Value right) {
  if (!left || !right)
    return left ? left : right;
  return arith::AndIOp::create(builder, loc(), left, right);
}

FailureOr<SmallVector<Value>> FragmentWriter::evaluate(const Row &row, Value n, ValueRange sums) {
  SmallVector<SmallVector<Value>> iterations, places;
  for (int64_t offset = 0; offset < int64_t(sums.size()); ++offset) {
    iterations.push_back(row.iteration);
    form.setCoordinates(builder, Axis::N, add(n, number(offset)), iterations.back());
    places.push_back(form.resultCoordinates(builder, iterations.back()));
  }
  // What is fused reads its operands in pairs, too.
  bool isRow = sums.size() > 1 && form.isLastColumn();
  LaneReader reader(builder, form.kernel, places, isRow, /*number=*/{});
  SmallVector<Value> elements;
  for (auto [lane, sum] : llvm::enumerate(sums)) {
    reader.setLane(lane);
    elements.push_back(form.evaluateResult(builder, reader.getEvaluator(), iterations[lane], sum));
    if (!elements.back()) {
      error = reader.getError().str();
      return failure();
    }
  }
  return elements;
}

void FragmentWriter::store(const Row &row, Value n, Value elements) {
  Place column = form.place(builder, Contraction::Result, Axis::N, n);
  Value at = form.offset(builder, form.add(builder, row.place, column));
  if (isa<VectorType>(elements.getType()))
    vector::StoreOp::create(builder, loc(), elements, output, at);
  else
    memref::StoreOp::create(builder, loc(), elements, output, at);
}

LogicalResult FragmentWriter::writePair(const Row &row, Value n, ValueRange sums) {
  for (int64_t offset = 0; offset < 2; offset += width) {
    Value first = add(n, number(offset));
    OpBuilder::InsertionGuard guard(builder);
    if (Value inside = both(row.inside, isInside(Axis::N, shape.blockN, first))) {
      auto guarded = scf::IfOp::create(builder, loc(), inside, /*withElseRegion=*/false);
      builder.setInsertionPointToStart(&guarded.getThenRegion().front());
    }
    auto elements = evaluate(row, first, sums.slice(offset, width));
    if (failed(elements))
      return failure();
    Value stored = elements->front();
    if (width > 1) {
      auto type = VectorType::get({width}, stored.getType());
      stored = vector::FromElementsOp::create(builder, loc(), type, *elements);
    }
    store(row, first, stored);
  }
  return success();
}

LogicalResult FragmentWriter::writeExchanged(const Row &row, Value column, int64_t fragment,
                                             ValueRange sums) {
  Type i32 = builder.getI32Type(), element = form.result().elementType();
  Value words[2];
  for (int64_t side = 0; side < 2; ++side) {
    Value n = add(column, number(8 * (fragment + side)));
    n = add(n, form.fromIndex(builder, arith::MulIOp::create(builder, loc(), place, index(2))));
    auto emit = [&]() -> Value {
      auto elements = evaluate(row, n, sums.slice(2 * side, 2));
      if (failed(elements))
        return {};
      Value pair =
          vector::FromElementsOp::create(builder, loc(), VectorType::get({2}, element), *elements);
      Value word = vector::BitCastOp::create(builder, loc(), VectorType::get({1}, i32), pair);
      return vector::ExtractOp::create(builder, loc(), word, 0);
    };
    Value inside = both(row.inside, isInside(Axis::N, shape.blockN, n));
    if (!inside) {
      words[side] = emit();
    } else {
      auto branch = scf::IfOp::create(builder, loc(), i32, inside, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToEnd(&branch.getThenRegion().front());
      if (Value word = emit()) {
        scf::YieldOp::create(builder, loc(), word);
        words[side] = branch.getResult(0);
      }
      builder.setInsertionPointToEnd(&branch.getElseRegion().front());
      scf::YieldOp::create(builder, loc(),
                           arith::ConstantIntOp::create(builder, loc(), 0, 32).getResult());
    }
    if (!words[side])
      return failure();
  }
  // Even lanes keep the first fragment's pair, and get its neighbour; odd ones the second's.
  auto select = [&](Value condition, Value then, Value otherwise) -> Value {
    return arith::SelectOp::create(builder, loc(), condition, then, otherwise);
  };
  Value parity = arith::RemUIOp::create(builder, loc(), place, index(2));
  Value isOdd = arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::ne, parity, index(0));
  Value sent = select(isOdd, words[0], words[1]);
  Value received = gpu::ShuffleOp::create(builder, loc(), sent, /*offset=*/1, /*width=*/32,
                                          gpu::ShuffleMode::XOR)
                       .getShuffleResult();
  Value exchanged = vector::FromElementsOp::create(
      builder, loc(), VectorType::get({2}, i32),
      ValueRange{select(isOdd, received, words[0]), select(isOdd, words[1], received)});
  Value stored =
      vector::BitCastOp::create(builder, loc(), VectorType::get({4}, element), exchanged);

  // Column 4 (t / 2) of fragment t % 2.
  Value within = arith::MulIOp::create(builder, loc(), parity, index(8));
  Value half = arith::DivUIOp::create(builder, loc(), place, index(2));
  within = add(within, arith::MulIOp::create(builder, loc(), half, index(4)));
  Value n = add(add(column, number(8 * fragment)), form.fromIndex(builder, within));
  OpBuilder::InsertionGuard guard(builder);
  if (Value inside = both(row.inside, isInside(Axis::N, shape.blockN, n))) {
    auto guarded = scf::IfOp::create(builder, loc(), inside, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(&guarded.getThenRegion().front());
  }
  store(row, n, stored);
  return success();
}

LogicalResult FragmentWriter::write(Value row, Value column, ValueRange sums, std::string &reason) {
  SmallVector<Value> iteration(linalg::LinalgOp(form.root).getNumLoops());
  form.setCoordinates(builder, Axis::Batch, batch, iteration);
  Place batchPlace = form.place(builder, Contraction::Result, Axis::Batch, batch);
  Value pairColumn = arith::MulIOp::create(builder, loc(), place, index(2));
  Value lanesColumn = add(column, form.fromIndex(builder, pairColumn));
  Value lanesRow = add(row, form.fromIndex(builder, group));
  int64_t fragments = shape.warpN / 8;
  for (int64_t eight = 0; eight < shape.warpM / 8; ++eight) {
    Value m = add(lanesRow, number(8 * eight));
    Row current{iteration,
                form.add(builder, batchPlace, form.place(builder, Contraction::Result, Axis::M, m)),
                isInside(Axis::M, shape.blockM, m)};
    form.setCoordinates(builder, Axis::M, m, current.iteration);
    // The pair of this row in a fragment.
    auto pair = [&](int64_t fragment) {
      return sums.slice(4 * (eight / 2 * fragments + fragment) + 2 * (eight % 2), 2);
    };
    for (int64_t fragment = 0; fragment < fragments; fragment += width == 4 ? 2 : 1) {
      LogicalResult written = success();
      if (width == 4) {
        SmallVector<Value> four = llvm::to_vector(pair(fragment));
        llvm::append_range(four, pair(fragment + 1));
        written = writeExchanged(current, column, fragment, four);
      } else {
        written = writePair(current, add(lanesColumn, number(8 * fragment)), pair(fragment));
      }
      if (failed(written)) {
        reason = "cannot compute elements of " + error;
        return failure();
      }
    }
  }
  return success();
}

} // namespace torchlite::nvgpu
