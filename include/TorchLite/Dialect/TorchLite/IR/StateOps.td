// The state of an instance: what its methods leave in attributes from call to call.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_STATEOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_STATEOPS_TD

include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "TorchLite/Dialect/TorchLite/IR/TorchLiteBase.td"

def TL_StateOp : TL_Op<"state", [Symbol]> {
  let summary = "A leaf of an instance's state";
  let description = [{
    Made by `tl-specialize` for every tensor and number that a method leaves in an attribute. The types
    of the state belong to a method's signature, so an instance goes from one *state signature* to
    another, numbered from 0, the state of the archive. `types` says for each state signature what the
    leaf is: a type (the instance holds a value), a constant that is the same whenever the instance is
    in that signature (`#tl.none`, `3 : i64`), or `unit` if there is no such leaf. `initial` is the
    value in signature 0, `unit` if it holds none there.

    `path` names the attribute from the root object, with the position or key for elements of lists,
    tuples and dicts. Functions name it in their argument and result attribute `tl.state`.

    Example:
    ```mlir
    tl.state @state_0 "encoder.hidden" [tensor<0xf32>, tensor<2x1x128xf32>]
        initial dense<> : tensor<0xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$path, ArrayAttr:$types, AnyAttr:$initial);
  let assemblyFormat = "$sym_name $path $types `initial` $initial attr-dict";
  let hasVerifier = 1;
}

#endif
