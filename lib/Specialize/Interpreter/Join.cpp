//===- Join.cpp - What two arms of a conditional make together ------------===//
//
// Values that differ become results of the `tl.if`; structure (kinds, ranks, element types,
// lengths, keys) must agree. The join runs twice: first to find out whether it is possible and
// which values are to be yielded, then, with the results of the finished operation, to build the
// state behind it.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

class Joiner {
public:
  Joiner(Walker &walker, Outcome &branch)
      : w(walker), thenLeaf(*branch.thenOutcome), elseLeaf(*branch.elseOutcome),
        ifOp(branch.branch), watermark(branch.watermark) {}

  /// Joins states and yields; false if they do not agree.
  bool run();
  IfOp finish();

  Walker &w;
  Outcome &thenLeaf, &elseLeaf;
  IfOp ifOp;
  CellId watermark;
  /// Null in the first run.
  IfOp result;
  State out;
  SmallVector<SpecValue> yields;
  std::string why;

private:
  std::optional<SpecValue> join(const SpecValue &a, const SpecValue &b);
  std::optional<SpecValue> fail(const Twine &reason) {
    if (why.empty())
      why = reason.str();
    return std::nullopt;
  }
  /// The value behind the conditional of one that is `a` in one arm and `b` in the other; null
  /// stands for a value that is never used. Null in the first run, or if types do not agree.
  std::optional<Value> merge(Value a, Value b);
  bool joinCell(CellId id);
  std::optional<std::vector<SpecValue>> joinAll(ArrayRef<SpecValue> a, ArrayRef<SpecValue> b);
  Value read(Outcome &leaf, const SpecValue &tensor);
  bool outside(Value value) const {
    Operation *owner = value.getDefiningOp() ? value.getDefiningOp()
                                             : cast<BlockArgument>(value).getOwner()->getParentOp();
    return !ifOp->isProperAncestor(owner) && (!result || !result->isProperAncestor(owner));
  }
  bool outside(const TensorRef &ref) const {
    if (!ref.chain)
      return true;
    auto all = [&](ArrayRef<OpFoldResult> values) {
      return llvm::all_of(values, [&](OpFoldResult v) {
        auto value = dyn_cast<Value>(v);
        return !value || outside(value);
      });
    };
    return llvm::all_of(*ref.chain, [&](const ViewStep &step) {
      return step.kind != ViewStep::Kind::Custom && all(step.sizes) && all(step.offsets) &&
             all(step.steps);
    });
  }

  struct Yield {
    Value onThen, onElse;
    Type type;
  };
  SmallVector<Yield> values;
  DenseMap<std::pair<Value, Value>, unsigned> known;
  DenseMap<std::pair<CellId, CellId>, CellId> cells;
  std::map<std::pair<const TensorRef *, const TensorRef *>, SpecValue> tensors;
  /// Holds what `tensors` points to.
  SmallVector<SpecValue> keep;
  /// New storages and those they stand for.
  SmallVector<std::tuple<CellId, std::optional<CellId>, std::optional<CellId>>> storages;
};

} // namespace

std::optional<Value> Joiner::merge(Value a, Value b) {
  if (a && a == b)
    return a;
  if ((!a || !b) && outside(a ? a : b))
    return a ? a : b;
  auto [it, isNew] = known.try_emplace({a, b}, values.size());
  if (isNew) {
    Type type = a ? a.getType() : b.getType();
    if (a && b && a.getType() != b.getType()) {
      auto x = dyn_cast<RankedTensorType>(a.getType()), y = dyn_cast<RankedTensorType>(b.getType());
      if (!x || !y || x.getElementType() != y.getElementType() || x.getRank() != y.getRank()) {
        std::string text;
        llvm::raw_string_ostream(text) << "the arms give " << a.getType() << " and " << b.getType();
        (void)fail(text);
        return std::nullopt;
      }
      SmallVector<int64_t> shape(x.getShape());
      for (auto [size, other] : llvm::zip_equal(shape, y.getShape()))
        if (size != other)
          size = ShapedType::kDynamic;
      type = RankedTensorType::get(shape, x.getElementType());
    }
    values.push_back({a, b, type});
  }
  if (!result)
    return Value();
  Value merged = result.getResult(it->second);
  // Sizes that agree and are known outside stay known.
  if (auto type = dyn_cast<RankedTensorType>(merged.getType());
      type && !type.hasStaticShape() && a && b && !out.sizes.count(merged)) {
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim : llvm::seq<int64_t>(0, type.getRank())) {
      if (!type.isDynamicDim(dim)) {
        sizes.push_back(w.b.getIndexAttr(type.getDimSize(dim)));
        continue;
      }
      std::swap(w.state, thenLeaf.state);
      OpFoldResult x = w.sizeOf(a, dim);
      std::swap(w.state, thenLeaf.state);
      std::swap(w.state, elseLeaf.state);
      OpFoldResult y = w.sizeOf(b, dim);
      std::swap(w.state, elseLeaf.state);
      auto xv = dyn_cast<Value>(x), yv = dyn_cast<Value>(y);
      if (xv && yv && outside(xv) && sameComputation(xv, yv))
        sizes.push_back(x);
      else
        sizes.push_back(w.dimOf(merged, dim));
    }
    out.sizes[merged] = sizes;
  }
  return merged;
}

