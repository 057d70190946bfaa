//===- LowerRuntime.cpp - tlrt, allocations and checks to LLVM ------------===//
#include "LowerBoxes.h"
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Codegen/Common/Weights.h"
#include "TorchLite/Dialect/Runtime/IR/BoxOps.h"
#include "TorchLite/Dialect/Runtime/IR/OperatorOps.h"
#include "TorchLite/Dialect/Runtime/IR/RandomOps.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Path.h"

using namespace mlir;

std::string torchlite::describeLocation(Location loc) {
  if (auto file = dyn_cast<FileLineColLoc>(loc))
    return (llvm::sys::path::filename(file.getFilename().getValue()) + ":" + Twine(file.getLine()))
        .str();
  if (auto range = dyn_cast<FileLineColRange>(loc))
    return (llvm::sys::path::filename(range.getFilename().getValue()) + ":" +
            Twine(range.getStartLine()))
        .str();
  if (auto name = dyn_cast<NameLoc>(loc))
    return describeLocation(name.getChildLoc());
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return describeLocation(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string text = describeLocation(part); !text.empty())
        return text;
  return "";
}

namespace torchlite {
#define GEN_PASS_DEF_LOWERRUNTIME
#include "TorchLite/Codegen/Common/Passes.h.inc"

namespace {
using namespace mlir;

/// Rewrites one module. Everything becomes LLVM operations at once; memrefs are tied to their
/// descriptors by casts, which the conversion that follows folds away.
class Lowering : public BoxLowering {
public:
  Lowering(ModuleOp module, bool device)
      : BoxLowering(module.getContext()), device(device), module(module),
        converter(module.getContext(), options()) {
    addBoxConversion(converter);
  }

  LogicalResult run() {
    if (failed(checkParallelBodies()) || (device && failed(checkHostAccesses())))
      return failure();
    addFrames();
    SmallVector<Operation *> work;
    module.walk<WalkOrder::PreOrder>([&](Operation *op) {
      // What runs on the device has a lowering of its own.
      if (isa<gpu::GPUModuleOp>(op))
        return WalkResult::skip();
      if (isa_and_nonnull<rt::RuntimeDialect>(op->getDialect()) ||
          isa<memref::AllocOp, memref::DeallocOp, tl::CheckOp, gpu::LaunchFuncOp>(op))
        work.push_back(op);
      return WalkResult::advance();
    });
    for (Operation *op : work)
      if (failed(lower(op)))
        return failure();
    return success();
  }

private:
  LowerToLLVMOptions options() {
    LowerToLLVMOptions options(module.getContext());
    return options;
  }

  /// What runs on several threads can neither raise nor allocate.
  LogicalResult checkParallelBodies() {
    SymbolTable symbols(module);
    SmallVector<func::FuncOp> worklist;
    auto add = [&](StringRef name) {
      auto function = symbols.lookup<func::FuncOp>(name);
      if (function && parallelBodies.insert(function).second)
        worklist.push_back(function);
    };
    module.walk([&](rt::ParallelForOp op) { add(op.getBody()); });
    while (!worklist.empty()) {
      WalkResult result = worklist.pop_back_val().walk([&](Operation *op) {
        if (auto call = dyn_cast<func::CallOp>(op))
          add(call.getCallee());
        if (isa<memref::AllocOp, tl::CheckOp, rt::OutputOp, rt::ParallelForOp, rt::CallOperatorOp,
                rt::RandomOp>(op)) {
          op->emitError("not supported in a parallel region");
          return WalkResult::interrupt();
        }
        return WalkResult::advance();
      });
      if (result.wasInterrupted())
        return failure();
    }
    return success();
  }

  /// The host cannot reach the device's memory: all that touches it is a launch or a call of the
  /// runtime by now.
  LogicalResult checkHostAccesses() {
    WalkResult result = module.walk<WalkOrder::PreOrder>([](Operation *op) {
      if (isa<gpu::GPUModuleOp>(op))
        return WalkResult::skip();
      if (!isa<memref::LoadOp, memref::StoreOp, memref::CopyOp, memref::ReshapeOp,
               memref::AtomicRMWOp, memref::GetGlobalOp>(op))
        return WalkResult::advance();
      op->emitError("the host would access the device's memory here: ")
          << op->getName() << " is expected to be part of a kernel";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  /// Every function that may need the frame gets it as its first argument.
  void addFrames() {
    SymbolTable symbols(module);
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function.isExternal() || parallelBodies.contains(function))
        continue;
      (void)function.insertArgument(0, pointer, {}, function.getLoc());
    }
    module.walk([&](func::CallOp call) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      if (!callee || callee.isExternal() || parallelBodies.contains(callee))
        return;
      call->insertOperands(0, frameOf(call));
    });
  }

