//===- Serialize.cpp - Kernels become constants of the library ------------===//
//
// Field order follows runtime/include/TorchLite/Runtime/Descriptor.h (tl_gpu_set, tl_gpu_code).
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/CPU/ObjectEmitter.h"
#include "TorchLite/Codegen/Common/Weights.h"
#include "TorchLite/Codegen/NVGPU/EmulateKernels.h"
#include "TorchLite/Codegen/NVGPU/KernelCompiler.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Runtime/Descriptor.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Linker/Linker.h"
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

/// The kernels for some architectures.
struct KernelSet {
  SmallVector<const Architecture *> architectures;
  gpu::GPUModuleOp kernels;           ///< the set's own
  OwningOpRef<gpu::GPUModuleOp> copy; ///< holds them where other sets have more
  SmallVector<StringRef> names;       ///< by number; empty: only other sets have it
  SmallVector<Image> images;
  SmallVector<std::string> emulated; ///< functions, by number
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
  std::string archs(ArrayRef<const Architecture *> architectures);
  std::string sets(ArrayRef<KernelSet> sets, bool emulated);
  /// The table of functions that are linked with the object file; declares them.
  std::string functions(ArrayRef<std::string> names);
  std::string backends(ArrayRef<StringRef> names);
  /// The blob itself comes with the object file (ObjectEmitter).
  std::string weights(int64_t size);
  void code(StringRef sets, int64_t setCount, int64_t kernelCount, StringRef backends,
            StringRef weights, int64_t weightsBytes);

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
  llvm::StringMap<std::string> knownNames;
};

std::string CodeBuilder::bytes(StringRef name, StringRef data, int64_t alignment) {
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), data.size());
  return constant(name, type, builder.getStringAttr(data), alignment).getSymName().str();
}

std::string CodeBuilder::table(StringRef name, ArrayRef<Type> fields,
                               ArrayRef<SmallVector<Attribute>> rows, bool isArray) {
  Type row = fields.size() == 1 ? fields.front()
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
  for (StringRef name : names) {
    std::string &known = knownNames[name];
    if (known.empty() && !name.empty())
      known = bytes("tl_gpu_name", (name + StringRef("\0", 1)).str(), 1);
    rows.push_back({symbol(known)});
  }
  return rows.empty() ? "" : table("tl_gpu_kernels", {pointer}, rows);
}

std::string CodeBuilder::images(ArrayRef<Image> images) {
  SmallVector<SmallVector<Attribute>> rows;
  for (const Image &image : images)
    rows.push_back({i32(image.kind), i32(image.arch), symbol(bytes("tl_gpu_image", image.data, 16)),
                    i64(image.data.size())});
  if (rows.empty())
    return "";
  Type i32 = builder.getI32Type();
  return table("tl_gpu_images", {i32, i32, pointer, builder.getI64Type()}, rows);
}

