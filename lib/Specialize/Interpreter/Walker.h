//===- Walker.h - The forward walk of tl-specialize -------------*- C++ -*-===//
//
// An abstract interpreter that rebuilds one method for one signature as it walks the program as
// written. See docs/Architecture.md and the pass description.
//
//   Walker.cpp       the walk over operations, calls, failures
//   Language.cpp     constants, attributes, containers, exceptions
//   Aliasing.cpp     storages, views, writes
//   Fallback.cpp     operators that are called through LibTorch
//   Identities.cpp   which storage is which at run time
//   Objects.cpp      constants, objects of the archive, tensors of storages
//   Heap.h           cells, and which of them may be one
//   Join.h           what two states make together
//   JoinArms.cpp     the join behind a conditional
//   ControlFlow.cpp  tl.if, outcomes and tails
//   Optionals.cpp    values that are None or not
//   Loops.cpp        tl.loop: fixpoint; Unroll.cpp, Peel.cpp: trips apart
//   Methods.cpp      arguments, results and state of one method
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_WALKER_H
#define TORCHLITE_LIB_SPECIALIZE_WALKER_H

#include "BoxKnowledge.h"
#include "Heap.h"
#include "TorchLite/Dialect/TorchLite/Transforms/OperatorOracle.h"
#include "TorchLite/Specialize/Rules.h"
#include "TorchLite/Specialize/Value.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <map>
#include <set>

namespace torchlite::tl::specialize {

//===----------------------------------------------------------------------===//
// Heap and state
//===----------------------------------------------------------------------===//

/// What the walk knows at one point of the program. Copied where control flow forks.
struct State {
  llvm::DenseMap<mlir::Value, SpecValue> env;
  Heap heap;
  /// Values of views by storage and chain, valid while the storage's value is `base`.
  struct CachedView {
    mlir::Value base, view;
  };
  std::map<std::pair<CellId, const ViewChain *>, CachedView> views;
  /// Sizes of tensors where they are known better than by the type.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::OpFoldResult>> sizes;
  /// Conditions that are known to hold or not to hold here.
  llvm::SmallVector<std::pair<mlir::Value, bool>> conditions;
  /// With identities: counts the trips of all loops so far (i64); null before the first one.
  mlir::Value epoch;
  /// Values that are known to be equal here (sizes, after a check), or equal to a constant.
  llvm::SmallVector<std::pair<mlir::Value, mlir::OpFoldResult>> equalities;
};

//===----------------------------------------------------------------------===//
// Outcomes
//===----------------------------------------------------------------------===//

/// How the walk of a block ended: at one point, at none (everything raised), or at several points
/// whose structures differ, each in an arm of a `tl.if` that is still open.
struct Outcome {
  enum class Kind { Leaf, Dead, Branch };
  Kind kind = Kind::Dead;

  /// Leaf.
  State state;
  mlir::Block *block = nullptr;
  llvm::SmallVector<SpecValue> yields;

  /// Branch.
  IfOp branch;
  CellId watermark = 0;
  std::unique_ptr<Outcome> thenOutcome, elseOutcome;
  std::string whyOpen;
};
using OutcomePtr = std::unique_ptr<Outcome>;

/// An error or a missing operator, found during the walk, reported at its end.
struct Problem {
  mlir::Location loc;
  std::string message;
  /// The operator that has no rule; empty for other errors.
  std::string missing;
  /// A second line that the message is about.
  std::optional<mlir::Location> other = std::nullopt;
  /// Why it cannot be in boxes (docs/RunTimeValues.md) either, and where.
  std::string notBoxed = "";
  std::optional<mlir::Location> notBoxedAt = std::nullopt;
};

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

/// What all methods and signatures of a module share.
struct Program {
  mlir::ModuleOp module;
  mlir::SymbolTableCollection symbols;
  mlir::FlatSymbolRefAttr root;
  /// Attributes (object, name) that some walk sets, and storages that some walk writes.
  llvm::SetVector<std::pair<mlir::Attribute, mlir::Attribute>> stateAttributes;
  llvm::SetVector<mlir::Attribute> stateStorages;
  /// Where each object and storage is first found from the root, for names.
  llvm::DenseMap<mlir::Attribute, std::string> objectPaths, storagePaths;
  /// All `#tl.tensor_ref` of a storage.
  llvm::DenseMap<mlir::Attribute, llvm::SetVector<mlir::Attribute>> storageViews;
  /// How many attributes (elements of lists, ...) refer to a storage.
  llvm::DenseMap<mlir::Attribute, unsigned> storageUses;
  /// Whether a tensor's memory is that of another attribute, too.
  bool isShared(TensorRefAttr ref) const {
    return stateStorages.contains(ref.getStorage()) || storageUses.lookup(ref.getStorage()) > 1;
  }

