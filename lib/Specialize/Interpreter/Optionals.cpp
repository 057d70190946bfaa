//===- Optionals.cpp - Values that are None or not ------------------------===//
//
// Where None and something else come together, the value is optional (Join.cpp): a flag and what it
// is if it is not None. What only passes it on, or asks whether it is None, takes it as it is; in
// front of every other operation that is given one the walk goes two ways, and they join right
// behind the operation.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// A value as what is known here makes it: an optional that is known to be None, or not to be.
SpecValue Walker::decided(const SpecValue &value) {
  if (value.is(ValueKind::Tuple)) {
    auto open = [](const SpecValue &part) {
      return part.is(ValueKind::Optional) || part.is(ValueKind::Tuple);
    };
    if (llvm::none_of(value.getElements(), open))
      return value;
    std::vector<SpecValue> parts;
    for (const SpecValue &part : value.getElements())
      parts.push_back(decided(part));
    return SpecValue::tuple(std::move(parts));
  }
  if (value.is(ValueKind::Optional))
    if (std::optional<bool> present = knownCondition(value.getPresent()))
      return *present ? decided(value.getPayload()) : SpecValue::none();
  return value;
}

/// The flag of an optional in a value, down to what a list holds; or null.
static Value flagIn(Walker &w, const SpecValue &value) {
  if (value.is(ValueKind::Optional))
    return value.getPresent();
  ArrayRef<SpecValue> parts = value.getElements();
  if (value.is(ValueKind::List) || value.is(ValueKind::Dict))
    parts = w.cell(value.getCell()).elements;
  for (const SpecValue &part : parts)
    if (Value flag = flagIn(w, part))
      return flag;
  return {};
}

/// Operators that put elements into containers or take them out, and look at none.
static bool passesOn(StringRef name) {
  if (name == "_unwrap_optional" || name == "add.t")
    return true;
  return llvm::is_contained(
      {"append", "insert", "extend", "add_",  "_set_item", "__getitem__", "get",     "setdefault",
       "pop",    "Delete", "select", "slice", "copy",      "list",        "reverse", "clear",
       "len",    "keys",   "values", "items", "update",    "dict"},
      name.split('.').first);
}

Value Walker::presenceFor(Operation *op) {
  auto aten = dyn_cast<AtenOp>(op);
  if (!hasOptionals || (!aten && !isa<IsInstanceOp>(op)))
    return {};
  SmallVector<SpecValue> operands = get(op->getOperands());
  if (aten) {
    StringRef name = aten.getName();
    name.consume_front("aten::");
    bool asksForNone = name == "__is__" || name == "__isnot__";
    bool inContainer = passesOn(name) && !operands.front().isTensor() &&
                       (name == "_unwrap_optional" || !operands.front().is(ValueKind::Optional));
    if (inContainer ||
        (asksForNone && llvm::any_of(operands, [](const SpecValue &v) { return v.isNone(); })))
      return {};
  }
  for (const SpecValue &operand : operands)
    if (Value flag = flagIn(*this, operand))
      return flag;
  return {};
}

OutcomePtr Walker::walkByPresence(Operation *op, Value present) {
  return walkArms(present, [&](bool) -> OutcomePtr {
    // What lists hold is decided by now, too.
    for (const SpecValue &operand : get(op->getOperands()))
      if (operand.is(ValueKind::List) || operand.is(ValueKind::Dict)) {
        if (!flagIn(*this, operand))
          continue;
        for (SpecValue &element : change(operand.getCell()).elements)
          element = decided(element);
      }
    if (Value other = presenceFor(op))
      return walkByPresence(op, other);
    if (!stepAlone(op))
      return makeDead();
    return makeLeaf(get(op->getResults()));
  });
}
