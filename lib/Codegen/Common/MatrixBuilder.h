//===- MatrixBuilder.h - Loops over rows and columns ------------*- C++ -*-===//
//
// Shorthand for scalar and vector code on the matrices of one number of a batch. Private to this
// library.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_COMMON_MATRIXBUILDER_H
#define TORCHLITE_LIB_CODEGEN_COMMON_MATRIXBUILDER_H

#include "TorchLite/Dialect/Runtime/IR/MatrixOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace torchlite {

using Values = llvm::SmallVector<mlir::Value>;

/// Neighbouring columns: `width` of them from `column` on, those of `mask` only where there is one.
struct Lanes {
  mlir::Value column;
  int64_t width;
  mlir::Value mask;
};

class MatrixBuilder {
public:
  MatrixBuilder(mlir::OpBuilder &builder, rt::MatricesOp op, mlir::ValueRange inputs,
                mlir::ValueRange outputs, mlir::Value number, mlir::Value slot, int64_t lanes)
      : op(op), inputs(inputs), outputs(outputs), b(op.getLoc(), builder), number(number),
        slot(slot), lanes(lanes),
        element(llvm::cast<mlir::MemRefType>(outputs.front().getType()).getElementType()) {}

  rt::MatricesOp op;
  mlir::ValueRange inputs, outputs;

  //===--- Numbers ----------------------------------------------------------===//

  mlir::Value index(int64_t value) { return mlir::arith::ConstantIndexOp::create(b, value); }
  mlir::Value constant(double value) { return constant(value, element); }
  mlir::Value flag(bool value) { return mlir::arith::ConstantIntOp::create(b, value, 1); }
  mlir::Value i32(mlir::Value index) {
    return mlir::arith::IndexCastOp::create(b, b.getI32Type(), index);
  }
  mlir::Value toIndex(mlir::Value i32) {
    return mlir::arith::IndexCastOp::create(b, b.getIndexType(), i32);
  }
  /// An index as a number of the matrices' type.
  mlir::Value toElement(mlir::Value index) {
    return mlir::arith::SIToFPOp::create(
        b, element, mlir::arith::IndexCastOp::create(b, b.getI64Type(), index));
  }
  /// The distance from 1 to the next number of the matrices' type.
  double epsilon() const { return element.isF32() ? 0x1p-23 : 0x1p-52; }

