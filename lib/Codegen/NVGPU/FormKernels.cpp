//===- FormKernels.cpp - Operations on tensors that become one launch -----===//
#include "TorchLite/Codegen/Common/Destinations.h"
#include "TorchLite/Codegen/Common/KernelGroup.h"
#include "TorchLite/Codegen/Common/RowKernel.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "TorchLite/Dialect/Runtime/IR/MatrixOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_FORMKERNELS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

/// What is computed again in each kernel that reads it: it never reaches memory.
bool isCheap(Operation *op) {
  if (isa<tensor::EmptyOp>(op))
    return true;
  auto constant = dyn_cast<arith::ConstantOp>(op);
  return constant && !isa<ShapedType>(constant.getType());
}

struct FormKernels : impl::FormKernelsBase<FormKernels> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    IRRewriter rewriter(&getContext());
    // Results that are written into a larger tensor go there directly.
    if (failed(chooseDestinations(rewriter, function, OwnFills::All)))
      return signalPassFailure();
    // Reductions first: they take the elementwise operations around them along.
    for (bool reductions : {true, false}) {
      SmallVector<Operation *> roots;
      function.walk([&](Operation *op) {
        auto structured = dyn_cast<linalg::LinalgOp>(op);
        if (structured && structured.hasPureTensorSemantics() &&
            !op->getParentOfType<rt::KernelOp>() &&
            (structured.getNumReductionLoops() > 0) == reductions)
          roots.push_back(op);
      });
      erased.clear();
      for (Operation *root : roots)
        if (!erased.contains(root) && !root->use_empty())
          form(cast<linalg::LinalgOp>(root));
    }
    SmallVector<tensor::PadOp> pads;
    function.walk([&](tensor::PadOp pad) {
      if (!pad->getParentOfType<rt::KernelOp>())
        pads.push_back(pad);
    });
    for (tensor::PadOp pad : pads)
      if (pad->use_empty())
        pad->erase();
      else
        form(pad);
    SmallVector<Operation *> rows;
    function.walk([&](Operation *op) {
      if (isa<rt::ArgsortOp, rt::NonzeroOp, rt::ScanOp>(op) && !op->getParentOfType<rt::KernelOp>())
        rows.push_back(op);
    });
    for (Operation *op : rows)
      formRows(cast<DestinationStyleOpInterface>(op));
    SmallVector<rt::MatricesOp> matrices;
    function.walk([&](rt::MatricesOp op) {
      if (!op->getParentOfType<rt::KernelOp>())
        matrices.push_back(op);
    });
    for (rt::MatricesOp op : matrices)
      formMatrices(op);
  }

