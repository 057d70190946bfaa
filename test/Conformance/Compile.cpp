//===- Compile.cpp - From an archive to code in this process --------------===//

#include "Compile.h"
#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "TorchLite/Import/TorchScript.h"
#include "TorchLite/InitAll.h"
#include "TorchLite/Pipelines/CPUPipeline.h"
#include "TorchLite/Runtime/Descriptor.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/TargetSelect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

using namespace mlir;
using namespace torchlite;
namespace orc = llvm::orc;
using llvm::Expected;

namespace conformance {

Compiler::Compiler() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::InitializeNativeTargetAsmParser();
  MLIRContext context;
  Location loc = UnknownLoc::get(&context);
  FailureOr<cpu::TargetSpec> spec = cpu::resolveTarget({}, loc);
  if (succeeded(spec)) {
    target = *spec;
    if (FailureOr<const cpu::TargetInfo *> found = cpu::getTargetInfo(target, loc); succeeded(found))
      info = *found;
  }
  if (!info)
    llvm::report_fatal_error("tl-conformance: no target for this machine");
}

Compiler::~Compiler() = default;

/// The place of an error: the innermost file and line.
static std::string formatPlace(Location loc) {
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return formatPlace(call.getCallee());
  if (auto name = dyn_cast<NameLoc>(loc))
    return formatPlace(name.getChildLoc());
  if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      if (std::string place = formatPlace(part); !place.empty())
        return place;
    return {};
  }
  if (auto file = dyn_cast<FileLineColLoc>(loc))
    return (Twine(file.getFilename().getValue()) + ":" + Twine(file.getLine())).str();
  return {};
}

/// The names between quotes in "no rule for 'add.Tensor'..." messages.
static void collectMissing(StringRef message, std::vector<std::string> &missing) {
  if (!message.contains("operator") && !message.contains("rule"))
    return;
  while (true) {
    size_t begin = message.find('\'');
    size_t end = begin == StringRef::npos ? begin : message.find('\'', begin + 1);
    if (end == StringRef::npos)
      return;
    missing.push_back(message.slice(begin + 1, end).str());
    message = message.substr(end + 1);
  }
}

const tl_model *Compiler::compile(StringRef path, StringRef signature, Refusal &refusal) {
  jit.reset();
  DialectRegistry registry;
  torchlite::registerAllDialects(registry);
  registerAllToLLVMIRTranslations(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  std::string firstError, notes;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    std::string text = diagnostic.str();
    for (Diagnostic &note : diagnostic.getNotes())
      text += "; " + note.str();
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
      collectMissing(text, refusal.missing);
      if (firstError.empty()) {
        std::string place = formatPlace(diagnostic.getLocation());
        firstError = place.empty() ? text : place + ": " + text;
      }
    }
    return success();
  });
  auto refuse = [&](StringRef stage) {
    refusal.stage = stage.str();
    refusal.reason = firstError.empty() ? "failed without a message" : firstError;
    return nullptr;
  };

  OwningOpRef<ModuleOp> module = importTorchScript(path, &context);
  if (!module)
    return refuse("import");
  auto run = [&](llvm::function_ref<void(PassManager &)> build) {
    PassManager manager(&context);
    build(manager);
    return manager.run(*module);
  };
  if (failed(run([](PassManager &manager) { manager.addPass(tl::createLinkPass()); })))
    return refuse("link");
  if (failed(run([&](PassManager &manager) {
        tl::SpecializePassOptions options;
        options.signatures = {signature.str()};
        manager.addPass(tl::createSpecializePass(options));
      })))
    return refuse("specialize");
  if (failed(run([](PassManager &manager) { manager.addPass(createConvertTorchLiteToLinalgPass()); })))
    return refuse("convert-tl-to-linalg");
  if (failed(run([&](PassManager &manager) { buildCPUPipeline(manager, target, *info); })))
    return refuse("cpu");
  if (failed(run([](PassManager &manager) {
        driver::EmitDescriptorOptions options;
        options.name = "conformance";
        options.threads = 1;
        manager.addPass(driver::createEmitDescriptor(options));
      })))
    return refuse("descriptor");
  SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  cpu::EmitOptions emit;
  emit.target = target;
  if (failed(cpu::emitObject(*module, emit, stream)))
    return refuse("object");

  auto load = [&]() -> Expected<const tl_model *> {
    auto created = orc::LLJITBuilder().create();
    if (!created)
      return created.takeError();
    jit = std::move(*created);
    orc::MangleAndInterner mangle(jit->getExecutionSession(), jit->getDataLayout());
    orc::SymbolMap runtime;
    auto add = [&](StringRef name, auto *address) {
      runtime[mangle(name)] = {orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported};
    };
    add("tl_rt_output", &tl_rt_output);
    add("tl_rt_alloc", &tl_rt_alloc);
    add("tl_rt_free", &tl_rt_free);
    add("tl_rt_raise", &tl_rt_raise);
    add("tl_rt_parallel_for", &tl_rt_parallel_for);
    add("tl_runtime", &tl_runtime);
    orc::JITDylib &library = jit->getMainJITDylib();
    if (llvm::Error error = library.define(orc::absoluteSymbols(std::move(runtime))))
      return std::move(error);
    auto process =
        orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(jit->getDataLayout().getGlobalPrefix());
    if (!process)
      return process.takeError();
    library.addGenerator(std::move(*process));
    if (llvm::Error error = jit->addObjectFile(
            llvm::MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), "model.o")))
      return std::move(error);
    auto symbol = jit->lookup("conformance_model");
    if (!symbol)
      return symbol.takeError();
    return symbol->toPtr<const tl_model *()>()();
  };
  Expected<const tl_model *> model = load();
  if (!model) {
    firstError = llvm::toString(model.takeError());
    return refuse("load");
  }
  return *model;
}

} // namespace conformance
