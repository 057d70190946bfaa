//===- ObjectEmitter.cpp - From the LLVM dialect to a file ----------------===//
#include "TorchLite/Codegen/CPU/ObjectEmitter.h"

#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "TorchLite/Codegen/Common/Weights.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"
#include <mutex>

namespace torchlite::cpu {
using namespace mlir;

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
  });
}

static FailureOr<const llvm::Target *> lookupTarget(const TargetSpec &spec, Location loc) {
  initializeTargets();
  std::string error;
  llvm::Triple triple(spec.triple);
  if (const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error))
    return target;
  return emitError(loc, "unknown target triple '")
         << spec.triple << "': expected x86-64 or AArch64";
}

FailureOr<TargetSpec> resolveTarget(TargetSpec spec, Location loc) {
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  if (spec.triple.empty())
    spec.triple = host.str();
  spec.triple = llvm::Triple::normalize(spec.triple);
  FailureOr<const llvm::Target *> target = lookupTarget(spec, loc);
  if (failed(target))
    return failure();
  llvm::Triple triple(spec.triple);
  if (spec.cpu == "native") {
    if (triple.getArch() != host.getArch())
      return emitError(loc, "the processor 'native' is ")
             << host.getArchName() << ", but the target is " << triple.getArchName();
    spec.cpu = llvm::sys::getHostCPUName();
    std::string features;
    // What the processor has is less than its name says on some virtual machines.
    for (const auto &feature : llvm::sys::getHostCPUFeatures())
      features += (features.empty() ? "" : ",") + std::string(feature.second ? "+" : "-") +
                  feature.first().str();
    spec.features = features + (spec.features.empty() ? "" : "," + spec.features);
  }
  if (spec.cpu.empty())
    spec.cpu = triple.isX86() ? "x86-64" : "generic";
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      (*target)->createMCSubtargetInfo(triple, spec.cpu, ""));
  if (!subtarget || !subtarget->isCPUStringValid(spec.cpu))
    return emitError(loc, "unknown processor '")
           << spec.cpu << "' for the target " << triple.getArchName();
  return spec;
}

FailureOr<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const TargetSpec &spec,
                                                                    Location loc, OutputKind kind) {
  FailureOr<const llvm::Target *> target = lookupTarget(spec, loc);
  if (failed(target))
    return failure();
  llvm::TargetOptions options;
  // Assembly keeps the reference to the weights' file instead of printing its bytes.
  options.DisableIntegratedAS = kind == OutputKind::Assembly;
  std::unique_ptr<llvm::TargetMachine> machine((*target)->createTargetMachine(
      llvm::Triple(spec.triple), spec.cpu, spec.features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Default));
  if (!machine)
    return emitError(loc, "no code generator for '") << spec.triple << "'";
  return machine;
}

FailureOr<const TargetInfo *> getTargetInfo(const TargetSpec &spec, Location loc) {
  FailureOr<const llvm::Target *> target = lookupTarget(spec, loc);
  if (failed(target))
    return failure();
  llvm::Triple triple(spec.triple);
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      (*target)->createMCSubtargetInfo(triple, spec.cpu, spec.features));
  return &chooseTargetInfo(triple, *subtarget);
}