private:
  /// A sort, a scan or a search by itself.
  void formRows(DestinationStyleOpInterface op) {
    OpBuilder builder(op);
    Location loc = op->getLoc();
    SmallVector<Value> inputs, places;
    IRMapping mapping;
    for (OpOperand *operand : op.getDpsInputOperands())
      inputs.push_back(operand->get());
    Value init = op.getDpsInits().front();
    auto place = [&]() -> Value {
      if (auto empty = init.getDefiningOp<tensor::EmptyOp>())
        return bufferization::AllocTensorOp::create(builder, loc, empty.getType(),
                                                    empty.getDynamicSizes());
      return init;
    };
    places.push_back(place());
    auto sort = dyn_cast<rt::ArgsortOp>(*op);
    if (sort && !sortsInSharedMemory(sort)) {
      auto type = cast<RankedTensorType>(init.getType());
      SmallVector<Value> sizes;
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        if (type.isDynamicDim(dim))
          sizes.push_back(tensor::DimOp::create(builder, loc, init, dim));
      places.push_back(bufferization::AllocTensorOp::create(builder, loc, type, sizes));
    }
    auto kernel =
        rt::KernelOp::create(builder, loc, ValueRange(places).getTypes(),
                             builder.getStringAttr(op->getName().stripDialect()), inputs, places);
    Block *body = builder.createBlock(&kernel.getBody());
    for (Value input : inputs)
      mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
    for (Value output : places)
      body->addArgument(output.getType(), output.getLoc());
    auto outputs = body->getArguments().drop_front(inputs.size());
    mapping.map(init, outputs.front());
    SmallVector<Value> yielded(outputs.begin(), outputs.end());
    yielded.front() = builder.clone(*op, mapping)->getResult(0);
    rt::YieldOp::create(builder, loc, yielded);
    op->getResult(0).replaceAllUsesWith(kernel.getResult(0));
    op->erase();
    ++numKernels;
  }

  /// An algorithm on matrices by itself.
  void formMatrices(rt::MatricesOp op) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    SmallVector<Value> places(op.getOutputs());
    for (Value &place : places)
      if (auto empty = place.getDefiningOp<tensor::EmptyOp>())
        place = bufferization::AllocTensorOp::create(builder, loc, empty.getType(),
                                                     empty.getDynamicSizes());
    auto kernel = rt::KernelOp::create(builder, loc, ValueRange(places).getTypes(),
                                       builder.getStringAttr(rt::stringifyMatrixKind(op.getKind())),
                                       op.getInputs(), places);
    Block *body = builder.createBlock(&kernel.getBody());
    SmallVector<Value> arguments;
    for (Value operand : kernel->getOperands())
      arguments.push_back(body->addArgument(operand.getType(), operand.getLoc()));
    Operation *inner = builder.clone(*op);
    inner->setOperands(arguments);
    rt::YieldOp::create(builder, loc, inner->getResults());
    op.replaceAllUsesWith(kernel.getResults());
    op.erase();
    ++numKernels;
  }

  void form(linalg::LinalgOp root) {
    std::string reason;
    SmallVector<Operation *> ops;
    StringRef name = root->getName().stripDialect();
    if (auto generic = dyn_cast<linalg::GenericOp>(*root);
        generic && linalg::isaTransposeOpInterface(generic))
      name = "transpose";
    if (root.getNumReductionLoops()) {
      FailureOr<RowKernel> rows = matchRowKernel(root, reason);
      if (succeeded(rows)) {
        ops.assign(rows->ops.begin(), rows->ops.end());
        name = "rows";
      } else if (FailureOr<KernelGroup> group = matchKernelGroup(root, reason); succeeded(group)) {
        if (group->init && group->init->op->hasOneUse())
          ops.push_back(group->init->op);
        ops.push_back(root);
        if (group->epilogue)
          ops.push_back(group->epilogue->op);
      }
    }
    if (ops.empty())
      ops.push_back(root);
    form(ops, name);
  }

  /// A tensor of its own for the elements of a padded tensor.
  void form(tensor::PadOp pad) {
    OpBuilder builder(pad);
    SmallVector<OpFoldResult> sizes;
    ReifiedRankedShapedTypeDims reified;
    if (succeeded(reifyResultShapes(builder, pad, reified)))
      sizes = reified.front();
    Value empty =
        tensor::EmptyOp::create(builder, pad.getLoc(), sizes, pad.getResultType().getElementType());
    // The sizes of the new tensor may be known better.
    if (empty.getType() != pad.getType())
      empty = tensor::CastOp::create(builder, pad.getLoc(), pad.getType(), empty);
    wrap({pad}, {empty}, "pad");
  }

  /// The tensor outside of `ops` whose elements the last of them replaces.
  static OpOperand *destination(ArrayRef<Operation *> ops, unsigned result) {
    auto last = cast<linalg::LinalgOp>(ops.back());
    OpOperand *operand = last.getDpsInitOperand(result);
    while (Operation *producer = operand->get().getDefiningOp()) {
      if (!llvm::is_contained(ops, producer))
        break;
      auto inner = cast<linalg::LinalgOp>(producer);
      operand = inner.getDpsInitOperand(cast<OpResult>(operand->get()).getResultNumber());
    }
    return operand;
  }

  void form(ArrayRef<Operation *> ops, StringRef name) {
    SmallVector<Value> destinations;
    for (unsigned result = 0; result < ops.back()->getNumResults(); ++result)
      destinations.push_back(destination(ops, result)->get());
    wrap(ops, destinations, name);
  }

  /// Moves `ops` into a kernel; `destinations` are the tensors that the last of them replaces.
  void wrap(ArrayRef<Operation *> ops, ArrayRef<Value> destinations, StringRef name) {
    Operation *last = ops.back();
    OpBuilder builder(last);
    Location loc = last->getLoc();
    // Operations that come along, latest first, and what is passed.
    llvm::SetVector<Operation *> inside(ops.begin(), ops.end());
    llvm::SetVector<Value> inputs;
    for (unsigned next = 0; next < inside.size(); ++next) {
      Operation *op = inside[next];
      llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
      getUsedValuesDefinedAbove(op->getRegions(), used);
      for (Value value : used) {
        Operation *producer = value.getDefiningOp();
        if (producer && inside.contains(producer))
          continue;
        if (llvm::is_contained(destinations, value) && isDestinationOnly(value, inside))
          continue;
        // Padding is a matter of bounds: it is computed where it is read.
        if (producer && (isCheap(producer) || isa<tensor::PadOp>(producer)))
          inside.insert(producer);
        else
          inputs.insert(value);
      }
    }
    // A place of its own for each result, so that no two kernels fight for one.
    SmallVector<Value> places(destinations);
    for (Value &place : places)
      if (auto empty = place.getDefiningOp<tensor::EmptyOp>())
        place = bufferization::AllocTensorOp::create(builder, loc, empty.getType(),
                                                     empty.getDynamicSizes());
    auto kernel = rt::KernelOp::create(builder, loc, last->getResultTypes(),
                                       builder.getStringAttr(name), inputs.getArrayRef(), places);
    Block *body = builder.createBlock(&kernel.getBody());
    IRMapping mapping;
    for (Value input : inputs)
      mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
    SmallVector<std::pair<Value, Value>> outs;
    for (Value destination : destinations)
      outs.push_back({destination, body->addArgument(destination.getType(), destination.getLoc())});
    builder.setInsertionPointToStart(body);
    SmallVector<Operation *> pending(inside.begin(), inside.end());
    for (auto [value, argument] : outs)
      if (!mapping.contains(value))
        mapping.map(value, argument);
    while (!pending.empty()) {
      SmallVector<Operation *> later;
      for (Operation *op : llvm::reverse(pending)) {
        llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
        getUsedValuesDefinedAbove(op->getRegions(), used);
        if (llvm::all_of(used, [&](Value value) { return mapping.contains(value); }))
          builder.clone(*op, mapping);
        else
          later.push_back(op);
      }
      pending.assign(later.rbegin(), later.rend());
    }
    SmallVector<Value> results;
    for (Value result : last->getResults())
      results.push_back(mapping.lookup(result));
    rt::YieldOp::create(builder, loc, results);
    last->replaceAllUsesWith(kernel.getResults());
    for (Operation *op : llvm::reverse(ops))
      if (op->use_empty()) {
        erased.insert(op);
        op->erase();
      }
    ++numKernels;
  }

  /// Whether those inside use `value` for nothing but its place.
  static bool isDestinationOnly(Value value, const llvm::SetVector<Operation *> &inside) {
    return llvm::all_of(value.getUses(), [&](OpOperand &use) {
      Operation *owner = use.getOwner();
      bool isInside = llvm::any_of(inside, [&](Operation *op) { return op->isAncestor(owner); });
      auto structured = dyn_cast<linalg::LinalgOp>(owner);
      return !isInside || (structured && structured.isDpsInit(&use));
    });
  }

  DenseSet<Operation *> erased;
};

} // namespace
} // namespace torchlite::nvgpu
