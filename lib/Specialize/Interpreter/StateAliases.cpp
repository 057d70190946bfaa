//===- StateAliases.cpp - State that shares memory with other state -------===//
//
// What two attributes share when a method returns, they share at the next call. The structure of a
// state (Methods.h) says so, beside the forms of Signature.h:
//
//   {alias = ["a", step...]}         what the tensor, list or dict at the path "a" is, seen through
//                                    views; holds nothing of its own
//   {view = [tensor<...>, step...]}  a leaf that holds a whole storage, seen through views
//
// A step is a dictionary of the numbers of a ViewStep. Only what is written in place while it may
// be shared is described so (`StateWidening::aliases`): otherwise values are enough.
//
//===----------------------------------------------------------------------===//
#include "MethodBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Steps as attributes
//===----------------------------------------------------------------------===//

/// Null if some number is known at run time only, or if the step is not one of numbers.
static Attribute encode(Builder &b, const ViewStep &step) {
  auto numbers = [&](ArrayRef<OpFoldResult> values) -> Attribute {
    std::optional<SmallVector<int64_t>> known = getConstantIntValues(values);
    return known ? b.getI64ArrayAttr(*known) : Attribute();
  };
  Attribute sizes = numbers(step.sizes), offsets = numbers(step.offsets),
            steps = numbers(step.steps);
  if (step.kind == ViewStep::Kind::Custom || !sizes || !offsets || !steps)
    return {};
  return b.getDictionaryAttr(
      {b.getNamedAttr("kind", b.getI64IntegerAttr(static_cast<int64_t>(step.kind))),
       b.getNamedAttr("sizes", sizes), b.getNamedAttr("offsets", offsets),
       b.getNamedAttr("steps", steps),
       b.getNamedAttr("permutation", b.getI64ArrayAttr(step.permutation)),
       b.getNamedAttr("if_contiguous", b.getBoolAttr(step.ifContiguous))});
}

static ViewStep decode(Builder &b, Attribute attr) {
  auto fields = cast<DictionaryAttr>(attr);
  auto numbers = [&](StringRef name) {
    SmallVector<OpFoldResult> values;
    for (auto number : fields.getAs<ArrayAttr>(name).getAsRange<IntegerAttr>())
      values.push_back(b.getIndexAttr(number.getInt()));
    return values;
  };
  ViewStep step;
  step.kind = static_cast<ViewStep::Kind>(fields.getAs<IntegerAttr>("kind").getInt());
  step.sizes = numbers("sizes");
  step.offsets = numbers("offsets");
  step.steps = numbers("steps");
  for (auto dim : fields.getAs<ArrayAttr>("permutation").getAsRange<IntegerAttr>())
    step.permutation.push_back(dim.getInt());
  step.ifContiguous = fields.getAs<BoolAttr>("if_contiguous").getValue();
  return step;
}

static std::optional<SmallVector<Attribute>> encode(Builder &b, const TensorRef &ref) {
  SmallVector<Attribute> steps;
  for (const ViewStep &step : ref.chain ? *ref.chain : ViewChain()) {
    Attribute attr = encode(b, step);
    if (!attr)
      return std::nullopt;
    steps.push_back(attr);
  }
  return steps;
}

/// A structure whose first part stands in front of steps.
static Attribute wrap(Builder &b, StringRef name, Attribute first, ArrayRef<Attribute> steps) {
  SmallVector<Attribute> parts = {first};
  parts.append(steps.begin(), steps.end());
  return b.getDictionaryAttr(b.getNamedAttr(name, b.getArrayAttr(parts)));
}

//===----------------------------------------------------------------------===//
// Behind the call
//===----------------------------------------------------------------------===//

/// What the state holds at `path` it may have held elsewhere when the method was called: what is
/// done to it here in later calls is done to what it shares memory with there.
void MethodBuilder::noteMove(CellId cell, const std::string &path) {
  for (CellId place : w.state.heap.places(cell))
    if (auto it = w.stateCells.find(place); it != w.stateCells.end() && it->second != path)
      movedLeaves.insert({it->second, path});
}

