//===- Nonzero.cpp - Where elements are not zero --------------------------===//
//
// One block takes as many elements as it has threads at a time, in their order. A scan of ones and
// zeros tells each thread whose element is not zero the row that it writes.
//
//===----------------------------------------------------------------------===//
#include "BlockScan.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace torchlite::nvgpu {

LogicalResult emitNonzero(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                          std::string &reason) {
  auto nonzero = kernel.getYielded(0).getDefiningOp<rt::NonzeroOp>();
  if (!nonzero || !isa<BlockArgument>(nonzero.getInput())) {
    reason = "expected tlrt.nonzero";
    return failure();
  }
  OpBuilder::InsertionGuard guard(builder);
  OpBuilder &b = builder;
  Location loc = kernel.getLoc();
  Value input = kernel.getOperandOf(cast<BlockArgument>(nonzero.getInput()));
  Value output = kernel.getOutputs()[0];
  auto type = cast<MemRefType>(input.getType());
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };

  // 64-bit positions and their division into coordinates take more than 64 registers.
  constexpr int64_t maxBlock = 512;
  int64_t block = BlockScan::chooseBlock(
      type.hasStaticShape() ? type.getNumElements() : ShapedType::kDynamic, maxBlock);
  Value count = elementCount(b, loc, input);
  Type i64 = b.getI64Type();
  auto launch = Launch::create(b, loc, kernel.getName(), Value(index(1)), block,
                               BlockScan::sharedBytes(block, i64));
  BlockScan scan(b, loc, launch.threadId(0), block, i64,
                 [&](Value x, Value y) -> Value { return arith::AddIOp::create(b, loc, x, y); });
  Value none = arith::ConstantIntOp::create(b, loc, 0, 64);
  // All threads take all turns: they wait for each other.
  auto turn = scf::ForOp::create(b, loc, index(0), count, index(block), none);
  b.setInsertionPointToStart(turn.getBody());
  Value number = arith::AddIOp::create(b, loc, turn.getInductionVar(), launch.threadId(0));
  Value isInside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number, count);
  auto read = scf::IfOp::create(b, loc, b.getI1Type(), isInside, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToEnd(read.thenBlock());
    Value element = memref::LoadOp::create(b, loc, input, delinearize(b, loc, number, input));
    scf::YieldOp::create(b, loc, rt::NonzeroOp::isNonzero(b, loc, element));
    b.setInsertionPointToEnd(read.elseBlock());
    scf::YieldOp::create(b, loc, Value(arith::ConstantIntOp::create(b, loc, 0, 1)));
  }
  Value holds = read.getResult(0);
  auto [rows, all] =
      scan.scan(arith::ExtUIOp::create(b, loc, i64, holds), turn.getRegionIterArg(0));
  auto write = scf::IfOp::create(b, loc, holds, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(write.thenBlock());
    Value row = arith::IndexCastOp::create(b, loc, b.getIndexType(), rows);
    row = arith::SubIOp::create(b, loc, row, index(1));
    for (auto [column, coordinate] : llvm::enumerate(delinearize(b, loc, number, input))) {
      Value value = arith::IndexCastOp::create(b, loc, i64, coordinate);
      memref::StoreOp::create(b, loc, value, output, ValueRange{row, index(column)});
    }
  }
  scf::YieldOp::create(b, loc, all);
  return success();
}

} // namespace torchlite::nvgpu
