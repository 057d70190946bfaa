//===- Importer.h - State of one import -------------------------*- C++ -*-===//
//
// One object translates one archive. Its parts, one file each:
//   Types.cpp      TorchScript types to `tl` types; classes are queued as they are seen
//   Values.cpp     constants and attribute values to attributes; the object graph
//   Storages.cpp   tensors to `#tl.tensor_ref` and `tl.storage`
//   Functions.cpp  methods and functions; calls, control flow
//   Nodes.cpp      every other node of a graph
//   Locations.cpp  source ranges to locations
// Every function that can fail has emitted its error when it does.
//
// These files are compiled with RTTI and exceptions, MLIR is not: they must not derive from
// polymorphic MLIR or LLVM classes, nor make them emit their virtual tables.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_IMPORT_TORCHSCRIPT_IMPORTER_H
#define TORCHLITE_LIB_IMPORT_TORCHSCRIPT_IMPORTER_H

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

#include "torch/csrc/jit/api/module.h"
#include "torch/csrc/jit/ir/ir.h"

namespace torchlite::import {

namespace jit = torch::jit;

class Importer {
public:
  explicit Importer(mlir::ModuleOp module);

  /// Imports the object, all that it refers to, and every method of its class as an exported one.
  mlir::LogicalResult importRoot(const jit::Module &root);

private:
  // Types.cpp.
  /// The type's translation; classes and interfaces are queued for import.
  mlir::FailureOr<mlir::Type> convertType(const c10::TypePtr &type, mlir::Location loc);
  mlir::FailureOr<mlir::Type> convertTypeUncached(const c10::TypePtr &type, mlir::Location loc);
  mlir::FailureOr<llvm::SmallVector<mlir::Type>> convertTypes(c10::ArrayRef<c10::TypePtr> types,
                                                              mlir::Location loc);
  /// Makes the queued classes; translating their attributes may queue more.
  mlir::LogicalResult importClass(const c10::ClassTypePtr &type);

  // Values.cpp.
  /// A value as an attribute. `path` says where it is (`encoder.weight`): it names storages and
  /// objects, and messages show it.
  mlir::FailureOr<mlir::Attribute> convertValue(const c10::IValue &value, const std::string &path,
                                                mlir::Location loc);
  mlir::FailureOr<mlir::ArrayAttr> convertValues(c10::ArrayRef<c10::IValue> values,
                                                 const std::string &path, mlir::Location loc);
  /// The symbol of the object, which is queued when first seen.
  mlir::FlatSymbolRefAttr getObject(const c10::intrusive_ptr<c10::ivalue::Object> &object,
                                    const std::string &path);
  mlir::LogicalResult importObject(const c10::intrusive_ptr<c10::ivalue::Object> &object);

  // Storages.cpp.
  mlir::FailureOr<mlir::Attribute> convertTensor(const at::Tensor &tensor, const std::string &path,
                                                 mlir::Location loc);
  mlir::FailureOr<mlir::Type> convertScalarType(c10::ScalarType type, const std::string &path,
                                                mlir::Location loc);

  // Functions.cpp.
  /// The symbol of the function, which is queued when first seen.
  mlir::FlatSymbolRefAttr getFunction(jit::Function &function);
  mlir::LogicalResult importFunction(jit::Function &function);
  mlir::LogicalResult importBlock(const jit::Block *block);
  mlir::LogicalResult importNode(const jit::Node *node);
  mlir::LogicalResult importIf(const jit::Node *node);
  mlir::LogicalResult importLoop(const jit::Node *node);
  mlir::LogicalResult importCallFunction(const jit::Node *node);
  mlir::LogicalResult importFork(const jit::Node *node);
  /// Inserts a cast where TorchScript's subtyping lets a value stand for one of another type.
  mlir::Value castTo(mlir::Value value, mlir::Type type, mlir::Location loc);
  mlir::Value getValue(const jit::Value *value) { return values.at(value); }
  llvm::SmallVector<mlir::Value> getOperands(const jit::Node *node);
  void bindResults(const jit::Node *node, mlir::Operation *op);

  // Nodes.cpp.
  /// Nodes without blocks that are not calls.
  mlir::LogicalResult importSimpleNode(const jit::Node *node, mlir::Location loc);
  mlir::LogicalResult importConstant(const jit::Node *node, mlir::Location loc);
  /// `tl.aten` for whatever has an operator schema.
  mlir::LogicalResult importOperator(const jit::Node *node, mlir::Location loc);

  // Locations.cpp.
  /// Where the user's Python says this; `functionLoc` where that is not recorded.
  mlir::Location convertLocation(const jit::SourceRange &range);
  /// Sets `functionLoc` to the first place that is known inside the block, else to `fallback`.
  void setFunctionLocation(const jit::Block *block, mlir::Location fallback);

  /// `name`, with a number where another symbol has it already.
  std::string makeSymbol(llvm::StringRef name);
  /// A builder at the end of the part of the module that `anchor` closes.
  mlir::OpBuilder before(mlir::Operation *anchor) { return mlir::OpBuilder(anchor); }

  mlir::ModuleOp module;
  mlir::MLIRContext *context;
  /// Where the operations of the function in work go.
  mlir::OpBuilder builder;
  mlir::Location unknown;
  /// Of the function in work.
  mlir::Location functionLoc;

  /// The module's parts, in order: classes, objects, storages, functions. Each is ended by an
  /// operation that is removed when all is imported.
  mlir::Operation *classesEnd = nullptr, *objectsEnd = nullptr, *storagesEnd = nullptr;

  llvm::StringSet<> symbols;
  /// What has been queued, in the order of the queues; import goes on until nothing is left.
  std::vector<c10::ClassTypePtr> classes;
  std::vector<c10::intrusive_ptr<c10::ivalue::Object>> objects;
  std::vector<jit::Function *> functions;

  std::unordered_map<std::string, c10::TypePtr> classNames;
  std::unordered_map<const c10::ivalue::Object *, std::string> objectNames;
  std::unordered_map<const jit::Function *, std::string> functionNames;
  std::unordered_map<c10::TypePtr, mlir::Type> types;
  /// Lists and dictionaries by identity: one that two attributes share cannot be expressed.
  std::unordered_map<const void *, std::string> containers;
  struct StorageInfo {
    std::string name;
    mlir::Type elementType;
  };
  std::unordered_map<const c10::StorageImpl *, StorageInfo> storages;
  std::unordered_map<const jit::Value *, mlir::Value> values;
  /// Whose addresses are keys above.
  std::vector<c10::IValue> keptAlive;
  const c10::ClassType *rootClass = nullptr;
};

} // namespace torchlite::import

#endif // TORCHLITE_LIB_IMPORT_TORCHSCRIPT_IMPORTER_H
