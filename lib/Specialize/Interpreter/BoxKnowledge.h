//===- BoxKnowledge.h - What is known of boxes ------------------*- C++ -*-===//
//
// A box (docs/RunTimeValues.md) holds what the program's types say, except that these do not say
// what element type, rank and sizes tensors have. This is kept for each place of containers: a
// *form* for what may be there. Forms do not depend on the point of the program. Where two
// containers may be one, their forms are one, too; what is put into a container widens its form;
// loops are walked again until nothing widens any more. What comes out of a container is checked
// against its form at run time.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_BOXKNOWLEDGE_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_BOXKNOWLEDGE_H

#include "Heap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include <deque>
#include <map>

namespace torchlite::tl::specialize {

/// What may be at one place of containers.
struct Form {
  /// The form that this one has become one with, or null.
  Form *joined = nullptr;
  /// As written.
  mlir::Type type;
  /// What a list (1), dict (2), tuple or optional (1) is made of.
  llvm::SmallVector<Form *, 2> parts;

  /// Tensors that were put here; null before the first one.
  mlir::RankedTensorType tensor;
  /// They are of different ranks or element types.
  bool isMixed = false;
  Known contiguous = Known::Yes;
  bool given = false;
  /// What they are, and a place that stands for what comes out.
  Places places;
  CellId place = 0;
};

/// What one walk knows of boxes.
struct BoxKnowledge {
  std::deque<Form> forms;
  /// The forms of containers by the operation that makes them, or, where that is not known, that
  /// puts them into a box; and by their types.
  std::map<std::pair<mlir::Operation *, const void *>, Form *> bySite;
  /// Counts how often a form was widened.
  unsigned changes = 0;
  /// Places of tensors that boxes may hold.
  llvm::DenseSet<CellId> places;
  /// Operations as written whose lists and dicts are boxes from the beginning, and those that would
  /// have to be; and the operation that made a list or dict.
  llvm::DenseSet<mlir::Operation *> sites;
  llvm::SetVector<mlir::Operation *> newSites;
  llvm::DenseMap<CellId, mlir::Operation *> madeAt;
  /// An unrolling was given up in favour of boxes (Unroll.cpp); boxes did not help, so that it is
  /// to be gone on with.
  bool stoppedUnrolling = false, areLastResort = false;
};

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_BOXKNOWLEDGE_H
