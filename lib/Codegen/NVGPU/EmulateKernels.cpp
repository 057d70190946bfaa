//===- EmulateKernels.cpp - Kernels as host code --------------------------===//
#include "TorchLite/Codegen/NVGPU/EmulateKernels.h"

#include "KernelEmulation.h"
#include "TorchLite/Runtime/Emulator.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/AttributeMask.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/ReplaceConstant.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

namespace torchlite::nvgpu {
using namespace llvm;

std::string emulatedName(StringRef kernel) { return (kernel + "_emulated").str(); }

Error unsupported(const Function &function, const Twine &what) {
  return createStringError("the emulator cannot run '" + function.getName() + "': " + what);
}

FunctionCallee emulatorFunction(Module &module, StringRef name, Type *result,
                                ArrayRef<Type *> parameters, bool touchesMemory) {
  FunctionCallee callee =
      module.getOrInsertFunction(name, FunctionType::get(result, parameters, false));
  auto *function = cast<Function>(callee.getCallee());
  function->setDoesNotThrow();
  if (!touchesMemory)
    function->setOnlyAccessesInaccessibleMemory();
  return callee;
}

//===----------------------------------------------------------------------===//
// EmulatedFunction
//===----------------------------------------------------------------------===//

EmulatedFunction::EmulatedFunction(Function &function, bool isKernel)
    : function(function), isKernel(isKernel) {}

IRBuilder<> EmulatedFunction::entryBuilder() {
  return IRBuilder<>(&*function.getEntryBlock().getFirstNonPHIOrDbgOrAlloca());
}

Value *EmulatedFunction::thread() {
  if (!threadValue) {
    IRBuilder<> builder = entryBuilder();
    FunctionCallee current = emulatorFunction(*function.getParent(), "tl_emu_current",
                                              builder.getPtrTy(), {}, /*touchesMemory=*/false);
    threadValue = builder.CreateCall(current, {}, "thread");
  }
  return threadValue;
}

Value *EmulatedFunction::block() {
  if (!blockValue) {
    auto *after = cast<Instruction>(thread())->getNextNode();
    IRBuilder<> builder(after);
    blockValue = loadField(builder, builder.getPtrTy(), thread(), offsetof(tl_emu_thread, block));
  }
  return blockValue;
}

Value *EmulatedFunction::loadField(IRBuilderBase &builder, Type *type, Value *base,
                                   uint64_t offset) {
  auto *load = builder.CreateLoad(
      type, builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), base, offset));
  load->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(builder.getContext(), {}));
  return load;
}

Value *EmulatedFunction::threadField(IRBuilderBase &builder, Type *type, uint64_t offset) {
  return loadField(builder, type, thread(), offset);
}

Value *EmulatedFunction::blockField(IRBuilderBase &builder, Type *type, uint64_t offset) {
  return loadField(builder, type, block(), offset);
}

Value *EmulatedFunction::sharedMemory(Type *pointer) {
  if (!sharedValue) {
    auto *after = cast<Instruction>(block())->getNextNode();
    IRBuilder<> builder(after);
    sharedValue = loadField(builder, builder.getPtrTy(), block(), offsetof(tl_emu_block, shared));
  }
  auto *after = cast<Instruction>(sharedValue)->getNextNode();
  return IRBuilder<>(after).CreateAddrSpaceCast(sharedValue, pointer);
}

Value *EmulatedFunction::stackSlot(Type *type, const Twine &name) {
  BasicBlock &entry = function.getEntryBlock();
  return IRBuilder<>(&entry, entry.begin()).CreateAlloca(type, nullptr, name);
}

SmallVector<int32_t> parametersWithRange(const Function &kernel) {
  SmallVector<int32_t> numbers;
  for (const Argument &argument : kernel.args())
    if (argument.getType()->isPointerTy() && numbers.size() + 1 < TL_EMU_RANGES)
      numbers.push_back(argument.getArgNo());
  return numbers;
}