  ObjectOp lookupObject(mlir::FlatSymbolRefAttr symbol);
  ClassOp lookupClass(mlir::FlatSymbolRefAttr symbol);
  StorageOp lookupStorage(mlir::FlatSymbolRefAttr symbol);
  mlir::func::FuncOp lookupFunction(mlir::FlatSymbolRefAttr symbol);
  /// What operators without a rule give; see Fallback.cpp.
  OperatorOracle oracle;
  std::map<std::string, std::pair<mlir::DictionaryAttr, std::string>> answers;
  /// Whether such operators are called: somebody may know what they give.
  bool callsOperators() const { return oracle || module->hasAttr("tl.operators"); }
  mlir::DictionaryAttr askOracle(llvm::StringRef name, mlir::ArrayAttr arguments, std::string &why);
  /// The operations as written that became calls.
  llvm::DenseSet<mlir::Operation *> called;

  /// Fills the paths and views. Fails if the module has no root.
  mlir::LogicalResult analyze();
};

//===----------------------------------------------------------------------===//
// Walker
//===----------------------------------------------------------------------===//

class LoopAttempt;

/// A loop at its entry, or behind the trips that were walked in front of it.
struct LoopEntry {
  LoopOp op;
  /// What it carries here.
  llvm::SmallVector<SpecValue> carried;
  /// How many trips it has at most, in all, and whether it has another one.
  SpecValue trip, condition;
  /// The number of trips that were walked.
  int64_t first = 0;
  /// Where it was unrolled into the arms of a conditional: the trips in all of them.
  std::shared_ptr<unsigned> tripsInArms;

  std::optional<int64_t> count() const { return trip.getInt(); }
  /// Whether it is known to end here.
  bool isOver() const { return (count() && *count() <= first) || condition.getBool() == false; }
};

class Walker {
public:
  Walker(Program &program, mlir::OpBuilder builder)
      : program(program), b(builder), structureLostAt(builder.getUnknownLoc()) {}

  //===--- Walker.cpp -------------------------------------------------------===//

  /// Walks a block from `it` on in the current state and at the builder's insertion point.
  OutcomePtr walkFrom(mlir::Block &block, mlir::Block::iterator it);
  /// Walks a function's body with the given arguments.
  OutcomePtr walkFunction(mlir::func::FuncOp function, llvm::ArrayRef<SpecValue> arguments,
                          mlir::Operation *call);
  SpecValue get(mlir::Value written);
  llvm::SmallVector<SpecValue> get(mlir::ValueRange written);
  void bind(mlir::Value written, SpecValue value) { state.env[written] = std::move(value); }
  void bind(mlir::ValueRange written, llvm::ArrayRef<SpecValue> values);
  /// The location of an operation as written, with the calls that led to it.
  mlir::Location locOf(mlir::Operation *op);
  /// Reports a problem at the current operation.
  mlir::LogicalResult error(const llvm::Twine &message);
  mlir::LogicalResult error(mlir::Location loc, const llvm::Twine &message);
  /// The current operation raises this message: it becomes a check that fails. The walk ends here.
  void raise(mlir::Location loc, llvm::StringRef message, mlir::ValueRange values = {});
  /// Structure that only unrolling keeps would be lost here; fails the walk of the enclosing loop.
  bool loseStructure(const llvm::Twine &reason);
  bool inLoopAttempt() const { return loopAttempts > 0; }
  /// Whether a cell was made in the body of the innermost loop attempt, and so is new in each trip.
  bool isMadeInLoop(CellId id) const { return id >= firstOfLoop && cell(id).places.empty(); }

  //===--- Aliasing.cpp -----------------------------------------------------===//

