//===- Sort.cpp - Merge sort of many rows, an element per thread ----------===//
//
// Positions are sorted, bottom up: runs of 1, 2, 4, ... are merged. Each element finds its place in
// the merged run by itself: behind those of its own run that are before it, and those of the other
// run that must stand before it, which a binary search counts. Of equal elements those of the left
// run go first, so that the sort is stable; any length will do.
//
//   shared   a block for each row, with elements and positions in shared memory
//   global   a thread for each element of all rows, a launch for each width; the positions go back
//   and
//            forth between the output and a second buffer, which the kernel has as an output
//
// Source: Satish, Harris, Garland, "Designing Efficient Sorting Algorithms for Manycore GPUs",
// 2009, section 5 (merging by ranks).
//
//===----------------------------------------------------------------------===//
#include "Lanes.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torchlite::nvgpu {
namespace {

/// Threads of a block that sorts a row, at most, and of one that merges elements of all rows.
constexpr int64_t maxRowBlock = 512;
constexpr int64_t mergeBlock = 256;

/// Bytes of shared memory for a row: the elements, and positions twice.
int64_t sharedBytes(int64_t size, Type element) {
  return llvm::alignTo(size * elementBytes(element), 16) + 2 * size * int64_t(sizeof(int32_t));
}

/// Where elements and positions are read and written.
struct Places {
  std::function<Value(Value position)> element;
  std::function<Value(Value i)> position;
  std::function<void(Value i, Value position)> store;
};

class Emitter {
public:
  Emitter(OpBuilder &builder, rt::KernelOp kernel, rt::ArgsortOp sort)
      : b(builder), loc(kernel.getLoc()), kernel(kernel), sort(sort),
        input(kernel.getOperandOf(cast<BlockArgument>(sort.getInput()))),
        output(kernel.getOutputs()[0]), dim(sort.getDim()) {}

