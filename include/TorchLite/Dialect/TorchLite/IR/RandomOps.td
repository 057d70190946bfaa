// Random numbers.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_RANDOMOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_RANDOMOPS_TD

include "TorchLite/Dialect/TorchLite/IR/CoreBase.td"

def TL_RandomResource : Resource<"::torchlite::tl::RandomResource">;

def TL_RandomOp
    : TL_Op<"random", [AttrSizedOperandSegments, TL_ReifyShapes,
                       MemoryEffects<[MemRead<TL_RandomResource>, MemWrite<TL_RandomResource>]>]> {
  let summary = "Random numbers of the instance's generator, which moves on";
  let description = [{
    The elements in row-major order are what PyTorch's operator would take from its generator for the
    CPU (docs/Random.md), rounded to the element type. `parameters` have the types that the table
    names, `each` has a number for each element.

    | kind | elements | parameters, each |
    | --- | --- | --- |
    | `uniform` | floats | least, limit: f64 |
    | `normal`, `normal_serial` | floats | mean, standard deviation: f64 |
    | `exponential` | floats | rate: f64 |
    | `cauchy`, `log_normal` | floats | two: f64 |
    | `geometric` | numbers | probability: f64 |
    | `bernoulli` | any | probability: f64 |
    | `bernoulli_each` | any | each: probability, f32 or f64 |
    | `rrelu` | floats | least, limit: f64; each: i1, whether a number is drawn; 1 where not |
    | `poisson` | floats | each: rate, f64 |
    | `integers` | any | least, how many: i64 (0: 2 to the power of 64) |
    | `bits` | any | those of PyTorch's `random_()` |
    | `permutation` | numbers of rank 1 | |

    Operations are executed in program order, each as often as the program says, also where nobody
    uses the result. Parameters have been checked.

    Example:
    ```mlir
    %0 = tl.random "normal"(%mean, %deviation : f64, f64)[%n] : tensor<?x4xf32>
    %1 = tl.random "bernoulli_each" each %p : tensor<8xf32> : tensor<8xi1>
    ```
  }];
  let arguments = (ins StrAttr:$kind, Variadic<AnyTypeOf<[I64, F64]>>:$parameters,
                       Optional<TL_ElementTensor>:$each, Variadic<Index>:$sizes);
  let results = (outs TL_RealTensor:$result);
  let assemblyFormat = [{
    $kind (`(` $parameters^ `:` type($parameters) `)`)? (`each` $each^ `:` type($each))?
    (`[` $sizes^ `]`)? attr-dict `:` type($result)
  }];
  let builders = [OpBuilder<(ins "::llvm::StringRef":$kind, "::mlir::ValueRange":$parameters,
                                 "::mlir::Value":$each, "::mlir::Type":$elementType,
                                 "::llvm::ArrayRef<::mlir::OpFoldResult>":$sizes)>];
  let hasVerifier = 1;
}

#endif