  Value frameOf(Operation *op) override {
    return op->getParentOfType<func::FuncOp>().getArgument(0);
  }

  Value constant(Location loc, int64_t value) override {
    return LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(value));
  }
  /// The address `bytes` behind `base`.
  Value advance(Location loc, Value base, int64_t bytes) {
    if (!bytes)
      return base;
    return LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
  }
  Value load(Location loc, Type type, Value base, int64_t bytes) override {
    return LLVM::LoadOp::create(builder, loc, type, advance(loc, base, bytes));
  }
  void store(Location loc, Value value, Value base, int64_t bytes) override {
    LLVM::StoreOp::create(builder, loc, value, advance(loc, base, bytes));
  }
  const LLVMTypeConverter &typeConverter() override { return converter; }
  Value cast(Location loc, Type type, Value value) override {
    if (value.getType() == type)
      return value;
    return UnrealizedConversionCastOp::create(builder, loc, type, value).getResult(0);
  }

  /// A contiguous memref at `data`, with the given dynamic sizes.
  Value makeMemRef(Location loc, MemRefType type, Value data, ArrayRef<Value> sizes) override {
    auto descriptor = MemRefDescriptor::poison(builder, loc, converter.convertType(type));
    descriptor.setAllocatedPtr(builder, loc, data);
    descriptor.setAlignedPtr(builder, loc, data);
    descriptor.setConstantOffset(builder, loc, 0);
    Value stride = constant(loc, 1);
    size_t dynamic = sizes.size();
    for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
      Value size = type.isDynamicDim(dim) ? sizes[--dynamic] : constant(loc, type.getDimSize(dim));
      descriptor.setSize(builder, loc, dim, size);
      descriptor.setStride(builder, loc, dim, stride);
      if (dim)
        stride = LLVM::MulOp::create(builder, loc, stride, size);
    }
    return cast(loc, type, descriptor);
  }

  int64_t elementBytes(MemRefType type) override {
    Type element = type.getElementType();
    if (auto complex = dyn_cast<ComplexType>(element))
      return 2 * llvm::divideCeil(complex.getElementType().getIntOrFloatBitWidth(), 8);
    return element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  }

  LLVM::LLVMFuncOp runtimeFunction(StringRef name, Type result, ArrayRef<Type> arguments) override {
    if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
      return known;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    auto function = LLVM::LLVMFuncOp::create(builder, module.getLoc(), name,
                                             LLVM::LLVMFunctionType::get(result, arguments));
    function.setVisibility_(LLVM::Visibility::Hidden);
    function.setDsoLocal(true);
    return function;
  }

  Type voidType() { return LLVM::LLVMVoidType::get(module.getContext()); }

