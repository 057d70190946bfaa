// The `tlrt` dialect: how compiled code reaches its frame and the runtime.
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEBASE_TD
#define TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEBASE_TD

include "mlir/IR/OpBase.td"

def Runtime_Dialect : Dialect {
  let name = "tlrt";
  let cppNamespace = "::torchlite::rt";
  let summary = "Access of compiled code to its call frame and to the runtime";
  let description = [{
    One operation for each thing that `runtime/include/TorchLite/Runtime/ABI.h` offers to compiled
    code. The frame is implicit: lowering to LLVM passes it to every function.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
  let useDefaultTypePrinterParser = 1;
}

class Runtime_Op<string mnemonic, list<Trait> traits = []>
    : Op<Runtime_Dialect, mnemonic, traits>;

#endif // TORCHLITE_DIALECT_RUNTIME_IR_RUNTIMEBASE_TD