  void emitShared();
  void emitGlobal(Value scratch);

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value subtract(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value minimum(Value x, Value y) { return arith::MinUIOp::create(b, loc, x, y); }
  Value isLess(Value x, Value y) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, x, y);
  }
  Value load(Value buffer, ValueRange at) { return memref::LoadOp::create(b, loc, buffer, at); }
  void store(Value value, Value buffer, ValueRange at) {
    memref::StoreOp::create(b, loc, value, buffer, at);
  }
  Value castIndex(Value value, Type type) {
    return value.getType() == type ? value
                                   : arith::IndexCastOp::create(b, loc, type, value).getResult();
  }
  /// `body` for this thread's share of 0 to `size`: first, first + step, ...
  void forShare(Value first, Value size, int64_t step, function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(b, loc, first, size, index(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }
  Value search(Value from, Value to, function_ref<Value(Value)> isBefore);
  void merge(Value i, Value width, Value size, const Places &places);
  void emitMerge(Value from, Value to, Value width);
  Value sizeOf(int64_t dim) { return memref::DimOp::create(b, loc, output, dim); }

  OpBuilder &b;
  Location loc;
  rt::KernelOp kernel;
  rt::ArgsortOp sort;
  Value input, output;
  int64_t dim;
};

/// How far from `from` on, up to `to`, `isBefore` holds: it does for none after one for which it
/// does not.
Value Emitter::search(Value from, Value to, function_ref<Value(Value)> isBefore) {
  Type type = b.getIndexType();
  auto loop = scf::WhileOp::create(
      b, loc, TypeRange{type, type}, ValueRange{from, to},
      [&](OpBuilder &nested, Location at, ValueRange range) {
        Value isOpen =
            arith::CmpIOp::create(nested, at, arith::CmpIPredicate::ult, range[0], range[1]);
        scf::ConditionOp::create(nested, at, isOpen, range);
      },
      [&](OpBuilder &nested, Location at, ValueRange range) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(nested.getInsertionBlock(), nested.getInsertionPoint());
        Value middle = arith::ShRUIOp::create(b, at, add(range[0], range[1]), index(1));
        Value holds = isBefore(middle);
        Value low = arith::SelectOp::create(b, at, holds, add(middle, index(1)), range[0]);
        Value high = arith::SelectOp::create(b, at, holds, range[1], middle);
        scf::YieldOp::create(b, at, ValueRange{low, high});
        nested.setInsertionPoint(b.getInsertionBlock(), b.getInsertionPoint());
      });
  return loop.getResult(0);
}

/// Moves what is at `i` of the runs of `width`, in a row of `size`, to its place in the merged
/// runs.
void Emitter::merge(Value i, Value width, Value size, const Places &places) {
  Value twice = arith::ShLIOp::create(b, loc, width, index(1));
  Value mask = subtract(twice, index(1));
  Value low = subtract(i, arith::AndIOp::create(b, loc, i, mask));
  Value middle = minimum(add(low, width), size), high = minimum(add(low, twice), size);
  Value isLeft = isLess(i, middle);
  Value from = arith::SelectOp::create(b, loc, isLeft, middle, low);
  Value to = arith::SelectOp::create(b, loc, isLeft, high, middle);
  Value position = places.position(i), element = places.element(position);
  Value found = search(from, to, [&](Value j) -> Value {
    Value other = places.element(places.position(j));
    // What is in the right run goes first only if it must.
    Value otherFirst = sort.precedes(b, loc, other, element);
    Value ownFirst = sort.precedes(b, loc, element, other);
    Value never = arith::ConstantIntOp::create(b, loc, 1, 1);
    Value notOwnFirst = arith::XOrIOp::create(b, loc, ownFirst, never);
    return arith::SelectOp::create(b, loc, isLeft, otherFirst, notOwnFirst);
  });
  // Behind i - low of its run and found - middle of the right one, or i - middle and found - low.
  places.store(subtract(add(i, found), middle), position);
}

void Emitter::emitShared() {
  auto type = cast<MemRefType>(output.getType());
  Type element = cast<MemRefType>(input.getType()).getElementType();
  int64_t size = type.getDimSize(dim);
  int64_t block = std::clamp<int64_t>(llvm::PowerOf2Ceil(size), warpSize, maxRowBlock);
  SmallVector<OpFoldResult> others;
  Value rows = index(1);
  for (int64_t other = 0; other < type.getRank(); ++other) {
    if (other == dim)
      continue;
    others.push_back(type.isDynamicDim(other) ? OpFoldResult(sizeOf(other))
                                              : b.getIndexAttr(type.getDimSize(other)));
    rows = arith::MulIOp::create(b, loc, rows, sizeOf(other));
  }
  int64_t rounds = llvm::Log2_64_Ceil(size);
  auto launch = Launch::create(b, loc, kernel.getName(), rows, block, sharedBytes(size, element));

  auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto shared = [&](int64_t count, Type type) {
    return MemRefType::get({count}, type, MemRefLayoutAttrInterface(), space);
  };
  Value memory =
      gpu::DynamicSharedMemoryOp::create(b, loc, shared(ShapedType::kDynamic, b.getI8Type()));
  // Booleans are bytes, unsigned ones.
  bool isBoolean = element.isInteger(1);
  Type kept = isBoolean ? b.getI8Type() : element, i32 = b.getI32Type();
  Value elements =
      memref::ViewOp::create(b, loc, shared(size, kept), memory, index(0), ValueRange());
  Value positions =
      memref::ViewOp::create(b, loc, shared(2 * size, i32), memory,
                             index(llvm::alignTo(size * elementBytes(element), 16)), ValueRange());

  Value thread = launch.threadId(0), end = index(size);
  Coordinates coordinates(b, loc, others, 0);
  SmallVector<Value> place = coordinates.ofNumber(coordinates.fromIndex(launch.blockId(0)));
  place.insert(place.begin() + dim, Value());
  auto at = [&](Value i) {
    place[dim] = i;
    return ValueRange(place);
  };
  forShare(thread, end, block, [&](Value i) {
    Value value = load(input, at(i));
    if (isBoolean)
      value = arith::ExtUIOp::create(b, loc, kept, value);
    store(value, elements, i);
    store(castIndex(i, i32), positions, i);
  });
  gpu::BarrierOp::create(b, loc);
  auto round = scf::ForOp::create(b, loc, index(0), index(rounds), index(1));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(round.getBody());
    Value number = round.getInductionVar();
    Value isOdd = arith::AndIOp::create(b, loc, number, index(1));
    Value from = arith::MulIOp::create(b, loc, isOdd, end), to = subtract(end, from);
    Places places{[&](Value position) { return load(elements, position); },
                  [&](Value i) {
                    return castIndex(load(positions, ValueRange{add(from, i)}), b.getIndexType());
                  },
                  [&](Value i, Value position) {
                    store(castIndex(position, i32), positions, ValueRange{add(to, i)});
                  }};
    Value width = arith::ShLIOp::create(b, loc, index(1), number);
    forShare(thread, end, block, [&](Value i) { merge(i, width, end, places); });
    gpu::BarrierOp::create(b, loc);
  }
  forShare(thread, end, block, [&](Value i) {
    Value position = load(positions, ValueRange{add(index(rounds % 2 * size), i)});
    store(arith::ExtUIOp::create(b, loc, b.getI64Type(), position), output, at(i));
  });
}

