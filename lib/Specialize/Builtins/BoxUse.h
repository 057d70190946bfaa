//===- BoxUse.h - For operators of values that live at run time -*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_BUILTINS_BOXUSE_H
#define TORCHLITE_LIB_SPECIALIZE_BUILTINS_BOXUSE_H

#include "../Interpreter/Boxes.h"
#include "../Interpreter/Pieces.h"
#include "TorchLite/Specialize/Rules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace torchlite::tl::specialize {

void registerBoxDictRules(RuleRegistry &registry);
void registerBoxTextRules(RuleRegistry &registry);

/// What a rule of boxes needs at hand.
struct BoxUse {
  using Predicate = mlir::arith::CmpIPredicate;

  explicit BoxUse(RuleContext &ctx)
      : ctx(ctx), w(ctx.getWalker()), b(ctx.b), loc(ctx.loc), boxer(w, loc) {}

  /// The list or dict at an operand; null after a failure.
  mlir::Value box(unsigned i = 0) {
    if (ctx.operand(i).is(ValueKind::List) || ctx.operand(i).is(ValueKind::Dict))
      return boxer.boxOf(ctx.operand(i));
    return (void)ctx.fail("expected a list or dict, but got " + ctx.operand(i).kindName()),
           mlir::Value();
  }
  Form *form(unsigned i = 0) { return boxer.formOf(ctx.operand(i)); }
  /// The form of a list's elements, or a dict's keys; and of a dict's values.
  Form *element(unsigned i = 0) { return form(i)->parts[0]; }
  Form *value(unsigned i = 0) { return form(i)->parts[1]; }

  mlir::Value size(mlir::Value box) { return rt::BoxSizeOp::create(b, loc, box); }
  mlir::Value integer(int64_t value) { return boxer.integer(value); }
  mlir::Value compare(Predicate predicate, mlir::Value x, mlir::Value y) {
    return mlir::arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y) {
    return mlir::arith::SelectOp::create(b, loc, condition, x, y);
  }
  mlir::Value add(mlir::Value x, mlir::Value y) {
    return mlir::arith::AddIOp::create(b, loc, x, y);
  }
  /// An index that may count from the end, checked; null after a failure.
  mlir::Value position(unsigned i, mlir::Value list) {
    mlir::Value index = ctx.scalar(i);
    return ctx.failed() ? mlir::Value() : wrappedPosition(ctx, index, size(list));
  }
  /// A copy of the items, as a new container of the same form.
  mlir::Value copy(mlir::Value box) {
    return rt::BoxSliceOp::create(b, loc, box, integer(0), size(box), integer(1));
  }
  void splice(mlir::Value list, mlir::Value at, mlir::Value removed, mlir::Value more) {
    rt::BoxSpliceOp::create(b, loc, list, at, removed, more);
  }
  mlir::Value none() { return rt::BoxNoneOp::create(b, loc); }

  RuleContext &ctx;
  Walker &w;
  mlir::OpBuilder &b;
  mlir::Location loc;
  Boxer boxer;
};

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_BUILTINS_BOXUSE_H
