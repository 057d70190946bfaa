//===- Weights.cpp - The blob of constants --------------------------------===//
#include "TorchLite/Codegen/Common/Weights.h"

#include "mlir/IR/DialectResourceBlobManager.h"

namespace torchlite {
using namespace mlir;

/// Bytes of one element in memory.
static int64_t elementBytes(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return 2 * elementBytes(complex.getElementType());
  if (type.isIndex())
    return 8;
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

FailureOr<ArrayRef<char>> getRawElements(ElementsAttr value, SmallVectorImpl<char> &storage) {
  auto type = cast<ShapedType>(value.getType());
  Type element = type.getElementType();
  if (!element.isIntOrIndexOrFloat() && !isa<ComplexType>(element))
    return failure();
  int64_t bytes = type.getNumElements() * elementBytes(element);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || static_cast<int64_t>(blob->getData().size()) != bytes)
      return failure();
    return blob->getData();
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return failure();
  if (element.isInteger(1)) {
    storage.clear();
    for (bool bit : dense.getValues<bool>())
      storage.push_back(bit);
    return ArrayRef<char>(storage);
  }
  ArrayRef<char> raw = dense.getRawData();
  if (!dense.isSplat()) {
    if (static_cast<int64_t>(raw.size()) != bytes)
      return failure();
    return raw;
  }
  storage.clear();
  storage.reserve(bytes);
  while (static_cast<int64_t>(storage.size()) < bytes)
    storage.append(raw.begin(), raw.end());
  return ArrayRef<char>(storage);
}

int64_t getWeightsBytes(ModuleOp module, StringRef attrName) {
  auto entries = module->getAttrOfType<ArrayAttr>(attrName);
  if (!entries || entries.empty())
    return 0;
  auto last = cast<DictionaryAttr>(entries[entries.size() - 1]);
  auto type = cast<ShapedType>(last.getAs<ElementsAttr>("value").getType());
  return last.getAs<IntegerAttr>("offset").getInt() +
         type.getNumElements() * elementBytes(type.getElementType());
}

LogicalResult writeWeights(ModuleOp module, StringRef attrName, raw_ostream &os) {
  auto entries = module->getAttrOfType<ArrayAttr>(attrName);
  if (!entries)
    return success();
  int64_t position = 0;
  SmallVector<char, 0> storage;
  for (auto entry : entries.getAsRange<DictionaryAttr>()) {
    int64_t offset = entry.getAs<IntegerAttr>("offset").getInt();
    FailureOr<ArrayRef<char>> raw = getRawElements(entry.getAs<ElementsAttr>("value"), storage);
    if (failed(raw) || offset < position)
      return module.emitError("invalid entry of '") << attrName << "' at offset " << offset;
    os.write_zeros(offset - position);
    os.write(raw->data(), raw->size());
    position = offset + raw->size();
  }
  return success();
}

} // namespace torchlite
