//===- BindFrame.cpp - Entry functions take their values from the frame ---===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace torchlite {
#define GEN_PASS_DEF_BINDFRAME
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

bool isScalar(Type type) { return type.isInteger(64) || type.isF64() || type.isInteger(1); }

/// The contiguous memref that holds a tensor.
MemRefType bufferType(RankedTensorType type) {
  return MemRefType::get(type.getShape(), type.getElementType());
}

/// Records what each operand (result) of the function was, since the function loses its signature.
ArrayAttr describeSignature(Builder &builder, TypeRange types,
                            function_ref<DictionaryAttr(unsigned)> attributesOf) {
  SmallVector<Attribute> described;
  for (auto [index, type] : llvm::enumerate(types)) {
    NamedAttrList entry(attributesOf(index));
    entry.set("type", TypeAttr::get(type));
    described.push_back(entry.getDictionary(builder.getContext()));
  }
  return builder.getArrayAttr(described);
}

/// The last of the values' definitions in a block, or null.
Operation *lastDefinition(ValueRange values, Block *block) {
  Operation *last = nullptr;
  for (Value value : values)
    if (Operation *definition = value.getDefiningOp();
        definition && definition->getBlock() == block)
      if (!last || last->isBeforeInBlock(definition))
        last = definition;
  return last;
}

/// Moves the host's arithmetic up its block, so that results have their buffers before the
/// computations that could write into them. Checks move up as well, in their order: a size that a
/// check refuses is never asked a buffer for.
class Hoister {
public:
  explicit Hoister(Block &body) : body(body) {
    Operation *check = nullptr;
    for (Operation &op : body) {
      if (isa<tl::CheckOp>(op))
        check = &op;
      else if (check && readsAtPosition(&op))
        guards[&op] = check;
    }
  }

  void hoistChecks() {
    Operation *barrier = nullptr;
    for (Operation &op : llvm::make_early_inc_range(body)) {
      auto check = dyn_cast<tl::CheckOp>(op);
      if (check) {
        for (Value operand : check->getOperands())
          hoist(operand);
        place(check, latest(lastDefinition(check->getOperands(), &body), barrier));
      }
      if (check || !isMemoryEffectFree(&op))
        barrier = &op;
    }
  }

  /// Behind the sizes, and behind the checks that no computation stands in front of.
  void hoistOutput(rt::OutputOp output) {
    for (Value size : output.getSizes())
      hoist(size);
    Operation *anchor = lastDefinition(output.getSizes(), &body);
    Operation *next = anchor ? anchor->getNextNode() : &body.front();
    for (; isa<tl::CheckOp>(next) || isFree(next); next = next->getNextNode())
      if (isa<tl::CheckOp>(next))
        anchor = next;
    place(output, anchor);
  }

private:
  /// Whether a check may have to stand in front of the operation: its positions may not exist.
  static bool readsAtPosition(Operation *op) {
    if (auto extract = dyn_cast<tensor::ExtractOp>(op))
      return !extract.getIndices().empty();
    return isa<tensor::ExtractSliceOp>(op);
  }

  static bool isFree(Operation *op) { return !op->getNumRegions() && isMemoryEffectFree(op); }

  static Operation *latest(Operation *a, Operation *b) {
    return !a || (b && a->isBeforeInBlock(b)) ? b : a;
  }

  void place(Operation *op, Operation *after) {
    if (after)
      op->moveAfter(after);
    else
      op->moveBefore(&body, body.begin());
  }

  /// Moves the definition of `value` as far up as its own operands allow; each once.
  void hoist(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != &body || !isFree(op) || !hoisted.insert(op).second)
      return;
    for (Value operand : op->getOperands())
      hoist(operand);
    // Only now: to hoist one operand may move another one.
    place(op, latest(lastDefinition(op->getOperands(), &body), guards.lookup(op)));
  }

  Block &body;
  DenseMap<Operation *, Operation *> guards; // the check in front of what reads at positions
  DenseSet<Operation *> hoisted;
};

