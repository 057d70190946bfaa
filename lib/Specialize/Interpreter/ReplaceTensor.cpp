//===- ReplaceTensor.cpp - Tensors that become another tensor in place ----===//
//
// `unsqueeze_`, `t_` and their like change what a tensor object is a view of, not what is in
// memory, and `out=` an empty tensor gives it other memory: every name of the object then means the
// new one. An abstract value has no names, but values that are copies of one another share their
// `TensorRef`. So the names are found where it is known which there are: for a tensor that an
// operator of this method made, that no other value may be, and outside of what is decided at run
// time.
//
//===----------------------------------------------------------------------===//
#include "Join.h"
#include "Walker.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// Whether an operator's result is always a tensor of its own, not the one that it is given, nor an
/// element of a list.
static bool makesTensor(AtenOp op) {
  static const llvm::StringSet<> others = {"__getitem__",
                                           "get",
                                           "pop",
                                           "setdefault",
                                           "alpha_dropout",
                                           "atleast_1d",
                                           "atleast_2d",
                                           "atleast_3d",
                                           "conj",
                                           "contiguous",
                                           "cpu",
                                           "cuda",
                                           "data",
                                           "dequantize",
                                           "double",
                                           "dropout",
                                           "feature_dropout",
                                           "flatten",
                                           "float",
                                           "half",
                                           "int",
                                           "long",
                                           "pin_memory",
                                           "ravel",
                                           "real",
                                           "to",
                                           "type_as",
                                           "resolve_conj",
                                           "resolve_neg",
                                           "sum_to_size",
                                           "bfloat16",
                                           "bool",
                                           "byte",
                                           "char",
                                           "short",
                                           "to_dense",
                                           "feature_alpha_dropout"};
  StringRef name = op.getName();
  name.consume_front("aten::");
  StringRef base = name.split('.').first;
  bool isInPlace = base.ends_with("_") && !base.ends_with("__");
  return !isInPlace && !name.ends_with("out") && !base.starts_with("_autocast") &&
         !others.contains(base);
}

/// The chain of views of a tensor, without the steps that change nothing.
static ViewChain shapingSteps(const TensorRef &ref) {
  ViewChain steps;
  for (const ViewStep &step : ref.chain ? *ref.chain : ViewChain())
    if (step.kind != ViewStep::Kind::Same)
      steps.push_back(step);
  return steps;
}

/// Whether two tensors may be one object of PyTorch, whatever is known of their layout.
static bool mayBeOne(const TensorRef &a, const TensorRef &b) {
  TensorRef x = a, y = b;
  x.chain = std::make_shared<ViewChain>(shapingSteps(a));
  y.chain = std::make_shared<ViewChain>(shapingSteps(b));
  x.contiguous = y.contiguous;
  x.given = y.given;
  return sameView(x, y, /*ifContiguous=*/true);
}

namespace {

/// What is to be one tensor instead of another one, in the values of a state.
class Replacement {
public:
  Replacement(Walker &w, const SpecValue &tensor, const SpecValue &by)
      : w(w), ref(&tensor.getTensor()), tensor(tensor), by(by) {}

  LogicalResult check();
  void run();

private:
  bool isOne(const SpecValue &value) const { return &value.getTensor() == ref; }
  bool hasCopy(CellId id) const;
  void countNames();
  void note(const SpecValue &value);
  std::optional<SpecValue> replaced(const SpecValue &value) const;
  bool replaceAll(std::vector<SpecValue> &values) const;

  Walker &w;
  const TensorRef *ref;
  SpecValue tensor, by;
  llvm::SmallPtrSet<Operation *, 2> makers;
  bool hasTwin = false;
};

} // namespace

/// Looks for another tensor object that is the same view of the same memory.
void Replacement::note(const SpecValue &value) {
  if (value.isTensor()) {
    hasTwin |= !isOne(value) && mayBeOne(value.getTensor(), *ref);
  } else if (value.is(ValueKind::Tuple) || value.is(ValueKind::Optional) ||
             value.is(ValueKind::Pieces)) {
    for (const SpecValue &element : value.getElements())
      note(element);
  }
}

void Replacement::countNames() {
  for (auto &[written, value] : w.state.env) {
    if (value.isNumber() || value.is(ValueKind::String))
      continue;
    if (value.isTensor() && isOne(value)) {
      if (auto op = written.getDefiningOp<AtenOp>(); op && makesTensor(op))
        makers.insert(op);
    } else if (w.isUsed(written)) {
      note(value);
    }
  }
  for (CellId id : llvm::seq<CellId>(0, w.state.heap.size()))
    if (CellRef held = w.state.heap.lookup(id)) {
      for (const SpecValue &element : held->elements)
        note(element);
      for (auto &[name, value] : held->attributes)
        note(value);
    }
}

/// Whether a tensor was copied, or is a copy, because of a layout that may be another one.
bool Replacement::hasCopy(CellId id) const {
  return llvm::any_of(w.copies, [&](auto &entry) {
    return entry.first == id ||
           llvm::any_of(entry.second, [&](auto &other) { return other.first == id; });
  });
}

LogicalResult Replacement::check() {
  auto refuse = [&](const Twine &why) {
    return w.error("a tensor that becomes another one in place is not supported " + why);
  };
  if (w.undecided && ref->storage < w.firstOfUndecided)
    return refuse("where a condition or a loop decides at run time");
  countNames();
  // None: an argument, a part of the state or a constant, or one of several tensors. Two: a rule
  // gave its operand as its result, which is another object in PyTorch.
  if (makers.size() != 1)
    return refuse("unless it is the result of an operator of this method");
  if (hasTwin || hasCopy(ref->storage) || !w.state.heap.partners(ref->storage).empty())
    return refuse("if another name may mean the same tensor");
  if (w.boxes.places.contains(ref->storage))
    return refuse("if a list or dict holds it whose structure is known only at run time");
  return success();
}

std::optional<SpecValue> Replacement::replaced(const SpecValue &value) const {
  if (value.isTensor())
    return isOne(value) ? std::optional(by) : std::nullopt;
  if (!value.is(ValueKind::Tuple) && !value.is(ValueKind::Optional) && !value.is(ValueKind::Pieces))
    return std::nullopt;
  std::vector<SpecValue> elements(value.getElements());
  return replaceAll(elements) ? std::optional(value.withElements(std::move(elements)))
                              : std::nullopt;
}

bool Replacement::replaceAll(std::vector<SpecValue> &values) const {
  bool any = false;
  for (SpecValue &value : values)
    if (std::optional<SpecValue> other = replaced(value)) {
      value = *other;
      any = true;
    }
  return any;
}

void Replacement::run() {
  for (auto &[written, value] : w.state.env)
    if (std::optional<SpecValue> other = replaced(value))
      value = *other;
  for (CellId id : llvm::seq<CellId>(0, w.state.heap.size())) {
    CellRef held = w.state.heap.lookup(id);
    if (!held)
      continue;
    Cell changed = *held;
    bool any = replaceAll(changed.elements);
    for (auto &[name, value] : changed.attributes)
      if (std::optional<SpecValue> other = replaced(value)) {
        value = *other;
        any = true;
      }
    if (any)
      w.state.heap.set(id, std::move(changed));
  }
}

LogicalResult Walker::replaceTensor(const SpecValue &tensor, const SpecValue &by) {
  Replacement replacement(*this, tensor, by);
  if (failed(replacement.check()))
    return failure();
  replacement.run();
  return success();
}
