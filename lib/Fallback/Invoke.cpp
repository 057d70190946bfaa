//===- Invoke.cpp - Arguments of LibTorch's operators ---------------------===//
#include "Invoke.h"

#include <ATen/core/List.h>

namespace torchlite::fallback {

std::shared_ptr<torch::jit::Operator> findOperator(const std::string &name,
                                                   const std::string &overload) {
  return torch::jit::findOperatorFor(c10::OperatorName(name, overload));
}

namespace {

/// Makes the arguments of one call.
struct Maker {
  const std::function<c10::IValue(const Entry &)> &operand;

  c10::IValue make(const Entry &entry, const c10::TypePtr &type);
  c10::IValue makeList(const std::vector<Entry> &entries, const c10::TypePtr &type);
};

} // namespace

/// The type that lists have at run time: sizes are ints there.
static c10::TypePtr elementType(const c10::TypePtr &type) {
  if (type->kind() == c10::TypeKind::SymIntType)
    return c10::IntType::get();
  if (type->kind() == c10::TypeKind::SymFloatType)
    return c10::FloatType::get();
  return type;
}

c10::IValue Maker::makeList(const std::vector<Entry> &entries, const c10::TypePtr &type) {
  if (auto tuple = type->cast<c10::TupleType>()) {
    std::vector<c10::IValue> elements;
    TORCH_CHECK(entries.size() == tuple->elements().size(), "expected a value of type ",
                type->str());
    for (size_t i = 0; i < entries.size(); ++i)
      elements.push_back(make(entries[i], tuple->elements()[i]));
    return c10::ivalue::Tuple::create(std::move(elements));
  }
  auto list = type->cast<c10::ListType>();
  TORCH_CHECK(list, "expected a value of type ", type->str(), ", but got a list");
  c10::TypePtr inner = elementType(list->getElementType());
  c10::impl::GenericList elements(inner);
  for (const Entry &entry : entries)
    elements.push_back(make(entry, inner));
  return elements;
}

/// A number in the type that the schema wants.
static c10::IValue toNumber(c10::IValue value, const c10::TypePtr &type) {
  c10::TypeKind kind = type->kind();
  if (kind == c10::TypeKind::FloatType || kind == c10::TypeKind::SymFloatType) {
    if (value.isInt())
      return static_cast<double>(value.toInt());
    if (value.isBool())
      return static_cast<double>(value.toBool());
  }
  if (value.isBool() && (kind == c10::TypeKind::IntType || kind == c10::TypeKind::SymIntType))
    return static_cast<int64_t>(value.toBool());
  return value;
}

c10::IValue Maker::make(const Entry &entry, const c10::TypePtr &type) {
  using Kind = Entry::Kind;
  if (entry.kind == Kind::None)
    return {};
  if (auto optional = type->cast<c10::OptionalType>())
    return make(entry, optional->getElementType());
  if (entry.kind == Kind::List)
    return makeList(entry.elements, type);
  switch (entry.kind) {
  case Kind::ConstantInt:
    return toNumber(entry.integer, type);
  case Kind::ConstantFloat:
    return toNumber(entry.number, type);
  case Kind::ConstantBool:
    return toNumber(entry.integer != 0, type);
  case Kind::ConstantString:
    if (type->kind() == c10::TypeKind::DeviceObjType)
      return c10::Device(entry.string);
    return entry.string;
  default:
    return toNumber(operand(entry), type);
  }
}

/// A number where a list of some length is expected stands for as many of it.
static Entry repeated(const Entry &entry, const c10::Argument &argument) {
  c10::TypePtr type = argument.type();
  if (auto optional = type->cast<c10::OptionalType>())
    type = optional->getElementType();
  bool isConstant = entry.kind == Entry::Kind::ConstantInt ||
                    entry.kind == Entry::Kind::ConstantFloat ||
                    entry.kind == Entry::Kind::ConstantBool;
  if (!isConstant || type->kind() != c10::TypeKind::ListType)
    return entry;
  Entry list;
  list.kind = Entry::Kind::List;
  list.elements.assign(static_cast<size_t>(argument.N().value_or(1)), entry);
  return list;
}

torch::jit::Stack makeArguments(const c10::FunctionSchema &schema,
                                const std::vector<Entry> &arguments,
                                const std::function<c10::IValue(const Entry &)> &operand) {
  TORCH_CHECK(arguments.size() == schema.arguments().size(), "expected ", schema.arguments().size(),
              " arguments, but got ", arguments.size());
  torch::jit::Stack stack;
  Maker maker{operand};
  for (size_t i = 0; i < arguments.size(); ++i) {
    const c10::Argument &argument = schema.arguments()[i];
    stack.push_back(maker.make(repeated(arguments[i], argument), argument.type()));
  }
  return stack;
}

} // namespace torchlite::fallback
