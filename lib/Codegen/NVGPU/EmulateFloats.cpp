//===- EmulateFloats.cpp - Conversions that processors have not -----------===//
//
// Few processors convert to bfloat16. LLVM calls `__truncsfbf2` there, which not every C compiler's
// library has.
//
//===----------------------------------------------------------------------===//
#include "KernelEmulation.h"
#include "llvm/IR/InstIterator.h"

namespace torchlite::nvgpu {
using namespace llvm;

void expandBFloats(Function &function) {
  for (Instruction &instruction : make_early_inc_range(instructions(function))) {
    // Kernels convert f64 by way of f32.
    if (!isa<FPTruncInst>(instruction) || !instruction.getType()->getScalarType()->isBFloatTy() ||
        !instruction.getOperand(0)->getType()->getScalarType()->isFloatTy())
      continue;
    IRBuilder<> b(&instruction);
    Type *type = instruction.getType();
    Type *bitsType = type->getWithNewType(b.getInt32Ty());
    Value *x = instruction.getOperand(0);
    // To the nearest, ties to even; NaN stays NaN.
    auto number = [&](uint32_t value) { return ConstantInt::get(bitsType, value); };
    Value *bits = b.CreateBitCast(x, bitsType);
    Value *last = b.CreateAnd(b.CreateLShr(bits, number(16)), number(1));
    Value *rounded = b.CreateAdd(b.CreateAdd(bits, number(0x7FFF)), last);
    Value *quiet = b.CreateOr(bits, number(0x400000));
    Value *result = b.CreateSelect(b.CreateFCmpUNO(x, x), quiet, rounded);
    Value *half =
        b.CreateTrunc(b.CreateLShr(result, number(16)), type->getWithNewType(b.getInt16Ty()));
    instruction.replaceAllUsesWith(b.CreateBitCast(half, type));
    instruction.eraseFromParent();
  }
}

} // namespace torchlite::nvgpu
