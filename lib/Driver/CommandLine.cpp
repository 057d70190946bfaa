//===- CommandLine.cpp - What the tools' command lines share --------------===//
#include "TorchLite/Driver/CommandLine.h"

#include "TorchLite/Codegen/NVGPU/TargetInfo.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"

namespace torchlite::driver {
using namespace mlir;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

/// The source position that a location holds, innermost first, and the calls that led there.
static void collectPositions(Location loc, SmallVectorImpl<FileLineColLoc> &positions) {
  if (auto position = dyn_cast<FileLineColLoc>(loc)) {
    positions.push_back(position);
  } else if (auto name = dyn_cast<NameLoc>(loc)) {
    collectPositions(name.getChildLoc(), positions);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectPositions(call.getCallee(), positions);
    collectPositions(call.getCaller(), positions);
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations()) {
      if (!positions.empty())
        break;
      collectPositions(part, positions);
    }
  }
}

static void printDiagnostic(StringRef tool, const Diagnostic &diagnostic) {
  SmallVector<FileLineColLoc> positions;
  collectPositions(diagnostic.getLocation(), positions);
  auto print = [&](FileLineColLoc position) -> llvm::raw_ostream & {
    return llvm::errs() << position.getFilename().getValue() << ":" << position.getLine() << ":"
                        << position.getColumn() << ": ";
  };
  if (positions.empty() || positions.front().getLine() == 0)
    llvm::errs() << tool << ": ";
  else
    print(positions.front());
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    llvm::WithColor::error(llvm::errs());
    break;
  case DiagnosticSeverity::Warning:
    llvm::WithColor::warning(llvm::errs());
    break;
  case DiagnosticSeverity::Note:
    llvm::WithColor::note(llvm::errs());
    break;
  case DiagnosticSeverity::Remark:
    llvm::WithColor::remark(llvm::errs());
    break;
  }
  llvm::errs() << diagnostic << "\n";
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
    for (FileLineColLoc caller : llvm::drop_begin(positions, positions.empty() ? 0 : 1)) {
      print(caller);
      llvm::WithColor::note(llvm::errs()) << "called from here\n";
    }
  for (const Diagnostic &note : const_cast<Diagnostic &>(diagnostic).getNotes())
    printDiagnostic(tool, note);
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext *context, StringRef tool)
    : ScopedDiagnosticHandler(context) {
  setHandler([tool = tool.str()](Diagnostic &diagnostic) {
    printDiagnostic(tool, diagnostic);
    return success();
  });
}

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

void dropClashingOptions() {
  for (StringRef name : {"atol", "benchmark", "call", "check", "device", "emit", "input", "name",
                         "o", "precision", "rtol", "signature", "target", "threads"}) {
    auto &registered = cl::getRegisteredOptions();
    if (auto it = registered.find(name); it != registered.end())
      it->second->removeArgument();
  }
}

/// The description of --cuda-arch. Options keep a reference to theirs.
static StringRef describeArchs() {
  static const std::string text =
      "Architectures of GPUs: " + llvm::join(nvgpu::targetNames(), ", ") +
      "\n(default: sm_80,sm_90; newer ones run what the newest of these does).\n"
      "Each gets kernels of its own where they differ";
  return text;
}

