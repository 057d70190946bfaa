//===- Heap.h - What the program's names refer to ---------------*- C++ -*-===//
//
// The heap of the abstract interpreter: one cell for each mutable thing that a name of the program
// can refer to (the storage of tensors, lists, dicts, objects).
//
// The lattice of aliases. What happens at run time happens to *places*: the memory of one tensor,
// one list, one dict. A cell that the walk allocates stands for one place, its own. Where control
// flow joins, a name may stand for one of several; it then gets a cell of its own, a *joined* cell,
// with the set of the places that it can be. So for two cells of one kind
//
//   must alias    they are the same cell;
//   never alias   their sets of places have nothing in common;
//   may alias     otherwise.
//
// Sets of places are closed: the set of a cell that is joined of joined ones is the union of
// theirs, so that "may" is transitive exactly where it has to be (`j = a if c else b; k = j if d
// else z`: `k` may be `a` or `b`; `a` is never `b`). They are part of the cell, so they live
// through joins, loops, calls, containers and attributes as the cell does. A copy that PyTorch
// would not make for some strides
// (`reshape`) is a joined cell, too: its own place, or those of what it is made of.
//
// The invariant: a joined cell holds the value (the elements) that it would have whichever of its
// places it is. A write to a cell while another one that may alias it is still used would break it
// (Walker::checkPartners). The walk is then repeated with the arms of the conditional kept apart;
// where that is not possible, as in loops, with *identities*: numbers of the program at run time
// that are equal for two cells where they are one place, so that the write changes the other cell
// where they are (Identities.cpp). A cell that stands for parts of places, or for lists, has none;
// there the walk ends with an error that names both lines.
//
// `join` of two heaps is Join.h.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_HEAP_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_HEAP_H

#include "TorchLite/Specialize/Value.h"
#include <map>

namespace torchlite::tl::specialize {

struct Form;

/// A set of places, sorted. A place has the number of the cell that was allocated for it.
using Places = llvm::SmallVector<CellId, 2>;

/// A mutable thing of the program. Cells are immutable once they are in a heap: a write replaces
/// the cell, so that forks of the state share what they do not change.
struct Cell {
  enum class Kind { Storage, List, Dict, Object };
  Kind kind;

  /// Storage: the current value of the whole tensor. Lists whose length is not known: the buffer.
  mlir::Value value;
  /// Joined cells (see above): what they may be. Empty for others, which are themselves.
  Places places;
  /// Storages, where the walk tracks identities: an i64 that no other place has while this one is
  /// used. Null: for joined cells, not known; for others, the cell's number.
  mlir::Value identity;
  /// Storages that lie without gaps, as far as those that the method is called with do: the
  /// dimensions of the whole tensor from the outermost one in memory to the innermost.
  std::optional<llvm::SmallVector<int64_t, 4>> order = std::nullopt;
  /// Joined storages: it may be a view of a place, or a copy; it has no identity.
  bool isPart = false;

  /// Lists whose length is known only at run time (RunTimeLists.h): the length, null for others,
  /// and the storage of the element that stands for all.
  mlir::Value count;
  std::optional<CellId> elementStorage;
  /// Lists and dicts that live at run time (Boxes.h): the box, null for others, and what is known
  /// of what is in it.
  mlir::Value box;
  Form *form = nullptr;
  /// Lists and dicts: the operation, as written, that made it; or null.
  mlir::Operation *site = nullptr;
  /// List: elements; Dict: keys and values in turn.
  std::vector<SpecValue> elements;
  /// List: its element type; Dict: its type; as written.
  mlir::Type type;
  /// Storage: a constant of the program, which must not be written.
  bool isConstant = false;

  /// Object: its class, the `tl.object` it comes from (null if the program made it) and the values
  /// of the attributes that were read or written.
  mlir::FlatSymbolRefAttr className, object;
  std::map<std::string, SpecValue> attributes;
};
using CellRef = std::shared_ptr<const Cell>;

/// The cells of one point of the program, by number. Cheap to copy: forks share their cells.
class Heap {
public:
  /// The number behind the last cell.
  CellId size() const { return cells.size(); }
  /// The cell of a number, or null: not allocated here.
  CellRef lookup(CellId id) const { return id < cells.size() ? cells[id] : nullptr; }
  void set(CellId id, Cell cell) { set(id, std::make_shared<const Cell>(std::move(cell))); }
  void set(CellId id, CellRef cell);

  /// The places that a cell can be.
  Places places(CellId id) const;
  /// Adds to the places that a joined cell can be.
  void addPlaces(CellId id, llvm::ArrayRef<CellId> more);
  /// Whether two cells are two names of one place, or may be.
  bool mayAlias(CellId a, CellId b) const;
  /// The other cells that may alias this one.
  llvm::SmallVector<CellId> partners(CellId id) const;
  /// The joined cells.
  llvm::ArrayRef<CellId> joinedCells() const { return joined; }

private:
  std::vector<CellRef> cells;
  llvm::SmallVector<CellId> joined;
};

/// The union of two sets.
Places unite(llvm::ArrayRef<CellId> a, llvm::ArrayRef<CellId> b);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_HEAP_H
