//===- Aliasing.cpp - Storages, views and writes --------------------------===//
//
// A tensor is a chain of views of a storage; the storage holds an SSA value. A write through a view
// computes the storage's next value, and all views of it are read from that from then on. So
// aliasing needs no analysis: what shares a storage sees the write.
//
//===----------------------------------------------------------------------===//
#include "Boxes.h"
#include "Strides.h"
#include "Walker.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

CellId Walker::allocate(Cell cell) {
  CellId id = nextCell++;
  state.heap.set(id, std::move(cell));
  return id;
}

Cell &Walker::change(CellId id) {
  auto copy = std::make_shared<Cell>(cell(id));
  Cell &cell = *copy;
  state.heap.set(id, std::move(copy));
  return cell;
}

SpecValue Walker::newTensor(Value value, Known contiguous, bool given) {
  Cell cell;
  cell.kind = Cell::Kind::Storage;
  cell.value = value;
  cell.identity = newIdentity(nextCell);
  auto type = cast<RankedTensorType>(value.getType());
  CellId storage = allocate(std::move(cell));
  if (contiguous == Known::Yes)
    contiguousStorages.insert(storage);
  return SpecValue::tensor({storage, nullptr, type, contiguous, given});
}

SpecValue Walker::newList(std::vector<SpecValue> elements, Type elementType) {
  Cell cell;
  cell.kind = Cell::Kind::List;
  if (boxes.sites.contains(current))
    return newBox(ValueKind::List, elements, elementType);
  cell.elements = std::move(elements);
  cell.type = elementType;
  cell.site = current;
  boxes.madeAt[nextCell] = current;
  return SpecValue::cell(ValueKind::List, allocate(std::move(cell)));
}

SpecValue Walker::newDict(std::vector<SpecValue> keysAndValues, Type type) {
  Cell cell;
  cell.kind = Cell::Kind::Dict;
  if (boxes.sites.contains(current))
    return newBox(ValueKind::Dict, keysAndValues, type);
  cell.elements = std::move(keysAndValues);
  cell.type = type;
  cell.site = current;
  boxes.madeAt[nextCell] = current;
  return SpecValue::cell(ValueKind::Dict, allocate(std::move(cell)));
}

SpecValue Walker::newBox(ValueKind kind, ArrayRef<SpecValue> elements, Type type) {
  Boxer boxer(*this, locOf(current));
  return boxer.newContainer(kind, elements, type).value_or(SpecValue::unknown());
}

/// Sets the strides and the offset of what some steps make of a tensor, as far as they are known.
static void setLayout(TensorRef &view, const TensorRef &base, ArrayRef<ViewStep> steps) {
  view.strides = stridesOf(base);
  view.offset = base.offset;
  SmallVector<int64_t> shape(base.type.getShape());
  for (const ViewStep &step : steps) {
    if (!view.strides) {
      view.offset.reset();
      return;
    }
    view.offset = offsetOfView(step, *view.strides, view.offset);
    SmallVector<int64_t> next;
    if (step.kind == ViewStep::Kind::Same)
      next = shape;
    else if (step.kind == ViewStep::Kind::Permute)
      next = applyPermutation(shape, step.permutation);
    else
      next = staticShape(step.sizes);
    view.strides = stridesOfView(step, shape, *view.strides, next);
    shape = std::move(next);
  }
}

SpecValue Walker::viewOf(const SpecValue &tensor, ArrayRef<ViewStep> steps, Known contiguous) {
  const TensorRef &base = tensor.getTensor();
  if (steps.empty())
    return tensor;
  auto chain =
      base.chain ? std::make_shared<ViewChain>(*base.chain) : std::make_shared<ViewChain>();
  chain->insert(chain->end(), steps.begin(), steps.end());
  if (base.given)
    for (ViewStep &step : llvm::MutableArrayRef(*chain).drop_front(chain->size() - steps.size()))
      if (step.ifContiguous)
        step.decision = ++lastDecision;
  TensorRef ref{base.storage, chain, base.type, contiguous, base.given};
  setLayout(ref, base, steps);
  // The type is that of the view's value, which is mostly wanted anyway.
  Value value = readTensor(SpecValue::tensor(ref));
  if (!value)
    return SpecValue::unknown();
  ref.type = cast<RankedTensorType>(value.getType());
  if (ref.strides && ref.type.hasStaticShape())
    ref.contiguous = areContiguous(ref.type.getShape(), *ref.strides) ? Known::Yes : Known::No;
  return SpecValue::tensor(std::move(ref));
}

