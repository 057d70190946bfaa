//===- DeferChecks.cpp - Checks on the device's values wait for its end ---===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_DEFERCHECKS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

/// The one boolean that a check reads from the device, or null: `tensor.extract %flag[]` of what a
/// structured operation has computed, read for nothing else.
tensor::ExtractOp readOf(tl::CheckOp check) {
  auto read = check.getCondition().getDefiningOp<tensor::ExtractOp>();
  if (!read || read->getBlock() != check->getBlock() || !read.getIndices().empty() ||
      !read.getTensor().getDefiningOp<linalg::LinalgOp>())
    return {};
  return llvm::all_of(read->getUsers(), llvm::IsaPred<tl::CheckOp>) ? read : tensor::ExtractOp();
}

bool isStatic(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return !shaped || shaped.hasStaticShape();
}

/// Whether an integer division by zero could come of what a check was to prevent.
bool mayDivideByZero(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::FloorDivSIOp,
             arith::CeilDivSIOp, arith::CeilDivUIOp>(op) &&
         !matchPattern(op->getOperand(1), m_Constant());
}

/// Whether the index is computed from elements of tensors, and not from positions alone.
bool dependsOnElements(Value index, linalg::LinalgOp root) {
  SmallVector<Value> worklist{index};
  DenseSet<Value> seen;
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    Operation *producer = value.getDefiningOp();
    if (!producer) {
      if (root->isAncestor(value.getParentBlock()->getParentOp()))
        return true;
      continue;
    }
    if (!root->isProperAncestor(producer))
      continue; // the host knows it
    if (isa<tensor::ExtractOp>(producer) || producer->getNumRegions())
      return true;
    llvm::append_range(worklist, producer->getOperands());
  }
  return false;
}

struct DeferChecks : impl::DeferChecksBase<DeferChecks> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr("tl.method") || !function.getBody().hasOneBlock())
      return;
    collect();
    if (checks.empty() || !mayDefer())
      return;
    for (tensor::ExtractOp access : gathers)
      clamp(access);
    moveToEnd();
    numDeferred += checks.size();
  }

private:
  void collect() {
    checks.clear();
    gathers.clear();
    for (auto check : getOperation().getBody().front().getOps<tl::CheckOp>())
      if (readOf(check))
        checks.push_back(check);
  }

  /// Whether everything after a check that fails ends all the same, and touches no memory that it
  /// may not. Fills `gathers`.
  bool mayDefer() {
    return !getOperation()
                .walk([&](Operation *op) {
                  return isHarmless(op) ? WalkResult::advance() : WalkResult::interrupt();
                })
                .wasInterrupted();
  }

  bool isHarmless(Operation *op) {
    if (!llvm::all_of(op->getResultTypes(), isStatic) || mayDivideByZero(op))
      return false;
    if (isa<tensor::InsertOp, scf::WhileOp>(op))
      return false;
    if (auto check = dyn_cast<tl::CheckOp>(op)) // Errors come in the order of the program.
      return llvm::is_contained(checks, check) ||
             (check->getBlock() == checks.front()->getBlock() &&
              check->isBeforeInBlock(checks.front()));
    auto read = dyn_cast<tensor::ExtractOp>(op);
    if (!read)
      return true;
    auto structured = read->getParentOfType<linalg::LinalgOp>();
    if (!structured) // The host reads: only what the checks themselves ask for.
      return llvm::any_of(checks, [&](tl::CheckOp check) { return readOf(check) == read; });
    bool fromElements = llvm::any_of(
        read.getIndices(), [&](Value index) { return dependsOnElements(index, structured); });
    if (!fromElements)
      return true;
    gathers.push_back(read);
    return llvm::none_of(read.getTensor().getType().getShape(),
                         [](int64_t size) { return size == 0; });
  }

  /// An index that a failed check would have refused reads some element or other.
  void clamp(tensor::ExtractOp access) {
    OpBuilder builder(access);
    Location loc = access.getLoc();
    auto structured = access->getParentOfType<linalg::LinalgOp>();
    for (auto [index, size] :
         llvm::zip(access.getIndicesMutable(), access.getTensor().getType().getShape())) {
      if (!dependsOnElements(index.get(), structured))
        continue;
      Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
      Value last = arith::ConstantIndexOp::create(builder, loc, size - 1);
      Value inside = arith::MaxSIOp::create(builder, loc, index.get(), zero);
      index.set(arith::MinSIOp::create(builder, loc, inside, last));
    }
  }

  /// One boolean tells whether all is well; only where it does not are the checks made one by one.
  void moveToEnd() {
    Operation *end = getOperation().getBody().front().getTerminator();
    OpBuilder builder(end);
    SmallVector<tensor::ExtractOp> reads;
    for (tl::CheckOp check : checks)
      if (tensor::ExtractOp read = readOf(check); !llvm::is_contained(reads, read))
        reads.push_back(read);
    if (reads.size() > 1) {
      Location loc = reads.front().getLoc();
      Value all = conjunction(builder, loc, reads);
      Value isWell = tensor::ExtractOp::create(builder, loc, all, ValueRange{});
      Value one = arith::ConstantIntOp::create(builder, loc, 1, 1);
      Value failed = arith::XOrIOp::create(builder, loc, isWell, one);
      auto branch = scf::IfOp::create(builder, loc, failed, /*withElseRegion=*/false);
      end = branch.thenBlock()->getTerminator();
    }
    for (tensor::ExtractOp read : reads)
      read->moveBefore(end);
    for (tl::CheckOp check : checks)
      check->moveBefore(end);
  }

  static Value conjunction(OpBuilder &builder, Location loc, ArrayRef<tensor::ExtractOp> reads) {
    auto type = RankedTensorType::get({}, builder.getI1Type());
    SmallVector<Value> flags;
    for (tensor::ExtractOp read : reads)
      flags.push_back(read.getTensor());
    Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
    SmallVector<AffineMap> maps(flags.size() + 1, builder.getMultiDimIdentityMap(0));
    return linalg::GenericOp::create(builder, loc, type, flags, empty, maps,
                                     ArrayRef<utils::IteratorType>(),
                                     [](OpBuilder &b, Location at, ValueRange arguments) {
                                       Value all = arguments.front();
                                       for (Value flag : arguments.drop_front().drop_back())
                                         all = arith::AndIOp::create(b, at, all, flag);
                                       linalg::YieldOp::create(b, at, all);
                                     })
        .getResult(0);
  }

  SmallVector<tl::CheckOp> checks;
  SmallVector<tensor::ExtractOp> gathers;
};

} // namespace
} // namespace torchlite::nvgpu
