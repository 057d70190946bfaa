//===- BoxDicts.cpp - Operators of dicts that live at run time ------------===//
#include "BoxUse.h"

using namespace mlir;
namespace rt = torchlite::rt;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

using Results = SmallVectorImpl<SpecValue>;
using Predicate = arith::CmpIPredicate;

namespace {

/// Where a key is, and whether it is there.
struct Place {
  Value at, found;
};

/// Where the key at operand 1 is in the dict at operand 0; nothing after a failure.
std::optional<Place> find(BoxUse &use) {
  Value dict = use.box();
  Value key = dict ? use.boxer.item(use.ctx.operand(1), use.element()) : Value();
  if (!key)
    return std::nullopt;
  Value at = rt::BoxFindOp::create(use.b, use.loc, dict, use.integer(0), key);
  return Place{at, use.compare(Predicate::sge, at, use.integer(0))};
}

/// As `find`, checked.
std::optional<Place> require(BoxUse &use) {
  std::optional<Place> place = find(use);
  if (!place)
    return place;
  const SpecValue &key = use.ctx.operand(1);
  if (std::optional<StringRef> text = key.is(ValueKind::String) ? key.getString() : std::nullopt)
    use.ctx.check(place->found, ("KeyError: " + *text).str());
  else if (key.is(ValueKind::Int))
    use.ctx.check(place->found, "KeyError: {}", use.w.scalarValue(key));
  else
    use.ctx.check(place->found, "KeyError");
  return place;
}

std::optional<SpecValue> valueAt(BoxUse &use, Value at) {
  return use.boxer.get(use.box(), use.add(at, use.integer(1)), use.value());
}

LogicalResult getItem(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  std::optional<Place> place = require(use);
  std::optional<SpecValue> value = place ? valueAt(use, place->at) : std::nullopt;
  if (!value)
    return failure();
  results.push_back(*value);
  return success();
}

/// The value of a key, or the default at operand 2.
std::optional<SpecValue> valueOr(BoxUse &use, const Place &place) {
  Form *form = rootOf(use.value());
  Value otherwise = use.boxer.item(use.ctx.operand(2), form);
  if (!otherwise)
    return std::nullopt;
  Value at = use.select(place.found, use.add(place.at, use.integer(1)), use.integer(-1));
  Value got = rt::BoxGetOp::create(use.b, use.loc, otherwise.getType(), use.box(), at);
  Value either = use.select(place.found, got, otherwise);
  // What it is, is told as an item.
  Value item = rt::BoxCreateOp::create(use.b, use.loc, 1);
  rt::BoxAppendOp::create(use.b, use.loc, item, either);
  return use.boxer.get(item, use.integer(0), form);
}

/// get(key) and get(key, default).
LogicalResult getOr(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  std::optional<Place> place = find(use);
  if (!place)
    return failure();
  std::optional<SpecValue> value;
  if (isEmptyForm(use.value())) {
    // Nothing was ever put there.
    value = ctx.size() > 2 ? ctx.operand(2) : SpecValue::none();
  } else if (ctx.size() > 2 && !ctx.isNone(2)) {
    value = valueOr(use, *place);
  } else {
    Value at = use.select(place->found, use.add(place->at, use.integer(1)), use.integer(-1));
    value = use.boxer.get(use.box(), at, use.value(), /*orNone=*/true);
    // What is optional there is None at no place.
    bool isOptional = value && (value->isNone() || value->is(ValueKind::Optional));
    if (value && !isOptional) {
      use.w.hasOptionals = true;
      value = SpecValue::optional(place->found, *value);
    }
  }
  if (!value)
    return failure();
  results.push_back(*value);
  return success();
}

LogicalResult setItem(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value dict = use.box();
  Value key = dict ? use.boxer.item(ctx.operand(1), use.element()) : Value();
  Value value = key ? use.boxer.item(ctx.operand(2), use.value()) : Value();
  if (!value)
    return failure();
  rt::BoxInsertOp::create(ctx.b, ctx.loc, dict, key, value);
  return success();
}

LogicalResult setDefault(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  std::optional<Place> place = find(use);
  Value key = place ? use.boxer.item(ctx.operand(1), use.element()) : Value();
  Value value = key ? use.boxer.item(ctx.operand(2), use.value()) : Value();
  if (!value)
    return failure();
  // Where it is there, it is set to what it is.
  Value at = use.select(place->found, use.add(place->at, use.integer(1)), use.integer(-1));
  Value got = rt::BoxGetOp::create(ctx.b, ctx.loc, value.getType(), use.box(), at);
  rt::BoxInsertOp::create(ctx.b, ctx.loc, use.box(), key, use.select(place->found, got, value));
  return getItem(ctx, results);
}

/// pop(key) and pop(key, default).
LogicalResult pop(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  bool hasDefault = ctx.size() > 2;
  std::optional<Place> place = hasDefault ? find(use) : require(use);
  std::optional<SpecValue> value;
  if (place)
    value = hasDefault ? valueOr(use, *place) : valueAt(use, place->at);
  if (!value)
    return failure();
  use.splice(use.box(), use.select(place->found, place->at, use.integer(0)),
             use.select(place->found, use.integer(2), use.integer(0)), use.none());
  results.push_back(*value);
  return success();
}

LogicalResult deleteItem(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  std::optional<Place> place = require(use);
  if (!place)
    return failure();
  use.splice(use.box(), place->at, use.integer(2), use.none());
  return success();
}

LogicalResult contains(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  std::optional<Place> place = find(use);
  if (!place)
    return failure();
  results.push_back(SpecValue::scalar(place->found));
  return success();
}

/// A list with a form of its own, of the parts of the dict's.
SpecValue listOf(BoxUse &use, Value box, Type type, ArrayRef<Form *> parts) {
  SpecValue list = use.boxer.container(box, use.boxer.listForm(type, parts));
  return list;
}

/// keys() (0) and values() (1).
template <int64_t part> LogicalResult keysOrValues(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value dict = use.box();
  Value count = arith::ShRUIOp::create(ctx.b, ctx.loc, use.size(dict), use.integer(1));
  Value list =
      rt::BoxSliceOp::create(ctx.b, ctx.loc, dict, use.integer(part), count, use.integer(2));
  Form *element = use.form()->parts[part];
  results.push_back(listOf(use, list, rootOf(element)->type, {element}));
  return success();
}

LogicalResult items(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value list = rt::BoxPairsOp::create(ctx.b, ctx.loc, use.box());
  Type type = torchlite::tl::TupleType::get(
      ctx.context(), {rootOf(use.element())->type, rootOf(use.value())->type});
  results.push_back(listOf(use, list, type, use.form()->parts));
  return success();
}

LogicalResult update(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  Value dict = use.box(), other = dict ? use.box(1) : Value();
  if (!other)
    return failure();
  joinForms(use.w, use.form(0), use.form(1));
  rt::BoxUpdateOp::create(ctx.b, ctx.loc, dict, other);
  return success();
}

LogicalResult copy(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  results.push_back(use.boxer.container(use.copy(use.box()), use.form()));
  return success();
}

LogicalResult clear(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  use.splice(use.box(), use.integer(0), use.size(use.box()), use.none());
  return success();
}

LogicalResult length(RuleContext &ctx, Results &results) {
  BoxUse use(ctx);
  results.push_back(SpecValue::scalar(
      arith::ShRUIOp::create(ctx.b, ctx.loc, use.size(use.box()), use.integer(1)).getResult()));
  return success();
}

} // namespace

void specialize::registerBoxDictRules(RuleRegistry &registry) {
  for (const char *key : {"str", "int", "bool", "float"}) {
    std::string suffix = std::string(".") + key, dict = std::string(".Dict_") + key;
    registry.boxed("__getitem__" + dict, getItem);
    registry.boxed("get" + suffix, getOr);
    registry.boxed("get.default_" + std::string(key), getOr);
    registry.boxed("_set_item" + suffix, setItem);
    registry.boxed("setdefault" + suffix, setDefault);
    registry.boxed("pop" + dict, pop);
    registry.boxed("pop.Dict_default_" + std::string(key), pop);
    registry.boxed("Delete" + dict, deleteItem);
    registry.boxed("__contains__" + suffix, contains);
    registry.boxed("keys" + suffix, keysOrValues<0>);
    registry.boxed("values" + suffix, keysOrValues<1>);
    registry.boxed("items" + suffix, items);
    registry.boxed("update" + suffix, update);
    registry.boxed("copy" + dict, copy);
    registry.boxed("clear" + suffix, clear);
    registry.boxed("len" + dict, length);
    registry.boxed("dict.Dict_" + std::string(key), copy);
  }
}