CompilerCommandLine::CompilerCommandLine(cl::OptionCategory &category)
    : inputTypes("input-type", cl::cat(category), cl::value_desc("type"),
                 cl::desc("Type of an argument of forward, once for each: 1x3x224x224xf32,\n"
                          "?x512xi64 (`?`: any size), int, float, bool, none, a value that\n"
                          "fixes the argument (16000), or [...], (...), {\"key\": ...} of these")),
      signatures("signature", cl::cat(category), cl::value_desc("method(type, ...)"),
                 cl::desc("A method and the types of its arguments; may be repeated, for\n"
                          "several methods or several types of one")),
      targets("target", cl::cat(category), cl::CommaSeparated, cl::value_desc("list"),
              cl::desc("What the model shall run on: cpu (default), cuda, emulated (the\n"
                       "kernels of GPUs on this processor, for tests); one library may\n"
                       "have several: cpu,cuda")),
      cudaArchs("cuda-arch", cl::cat(category), cl::CommaSeparated, cl::value_desc("list"),
                cl::desc(describeArchs())),
      targetTriple("target-triple", cl::cat(category), cl::value_desc("triple"),
                   cl::desc("What to compile for, such as aarch64-linux-gnu (default: this "
                            "machine)")),
      targetCPU("target-cpu", cl::cat(category), cl::value_desc("name"),
                cl::desc("Processor, such as skylake-avx512, x86-64-v3, native (default: native,\n"
                         "or the baseline of --target-triple)")),
      targetFeatures("target-features", cl::cat(category), cl::value_desc("list"),
                     cl::desc("Processor features to add or leave out, such as +avx2,-fma")),
      precision("precision", cl::cat(category), cl::value_desc("type"), cl::init("f32"),
                cl::desc("What GPUs multiply matrices of f32 in: f32 (default), tf32, f16,\n"
                         "bf16; sums are f32")),
      cudaPath("cuda-path", cl::cat(category), cl::value_desc("folder"),
               cl::desc("The CUDA Toolkit, for libdevice and ptxas (default: CUDA_PATH, usual\n"
                        "places, Python packages)")),
      name("name", cl::cat(category), cl::value_desc("identifier"),
           cl::desc("The model's name, in <name>_model() and the header (default: the output's)")),
      reportKernels("report-kernels", cl::cat(category),
                    cl::desc("Tell what each kernel takes of the GPU: registers, shared memory,\n"
                             "spills")),
      threads("threads", cl::cat(category), cl::value_desc("n"), cl::init(0),
              cl::desc("Threads of one call; in a library the default, which its caller may\n"
                       "change (default: 0, as many as the process may run on)")) {}

/// The name of the first of some options that was given. (References: cl::list has an operator& of
/// its own.)
static StringRef firstGiven(ArrayRef<std::reference_wrapper<const cl::Option>> options) {
  for (const cl::Option &option : options)
    if (option.getNumOccurrences())
      return option.ArgStr;
  return "";
}

/// Whether an architecture has what products in `precision` need.
static bool hasPrecision(const nvgpu::TargetInfo &info, StringRef precision) {
  return llvm::StringSwitch<bool>(precision)
      .Case("f16", info.hasMmaF16)
      .Case("bf16", info.hasMmaBF16)
      .Case("tf32", info.hasMmaTF32)
      .Default(true);
}

static LogicalResult applyGPUOptions(const CompilerCommandLine &commandLine, Location loc,
                                     GPUOptions &options) {
  auto isAsked = [&](StringRef name) { return llvm::is_contained(commandLine.cudaArchs, name); };
  for (StringRef name : commandLine.cudaArchs)
    if (!nvgpu::lookupTargetInfo(name))
      return emitError(loc, "--cuda-arch=") << name << ": unknown architecture; expected one of "
                                            << llvm::join(nvgpu::targetNames(), ", ");
  if (!commandLine.cudaArchs.empty()) {
    options.archs.clear();
    llvm::append_range(options.archs, llvm::make_filter_range(nvgpu::targetNames(), isAsked));
  }
  options.precision = commandLine.precision;
  if (!llvm::is_contained({"f32", "tf32", "f16", "bf16"}, options.precision))
    return emitError(loc, "--precision=")
           << options.precision << ": unknown; expected f32, tf32, f16 or bf16";
  for (StringRef name : options.archs) { // the default ones have all
    if (hasPrecision(*nvgpu::lookupTargetInfo(name), options.precision))
      continue;
    const StringRef *oldest = llvm::find_if(nvgpu::targetNames(), [&](StringRef name) {
      return hasPrecision(*nvgpu::lookupTargetInfo(name), options.precision);
    });
    return emitError(loc, "--precision=")
           << options.precision << ": the architecture " << name
           << " is older than that needs; take --precision=f32 or --cuda-arch=" << *oldest
           << " or newer";
  }
  options.toolkit = commandLine.cudaPath;
  options.report = commandLine.reportKernels;
  return success();
}

LogicalResult CompilerCommandLine::applyTargets(MLIRContext *context,
                                                CompileOptions &options) const {
  Location loc = UnknownLoc::get(context);
  options.target.triple = targetTriple;
  options.target.cpu = targetCPU;
  options.target.features = targetFeatures;
  if (!targets.empty())
    options.targets = {false, false, false};
  for (StringRef name : targets) {
    if (name == "cpu")
      options.targets.cpu = true;
    else if (name == "cuda")
      options.targets.cuda = true;
    else if (name == "emulated")
      options.targets.emulated = true;
    else
      return emitError(loc, "--target=") << name << ": unknown; expected cpu, cuda or emulated";
  }
  if (options.targets.hasGPU())
    return applyGPUOptions(*this, loc, options.gpu);
  if (StringRef name = firstGiven({cudaArchs, precision, cudaPath, reportKernels}); !name.empty())
    return emitError(loc, "--") << name
                                << " is about GPUs; give --target=cuda or --target=emulated too";
  return success();
}

