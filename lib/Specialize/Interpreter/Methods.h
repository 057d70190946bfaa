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
};

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
  /// State leaves that share memory with something else when the method returns, and leaves that it
  /// writes in place.
  std::set<std::string> aliasedLeaves, writtenLeaves;
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
