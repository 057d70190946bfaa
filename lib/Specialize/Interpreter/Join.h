//===- Join.h - What two states make together -------------------*- C++ -*-===//
//
// One join for conditionals and loops. Two states come together at a point of the program: those
// behind the arms of a conditional (JoinArms.cpp), or those at the entry of a loop and at the end
// of its body (Loops.cpp). What is the same on both sides stays; SSA values that differ are merged
// into one (a result of the `tl.if`, an argument of the `tl.loop`'s body); names that stand for two
// tensors or containers get a joined cell (Heap.h). Structure (kinds, ranks, element types,
// lengths, keys) must agree.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_JOIN_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_JOIN_H

#include "Walker.h"

namespace torchlite::tl::specialize {

class Join {
public:
  /// `out` receives joined cells; it may be `left`.
  Join(Walker &walker, State &left, State &right, State &out)
      : w(walker), left(left), right(right), out(out) {}
  virtual ~Join() = default;

protected:
  //===--- What conditionals and loops do in their own way -------------------===//

  /// The SSA value of one that is `a` on the left and `b` on the right; null stands for a value
  /// that is never used. A null result: not known yet, but possible. Nothing, after `fail`: not
  /// possible.
  virtual std::optional<mlir::Value> merge(mlir::Value a, mlir::Value b) = 0;
  /// The current value of a tensor of one side, computed where that side can be seen from the join.
  virtual mlir::Value read(State &side, const SpecValue &tensor) = 0;
  /// Whether a cell is known on both sides under the same number.
  virtual bool isCommon(CellId id) const = 0;
  /// Whether a view of a common storage, as the left side knows it, can be used behind the join.
  virtual bool isVisible(const TensorRef &ref) const = 0;
  /// What was made of the same two before: their joined value.
  virtual std::optional<SpecValue> known(const SpecValue &, const SpecValue &) { return {}; }
  virtual void remember(const SpecValue &, const SpecValue &, const SpecValue &) {}
  /// A cell on the left that this join itself made, before: it takes more in.
  virtual bool isOwn(CellId) const { return false; }
  /// A new joined cell. Nothing: the structure agrees, and nothing is built yet.
  virtual std::optional<CellId> addCell(Cell cell) = 0;
  /// What an own cell stands for is less known than it was.
  virtual void noteChange() {}
  /// Whether None on one side and something else on the other become one optional value.
  virtual bool makesOptionals() const { return true; }
  /// A short cut for true on one side and false on the other.
  virtual std::optional<SpecValue> mergeFlags(bool, bool) { return {}; }
  /// The conditional or loop, as written.
  virtual mlir::Operation *joinedBy() const = 0;
  /// For messages: "the arms give %0 and %1", with the two sides' structures put in.
  virtual std::string differ(const llvm::Twine &a, const llvm::Twine &b) const = 0;

  //===--- The join ----------------------------------------------------------===//

  /// The value that is `a` on the left and `b` on the right; nothing, after `fail`, if there is
  /// none.
  std::optional<SpecValue> join(const SpecValue &a, const SpecValue &b);
  std::optional<std::vector<SpecValue>> joinAll(llvm::ArrayRef<SpecValue> a,
                                                llvm::ArrayRef<SpecValue> b);
  /// The contents of a cell that both sides know; `cell` is the left one and becomes the joined
  /// one.
  bool joinContents(CellId id, Cell &cell, const Cell &other);

  std::nullopt_t fail(const llvm::Twine &reason) {
    if (why.empty())
      why = reason.str();
    return std::nullopt;
  }
  /// Runs `use` in the state of a side.
  template <typename Use> auto inState(State &side, Use use) {
    std::swap(w.state, side);
    auto result = use();
    std::swap(w.state, side);
    return result;
  }

  Walker &w;
  State &left, &right, &out;
  std::string why;

private:
  std::optional<SpecValue> joinNumber(const SpecValue &a, const SpecValue &b);
  std::optional<SpecValue> joinOptional(const SpecValue &a, const SpecValue &b);
  std::optional<SpecValue> joinParts(const SpecValue &a, const SpecValue &b);
  std::optional<SpecValue> joinTensor(const SpecValue &a, const SpecValue &b);
  std::optional<SpecValue> joinContainer(const SpecValue &a, const SpecValue &b);
  std::optional<SpecValue> takeIn(const SpecValue &own, const SpecValue &tensor);
  std::optional<SpecValue> takeInElements(const SpecValue &own, const SpecValue &container);
  /// Lists whose length is known only at run time (or null: never used): `cell` becomes both.
  bool joinRunTimeLists(const Cell *x, const Cell *y, Cell &cell);
  /// Lists and dicts that live at run time.
  bool joinBoxes(const Cell *x, const Cell *y, Cell &cell);
  std::optional<SpecValue> joinTexts(const SpecValue &a, const SpecValue &b);
  /// Lists and dicts: the contents of `cell`, which is one of them.
  bool joinElementsInto(Cell &cell, const Cell *x, const Cell *y);
  /// The elements of two lists or dicts, either of which may be null (never used).
  std::optional<std::vector<SpecValue>> joinElements(const Cell *x, const Cell *y);
  Places placesOf(const TensorRef *x, const TensorRef *y) const;
  // Identities.cpp
  /// What the identity of a storage is that is one on the left and another on the right; null where
  /// that is not known.
  std::optional<mlir::Value> joinIdentities(const TensorRef *x, const TensorRef *y);
  bool isPart(State &side, const TensorRef *ref) const;
  /// The identity of an own cell that stands for one tensor more.
  bool takeInIdentity(Cell &cell, const TensorRef &own, const TensorRef &other);
};

/// Whether two tensors are the same view of the same storage; with `ifContiguous`, where the
/// tensors that the method is called with are contiguous.
bool sameView(const TensorRef &a, const TensorRef &b, bool ifContiguous = false);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_JOIN_H
