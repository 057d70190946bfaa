// Passes on the tl dialect: from the program as written to core operations.
#ifndef TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_PASSES_TD
#define TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def LinkPass : Pass<"tl-link", "::mlir::ModuleOp"> {
  let summary = "Keeps what the exported methods reach";
  let description = [{
    Checks that every class, object, storage and function that the program names exists, and removes
    those that no exported method of the root object reaches. The program stays as written.

    Example: in
    ```mlir
    module attributes {tl.root = @root} {
      tl.class @C { tl.method "forward" @C.forward {exported} }
      tl.object @root : !tl.object<@C> { slots = {} }
      func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor) -> !tl.tensor { return %x : !tl.tensor }
      func.func @unused(%x: !tl.tensor) -> !tl.tensor { return %x : !tl.tensor }
    }
    ```
    the function `@unused` is removed.
  }];
}

def SpecializePass : Pass<"tl-specialize", "::mlir::ModuleOp"> {
  let summary = "Rebuilds the exported methods as core operations for given argument types";
  let description = [{
    One forward walk through each method that a signature names. Calls are followed; lists, tuples,
    dicts and objects are known exactly and vanish; constants fold; operators become core operations
    on `tensor<...>` values; what shares memory is written consistently (every tensor is a view of a
    storage, a write makes a new value of it); `tl.if` and `tl.loop` stay where the condition or
    trip count is known only at run time, unrolled only where structure would be lost otherwise. A
    list that such a loop appends to, or indexes, becomes a buffer and a count, if its elements are
    numbers or tensors of one form; where the structure changes only from the first trip on, that
    is apart, in the arm of a `tl.if`. A `raise` becomes a `tl.check`.

    Attributes that methods write are the state of the instance: functions take and return it, and
    `tl.state` operations declare it. Where the types of the state change (`zeros([0])` at first,
    `[2, 1, 128]` from the first call on) each method is compiled for each of them.

    A signature is `method(type, ...)`; docs/GettingStarted.md tells what a type is. Without
    signatures `forward` is compiled if its arguments are numbers.

    Example:
    ```mlir
    %r = tl.aten "add.Tensor"(%x, %y, %one) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
    ```
    becomes, with `signature=forward(3xf32,3xf32)`,
    ```mlir
    %r = tl.add %x, %y : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
    ```
  }];
  let options = [
    ListOption<"signatures", "signature", "std::string",
               "The argument types of a method: forward(1x3x224x224xf32)">,
    Option<"maxStates", "max-states", "unsigned", "8",
           "How many state signatures are followed before state is made dynamic">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect", "::torchlite::rt::RuntimeDialect",
    "::torchlite::tl::TorchLiteDialect"
  ];
}

#endif
