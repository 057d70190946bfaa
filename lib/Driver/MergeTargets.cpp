//===- MergeTargets.cpp - One library for several targets -----------------===//
#include "TorchLite/Driver/MergeTargets.h"

#include "TorchLite/Codegen/CPU/ObjectEmitter.h"
#include "TorchLite/Codegen/Common/Weights.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/SymbolTable.h"

namespace torchlite::driver {
using namespace mlir;

void markDevice(ModuleOp module) {
  for (Operation &op : *module.getBody())
    if (op.hasAttr("tl.method"))
      op.setAttr("tl.device", UnitAttr::get(op.getContext()));
  if (Attribute weights = module->removeAttr(weightsAttrName))
    module->setAttr(deviceWeightsAttrName, weights);
}

static bool isDeclaration(Operation *op) {
  if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op))
    return function.isExternal();
  if (auto global = dyn_cast<LLVM::GlobalOp>(op))
    return !global.getValueAttr() && global.getInitializerRegion().empty();
  return false;
}

LogicalResult mergeDevice(ModuleOp module, ModuleOp device) {
  MLIRContext *context = module.getContext();
  SymbolTable symbols(module), deviceSymbols(device);
  DenseMap<StringAttr, StringAttr> renamed;
  for (Operation &op : llvm::make_early_inc_range(*device.getBody())) {
    if (isa<tl::StateOp>(op)) { // one state, whatever it is computed on
      op.erase();
      continue;
    }
    StringAttr name = SymbolTable::getSymbolName(&op);
    if (!name)
      continue;
    Operation *other = symbols.lookup(name);
    if (other && isDeclaration(&op) != isDeclaration(other))
      return op.emitOpError("defined for one target and only declared for the other");
    if (other && isDeclaration(&op)) {
      op.erase();
      continue;
    }
    if (!other && !op.hasAttr("tl.device"))
      continue;
    std::string unique = name.str() + "_device";
    for (unsigned i = 1; symbols.lookup(unique) || deviceSymbols.lookup(unique); ++i)
      unique = name.str() + "_device_" + std::to_string(i);
    renamed[name] = StringAttr::get(context, unique);
    // Both tables know the name now, so that it is not taken again.
    SymbolTable::setSymbolName(&op, unique);
    deviceSymbols.insert(&op);
  }

  for (StringRef name : {deviceWeightsAttrName, cpu::hostBitcodeAttrName, nvgpu::setsAttrName})
    if (Attribute attribute = device->removeAttr(name))
      module->setAttr(name, attribute);
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](FlatSymbolRefAttr reference) -> std::optional<Attribute> {
    auto found = renamed.find(reference.getAttr());
    if (found == renamed.end())
      return std::nullopt;
    return FlatSymbolRefAttr::get(found->second);
  });
  replacer.recursivelyReplaceElementsIn(device);
  module.getBody()->getOperations().splice(module.getBody()->end(),
                                           device.getBody()->getOperations());
  return success();
}

} // namespace torchlite::driver
