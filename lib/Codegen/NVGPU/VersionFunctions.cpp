//===- VersionFunctions.cpp - Functions for each architecture -------------===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Codegen/NVGPU/TargetInfo.h"
#include "llvm/ADT/StringExtras.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_VERSIONFUNCTIONS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

using namespace mlir;

const TargetInfo &getTargetInfo(func::FuncOp function, const TargetInfo &otherwise) {
  auto arch = function->getAttrOfType<StringAttr>(archAttrName);
  const TargetInfo *info = arch ? lookupTargetInfo(arch.getValue()) : nullptr;
  return info ? *info : otherwise;
}

namespace {

struct VersionFunctions : impl::VersionFunctionsBase<VersionFunctions> {
  using VersionFunctionsBase::VersionFunctionsBase;

  LogicalResult initialize(MLIRContext *context) override {
    sorted.assign(archs.begin(), archs.end());
    for (const std::string &name : sorted)
      if (!lookupTargetInfo(name))
        return emitError(UnknownLoc::get(context))
               << "unknown architecture '" << name << "': expected "
               << llvm::join(targetNames(), ", ");
    llvm::sort(sorted, [](StringRef a, StringRef b) { // sm_90a comes after sm_90
      return std::pair(lookupTargetInfo(a)->arch, a) < std::pair(lookupTargetInfo(b)->arch, b);
    });
    return success();
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        functions.push_back(function);
    if (sorted.empty() || functions.empty())
      return;
    Builder builder(&getContext());
    Operation *last =
        functions.back(); // older architectures come first: tl-nvgpu-merge-versions keeps that
    for (size_t i = 1; i < sorted.size(); ++i) {
      DenseMap<StringAttr, FlatSymbolRefAttr> versions;
      SmallVector<func::FuncOp> clones;
      for (func::FuncOp function : functions) {
        func::FuncOp clone = function.clone();
        clone.setName((function.getName() + "_" + sorted[i]).str());
        symbols.insert(clone, std::next(Block::iterator(last))); // the name becomes unique
        last = clone;
        clone->setAttr(archAttrName, builder.getStringAttr(sorted[i]));
        clone->setAttr(versionOfAttrName, function.getSymNameAttr());
        versions[function.getSymNameAttr()] = FlatSymbolRefAttr::get(clone.getSymNameAttr());
        clones.push_back(clone);
        ++numVersions;
      }
      for (func::FuncOp clone : clones)
        clone.walk([&](func::CallOp call) {
          if (FlatSymbolRefAttr version = versions.lookup(call.getCalleeAttr().getAttr()))
            call.setCalleeAttr(version);
        });
    }
    for (func::FuncOp function : functions) {
      function->setAttr(archAttrName, builder.getStringAttr(sorted.front()));
      function->setAttr(versionOfAttrName, function.getSymNameAttr());
    }
  }

private:
  SmallVector<std::string> sorted; // oldest first
};

} // namespace
} // namespace torchlite::nvgpu
