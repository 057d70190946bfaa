//===- Types.cpp - TorchScript's types and classes ------------------------===//
#include "Importer.h"

using namespace mlir;
using namespace torchlite::import;

FailureOr<SmallVector<Type>> Importer::convertTypes(c10::ArrayRef<c10::TypePtr> types,
                                                    Location loc) {
  SmallVector<Type> converted;
  for (const c10::TypePtr &type : types) {
    FailureOr<Type> one = convertType(type, loc);
    if (failed(one))
      return failure();
    converted.push_back(*one);
  }
  return converted;
}

FailureOr<Type> Importer::convertType(const c10::TypePtr &type, Location loc) {
  if (auto known = types.find(type); known != types.end())
    return known->second;
  FailureOr<Type> converted = convertTypeUncached(type, loc);
  if (succeeded(converted))
    types[type] = *converted;
  return converted;
}

FailureOr<Type> Importer::convertTypeUncached(const c10::TypePtr &type, Location loc) {
  auto unsupported = [&]() -> FailureOr<Type> {
    return emitError(loc) << "the TorchScript type '" << type->annotation_str()
                          << "' is not supported";
  };
  /// Types with parameters: all of them converted.
  auto parameters = [&]() { return convertTypes(type->containedTypes(), loc); };
  switch (type->kind()) {
  case c10::TypeKind::TensorType:
    return Type(tl::TensorType::get(context));
  // dtype, layout and memory_format are numbers in TorchScript.
  case c10::TypeKind::IntType:
  case c10::TypeKind::SymIntType:
  case c10::TypeKind::ScalarTypeType:
  case c10::TypeKind::LayoutType:
  case c10::TypeKind::MemoryFormatType:
    return Type(builder.getI64Type());
  case c10::TypeKind::FloatType:
  case c10::TypeKind::SymFloatType:
    return Type(builder.getF64Type());
  case c10::TypeKind::BoolType:
  case c10::TypeKind::SymBoolType:
    return Type(builder.getI1Type());
  case c10::TypeKind::ComplexType:
    return Type(ComplexType::get(builder.getF64Type()));
  case c10::TypeKind::NumberType:
    return Type(tl::NumberType::get(context));
  case c10::TypeKind::StringType:
    return Type(tl::StringType::get(context));
  case c10::TypeKind::NoneType:
    return Type(tl::NoneType::get(context));
  case c10::TypeKind::DeviceObjType:
    return Type(tl::DeviceType::get(context));
  case c10::TypeKind::GeneratorType:
    return Type(tl::GeneratorType::get(context));
  case c10::TypeKind::AnyType:
    return Type(tl::AnyType::get(context));
  case c10::TypeKind::AnyListType:
    return Type(tl::AnyListType::get(context));
  case c10::TypeKind::AnyTupleType:
    return Type(tl::AnyTupleType::get(context));
  case c10::TypeKind::ListType: {
    auto contained = parameters();
    return failed(contained) ? FailureOr<Type>()
                             : Type(tl::ListType::get(context, (*contained)[0]));
  }
  case c10::TypeKind::OptionalType: {
    // As a union, an optional contains None as well.
    auto element = convertType(type->expectRef<c10::OptionalType>().getElementType(), loc);
    return failed(element) ? FailureOr<Type>() : Type(tl::OptionalType::get(context, *element));
  }
  case c10::TypeKind::FutureType: {
    auto contained = parameters();
    return failed(contained) ? FailureOr<Type>()
                             : Type(tl::FutureType::get(context, (*contained)[0]));
  }
  case c10::TypeKind::DictType: {
    auto contained = parameters();
    return failed(contained) ? FailureOr<Type>()
                             : Type(tl::DictType::get(context, (*contained)[0], (*contained)[1]));
  }
  case c10::TypeKind::TupleType: {
    auto contained = parameters();
    return failed(contained) ? FailureOr<Type>() : Type(tl::TupleType::get(context, *contained));
  }
  case c10::TypeKind::UnionType: {
    auto contained = parameters();
    return failed(contained) ? FailureOr<Type>() : Type(tl::UnionType::get(context, *contained));
  }
  case c10::TypeKind::EnumType: {
    const auto &enumType = type->expectRef<c10::EnumType>();
    auto element = convertType(enumType.getValueType(), loc);
    if (failed(element))
      return failure();
    return Type(tl::EnumType::get(
        context, builder.getStringAttr(enumType.qualifiedClassName().qualifiedName()), *element));
  }
  case c10::TypeKind::FunctionType:
    return Type(tl::FunctionType::get(
        context, getFunction(*type->expectRef<c10::FunctionType>().function())));
  case c10::TypeKind::ClassType:
  case c10::TypeKind::InterfaceType: {
    auto named = type->cast<c10::NamedType>();
    std::string name = named->name()->qualifiedName();
    if (StringRef(name).starts_with("__torch__.torch.classes."))
      return emitError(loc) << "the C++ class '" << name << "' is not supported";
    if (classNames.emplace(name, type).second) {
      symbols.insert(name);
      if (auto classType = type->cast<c10::ClassType>()) {
        classes.push_back(classType);
      } else {
        OpBuilder moduleBuilder = before(classesEnd);
        auto op = tl::ClassOp::create(moduleBuilder, unknown, name);
        op->setAttr("tl.interface", builder.getUnitAttr());
      }
    }
    return Type(tl::ObjectType::get(context, FlatSymbolRefAttr::get(context, name)));
  }
  default:
    return unsupported();
  }
}

LogicalResult Importer::importClass(const c10::ClassTypePtr &type) {
  std::string name = type->name()->qualifiedName();
  Location loc = NameLoc::get(builder.getStringAttr(name));
  OpBuilder moduleBuilder = before(classesEnd);
  auto op = tl::ClassOp::create(moduleBuilder, unknown, name);
  OpBuilder body = OpBuilder::atBlockEnd(&op.getBody().front());
  for (size_t slot = 0; slot != type->numAttributes(); ++slot) {
    FailureOr<Type> attrType = convertType(type->getAttribute(slot), loc);
    if (failed(attrType))
      return failure();
    auto unit = [&](bool set) { return set ? body.getUnitAttr() : UnitAttr(); };
    tl::AttrOp::create(body, unknown, body.getStringAttr(type->getAttributeName(slot)),
                       TypeAttr::get(*attrType),
                       unit(type->is_module() && type->is_parameter(slot)),
                       unit(type->is_module() && type->is_buffer(slot)));
  }
  for (jit::Function *method : type->methods())
    tl::MethodOp::create(body, unknown, body.getStringAttr(method->name()), getFunction(*method),
                         type.get() == rootClass ? body.getUnitAttr() : UnitAttr());
  return success();
}
