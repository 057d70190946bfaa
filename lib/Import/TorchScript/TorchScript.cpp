//===- TorchScript.cpp - Importing a TorchScript archive ------------------===//
#include "TorchLite/Import/TorchScript.h"

#include "Archive.h"
#include "ArchiveCheck.h"
#include "Importer.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace torchlite::import;

namespace {
/// LibTorch warns of what it will drop some day; that is no concern of the importer's users.
struct SilentWarnings : c10::WarningHandler {
  void process(const c10::Warning &) override {}
};
} // namespace

Importer::Importer(ModuleOp module)
    : module(module), context(module.getContext()), builder(context),
      unknown(UnknownLoc::get(context)), functionLoc(unknown) {
  // Empty modules serve as marks; they go when all is imported.
  OpBuilder moduleBuilder = OpBuilder::atBlockEnd(module.getBody());
  for (Operation **end : {&classesEnd, &objectsEnd, &storagesEnd})
    *end = ModuleOp::create(moduleBuilder, unknown);
}

std::string Importer::makeSymbol(StringRef name) {
  std::string symbol = name.str();
  for (unsigned i = 0; !symbols.insert(symbol).second; ++i)
    symbol = (name + "_" + Twine(i)).str();
  return symbol;
}

LogicalResult Importer::importRoot(const jit::Module &root) {
  rootClass = root.type().get();
  // Hooks of submodules are calls in the graph of their caller; those of the root are run by
  // `Module::operator()` alone, so that `forward` would give another result than `module(x)`.
  if (!rootClass->getForwardHooks().empty() || !rootClass->getForwardPreHooks().empty())
    return emitError(unknown)
           << "the model has forward hooks, which are not supported; remove them "
              "before torch.jit.script, or wrap the model in another module";
  if (FailureOr<Type> type = convertType(root.type(), unknown); failed(type))
    return failure();
  module->setAttr("tl.root", getObject(root._ivalue(), "root"));
  size_t nextClass = 0, nextObject = 0, nextFunction = 0;
  while (true) {
    if (nextObject != objects.size()) {
      // By value: the vectors grow.
      auto object = objects[nextObject++];
      if (failed(importObject(object)))
        return failure();
    } else if (nextClass != classes.size()) {
      c10::ClassTypePtr type = classes[nextClass++];
      if (failed(importClass(type)))
        return failure();
    } else if (nextFunction != functions.size()) {
      if (failed(importFunction(*functions[nextFunction++])))
        return failure();
    } else {
      break;
    }
  }
  for (Operation *end : {classesEnd, objectsEnd, storagesEnd})
    end->erase();
  return success();
}

OwningOpRef<ModuleOp> torchlite::importTorchScript(llvm::MemoryBufferRef buffer,
                                                   MLIRContext *context) {
  SilentWarnings silent;
  c10::WarningUtils::WarningHandlerGuard warnings(&silent);
  StringRef path = buffer.getBufferIdentifier();
  Location unknown = UnknownLoc::get(context);
  auto fail = [&](llvm::Error error) -> OwningOpRef<ModuleOp> {
    emitError(unknown) << path << ": " << llvm::toString(std::move(error));
    return {};
  };
  if (llvm::Error error = checkArchive(buffer.getBuffer()))
    return fail(std::move(error));
  llvm::Expected<jit::Module> root = loadArchive(buffer.getBuffer());
  if (!root)
    return fail(root.takeError());

  context->loadDialect<func::FuncDialect, tl::TorchLiteDialect>();
  OwningOpRef<ModuleOp> module(ModuleOp::create(FileLineColLoc::get(context, path, 0, 0)));
  // LibTorch compiles methods when they are first asked for.
  std::string message;
  try {
    if (failed(Importer(*module).importRoot(*root)))
      return {};
  } catch (const c10::Error &error) {
    message = error.what_without_backtrace();
  } catch (const std::exception &error) {
    message = error.what();
  }
  if (!message.empty()) {
    emitError(unknown) << path << ": LibTorch cannot load it: " << shortenMessage(message);
    return {};
  }
  if (failed(verify(*module)))
    return {};
  return module;
}

OwningOpRef<ModuleOp> torchlite::importTorchScript(StringRef path, MLIRContext *context) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/false,
                                                 /*RequiresNullTerminator=*/false);
  if (std::error_code error = file.getError()) {
    emitError(UnknownLoc::get(context)) << path << ": cannot be read: " << error.message();
    return {};
  }
  return importTorchScript((*file)->getMemBufferRef(), context);
}