  // Of numbers, vectors (the other operand may be a number then) and indices.
  mlir::Value add(mlir::Value x, mlir::Value y) {
    return arithmetic<mlir::arith::AddFOp, mlir::arith::AddIOp>(x, y);
  }
  mlir::Value sub(mlir::Value x, mlir::Value y) {
    return arithmetic<mlir::arith::SubFOp, mlir::arith::SubIOp>(x, y);
  }
  mlir::Value mul(mlir::Value x, mlir::Value y) {
    return arithmetic<mlir::arith::MulFOp, mlir::arith::MulIOp>(x, y);
  }
  mlir::Value div(mlir::Value x, mlir::Value y) {
    spread(x, y);
    return mlir::arith::DivFOp::create(b, x, y);
  }
  mlir::Value quotient(mlir::Value x, mlir::Value y) {
    return mlir::arith::DivUIOp::create(b, x, y);
  }
  mlir::Value modulo(mlir::Value x, mlir::Value y) { return mlir::arith::RemUIOp::create(b, x, y); }
  /// f32 as f64, which f64 is.
  mlir::Value widen(mlir::Value x) {
    mlir::Type wide = b.getF64Type();
    if (auto type = llvm::dyn_cast<mlir::VectorType>(x.getType()))
      wide = type.clone(wide);
    return wide == x.getType() ? x : mlir::arith::ExtFOp::create(b, wide, x).getResult();
  }
  /// Back to the matrices' type.
  mlir::Value narrow(mlir::Value x) {
    mlir::Type type = element;
    if (auto wide = llvm::dyn_cast<mlir::VectorType>(x.getType()))
      type = wide.clone(element);
    return type == x.getType() ? x : mlir::arith::TruncFOp::create(b, type, x).getResult();
  }
  mlir::Value zeroLike(mlir::Value x) {
    return mlir::arith::ConstantOp::create(b, b.getZeroAttr(x.getType()));
  }
  mlir::Value next(mlir::Value index) { return add(index, this->index(1)); }
  mlir::Value smaller(mlir::Value x, mlir::Value y) {
    return mlir::arith::MinSIOp::create(b, x, y);
  }
  /// The larger number; NaN where one of them is.
  mlir::Value larger(mlir::Value x, mlir::Value y) {
    return mlir::arith::MaximumFOp::create(b, x, y);
  }
  mlir::Value abs(mlir::Value x) { return mlir::math::AbsFOp::create(b, x); }
  mlir::Value sqrt(mlir::Value x) { return mlir::math::SqrtOp::create(b, x); }
  mlir::Value negate(mlir::Value x) { return mlir::arith::NegFOp::create(b, x); }
  mlir::Value copysign(mlir::Value x, mlir::Value sign) {
    return mlir::math::CopySignOp::create(b, x, sign);
  }
  /// False where one of them is NaN.
  mlir::Value isGreater(mlir::Value x, mlir::Value y) {
    return mlir::arith::CmpFOp::create(b, mlir::arith::CmpFPredicate::OGT, x, y);
  }
  mlir::Value isZero(mlir::Value x) {
    return mlir::arith::CmpFOp::create(b, mlir::arith::CmpFPredicate::OEQ, x, constant(0.0));
  }
  mlir::Value areEqual(mlir::Value x, mlir::Value y) {
    return mlir::arith::CmpIOp::create(b, mlir::arith::CmpIPredicate::eq, x, y);
  }
  mlir::Value isLess(mlir::Value x, mlir::Value y) {
    return mlir::arith::CmpIOp::create(b, mlir::arith::CmpIPredicate::slt, x, y);
  }
  mlir::Value both(mlir::Value x, mlir::Value y) { return mlir::arith::AndIOp::create(b, x, y); }
  mlir::Value either(mlir::Value x, mlir::Value y) { return mlir::arith::OrIOp::create(b, x, y); }
  mlir::Value isNot(mlir::Value x) { return mlir::arith::XOrIOp::create(b, x, flag(true)); }
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y) {
    return mlir::arith::SelectOp::create(b, condition, x, y);
  }

  //===--- Control flow -----------------------------------------------------===//

  using Body = llvm::function_ref<void(mlir::Value)>;
  using CarryingBody = llvm::function_ref<Values(mlir::Value, mlir::ValueRange)>;
  void loop(mlir::Value lower, mlir::Value upper, Body body);
  /// While the condition holds of the values that are carried.
  Values loopWhile(mlir::ValueRange first,
                   llvm::function_ref<mlir::Value(mlir::ValueRange)> condition,
                   llvm::function_ref<Values(mlir::ValueRange)> body);
  /// A loop that carries values.
  Values loop(mlir::Value lower, mlir::Value upper, mlir::ValueRange first, CarryingBody body);
  /// From `upper - 1` down to 0.
  void loopDown(mlir::Value upper, Body body);
  void when(mlir::Value condition, llvm::function_ref<void()> body);
  /// What `body` gives where the condition holds, `other` elsewhere.
  Values when(mlir::Value condition, mlir::ValueRange other, llvm::function_ref<Values()> body);

  //===--- Elements ---------------------------------------------------------===//

  /// Size `dim` of a matrix, without the batch's.
  mlir::Value size(mlir::Value buffer, int64_t dim) {
    return mlir::memref::DimOp::create(b, buffer, dim + 1);
  }
  /// An element of a matrix, a vector, or a number of each batch.
  mlir::Value load(mlir::Value buffer, mlir::ValueRange at) {
    return mlir::memref::LoadOp::create(b, buffer, place(buffer, at));
  }
  void store(mlir::Value value, mlir::Value buffer, mlir::ValueRange at) {
    mlir::memref::StoreOp::create(b, value, buffer, place(buffer, at));
  }
  /// An element of what all matrices share.
  mlir::Value loadShared(mlir::Value buffer, mlir::ValueRange at) {
    return mlir::memref::LoadOp::create(b, buffer, at);
  }
  /// `[matrices, elements]` of a buffer whose elements follow each other; null for another one.
  mlir::Value flatten(mlir::Value buffer);
  /// `lanes` elements of such a buffer, of the matrix that memory on the way is taken of.
  mlir::Value loadFlat(mlir::Value flat, mlir::Value place) {
    return mlir::vector::LoadOp::create(b, vectorOf(lanes), flat, mlir::ValueRange{slot, place});
  }
  void storeFlat(mlir::Value value, mlir::Value flat, mlir::Value place) {
    mlir::vector::StoreOp::create(b, value, flat, mlir::ValueRange{slot, place});
  }
  int64_t getLanes() const { return lanes; }
  /// Elements of a row.
  mlir::Value load(mlir::Value matrix, mlir::Value row, const Lanes &columns);
  void store(mlir::Value value, mlir::Value matrix, mlir::Value row, const Lanes &columns);

  /// `body` for all columns from `lower` on below `upper`: `unrolled` vectors of them at a time,
  /// then one, then what is left.
  void columns(mlir::Value lower, mlir::Value upper, int64_t unrolled,
               llvm::function_ref<void(const Lanes &)> body);
  /// The sums, over all columns, of each of the `count` values that `body` gives.
  Values sums(mlir::Value lower, mlir::Value upper, unsigned count,
              llvm::function_ref<Values(const Lanes &)> body);
  void swapRows(mlir::Value matrix, mlir::Value i, mlir::Value j);

