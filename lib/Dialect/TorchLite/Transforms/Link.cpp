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

  llvm::SetVector<Operation *> reached;
  /// Methods are found by name: what is called, and on which classes.
  llvm::SetVector<StringAttr> calledMethods;
};

} // namespace

LogicalResult LinkPass::reach(Operation *from, FlatSymbolRefAttr symbol) {
  Operation *target = SymbolTable::lookupSymbolIn(getOperation(), symbol);
  if (!target)
    return from->emitError("expected a definition of ") << symbol;
  reached.insert(target);
  return success();
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
      if (calledMethods.contains(method.getNameAttr()) &&
          failed(reach(method, method.getFunctionAttr())))
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
    if (auto call = dyn_cast<CallMethodOp>(inner))
      calledMethods.insert(call.getMethodAttr());
    // `with` calls these.
    if (isa<EnterOp, ExitOp>(inner))
      for (StringRef name : {"__enter__", "__exit__"})
        calledMethods.insert(StringAttr::get(op->getContext(), name));
  });
  return result;
}

void LinkPass::runOnOperation() {
  ModuleOp module = getOperation();
  auto root = module->getAttrOfType<FlatSymbolRefAttr>("tl.root");
  auto object = root ? SymbolTable::lookupNearestSymbolFrom<ObjectOp>(module, root) : ObjectOp();
  if (!object) {
    emitError(module.getLoc(), "expected the module attribute 'tl.root' to name a tl.object");
    return signalPassFailure();
  }
  reached.clear();
  calledMethods.clear();
  reached.insert(object);
  auto rootClass =
      SymbolTable::lookupNearestSymbolFrom<ClassOp>(module, object.getType().getClassName());
  for (auto method : rootClass.getBody().getOps<MethodOp>())
    if (method.getExported() && failed(reach(method, method.getFunctionAttr())))
      return signalPassFailure();

  // Until neither operations nor method names are added.
  LogicalResult result = success();
  size_t methods = 0;
  for (size_t done = 0; done < reached.size() || methods != calledMethods.size();) {
    if (methods != calledMethods.size()) {
      methods = calledMethods.size();
      done = 0;
    }
    for (; done < reached.size(); ++done)
      if (failed(reachAll(reached[done])))
        result = failure();
    if (failed(result))
      return signalPassFailure();
  }

  for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
    if (reached.contains(&op))
      continue;
    if (isa<SymbolOpInterface>(op) || isa<func::FuncOp>(op))
      op.erase();
  }
  // A class that stays names no method that went.
  for (auto classOp : module.getOps<ClassOp>())
    for (auto method : llvm::make_early_inc_range(classOp.getBody().getOps<MethodOp>()))
      if (!SymbolTable::lookupSymbolIn(module, method.getFunctionAttr()))
        method.erase();
}
