//===- OutlineGroups.cpp - One function for each kernel group -------------===//
#include "TorchLite/Codegen/CPU/KernelEmitter.h"
#include "TorchLite/Codegen/CPU/Passes.h"
#include "TorchLite/Codegen/Common/Destinations.h"
#include "TorchLite/Codegen/Common/RowKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringMap.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_OUTLINEGROUPS
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

/// A scalar constant, or a tensor whose elements nobody reads (the window of a pooling).
bool isCheap(Operation *op) {
  if (isa<tensor::ExtractSliceOp, tensor::EmptyOp>(op))
    return true;
  auto constant = dyn_cast<arith::ConstantOp>(op);
  return constant && !isa<ShapedType>(constant.getType());
}

struct OutlineGroups : impl::OutlineGroupsBase<OutlineGroups> {
  using OutlineGroupsBase::OutlineGroupsBase;

  LogicalResult initialize(MLIRContext *context) override {
    info = lookupTargetInfo(target);
    if (info)
      return success();
    return emitError(UnknownLoc::get(context))
           << "expected target avx512, avx2, sse, neon or scalar, got '" << target << "'";
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable table(module);
    symbols = &table;
    known.clear();
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() && !function.isPrivate())
        functions.push_back(function);
    IRRewriter rewriter(&getContext());
    for (func::FuncOp function : functions) {
      // Results that are written into a larger tensor go there directly.
      if (failed(chooseDestinations(rewriter, function, OwnFills::All)))
        return signalPassFailure();
      for (bool reductions : {true, false}) {
        SmallVector<Operation *> roots;
        function.walk([&](linalg::LinalgOp op) {
          if ((op.getNumReductionLoops() > 0) == reductions)
            roots.push_back(op);
        });
        erased.clear();
        for (Operation *root : roots)
          if (!erased.contains(root) && !root->use_empty())
            outline(cast<linalg::LinalgOp>(root));
      }
    }
  }

private:
  void outline(linalg::LinalgOp root) {
    std::string reason;
    if (FailureOr<PlannedGroup> planned = planGroup(root, *info, reason); succeeded(planned)) {
      KernelGroup *group = &planned->group;
      SmallVector<Operation *> ops;
      if (group->init)
        ops.push_back(group->init->op);
      ops.push_back(root);
      if (group->epilogue)
        ops.push_back(group->epilogue->op);
      // Where the elements end up: the epilogue's own tensor, or what the root accumulates into.
      Operation *writer = group->epilogue ? ops.back() : ops.front();
      return outline(ops, cast<linalg::LinalgOp>(writer).getDpsInitOperand(0),
                     root->getName().stripDialect());
    }
    FailureOr<RowKernel> rows = matchRowKernel(root, reason);
    if (failed(rows))
      return;
    SmallVector<Operation *> ops(rows->ops.begin(), rows->ops.end());
    outline(ops, rows->destination(), "rows");
  }

  /// Moves `ops` into a function; `destination` is the tensor that the last of them replaces.
  void outline(SmallVector<Operation *> ops, OpOperand *destination, StringRef name) {
    Operation *last = ops.back();
    Value result = last->getResult(0);
    OpBuilder builder(last);
    Location loc = last->getLoc();
    if (auto empty = destination->get().getDefiningOp<tensor::EmptyOp>()) {
      builder.setInsertionPoint(destination->getOwner());
      destination->set(bufferization::AllocTensorOp::create(builder, loc, empty.getType(),
                                                            empty.getDynamicSizes()));
    }
    // Written into the middle of a buffer: the function gets, and returns, the whole buffer.
    if (result.hasOneUse())
      if (auto insert = dyn_cast<tensor::InsertSliceOp>(*result.getUsers().begin());
          insert && insert.getSource() == result && insert->getBlock() == last->getBlock() &&
          insert.getDest() != result) {
        auto slice = destination->get().getDefiningOp<tensor::ExtractSliceOp>();
        if (slice && slice.getSource() == insert.getDest()) {
          ops.push_back(insert);
          result = insert.getResult();
        }
      }

    // Cheap producers come along; everything else is an argument.
    llvm::SetVector<Operation *> inside(ops.begin(), ops.end());
    llvm::SetVector<Value> arguments;
    SmallVector<Operation *> cheap;
    for (unsigned next = 0; next < inside.size(); ++next) {
      Operation *op = inside[next];
      llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
      getUsedValuesDefinedAbove(op->getRegions(), used);
      for (Value value : used) {
        Operation *producer = value.getDefiningOp();
        if (producer && inside.contains(producer))
          continue;
        if (producer && isCheap(producer)) {
          inside.insert(producer);
          cheap.push_back(producer);
        } else {
          arguments.insert(value);
        }
      }
    }
    // Definitions before uses: cheap producers are found from their readers backwards.
    SmallVector<Operation *> ordered(llvm::reverse(cheap));
    llvm::append_range(ordered, ops);

    builder.setInsertionPointToEnd(getOperation().getBody());
    auto kernel = func::FuncOp::create(
        builder, loc, "tl_kernel",
        builder.getFunctionType(TypeRange(arguments.getArrayRef()), result.getType()));
    kernel.setPrivate();
    kernel.setNoInline(true);
    Block *entry = kernel.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    IRMapping mapping;
    mapping.map(arguments.getArrayRef(), entry->getArguments());
    SmallVector<Operation *> pending = ordered;
    // Insert operations only once their operands are there (a slice of a slice).
    while (!pending.empty()) {
      SmallVector<Operation *> later;
      for (Operation *op : pending) {
        llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
        getUsedValuesDefinedAbove(op->getRegions(), used);
        if (llvm::all_of(used, [&](Value value) { return mapping.contains(value); }))
          builder.clone(*op, mapping);
        else
          later.push_back(op);
      }
      pending = std::move(later);
    }
    func::ReturnOp::create(builder, loc, mapping.lookup(result));

    // Equal groups share one function: their texts are compared, less the name.
    std::string text;
    llvm::raw_string_ostream stream(text);
    kernel->print(stream, OpPrintingFlags().useLocalScope());
    auto [entryIt, isNew] = known.try_emplace(text, kernel);
    if (isNew) {
      kernel.setName(("tl_" + name).str());
      symbols->insert(kernel);
      ++numFunctions;
    } else {
      kernel->erase();
      kernel = entryIt->second;
    }
    ++numGroups;

    builder.setInsertionPointAfter(result.getDefiningOp());
    auto call = func::CallOp::create(builder, loc, kernel, arguments.getArrayRef());
    result.replaceAllUsesWith(call.getResult(0));
    for (Operation *op : llvm::reverse(ops))
      if (op->use_empty()) {
        erased.insert(op);
        op->erase();
      }
    for (bool changed = true; changed;) {
      changed = false;
      for (Operation *&op : cheap)
        if (op && op->use_empty()) {
          op->erase();
          op = nullptr;
          changed = true;
        }
    }
  }

  const TargetInfo *info = nullptr;
  SymbolTable *symbols = nullptr;
  DenseSet<Operation *> erased;
  llvm::StringMap<func::FuncOp> known;
};

} // namespace
} // namespace torchlite::cpu