static SmallVector<int64_t> invert(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> inverse(permutation.size());
  for (auto [i, p] : llvm::enumerate(permutation))
    inverse[p] = i;
  return inverse;
}

Value Walker::applyStep(const ViewStep &step, Value base) {
  Location loc = locOf(current);
  auto type = cast<RankedTensorType>(base.getType());
  switch (step.kind) {
  case ViewStep::Kind::Same:
    return base;
  case ViewStep::Kind::Reshape:
    return ReshapeOp::create(b, loc, base, step.sizes);
  case ViewStep::Kind::Permute:
    return PermuteOp::create(b, loc, base, step.permutation);
  case ViewStep::Kind::Slice: {
    // MLIR has no slices of nothing: every offset must be that of an element.
    if (llvm::any_of(step.sizes, isZeroInteger)) {
      RuleContext ctx(*this, b, loc, "view", {}, {});
      return ctx.full(step.sizes, 0.0, type.getElementType());
    }
    return tensor::ExtractSliceOp::create(b, loc, base, step.offsets, step.sizes, step.steps)
        .getResult();
  }
  case ViewStep::Kind::Broadcast:
    return BroadcastToOp::create(b, loc, base, step.sizes);
  case ViewStep::Kind::Custom: {
    RuleContext ctx(*this, b, loc, "view", {}, {});
    return step.read(ctx, base);
  }
  }
  llvm_unreachable("all kinds covered");
}

/// Whether an expansion repeats nothing: it adds dimensions of size 1 in front.
static bool addsOnes(const ViewStep &step, Value base) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(base.getType()).getShape();
  SmallVector<int64_t> sizes = staticShape(step.sizes);
  if (sizes.size() < shape.size())
    return false;
  size_t added = sizes.size() - shape.size();
  return llvm::all_of(ArrayRef(sizes).take_front(added), [](int64_t size) { return size == 1; }) &&
         !ShapedType::isDynamicShape(shape) && ArrayRef(sizes).drop_front(added) == shape;
}

SmallVector<OpFoldResult> Walker::sizesOf(Value tensor) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t i : llvm::seq<int64_t>(0, cast<RankedTensorType>(tensor.getType()).getRank()))
    sizes.push_back(sizeOf(tensor, i));
  return sizes;
}

Value Walker::unapplyStep(const ViewStep &step, Value base, Value view) {
  Location loc = locOf(current);
  switch (step.kind) {
  case ViewStep::Kind::Same:
    return view;
  case ViewStep::Kind::Reshape: {
    return ReshapeOp::create(b, loc, view, sizesOf(base));
  }
  case ViewStep::Kind::Permute:
    return PermuteOp::create(b, loc, view, invert(step.permutation));
  case ViewStep::Kind::Slice:
    if (llvm::any_of(step.sizes, isZeroInteger))
      return base;
    return tensor::InsertSliceOp::create(b, loc, view, base, step.offsets, step.sizes, step.steps);
  case ViewStep::Kind::Broadcast:
    return addsOnes(step, base) ? ReshapeOp::create(b, loc, view, sizesOf(base)) : Value();
  case ViewStep::Kind::Custom: {
    if (!step.write)
      return {};
    RuleContext ctx(*this, b, loc, "view", {}, {});
    return step.write(ctx, base, view);
  }
  }
  llvm_unreachable("all kinds covered");
}

static SmallVector<unsigned> decisionsOf(const TensorRef &ref) {
  SmallVector<unsigned> decisions;
  if (ref.chain)
    for (const ViewStep &step : *ref.chain)
      if (step.decision)
        decisions.push_back(step.decision);
  return decisions;
}