struct BindFrame : impl::BindFrameBase<BindFrame> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr("tl.method") || function.isExternal())
      return;
    if (!llvm::hasSingleElement(function.getBody())) {
      function.emitOpError("expected structured control flow, but got several blocks");
      return signalPassFailure();
    }
    OpBuilder builder(&getContext());
    function->setAttr("tl.operands",
                      describeSignature(builder, function.getArgumentTypes(), [&](unsigned index) {
                        return function.getArgAttrDict(index);
                      }));
    function->setAttr("tl.results",
                      describeSignature(builder, function.getResultTypes(), [&](unsigned index) {
                        return function.getResultAttrDict(index);
                      }));
    if (failed(bindResults(function)) || failed(bindArguments(function)))
      return signalPassFailure();
    function.removeArgAttrsAttr();
    function.removeResAttrsAttr();
    function.setType(builder.getFunctionType({}, {}));
  }

  LogicalResult bindArguments(func::FuncOp function) {
    Block &body = function.front();
    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    for (auto [index, argument] : llvm::enumerate(body.getArguments())) {
      Location loc = argument.getLoc();
      auto tensorType = dyn_cast<RankedTensorType>(argument.getType());
      if (!tensorType && !isScalar(argument.getType()))
        return function.emitOpError("expected argument ")
               << index << " to be a tensor, i64, f64 or i1, but got " << argument.getType();
      Type type = tensorType ? Type(bufferType(tensorType)) : argument.getType();
      Value value = rt::ArgOp::create(builder, loc, type, index);
      if (tensorType)
        value = bufferization::ToTensorOp::create(builder, loc, tensorType, value,
                                                  /*restrict=*/true, /*writable=*/false);
      argument.replaceAllUsesWith(value);
    }
    body.eraseArguments(0, body.getNumArguments());
    return success();
  }

  LogicalResult bindResults(func::FuncOp function) {
    auto terminator = cast<func::ReturnOp>(function.front().getTerminator());
    OpBuilder builder(terminator);
    SmallVector<rt::OutputOp> outputs;
    for (auto [index, value] : llvm::enumerate(terminator.getOperands())) {
      Location loc = value.getLoc();
      auto tensorType = dyn_cast<RankedTensorType>(value.getType());
      if (!tensorType) {
        if (!isScalar(value.getType()))
          return function.emitOpError("expected result ")
                 << index << " to be a tensor, i64, f64 or i1, but got " << value.getType();
        rt::ResultOp::create(builder, loc, index, value);
        continue;
      }
      SmallVector<Value> sizes;
      for (int64_t dim = 0; dim < tensorType.getRank(); ++dim)
        if (tensorType.isDynamicDim(dim))
          sizes.push_back(tensor::DimOp::create(builder, loc, value, dim));
      outputs.push_back(rt::OutputOp::create(builder, loc, bufferType(tensorType), index, sizes));
      bufferization::MaterializeInDestinationOp::create(builder, loc, /*result=*/Type(), value,
                                                        outputs.back().getResult(),
                                                        /*restrict=*/true, /*writable=*/true);
    }
    func::ReturnOp::create(builder, terminator.getLoc());
    terminator.erase();

    // Express sizes by what is known early, so that the buffer is there before the computation
    // that could write into it.
    bool isDynamic =
        llvm::any_of(outputs, [](rt::OutputOp output) { return !output.getSizes().empty(); });
    if (isDynamic) {
      RewritePatternSet patterns(&getContext());
      memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
      memref::populateResolveShapedTypeResultDimsPatterns(patterns);
      tensor::DimOp::getCanonicalizationPatterns(patterns, &getContext());
      if (failed(applyPatternsGreedily(function, std::move(patterns))))
        return failure();
    }
    Hoister hoister(function.front());
    if (isDynamic)
      hoister.hoistChecks();
    for (rt::OutputOp output : outputs)
      hoister.hoistOutput(output);
    return success();
  }
};

} // namespace
} // namespace torchlite
