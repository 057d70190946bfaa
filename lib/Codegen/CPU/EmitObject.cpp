//===- EmitObject.cpp - Write an object file from tl-opt ------------------===//
#include "TorchLite/Codegen/CPU/ObjectEmitter.h"
#include "TorchLite/Codegen/CPU/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_EMITOBJECT
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

struct EmitObject : impl::EmitObjectBase<EmitObject> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    Location loc = module.getLoc();
    FailureOr<TargetSpec> target = resolveTarget({triple, cpu, features}, loc);
    if (failed(target))
      return signalPassFailure();
    EmitOptions options;
    options.target = *target;
    StringRef path = output;
    options.kind = path.ends_with(".ll")  ? OutputKind::LLVMIR
                   : path.ends_with(".s") ? OutputKind::Assembly
                                          : OutputKind::Object;
    if (options.kind != OutputKind::Object)
      options.weightsPrefix = output;
    std::error_code error;
    llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_None);
    if (error) {
      emitError(loc, "cannot write '") << path << "': " << error.message();
      return signalPassFailure();
    }
    if (failed(emitObject(module, options, file.os())))
      return signalPassFailure();
    file.keep();
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace torchlite::cpu
