//===- Serialize.cpp - Kernels become constants of the library ------------===//
//
// Field order follows runtime/include/TorchLite/Runtime/Descriptor.h (tl_gpu_code).
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/CPU/ObjectEmitter.h"
#include "TorchLite/Codegen/Common/Weights.h"
#include "TorchLite/Codegen/NVGPU/EmulateKernels.h"
#include "TorchLite/Codegen/NVGPU/KernelCompiler.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Runtime/Descriptor.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Target/TargetMachine.h"
#include <future>

namespace torchlite::nvgpu {
#define GEN_PASS_DEF_SERIALIZE
#include "TorchLite/Codegen/NVGPU/Passes.h.inc"

namespace {
using namespace mlir;

struct Image {
  tl_image_kind kind;
  int64_t arch;
  std::string data;
};

/// Builds the globals.
class CodeBuilder {
public:
  explicit CodeBuilder(ModuleOp module)
      : module(module), symbols(module), builder(OpBuilder::atBlockEnd(module.getBody())),
        loc(module.getLoc()), pointer(LLVM::LLVMPointerType::get(module.getContext())) {}

  /// A constant; the symbol's name.
  std::string bytes(StringRef name, StringRef data, int64_t alignment);
  std::string names(ArrayRef<StringRef> names);
  std::string images(ArrayRef<Image> images);
  /// The table of functions that are linked with the object file; declares them.
  std::string functions(ArrayRef<std::string> names);
  std::string backends(ArrayRef<StringRef> names);
  /// The blob itself comes with the object file (ObjectEmitter).
  std::string weights(int64_t size);
  void code(StringRef images, int64_t imageCount, StringRef kernels, int64_t kernelCount,
            StringRef emulated, StringRef backends, StringRef weights, int64_t weightsBytes,
            int64_t arch);

private:
  LLVM::GlobalOp constant(StringRef name, Type type, Attribute value, int64_t alignment) {
    auto global = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                         LLVM::Linkage::Internal, name, value, alignment);
    symbols.insert(global); // makes the name unique
    return global;
  }
  /// An array of rows of the same types, or one struct (`isArray` false).
  std::string table(StringRef name, ArrayRef<Type> fields, ArrayRef<SmallVector<Attribute>> rows,
                    bool isArray = true);
  Attribute i32(int64_t value) { return builder.getI32IntegerAttr(value); }
  Attribute i64(int64_t value) { return builder.getI64IntegerAttr(value); }
  /// A pointer to a symbol; null where the name is empty.
  Attribute symbol(StringRef name) {
    return name.empty() ? Attribute(builder.getUnitAttr())
                        : FlatSymbolRefAttr::get(builder.getContext(), name);
  }

  ModuleOp module;
  SymbolTable symbols;
  OpBuilder builder;
  Location loc;
  Type pointer;
};

std::string CodeBuilder::bytes(StringRef name, StringRef data, int64_t alignment) {
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), data.size());
  return constant(name, type, builder.getStringAttr(data), alignment).getSymName().str();
}

std::string CodeBuilder::table(StringRef name, ArrayRef<Type> fields,
                               ArrayRef<SmallVector<Attribute>> rows, bool isArray) {
  Type row = fields.size() == 1
                 ? fields.front()
                 : LLVM::LLVMStructType::getLiteral(builder.getContext(), fields);
  Type type = isArray ? LLVM::LLVMArrayType::get(row, rows.size()) : row;
  LLVM::GlobalOp global = constant(name, type, Attribute(), 8);
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&global.getInitializerRegion());
  Value value = LLVM::UndefOp::create(builder, loc, type);
  for (auto [index, row] : llvm::enumerate(rows))
    for (auto [position, field] : llvm::enumerate(row)) {
      Value element;
      if (auto reference = dyn_cast<FlatSymbolRefAttr>(field))
        element = LLVM::AddressOfOp::create(builder, loc, pointer, reference.getValue());
      else if (auto number = dyn_cast<IntegerAttr>(field))
        element = LLVM::ConstantOp::create(builder, loc, number.getType(), number);
      else
        element = LLVM::ZeroOp::create(builder, loc, pointer);
      SmallVector<int64_t> path;
      if (isArray)
        path.push_back(index);
      if (fields.size() > 1)
        path.push_back(position);
      value = LLVM::InsertValueOp::create(builder, loc, value, element, path);
    }
  LLVM::ReturnOp::create(builder, loc, value);
  return global.getSymName().str();
}

std::string CodeBuilder::names(ArrayRef<StringRef> names) {
  SmallVector<SmallVector<Attribute>> rows;
  for (StringRef name : names)
    rows.push_back({symbol(bytes("tl_gpu_name", (name + StringRef("\0", 1)).str(), 1))});
  return rows.empty() ? "" : table("tl_gpu_kernels", {pointer}, rows);
}