Value Joiner::read(Outcome &leaf, const SpecValue &tensor) {
  OpBuilder::InsertionGuard guard(w.b);
  if (!result)
    w.b.setInsertionPointToEnd(leaf.block);
  std::swap(w.state, leaf.state);
  Value value = w.readTensor(tensor);
  std::swap(w.state, leaf.state);
  return value;
}

std::optional<std::vector<SpecValue>> Joiner::joinAll(ArrayRef<SpecValue> a,
                                                      ArrayRef<SpecValue> b) {
  std::vector<SpecValue> joined;
  for (auto [x, y] : llvm::zip_equal(a, b)) {
    std::optional<SpecValue> value = join(x, y);
    if (!value)
      return std::nullopt;
    joined.push_back(*value);
  }
  return joined;
}

std::optional<SpecValue> Joiner::join(const SpecValue &a, const SpecValue &b) {
  if (a.is(ValueKind::Unknown) || b.is(ValueKind::Unknown))
    return SpecValue::unknown();
  bool onlyOne = a.is(ValueKind::Uninitialized) || b.is(ValueKind::Uninitialized);
  if (a.is(ValueKind::Uninitialized) && b.is(ValueKind::Uninitialized))
    return a;
  bool fromThen = !a.is(ValueKind::Uninitialized);
  const SpecValue &one = fromThen ? a : b;
  if (!onlyOne && a.kind() != b.kind())
    return fail("the arms give " + a.kindName() + " and " + b.kindName());

  switch (one.kind()) {
  case ValueKind::Unknown:
  case ValueKind::Uninitialized:
  case ValueKind::None:
    return one;
  case ValueKind::Int:
  case ValueKind::Float:
  case ValueKind::Bool: {
    if (a.isConstant() && b.isConstant() && a.same(b))
      return a;
    if (onlyOne && one.isConstant())
      return one;
    if (std::optional<bool> x = a.getBool(), y = b.getBool(); x && y) {
      // True in one arm, false in the other: the condition itself.
      if (*x)
        return SpecValue::scalar(ifOp.getCondition());
      if (!result)
        return SpecValue::scalar(ifOp.getCondition());
      OpBuilder::InsertionGuard guard(w.b);
      w.b.setInsertionPointAfter(result);
      Value yes = w.constant(w.b.getBoolAttr(true));
      return SpecValue::scalar(
          arith::XOrIOp::create(w.b, result.getLoc(), result.getCondition(), yes));
    }
    std::optional<Value> value = merge(a.is(ValueKind::Uninitialized) ? Value() : w.scalarValue(a),
                                       b.is(ValueKind::Uninitialized) ? Value() : w.scalarValue(b));
    if (!value)
      return std::nullopt;
    return *value ? SpecValue::scalar(*value) : one;
  }
  case ValueKind::String: {
    if (onlyOne) {
      if (one.isConstant())
        return one;
      std::vector<SpecValue> holes;
      for (const SpecValue &hole : one.getElements()) {
        std::optional<SpecValue> value =
            fromThen ? join(hole, SpecValue()) : join(SpecValue(), hole);
        if (!value)
          return std::nullopt;
        holes.push_back(*value);
      }
      return SpecValue::formatted(w.b.getContext(), cast<StringAttr>(one.getConstant()).getValue(),
                                  holes);
    }
    if (a.getConstant() != b.getConstant() || a.getElements().size() != b.getElements().size())
      return fail("the arms give different strings");
    auto holes = joinAll(a.getElements(), b.getElements());
    if (!holes)
      return std::nullopt;
    return SpecValue::formatted(w.b.getContext(), cast<StringAttr>(a.getConstant()).getValue(),
                                *holes);
  }
  case ValueKind::Device:
  case ValueKind::Enum:
  case ValueKind::Function:
    if (!onlyOne && a.getConstant() != b.getConstant())
      return fail("the arms give different constants");
    return one;
  case ValueKind::Tuple: {
    if (!onlyOne && a.getElements().size() != b.getElements().size())
      return fail("the arms give tuples of different lengths");
    SmallVector<SpecValue> missing(one.getElements().size());
    auto elements =
        joinAll(a.is(ValueKind::Uninitialized) ? ArrayRef<SpecValue>(missing) : a.getElements(),
                b.is(ValueKind::Uninitialized) ? ArrayRef<SpecValue>(missing) : b.getElements());
    if (!elements)
      return std::nullopt;
    return SpecValue::tuple(std::move(*elements));
  }
  case ValueKind::Tensor: {
    const TensorRef &ref = one.getTensor();
    if ((onlyOne || a.same(b)) && ref.storage < watermark && outside(ref))
      return one;
    const TensorRef *x = a.isTensor() ? &a.getTensor() : nullptr;
    const TensorRef *y = b.isTensor() ? &b.getTensor() : nullptr;
    if (x && y &&
        (x->type.getElementType() != y->type.getElementType() ||
         x->type.getRank() != y->type.getRank())) {
      std::string text;
      llvm::raw_string_ostream(text) << "the arms give " << x->type << " and " << y->type;
      return fail(text);
    }
    // The same object in both arms stays one object.
    for (auto &[key, joined] : tensors)
      if ((!x == !key.first) && (!y == !key.second) &&
          (!x || SpecValue::tensor(*x).same(SpecValue::tensor(*key.first))) &&
          (!y || SpecValue::tensor(*y).same(SpecValue::tensor(*key.second))))
        return joined;
    std::optional<Value> value =
        merge(x ? read(thenLeaf, a) : Value(), y ? read(elseLeaf, b) : Value());
    if (!value)
      return std::nullopt;
    if (!*value)
      return one; // first run
    Cell cell;
    cell.kind = Cell::Kind::Storage;
    cell.value = *value;
    CellId id = w.nextCell++;
    if (out.heap.size() <= id)
      out.heap.resize(id + 1);
    out.heap[id] = std::make_shared<const Cell>(std::move(cell));
    w.joinedAt[id] = w.current;
    Known contiguous = x && y && x->contiguous != y->contiguous ? Known::Maybe : ref.contiguous;
    SpecValue joined =
        SpecValue::tensor({id, nullptr, cast<RankedTensorType>(value->getType()), contiguous});
    tensors[{x, y}] = joined;
    keep.push_back(a);
    keep.push_back(b);
    storages.push_back({id, x ? std::optional(x->storage) : std::nullopt,
                        y ? std::optional(y->storage) : std::nullopt});
    return joined;
  }
  case ValueKind::List:
  case ValueKind::Dict: {
    if (!onlyOne && a.getCell() == b.getCell() && a.getCell() < watermark)
      return a; // its content is joined with the heap
    if (onlyOne && one.getCell() < watermark)
      return one;
    const Cell *x = a.kind() == one.kind() ? thenLeaf.state.heap[a.getCell()].get() : nullptr;
    const Cell *y = b.kind() == one.kind() ? elseLeaf.state.heap[b.getCell()].get() : nullptr;
    const Cell *some = x ? x : y;
    if (x && y && x->elements.size() != y->elements.size())
      return fail("the arms give a list or dict of " + Twine(x->elements.size()) + " and of " +
                  Twine(y->elements.size()) + " elements");
    if (one.is(ValueKind::Dict) && x && y)
      for (size_t i = 0; i < x->elements.size(); i += 2)
        if (!x->elements[i].same(y->elements[i]))
          return fail("the arms give dicts with different keys");
    std::pair<CellId, CellId> key = {x ? a.getCell() : ~0u - 8, y ? b.getCell() : ~0u - 8};
    if (auto it = cells.find(key); it != cells.end())
      return SpecValue::cell(one.kind(), it->second);
    std::vector<SpecValue> missing(some->elements.size());
    auto elements = joinAll(x ? x->elements : missing, y ? y->elements : missing);
    if (!elements)
      return std::nullopt;
    if (!result)
      return one;
    Cell cell = *some;
    cell.elements = std::move(*elements);
    // Which list it is depends on the condition: changing it would have to change that one.
    if ((x && a.getCell() < watermark) || (y && b.getCell() < watermark)) {
      cell.frozen = true;
      for (const SpecValue *side : {&a, &b})
        if (side->kind() == one.kind() && side->getCell() < watermark &&
            out.heap[side->getCell()]) {
          Cell copy = *out.heap[side->getCell()];
          copy.frozen = true;
          out.heap[side->getCell()] = std::make_shared<const Cell>(std::move(copy));
        }
    }
    CellId id = w.nextCell++;
    if (out.heap.size() <= id)
      out.heap.resize(id + 1);
    out.heap[id] = std::make_shared<const Cell>(std::move(cell));
    cells[key] = id;
    return SpecValue::cell(one.kind(), id);
  }
  case ValueKind::Object:
    if ((onlyOne || a.getCell() == b.getCell()) && one.getCell() < watermark)
      return one;
    return fail("the arms give different objects");
  }
  llvm_unreachable("all kinds covered");
}