unsigned EmulatedFunction::rangeSlot(const Value *pointer) const {
  if (const auto *argument = dyn_cast<Argument>(getUnderlyingObject(pointer, 0));
      argument && isKernel) {
    SmallVector<int32_t> numbers = parametersWithRange(function);
    const auto *it = llvm::find(numbers, int32_t(argument->getArgNo()));
    if (it != numbers.end())
      return it - numbers.begin();
  }
  return TL_EMU_RANGES - 1;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

static bool isKernel(const Function &function) {
  return function.getCallingConv() == CallingConv::PTX_Kernel ||
         function.hasFnAttribute("nvvm.kernel");
}

/// What cannot be translated at all.
static Error checkModule(const Module &module) {
  for (const Function &function : module) {
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty())
      return unsupported(*cast<Instruction>(*function.user_begin())->getFunction(),
                         "it calls '" + function.getName() + "', which is defined nowhere");
    if (isKernel(function))
      for (const Argument &argument : function.args())
        if (argument.hasByValAttr())
          return unsupported(function,
                             "parameter " + Twine(argument.getArgNo()) + " is passed by value");
  }
  return Error::success();
}

/// Dynamic shared memory begins where the block's does.
static Error replaceSharedGlobals(Module &module,
                                  DenseMap<Function *, EmulatedFunction *> &functions) {
  for (GlobalVariable &global : make_early_inc_range(module.globals())) {
    if (global.getAddressSpace() != sharedSpace)
      continue;
    Constant *asUser[] = {&global};
    convertUsersOfConstantsToInstructions(asUser);
    global.removeDeadConstantUsers();
    for (Use &use : make_early_inc_range(global.uses())) {
      auto *user = dyn_cast<Instruction>(use.getUser());
      if (!user)
        continue;
      if (!global.isDeclaration())
        return unsupported(*user->getFunction(), "'" + global.getName() +
                                                     "' is static shared memory; dynamic shared "
                                                     "memory is expected");
      use.set(functions.lookup(user->getFunction())->sharedMemory(global.getType()));
    }
    global.eraseFromParent();
  }
  return Error::success();
}

/// Attributes that speak of the GPU, or of memory that the emulator's calls now read.
static void dropAttributes(Function &function) {
  AttributeMask ofFunction;
  for (StringRef name :
       {"target-cpu", "target-features", "denormal-fp-math", "denormal-fp-math-f32", "nvvm.kernel",
        "nvvm.maxntid", "nvvm.reqntid", "nvvm.minctasm", "nvvm.maxnreg", "uniform-work-group-size",
        "tl-extents", "frame-pointer"})
    ofFunction.addAttribute(name);
  for (Attribute::AttrKind kind :
       {Attribute::Memory, Attribute::Convergent, Attribute::NoSync, Attribute::WillReturn,
        Attribute::MustProgress, Attribute::NoFree, Attribute::Speculatable})
    ofFunction.addAttribute(kind);
  AttributeMask ofParameter;
  for (Attribute::AttrKind kind :
       {Attribute::NoAlias, Attribute::ReadOnly, Attribute::ReadNone, Attribute::WriteOnly,
        Attribute::Dereferenceable, Attribute::DereferenceableOrNull, Attribute::Captures})
    ofParameter.addAttribute(kind);
  function.removeFnAttrs(ofFunction);
  for (unsigned i = 0; i < function.arg_size(); ++i)
    function.removeParamAttrs(i, ofParameter);
  function.setCallingConv(CallingConv::C);
  for (Instruction &instruction : instructions(function))
    if (auto *call = dyn_cast<CallBase>(&instruction)) {
      Function *callee = call->getCalledFunction();
      if (!callee || callee->isDeclaration())
        continue;
      call->setCallingConv(CallingConv::C);
      call->removeFnAttrs(ofFunction);
      for (unsigned i = 0; i < call->arg_size(); ++i)
        call->removeParamAttrs(i, ofParameter);
    }
}

/// Division by zero ends the process on some processors. On the GPU it gives all ones, and the
/// dividend as the remainder; INT_MIN / -1 wraps around.
static void guardDivisions(Function &function) {
  for (Instruction &instruction : make_early_inc_range(instructions(function))) {
    auto *division = dyn_cast<BinaryOperator>(&instruction);
    if (!division || !division->isIntDivRem() || isa<Constant>(division->getOperand(1)))
      continue;
    bool isSigned =
        division->getOpcode() == Instruction::SDiv || division->getOpcode() == Instruction::SRem;
    bool isRemainder =
        division->getOpcode() == Instruction::URem || division->getOpcode() == Instruction::SRem;
    IRBuilder<> builder(division);
    Type *type = division->getType();
    Value *dividend = builder.CreateFreeze(division->getOperand(0));
    Value *divisor = builder.CreateFreeze(division->getOperand(1));
    Value *isZero = builder.CreateICmpEQ(divisor, Constant::getNullValue(type));
    Value *isBad = isZero;
    if (isSigned) {
      Value *minimum =
          ConstantInt::get(type, APInt::getSignedMinValue(type->getScalarSizeInBits()));
      Value *overflows =
          builder.CreateAnd(builder.CreateICmpEQ(dividend, minimum),
                            builder.CreateICmpEQ(divisor, Constant::getAllOnesValue(type)));
      isBad = builder.CreateOr(isZero, overflows);
    }
    Value *safe = builder.CreateSelect(isBad, ConstantInt::get(type, 1), divisor);
    Value *result = builder.CreateBinOp(division->getOpcode(), dividend, safe);
    result = builder.CreateSelect(isZero, isRemainder ? dividend : Constant::getAllOnesValue(type),
                                  result);
    division->replaceAllUsesWith(result);
    division->eraseFromParent();
  }
}

