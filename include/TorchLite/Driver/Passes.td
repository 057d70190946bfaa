// Passes of the driver: what a module needs to become a library.
#ifndef TORCHLITE_DRIVER_PASSES_TD
#define TORCHLITE_DRIVER_PASSES_TD

include "mlir/Pass/PassBase.td"

def EmitDescriptor : Pass<"tl-emit-descriptor", "::mlir::ModuleOp"> {
  let summary = "Describe the model to the runtime, as constants in the LLVM dialect";
  let description = [{
    Reads the attributes of the functions with `tl.method` and the `tl.state` operations, and adds
    the tables that runtime/include/TorchLite/Runtime/Descriptor.h declares, a function
    `<name>_model` that returns them, and a weak `tl_library_model` for libraries with one model.
    The attributes and `tl.state` operations are removed. Functions become private to the module.

    A method may have two functions, one for the processor and, with `tl.device`, one for GPUs;
    `tl.replayable` says that the latter's launches may be recorded and replayed. The kernels are what
    the global `@tl_gpu_code` tells.

    Example:
    ```mlir
    llvm.func @forward(%frame: !llvm.ptr)
        attributes {tl.method = "forward", tl.arguments = [{name = "x", type = tensor<3xf32>} ],
                    tl.result = tensor<3xf32>, ...}
    ```
    is, with `name=cell`, afterwards
    ```mlir
    llvm.func internal @forward(%frame: !llvm.ptr)
    llvm.mlir.global internal constant @tl_descriptor() : !llvm.struct<...> { ... }
    llvm.func @cell_model() -> !llvm.ptr { ... }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
  let options = [
    Option<"name", "name", "std::string", "\"model\"",
           "The model's name: a C identifier, since `<name>_model` is a function">,
    Option<"threads", "threads", "int32_t", "0",
           "Threads of one call unless the caller says otherwise; 0: as many as there are">,
    Option<"features", "features", "std::string", "\"\"",
           "Processor features that the code needs (`avx2,fma`), checked when the model is loaded">];
}

#endif // TORCHLITE_DRIVER_PASSES_TD
