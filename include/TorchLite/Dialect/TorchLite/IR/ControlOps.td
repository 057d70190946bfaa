// Errors of the core level. tl.if and tl.loop (LanguageOps.td) serve at both levels.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_CONTROLOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_CONTROLOPS_TD

include "TorchLite/Dialect/TorchLite/IR/CoreBase.td"

def TL_ErrorResource : Resource<"::torchlite::tl::ErrorResource">;

def TL_CheckOp : TL_Op<"check", [MemoryEffects<[MemWrite<TL_ErrorResource>]>]> {
  let summary = "Raises an error if a condition is false";
  let description = [{
    Ends the call with the message, in which each `{}` stands for one of the values, and the source
    line of the operation's location. Checks are executed in program order. The operation survives
    `convert-tl-to-linalg`: each backend lowers it.

    Example:
    ```mlir
    tl.check %ok, "expected {} columns, but got {}" [%n, %m : i64, i64]
    ```
  }];
  let arguments = (ins I1:$condition, StrAttr:$message,
                       Variadic<AnyTypeOf<[I64, F64, I1]>>:$values);
  let assemblyFormat = "$condition `,` $message (`[` $values^ `:` type($values) `]`)? attr-dict";
  let builders = [OpBuilder<(ins "::mlir::Value":$condition, "const ::llvm::Twine &":$message,
                                 CArg<"::mlir::ValueRange", "{}">:$values)>];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

#endif
