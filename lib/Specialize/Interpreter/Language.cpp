//===- Language.cpp - The operations of the language ----------------------===//
//
// Constants, attributes, containers, casts and exceptions: what a program is made of beside its
// operators, its calls and its control flow.
//
//===----------------------------------------------------------------------===//
#include "Pieces.h"
#include "RunTimeLists.h"
#include "Walker.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// The text of a string value with its holes, for `tl.check`.
static std::string checkText(const SpecValue &message, SmallVectorImpl<Value> &holes, Walker &w) {
  if (!message.is(ValueKind::String))
    return "";
  std::string text = cast<StringAttr>(message.getConstant()).getValue().str();
  // Braces of the text itself are no holes of a check.
  for (size_t at = text.find("{}"); at != std::string::npos; at = text.find("{}", at + 3))
    text.replace(at, 2, "{ }");
  for (const SpecValue &hole : message.getElements()) {
    text.replace(text.find(holeMark), holeMark.size(), "{}");
    holes.push_back(w.scalarValue(hole));
  }
  return text;
}

LogicalResult Walker::step(ConstantOp constantOp) {
  SpecValue value = fromAttribute(constantOp.getValue(), constantOp.getResult().getType());
  // A trace writes the numbers of the program as 0-dim tensors; LibTorch, when it loads the
  // archive, lets these constants take part in type promotion as numbers.
  if (value.isTensor() && value.getTensor().type.getRank() == 0) {
    TensorRef ref = value.getTensor();
    ref.isNumber = true;
    value = SpecValue::tensor(std::move(ref));
  }
  bind(constantOp.getResult(), value);
  return success();
}

LogicalResult Walker::step(GetAttrOp getAttr) {
  FailureOr<SpecValue> value = getAttribute(get(getAttr.getObject()), getAttr.getName());
  if (failed(value))
    return failure();
  bind(getAttr.getResult(), *value);
  return success();
}

LogicalResult Walker::step(SetAttrOp setAttr) {
  return setAttribute(get(setAttr.getObject()), setAttr.getName(), get(setAttr.getValue()));
}

LogicalResult Walker::step(HasAttrOp hasAttr) {
  SpecValue object = get(hasAttr.getObject());
  bool has = false;
  if (object.is(ValueKind::Object))
    if (ClassOp classOp = program.lookupClass(cell(object.getCell()).className))
      has = static_cast<bool>(classOp.getAttrType(hasAttr.getName()));
  bind(hasAttr.getResult(), SpecValue::boolean(b.getContext(), has));
  return success();
}

LogicalResult Walker::step(CreateObjectOp create) {
  Cell object;
  object.kind = Cell::Kind::Object;
  object.className = create.getResult().getType().getClassName();
  bind(create.getResult(), SpecValue::cell(ValueKind::Object, allocate(std::move(object))));
  return success();
}

LogicalResult Walker::step(ListConstructOp list) {
  SmallVector<SpecValue> elements = get(list.getElements());
  bind(list.getResult(),
       newList({elements.begin(), elements.end()}, list.getResult().getType().getElementType()));
  return success();
}

LogicalResult Walker::step(ListUnpackOp unpack) {
  SpecValue list = get(unpack.getList());
  if (list.is(ValueKind::Unknown))
    return failure();
  if (list.is(ValueKind::Pieces)) {
    RuleContext ctx(*this, b, locOf(unpack), "list_unpack", {}, {});
    auto pieces = unpackPieces(ctx, list, unpack.getNumResults());
    if (failed(pieces))
      return failure();
    bind(unpack.getResults(), *pieces);
    return success();
  }
  if (isRunTimeList(*this, list)) {
    RuleContext ctx(*this, b, locOf(unpack), "list_unpack", {}, {});
    auto elements = unpackRunTimeList(ctx, list, unpack.getNumResults());
    if (failed(elements))
      return failure();
    bind(unpack.getResults(), *elements);
    return success();
  }
  if (!list.is(ValueKind::List))
    return error("expected a list to unpack, but got " + list.kindName());
  const std::vector<SpecValue> &elements = cell(list.getCell()).elements;
  if (elements.size() != unpack.getNumResults()) {
    raise(locOf(unpack), ("Expected " + Twine(unpack.getNumResults()) +
                          " elements in a list but found " + Twine(elements.size()))
                             .str());
    return failure();
  }
  bind(unpack.getResults(), elements);
  return success();
}

LogicalResult Walker::step(TupleConstructOp tuple) {
  SmallVector<SpecValue> elements = get(tuple.getElements());
  bind(tuple.getResult(), SpecValue::tuple({elements.begin(), elements.end()}));
  return success();
}