bool Joiner::joinCell(CellId id) {
  CellRef a = id < thenLeaf.state.heap.size() ? thenLeaf.state.heap[id] : nullptr;
  CellRef b = id < elseLeaf.state.heap.size() ? elseLeaf.state.heap[id] : nullptr;
  if (a == b || !a || !b) {
    out.heap[id] = a && b ? a : nullptr;
    return true;
  }
  Cell cell = *a;
  cell.frozen |= b->frozen;
  for (CellId partner : b->maybeAlias)
    if (!llvm::is_contained(cell.maybeAlias, partner))
      cell.maybeAlias.push_back(partner);
  bool fine = true;
  switch (a->kind) {
  case Cell::Kind::Storage: {
    auto valueIn = [&](Outcome &leaf) {
      std::swap(w.state, leaf.state);
      Value value = w.storageValue(id);
      std::swap(w.state, leaf.state);
      return value;
    };
    if (a->value == b->value)
      break;
    std::optional<Value> value = merge(valueIn(thenLeaf), valueIn(elseLeaf));
    fine = value.has_value();
    if (fine && *value)
      cell.value = *value;
    break;
  }
  case Cell::Kind::List:
  case Cell::Kind::Dict: {
    fine = a->elements.size() == b->elements.size();
    if (!fine)
      (void)fail("a list has " + Twine(a->elements.size()) + " elements after one arm and " +
                 Twine(b->elements.size()) + " after the other");
    if (fine && a->kind == Cell::Kind::Dict)
      for (size_t i = 0; i < a->elements.size(); i += 2)
        if (!a->elements[i].same(b->elements[i])) {
          (void)fail("a dict has different keys after the arms");
          fine = false;
        }
    if (fine) {
      auto elements = joinAll(a->elements, b->elements);
      fine = elements.has_value();
      if (fine)
        cell.elements = std::move(*elements);
    }
    break;
  }
  case Cell::Kind::Object:
    cell.attributes.clear();
    for (auto &[name, value] : a->attributes) {
      auto other = b->attributes.find(name);
      if (other == b->attributes.end())
        continue;
      if (value.same(other->second) &&
          !(value.isTensor() && value.getTensor().storage >= watermark)) {
        cell.attributes[name] = value;
        continue;
      }
      std::optional<SpecValue> joined = join(value, other->second);
      if (!joined) {
        fine = false;
        break;
      }
      cell.attributes[name] = *joined;
    }
    break;
  }
  if (!fine) {
    // What nobody can reach any more need not agree.
    std::swap(w.state, thenLeaf.state);
    bool live = a->kind == Cell::Kind::Object || w.isLive(id);
    std::swap(w.state, thenLeaf.state);
    if (live)
      return false;
    why.clear();
    cell = *a;
    cell.elements.assign(1, SpecValue::unknown());
    cell.frozen = true;
  }
  out.heap[id] = std::make_shared<const Cell>(std::move(cell));
  return true;
}

