//===- KernelCompiler.cpp - From kernels in the LLVM dialect to images ----===//
#include "TorchLite/Codegen/NVGPU/KernelCompiler.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include <mutex>

namespace torchlite::nvgpu {
using namespace mlir;

static constexpr StringLiteral tripleName = "nvptx64-nvidia-cuda";

SmallVector<LLVM::LLVMFuncOp> getKernels(gpu::GPUModuleOp module) {
  SmallVector<LLVM::LLVMFuncOp> kernels;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
      kernels.push_back(function);
  return kernels;
}

void registerKernelTranslation(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

static FailureOr<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const Architecture &architecture, Location loc) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  llvm::Triple triple(tripleName);
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return emitError(loc, "no code generator for ") << tripleName << ": " << error;
  // Too old a version of PTX for the architecture would end the process.
  std::string features = "+ptx" + std::to_string(architecture.ptx);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, architecture.name, features, llvm::TargetOptions(),
                                  std::nullopt, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

/// Errors and warnings of LLVM's code generator become diagnostics.
namespace {
struct DiagnosticState {
  Location loc;
  bool hasErrors = false;

  static void report(const llvm::DiagnosticInfo *info, void *opaque) {
    auto *state = static_cast<DiagnosticState *>(opaque);
    if (info->getSeverity() != llvm::DS_Error && info->getSeverity() != llvm::DS_Warning)
      return;
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info->print(printer);
    if (info->getSeverity() == llvm::DS_Error) {
      state->hasErrors = true;
      emitError(state->loc) << text;
    } else {
      emitWarning(state->loc) << text;
    }
  }
};
} // namespace

/// The architecture that an instruction needs; 0: all have it. Source: PTX ISA, "Target ISA Notes"
/// of each.
static int64_t neededArchitecture(Operation *op) {
  if (auto product = dyn_cast<NVVM::MmaOp>(op)) {
    auto type = product.getMultiplicandAPtxType();
    bool isF16 = !type || *type == NVVM::MMATypes::f16;
    return isF16 && product.getShape().getK() < 16 ? 75 : 80;
  }
  StringRef name = op->getName().stripDialect();
  static constexpr std::pair<StringLiteral, int64_t> table[] = {
      {"wgmma.", 90},    {"cp.async.bulk.", 90}, {"cluster.", 90},
      {"stmatrix", 90},  {"setmaxregister", 90}, {"cp.async.", 80},
      {"mbarrier.", 80}, {"redux.", 80},         {"cvt.float.to.tf32", 80},
      {"ldmatrix", 75}};
  for (auto [prefix, number] : table)
    if (name.starts_with(prefix))
      return number;
  return 0;
}

/// LLVM ends the process where an architecture has no such instruction.
static LogicalResult checkInstructions(gpu::GPUModuleOp module, const Architecture &architecture) {
  WalkResult result = module.walk([&](Operation *op) -> WalkResult {
    if (!isa<NVVM::NVVMDialect>(op->getDialect()))
      return success();
    bool isWgmma = op->getName().stripDialect().starts_with("wgmma.");
    int64_t needed = neededArchitecture(op);
    if (architecture.number >= needed && (!isWgmma || architecture.name == "sm_90a"))
      return success();
    return op->emitError("expected instructions that ")
           << architecture.name << " has, but this one needs sm_" << needed << (isWgmma ? "a" : "");
  });
  return failure(result.wasInterrupted());
}

/// Functions that are called and must come from libdevice.
static SmallVector<StringRef> findMissing(llvm::Module &module) {
  SmallVector<StringRef> missing;
  for (llvm::Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty() &&
        function.getName() != "__nvvm_reflect")
      missing.push_back(function.getName());
  return missing;
}

static LogicalResult linkLibdevice(llvm::Module &module, StringRef path, Location loc) {
  SmallVector<StringRef> missing = findMissing(module);
  if (missing.empty())
    return success();
  for (StringRef name : missing)
    if (!name.starts_with("__nv_"))
      return emitError(loc, "the kernels call '") << name << "', which is defined nowhere";
  if (path.empty())
    return emitError(loc, "the kernels need '")
           << missing.front() << "' of libdevice, which is not found: " << toolkitHint;
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return emitError(loc, "cannot read '") << path << "': " << buffer.getError().message();
  auto library = llvm::getOwningLazyBitcodeModule(std::move(*buffer), module.getContext());
  if (!library)
    return emitError(loc, "cannot read '") << path << "': " << llvm::toString(library.takeError());
  (*library)->setTargetTriple(module.getTargetTriple());
  (*library)->setDataLayout(module.getDataLayout());
  bool broken = llvm::Linker::linkModules(
      module, std::move(*library), llvm::Linker::LinkOnlyNeeded,
      [](llvm::Module &linked, const llvm::StringSet<> &names) {
        llvm::internalizeModule(linked, [&](const llvm::GlobalValue &value) {
          return !value.hasName() || !names.contains(value.getName());
        });
      });
  if (broken)
    return emitError(loc, "cannot link '") << path << "'";
  missing = findMissing(module);
  if (!missing.empty())
    return emitError(loc, "'") << path << "' has no function '" << missing.front() << "'";
  return success();
}

/// libdevice asks by `__nvvm_reflect("name")` for which code it is: with denormal numbers, and
/// square roots rounded as IEEE 754 tells.
static void answerQueries(llvm::Module &module, const Architecture &architecture) {
  llvm::Function *reflect = module.getFunction("__nvvm_reflect");
  if (!reflect)
    return;
  for (llvm::User *user : llvm::make_early_inc_range(reflect->users())) {
    auto *call = cast<llvm::CallInst>(user);
    StringRef name;
    auto *text = dyn_cast<llvm::GlobalVariable>(call->getArgOperand(0)->stripPointerCasts());
    if (text && text->hasInitializer())
      if (auto *data = dyn_cast<llvm::ConstantDataArray>(text->getInitializer()))
        name = data->isCString() ? data->getAsCString() : data->getAsString();
    int64_t answer = llvm::StringSwitch<int64_t>(name)
                         .Case("__CUDA_ARCH", architecture.number * 10)
                         .Cases("__CUDA_PREC_SQRT", "__CUDA_PREC_DIV", 1)
                         .Default(0);
    call->replaceAllUsesWith(llvm::ConstantInt::get(call->getType(), answer));
    call->eraseFromParent();
  }
  reflect->eraseFromParent();
}

static void runOptimizer(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PassBuilder passes(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(callGraph);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, callGraph, modules);
  passes.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

FailureOr<std::unique_ptr<llvm::Module>>
KernelCompiler::optimize(gpu::GPUModuleOp module, const Architecture &architecture,
                         llvm::LLVMContext &context) const {
  Location loc = module.getLoc();
  auto machine = createTargetMachine(architecture, loc);
  if (failed(machine) || failed(checkInstructions(module, architecture)))
    return failure();
  DialectRegistry registry;
  registerKernelTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
  // The layout comes first: without it LLVM takes 64-bit integers to be aligned to 4 bytes, and
  // loads and stores them in halves.
  llvm::DataLayout layout = (*machine)->createDataLayout();
  module->setDiscardableAttr(
      LLVM::LLVMDialect::getDataLayoutAttrName(),
      StringAttr::get(module.getContext(), layout.getStringRepresentation()));
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(module, context, module.getName());
  module->removeDiscardableAttr(LLVM::LLVMDialect::getDataLayoutAttrName());
  if (!translated)
    return emitError(loc, "translation to LLVM IR failed");
  translated->setTargetTriple(llvm::Triple(tripleName));
  translated->setDataLayout(layout);
  if (failed(linkLibdevice(*translated, toolkit.libdevice, loc)))
    return failure();
  answerQueries(*translated, architecture);
  runOptimizer(*translated, **machine);
  return translated;
}

FailureOr<std::string> KernelCompiler::emitPTX(gpu::GPUModuleOp module,
                                               const Architecture &architecture) const {
  Location loc = module.getLoc();
  llvm::LLVMContext context;
  FailureOr<std::unique_ptr<llvm::Module>> optimized = optimize(module, architecture, context);
  auto machine = createTargetMachine(architecture, loc);
  if (failed(optimized) || failed(machine))
    return failure();
  DiagnosticState state{loc};
  context.setDiagnosticHandlerCallBack(DiagnosticState::report, &state);
  SmallString<0> text;
  llvm::raw_svector_ostream os(text);
  llvm::legacy::PassManager codegen;
  if ((*machine)->addPassesToEmitFile(codegen, os, nullptr, llvm::CodeGenFileType::AssemblyFile))
    return emitError(loc, "the code generator cannot write PTX");
  codegen.run(**optimized);
  if (state.hasErrors)
    return failure();
  return text.str().str();
}

/// Reads what `ptxas -v` says:
///   ptxas info    : Compiling entry function 'name' for 'sm_80'
///   ptxas info    : Function properties for name
///       0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
///   ptxas info    : Used 23 registers, used 1 barriers, 1024 bytes smem, 384 bytes cmem[0]
static SmallVector<KernelResources> readReport(StringRef report) {
  SmallVector<KernelResources> kernels;
  auto number = [](StringRef text) {
    int64_t value = 0;
    text.trim().consumeInteger(10, value);
    return value;
  };
  SmallVector<StringRef> lines;
  report.split(lines, '\n');
  for (StringRef line : lines) {
    if (line.contains("Compiling entry function '")) {
      kernels.emplace_back();
      kernels.back().name = line.split('\'').second.split('\'').first.str();
      continue;
    }
    if (kernels.empty())
      continue;
    KernelResources &kernel = kernels.back();
    SmallVector<StringRef> parts;
    line.split(parts, ',');
    for (StringRef part : parts) {
      if (part.ends_with(" bytes stack frame"))
        kernel.stackBytes = number(part);
      else if (part.ends_with(" bytes spill stores"))
        kernel.spillStoreBytes = number(part);
      else if (part.ends_with(" bytes spill loads"))
        kernel.spillLoadBytes = number(part);
      else if (part.ends_with(" bytes smem"))
        kernel.sharedBytes = number(part);
      else if (part.contains("Used ") && part.ends_with(" registers"))
        kernel.registers = number(part.split("Used ").second);
    }
  }
  return kernels;
}

FailureOr<Cubin> KernelCompiler::assemble(StringRef ptx, const Architecture &architecture,
                                          Location loc) const {
  if (failed(toolkit.supports(architecture, loc)))
    return failure();
  SmallString<128> source, output;
  int descriptor;
  std::error_code error =
      llvm::sys::fs::createTemporaryFile("torchlite-kernels", "ptx", descriptor, source);
  if (!error)
    error = llvm::sys::fs::createTemporaryFile("torchlite-kernels", "cubin", output);
  for (StringRef path : {source.str(), output.str()})
    if (!path.empty())
      llvm::sys::RemoveFileOnSignal(path);
  llvm::scope_exit remove([&] {
    for (StringRef path : {source.str(), output.str()}) {
      llvm::sys::fs::remove(path);
      llvm::sys::DontRemoveFileOnSignal(path);
    }
  });
  if (error)
    return emitError(loc, "cannot make a temporary file: ") << error.message();
  llvm::raw_fd_ostream file(descriptor, /*shouldClose=*/true);
  file << ptx;
  file.close();
  if (file.has_error()) {
    std::string message = file.error().message();
    file.clear_error();
    return emitError(loc, "cannot write '") << source << "': " << message;
  }

  std::string arch = ("-arch=" + architecture.name).str();
  ProgramResult result =
      runProgram(toolkit.ptxas, {"-v", "-O3", arch, source.str(), "-o", output.str()});
  if (result.status != 0) {
    InFlightDiagnostic diagnostic = emitError(loc, "'")
                                    << toolkit.ptxas << "' fails for " << architecture.name << ": "
                                    << (result.error.empty()
                                            ? "exit status " + std::to_string(result.status)
                                            : result.error);
    diagnostic.attachNote() << StringRef(result.output).rtrim();
    return diagnostic;
  }
  SmallVector<StringRef> lines;
  StringRef(result.output).split(lines, '\n');
  for (StringRef line : lines)
    if (line.starts_with("ptxas") && line.contains("warning"))
      emitWarning(loc) << architecture.name << ": " << line;
  auto buffer = llvm::MemoryBuffer::getFile(output, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer || (*buffer)->getBufferSize() == 0)
    return emitError(loc, "'") << toolkit.ptxas << "' wrote no machine code";
  return Cubin{(*buffer)->getBuffer().str(), readReport(result.output)};
}

void reportResources(gpu::GPUModuleOp module, const Architecture &architecture,
                     const Cubin &cubin) {
  for (LLVM::LLVMFuncOp kernel : getKernels(module)) {
    const auto *found = llvm::find_if(cubin.kernels, [&](const KernelResources &resources) {
      return resources.name == kernel.getName();
    });
    if (found == cubin.kernels.end())
      continue;
    InFlightDiagnostic remark = emitRemark(kernel.getLoc())
                                << architecture.name << ": kernel '" << found->name << "' takes "
                                << found->registers << " registers, " << found->sharedBytes
                                << " bytes of static shared memory, " << found->stackBytes
                                << " bytes of stack; ";
    if (found->spillStoreBytes || found->spillLoadBytes)
      remark << "it spills: " << found->spillStoreBytes << " bytes of stores, "
             << found->spillLoadBytes << " bytes of loads";
    else
      remark << "no spills";
  }
}

} // namespace torchlite::nvgpu