/// A launch that merges runs of `width` of all rows.
void Emitter::emitMerge(Value from, Value to, Value width) {
  OpBuilder::InsertionGuard guard(b);
  Value count = elementCount(b, loc, output), size = sizeOf(dim);
  auto launch =
      Launch::create(b, loc, kernel.getName(), ceilDiv(b, loc, count, mergeBlock), mergeBlock);
  Value number = arith::MulIOp::create(b, loc, launch.blockId(0), index(mergeBlock));
  number = add(number, launch.threadId(0));
  auto inside = scf::IfOp::create(b, loc, isLess(number, count), /*withElseRegion=*/false);
  b.setInsertionPointToStart(&inside.getThenRegion().front());
  SmallVector<Value> place = delinearize(b, loc, number, output);
  Value i = place[dim];
  auto at = [&](Value position) {
    place[dim] = position;
    return ValueRange(place);
  };
  Places places{
      [&](Value position) { return load(input, at(position)); },
      [&](Value i) { return castIndex(load(from, at(i)), b.getIndexType()); },
      [&](Value i, Value position) { store(castIndex(position, b.getI64Type()), to, at(i)); }};
  merge(i, width, size, places);
}

void Emitter::emitGlobal(Value scratch) {
  // The positions in order.
  {
    OpBuilder::InsertionGuard guard(b);
    Value count = elementCount(b, loc, output);
    auto launch =
        Launch::create(b, loc, kernel.getName(), ceilDiv(b, loc, count, mergeBlock), mergeBlock);
    Value number = arith::MulIOp::create(b, loc, launch.blockId(0), index(mergeBlock));
    number = add(number, launch.threadId(0));
    auto inside = scf::IfOp::create(b, loc, isLess(number, count), /*withElseRegion=*/false);
    b.setInsertionPointToStart(&inside.getThenRegion().front());
    SmallVector<Value> place = delinearize(b, loc, number, output);
    store(castIndex(place[dim], b.getI64Type()), output, place);
  }
  // Two widths a turn, so that the last result is in the output: with nothing to merge, what is
  // there is copied.
  Value size = sizeOf(dim);
  Type type = b.getIndexType();
  scf::WhileOp::create(
      b, loc, type, index(1),
      [&](OpBuilder &nested, Location at, ValueRange width) {
        Value isShort =
            arith::CmpIOp::create(nested, at, arith::CmpIPredicate::ult, width[0], size);
        scf::ConditionOp::create(nested, at, isShort, width);
      },
      [&](OpBuilder &nested, Location at, ValueRange width) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(nested.getInsertionBlock(), nested.getInsertionPoint());
        emitMerge(output, scratch, width[0]);
        Value twice = arith::ShLIOp::create(b, at, width[0], index(1));
        emitMerge(scratch, output, twice);
        scf::YieldOp::create(b, at, Value(arith::ShLIOp::create(b, at, twice, index(1))));
        nested.setInsertionPoint(b.getInsertionBlock(), b.getInsertionPoint());
      });
}

} // namespace

bool sortsInSharedMemory(rt::ArgsortOp sort) {
  auto type = cast<RankedTensorType>(sort.getInput().getType());
  int64_t size = type.getDimSize(sort.getDim());
  return !ShapedType::isDynamic(size) &&
         sharedBytes(size, type.getElementType()) <= defaultSharedPerBlock;
}

LogicalResult emitSort(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                       std::string &reason) {
  auto sort = kernel.getYielded(0).getDefiningOp<rt::ArgsortOp>();
  if (!sort || !isa<BlockArgument>(sort.getInput())) {
    reason = "expected a sort";
    return failure();
  }
  OpBuilder::InsertionGuard guard(builder);
  Emitter emitter(builder, kernel, sort);
  if (sortsInSharedMemory(sort)) {
    emitter.emitShared();
    return success();
  }
  if (kernel.getOutputs().size() != 2) {
    reason = "expected a second output to work in";
    return failure();
  }
  emitter.emitGlobal(kernel.getOutputs()[1]);
  return success();
}

} // namespace torchlite::nvgpu
