//===- ModuleOps.cpp - Classes, storages, objects -------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

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

LogicalResult StorageOp::verify() {
  auto type = cast<ShapedType>(getValue().getType());
  if (!type.hasRank() || type.getRank() != 1)
    return emitOpError("expected a one-dimensional value, but got ") << type;
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
  return success();
}