Attribute MethodBuilder::describeShared(const TensorRef &ref, const std::string &path,
                                        SmallVectorImpl<std::pair<std::string, Value>> &leaves) {
  Builder &b = w.b;
  std::optional<SmallVector<Attribute>> steps = encode(b, ref);
  if (!steps || !w.cell(ref.storage).places.empty())
    return {};
  // Storages of the archive that are state have their own leaves.
  auto held = finalStorages.find(ref.storage);
  if (held == finalStorages.end())
    if (auto it = w.stateCells.find(ref.storage);
        it != w.stateCells.end() && w.cellStorages.count(ref.storage))
      held = finalStorages.insert({ref.storage, it->second}).first;
  if (held != finalStorages.end())
    return wrap(b, "alias", b.getStringAttr(held->second), *steps);
  if (steps->empty() || w.cellStorages.count(ref.storage))
    return {};
  noteAliases(ref.storage, path);
  leaves.push_back({path, w.storageValue(ref.storage)});
  return wrap(b, "view", TypeAttr::get(leaves.back().second.getType()), *steps);
}

/// Two storages that may be one, by the trips of a loop: where they are, the state has no form that
/// is known. It is checked that they are not. False where identities cannot tell.
bool MethodBuilder::requireApart(CellId storage, CellId other, const std::string &path,
                                 const std::string &otherPath) {
  // Where a condition decides, one of its arms is a state that has to be refused.
  auto decidedByCondition = [&](CellId id) {
    auto joined = w.joinedAt.find(id);
    return joined != w.joinedAt.end() && joined->second.first && !isa<LoopOp>(joined->second.first);
  };
  if (storage == other || !widening.aliases.count(path) || !w.canIdentify(storage, {other}) ||
      decidedByCondition(storage) || decidedByCondition(other))
    return false;
  w.needsIdentities = true;
  if (!w.tracksIdentities)
    return false;
  Location loc = w.function.getLoc();
  Value apart = arith::CmpIOp::create(w.b, loc, arith::CmpIPredicate::ne, w.identityOf(storage),
                                      w.identityOf(other));
  CheckOp::create(
      w.b, loc, apart,
      "the attributes '" + path + "' and '" + otherPath +
          "' are one tensor after some trips of a loop, and are written in place, which "
          "is not supported");
  return true;
}

/// A list or dict of the archive that the state refers to now: from here on the attribute that has
/// held it is state, too, so that the next call knows the two for one.
void MethodBuilder::noteArchiveContainer(CellId container) {
  auto held = w.archiveContainers.find(container);
  if (held != w.archiveContainers.end() && !w.program.stateAttributes.contains(held->second))
    w.newStateAttributes.insert(held->second);
}

Attribute MethodBuilder::describeShared(CellId container, const std::string &path) {
  noteArchiveContainer(container);
  noteMove(container, path);
  auto [held, isNew] = finalContainers.try_emplace(container, path);
  if (!isNew && widening.aliases.count(path))
    return wrap(w.b, "alias", w.b.getStringAttr(held->second), {});
  if (!isNew)
    aliasedLeaves.insert({path, held->second});
  for (CellId other : w.state.heap.partners(container)) {
    noteArchiveContainer(other);
    if (auto it = finalContainers.find(other); it != finalContainers.end())
      aliasedLeaves.insert({path, it->second});
  }
  return {};
}

//===----------------------------------------------------------------------===//
// In front of the call
//===----------------------------------------------------------------------===//

std::optional<SpecValue> MethodBuilder::instantiateShared(Attribute structure,
                                                          const std::string &path) {
  ArrayAttr alias = member(structure, "alias"), view = member(structure, "view");
  if (!alias && !view)
    return std::nullopt;
  SpecValue whole =
      alias ? stateValues.at(cast<StringAttr>(alias[0]).getValue().str())
            : instantiate(view[0], TensorType::get(w.b.getContext()), path, /*isState=*/true);
  ViewChain steps;
  for (Attribute step : (alias ? alias : view).getValue().drop_front())
    steps.push_back(decode(w.b, step));
  return steps.empty() ? whole : w.viewOf(whole, steps, Known::Maybe);
}
