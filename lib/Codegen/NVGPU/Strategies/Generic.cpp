//===- Generic.cpp - One thread for each element of the result ------------===//
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "TorchLite/Codegen/NVGPU/ValueEvaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace torchlite::nvgpu {

static constexpr int64_t blockSize = 128;

LogicalResult emitGeneric(OpBuilder &builder, rt::KernelOp kernel, const EmitOptions &,
                          std::string &reason) {
  Location loc = kernel.getLoc();
  Value first = kernel.getOutputs().front();
  auto type = cast<MemRefType>(first.getType());
  for (Value output : kernel.getOutputs())
    if (cast<MemRefType>(output.getType()).getShape() != type.getShape()) {
      reason = "expected outputs of one shape";
      return failure();
    }
  OpBuilder::InsertionGuard guard(builder);
  Value count = elementCount(builder, loc, first);
  auto launch = Launch::create(builder, loc, kernel.getName(),
                               ceilDiv(builder, loc, count, blockSize), blockSize);
  Value size = arith::ConstantIndexOp::create(builder, loc, blockSize);
  Value base = arith::MulIOp::create(builder, loc, launch.blockId(0), size);
  Value number = arith::AddIOp::create(builder, loc, base, launch.threadId(0));
  Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, number, count);
  auto guarded = scf::IfOp::create(builder, loc, inside, /*withElseRegion=*/false);
  builder.setInsertionPointToStart(&guarded.getThenRegion().front());
  SmallVector<Value> coordinates = delinearize(builder, loc, number, first);
  ValueEvaluator evaluator(builder, kernel);
  // All elements are computed before any is stored: an output may be read for another.
  SmallVector<Value> elements;
  for (unsigned index = 0; index < kernel.getOutputs().size(); ++index) {
    elements.push_back(evaluator.evaluate(kernel.getYielded(index), coordinates));
    if (!elements.back()) {
      reason = "cannot compute elements of " + evaluator.getError().str();
      launch.launch.erase();
      return failure();
    }
  }
  for (auto [element, output] : llvm::zip(elements, kernel.getOutputs()))
    memref::StoreOp::create(builder, loc, element, output, coordinates);
  return success();
}

} // namespace torchlite::nvgpu
