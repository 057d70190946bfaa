//===- Matrices.cpp - Algorithms on the matrices of a batch ---------------===//
//
// A thread for each matrix: these algorithms go from row to row and from step to step, and batches
// have many small matrices. A single large one is slow.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/Common/MatrixCode.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace torchlite::nvgpu {

constexpr int64_t threadBlock = 32;

LogicalResult emitMatrices(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                           std::string &reason) {
  auto matrices = kernel.getYielded(0).getDefiningOp<rt::MatricesOp>();
  auto isArgument = [](Value value) { return isa<BlockArgument>(value); };
  if (!matrices || !llvm::all_of(matrices.getOperands(), isArgument)) {
    reason = "expected tlrt.matrices";
    return failure();
  }
  OpBuilder::InsertionGuard guard(builder);
  Location loc = kernel.getLoc();
  SmallVector<Value> buffers;
  for (Value operand : matrices.getOperands())
    buffers.push_back(kernel.getOperandOf(cast<BlockArgument>(operand)));
  ArrayRef<Value> inputs = ArrayRef(buffers).take_front(matrices.getInputs().size());
  ArrayRef<Value> outputs = ArrayRef(buffers).drop_front(inputs.size());
  Value batch = memref::DimOp::create(builder, loc, outputs.front(), 0);
  auto type = cast<MemRefType>(outputs.front().getType());
  int64_t block =
      type.isDynamicDim(0) ? threadBlock : std::clamp<int64_t>(type.getDimSize(0), 1, threadBlock);
  Launch launch =
      Launch::create(builder, loc, kernel.getName(), ceilDiv(builder, loc, batch, block), block);
  Value size = arith::ConstantIndexOp::create(builder, loc, block);
  Value number = arith::AddIOp::create(builder, loc,
                                       arith::MulIOp::create(builder, loc, launch.blockId(0), size),
                                       launch.threadId(0));
  Value isInside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, number, batch);
  auto inside = scf::IfOp::create(builder, loc, isInside, /*withElseRegion=*/false);
  builder.setInsertionPointToStart(inside.thenBlock());
  emitMatrixCode(builder, matrices, inputs, outputs, number, /*slot=*/number, /*lanes=*/1);
  return success();
}

} // namespace torchlite::nvgpu
