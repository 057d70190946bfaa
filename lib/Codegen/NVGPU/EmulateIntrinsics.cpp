//===- EmulateIntrinsics.cpp - What threads of a GPU do together ----------===//
//
// Special registers, barriers, shuffles, matrix operations and asynchronous copies become reads of
// the thread's description and calls of the emulator. Scalar intrinsics: EmulateScalars.cpp.
//
//===----------------------------------------------------------------------===//
#include "KernelEmulation.h"
#include "TorchLite/Runtime/Emulator.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"

namespace torchlite::nvgpu {
using namespace llvm;

namespace {

/// Rewrites the calls of one function.
class Rewriter {
public:
  Rewriter(EmulatedFunction &function, Sites &sites)
      : function(function), module(*function.function.getParent()), sites(sites) {}

  Error rewrite(CallBase &call);

private:
  /// Each returns the value that the call had, null if it cannot be that call, or `call` itself
  /// where it has no value.
  Value *readSpecialRegister(StringRef name);
  Value *barrier(StringRef name, CallBase &call);
  Value *warpCollective(StringRef name, CallBase &call);
  Value *loadMatrix(StringRef name, CallBase &call);
  Value *multiplyMatrices(StringRef name, CallBase &call);
  Value *asyncCopy(StringRef name, CallBase &call);
  Value *replacement(StringRef name, CallBase &call);

  /// The number of a barrier or a wait, which PTX calls `name`.
  Value *mutationSite(StringRef name) {
    sites.mutations.push_back((function.function.getName() + " " + name).str());
    return b->getInt32(sites.mutations.size() - 1);
  }
  /// A call of the emulator with the thread first; `arguments` follow.
  Value *callEmulator(StringRef name, Type *result, ArrayRef<Value *> arguments);
  Value *collective(StringRef name, Type *result, ArrayRef<Value *> arguments) {
    function.hasCollectives = true;
    SmallVector<Value *> all = {b->getInt32(sites.collectives++)};
    all.append(arguments.begin(), arguments.end());
    return callEmulator(name, result, all);
  }
  Value *asI32(Value *value);
  Value *address(Value *pointer) { return b->CreatePtrToInt(pointer, b->getInt64Ty()); }
  /// Reads the registers of a result: one value, or the members of a structure.
  Value *unpackRegisters(Value *registers, Type *type);