  /// A cell as it is here; one of the archive that was first seen elsewhere is as the archive holds
  /// it.
  CellRef cellRef(CellId id) const {
    if (CellRef here = state.heap.lookup(id))
      return here;
    auto it = pristine.find(id);
    return it == pristine.end() ? nullptr : it->second;
  }
  const Cell &cell(CellId id) const { return *cellRef(id); }
  /// Replaces a cell by a changed copy.
  Cell &change(CellId id);
  CellId allocate(Cell cell);
  SpecValue newTensor(mlir::Value value, Known contiguous = Known::Yes, bool given = true);
  SpecValue newList(std::vector<SpecValue> elements, mlir::Type elementType);
  SpecValue newDict(std::vector<SpecValue> keysAndValues, mlir::Type type);
  /// The same as a box (Boxes.h).
  SpecValue newBox(ValueKind kind, llvm::ArrayRef<SpecValue> elements, mlir::Type type);
  SpecValue viewOf(const SpecValue &tensor, llvm::ArrayRef<ViewStep> steps, Known contiguous);
  mlir::Value readTensor(const SpecValue &tensor);
  /// Every read passes by here, to see whether it finds a write that it would not find if the
  /// tensors that the method is called with were not contiguous.
  void noteRead(const TensorRef &ref);
  /// `copy` was made of `base` because that is not contiguous where what the method is called with
  /// is.
  void noteCopy(CellId copy, CellId base);
  /// Whether `copy` was made of `base`, or is the same memory, depends on strides that are not
  /// known.
  void noteMaybeCopy(CellId copy, CellId base);
  /// Writes a value of exactly the tensor's type. Fails with a message if the view cannot be
  /// written.
  mlir::LogicalResult writeTensor(const SpecValue &tensor, mlir::Value value);
  mlir::Value applyStep(const ViewStep &step, mlir::Value base);
  mlir::Value unapplyStep(const ViewStep &step, mlir::Value base, mlir::Value view);
  /// The value of a storage; constants of the archive are made when they are first read.
  mlir::Value storageValue(CellId id);
  /// To be called before a cell is written: fails, with an error that names both lines, if
  /// something that the program still uses may be the same, and identities cannot tell. `resolved`
  /// receives the cells that they tell of; null where they cannot be asked.
  mlir::LogicalResult checkPartners(CellId id, llvm::StringRef what,
                                    llvm::SmallVectorImpl<CellId> *resolved = nullptr);
  /// A write through a view of an expansion, which raises if it repeats elements.
  mlir::LogicalResult writeExpanded(const TensorRef &ref);
  /// Before an operator in place: raises where the tensor that it writes and another operand are
  /// different parts of one storage that overlap.
  mlir::LogicalResult checkOverlap(llvm::StringRef name, llvm::ArrayRef<SpecValue> operands);
  /// A storage has a new value: what is to be known of it.
  void setStorage(CellId id, mlir::Value value);
  /// To be called before a list or dict is changed: false, with an error, if that is not possible.
  bool mayChange(const SpecValue &container);
  /// Whether something that the program still uses may refer to the cell.
  bool isLive(CellId id);
  /// Whether a name as written is used behind the current operation, here or in a caller.
  bool isUsed(mlir::Value written);
  /// Whether a value leads to the cell, through containers and objects that were not seen yet.
  bool reaches(const SpecValue &value, CellId id, llvm::DenseSet<CellId> &seen) const;

  //===--- ReplaceTensor.cpp ------------------------------------------------===//

  /// Every name of the tensor object `tensor` means `by` from here on. Fails, with a message, where
  /// it is not known which these are.
  mlir::LogicalResult replaceTensor(const SpecValue &tensor, const SpecValue &by);

  //===--- Identities.cpp ---------------------------------------------------===//

  /// The identity of a storage; null if it is not known.
  mlir::Value identityOf(CellId id);
  /// The identity of a storage that is made here.
  mlir::Value newIdentity(CellId id);
  /// Whether identities can tell a cell from its partners: they are, or would be, known.
  bool canIdentify(CellId id, llvm::ArrayRef<CellId> partners);
  /// `id` was written and is now `value`: so is `partner`, where it is the same place.
  void writePartner(CellId id, CellId partner, mlir::Value value);

  //===--- Fallback.cpp -----------------------------------------------------===//

  /// Calls an operator through LibTorch, and binds its results; fails with the reason, or with a
  /// problem that has been reported.
  mlir::LogicalResult callOperator(AtenOp op, llvm::ArrayRef<SpecValue> arguments,
                                   std::string &why);

  //===--- Scalars and sizes (Sizes.cpp) ------------------------------------===//

