//===- Compile.cpp - From an archive to code in this process --------------===//

#include "Compile.h"
#include "TorchLite/Import/Operators.h"
#include "TorchLite/Import/TorchScript.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace torchlite;

namespace conformance {

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

Compiler::Compiler(driver::Targets targets, bool fallback) {
  options.name = "conformance";
  options.threads = 1;
  options.targets = targets;
  if (fallback) {
    options.oracle = askLibTorch;
    options.operatorLibraries = {""}; // the one of the build tree
  }
  // The baseline of this machine's architecture: the same code wherever this runs.
  options.target.triple = llvm::sys::getDefaultTargetTriple();
}

Compiler::~Compiler() = default;

const tl_model *Compiler::compile(StringRef path, StringRef signature, Refusal &refusal) {
  model.reset();
  std::unique_ptr<MLIRContext> context = driver::createContext();
  context->disableMultithreading(); // there is a process for every processor
  std::string firstError;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
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

  OwningOpRef<ModuleOp> module = importTorchScript(path, context.get());
  if (!module)
    return refuse("import");
  driver::CompileOptions current = options;
  current.signatures = {signature.str()};
  for (auto [stage, name] :
       {std::pair(driver::Stage::Core, "specialize"), std::pair(driver::Stage::Linalg, "linalg"),
        std::pair(driver::Stage::LLVM, "code")}) {
    if (failed(driver::compile(*module, stage, current)))
      return refuse(name);
    current.signatures.clear();
  }
  model = driver::JITModel::create(*module, current);
  if (!model)
    return refuse("load");
  return model->model();
}

} // namespace conformance