StringRef CompilerCommandLine::givenOption() const {
  return firstGiven({targets, cudaArchs, precision, cudaPath, reportKernels, targetTriple,
                     targetCPU, targetFeatures, inputTypes, signatures, name});
}

/// The exported methods of the root object with the functions behind them.
static SmallVector<std::pair<StringRef, FunctionOpInterface>> exportedMethods(ModuleOp module) {
  SmallVector<std::pair<StringRef, FunctionOpInterface>> methods;
  SymbolTable symbols(module);
  auto root = module->getAttrOfType<FlatSymbolRefAttr>("tl.root");
  auto object = root ? symbols.lookup<tl::ObjectOp>(root.getValue()) : tl::ObjectOp();
  auto type = object ? dyn_cast<tl::ObjectType>(object.getType()) : tl::ObjectType();
  auto cls = type ? symbols.lookup<tl::ClassOp>(type.getClassName().getValue()) : tl::ClassOp();
  if (!cls)
    return methods;
  for (auto method : cls.getBody().getOps<tl::MethodOp>())
    if (auto function = symbols.lookup<FunctionOpInterface>(method.getFunction());
        function && method.getExported())
      methods.push_back({method.getName(), function});
  return methods;
}

LogicalResult CompilerCommandLine::apply(ModuleOp module, CompileOptions &options) const {
  options.threads = threads;
  if (threads < 0 || threads > 1024)
    return emitError(module.getLoc(), "--threads: expected a number from 0 to 1024, but got ")
           << threads;
  if (!inputTypes.empty())
    options.signatures.push_back("forward(" + llvm::join(inputTypes, ", ") + ")");
  options.signatures.insert(options.signatures.end(), signatures.begin(), signatures.end());
  if (!options.signatures.empty() || getStage(module) != Stage::AsWritten)
    return success();
  std::string needed;
  bool hasForward = false, needsForward = false;
  if (exportedMethods(module).empty())
    return emitError(module.getLoc(), "the model exports no methods");
  for (auto [method, function] : exportedMethods(module)) {
    hasForward |= method == "forward";
    if (function.getNumArguments() == 1) {
      options.signatures.push_back((method + "()").str());
      continue;
    }
    needsForward |= method == "forward";
    needed += "\n  --signature='" + method.str() + "(";
    for (unsigned i = 1; i < function.getNumArguments(); ++i) {
      auto argument = function.getArgAttrOfType<StringAttr>(i, "tl.name");
      needed += (i > 1 ? ", " : "") + ("TYPE of " + (argument ? argument.getValue() : "?")).str();
    }
    needed += ")'";
  }
  // Methods without arguments alone are not what the model is for.
  if (options.signatures.empty() || needsForward || (!hasForward && !needed.empty()))
    return emitError(module.getLoc(),
                     "the types of the arguments are needed: give --input-type once for each "
                     "argument of forward, or --signature; the model has")
           << needed;
  return success();
}

void parseCommandLine(int argc, char **argv, cl::OptionCategory &category, StringRef overview) {
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  registerPassManagerCLOptions();
  registerDefaultTimingManagerCLOptions();
  for (auto [name, option] : cl::getRegisteredOptions()) {
    bool isOurs = llvm::is_contained(option->Categories, &category);
    bool isUseful = name == "mlir-print-ir-after-all" || name == "mlir-timing" ||
                    name == "mlir-pass-pipeline-crash-reproducer" || name == "help" ||
                    name == "version";
    if (!isOurs)
      option->setHiddenFlag(isUseful ? cl::NotHidden : cl::ReallyHidden);
  }
  cl::SetVersionPrinter([](llvm::raw_ostream &os) { os << "TorchLite " << tl_version() << "\n"; });
  cl::ParseCommandLineOptions(argc, argv, overview);
}

//===----------------------------------------------------------------------===//
// Progress
//===----------------------------------------------------------------------===//

Progress::Progress() : isTerminal(llvm::sys::Process::StandardErrIsDisplayed()) {}

void Progress::show(StringRef activity) {
  if (isTerminal)
    llvm::errs() << "\r\033[K" << activity << " ...";
}

void Progress::clear() {
  if (isTerminal)
    llvm::errs() << "\r\033[K";
}

} // namespace torchlite::driver
