//===- RunTool.cpp - tl-run -----------------------------------------------===//
#include "Run.h"
#include "TorchLite/Driver/CommandLine.h"
#include "TorchLite/Driver/JIT.h"
#include "TorchLite/Driver/Tools.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/InitLLVM.h"
#include <set>

namespace torchlite::driver {
using namespace mlir;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// Types from values
//===----------------------------------------------------------------------===//

/// The type of a value as a signature has it. Text has no run-time form, so it fixes the argument.
static std::string typeOf(const tl_value &value) {
  switch (value.kind) {
  case TL_INT:
    return "int";
  case TL_FLOAT:
    return "float";
  case TL_BOOL:
    return "bool";
  case TL_STRING:
    return "\"" + std::string(value.as.string.data) + "\"";
  case TL_TENSOR: {
    // As tl_type_format writes it, which reads as a signature's type.
    const DLTensor *tensor = value.as.tensor.tensor;
    std::string text;
    for (int32_t i = 0; i < tensor->ndim; ++i)
      text += std::to_string(tensor->shape[i]) + "x";
    for (int dtype = TL_F32; dtype <= TL_COMPLEX128; ++dtype) {
      DLTensor sample = tl_dltensor(nullptr, static_cast<tl_dtype>(dtype), 0, nullptr);
      if (sample.dtype.code != tensor->dtype.code || sample.dtype.bits != tensor->dtype.bits)
        continue;
      tl_type type = {TL_TENSOR, 0, dtype, 0, nullptr, nullptr, 0, nullptr};
      char name[32];
      tl_type_format(&type, name, sizeof name);
      return text + name;
    }
    return text + "?";
  }
  case TL_LIST:
  case TL_TUPLE:
  case TL_DICT: {
    bool isDict = value.kind == TL_DICT;
    std::string text = value.kind == TL_LIST ? "[" : isDict ? "{" : "(";
    for (size_t i = 0; i < value.as.items.count * (isDict ? 2 : 1); ++i) {
      const tl_value &item = value.as.items.data[i];
      if (i)
        text += isDict && i % 2 ? ": " : ", ";
      text +=
          isDict && i % 2 == 0 && item.kind == TL_INT ? std::to_string(item.as.i) : typeOf(item);
    }
    return text + (value.kind == TL_LIST ? "]" : isDict ? "}" : ")");
  }
  default:
    return "none";
  }
}

static std::string signatureOf(StringRef method, ArrayRef<tl_value> arguments) {
  return (method + "(" +
          llvm::join(llvm::map_range(arguments, [](const tl_value &it) { return typeOf(it); }),
                     ", ") +
          ")")
      .str();
}

/// Signatures for the calls that are to be made; each once.
static bool addSignatures(const tl_run_options &options, std::vector<std::string> &signatures) {
  tl_store store = {nullptr};
  llvm::scope_exit freeStore([&] { tl_store_free(&store); });
  tl_error error;
  std::set<std::string> seen(signatures.begin(), signatures.end());
  auto add = [&](StringRef method, ArrayRef<tl_value> arguments) {
    std::string signature = signatureOf(method, arguments);
    if (seen.insert(signature).second)
      signatures.push_back(signature);
  };
  SmallVector<tl_value> inputs(options.input_count, tl_none());
  for (size_t i = 0; i < options.input_count; ++i)
    if (!tl_parse_value(&store, options.inputs[i], &inputs[i], &error)) {
      llvm::errs() << "tl-run: error: " << error.message << "\n";
      return false;
    }
  if (options.call_count == 0)
    add("forward", inputs);
  for (size_t i = 0; i < options.call_count; ++i) {
    const char *method;
    tl_value *arguments;
    size_t count;
    if (!tl_parse_call(&store, options.calls[i], &method, &arguments, &count, &error)) {
      llvm::errs() << "tl-run: error: " << error.message << "\n";
      return false;
    }
    add(method, ArrayRef<tl_value>(arguments, count));
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Comparison with a reference
//===----------------------------------------------------------------------===//

namespace {
/// Compares every call with the reference's.
struct Checker {
  Reference *reference = nullptr;
  double rtol = 0, atol = 0;
  unsigned calls = 0;
  tl_value expected = tl_none();
  ArrayRef<tl_value> expectedArguments;
  std::string raised;

  static Checker &get(void *context) { return *static_cast<Checker *>(context); }

  static bool before(void *context, const char *method, const tl_value *arguments, size_t count) {
    Checker &self = get(context);
    self.raised.clear();
    if (llvm::Error error = self.reference->call(method, ArrayRef<tl_value>(arguments, count),
                                                 self.expected, self.expectedArguments))
      self.raised = llvm::toString(std::move(error));
    return true;
  }

  static bool after(void *context, const char *method, const tl_value *arguments, size_t count,
                    const tl_value *result) {
    Checker &self = get(context);
    unsigned number = self.calls++;
    llvm::errs() << "call " << number << " of " << method << ": ";
    if (!self.raised.empty()) {
      llvm::errs() << "LibTorch raised, the compiled model did not: " << self.raised << "\n";
      return false;
    }
    std::string difference = compareValues(*result, self.expected, "result", self.rtol, self.atol);
    for (size_t i = 0; i < count && difference.empty(); ++i)
      difference =
          compareValues(arguments[i], self.expectedArguments[i],
                        "argument " + std::to_string(i) + " after the call", self.rtol, self.atol);
    llvm::errs() << (difference.empty() ? "agrees with LibTorch" : difference) << "\n";
    return difference.empty();
  }

  static bool failed(void *context, const char *method, const char *message) {
    Checker &self = get(context);
    llvm::errs() << "call " << self.calls++ << " of " << method << ": ";
    if (self.raised.empty()) {
      llvm::errs() << "the compiled model failed, LibTorch did not\n";
      return false;
    }
    llvm::errs() << "both raise\n  compiled: " << message << "\n  LibTorch: " << self.raised
                 << "\n";
    return true;
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// The tool
//===----------------------------------------------------------------------===//

int runMain(int argc, char **argv, const Importer &importer, const ReferenceLoader &loadReference,
            const OperatorSupport &operators) {
  llvm::InitLLVM init(argc, argv);
  dropClashingOptions();
  cl::OptionCategory category("Options of tl-run");
  cl::opt<std::string> input(cl::Positional, cl::cat(category), cl::Required,
                             cl::desc("<model.pt | model.mlir | model.so>"));
  cl::list<std::string> inputs(
      "input", cl::cat(category), cl::value_desc("value"),
      cl::desc("An argument of forward, once for each: @x.npy (@x.npy:bf16),\n"
               "2x2xf32='1 2 3 4', 1x3xf32=0.5, 1x3xf32=rand, 10, 1.5, true, none,\n"
               "\"text\", or [...], (...), {\"key\": ...} of these"));
  cl::list<std::string> calls("call", cl::cat(category), cl::value_desc("method(value, ...)"),
                              cl::desc("A call; several are made in order, on one instance"));
  cl::opt<std::string> outputDir("output-dir", cl::cat(category), cl::value_desc("folder"),
                                 cl::desc("Write results to folder/call0.json and "
                                          "folder/call0.out0.npy, ...\n(default: print them)"));
  cl::opt<bool> check("check", cl::cat(category),
                      cl::desc("Make the calls on LibTorch too, and compare (a .pt only)"));
  cl::opt<double> rtol("rtol", cl::cat(category), cl::init(1e-4),
                       cl::desc("Relative difference that --check allows (default: 1e-4)"));
  cl::opt<double> atol("atol", cl::cat(category), cl::init(1e-5),
                       cl::desc("Absolute difference that --check allows (default: 1e-5)"));
  cl::opt<bool> benchmark("benchmark", cl::cat(category),
                          cl::desc("Repeat each call; print minimum, median and 99th percentile"));
  cl::opt<std::string> device("device", cl::cat(category), cl::value_desc("name"),
                              cl::desc("What to run on: cpu, cuda, cuda:N (GPU number N), or\n"
                                       "emulated (GPU code on the CPU, slowly; default: the first\n"
                                       "that the model is compiled for)"));
  cl::opt<uint64_t> seed("seed", cl::cat(category), cl::value_desc("number"),
                         cl::desc("Seed of the random generator (default: another one each time;\n"
                                  "with --check: 0)"));
  CompilerCommandLine commandLine(category);
  OperatorCommandLine operatorOptions(category);
  parseCommandLine(argc, argv, category,
                   "Runs a model: compiles a .pt or .mlir in memory, or loads a library.\n\n"
                   "  tl-run model.pt --input=@x.npy --output-dir=out\n"
                   "  tl-run model.pt --call='forward(1x512xf32=rand, 16000)' --call='reset()' "
                   "--check\n");
  auto fail = [](const Twine &message) {
    llvm::errs() << "tl-run: error: " << message << "\n";
    return 1;
  };
  if (!inputs.empty() && !calls.empty())
    return fail("--input gives the arguments of forward, and --call names a method with its own: "
                "use one of them");
  SmallVector<const char *> inputTexts, callTexts;
  for (const std::string &text : inputs)
    inputTexts.push_back(text.c_str());
  for (const std::string &text : calls)
    callTexts.push_back(text.c_str());
  tl_run_options options = {};
  options.inputs = inputTexts.data();
  options.input_count = inputTexts.size();
  options.calls = callTexts.data();
  options.call_count = callTexts.size();
  options.output_dir = outputDir.empty() ? nullptr : outputDir.c_str();
  options.threads = commandLine.threads;
  options.benchmark = benchmark;
  options.seeded = seed.getNumOccurrences() || check;
  options.seed = seed;
  tl_error deviceError;
  if (!device.empty() &&
      !tl_parse_device(device.c_str(), &options.device, &options.device_id, &deviceError))
    return fail(deviceError.message);
  bool isLibrary = StringRef(input).ends_with(".so");
  bool isArchive =
      !isLibrary && !StringRef(input).ends_with(".mlir") && !StringRef(input).ends_with(".mlirbc");

  std::unique_ptr<MLIRContext> context = createContext();
  DiagnosticPrinter printer(context.get(), "tl-run");
  if (failed(operatorOptions.load(context.get(), operators)))
    return 1;
  std::unique_ptr<Reference> reference;
  Checker checker;
  checker.rtol = rtol;
  checker.atol = atol;
  tl_run_observer observer = {&checker, Checker::before, Checker::after, Checker::failed};
  if (check) {
    if (!isArchive)
      return fail("--check compares with LibTorch, which needs the archive (.pt)");
    if (!loadReference)
      return fail("--check: this tool was built without LibTorch");
    llvm::Expected<std::unique_ptr<Reference>> loaded = loadReference(input);
    if (!loaded)
      return fail(llvm::toString(loaded.takeError()));
    reference = std::move(*loaded);
    checker.reference = reference.get();
    reference->seed(seed);
    options.observer = &observer;
  }

  if (isLibrary) {
    StringRef name = commandLine.givenOption();
    if (name.empty())
      name = operatorOptions.givenOption();
    if (!name.empty())
      return fail("--" + name + ": '" + input + "' is compiled already; leave the option out");
    const tl_model *model;
    tl_error error;
    if (tl_model_open(input.c_str(), &model, &error))
      return fail(error.message);
    int status = tl_run_model(model, &options);
    tl_model_close(model);
    return status;
  }

  Progress progress;
  progress.show("reading '" + input + "'");
  CompileOptions compileOptions;
  // What it shall run on is what it is compiled for.
  compileOptions.targets = {options.device <= TL_DEVICE_CPU, options.device == TL_DEVICE_CUDA,
                            options.device == TL_DEVICE_EMULATED};
  if (failed(commandLine.applyTargets(context.get(), compileOptions)) ||
      failed(operatorOptions.apply(context.get(), operators, compileOptions)))
    return 1;
  OwningOpRef<ModuleOp> module = loadModel(input, context.get(), importer);
  compileOptions.name = modelName(input);
  compileOptions.configure = [](PassManager &manager) {
    applyDefaultTimingPassManagerCLOptions(manager);
    return applyPassManagerCLOptions(manager);
  };
  compileOptions.ownsContext = true;
  compileOptions.progress = [&](StringRef activity) { progress.show(activity); };
  if (!module)
    return 1;
  if (getStage(*module) == Stage::AsWritten && commandLine.inputTypes.empty() &&
      commandLine.signatures.empty() && !addSignatures(options, compileOptions.signatures))
    return 1;
  if (failed(commandLine.apply(*module, compileOptions)))
    return 1;
  std::unique_ptr<JITModel> model = JITModel::create(*module, compileOptions);
  if (!model)
    return 1;
  progress.clear();
  return tl_run_model(model->model(), &options);
}

} // namespace torchlite::driver