private:
  mlir::Value constant(double value, mlir::Type type) {
    return mlir::arith::ConstantOp::create(b, b.getFloatAttr(type, value));
  }
  /// Memory that is needed on the way is another matrix's too, in turn.
  Values place(mlir::Value buffer, mlir::ValueRange at) {
    bool isScratch = op.getKind() == rt::MatrixKind::Fourier &&
                     !llvm::is_contained(inputs, buffer) &&
                     llvm::is_contained(outputs.drop_front(2), buffer);
    Values all = {isScratch ? slot : number};
    all.append(at.begin(), at.end());
    return all;
  }
  /// Makes a number a vector where the other operand is one.
  void spread(mlir::Value &x, mlir::Value &y) {
    auto one = [&](mlir::Value &value, mlir::Value other) {
      if (llvm::isa<mlir::VectorType>(other.getType()) && value.getType() != other.getType())
        value = mlir::vector::BroadcastOp::create(b, other.getType(), value);
    };
    one(x, y);
    one(y, x);
  }
  /// Products and sums may become one operation.
  template <typename FloatOp, typename IntOp> mlir::Value arithmetic(mlir::Value x, mlir::Value y) {
    spread(x, y);
    if (llvm::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(x)))
      return FloatOp::create(b, x, y, mlir::arith::FastMathFlags::contract);
    return IntOp::create(b, x, y);
  }
  mlir::VectorType vectorOf(int64_t width) { return mlir::VectorType::get({width}, element); }
  mlir::Value zero(int64_t width) {
    if (width == 1)
      return constant(0.0);
    return mlir::arith::ConstantOp::create(b, b.getZeroAttr(vectorOf(width)));
  }
  mlir::Value maskOf(mlir::Value count);
  mlir::Value below(mlir::Value lower, mlir::Value upper, int64_t width);

  mlir::ImplicitLocOpBuilder b;
  mlir::Value number, slot;
  int64_t lanes;
  mlir::Type element;
};

/// The algorithms, by kind.
void emitLU(MatrixBuilder &m);
void emitSwapRows(MatrixBuilder &m);
void emitCholesky(MatrixBuilder &m);
void emitTriangularSolve(MatrixBuilder &m);
void emitHouseholder(MatrixBuilder &m);
void emitReflect(MatrixBuilder &m);
void emitOrthogonalize(MatrixBuilder &m);
void emitFourier(MatrixBuilder &m);

} // namespace torchlite

#endif // TORCHLITE_LIB_CODEGEN_COMMON_MATRIXBUILDER_H
