//===- Link.cpp - tl-link -------------------------------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"

namespace torchlite::tl {
#define GEN_PASS_DEF_LINKPASS
#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h.inc"
} // namespace torchlite::tl

using namespace mlir;
using namespace torchlite::tl;

namespace {

class LinkPass : public torchlite::tl::impl::LinkPassBase<LinkPass> {
  void runOnOperation() override;
  LogicalResult reach(Operation *from, FlatSymbolRefAttr symbol);
  LogicalResult reachAll(Operation *op);
  LogicalResult reachMethod(MethodOp method);
  LogicalResult callMethod(StringAttr name);

  const SymbolTable *symbols = nullptr;
  llvm::SetVector<Operation *> reached;
  /// Methods are found by name: what is called, and the methods of the classes reached so far that
  /// nobody has called yet.
  DenseSet<StringAttr> calledMethods;
  DenseMap<StringAttr, SmallVector<MethodOp>> waitingMethods;
};

} // namespace

LogicalResult LinkPass::reach(Operation *from, FlatSymbolRefAttr symbol) {
  Operation *target = symbols->lookup(symbol.getAttr());
  if (!target)
    return from->emitError("expected a definition of ") << symbol;
  reached.insert(target);
  return success();
}

LogicalResult LinkPass::reachMethod(MethodOp method) {
  if (calledMethods.contains(method.getNameAttr()))
    return reach(method, method.getFunctionAttr());
  waitingMethods[method.getNameAttr()].push_back(method);
  return success();
}

LogicalResult LinkPass::callMethod(StringAttr name) {
  if (!calledMethods.insert(name).second)
    return success();
  LogicalResult result = success();
  for (MethodOp method : waitingMethods.lookup(name))
    if (failed(reach(method, method.getFunctionAttr())))
      result = failure();
  return result;
}

/// Everything that the attributes and types of an operation and of those inside of it name.
LogicalResult LinkPass::reachAll(Operation *op) {
  LogicalResult result = success();
  op->walk([&](Operation *inner) {
    auto visit = [&](auto attrOrType) {
      attrOrType.walk([&](FlatSymbolRefAttr symbol) {
        if (failed(reach(inner, symbol)))
          result = failure();
      });
    };
    // Not every method of a class is needed because the class is.
    if (auto method = dyn_cast<MethodOp>(inner)) {
      if (failed(reachMethod(method)))
        result = failure();
      return;
    }
    for (NamedAttribute attr : inner->getAttrs())
      visit(attr.getValue());
    for (Type type : inner->getResultTypes())
      visit(type);
    for (Region &region : inner->getRegions())
      for (Block &block : region)
        for (Type type : block.getArgumentTypes())
          visit(type);
    SmallVector<StringAttr> called;
    if (auto call = dyn_cast<CallMethodOp>(inner))
      called.push_back(call.getMethodAttr());
    // `with` calls these.
    if (isa<EnterOp, ExitOp>(inner))
      for (StringRef name : {"__enter__", "__exit__"})
        called.push_back(StringAttr::get(op->getContext(), name));
    for (StringAttr name : called)
      if (failed(callMethod(name)))
        result = failure();
  });
  return result;
}

void LinkPass::runOnOperation() {
  ModuleOp module = getOperation();
  SymbolTable table(module);
  symbols = &table;
  auto root = module->getAttrOfType<FlatSymbolRefAttr>("tl.root");
  auto object = root ? table.lookup<ObjectOp>(root.getAttr()) : ObjectOp();
  if (!object) {
    emitError(module.getLoc(), "expected the module attribute 'tl.root' to name a tl.object");
    return signalPassFailure();
  }
  reached.clear();
  calledMethods.clear();
  waitingMethods.clear();
  reached.insert(object);
  auto rootClass =
      SymbolTable::lookupNearestSymbolFrom<ClassOp>(module, object.getType().getClassName());
  for (auto method : rootClass.getBody().getOps<MethodOp>())
    if (method.getExported() && failed(reach(method, method.getFunctionAttr())))
      return signalPassFailure();

  LogicalResult result = success();
  for (size_t done = 0; done < reached.size(); ++done)
    if (failed(reachAll(reached[done])))
      result = failure();
  if (failed(result))
    return signalPassFailure();

  for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
    if (reached.contains(&op))
      continue;
    if (isa<SymbolOpInterface>(op) || isa<func::FuncOp>(op))
      op.erase();
  }
  SymbolTable left(module);
  // A class that stays names no method that went.
  for (auto classOp : module.getOps<ClassOp>())
    for (auto method : llvm::make_early_inc_range(classOp.getBody().getOps<MethodOp>()))
      if (!left.lookup(method.getFunctionAttr().getAttr()))
        method.erase();
}