/// What each function is compiled for; the module's functions carry it, so that optimisation and
/// code generation agree.
static void setTargetAttributes(llvm::Module &module, const TargetSpec &spec,
                                const TargetInfo &info, bool sanitizeAddress) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", spec.cpu);
    if (!spec.features.empty())
      function.addFnAttr("target-features", spec.features);
    function.addFnAttr("prefer-vector-width", std::to_string(info.vectorBits));
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (sanitizeAddress)
      function.addFnAttr(llvm::Attribute::SanitizeAddress);
  }
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine, bool sanitizeAddress) {
  llvm::PipelineTuningOptions tuning;
  // What is hot was vectorised and unrolled before; loops are what is left of it, and the loop
  // vectoriser is what makes them fast.
  tuning.LoopUnrolling = false;
  tuning.SLPVectorization = false;
  tuning.LoopVectorization = true;
  tuning.LoopInterleaving = true;
  llvm::PassBuilder passes(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(callGraph);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, callGraph, modules);
  // As clang does: what is optimised away needs no check.
  if (sanitizeAddress)
    passes.registerOptimizerLastEPCallback(
        [](llvm::ModulePassManager &manager, llvm::OptimizationLevel, llvm::ThinOrFullLTOPhase) {
          manager.addPass(llvm::AddressSanitizerPass(llvm::AddressSanitizerOptions()));
        });
  passes.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

/// The assembly that puts a file's contents at `symbol`.
static std::string includeFile(const llvm::Triple &triple, StringRef symbol, StringRef path) {
  std::string quoted;
  for (char c : path) {
    if (c == '"' || c == '\\')
      quoted.push_back('\\');
    quoted.push_back(c);
  }
  return (Twine(".section .rodata.") + symbol + ",\"a\"," + (triple.isAArch64() ? "%" : "@") +
          "progbits\n.balign 64\n" + symbol + ":\n.incbin \"" + quoted + "\"\n.size " + symbol +
          ", . - " + symbol + "\n.text\n")
      .str();
}

namespace {
/// The files of a module's blobs. Temporary ones, and all of them after a failure or an
/// interruption, are removed.
class WeightsFiles {
public:
  explicit WeightsFiles(StringRef prefix) : prefix(prefix) {}
  ~WeightsFiles() {
    for (const std::string &path : written) {
      llvm::sys::fs::remove(path);
      llvm::sys::DontRemoveFileOnSignal(path);
    }
  }

  /// Writes a blob; returns the path.
  FailureOr<std::string> write(ModuleOp module, StringRef attrName) {
    // `tl.weights` is the blob, `.weights` the suffix.
    StringRef suffix = attrName.drop_front(attrName.find('.'));
    SmallString<128> path(prefix);
    path += suffix;
    int descriptor;
    std::error_code error =
        prefix.empty()
            ? llvm::sys::fs::createTemporaryFile("torchlite-weights", "bin", descriptor, path)
            : llvm::sys::fs::openFileForWrite(path, descriptor);
    auto fail = [&](const std::error_code &error) {
      return emitError(module.getLoc(), "cannot write '") << path << "': " << error.message();
    };
    if (error)
      return fail(error);
    llvm::sys::RemoveFileOnSignal(path);
    written.push_back(path.str().str());
    llvm::raw_fd_ostream file(descriptor, /*shouldClose=*/true);
    LogicalResult result = writeWeights(module, attrName, file);
    file.close();
    if (file.has_error()) {
      error = file.error();
      file.clear_error();
      return fail(error);
    }
    if (failed(result))
      return failure();
    return written.back();
  }

  /// What was asked for is complete.
  void keep() {
    if (prefix.empty())
      return;
    for (const std::string &path : written)
      llvm::sys::DontRemoveFileOnSignal(path);
    written.clear();
  }

private:
  StringRef prefix;
  SmallVector<std::string> written;
};
} // namespace

/// Links the bitcode that a module carries.
static LogicalResult linkHostBitcode(ModuleOp module, llvm::Module &translated) {
  auto bitcode = module->getAttrOfType<StringAttr>(hostBitcodeAttrName);
  if (!bitcode)
    return success();
  auto fail = [&](const Twine &message) {
    return module.emitError("invalid '") << hostBitcodeAttrName << "': " << message;
  };
  llvm::Expected<std::unique_ptr<llvm::Module>> parsed = llvm::parseBitcodeFile(
      llvm::MemoryBufferRef(bitcode.getValue(), hostBitcodeAttrName), translated.getContext());
  if (!parsed)
    return fail(llvm::toString(parsed.takeError()));
  if ((*parsed)->getDataLayout() != translated.getDataLayout())
    return fail("it was made for another target");
  (*parsed)->setTargetTriple(translated.getTargetTriple());
  SmallVector<std::string> defined;
  for (llvm::GlobalValue &value : (*parsed)->global_values())
    if (!value.isDeclaration() && !value.hasLocalLinkage())
      defined.push_back(value.getName().str());
  if (llvm::Linker::linkModules(translated, std::move(*parsed)))
    return fail("it does not fit the module");
  for (const std::string &name : defined)
    translated.getNamedValue(name)->setLinkage(llvm::GlobalValue::InternalLinkage);
  return success();
}

LogicalResult emitObject(ModuleOp module, const EmitOptions &options, llvm::raw_pwrite_stream &os) {
  Location loc = module.getLoc();
  FailureOr<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(options.target, loc, options.kind);
  FailureOr<const TargetInfo *> info = getTargetInfo(options.target, loc);
  if (failed(machine) || failed(info))
    return failure();

  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated = translateModuleToLLVMIR(module, context);
  if (!translated)
    return emitError(loc, "translation to LLVM IR failed");
  llvm::Triple triple(options.target.triple);
  translated->setTargetTriple(triple);
  translated->setDataLayout((*machine)->createDataLayout());
  if (failed(linkHostBitcode(module, *translated)))
    return failure();
  setTargetAttributes(*translated, options.target, **info, options.sanitizeAddress);

  // Weights never become LLVM constants: that takes minutes and gigabytes for a large model.
  WeightsFiles files(options.weightsPrefix);
  for (auto [attrName, symbol] : {std::pair(weightsAttrName, weightsSymbol),
                                  std::pair(deviceWeightsAttrName, deviceWeightsSymbol)}) {
    if (!translated->getNamedGlobal(symbol))
      continue;
    if (!module->hasAttr(attrName))
      return module.emitError("the data of '")
             << symbol << "' are missing: no attribute '" << attrName << "'";
    FailureOr<std::string> path = files.write(module, attrName);
    if (failed(path))
      return failure();
    translated->appendModuleInlineAsm(includeFile(triple, symbol, *path));
  }

  if (options.constantsWritten)
    options.constantsWritten();

  optimize(*translated, **machine, options.sanitizeAddress);
  if (options.kind == OutputKind::LLVMIR) {
    translated->print(os, nullptr);
    files.keep();
    return success();
  }
  llvm::legacy::PassManager codegen;
  auto type = options.kind == OutputKind::Object ? llvm::CodeGenFileType::ObjectFile
                                                 : llvm::CodeGenFileType::AssemblyFile;
  if ((*machine)->addPassesToEmitFile(codegen, os, nullptr, type))
    return emitError(loc, "the target '") << options.target.triple << "' cannot be written";
  codegen.run(*translated);
  files.keep();
  return success();
}

} // namespace torchlite::cpu
