//===- MergeVersions.cpp - Equal versions become one, the rest sets -------===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_MERGEVERSIONS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

/// The attributes that tell versions apart.
SmallVector<NamedAttribute> commonAttributes(func::FuncOp function) {
  SmallVector<NamedAttribute> attributes;
  for (NamedAttribute attribute : function->getAttrs())
    if (attribute.getName() != SymbolTable::getSymbolAttrName() &&
        attribute.getName() != archAttrName)
      attributes.push_back(attribute);
  return attributes;
}

/// The same host code, which launches the same kernels.
bool areEqual(func::FuncOp a, func::FuncOp b) {
  return commonAttributes(a) == commonAttributes(b) &&
         OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(),
                                                    OperationEquivalence::IgnoreLocations);
}

struct MergeVersions : impl::MergeVersionsBase<MergeVersions> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // By architecture, in the order in which they were asked for: a number for each.
    SetVector<StringAttr> archs;
    llvm::MapVector<StringAttr, SmallVector<func::FuncOp>> versions;
    for (auto function : module.getOps<func::FuncOp>())
      if (auto arch = function->getAttrOfType<StringAttr>(archAttrName)) {
        archs.insert(arch);
        versions[function->getAttrOfType<StringAttr>(versionOfAttrName)].push_back(function);
      }
    if (archs.empty())
      return markAllAnalysesPreserved();

    // Which version of each function an architecture runs.
    SmallVector<SmallVector<func::FuncOp>> chosen(archs.size());
    for (auto &[name, candidates] : versions) {
      SmallVector<func::FuncOp> different;
      for (func::FuncOp candidate : candidates) {
        func::FuncOp *equal = llvm::find_if(
            different, [&](func::FuncOp other) { return areEqual(other, candidate); });
        size_t number =
            llvm::find(archs, candidate->getAttrOfType<StringAttr>(archAttrName)) - archs.begin();
        chosen[number].push_back(equal == different.end() ? candidate : *equal);
        if (equal == different.end())
          different.push_back(candidate);
        else
          merged.push_back({candidate, *equal});
      }
    }
    // Architectures that run the same versions of all functions are one set.
    SmallVector<SmallVector<Attribute>> sets;
    SmallVector<ArrayRef<func::FuncOp>> functionsOfSet;
    for (auto [number, arch] : llvm::enumerate(archs)) {
      auto *same = llvm::find(functionsOfSet, ArrayRef(chosen[number]));
      if (same == functionsOfSet.end()) {
        functionsOfSet.push_back(chosen[number]);
        sets.emplace_back();
        same = std::prev(functionsOfSet.end());
      }
      sets[same - functionsOfSet.begin()].push_back(arch);
    }
    markSets(functionsOfSet);
    eraseMerged();

    Builder builder(&getContext());
    SmallVector<Attribute> attributes;
    for (ArrayRef<Attribute> set : sets)
      attributes.push_back(builder.getArrayAttr(set));
    if (sets.size() > 1)
      module->setAttr(setsAttrName, builder.getArrayAttr(attributes));
    numSets += sets.size();
  }

private:
  /// Which sets functions and kernels belong to; nothing where there is only one.
  void markSets(ArrayRef<ArrayRef<func::FuncOp>> functionsOfSet) {
    ModuleOp module = getOperation();
    llvm::MapVector<Operation *, SetVector<int64_t>> setsOf;
    SymbolTableCollection symbols;
    for (size_t set = 0; set < functionsOfSet.size(); ++set)
      for (func::FuncOp function : functionsOfSet[set]) {
        setsOf[function].insert(set);
        function.walk([&](gpu::LaunchFuncOp launch) {
          if (Operation *kernel = symbols.lookupSymbolIn(module, launch.getKernel()))
            setsOf[kernel].insert(set);
        });
      }
    for (auto &[op, sets] : setsOf) {
      op->removeAttr(archAttrName);
      op->removeAttr(versionOfAttrName);
      if (functionsOfSet.size() > 1)
        op->setAttr(setsAttrName, DenseI64ArrayAttr::get(&getContext(), sets.getArrayRef()));
    }
  }

  /// Calls go to what is left.
  void eraseMerged() {
    for (auto [function, equal] : merged) {
      (void)SymbolTable::replaceAllSymbolUses(function, equal.getSymNameAttr(), getOperation());
      function.erase();
      ++numMerged;
    }
    merged.clear();
  }

  SmallVector<std::pair<func::FuncOp, func::FuncOp>> merged;
};

} // namespace
} // namespace torchlite::nvgpu
