//===- OutlineKernels.cpp - Launches become calls of kernels --------------===//
#include "TorchLite/Codegen/NVGPU/EmulateKernels.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringMap.h"

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

/// What is cheaper to compute in the kernel than to pass.
bool isCheap(Operation *op) {
  return op->hasTrait<OpTrait::ConstantLike>() &&
         !isa<BaseMemRefType, TensorType>(op->getResult(0).getType());
}

/// A memref that is passed as a pointer and what is not known of its layout.
class PassedBuffer {
public:
  explicit PassedBuffer(Value buffer) : buffer(buffer), type(cast<MemRefType>(buffer.getType())) {
    if (failed(type.getStridesAndOffset(strides, offset)))
      strides.clear();
  }
  bool isStrided() const { return type.getRank() == 0 || !strides.empty(); }

  /// Adds the arguments at the launch.
  void pass(OpBuilder &builder, SmallVectorImpl<Value> &arguments) {
    Location loc = buffer.getLoc();
    // The pointer as a memref of rank 0: what bare-pointer lowering passes as a pointer.
    auto pointerType = MemRefType::get({}, type.getElementType());
    auto metadata = memref::ExtractStridedMetadataOp::create(builder, loc, buffer);
    Value base = metadata.getBaseBuffer();
    if (type.getRank() || base.getType() != pointerType)
      base = memref::ReinterpretCastOp::create(builder, loc, pointerType, base,
                                               builder.getIndexAttr(0), ArrayRef<OpFoldResult>{},
                                               ArrayRef<OpFoldResult>{});
    arguments.push_back(base);
    // Not added to the pointer: the kernel may know the number from the host, where it has been
    // asked for as well, and would add it again.
    if (ShapedType::isDynamic(offset))
      arguments.push_back(metadata.getOffset());
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        arguments.push_back(metadata.getSizes()[dim]);
    for (auto [dim, stride] : llvm::enumerate(strides))
      if (ShapedType::isDynamic(stride))
        arguments.push_back(metadata.getStrides()[dim]);
  }

  /// Bytes from the pointer that is passed to the end of the last element, as `extentsAttribute`
  /// says it; `position`: the pointer's number. Empty where it is not known.
  std::string extent(unsigned position) const {
    Type element = type.getElementType();
    if (!isStrided() || !element.isIntOrIndexOrFloat())
      return "";
    int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
    int64_t bytes = llvm::divideCeil(bits, 8);
    if (!type.hasStaticShape()) {
      if (!type.getLayout().isIdentity())
        return "";
      std::string sizes;
      for (int64_t size : type.getShape())
        if (ShapedType::isDynamic(size))
          sizes += "*" + std::to_string(++position);
        else
          bytes *= size;
      return std::to_string(bytes) + sizes;
    }
    if (ShapedType::isDynamic(offset))
      return "";
    int64_t last = offset;
    for (auto [size, stride] : llvm::zip(type.getShape(), strides)) {
      if (ShapedType::isDynamic(stride) || stride < 0 || size == 0)
        return "";
      last += (size - 1) * stride;
    }
    return std::to_string((last + 1) * bytes);
  }

  /// Builds the memref again in the kernel, from the arguments that `next` gives.
  Value rebuild(OpBuilder &builder, function_ref<Value()> next) {
    Location loc = buffer.getLoc();
    Value base = next();
    OpFoldResult start = ShapedType::isDynamic(offset) ? OpFoldResult(next())
                                                       : OpFoldResult(builder.getIndexAttr(offset));
    SmallVector<OpFoldResult> sizes, steps;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      sizes.push_back(type.isDynamicDim(dim)
                          ? OpFoldResult(next())
                          : OpFoldResult(builder.getIndexAttr(type.getDimSize(dim))));
    for (int64_t stride : strides)
      steps.push_back(ShapedType::isDynamic(stride) ? OpFoldResult(next())
                                                    : OpFoldResult(builder.getIndexAttr(stride)));
    auto layout = StridedLayoutAttr::get(builder.getContext(), offset, strides);
    auto rebuilt = MemRefType::get(type.getShape(), type.getElementType(), layout);
    Value value =
        memref::ReinterpretCastOp::create(builder, loc, rebuilt, base, start, sizes, steps);
    if (rebuilt != type)
      value = memref::CastOp::create(builder, loc, type, value);
    return value;
  }

  Value buffer;
  MemRefType type;
  SmallVector<int64_t> strides;
  int64_t offset = 0;
};

/// A launch reads and writes the buffers that it gets. Without knowing that, nobody could free
/// them.
struct LaunchEffects : MemoryEffectOpInterface::ExternalModel<LaunchEffects, gpu::LaunchFuncOp> {
  void getEffects(Operation *op, SmallVectorImpl<MemoryEffects::EffectInstance> &effects) const {
    auto launch = cast<gpu::LaunchFuncOp>(op);
    for (OpOperand &operand : launch.getKernelOperandsMutable()) {
      if (!isa<MemRefType>(operand.get().getType()))
        continue;
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    }
  }
};

struct OutlineKernels : impl::OutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    known.clear();
    kernels = module.lookupSymbol<gpu::GPUModuleOp>(kernelModuleName);
    SmallVector<gpu::LaunchOp> launches;
    module.walk([&](gpu::LaunchOp launch) { launches.push_back(launch); });
    if (launches.empty())
      return;
    if (!kernels) {
      OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
      kernels = gpu::GPUModuleOp::create(builder, module.getLoc(), kernelModuleName);
    }
    module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), UnitAttr::get(&getContext()));
    SymbolTable table(kernels);
    symbols = &table;
    for (gpu::LaunchOp launch : launches)
      if (failed(outline(launch)))
        return signalPassFailure();
  }

