//===- JIT.cpp - Compiled models in this process --------------------------===//
#include "TorchLite/Driver/JIT.h"

#include "TorchLite/Runtime/Boxes.h"
#include "TorchLite/Runtime/Emulator.h"
#include "TorchLite/Runtime/Gpu.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"

namespace torchlite::driver {
using namespace mlir;

JITModel::JITModel() = default;
JITModel::~JITModel() = default;

/// What compiled code takes from the runtime; the rest (libm, memcpy) is in the process anyway.
static llvm::orc::SymbolMap runtimeSymbols(llvm::orc::LLJIT &jit) {
  llvm::orc::SymbolMap symbols;
  auto add = [&](StringRef name, auto *address) {
    symbols[jit.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                          llvm::JITSymbolFlags::Exported};
  };
  add("tl_runtime", &tl_runtime);
  add("tl_rt_output", &tl_rt_output);
  add("tl_rt_alloc", &tl_rt_alloc);
  add("tl_rt_free", &tl_rt_free);
  add("tl_rt_call_operator", &tl_rt_call_operator);
  add("tl_rt_operator_result", &tl_rt_operator_result);
  add("tl_rt_operator_release", &tl_rt_operator_release);
  add("tl_rt_random", &tl_rt_random);
  add("tl_rt_launch", &tl_rt_launch);
  add("tl_rt_copy", &tl_rt_copy);
  add("tl_rt_read", &tl_rt_read);
  add("tl_rt_raise", &tl_rt_raise);
  add("tl_rt_parallel_for", &tl_rt_parallel_for);
  add("tl_box_create", &tl_box_create);
  add("tl_box_number", &tl_box_number);
  add("tl_box_text", &tl_box_text);
  add("tl_box_format", &tl_box_format);
  add("tl_box_print", &tl_box_print);
  add("tl_box_pack", &tl_box_pack);
  add("tl_box_data", &tl_box_data);
  add("tl_box_sizes", &tl_box_sizes);
  add("tl_box_size", &tl_box_size);
  add("tl_box_put", &tl_box_put);
  add("tl_box_get", &tl_box_get);
  add("tl_box_item", &tl_box_item);
  add("tl_box_present", &tl_box_present);
  add("tl_box_slice", &tl_box_slice);
  add("tl_box_splice", &tl_box_splice);
  add("tl_box_find", &tl_box_find);
  add("tl_box_set", &tl_box_set);
  add("tl_box_equal", &tl_box_equal);
  add("tl_box_rows", &tl_box_rows);
  add("tl_box_together", &tl_box_together);
  add("tl_box_pairs", &tl_box_pairs);
  add("tl_box_update", &tl_box_update);
  add("tl_box_repeat", &tl_box_repeat);
  add("tl_box_concat", &tl_box_concat);
  add("tl_box_compare", &tl_box_compare);
  add("tl_box_mark", &tl_box_mark);
  add("tl_box_keep", &tl_box_keep);
  add("tl_gpu_cuda", &tl_gpu_cuda);
  add("tl_gpu_emulated", &tl_gpu_emulated);
#define ADD(function) add(#function, &function);
  TL_EMU_FUNCTIONS(ADD)
#undef ADD
  return symbols;
}

static llvm::Error load(llvm::orc::LLJIT &jit, std::unique_ptr<llvm::MemoryBuffer> object) {
  llvm::orc::JITDylib &library = jit.getMainJITDylib();
  if (llvm::Error error = library.define(llvm::orc::absoluteSymbols(runtimeSymbols(jit))))
    return error;
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      jit.getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  library.addGenerator(std::move(*process));
  return jit.addObjectFile(std::move(object));
}

std::unique_ptr<JITModel> JITModel::create(ModuleOp module, CompileOptions options) {
  Location loc = module.getLoc();
  if (failed(compile(module, Stage::LLVM, options)))
    return nullptr;
  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream os(bytes);
  if (failed(emit(module, options, cpu::OutputKind::Object, /*weightsPrefix=*/"", os)))
    return nullptr;
  std::unique_ptr<JITModel> result(new JITModel());
  auto fail = [&](llvm::Error error) {
    emitError(loc, "cannot load the compiled model: ") << llvm::toString(std::move(error));
    return nullptr;
  };
  llvm::Expected<llvm::orc::JITTargetMachineBuilder> builder =
      llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return fail(builder.takeError());
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit =
      llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(*builder)).create();
  if (!jit)
    return fail(jit.takeError());
  result->jit = std::move(*jit);
  if (llvm::Error error =
          load(*result->jit, std::make_unique<llvm::SmallVectorMemoryBuffer>(
                                 std::move(bytes), options.name, /*RequiresNullTerminator=*/false)))
    return fail(std::move(error));
  llvm::Expected<llvm::orc::ExecutorAddr> address = result->jit->lookup(options.name + "_model");
  if (!address)
    return fail(address.takeError());
  result->descriptor = address->toPtr<const tl_model *(*)()>()();
  return result;
}

} // namespace torchlite::driver