/// Whether a function or one that it calls waits for other threads.
static bool waits(EmulatedFunction &function,
                  const DenseMap<Function *, EmulatedFunction *> &functions,
                  SmallPtrSetImpl<Function *> &seen) {
  if (!seen.insert(&function.function).second)
    return false;
  if (function.hasCollectives)
    return true;
  for (Instruction &instruction : instructions(function.function))
    if (auto *call = dyn_cast<CallBase>(&instruction))
      if (EmulatedFunction *callee = functions.lookup(call->getCalledFunction()))
        if (waits(*callee, functions, seen))
          return true;
  return false;
}

static GlobalVariable *addConstant(Module &module, Constant *value) {
  auto *global = new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                    GlobalValue::PrivateLinkage, value);
  global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  return global;
}

/// The bytes that a parameter stands for, from `extentsAttribute`, and the parameters that they are
/// multiplied by, which are appended with -1 after them. 0: not known.
static uint64_t parseExtent(const Function &kernel, int32_t parameter,
                            SmallVectorImpl<uint32_t> &factors) {
  SmallVector<StringRef> entries;
  kernel.getFnAttribute(extentsAttribute).getValueAsString().split(entries, ',');
  uint64_t bytes = 0;
  for (StringRef entry : entries) {
    auto [number, extent] = entry.split(':');
    int32_t which;
    if (number.getAsInteger(10, which) || which != parameter)
      continue;
    extent.consumeInteger(10, bytes);
    uint32_t factor;
    while (extent.consume_front("*") && !extent.consumeInteger(10, factor))
      factors.push_back(factor);
  }
  factors.push_back(uint32_t(-1));
  return bytes;
}

/// The constant tl_emu_kernel.
static GlobalVariable *describe(Module &module, const EmulatedFunction &kernel, bool hasCollectives,
                                unsigned mutationCount, GlobalVariable *mutations) {
  LLVMContext &context = module.getContext();
  Type *i32 = Type::getInt32Ty(context), *i64 = Type::getInt64Ty(context);
  SmallVector<int32_t> pointers = parametersWithRange(kernel.function);
  SmallVector<uint32_t> numbers(pointers.begin(), pointers.end());
  SmallVector<uint64_t> extents;
  SmallVector<uint32_t> factors;
  for (int32_t number : pointers)
    extents.push_back(parseExtent(kernel.function, number, factors));
  // There are no empty arrays.
  if (numbers.empty()) {
    numbers.push_back(0);
    extents.push_back(0);
    factors.push_back(0);
  }
  SmallVector<uint32_t> sizes;
  for (const Argument &argument : kernel.function.args())
    sizes.push_back(module.getDataLayout().getTypeStoreSize(argument.getType()));
  unsigned parameterCount = sizes.size();
  if (sizes.empty())
    sizes.push_back(0);
  Constant *fields[] = {
      addConstant(module, ConstantDataArray::getString(context, kernel.function.getName())),
      ConstantInt::get(i32, hasCollectives),
      ConstantInt::get(i32, kernel.granule),
      ConstantInt::get(i64, kernel.localBytes),
      addConstant(module, ConstantDataArray::get(context, numbers)),
      addConstant(module, ConstantDataArray::get(context, extents)),
      addConstant(module, ConstantDataArray::get(context, factors)),
      ConstantInt::get(i32, pointers.size()),
      ConstantInt::get(i32, mutationCount),
      mutations,
      addConstant(module, ConstantDataArray::get(context, sizes)),
      ConstantInt::get(i32, parameterCount),
  };
  return addConstant(module, ConstantStruct::getAnon(fields));
}

