//===- Loops.h - One attempt to keep a loop a loop ---------------*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_LOOPS_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_LOOPS_H

#include "Join.h"

namespace torchlite::tl::specialize {

/// Walks the body of a `tl.loop` until the state at its head takes in the state at its end.
class LoopAttempt : public Join {
public:
  LoopAttempt(Walker &walker, const LoopEntry &loop, bool canUnroll);

  /// The leaf behind the loop, or null with a reason: structure would be lost.
  OutcomePtr run();
  const std::string &getReason() const { return why; }
  mlir::Location getPlace() const { return whereLost; }
  /// The list or dict whose structure changes, if that was it.
  std::optional<CellId> getChangedCell() const { return changedCell; }
  /// Lists that are changed in the body, or indexed with what is not known.
  llvm::ArrayRef<CellId> getTouchedLists() const { return touched; }

private:
  /// One value that the loop carries.
  struct Carried {
    mlir::Value argument, initial, next;
    /// Dimensions whose size differs from trip to trip.
    llvm::SmallVector<bool> varies;
  };

  //===--- The join ----------------------------------------------------------===//

  std::optional<mlir::Value> merge(mlir::Value before, mlir::Value after) override;
  std::optional<mlir::Value> mergeCarried(Carried &c, mlir::Value next);
  mlir::Value read(State &side, const SpecValue &tensor) override;
  bool isCommon(CellId id) const override { return head.heap.lookup(id) && !own.contains(id); }
  bool isVisible(const TensorRef &ref) const override;
  bool isOwn(CellId id) const override { return own.contains(id); }
  std::optional<CellId> addCell(Cell cell) override;
  mlir::Operation *joinedBy() const override { return written; }
  void noteChange() override { changed = true; }
  /// A loop that can be unrolled is, as then everything is known in each trip.
  bool makesOptionals() const override { return !canUnroll; }
  std::string differ(const llvm::Twine &a, const llvm::Twine &b) const override {
    return ("a value is " + a + " before a trip of the loop and " + b + " after it").str();
  }
  bool joinCell(CellId id);
  bool joinStates(llvm::ArrayRef<SpecValue> yielded);
  std::set<std::pair<CellId, CellId>> aliases() const;

  //===--- The walk ----------------------------------------------------------===//

  enum class Round { Lost, Changed, Settled };
  void begin();
  Round walkOnce();
  OutcomePtr abandon();
  OutcomePtr runRounds();
  /// What the arguments' new types and sizes make of names and of the heap.
  void refreshTypes();
  SpecValue refresh(const SpecValue &value) const;
  void setSizes(Carried &c, mlir::Value value);
  void beginEpochs();

  //===--- The finished loop -------------------------------------------------===//

  OutcomePtr finish();
  void buildLoop();
  void keepBoxes();
  SpecValue substitute(const SpecValue &value);
  mlir::Value substitute(mlir::Value value);

  Carried *find(mlir::Value argument);

  LoopOp written;
  /// The values of the loop's names at the head of its body.
  llvm::SmallVector<SpecValue> headValues;
  SpecValue trip, condition, next;
  /// How many trips were walked in front of the loop.
  int64_t first;
  /// With identities: the argument that counts trips, or null.
  mlir::Value epoch;
  mlir::Location whereLost;
  bool canUnroll;
  std::optional<CellId> changedCell;
  llvm::SmallVector<CellId> touched;
  /// Of what the loop carries, boxes may hold so much.
  unsigned boxed = 0;

  LoopOp loop;
  mlir::Block *parent = nullptr, *body = nullptr;
  mlir::Value tripValue, conditionValue;
  /// The state at the entry; at the head of the body; at its end.
  State entry, head, end;
  CellId watermark = 0;
  size_t knownProblems = 0;
  llvm::SmallVector<Carried> values;
  /// Cells that stand for what a name refers to from trip to trip.
  llvm::SetVector<CellId> own;
  /// Cells whose contents are carried.
  llvm::DenseSet<CellId> joinedCells;
  std::set<std::pair<CellId, CellId>> knownAliases;
  llvm::MapVector<mlir::Value, mlir::Type> newTypes;
  bool changed = false;
};

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_LOOPS_H
