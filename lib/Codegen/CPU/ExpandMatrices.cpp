//===- ExpandMatrices.cpp - tlrt.matrices to loops with vectors -----------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "TorchLite/Codegen/Common/MatrixCode.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_EXPANDMATRICES
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;
using B = ImplicitLocOpBuilder;

struct ExpandMatrices : impl::ExpandMatricesBase<ExpandMatrices> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    info = lookupTargetInfo(target);
    if (!info)
      return emitError(UnknownLoc::get(context)) << "unknown target '" << target << "'";
    return success();
  }

  void runOnOperation() override {
    SmallVector<rt::MatricesOp> ops;
    getOperation().walk([&](rt::MatricesOp op) { ops.push_back(op); });
    for (rt::MatricesOp op : ops)
      expand(op);
  }

private:
  void expand(rt::MatricesOp op) {
    OpBuilder builder(op);
    B b(op.getLoc(), builder);
    auto type = cast<MemRefType>(op.getOutputs().front().getType());
    auto emit = [&](OpBuilder &at, Value number, Value slot) {
      emitMatrixCode(at, op, op.getInputs(), op.getOutputs(), number, slot,
                     info->lanes(type.getElementTypeBitWidth()));
    };
    Value zero = arith::ConstantIndexOp::create(b, 0);
    int64_t batch = type.getDimSize(0);
    if (batch == 1)
      emit(b, zero, zero);
    else if (type.hasStaticShape() && pieceOf(type) >= batch)
      emitSerial(b, zero, arith::ConstantIndexOp::create(b, batch), emit);
    else
      emitPieces(b, op.getOutputs().front(), emit);
    op.erase();
  }

  /// Emits the code for one matrix; memory that is needed on the way is that of the other one.
  using Emit = function_ref<void(OpBuilder &, Value, Value)>;

  /// How many matrices one thread gets at least.
  int64_t pieceOf(MemRefType type) {
    int64_t rows = type.getDimSize(1), columns = type.getDimSize(2);
    int64_t work = std::max<int64_t>(1, rows * columns * std::max(rows, columns));
    return std::max(llvm::divideCeil(minWork, work),
                    llvm::divideCeil(type.getDimSize(0), maxPieces));
  }

  static void emitSerial(B &b, Value from, Value to, Emit emit) {
    auto loop = scf::ForOp::create(b, from, to, arith::ConstantIndexOp::create(b, 1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emit(b, loop.getInductionVar(), from);
  }

  void emitPieces(B &b, Value matrix, Emit emit) {
    auto size = [&](int64_t dim) -> Value { return memref::DimOp::create(b, matrix, dim); };
    auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
    Value batch = size(0), rows = size(1), columns = size(2);
    Value work = arith::MulIOp::create(
        b, rows, arith::MulIOp::create(b, columns, arith::MaxSIOp::create(b, rows, columns)));
    work = arith::MaxSIOp::create(b, work, index(1));
    Value piece = arith::MaxSIOp::create(b, arith::CeilDivSIOp::create(b, index(minWork), work),
                                         arith::CeilDivSIOp::create(b, batch, index(maxPieces)));
    auto loop = scf::ForallOp::create(b, ArrayRef<OpFoldResult>{b.getIndexAttr(0)},
                                      ArrayRef<OpFoldResult>{batch}, ArrayRef<OpFoldResult>{piece},
                                      ValueRange(), std::nullopt);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value from = loop.getInductionVar(0);
    Value to = arith::MinSIOp::create(b, arith::AddIOp::create(b, from, piece), batch);
    emitSerial(b, from, to, emit);
  }

  const TargetInfo *info = nullptr;
};

} // namespace
} // namespace torchlite::cpu
