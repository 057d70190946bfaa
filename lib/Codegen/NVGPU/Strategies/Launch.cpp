//===- Launch.cpp - What all strategies build launches with ---------------===//
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace torchlite::nvgpu {

Launch Launch::create(OpBuilder &builder, Location loc, StringRef name, ArrayRef<Value> grid,
                      ArrayRef<int64_t> block, int64_t sharedBytes) {
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  SmallVector<Value> grids(grid), blocks;
  grids.resize(3, one);
  for (int64_t size : block)
    blocks.push_back(arith::ConstantIndexOp::create(builder, loc, size));
  blocks.resize(3, one);
  Value shared;
  if (sharedBytes)
    shared = arith::ConstantIntOp::create(builder, loc, sharedBytes, 32);
  auto launch = gpu::LaunchOp::create(builder, loc, grids[0], grids[1], grids[2], blocks[0],
                                      blocks[1], blocks[2], shared);
  launch->setAttr("tl.kernel", builder.getStringAttr(name));
  builder.setInsertionPointToEnd(&launch.getBody().front());
  auto terminator = gpu::TerminatorOp::create(builder, loc);
  builder.setInsertionPoint(terminator);
  return {launch};
}

static Value component(gpu::KernelDim3 ids, unsigned dim) {
  return dim == 0 ? ids.x : dim == 1 ? ids.y : ids.z;
}
Value Launch::blockId(unsigned dim) const {
  return component(gpu::LaunchOp(launch).getBlockIds(), dim);
}
Value Launch::threadId(unsigned dim) const {
  return component(gpu::LaunchOp(launch).getThreadIds(), dim);
}

bool hasReductionLoops(rt::KernelOp kernel) {
  return llvm::any_of(kernel.getBody().front().getOps<linalg::LinalgOp>(),
                      [](linalg::LinalgOp op) { return op.getNumReductionLoops() > 0; });
}

void eraseEmitted(rt::KernelOp kernel, Operation *before) {
  for (Operation *last = kernel->getPrevNode(); last != before; last = kernel->getPrevNode())
    last->erase();
}

static std::optional<int64_t> constantOf(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  return std::nullopt;
}

Value ceilDiv(OpBuilder &builder, Location loc, Value value, int64_t divisor) {
  if (std::optional<int64_t> known = constantOf(value))
    return arith::ConstantIndexOp::create(builder, loc, llvm::divideCeilSigned(*known, divisor));
  Value by = arith::ConstantIndexOp::create(builder, loc, divisor);
  return arith::CeilDivUIOp::create(builder, loc, value, by);
}

Value elementCount(OpBuilder &builder, Location loc, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t known = 1;
  Value count;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim)) {
      known *= type.getDimSize(dim);
      continue;
    }
    Value size = memref::DimOp::create(builder, loc, buffer, dim);
    count = count ? arith::MulIOp::create(builder, loc, count, size).getResult() : size;
  }
  Value constant = arith::ConstantIndexOp::create(builder, loc, known);
  if (!count)
    return constant;
  return known == 1 ? count : arith::MulIOp::create(builder, loc, count, constant).getResult();
}

SmallVector<Value> delinearize(OpBuilder &builder, Location loc, Value number, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<Value> coordinates(type.getRank());
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    if (type.getDimSize(dim) == 1) {
      coordinates[dim] = arith::ConstantIndexOp::create(builder, loc, 0);
      continue;
    }
    bool isFirst =
        llvm::all_of(type.getShape().take_front(dim), [](int64_t size) { return size == 1; });
    if (isFirst) {
      coordinates[dim] = number;
      for (int64_t outer = dim - 1; outer >= 0; --outer)
        coordinates[outer] = arith::ConstantIndexOp::create(builder, loc, 0);
      break;
    }
    Value size =
        type.isDynamicDim(dim)
            ? memref::DimOp::create(builder, loc, buffer, dim).getResult()
            : arith::ConstantIndexOp::create(builder, loc, type.getDimSize(dim)).getResult();
    coordinates[dim] = arith::RemUIOp::create(builder, loc, number, size);
    number = arith::DivUIOp::create(builder, loc, number, size);
  }
  return coordinates;
}

} // namespace torchlite::nvgpu
