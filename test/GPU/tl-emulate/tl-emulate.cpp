//===- tl-emulate.cpp - Runs kernels in LLVM IR on the emulator -----------===//
//
// A test driver: `tl-emulate kernels.ll --kernel=k --grid=2 --block=32 f32[64]=iota i32=3` compiles
// the kernels for the host, launches one, and prints the buffers afterwards.
//
// Arguments: `<type>[<count>]=<values>` is a buffer, `<type>=<value>` a scalar. Values: `iota` (0,
// 1, 2, ...), `random` (multiples of 1/8 between -4 and 4, always the same ones), `unset`, or
// numbers with commas between, of which the last is repeated.
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/NVGPU/EmulateKernels.h"
#include "TorchLite/Runtime/Emulator.h"
#include "TorchLite/Runtime/Gpu.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <chrono>

using namespace llvm;

static cl::opt<std::string> input(cl::Positional, cl::Required, cl::desc("<kernels.ll>"));
static cl::list<std::string> arguments(cl::Positional, cl::desc("<arguments>"));
static cl::opt<bool> print("print", cl::desc("Print the host code instead of running it"));
static cl::opt<std::string> kernelName("kernel", cl::desc("The kernel to launch"));
static cl::list<int64_t> grid("grid", cl::CommaSeparated, cl::desc("Blocks: x,y,z"));
static cl::list<int64_t> block("block", cl::CommaSeparated, cl::desc("Threads: x,y,z"));
static cl::opt<int64_t> sharedBytes("shared", cl::init(0), cl::desc("Dynamic shared memory"));
static cl::opt<int> arch("arch", cl::init(80), cl::desc("The architecture whose limits count"));
static cl::opt<int> repeat("repeat", cl::init(0), cl::desc("Launch so often and print the time"));

static ExitOnError check("tl-emulate: ");

namespace {
/// A kernel's argument.
struct Operand {
  std::string type;
  bool isBuffer = false;
  std::vector<char> data;
  void *device = nullptr;
};
} // namespace

static size_t elementBytes(StringRef type) {
  if (type == "f64" || type == "i64")
    return 8;
  if (type == "f32" || type == "i32")
    return 4;
  if (type == "f16" || type == "bf16" || type == "i16")
    return 2;
  if (type == "i8" || type == "i1")
    return 1;
  check(createStringError("unknown type '" + type + "'"));
  return 0;
}

static const fltSemantics &semantics(StringRef type) {
  return type == "f64"   ? APFloat::IEEEdouble()
         : type == "f32" ? APFloat::IEEEsingle()
         : type == "f16" ? APFloat::IEEEhalf()
                         : APFloat::BFloat();
}
static bool isFloat(StringRef type) { return type.contains('f'); }

static void store(char *to, StringRef type, double value) {
  uint64_t bits = int64_t(value);
  if (isFloat(type)) {
    APFloat number(value);
    bool loses;
    number.convert(semantics(type), APFloat::rmNearestTiesToEven, &loses);
    bits = number.bitcastToAPInt().getZExtValue();
  }
  memcpy(to, &bits, elementBytes(type));
}

static std::string printNumber(const char *from, StringRef type) {
  uint64_t bits = 0;
  size_t bytes = elementBytes(type);
  memcpy(&bits, from, bytes);
  if (!isFloat(type))
    return std::to_string(SignExtend64(bits, 8 * bytes));
  APFloat number(semantics(type), APInt(8 * bytes, bits));
  bool loses;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
  if (number.isNaN())
    return "nan"; // whatever its sign
  std::string text;
  raw_string_ostream(text) << llvm::format("%.17g", number.convertToDouble());
  return text;
}

static Operand parse(StringRef text) {
  Operand result;
  auto [left, values] = text.split('=');
  int64_t count = 1;
  if (left.consume_back("]")) {
    result.isBuffer = true;
    auto [type, number] = left.split('[');
    left = type;
    if (number.getAsInteger(10, count) || count < 0)
      check(createStringError("wrong count in '" + text + "'"));
  }
  result.type = left.str();
  size_t bytes = elementBytes(left);
  result.data.assign(count * bytes, char(0xFF));
  if (values == "unset")
    return result;
  SmallVector<StringRef> items;
  values.split(items, ',');
  uint32_t random = 12345;
  for (int64_t i = 0; i < count; ++i) {
    double value = double(i);
    if (values == "random") {
      random = random * 1664525 + 1013904223;
      value = (int(random >> 26) - 32) / 8.0;
    } else if (values != "iota" &&
               items[std::min<size_t>(i, items.size() - 1)].getAsDouble(value)) {
      check(createStringError("wrong value in '" + text + "'"));
    }
    store(result.data.data() + i * bytes, left, value);
  }
  return result;
}

