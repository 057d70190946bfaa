//===- CompileTool.cpp - tl-compile ---------------------------------------===//
#include "TorchLite/Driver/CommandLine.h"
#include "TorchLite/Driver/Header.h"
#include "TorchLite/Driver/Link.h"
#include "TorchLite/Driver/Tools.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include <csignal>
#include <unistd.h>

namespace torchlite::driver {
using namespace mlir;
namespace cl = llvm::cl;

namespace {
enum class Format {
  SharedLibrary,
  StaticLibrary,
  Object,
  Assembly,
  LLVMIR,
  MLIR,
  PTX,
  Cubin,
  Executable
};

struct Job {
  std::string input, output;
  Runtime runtime;
  Format format;
  Stage stage;
  CompileOptions options;
};
} // namespace

static std::optional<Format> getFormat(StringRef output) {
  StringRef suffix = llvm::sys::path::extension(output);
  return llvm::StringSwitch<std::optional<Format>>(suffix)
      .Case(".so", Format::SharedLibrary)
      .Case(".a", Format::StaticLibrary)
      .Case(".o", Format::Object)
      .Case(".s", Format::Assembly)
      .Case(".ll", Format::LLVMIR)
      .Case(".mlir", Format::MLIR)
      .Case(".ptx", Format::PTX)
      .Case(".cubin", Format::Cubin)
      .Case("", Format::Executable)
      .Default(std::nullopt);
}

static bool needsRuntime(Format format) {
  return format == Format::SharedLibrary || format == Format::StaticLibrary ||
         format == Format::Executable;
}

/// Closes a file. An error without text has been reported.
static llvm::Error finish(llvm::raw_fd_ostream &os, StringRef path,
                          LogicalResult written = success()) {
  os.close();
  std::error_code error = os.error();
  os.clear_error(); // or the stream ends the program
  if (failed(written))
    return llvm::createStringError(llvm::inconvertibleErrorCode(), "");
  if (error)
    return llvm::createStringError(error, "'" + path + "' cannot be written: " + error.message());
  return llvm::Error::success();
}

/// Writes the object to a file and links it to `output`.
static llvm::Error writeLinked(ModuleOp module, const Job &job, StringRef output) {
  SmallString<128> object;
  int descriptor;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("torchlite", "o", descriptor, object))
    return llvm::createStringError(error, "cannot write a temporary file: " + error.message());
  TemporaryFile removeObject(object);
  {
    llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    LogicalResult written =
        emit(module, job.options, cpu::OutputKind::Object, /*weightsPrefix=*/"", os);
    if (llvm::Error error = finish(os, object, written))
      return error;
  }
  if (job.options.progress)
    job.options.progress("linking");
  switch (job.format) {
  case Format::SharedLibrary:
    return linkSharedLibrary(object, job.runtime, job.options.name, output);
  case Format::StaticLibrary:
    return writeStaticLibrary(object, job.runtime, output);
  default:
    return linkExecutable(object, job.runtime, output);
  }
}

/// Writes what needs no linker. An error without text has been reported.
static llvm::Error writeDirectly(ModuleOp module, const Job &job, StringRef output) {
  std::error_code error;
  llvm::raw_fd_ostream os(output, error);
  if (error)
    return llvm::createStringError(error, "'" + output + "': " + error.message());
  LogicalResult written = success();
  switch (job.format) {
  case Format::MLIR:
    module.print(os);
    os << "\n";
    break;
  case Format::Object:
    written = emit(module, job.options, cpu::OutputKind::Object, "", os);
    break;
  case Format::Assembly:
    written = emit(module, job.options, cpu::OutputKind::Assembly, job.output, os);
    break;
  case Format::PTX:
  case Format::Cubin:
    written = emitKernels(module, job.options, job.format == Format::Cubin, os);
    break;
  default:
    written = emit(module, job.options, cpu::OutputKind::LLVMIR, job.output, os);
    break;
  }
  return finish(os, job.output, written);
}

/// What --sanitize asks for.
static LogicalResult applySanitizer(StringRef name, Location loc, Job &job) {
  if (name.empty())
    return success();
  if (name != "address")
    return emitError(loc, "--sanitize=") << name << ": unknown; expected address";
  if (job.format == Format::PTX || job.format == Format::Cubin)
    return emitError(loc, "--sanitize is about code for the processor, but '")
           << job.output << "' holds kernels of GPUs alone";
  job.options.sanitizeAddress = job.runtime.sanitizeAddress = true;
  return success();
}

