//===- Heap.cpp - What the program's names refer to -----------------------===//
#include "Heap.h"

#include "llvm/ADT/STLExtras.h"

using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

Places specialize::unite(llvm::ArrayRef<CellId> a, llvm::ArrayRef<CellId> b) {
  Places all;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

void Heap::set(CellId id, CellRef cell) {
  if (cells.size() <= id)
    cells.resize(id + 1);
  bool isJoined = cell && !cell->places.empty();
  if (isJoined != llvm::is_contained(joined, id)) {
    if (isJoined)
      joined.push_back(id);
    else
      llvm::erase(joined, id);
  }
  cells[id] = std::move(cell);
}

Places Heap::places(CellId id) const {
  CellRef cell = lookup(id);
  if (!cell || cell->places.empty())
    return {id};
  return cell->places;
}

void Heap::addPlaces(CellId id, llvm::ArrayRef<CellId> more) {
  Cell cell = *lookup(id);
  cell.places = unite(cell.places, more);
  set(id, std::move(cell));
}

bool Heap::mayAlias(CellId a, CellId b) const {
  if (a == b)
    return true;
  Places x = places(a), y = places(b);
  return llvm::any_of(x,
                      [&](CellId place) { return std::binary_search(y.begin(), y.end(), place); });
}

llvm::SmallVector<CellId> Heap::partners(CellId id) const {
  llvm::SmallVector<CellId> found;
  auto consider = [&](CellId other) {
    if (other != id && lookup(other) && !llvm::is_contained(found, other) && mayAlias(id, other))
      found.push_back(other);
  };
  // Of two cells that may alias, one at least is joined.
  for (CellId other : joined)
    consider(other);
  for (CellId place : places(id))
    consider(place);
  return found;
}