LogicalResult Walker::step(TupleUnpackOp unpack) {
  SpecValue tuple = get(unpack.getTuple());
  if (tuple.is(ValueKind::Unknown))
    return failure();
  if (!tuple.is(ValueKind::Tuple) || tuple.getElements().size() != unpack.getNumResults())
    return error("expected a tuple of " + Twine(unpack.getNumResults()) + " elements, but got " +
                 tuple.kindName());
  bind(unpack.getResults(), tuple.getElements());
  return success();
}

LogicalResult Walker::step(TupleIndexOp indexOp) {
  SpecValue tuple = get(indexOp.getTuple()), at = get(indexOp.getIndex());
  if (tuple.is(ValueKind::Unknown) || at.is(ValueKind::Unknown))
    return failure();
  std::optional<int64_t> index = at.getInt();
  if (!index) {
    if (loseStructure("a tuple is indexed with a value known only at run time"))
      return failure();
    return error("a tuple is indexed with a value known only at run time");
  }
  int64_t size = tuple.getElements().size(), wrapped = *index < 0 ? *index + size : *index;
  if (wrapped < 0 || wrapped >= size) {
    raise(locOf(indexOp), "tuple index out of range");
    return failure();
  }
  bind(indexOp.getResult(), tuple.getElements()[wrapped]);
  return success();
}

LogicalResult Walker::step(TupleSliceOp slice) {
  SpecValue tuple = get(slice.getTuple());
  if (!tuple.is(ValueKind::Tuple))
    return tuple.is(ValueKind::Unknown) ? failure() : error("expected a tuple");
  ArrayRef<SpecValue> elements = tuple.getElements();
  size_t begin = std::min<size_t>(slice.getBegin(), elements.size());
  size_t end = std::min<size_t>(slice.getEnd(), elements.size());
  elements = elements.slice(begin, std::max(begin, end) - begin);
  bind(slice.getResult(), SpecValue::tuple({elements.begin(), elements.end()}));
  return success();
}

LogicalResult Walker::step(DictConstructOp dict) {
  std::vector<SpecValue> elements;
  SmallVector<SpecValue> operands = get(dict.getOperands());
  for (size_t i = 0; i + 1 < operands.size(); i += 2) {
    if (operands[i].is(ValueKind::Unknown))
      return failure();
    if (!operands[i].isConstant())
      return error("expected the keys of a dict to be known at compile time");
    bool found = false;
    for (size_t k = 0; k < elements.size(); k += 2)
      if (elements[k].same(operands[i])) {
        elements[k + 1] = operands[i + 1];
        found = true;
      }
    if (!found)
      elements.insert(elements.end(), {operands[i], operands[i + 1]});
  }
  bind(dict.getResult(), newDict(std::move(elements), dict.getResult().getType()));
  return success();
}

LogicalResult Walker::step(UncheckedCastOp castOp) {
  SpecValue value = get(castOp.getOperand());
  if (isa<FutureType>(castOp.getResult().getType())) // whatever it will be
    return bind(castOp.getResult(), value), success();
  if (value.isNone() &&
      !isa<NoneType, OptionalType, AnyType, UnionType>(castOp.getResult().getType())) {
    raise(locOf(castOp), "Unwrapping null optional");
    return failure();
  }
  if (value.is(ValueKind::Optional) && !isa<OptionalType>(castOp.getResult().getType())) {
    RuleContext ctx(*this, b, locOf(castOp), "unchecked_cast", {}, {});
    ctx.check(value.getPresent(), "Unwrapping null optional");
    value = value.getPayload();
  }
  bind(castOp.getResult(), value);
  return success();
}

LogicalResult Walker::step(IsInstanceOp isInstanceOp) {
  SpecValue value = get(isInstanceOp.getOperand());
  if (value.is(ValueKind::Unknown))
    return failure();
  bool result = llvm::any_of(isInstanceOp.getTypes().getAsValueRange<TypeAttr>(),
                             [&](Type type) { return isInstance(value, type); });
  bind(isInstanceOp.getResult(), SpecValue::boolean(b.getContext(), result));
  return success();
}

LogicalResult Walker::step(UninitializedOp uninitialized) {
  bind(uninitialized.getResult(), SpecValue::uninitialized());
  return success();
}

LogicalResult Walker::step(RaiseOp raiseOp) {
  SmallVector<Value> holes;
  std::string text = checkText(get(raiseOp.getMessage()), holes, *this);
  SpecValue className = get(raiseOp.getClassName());
  if (std::optional<StringRef> name = className.getString(); name && !name->empty()) {
    StringRef last = name->rsplit('.').second;
    text = (last.empty() ? *name : last).str() + (text.empty() ? "" : ": " + text);
  }
  raise(locOf(raiseOp), text, holes);
  return success();
}
