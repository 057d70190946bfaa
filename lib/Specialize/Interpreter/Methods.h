//===- Methods.h - One method for one signature and state -------*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_METHODS_H
#define TORCHLITE_LIB_SPECIALIZE_METHODS_H

#include "TorchLite/Dialect/TorchLite/Transforms/Signature.h"
#include "Walker.h"
#include "llvm/ADT/StringMap.h"

namespace torchlite::tl::specialize {

/// How the state of an instance looks between two calls: one structure (as in Signature.h) per
/// state attribute, then one type per state storage.
using StateSignature = mlir::ArrayAttr;

/// What is taken as dynamic in the state, by the path of the leaf.
struct StateWidening {
  std::set<std::string> scalars;
  std::map<std::string, llvm::SmallVector<bool>> dims;
  /// Lists that are of another length from call to call (RunTimeLists.h).
  std::set<std::string> lists;
  /// Where the structure of the state says what shares memory (StateAliases.cpp).
  std::set<std::string> aliases;
  /// Too many structures: what is written in place and shares memory is refused.
  bool ignoresAliases = false;
};

/// The elements of a list, tuple or dict, or null if the structure is not one.
mlir::ArrayAttr member(mlir::Attribute structure, llvm::StringRef name);

/// A key of a dict as part of a leaf's path.
std::string keyText(mlir::Attribute key);
/// The type of the tensor that {list_of = [element]} stands for.
mlir::RankedTensorType listOfType(mlir::Attribute element);

/// The leaves of a structure with their paths: "h", "h.0", "h.key".
void forEachLeaf(mlir::Attribute structure, const std::string &path,
                 llvm::function_ref<void(const std::string &path, mlir::Attribute leaf)> use);

/// A method compiled for one signature and one state.
struct Variant {
  MethodSignature signature;
  unsigned stateIn = 0;
  mlir::func::FuncOp function;
  mlir::Attribute result;
  StateSignature stateOut;
};

/// What the walk of a method gives beside the function.
struct MethodResult {
  Variant variant;
  std::vector<Problem> problems;
  /// The method raises whatever it is given: what the function does, too.
  std::optional<Problem> alwaysRaises;
  llvm::SetVector<std::pair<mlir::Attribute, mlir::Attribute>> newStateAttributes;
  llvm::SetVector<mlir::Attribute> newStateStorages;
  /// State leaves, lists and dicts that share memory when the method returns, two by two, without
  /// that the structure says so; and those that it writes in place.
  std::set<std::pair<std::string, std::string>> aliasedLeaves;
  std::set<std::string> writtenLeaves;
  /// State leaves, lists and dicts that are another one's from this call on: from where, to where.
  std::set<std::pair<std::string, std::string>> movedLeaves;
};

/// Paths of the state's attributes and storages, in the order of a state signature.
llvm::SmallVector<std::string> statePaths(Program &program);

/// The state that the archive holds, and the constants of its leaves by path.
mlir::FailureOr<StateSignature> initialState(Program &program, const StateWidening &widening,
                                             std::map<std::string, mlir::Attribute> &initial);

/// Builds the function `name` for a method. `variant.function` is null if there were problems.
MethodResult specializeMethod(Program &program, const MethodSignature &signature,
                              mlir::func::FuncOp method, StateSignature state,
                              const StateWidening &widening, llvm::StringRef name);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_METHODS_H