private:
  /// Name of the kernel: what the emitter called it, else the function it comes from.
  std::string nameOf(gpu::LaunchOp launch) {
    if (auto name = launch->getAttrOfType<StringAttr>("tl.kernel"))
      return name.str();
    return (launch->getParentOfType<func::FuncOp>().getName() + "_kernel").str();
  }

  LogicalResult outline(gpu::LaunchOp launch) {
    Location loc = launch.getLoc();
    Region &body = launch.getBody();
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(body, used);
    OpBuilder builder(launch);
    SmallVector<Value> constants, scalars;
    SmallVector<PassedBuffer> buffers;
    for (Value value : used) {
      Operation *definition = value.getDefiningOp();
      if (definition && isCheap(definition))
        constants.push_back(value);
      else if (isa<MemRefType>(value.getType()))
        buffers.emplace_back(value);
      else if (value.getType().isIntOrIndexOrFloat())
        scalars.push_back(value);
      else
        return launch.emitError("expected kernels to use buffers and scalars, but got ")
               << value.getType();
    }
    SmallVector<Value> arguments;
    std::string extents;
    for (PassedBuffer &buffer : buffers) {
      if (!buffer.isStrided())
        return launch.emitError("expected a buffer with strides, but got ") << buffer.type;
      std::string extent = buffer.extent(arguments.size());
      if (!extent.empty())
        extents += (extents.empty() ? "" : ",") + std::to_string(arguments.size()) + ":" + extent;
      buffer.pass(builder, arguments);
    }
    llvm::append_range(arguments, scalars);

    // Kernels see a plain pointer, launches one with an offset.
    SmallVector<Type> types;
    for (Value argument : arguments) {
      Type type = argument.getType();
      if (auto memref = dyn_cast<MemRefType>(type))
        type = MemRefType::get({}, memref.getElementType());
      types.push_back(type);
    }
    builder.setInsertionPointToEnd(kernels.getBody());
    auto kernel =
        gpu::GPUFuncOp::create(builder, loc, "kernel", builder.getFunctionType(types, {}));
    kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
    // The emulator checks that accesses through the argument stay there.
    if (!extents.empty())
      kernel->setAttr("passthrough",
                      builder.getArrayAttr(builder.getStrArrayAttr({extentsAttribute, extents})));
    SmallVector<int32_t> blockSize;
    for (Value size : {launch.getBlockSizeX(), launch.getBlockSizeY(), launch.getBlockSizeZ()})
      if (std::optional<int64_t> known = getConstantIntValue(size))
        blockSize.push_back(*known);
    if (blockSize.size() == 3)
      kernel.setKnownBlockSizeAttr(builder.getDenseI32ArrayAttr(blockSize));

    // The body: what was captured, the ids, then the operations themselves.
    Block *entry = &kernel.front();
    builder.setInsertionPointToStart(entry);
    IRMapping mapping;
    unsigned position = 0;
    auto next = [&]() -> Value { return entry->getArgument(position++); };
    for (PassedBuffer &buffer : buffers)
      mapping.map(buffer.buffer, buffer.rebuild(builder, next));
    for (Value scalar : scalars)
      mapping.map(scalar, next());
    for (Value constant : constants)
      builder.clone(*constant.getDefiningOp(), mapping);
    auto mapIds = [&](auto op, gpu::KernelDim3 ids) {
      using Op = decltype(op);
      mapping.map(ids.x, Op::create(builder, loc, gpu::Dimension::x));
      mapping.map(ids.y, Op::create(builder, loc, gpu::Dimension::y));
      mapping.map(ids.z, Op::create(builder, loc, gpu::Dimension::z));
    };
    mapIds(gpu::BlockIdOp(), launch.getBlockIds());
    mapIds(gpu::ThreadIdOp(), launch.getThreadIds());
    mapIds(gpu::GridDimOp(), launch.getGridSize());
    mapIds(gpu::BlockDimOp(), launch.getBlockSize());
    if (!llvm::hasSingleElement(body))
      return launch.emitError("expected structured control flow in the body");
    for (Operation &op : body.front().without_terminator())
      builder.clone(op, mapping);
    gpu::ReturnOp::create(builder, loc);

    // Equal kernels share one function: their texts are compared, less the name.
    std::string text;
    llvm::raw_string_ostream stream(text);
    kernel->print(stream, OpPrintingFlags().useLocalScope());
    auto [entryIt, isNew] = known.try_emplace(text, kernel);
    if (isNew) {
      kernel.setName(nameOf(launch));
      symbols->insert(kernel);
      ++numKernels;
    } else {
      kernel->erase();
      kernel = entryIt->second;
    }
    ++numLaunches;

    builder.setInsertionPoint(launch);
    // Both types are lowered alike; whoever lowers the launch adds the offset.
    for (auto [argument, type] : llvm::zip(arguments, types))
      if (argument.getType() != type)
        argument = UnrealizedConversionCastOp::create(builder, loc, type, argument).getResult(0);
    gpu::LaunchFuncOp::create(
        builder, loc, kernel,
        gpu::KernelDim3{launch.getGridSizeX(), launch.getGridSizeY(), launch.getGridSizeZ()},
        gpu::KernelDim3{launch.getBlockSizeX(), launch.getBlockSizeY(), launch.getBlockSizeZ()},
        launch.getDynamicSharedMemorySize(), arguments);
    launch.erase();
    return success();
  }

  gpu::GPUModuleOp kernels;
  SymbolTable *symbols = nullptr;
  llvm::StringMap<gpu::GPUFuncOp> known;
};

} // namespace

void registerLaunchEffects(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, gpu::GPUDialect *) {
    gpu::LaunchFuncOp::attachInterface<LaunchEffects>(*context);
  });
}

} // namespace torchlite::nvgpu