std::string CodeBuilder::functions(ArrayRef<std::string> names) {
  SmallVector<SmallVector<Attribute>> rows;
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), {pointer});
  for (const std::string &name : names) {
    if (!name.empty())
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

std::string CodeBuilder::archs(ArrayRef<const Architecture *> architectures) {
  SmallVector<int32_t> numbers;
  for (const Architecture *architecture : architectures)
    numbers.push_back(architecture->number);
  auto type = LLVM::LLVMArrayType::get(builder.getI32Type(), numbers.size());
  return constant("tl_gpu_archs", type, builder.getI32TensorAttr(numbers), 4).getSymName().str();
}

std::string CodeBuilder::sets(ArrayRef<KernelSet> sets, bool emulated) {
  SmallVector<SmallVector<Attribute>> rows;
  for (const KernelSet &set : sets)
    rows.push_back({symbol(archs(set.architectures)), i32(set.architectures.size()),
                    i32(set.images.size()), symbol(images(set.images)), symbol(names(set.names)),
                    symbol(emulated ? functions(set.emulated) : "")});
  Type i32 = builder.getI32Type();
  return table("tl_gpu_sets", {pointer, i32, i32, pointer, pointer, pointer}, rows);
}

void CodeBuilder::code(StringRef sets, int64_t setCount, int64_t kernelCount, StringRef backends,
                       StringRef weights, int64_t weightsBytes) {
  Type i32Type = builder.getI32Type(), i64Type = builder.getI64Type();
  table("tl_gpu_code", {pointer, i32Type, i32Type, pointer, pointer, i64Type},
        {{symbol(sets), i32(setCount), i32(kernelCount), symbol(backends), symbol(weights),
          i64(weightsBytes)}},
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
    FailureOr<std::vector<KernelSet>> sets = findSets(module, kernels, *architectures);
    if (failed(sets) || (images && failed(compile(*sets))) ||
        (emulated && failed(compileForHost(*sets))))
      return failure();

    SmallVector<StringRef> backends;
    if (images)
      backends.push_back("tl_gpu_cuda");
    if (emulated)
      backends.push_back("tl_gpu_emulated");
    CodeBuilder builder(module);
    int64_t weightsBytes =
        getWeightsBytes(module, weightsAttrName) + getWeightsBytes(module, deviceWeightsAttrName);
    std::string setsName = builder.sets(*sets, emulated);
    std::string backendsName = builder.backends(backends);
    builder.code(setsName, sets->size(), getKernels(kernels).size(), backendsName,
                 builder.weights(weightsBytes), weightsBytes);
    for (const KernelSet &set : *sets) {
      numImages += set.images.size();
      for (const Image &image : set.images)
        imageBytes += image.data.size();
    }
    sets->clear(); // before what their names point into
    kernels.erase();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
    return success();
  }

  /// The sets that the module tells, each with its kernels.
  FailureOr<std::vector<KernelSet>> findSets(ModuleOp module, gpu::GPUModuleOp kernels,
                                             ArrayRef<const Architecture *> architectures) {
    auto attribute = module->getAttrOfType<ArrayAttr>(setsAttrName);
    std::vector<KernelSet> sets(attribute ? attribute.size() : 1);
    if (!attribute)
      llvm::append_range(sets.front().architectures, architectures);
    for (size_t number = 0; attribute && number < sets.size(); ++number)
      for (auto name : cast<ArrayAttr>(attribute[number]).getAsRange<StringAttr>()) {
        const auto *found = llvm::find_if(architectures, [&](const Architecture *architecture) {
          return architecture->name == name.getValue();
        });
        if (found == architectures.end())
          return module.emitError("has kernels for ") << name << ", which is not asked for";
        sets[number].architectures.push_back(*found);
      }
    for (auto [number, set] : llvm::enumerate(sets)) {
      auto isOwn = [number = static_cast<int64_t>(number)](LLVM::LLVMFuncOp kernel) {
        auto members = kernel->getAttrOfType<DenseI64ArrayAttr>(setsAttrName);
        return !members || llvm::is_contained(members.asArrayRef(), number);
      };
      SmallVector<LLVM::LLVMFuncOp> all = getKernels(kernels);
      for (LLVM::LLVMFuncOp kernel : all)
        set.names.push_back(isOwn(kernel) ? kernel.getName() : StringRef());
      set.kernels = kernels;
      if (llvm::all_of(all, isOwn))
        continue;
      set.copy = cast<gpu::GPUModuleOp>(kernels->clone());
      set.kernels = *set.copy;
      for (LLVM::LLVMFuncOp kernel : getKernels(set.kernels))
        if (!isOwn(kernel))
          kernel.erase();
    }
    return sets;
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
    llvm::sort(result, [](const Architecture *a, const Architecture *b) {
      return std::pair(a->number, a->name) < std::pair(b->number, b->name);
    });
    return result;
  }

  /// The kernels as functions of the processor that the library is for: LLVM bitcode.
  LogicalResult compileForHost(MutableArrayRef<KernelSet> sets) {
    ModuleOp module = getOperation();
    Location loc = module.getLoc();
    FailureOr<Toolkit> toolkit = findToolkit(cudaPath, loc);
    FailureOr<cpu::TargetSpec> host = cpu::resolveTarget({hostTriple, hostCPU, hostFeatures}, loc);
    if (failed(toolkit) || failed(host))
      return failure();
    auto machine = cpu::createTargetMachine(*host, loc);
    if (failed(machine))
      return failure();
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> linked;
    for (KernelSet &set : sets) {
      const Architecture &oldest = *set.architectures.front();
      auto code = KernelCompiler(*toolkit).optimize(set.kernels, oldest, context);
      if (failed(code))
        return failure();
      if (llvm::Error error = emulateKernels(**code, **machine))
        return emitError(loc) << llvm::toString(std::move(error));
      for (StringRef name : set.names) {
        if (name.empty()) {
          set.emulated.emplace_back();
          continue;
        }
        // Sets have kernels of the same name.
        llvm::Function *function = (*code)->getFunction(emulatedName(name));
        if (sets.size() > 1)
          function->setName(function->getName() + "_" + oldest.name);
        set.emulated.push_back(function->getName().str());
      }
      if (!linked)
        linked = std::move(*code);
      else if (llvm::Linker::linkModules(*linked, std::move(*code)))
        return emitError(loc, "the kernels of several architectures cannot be linked");
    }
    std::string bitcode;
    llvm::raw_string_ostream stream(bitcode);
    llvm::WriteBitcodeToFile(*linked, stream);
    module->setAttr(cpu::hostBitcodeAttrName, StringAttr::get(&getContext(), bitcode));
    return success();
  }

  /// Machine code and PTX for each architecture.
  LogicalResult compile(MutableArrayRef<KernelSet> sets) {
    Location loc = getOperation().getLoc();
    FailureOr<Toolkit> toolkit = findToolkit(cudaPath, loc);
    if (failed(toolkit))
      return failure();
    KernelCompiler compiler(*toolkit);
    bool hasAssembler = !toolkit->ptxas.empty();
    if (!hasAssembler)
      emitWarning(loc, "ptxas is not found: the library holds PTX, which the driver compiles when "
                       "it is loaded; ")
          << toolkitHint;
    // One error for all, and before any work.
    for (const KernelSet &set : sets)
      for (const Architecture *architecture : set.architectures)
        if (hasAssembler && failed(toolkit->supports(*architecture, loc)))
          return failure();
    // ptxas takes most of the time: one process for each architecture, side by side.
    struct Job {
      KernelSet &set;
      const Architecture &architecture;
      std::string ptx;
      std::future<FailureOr<Cubin>> cubin;
    };
    std::vector<Job> jobs;
    for (KernelSet &set : sets)
      for (const Architecture *architecture : set.architectures) {
        // Its PTX would run nowhere else, but nothing in it says so.
        if (!hasAssembler && !architecture->isPortable())
          return emitError(loc) << architecture->name
                                << " needs ptxas, which is not found: " << toolkitHint;
        FailureOr<std::string> ptx = compiler.emitPTX(set.kernels, *architecture);
        if (failed(ptx))
          return failure();
        jobs.push_back({set, *architecture, *ptx, {}});
        if (hasAssembler)
          jobs.back().cubin = std::async(std::launch::async,
                                         [&compiler, architecture, loc, text = std::move(*ptx)] {
                                           return compiler.assemble(text, *architecture, loc);
                                         });
      }
    for (Job &job : jobs) {
      if (hasAssembler) {
        FailureOr<Cubin> cubin = job.cubin.get();
        if (failed(cubin))
          return failure();
        if (report)
          reportResources(job.set.kernels, job.architecture, *cubin);
        tl_image_kind kind = job.architecture.scope == Architecture::Scope::Exact
                                 ? TL_IMAGE_EXACT_CUBIN
                                 : TL_IMAGE_CUBIN;
        job.set.images.push_back({kind, job.architecture.number, std::move(cubin->data)});
      }
      if (job.architecture.isPortable()) {
        job.ptx.push_back('\0');
        job.set.images.push_back({TL_IMAGE_PTX, job.architecture.number, std::move(job.ptx)});
      }
    }
    return success();
  }
};

} // namespace
} // namespace torchlite::nvgpu
