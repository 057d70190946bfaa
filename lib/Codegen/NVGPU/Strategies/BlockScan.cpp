//===- BlockScan.cpp - Running values over the threads of a block ---------===//
#include "BlockScan.h"
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torchlite::nvgpu {

int64_t BlockScan::chooseBlock(int64_t size, int64_t limit) {
  if (ShapedType::isDynamic(size))
    return limit;
  return std::clamp<int64_t>(llvm::PowerOf2Ceil(size), warpSize, limit);
}

int64_t BlockScan::sharedBytes(int64_t block, Type type) {
  return block > warpSize ? block / warpSize * elementBytes(type) : 0;
}

BlockScan::BlockScan(OpBuilder &builder, Location loc, Value thread, int64_t block, Type type,
                     Combine combine)
    : b(builder), loc(loc), warps(block / warpSize), type(type),
      // Booleans are bytes in memory.
      kept(type.isInteger(1) ? Type(builder.getI8Type()) : type), combine(std::move(combine)) {
  lane = arith::RemUIOp::create(b, loc, thread, index(warpSize));
  warp = arith::DivUIOp::create(b, loc, thread, index(warpSize));
  if (warps == 1)
    return;
  auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto shared = [&](int64_t count, Type element) {
    return MemRefType::get({count}, element, MemRefLayoutAttrInterface(), space);
  };
  Value memory =
      gpu::DynamicSharedMemoryOp::create(b, loc, shared(ShapedType::kDynamic, b.getI8Type()));
  totals = memref::ViewOp::create(b, loc, shared(warps, kept), memory, index(0), ValueRange());
}

Value BlockScan::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value BlockScan::shuffle(Value value, int64_t lane, gpu::ShuffleMode mode) {
  Value by = arith::ConstantIntOp::create(b, loc, lane, 32);
  Value width = arith::ConstantIntOp::create(b, loc, warpSize, 32);
  return gpu::ShuffleOp::create(b, loc, value, by, width, mode).getShuffleResult();
}

std::pair<Value, Value> BlockScan::scan(Value value, Value carried) {
  auto compare = [&](arith::CmpIPredicate predicate, Value x, int64_t y) {
    return arith::CmpIOp::create(b, loc, predicate, x, index(y));
  };
  for (int64_t distance = 1; distance < warpSize; distance *= 2) {
    Value before = shuffle(value, distance, gpu::ShuffleMode::UP);
    Value hasBefore = compare(arith::CmpIPredicate::uge, lane, distance);
    value = arith::SelectOp::create(b, loc, hasBefore, combine(before, value), value);
  }
  if (warps == 1) {
    value = combine(carried, value);
    return {value, shuffle(value, warpSize - 1, gpu::ShuffleMode::IDX)};
  }
  Value isLast = compare(arith::CmpIPredicate::eq, lane, warpSize - 1);
  auto write = scf::IfOp::create(b, loc, isLast, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(write.thenBlock());
    Value total = value;
    if (kept != type)
      total = arith::ExtUIOp::create(b, loc, kept, total);
    memref::StoreOp::create(b, loc, total, totals, warp);
  }
  gpu::BarrierOp::create(b, loc);
  Value before = carried, all = carried;
  for (int64_t number = 0; number < warps; ++number) {
    Value total = memref::LoadOp::create(b, loc, totals, index(number));
    if (kept != type)
      total = arith::TruncIOp::create(b, loc, type, total);
    all = combine(all, total);
    Value isBefore = compare(arith::CmpIPredicate::ugt, warp, number);
    before = arith::SelectOp::create(b, loc, isBefore, all, before);
  }
  // Nobody writes the next totals before all have read these.
  gpu::BarrierOp::create(b, loc);
  return {combine(before, value), all};
}

} // namespace torchlite::nvgpu