static LogicalResult run(Job &job, MLIRContext *context, const Importer &importer,
                         const CompilerCommandLine &commandLine) {
  auto fail = [&](llvm::Error error) -> LogicalResult {
    std::string message = llvm::toString(std::move(error));
    if (!message.empty())
      emitError(UnknownLoc::get(context)) << message;
    return failure();
  };
  // What cannot be written or linked is found out before the work.
  llvm::Expected<OutputFile> output = OutputFile::create(job.output);
  if (!output)
    return fail(output.takeError());
  job.options.progress("reading '" + job.input + "'");
  OwningOpRef<ModuleOp> module = loadModel(job.input, context, importer);
  if (!module || failed(commandLine.apply(*module, job.options)))
    return failure();
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  if (needsRuntime(job.format) && !job.options.target.triple.empty()) {
    llvm::Triple target(llvm::Triple::normalize(job.options.target.triple));
    if (target.getArch() != host.getArch() || target.getOS() != host.getOS())
      return emitError(UnknownLoc::get(context))
             << "'" << job.output << "': for another machine (" << target.str()
             << ") only .o, .s, .ll and .mlir can be made; link the object there with the runtime";
  }
  ModelDescription description;
  if (failed(compile(*module, job.stage, job.options, &description)))
    return failure();
  if (llvm::Error error = needsRuntime(job.format)
                              ? writeLinked(*module, job, output->temporaryPath())
                              : writeDirectly(*module, job, output->temporaryPath()))
    return fail(std::move(error));
  bool hasHeader = !description.methods.empty() && !output->isSpecial() &&
                   (job.format == Format::SharedLibrary || job.format == Format::StaticLibrary ||
                    job.format == Format::Object);
  std::optional<OutputFile> header;
  if (hasHeader) {
    SmallString<128> path(job.output);
    llvm::sys::path::replace_extension(path, ".h");
    llvm::Expected<OutputFile> file = OutputFile::create(path);
    if (!file)
      return fail(file.takeError());
    std::error_code error;
    llvm::raw_fd_ostream os(file->temporaryPath(), error);
    if (error)
      return fail(llvm::createStringError(error, "'" + path + "': " + error.message()));
    writeHeader(description, job.options.name, os);
    if (llvm::Error error = finish(os, path))
      return fail(std::move(error));
    header.emplace(std::move(*file));
  }
  // A library without its header would be half of what was asked for.
  if (header)
    if (llvm::Error error = header->keep())
      return fail(std::move(error));
  if (llvm::Error error =
          output->keep(job.format == Format::SharedLibrary || job.format == Format::Executable))
    return fail(std::move(error));
  return success();
}

/// Interrupted: files that are not complete have been removed.
static void interrupted() {
  static const char message[] = "tl-compile: error: interrupted\n";
  if (write(STDERR_FILENO, message, sizeof message - 1)) {
  }
  _exit(130);
}

