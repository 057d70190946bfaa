// Operators that the compiler has no rule for: called through LibTorch when the code runs.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_OPERATOROPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_OPERATOROPS_TD

include "TorchLite/Dialect/TorchLite/IR/CoreBase.td"

def TL_OperatorResource : Resource<"::torchlite::tl::OperatorResource">;

def TL_CallOperatorOp
    : TL_Op<"call_operator", [MemoryEffects<[MemRead<TL_OperatorResource>,
                                             MemWrite<TL_OperatorResource>]>]> {
  let summary = "Calls an operator of PyTorch's registry through LibTorch (docs/Fallback.md)";
  let description = [{
    `takes` has one entry for each argument of the schema: a constant (`#tl.none`, an int, a float, a
    bool, a string, a list of entries), or `unit` for the next operand. `{number}` is the next operand
    too, a 0-dim tensor that takes part in type promotion as a number. What the constants stand for
    (a device, a dtype) follows from the schema.

    `gives` has one entry for each result of the schema: `unit` for the next result of the operation
    (a tensor, i64, f64 or i1), `#tl.none`, a list of entries, or a number: the result is the argument
    of that number itself, and the operation has no result for it.

    `writes` names the operands that the operator writes, which it gets copies of: what these hold
    afterwards are the last results, of the sizes that the operands have.

    Results are copies. With `aliases` the operator's own may share memory with operands or with each
    other; without, that is an error.

    Results are checked when the code runs: element types, ranks, sizes that are static, lengths of
    lists. Calls are executed in program order, each as often as the program says, also where nobody
    uses a result: they may raise, and may depend on more than their operands.

    Example:
    ```mlir
    // The last argument is a number that is known only at run time.
    %0 = tl.call_operator "aten::renorm"(%x, %max) takes [unit, 2.0, 0, unit] gives [unit]
       : (tensor<?x4xf32>, f64) -> tensor<?x?xf32>
    // An operator that writes its first argument, and returns it.
    %1 = tl.call_operator "mylib::scale_"(%x) takes [unit, 0.5] gives [0] writes [0]
       : (tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyTypeOf<[TL_ElementTensor, I64, F64, I1]>>:$operands,
                       ArrayAttr:$takes, ArrayAttr:$gives, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$writes,
                       UnitAttr:$aliases);
  let results = (outs Variadic<AnyTypeOf<[TL_ElementTensor, I64, F64, I1]>>:$results);
  let assemblyFormat = [{
    $name `(` $operands `)` `takes` $takes `gives` $gives (`writes` $writes^)? (`aliases` $aliases^)?
    attr-dict
    `:` functional-type($operands, $results)
  }];
  let hasVerifier = 1;
}

#endif