void Walker::noteCopy(CellId copy, CellId base) {
  ++lastDecision;
  copies[copy].push_back({base, lastDecision});
  copies[base].push_back({copy, lastDecision});
}

void Walker::noteMaybeCopy(CellId copy, CellId base) {
  state.heap.addPlaces(copy, unite({copy}, state.heap.places(base)));
  change(copy).isPart = true;
  joinedAt.insert({copy, {nullptr, locOf(current)}});
}

void Walker::noteRead(const TensorRef &ref) {
  for (auto [other, decision] : copies.lookup(ref.storage))
    reliesOnContiguity |=
        llvm::any_of(writes.lookup(other),
                     [decision = decision](const Write &write) { return decision <= write.after; });
  auto found = writes.find(ref.storage);
  if (found == writes.end())
    return;
  SmallVector<unsigned> own = decisionsOf(ref);
  // A step that one of both took and the other did not, and that was there when it was written: of
  // a copy, the reader would not see the write.
  auto separates = [](const Write &write, ArrayRef<unsigned> some, ArrayRef<unsigned> others) {
    return llvm::any_of(some, [&](unsigned decision) {
      return decision <= write.after && !llvm::is_contained(others, decision);
    });
  };
  for (const Write &write : found->second)
    reliesOnContiguity |=
        separates(write, own, write.decisions) || separates(write, write.decisions, own);
}

Value Walker::readTensor(const SpecValue &tensor) {
  const TensorRef &ref = tensor.getTensor();
  noteRead(ref);
  Value base = storageValue(ref.storage);
  if (!ref.chain || ref.chain->empty())
    return base;
  auto key = std::make_pair(ref.storage, ref.chain.get());
  if (auto it = state.views.find(key); it != state.views.end() && it->second.base == base)
    return it->second.view;
  // A prefix of the chain may have been read already: views of views share their steps' values only
  // through the cache of whole chains, so compute the rest from the longest one that is known.
  Value value = base;
  for (const ViewStep &step : *ref.chain) {
    value = applyStep(step, value);
    if (!value)
      return {};
  }
  state.views[key] = {base, value};
  keepAlive.push_back(ref.chain);
  return value;
}

/// Whether some elements of a tensor are one place in memory, for sure (at::has_internal_overlap).
static bool repeats(const TensorRef &ref) {
  std::optional<Strides> strides = stridesOf(ref);
  return strides && ref.type.hasStaticShape() && ref.type.getNumElements() &&
         llvm::any_of(llvm::zip_equal(ref.type.getShape(), *strides), [](auto dim) {
           auto [size, stride] = dim;
           return size > 1 && stride == 0;
         });
}

LogicalResult Walker::writeExpanded(const TensorRef &ref) {
  const char *reason = "more than one element of the written-to tensor refers to a single memory "
                       "location. Please clone() the tensor before performing the operation.";
  // A copy of a tensor to itself does nothing. Others than these do not look, and write.
  auto op = dyn_cast<AtenOp>(current);
  StringRef name = op ? op.getName() : "";
  name.consume_front("aten::");
  bool isCopy = name == "copy_";
  if (isCopy && op.getOperand(0) == op.getOperand(1))
    return success();
  bool raises =
      isCopy || llvm::is_contained({"add_", "sub_", "mul_", "div_"}, name.split('.').first);
  if (!repeats(ref))
    return error("a write in place to an expanded tensor, or to a part of it, is not supported");
  if (!raises)
    return error("a write in place to an expanded tensor is not supported: " + Twine(reason));
  raise(locOf(current), ("unsupported operation: " + Twine(reason)).str());
  return failure();
}