  /// The address of a constant text, shared between equal ones.
  Value textAddress(Location loc, StringRef text) override {
    LLVM::GlobalOp &global = texts[text];
    if (!global) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(module.getBody());
      std::string bytes = text.str();
      bytes.push_back('\0');
      auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size());
      global = LLVM::GlobalOp::create(
          builder, module.getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal,
          ("tl_text" + Twine(texts.size() - 1)).str(), builder.getStringAttr(bytes));
      global.setUnnamedAddr(LLVM::UnnamedAddr::Global);
    }
    return LLVM::AddressOfOp::create(builder, loc, global);
  }

  /// Memory on the stack for the time of the function.
  Value stackSlot(Location loc, Type type, int64_t count, Operation *at) override {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(
        &at->getParentOfType<FunctionOpInterface>().getFunctionBody().front());
    return LLVM::AllocaOp::create(builder, loc, pointer, type, constant(loc, count));
  }

  LogicalResult lower(Operation *op) {
    builder.setInsertionPoint(op);
    if (rt::isBoxOp(op))
      return lowerBox(op);
    if (auto arg = dyn_cast<rt::ArgOp>(op))
      return lowerArg(arg);
    if (auto output = dyn_cast<rt::OutputOp>(op))
      return lowerOutput(output);
    if (auto result = dyn_cast<rt::ResultOp>(op))
      return lowerResult(result);
    if (auto arena = dyn_cast<rt::ArenaOp>(op)) {
      Value data = load(op->getLoc(), pointer, frameOf(op), 16);
      return replace(op, makeMemRef(op->getLoc(), memRefType(arena.getType()), data, {}));
    }
    if (auto weights = dyn_cast<rt::WeightsOp>(op))
      return lowerWeights(weights);
    if (auto parallel = dyn_cast<rt::ParallelForOp>(op))
      return lowerParallelFor(parallel);
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return lowerAlloc(alloc);
    if (auto dealloc = dyn_cast<memref::DeallocOp>(op))
      return lowerDealloc(dealloc);
    if (auto check = dyn_cast<tl::CheckOp>(op))
      return lowerCheck(check);
    if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
      return lowerLaunch(launch);
    if (auto copy = dyn_cast<rt::CopyOp>(op))
      return lowerCopy(copy);
    if (auto read = dyn_cast<rt::ReadOp>(op))
      return lowerRead(read);
    if (auto call = dyn_cast<rt::CallOperatorOp>(op))
      return lowerCallOperator(call);
    if (auto result = dyn_cast<rt::OperatorResultOp>(op))
      return lowerOperatorResult(result);
    if (auto release = dyn_cast<rt::OperatorReleaseOp>(op))
      return lowerOperatorRelease(release);
    if (auto random = dyn_cast<rt::RandomOp>(op))
      return lowerRandom(random);
    return op->emitError("cannot lower to LLVM");
  }

  static MemRefType memRefType(Type type) { return mlir::cast<MemRefType>(type); }

  LogicalResult replace(Operation *op, Value value) {
    op->replaceAllUsesWith(ValueRange(value));
    op->erase();
    return success();
  }

  LogicalResult lowerArg(rt::ArgOp op) {
    Location loc = op.getLoc();
    int64_t slot = 16 * op.getIndex();
    Value args = load(loc, pointer, frameOf(op), 0);
    if (auto type = dyn_cast<MemRefType>(op.getType())) {
      Value data = load(loc, pointer, args, slot);
      SmallVector<Value> sizes;
      if (type.getNumDynamicDims()) {
        Value all = load(loc, pointer, args, slot + 8);
        for (int64_t dim = 0; dim < type.getRank(); ++dim)
          if (type.isDynamicDim(dim))
            sizes.push_back(load(loc, i64, all, 8 * dim));
      }
      return replace(op, makeMemRef(loc, type, data, sizes));
    }
    if (!op.getType().isInteger(1))
      return replace(op, load(loc, op.getType(), args, slot));
    Value number = load(loc, i64, args, slot);
    return replace(
        op, LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, number, constant(loc, 0)));
  }

  LogicalResult lowerOutput(rt::OutputOp op) {
    Location loc = op.getLoc();
    auto type = memRefType(op.getType());
    int64_t rank = type.getRank();
    Value sizes = stackSlot(loc, i64, std::max<int64_t>(rank, 1), op);
    SmallVector<Value> dynamicSizes;
    for (int64_t dim = 0; dim < rank; ++dim) {
      Value size;
      if (type.isDynamicDim(dim)) {
        size = cast(loc, i64, op.getSizes()[dynamicSizes.size()]);
        dynamicSizes.push_back(size);
      } else {
        size = constant(loc, type.getDimSize(dim));
      }
      store(loc, size, sizes, 8 * dim);
    }
    auto function = runtimeFunction("tl_rt_output", pointer, {pointer, i64, i64, pointer, i64});
    Value data = LLVM::CallOp::create(builder, loc, function,
                                      ValueRange{frameOf(op), constant(loc, op.getIndex()),
                                                 constant(loc, rank), sizes,
                                                 constant(loc, elementBytes(type))})
                     .getResult();
    return replace(op, makeMemRef(loc, type, data, dynamicSizes));
  }

  LogicalResult lowerResult(rt::ResultOp op) {
    Location loc = op.getLoc();
    Value results = load(loc, pointer, frameOf(op), 8);
    Value value = op.getValue();
    if (value.getType().isInteger(1))
      value = LLVM::ZExtOp::create(builder, loc, i64, value);
    store(loc, value, results, 16 * op.getIndex());
    op.erase();
    return success();
  }

  LogicalResult lowerWeights(rt::WeightsOp op) {
    if (device) {
      // Uploaded once; the frame says where to.
      Value base = load(op.getLoc(), pointer, frameOf(op), 32);
      if (op.getOffset())
        base = LLVM::GEPOp::create(builder, op.getLoc(), pointer, builder.getI8Type(), base,
                                   ArrayRef<LLVM::GEPArg>{constant(op.getLoc(), op.getOffset())});
      return replace(op, makeMemRef(op.getLoc(), memRefType(op.getType()), base, {}));
    }
    auto blob = module.lookupSymbol<LLVM::GlobalOp>(weightsSymbol);
    if (!blob) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(module.getBody());
      auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), getWeightsBytes(module));
      blob = LLVM::GlobalOp::create(builder, module.getLoc(), type, /*isConstant=*/true,
                                    LLVM::Linkage::External, weightsSymbol, Attribute(),
                                    /*alignment=*/64);
      blob.setVisibility_(LLVM::Visibility::Hidden);
      blob.setDsoLocal(true);
    }
    Value base = LLVM::AddressOfOp::create(builder, op.getLoc(), blob);
    // Constant addresses are shared by what follows; 64-bit offsets, since blobs can be large.
    Value data = base;
    if (op.getOffset())
      data = LLVM::GEPOp::create(builder, op.getLoc(), pointer, builder.getI8Type(), base,
                                 ArrayRef<LLVM::GEPArg>{constant(op.getLoc(), op.getOffset())});
    return replace(op, makeMemRef(op.getLoc(), memRefType(op.getType()), data, {}));
  }

  /// The product of sizes that are not known. Where it overflows, it is more than there is, so that
  /// the allocation fails: sizes are checked before, this is the last line.
  Value getBytes(Location loc, int64_t fixed, ArrayRef<Value> sizes) {
    Value bytes = constant(loc, fixed);
    Type resultType =
        LLVM::LLVMStructType::getLiteral(module.getContext(), {i64, builder.getI1Type()});
    for (Value size : sizes) {
      // Unsigned: a negative size is a large one.
      Value product = LLVM::UMulWithOverflowOp::create(builder, loc, resultType, bytes, size);
      Value overflows = LLVM::ExtractValueOp::create(builder, loc, product, 1);
      bytes = LLVM::ExtractValueOp::create(builder, loc, product, 0);
      bytes = LLVM::SelectOp::create(builder, loc, overflows, constant(loc, INT64_MAX), bytes);
    }
    return bytes;
  }

  LogicalResult lowerAlloc(memref::AllocOp op) {
    Location loc = op.getLoc();
    MemRefType type = op.getType();
    if (!type.getLayout().isIdentity())
      return op.emitError("expected a contiguous buffer, but got ") << type;
    SmallVector<Value> sizes;
    for (Value size : op.getDynamicSizes())
      sizes.push_back(cast(loc, i64, size));
    int64_t fixed = elementBytes(type);
    for (int64_t size : type.getShape())
      fixed *= ShapedType::isDynamic(size) ? 1 : size;
    Value bytes = getBytes(loc, fixed, sizes);
    auto function = runtimeFunction("tl_rt_alloc", pointer, {pointer, i64});
    Value data =
        LLVM::CallOp::create(builder, loc, function, ValueRange{frameOf(op), bytes}).getResult();
    return replace(op, makeMemRef(loc, type, data, sizes));
  }

  LogicalResult lowerDealloc(memref::DeallocOp op) {
    Location loc = op.getLoc();
    auto type = op.getMemref().getType();
    if (!isa<MemRefType>(type))
      return op.emitError("expected a ranked memref");
    Value descriptor = cast(loc, converter.convertType(type), op.getMemref());
    Value data = MemRefDescriptor(descriptor).allocatedPtr(builder, loc);
    auto function = runtimeFunction("tl_rt_free", voidType(), {pointer, pointer});
    LLVM::CallOp::create(builder, loc, function, ValueRange{frameOf(op), data});
    op.erase();
    return success();
  }

  LogicalResult lowerCheck(tl::CheckOp op) {
    Location loc = op.getLoc();
    Block *before = op->getBlock();
    Block *after = before->splitBlock(op->getNextNode());
    Block *raise = builder.createBlock(after);
    builder.setInsertionPoint(op);
    cf::CondBranchOp::create(builder, loc, op.getCondition(), after, ValueRange(), raise,
                             ValueRange());
    builder.setInsertionPointToStart(raise);
    std::string message = op.getMessage().str();
    if (std::string where = describeLocation(loc); !where.empty())
      message += " (" + where + ")";
    Value values = LLVM::ZeroOp::create(builder, loc, pointer);
    if (!op.getValues().empty())
      values = stackSlot(loc, i64, op.getValues().size(), op);
    for (auto [index, value] : llvm::enumerate(op.getValues())) {
      Value number = value;
      if (value.getType().isInteger(1))
        number = LLVM::ZExtOp::create(builder, loc, i64, value);
      else if (value.getType().isF64())
        number = LLVM::FPToSIOp::create(builder, loc, i64, value);
      store(loc, number, values, 8 * index);
    }
    auto function = runtimeFunction("tl_rt_raise", voidType(), {pointer, pointer, pointer, i64});
    function.setPassthroughAttr(builder.getStrArrayAttr({"noreturn", "cold"}));
    Value text = textAddress(loc, message);
    LLVM::CallOp::create(
        builder, loc, function,
        ValueRange{frameOf(op), text, values, constant(loc, op.getValues().size())});
    LLVM::UnreachableOp::create(builder, loc);
    op.erase();
    return success();
  }

  /// The operands travel in a struct on the stack; a function of the runtime's form unpacks them.
  LogicalResult lowerParallelFor(rt::ParallelForOp op) {
    Location loc = op.getLoc();
    SmallVector<Type> fields;
    for (Type type : op.getOperands_().getTypes()) {
      Type converted = converter.convertType(type);
      if (!converted)
        return op.emitError("cannot pass a value of type ") << type << " to a parallel region";
      fields.push_back(converted);
    }
    auto contextType = LLVM::LLVMStructType::getLiteral(module.getContext(), fields);
    Value context = stackSlot(loc, contextType, 1, op);
    auto field = [&](Value base, unsigned index) -> Value {
      return LLVM::GEPOp::create(builder, loc, pointer, contextType, base,
                                 ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(index)});
    };
    for (auto [index, value] : llvm::enumerate(op.getOperands_()))
      LLVM::StoreOp::create(builder, loc, cast(loc, fields[index], value), field(context, index));
    Value count = cast(loc, i64, op.getCount());
    Value frame = frameOf(op);

    std::string name = (op.getBody() + "_range").str();
    auto range = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
    if (!range) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToEnd(module.getBody());
      range = LLVM::LLVMFuncOp::create(builder, loc, name,
                                       LLVM::LLVMFunctionType::get(voidType(), {pointer, i64, i64}),
                                       LLVM::Linkage::Internal);
      range.setDsoLocal(true);
      Block *entry = range.addEntryBlock(builder);
      builder.setInsertionPointToStart(entry);
      SmallVector<Value> operands{cast(loc, builder.getIndexType(), entry->getArgument(1)),
                                  cast(loc, builder.getIndexType(), entry->getArgument(2))};
      for (auto [index, value] : llvm::enumerate(op.getOperands_())) {
        Value loaded =
            LLVM::LoadOp::create(builder, loc, fields[index], field(entry->getArgument(0), index));
        operands.push_back(cast(loc, value.getType(), loaded));
      }
      func::CallOp::create(builder, loc, op.getBody(), TypeRange(), operands);
      LLVM::ReturnOp::create(builder, loc, ValueRange());
    }
    auto function =
        runtimeFunction("tl_rt_parallel_for", voidType(), {pointer, pointer, pointer, i64});
    Value body = LLVM::AddressOfOp::create(builder, loc, range);
    LLVM::CallOp::create(builder, loc, function, ValueRange{frame, body, context, count});
    op.erase();
    return success();
  }

  /// The address of the first element of a buffer.
  Value addressOf(Location loc, Value buffer) {
    auto type = mlir::cast<MemRefType>(buffer.getType());
    MemRefDescriptor descriptor(cast(loc, converter.convertType(type), buffer));
    Value data = descriptor.alignedPtr(builder, loc);
    Value offset = descriptor.offset(builder, loc);
    return LLVM::GEPOp::create(builder, loc, pointer, converter.convertType(type.getElementType()),
                               data, ArrayRef<LLVM::GEPArg>{offset});
  }

  /// Kernels are known by their number in their module; each argument is stored on the stack.
  LogicalResult lowerLaunch(gpu::LaunchFuncOp op) {
    Location loc = op.getLoc();
    auto kernels = module.lookupSymbol<gpu::GPUModuleOp>(op.getKernelModuleName());
    Operation *kernel = kernels ? kernels.lookupSymbol(op.getKernelName()) : nullptr;
    if (!kernel)
      return op.emitError("expected a kernel ") << op.getKernel();
    int64_t number = 0;
    for (Operation &other : *kernels.getBody()) {
      if (&other == kernel)
        break;
      number += other.hasAttr(gpu::GPUDialect::getKernelFuncAttrName());
    }
    auto storeAll = [&](ArrayRef<Value> values) {
      Value slot = stackSlot(loc, i64, values.size(), op);
      for (auto [index, value] : llvm::enumerate(values))
        store(loc, cast(loc, i64, value), slot, 8 * index);
      return slot;
    };
    Value grid = storeAll({op.getGridSizeX(), op.getGridSizeY(), op.getGridSizeZ()});
    Value block = storeAll({op.getBlockSizeX(), op.getBlockSizeY(), op.getBlockSizeZ()});
    Value shared = constant(loc, 0);
    if (Value bytes = op.getDynamicSharedMemorySize())
      shared = LLVM::ZExtOp::create(builder, loc, i64, bytes);
    size_t count = op.getNumKernelOperands();
    Value parameters = stackSlot(loc, pointer, std::max<size_t>(count, 1), op);
    for (auto [index, operand] : llvm::enumerate(op.getKernelOperands())) {
      Value value = isa<MemRefType>(operand.getType())
                        ? addressOf(loc, operand)
                        : cast(loc, converter.convertType(operand.getType()), operand);
      Value slot = stackSlot(loc, value.getType(), 1, op);
      LLVM::StoreOp::create(builder, loc, value, slot);
      store(loc, slot, parameters, 8 * index);
    }
    Type i32 = builder.getI32Type();
    auto function =
        runtimeFunction("tl_rt_launch", voidType(), {pointer, i32, pointer, pointer, i64, pointer});
    Value index = LLVM::ConstantOp::create(builder, loc, i32, builder.getI32IntegerAttr(number));
    LLVM::CallOp::create(builder, loc, function,
                         ValueRange{frameOf(op), index, grid, block, shared, parameters});
    op.erase();
    return success();
  }

  /// Bytes that a contiguous buffer takes.
  Value byteCount(Location loc, Value buffer) {
    auto type = mlir::cast<MemRefType>(buffer.getType());
    MemRefDescriptor descriptor(cast(loc, converter.convertType(type), buffer));
    Value bytes = constant(loc, elementBytes(type));
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      bytes = LLVM::MulOp::create(builder, loc, bytes,
                                  type.isDynamicDim(dim) ? descriptor.size(builder, loc, dim)
                                                         : constant(loc, type.getDimSize(dim)));
    return bytes;
  }

  LogicalResult lowerCopy(rt::CopyOp op) {
    Location loc = op.getLoc();
    auto function = runtimeFunction("tl_rt_copy", voidType(), {pointer, pointer, pointer, i64});
    LLVM::CallOp::create(builder, loc, function,
                         ValueRange{frameOf(op), addressOf(loc, op.getTarget()),
                                    addressOf(loc, op.getSource()),
                                    byteCount(loc, op.getSource())});
    op.erase();
    return success();
  }

  LogicalResult lowerRead(rt::ReadOp op) {
    Location loc = op.getLoc();
    auto type = memRefType(op.getBuffer().getType());
    MemRefDescriptor descriptor(cast(loc, converter.convertType(type), op.getBuffer()));
    Value offset = descriptor.offset(builder, loc);
    for (auto [dim, index] : llvm::enumerate(op.getIndices())) {
      Value step = LLVM::MulOp::create(builder, loc, cast(loc, i64, index),
                                       descriptor.stride(builder, loc, dim));
      offset = LLVM::AddOp::create(builder, loc, offset, step);
    }
    Type element = converter.convertType(type.getElementType());
    Value address =
        LLVM::GEPOp::create(builder, loc, pointer, element, descriptor.alignedPtr(builder, loc),
                            ArrayRef<LLVM::GEPArg>{offset});
    // A bool is a byte of the device.
    Value slot = stackSlot(loc, i64, 2, op);
    auto function = runtimeFunction("tl_rt_read", voidType(), {pointer, pointer, pointer, i64});
    LLVM::CallOp::create(builder, loc, function,
                         ValueRange{frameOf(op), slot, address, constant(loc, elementBytes(type))});
    Value value = LLVM::LoadOp::create(builder, loc, element, slot);
    return replace(op, cast(loc, op.getType(), value));
  }

  //===--- Operators of LibTorch --------------------------------------------===//

  /// The path of the fallback library or nothing, then users' libraries: a line each.
  std::string operatorLibraries() {
    std::string text;
    if (auto libraries = module->getAttrOfType<ArrayAttr>("tl.libraries"))
      for (auto library : libraries.getAsRange<StringAttr>())
        text += library.str() + "\n";
    return text;
  }

  /// Stores the sizes (strides) of a memref, and returns where.
  Value storeExtents(Location loc, MemRefType type, MemRefDescriptor &descriptor, bool strides,
                     Operation *at) {
    Value slot = stackSlot(loc, i64, std::max<int64_t>(type.getRank(), 1), at);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      store(loc,
            strides ? descriptor.stride(builder, loc, dim) : descriptor.size(builder, loc, dim),
            slot, 8 * dim);
    return slot;
  }

  /// The address of a memref's first element.
  Value firstElement(Location loc, MemRefType type, MemRefDescriptor &descriptor) {
    return LLVM::GEPOp::create(builder, loc, pointer, converter.convertType(type.getElementType()),
                               descriptor.alignedPtr(builder, loc),
                               ArrayRef<LLVM::GEPArg>{descriptor.offset(builder, loc)});
  }

  /// Operands as tl_operand has them: 24 bytes each.
  Value storeOperands(rt::CallOperatorOp op) {
    Location loc = op.getLoc();
    Value slots = stackSlot(loc, i64, 3 * std::max<int64_t>(op.getOperands().size(), 1), op);
    for (auto [index, operand] : llvm::enumerate(op.getOperands())) {
      int64_t at = 24 * index;
      auto type = dyn_cast<MemRefType>(operand.getType());
      if (!type) {
        Value number = operand;
        if (number.getType().isInteger(1))
          number = LLVM::ZExtOp::create(builder, loc, i64, number);
        store(loc, number, slots, at);
        continue;
      }
      MemRefDescriptor descriptor(cast(loc, converter.convertType(type), operand));
      store(loc, firstElement(loc, type, descriptor), slots, at);
      store(loc, storeExtents(loc, type, descriptor, /*strides=*/false, op), slots, at + 8);
      store(loc, storeExtents(loc, type, descriptor, /*strides=*/true, op), slots, at + 16);
    }
    return slots;
  }

  LogicalResult lowerCallOperator(rt::CallOperatorOp op) {
    Location loc = op.getLoc();
    Value operands = storeOperands(op);
    Value numbers = stackSlot(loc, i64, std::max<int64_t>(op.getNumbers().size(), 1), op);
    auto function = runtimeFunction("tl_rt_call_operator", pointer,
                                    {pointer, pointer, pointer, pointer, pointer, pointer});
    Value given =
        LLVM::CallOp::create(builder, loc, function,
                             ValueRange{frameOf(op), textAddress(loc, op.getCall()),
                                        textAddress(loc, describeLocation(loc)),
                                        textAddress(loc, operatorLibraries()), operands, numbers})
            .getResult();
    SmallVector<Value> results{LLVM::PtrToIntOp::create(builder, loc, i64, given)};
    for (auto [index, number] : llvm::enumerate(op.getNumbers())) {
      bool isBool = number.getType().isInteger(1);
      Value value = load(loc, isBool ? i64 : number.getType(), numbers, 8 * index);
      if (isBool)
        value = LLVM::TruncOp::create(builder, loc, number.getType(), value);
      results.push_back(value);
    }
    op->replaceAllUsesWith(results);
    op.erase();
    return success();
  }

  LogicalResult lowerOperatorResult(rt::OperatorResultOp op) {
    Location loc = op.getLoc();
    auto type = memRefType(op.getInit().getType());
    MemRefDescriptor descriptor(cast(loc, converter.convertType(type), op.getInit()));
    auto function = runtimeFunction("tl_rt_operator_result", voidType(),
                                    {pointer, pointer, i64, pointer, pointer});
    Value given = LLVM::IntToPtrOp::create(builder, loc, pointer, op.getGiven());
    Value strides = storeExtents(loc, type, descriptor, /*strides=*/true, op);
    LLVM::CallOp::create(builder, loc, function,
                         ValueRange{frameOf(op), given, constant(loc, op.getIndex()),
                                    firstElement(loc, type, descriptor), strides});
    op.erase();
    return success();
  }

  LogicalResult lowerOperatorRelease(rt::OperatorReleaseOp op) {
    Location loc = op.getLoc();
    auto function = runtimeFunction("tl_rt_operator_release", voidType(), {pointer, pointer});
    Value given = LLVM::IntToPtrOp::create(builder, loc, pointer, op.getGiven());
    LLVM::CallOp::create(builder, loc, function, ValueRange{frameOf(op), given});
    op.erase();
    return success();
  }

  //===--- Random numbers ---------------------------------------------------===//

  /// A struct tl_random on the stack, word by word.
  LogicalResult lowerRandom(rt::RandomOp op) {
    Location loc = op.getLoc();
    Value slots = stackSlot(loc, i64, 11, op);
    auto type = memRefType(op.getInit().getType());
    MemRefDescriptor descriptor(cast(loc, converter.convertType(type), op.getInit()));
    store(loc, textAddress(loc, op.getKind()), slots, 0);
    store(loc, constant(loc, op.getDtype()), slots, 8);
    store(loc, constant(loc, type.getRank()), slots, 16);
    store(loc, storeExtents(loc, type, descriptor, /*strides=*/false, op), slots, 24);
    store(loc, firstElement(loc, type, descriptor), slots, 32);
    store(loc, storeExtents(loc, type, descriptor, /*strides=*/true, op), slots, 40);
    for (auto [index, parameter] : llvm::enumerate(op.getParameters()))
      store(loc, parameter, slots, 48 + 8 * index);
    if (Value each = op.getEach()) {
      auto eachType = memRefType(each.getType());
      MemRefDescriptor from(cast(loc, converter.convertType(eachType), each));
      store(loc, firstElement(loc, eachType, from), slots, 64);
      store(loc, storeExtents(loc, eachType, from, /*strides=*/true, op), slots, 72);
      store(loc, constant(loc, elementBytes(eachType)), slots, 80);
    } else {
      store(loc, LLVM::ZeroOp::create(builder, loc, pointer), slots, 64);
    }
    auto function = runtimeFunction("tl_rt_random", voidType(), {pointer, pointer});
    LLVM::CallOp::create(builder, loc, function, ValueRange{frameOf(op), slots});
    op.erase();
    return success();
  }

  /// The functions run on the host for a device: buffers and weights are there.
  bool device;
  ModuleOp module;
  LLVMTypeConverter converter;
  DenseSet<Operation *> parallelBodies;
  llvm::StringMap<LLVM::GlobalOp> texts;
};

struct LowerRuntime : impl::LowerRuntimeBase<LowerRuntime> {
  using LowerRuntimeBase::LowerRuntimeBase;

  void runOnOperation() override {
    if (failed(Lowering(getOperation(), device).run()))
      signalPassFailure();
  }
};

} // namespace
} // namespace torchlite
