//===- MatrixBuilder.cpp - Loops over rows and columns --------------------===//
#include "MatrixBuilder.h"

#include "TorchLite/Codegen/Common/MatrixCode.h"

using namespace mlir;

namespace torchlite {

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void MatrixBuilder::loop(Value lower, Value upper, Body body) {
  auto loop = scf::ForOp::create(b, lower, upper, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Values MatrixBuilder::loop(Value lower, Value upper, ValueRange first, CarryingBody body) {
  auto loop = scf::ForOp::create(b, lower, upper, index(1), first);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return Values(loop.getResults());
}

Values MatrixBuilder::loopWhile(ValueRange first, function_ref<Value(ValueRange)> condition,
                                function_ref<Values(ValueRange)> body) {
  auto loop = scf::WhileOp::create(
      b, first.getTypes(), first,
      [&](OpBuilder &builder, Location loc, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
        scf::ConditionOp::create(b, condition(carried), carried);
      },
      [&](OpBuilder &builder, Location loc, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
        scf::YieldOp::create(b, body(carried));
      });
  return Values(loop.getResults());
}

void MatrixBuilder::loopDown(Value upper, Body body) {
  Value last = sub(upper, index(1));
  loop(index(0), upper, [&](Value i) { body(sub(last, i)); });
}

void MatrixBuilder::when(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

Values MatrixBuilder::when(Value condition, ValueRange other, function_ref<Values()> body) {
  auto branch = scf::IfOp::create(b, other.getTypes(), condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(b, other);
  b.setInsertionPointToEnd(branch.thenBlock());
  scf::YieldOp::create(b, body());
  return Values(branch.getResults());
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value MatrixBuilder::flatten(Value buffer) {
  if (!cast<MemRefType>(buffer.getType()).getLayout().isIdentity())
    return {};
  SmallVector<ReassociationIndices> dims = {{0}, {1, 2}};
  return memref::CollapseShapeOp::create(b, buffer, dims);
}

Value MatrixBuilder::load(Value matrix, Value row, const Lanes &columns) {
  Values at = place(matrix, {row, columns.column});
  if (columns.width == 1)
    return memref::LoadOp::create(b, matrix, at);
  VectorType type = vectorOf(columns.width);
  if (!columns.mask)
    return vector::LoadOp::create(b, type, matrix, at);
  return vector::MaskedLoadOp::create(b, type, matrix, at, columns.mask, zero(columns.width));
}

void MatrixBuilder::store(Value value, Value matrix, Value row, const Lanes &columns) {
  Values at = place(matrix, {row, columns.column});
  if (columns.width == 1)
    memref::StoreOp::create(b, value, matrix, at);
  else if (columns.mask)
    vector::MaskedStoreOp::create(b, matrix, at, columns.mask, value);
  else
    vector::StoreOp::create(b, value, matrix, at);
}

/// The first `count` lanes of a vector.
Value MatrixBuilder::maskOf(Value count) {
  SmallVector<int32_t> positions = llvm::to_vector(llvm::seq<int32_t>(0, lanes));
  auto type = VectorType::get({lanes}, b.getI32Type());
  Value lane = arith::ConstantOp::create(b, DenseIntElementsAttr::get(type, positions));
  Value limit = vector::BroadcastOp::create(b, type, i32(count));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, lane, limit);
}

/// Where the last whole piece of `width` columns between these ends.
Value MatrixBuilder::below(Value lower, Value upper, int64_t width) {
  Value length = arith::MaxSIOp::create(b, sub(upper, lower), index(0));
  Value mask = index(-width); // a power of two
  return add(lower, arith::AndIOp::create(b, length, mask));
}

void MatrixBuilder::columns(Value lower, Value upper, int64_t unrolled,
                            function_ref<void(const Lanes &)> body) {
  auto pieces = [&](Value from, Value to, int64_t width) {
    auto loop = scf::ForOp::create(b, from, to, index(width));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body({loop.getInductionVar(), width, Value()});
  };
  if (lanes == 1)
    return pieces(lower, upper, 1);
  if (unrolled > 1) {
    Value end = below(lower, upper, lanes * unrolled);
    pieces(lower, end, lanes * unrolled);
    lower = end;
  }
  Value end = below(lower, upper, lanes);
  pieces(lower, end, lanes);
  when(isLess(end, upper), [&] { body({end, lanes, maskOf(sub(upper, end))}); });
}

Values MatrixBuilder::sums(Value lower, Value upper, unsigned count,
                           function_ref<Values(const Lanes &)> body) {
  auto accumulate = [&](ValueRange before, const Lanes &at) {
    Values values = body(at);
    for (auto [value, sum] : llvm::zip(values, before))
      value = add(sum, value);
    return values;
  };
  Values zeros(count, zero(lanes));
  Value end = lanes == 1 ? upper : below(lower, upper, lanes);
  auto pieces = scf::ForOp::create(b, lower, end, index(lanes), zeros);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(pieces.getBody());
    scf::YieldOp::create(
        b, accumulate(pieces.getRegionIterArgs(), {pieces.getInductionVar(), lanes, Value()}));
  }
  Values totals(pieces.getResults());
  if (lanes == 1)
    return totals;
  // Lanes that are left out are zero.
  totals = when(isLess(end, upper), totals,
                [&] { return accumulate(totals, {end, lanes, maskOf(sub(upper, end))}); });
  for (Value &total : totals)
    total = vector::ReductionOp::create(b, vector::CombiningKind::ADD, total,
                                        arith::FastMathFlags::reassoc);
  return totals;
}

void MatrixBuilder::swapRows(Value matrix, Value i, Value j) {
  columns(index(0), size(matrix, 1), 1, [&](const Lanes &at) {
    Value above = load(matrix, i, at), below = load(matrix, j, at);
    store(below, matrix, i, at);
    store(above, matrix, j, at);
  });
}

//===----------------------------------------------------------------------===//
// All kinds
//===----------------------------------------------------------------------===//

/// Whether the elements of a row lie one after the other; those of a slice with a step do not.
static bool hasAdjacentColumns(Value buffer) {
  SmallVector<int64_t> strides;
  int64_t offset;
  auto type = cast<MemRefType>(buffer.getType());
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         (strides.empty() || strides.back() == 1);
}

void emitMatrixCode(OpBuilder &builder, rt::MatricesOp op, ValueRange inputs, ValueRange outputs,
                    Value number, Value slot, int64_t lanes) {
  // No more lanes than there are transforms side by side.
  int64_t width = cast<MemRefType>(outputs.front().getType()).getShape().back();
  if (op.getKind() == rt::MatrixKind::Fourier && llvm::isPowerOf2_64(width) && width > 0)
    lanes = std::min(lanes, width);
  if (!llvm::all_of(inputs, hasAdjacentColumns) || !llvm::all_of(outputs, hasAdjacentColumns))
    lanes = 1;
  MatrixBuilder m(builder, op, inputs, outputs, number, slot, lanes);
  switch (op.getKind()) {
  case rt::MatrixKind::LU:
    return emitLU(m);
  case rt::MatrixKind::SwapRows:
    return emitSwapRows(m);
  case rt::MatrixKind::Cholesky:
    return emitCholesky(m);
  case rt::MatrixKind::TriangularSolve:
    return emitTriangularSolve(m);
  case rt::MatrixKind::Householder:
    return emitHouseholder(m);
  case rt::MatrixKind::Reflect:
    return emitReflect(m);
  case rt::MatrixKind::Orthogonalize:
    return emitOrthogonalize(m);
  case rt::MatrixKind::Fourier:
    return emitFourier(m);
  }
}

} // namespace torchlite