bool Joiner::run() {
  tensors.clear();
  cells.clear();
  storages.clear();
  yields.clear();
  out = State();
  out.heap.resize(w.nextCell);
  // The heap first: joined containers may have to be marked in it.
  for (CellId id = 0; id < watermark; ++id)
    if (!joinCell(id))
      return false;
  for (auto [x, y] : llvm::zip_equal(thenLeaf.yields, elseLeaf.yields)) {
    std::optional<SpecValue> value = join(x, y);
    if (!value)
      return false;
    yields.push_back(*value);
  }
  if (!result)
    return true;

  for (auto &[written, value] : thenLeaf.state.env) {
    auto other = elseLeaf.state.env.find(written);
    if (other != elseLeaf.state.env.end() && value.same(other->second))
      out.env[written] = value;
  }
  for (auto &[key, view] : thenLeaf.state.views) {
    auto other = elseLeaf.state.views.find(key);
    if (other != elseLeaf.state.views.end() && other->second.view == view.view &&
        other->second.base == view.base)
      out.views[key] = view;
  }
  for (auto &[tensor, sizes] : thenLeaf.state.sizes)
    if (outside(tensor) && llvm::all_of(sizes, [&](OpFoldResult size) {
          auto value = dyn_cast<Value>(size);
          return !value || outside(value);
        }))
      out.sizes.try_emplace(tensor, sizes);
  for (auto &fact : thenLeaf.state.conditions)
    if (llvm::is_contained(elseLeaf.state.conditions, fact))
      out.conditions.push_back(fact);
  for (auto &fact : thenLeaf.state.equalities)
    if (llvm::is_contained(elseLeaf.state.equalities, fact))
      out.equalities.push_back(fact);

  // What stands for an older tensor may share memory with it, or with what else stands for it.
  std::swap(w.state, out);
  for (auto &[id, x, y] : storages) {
    for (std::optional<CellId> old : {x, y})
      if (old && *old < watermark && w.state.heap[*old])
        w.markMaybeAlias(id, *old);
    for (auto &[other, x2, y2] : storages)
      if (other < id && ((x && x == x2) || (y && y == y2)))
        w.markMaybeAlias(id, other);
  }
  std::swap(w.state, out);
  return true;
}

