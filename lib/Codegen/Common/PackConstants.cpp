//===- PackConstants.cpp - Large constants into one blob ------------------===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Codegen/Common/Weights.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/xxhash.h"

namespace torchlite {
#define GEN_PASS_DEF_PACKCONSTANTS
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

/// Whether the translation to LLVM IR takes the constant. Of elements that are given as bytes it
/// takes those that LLVM's arrays of data may have.
bool canBeGlobal(ElementsAttr value) {
  if (!isa<DenseResourceElementsAttr>(value))
    return true;
  Type element = cast<ShapedType>(value.getType()).getElementType();
  return element.isIntOrIndexOrFloat() && !element.isInteger(1);
}

struct PackConstants : impl::PackConstantsBase<PackConstants> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<Attribute> entries;
    int64_t end = 0;
    DenseMap<Attribute, int64_t> offsetOfValue;
    // Equal contents, whatever their shapes: candidates by hash, then compared.
    DenseMap<uint64_t, SmallVector<std::pair<ElementsAttr, int64_t>>> byContent;
    DenseMap<StringAttr, int64_t> offsetOfGlobal;
    SmallVector<char, 0> storage, otherStorage;
    Builder builder(&getContext());
    DenseSet<StringAttr> read;
    module.walk([&](memref::GetGlobalOp op) { read.insert(op.getNameAttr().getAttr()); });

    for (auto global : llvm::make_early_inc_range(module.getOps<memref::GlobalOp>())) {
      auto value = dyn_cast_or_null<ElementsAttr>(global.getInitialValueAttr());
      if (!global.getConstant() || !value)
        continue;
      if (global.isPrivate() && !read.contains(global.getSymNameAttr())) {
        global.erase(); // left over from what has been folded
        continue;
      }
      FailureOr<ArrayRef<char>> raw = getRawElements(value, storage);
      if (failed(raw)) {
        global.emitError("expected a constant of numbers with all their data");
        return signalPassFailure();
      }
      if (static_cast<int64_t>(raw->size()) < minBytes && canBeGlobal(value))
        continue;
      auto [known, isNew] = offsetOfValue.try_emplace(value, 0);
      if (isNew) {
        auto &candidates = byContent[llvm::xxh3_64bits(
            ArrayRef(reinterpret_cast<const uint8_t *>(raw->data()), raw->size()))];
        const auto *equal = llvm::find_if(candidates, [&](const auto &candidate) {
          return *getRawElements(candidate.first, otherStorage) == *raw;
        });
        if (equal != candidates.end()) {
          known->second = equal->second;
        } else {
          known->second = llvm::alignTo(end, 64);
          end = known->second + raw->size();
          candidates.push_back({value, known->second});
          entries.push_back(builder.getDictionaryAttr(
              {builder.getNamedAttr("offset", builder.getI64IntegerAttr(known->second)),
               builder.getNamedAttr("value", value)}));
        }
      }
      offsetOfGlobal[global.getSymNameAttr()] = known->second;
      global.erase();
    }
    if (entries.empty())
      return markAllAnalysesPreserved();

    module.walk([&](memref::GetGlobalOp op) {
      auto found = offsetOfGlobal.find(op.getNameAttr().getAttr());
      if (found == offsetOfGlobal.end())
        return;
      OpBuilder at(op);
      auto type = cast<MemRefType>(op.getType());
      op.replaceAllUsesWith(
          rt::WeightsOp::create(at, op.getLoc(), type, found->second).getResult());
      op.erase();
    });
    module->setAttr(weightsAttrName, builder.getArrayAttr(entries));
    numBytes += end;
  }
};

} // namespace
} // namespace torchlite