static void optimize(Module &module, TargetMachine &machine) {
  PassBuilder passes(&machine);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(callGraph);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, callGraph, modules);
  passes.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(module, modules);
}

static void checkStatus(tl_status status, const tl_error &error) {
  if (status)
    check(createStringError(StringRef(error.message)));
}

static void run(tl_emulated_kernel kernel, std::vector<Operand> &operands) {
  tl_error error = {};
  const char *names[] = {kernelName.c_str()};
  const int32_t one = arch;
  tl_gpu_set set = {};
  set.archs = &one;
  set.arch_count = 1;
  set.kernels = names;
  set.emulated = &kernel;
  tl_gpu_code code = {};
  code.sets = &set;
  code.set_count = 1;
  code.kernel_count = 1;
  tl_gpu_device *device;
  tl_gpu_stream *stream;
  const tl_gpu_backend &backend = tl_gpu_emulated;
  checkStatus(backend.open(&code, 0, &device, &error), error);
  checkStatus(backend.stream_create(device, nullptr, &stream, &error), error);
  std::vector<void *> params;
  for (Operand &operand : operands) {
    if (!operand.isBuffer) {
      params.push_back(operand.data.data());
      continue;
    }
    operand.device = backend.alloc(stream, operand.data.size());
    if (!operand.device)
      check(createStringError("out of device memory"));
    checkStatus(backend.copy(stream, operand.device, operand.data.data(), operand.data.size(),
                             TL_COPY_TO_DEVICE, &error),
                error);
    params.push_back(&operand.device);
  }
  int64_t sizes[2][3] = {{1, 1, 1}, {1, 1, 1}};
  std::copy(grid.begin(), grid.end(), sizes[0]);
  std::copy(block.begin(), block.end(), sizes[1]);
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < std::max<int>(repeat, 1); ++i)
    checkStatus(backend.launch(stream, 0, sizes[0], sizes[1], sharedBytes, params.data(), &error),
                error);
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  checkStatus(backend.synchronize(stream, &error), error);
  if (repeat)
    outs() << llvm::format("%.3f ms\n", 1000 * seconds.count() / repeat);
  for (auto [index, operand] : enumerate(operands)) {
    if (!operand.isBuffer)
      continue;
    checkStatus(backend.copy(stream, operand.data.data(), operand.device, operand.data.size(),
                             TL_COPY_TO_HOST, &error),
                error);
    backend.free(stream, operand.device);
    if (repeat)
      continue;
    outs() << index << ":";
    size_t bytes = elementBytes(operand.type);
    for (size_t i = 0; i < operand.data.size(); i += bytes)
      outs() << ' ' << printNumber(operand.data.data() + i, operand.type);
    outs() << '\n';
  }
  backend.stream_destroy(stream);
  backend.close(device);
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  cl::ParseCommandLineOptions(argc, argv, "Runs kernels in LLVM IR on the emulator\n");
  auto context = std::make_unique<LLVMContext>();
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseIRFile(input, diagnostic, *context);
  if (!module) {
    diagnostic.print(argv[0], errs());
    return 1;
  }
  auto builder = check(orc::JITTargetMachineBuilder::detectHost());
  std::unique_ptr<TargetMachine> machine = check(builder.createTargetMachine());
  check(torchlite::nvgpu::emulateKernels(*module, *machine));
  if (print) {
    module->print(outs(), nullptr);
    return 0;
  }
  optimize(*module, *machine);
  std::unique_ptr<orc::LLJIT> jit =
      check(orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create());
  orc::SymbolMap symbols;
#define ADD_SYMBOL(name)                                                                           \
  symbols[jit->mangleAndIntern(#name)] = {orc::ExecutorAddr::fromPtr(&name),                       \
                                          JITSymbolFlags::Exported};
  TL_EMU_FUNCTIONS(ADD_SYMBOL)
#undef ADD_SYMBOL
  check(jit->getMainJITDylib().define(orc::absoluteSymbols(std::move(symbols))));
  jit->getMainJITDylib().addGenerator(
      check(orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
          jit->getDataLayout().getGlobalPrefix())));
  check(jit->addIRModule(orc::ThreadSafeModule(std::move(module), std::move(context))));
  auto kernel = check(jit->lookup(torchlite::nvgpu::emulatedName(kernelName)));
  std::vector<Operand> operands;
  for (const std::string &argument : arguments)
    operands.push_back(parse(argument));
  run(kernel.toPtr<tl_emulated_kernel>(), operands);
  return 0;
}
