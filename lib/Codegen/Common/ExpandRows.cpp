//===- ExpandRows.cpp - tlrt.argsort, tlrt.scan, tlrt.nonzero to loops ----===//
//
// Each row's permutation is merge-sorted bottom up: runs of 1, 2, 4, ... positions are merged into
// a scratch row, which is copied back. Elements are read through the permutation and never move.
//
// A scan is a loop along the dimension that carries the running values of all rows and the result.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/Common/Passes.h"

#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace torchlite {
#define GEN_PASS_DEF_EXPANDROWSPASS
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;
using B = ImplicitLocOpBuilder;
using Sizes = SmallVector<OpFoldResult>;

/// An operation whose result is known to have no elements is its init: no row may be cut out of it.
template <typename Op> bool replaceEmpty(Op op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  if (!llvm::is_contained(type.getShape(), 0))
    return false;
  op.replaceAllUsesWith(op.getInit());
  op.erase();
  return true;
}

/// An elementwise operation on tensors of one shape, or into a new tensor without inputs.
Value createElementwise(B &b, ValueRange inputs, Value init,
                        function_ref<Value(B &, ValueRange)> body) {
  auto type = cast<RankedTensorType>(init.getType());
  SmallVector<AffineMap> maps(inputs.size() + 1, b.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  auto generic =
      linalg::GenericOp::create(b, type, inputs, init, maps, iterators,
                                [&](OpBuilder &nested, Location loc, ValueRange arguments) {
                                  B inner(loc, nested);
                                  linalg::YieldOp::create(inner, body(inner, arguments));
                                });
  return generic.getResult(0);
}

//===----------------------------------------------------------------------===//
// Sorting
//===----------------------------------------------------------------------===//

/// One row: its elements are `sort`'s input at `fixed` with the position inserted at the dimension.
struct Row {
  rt::ArgsortOp sort;
  SmallVector<Value> fixed;
  Value size;

  Value read(B &b, Value position) {
    SmallVector<Value> at(fixed);
    Value index = arith::IndexCastOp::create(b, b.getIndexType(), position);
    at.insert(at.begin() + sort.getDim(), index);
    return tensor::ExtractOp::create(b, sort.getInput(), at);
  }
};

/// Merges the runs `[low, middle)` and `[middle, high)` of `from` into the same places of `to`.
Value createMerge(B &b, Row &row, Value from, Value to, Value low, Value middle, Value high) {
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value last = arith::SubIOp::create(b, row.size, one);
  auto loop = scf::ForOp::create(
      b, low, high, one, ValueRange{to, low, middle},
      [&](OpBuilder &nested, Location loc, Value k, ValueRange carried) {
        B in(loc, nested);
        Value left = carried[1], right = carried[2];
        // Where a run is used up, what is read does not count.
        Value leftPosition =
            tensor::ExtractOp::create(in, from, Value(arith::MinSIOp::create(in, left, last)));
        Value rightPosition =
            tensor::ExtractOp::create(in, from, Value(arith::MinSIOp::create(in, right, last)));
        Value rightFirst =
            row.sort.precedes(in, loc, row.read(in, rightPosition), row.read(in, leftPosition));
        Value hasLeft = arith::CmpIOp::create(in, arith::CmpIPredicate::slt, left, middle);
        Value hasRight = arith::CmpIOp::create(in, arith::CmpIPredicate::slt, right, high);
        // The right one if there is one, and none on the left or a later one: stable.
        Value noLeft = arith::XOrIOp::create(in, hasLeft, arith::ConstantIntOp::create(in, 1, 1));
        Value takeRight =
            arith::AndIOp::create(in, hasRight, arith::OrIOp::create(in, noLeft, rightFirst));
        Value position = arith::SelectOp::create(in, takeRight, rightPosition, leftPosition);
        Value written = tensor::InsertOp::create(in, position, carried[0], k);
        Value nextLeft =
            arith::SelectOp::create(in, takeRight, left, arith::AddIOp::create(in, left, one));
        Value nextRight =
            arith::SelectOp::create(in, takeRight, arith::AddIOp::create(in, right, one), right);
        scf::YieldOp::create(in, ValueRange{written, nextLeft, nextRight});
      });
  return loop.getResult(0);
}

/// How often runs of one element must be doubled until one is as long as the row.
Value createRounds(B &b, Value size) {
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::WhileOp::create(
      b, TypeRange{b.getIndexType(), b.getIndexType()}, ValueRange{zero, one},
      [&](OpBuilder &nested, Location at, ValueRange carried) {
        Value isShort =
            arith::CmpIOp::create(nested, at, arith::CmpIPredicate::slt, carried[1], size);
        scf::ConditionOp::create(nested, at, isShort, carried);
      },
      [&](OpBuilder &nested, Location at, ValueRange carried) {
        Value next = arith::AddIOp::create(nested, at, carried[0], one);
        Value doubled = arith::ShLIOp::create(nested, at, carried[1], one);
        scf::YieldOp::create(nested, at, ValueRange{next, doubled});
      });
  return loop.getResult(0);
}

/// The positions 0, 1, ... sorted by the row's elements.
Value createSortedPositions(B &b, Row &row) {
  Type i64 = b.getI64Type();
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  OpFoldResult size = getAsOpFoldResult(row.size);
  Value positions = createElementwise(
      b, {}, tensor::EmptyOp::create(b, ArrayRef<OpFoldResult>{size}, i64),
      [&](B &nested, ValueRange) -> Value {
        return arith::IndexCastOp::create(nested, i64, linalg::IndexOp::create(nested, 0));
      });
  Value rounds = createRounds(b, row.size);
  auto loop = scf::ForOp::create(
      b, zero, rounds, one, ValueRange{positions},
      [&](OpBuilder &nested, Location at, Value round, ValueRange carried) {
        B in(at, nested);
        Value from = carried[0];
        Value width = arith::ShLIOp::create(in, one, round);
        Value twice = arith::ShLIOp::create(in, width, one);
        Value scratch = tensor::EmptyOp::create(in, ArrayRef<OpFoldResult>{size}, i64);
        auto runs = scf::ForOp::create(
            in, zero, row.size, twice, ValueRange{scratch},
            [&](OpBuilder &inner, Location innerLoc, Value low, ValueRange to) {
              B deep(innerLoc, inner);
              Value middle =
                  arith::MinSIOp::create(deep, arith::AddIOp::create(deep, low, width), row.size);
              Value high =
                  arith::MinSIOp::create(deep, arith::AddIOp::create(deep, low, twice), row.size);
              Value merged = createMerge(deep, row, from, to[0], low, middle, high);
              scf::YieldOp::create(deep, merged);
            });
        Value back = linalg::CopyOp::create(in, runs.getResults(), from).getResult(0);
        scf::YieldOp::create(in, back);
      });
  return loop.getResult(0);
}

void expand(rt::ArgsortOp op) {
  if (replaceEmpty(op))
    return;
  OpBuilder builder(op);
  B b(op.getLoc(), builder);
  int64_t dim = op.getDim();
  Sizes sizes = tensor::getMixedSizes(b, b.getLoc(), op.getInput());
  SmallVector<Value> outer;
  for (auto [i, size] : llvm::enumerate(sizes))
    if (static_cast<int64_t>(i) != dim)
      outer.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  Value rowSize = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[dim]);
  auto sortRow = [&](B &in, ValueRange fixed, Value result) -> Value {
    Row row = {op, SmallVector<Value>(fixed), rowSize};
    Value positions = createSortedPositions(in, row);
    Sizes offsets(fixed.begin(), fixed.end());
    offsets.insert(offsets.begin() + dim, in.getIndexAttr(0));
    Sizes slice(sizes.size(), in.getIndexAttr(1)), strides = slice;
    slice[dim] = sizes[dim];
    return tensor::InsertSliceOp::create(in, positions, result, offsets, slice, strides);
  };
  Value sorted;
  if (outer.empty()) {
    sorted = sortRow(b, {}, op.getInit());
  } else {
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    SmallVector<Value> lower(outer.size(), zero), step(outer.size(), one);
    sorted = scf::buildLoopNest(b, b.getLoc(), lower, outer, step, op.getInit(),
                                [&](OpBuilder &nested, Location at, ValueRange fixed,
                                    ValueRange carried) -> scf::ValueVector {
                                  B in(at, nested);
                                  return {sortRow(in, fixed, carried[0])};
                                })
                 .results.front();
  }
  op.replaceAllUsesWith(sorted);
  op.erase();
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

void expand(rt::ScanOp op) {
  if (replaceEmpty(op))
    return;
  OpBuilder builder(op);
  B b(op.getLoc(), builder);
  int64_t dim = op.getDim();
  Value operand = op.getInput();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Type element = type.getElementType(), computed = op.getComputed();
  Sizes sizes = tensor::getMixedSizes(b, b.getLoc(), operand), sliceSizes(sizes);
  sliceSizes.erase(sliceSizes.begin() + dim);
  SmallVector<int64_t> sliceShape(cast<RankedTensorType>(operand.getType()).getShape());
  sliceShape.erase(sliceShape.begin() + dim);
  auto sliceType = RankedTensorType::get(sliceShape, element);
  Value running = tensor::EmptyOp::create(b, sliceSizes, computed);
  running = linalg::FillOp::create(b, op.neutral(b, b.getLoc()), running).getResult(0);

  Sizes offsets(type.getRank(), b.getIndexAttr(0)), strides(type.getRank(), b.getIndexAttr(1));
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  Value size = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[dim]);
  sizes[dim] = b.getIndexAttr(1);
  auto loop = scf::ForOp::create(
      b, zero, size, one, ValueRange{running, op.getInit()},
      [&](OpBuilder &nested, Location loc, Value index, ValueRange carried) {
        B in(loc, nested);
        offsets[dim] = index;
        Value slice =
            tensor::ExtractSliceOp::create(in, sliceType, operand, offsets, sizes, strides);
        // Into the carried tensor itself, so that the loop needs no second buffer.
        Value next = createElementwise(in, slice, carried[0], [&](B &inner, ValueRange values) {
          return op.combine(inner, loc, values[1], op.fromElement(inner, loc, values[0]));
        });
        Value rounded = next;
        if (element != computed)
          rounded = createElementwise(
              in, next, tensor::EmptyOp::create(in, sliceSizes, element),
              [&](B &inner, ValueRange values) { return op.toElement(inner, loc, values[0]); });
        Value inserted =
            tensor::InsertSliceOp::create(in, rounded, carried[1], offsets, sizes, strides);
        scf::YieldOp::create(in, ValueRange{next, inserted});
      });
  op.replaceAllUsesWith(loop.getResult(1));
  op.erase();
}

