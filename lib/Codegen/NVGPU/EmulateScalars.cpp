//===- EmulateScalars.cpp - Arithmetic of NVVM as LLVM instructions -------===//
//
// The intrinsics and the assembly that libdevice and the lowering to NVVM leave behind. Directed
// rounding is computed by the emulator. Source of semantics: PTX ISA; NVVM IR Specification.
//
//===----------------------------------------------------------------------===//
#include "KernelEmulation.h"
#include "TorchLite/Runtime/Emulator.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/Intrinsics.h"

namespace torchlite::nvgpu {
using namespace llvm;

namespace {
using Builder = IRBuilderBase;

Value *unary(Builder &b, Intrinsic::ID id, Value *x) { return b.CreateUnaryIntrinsic(id, x); }
Value *real(Type *type, double value) { return ConstantFP::get(type, value); }
Value *reciprocal(Builder &b, Value *x) { return b.CreateFDiv(real(x->getType(), 1), x); }
Value *reciprocalRoot(Builder &b, Value *x) { return reciprocal(b, unary(b, Intrinsic::sqrt, x)); }

/// Clamps to [0, 1]; NaN becomes 0.
Value *saturate(Builder &b, Value *x) {
  Value *low = b.CreateMaxNum(x, real(x->getType(), 0));
  return b.CreateMinNum(low, real(x->getType(), 1));
}

/// Rounds f32 to the 19 bits of tf32. `mode`: rna (ties away from zero), rn (to even), rz.
Value *roundToTF32(Builder &b, Value *x, StringRef mode) {
  Value *bits = b.CreateBitCast(x, b.getInt32Ty()), *rounded = bits;
  if (mode == "rna")
    rounded = b.CreateAdd(bits, b.getInt32(0x1000));
  else if (mode == "rn")
    rounded = b.CreateAdd(b.CreateAdd(bits, b.getInt32(0xFFF)),
                          b.CreateAnd(b.CreateLShr(bits, 13), b.getInt32(1)));
  // Infinities stay, and so do NaN, also those whose bits are among the ones that go.
  Value *size = b.CreateAnd(bits, b.getInt32(0x7FFFFFFF));
  Value *isFinite = b.CreateICmpULT(size, b.getInt32(0x7F800000));
  Value *isNaN = b.CreateICmpUGT(size, b.getInt32(0x7F800000));
  rounded = b.CreateAnd(b.CreateSelect(isFinite, rounded, bits), b.getInt32(~0x1FFFu));
  return b.CreateSelect(isNaN, b.getInt32(0x7FFFFFFF), rounded);
}

/// The number that the emulator knows a rounding by, or -1.
int roundingNumber(StringRef mode) {
  return StringSwitch<int>(mode)
      .Case("rn", TL_EMU_ROUND_NEAREST)
      .Case("rm", TL_EMU_ROUND_DOWN)
      .Case("rp", TL_EMU_ROUND_UP)
      .Case("rz", TL_EMU_ROUND_ZERO)
      .Default(-1);
}

/// a * b + c, rounded in one direction.
Value *roundedFma(Builder &b, int rounding, Value *x, Value *y, Value *z) {
  Type *type = x->getType();
  if (!type->isFloatTy() && !type->isDoubleTy())
    return nullptr;
  if (rounding == TL_EMU_ROUND_NEAREST)
    return b.CreateIntrinsic(Intrinsic::fma, {type}, {x, y, z});
  FunctionCallee callee = b.GetInsertBlock()->getModule()->getOrInsertFunction(
      type->isFloatTy() ? "tl_emu_fma_f32" : "tl_emu_fma_f64",
      FunctionType::get(type, {b.getInt32Ty(), type, type, type}, false));
  auto *function = cast<Function>(callee.getCallee());
  function->setDoesNotThrow();
  function->setDoesNotAccessMemory();
  function->setWillReturn();
  return b.CreateCall(callee, {b.getInt32(rounding), x, y, z});
}

/// add, mul, fma, div, sqrt, rcp with a rounding: "fma.rm.f", "add.rn.ftz.sat.f".
Value *arithmetic(Builder &b, StringRef name, CallBase &call) {
  auto [operation, rest] = name.split('.');
  auto [mode, suffix] = rest.split('.');
  int rounding = roundingNumber(mode);
  bool saturates = suffix.contains("sat");
  Value *x = call.arg_size() > 0 ? call.getArgOperand(0) : nullptr;
  if (rounding < 0 || suffix.contains("relu") || !call.getType()->isFPOrFPVectorTy() ||
      suffix.contains("bf16"))
    return nullptr;
  auto operand = [&](unsigned i) { return call.getArgOperand(i); };
  bool isNearest = rounding == TL_EMU_ROUND_NEAREST;
  Type *type = call.getType();
  Value *result = nullptr;
  if (operation == "fma")
    result = isNearest ? b.CreateIntrinsic(Intrinsic::fma, {type}, {x, operand(1), operand(2)})
                       : roundedFma(b, rounding, x, operand(1), operand(2));
  else if (operation == "add")
    result = isNearest ? b.CreateFAdd(x, operand(1))
                       : roundedFma(b, rounding, x, real(type, 1), operand(1));
  else if (operation == "mul")
    result = isNearest ? b.CreateFMul(x, operand(1))
                       : roundedFma(b, rounding, x, operand(1), real(type, -0.0));
  else if (operation == "div" && isNearest)
    result = b.CreateFDiv(x, operand(1));
  else if (operation == "sqrt" && isNearest)
    result = unary(b, Intrinsic::sqrt, x);
  else if (operation == "rcp" && isNearest)
    result = reciprocal(b, x);
  return result && saturates ? saturate(b, result) : result;
}

/// Approximations and rounding to integers, of one operand.
Value *unaryFloat(Builder &b, StringRef name, CallBase &call) {
  if (call.arg_size() != 1 || !call.getType()->isFPOrFPVectorTy() ||
      call.getArgOperand(0)->getType() != call.getType())
    return nullptr;
  Value *x = call.getArgOperand(0);
  auto [operation, rest] = name.split('.');
  bool approximate = rest.starts_with("approx") || rest == "f";
  if (operation == "ex2" && approximate)
    return unary(b, Intrinsic::exp2, x);
  if (operation == "lg2" && approximate)
    return unary(b, Intrinsic::log2, x);
  if (operation == "sin" && approximate)
    return unary(b, Intrinsic::sin, x);
  if (operation == "cos" && approximate)
    return unary(b, Intrinsic::cos, x);
  if (operation == "tanh" && approximate)
    return unary(b, Intrinsic::tanh, x);
  if (operation == "sqrt" && approximate)
    return unary(b, Intrinsic::sqrt, x);
  if (operation == "rsqrt" && approximate)
    return reciprocalRoot(b, x);
  if (operation == "rcp" && approximate)
    return reciprocal(b, x);
  if (operation == "fabs")
    return unary(b, Intrinsic::fabs, x);
  // cvt.rni: ties to even.
  if (operation == "round")
    return unary(b, Intrinsic::nearbyint, x);
  if (operation == "floor")
    return unary(b, Intrinsic::floor, x);
  if (operation == "ceil")
    return unary(b, Intrinsic::ceil, x);
  if (operation == "trunc")
    return unary(b, Intrinsic::trunc, x);
  if (operation == "saturate")
    return saturate(b, x);
  return nullptr;
}

/// fmin and fmax; with `nan` they give NaN where an operand is one.
Value *minMax(Builder &b, StringRef name, CallBase &call) {
  bool isMax = name.consume_front("fmax.");
  if ((!isMax && !name.consume_front("fmin.")) || name.contains("xorsign"))
    return nullptr;
  Value *x = call.getArgOperand(0), *y = call.getArgOperand(1);
  if (!x->getType()->isFPOrFPVectorTy())
    return nullptr;
  if (name.contains("nan"))
    return isMax ? b.CreateMaximum(x, y) : b.CreateMinimum(x, y);
  return isMax ? b.CreateMaxNum(x, y) : b.CreateMinNum(x, y);
}

/// "f2i.rn.ftz", "d2ull.rz", "i2f.rn", "d2f.rn": conversions between numbers.
Value *conversion(Builder &b, StringRef name, CallBase &call) {
  if (call.arg_size() != 1)
    return nullptr;
  auto [types, mode] = name.split('.');
  auto [from, to] = types.split('2');
  int rounding = roundingNumber(mode.split('.').first);
  Value *x = call.getArgOperand(0);
  Type *type = call.getType();
  auto isReal = [](StringRef text) { return text == "f" || text == "d"; };
  auto isInteger = [](StringRef text) {
    return text == "i" || text == "ui" || text == "ll" || text == "ull";
  };
  if (from == "f" && to == "tf32")
    return mode == "rna" || mode == "rn" || mode == "rz" ? roundToTF32(b, x, mode) : nullptr;
  if (rounding < 0)
    return nullptr;
  if (isReal(from) && isInteger(to)) {
    static const Intrinsic::ID roundings[] = {Intrinsic::nearbyint, Intrinsic::floor,
                                              Intrinsic::ceil, Intrinsic::trunc};
    Value *whole = unary(b, roundings[rounding], x);
    // The GPU saturates.
    return b.CreateIntrinsic(to.starts_with("u") ? Intrinsic::fptoui_sat : Intrinsic::fptosi_sat,
                             {type, x->getType()}, {whole});
  }
  bool isExact = to == "d" && (from == "i" || from == "ui");
  if (rounding != TL_EMU_ROUND_NEAREST && !isExact)
    return nullptr;
  if (isInteger(from) && isReal(to))
    return from.starts_with("u") ? b.CreateUIToFP(x, type) : b.CreateSIToFP(x, type);
  if (from == "d" && to == "f")
    return b.CreateFPTrunc(x, type);
  if (from == "f" && to == "h")
    return b.CreateBitCast(b.CreateFPTrunc(x, b.getHalfTy()), type);
  return nullptr;
}

/// Packing of floats into 16 bits; the first operand is the upper half.
Value *packing(Builder &b, StringRef name, CallBase &call) {
  bool isPair = name.consume_front("ff2");
  if (!isPair && !name.consume_front("f2"))
    return nullptr;
  bool isBF16 = name.consume_front("bf16");
  if (!isBF16 && !name.consume_front("f16"))
    return nullptr;
  if (isPair)
    name.consume_front("x2");
  if (name != ".rn")
    return nullptr;
  Type *half = isBF16 ? b.getBFloatTy() : b.getHalfTy();
  if (!isPair) {
    Value *result = b.CreateFPTrunc(call.getArgOperand(0), half);
    return b.CreateBitCast(result, call.getType());
  }
  Value *vector = PoisonValue::get(FixedVectorType::get(half, 2));
  for (unsigned i = 0; i < 2; ++i)
    vector = b.CreateInsertElement(vector, b.CreateFPTrunc(call.getArgOperand(1 - i), half), i);
  return b.CreateBitCast(vector, call.getType());
}

/// Upper half of a product.
Value *highProduct(Builder &b, Value *x, Value *y, bool isSigned) {
  unsigned bits = x->getType()->getIntegerBitWidth();
  Type *wide = b.getIntNTy(2 * bits);
  Value *product =
      b.CreateMul(b.CreateIntCast(x, wide, isSigned), b.CreateIntCast(y, wide, isSigned));
  return b.CreateTrunc(b.CreateLShr(product, bits), x->getType());
}

Value *integers(Builder &b, StringRef name, CallBase &call) {
  auto operand = [&](unsigned i) { return call.getArgOperand(i); };
  Type *i32 = b.getInt32Ty(), *i64 = b.getInt64Ty();
  if (name == "d2i.lo")
    return b.CreateTrunc(b.CreateBitCast(operand(0), i64), i32);
  if (name == "d2i.hi")
    return b.CreateTrunc(b.CreateLShr(b.CreateBitCast(operand(0), i64), 32), i32);
  if (name == "lohi.i2d") {
    Value *high = b.CreateShl(b.CreateZExt(operand(1), i64), 32);
    return b.CreateBitCast(b.CreateOr(high, b.CreateZExt(operand(0), i64)), b.getDoubleTy());
  }
  if (name.consume_front("mulhi."))
    return highProduct(b, operand(0), operand(1), !name.starts_with("u"));
  if (name == "mul24.i" || name == "mul24.ui") {
    auto low = [&](Value *x) {
      x = b.CreateShl(x, 8);
      return name == "mul24.i" ? b.CreateAShr(x, 8) : b.CreateLShr(x, 8);
    };
    return b.CreateMul(low(operand(0)), low(operand(1)));
  }
  if (name.consume_front("sad.")) {
    bool isSigned = !name.starts_with("u");
    Value *x = operand(0), *y = operand(1);
    Value *less = isSigned ? b.CreateICmpSLT(x, y) : b.CreateICmpULT(x, y);
    Value *distance = b.CreateSelect(less, b.CreateSub(y, x), b.CreateSub(x, y));
    return b.CreateAdd(distance, operand(2));
  }
  if (name.starts_with("move.") || name.starts_with("internal.addrspace.wrap"))
    return operand(0);
  if (name == "prmt") {
    // Bytes of {b, a}, each chosen by four bits of c; the highest of them repeats the sign.
    Value *both =
        b.CreateOr(b.CreateShl(b.CreateZExt(operand(1), i64), 32), b.CreateZExt(operand(0), i64));
    Value *result = b.getInt32(0);
    for (unsigned i = 0; i < 4; ++i) {
      Value *selector = b.CreateLShr(operand(2), 4 * i);
      Value *shift = b.CreateZExt(b.CreateShl(b.CreateAnd(selector, 7), 3), i64);
      Value *byte = b.CreateTrunc(b.CreateLShr(both, shift), b.getInt8Ty());
      Value *sign = b.CreateAShr(byte, 7);
      byte = b.CreateSelect(b.CreateICmpNE(b.CreateAnd(selector, 8), b.getInt32(0)), sign, byte);
      result = b.CreateOr(result, b.CreateShl(b.CreateZExt(byte, i32), 8 * i));
    }
    return result;
  }
  return nullptr;
}

/// Results of assembly with two outputs.
Value *pair(Builder &b, CallBase &call, Value *low, Value *high) {
  Value *result = b.CreateInsertValue(PoisonValue::get(call.getType()), low, 0);
  return b.CreateInsertValue(result, high, 1);
}

/// A number of twice the width of its parts.
Value *join(Builder &b, Value *low, Value *high) {
  unsigned bits = low->getType()->getIntegerBitWidth();
  Type *wide = b.getIntNTy(2 * bits);
  return b.CreateOr(b.CreateShl(b.CreateZExt(high, wide), bits), b.CreateZExt(low, wide));
}
Value *split(Builder &b, CallBase &call, Value *value) {
  unsigned bits = value->getType()->getIntegerBitWidth() / 2;
  Type *part = b.getIntNTy(bits);
  return pair(b, call, b.CreateTrunc(value, part), b.CreateTrunc(b.CreateLShr(value, bits), part));
}

/// One blank between words, none at the ends.
std::string normalize(StringRef text) {
  std::string result;
  for (char c : text) {
    bool isBlank = isspace((unsigned char)c);
    if (isBlank && (result.empty() || result.back() == ' '))
      continue;
    result.push_back(isBlank ? ' ' : c);
  }
  return StringRef(result).trim().str();
}

enum class Assembly { Unknown, MultiplyAdd32, Multiply64, MultiplyAdd64, Add128, Sub128, Select };

/// Assembly of several instructions in libdevice.10.bc, by its normalised text.
Assembly classify(StringRef text) {
  return StringSwitch<Assembly>(text)
      .Case("{ mad.lo.cc.u32 $0, $2, $3, $4; madc.hi.u32 $1, $2, $3, 0; }", Assembly::MultiplyAdd32)
      .Case("{ .reg .u32 r0, r1, r2, r3, alo, ahi, blo, bhi; mov.b64 {alo,ahi}, $2; mov.b64 "
            "{blo,bhi}, $3; mul.lo.u32 r0, alo, blo; mul.hi.u32 r1, alo, blo; mad.lo.cc.u32 r1, "
            "alo, bhi, r1; madc.hi.u32 r2, alo, bhi, 0; mad.lo.cc.u32 r1, ahi, blo, r1; "
            "madc.hi.cc.u32 r2, ahi, blo, r2; madc.hi.u32 r3, ahi, bhi, 0; mad.lo.cc.u32 r2, ahi, "
            "bhi, r2; addc.u32 r3, r3, 0; mov.b64 $0, {r0,r1}; mov.b64 $1, {r2,r3}; }",
            Assembly::Multiply64)
      .Case("{ .reg .u32 r0, r1, r2, r3, alo, ahi, blo, bhi, clo, chi; mov.b64 {alo,ahi}, $2; "
            "mov.b64 {blo,bhi}, $3; mov.b64 {clo,chi}, $4; mad.lo.cc.u32 r0, alo, blo, clo; "
            "madc.hi.cc.u32 r1, alo, blo, chi; madc.hi.u32 r2, alo, bhi, 0; mad.lo.cc.u32 r1, alo, "
            "bhi, r1; madc.hi.cc.u32 r2, ahi, blo, r2; madc.hi.u32 r3, ahi, bhi, 0; mad.lo.cc.u32 "
            "r1, ahi, blo, r1; madc.lo.cc.u32 r2, ahi, bhi, r2; addc.u32 r3, r3, 0; mov.b64 $0, "
            "{r0,r1}; mov.b64 $1, {r2,r3}; }",
            Assembly::MultiplyAdd64)
      .Case("{ .reg .u32 r0, r1, r2, r3, a0, a1, a2, a3, b0, b1, b2, b3; mov.b64 {a0,a1}, $2; "
            "mov.b64 {a2,a3}, $3; mov.b64 {b0,b1}, $4; mov.b64 {b2,b3}, $5; add.cc.u32 r0, a0, b0; "
            "addc.cc.u32 r1, a1, b1; addc.cc.u32 r2, a2, b2; addc.u32 r3, a3, b3; mov.b64 $0, "
            "{r0,r1}; mov.b64 $1, {r2,r3}; }",
            Assembly::Add128)
      .Case("{ .reg .u32 r0, r1, r2, r3, a0, a1, a2, a3, b0, b1, b2, b3; mov.b64 {a0,a1}, $2; "
            "mov.b64 {a2,a3}, $3; mov.b64 {b0,b1}, $4; mov.b64 {b2,b3}, $5; sub.cc.u32 r0, a0, b0; "
            "subc.cc.u32 r1, a1, b1; subc.cc.u32 r2, a2, b2; subc.u32 r3, a3, b3; mov.b64 $0, "
            "{r0,r1}; mov.b64 $1, {r2,r3}; }",
            Assembly::Sub128)
      .Case("{ .reg .pred __$$temp3; setp.equ.f64 __$$temp3, $1, $2; selp.f64 $0, $3, $4, "
            "__$$temp3;}",
            Assembly::Select)
      .Default(Assembly::Unknown);
}

/// "rcp.approx.ftz.f32 $0,$1;": one instruction on operands in order.
Value *singleInstruction(Builder &b, StringRef text, CallBase &call) {
  auto [opcode, operands] = text.split(' ');
  std::string expected = "$0";
  for (unsigned i = 0; i < call.arg_size(); ++i)
    expected += ",$" + std::to_string(i + 1);
  expected += ";";
  std::string found;
  for (char c : operands)
    if (c != ' ')
      found.push_back(c);
  if (found != expected)
    return nullptr;
  if (opcode == "sub.rn.f32" || opcode == "sub.rn.f64")
    return b.CreateFSub(call.getArgOperand(0), call.getArgOperand(1));
  if (opcode == "cvt.rna.tf32.f32")
    return b.CreateBitCast(roundToTF32(b, call.getArgOperand(0), "rna"), call.getType());
  return unaryFloat(b, opcode, call);
}

} // namespace

Value *expandScalarIntrinsic(IRBuilderBase &builder, StringRef name, CallBase &call) {
  if (name == "div.approx.f" || name == "div.approx.ftz.f" || name == "div.full" ||
      name == "div.full.ftz")
    return builder.CreateFDiv(call.getArgOperand(0), call.getArgOperand(1));
  using Expand = Value *(*)(Builder &, StringRef, CallBase &);
  for (Expand expand : {integers, arithmetic, unaryFloat, minMax, conversion, packing})
    if (Value *value = expand(builder, name, call))
      return value;
  return nullptr;
}

Value *expandAssembly(IRBuilderBase &b, StringRef text, CallBase &call) {
  std::string normal = normalize(text);
  auto operand = [&](unsigned i) { return call.getArgOperand(i); };
  auto widen = [&](unsigned i) {
    return b.CreateZExt(operand(i), b.getIntNTy(2 * operand(i)->getType()->getIntegerBitWidth()));
  };
  switch (classify(normal)) {
  case Assembly::MultiplyAdd32:
  case Assembly::MultiplyAdd64:
    return split(b, call, b.CreateAdd(b.CreateMul(widen(0), widen(1)), widen(2)));
  case Assembly::Multiply64:
    return split(b, call, b.CreateMul(widen(0), widen(1)));
  case Assembly::Add128:
    return split(b, call,
                 b.CreateAdd(join(b, operand(0), operand(1)), join(b, operand(2), operand(3))));
  case Assembly::Sub128:
    return split(b, call,
                 b.CreateSub(join(b, operand(0), operand(1)), join(b, operand(2), operand(3))));
  case Assembly::Select:
    return b.CreateSelect(b.CreateFCmpUEQ(operand(0), operand(1)), operand(2), operand(3));
  case Assembly::Unknown:
    break;
  }
  return singleInstruction(b, normal, call);
}

} // namespace torchlite::nvgpu
