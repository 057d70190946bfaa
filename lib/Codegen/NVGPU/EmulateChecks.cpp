//===- EmulateChecks.cpp - Checks before accesses to memory ---------------===//
//
// Global memory: the address is compared with the range of memory that the kernel's argument points
// into; only what is outside of it calls the emulator. Shared memory: every access is a call, since
// the emulator keeps books of who touched what. (Inline comparisons there would double the time
// that compiling takes.)
//
//===----------------------------------------------------------------------===//
#include "KernelEmulation.h"
#include "TorchLite/Runtime/Emulator.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

namespace torchlite::nvgpu {
using namespace llvm;

namespace {
/// What an instruction does to memory through one pointer.
struct Access {
  Instruction *instruction;
  Value *pointer;
  Value *bytes; ///< of type i64
  Align alignment;
  uint32_t kind;
};

enum class Where { Unchecked, GlobalMemory, SharedMemory };
} // namespace

/// Where a pointer leads, as far as it can be seen. Local memory and tables of constants need no
/// check; a generic pointer is taken for global memory, and the emulator looks again if it is not.
static Where locate(const Value *pointer) {
  switch (pointer->getType()->getPointerAddressSpace()) {
  case sharedSpace:
    return Where::SharedMemory;
  case constantSpace:
  case localSpace:
    return Where::Unchecked;
  default:
    break;
  }
  SmallVector<const Value *> objects;
  getUnderlyingObjects(pointer, objects, nullptr, /*MaxLookup=*/0);
  bool allShared = !objects.empty();
  for (const Value *object : objects) {
    const auto *global = dyn_cast<GlobalVariable>(object);
    if (isa<AllocaInst>(object) || (global && global->getAddressSpace() != sharedSpace))
      return Where::Unchecked;
    allShared &= object->getType()->getPointerAddressSpace() == sharedSpace;
  }
  return allShared ? Where::SharedMemory : Where::GlobalMemory;
}

/// Appends the accesses of an instruction.
static void collect(Instruction &instruction, const DataLayout &layout,
                    SmallVectorImpl<Access> &accesses) {
  IRBuilder<> builder(&instruction);
  auto constantBytes = [&](Type *type) {
    return builder.getInt64(layout.getTypeStoreSize(type).getFixedValue());
  };
  if (auto *load = dyn_cast<LoadInst>(&instruction)) {
    accesses.push_back({load, load->getPointerOperand(), constantBytes(load->getType()),
                        load->getAlign(), TL_EMU_READ});
  } else if (auto *store = dyn_cast<StoreInst>(&instruction)) {
    accesses.push_back({store, store->getPointerOperand(),
                        constantBytes(store->getValueOperand()->getType()), store->getAlign(),
                        TL_EMU_WRITE});
  } else if (auto *rmw = dyn_cast<AtomicRMWInst>(&instruction)) {
    accesses.push_back({rmw, rmw->getPointerOperand(), constantBytes(rmw->getType()),
                        rmw->getAlign(), TL_EMU_ATOMIC});
  } else if (auto *exchange = dyn_cast<AtomicCmpXchgInst>(&instruction)) {
    accesses.push_back({exchange, exchange->getPointerOperand(),
                        constantBytes(exchange->getNewValOperand()->getType()),
                        exchange->getAlign(), TL_EMU_ATOMIC});
  } else if (auto *memory = dyn_cast<MemIntrinsic>(&instruction)) {
    Value *bytes = builder.CreateZExtOrTrunc(memory->getLength(), builder.getInt64Ty());
    if (auto *transfer = dyn_cast<MemTransferInst>(memory))
      accesses.push_back({memory, transfer->getRawSource(), bytes, Align(1), TL_EMU_READ});
    accesses.push_back({memory, memory->getRawDest(), bytes, Align(1), TL_EMU_WRITE});
  }
}

static void noteGranule(EmulatedFunction &function, const Access &access) {
  uint64_t bytes = 1;
  if (auto *constant = dyn_cast<ConstantInt>(access.bytes))
    bytes = constant->getZExtValue() & -constant->getZExtValue();
  uint64_t granule = std::min<uint64_t>(std::max<uint64_t>(bytes, 1), access.alignment.value());
  if (isa<MemIntrinsic>(access.instruction))
    granule = 1;
  function.granule = std::min<uint64_t>(function.granule, granule);
}

static void checkShared(EmulatedFunction &function, const Access &access) {
  noteGranule(function, access);
  IRBuilder<> builder(access.instruction);
  Type *i64 = builder.getInt64Ty(), *i32 = builder.getInt32Ty();
  FunctionCallee check =
      emulatorFunction(*function.function.getParent(), "tl_emu_check_shared", builder.getVoidTy(),
                       {builder.getPtrTy(), i64, i64, i32, i32},
                       /*touchesMemory=*/false);
  builder.CreateCall(check,
                     {function.thread(), builder.CreatePtrToInt(access.pointer, i64), access.bytes,
                      builder.getInt32(access.kind), builder.getInt32(access.alignment.value())});
}

static void checkGlobal(EmulatedFunction &function, const Access &access) {
  unsigned slot = function.rangeSlot(access.pointer);
  // The last slot serves pointers of any origin, also to shared memory.
  bool ofArgument = slot + 1 < TL_EMU_RANGES;
  if (!ofArgument)
    noteGranule(function, access);
  Value *thread = function.thread(), *block = function.block();
  IRBuilder<> builder(access.instruction);
  Type *i64 = builder.getInt64Ty(), *i32 = builder.getInt32Ty(), *pointer = builder.getPtrTy();
  uint64_t range = offsetof(tl_emu_block, ranges) + slot * sizeof(tl_emu_range);
  auto field = [&](uint64_t offset) -> Value * {
    if (ofArgument)
      return function.blockField(builder, i64, range + offset);
    return builder.CreateLoad(
        i64, builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), block, range + offset));
  };
  Value *address = builder.CreatePtrToInt(access.pointer, i64);
  Value *size = field(offsetof(tl_emu_range, bytes));
  Value *offset = builder.CreateSub(address, field(offsetof(tl_emu_range, base)));
  Value *isOutside =
      builder.CreateOr(builder.CreateICmpUGE(offset, size),
                       builder.CreateICmpULT(builder.CreateSub(size, offset), access.bytes));
  if (access.alignment > 1) {
    Value *low = builder.CreateAnd(address, access.alignment.value() - 1);
    isOutside = builder.CreateOr(isOutside, builder.CreateICmpNE(low, builder.getInt64(0)));
  }
  Instruction *then =
      SplitBlockAndInsertIfThen(isOutside, access.instruction, /*Unreachable=*/false,
                                MDBuilder(builder.getContext()).createUnlikelyBranchWeights());
  builder.SetInsertPoint(then);
  FunctionCallee check =
      emulatorFunction(*function.function.getParent(), "tl_emu_check_global", builder.getVoidTy(),
                       {pointer, pointer, i64, i64, i32, i32, i32},
                       /*touchesMemory=*/false);
  cast<Function>(check.getCallee())->addFnAttr(Attribute::Cold);
  builder.CreateCall(check, {thread, block, address, access.bytes, builder.getInt32(access.kind),
                             builder.getInt32(access.alignment.value()), builder.getInt32(slot)});
}

void insertChecks(EmulatedFunction &function) {
  const DataLayout &layout = function.function.getParent()->getDataLayout();
  SmallVector<Access> accesses;
  for (Instruction &instruction : make_early_inc_range(instructions(function.function)))
    collect(instruction, layout, accesses);
  for (const Access &access : accesses)
    switch (locate(access.pointer)) {
    case Where::Unchecked:
      break;
    case Where::SharedMemory:
      checkShared(function, access);
      break;
    case Where::GlobalMemory:
      checkGlobal(function, access);
      break;
    }
}

} // namespace torchlite::nvgpu