//===----------------------------------------------------------------------===//
// Elements that are not zero
//===----------------------------------------------------------------------===//

/// Writes the indices as row `carried[1]` of `carried[0]` and counts it.
void createRow(B &b, ValueRange indices, ValueRange carried) {
  Value result = carried[0], row = carried[1];
  for (auto [column, index] : llvm::enumerate(indices)) {
    Value value = arith::IndexCastOp::create(b, b.getI64Type(), index);
    Value at = arith::ConstantIndexOp::create(b, column);
    result = tensor::InsertOp::create(b, value, result, ValueRange{row, at});
  }
  Value next = arith::AddIOp::create(b, row, arith::ConstantIndexOp::create(b, 1));
  scf::YieldOp::create(b, ValueRange{result, next});
}

void expand(rt::NonzeroOp op) {
  OpBuilder builder(op);
  B b(op.getLoc(), builder);
  SmallVector<Value> sizes;
  for (OpFoldResult size : tensor::getMixedSizes(b, b.getLoc(), op.getInput()))
    sizes.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  SmallVector<Value> lower(sizes.size(), zero), step(sizes.size(), one);
  Value found =
      scf::buildLoopNest(
          b, b.getLoc(), lower, sizes, step, ValueRange{op.getInit(), zero},
          [&](OpBuilder &nested, Location loc, ValueRange indices,
              ValueRange carried) -> scf::ValueVector {
            Value element = tensor::ExtractOp::create(nested, loc, op.getInput(), indices);
            auto ifOp = scf::IfOp::create(
                nested, loc, rt::NonzeroOp::isNonzero(nested, loc, element),
                [&](OpBuilder &inner, Location at) {
                  B in(at, inner);
                  createRow(in, indices, carried);
                },
                [&](OpBuilder &inner, Location at) { scf::YieldOp::create(inner, at, carried); });
            return scf::ValueVector(ifOp.getResults());
          })
          .results.front();
  op.replaceAllUsesWith(found);
  op.erase();
}

struct ExpandRows : impl::ExpandRowsPassBase<ExpandRows> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<rt::ArgsortOp, rt::NonzeroOp, rt::ScanOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (auto sort = dyn_cast<rt::ArgsortOp>(op))
        expand(sort);
      else if (auto nonzero = dyn_cast<rt::NonzeroOp>(op))
        expand(nonzero);
      else
        expand(cast<rt::ScanOp>(op));
  }
};

} // namespace
} // namespace torchlite
