//===- ReleaseConstants.cpp - Less memory for large models ----------------===//
#include "TorchLite/Driver/ReleaseConstants.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringSet.h"

namespace torchlite::driver {
using namespace mlir;

void releaseConstants(ArrayRef<ModuleOp> modules) {
  llvm::StringSet<> used;
  DenseSet<Attribute> seen;
  auto collect = [&](DenseResourceElementsAttr constant) {
    used.insert(constant.getRawHandle().getKey());
  };
  for (ModuleOp module : modules)
    module->walk([&](Operation *op) {
      DictionaryAttr attributes = op->getAttrDictionary();
      if (seen.insert(attributes).second)
        attributes.walk(collect);
    });
  auto &manager = DenseResourceElementsHandle::getManagerInterface(modules.front()->getContext());
  SmallVector<std::string> unused;
  manager.getBlobManager().getBlobMap([&](const auto &blobs) {
    for (const auto &entry : blobs)
      if (entry.second.getBlob() && !used.contains(entry.first()))
        unused.push_back(entry.first().str());
  });
  for (const std::string &name : unused)
    manager.update(name, AsmResourceBlob());
}

void ReleaseConstants::runAfterPass(Pass *, Operation *op) {
  if (isa<ModuleOp>(op))
    releaseConstants(modules);
}

} // namespace torchlite::driver
