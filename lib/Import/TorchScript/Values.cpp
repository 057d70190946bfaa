//===- Values.cpp - Constants and the object graph ------------------------===//
#include "Importer.h"

using namespace mlir;
using namespace torchlite::import;

FailureOr<ArrayAttr> Importer::convertValues(c10::ArrayRef<c10::IValue> values,
                                             const std::string &path, Location loc) {
  SmallVector<Attribute> attrs;
  for (size_t i = 0; i != values.size(); ++i) {
    FailureOr<Attribute> attr = convertValue(values[i], path + "." + std::to_string(i), loc);
    if (failed(attr))
      return failure();
    attrs.push_back(*attr);
  }
  return builder.getArrayAttr(attrs);
}

FailureOr<Attribute> Importer::convertValue(const c10::IValue &value, const std::string &path,
                                            Location loc) {
  // A list or dictionary that can be reached in two ways would become two.
  if ((value.isList() || value.isGenericDict()) && value.internalToPointer()) {
    auto [known, isNew] = containers.emplace(value.internalToPointer(), path);
    if (!isNew && known->second != path)
      return emitError(loc) << "'" << path << "' and '" << known->second << "' are the same "
                            << (value.isList() ? "list" : "dictionary")
                            << ", which is not supported";
    // The pointer must stay taken.
    keptAlive.push_back(value);
  }
  if (value.isNone())
    return Attribute(tl::NoneAttr::get(context));
  if (value.isTensor())
    return convertTensor(value.toTensor(), path, loc);
  if (value.isBool())
    return Attribute(builder.getBoolAttr(value.toBool()));
  if (value.isInt())
    return Attribute(builder.getI64IntegerAttr(value.toInt()));
  if (value.isDouble())
    return Attribute(builder.getF64FloatAttr(value.toDouble()));
  if (value.isComplexDouble()) {
    c10::complex<double> number = value.toComplexDouble();
    return Attribute(builder.getF64ArrayAttr({number.real(), number.imag()}));
  }
  if (value.isString())
    return Attribute(builder.getStringAttr(value.toStringRef()));
  if (value.isDevice())
    return Attribute(builder.getStringAttr(value.toDevice().str()));
  if (value.isObject()) {
    if (FailureOr<Type> type = convertType(value.type(), loc); failed(type))
      return failure();
    return Attribute(getObject(value.toObject(), path));
  }
  if (value.isTuple()) {
    FailureOr<ArrayAttr> elements = convertValues(value.toTupleRef().elements().vec(), path, loc);
    return failed(elements) ? FailureOr<Attribute>() : Attribute(*elements);
  }
  if (value.isList()) {
    FailureOr<ArrayAttr> elements = convertValues(value.toListRef().vec(), path, loc);
    return failed(elements) ? FailureOr<Attribute>() : Attribute(*elements);
  }
  if (value.isGenericDict()) {
    SmallVector<Attribute> keys, items;
    for (const auto &entry : value.toGenericDict()) {
      FailureOr<Attribute> key = convertValue(entry.key(), path + ".key", loc);
      if (failed(key))
        return failure();
      std::string itemPath =
          path + "." +
          (entry.key().isString() ? entry.key().toStringRef() : std::to_string(keys.size()));
      FailureOr<Attribute> item = convertValue(entry.value(), itemPath, loc);
      if (failed(item))
        return failure();
      keys.push_back(*key);
      items.push_back(*item);
    }
    return Attribute(
        tl::DictAttr::get(context, builder.getArrayAttr(keys), builder.getArrayAttr(items)));
  }
  if (value.isEnum()) {
    auto holder = value.toEnumHolder();
    FailureOr<Attribute> payload = convertValue(holder->value(), path + ".value", loc);
    if (failed(payload))
      return failure();
    return Attribute(
        tl::EnumValueAttr::get(context, builder.getStringAttr(holder->name()), *payload));
  }
  return emitError(loc) << "'" << path << "': a value of the TorchScript type '"
                        << value.type()->annotation_str() << "' is not supported";
}

FlatSymbolRefAttr Importer::getObject(const c10::intrusive_ptr<c10::ivalue::Object> &object,
                                      const std::string &path) {
  auto [known, isNew] = objectNames.emplace(object.get(), std::string());
  if (isNew) {
    known->second = makeSymbol(path);
    objects.push_back(object);
  }
  return FlatSymbolRefAttr::get(context, known->second);
}

LogicalResult Importer::importObject(const c10::intrusive_ptr<c10::ivalue::Object> &object) {
  c10::ClassTypePtr classType = object->type();
  std::string name = objectNames.at(object.get());
  // Messages say the path of the attribute; it has no line.
  Location loc = unknown;
  FailureOr<Type> type = convertType(classType, loc);
  if (failed(type))
    return failure();
  // The names of storages and objects are those of `state_dict`, which does not name the root.
  std::string prefix = object.get() == objects.front().get() ? "" : name + ".";
  SmallVector<NamedAttribute> slots;
  for (size_t slot = 0; slot != classType->numAttributes(); ++slot) {
    const std::string &attrName = classType->getAttributeName(slot);
    FailureOr<Attribute> value = convertValue(object->getSlot(slot), prefix + attrName, loc);
    if (failed(value))
      return failure();
    slots.push_back(builder.getNamedAttr(attrName, *value));
  }
  OpBuilder moduleBuilder = before(objectsEnd);
  tl::ObjectOp::create(moduleBuilder, unknown, name, cast<tl::ObjectType>(*type),
                       builder.getDictionaryAttr(slots));
  return success();
}
