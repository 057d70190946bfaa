//===- ShareMath.cpp - Mathematical functions used very often -------------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_SHAREMATH
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

/// Operations on vectors that become some ten others or more. On scalars they stay: loops of them
/// are left for LLVM to vectorise, which a call would prevent.
bool isLong(Operation *op) {
  return isa<math::ExpOp, math::ExpM1Op, math::LogOp, math::Log2Op, math::Log1pOp, math::TanhOp,
             math::ErfOp>(op) &&
         isa<VectorType>(op->getResult(0).getType());
}

struct ShareMath : impl::ShareMathBase<ShareMath> {
  using ShareMathBase::ShareMathBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    // Equal operations by name, type and flags.
    using Kind = std::tuple<StringAttr, Type, DictionaryAttr>;
    llvm::MapVector<Kind, SmallVector<Operation *>> uses;
    unsigned total = 0;
    module.walk([&](Operation *op) {
      if (!isLong(op))
        return;
      ++total;
      uses[{op->getName().getIdentifier(), op->getResult(0).getType(), op->getAttrDictionary()}]
          .push_back(op);
    });
    if (total < minTotal)
      return;
    SymbolTable symbols(module);
    for (auto &[kind, ops] : uses)
      if (ops.size() >= minUses)
        share(ops, symbols);
  }

private:
  /// Makes a function of the first of `ops` and calls of all.
  void share(ArrayRef<Operation *> ops, SymbolTable &symbols) {
    Operation *first = ops.front();
    Type type = first->getResult(0).getType();
    OpBuilder builder(&getContext());
    Location loc = getOperation().getLoc();
    auto function =
        func::FuncOp::create(builder, loc, ("tl_" + first->getName().stripDialect()).str(),
                             builder.getFunctionType({type}, {type}));
    function.setPrivate();
    function.setNoInline(true);
    symbols.insert(function, getOperation().getBody()->end());
    builder.setInsertionPointToStart(function.addEntryBlock());
    Operation *body = builder.clone(*first);
    body->setOperand(0, function.getArgument(0));
    func::ReturnOp::create(builder, loc, body->getResults());
    ++numFunctions;
    for (Operation *op : ops) {
      builder.setInsertionPoint(op);
      auto call = func::CallOp::create(builder, op->getLoc(), function, op->getOperands());
      op->replaceAllUsesWith(call);
      op->erase();
      ++numCalls;
    }
  }
};

} // namespace
} // namespace torchlite::cpu