/// Makes `<name>_emulated`, and the kernel a part of it.
static void addEntry(Module &module, EmulatedFunction &kernel, GlobalVariable *description) {
  LLVMContext &context = module.getContext();
  Function &body = kernel.function;
  Type *pointer = PointerType::get(context, 0);
  auto *entry =
      Function::Create(FunctionType::get(Type::getVoidTy(context), {pointer}, false),
                       GlobalValue::ExternalLinkage, emulatedName(body.getName()), module);
  entry->setVisibility(GlobalValue::HiddenVisibility);
  auto *start = BasicBlock::Create(context, "", entry);
  auto *tell = BasicBlock::Create(context, "describe", entry);
  auto *run = BasicBlock::Create(context, "run", entry);
  Value *params = entry->getArg(0);
  IRBuilder<> builder(start);
  builder.CreateCondBr(builder.CreateIsNull(params), tell, run);
  builder.SetInsertPoint(tell);
  builder.CreateCall(emulatorFunction(module, "tl_emu_describe", builder.getVoidTy(), {pointer},
                                      /*touchesMemory=*/true),
                     {description});
  builder.CreateRetVoid();
  builder.SetInsertPoint(run);
  SmallVector<Value *> arguments;
  for (Argument &argument : body.args()) {
    Value *address = builder.CreateLoad(
        pointer, builder.CreateConstInBoundsGEP1_64(pointer, params, argument.getArgNo()));
    arguments.push_back(builder.CreateLoad(argument.getType(), address));
  }
  builder.CreateCall(&body, arguments);
  builder.CreateRetVoid();
  body.setLinkage(GlobalValue::InternalLinkage);
  body.setVisibility(GlobalValue::DefaultVisibility);
  body.setDSOLocal(true);
}

static uint64_t localBytes(const Function &function, const DataLayout &layout) {
  uint64_t bytes = 0;
  for (const Instruction &instruction : instructions(function))
    if (const auto *alloca = dyn_cast<AllocaInst>(&instruction))
      if (std::optional<TypeSize> size = alloca->getAllocationSize(layout))
        bytes += size->getFixedValue() + 16;
  return bytes;
}

Error emulateKernels(Module &module, const TargetMachine &host) {
  if (Error error = checkModule(module))
    return error;
  std::vector<std::unique_ptr<EmulatedFunction>> functions;
  DenseMap<Function *, EmulatedFunction *> byFunction;
  for (Function &function : module)
    if (!function.isDeclaration()) {
      functions.push_back(std::make_unique<EmulatedFunction>(function, isKernel(function)));
      byFunction[&function] = functions.back().get();
    }
  for (auto &function : functions) {
    function->localBytes = localBytes(function->function, module.getDataLayout());
    insertChecks(*function);
  }
  if (Error error = replaceSharedGlobals(module, byFunction))
    return error;
  Sites sites;
  for (auto &function : functions) {
    if (Error error = replaceIntrinsics(*function, sites))
      return error;
    guardDivisions(function->function);
    expandBFloats(function->function);
  }
  // What is called adds its needs to every kernel.
  unsigned granule = 4;
  uint64_t bytes = 0;
  for (auto &function : functions)
    if (!function->isKernel) {
      granule = std::min(granule, function->granule);
      bytes += function->localBytes;
    }
  auto *mutations = addConstant(
      module, ConstantDataArray::getString(module.getContext(), join(sites.mutations, "\n")));
  for (auto &function : functions) {
    if (!function->isKernel) {
      dropAttributes(function->function);
      function->function.setLinkage(GlobalValue::InternalLinkage);
      continue;
    }
    function->granule = std::min(granule, function->granule);
    function->localBytes += bytes;
    SmallPtrSet<Function *, 8> seen;
    bool hasCollectives = waits(*function, byFunction, seen);
    GlobalVariable *description =
        describe(module, *function, hasCollectives, sites.mutations.size(), mutations);
    dropAttributes(function->function);
    addEntry(module, *function, description);
  }
  for (Function &function : make_early_inc_range(module))
    if (function.isDeclaration() && function.use_empty())
      function.eraseFromParent();
  for (StringRef name : {"nvvm.annotations", "nvvmir.version"})
    if (NamedMDNode *metadata = module.getNamedMetadata(name))
      metadata->eraseFromParent();
  module.setTargetTriple(host.getTargetTriple());
  module.setDataLayout(host.createDataLayout());
  std::string message;
  raw_string_ostream stream(message);
  if (verifyModule(module, &stream))
    return createStringError("the emulator made invalid LLVM IR: " + message);
  return Error::success();
}

} // namespace torchlite::nvgpu