  mlir::Value scalarValue(const SpecValue &number);
  mlir::Value constant(mlir::TypedAttr attr);
  /// Where what is made once for the whole call goes: every block sees it, and it sees constants.
  void setInsertionPointBehindConstants();
  /// Builds boxes there, which stay where an attempt at a loop is taken back.
  mlir::Value buildOnce(llvm::function_ref<mlir::Value()> build);
  /// At the end of the walk: those of them that only such attempts used.
  void eraseUnusedOfOnce();
  /// Some value of a type, where it is never used.
  mlir::Value anyValue(mlir::Type type);
  /// The box of a str; null if it has holes.
  mlir::Value textBox(const SpecValue &text);
  /// A tensor with a weaker static shape; the value itself if it is of that type.
  mlir::Value converted(mlir::Value value, mlir::Type type);
  mlir::Value dimOf(mlir::Value tensor, int64_t dim);
  mlir::OpFoldResult sizeOf(mlir::Value tensor, int64_t dim);
  llvm::SmallVector<mlir::OpFoldResult> sizesOf(mlir::Value tensor);
  Known equalSizes(mlir::OpFoldResult a, mlir::OpFoldResult b);
  void assumeEqual(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// What is known of a condition here.
  std::optional<bool> knownCondition(mlir::Value condition);
  void assume(mlir::Value condition, bool holds);

  //===--- Objects.cpp ------------------------------------------------------===//

  /// The abstract value of a constant or of an attribute's initial value, of type `type` as
  /// written.
  SpecValue fromAttribute(mlir::Attribute attr, mlir::Type type);
  SpecValue complexNumber(mlir::ArrayAttr parts, mlir::ComplexType type);
  SpecValue objectOf(mlir::FlatSymbolRefAttr symbol);
  SpecValue tensorOfArchive(TensorRefAttr ref);
  /// What a tensor is in the archive, if it still is what some attribute was there; null if it is
  /// not.
  TensorRefAttr archiveRef(const SpecValue &tensor);
  mlir::FailureOr<SpecValue> getAttribute(const SpecValue &object, llvm::StringRef name);
  mlir::LogicalResult setAttribute(const SpecValue &object, llvm::StringRef name,
                                   const SpecValue &value);
  bool isInstance(const SpecValue &value, mlir::Type type);

  //===--- ControlFlow.cpp, JoinArms.cpp, Loops.cpp -------------------------===//

  OutcomePtr walkIf(IfOp op);
  /// Walks both arms of a condition that is known only at run time, and joins them.
  OutcomePtr walkArms(mlir::Value condition, llvm::function_ref<OutcomePtr(bool)> walkArm);
  OutcomePtr walkLoop(LoopEntry loop);
  /// Closes open branches whose arms agree by now.
  void collapse(OutcomePtr &outcome);
  /// Joins the two leaves of a branch into one behind it; null, with the reason in `whyOpen`, if
  /// they do not agree.
  OutcomePtr join(Outcome &branch);
  /// Continues every leaf of an outcome.
  void forEachLeaf(OutcomePtr &outcome, llvm::function_ref<OutcomePtr(OutcomePtr)> next);
  OutcomePtr makeLeaf(llvm::SmallVector<SpecValue> yields);
  OutcomePtr makeDead() { return std::make_unique<Outcome>(); }
  /// Goes on at a leaf: takes over its state and insertion point.
  void enter(Outcome &leaf);

  //===--- State ------------------------------------------------------------===//

  Program &program;
  mlir::OpBuilder b;
  State state;
  /// The number of the next cell, common to all forks.
  CellId nextCell = 0;
  mlir::func::FuncOp function;
  /// Constants at the function's start.
  llvm::DenseMap<mlir::Attribute, mlir::Value> constants;
  std::vector<Problem> problems;
  /// What the method raises whatever it is given, for a warning.
  std::optional<Problem> alwaysRaises;
  /// Which writes are seen where holds only where the tensors that the method is called with are
  /// contiguous.
  bool reliesOnContiguity = false;
  /// Calls that led here: the operation and its location with callers.
  llvm::SmallVector<std::pair<mlir::Operation *, mlir::Location>> callStack;
  mlir::Operation *current = nullptr;
  /// The walk cannot go on here: an operation raised.
  bool dead = false;
  /// Some value is optional.
  bool hasOptionals = false;
  /// Conditions around the current point that are not decided.
  unsigned undecided = 0;
  /// The first cell that the innermost conditional or loop among them made.
  CellId firstOfUndecided = 0;
  unsigned loopAttempts = 0;
  /// The first cell that the innermost of them made.
  CellId firstOfLoop = 0;
  /// How many of these loops can be unrolled instead.
  unsigned unrollable = 0;
  /// A loop was to be unrolled, and whether it goes on is not known.
  bool unrollStopped = false;
  /// Of all loops that were unrolled into the arms of a conditional.
  unsigned tripsInArms = 0;
  /// Lists whose elements or lengths the loop attempt at hand does not know: candidates for
  /// RunTimeLists.h.
  llvm::SetVector<CellId> touchedLists;
  /// Boxes.h.
  BoxKnowledge boxes;
  llvm::DenseMap<mlir::Attribute, mlir::Value> textBoxes;
  llvm::DenseMap<CellId, mlir::Value> constantBoxes;
  llvm::SetVector<mlir::Operation *> builtOnce;
  /// Lists and dicts that the method is called with.
  llvm::DenseSet<CellId> argumentContainers;
  /// Numbers of pieces that are this for most sizes: what a loop is unrolled by that cannot be
  /// kept.
  llvm::DenseMap<mlir::Value, int64_t> usualCounts;
  /// The innermost loop attempt has failed, and why.
  std::optional<std::string> structureLost;
  mlir::Location structureLostAt;
  /// Attributes and storages that this walk found written but that are not state yet.
  llvm::SetVector<std::pair<mlir::Attribute, mlir::Attribute>> newStateAttributes;
  llvm::SetVector<mlir::Attribute> newStateStorages;
  /// Cells of archive objects and storages, made at first use; same in all forks.
  llvm::DenseMap<mlir::Attribute, CellId> archiveCells;
  llvm::DenseMap<CellId, mlir::Attribute> cellStorages;
  llvm::DenseMap<CellId, TensorRefAttr> cellTensors;
  llvm::DenseMap<mlir::Attribute, mlir::Value> archiveConstants;
  /// Lists and dicts of the archive: the object and attribute that hold them.
  llvm::DenseMap<CellId, std::pair<mlir::Attribute, mlir::Attribute>> archiveContainers;
  /// State leaves, lists and dicts: the cell that was made of each, and those that were written in
  /// place.
  llvm::DenseMap<CellId, std::string> stateCells;
  std::set<std::string> writtenStateLeaves;
  /// Storages that the caller can see: arguments and state.
  llvm::SmallVector<CellId> externalCells;
  /// Conditionals and block ends (as written) where arms are not joined: which tensor is written
  /// behind them depends on the arm; and loops whose first trip is an arm of its own. The walk
  /// finds more of them; the method is then walked again.
  llvm::DenseSet<mlir::Operation *> keepOpen;
  llvm::SetVector<mlir::Operation *> newKeepOpen;
  /// Identities are tracked; and the walk found that they are needed, and is to be repeated with
  /// them.
  bool tracksIdentities = false, needsIdentities = false;
  /// Where a cell came from that stands for one of several places: the operation as written (null:
  /// neither a conditional nor a loop), and its line.
  std::map<CellId, std::pair<mlir::Operation *, mlir::Location>> joinedAt;
  /// Cells of the archive as it holds them.
  std::map<CellId, CellRef> pristine;
  /// Chains whose address is a key of the view cache.
  std::vector<std::shared_ptr<const ViewChain>> keepAlive;

  /// A write, between the decisions on views before and after it, through a view with some of them.
  struct Write {
    unsigned after;
    llvm::SmallVector<unsigned> decisions;
  };
  llvm::DenseMap<CellId, llvm::SmallVector<Write>> writes;
  /// Storages that are two because something is not contiguous, which it may be where the tensors
  /// that the method is called with are not; and the decision.
  llvm::DenseMap<CellId, llvm::SmallVector<std::pair<CellId, unsigned>>> copies;
  unsigned lastDecision = 0;

private:
  SpecValue viewOfArchive(CellId whole, TensorRefAttr ref, Known contiguous);
  OutcomePtr walkLoopOfUnknowns(LoopOp op);
  OutcomePtr unroll(LoopEntry loop);
  /// With an error.
  bool goesOnInTooManyArms(const LoopEntry &loop);
  OutcomePtr keepLoop(const LoopEntry &loop);
  OutcomePtr peel(const LoopEntry &loop);
  OutcomePtr loseLoop(const LoopEntry &loop, const LoopAttempt &attempt);
  /// Walks the body for the trip at hand, whose number is known.
  OutcomePtr walkTrip(const LoopEntry &loop);
  /// Goes on at the end of a trip.
  void goOn(LoopEntry &loop, Outcome &leaf);
  void requireUsual(mlir::Value number, int64_t usual);
  bool makeListsRunTime(llvm::ArrayRef<CellId> touched);
  mlir::LogicalResult step(mlir::Operation *op);
  // Language.cpp
  mlir::LogicalResult step(ConstantOp op);
  mlir::LogicalResult step(GetAttrOp op);
  mlir::LogicalResult step(SetAttrOp op);
  mlir::LogicalResult step(HasAttrOp op);
  mlir::LogicalResult step(CreateObjectOp op);
  mlir::LogicalResult step(ListConstructOp op);
  mlir::LogicalResult step(ListUnpackOp op);
  mlir::LogicalResult step(TupleConstructOp op);
  mlir::LogicalResult step(TupleUnpackOp op);
  mlir::LogicalResult step(TupleIndexOp op);
  mlir::LogicalResult step(TupleSliceOp op);
  mlir::LogicalResult step(DictConstructOp op);
  mlir::LogicalResult step(UncheckedCastOp op);
  mlir::LogicalResult step(IsInstanceOp op);
  mlir::LogicalResult step(UninitializedOp op);
  mlir::LogicalResult step(RaiseOp op);
  mlir::LogicalResult step(PrintOp op);
  OutcomePtr walkCall(mlir::Operation *op);
  OutcomePtr walkMethod(llvm::StringRef name, llvm::ArrayRef<SpecValue> arguments,
                        mlir::Operation *op);
  OutcomePtr walkSymbol(mlir::FlatSymbolRefAttr symbol, llvm::ArrayRef<SpecValue> arguments,
                        mlir::Operation *op);
  /// Enters or leaves a context manager.
  OutcomePtr walkWith(mlir::Operation *op);
  OutcomePtr unknownResults(mlir::Operation *op);
  /// An operation other than a conditional, a loop or a call. False if it raised.
  bool stepAlone(mlir::Operation *op);
  SpecValue decided(const SpecValue &value);
  /// A condition that decides whether an operand of `op` is None, where `op` needs to know; or
  /// null.
  mlir::Value presenceFor(mlir::Operation *op);
  OutcomePtr walkByPresence(mlir::Operation *op, mlir::Value present);
  mlir::LogicalResult stepAten(AtenOp op);
  bool callInstead(AtenOp op, llvm::ArrayRef<SpecValue> operands, size_t first);
  mlir::LogicalResult stepUnruled(AtenOp op, llvm::ArrayRef<SpecValue> operands);
  mlir::LogicalResult applyRule(RuleContext &ctx, const Rule &rule,
                                llvm::SmallVectorImpl<SpecValue> &results);
  mlir::LogicalResult applyInPlace(RuleContext &ctx, const Rule &rule,
                                   llvm::SmallVectorImpl<SpecValue> &results);
  // OutVariants.cpp
  mlir::LogicalResult applyViewInPlace(RuleContext &ctx, const Rule &rule,
                                       llvm::SmallVectorImpl<SpecValue> &results);
  mlir::LogicalResult applyOut(AtenOp op, const Rule &rule, llvm::StringRef functional,
                               llvm::ArrayRef<SpecValue> operands,
                               llvm::SmallVectorImpl<SpecValue> &results);
  mlir::FailureOr<SpecValue> writeOut(RuleContext &ctx, const SpecValue &out,
                                      const SpecValue &result, bool isElementwise);
};

/// The elements of a strided view of a storage as an attribute; null if they cannot be read.
mlir::TypedAttr viewElements(StorageOp storage, TensorRefAttr ref);

/// Whether two SSA values are computed by the same pure operations from the same values.
bool sameComputation(mlir::Value a, mlir::Value b, unsigned depth = 8);
/// Whether an int cannot be negative: sizes, trip numbers, and what is made of them (sizes are far
/// from overflow).
bool isNonNegative(mlir::OpFoldResult size);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_WALKER_H