bool specialize::looksAtOverlaps(StringRef name) {
  static const llvm::StringSet<> names = {
      "add_",        "addcdiv_",     "addcmul_",    "arctan2_",      "atan2_",     "bitwise_and_",
      "bitwise_or_", "bitwise_xor_", "clamp_",      "clamp_max_",    "clamp_min_", "copy_",
      "copysign_",   "div_",         "eq_",         "floor_divide_", "fmod_",      "gcd_",
      "ge_",         "gt_",          "heaviside_",  "hypot_",        "lcm_",       "le_",
      "lerp_",       "logical_and_", "logical_or_", "logical_xor_",  "lt_",        "mul_",
      "ne_",         "nextafter_",   "pow_",        "remainder_",    "sub_",       "true_divide_",
      "xlogy_"};
  return names.contains(name.split('.').first);
}

LogicalResult Walker::checkOverlap(StringRef name, ArrayRef<SpecValue> operands) {
  if (operands.empty() || !operands[0].isTensor() || !looksAtOverlaps(name))
    return success();
  for (const SpecValue &operand : operands.drop_front())
    if (operand.isTensor() &&
        overlapOf(operands[0].getTensor(), operand.getTensor()) == Overlap::Partial) {
      raise(locOf(current), "unsupported operation: some elements of the input tensor and the "
                            "written-to tensor refer to a single memory location. Please clone() "
                            "the tensor before performing the operation.");
      return failure();
    }
  return success();
}

LogicalResult Walker::writeTensor(const SpecValue &tensor, Value value) {
  const TensorRef &ref = tensor.getTensor();
  SmallVector<CellId> partners;
  if (failed(checkPartners(ref.storage, "a write in place to a tensor", &partners)))
    return failure();
  if (llvm::any_of(state.heap.places(ref.storage),
                   [&](CellId place) { return boxes.places.contains(place); }))
    return error("a write in place to a tensor that a list or dict holds whose structure is known "
                 "only at run time is not supported");
  if (cell(ref.storage).isConstant)
    return error("a write in place to a constant of the program");
  Value old = storageValue(ref.storage);
  SmallVector<Value> bases = {old};
  static const ViewChain none;
  const ViewChain &chain = ref.chain ? *ref.chain : none;
  for (const ViewStep &step : chain) {
    if (step.kind == ViewStep::Kind::Broadcast && !addsOnes(step, bases.back()))
      return writeExpanded(ref);
    if (&step != &chain.back())
      bases.push_back(applyStep(step, bases.back()));
  }
  for (size_t i = chain.size(); i-- > 0;) {
    value = unapplyStep(chain[i], bases[i], value);
    if (!value)
      return error("a write in place through this kind of view");
  }
  value = converted(value, old.getType());
  setStorage(ref.storage, value);
  if (lastDecision)
    writes[ref.storage].push_back({lastDecision, decisionsOf(ref)});
  for (CellId partner : partners)
    writePartner(ref.storage, partner, value);
  return success();
}

void Walker::setStorage(CellId id, Value value) {
  Value old = storageValue(id);
  change(id).value = value;
  // The sizes of a storage do not change by a write.
  if (!cast<RankedTensorType>(old.getType()).hasStaticShape())
    state.sizes[value] = sizesOf(old);
  if (auto it = cellStorages.find(id);
      it != cellStorages.end() && !program.stateStorages.contains(it->second))
    newStateStorages.insert(it->second);
  if (auto it = stateCells.find(id); it != stateCells.end())
    writtenStateLeaves.insert(it->second);
}

/// Whether what is decided at `place`, as written, can be left open up to a write behind it.
static bool canOpen(Operation *place) {
  return place && !(isa<LoopOp>(place) && place->getParentOfType<LoopOp>());
}

