//===- ModuleOps.cpp - Classes, storages, objects -------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/StorageView.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace torchlite::tl;

void ClassOp::build(OpBuilder &builder, OperationState &state, StringRef name) {
  state.getOrAddProperties<Properties>().sym_name = builder.getStringAttr(name);
  state.addRegion()->emplaceBlock();
}

Type ClassOp::getAttrType(StringRef name) {
  for (auto attr : getBody().getOps<AttrOp>())
    if (attr.getName() == name)
      return attr.getType();
  return {};
}

FlatSymbolRefAttr ClassOp::getMethod(StringRef name) {
  for (auto method : getBody().getOps<MethodOp>())
    if (method.getName() == name)
      return method.getFunctionAttr();
  return {};
}

/// Bytes of an element in a blob; 0: of no fixed number.
static int64_t blobWidth(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return 2 * blobWidth(complex.getElementType());
  return type.isIntOrFloat() ? llvm::divideCeil(type.getIntOrFloatBitWidth(), 8) : 0;
}

LogicalResult StorageOp::verify() {
  auto type = cast<ShapedType>(getValue().getType());
  if (!type.hasRank() || type.getRank() != 1)
    return emitOpError("expected a one-dimensional value, but got ") << type;
  auto resource = dyn_cast<DenseResourceElementsAttr>(getValue());
  AsmResourceBlob *blob = resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob)
    return success();
  // MLIR takes a blob of any size for any type.
  int64_t width = blobWidth(type.getElementType()), bytes = blob->getData().size(), needed;
  if (width &&
      (llvm::MulOverflow<int64_t>(width, type.getNumElements(), needed) || needed != bytes))
    return emitOpError("its resource has ")
           << bytes << " bytes, which is not what " << type << " takes";
  return success();
}

/// The tensors among the values of an object are views within their storages.
static LogicalResult verifyViews(ObjectOp object,
                                 const llvm::DenseMap<StringAttr, StorageOp> &storages) {
  for (NamedAttribute slot : object.getSlots()) {
    AttrTypeWalker walker;
    walker.addWalk([&](TensorRefAttr ref) -> WalkResult {
      auto fault = [&]() -> InFlightDiagnostic {
        return object.emitOpError("the tensor '") << slot.getName().getValue() << "': ";
      };
      StorageOp storage = storages.lookup(ref.getStorage().getAttr());
      if (!storage)
        return fault() << "expected a tl.storage " << ref.getStorage();
      auto type = cast<ShapedType>(storage.getValue().getType());
      if (!type.hasRank() || type.getRank() != 1)
        return WalkResult::advance(); // The storage's own verifier tells.
      if (type.getElementType() != ref.getElementType())
        return fault() << "its elements are " << ref.getElementType() << ", those of "
                       << ref.getStorage() << " are " << type.getElementType();
      std::string text =
          findViewFault(ref.getOffset(), ref.getSizes(), ref.getStrides(), type.getNumElements());
      if (!text.empty())
        return fault() << text;
      return WalkResult::advance();
    });
    if (walker.walk(slot.getValue()).wasInterrupted())
      return failure();
  }
  return success();
}

/// All objects of a module, by one table of its storages: a search for each would be quadratic.
static LogicalResult verifyAllViews(Block *block) {
  llvm::DenseMap<StringAttr, StorageOp> storages;
  for (auto storage : block->getOps<StorageOp>())
    storages[storage.getSymNameAttr()] = storage;
  for (auto object : block->getOps<ObjectOp>())
    if (failed(verifyViews(object, storages)))
      return failure();
  return success();
}

LogicalResult ObjectOp::verify() {
  auto classOp = SymbolTable::lookupNearestSymbolFrom<ClassOp>(*this, getType().getClassName());
  if (!classOp)
    return emitOpError("expected a tl.class ") << getType().getClassName();
  for (auto attr : classOp.getBody().getOps<AttrOp>())
    if (!getSlots().get(attr.getName()))
      return emitOpError("expected a value for the attribute '") << attr.getName() << "'";
  for (NamedAttribute slot : getSlots())
    if (!classOp.getAttrType(slot.getName()))
      return emitOpError("the class has no attribute '") << slot.getName().getValue() << "'";
  // The first one speaks for all.
  Block *block = (*this)->getBlock();
  if (block && *block->getOps<ObjectOp>().begin() == *this)
    return verifyAllViews(block);
  return success();
}
