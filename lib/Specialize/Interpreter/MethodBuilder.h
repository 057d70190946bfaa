//===- MethodBuilder.h - Operands and results of a method -------*- C++ -*-===//
//
// Between structures (attributes that say what a value is made of, see docs/Architecture.md) and
// the abstract values of a walk.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_METHODBUILDER_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_METHODBUILDER_H

#include "Methods.h"

namespace torchlite::tl::specialize {

/// A declared type without the optional around it.
mlir::Type unwrap(mlir::Type type);
/// A declared type as Python writes it.
std::string typeName(mlir::Type type);
/// Whether a structure may be passed for a declared type.
bool accepts(mlir::Type declared, mlir::Attribute structure);

/// Builds the operands and results of one function around a walk.
class MethodBuilder {
public:
  MethodBuilder(Walker &walker, const StateWidening &widening) : w(walker), widening(widening) {}

  /// A function operand that is not a constant.
  struct Operand {
    mlir::BlockArgument argument;
    std::string path;
    /// Tensors: the storage that holds it.
    std::optional<CellId> storage;
    bool isState;
  };

  SpecValue instantiate(mlir::Attribute structure, mlir::Type declared, const std::string &path,
                        bool isState);
  /// The structure of a value, and the SSA values of its leaves. Null, after an error, if a value
  /// cannot leave the program.
  mlir::Attribute describe(const SpecValue &value, const std::string &path, bool isState,
                           llvm::SmallVectorImpl<std::pair<std::string, mlir::Value>> &leaves,
                           llvm::StringRef what);

  void noteAliases(CellId storage, const std::string &path);
  bool requireApart(CellId storage, CellId other, const std::string &path,
                    const std::string &otherPath);
  SpecValue noteContainer(const SpecValue &container, const std::string &path, bool isState);

  // StateAliases.cpp
  /// The structure of a tensor of the state that shares its storage with other state; null if it
  /// does not, or if that cannot be said.
  mlir::Attribute
  describeShared(const TensorRef &ref, const std::string &path,
                 llvm::SmallVectorImpl<std::pair<std::string, mlir::Value>> &leaves);
  void noteArchiveContainer(CellId container);
  void noteMove(CellId cell, const std::string &path);
  /// The same of a list or dict.
  mlir::Attribute describeShared(CellId container, const std::string &path);
  std::optional<SpecValue> instantiateShared(mlir::Attribute structure, const std::string &path);

  Walker &w;
  const StateWidening &widening;
  llvm::SmallVector<Operand> operands;
  /// Lists and dicts that the caller passes, as they were at the entry.
  llvm::SmallVector<std::pair<CellId, CellRef>> containers;
  /// Storages of the state's tensors at the end, with the paths that hold them.
  std::map<CellId, std::string> finalStorages;
  /// The same of its lists and dicts.
  std::map<CellId, std::string> finalContainers;
  /// What the state has at the entry: tensors with the whole storage of a leaf, lists and dicts.
  std::map<std::string, SpecValue> stateValues;
  std::set<std::pair<std::string, std::string>> aliasedLeaves, movedLeaves;
};

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_METHODBUILDER_H