LogicalResult Walker::checkPartners(CellId id, StringRef what, SmallVectorImpl<CellId> *resolved) {
  SmallVector<CellId> live = llvm::filter_to_vector(
      state.heap.partners(id), [&](CellId partner) { return isLive(partner); });
  if (live.empty())
    return success();
  // The method is walked again: with the conditionals that made them left open, if there are any,
  // with identities, or with the first trips of the loops that made them apart.
  bool identify = resolved && canIdentify(id, live);
  std::optional<Location> where;
  bool isOpened = false;
  for (CellId either : llvm::concat<const CellId>(live, ArrayRef(id)))
    if (auto it = joinedAt.find(either); it != joinedAt.end()) {
      auto [place, loc] = it->second;
      bool opens = canOpen(place) && !keepOpen.contains(place) &&
                   !(identify && (inLoopAttempt() || isa<LoopOp>(place)));
      if (opens)
        newKeepOpen.insert(place);
      isOpened |= opens;
      where = loc;
    }
  if (identify && !isOpened && tracksIdentities) {
    resolved->append(live);
    return success();
  }
  needsIdentities |= identify && !isOpened;
  problems.push_back({locOf(current),
                      (what + " that may share memory with another one: which of them is written "
                              "depends on a condition, on a loop or on strides at run time")
                          .str(),
                      "", where});
  return failure();
}

bool Walker::mayChange(const SpecValue &container) {
  if (failed(checkPartners(container.getCell(), container.is(ValueKind::List)
                                                    ? "a change of a list"
                                                    : "a change of a dict")))
    return false;
  touchedLists.insert(container.getCell());
  if (auto it = stateCells.find(container.getCell()); it != stateCells.end())
    writtenStateLeaves.insert(it->second);
  if (auto it = archiveContainers.find(container.getCell()); it != archiveContainers.end())
    if (!program.stateAttributes.contains(it->second))
      newStateAttributes.insert(it->second);
  return true;
}

/// Whether `value` (as written) is used behind `point`, inside or outside of its block.
static bool isUsedAfter(Value value, Operation *point) {
  for (Operation *user : value.getUsers()) {
    for (Operation *at = point; at; at = at->getParentOp()) {
      if (isa<func::FuncOp>(at))
        break;
      Operation *ancestor = at->getBlock()->findAncestorOpInBlock(*user);
      if (ancestor) {
        if (ancestor == at) {
          // Operands of the operation at hand; what is inside of it, or feeds an operation around
          // it, has been used already.
          if (user == point)
            return true;
          break;
        }
        if (at->isBeforeInBlock(ancestor))
          return true;
        // In a loop, the body comes again: everything that is defined outside of it is used again.
        if (auto loop = dyn_cast<LoopOp>(at->getParentOp()))
          if (!loop.getBody().isAncestor(value.getParentRegion()) ||
              value.getParentBlock() != at->getBlock())
            return true;
        break;
      }
    }
  }
  return false;
}

bool Walker::reaches(const SpecValue &value, CellId id, llvm::DenseSet<CellId> &seen) const {
  auto anyReaches = [&](ArrayRef<SpecValue> values) {
    return llvm::any_of(values, [&](const SpecValue &v) { return reaches(v, id, seen); });
  };
  switch (value.kind()) {
  case ValueKind::Tensor:
    return value.getTensor().storage == id;
  case ValueKind::Tuple:
  case ValueKind::Optional:
  case ValueKind::Pieces:
    return anyReaches(value.getElements());
  case ValueKind::List:
  case ValueKind::Dict:
  case ValueKind::Object: {
    if (value.getCell() == id)
      return true;
    if (!seen.insert(value.getCell()).second)
      return false;
    const Cell &c = cell(value.getCell());
    return anyReaches(c.elements) ||
           llvm::any_of(c.attributes, [&](auto &entry) { return reaches(entry.second, id, seen); });
  }
  default:
    return false;
  }
}

bool Walker::isUsed(Value written) {
  return isUsedAfter(written, current) ||
         llvm::any_of(callStack, [&](auto &call) { return isUsedAfter(written, call.first); });
}

bool Walker::isLive(CellId id) {
  // From every name that is still used.
  if (llvm::is_contained(externalCells, id))
    return true;
  llvm::DenseSet<CellId> seen;
  for (auto &[written, value] : state.env) {
    // Only kinds that lead to memory.
    if (value.isNumber() || value.is(ValueKind::String))
      continue;
    bool used = isa<ObjectType>(written.getType()) || isUsed(written);
    if (used && reaches(value, id, seen))
      return true;
  }
  return false;
}
