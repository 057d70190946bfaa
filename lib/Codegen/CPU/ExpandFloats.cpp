//===- ExpandFloats.cpp - Compute f16 and bf16 in f32 ---------------------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/Common/HalfFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_EXPANDFLOATS
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

Type withElement(Type type, Type element) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(element);
  return element;
}

/// Integer forms of the conversions between f16 and f32.
struct IntegerBuilder {
  OpBuilder &builder;
  Location loc;
  Type i32;

  IntegerBuilder(OpBuilder &builder, Location loc, Type like)
      : builder(builder), loc(loc), i32(withElement(like, builder.getI32Type())) {}

  Value constant(uint32_t value) {
    auto attr = builder.getI32IntegerAttr(static_cast<int32_t>(value));
    TypedAttr typed = attr;
    if (auto shaped = dyn_cast<ShapedType>(i32))
      typed = DenseElementsAttr::get(shaped, attr.getValue());
    return arith::ConstantOp::create(builder, loc, typed);
  }
  Value band(Value a, uint32_t b) { return arith::AndIOp::create(builder, loc, a, constant(b)); }
  Value bor(Value a, Value b) { return arith::OrIOp::create(builder, loc, a, b); }
  Value shl(Value a, uint32_t b) { return arith::ShLIOp::create(builder, loc, a, constant(b)); }
  Value shr(Value a, uint32_t b) { return arith::ShRUIOp::create(builder, loc, a, constant(b)); }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value less(Value a, uint32_t b) {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, a, constant(b));
  }
  Value select(Value c, Value a, Value b) { return arith::SelectOp::create(builder, loc, c, a, b); }
  Value bitcast(Type type, Value a) { return arith::BitcastOp::create(builder, loc, type, a); }
};

/// f16 to f32. A normal number only moves its bits and exponent; a denormal is an integer times
/// 2^-24; infinity and NaN keep the largest exponent.
void expandExtF16(arith::ExtFOp op) {
  OpBuilder b(op);
  Type f32 = op.getType();
  IntegerBuilder i(b, op.getLoc(), f32);
  Type i16 = withElement(f32, b.getI16Type());
  Value half = arith::ExtUIOp::create(b, op.getLoc(), i.i32, i.bitcast(i16, op.getIn()));
  Value sign = i.shl(i.band(half, 0x8000), 16);
  Value magnitude = i.band(half, 0x7fff);
  Value shifted = i.shl(magnitude, 13);
  Value normal = i.add(shifted, i.constant(112u << 23));
  Value special = i.bor(shifted, i.constant(255u << 23));
  // A signalling NaN becomes quiet, as instructions do it.
  Value isNaN = arith::CmpIOp::create(b, op.getLoc(), arith::CmpIPredicate::ugt, magnitude,
                                      i.constant(0x7c00));
  special = i.select(isNaN, i.bor(special, i.constant(1u << 22)), special);
  // 2^-14 with the denormal's bits as fraction, less 2^-14.
  Value offset = i.bitcast(f32, i.constant(113u << 23));
  Value denormal = arith::SubFOp::create(
      b, op.getLoc(), i.bitcast(f32, i.add(shifted, i.constant(113u << 23))), offset);
  Value bits = i.select(i.less(magnitude, 0x400), i.bitcast(i.i32, denormal),
                        i.select(i.less(magnitude, 0x7c00), normal, special));
  op.replaceAllUsesWith(i.bitcast(f32, i.bor(bits, sign)));
  op.erase();
}

/// f32 to f16, rounded to nearest even.
void expandTruncF16(arith::TruncFOp op) {
  OpBuilder b(op);
  Type f32 = op.getIn().getType();
  IntegerBuilder i(b, op.getLoc(), f32);
  Value bits = i.bitcast(i.i32, op.getIn());
  Value sign = i.shr(i.band(bits, 0x80000000), 16);
  Value magnitude = i.band(bits, 0x7fffffff);
  // Normal: round off 13 bits; the carry may run into the exponent, up to infinity.
  Value odd = i.band(i.shr(magnitude, 13), 1);
  Value rounded = i.add(i.add(magnitude, i.constant(0xfff)), odd);
  Value normal = i.shr(i.add(rounded, i.constant(0u - (112u << 23))), 13);
  // Denormal: adding 0.5 makes the addition round at the place of the last bit.
  Value half = i.bitcast(f32, i.constant(126u << 23));
  Value sum = arith::AddFOp::create(b, op.getLoc(), i.bitcast(f32, magnitude), half);
  Value denormal = i.add(i.bitcast(i.i32, sum), i.constant(0u - (126u << 23)));
  Value isNaN = arith::CmpIOp::create(b, op.getLoc(), arith::CmpIPredicate::ugt, magnitude,
                                      i.constant(0x7f800000));
  Value infinity = i.constant(0x7c00);
  // NaN keeps its upper bits and becomes quiet.
  Value quiet = i.bor(i.bor(i.band(i.shr(magnitude, 13), 0x3ff), i.constant(0x200)), infinity);
  Value special = i.select(isNaN, quiet, infinity);
  // From 65520 on everything rounds to infinity.
  Value result = i.select(i.less(magnitude, 113u << 23), denormal,
                          i.select(i.less(magnitude, 0x477ff000), normal, special));
  Type i16 = withElement(f32, b.getI16Type());
  Value narrow = arith::TruncIOp::create(b, op.getLoc(), i16, i.bor(result, sign));
  op.replaceAllUsesWith(i.bitcast(op.getType(), narrow));
  op.erase();
}

struct ExpandFloats : impl::ExpandFloatsBase<ExpandFloats> {
  using Base::Base;

  void runOnOperation() override {
    computeHalfFloatsInF32(getOperation());

    // bf16 is the upper half of f32: shifts and rounding, on every processor alike.
    RewritePatternSet patterns(&getContext());
    arith::populateExpandBFloat16Patterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    if (!integerConversions)
      return;
    SmallVector<Operation *> work;
    getOperation().walk([&](Operation *op) {
      if (isa<arith::ExtFOp, arith::TruncFOp>(op))
        work.push_back(op);
    });
    for (Operation *op : work) {
      if (auto extend = dyn_cast<arith::ExtFOp>(op)) {
        if (getElementTypeOrSelf(extend.getIn()).isF16())
          expandExtF16(extend);
      } else if (getElementTypeOrSelf(op->getResult(0)).isF16()) {
        expandTruncF16(cast<arith::TruncFOp>(op));
      }
    }
  }
};

} // namespace
} // namespace torchlite::cpu