  EmulatedFunction &function;
  Module &module;
  Sites &sites;
  IRBuilder<> *b = nullptr;
};

Value *Rewriter::callEmulator(StringRef name, Type *result, ArrayRef<Value *> arguments) {
  SmallVector<Value *> all = {function.thread()};
  all.append(arguments.begin(), arguments.end());
  SmallVector<Type *> types;
  for (Value *value : all)
    types.push_back(value->getType());
  return b->CreateCall(emulatorFunction(module, name, result, types, /*touchesMemory=*/true), all);
}

Value *Rewriter::asI32(Value *value) {
  if (value->getType()->isIntegerTy() && value->getType() != b->getInt32Ty())
    return b->CreateZExtOrTrunc(value, b->getInt32Ty());
  return b->CreateBitCast(value, b->getInt32Ty());
}

Value *Rewriter::unpackRegisters(Value *registers, Type *type) {
  auto load = [&](Type *member, unsigned i) -> Value * {
    Value *value = b->CreateLoad(b->getInt32Ty(),
                                 b->CreateConstInBoundsGEP1_64(b->getInt32Ty(), registers, i));
    return b->CreateBitCast(value, member);
  };
  auto *structure = dyn_cast<StructType>(type);
  if (!structure)
    return load(type, 0);
  Value *result = PoisonValue::get(type);
  for (unsigned i = 0; i < structure->getNumElements(); ++i)
    result = b->CreateInsertValue(result, load(structure->getElementType(i), i), i);
  return result;
}

//===----------------------------------------------------------------------===//
// Special registers
//===----------------------------------------------------------------------===//

Value *Rewriter::readSpecialRegister(StringRef name) {
  Type *i32 = b->getInt32Ty();
  auto dimension = [](StringRef suffix) -> int {
    return StringSwitch<int>(suffix).Case(".x", 0).Case(".y", 1).Case(".z", 2).Default(-1);
  };
  struct Field {
    StringRef name;
    bool ofThread;
    uint64_t offset;
  };
  static const Field fields[] = {
      {"tid", true, offsetof(tl_emu_thread, thread_id)},
      {"ntid", false, offsetof(tl_emu_block, block_size)},
      {"ctaid", false, offsetof(tl_emu_block, block_id)},
      {"nctaid", false, offsetof(tl_emu_block, grid_size)},
  };
  for (const Field &field : fields) {
    StringRef rest = name;
    int index = rest.consume_front(field.name) ? dimension(rest) : -1;
    if (index < 0)
      continue;
    uint64_t offset = field.offset + 4 * index;
    return field.ofThread ? function.threadField(*b, i32, offset)
                          : function.blockField(*b, i32, offset);
  }
  if (name == "warpsize")
    return b->getInt32(32);
  Value *linear = function.threadField(*b, i32, offsetof(tl_emu_thread, linear_id));
  Value *lane = b->CreateAnd(linear, 31);
  Value *bit = b->CreateShl(b->getInt32(1), lane), *below = b->CreateSub(bit, b->getInt32(1));
  if (name == "laneid")
    return lane;
  if (name == "warpid")
    return b->CreateLShr(linear, 5);
  if (name == "lanemask.eq")
    return bit;
  if (name == "lanemask.lt")
    return below;
  if (name == "lanemask.le")
    return b->CreateOr(bit, below);
  if (name == "lanemask.gt")
    return b->CreateNot(b->CreateOr(bit, below));
  if (name == "lanemask.ge")
    return b->CreateNot(below);
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Barriers and warps
//===----------------------------------------------------------------------===//

Value *Rewriter::barrier(StringRef name, CallBase &call) {
  Type *nothing = b->getVoidTy();
  if (name == "barrier.cta.sync.aligned.all" || name == "barrier.cta.sync.all") {
    function.hasCollectives = true;
    callEmulator("tl_emu_barrier", nothing, {call.getArgOperand(0), mutationSite("bar.sync")});
    return &call;
  }
  StringRef kind = name;
  if (kind.consume_front("barrier.cta.red.") &&
      (kind.consume_back(".aligned.all") || kind.consume_back(".all"))) {
    int number = StringSwitch<int>(kind).Case("popc", 0).Case("and", 1).Case("or", 2).Default(-1);
    if (number < 0)
      return nullptr;
    function.hasCollectives = true;
    Value *result = callEmulator("tl_emu_barrier_reduce", b->getInt32Ty(),
                                 {call.getArgOperand(0), mutationSite("bar.red"),
                                  b->getInt32(number), asI32(call.getArgOperand(1))});
    return call.getType()->isIntegerTy(1) ? b->CreateIsNotNull(result) : result;
  }
  if (name == "bar.warp.sync") {
    function.hasCollectives = true;
    callEmulator("tl_emu_warp_barrier", nothing,
                 {mutationSite("bar.warp.sync"), call.getArgOperand(0)});
    return &call;
  }
  return nullptr;
}

Value *Rewriter::warpCollective(StringRef name, CallBase &call) {
  Type *i32 = b->getInt32Ty();
  auto operand = [&](unsigned i) { return call.getArgOperand(i); };
  /// The pair of a value and a predicate.
  auto pair = [&](Value *value, Value *flag) {
    auto *type = cast<StructType>(call.getType());
    Value *result = b->CreateInsertValue(PoisonValue::get(type),
                                         b->CreateBitCast(value, type->getElementType(0)), 0);
    Value *predicate = b->CreateIsNotNull(b->CreateLoad(b->getInt8Ty(), flag));
    return b->CreateInsertValue(result, predicate, 1);
  };
  if (name.consume_front("shfl.sync.")) {
    auto [how, type] = name.split('.');
    int mode = StringSwitch<int>(how)
                   .Case("idx", TL_EMU_SHFL_IDX)
                   .Case("up", TL_EMU_SHFL_UP)
                   .Case("down", TL_EMU_SHFL_DOWN)
                   .Case("bfly", TL_EMU_SHFL_BFLY)
                   .Default(-1);
    if (mode < 0)
      return nullptr;
    Value *flag = function.stackSlot(b->getInt8Ty(), "in_range");
    Value *result = collective(
        "tl_emu_shfl", i32,
        {b->getInt32(mode), operand(0), asI32(operand(1)), operand(2), operand(3), flag});
    return type.ends_with("p") ? pair(result, flag) : b->CreateBitCast(result, call.getType());
  }
  if (name.consume_front("vote.") && name.consume_back(".sync")) {
    int mode = StringSwitch<int>(name)
                   .Case("all", TL_EMU_VOTE_ALL)
                   .Case("any", TL_EMU_VOTE_ANY)
                   .Case("uni", TL_EMU_VOTE_UNI)
                   .Case("ballot", TL_EMU_VOTE_BALLOT)
                   .Default(-1);
    if (mode < 0)
      return nullptr;
    Value *result =
        collective("tl_emu_vote", i32, {b->getInt32(mode), operand(0), asI32(operand(1))});
    return call.getType()->isIntegerTy(1) ? b->CreateIsNotNull(result) : result;
  }
  if (name.consume_front("match.")) {
    bool all = name.starts_with("all.sync.");
    Value *flag = function.stackSlot(b->getInt8Ty(), "agree");
    Value *result = collective(
        "tl_emu_match", i32,
        {b->getInt32(all), operand(0), b->CreateZExtOrTrunc(operand(1), b->getInt64Ty()), flag});
    return all ? pair(result, flag) : result;
  }
  if (name.consume_front("redux.sync.")) {
    int mode = StringSwitch<int>(name)
                   .Case("add", TL_EMU_REDUX_ADD)
                   .Case("min", TL_EMU_REDUX_MIN)
                   .Case("max", TL_EMU_REDUX_MAX)
                   .Case("umin", TL_EMU_REDUX_UMIN)
                   .Case("umax", TL_EMU_REDUX_UMAX)
                   .Case("and", TL_EMU_REDUX_AND)
                   .Case("or", TL_EMU_REDUX_OR)
                   .Case("xor", TL_EMU_REDUX_XOR)
                   .Default(-1);
    if (mode < 0)
      return nullptr;
    return collective("tl_emu_redux", i32, {b->getInt32(mode), operand(1), operand(0)});
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

Value *Rewriter::loadMatrix(StringRef name, CallBase &call) {
  // ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3
  if (!name.consume_front("ldmatrix.sync.aligned.m8n8.x"))
    return nullptr;
  unsigned count;
  if (name.consumeInteger(10, count))
    return nullptr;
  bool transposed = name.consume_front(".trans");
  if (!name.starts_with(".b16") ||
      call.getArgOperand(0)->getType()->getPointerAddressSpace() != sharedSpace)
    return nullptr;
  Value *registers = function.stackSlot(ArrayType::get(b->getInt32Ty(), 4), "matrix");
  collective(
      "tl_emu_ldmatrix", b->getVoidTy(),
      {b->getInt32(count), b->getInt32(transposed), address(call.getArgOperand(0)), registers});
  return unpackRegisters(registers, call.getType());
}

/// The types of A, B, C and D of an mma intrinsic, by what its name ends in.
static bool parseTypes(StringRef text, unsigned (&types)[4]) {
  auto set = [&](unsigned a, unsigned b, unsigned c, unsigned d) {
    types[0] = a, types[1] = b, types[2] = c, types[3] = d;
    return true;
  };
  // D and C are named for f16 only.
  if (text == "f16.f16")
    return set(TL_EMU_F16, TL_EMU_F16, TL_EMU_F16, TL_EMU_F16);
  if (text == "f32.f32")
    return set(TL_EMU_F16, TL_EMU_F16, TL_EMU_F32, TL_EMU_F32);
  if (text == "bf16")
    return set(TL_EMU_BF16, TL_EMU_BF16, TL_EMU_F32, TL_EMU_F32);
  if (text == "tf32")
    return set(TL_EMU_TF32, TL_EMU_TF32, TL_EMU_F32, TL_EMU_F32);
  if (text == "s8")
    return set(TL_EMU_S8, TL_EMU_S8, TL_EMU_S32, TL_EMU_S32);
  if (text == "u8")
    return set(TL_EMU_U8, TL_EMU_U8, TL_EMU_S32, TL_EMU_S32);
  if (text == "s8.u8")
    return set(TL_EMU_S8, TL_EMU_U8, TL_EMU_S32, TL_EMU_S32);
  if (text == "u8.s8")
    return set(TL_EMU_U8, TL_EMU_S8, TL_EMU_S32, TL_EMU_S32);
  return false;
}

Value *Rewriter::multiplyMatrices(StringRef name, CallBase &call) {
  // mma.m16n8k16.row.col.f32.f32
  unsigned k, types[4];
  if (!name.consume_front("mma.m16n8k") || name.consumeInteger(10, k) ||
      !name.consume_front(".row.col.") || !parseTypes(name, types))
    return nullptr;
  Type *i32 = b->getInt32Ty();
  auto *arrayType = ArrayType::get(i32, call.arg_size());
  Value *operands = function.stackSlot(arrayType, "operands");
  Value *result = function.stackSlot(ArrayType::get(i32, 4), "matrix");
  for (unsigned i = 0; i < call.arg_size(); ++i)
    b->CreateStore(asI32(call.getArgOperand(i)), b->CreateConstInBoundsGEP1_64(i32, operands, i));
  collective("tl_emu_mma", b->getVoidTy(),
             {b->getInt32(k), b->getInt32(types[0]), b->getInt32(types[1]), b->getInt32(types[2]),
              b->getInt32(types[3]), operands, result});
  return unpackRegisters(result, call.getType());
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

Value *Rewriter::asyncCopy(StringRef name, CallBase &call) {
  if (!name.consume_front("cp.async."))
    return nullptr;
  Type *nothing = b->getVoidTy();
  if (name == "commit.group") {
    callEmulator("tl_emu_copy_commit", nothing, {});
    return &call;
  }
  if (name == "wait.group") {
    callEmulator("tl_emu_copy_wait", nothing,
                 {mutationSite("cp.async.wait_group"), asI32(call.getArgOperand(0))});
    return &call;
  }
  if (name == "wait.all") {
    callEmulator("tl_emu_copy_wait_all", nothing, {mutationSite("cp.async.wait_all")});
    return &call;
  }
  if (!name.consume_front("ca.shared.global.") && !name.consume_front("cg.shared.global."))
    return nullptr;
  unsigned bytes;
  if (name.consumeInteger(10, bytes))
    return nullptr;
  Value *from = call.getArgOperand(1);
  Value *sourceBytes = call.arg_size() > 2 ? asI32(call.getArgOperand(2)) : b->getInt32(bytes);
  callEmulator("tl_emu_copy_async", nothing,
               {address(call.getArgOperand(0)), address(from), b->getInt32(bytes), sourceBytes,
                b->getInt32(function.rangeSlot(from))});
  return &call;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

Value *Rewriter::replacement(StringRef name, CallBase &call) {
  if (name.starts_with("membar.") || name.starts_with("prefetch") || name == "nanosleep")
    return &call; // one thread runs at a time, and memory has no caches
  StringRef sreg = name;
  if (sreg.consume_front("read.ptx.sreg."))
    return readSpecialRegister(sreg);
  if (name.starts_with("barrier.") || name.starts_with("bar."))
    return barrier(name, call);
  if (name.starts_with("ldmatrix."))
    return loadMatrix(name, call);
  if (name.starts_with("mma."))
    return multiplyMatrices(name, call);
  if (name.starts_with("cp.async."))
    return asyncCopy(name, call);
  if (Value *value = warpCollective(name, call))
    return value;
  return expandScalarIntrinsic(*b, name, call);
}

Error Rewriter::rewrite(CallBase &call) {
  IRBuilder<> builder(&call);
  if (auto *instruction = dyn_cast<FPMathOperator>(&call))
    builder.setFastMathFlags(instruction->getFastMathFlags());
  b = &builder;
  Value *value = nullptr;
  std::string what;
  if (auto *assembly = dyn_cast<InlineAsm>(call.getCalledOperand())) {
    value = expandAssembly(builder, assembly->getAsmString(), call);
    what = ("inline PTX \"" + assembly->getAsmString() + "\"").str();
  } else {
    Function *callee = call.getCalledFunction();
    if (!callee)
      return unsupported(function.function, "it calls through a pointer");
    StringRef name = callee->getName();
    if (name == "llvm.trap") {
      value = callEmulator("tl_emu_trap", builder.getVoidTy(), {}) ? &call : nullptr;
    } else if (!name.consume_front("llvm.nvvm.")) {
      return Error::success();
    } else {
      value = replacement(name, call);
    }
    what = "intrinsic " + callee->getName().str();
  }
  if (!value)
    return unsupported(function.function, what + " is not known");
  if (value != &call) {
    if (value->getType() != call.getType())
      return unsupported(function.function, what + " has an unexpected type");
    call.replaceAllUsesWith(value);
  }
  call.eraseFromParent();
  return Error::success();
}

} // namespace

Error replaceIntrinsics(EmulatedFunction &function, Sites &sites) {
  Rewriter rewriter(function, sites);
  SmallVector<CallBase *> calls;
  for (Instruction &instruction : instructions(function.function))
    if (auto *call = dyn_cast<CallBase>(&instruction))
      calls.push_back(call);
  for (CallBase *call : calls)
    if (Error error = rewriter.rewrite(*call))
      return error;
  return Error::success();
}

} // namespace torchlite::nvgpu