int compileMain(int argc, char **argv, const Importer &importer, const OperatorSupport &operators) {
  llvm::InitLLVM init(argc, argv);
  llvm::sys::SetInterruptFunction(interrupted);
  // A file that may not grow, and a reader that has gone, are errors like a full disk.
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  dropClashingOptions();
  cl::OptionCategory category("Options of tl-compile");
  cl::opt<std::string> input(cl::Positional, cl::cat(category), cl::desc("<model.pt | model.mlir>"),
                             cl::Required);
  cl::opt<std::string> output(
      "o", cl::cat(category), cl::value_desc("file"), cl::Required,
      cl::desc("What to make, by its suffix: .so .a (libraries, with a header beside\n"
               "them), .o .s .ll .mlir, .ptx .cubin (the kernels of a GPU alone); no\n"
               "suffix: an executable"));
  cl::opt<Stage> stage(
      "emit", cl::cat(category), cl::init(Stage::Core),
      cl::desc("The stage that a .mlir file shows"),
      cl::values(
          clEnumValN(Stage::AsWritten, "import", "the program as written"),
          clEnumValN(Stage::Core, "core", "core operations on tensors (default)"),
          clEnumValN(Stage::Linalg, "linalg", "linalg on tensors"),
          clEnumValN(Stage::GPU, "gpu", "kernels for GPUs, launched by host code on buffers"),
          clEnumValN(Stage::NVVM, "nvvm", "the same in the LLVM dialect, kernels with NVVM"),
          clEnumValN(Stage::LLVM, "llvm", "the LLVM dialect")));
  cl::opt<std::string> sanitize(
      "sanitize", cl::cat(category), cl::value_desc("address"),
      cl::desc("Check every access to memory while the code runs (address: LLVM's\n"
               "AddressSanitizer). A library needs a program with its runtime, or\n"
               "LD_PRELOAD=$(clang -print-file-name=libclang_rt.asan-$(uname -m).so)"));
  CompilerCommandLine commandLine(category);
  OperatorCommandLine operatorOptions(category);
  parseCommandLine(
      argc, argv, category,
      "Compiles a TorchScript model (torch.jit.save) to native code that needs neither "
      "Python nor LibTorch.\n\n"
      "  tl-compile model.pt --input-type=1x3x224x224xf32 -o model.so\n"
      "  tl-compile model.pt --signature='forward(?x512xf32, 16000)' "
      "--signature='reset()' -o model\n");
  std::unique_ptr<MLIRContext> context = createContext();
  DiagnosticPrinter printer(context.get(), "tl-compile");
  Progress progress;
  auto fail = [&](const Twine &message) {
    progress.clear();
    emitError(UnknownLoc::get(context.get())) << message;
    return 1;
  };
  std::optional<Format> format = getFormat(output);
  if (output == "-") { // no suffix says what to make
    if (!stage.getNumOccurrences())
      return fail("'-', standard output, takes what --emit shows; give --emit, or name a file");
    format = Format::MLIR;
  }
  if (!format)
    return fail("'" + output +
                "': unknown suffix; expected .so, .a, .o, .s, .ll, .mlir, .ptx, .cubin "
                "or none (an executable)");
  Job job{input, output, {}, *format, Stage::LLVM, {}};
  if (*format == Format::MLIR)
    job.stage = stage;
  job.options.name = commandLine.name.empty() ? modelName(output) : commandLine.name;
  job.options.configure = [](PassManager &manager) {
    applyDefaultTimingPassManagerCLOptions(manager);
    return applyPassManagerCLOptions(manager);
  };
  job.options.ownsContext = true;
  job.options.progress = [&](StringRef activity) { progress.show(activity); };
  if (failed(applySanitizer(sanitize, UnknownLoc::get(context.get()), job)))
    return 1;
  bool isKernels = *format == Format::PTX || *format == Format::Cubin;
  if (isKernels)
    job.options.targets = {/*cpu=*/false, /*cuda=*/true, /*emulated=*/false};
  if (failed(commandLine.applyTargets(context.get(), job.options)) ||
      failed(operatorOptions.load(context.get(), operators)) ||
      failed(operatorOptions.apply(context.get(), operators, job.options)))
    return 1;
  if (isKernels && (job.options.targets.cpu || job.options.targets.emulated))
    return fail("'" + output +
                "' holds kernels of NVIDIA GPUs alone: leave out --target, or give "
                "--target=cuda");
  if (*format == Format::Cubin && job.options.gpu.archs.size() != 1)
    return fail("'" + output + "' is for one architecture: give one, such as --cuda-arch=sm_90");
  if (isKernels)
    job.stage = Stage::NVVM;
  if ((job.stage == Stage::GPU || job.stage == Stage::NVVM) && !job.options.targets.hasGPU())
    return fail("--emit shows kernels for GPUs; give --target=cuda or --target=emulated too");
  if (needsRuntime(*format)) {
    llvm::Expected<std::string> runtimeDir =
        findRuntime(argv[0], reinterpret_cast<void *>(&compileMain));
    if (!runtimeDir)
      return fail(llvm::toString(runtimeDir.takeError()));
    job.runtime.folder = *runtimeDir;
    if (job.options.targets.cuda)
      job.runtime.backends.push_back("TorchLiteCuda");
    if (job.options.targets.emulated)
      job.runtime.backends.push_back("TorchLiteEmulator");
  }
  return failed(run(job, context.get(), importer, commandLine));
}

} // namespace torchlite::driver