IfOp Joiner::finish() {
  OpBuilder::InsertionGuard guard(w.b);
  w.b.setInsertionPoint(ifOp);
  SmallVector<Type> types;
  for (Yield &yield : values)
    types.push_back(yield.type);
  Location loc = ifOp.getLoc();
  auto finished = IfOp::create(w.b, loc, types, ifOp.getCondition());
  for (bool isThen : {true, false}) {
    w.b.setInsertionPointToEnd(isThen ? thenLeaf.block : elseLeaf.block);
    SmallVector<Value> operands;
    for (Yield &yield : values) {
      Value value = isThen ? yield.onThen : yield.onElse;
      if (!value) {
        // Never used: any value of the type.
        if (auto type = dyn_cast<RankedTensorType>(yield.type)) {
          SmallVector<Value> sizes(type.getNumDynamicDims(), w.constant(w.b.getIndexAttr(0)));
          value = tensor::EmptyOp::create(w.b, loc, type, sizes);
        } else {
          value = w.constant(cast<TypedAttr>(w.b.getZeroAttr(yield.type)));
        }
      }
      if (value.getType() != yield.type)
        value = tensor::CastOp::create(w.b, loc, yield.type, value);
      operands.push_back(value);
    }
    YieldOp::create(w.b, loc, operands);
  }
  finished.getThenRegion().takeBody(ifOp.getThenRegion());
  finished.getElseRegion().takeBody(ifOp.getElseRegion());
  return finished;
}

OutcomePtr Walker::join(Outcome &branch) {
  if (keepOpen.contains(current)) {
    branch.whyOpen = "a tensor is written that is another one in each arm";
    return nullptr;
  }
  Joiner joiner(*this, branch);
  if (!joiner.run()) {
    branch.whyOpen = joiner.why;
    return nullptr;
  }
  IfOp old = joiner.ifOp;
  joiner.result = joiner.finish();
  [[maybe_unused]] bool again = joiner.run();
  assert(again && "the second run sees what the first one saw");
  auto leaf = std::make_unique<Outcome>();
  leaf->kind = Outcome::Kind::Leaf;
  leaf->block = joiner.result->getBlock();
  leaf->state = std::move(joiner.out);
  leaf->yields = std::move(joiner.yields);
  b.setInsertionPointToEnd(leaf->block);
  old->erase();
  return leaf;
}
