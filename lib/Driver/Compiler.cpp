//===- Compiler.cpp - From an archive or MLIR to native code --------------===//
#include "TorchLite/Driver/Compiler.h"

#include "TorchLite/Codegen/CPU/TargetInfo.h"
#include "TorchLite/Codegen/Common/Passes.h"
#include "TorchLite/Codegen/Common/Weights.h"
#include "TorchLite/Codegen/NVGPU/KernelCompiler.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Conversion/Passes.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "TorchLite/Dialect/TorchLite/Optimize/Passes.h"
#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h"
#include "TorchLite/Driver/MergeTargets.h"
#include "TorchLite/Driver/Operators.h"
#include "TorchLite/Driver/Passes.h"
#include "TorchLite/Driver/ReleaseConstants.h"
#include "TorchLite/InitAll.h"
#include "TorchLite/Pipelines/CPUPipeline.h"
#include "TorchLite/Pipelines/NVGPUPipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/X86TargetParser.h"

namespace torchlite::driver {
using namespace mlir;

std::unique_ptr<MLIRContext> createContext() {
  DialectRegistry registry;
  torchlite::registerAllDialects(registry);
  return std::make_unique<MLIRContext>(registry);
}

std::string modelName(StringRef path) {
  std::string name;
  for (char c : llvm::sys::path::stem(path))
    name.push_back(llvm::isAlnum(c) ? c : '_');
  if (name.empty() || llvm::isDigit(name[0]))
    name = "model_" + name;
  return name;
}

OwningOpRef<ModuleOp> loadModel(StringRef path, MLIRContext *context, const Importer &importer) {
  if (!path.ends_with(".mlir") && !path.ends_with(".mlirbc")) {
    if (importer)
      return importer(path, context);
    emitError(UnknownLoc::get(context), "'")
        << path << "': this tool was built without the importer of TorchScript archives; expected "
        << "a .mlir file";
    return nullptr;
  }
  if (!llvm::sys::fs::exists(path)) {
    emitError(UnknownLoc::get(context), "'") << path << "': no such file";
    return nullptr;
  }
  return parseSourceFile<ModuleOp>(path, ParserConfig(context));
}

Stage getStage(ModuleOp module) {
  bool hasCode = false, isLLVM = true;
  for (Operation &op : *module.getBody()) {
    if (isa<tl::ClassOp, tl::ObjectOp>(op))
      return Stage::AsWritten;
    if (!isa<FunctionOpInterface>(op))
      continue;
    hasCode = true;
    isLLVM &= isa<LLVM::LLVMDialect>(op.getDialect());
  }
  if (module->hasAttr("tl.root"))
    return Stage::AsWritten;
  if (hasCode && isLLVM)
    return Stage::LLVM;
  // Linalg is core without core operations: what converts the one leaves the other as it is.
  return Stage::Core;
}

/// Names of processor features that are instructions or registers, unlike those that tell LLVM what
/// is fast: what any of the processors that LLVM knows has.
static bool isInstructionSet(StringRef name) {
  static const llvm::StringSet<> all = [] {
    llvm::StringSet<> all;
    SmallVector<StringRef> cpus, features;
    llvm::X86::fillValidCPUArchList(cpus, /*Only64Bit=*/true);
    for (StringRef cpu : cpus)
      llvm::X86::getFeaturesForCPU(cpu, features);
    for (StringRef feature : features)
      all.insert(feature);
    return all;
  }();
  // No processor has some of the newest yet.
  return all.contains(name) || name.starts_with("amx-") || name.starts_with("avx");
}

/// Processor features that the code may use, comma-separated, for the runtime to check.
static FailureOr<std::string> requiredFeatures(const cpu::TargetSpec &target, Location loc) {
  FailureOr<std::unique_ptr<llvm::TargetMachine>> machine = cpu::createTargetMachine(target, loc);
  if (failed(machine))
    return failure();
  std::string features;
  if (!(*machine)->getTargetTriple().isX86())
    return features;
  const llvm::MCSubtargetInfo &subtarget = *(*machine)->getMCSubtargetInfo();
  for (const llvm::SubtargetFeatureKV &feature : subtarget.getEnabledProcessorFeatures())
    if (isInstructionSet(feature.Key))
      features += (features.empty() ? "" : ",") + std::string(feature.Key);
  return features;
}

/// `waiting`: a module that is compiled later.
static LogicalResult runPasses(ModuleOp module, const CompileOptions &options, StringRef activity,
                               function_ref<LogicalResult(PassManager &)> build,
                               ModuleOp waiting = {}) {
  if (options.progress)
    options.progress(activity);
  PassManager manager(module.getContext());
  if (options.configure && failed(options.configure(manager)))
    return failure();
  if (failed(build(manager)))
    return failure();
  if (options.ownsContext)
    manager.addInstrumentation(std::make_unique<ReleaseConstants>(
        waiting ? ArrayRef<ModuleOp>{module, waiting} : ArrayRef<ModuleOp>{module}));
  return manager.run(module);
}

static LogicalResult toCore(ModuleOp module, const CompileOptions &options) {
  return runPasses(module, options, "specializing", [&](PassManager &manager) {
    manager.addPass(tl::createLinkPass());
    tl::SpecializePassOptions specialize;
    specialize.signatures.assign(options.signatures.begin(), options.signatures.end());
    manager.addPass(tl::createSpecializePass(std::move(specialize), options.oracle));
    manager.addPass(createCanonicalizer());
    manager.addPass(createCSEPass());
    return success();
  });
}

static LogicalResult toLinalg(ModuleOp module, const CompileOptions &options) {
  return runPasses(module, options, "lowering to linalg", [](PassManager &manager) {
    manager.addPass(tl::createFoldBatchNormPass());
    manager.addPass(createConvertTorchLiteToLinalgPass());
    // Casts and sizes fold, so that transpositions meet.
    manager.addPass(createCanonicalizer());
    manager.addNestedPass<func::FuncOp>(createPropagateLayoutPass());
    return success();
  });
}

static LogicalResult lowerForCPU(ModuleOp module, const CompileOptions &options,
                                 ModuleOp waiting = {}) {
  FailureOr<const cpu::TargetInfo *> info = cpu::getTargetInfo(options.target, module.getLoc());
  if (failed(info))
    return failure();
  auto build = [&](PassManager &manager) {
    buildCPUPipeline(manager, options.target, **info, /*kernels=*/true,
                     /*separateBuffers=*/options.sanitizeAddress);
    return success();
  };
  return runPasses(module, options, "generating code", build, waiting);
}

static LogicalResult lowerForGPU(ModuleOp module, Stage goal, const CompileOptions &options,
                                 ModuleOp waiting = {}) {
  auto build = [&](PassManager &manager) {
    NVGPUPipelineOptions pipeline;
    // Files of kernels alone are for one architecture.
    ArrayRef<std::string> archs = options.gpu.archs;
    pipeline.archs = goal == Stage::LLVM ? archs : archs.take_front();
    pipeline.precision = options.gpu.precision;
    if (goal == Stage::GPU)
      pipeline.stage = "gpu";
    buildNVGPUPipeline(manager, pipeline);
    if (goal < Stage::LLVM)
      return success();
    nvgpu::SerializeOptions serialize;
    serialize.archs.assign(options.gpu.archs.begin(), options.gpu.archs.end());
    serialize.images = options.targets.cuda;
    serialize.emulated = options.targets.emulated;
    serialize.hostTriple = options.target.triple;
    serialize.hostCPU = options.target.cpu;
    serialize.hostFeatures = options.target.features;
    serialize.cudaPath = options.gpu.toolkit;
    serialize.report = options.gpu.report;
    manager.addPass(nvgpu::createSerialize(serialize));
    return success();
  };
  return runPasses(module, options, "generating kernels", build, waiting);
}

/// Each target takes a copy of the module; what they make is one module again.
static LogicalResult lowerForTargets(ModuleOp module, const CompileOptions &options) {
  const Targets &targets = options.targets;
  if (!targets.hasGPU())
    return lowerForCPU(module, options);
  if (!targets.cpu) {
    if (failed(lowerForGPU(module, Stage::LLVM, options)))
      return failure();
    markDevice(module);
    return success();
  }
  OwningOpRef<ModuleOp> device = module.clone();
  if (failed(lowerForCPU(module, options, *device)) ||
      failed(lowerForGPU(*device, Stage::LLVM, options, module)))
    return failure();
  markDevice(*device);
  return mergeDevice(module, *device);
}

static LogicalResult toLLVM(ModuleOp module, CompileOptions &options,
                            ModelDescription *description) {
  if (SymbolTable::lookupSymbolIn(module, options.name + "_model"))
    return success(); // it has been described
  Location loc = module.getLoc();
  FailureOr<std::string> features = requiredFeatures(options.target, loc);
  if (failed(features))
    return failure();
  if (getStage(module) != Stage::LLVM) {
    if (failed(lowerForTargets(module, options)))
      return failure();
  } else if (options.targets.hasGPU()) {
    return emitError(loc, "the module is in the LLVM dialect already, which is no place to start "
                          "from for GPUs");
  }
  if (description) {
    FailureOr<ModelDescription> described = describeModel(module);
    if (failed(described))
      return failure();
    *description = std::move(*described);
  }
  return runPasses(module, options, "describing the model", [&](PassManager &manager) {
    EmitDescriptorOptions descriptor;
    descriptor.name = options.name;
    descriptor.threads = options.threads;
    descriptor.features = *features;
    manager.addPass(createEmitDescriptor(descriptor));
    return success();
  });
}

/// The emulator needs kernels for one architecture.
static void resolveArchs(CompileOptions &options) {
  if (!options.gpu.archs.empty())
    return;
  options.gpu.archs = {"sm_80"};
  if (options.targets.cuda)
    options.gpu.archs.push_back("sm_90");
}

LogicalResult compile(ModuleOp module, Stage goal, CompileOptions &options,
                      ModelDescription *description) {
  resolveArchs(options);
  if (options.target.triple.empty() && options.target.cpu.empty())
    options.target.cpu = "native";
  FailureOr<cpu::TargetSpec> target = cpu::resolveTarget(options.target, module.getLoc());
  if (failed(target))
    return failure();
  options.target = *target;
  Stage stage = getStage(module);
  if (stage != Stage::AsWritten && !options.signatures.empty())
    return emitError(module.getLoc(), "the module has been specialized already, so that no "
                                      "signatures can be given");
  if (goal >= Stage::Core && stage == Stage::AsWritten) {
    if (failed(toCore(module, options)))
      return failure();
    reportCalls(module);
    if (!options.operatorLibraries.empty())
      module->setAttr("tl.libraries", Builder(module.getContext())
                                          .getStrArrayAttr(llvm::to_vector_of<StringRef>(
                                              options.operatorLibraries)));
  }
  if (options.targets.hasGPU() && failed(refuseCallsOnDevice(module)))
    return failure();
  if (goal >= Stage::Linalg && stage < Stage::LLVM && failed(toLinalg(module, options)))
    return failure();
  if (goal == Stage::GPU || goal == Stage::NVVM)
    return lowerForGPU(module, goal, options);
  if (goal == Stage::LLVM)
    return toLLVM(module, options, description);
  return success();
}

LogicalResult emit(ModuleOp module, const CompileOptions &options, cpu::OutputKind kind,
                   StringRef weightsPrefix, llvm::raw_pwrite_stream &os) {
  if (options.progress)
    options.progress("writing machine code");
  cpu::EmitOptions emitOptions;
  emitOptions.target = options.target;
  emitOptions.kind = kind;
  emitOptions.weightsPrefix = weightsPrefix.str();
  emitOptions.sanitizeAddress = options.sanitizeAddress;
  if (options.ownsContext)
    emitOptions.constantsWritten = [module]() mutable {
      for (StringRef name : {weightsAttrName, deviceWeightsAttrName, cpu::hostBitcodeAttrName})
        module->removeAttr(name);
      releaseConstants(module);
    };
  return cpu::emitObject(module, emitOptions, os);
}

LogicalResult emitKernels(ModuleOp module, const CompileOptions &options, bool isCubin,
                          llvm::raw_ostream &os) {
  if (options.progress)
    options.progress("compiling kernels");
  Location loc = module.getLoc();
  auto modules = module.getOps<gpu::GPUModuleOp>();
  if (modules.empty())
    return emitError(loc, "the model has no kernels: its methods compute nothing on tensors");
  FailureOr<const nvgpu::Architecture *> architecture =
      nvgpu::lookupArchitecture(options.gpu.archs.front(), loc);
  FailureOr<nvgpu::Toolkit> toolkit = nvgpu::findToolkit(options.gpu.toolkit, loc);
  if (failed(architecture) || failed(toolkit))
    return failure();
  nvgpu::KernelCompiler compiler(*toolkit);
  FailureOr<std::string> ptx = compiler.emitPTX(*modules.begin(), **architecture);
  if (failed(ptx))
    return failure();
  if (!isCubin && !options.gpu.report) {
    os << *ptx;
    return success();
  }
  FailureOr<nvgpu::Cubin> cubin = compiler.assemble(*ptx, **architecture, loc);
  if (failed(cubin))
    return failure();
  if (options.gpu.report)
    nvgpu::reportResources(*modules.begin(), **architecture, *cubin);
  os << (isCubin ? cubin->data : *ptx);
  return success();
}

} // namespace torchlite::driver