std::string CodeBuilder::images(ArrayRef<Image> images) {
  SmallVector<SmallVector<Attribute>> rows;
  for (const Image &image : images)
    rows.push_back({i32(image.kind), i32(image.arch),
                    symbol(bytes("tl_gpu_image", image.data, 16)), i64(image.data.size())});
  if (rows.empty())
    return "";
  Type i32 = builder.getI32Type();
  return table("tl_gpu_images", {i32, i32, pointer, builder.getI64Type()}, rows);
}

std::string CodeBuilder::functions(ArrayRef<std::string> names) {
  SmallVector<SmallVector<Attribute>> rows;
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), {pointer});
  for (const std::string &name : names) {
    symbols.insert(LLVM::LLVMFuncOp::create(builder, loc, name, type));
    rows.push_back({symbol(name)});
  }
  rows.push_back({symbol("")}); // methods that only copy have no kernels, but a table
  return table("tl_gpu_emulated_kernels", {pointer}, rows);
}

std::string CodeBuilder::backends(ArrayRef<StringRef> names) {
  SmallVector<SmallVector<Attribute>> rows;
  for (StringRef name : names) {
    // Symbols of the runtime's archives: naming them is what links them.
    if (!symbols.lookup(name)) {
      auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), 0);
      auto global = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                           LLVM::Linkage::External, name, Attribute(), 8);
      symbols.insert(global);
    }
    rows.push_back({symbol(name)});
  }
  rows.push_back({symbol("")});
  return table("tl_gpu_backends", {pointer}, rows);
}

std::string CodeBuilder::weights(int64_t size) {
  if (size == 0)
    return "";
  if (!symbols.lookup(deviceWeightsSymbol)) {
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), size);
    auto global =
        LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true, LLVM::Linkage::External,
                               deviceWeightsSymbol, Attribute(), /*alignment=*/64);
    global.setVisibility_(LLVM::Visibility::Hidden);
    global.setDsoLocal(true);
    symbols.insert(global);
  }
  return deviceWeightsSymbol.str();
}

void CodeBuilder::code(StringRef images, int64_t imageCount, StringRef kernels,
                       int64_t kernelCount, StringRef emulated, StringRef backends,
                       StringRef weights, int64_t weightsBytes, int64_t arch) {
  Type i32Type = builder.getI32Type(), i64Type = builder.getI64Type();
  table("tl_gpu_code",
        {pointer, i64Type, pointer, i64Type, pointer, pointer, pointer, i64Type, i32Type},
        {{symbol(images), i64(imageCount), symbol(kernels), i64(kernelCount),
          symbol(emulated), symbol(backends), symbol(weights), i64(weightsBytes), i32(arch)}},
        /*isArray=*/false);
}

struct Serialize : impl::SerializeBase<Serialize> {
  using Base::Base;

  void getDependentDialects(DialectRegistry &registry) const override {
    Base::getDependentDialects(registry);
    registerKernelTranslation(registry);
  }

  void runOnOperation() override {
    if (failed(serialize(getOperation())))
      signalPassFailure();
  }

private:
  LogicalResult serialize(ModuleOp module) {
    FailureOr<SmallVector<const Architecture *>> architectures = parseArchitectures();
    if (failed(architectures))
      return failure();
    auto kernels = module.lookupSymbol<gpu::GPUModuleOp>("tl_kernels");
    if (!kernels) {
      // Methods that only copy: an image without kernels tells what they run on nevertheless.
      OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
      kernels = gpu::GPUModuleOp::create(builder, module.getLoc(), "tl_kernels");
    }
    FailureOr<SmallVector<Image>> compiled = SmallVector<Image>();
    if (images)
      compiled = compile(kernels, *architectures);
    if (failed(compiled))
      return failure();

    SmallVector<std::string> emulatedNames;
    if (emulated) {
      FailureOr<std::string> bitcode = compileForHost(kernels, *architectures->front());
      if (failed(bitcode))
        return failure();
      module->setAttr(cpu::hostBitcodeAttrName, StringAttr::get(&getContext(), *bitcode));
      for (LLVM::LLVMFuncOp kernel : getKernels(kernels))
        emulatedNames.push_back(emulatedName(kernel.getName()));
    }

    SmallVector<StringRef> names, backends;
    for (LLVM::LLVMFuncOp kernel : getKernels(kernels))
      names.push_back(kernel.getName());
    if (images)
      backends.push_back("tl_gpu_cuda");
    if (emulated)
      backends.push_back("tl_gpu_emulated");
    CodeBuilder builder(module);
    int64_t weightsBytes = getWeightsBytes(module, weightsAttrName) +
                           getWeightsBytes(module, deviceWeightsAttrName);
    std::string imagesName = builder.images(*compiled);
    std::string namesName = builder.names(names);
    std::string functionsName = emulated ? builder.functions(emulatedNames) : "";
    std::string backendsName = builder.backends(backends);
    builder.code(imagesName, compiled->size(), namesName, names.size(), functionsName,
                 backendsName, builder.weights(weightsBytes), weightsBytes,
                 architectures->front()->number);
    numImages += compiled->size();
    for (const Image &image : *compiled)
      imageBytes += image.data.size();
    kernels.erase();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
    return success();
  }

  /// The architectures of the option, oldest first.
  FailureOr<SmallVector<const Architecture *>> parseArchitectures() {
    Location loc = getOperation().getLoc();
    SmallVector<const Architecture *> result;
    for (const std::string &name : archs) {
      FailureOr<const Architecture *> architecture = lookupArchitecture(name, loc);
      if (failed(architecture))
        return failure();
      if (!llvm::is_contained(result, *architecture))
        result.push_back(*architecture);
    }
    if (result.empty())
      return emitError(loc, "expected at least one GPU architecture");
    llvm::stable_sort(result, [](const Architecture *a, const Architecture *b) {
      return a->number < b->number;
    });
    return result;
  }

  /// The kernels as functions of the processor that the library is for: LLVM bitcode.
  FailureOr<std::string> compileForHost(gpu::GPUModuleOp kernels,
                                        const Architecture &architecture) {
    Location loc = kernels.getLoc();
    FailureOr<Toolkit> toolkit = findToolkit(cudaPath, loc);
    FailureOr<cpu::TargetSpec> host = cpu::resolveTarget({hostTriple, hostCPU, hostFeatures}, loc);
    if (failed(toolkit) || failed(host))
      return failure();
    auto machine = cpu::createTargetMachine(*host, loc);
    if (failed(machine))
      return failure();
    llvm::LLVMContext context;
    auto code = KernelCompiler(*toolkit).optimize(kernels, architecture, context);
    if (failed(code))
      return failure();
    if (llvm::Error error = emulateKernels(**code, **machine))
      return emitError(loc) << llvm::toString(std::move(error));
    std::string bitcode;
    llvm::raw_string_ostream stream(bitcode);
    llvm::WriteBitcodeToFile(**code, stream);
    return bitcode;
  }

  /// Machine code and PTX for each architecture.
  FailureOr<SmallVector<Image>> compile(gpu::GPUModuleOp kernels,
                                        ArrayRef<const Architecture *> architectures) {
    Location loc = kernels.getLoc();
    FailureOr<Toolkit> toolkit = findToolkit(cudaPath, loc);
    if (failed(toolkit))
      return failure();
    KernelCompiler compiler(*toolkit);
    bool hasAssembler = !toolkit->ptxas.empty();
    if (!hasAssembler)
      emitWarning(loc, "ptxas is not found: the library holds PTX, which the driver compiles when "
                       "it is loaded; ")
          << toolkitHint;
    // ptxas takes most of the time: one process for each architecture, side by side.
    SmallVector<std::string> ptx;
    std::vector<std::future<FailureOr<Cubin>>> cubins;
    for (const Architecture *architecture : architectures) {
      // Its PTX would run nowhere else, but nothing in it says so.
      if (!hasAssembler && !architecture->isPortable)
        return emitError(loc) << architecture->name << " needs ptxas, which is not found: "
                              << toolkitHint;
      FailureOr<std::string> text = compiler.emitPTX(kernels, *architecture);
      if (failed(text))
        return failure();
      ptx.push_back(std::move(*text));
      if (hasAssembler)
        cubins.push_back(std::async(std::launch::async, [&compiler, architecture, loc,
                                                         text = ptx.back()] {
          return compiler.assemble(text, *architecture, loc);
        }));
    }

    SmallVector<Image> result;
    for (auto [index, architecture] : llvm::enumerate(architectures)) {
      if (hasAssembler) {
        FailureOr<Cubin> cubin = cubins[index].get();
        if (failed(cubin))
          return failure();
        if (report)
          reportResources(kernels, *architecture, *cubin);
        result.push_back({TL_IMAGE_CUBIN, architecture->number, std::move(cubin->data)});
      }
      if (architecture->isPortable) {
        ptx[index].push_back('\0');
        result.push_back({TL_IMAGE_PTX, architecture->number, std::move(ptx[index])});
      }
    }
    return result;
  }
};

} // namespace
} // namespace torchlite::nvgpu
